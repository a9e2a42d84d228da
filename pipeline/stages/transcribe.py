"""Trials to transcripts, rendering on the way; nothing that was heard before is heard again.

In: Utterances, Trials, a recognizer, the transcript store. Out: Transcripts and Renderings. Excludes:
trials that could not be rendered (no active speech, a condition that did not come out as asked, audio
that cannot be read any more) and trials that the recognizer failed on.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from augment.chain import Probe, Rendering
from augment.jobs import Failure, Outcome
from pipeline import tables
from pipeline.artifacts import sha256_of
from pipeline.asr.base import Backend, Forewarned, Hypothesis, Request
from pipeline.asr.store import TranscriptStore
from pipeline.progress import Advance, track
from pipeline.records import Exclusion, Reason, Status
from pipeline.rendering import Renderer, Row

NAME = "transcribe"
logger = logging.getLogger(__name__)

Made = tuple[Row, Outcome | None]
"""A trial and what was rendered of it; None for a recognizer that hears no audio."""


@dataclass
class Heard:
    """What the stage collects: transcripts and renderings by trial key, exclusions, and how much was remembered."""

    transcripts: dict[str, Hypothesis] = field(default_factory=dict)
    renderings: dict[str, dict[str, Any]] = field(default_factory=dict)
    excluded: list[Exclusion] = field(default_factory=list)
    remembered: int = 0

    def add(self, row: Row, hypothesis: Hypothesis, rendering: dict[str, Any] | None) -> None:
        """Keep one answer of the recognizer; a failed one becomes an exclusion."""
        if rendering is not None:
            self.renderings[row["trial_key"]] = rendering
        if hypothesis.status == Status.FAILED:
            self.excluded.append(_lost(row, Reason.TRANSCRIPTION_FAILED, hypothesis.detail))
        else:
            self.transcripts[row["trial_key"]] = hypothesis


def transcribe(
    utterances: pd.DataFrame,
    trials: pd.DataFrame,
    *,
    renderer: Renderer | None,
    backend: Backend,
    store: TranscriptStore,
    probe: Probe = "speech",
) -> tuple[pd.DataFrame, pd.DataFrame, list[Exclusion], int]:
    """Return Transcripts, Renderings, exclusions, and how many transcripts were remembered.

    ``probe`` says what is rendered of the trials, whose keys must tell it too.
    Only a recognizer that hears audio is remembered: imported and scripted transcripts cost nothing to
    read again and depend on more than the audio.
    """
    rows = tables.rows(trials.merge(utterances, on="utterance_id", validate="many_to_one"))
    if isinstance(backend, Forewarned):
        backend.expect([(row["utterance_id"], row["condition"]) for row in rows])
    heard = Heard()
    fingerprint = backend.fingerprint()
    key = sha256_of(fingerprint)
    known = store.get([row["trial_key"] for row in rows], key) if backend.needs_audio else {}
    for row in rows:
        if row["trial_key"] in known:
            stored = known[row["trial_key"]]
            heard.add(row, stored.hypothesis, stored.rendering)
    heard.remembered = len(known)
    pending = [row for row in rows if row["trial_key"] not in known]
    logger.info("%s: %d trials, %d remembered, %d to transcribe", NAME, len(rows), len(known), len(pending))
    if pending:
        with _made(pending, renderer, 2 * backend.batch_size, probe) as made:
            backend.load()
            with track("transcribing", len(pending), logger) as advance:
                for batch in _batches(made, backend.batch_size):
                    answers = _hear(batch, backend, heard, advance)
                    if backend.needs_audio:
                        store.put(answers, key, fingerprint)
    return _tables(rows, heard, backend.name)


def _made(
    rows: Sequence[Row], renderer: Renderer | None, ahead: int, probe: Probe
) -> AbstractContextManager[Iterator[Made]]:
    if renderer is None:
        return nullcontext((row, None) for row in rows)
    return renderer.renderings(rows, ahead=ahead, probe=probe)


def _hear(
    batch: Sequence[Made], backend: Backend, heard: Heard, advance: Advance
) -> list[tuple[str, Hypothesis, dict[str, Any] | None]]:
    heard.excluded.extend(
        _lost(row, Reason(made.kind), made.message) for row, made in batch if isinstance(made, Failure)
    )
    given = [(row, made) for row, made in batch if not isinstance(made, Failure)]
    answers = []
    hypotheses = backend.transcribe([_request(row, made) for row, made in given]) if given else []
    for (row, made), hypothesis in zip(given, hypotheses, strict=True):
        rendering = None if made is None else asdict(made.realised)
        heard.add(row, hypothesis, rendering)
        if hypothesis.status != Status.FAILED:
            answers.append((row["trial_key"], hypothesis, rendering))
    advance(len(batch))
    return answers


def _batches(items: Iterator[Made], size: int) -> Iterator[list[Made]]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _request(row: Row, made: Rendering | None) -> Request:
    speaker = row["speaker_id"]
    return Request(
        trial_key=row["trial_key"],
        utterance_id=row["utterance_id"],
        condition=row["condition"],
        accent=row["accent"],
        speaker_id=None if pd.isna(speaker) else speaker,
        reference=row["reference"],
        samples=None if made is None else made.samples.astype(np.float32) / np.float32(32768),
    )


def _lost(row: Row, reason: Reason, detail: str) -> Exclusion:
    return Exclusion(NAME, row["utterance_id"], row["condition"], reason, detail)


def _tables(rows: Sequence[Row], heard: Heard, backend: str) -> tuple[pd.DataFrame, pd.DataFrame, list[Exclusion], int]:
    # in the order of the trials, so that a resumed run writes the same table as an undisturbed one
    keys = [row["trial_key"] for row in rows]
    said = [_transcript(key, heard.transcripts[key], backend) for key in keys if key in heard.transcripts]
    made = [{"trial_key": key} | heard.renderings[key] for key in keys if key in heard.renderings]
    excluded = sorted(heard.excluded, key=lambda lost: (lost.utterance_id, lost.condition))
    return (
        tables.build(said, tables.Transcripts, where=NAME),
        tables.build(made, tables.Renderings, where=NAME),
        excluded,
        heard.remembered,
    )


def _transcript(trial_key: str, hypothesis: Hypothesis, backend: str) -> dict[str, Any]:
    fields = asdict(hypothesis)
    text = fields.pop("text")
    return fields | {
        "trial_key": trial_key,
        "backend": backend,
        "hypothesis": text,
        "status": str(hypothesis.status),
    }
