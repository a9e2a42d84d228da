"""Who is there, and what to collect next: sums that must hold, and a list that says what the plan says."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.assumed import assume
from pipeline.stats.audit_coverage import coverage
from pipeline.stats.coverage_plan import coverage_plan
from pipeline.stats.plan import Speakers, plan_table
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.settings import StatsSettings

VALUES = st.sampled_from(["female", "male", "None", None])


def said(cells: dict[tuple[str, str | None], int], *, words: int = 200) -> pd.DataFrame:
    """One utterance a speaker: (accent, gender) to how many speakers."""
    rows = [
        {"accent": accent, "speaker_id": f"{gender}{at}", "gender": gender, "words": words, "duration_s": 30.0}
        for (accent, gender), n in cells.items()
        for at in range(n)
    ]
    return pd.DataFrame(rows).astype({"gender": "str", "speaker_id": "str"})


def planned(table: pd.DataFrame, attributes: list[str], **plan: Any) -> dict[tuple[str, str], dict[str, Any]]:
    asked, stats = PlanSettings(**plan), StatsSettings()
    assumed = assume(sorted(table["accent"].unique()), ["clean"], None, stats, asked)
    found = coverage_plan(table, attributes, assumed, settings=stats, plan=asked)
    assert list(found["place"]) == list(range(1, len(found) + 1))
    return {(row["accent"], row["value"]): row for row in found.to_dict("records")}


@given(st.lists(st.tuples(st.sampled_from("abc"), VALUES, st.sampled_from(["s1", "s2", None]), st.integers(0, 9)),
                min_size=1, max_size=20))  # fmt: skip
@settings(max_examples=10, deadline=None)
def test_the_parts_of_an_accent_by_any_attribute_add_up_to_it(
    rows: list[tuple[str, str | None, str | None, int]],
) -> None:
    table = pd.DataFrame(rows, columns=["accent", "gender", "speaker_id", "words"]).assign(duration_s=60.0)
    table = table.astype({"gender": "str", "speaker_id": "str", "accent": "str"})
    found = coverage(table, ["gender"])
    whole = found[found["attribute"] == ""].set_index("accent")
    assert whole["n_utterances"].sum() == len(rows)
    parts = (
        found[found["attribute"] == "gender"]
        .groupby("accent")[["n_utterances", "n_words", "n_unnamed", "minutes"]]
        .sum()
    )
    for accent in parts.index:
        for column in parts.columns:
            assert parts.loc[accent, column] == pytest.approx(whole.loc[accent, column])


def test_what_nobody_is_has_a_row_and_support_says_how_much_a_cell_bears() -> None:
    found = coverage(said({("north", "female"): 12, ("north", "male"): 4, ("south", "male"): 1}), ["gender"])
    cells = {(row["accent"], row["value"]): row["support"] for row in found.to_dict("records") if row["attribute"]}
    assert cells == {
        ("north", "female"): "ok", ("north", "male"): "thin", ("south", "male"): "insufficient",
        ("south", "female"): "empty",
    }  # fmt: skip
    assert found.set_index(["accent", "attribute"]).loc[("north", ""), "minutes"] == 8.0


def test_values_are_counted_where_nobody_is_named() -> None:
    table = said({("north", name): 8 for name in ("phone", "headset", "room")}).assign(speaker_id=None)
    found = coverage(table.astype({"speaker_id": "str"}), ["gender"])
    assert set(found.loc[found["attribute"] == "gender", "value"]) == {"phone", "headset", "room"}


def test_without_audio_minutes_are_missing_and_not_nought() -> None:
    table = said({("north", "female"): 2}).assign(duration_s=np.nan)
    assert np.isnan(coverage(table, []).iloc[0]["minutes"])


def test_an_accent_needs_what_the_plan_says_it_needs() -> None:
    table = said({("north", "female"): 200, ("south", "female"): 30})
    stats, asked = StatsSettings(), PlanSettings(ratio=1.5)
    accents = {name: Speakers(np.full(n, 200, dtype=np.int64), n, 0) for name, n in (("north", 200), ("south", 30))}
    assumed = assume(["north", "south"], ["clean"], None, stats, asked)
    told = plan_table(accents, ["clean"], assumed, settings=stats, plan=asked).set_index(["question", "accent"])
    found = planned(table, [], ratio=1.5)
    extra = told.loc[("disparity", "south"), "extra_speakers"]
    assert found["south", ""]["more_speakers"] == extra
    assert found["south", ""]["more_words"] == 200 * extra
    assert found["south", ""]["how"] == ("alone" if extra else "enough")


def test_what_is_enough_is_last_and_who_cannot_be_compared_is_first() -> None:
    found = planned(said({("large", "f"): 400, ("other", "f"): 400, ("tiny", "f"): 2}), [], ratio=1.5)
    assert found["tiny", ""]["place"] == 1
    assert found["large", ""]["how"] == "enough"
    assert found["large", ""]["more_speakers"] == 0
    assert "fewer than 5 speakers" in found["tiny", ""]["reason"]


def test_an_empty_cell_is_asked_for_with_the_words_of_its_accent() -> None:
    table = said({("north", "female"): 60, ("north", "male"): 60, ("south", "male"): 60})
    found = planned(table, ["gender"], ratio=2.0)
    cell = found["south", "female"]
    assert (cell["n_speakers"], cell["words_per_speaker"]) == (0, 200)
    assert cell["more_speakers"] > 0
    assert cell["reason"] == "nobody with a name is there"
    # among the women there is one accent: no number of its speakers alone would show anything
    assert found["north", "female"]["how"] == "with_others"


def test_no_order_of_the_rows_changes_the_list() -> None:
    table = said({("north", "female"): 6, ("north", "male"): 3, ("south", "male"): 9})
    assert str(planned(table, ["gender"])) == str(planned(table.sample(frac=1, random_state=1), ["gender"]))


def test_words_that_hang_together_raise_the_design_effect() -> None:
    few, many = (
        planned(said({("n", "f"): 6, ("s", "f"): 6}, words=words), [], sigma=0.4, phi=3.0) for words in (50, 500)
    )
    assert few["n", ""]["design_effect"] == pytest.approx(3.0 + np.expm1(0.16) * 50 * 0.2)
    assert many["n", ""]["design_effect"] > few["n", ""]["design_effect"]
