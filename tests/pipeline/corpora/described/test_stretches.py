"""Who talks into whom, and which words of a transcript were said and written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.described.reference_formats import FORMATS, UnscorableError
from pipeline.corpora.described.stretches import Stretch, overlapped, times

STRETCH = st.builds(
    lambda recording, speaker, start, length: Stretch(recording, speaker, float(start), float(start + length)),
    st.sampled_from("xy"), st.sampled_from("abc"), st.integers(0, 8), st.integers(0, 5),
)  # fmt: skip


def shares(one: Stretch, other: Stretch) -> bool:
    together = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return one.recording == other.recording and one.speaker != other.speaker and together > 0.0


@given(st.lists(STRETCH, max_size=12))
def test_a_stretch_is_overlapped_when_another_speaker_shares_time_with_it(stretches: list[Stretch]) -> None:
    assert overlapped(stretches) == [any(shares(one, other) for other in stretches) for one in stretches]


def test_stretches_that_touch_do_not_overlap_and_one_inside_another_does() -> None:
    outer, inner, after = Stretch("r", "a", 0, 4), Stretch("r", "b", 1, 2), Stretch("r", "c", 4, 5)
    assert overlapped([outer, None, inner, after]) == [True, False, True, False]


@pytest.mark.parametrize(("start", "end"), [("", "1"), ("1", ""), ("nan", "1"), ("0", "inf"), ("-1", "1"), ("x", "1")])
def test_what_is_no_time_is_refused(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="not two times in seconds"):
        times(start, end)


@pytest.mark.parametrize(
    ("given_text", "words"),
    [
        ("Plain words, it's fine.", "Plain words, it's fine."),
        ("So [<laugh> yeah] (laughing) then", "So yeah then"),
        ("He [went", "He went"),
        ("(pause 0.51)", ""),
        ("th- the", "th- the"),
    ],
)
def test_coraal_marks_of_sounds_and_overlap_go_and_words_stay(given_text: str, words: str) -> None:
    assert FORMATS["coraal"](given_text) == words


@pytest.mark.parametrize("text", ["my /RD-NAME-1/", "/unintelligible/", "/?maybe/ so", "a (b", "a> b", "either / or"])
def test_coraal_lines_that_do_not_say_all_that_was_said_cannot_be_scored(text: str) -> None:
    with pytest.raises(UnscorableError, match="mark"):
        FORMATS["coraal"](text)


@pytest.mark.parametrize(
    ("text", "words"), [("WELL <LAUGH> NOW", "WELL NOW"), ("<breath>", ""), ("A < B", "A < B"), ("<lipsmack> SO", "SO")]
)
def test_edacc_marks_of_sounds_go(text: str, words: str) -> None:
    assert FORMATS["edacc"](text) == words


@pytest.mark.parametrize(
    "text", ["<overlap>", "A <FOREIGN> B", "<no-speech>", "<new mark>", "IGNORE_TIME_SEGMENT_IN_SCORING"]
)
def test_edacc_marks_of_speech_and_unknown_marks_make_an_utterance_unusable(text: str) -> None:
    with pytest.raises(UnscorableError):
        FORMATS["edacc"](text)
