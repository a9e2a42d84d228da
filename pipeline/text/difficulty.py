"""How hard the texts of each group are, by their references alone: length, words, digits, spelled letters.

*In*: raw and normalized references with their groups. *Out*: counts and shares of each group, and of all together.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from scipy.special import gammaln

MOST_DRAWN: Final = 1_000
"""Words among which distinct ones are counted: more would say how large a corpus is."""
_LETTER = re.compile(r"[^\W\d_]\.?|(?:[^\W\d_]\.){2,}[^\W\d_]?")
_DIGIT = re.compile(r"\d")
_ALONE = re.compile(r"(?<![^\W_])[^\W\d_](?![^\W_])")
"""A letter between signs: most texts have none, and need not be looked at word by word."""
_WORDS_OF_ONE_LETTER = frozenset("aioAIO")
_EDGES = ",;:!?\"'()[]"


@dataclass(slots=True)
class Texts:
    """What was counted in the texts of one group."""

    utterances: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    raw_words: int = 0
    with_digit: int = 0
    spelled: int = 0

    def add(self, raw: str, normalized: str, times: int) -> None:
        """Count a text that occurs so many times."""
        self.utterances += times
        self.texts[normalized] += times
        words = normalized.split()
        self.words.update(words if times == 1 else words * times)
        given = raw.split()
        self.raw_words += times * len(given)
        self.with_digit += times * sum(map(bool, map(_DIGIT.search, given))) if _DIGIT.search(raw) else 0
        if _ALONE.search(raw):
            self.spelled += times * spelled_letters(given)


def spelled_letters(words: Iterable[str]) -> int:
    """Return how many of ``words`` are letters spelled out; a, i and o are words unless they stand beside a letter."""
    plain = [word.strip(_EDGES) for word in words]
    single = [_LETTER.fullmatch(word) is not None for word in plain]
    # o'clock and A.M. hold letters too, and are read as words or as letters: only the second is counted
    beside = [any(single[max(0, at - 1) : at] + single[at + 1 : at + 2]) for at in range(len(plain))]
    return sum(
        is_single and (word[:1] not in _WORDS_OF_ONE_LETTER or len(word.replace(".", "")) > 1 or near)
        for word, is_single, near in zip(plain, single, beside, strict=True)
    )


def collect(rows: Iterable[tuple[str, str, str]]) -> dict[str, Texts]:
    """Return what was counted by group, of (group, raw, normalized) of every utterance."""
    found: dict[str, Texts] = defaultdict(Texts)
    for (group, raw, normalized), times in Counter(rows).items():
        found[group].add(raw, normalized, times)
    return dict(sorted(found.items()))


def difficulty(groups: Mapping[str, Texts], *, pooled: str, known: Collection[str] | None) -> list[dict[str, Any]]:
    """Return a row for each group and one for all (``pooled``), in the columns of ``audit_tables.AuditTexts``.

    ``known``: common words; None: there is no list. A word or text is a group's own if no other group has it.
    """
    drawn = min((sum(one.words.values()) for one in groups.values()), default=0)
    drawn = min(drawn, MOST_DRAWN)
    readers = Counter(text for one in groups.values() for text in one.texts)
    speakers = Counter(word for one in groups.values() for word in one.words)
    rows = [
        _row(name, one, known, drawn)
        | {
            "shared_share": _share(sum(n for text, n in one.texts.items() if readers[text] > 1), one.utterances),
            "own_word_share": _share(
                sum(n for word, n in one.words.items() if speakers[word] == 1), sum(one.words.values())
            ),
        }
        for name, one in groups.items()
    ]
    everything = _together(groups.values())
    shared = sum(n for text, n in everything.texts.items() if readers[text] > 1)
    total = {"shared_share": _share(shared, everything.utterances), "own_word_share": None}
    return [*rows, _row(pooled, everything, known, drawn) | total]


def _together(groups: Iterable[Texts]) -> Texts:
    total = Texts()
    for one in groups:
        total.utterances += one.utterances
        total.texts += one.texts
        total.words += one.words
        total.raw_words += one.raw_words
        total.with_digit += one.with_digit
        total.spelled += one.spelled
    return total


def _row(name: str, one: Texts, known: Collection[str] | None, drawn: int) -> dict[str, Any]:
    n_words = sum(one.words.values())
    outside = None if known is None else sum(n for word, n in one.words.items() if word not in known)
    return {
        "accent": name,
        "n_utterances": one.utterances,
        "n_texts": len(one.texts),
        "n_words": n_words,
        "words_per_utterance": _share(n_words, one.utterances),
        "characters_per_word": _share(sum(len(word) * n for word, n in one.words.items()), n_words),
        "out_of_list_share": None if outside is None else _share(outside, n_words),
        "digit_share": _share(one.with_digit, one.raw_words),
        "spelled_share": _share(one.spelled, one.raw_words),
        "types_per_words": min(1.0, expected_types(one.words.values(), drawn) / drawn) if drawn else None,
        "drawn_words": drawn,
    }


def expected_types(counts: Iterable[int], drawn: int) -> float:
    """Return how many distinct words ``drawn`` words are expected to hold, drawn without replacement.

    sum over words of 1 - C(N - f, n) / C(N, n). Source: S. Hurlbert, "The nonconcept of species diversity" (1971);
    unlike a plain type-token ratio it does not fall as a corpus grows.
    """
    frequencies = np.fromiter(counts, dtype=np.float64)
    total = float(frequencies.sum())
    left = total - frequencies
    possible = left >= drawn
    log_none = np.full(len(frequencies), -np.inf)
    log_none[possible] = (
        gammaln(left[possible] + 1)
        - gammaln(left[possible] - drawn + 1)
        - gammaln(total + 1)
        + gammaln(total - drawn + 1)
    )
    return float((1 - np.exp(log_none)).sum())


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
