"""Trials to a page to hear: the same few utterances under every condition, planned as in the real study.

In: Utterances, Trials, conditions. Out: audio, a page and a list of both in a folder of their own; what could
not be rendered stands there with its reason. Excludes nothing from any study: no run's folder is touched.
"""

import io
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import soundfile

from augment import SAMPLE_RATE_HZ
from augment.chain import Condition, Rendering, Source
from augment.errors import ConditionError
from augment.resources import Resources
from pipeline import tables
from pipeline.artifacts import RunFolder
from pipeline.card import listening
from pipeline.card.listening import AUDIO_FOLDER, PAGE, Heard
from pipeline.corpora.audio import AudioError, read_audio
from pipeline.corpora.base import Corpus
from pipeline.errors import ConfigError
from pipeline.progress import track

NAME = "listen"
MARK = "listening.json"
"""Says that a folder is a listening page of ours, and which of its files may be made anew."""

MADE_BY = "asr-accent-study, stages=[listen]"
_OURS = re.compile(rf"{re.escape(PAGE)}|{AUDIO_FOLDER}/[^/\\]+\.flac")

logger = logging.getLogger(__name__)
Row = Mapping[str, Any]
Key = tuple[str, str]
"""(utterance_id, condition)"""


@dataclass(frozen=True, slots=True)
class Listening:
    """How it ended."""

    page: Path
    n_made: int
    n_failed: int
    warning: str = ""
    """what may be done with the page"""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be heard: each (utterance, condition) has its row of Trials, or a problem in words."""

    conditions: Sequence[Condition]
    trials: Mapping[Key, Row]
    problems: Mapping[Key, str]
    corpus: Corpus
    resources: Resources


def examples(utterances: pd.DataFrame, count: int) -> list[Row]:
    """Choose utterances to hear: every accent in turn, each time the text that most accents share.

    An accent hears no text and no speaker again while there are others. The same utterances give the same choice,
    in whatever order they come.
    """
    left: list[Row] = list(tables.rows(utterances))
    accents_of: dict[str, set[str]] = {}
    for row in left:
        accents_of.setdefault(_text(row), set()).add(row["accent"])
    chosen: list[Row] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda row: (*_used(row, chosen), -len(accents_of[_text(row)]), _text(row), *_id(row)))
        left.remove(best)
        chosen.append(best)
    return chosen


def _used(row: Row, chosen: Sequence[Row]) -> tuple[int, int, int]:
    """Return how often the row's accent was chosen, and of those how often its text and its speaker."""
    same = [one for one in chosen if one["accent"] == row["accent"]]
    texts = sum(_text(one) == _text(row) for one in same)
    return len(same), texts, sum(one["speaker_id"] == row["speaker_id"] for one in same)


def _text(row: Row) -> str:
    return " ".join(str(row["reference"]).casefold().split())


def _id(row: Row) -> tuple[str, str]:
    return str(row["accent"]), str(row["utterance_id"])


def listen(chosen: Sequence[Row], planned: Planned, folder: RunFolder) -> Listening:
    """Render every chosen utterance under every condition, and write the page that plays them.

    Raises:
        ConfigError: if another process writes the folder, or it holds something that is no listening page.
        StudyError: if it cannot be written.
    """
    names = {
        (row["utterance_id"], condition.name): f"{AUDIO_FOLDER}/{number:02d}_{condition.name}.flac"
        for number, row in enumerate(chosen, start=1)
        for condition in planned.conditions
    }
    with folder.locked():
        _clear(folder)
        _mark(folder, [*names.values(), PAGE], [])
        heard, trials = {}, []
        with track("rendering", len(names), logger) as advance:
            for key, made in _renderings(chosen, planned):
                heard[key] = _written(made, names[key], folder)
                trials.append(_told(key, planned.trials.get(key), heard[key], made))
                advance()
        page = listening.page(chosen, planned.conditions, heard, _slots(planned), planned.corpus.record(), folder.name)
        folder.write(PAGE, listening.html(page))
        _mark(folder, [*(one.file for one in heard.values() if one.file), PAGE], trials)
    n_failed = sum(one.file is None for one in heard.values())
    return Listening(folder.path / PAGE, len(heard) - n_failed, n_failed, page.warning)


def _renderings(chosen: Sequence[Row], planned: Planned) -> Iterator[tuple[Key, Rendering | str]]:
    """Yield each rendering, or in words why there is none; one utterance is in memory at a time."""
    for row in chosen:
        try:
            place = planned.corpus.audio_path(row["audio"])
            source: Source | str = Source(read_audio(place, sha256=row["audio_sha256"]))
        except (AudioError, ConditionError) as error:
            source = str(error)
        for condition in planned.conditions:
            key = (row["utterance_id"], condition.name)
            yield key, _rendered(source, condition, key, planned)


def _rendered(source: Source | str, condition: Condition, key: Key, planned: Planned) -> Rendering | str:
    if isinstance(source, str):
        return source
    if key not in planned.trials:
        return planned.problems[key]
    try:
        return condition.render(source, json.loads(planned.trials[key]["plan"]), planned.resources)
    except ConditionError as error:
        return str(error)


def _written(made: Rendering | str, name: str, folder: RunFolder) -> Heard:
    if isinstance(made, str):
        return Heard(problem=made)
    buffer = io.BytesIO()
    soundfile.write(buffer, made.samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    folder.write(name, buffer.getvalue())
    return Heard(file=name, values=tuple(listening.values(asdict(made.realised))))


def _told(key: Key, trial: Row | None, heard: Heard, made: Rendering | str) -> dict[str, Any]:
    known = {"utterance_id": key[0], "condition": key[1], "file": heard.file, "problem": heard.problem}
    known |= {name: trial[name] for name in ("trial_key", "slot")} if trial else {}
    return known if isinstance(made, str) else known | {"realised": asdict(made.realised)}


def _slots(planned: Planned) -> dict[str, int]:
    return {utterance: int(trial["slot"]) for (utterance, _), trial in planned.trials.items()}


def _clear(folder: RunFolder) -> None:
    """Remove what an earlier command of this kind wrote, and nothing else.

    Raises:
        ConfigError: if the folder is not ours.
    """
    if not folder.path.exists() or (folder.path.is_dir() and not any(folder.path.iterdir())):
        return
    try:
        mark = json.loads((folder.path / MARK).read_text(encoding="utf-8"))
        files = [name for name in mark["files"] if _OURS.fullmatch(name)] if mark["made_by"] == MADE_BY else None
    except (OSError, ValueError, KeyError, TypeError):
        files = None
    if files is None:
        raise ConfigError(
            f"{folder.path}: this is not a listening page (it holds no {MARK} of ours), so nothing is written into it. "
            "Choose another run_name, or move it away."
        )
    folder.clear(files)


def _mark(folder: RunFolder, files: Sequence[str], trials: Sequence[Mapping[str, Any]]) -> None:
    content = {"made_by": MADE_BY, "files": list(files), "trials": list(trials)}
    folder.write(MARK, json.dumps(content, indent=1, allow_nan=False) + "\n")
