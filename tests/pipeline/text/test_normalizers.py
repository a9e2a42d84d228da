"""What each normalizer keeps and what it rewrites; the second list is why two are always reported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.normalizers import NoSettings, Verbatim, WhisperEnglish

verbatim = Verbatim(NoSettings())
whisper_english = WhisperEnglish(NoSettings())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I ain't finna go, y'all gonna be late!", "i ain't finna go y'all gonna be late"),
        ("Um, uh -- well\u2026", "um uh well"),
        ("O\u2019Brien\u2019s well-known dog", "o'brien's well known dog"),
        ("Stra\u00dfe caf\u00e9 \uff21\uff22", "strasse caf\u00e9 ab"),
        ("goin' 'til 5", "goin' 'til 5"),
        ("null None NA", "null none na"),
        (" ' '' - ", ""),
        ("\u0906\u0935\u093e\u091c\u093c!", "\u0906\u0935\u093e\u091c\u093c"),
    ],
)
def test_verbatim_folds_case_punctuation_and_unicode_only(text: str, expected: str) -> None:
    assert verbatim(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I ain't finna go, y'all gonna be late", "i aint finna go you all going to be late"),
        ("Um, the colour", "the color"),
        ("O'Brien's", "0 brien is"),
        ("I don't know... 3.5 percent.", "i do not know 3.5%"),
        ("...", ""),
    ],
)
def test_whisper_english_rewrites_dialect_fillers_and_names(text: str, expected: str) -> None:
    assert whisper_english(text) == expected


@given(st.text(max_size=200))
def test_verbatim_is_idempotent_and_leaves_single_spaces(text: str) -> None:
    once = verbatim(text)
    assert verbatim(once) == once
    assert once == " ".join(once.split())


@given(st.text(max_size=80))
def test_whisper_english_takes_any_text(text: str) -> None:
    assert "  " not in whisper_english(text)
