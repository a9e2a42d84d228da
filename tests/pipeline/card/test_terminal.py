"""The summary that a run prints."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from pipeline.card import terminal
from pipeline.card.content import CardInput, build
from pipeline.card.gate_settings import GateSettings

Build = Callable[..., CardInput]


def printed(source: CardInput, *, width: int = 100, color: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=color, color_system="standard" if color else None)
    terminal.summary(build(source), console, card_path="results/quickstart/card.html")
    return file.getvalue()


def test_the_table_the_gaps_and_the_path_are_printed(study: Build) -> None:
    text = printed(study(synthetic=True))
    for shown in ("38.3% (27.4-53.7)", "6 spk, 180 w", "no interval", "not ranked", "all accents pooled"):
        assert shown in text
    assert "naive gap 30.0 points" in text
    assert "says nothing about any people" in " ".join(text.split())
    assert text.endswith("Card: results/quickstart/card.html\n")


def test_no_line_is_wider_than_the_terminal(study: Build) -> None:
    source = study(
        accents={"a rather long name of an accent " * 3: 6, "b": 6}, conditions=[f"cond_{i}" for i in range(7)]
    )
    for width in (60, 80, 100):
        assert max(map(len, printed(source, width=width).splitlines())) <= width


def test_four_conditions_fit_beside_each_other_in_a_hundred_columns(study: Build) -> None:
    source = study(conditions=["clean", "babble_10", "landline_g711", "machine_tonal_5"])
    header = next(line for line in printed(source).splitlines() if line.startswith("group"))
    assert all(name in header for name in ("clean", "babble_10", "landline_g711", "machine_tonal_5"))


def test_labels_are_printed_and_not_obeyed(study: Build) -> None:
    text = printed(study(accents={"[red]x[/red] [/]": 6, "\x1b[2Jy": 6}, conditions=["clean", "[link=x]"]))
    assert "[red]x[/red] [/]" in text
    assert "[link=x]" in text
    assert "\x1b" not in text


def test_nothing_scored_is_said(study: Build) -> None:
    assert "Nothing was scored" in printed(study(scored=False))


@pytest.mark.parametrize(
    ("limit", "verdict"), [(0.25, "Gates kept (rule point: 3 kept)."), (0.2, "Gates broken (rule")]
)
def test_the_worst_group_the_gap_and_the_gates_stand_above_the_path_in_words_and_only_then_in_color(
    study: Build, limit: float, verdict: str
) -> None:
    source = replace(study(), gate=GateSettings(max_gap=limit))
    text = " ".join(printed(source, width=80).split())
    worst = "Highest WER: v_w_merger under landline_g711, 58.3% (41.7 to 81.7), 6 speakers, 180 words."
    gap = "Largest model gap: 21.0 points (10.5 to 31.5) under landline_g711, 4 groups, 36 speakers, 1,080 words"
    places = [text.index(part) for part in (worst, gap, verdict, "Card: ")]
    assert places == sorted(places)
    assert text.count("Gates ") == 1
    assert "\x1b" not in text
    assert "\x1b" in printed(source, color=True)


def test_where_nothing_is_ranked_there_is_no_worst_group(study: Build) -> None:
    text = printed(study(accents={"a": 2}))
    assert "Highest WER: not evaluated (no group is ranked)." in text
    assert "Largest model gap: not evaluated." in text
    assert "Gates" not in text
