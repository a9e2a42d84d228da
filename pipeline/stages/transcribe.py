"""Trials to transcripts, rendering on the way; nothing that was heard before is heard again.

In: Utterances, Trials, a recognizer (or copies of it on several devices), the transcript store. Out: Transcripts and
Renderings, and of a recognizer that is asked to repeat itself, Repeats. Excludes: trials that could not be rendered
(no active speech, a condition that did not come out as asked, audio that cannot be read any more) and trials that the
recognizer failed on.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment.chain import Probe
from augment.jobs import Failure, Outcome
from pipeline import interruption, tables
from pipeline.artifacts import sha256_of
from pipeline.asr import repeats
from pipeline.asr.base import Backend, Draw, Forewarned, Hypothesis, Request
from pipeline.asr.fleet import Fleet, in_process
from pipeline.asr.store import Stored, TranscriptStore
from pipeline.asr.throughput import Tally, watched_gpus
from pipeline.asr.turns import in_turn, turn
from pipeline.progress import Advance, track
from pipeline.records import Exclusion, Reason, Status
from pipeline.rendering import Renderer, Row

NAME = "transcribe"
REPEATS = "transcribe.repeats"
"""A part of ``transcribe``, whose configuration and restart decide over it too."""
logger = logging.getLogger(__name__)

Made = tuple[Row, Outcome | None]
"""A trial and what was rendered of it; None for a recognizer that hears no audio."""
Key = tuple[str, int]
"""Trial key, and the number of a repeat; 0 is the transcript that is scored."""


@dataclass(frozen=True)
class Transcribed:
    """What the stage returns: its tables, its exclusions, how much was remembered, and how fast the rest was heard."""

    transcripts: pd.DataFrame
    renderings: pd.DataFrame
    repeats: pd.DataFrame
    excluded: list[Exclusion]
    excluded_repeats: list[Exclusion]
    remembered: int
    throughput: dict[str, float]


@dataclass
class _Heard:
    """What is collected while hearing: answers and renderings, and why a trial could not be rendered."""

    answers: dict[Key, Hypothesis] = field(default_factory=dict)
    renderings: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    unrendered: dict[str, Failure] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def recall(self, trial_key: str, draw: Draw | None, stored: Stored | None) -> bool:
        """Take what the store knows; return whether the trial needs not be heard: a failure is tried again."""
        if stored is None or stored.failed:
            return False
        self.answers[trial_key, _number(draw)] = stored.hypothesis
        rendering = stored.rendering if draw is None else None
        if rendering is not None:
            self.renderings[trial_key] = rendering
        return True


def transcribe(
    utterances: pd.DataFrame,
    trials: pd.DataFrame,
    *,
    renderer: Renderer | None,
    backend: Backend,
    store: TranscriptStore,
    copies: Sequence[Backend] = (),
    probe: Probe = "speech",
) -> Transcribed:
    """Hear every trial that is not remembered, and return all of them.

    Args:
        utterances: of the study.
        trials: what to hear.
        renderer: makes the audio; None for a recognizer that hears none.
        backend: prepared; loaded here, unless there are ``copies``.
        store: what was heard before. Only a recognizer that hears audio is remembered: imported and scripted
            transcripts cost nothing to read again and depend on more than the audio.
        copies: of the backend on several devices, each to work in a process of its own.
        probe: what is rendered of the trials, whose keys must tell it too; without speech nothing is repeated.
    """
    rows = tables.rows(trials.merge(utterances, on="utterance_id", validate="many_to_one"))
    if isinstance(backend, Forewarned):
        backend.expect([(row["utterance_id"], row["condition"]) for row in rows])
    wanted = repeats.repeating(backend) if probe == "speech" else repeats.NONE
    asked = {row["trial_key"]: [None, *repeats.draws(row["trial_key"], wanted)] for row in rows}
    heard = _Heard()
    pending = _not_remembered(asked, heard, backend, store)
    remembered = sum(draws[0] is not None for draws in pending.values()) + len(asked) - len(pending)
    todo = [row for row in _by_length(rows) if row["trial_key"] in pending]
    logger.info("%s: %d trials, %d remembered, %d to transcribe", NAME, len(rows), remembered, len(todo))
    throughput = _hear(todo, pending, heard, renderer, backend, copies, store, probe) if todo else {}
    return Transcribed(*_tables(rows, asked, heard, backend.name), remembered, throughput)


def _not_remembered(
    asked: Mapping[str, Sequence[Draw | None]], heard: _Heard, backend: Backend, store: TranscriptStore
) -> dict[str, list[Draw | None]]:
    """Return what has to be heard of each trial that is not wholly remembered."""
    keys = [repeats.remembered_as(key, draw) for key, draws in asked.items() for draw in draws]
    known = store.get(keys, sha256_of(backend.fingerprint())) if backend.needs_audio else {}
    pending = {
        key: [draw for draw in draws if not heard.recall(key, draw, known.get(repeats.remembered_as(key, draw)))]
        for key, draws in asked.items()
    }
    return {key: draws for key, draws in pending.items() if draws}


def _by_length(rows: Sequence[Row]) -> list[Row]:
    """Return the longest utterances first, so that a batch holds clips of like length; trials of one stay together."""
    # a missing duration, where a corpus holds no audio, would put the rows into no order at all
    return sorted(rows, key=lambda row: (-row["duration_s"] if row["duration_s"] > 0 else 0.0, row["utterance_id"]))


def _hear(
    todo: Sequence[Row],
    pending: Mapping[str, Sequence[Draw | None]],
    heard: _Heard,
    renderer: Renderer | None,
    backend: Backend,
    copies: Sequence[Backend],
    store: TranscriptStore,
    probe: Probe,
) -> dict[str, float]:
    """Render and hear, a batch at a time; what was heard is on the disk before the next batch is looked at."""
    fingerprint = backend.fingerprint()
    key = sha256_of(fingerprint)
    started_s = time.perf_counter()
    with ExitStack() as stack:
        if backend.needs_audio:
            todo = in_turn(todo, stack.enter_context(turn(store.folder)))
        ahead = 2 * backend.batch_size * max(1, len(copies))
        made: Iterator[Made] = (
            ((row, None) for row in todo)
            if renderer is None
            else stack.enter_context(renderer.renderings(todo, ahead=ahead, probe=probe))
        )
        advance = stack.enter_context(track("transcribing", sum(map(len, pending.values())), logger))
        batches = _batches(_requests(made, pending, heard), backend.batch_size)
        if backend.needs_audio:
            batches = _not_heard_since(batches, heard, store, key, advance)
        if copies:
            answered = stack.enter_context(Fleet(copies)).transcribe(batches)
        else:
            backend.load()
            answered = in_process(backend, batches)
        gpus = stack.enter_context(watched_gpus(backend.device))
        for batch, hypotheses in answered:
            for request, hypothesis in zip(batch, hypotheses, strict=True):
                heard.answers[request.trial_key, _number(request.draw)] = hypothesis
                heard.tally.add(request, hypothesis)
            if backend.needs_audio:
                items = [_item(*answer, heard) for answer in zip(batch, hypotheses, strict=True)]
                store.put(items, key, fingerprint, recognizer=backend.name)
            advance(len(batch))
            interruption.heed()
        if heard.unrendered:
            advance(sum(len(pending[key]) for key in heard.unrendered))
    rates = heard.tally.rates(time.perf_counter() - started_s) | gpus.summary()
    if rates and backend.needs_audio:
        logger.info("%s: %s", NAME, ", ".join(f"{name} {value:.4g}" for name, value in rates.items()))
    return rates if backend.needs_audio else {}


def _requests(made: Iterator[Made], pending: Mapping[str, Sequence[Draw | None]], heard: _Heard) -> Iterator[Request]:
    for row, outcome in made:
        key = row["trial_key"]
        if isinstance(outcome, Failure):
            heard.unrendered[key] = outcome
            continue
        samples = None
        if outcome is not None:
            heard.renderings[key] = asdict(outcome.realised)
            samples = outcome.samples.astype(np.float32) / np.float32(32768)
        for draw in pending[key]:
            yield _request(row, samples, draw)


def _request(row: Row, samples: NDArray[np.float32] | None, draw: Draw | None) -> Request:
    speaker = row["speaker_id"]
    return Request(
        trial_key=row["trial_key"],
        utterance_id=row["utterance_id"],
        condition=row["condition"],
        accent=row["accent"],
        speaker_id=None if pd.isna(speaker) else speaker,
        reference=row["reference"],
        samples=samples,
        draw=draw,
    )


def _batches(requests: Iterable[Request], size: int) -> Iterator[list[Request]]:
    batch: list[Request] = []
    for request in requests:
        batch.append(request)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _not_heard_since(
    batches: Iterable[list[Request]], heard: _Heard, store: TranscriptStore, key: str, advance: Advance
) -> Iterator[list[Request]]:
    """Leave out what another process has heard since this one began."""
    for batch in batches:
        known = store.get([_remembered_as(request) for request in batch], key)
        left = [
            request
            for request in batch
            if not heard.recall(request.trial_key, request.draw, known.get(_remembered_as(request)))
        ]
        advance(len(batch) - len(left))
        if left:
            yield left


def _remembered_as(request: Request) -> str:
    return repeats.remembered_as(request.trial_key, request.draw)


def _item(request: Request, hypothesis: Hypothesis, heard: _Heard) -> tuple[str, Hypothesis, Mapping[str, Any] | None]:
    rendering = heard.renderings.get(request.trial_key) if request.draw is None else None
    return _remembered_as(request), hypothesis, rendering


def _number(draw: Draw | None) -> int:
    return 0 if draw is None else draw.repeat


def _tables(
    rows: Sequence[Row], asked: Mapping[str, Sequence[Draw | None]], heard: _Heard, backend: str
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[Exclusion], list[Exclusion]]:
    # in the order of the trials, so that a resumed run writes the same table as an undisturbed one
    said, drawn = [], []
    lost: dict[str, list[Exclusion]] = {NAME: [], REPEATS: []}
    for row in rows:
        for draw in asked[row["trial_key"]]:
            stage = NAME if draw is None else REPEATS
            answer = heard.answers.get((row["trial_key"], _number(draw)))
            if answer is None or answer.status is Status.FAILED:
                lost[stage].append(_lost(stage, row, answer, heard))
            elif draw is None:
                said.append(_transcript(row["trial_key"], answer, backend))
            else:
                drawn.append(_repeat(row["trial_key"], answer, backend, draw))
    keys = [row["trial_key"] for row in rows]
    made = [{"trial_key": key} | dict(heard.renderings[key]) for key in keys if key in heard.renderings]
    for excluded in lost.values():
        excluded.sort(key=lambda one: (one.utterance_id, one.condition))
    return (
        tables.build(said, tables.Transcripts, where=NAME),
        tables.build(made, tables.Renderings, where=NAME),
        tables.build(drawn, tables.Repeats, where=REPEATS),
        lost[NAME],
        lost[REPEATS],
    )


def _lost(stage: str, row: Row, answer: Hypothesis | None, heard: _Heard) -> Exclusion:
    if answer is not None:
        reason, detail = Reason.TRANSCRIPTION_FAILED, answer.detail
    else:
        failure = heard.unrendered[row["trial_key"]]
        reason, detail = Reason(failure.kind), failure.message
    return Exclusion(stage, row["utterance_id"], row["condition"], reason, detail)


def _transcript(trial_key: str, hypothesis: Hypothesis, backend: str) -> dict[str, Any]:
    fields = asdict(hypothesis)
    text = fields.pop("text")
    return fields | {
        "trial_key": trial_key,
        "backend": backend,
        "hypothesis": text,
        "status": str(hypothesis.status),
    }


def _repeat(trial_key: str, hypothesis: Hypothesis, backend: str, draw: Draw) -> dict[str, Any]:
    return asdict(draw) | {"trial_key": trial_key, "backend": backend, "hypothesis": hypothesis.text}
