"""Errors on the reference words that carry a tag; a part of ``summarize``.

In: Scores, Utterances, the user's tagged words, normalizers. Out: hits, substitutions and deletions of each tag in each
score of a tagged utterance. Excludes nothing: a tag that fits no word of the normalized reference is counted as such,
and so is one of an utterance that has no score.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import pandas as pd

from pipeline.corpora.word_files import TaggedWord
from pipeline.stats.tags import TaggedErrors
from pipeline.text.alignment import Stretch, align
from pipeline.text.sequences import Sequences

NAME = "summarize.tags"
KINDS = {"equal": "hits", "substitute": "substitutions", "delete": "deletions"}
Normalize = Callable[[str], str]
Placed = Mapping[str, tuple[frozenset[int], int]]
"""By tag: the places of its words in a normalized reference, and how many of its tags fit no word."""


def attribute_tags(
    scores: pd.DataFrame,
    utterances: pd.DataFrame,
    tagged: Sequence[TaggedWord],
    normalizers: Mapping[str, Normalize],
) -> TaggedErrors:
    """Give every tagged word what became of it in every score; each distinct pair of texts is aligned once."""
    by_utterance: dict[str, list[TaggedWord]] = defaultdict(list)
    for word in tagged:
        by_utterance[word.utterance_id].append(word)
    raw = dict(zip(utterances["utterance_id"], utterances["reference"], strict=True))
    chosen = scores[scores["utterance_id"].isin(by_utterance.keys())]
    texts = (chosen[name].tolist() for name in ("normalized_reference", "normalized_hypothesis"))
    pairs = list(zip(*texts, strict=True))
    fates = {pair: _fates(stretches) for pair, stretches in align(pairs).items()}
    placed: dict[tuple[str, str], Placed] = {}
    cached = {name: cache(normalize) for name, normalize in normalizers.items()}
    rows: list[tuple[int, str, int, int, int, int]] = []
    labels = (chosen.index.tolist(), chosen["utterance_id"].tolist(), chosen["normalizer"].tolist())
    keys = zip(*labels, pairs, strict=True)
    for row, utterance, normalizer, pair in keys:
        if (utterance, normalizer) not in placed:
            words = by_utterance[utterance]
            placed[utterance, normalizer] = place_tags(words, raw[utterance], pair[0], cached[normalizer])
        rows += [(row, tag, *counts) for tag, counts in _counted(placed[utterance, normalizer], fates[pair])]
    columns = ["row", "tag", "hits", "substitutions", "deletions", "unplaced"]
    counted = pd.DataFrame(rows, columns=columns).astype({name: "int64" for name in columns if name != "tag"})
    scored = set(chosen["utterance_id"])
    missing = Counter(word.tag for word in tagged if word.utterance_id not in scored)
    return TaggedErrors(counted, tuple(sorted({word.tag for word in tagged})), dict(missing))


def place_tags(words: Sequence[TaggedWord], raw: str, normalized: str, normalize: Normalize) -> Placed:
    """Find the words of a normalized reference that the tags of its raw text are about.

    A raw word is normalized by itself. Where the pieces do not add up to the normalized reference, because it turns
    several words into one ("twenty one"), only those that an alignment finds unchanged have a place.
    """
    pieces = [normalize(word).split() for word in raw.split()]
    target = _targets([word for piece in pieces for word in piece], normalized)
    starts = [sum(map(len, pieces[:place])) for place in range(len(pieces))]
    found: dict[str, set[int]] = defaultdict(set)
    unplaced: Counter[str] = Counter()
    for tagged in words:
        places = _places(tagged, pieces, starts, target, normalize) if tagged.index is not None else None
        if places is None and tagged.index is None:
            form = tuple(normalize(tagged.word).split())
            places = {p for o in Sequences({"": [form]}).find(normalized) for p in range(o.start, o.end)}
        found[tagged.tag] |= places or set()
        unplaced[tagged.tag] += not places
    return {tag: (frozenset(found[tag]), unplaced[tag]) for tag in found}


def _places(
    tagged: TaggedWord,
    pieces: Sequence[Sequence[str]],
    starts: Sequence[int],
    target: Mapping[int, int],
    normalize: Normalize,
) -> set[int] | None:
    """Return the places of a word given by its index; None if it is not there, is another, or is normalized away."""
    at = tagged.index
    if at is None or at >= len(pieces) or (tagged.word and normalize(tagged.word).split() != list(pieces[at])):
        return None
    places = range(starts[at], starts[at] + len(pieces[at]))
    return {target[p] for p in places} if all(p in target for p in places) else None


def _targets(pieces: Sequence[str], normalized: str) -> dict[int, int]:
    words = normalized.split()
    if list(pieces) == words:
        return {place: place for place in range(len(words))}
    joined = " ".join(pieces)
    stretches = align([(joined, normalized)])[joined, normalized]
    return {
        s.ref_start + step: s.hyp_start + step
        for s in stretches
        if s.kind == "equal"
        for step in range(s.ref_end - s.ref_start)
    }


def _fates(stretches: Sequence[Stretch]) -> list[str]:
    """Return what became of each reference word, in order."""
    return [KINDS[s.kind] for s in stretches if s.kind in KINDS for _ in range(s.ref_end - s.ref_start)]


def _counted(placed: Placed, fates: Sequence[str]) -> list[tuple[str, tuple[int, int, int, int]]]:
    counted = []
    for tag, (places, unplaced) in placed.items():
        kinds = Counter(fates[place] for place in places)
        counted.append((tag, (kinds["hits"], kinds["substitutions"], kinds["deletions"], unplaced)))
    return counted
