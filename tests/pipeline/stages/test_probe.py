"""Trials without speech: what is played, what is said to it, and that nothing of it reaches a score."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from pipeline import tables
from pipeline.asr.base import Hypothesis, Request
from pipeline.config import build
from pipeline.errors import ConfigError
from pipeline.records import Status
from pipeline.run import Outcome, run
from pipeline.stages.probe import plan_probe
from pipeline.text.normalizers import NoSettings

Composed = Callable[..., dict[str, Any]]
EARLY = "stages=[load_utterances,plan_trials,transcribe]"
SLOTS = 3
CONDITIONS = ["clean", "machine_tonal_5", "landline_g711"]
INVENTED = {"machine_tonal_5": "Thank you... [music] ♪", "landline_g711": " ... "}
"""Three words and none by any rule that counts words; the landline's idle noise is answered with dots."""


class Inventor:
    """A recognizer that repeats the reference, and where there is none invents what it is told to invent."""

    Settings: ClassVar[type[BaseModel]] = NoSettings
    needs_audio: ClassVar[bool] = True
    name = "inventor"
    device = "cpu"
    batch_size = 4

    def __init__(self, fail: bool = False) -> None:
        self.fail, self.played = fail, {}

    def prepare(self) -> None: ...

    def load(self) -> None: ...

    def close(self) -> None: ...

    def fingerprint(self) -> dict[str, str]:
        return {"kind": "inventor"}

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        return [self._answer(request) for request in batch]

    def _answer(self, request: Request) -> Hypothesis:
        self.played[(request.utterance_id, request.condition, request.reference == "")] = request.samples
        if request.reference:
            return Hypothesis(request.reference, Status.OK)
        if self.fail and request.condition == "clean":
            return Hypothesis("", Status.FAILED, "the engine said no")
        return Hypothesis(INVENTED.get(request.condition, ""), Status.OK)

    @property
    def probed(self) -> int:
        return sum(without_speech for _, _, without_speech in self.played)


