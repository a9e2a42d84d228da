"""What a study could have shown: between accents, and of what a condition does to one of them."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.stats.contrasts import contrast
from pipeline.stats.counts import Group, Unit
from pipeline.stats.detectable import detectable
from pipeline.stats.disparity import disparities
from pipeline.stats.interaction import interactions
from pipeline.stats.maxt import family, max_t
from pipeline.stats.paired import Changes, null_weights
from pipeline.stats.power import detectable_beyond, detectable_log_ratio
from pipeline.stats.settings import StatsSettings

QUICK = StatsSettings(permutations=199)


def row(table, accent, condition="clean"):
    return table[(table["accent"] == accent) & (table["condition"] == condition)].iloc[0]


def test_the_detectable_ratio_follows_from_the_interval_of_the_ratio(draw):
    scores = draw(np.random.default_rng(1), sizes=[12, 8, 20])
    found = row(detectable(scores, QUICK, synthetic=False), "accent0000")
    ratio = disparities(scores, QUICK, synthetic=False)
    ratio = ratio[(ratio["statistic"] == "ratio_to_rest") & (ratio["accent"] == "accent0000")].iloc[0]
    width = math.log(ratio["ci_high"] / ratio["ci_low"]) / 2
    assert found["log_error"] == pytest.approx(width / stats.t.ppf(0.975, found["degrees"]))
    extra = stats.t.ppf(0.8, found["degrees"]) * found["log_error"]
    assert found["detectable_ratio"] == pytest.approx(math.exp(width + extra))
    assert found["n_cells"] == 3
    assert found["detectable_ratio_holm"] > found["detectable_ratio"]


def test_four_studies_of_five_show_what_is_said_to_be_detectable():
    # the ratio that pilots without any difference say is detectable is then planted in many studies
    rng = np.random.default_rng(2)
    pilots = [compared(rng, 0.0) for _ in range(100)]
    said = [detectable_log_ratio(math.sqrt(one.log_variance), one.log_degrees, power=0.8) for one in pilots]
    shown = [compared(rng, np.mean(said)).ratio_interval.low > 1 for _ in range(300)]
    assert 0.70 <= np.mean(shown) <= 0.90


def compared(rng, log_ratio):
    """Fifteen speakers in each of four accents; the errors of the first are multiplied."""
    groups = []
    for accent in range(4):
        errors_of = errors(rng, rng.normal(0, 0.45, 15) + log_ratio * (accent == 0)) - 0.5
        units = tuple(Unit(f"a{accent}", f"s{place}", True) for place in range(15))
        groups.append(Group(f"a{accent}", units, errors_of.astype(np.int64), np.full(15, 300)))
    return contrast(groups[0], groups[1:], confidence=0.95)


def test_a_reference_accent_is_compared_with_and_has_no_row(draw):
    scores = draw(np.random.default_rng(3), sizes=[8, 8, 8])
    table = detectable(scores, StatsSettings(reference_accent="accent0001"), synthetic=False)
    assert set(table["accent"]) == {"accent0000", "accent0002"}
    assert set(table["against"]) == {"accent0001"}
    assert set(table["n_cells"]) == {2}


def test_what_cannot_be_compared_has_a_row_that_says_so(make_speakers, draw):
    few = detectable(draw(np.random.default_rng(4), sizes=[8, 8, 3]), QUICK, synthetic=False)
    assert "fewer than 5 named speakers" in row(few, "accent0002")["note"]
    alone = detectable(draw(np.random.default_rng(4), sizes=[8]), QUICK, synthetic=False)
    assert "no other accent" in row(alone, "accent0000")["note"]
    silent = make_speakers([(accent, f"s{s}", "clean", 50, 0) for accent in "ab" for s in range(6)])
    found = detectable(silent, QUICK, synthetic=False)
    assert found["note"].str.contains("too few speakers or errors").all()
    assert found["detectable_ratio"].isna().all()


def errors(rng, level):
    mean = np.repeat(3.0 * np.exp(level)[:, None], 20, axis=1)
    return rng.negative_binomial(2.0, 2.0 / (2.0 + mean)).sum(axis=1) + 0.5


def study(rng, harm):
    """One condition that doubles errors, speaker by condition SD .2; accent 0 has ``harm`` more."""
    accents = np.repeat(np.arange(6), 15)
    level = rng.normal(0, 0.45, len(accents))
    before = errors(rng, level)
    after = errors(rng, level + math.log(2) + harm * (accents == 0) + rng.normal(0, 0.2, len(accents)))
    units = tuple(Unit(f"a{accent}", f"s{place}", True) for place, accent in enumerate(accents))
    change = np.log(after / before)
    one = Changes("noise", units, change, null_weights(change, 1 / after + 1 / before))
    return max_t(family([one]), 199, rng=rng)


def detects(found):
    cell = found.cells["a0", "noise"]
    return detectable_beyond(found.critical_t(0.95), cell.error, cell.degrees, power=0.8)


def test_four_studies_of_five_flag_an_extra_harm_that_is_said_to_be_detectable():
    rng = np.random.default_rng(7)
    planted = float(np.mean([detects(study(rng, 0.0)) for _ in range(40)]))
    flagged = [study(rng, planted).cells["a0", "noise"].p_adjusted < 0.05 for _ in range(150)]
    assert 0.68 <= np.mean(flagged) <= 0.92


def test_the_critical_value_parts_the_adjusted_p_values():
    found = study(np.random.default_rng(8), 0.3)
    critical = found.critical_t(0.95)
    for cell in found.cells.values():
        if abs(abs(cell.t) - critical) > 1e-6:
            assert (cell.p_adjusted < 0.05 + 1 / 200) == (abs(cell.t) > critical)


def test_every_tested_cell_of_the_interactions_says_what_it_could_have_shown(draw):
    scores = draw(np.random.default_rng(9), sizes=[8] * 3, conditions={"clean": 0.0, "noise": 0.5}, slope_sd=0.2)
    table = interactions(scores, QUICK, synthetic=False)
    cells = table[table["accent"] != ""]
    assert (cells["detectable_ratio"] > 1).all()
    # beyond the pointwise interval, which has neither the family nor the power in it
    width = np.sqrt(cells["ci_high"] / cells["ci_low"])
    assert (cells["detectable_ratio"] > width).all()
    assert table.loc[table["accent"] == "", "detectable_ratio"].isna().all()
