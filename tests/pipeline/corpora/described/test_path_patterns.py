"""Patterns of paths say what a path says, and nothing else."""

import contextlib
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.described.path_patterns import PathPattern

NAMES = st.text(string.ascii_letters + string.digits + "_-. '(,é", min_size=1, max_size=8)


def test_a_name_stands_for_characters_of_one_folder_or_file() -> None:
    pattern = PathPattern("wav/{speaker}/{utterance}.wav")
    assert pattern.names == ("speaker", "utterance")
    assert pattern.match("wav/p225/p225_001.wav") == {"speaker": "p225", "utterance": "p225_001"}
    for other in (
        "wav/p225/x/p225_001.wav",
        "wav/p225_001.wav",
        "wav/p225/.wav",
        "WAV/p225/p225_001.wav",
        "wav/p225/awav",
    ):
        assert pattern.match(other) is None


def test_a_name_that_occurs_again_stands_for_the_same() -> None:
    pattern = PathPattern("{speaker}/{speaker}_{sentence}.wav")
    assert pattern.match("s1/s1_4.wav") == {"speaker": "s1", "sentence": "4"}
    assert pattern.match("s1/s2_4.wav") is None
    assert PathPattern("{speaker}/{speaker}.wav", ignore_case=True).match("S1/s1.WAV") == {"speaker": "S1"}


def test_a_name_may_say_which_characters_it_takes() -> None:
    pattern = PathPattern("{part:train|test}/{speaker:G[0-9]+}.wav")
    assert pattern.match("test/G01.wav") == {"part": "test", "speaker": "G01"}
    assert pattern.match("dev/G01.wav") is None
    assert pattern.match("test/H01.wav") is None


def test_stars_stand_for_anything_in_a_name_and_for_any_folders() -> None:
    pattern = PathPattern("**/{speaker}/*.trans.txt")
    assert pattern.match("s1/x.trans.txt") == {"speaker": "s1"}
    assert pattern.match("a/b/s1/.trans.txt") == {"speaker": "s1"}
    assert pattern.match("x.trans.txt") is None


@pytest.mark.parametrize(
    "wrong", ["", "/abs/{a}.wav", "{}.wav", "{a b}.wav", "{a.wav", "a}.wav", "{a:[}.wav", "{a:(x)}.wav", "{1a}"]
)
def test_a_pattern_that_means_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"'{wrong}'")):
        PathPattern(wrong).match("a.wav")


def test_what_every_path_begins_with_is_known_unless_case_is_ignored() -> None:
    pattern = PathPattern("{subset}/wav/{speaker}/{utterance}.wav")
    assert pattern.fixed_folder({}) == ""
    assert pattern.fixed_folder({"subset": "test"}) == "test/wav"
    assert PathPattern("a/b/{x}.wav").fixed_folder({}) == "a/b"
    assert PathPattern("a/b/{x}.wav", ignore_case=True).fixed_folder({}) == ""
    assert PathPattern("x.wav").fixed_folder({}) == ""


@settings(max_examples=60, deadline=None)
@given(speaker=NAMES, utterance=NAMES)
def test_the_path_that_values_name_says_these_values(speaker: str, utterance: str) -> None:
    pattern = PathPattern("a (b)/{speaker}/x-{speaker}/{utterance}.wav")
    path = pattern.filled({"speaker": speaker, "utterance": utterance})
    assert pattern.match(path) == {"speaker": speaker, "utterance": utterance}
    assert pattern.filled({"speaker": speaker}) == f"a (b)/{speaker}/x-{speaker}/{{utterance}}.wav"


@settings(max_examples=60, deadline=None)
@given(text=st.text("{}*/:ab[](?.\\", max_size=12), path=st.text("ab/.", max_size=8))
def test_any_text_is_a_pattern_or_one_error(text: str, path: str) -> None:
    with contextlib.suppress(ValueError):
        found = PathPattern(text).match(path)
        assert found is None or set(found) == set(PathPattern(text).names)
