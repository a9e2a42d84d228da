"""Rates of any event: the interval of a cell, the same refusals, and shares that end at 1."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.records import Support
from pipeline.stats.cells import cells
from pipeline.stats.event_rates import Kind, Rate, layout, rates
from pipeline.stats.settings import StatsSettings
from pipeline.tables import POOLED

Speakers = Callable[[Sequence[tuple[str, str | None, str, int, int]]], pd.DataFrame]


def rate(scores: pd.DataFrame, events: Any, bases: Any, **options: Any) -> dict[tuple[str, str], Rate]:
    of = layout(scores, options.pop("voices", {}))
    return rates(of, of.sums(events), of.sums(bases), confidence=0.95, **options)


def words(scores: pd.DataFrame) -> pd.Series:
    return scores["hits"] + scores["substitutions"] + scores["deletions"]


def errors(scores: pd.DataFrame) -> pd.Series:
    return scores["substitutions"] + scores["deletions"] + scores["insertions"]


def test_a_rate_of_word_errors_is_the_cell_in_every_column(draw: Callable[..., pd.DataFrame]) -> None:
    scores = draw(np.random.default_rng(5), sizes=[12, 4, 2, 1, 7], conditions={"clean": 0.0, "noise": 0.4})
    wanted = cells(scores, StatsSettings(), synthetic=False).set_index(["accent", "condition"])
    found = rate(scores, errors(scores), words(scores))
    assert set(found) == set(wanted.index)
    for key, one in found.items():
        cell = wanted.loc[key]
        assert (one.count, one.base, one.n_speakers) == (errors_of(cell), cell["n_ref_words"], cell["n_speakers"])
        assert (one.value, one.k_eff, one.support) == (cell["wer"], cell["k_eff"], cell["support"])
        ends = [math.nan if end is None else end for end in (one.ci_low, one.ci_high)]
        assert ends == pytest.approx([cell["ci_low"], cell["ci_high"]], nan_ok=True)


def errors_of(cell: Mapping[str, Any]) -> int:
    return int(cell["substitutions"] + cell["deletions"] + cell["insertions"])


def test_zero_events_have_the_bound_of_a_cell_without_errors(make_speakers: Speakers) -> None:
    rows = [("good", f"g{i}", "clean", 100, 0) for i in range(8)]
    rows += [("other", f"o{i}", "clean", 100, 10 + 3 * i) for i in range(8)]
    scores = make_speakers(rows)
    wanted = cells(scores, StatsSettings(), synthetic=False).set_index("accent").loc["good"]
    found = rate(scores, errors(scores), words(scores))["good", "clean"]
    assert (found.support, found.ci_low, found.ci_high) == (Support.ZERO_ERRORS, 0, wanted["ci_high"])
    assert rate(scores, errors(scores), words(scores), kind=Kind(bounded=False))["good", "clean"].ci_high is None


def test_a_share_ends_at_one_and_a_recall_is_read_from_what_is_missed(make_speakers: Speakers) -> None:
    scores = make_speakers([("a", f"s{i}", "clean", 20, e) for i, e in enumerate([1, 2, 4, 1, 2, 3, 1, 2, 2, 1])])
    missed = rate(scores, errors(scores), words(scores))["a", "clean"]
    recall = rate(scores, words(scores) - errors(scores), words(scores), kind=Kind(of_rest=True))["a", "clean"]
    assert missed.ci_low is not None
    assert missed.ci_high is not None
    assert recall.value == pytest.approx(1 - 19 / 200)
    assert (recall.ci_low, recall.ci_high) == pytest.approx((1 - missed.ci_high, 1 - missed.ci_low))
    often = make_speakers([("a", f"s{i}", "clean", 10, e) for i, e in enumerate([10, 3, 9, 10, 8, 2, 10, 10, 9, 10])])
    share = rate(often, errors(often), words(often), kind=Kind(share=True))["a", "clean"]
    assert share.ci_high == 1
    assert share.ci_low is not None
    assert share.ci_low < 0.81


def test_one_voice_in_several_accents_is_one_cluster_of_all(make_speakers: Speakers) -> None:
    rows = [(f"accent {a}", f"v{s}", "clean", 20, 1 + s + a) for a in range(3) for s in range(6)]
    scores = make_speakers(rows)
    voices = {(accent, str(speaker)): str(speaker) for accent, speaker, *_ in rows}
    shared, nested = (rate(scores, errors(scores), words(scores), voices=v)[POOLED, "clean"] for v in (voices, {}))
    assert (shared.value, round(shared.k_eff), round(nested.k_eff)) == (nested.value, 6, 18)


def test_unnamed_speakers_are_utterances_and_nobody_is_nothing(make_speakers: Speakers) -> None:
    scores = make_speakers([("a", None, "clean", 10, 1 + i % 3) for i in range(9)])
    found = rate(scores, errors(scores), words(scores))["a", "clean"]
    assert (found.unit, found.n_speakers, round(found.k_eff)) == ("utterance", 0, 9)
    nothing = rate(scores, 0, 0)["a", "clean"]
    assert (nothing.value, nothing.support, nothing.count) == (None, Support.NO_WORDS, 0)
    assert rate(scores.iloc[:0], [], []) == {}


def test_row_order_and_hostile_labels_change_nothing(make_speakers: Speakers) -> None:
    names = ["null", "NA", "a,b\n", "🙂", "None"]
    scores = make_speakers([(name, f"s{i}", "clean", 10, i % 4) for name in names for i in range(6)])
    mixed = scores.sample(frac=1, random_state=2)
    assert rate(scores, errors(scores), words(scores)) == rate(mixed, errors(mixed), words(mixed))
    assert {accent for accent, _ in rate(scores, errors(scores), words(scores))} == {*names, POOLED}
