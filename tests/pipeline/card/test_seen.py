"""What the card says could have been seen, and how many dB a group is behind."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline import tables
from pipeline.card import render
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.wording import could_be_seen, rounded_up
from pipeline.result_tables import Detectable, SnrShifts

Build = Callable[..., CardInput]
BACKEND, MAIN, VERBATIM = "faster_whisper:tiny.en", "whisper_english", "verbatim"


def detectable(**rows: tuple[float | None, float | None]) -> pd.DataFrame:
    """A row for each accent under clean, and the double of it under babble_10."""
    made = [
        {
            "accent": accent, "condition": condition, "backend": BACKEND, "normalizer": normalizer, "against": "",
            "n_speakers": 12, "log_error": 0.1, "degrees": 11.0, "n_cells": 6, "note": "power 0.8", "synthetic": False,
            "detectable_ratio": alone and alone * factor, "detectable_ratio_holm": holm and holm * factor,
        }
        for accent, (alone, holm) in rows.items()
        for condition, factor in (("clean", 1.0), ("babble_10", 2.0))
        for normalizer in (MAIN, VERBATIM)
    ]  # fmt: skip
    return tables.build(made, Detectable, where="test")


def shifts(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "noise": "babble", "backend": BACKEND, "normalizer": MAIN, "conditions": "babble_0, babble_5, babble_10",
        "n_snrs": 3, "snr_low_db": 0.0, "snr_high_db": 10.0, "n_speakers": 12, "n_ref_words": 360, "shift_db": None,
        "ci_low_db": None, "ci_high_db": None, "wer_low": None, "wer_high": None, "note": "", "synthetic": False,
    }  # fmt: skip
    return tables.build([usual | row for row in rows], SnrShifts, where="test")


def section(content: CardContent, slug: str) -> str:
    found = next(one for one in content.sections if one.slug == slug)
    return found.model_dump_json()


def test_the_smallest_ratio_that_would_have_been_shown_stands_in_the_fairness_section(study: Build) -> None:
    table = detectable(baseline=(1.401, 1.6), v_w_merger=(1.9, 2.5), lone_voice=(None, None))
    text = section(build(replace(study(), detectable=table)), "fairness")
    # rounded up, so that it stays true
    assert "under clean 1.41 to 1.90 (1.60 to 2.50 corrected for 6 cells)" in text
    assert "under babble_10 2.81 to 3.80" in text
    assert "Smaller ratios may be there unseen" in text


def test_without_anything_detectable_the_card_says_not_evaluated(study: Build) -> None:
    for table in (detectable(), detectable(lone_voice=(None, None))):
        text = section(build(replace(study(), detectable=table)), "fairness")
        assert '"label":"Minimum detectable ratio","value":"not evaluated"' in text


def test_a_shift_is_told_with_its_interval_its_band_and_what_stands_behind_it(study: Build) -> None:
    table = shifts(
        {"accent": "baseline", "shift_db": -1.24, "ci_low_db": -3.0, "ci_high_db": 0.5, "wer_low": 0.1,
         "wer_high": 0.4, "note": "pointwise"},
        {"accent": "lone_voice", "note": "not compared: fewer than 5 named speakers heard at every SNR"},
    )  # fmt: skip
    text = section(build(replace(study(), snr_shifts=table)), "robustness")
    assert "babble, 0 to 10 dB" in text
    assert '"-1.2 dB (-3.0 to +0.5)","WER 10.0% to 40.0%","12 speakers, 360 words"' in text
    assert "fewer than 5 named speakers heard at every SNR" in text
    assert "does not show that there is no shift" in text


def test_without_three_snrs_of_one_noise_the_card_says_how_to_have_them(study: Build) -> None:
    for table in (shifts(), shifts({"accent": "baseline", "n_snrs": 2, "note": "not computed: 2 SNRs"})):
        text = section(build(replace(study(), snr_shifts=table)), "robustness")
        assert "no noise was run at three SNRs or more" in text
        assert "4 dB weaker" not in text


def test_every_number_is_in_the_json_and_their_order_does_not_matter(study: Build) -> None:
    seen = detectable(baseline=(1.4, 1.6), v_w_merger=(1.9, 2.5))
    moved = shifts({"accent": "baseline", "shift_db": 2.0}, {"accent": "v_w_merger", "shift_db": 1.0})
    source = replace(study(), detectable=seen, snr_shifts=moved)
    text = render.json_text(build(source))
    numbers = json.loads(text)["numbers"]
    assert len(numbers["detectable"]) == len(seen)
    assert {one["shift_db"] for one in numbers["snr_shifts"]} == {1.0, 2.0}
    shuffled = replace(source, detectable=seen.iloc[::-1], snr_shifts=moved.iloc[::-1])
    assert render.json_text(build(shuffled)) == text


def test_beside_not_shown_stands_what_could_have_been_seen_and_beside_shown_it_does_not(study: Build) -> None:
    source = study()
    table = source.interactions.copy()
    cells = table["accent"] != ""
    table.loc[cells, "detectable_ratio"] = 1.777
    for p, said in ((0.4, True), (0.01, False)):
        table.loc[cells, "p_adjusted"] = p
        text = section(build(replace(source, interactions=table)), "robustness")
        assert ("not shown; an extra factor of 1.78 or more would probably have been seen" in text) == said


@pytest.mark.parametrize(
    ("ratio", "text"), [(1.4, "1.40"), (1.4 + 1e-12, "1.40"), (1.4001, "1.41"), (100.0, "100.00"), (1e300, "above 100")]
)
def test_ratios_are_rounded_up_and_absurd_ones_not_spelled_out(ratio: float, text: str) -> None:
    assert rounded_up(ratio) == text
    assert text in could_be_seen(ratio)
