"""The expensive border: each trial is heard once, whatever the workers, the order, the batches and the failures."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from pipeline.asr.base import Hypothesis, Request
from pipeline.config import build
from pipeline.records import Reason, Status
from pipeline.run import run
from pipeline.text.normalizers import NoSettings

Composed = Callable[..., dict[str, Any]]


class Listener:
    """A recognizer for these tests: it answers with a digest of what it heard and counts how often it was asked."""

    Settings: ClassVar[type[BaseModel]] = NoSettings
    needs_audio: ClassVar[bool] = True
    name = "listener"
    device = "cpu"

    def __init__(self, batch_size: int = 4, fail_on: str = "") -> None:
        self.batch_size, self.fail_on, self.heard = batch_size, fail_on, []

    def prepare(self) -> None: ...

    def load(self) -> None: ...

    def close(self) -> None: ...

    def fingerprint(self) -> dict[str, str]:
        return {"kind": "listener"}

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        self.heard += [request.trial_key for request in batch]
        return [self._answer(request) for request in batch]

    def _answer(self, request: Request) -> Hypothesis:
        if self.fail_on and self.fail_on in request.utterance_id:
            return Hypothesis("", Status.FAILED, "the engine said no")
        assert request.samples is not None
        assert request.samples.dtype == np.float32
        assert np.abs(request.samples).max() <= 1
        return Hypothesis(hashlib.sha256(request.samples.tobytes()).hexdigest(), Status.OK)


@pytest.fixture
def study_of(
    composed: Composed, make_corpus: Callable[..., Path], manifest_overrides: Callable[[Path], list[str]]
) -> Callable[..., Any]:
    manifest = make_corpus(accents=("a", "b", "c"), speakers=3)

    def make(backend: Listener, *overrides: str) -> Any:
        raw = composed(*manifest_overrides(manifest), "asr=scripted", *overrides)
        study = build(raw)
        object.__setattr__(study, "backend", backend)
        return study

    return make


def transcripts(study: Any, store: Path) -> pd.DataFrame:
    outcome = run(study, store_path=store, overrides=[])
    return pd.read_parquet(outcome.folder / "transcripts.parquet")


def test_workers_and_batches_change_nothing(study_of: Callable[..., Any], tmp_path: Path) -> None:
    tables = [
        transcripts(
            study_of(Listener(batch), f"render.workers={workers}", f"run_name=w{workers}b{batch}"),
            tmp_path / f"{batch}.db",
        )
        for workers, batch in [(1, 1), (4, 3), (2, 64)]
    ]
    assert len(tables[0]) == 18 * 4
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0].drop(columns="decode_s"), other.drop(columns="decode_s"))


def test_no_trial_is_heard_twice(study_of: Callable[..., Any], tmp_path: Path) -> None:
    first, second = Listener(), Listener()
    one = transcripts(study_of(first, "run_name=one"), tmp_path / "store.db")
    two = transcripts(study_of(second, "run_name=two"), tmp_path / "store.db")
    assert len(first.heard) == len(set(first.heard)) == 72
    assert second.heard == []
    pd.testing.assert_frame_equal(one, two)


def test_two_studies_share_what_they_have_in_common(study_of: Callable[..., Any], tmp_path: Path) -> None:
    first, second = Listener(), Listener()
    transcripts(study_of(first, "run_name=one", "conditions=[clean,machine_tonal_5]"), tmp_path / "store.db")
    transcripts(study_of(second, "run_name=two", "conditions=[clean,landline_g711]"), tmp_path / "store.db")
    assert len(second.heard) == 18


def test_a_failed_trial_is_listed_not_remembered_and_tried_again(study_of: Callable[..., Any], tmp_path: Path) -> None:
    outcome = run(study_of(Listener(fail_on="a1_s001"), "run_name=one"), store_path=tmp_path / "s.db", overrides=[])
    lost = pd.read_parquet(outcome.folder / "exclusions.parquet")
    assert outcome.n_failed == len(lost) == 8
    assert outcome.record.status == "finished_with_failures"
    assert set(lost["reason"]) == {Reason.TRANSCRIPTION_FAILED}
    assert set(lost["detail"]) == {"the engine said no"}
    again = Listener()
    outcome = run(study_of(again, "run_name=one"), store_path=tmp_path / "s.db", overrides=[])
    assert len(again.heard) == 8
    assert outcome.n_failed == 0
    assert outcome.record.status == "finished"


def test_the_order_of_the_manifest_changes_nothing(
    study_of: Callable[..., Any], make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    one = transcripts(study_of(Listener(), "run_name=one"), tmp_path / "one.db")
    manifest = tmp_path / "corpus" / "manifest.csv"
    head, *rows = manifest.read_text().splitlines()
    manifest.write_text("\n".join([head, *reversed(rows)]) + "\n")
    two = transcripts(study_of(Listener(), "run_name=two"), tmp_path / "two.db")
    pd.testing.assert_frame_equal(one.drop(columns="decode_s"), two.drop(columns="decode_s"))


def test_audio_that_vanished_after_planning_is_an_exclusion(study_of: Callable[..., Any], tmp_path: Path) -> None:
    two = "conditions=[clean,machine_tonal_5]"
    planned = study_of(Listener(), "run_name=one", two, "stages=[load_utterances,plan_trials]")
    run(planned, store_path=tmp_path / "s.db", overrides=[])
    (tmp_path / "corpus" / "audio" / "a0_s000_00.wav").unlink()
    heard = study_of(Listener(), "run_name=one", two, "stages=[transcribe,score,summarize,write_card]")
    outcome = run(heard, store_path=tmp_path / "s.db", overrides=[])
    lost = pd.read_parquet(outcome.folder / "exclusions.parquet")
    assert set(lost["utterance_id"]) == {"a0_s000_00"}
    assert set(lost["condition"]) == {"clean", "machine_tonal_5"}
    assert outcome.n_failed == 2


def test_audio_that_changed_after_planning_is_never_remembered_under_its_old_name(
    study_of: Callable[..., Any], tmp_path: Path
) -> None:
    two = "conditions=[clean,machine_tonal_5]"
    run(study_of(Listener(), two, "stages=[load_utterances,plan_trials]"), store_path=tmp_path / "s.db", overrides=[])
    victim = tmp_path / "corpus" / "audio" / "a0_s000_00.wav"
    before = victim.read_bytes()
    victim.write_bytes((tmp_path / "corpus" / "audio" / "a1_s001_01.wav").read_bytes())
    late = study_of(Listener(), two, "stages=[transcribe,score,summarize,write_card]")
    outcome = run(late, store_path=tmp_path / "s.db", overrides=[])
    lost = pd.read_parquet(outcome.folder / "exclusions.parquet")
    assert set(lost["reason"]) == {"audio_changed"}
    assert outcome.n_failed == 2
    victim.write_bytes(before)
    again = Listener()
    run(study_of(again, two), store_path=tmp_path / "s.db", overrides=[])
    assert len(again.heard) == 2


def test_two_conditions_with_one_definition_are_two_conditions(study_of: Callable[..., Any], tmp_path: Path) -> None:
    quiet = "+conditions.quiet={version: 1, family: reference, description: clean again, sources: [], steps: []}"
    outcome = run(study_of(Listener(), "conditions=[clean]", quiet), store_path=tmp_path / "s.db", overrides=[])
    cells = pd.read_parquet(outcome.folder / "cells.parquet")
    same = cells.drop(columns="condition").groupby(["accent", "normalizer"])["wer"].nunique()
    assert set(cells["condition"]) == {"clean", "quiet"}
    assert (same == 1).all()
