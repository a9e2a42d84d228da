"""Groups within accents: counted whole, compared with the rest of their accent, never dropped for being thin."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from pipeline import tables
from pipeline.result_tables import Intersections
from pipeline.stats.cells import cells
from pipeline.stats.counts import Group, Unit
from pipeline.stats.intersections import intersections
from pipeline.stats.settings import StatsSettings
from pipeline.stats.within import Compared, by_holm, compare

BY_GENDER = StatsSettings(permutations=199, intersections=(("accent", "gender"),))


def attributes(scores: pd.DataFrame, **by_name) -> pd.DataFrame:
    """Give each utterance a value of each attribute, a function of its place in the order of ids."""
    ids = sorted(set(scores["utterance_id"]))
    columns = {f"attr_{name}": [value(place) for place in range(len(ids))] for name, value in by_name.items()}
    return pd.DataFrame({"utterance_id": ids} | columns)


def people(make_speakers, errors, *, accents=("a",), speakers=12, conditions=("clean",)):
    return make_speakers(
        [(accent, f"s{s:02}", condition, 100, errors(s, condition))
         for accent in accents for s in range(speakers) for condition in conditions]
    )  # fmt: skip


def test_every_score_is_in_one_group_and_a_value_not_stated_is_a_group(make_speakers):
    scores = people(make_speakers, lambda s, _: s + 3, accents=("a", "b"))
    utterances = attributes(scores, gender=lambda place: ("f", "m", None)[place % 3])
    found = intersections(scores, utterances, BY_GENDER, synthetic=False)
    assert {json.loads(group)["gender"] for group in found["group"]} == {"f", "m", None}
    by_accent = found.groupby("accent")[["n_speakers", "n_ref_words", "errors"]].sum()
    whole = cells(scores, BY_GENDER, synthetic=False).set_index("accent").loc[["a", "b"]]
    assert by_accent["n_speakers"].tolist() == whole["n_speakers"].tolist()
    assert by_accent["n_ref_words"].tolist() == whole["n_ref_words"].tolist()
    assert by_accent["errors"].tolist() == (whole[["substitutions", "deletions", "insertions"]].sum(axis=1)).tolist()


def test_a_group_is_a_cell_with_the_interval_of_a_cell(make_speakers):
    scores = people(make_speakers, lambda s, _: 5 + s % 5 + 2 * (s % 2))
    utterances = attributes(scores, gender=lambda place: "fm"[place % 2])
    found = intersections(scores, utterances, BY_GENDER, synthetic=False).set_index("group")
    women = scores[scores["speaker_id"].str[1:].astype(int) % 2 == 0]
    cell = cells(women, BY_GENDER, synthetic=False).set_index("accent").loc["a"]
    row = found.loc['{"gender": "f"}']
    assert row["wer"] == cell["wer"]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((cell["ci_low"], cell["ci_high"]))
    assert row["gap"] == pytest.approx(row["wer"] - row["rest_wer"])
    assert row["gap_ci_low"] < row["gap"] < row["gap_ci_high"]


def test_a_planted_disadvantage_is_shown_and_names_its_direction(make_speakers):
    scores = people(make_speakers, lambda s, _: (24 if s % 2 else 8) + s % 4, accents=("a", "b"), speakers=20)
    utterances = attributes(scores, gender=lambda place: "fm"[place % 2])
    found = intersections(scores, utterances, BY_GENDER, synthetic=False)
    assert (found["p_adjusted"] < 0.05).all()
    men = found[found["group"] == '{"gender": "m"}']
    assert (men["gap"] > 0.1).all()
    assert (men["ratio_ci_low"] > 1).all()
    assert found["adjustment"].str.startswith("max-T over 4").all()


def test_without_any_difference_the_smallest_adjusted_p_is_rarely_small(draw):
    shown = 0
    settings = BY_GENDER.model_copy(update={"permutations": 99})
    for run in range(24):
        scores = draw(np.random.default_rng(run), sizes=[16, 12], conditions={"clean": 0.0, "noise": 0.4})
        utterances = attributes(scores, gender=lambda place: "fm"[place % 2])
        shown += bool(intersections(scores, utterances, settings, synthetic=False)["p_adjusted"].min() < 0.05)
    # 24 studies at 5 %: more than 5 have a probability of about 0.1 %
    assert shown <= 5


def test_thin_groups_are_shown_and_rolled_up_to_the_narrowest_group_that_reaches_the_floor(make_speakers):
    rows = [("kept", f"s{s}", "clean", 100, 10 + s) for s in range(8)]
    rows += [(accent, f"s{s}", "clean", 100, 20 + s) for accent in ("x", "y") for s in range(3)]
    scores = make_speakers(rows)
    utterances = attributes(scores, gender=lambda place: "m" if place % 7 else "f")
    found = intersections(scores, utterances, BY_GENDER, synthetic=False, parents={"x": "wide", "y": "wide"})
    assert found["n_speakers"].sum() == 14
    thin = found[found["n_speakers"] < 5]
    assert not thin["compared"].any()
    assert thin["p_adjusted"].isna().all()
    of_kept = thin[thin["accent"] == "kept"]
    assert set(of_kept["rolled_up_to"]) == {"kept"}
    assert (of_kept["rolled_up_n_speakers"] == 8).all()
    others = thin[thin["accent"] != "kept"]
    assert set(others["rolled_up_to"]) == {"wide"}
    assert (others["rolled_up_n_speakers"] == 6).all()  # "s0" of x and "s0" of y are two people
    assert others["rolled_up_wer"].tolist() == pytest.approx([0.21] * len(others))
    assert others["note"].str.endswith("rolled up to wide").all()


def test_where_nothing_wider_reaches_the_floor_the_row_says_so(make_speakers):
    scores = people(make_speakers, lambda s, _: s, speakers=2)
    utterances = attributes(scores, gender=lambda place: "fm"[place % 2])
    found = intersections(scores, utterances, BY_GENDER, synthetic=False)
    assert (found["rolled_up_to"] == "").all()
    assert found["note"].str.contains("no wider group reaches the floor").all()


def two_domains(make_scores, errors):
    return make_scores(
        [{"utterance_id": f"u{s:02}-{domain}", "accent": "a", "speaker_id": f"s{s}", "hits": 100 - errors(s, domain),
          "substitutions": errors(s, domain)} for s in range(10) for domain in (0, 1)]
    )  # fmt: skip


def test_what_varies_within_a_speaker_is_compared_within_speakers_and_adjusted_by_holm(make_scores):
    # speakers differ a great deal, and each has exactly 4 more errors in one domain: only pairing can see it
    scores = two_domains(make_scores, lambda s, domain: 5 + 6 * s + 4 * domain)
    utterances = attributes(scores, domain=lambda place: ("home", "clinic")[place % 2])
    settings = StatsSettings(permutations=99, intersections=(("accent", "domain"),))
    found = intersections(scores, utterances, settings, synthetic=False).set_index("group")
    row = found.loc['{"domain": "clinic"}']
    assert row["n_speakers"] == row["rest_n_speakers"] == 10
    assert row["adjustment"].startswith("Holm over 2")
    assert row["gap"] == pytest.approx(0.04)
    assert row["gap_ci_high"] - row["gap_ci_low"] == pytest.approx(0.0, abs=1e-9)
    assert row["p_adjusted"] < 0.05


def test_the_joint_jackknife_is_that_of_the_difference_by_hand():
    units = tuple(Unit("a", f"s{s}", named=True) for s in range(3))
    one = Group("a", units, np.array([10, 20, 35]), np.array([100, 100, 100]))
    rest = Group("a", units, np.array([5, 18, 20]), np.array([100, 100, 100]))
    found = compare(one, rest, confidence=0.95)
    without = np.array([(20 + 35) / 200 - (18 + 20) / 200, (10 + 35) / 200 - (5 + 20) / 200, 30 / 200 - 23 / 200])
    gap = 65 / 300 - 43 / 300
    error = math.sqrt(2 / 3 * ((without - gap) ** 2).sum())
    assert found.gap == pytest.approx(gap)
    assert found.gap_interval is not None
    assert found.gap_interval.high - found.gap == pytest.approx(4.302652729911275 * error)  # t(.975, 2)


def test_holm_multiplies_the_smallest_p_by_all_and_never_falls_again():
    degrees, places = 1e9, [("c", "a", name, "clean") for name in "wxyz"]
    # two-sided p of these normal deviates: 0.01, 0.02, 0.03, 0.005
    deviates = dict(zip(places, (2.5758293, 2.3263479, 2.1700904, 2.8070338), strict=True))
    compared = {place: Compared(0.0, None, 1.0, None, t, degrees) for place, t in deviates.items()}
    adjusted = [by_holm(compared)[place].p for place in places]
    assert adjusted == pytest.approx([0.03, 0.04, 0.04, 0.02], rel=1e-4)


@pytest.mark.parametrize("case", ["no errors", "one group", "no names", "no words", "wer 28", "odd values"])
def test_a_poor_study_gives_a_valid_table_without_infinities(case, make_speakers, make_scores):
    named = people(make_speakers, lambda s, _: s + 1)
    scores, value = {
        "no errors": (people(make_speakers, lambda *_: 0), lambda place: "fm"[place % 2]),
        "one group": (named, lambda _: "f"),
        "no names": (make_speakers([("a", None, "clean", 10, 3)] * 12), lambda place: "fm"[place % 2]),
        "no words": (make_scores([{"insertions": 2}, {"insertions": 1}]), lambda _: "f"),
        "wer 28": (people(make_speakers, lambda s, _: 2800 + s), lambda place: "fm"[place % 2]),
        "odd values": (named, lambda place: ["null", "None", "NA", "", "a, b", "two\nlines", "ALL"][place % 7]),
    }[case]
    found = intersections(scores, attributes(scores, gender=value), BY_GENDER, synthetic=False)
    assert len(tables.check(found, Intersections, where="test"))
    assert not np.isinf(found.select_dtypes("float")).any().any()
    assert found["n_utterances"].sum() == (0 if case == "no words" else 12)
    if case == "odd values":
        assert {json.loads(group)["gender"] for group in found["group"]} == {
            "null", "None", "NA", None, "a, b", "two\nlines", "ALL"
        }  # fmt: skip
    if case == "one group":
        assert found["note"].tolist() == ["not compared: all that was heard of this accent here is in this group"]


def test_the_order_of_rows_and_another_backend_change_nothing(make_speakers):
    scores = people(make_speakers, lambda s, c: s + (c == "noise"), conditions=("clean", "noise"))
    utterances = attributes(scores, gender=lambda place: "fm"[place % 2])
    alone = intersections(scores, utterances, BY_GENDER, synthetic=False)
    both = pd.concat([scores.assign(backend="other"), scores]).sample(frac=1, random_state=3)
    again = intersections(both, utterances.sample(frac=1, random_state=5), BY_GENDER, synthetic=False)
    assert again[again["backend"] == "engine"].reset_index(drop=True).equals(alone)


def test_nothing_declared_gives_an_empty_table(make_speakers):
    scores = people(make_speakers, lambda s, _: s)
    assert intersections(scores, attributes(scores), StatsSettings(), synthetic=False).empty


@pytest.mark.parametrize("crossing", [["accent"], ["gender", "age"], ["accent", "gender", "gender"]])
def test_a_crossing_without_accent_or_attribute_is_refused(crossing):
    with pytest.raises(ValueError, match="each named once"):
        StatsSettings(intersections=(tuple(crossing),))


def test_the_same_crossing_twice_is_refused():
    with pytest.raises(ValueError, match="two crossings"):
        StatsSettings(intersections=(("accent", "gender"), ("gender", "accent")))
