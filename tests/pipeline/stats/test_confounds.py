"""Planted confounds are found and named for what they are; what is independent is left alone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.stats import confounds as module
from pipeline.stats.confounds import confounds
from pipeline.stats.speaker_units import banded, units


def speakers(n: int, accents: Sequence[str] = ("north", "south"), **columns: Callable[[str, int], Any]) -> pd.DataFrame:
    """One utterance of each of ``n`` speakers an accent; a column is a function of accent and place."""
    rows = [
        {"accent": accent, "speaker_id": f"s{at}", **{name: make(accent, at) for name, make in columns.items()}}
        for accent in accents
        for at in range(n)
    ]
    return pd.DataFrame(rows)


def asked(
    table: pd.DataFrame, attributes: Sequence[str] = ("gender",), measures: Sequence[str] = ()
) -> dict[tuple[str, str], dict[str, Any]]:
    found, _ = confounds(units(table, attributes, measures), confidence=0.95, seed=0)
    return {(row["attribute"], row["against"]): row for row in found.to_dict("records")}


def test_an_attribute_that_goes_with_accent_is_shown() -> None:
    table = speakers(20, gender=lambda accent, at: "male" if at % 10 < (9 if accent == "north" else 2) else "female")
    row = asked(table)["gender", "accent"]
    assert row["shown"]
    assert row["value"] > 0.5
    assert row["nested"] == ""


def test_an_attribute_that_cannot_be_told_from_accent_is_named_so() -> None:
    table = speakers(
        4, ("a", "b", "c"), gender=lambda accent, at: "female" if accent == "a" else "male",
        region=lambda accent, at: f"{accent}{at % 2}", home=lambda accent, at: accent.upper(),
    )  # fmt: skip
    found = asked(table, ("gender", "region", "home"))
    assert found["gender", "accent"]["nested"] == "in_accent"
    assert found["region", "accent"]["nested"] == "in_attribute"
    assert found["home", "accent"]["nested"] == "same"


def test_a_value_that_two_accents_share_is_of_no_single_accent_however_rare() -> None:
    values = {"a": ["x", "x", "x", "y", "y", "y", "r"], "b": ["z", "z", "z", "q", "q", "q", "r"]}
    row = asked(speakers(7, ("a", "b"), gender=lambda accent, at: values[accent][at]))["gender", "accent"]
    assert row["nested"] == ""
    values["b"][-1] = "s"
    row = asked(speakers(7, ("a", "b"), gender=lambda accent, at: values[accent][at]))["gender", "accent"]
    assert row["nested"] == "in_attribute"


def test_one_value_for_everybody_is_no_association_and_is_said_to_be_constant() -> None:
    row = asked(speakers(4, gender=lambda accent, at: "male"))["gender", "accent"]
    assert (row["nested"], row["shown"], pd.isna(row["p"])) == ("constant", False, True)


def test_a_speaker_with_two_values_is_left_out_and_counted() -> None:
    table = speakers(6, gender=lambda accent, at: "male" if at % 2 else "female")
    row = asked(pd.concat([table, table.iloc[:1].assign(gender="male")]))["gender", "accent"]
    assert (row["n_mixed"], row["n_units"]) == (1, 11)
    task = pd.concat([table.assign(gender="spell"), table.assign(gender="read")])
    assert asked(task)["gender", "accent"]["note"] == "not tested: it varies within every speaker"


def test_speakers_are_counted_once_however_much_they_say() -> None:
    table = speakers(3, gender=lambda accent, at: "male" if accent == "north" or at else "female")
    once, often = asked(table), asked(pd.concat([table] * 30, ignore_index=True))
    assert once["gender", "accent"]["p"] == often["gender", "accent"]["p"]


def test_a_column_that_names_speakers_is_not_tested() -> None:
    row = asked(speakers(8, gender=lambda accent, at: f"town of {accent} {at}"))["gender", "accent"]
    assert "tells units apart" in row["note"]
    assert pd.isna(row["p"])


def test_where_nobody_has_a_name_nothing_is_tested() -> None:
    table = speakers(20, gender=lambda accent, at: accent).assign(speaker_id=pd.Series([None] * 40, dtype="str"))
    row = asked(table)["gender", "accent"]
    assert row["unit"] == "utterance"
    assert pd.isna(row["p"])
    assert "speakers are unknown" in row["note"]


def test_a_number_is_ranked_by_accent_and_against_other_numbers() -> None:
    rng = np.random.default_rng(5)
    table = speakers(
        15,
        age=lambda accent, at: str(20 + at + (12 if accent == "south" else 0)),
        words=lambda accent, at: float(at) + rng.normal(0, 0.5),
    )
    found = asked(table, ("age",), ("words",))
    assert found["age", "accent"]["measure"] == "epsilon_squared"
    assert found["age", "accent"]["shown"]
    assert found["words", "age"]["measure"] == "spearman"
    assert found["words", "age"]["shown"]
    assert not found["words", "accent"]["shown"]


def test_a_confound_is_found_without_any_accent_to_compare() -> None:
    table = speakers(20, ("one",), age=lambda accent, at: str(5 + at), words=lambda accent, at: 3.0 + at // 4)
    found = asked(table, ("age",), ("words",))
    assert found["words", "age"]["shown"]
    assert ("words", "accent") not in found


def test_of_attributes_that_depend_on_nothing_a_family_is_shown_once_in_twenty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FEWEST_DRAWS", 199)
    alarms, trials = 0, 25
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        table = speakers(
            8, ("a", "b", "c"), gender=lambda *_, rng=rng: rng.choice(["f", "m"]),
            device=lambda *_, rng=rng: rng.choice(["x", "y", "z"]), age=lambda *_, rng=rng: str(rng.integers(18, 70)),
            snr=lambda *_, rng=rng: rng.normal(20, 5),
        )  # fmt: skip
        found = asked(table, ("gender", "device", "age"), ("snr",))
        alarms += any(row["shown"] for row in found.values() if row["family"] == "accent")
    assert alarms <= 4  # 1.25 expected; more than 4 in less than one of a hundred


def test_labels_that_look_like_missing_values_or_numbers_are_values() -> None:
    table = speakers(12, gender=lambda accent, at: ["None", "NA", "nan", "1_0"][at % 4])
    assert asked(table)["gender", "accent"]["n_units"] == 24
    assert list(banded(table["gender"])) == list(table["gender"])


def test_no_order_of_the_rows_changes_anything() -> None:
    table = speakers(9, gender=lambda accent, at: "fm"[at % 2], age=lambda accent, at: str(30 + at * 7 % 11))
    one = asked(table, ("gender", "age"))
    other = asked(table.sample(frac=1, random_state=3), ("gender", "age"))
    assert str(one) == str(other)


@pytest.mark.parametrize(("values", "bands"), [
    (["6", "7", "9", "11", "12", "20", "30"], ["6 to 9", "11 to 12", "20 to 30"]),
    (["1", "2", "3"], ["1", "2", "3"]),
])  # fmt: skip
def test_a_scale_is_cut_into_thirds_and_a_code_is_not(values: list[str], bands: list[str]) -> None:
    assert list(dict.fromkeys(banded(pd.Series(values, dtype="str")))) == bands
