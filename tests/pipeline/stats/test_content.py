"""Two samples, speakers and texts: variance, size by simulation, shared texts, a common mix of strata, confounding."""

import numpy as np
import pandas as pd
import pytest

from pipeline import tables
from pipeline.errors import TableError
from pipeline.stats.adjusted import adjusted
from pipeline.stats.content import Counted, compare, deleted, overlaps, rates, samples
from pipeline.stats.contrasts import contrast
from pipeline.stats.counts import Group
from pipeline.stats.settings import StatsSettings

AGAINST = np.array([0.0, 1.0])
NOBODY = pd.DataFrame({"utterance_id": pd.Series(dtype="str")})


def drawn(rng: np.random.Generator, *, speakers: int, texts: int, same: bool, each: int = 20) -> Counted:
    """Two accents without a difference: speaker log-SD .45, text log-SD .4, theta 2 (statistics: 4.5)."""
    accent = np.repeat([0, 1], speakers * each)
    speaker = np.repeat(np.arange(2 * speakers), each)
    text = rng.permuted(np.tile(np.arange(texts), (2 * speakers, 1)), axis=1)[:, :each].ravel()
    text = text if same else text + accent * texts
    words = np.maximum(1, np.rint(rng.lognormal(2.6, 0.5, 2 * texts))).astype(int)[text]
    effect = rng.normal(-0.08, 0.4, 2 * texts)[text] + rng.normal(-0.101, 0.45, 2 * speakers)[speaker]
    errors = rng.negative_binomial(2, 2 / (2 + 0.2 * np.exp(effect) * words))
    return Counted(("a", "b"), accent, speaker, text, np.zeros_like(accent), errors, words, np.ones(1))


def rejects(given: Counted, *, texts: bool) -> bool:
    found = compare(given, 0, AGAINST, confidence=0.95, sampled=samples(given, texts=texts)).ratio_interval
    return not found.low <= 1 <= found.high


def test_speakers_alone_reject_too_often_where_texts_differ_and_both_together_do_not():
    # published sizes at 30 speakers and 20 texts: .185 by speaker, .053 two-way, .046 with the same texts
    rng, found = np.random.default_rng(1), []
    for _ in range(250):
        differ, same = (drawn(rng, speakers=30, texts=20, same=which) for which in (False, True))
        found.append([rejects(differ, texts=False), rejects(differ, texts=True), rejects(same, texts=False)])
    by_speaker, two_way, same_texts = np.mean(found, axis=0)
    assert 0.12 <= by_speaker <= 0.25
    assert two_way <= 0.085
    assert same_texts <= 0.085


@pytest.mark.slow
@pytest.mark.parametrize(
    ("speakers", "texts", "published"),
    [
        (10, 20, (0.054, 0.091, 0.056)),
        (30, 20, (0.046, 0.185, 0.053)),
    ],
)
def test_the_published_sizes(speakers, texts, published):
    rng, found = np.random.default_rng(speakers + texts), []
    for _ in range(1000):
        differ, same = (drawn(rng, speakers=speakers, texts=texts, same=which) for which in (False, True))
        found.append([rejects(same, texts=False), rejects(differ, texts=False), rejects(differ, texts=True)])
    assert np.mean(found, axis=0) == pytest.approx(published, abs=0.03)


def test_without_texts_it_is_the_contrast_of_the_disparities():
    given = drawn(np.random.default_rng(2), speakers=8, texts=20, same=False)
    groups = []
    for accent in (0, 1):
        own = given.accent == accent
        codes = np.unique(given.speaker[own], return_inverse=True)[1]
        sums = [np.bincount(codes, weights=of[own]).astype(np.int64) for of in (given.errors, given.words)]
        groups.append(Group(str(accent), (), *sums))
    known = contrast(groups[0], groups[1:], confidence=0.95)
    found = compare(given, 0, AGAINST, confidence=0.95, sampled=samples(given, texts=False))
    assert found.gap == pytest.approx(known.gap)
    assert found.gap_interval.low == pytest.approx(known.gap_interval.low, rel=1e-9)
    assert found.ratio_interval.low == pytest.approx(known.ratio_interval.low, rel=1e-9)


