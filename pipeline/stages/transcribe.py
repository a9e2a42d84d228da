"""Trials to transcripts, rendering on the way; nothing that was heard before is heard again.

In: Utterances, Trials, a recognizer, the transcript store. Out: Transcripts and Renderings. Excludes:
trials that could not be rendered (no active speech, a condition that did not come out as asked, audio
that cannot be read any more) and trials that the recognizer failed on.
"""

import json
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from augment.chain import Condition
from augment.errors import ConditionError, NoActiveSpeechError
from augment.resources import Resources
from pipeline import tables
from pipeline.artifacts import sha256_of
from pipeline.asr.base import Backend, Forewarned, Hypothesis, Request
from pipeline.asr.store import TranscriptStore
from pipeline.corpora.audio import AudioError, read_audio
from pipeline.corpora.base import Corpus
from pipeline.progress import Advance, track
from pipeline.records import Exclusion, Reason, Status

NAME = "transcribe"
logger = logging.getLogger(__name__)

Row = Mapping[str, Any]


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


@dataclass(frozen=True)
class Renderer:
    """Turns a trial into what the recognizer is given; called from several threads."""

    corpus: Corpus
    conditions: Mapping[str, Condition]
    resources: Resources | None

    def __call__(self, row: Row) -> tuple[Request, dict[str, Any] | None] | Exclusion:
        """Return the request and its rendering record, or the exclusion of a trial that cannot be rendered."""
        if self.resources is None:
            return _request(row, None), None
        try:
            samples = read_audio(self.corpus.audio_path(row["audio"]), sha256=row["audio_sha256"])
            rendering = self.conditions[row["condition"]].render(samples, json.loads(row["plan"]), self.resources)
        except NoActiveSpeechError as error:
            return _lost(row, Reason.NO_ACTIVE_SPEECH, str(error))
        except ConditionError as error:
            return _lost(row, Reason.CONDITION_NOT_APPLIED, str(error))
        except AudioError as error:
            return _lost(row, error.reason, str(error))
        heard = (rendering.samples.astype(np.float32)) / np.float32(32768)
        return _request(row, heard), asdict(rendering.realised)


def transcribe(
    utterances: pd.DataFrame,
    trials: pd.DataFrame,
    *,
    renderer: Renderer,
    backend: Backend,
    store: TranscriptStore,
    workers: int,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Exclusion], int]:
    """Return Transcripts, Renderings, exclusions, and how many transcripts were remembered.

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
        backend.load()
        with track("transcribing", len(pending), logger) as advance:
            for batch in _batches(_stream(pending, renderer, workers, 2 * backend.batch_size), backend.batch_size):
                answers = _hear(batch, backend, heard, advance)
                if backend.needs_audio:
                    store.put(answers, key, fingerprint)
    return _tables(rows, heard, backend.name)


def _hear(
    batch: Sequence[tuple[Row, Any]], backend: Backend, heard: Heard, advance: Advance
) -> list[tuple[str, Hypothesis, dict[str, Any] | None]]:
    given = [(row, *made) for row, made in batch if not isinstance(made, Exclusion)]
    heard.excluded.extend(made for _, made in batch if isinstance(made, Exclusion))
    answers = []
    hypotheses = backend.transcribe([request for _, request, _ in given]) if given else []
    for (row, _, rendering), hypothesis in zip(given, hypotheses, strict=True):
        heard.add(row, hypothesis, rendering)
        if hypothesis.status != Status.FAILED:
            answers.append((row["trial_key"], hypothesis, rendering))
    advance(len(batch))
    return answers


def _stream(rows: Sequence[Row], render: Callable[[Row], Any], workers: int, ahead: int) -> Iterator[tuple[Row, Any]]:
    """Render ``ahead`` trials ahead of their need, in order: memory stays bounded whatever the corpus."""
    with ThreadPoolExecutor(workers, thread_name_prefix="render") as pool:
        queue: deque[tuple[Row, Future[Any]]] = deque()
        for row in rows:
            queue.append((row, pool.submit(render, row)))
            if len(queue) > max(ahead, workers):
                first, future = queue.popleft()
                yield first, future.result()
        for first, future in queue:
            yield first, future.result()


def _batches(items: Iterator[tuple[Row, Any]], size: int) -> Iterator[list[tuple[Row, Any]]]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _request(row: Row, samples: Any) -> Request:
    speaker = row["speaker_id"]
    return Request(
        trial_key=row["trial_key"],
        utterance_id=row["utterance_id"],
        condition=row["condition"],
        accent=row["accent"],
        speaker_id=None if pd.isna(speaker) else speaker,
        reference=row["reference"],
        samples=samples,
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
