"""render.device: batches on torch change who renders, and so the key of a trial, and nothing else."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from pydantic import BaseModel

from pipeline.asr.base import Hypothesis, Request
from pipeline.config import build, over_stored
from pipeline.errors import ConfigError, MissingPrerequisite
from pipeline.records import Status
from pipeline.run import run
from pipeline.text.normalizers import NoSettings

Composed = Callable[..., dict[str, Any]]


class Listener:
    """A recognizer that answers with a digest of the length of what it heard."""

    Settings: ClassVar[type[BaseModel]] = NoSettings
    needs_audio: ClassVar[bool] = True
    name = "listener"
    device = "cpu"
    batch_size = 4

    def __init__(self) -> None:
        self.heard: list[str] = []

    def prepare(self) -> None: ...

    def load(self) -> None: ...

    def close(self) -> None: ...

    def fingerprint(self) -> dict[str, str]:
        return {"kind": "listener"}

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        self.heard += [request.trial_key for request in batch]
        return [Hypothesis(hashlib.sha256(b"%d" % len(one.samples)).hexdigest(), Status.OK) for one in batch]


@pytest.fixture
def study_of(
    composed: Composed, make_corpus: Callable[..., Path], manifest_overrides: Callable[[Path], list[str]]
) -> Callable[..., Any]:
    manifest = make_corpus(accents=("a", "b"), speakers=2)

    def make(backend: Listener, *overrides: str) -> Any:
        chosen = "conditions=[clean,silence_pad,landline_g711,machine_tonal_5]"
        heard = "stages=[load_utterances,plan_trials,transcribe]"
        study = build(composed(*manifest_overrides(manifest), "asr=scripted", chosen, heard, *overrides))
        object.__setattr__(study, "backend", backend)
        return study

    return make


def test_a_condition_that_is_batched_is_another_one_and_the_rest_is_not(composed: Composed) -> None:
    chosen = ("asr=scripted", "conditions=[clean,silence_pad,landline_g711]")
    plain = {one.name: one.definition for one in build(composed(*chosen)).conditions}
    batched = {one.name: one.definition for one in build(composed(*chosen, "render.device=cpu")).conditions}
    assert batched["silence_pad"] == plain["silence_pad"]
    for name in ("clean", "landline_g711"):
        assert batched[name] == plain[name] | {"renderer": "batched-1"}


def test_the_study_is_another_one_too(composed: Composed) -> None:
    plain, batched = (build(composed("asr=scripted", *more)).sha256 for more in ((), ("render.device=cpu",)))
    assert plain != batched


def test_an_unknown_device_is_a_mistake_in_the_configuration(composed: Composed) -> None:
    with pytest.raises(ConfigError, match=r"render\.device: .*'cpu' or 'cuda'.*\(got 'gpu'\)"):
        build(composed("asr=scripted", "render.device=gpu"))


@pytest.mark.slow
def test_a_run_in_batches_hears_every_trial_and_shares_no_key_of_a_batched_one(
    study_of: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    first, second = Listener(), Listener()
    plain = run(study_of(first, "run_name=plain"), store_path=tmp_path / "s.db", overrides=[])
    batched = run(study_of(second, "run_name=batched", "render.device=cpu"), store_path=tmp_path / "s.db", overrides=[])
    assert plain.n_failed == batched.n_failed == 0
    assert len(first.heard) == 4 * len(second.heard) / 3  # silence_pad is remembered, the others are not
    trials, renderings = (
        [pd.read_parquet(outcome.folder / f"{name}.parquet") for outcome in (plain, batched)]
        for name in ("trials", "renderings")
    )
    (one, other) = (
        table.merge(made, on="trial_key").sort_values(["utterance_id", "condition"], ignore_index=True)
        for table, made in zip(trials, renderings, strict=True)
    )
    measured = ["active_level_out_dbov", "snr_a_db", "peak", "samples", "condition", "utterance_id"]
    pd.testing.assert_frame_equal(one[measured], other[measured], atol=1e-6, rtol=0)


def test_a_recomputation_keeps_the_device_unless_it_is_changed() -> None:
    raw = {"render": {"workers": 5, "device": None}}
    stored = {"render": {"workers": 2, "device": "cpu"}}
    assert over_stored(raw, stored, {"stages"})["render"] == {"workers": 5, "device": "cpu"}
    assert over_stored(raw, stored, {"render.device"})["render"] == raw["render"]
    assert over_stored(raw, {}, {"stages"})["render"] == raw["render"]


def test_trials_that_were_planned_for_one_path_are_not_transcribed_by_the_other(
    study_of: Callable[..., Any], tmp_path: Path
) -> None:
    store = tmp_path / "s.db"
    run(study_of(Listener(), "run_name=x", "stages=[load_utterances,plan_trials]"), store_path=store, overrides=[])
    later = study_of(Listener(), "run_name=x", "stages=[transcribe]", "render.device=cpu")
    with pytest.raises(ConfigError, match=r"made with another render\.device"):
        run(later, store_path=store, overrides=[])


def test_missing_torch_stops_the_run_at_its_start(
    study_of: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(Listener(), "run_name=x", "render.device=cpu")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingPrerequisite, match=r'torch is not installed\. pip install "asr-accent-study\[gpu\]"'):
        run(study, store_path=tmp_path / "s.db", overrides=[])
    assert not (tmp_path / "s.db").exists()
