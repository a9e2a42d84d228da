"""What the statistics may be told."""

import pytest
from pydantic import ValidationError

from pipeline.stats.settings import StatsSettings


def test_the_defaults_are_those_of_the_method():
    settings = StatsSettings()
    assert (settings.min_speakers, settings.confidence, settings.permutations) == (5, 0.95, 2000)
    assert (settings.material_gap_points, settings.equivalence_margin, settings.equivalence_level) == (5.0, 1.25, 0.05)
    assert settings.faas is False
    assert (settings.reference_condition, settings.reference_accent) == ("clean", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_speakers": 1},
        {"confidence": 1.0},
        {"confidence": 95},
        {"permutations": 0},
        {"seed": -1},
        {"reference_accent": ""},
        {"reference_accent": "ALL"},
        {"material_gap_points": 0},
        {"equivalence_margin": 1.0},
        {"equivalence_margin": 25},
        {"equivalence_level": 0.5},
        {"strata": ["domain", "domain"]},
        {"strata": [""]},
        {"length_bands": []},
        {"length_bands": [5, 5]},
        {"length_bands": [0, 5]},
        {"bootstrap": -1},
        {"resamples": 1000},
    ],
)
def test_a_value_out_of_range_or_an_unknown_key_is_refused(wrong):
    with pytest.raises(ValidationError):
        StatsSettings(**wrong)


def test_settings_cannot_be_changed_after_the_fact():
    with pytest.raises(ValidationError):
        StatsSettings().min_speakers = 2