def test_the_two_way_variance_is_the_sum_less_the_intersection_and_never_below_half_of_the_larger():
    given = drawn(np.random.default_rng(3), speakers=6, texts=20, same=False)
    each = {}
    pairs = given.speaker * 1000 + given.text
    for name, clusters in (("speaker", given.speaker), ("text", given.text), ("both", pairs)):
        moves = deleted(given, clusters)
        signed = moves.change * np.where(moves.accent == 0, 1, -1)
        each[name] = float((moves.factor[moves.cluster] * signed**2).sum())
    expected = max(each["speaker"] + each["text"] - each["both"], 0.5 * max(each["speaker"], each["text"]))
    wide, narrow = (
        compare(given, 0, AGAINST, confidence=0.95, sampled=samples(given, texts=texts)).gap_interval
        for texts in (True, False)
    )
    # both have the speakers' degrees of freedom: there are fewer of them
    assert ((wide.high - wide.low) / (narrow.high - narrow.low)) ** 2 == pytest.approx(expected / each["speaker"])


def test_a_text_that_both_accents_read_is_left_out_of_both_at_once():
    # the errors are all the text's: each accent's WER moves with the texts, their difference hardly at all
    text = np.tile(np.arange(10), 12)
    accent = np.repeat([0, 1], 60)
    errors = 1 + text + (np.arange(120) % 7 == 0)
    given = Counted(("a", "b"), accent, np.repeat(np.arange(12), 10), text, np.zeros(120, int), errors,
                    np.full(120, 20), np.ones(1))  # fmt: skip
    apart = Counted(
        ("a", "b"), accent, given.speaker, text + 10 * accent, given.stratum, errors, given.words, given.mix
    )
    assert overlaps(given, np.array([[0.0, 1.0], [1.0, 0.0]])).tolist() == pytest.approx([1, 1])
    assert overlaps(apart, np.array([[0.0, 1.0], [1.0, 0.0]])).tolist() == pytest.approx([0, 0])
    wide, narrow = (
        compare(one, 0, AGAINST, confidence=0.95, sampled=samples(one, texts=True)).gap_interval
        for one in (apart, given)
    )
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_rates_are_reweighted_to_the_common_mix():
    given = Counted(("a",), np.zeros(3, int), np.arange(3), np.arange(3), np.array([0, 0, 1]), np.array([1, 2, 8]),
                    np.array([10, 20, 10]), np.array([0.5, 0.5]))  # fmt: skip
    assert rates(given).tolist() == pytest.approx([0.5 * 3 / 30 + 0.5 * 8 / 10])


def utterances_of(scores: pd.DataFrame, **attributes) -> pd.DataFrame:
    first = scores.drop_duplicates("utterance_id")
    found = {f"attr_{name}": [of(row) for row in tables.rows(first)] for name, of in attributes.items()}
    return pd.DataFrame({"utterance_id": first["utterance_id"].to_numpy(), **found})


def read(make_scores, plan, *, words=10, speakers=8):
    """Scores of accents that read texts: ``plan`` gives text and errors of each utterance of a speaker, by accent."""
    rows = []
    for accent, texts in plan.items():
        for s in range(speakers):
            for place, (text, errors) in enumerate(texts):
                wrong = errors + (s * (place + 1)) % 3 % 2
                rows.append(
                    {"utterance_id": f"{accent}/{s}/{place}", "speaker_id": f"s{s}", "accent": accent,
                     "hits": words - wrong, "substitutions": wrong, "normalized_reference": text}
                )  # fmt: skip
    return make_scores(rows)


def table_of(scores, utterances=NOBODY, **settings) -> pd.DataFrame:
    found = adjusted(scores, utterances, StatsSettings(permutations=99, **settings), synthetic=False)
    return found.set_index(["accent", "method"])


EASY, HARD = [(f"easy {i}", 1) for i in range(6)], [(f"hard {i}", 6) for i in range(6)]


def test_the_same_texts_by_design_need_no_adjustment(make_scores):
    table = table_of(read(make_scores, {"a": EASY + HARD, "b": EASY + HARD}))
    assert set(table.index) == {("a", "raw"), ("b", "raw")}
    assert table["text_overlap"].tolist() == pytest.approx([1, 1])
    assert not table["confounded"].any()
    assert "all compared accents read the same texts" in table.loc[("a", "raw"), "note"]


