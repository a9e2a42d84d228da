"""Numbers and outside text as words: one format each, nothing hidden, nothing claimed that rounding would break."""

import math
import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator

NOT_EVALUATED = "not evaluated"
NOT_RECORDED = "not recorded"
SYNTHETIC = "synthetic speech; says nothing about any people"
TEXT_LIMIT = 300
LABEL_LIMIT = 60
MOST_TOLD = 100.0
"""A larger factor is only said to be larger."""

_SPACE = re.compile("[ \t\n\v\f\r\x85\u2028\u2029]+")
# Control characters, marks that reorder or hide text (bidi, zero-width space, tags, BOM), lone surrogates.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Return ``text`` on one line, with characters that hide or reorder text spelled out, as in ``(U+202E)``."""
    return _UNSEEN.sub(lambda match: f"(U+{ord(match[0]):04X})", _SPACE.sub(" ", text)).strip()


Shown = Annotated[str, AfterValidator(visible)]
"""Text that a reader will see; made safe when the model is built, so that no template can forget it."""


def outside(text: str, *, limit: int = TEXT_LIMIT) -> str:
    """Return text that somebody else wrote, visible and cut to ``limit`` characters with a mark that says so."""
    cut = len(text) > limit
    return visible(text[:limit]) + (f" … (cut, {len(text):,} characters)" if cut else "")


def label(text: str) -> str:
    """Return the name of an accent, condition, backend or normalizer as a reader sees it."""
    seen = visible(text[:LABEL_LIMIT])
    return f"{seen}…" if len(text) > LABEL_LIMIT else seen or "(no name)"


def percent(share: float | None) -> str:
    """Return a share as a percentage with one decimal: 0.1234 -> ``12.3%``."""
    return "no value" if share is None else f"{100 * share:.1f}%"


def percent_at_most(share: float) -> str:
    """Return a percentage rounded up, so that "or lower" stays true."""
    return f"{math.ceil(round(1000 * share, 6)) / 10:.1f}%"


def percent_at_least(share: float) -> str:
    """Return a percentage rounded down, so that "or higher" stays true."""
    return f"{math.floor(round(1000 * share, 6)) / 10:.1f}%"


def points(difference: float | None) -> str:
    """Return a difference of two WERs in percentage points, with its sign."""
    return "no value" if difference is None else f"{100 * difference:+.1f} points"


def gap_points(difference: float | None) -> str:
    """Return the size of a gap in percentage points."""
    return "no value" if difference is None else f"{100 * difference:.1f} points"


def times(ratio: float | None) -> str:
    """Return a ratio with two decimals: ``1.40 times``."""
    return "no value" if ratio is None else f"{ratio:.2f} times"


def could_be_seen(ratio: float) -> str:
    """Return what would probably have been seen; rounded up, so that it stays true."""
    if ratio > MOST_TOLD:
        return f"only an extra factor above {MOST_TOLD:g} would probably have been seen"
    return f"an extra factor of {rounded_up(ratio)} or more would probably have been seen"


def rounded_up(ratio: float) -> str:
    """Return a ratio with two decimals, rounded up, so that "or more" stays true: 1.401 -> ``1.41``."""
    return f"above {MOST_TOLD:g}" if ratio > MOST_TOLD else f"{math.ceil(round(100 * ratio, 6)) / 100:.2f}"


def between(low: float | None, high: float | None, *, scale: float = 100.0, digits: int = 1, sign: str = "") -> str:
    """Return an interval in words, ``(10.1 to 15.0)``; empty if either end is missing."""
    if low is None or high is None:
        return ""
    return f"({scale * low:{sign}.{digits}f} to {scale * high:{sign}.{digits}f})"


def p_value(p: float | None) -> str:
    """Return ``p = 0.012``, or ``p < 0.001`` below what the digits can say."""
    if p is None:
        return f"p {NOT_EVALUATED}"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def count(number: int, noun: str) -> str:
    """Return ``1 speaker`` or ``1,200 words``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def support(n_speakers: int, n_words: int, *, speakers_known: bool) -> str:
    """Return what stands behind a number: ``12 speakers, 1,200 words``."""
    people = count(n_speakers, "speaker") if speakers_known else "speakers unknown"
    return f"{people}, {count(n_words, 'word')}"


def listed(items: Iterable[str], *, empty: str = "none") -> str:
    """Join ``items`` with commas; ``empty`` if there are none."""
    return ", ".join(items) or empty


def without_folder(value: str) -> str:
    """Return only the last part of an absolute path, so that no machine's folders reach a published file."""
    absolute = value.startswith(("/", "~", "\\\\")) or re.match(r"[A-Za-z]:[\\/]", value)
    return re.split(r"[\\/]", value.rstrip("\\/"))[-1] if absolute else value
