"""Numbers and outside text as words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.card import wording


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a(U+0000)b"),
        ("abc\u202edcb", "abc(U+202E)dcb"),
        ("\u2066x\u2069", "(U+2066)x(U+2069)"),
        ("\x1b[31mred", "(U+001B)[31mred"),
        ("zero\u200bwidth", "zero(U+200B)width"),
        ("line\nbreak\ttab\u2028end", "line break tab end"),
        ("\ud800", "(U+D800)"),
        ("naïve 😀 שלום", "naïve 😀 שלום"),
    ],
)
def test_characters_that_hide_or_reorder_text_are_spelled_out(text: str, shown: str) -> None:
    assert wording.visible(text) == shown


@given(st.text())
def test_visible_text_stays_as_it_is_when_shown_again(text: str) -> None:
    once = wording.visible(text)
    assert wording.visible(once) == once


def test_a_long_text_is_cut_with_a_mark_and_its_length() -> None:
    shown = wording.outside("x" * 100_000)
    assert shown == "x" * 300 + " … (cut, 100,000 characters)"
    assert wording.outside("x" * 300) == "x" * 300


def test_a_bound_is_rounded_so_that_it_stays_true() -> None:
    assert wording.percent_at_least(0.8499) == "84.9%"
    assert wording.percent_at_most(0.1501) == "15.1%"
    assert wording.percent_at_least(0.849) == "84.9%"
    assert wording.percent_at_most(0.151) == "15.1%"


@given(st.floats(0, 3))
def test_a_rounded_bound_never_claims_too_much(share: float) -> None:
    assert float(wording.percent_at_least(share)[:-1]) <= 100 * share + 1e-4
    assert float(wording.percent_at_most(share)[:-1]) >= 100 * share - 1e-4


def test_a_missing_end_gives_no_interval() -> None:
    assert wording.between(None, 0.3) == ""
    assert wording.between(0.101, 0.15) == "(10.1 to 15.0)"
    assert wording.between(-0.1, 0.01, sign="+") == "(-10.0 to +1.0)"


def test_a_tiny_p_value_is_not_printed_as_zero() -> None:
    assert wording.p_value(0.0004) == "p < 0.001"
    assert wording.p_value(0.0124) == "p = 0.012"
    assert wording.p_value(None) == "p not evaluated"


def test_numbers_of_things_read_as_english() -> None:
    assert wording.count(1, "speaker") == "1 speaker"
    assert wording.support(2, 1200, speakers_known=True) == "2 speakers, 1,200 words"
    assert wording.support(0, 1, speakers_known=False) == "speakers unknown, 1 word"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/home/somebody/models/model.bin", "model.bin"),
        (r"C:\Users\somebody\model.bin", "model.bin"),
        ("~/models/tiny/", "tiny"),
        ("Systran/faster-whisper-tiny.en", "Systran/faster-whisper-tiny.en"),
        ("5", "5"),
    ],
)
def test_folders_of_the_machine_are_left_out(value: str, shown: str) -> None:
    assert wording.without_folder(value) == shown
