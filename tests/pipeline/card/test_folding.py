"""Long tables without results become a sentence; short ones stay as they are."""

from pipeline.card.folding import MOST_EMPTY_ROWS, MOST_NAMES, any_lines, first_lines, folded, some_named
from pipeline.card.model import Row, TableCell


def rows(empty: int, told: int) -> list[Row]:
    found = [Row(head=f"e{n}", cells=[TableCell(lines=["not evaluated", "few"])]) for n in range(empty)]
    return [*found, *(Row(head=f"t{n}", cells=[TableCell(lines=["+1.0 points"])]) for n in range(told))]


def test_a_few_rows_without_a_result_stay_and_more_are_counted_and_point_to_their_table() -> None:
    few = rows(MOST_EMPTY_ROWS, 2)
    assert folded(few, first_lines("not evaluated"), noun="group", file="x.csv") == (few, [])
    kept, said = folded(rows(MOST_EMPTY_ROWS + 1, 2), first_lines("not evaluated"), noun="group", file="x.csv")
    assert [row.head for row in kept] == ["t0", "t1"]
    assert said[0].text == ("6 groups with nothing to compare under any condition not in this table; see x.csv.")


def test_a_row_with_a_result_under_one_condition_stays() -> None:
    mixed = Row(head="m", cells=[TableCell(lines=["not evaluated"]), TableCell(lines=["+1.0 points"])])
    kept, _ = folded([*rows(9, 0), mixed], first_lines("not evaluated"), noun="group", file="x.csv")
    assert kept == [mixed]
    assert any_lines("few")(rows(1, 0)[0])
    assert not any_lines("few")(mixed)


def test_many_names_are_cut_and_the_others_counted() -> None:
    names = [f"n{n}" for n in range(MOST_NAMES + 1)]
    assert some_named(names) == "; ".join(names)
    assert some_named([*names, "last"]).endswith("n9; and 2 more")
