"""Named normalizers, applied exactly once, to raw text. At least two are reported, because the choice decides results.

``whisper_english`` makes results comparable with public leaderboards, and it rewrites dialect and damages
names and number strings; ``verbatim`` only folds case, punctuation and Unicode form.
"""

import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from whisper_normalizer.english import EnglishTextNormalizer


class Normalizer(Protocol):
    """Turns raw text into words separated by single spaces."""

    Settings: ClassVar[type[BaseModel]]

    def __call__(self, text: str) -> str:
        """Return the normalized text; words are what lies between spaces."""

    def version(self) -> str:
        """Return what decides the output beside the text."""


class NoSettings(BaseModel):
    """A normalizer without parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WhisperEnglish:
    """OpenAI Whisper's English text normalizer, from the torch-free ``whisper-normalizer`` package.

    One departure: a word of nothing but full stops, which it leaves of an ellipsis, is no word here.

    It drops fillers and bracketed text, expands contractions, spells numbers as digits and turns British
    into American spelling. It is not idempotent on number strings, so it is applied once.
    """

    Settings: ClassVar[type[BaseModel]] = NoSettings

    def __init__(self, settings: NoSettings) -> None:
        self.settings = settings

    @cached_property
    def _normalize(self) -> "EnglishTextNormalizer":
        from whisper_normalizer.english import EnglishTextNormalizer

        return EnglishTextNormalizer()

    def __call__(self, text: str) -> str:
        """Return the normalized text."""
        return " ".join(word for word in str(self._normalize(text)).split() if word.strip("."))

    def version(self) -> str:
        """Return the package and its version."""
        from importlib.metadata import version

        return f"whisper-normalizer {version('whisper-normalizer')} without lone full stops"


class Verbatim:
    """Case, punctuation and Unicode form only: keeps fillers, contractions and dialect forms.

    An apostrophe inside or at the edge of a word stays (``y'all``, ``goin'``); hyphens and dashes part
    words; every other character that is no letter, mark or number becomes a space.
    """

    Settings: ClassVar[type[BaseModel]] = NoSettings

    def __init__(self, settings: NoSettings) -> None:
        self.settings = settings

    def __call__(self, text: str) -> str:
        """Return the normalized text."""
        # NFKC first: a full-width letter or a ligature folds to its plain form before the case does
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        return " ".join(word for word in folded.translate(_KEPT).split() if word.strip("'"))

    def version(self) -> str:
        """Return the version of these rules and of the Unicode tables behind them."""
        return f"verbatim 1, Unicode {unicodedata.unidata_version}"


class _Kept(dict[int, str]):
    """What each character becomes, found when it is first seen: itself in a word, an apostrophe, or a space."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        inside = char if unicodedata.category(char)[0] in "LMN" else " "
        self[code] = "'" if char in "'\u2018\u2019\u02bc\u0060\u00b4" else inside
        return self[code]


_KEPT = _Kept()


def normalize_all(normalize: Callable[[str], str], texts: Sequence[str]) -> list[str]:
    """Return every text normalized, in the same order; a function by name, so that other processes can be sent it."""
    return [normalize(text) for text in texts]
