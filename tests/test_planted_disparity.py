"""The test that says the product works: a recognizer errs at known rates, and the pipeline finds exactly those."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.asr.base import Request
from pipeline.asr.scripted import ScriptedSettings, script
from pipeline.config import build
from pipeline.records import ErrorCounts
from pipeline.run import run

WORDS = ["harbor", "window", "basket", "yellow", "carpet", "silver", "garden", "hollow", "market", "pillow"]
SENTENCES = tuple(" ".join(WORDS[i:] + WORDS[:i] + WORDS[::-1]) for i in range(3))
ACCENTS = tuple(f"accent {letter}" for letter in "abcdefghij")
CONDITIONS = ("clean", "babble_10", "landline_g711")
HARD_HIT = "accent j"

RATES: dict[str, dict[str, dict[str, float]]] = {
    accent: {
        "clean": {"substitution": 0.04 + 0.01 * place, "deletion": 0.02, "insertion": 0.02},
        "babble_10": {"substitution": 1.5 * (0.04 + 0.01 * place), "deletion": 0.03, "insertion": 0.03},
        "landline_g711": {"substitution": 0.04 + 0.01 * place, "deletion": 0.02, "insertion": 0.02},
    }
    for place, accent in enumerate(ACCENTS)
}
# one accent pays 2.5 times more for babble than the others do
RATES[HARD_HIT]["babble_10"] = {kind: 2.5 * rate for kind, rate in RATES[HARD_HIT]["babble_10"].items()}
SCRIPT = {"rates": RATES, "speaker_log_sd": 0.3, "seed": 0, "label": "planted", "batch_size": 64}


@pytest.fixture
def outcome(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Path:
    manifest = make_corpus(accents=ACCENTS, speakers=10, sentences=SENTENCES)
    raw = composed(*manifest_overrides(manifest), "asr=scripted", f"conditions=[{','.join(CONDITIONS)}]")
    raw["asr"] = {"kind": "scripted"} | SCRIPT
    return run(build(raw), store_path=tmp_path / "store.db", overrides=[]).folder


def test_the_planted_errors_are_recovered(outcome: Path) -> None:
    cells = pd.read_parquet(outcome / "cells.parquet").set_index(["accent", "condition", "normalizer"])
    _counts_are_exact(outcome, cells)
    _intervals_cover(cells)
    _worst_is_named(pd.read_parquet(outcome / "disparities.parquet"))
    _interaction_is_found(pd.read_parquet(outcome / "interactions.parquet"))


def _counts_are_exact(outcome: Path, cells: pd.DataFrame) -> None:
    utterances = pd.read_parquet(outcome / "utterances.parquet")
    settings = ScriptedSettings.model_validate(SCRIPT)
    for condition in CONDITIONS:
        for accent, group in utterances.groupby("accent"):
            planted = ErrorCounts.zero()
            for row in group.to_dict("records"):
                request = Request(
                    trial_key="",
                    utterance_id=row["utterance_id"],
                    condition=condition,
                    accent=row["accent"],
                    speaker_id=row["speaker_id"],
                    reference=row["reference"],
                    samples=None,
                )
                planted += script(request, settings).counts
            for normalizer in ("verbatim", "whisper_english"):
                cell = cells.loc[(accent, condition, normalizer)]
                found = ErrorCounts(*(int(cell[kind]) for kind in ("hits", "substitutions", "deletions", "insertions")))
                assert found == planted
                assert cell["n_ref_words"] == planted.ref_words == 10 * 3 * 20


def _intervals_cover(cells: pd.DataFrame) -> None:
    covered = []
    for accent in ACCENTS:
        for condition in CONDITIONS:
            cell = cells.loc[(accent, condition, "verbatim")]
            covered.append(cell["ci_low"] <= sum(RATES[accent][condition].values()) <= cell["ci_high"])
    assert sum(covered) >= 0.85 * len(covered)


def _worst_is_named(disparities: pd.DataFrame) -> None:
    gap = disparities.query("statistic == 'gap_max_min' and condition == 'babble_10'")
    assert list(gap["worst"]) == [HARD_HIT, HARD_HIT]
    assert (gap["value"] > gap["null_p95"]).all()
    omnibus = disparities.query("statistic == 'omnibus_q' and condition == 'babble_10'")
    assert len(omnibus) == 2
    assert (omnibus["p"] < 0.01).all()


def _interaction_is_found(interactions: pd.DataFrame) -> None:
    hit = interactions.query(f"accent == '{HARD_HIT}' and condition == 'babble_10'")
    assert len(hit) == 2
    assert (hit["p_adjusted"] < 0.05).all()
    assert (hit["ratio"] > 1.5).all()
    others = interactions.query("accent not in ['', @HARD_HIT] and condition == 'landline_g711'")
    assert len(others) == 2 * (len(ACCENTS) - 1)
    assert (others["p_adjusted"] > 0.05).all()
