"""The two files between the study and an outside program: the manifest it reads, the JSON lines it writes.

A line of the manifest, in the form that NeMo and the Open ASR Leaderboard read::

    {"audio_filepath": "/tmp/.../audio/000000.wav", "duration": 2.35, "utterance_id": "5f2c..."}

There is no reference, accent or speaker in it, and the id tells nothing. A line of the answer names its clip
by ``utterance_id`` or ``audio_filepath`` and holds the words as ``pred_text`` or else ``hypothesis`` or else
``text`` (the first of these that is there counts: in NeMo's files ``text`` is the reference), and may hold
``avg_logprob``, ``no_speech_prob``, ``compression_ratio`` and ``n_tokens``. Lines may come in any order.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.asr.base import SAMPLE_RATE_HZ, Hypothesis, Request
from pipeline.asr.clips import note_on_length
from pipeline.asr.exchange import UnusableError, complaint, number, words, write_wav
from pipeline.records import Status

TEXT = ("pred_text", "hypothesis", "text")
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Of a whole batch; what lies behind it is not read."""


@dataclass
class Answers:
    """What a program wrote: an answer by trial key, and what is wrong with the lines that answer nothing."""

    by_trial: dict[str, Hypothesis] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def write_manifest(folder: Path, requests: Sequence[Request]) -> tuple[Path, dict[str, str]]:
    """Write the clips as WAV into ``folder/audio`` and ``folder/manifest.jsonl``.

    Returns:
        The manifest, and trial keys by the name of their WAV file.

    Raises:
        OSError: if there is no room.
    """
    audio = folder / "audio"
    audio.mkdir()
    names: dict[str, str] = {}
    lines = []
    for index, request in enumerate(requests):
        samples = request.samples
        if samples is None:
            raise ValueError(f"{request.trial_key}: no audio to write")
        path = audio / f"{index:06d}.wav"
        with path.open("wb") as file:
            write_wav(file, samples)
        names[path.name] = request.trial_key
        duration_s = round(samples.size / SAMPLE_RATE_HZ, 6)
        line = {"audio_filepath": str(path), "duration": duration_s, "utterance_id": request.trial_key}
        lines.append(json.dumps(line) + "\n")
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(lines), encoding="utf-8")
    return manifest, names


def read_answers(path: Path, names: Mapping[str, str], requests: Sequence[Request]) -> Answers:
    """Read what a program wrote; a file that is missing, broken or too long loses only the clips it does not answer.

    Args:
        path: the file that the program was told to write.
        names: trial keys by the name of their WAV file.
        requests: the clips that were in the manifest.
    """
    answers = Answers()
    if not path.is_file():
        answers.ignored.append("it wrote no output file")
        return answers
    with path.open("rb") as file:
        data = file.read(MAX_ANSWER_BYTES + 1)
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if len(data) > MAX_ANSWER_BYTES:
        lines.pop()
        answers.ignored.append(f"what it wrote beyond {MAX_ANSWER_BYTES} bytes was not read")
    asked = {request.trial_key: request for request in requests}
    for row, raw in enumerate(lines, start=1):
        if raw.strip():
            _take(raw, row, names=names, asked=asked, answers=answers)
    return answers


def _take(raw: bytes, row: int, *, names: Mapping[str, str], asked: Mapping[str, Request], answers: Answers) -> None:
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):  # not UTF-8, or cut off in the middle, among others
        line = None
    if not isinstance(line, dict):
        answers.ignored.append(f"line {row} is no JSON object: {complaint(raw[:1000].decode(errors='replace'))}")
        return
    key = _key(line, names, asked)
    if key is None:
        answers.ignored.append(
            f"line {row} names no clip of this batch: {complaint(raw[:1000].decode(errors='replace'))}"
        )
        return
    said = _hypothesis(line, asked[key])
    if answers.by_trial.setdefault(key, said) != said:
        answers.by_trial[key] = Hypothesis(
            "", Status.FAILED, detail="the program answered this clip twice, differently"
        )


def _key(line: Mapping[str, Any], names: Mapping[str, str], asked: Mapping[str, Request]) -> str | None:
    name, path = line.get("utterance_id"), line.get("audio_filepath")
    if isinstance(name, str) and name in asked:
        return name
    return names.get(Path(path).name) if isinstance(path, str) else None


def _hypothesis(line: Mapping[str, Any], request: Request) -> Hypothesis:
    given = next((name for name in TEXT if name in line), None)
    try:
        if given is None:
            raise UnusableError(f"it has none of {', '.join(TEXT)}")
        text = words(line[given])
    except UnusableError as error:
        return Hypothesis("", Status.FAILED, detail=f"the program's line for this clip holds no transcript: {error}")
    heard = Hypothesis(
        text,
        Status.OK,
        avg_logprob=number(line.get("avg_logprob")),
        no_speech_prob=number(line.get("no_speech_prob")),
        compression_ratio=number(line.get("compression_ratio")),
        n_tokens=_count(line.get("n_tokens")),
    )
    return heard if request.samples is None else replace(heard, detail=note_on_length(request.samples))


def _count(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if whole and isinstance(value, int) else None
