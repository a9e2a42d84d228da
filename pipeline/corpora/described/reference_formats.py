"""Transcripts of conversation to reference texts: what marks mean, by the conventions of the corpus.

A mark of a sound that is no word is dropped. A mark that says that something said is not written down (a name
taken out, a stretch nobody understood, another language) makes the utterance unusable: a recognizer that hears
the words would be charged for them. A mark that is not listed here is taken for one of those.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

ReferenceFormat = Literal["as_given", "coraal", "edacc"]

_NOTE = re.compile(r"\([^()]*\)")
_SOUND = re.compile(r"<[^<>]*>")
_SLASHED = re.compile(r"/[^/]*/")
_STRAY = re.compile(r"[<>/()]")
_BRACKETS = str.maketrans("", "", "[]")

EDACC_SOUNDS: Final = frozenset({"breath", "click", "cough", "dtmf", "laugh", "lipsmack", "ring"})
EDACC_UNSCORED: Final = "ignore_time_segment_in_scoring"


class UnscorableError(ValueError):
    """A transcript does not say all that was said. The message names the mark."""


def _as_given(text: str) -> str:
    return text


def _coraal(text: str) -> str:
    """Return the words of one line of a CORAAL transcript.

    ``(pause 0.51)`` and other notes in parentheses and sounds such as ``<laugh>`` are dropped; square brackets mark
    speech that overlaps with another speaker's, and the words in them were said; between slashes stand redactions
    (``/RD-NAME-2/``), ``/unintelligible/`` and uncertain words.
    """
    slashed = _SLASHED.search(text)
    if slashed is not None:
        raise UnscorableError(f"the mark {slashed[0]} stands for words that are not written down, or uncertain")
    words = _SOUND.sub(" ", _NOTE.sub(" ", text)).translate(_BRACKETS)
    stray = _STRAY.search(words)
    if stray is not None:
        raise UnscorableError(f"the mark {stray[0]} has no partner, so that it cannot be told what it encloses")
    return " ".join(words.split())


def _edacc(text: str) -> str:
    """Return the words of one EdAcc utterance without the marks of sounds (``EDACC_SOUNDS``)."""
    if text.strip().casefold() == EDACC_UNSCORED:
        raise UnscorableError(f"{text.strip()}: the corpus leaves this stretch out of its own scoring")
    for mark in _SOUND.findall(text):
        if mark[1:-1].strip().casefold() not in EDACC_SOUNDS:
            raise UnscorableError(f"the mark {mark} stands for speech that is not written down")
    return " ".join(_SOUND.sub(" ", text).split())


FORMATS: Final[Mapping[ReferenceFormat, Callable[[str], str]]] = {
    "as_given": _as_given,
    "coraal": _coraal,
    "edacc": _edacc,
}
"""What makes a reference of a transcript; raises ``UnscorableError``."""