def test_a_gap_that_is_all_content_is_gone_on_the_shared_texts(make_scores):
    # both err alike on every text; b reads more of the hard ones
    plan = {"a": EASY + HARD[:1], "b": EASY + HARD}
    table = table_of(read(make_scores, plan, speakers=12))
    assert table.loc[("b", "raw"), "gap"] > 0.15
    shared = table.loc[("b", "shared_texts")]
    assert shared["gap"] == pytest.approx(0, abs=0.005)
    assert shared["gap_ci_low"] < 0 < shared["gap_ci_high"]
    assert shared["n_texts"] == 7
    assert shared["kept_share"] == pytest.approx(7 / 12)
    assert "7 of 12 texts are common" in shared["note"]
    assert table.loc[("a", "shared_texts"), "kept_share"] == 1
    assert not table["confounded"].any()
    # the estimate of the second method is the first one's, its interval is wider
    raw, two_way = table.loc[("b", "raw")], table.loc[("b", "two_way")]
    assert two_way["gap"] == raw["gap"]
    assert two_way["gap_ci_high"] - two_way["gap_ci_low"] > raw["gap_ci_high"] - raw["gap_ci_low"]


def test_disjoint_texts_without_strata_are_confounded(make_scores):
    table = table_of(read(make_scores, {"a": EASY, "b": HARD}))
    assert table["confounded"].all()
    assert table["text_overlap"].tolist() == pytest.approx([0] * len(table))
    shared = table.loc[("a", "shared_texts")]
    assert pd.isna(shared["gap"])
    assert shared["note"].endswith("not evaluated: 0 of 12 texts are common to the compared accents, too few speakers "
                                   "read them")  # fmt: skip


def own_texts(accent, easy, hard):
    return [(f"{accent} easy {i}", 1) for i in range(easy)] + [(f"{accent} hard {i}", 6) for i in range(hard)]


def test_standardizing_to_the_pooled_mix_recovers_a_planted_gap(make_scores):
    # in each domain b makes one error in ten words more than a; b has more of the hard domain
    more = [(text, errors + 1) for text, errors in own_texts("b", 4, 8)]
    scores = read(make_scores, {"a": own_texts("a", 8, 4), "b": more})
    utterances = utterances_of(scores, domain=lambda row: row["normalized_reference"].split()[1])
    table = table_of(scores, utterances, strata=["domain"])
    assert table.loc[("b", "raw"), "gap"] == pytest.approx(0.1 + 0.5 * (8 - 4) / 12, abs=0.01)
    found = table.loc[("b", "standardized")]
    assert found["gap"] == pytest.approx(0.1, abs=0.01)
    assert found["gap_ci_low"] < 0.1 < found["gap_ci_high"]
    assert found["kept_share"] == 1
    assert found["strata_missing"] == ""
    assert not table["confounded"].any()


def test_a_stratum_that_an_accent_lacks_is_left_out_of_all_and_named(make_scores):
    scores = read(make_scores, {"a": own_texts("a", 6, 0), "b": own_texts("b", 6, 6)})
    utterances = utterances_of(scores, domain=lambda row: row["normalized_reference"].split()[1])
    table = table_of(scores, utterances, strata=["domain"])
    assert table.loc[("a", "standardized"), "strata_missing"] == "domain=hard"
    assert table.loc[("b", "standardized"), "strata_missing"] == ""
    assert table.loc[("b", "standardized"), "kept_share"] == pytest.approx(0.5)
    assert table.loc[("b", "standardized"), "gap"] == pytest.approx(0, abs=0.01)
    nothing = table_of(
        scores, utterances_of(scores, domain=lambda row: row["accent"]), strata=["domain"]
    )  # fmt: skip
    assert nothing.loc["a", "confounded"].all()
    assert "not evaluated: 0 of 2 strata" in nothing.loc[("a", "standardized"), "note"]


def test_length_bands_are_strata_of_the_reference(make_scores):
    short = read(make_scores, {"a": own_texts("a", 6, 0), "b": own_texts("b", 2, 0)}, words=4)
    long = read(make_scores, {"a": own_texts("a", 0, 2), "b": own_texts("b", 0, 6)}, words=30)
    scores = pd.concat([short, long.assign(utterance_id="long/" + long["utterance_id"])], ignore_index=True)
    table = table_of(scores, utterances_of(scores), strata=["length_band"])
    assert "2 of 2 strata have enough speakers and texts" in table.loc[("a", "standardized"), "note"]
    narrower = table_of(scores, utterances_of(scores), strata=["length_band"], length_bands=[50])
    assert "1 of 1 strata" in narrower.loc[("a", "standardized"), "note"]


