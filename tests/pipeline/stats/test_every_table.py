"""What holds for cells, disparities and interactions alike: odd inputs, order, shared counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import tables
from pipeline.errors import TableError
from pipeline.result_tables import Adjusted, Comparisons, Detectable, Intersections, Rates, SnrShifts, Standings
from pipeline.screening_tables import Hallucinations, TagErrors, Terms
from pipeline.stages.summarize import Material, Words
from pipeline.stats.adjusted import adjusted
from pipeline.stats.cells import cells
from pipeline.stats.comparisons import comparisons
from pipeline.stats.detectable import detectable
from pipeline.stats.disparity import disparities
from pipeline.stats.hallucination import INSERTION_RUN, OF_SCORES, REPEATS_COMPARED, VERDICT, Signs
from pipeline.stats.interaction import interactions
from pipeline.stats.intersections import intersections
from pipeline.stats.ladders import Ladder
from pipeline.stats.rates import none_left_out, rates
from pipeline.stats.settings import StatsSettings
from pipeline.stats.snr_shift import snr_shifts
from pipeline.stats.standings import standings
from pipeline.stats.tags import TaggedErrors, tag_errors
from pipeline.stats.terms import FoundTerms, term_table
from pipeline.text.pairs import error_slots

QUICK = StatsSettings(permutations=99)


LADDER = Ladder("noise", (("noise_-5", -5.0), ("noise_0", 0.0), ("noise_5", 5.0)))


def utterances_of(scores):
    each = scores.sort_values("utterance_id").drop_duplicates("utterance_id")[["utterance_id", "accent", "speaker_id"]]
    return each.assign(attr_gender=["fm"[place % 2] for place in range(len(each))]).reset_index(drop=True)


def all_adjusted(scores, settings, *, synthetic):
    return adjusted(scores, utterances_of(scores), settings, synthetic=synthetic)


def all_intersections(scores, settings, *, synthetic):
    crossed_settings = settings.model_copy(update={"intersections": (("accent", "gender"),)})
    return intersections(scores, utterances_of(scores), crossed_settings, synthetic=synthetic)


def all_comparisons(scores, settings, *, synthetic):
    return comparisons(scores, settings, synthetic=synthetic, find_slots=error_slots, voices={})


def all_hallucinations(scores, settings, *, synthetic):
    signs = pd.DataFrame(dict.fromkeys((*OF_SCORES, REPEATS_COMPARED), False), index=scores.index)
    signs = signs.assign(**{INSERTION_RUN: 0, VERDICT: ""})
    nobody = pd.DataFrame({name: pd.Series(dtype="str") for name in ("backend", "normalizer", "condition", "accent")})
    words = Words(signs=Signs(signs, nobody.assign(has_text=pd.Series(dtype="bool")), 0))
    of = Material(utterances_of(scores), scores, [], settings, synthetic=synthetic, voices={}, words=words)
    return of.result("hallucinations")


def all_terms(scores, settings, *, synthetic):
    counts = pd.DataFrame({"row": scores.index, "term": "boat", "said": 0, "found": 0, "false": 0})
    found = FoundTerms(counts, ("boat", "unsaid"), {})
    return term_table(scores, found, settings, synthetic=synthetic, voices={})


def all_tag_errors(scores, settings, *, synthetic):
    counts = pd.DataFrame({"row": scores.index, "tag": "DRUG", "hits": 0, "substitutions": 0, "deletions": 0,
                           "unplaced": 1})  # fmt: skip
    return tag_errors(scores, TaggedErrors(counts, ("DRUG",), {}), settings, synthetic=synthetic, voices={})


def all_rates(scores, settings, *, synthetic):
    return rates(scores, none_left_out(), synthetic=synthetic)


BUILDERS = [
    (cells, tables.Cells),
    (disparities, tables.Disparities),
    (interactions, tables.Interactions),
    (all_rates, Rates),
    (standings, Standings),
    (detectable, Detectable),
    (all_comparisons, Comparisons),
    (all_adjusted, Adjusted),
    (all_intersections, Intersections),
    (all_hallucinations, Hallucinations),
    (all_terms, Terms),
    (all_tag_errors, TagErrors),
]
every_table = pytest.mark.parametrize(("build", "schema"), BUILDERS)
ODD_LABELS = [
    "null",
    "None",
    "NA",
    "nan",
    "no, really",
    "two\nlines",
    "\U0001f442 ear",
    '"quoted"',
    "",
    " ",
    "ü",
    "=1+1",
]


def crossed(
    make_speakers, accents=("a", "b", "c"), conditions=("clean", "noise"), errors=lambda a, s, c: a + s + 3 * c
):
    return make_speakers(
        [
            (accent, f"s{speaker}", condition, 50, errors(place, speaker, column))
            for place, accent in enumerate(accents)
            for speaker in range(6)
            for column, condition in enumerate(conditions)
        ]
    )


@every_table
def test_the_order_of_the_rows_changes_nothing(build, schema, make_speakers):
    scores = crossed(make_speakers)
    shuffled = scores.sample(frac=1, random_state=4)
    assert build(shuffled, QUICK, synthetic=False).equals(build(scores, QUICK, synthetic=False))


@every_table
def test_another_backend_in_the_table_changes_nothing(build, schema, make_speakers):
    scores = crossed(make_speakers)
    other = scores.assign(backend="aaa other", substitutions=scores["substitutions"] // 2)
    both = build(pd.concat([other, scores], ignore_index=True), QUICK, synthetic=False)
    alone = build(scores, QUICK, synthetic=False)
    assert both[both["backend"] == "engine"].reset_index(drop=True).equals(alone)


@every_table
def test_the_synthetic_flag_is_on_every_row(build, schema, make_speakers):
    assert build(crossed(make_speakers), QUICK, synthetic=True)["synthetic"].all()


@every_table
def test_no_scores_at_all_give_an_empty_table(build, schema):
    empty = tables.build([], tables.Scores, where="test")
    assert build(empty, QUICK, synthetic=False).empty


@every_table
@pytest.mark.parametrize(
    "case",
    ["one speaker", "one accent", "one condition", "no errors", "no hypotheses", "no words", "wer 28", "no names"],
)
def test_a_poor_study_gives_a_valid_table(build, schema, case, make_speakers):
    scores = {
        "one speaker": lambda: make_speakers([("a", "s", c, 10, 3) for c in ("clean", "noise")]),
        "one accent": lambda: crossed(make_speakers, accents=("a",)),
        "one condition": lambda: crossed(make_speakers, conditions=("noise",)),
        "no errors": lambda: crossed(make_speakers, errors=lambda *_: 0),
        "no hypotheses": lambda: crossed(make_speakers, errors=lambda *_: 50),
        "no words": lambda: crossed(make_speakers).assign(hits=0, substitutions=0, deletions=0, insertions=2),
        "wer 28": lambda: crossed(make_speakers, errors=lambda a, s, c: 1400 + s),
        "no names": lambda: make_speakers([("a", None, c, 10, 3) for c in ("clean", "noise")] * 9),
    }[case]()
    found = build(scores, QUICK, synthetic=False)
    assert len(tables.check(found, schema, where="test"))
    for name in found.select_dtypes("float"):
        assert not np.isinf(found[name]).any(), name


@every_table
def test_odd_labels_come_through_unchanged(build, schema, make_speakers):
    labels = [label for label in ODD_LABELS if label]
    table = build(crossed(make_speakers, accents=labels, conditions=("clean", "null", "a, b")), QUICK, synthetic=False)
    assert set(labels) <= set(table["accent"])
    assert {"null", "a, b"} <= set(table["condition"])
    assert not table[["accent", "condition"]].isna().any().any()


@pytest.mark.parametrize("errors", [0, 50, 1400])
@pytest.mark.parametrize("accents", [["a"], ["null", "a, b"], ["two\nlines", "\U0001f442 ear", "NA"]])
def test_a_ladder_of_a_poor_study_gives_a_row_an_accent_and_says_what_it_lacks(accents, errors, make_speakers):
    conditions = tuple(name for name, _ in LADDER.rungs)
    scores = crossed(make_speakers, accents, conditions, errors=lambda *_: errors)
    found = snr_shifts(scores, [LADDER], QUICK, synthetic=False)
    assert found["accent"].tolist() == sorted(accents)
    tables.check(found, SnrShifts, where="test")
    shifts = found["shift_db"]
    assert not np.isinf(shifts).any()
    assert found.loc[shifts.isna(), "note"].str.len().gt(0).all()


@pytest.mark.parametrize("label", ODD_LABELS)
def test_an_odd_speaker_name_is_a_name(label, make_scores):
    table = cells(make_scores([{"speaker_id": label, "hits": 3}]), QUICK, synthetic=False)
    assert table["n_speakers"].tolist() == [1, 1]


def test_an_accent_with_the_name_of_the_pool_is_refused(make_speakers):
    with pytest.raises(TableError, match="Cells"):
        cells(make_speakers([("ALL", "s", "clean", 10, 1)]), QUICK, synthetic=False)


row = st.tuples(st.sampled_from("ab"), st.sampled_from([None, "s1", "s2", "s3"]), st.integers(0, 9), st.integers(0, 9),
                st.integers(0, 9), st.integers(0, 30))  # fmt: skip


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(row, row), min_size=1, max_size=24))
def test_any_counts_give_valid_tables(make_scores, pairs):
    rows = []
    for place, both in enumerate(pairs):
        accent, speaker = both[0][:2]
        for condition, (_, _, hits, substitutions, deletions, insertions) in zip(("clean", "x"), both, strict=True):
            rows.append(
                {"utterance_id": f"u{place}", "accent": accent, "speaker_id": speaker, "condition": condition,
                 "hits": hits, "substitutions": substitutions, "deletions": deletions, "insertions": insertions}
            )  # fmt: skip
    scores = make_scores(rows)
    for build, schema in BUILDERS:
        found = build(scores, StatsSettings(min_speakers=2, permutations=99), synthetic=False)
        tables.check(found, schema, where="test")
        if schema is tables.Cells:
            shown = found.dropna(subset=["ci_low"])
            assert (shown["ci_low"] <= shown["wer"] + 1e-12).all()
            assert (shown["wer"] <= shown["ci_high"] + 1e-12).all()
            assert set(found["support"]) >= {"no_words"} or (found["n_ref_words"] > 0).all()
