"""Every table of results from one set of scores, whatever the scores are, each made once and in the declared order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline import tables
from pipeline.result_tables import RESULTS
from pipeline.stages import summarize as stage
from pipeline.stages.summarize import Material, summarize
from pipeline.stats.settings import StatsSettings

QUICK = StatsSettings(permutations=99, bootstrap=200)
Row = dict[str, Any]


def scores_of(rows: list[Row]) -> pd.DataFrame:
    defaults = {
        "backend": "engine", "condition": "clean", "speaker_id": "s", "accent": "a", "hits": 0, "substitutions": 0,
        "deletions": 0, "insertions": 0, "normalized_reference": "", "normalized_hypothesis": "",
    }  # fmt: skip
    named = [
        defaults | {"utterance_id": f"u{place}", "normalizer": name} | row
        for name in ("one", "other")
        for place, row in enumerate(rows)
    ]
    return tables.build(named, tables.Scores, where="test")


def crossed(errors: Callable[[int, int], Row], accents: tuple[str, ...] = ("a", "b"), speakers: int = 6) -> list[Row]:
    return [
        {"accent": accent, "speaker_id": f"s{s}", "condition": condition, "utterance_id": f"{accent}{s}"} | errors(s, c)
        for accent in accents
        for s in range(speakers)
        for c, condition in enumerate(("clean", "noise"))
    ]


def usual(speaker: int, column: int) -> Row:
    return {"hits": 90 - speaker, "substitutions": 10 + speaker + 3 * column}


CASES: dict[str, list[Row]] = {
    "nothing": [],
    "one speaker": [usual(0, 0)],
    "one accent": crossed(usual, accents=("a",)),
    "an accent in only one condition": crossed(usual) + [usual(s, 0) | {"accent": "c", "speaker_id": f"s{s}"}
                                                        for s in range(6)],
    "no speakers": [usual(s, 0) | {"speaker_id": None} for s in range(8)],
    "all hypotheses empty": crossed(lambda *_: {"deletions": 100}),
    "no errors": crossed(lambda *_: {"hits": 100}),
    "wer 28": crossed(lambda s, _: {"substitutions": 10, "insertions": 270 + s}),
    "no words": crossed(lambda *_: {"insertions": 2}),
    "odd labels": crossed(usual, accents=("null", "None", "NA", "no, really\n\U0001f442")),
    "forty speakers": crossed(usual, speakers=40),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_any_study_gives_every_table(case: str) -> None:
    scores = scores_of(CASES[case])
    of = Material(pd.DataFrame(), scores, [], QUICK, synthetic=False, voices={})
    made = dict(summarize(of))
    assert list(made) == list(RESULTS)
    for name, table in made.items():
        numbers = table.select_dtypes("float")
        assert not np.isinf(numbers.to_numpy()).any(), name
    assert set(made["cells"]["accent"]) == (set(scores["accent"]) | {tables.POOLED} if len(scores) else set())


def test_a_table_that_others_are_about_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    made = stage.SUMMARIES["cells"]
    monkeypatch.setitem(stage.SUMMARIES, "cells", lambda of: calls.append(1) or made(of))
    of = Material(pd.DataFrame(), scores_of(CASES["one accent"]), [], QUICK, synthetic=False, voices={})
    assert not of.result("sensitivity").empty
    dict(summarize(of))
    assert calls == [1]