def test_missing_values_of_an_attribute_are_a_stratum(make_scores):
    scores = read(make_scores, {"a": own_texts("a", 4, 4), "b": own_texts("b", 4, 4)})
    hard = {"hard": None, "easy": "easy"}
    utterances = utterances_of(scores, domain=lambda row: hard[row["normalized_reference"].split()[1]])
    assert "2 of 2 strata" in table_of(scores, utterances, strata=["domain"]).loc[("a", "standardized"), "note"]


def test_a_reference_accent_is_compared_with_nothing_and_others_with_it_alone(make_scores):
    plan = {"a": EASY, "b": EASY + HARD, "c": HARD}
    table = table_of(read(make_scores, plan), reference_accent="a")
    assert "a" not in {accent for accent, _ in table.index}
    assert table.loc[("b", "shared_texts"), "n_texts"] == 6  # with the reference, not with c
    assert not table.loc["b", "confounded"].any()
    assert table.loc["c", "confounded"].all()
    assert table.loc[("b", "raw"), "note"].startswith("reference: a; ")
    absent = table_of(read(make_scores, plan), reference_accent="z")
    assert absent.loc[("a", "raw"), "note"].startswith("the reference accent 'z' cannot be compared here; rest: ")


def test_accents_below_the_floor_are_named_with_the_reason(make_scores):
    many = read(make_scores, {"a": EASY, "b": EASY})
    few = read(make_scores, {"few": EASY}, speakers=1)
    nameless = read(make_scores, {"nameless": EASY}).assign(speaker_id=None).astype({"speaker_id": "str"})
    alone = table_of(pd.concat([many[many["accent"] == "a"], few], ignore_index=True))
    assert alone.loc[("a", "raw"), "note"] == "not compared: no other accent has 5 named speakers here"
    table = table_of(pd.concat([many, few, nameless], ignore_index=True))
    assert table.loc[("few", "raw"), "note"] == "not compared: 1 speaker, 5 needed"
    assert table.loc[("nameless", "raw"), "note"] == "not compared: speakers without names"
    assert pd.isna(table.loc[("few", "raw"), "gap"])


@pytest.mark.parametrize("case", ["no errors", "all wrong", "wer 28", "no words", "odd labels"])
def test_a_poor_study_gives_a_valid_table_without_infinities(case, make_scores):
    labels = {"odd labels": ("null", "two\nlines, NA")}.get(case, ("a", "b"))
    scores = read(make_scores, {labels[0]: EASY + HARD[:2], labels[1]: HARD})
    changes = {
        "no errors": {"hits": 10, "substitutions": 0},
        "all wrong": {"hits": 0, "substitutions": 0, "deletions": 10},
        "wer 28": {"insertions": 280},
        "no words": {"hits": 0, "substitutions": 0, "insertions": 3},
        "odd labels": {},
    }[case]
    scores = scores.assign(**changes)
    table = table_of(
        scores, utterances_of(scores, domain=lambda row: row["accent"][0]), strata=["domain", "length_band"]
    )
    assert {accent for accent, _ in table.index} == set(labels)
    for name in table.select_dtypes("float"):
        assert not np.isinf(table[name]).any(), name
    if case == "no errors":
        assert table["gap_ci_low"].isna().all()
    if case == "wer 28":
        assert table.loc[("a", "raw"), "ratio"] == pytest.approx(28.2 / 28.6, abs=0.05)


def test_the_order_of_the_rows_changes_nothing(make_scores):
    scores = read(make_scores, {"a": EASY + HARD[:3], "b": HARD + EASY[:2], "c": EASY})
    utterances = utterances_of(scores, domain=lambda row: row["normalized_reference"][:4])
    one = table_of(scores, utterances, strata=["domain"])
    other = table_of(
        scores.sample(frac=1, random_state=1), utterances.sample(frac=1, random_state=2), strata=["domain"]
    )
    assert one.equals(other)


def test_the_name_of_the_pool_is_no_accent(make_scores):
    with pytest.raises((TableError, ValueError), match="ALL"):
        StatsSettings(reference_accent="ALL")
