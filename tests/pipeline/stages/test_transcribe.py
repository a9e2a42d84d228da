"""The expensive border: each trial is heard once, whatever the workers, the order, the batches and the failures."""

import hashlib
import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from augment import worker
from augment.chain import Condition
from augment.pool import RenderPool
from pipeline import rendering
from pipeline.asr.base import Hypothesis, Request
from pipeline.config import build
from pipeline.errors import BackendError, ConfigError, StudyError
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


def test_two_runs_at_once_meet_and_do_not_hear_the_same(study_of: Callable[..., Any], tmp_path: Path) -> None:
    other = Listener(4)

    class Interrupted(Listener):
        """While it hears its second batch, the other run begins and ends."""

        def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
            if len(self.heard) == 4:
                transcripts(study_of(other, HEARD, "run_name=two"), tmp_path / "store.db")
            return super().transcribe(batch)

    one = Interrupted(4)
    first = transcripts(study_of(one, HEARD, "run_name=one"), tmp_path / "store.db")
    assert len(first) == len(set(one.heard) | set(other.heard)) == 72
    assert len(set(one.heard) & set(other.heard)) <= 4  # the batch that was being heard
    assert len(other.heard) == 68


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


def test_audio_that_vanished_after_planning_is_an_exclusion(
    study_of: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="pipeline")
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
    assert "transcribing: 36 of 36" in caplog.messages  # what cannot be heard is done as well


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


HEARD = "stages=[load_utterances,plan_trials,transcribe]"


def tables_of(study: Any, store: Path) -> list[pd.DataFrame]:
    """What a run transcribed and rendered, without how long it took."""
    outcome = run(study, store_path=store, overrides=[])
    names = ("transcripts", "renderings", "exclusions")
    found = [pd.read_parquet(outcome.folder / f"{name}.parquet") for name in names]
    return [table.drop(columns="decode_s", errors="ignore") for table in found]


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every study render in processes, however small; the list tells how many each time."""
    asked: list[int] = []

    class Counting(RenderPool):
        def __init__(self, *given: Any, workers: int, **options: Any) -> None:
            asked.append(workers)
            super().__init__(*given, workers=workers, **options)

    monkeypatch.setattr(rendering, "FEW_S", 0.0)
    monkeypatch.setattr(rendering, "RenderPool", Counting)
    return asked


@pytest.mark.slow
def test_a_study_is_the_same_in_any_number_of_processes(
    study_of: Callable[..., Any], tmp_path: Path, processes: list[int]
) -> None:
    runs = [
        tables_of(
            study_of(Listener(5), HEARD, f"render.workers={count}", f"run_name=p{count}"),
            tmp_path / f"{count}.db",
        )
        for count in (0, 1, 4)
    ]
    assert processes == [0, 1, 4]
    assert len(runs[0][1]) == 72
    for other in runs[1:]:
        for one, same in zip(runs[0], other, strict=True):
            pd.testing.assert_frame_equal(one, same, check_exact=True)


def test_a_small_study_starts_no_process(
    study_of: Callable[..., Any], tmp_path: Path, processes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    assert rendering.FEW_S > 72 * 0.6
    started = []
    monkeypatch.setattr(worker.Worker, "start", lambda *_: started.append(1))
    transcripts(study_of(Listener(), HEARD, "render.workers=4", "run_name=one"), tmp_path / "store.db")
    assert started == []


def test_nothing_is_rendered_when_everything_is_remembered(
    study_of: Callable[..., Any], tmp_path: Path, processes: list[int]
) -> None:
    transcripts(study_of(Listener(), HEARD, "render.workers=0", "run_name=one"), tmp_path / "store.db")
    assert processes == [0]
    transcripts(study_of(Listener(), HEARD, "render.workers=2", "run_name=two"), tmp_path / "store.db")
    assert processes == [0]


def test_another_recognizer_hears_the_cached_renderings(
    study_of: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = f"render.cache={tmp_path / 'cache'}"
    first = tables_of(study_of(Listener(), HEARD, cache, "run_name=one"), tmp_path / "one.db")
    assert len(list((tmp_path / "cache").rglob("*.flac"))) == 72

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this was rendered before")

    monkeypatch.setattr(Condition, "render", refuse)
    second = tables_of(study_of(Listener(), HEARD, cache, "run_name=two"), tmp_path / "two.db")
    for one, same in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, same, check_exact=True)


def test_a_cache_that_is_a_file_is_refused_before_anything_runs(study_of: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "cache.flac").write_text("")
    with pytest.raises(ConfigError, match=r"render\.cache: this is a file.*cache\.flac"):
        study_of(Listener(), f"render.cache={tmp_path / 'cache.flac'}")


class Failing(Listener):
    """A recognizer that breaks over its second batch."""

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        if self.heard:
            raise BackendError("the engine is gone")
        return super().transcribe(batch)


def test_a_recognizer_that_breaks_leaves_no_process(
    study_of: Callable[..., Any], tmp_path: Path, processes: list[int]
) -> None:
    with pytest.raises(BackendError):
        transcripts(study_of(Failing(), HEARD, "render.workers=2", "run_name=one"), tmp_path / "store.db")
    assert processes == [2]
    assert multiprocessing.active_children() == []


def test_a_process_that_is_killed_stops_the_study_with_a_sentence(
    study_of: Callable[..., Any], tmp_path: Path, processes: list[int]
) -> None:
    class Killer(Listener):
        def load(self) -> None:
            for process in multiprocessing.active_children():
                process.kill()

    with pytest.raises(StudyError, match=r"a0_s000.*killed by signal 9.*render\.workers"):
        transcripts(study_of(Killer(), HEARD, "render.workers=1", "run_name=one"), tmp_path / "store.db")
    again = transcripts(study_of(Listener(), HEARD, "render.workers=0", "run_name=one"), tmp_path / "store.db")
    assert len(again) == 72


def test_the_first_trial_that_cannot_be_rendered_names_its_utterance_and_step(
    study_of: Callable[..., Any], tmp_path: Path
) -> None:
    loud = "+conditions.loud={version: 1, family: noise, description: too loud, steps: [{kind: gain, gain_db: 40}]}"
    outcome = run(study_of(Listener(), HEARD, "conditions=[clean]", loud), store_path=tmp_path / "s.db", overrides=[])
    lost = pd.read_parquet(outcome.folder / "exclusions.parquet")
    assert set(lost["reason"]) == {Reason.CONDITION_NOT_APPLIED}
    assert lost["detail"][0].startswith("a0_s000_00 under loud: conditions.loud")
