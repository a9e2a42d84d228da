"""Text files of the speech toolkits: Kaldi's ``text``, and NIST's ``trn`` and ``ctm`` (SCTK, "Input file formats").

Where a trn or ctm file offers alternatives, the first one counts: a hypothesis must say one thing.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.asr.imported.found import Choice, Found, UnreadableError, of_channel

COMMENT = ";;"
BEGIN, OTHER, END = "<ALT_BEGIN>", "<ALT>", "<ALT_END>"
"""Words of a ctm file that delimit alternatives."""

BLANKS = re.compile(r"[ \t]+")  # and no other space: a word of another script may hold one

Word = tuple[float, str]
"""Start in seconds, and what was said."""


def read_kaldi(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read lines of an utterance id and its words; an id alone is an empty hypothesis."""
    for number, line in _lines(lines):
        utterance_id, *words = BLANKS.split(line, maxsplit=1)
        if not utterance_id:
            raise UnreadableError(f"line {number} begins with a blank where an utterance id must stand: {line[:80]!r}")
        yield Found(words[0] if words else "", utterance_id, "id", line=number)


def read_trn(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read lines of words and, at the end in parentheses, an utterance id."""
    for number, line in _lines(lines):
        if line.startswith(COMMENT):
            continue
        # he met the first (and last) of them (spk1_0001)
        before, opening, behind = line.rstrip().rpartition("(")
        if not opening or not behind.endswith(")") or not behind[:-1].strip():
            raise UnreadableError(f"line {number} does not end in an utterance id in parentheses: {line[-80:]!r}")
        yield Found(_first_alternatives(before.rstrip(" \t"), number), behind[:-1], "id", line=number)


def _first_alternatives(text: str, number: int) -> str:
    """Return ``i've { um / uh / @ } seen`` as ``i've um seen``; a text without braces to the letter."""
    words = BLANKS.split(text)
    if "{" not in words:
        return text
    open_: list[bool] = []  # of each brace that is open: are we still in its first alternative?
    kept = []
    for word in words:
        if word == "{":
            open_.append(True)
        elif word == "}" and open_:
            open_.pop()
        elif word == "/" and open_:
            open_[-1] = False
        elif all(open_) and not (word == "@" and open_):
            kept.append(word)
    if open_:
        raise UnreadableError(f"line {number} opens an alternative with '{{' that no '}}' closes")
    return " ".join(kept)


def read_ctm(lines: Iterable[str], choice: Choice) -> Iterator[Found]:
    """Read lines of recording, channel, start, duration, word and perhaps confidence; a text is its words by time.

    A recording of which nothing was heard has no line, and so is missing.
    """
    recordings: dict[str, dict[str, list[Word]]] = {}
    other: set[tuple[str, str]] = set()  # recordings and channels that are past the first alternative
    for number, line in _lines(lines):
        fields = BLANKS.split(line.strip(" \t"))
        if not fields or line.startswith(COMMENT):
            continue
        if len(fields) not in (5, 6):
            raise UnreadableError(
                f"line {number} has {len(fields)} fields, not 5 or 6 (recording, channel, start, duration, word,"
                f" confidence): {line[:80]!r}"
            )
        recording, channel, start, _, word = fields[:5]
        words = recordings.setdefault(recording, {}).setdefault(channel, [])
        if word in (BEGIN, OTHER, END):
            (other.add if word == OTHER else other.discard)((recording, channel))
        elif (recording, channel) not in other:
            words.append((_seconds(start, number), word))
    for recording, by_channel in recordings.items():
        yield Found(_by_time(_chosen(recording, by_channel, choice)), recording, "id")


def _chosen(recording: str, by_channel: dict[str, list[Word]], choice: Choice) -> list[Word]:
    try:
        return of_channel(by_channel, choice)
    except UnreadableError as error:
        raise UnreadableError(f"has recording {recording}, which {error}") from error


def _by_time(words: Sequence[Word]) -> str:
    return " ".join(word for _, word in sorted(words, key=lambda word: word[0]))  # stable: the file's order decides


def _seconds(field: str, number: int) -> float:
    try:
        start_s = float(field)
    except ValueError:
        start_s = math.nan
    if not math.isfinite(start_s):
        raise UnreadableError(f"line {number}: the start {field!r} is not a time in seconds")
    return start_s


def _lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line.rstrip("\r\n")
