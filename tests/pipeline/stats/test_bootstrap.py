"""The speaker bootstrap: exact sums, honest coverage, pairing, strata, and where there is no interval."""

import numpy as np
import pytest

from pipeline.stats.bootstrap import bootstrap, drawn, resampled_sums
from pipeline.stats.cells import cells
from pipeline.stats.counts import tally
from pipeline.stats.settings import StatsSettings

SETTINGS = StatsSettings(bootstrap=1000)


def found(scores, settings=SETTINGS, voices=None):
    return bootstrap(tally(scores), voices or {}, settings, "engine", "verbatim")


def speakers(make_speakers, counts, accent="a", condition="clean"):
    return make_speakers([(accent, f"s{place:03}", condition, n, e) for place, (n, e) in enumerate(counts)])


def uneven(seed, k, rate=0.2):
    rng = np.random.default_rng(seed)
    words = rng.integers(50, 400, k)
    return list(zip(words.tolist(), rng.poisson(words * rate * rng.lognormal(0, 0.45, k)).tolist(), strict=True))


def test_every_draw_is_of_as_many_speakers_as_there_are():
    times = drawn(7, 500, rng=np.random.default_rng(1))
    assert times.shape == (500, 7)
    assert (times.sum(axis=1) == 7).all()
    # each speaker is drawn once on average; the standard error of the mean is .04
    assert times.mean(axis=0) == pytest.approx(np.ones(7), abs=0.2)


@pytest.mark.parametrize("scale", [1, 2**23, 2**40])
def test_sums_are_exact_whatever_their_size(scale):
    values = np.random.default_rng(2).integers(0, 9, (30, 4)) * scale + 1
    sums = np.concatenate(list(resampled_sums(values, 1500, rng=np.random.default_rng(3))))
    rng = np.random.default_rng(3)
    expected = np.concatenate([drawn(30, size, rng=rng) @ values for size in (1000, 500)])
    assert (sums == expected).all()


def test_the_interval_of_forty_speakers_is_near_the_jackknife(make_speakers):
    table = cells(speakers(make_speakers, uneven(4, 40)), SETTINGS, synthetic=False).set_index("accent").loc["a"]
    assert table["bootstrap_replicates"] == 1000
    assert table["bootstrap_low"] == pytest.approx(table["ci_low"], rel=0.1)
    assert table["bootstrap_high"] == pytest.approx(table["ci_high"], rel=0.1)
    assert table["bootstrap_low"] < table["wer"] < table["bootstrap_high"]


def test_thirty_speakers_are_covered_about_as_published(draw):
    # published for the studentized bootstrap at k = 30: .947; 400 cells have a standard error of .011
    scores = draw(np.random.default_rng(5), sizes=[30] * 400)
    one = found(scores, StatsSettings(bootstrap=500))
    covered = [interval.low <= 0.2 <= interval.high for (accent, _), (interval, _) in one.items() if accent != "ALL"]
    assert len(covered) > 390
    assert 0.90 <= np.mean(covered) <= 0.985


@pytest.mark.parametrize(
    ("counts", "settings", "why"),
    [
        (uneven(6, 29), SETTINGS, "29 speakers"),
        (uneven(6, 40), StatsSettings(bootstrap=0), "switched off"),
        ([(100, 0)] * 40, SETTINGS, "no errors"),
        ([(100, 20)] * 40, SETTINGS, "all alike"),
        ([(100, 0)] * 39 + [(100, 50)], SETTINGS, "all errors by one speaker: a third of the draws have none"),
    ],
)
def test_there_is_no_interval(make_speakers, counts, settings, why):
    assert found(speakers(make_speakers, counts), settings) == {}, why


def test_utterances_without_a_speaker_are_never_drawn(make_speakers):
    rows = [("a", None, "clean", words, errors) for words, errors in uneven(7, 60)]
    assert found(make_speakers(rows)) == {}


def test_a_speaker_is_drawn_with_all_conditions_together(make_speakers):
    counts = uneven(8, 35)
    rows = [("a", f"s{s:02}", name, n, e) for name in ("clean", "noise") for s, (n, e) in enumerate(counts)]
    one = found(make_speakers(rows))
    assert one["a", "clean"] == one["a", "noise"]
    assert {key for key in one if key[0] == "ALL"} == {("ALL", "clean"), ("ALL", "noise")}


def test_the_seed_decides_and_the_order_of_the_rows_does_not(make_speakers):
    scores = speakers(make_speakers, uneven(9, 35))
    assert found(scores.sample(frac=1, random_state=1)) == found(scores)
    assert found(scores, StatsSettings(bootstrap=1000, seed=1)) != found(scores)


def test_pooled_speakers_are_drawn_within_their_accent(make_speakers):
    good, bad = uneven(10, 30, rate=0.02), uneven(11, 30, rate=0.5)
    rows = [(accent, f"s{s:02}", "clean", n, e) for accent, counts in (("a", good), ("b", bad))
            for s, (n, e) in enumerate(counts)]  # fmt: skip
    pool = cells(make_speakers(rows), SETTINGS, synthetic=False).set_index("accent").loc["ALL"]
    # the jackknife of the pool also counts that the accents differ; within accents there is less to draw
    assert pool["bootstrap_high"] / pool["bootstrap_low"] < 0.9 * pool["ci_high"] / pool["ci_low"]


def test_one_voice_under_several_accents_is_drawn_as_one(make_speakers):
    counts = uneven(12, 20)
    rows = [(accent, f"{accent}{s:02}", "clean", n, e) for accent in "ab" for s, (n, e) in enumerate(counts)]
    scores = make_speakers(rows)
    assert list(found(scores)) == [("ALL", "clean")]
    voices = {(accent, f"{accent}{s:02}"): f"voice {s}" for accent in "ab" for s in range(20)}
    assert found(scores, voices=voices) == {}, "twenty voices are too few"
