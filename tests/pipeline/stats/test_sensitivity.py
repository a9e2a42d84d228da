"""Which conclusions hang on the normalizer: planted changes are named, and nothing else is."""

import pandas as pd
import pytest

from pipeline import tables
from pipeline.result_tables import Sensitivity
from pipeline.stats.cells import cells
from pipeline.stats.disparity import disparities
from pipeline.stats.interaction import interactions
from pipeline.stats.sensitivity import sensitivity
from pipeline.stats.settings import StatsSettings

SETTINGS = StatsSettings(permutations=199, bootstrap=0)


def study(make_speakers, errors, accents=("a", "b", "c"), n=8):
    """Six or more speakers an accent under two conditions; ``errors`` gives the mean of an accent under a condition."""
    return make_speakers(
        [(accent, f"s{s}", condition, 100, errors(accent, condition) + s % 4)
         for accent in accents for s in range(n) for condition in ("clean", "noise")]
    )  # fmt: skip


def results(scores):
    return {
        "cells": cells(scores, SETTINGS, synthetic=False),
        "disparities": disparities(scores, SETTINGS, synthetic=False),
        "interactions": interactions(scores, SETTINGS, synthetic=False),
    }


def under(**by_normalizer):
    return pd.concat([scores.assign(normalizer=name) for name, scores in by_normalizer.items()], ignore_index=True)


def table_of(scores, **more):
    made = sensitivity(results(scores) | more, SETTINGS, synthetic=False)
    return tables.check(made, Sensitivity, where="test")


def changed(table):
    return set(table.loc[table["changes"] & (table["normalizer"] != ""), "measure"])


@pytest.fixture
def forgiving(make_speakers):
    """Accent b has the most errors, and one normalizer forgives all but as many as anybody makes."""
    strict = study(make_speakers, lambda accent, _: {"a": 20, "b": 50, "c": 22}[accent])
    mild = study(make_speakers, lambda accent, _: {"a": 20, "b": 19, "c": 22}[accent])
    return under(strict=strict, mild=mild)


def test_a_group_that_one_normalizer_alone_puts_last_is_named(forgiving):
    table = table_of(forgiving).set_index(["measure", "condition", "accent", "normalizer"])
    assert table.loc[("highest", "clean", "", "strict"), "conclusion"] == "b"
    assert table.loc[("highest", "clean", "", "mild"), "conclusion"] == "c"
    assert table.loc[("rank", "clean", "b", "strict"), "value"] == 1
    assert table.loc[("rank", "clean", "b", "mild"), "value"] == 3
    assert table.loc[("highest", "clean", "", "mild"), "changes"]
    named = table.loc[("what_changes", "", "", ""), "conclusion"]
    assert "b rank under clean: place 3 (mild), place 1 (strict)" in named
    assert table.loc[("what_changes", "", "", ""), "value"] >= 4


def test_a_test_that_one_normalizer_alone_passes_is_named(make_speakers):
    strict = study(make_speakers, lambda accent, _: 20 + 30 * (accent == "b"))
    mild = study(make_speakers, lambda *_: 20)
    table = table_of(under(strict=strict, mild=mild))
    found = table[(table["measure"] == "omnibus_p") & (table["condition"] == "clean")].set_index("normalizer")
    assert found["conclusion"].to_dict() == {"mild": "not shown", "strict": "shown"}
    assert found.loc["strict", "value"] < 0.05 < found.loc["mild", "value"]
    assert found["changes"].all()


def test_an_interaction_that_one_normalizer_alone_shows_is_named(make_speakers):
    strict = study(make_speakers, lambda accent, condition: 60 if (accent, condition) == ("b", "noise") else 20)
    mild = study(make_speakers, lambda *_: 20)
    table = table_of(under(strict=strict, mild=mild)).set_index(["measure", "condition", "accent", "normalizer"])
    assert table.loc[("interaction_p", "noise", "", "strict"), "conclusion"] == "shown"
    assert table.loc[("interaction_p", "noise", "", "mild"), "conclusion"] != "shown"
    assert table.loc[("interaction_p", "noise", "b", "strict"), "changes"]


def test_the_same_words_under_two_names_change_nothing(make_speakers):
    same = study(make_speakers, lambda accent, _: {"a": 10, "b": 40, "c": 20}[accent])
    table = table_of(under(one=same, other=same))
    assert not table["changes"].any()
    last = table[table["measure"] == "what_changes"].iloc[0]
    assert last["value"] == 0
    assert "the same under all normalizers" in last["conclusion"]


def test_one_normalizer_alone_says_that_there_is_nothing_to_compare(make_speakers):
    table = table_of(study(make_speakers, lambda *_: 20))
    assert not table["changes"].any()
    assert table.iloc[-1]["conclusion"] == "one normalizer only: nothing to compare"
    assert pd.isna(table.iloc[-1]["value"])


def test_verdicts_of_any_table_are_compared(make_speakers):
    same = study(make_speakers, lambda *_: 20)
    rows = [{"accent": "a", "condition": "clean", "backend": "engine", "normalizer": name, "verdict": verdict}
            for name, verdict in (("one", "worse"), ("other", "inconclusive"))]  # fmt: skip
    table = table_of(under(one=same, other=same), standings=pd.DataFrame(rows))
    assert changed(table) == {"standings.verdict"}
    assert "a standings.verdict under clean: worse (one), inconclusive (other)" in table.iloc[-1]["conclusion"]


def test_a_group_that_is_ranked_under_one_normalizer_only_is_not_evaluated_under_the_other(make_speakers):
    whole = study(make_speakers, lambda accent, _: {"a": 10, "b": 40, "c": 20}[accent])
    lost = whole[~((whole["accent"] == "c") & whole["speaker_id"].isin(["s0", "s1", "s2", "s3"]))]
    table = table_of(under(one=whole, other=lost)).set_index(["measure", "condition", "accent", "normalizer"])
    assert table.loc[("rank", "clean", "c", "other"), "conclusion"] == "not evaluated"
    assert table.loc[("rank", "clean", "c", "one"), "changes"]


def test_the_order_of_the_rows_changes_nothing(forgiving):
    assert table_of(forgiving.sample(frac=1, random_state=2)).equals(table_of(forgiving))


def test_no_scores_give_an_empty_table():
    assert table_of(tables.build([], tables.Scores, where="test")).empty


def test_many_changes_are_counted_and_the_first_are_named(make_speakers):
    accents = [f"accent {place:02}" for place in range(15)]
    up = study(make_speakers, lambda accent, _: 10 + 3 * accents.index(accent), accents, n=5)
    down = study(make_speakers, lambda accent, _: 60 - 3 * accents.index(accent), accents, n=5)
    last = table_of(under(one=up, other=down)).iloc[-1]
    assert last["value"] >= 28
    assert last["conclusion"].endswith(f"and {last['value'] - 20:.0f} more")