@pytest.fixture
def study(
    composed: Composed,
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Callable[..., Outcome]:
    manifest = make_corpus(accents=("a", "b"), speakers=3)
    fixed = [*manifest_overrides(manifest), "asr=scripted", f"conditions=[{','.join(CONDITIONS)}]"]
    fixed.append(f"acoustics.slots={SLOTS}")

    def run_it(backend: Inventor, *overrides: str, probe: str | None = "noise_only") -> Outcome:
        checked = build(composed(*fixed, *overrides))
        object.__setattr__(checked, "backend", backend)
        object.__setattr__(checked, "settings", checked.settings.model_copy(update={"probe": probe}))
        return run(checked, store_path=tmp_path / "store.db", overrides=[])

    return run_it


def table(outcome: Outcome, name: str) -> pd.DataFrame:
    return pd.read_parquet(outcome.folder / f"{name}.parquet")


def test_each_slot_is_played_once_in_each_condition_by_its_first_utterance(study: Callable[..., Outcome]) -> None:
    outcome = study(Inventor(), EARLY)
    trials, found = table(outcome, "trials"), table(outcome, "nonspeech")
    first = trials.groupby(["condition", "slot"])["utterance_id"].min()
    assert found.groupby(["condition", "slot"])["utterance_id"].first().to_dict() == first.to_dict()
    assert len(found) == len(CONDITIONS) * SLOTS
    assert not set(found["trial_key"]) & set(trials["trial_key"])
    assert outcome.record.counts["transcribe.probe.in"] == outcome.record.counts["transcribe.probe.out"] == len(found)


def test_what_is_played_is_the_real_trial_without_its_talker(study: Callable[..., Outcome]) -> None:
    backend = Inventor()
    found = table(study(backend, EARLY), "nonspeech")
    for utterance in found.loc[found["condition"] == "machine_tonal_5", "utterance_id"]:
        noise = backend.played[(utterance, "machine_tonal_5", True)]
        speech, both = (backend.played[(utterance, name, False)] for name in ("clean", "machine_tonal_5"))
        assert np.abs(noise).max() > 0.01
        assert np.abs(both - speech - noise).max() < 2 / 32768  # each was rounded to 16 bits
        assert not backend.played[(utterance, "clean", True)].any()
        assert np.abs(backend.played[(utterance, "landline_g711", True)]).max() < 0.001  # G.711 has no code for zero


def test_the_card_counts_invented_words_to_the_word(study: Callable[..., Outcome]) -> None:
    outcome = study(Inventor())
    found = table(outcome, "nonspeech")
    numbers = json.loads((outcome.folder / "card.json").read_text())["numbers"]
    invented = {one["key"]["condition"]: one for one in numbers["invented"]}
    minutes = found.groupby("condition")["duration_s"].sum() / 60
    assert minutes.to_dict() == pytest.approx(dict.fromkeys(CONDITIONS, SLOTS * 0.6 / 60))
    counts = {name: (one["n_with_output"], one["n_words"]) for name, one in invented.items()}
    assert counts == {"clean": (0, 0), "machine_tonal_5": (3, 9), "landline_g711": (3, 0)}
    assert invented["machine_tonal_5"]["words_per_minute"] == pytest.approx(9 / (SLOTS * 0.6 / 60))
    assert invented["machine_tonal_5"]["noises"] == ["machine"]


def test_nothing_of_it_reaches_a_score_or_a_transcript(study: Callable[..., Outcome]) -> None:
    scored = "stages=[load_utterances,plan_trials,transcribe,score,summarize]"
    with_probe = study(Inventor(), "run_name=with", scored)
    without = study(Inventor(), "run_name=without", scored, probe=None)
    for name in ("trials", "transcripts", "renderings", "scores", "cells", "interactions"):
        pd.testing.assert_frame_equal(table(with_probe, name), table(without, name))
    assert table(without, "nonspeech").empty
    assert with_probe.record.config_sha256 != without.record.config_sha256


def test_what_was_heard_without_speech_is_remembered_under_its_own_key(study: Callable[..., Outcome]) -> None:
    first, second, third = Inventor(), Inventor(), Inventor()
    study(first, "run_name=first", EARLY, probe=None)
    study(second, "run_name=second", EARLY)
    study(third, "run_name=third", EARLY)
    assert first.probed == 0
    assert len(second.played) == second.probed == len(CONDITIONS) * SLOTS
    assert third.played == {}


def test_a_probe_trial_that_fails_is_in_the_ledger_and_stays_there(study: Callable[..., Outcome]) -> None:
    outcome = study(Inventor(fail=True))
    assert outcome.n_failed == SLOTS
    assert outcome.record.status == "finished_with_failures"
    lost = table(outcome, "exclusions")
    assert set(zip(lost["stage"], lost["condition"], strict=True)) == {("transcribe.probe", "clean")}
    assert outcome.record.counts["transcribe.probe.excluded"] == SLOTS
    assert outcome.record.counts["transcribe.excluded"] == 0
    again = study(Inventor(), "stages=[score]")
    pd.testing.assert_frame_equal(table(again, "exclusions"), lost)


def test_a_recognizer_that_hears_no_audio_cannot_be_probed(composed: Composed, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"probe: .*scripted.* hears no audio\. Choose an asr that does"):
        build(composed("asr=scripted", "probe=noise_only"))
    with pytest.raises(ConfigError, match="hears no audio"):
        build(composed("asr=transcripts", f"asr.path={tmp_path / 'x.csv'}", "probe=noise_only"))
    with pytest.raises(ConfigError, match=r"probe: .*'noise_only'"):
        build(composed("probe=silence"))


def test_the_choice_does_not_hang_on_the_order_of_the_trials() -> None:
    rows = [
        {"utterance_id": f"u{i}", "condition": c, "trial_key": f"{i}{c}".ljust(64, "0"), "slot": i % 2, "plan": "{}"}
        for i in range(6)
        for c in ("x", "y")
    ]
    one = plan_probe(tables.build(rows, tables.Trials, where="test"), "noise_only")
    two = plan_probe(tables.build(rows[::-1], tables.Trials, where="test"), "noise_only")
    assert set(one["utterance_id"]) == {"u0", "u1"}
    assert set(one["trial_key"]) == set(two["trial_key"])
    assert len(set(one["trial_key"])) == 4
