"""From the setting to the card: a study with the mixed model, one without, and one whose engine is missing."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.card.regression import TITLE
from pipeline.config import build
from pipeline.errors import MissingPrerequisite
from pipeline.run import Outcome, run
from pipeline.stats.regression import CONFIRMATION

WORDS = "harbor window basket yellow carpet silver garden hollow market pillow"
RATES = {
    accent: {
        condition: {"substitution": rate * (2.0 if (accent, condition) == ("east", "babble_10") else 1.0)}
        for condition, rate in (("clean", 0.1), ("babble_10", 0.15))
    }
    for accent in ("north", "south", "east")
}


@pytest.fixture
def study(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Callable[..., Outcome]:
    manifest = make_corpus(("north", "south", "east"), speakers=6, sentences=[f"{WORDS} {WORDS}", f"{WORDS} again"])

    def made(*overrides: str) -> Outcome:
        chosen = ["asr=scripted", "conditions=[clean,babble_10]", *overrides]
        raw = composed(*manifest_overrides(manifest), *chosen)
        raw["asr"] = {"kind": "scripted", "rates": RATES, "speaker_log_sd": 0.3, "seed": 0, "label": "planted"}
        return run(build(raw), store_path=tmp_path / "store.db", overrides=[])

    return made


@pytest.mark.skipif(importlib.util.find_spec("glmm") is None, reason="the extra 'regression' is not installed")
def test_the_card_has_the_model_as_a_confirmation_and_its_numbers_in_json(study: Callable[..., Outcome]) -> None:
    folder = study("stats.regression=true").folder
    text = (folder / "card.md").read_text(encoding="utf-8")
    assert TITLE in text
    assert "decided by the permutation test above" in text
    numbers = json.loads((folder / "card.json").read_text())["numbers"]["regressions"]
    here = {one["key"]["accent"]: one for one in numbers if one["key"]["normalizer"] == "whisper_english"}
    assert set(here) == {"", "north", "south", "east"}
    assert here["east"]["ratio"] > 1 > here["north"]["ratio"]
    assert all(one["note"].startswith(CONFIRMATION) and one["engine"] == "glmm 0.6.2" for one in numbers)
    assert f"ratio {here['east']['ratio']:.2f} ({here['east']['ci_low']:.2f} to" in text
    assert "18 speakers in the model" in text


def test_without_the_setting_the_card_does_not_speak_of_it(study: Callable[..., Outcome]) -> None:
    folder = study().folder
    assert TITLE not in (folder / "card.md").read_text(encoding="utf-8")
    assert (folder / "regressions.csv").exists()


def test_a_missing_engine_stops_the_run_before_anything_is_heard(
    study: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "glmm" else found(name))
    with pytest.raises(MissingPrerequisite, match=r"glmm 0\.6\.2, which is not here\. Run pip install"):
        study("stats.regression=true")
    assert not list(tmp_path.rglob("utterances.parquet"))
