"""Words to error counts. The only importer of jiwer; the aligner inside it is asked for edits in ``word_edits``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import jiwer
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from pipeline.error_slots import ErrorSlots
from pipeline.records import ErrorCounts
from pipeline.word_edits import Edit, word_edits

COUNTED = ("hits", "substitutions", "deletions", "insertions", "ref_characters", "character_errors")
"""What ``count_all`` counts of a pair of texts, in the order of its columns."""
Pairs = tuple[Sequence[str], Sequence[str]]
BATCH = 5000
"""Pairs that the aligner is given at once: it keeps a copy of all of them."""


def count_errors(normalized_reference: str, normalized_hypothesis: str) -> ErrorCounts:
    """Count hits, substitutions, deletions and insertions of a minimum-edit-distance word alignment.

    Both texts are normalized already: words lie between spaces. An empty hypothesis is all deletions, an
    empty reference all insertions. The aligner is asked for counts only: what it calls a rate is a
    count when the reference is empty (jiwer 4.0).
    """
    ref_words, hyp_words = normalized_reference.split(), normalized_hypothesis.split()
    if not ref_words or not hyp_words:
        return ErrorCounts(0, 0, len(ref_words), len(hyp_words))
    out = jiwer.process_words(" ".join(ref_words), " ".join(hyp_words))
    return ErrorCounts(out.hits, out.substitutions, out.deletions, out.insertions)


def count_characters(normalized_reference: str, normalized_hypothesis: str) -> tuple[int, int]:
    """Count the characters of a reference, and the fewest edits that make the hypothesis of it.

    Words are joined by one space each, and that space is a character like any other. A character is a code point.
    jiwer's own aligner gives the distance that ``jiwer.process_characters`` adds up from its list of edits.
    """
    reference, hypothesis = " ".join(normalized_reference.split()), " ".join(normalized_hypothesis.split())
    return len(reference), Levenshtein.distance(reference, hypothesis)


def count_all(pairs: Pairs) -> tuple[NDArray[np.int64], ErrorSlots]:
    """Count as ``count_errors`` and ``count_characters`` do for many pairs of texts, and say where their errors lie.

    jiwer's own aligner is asked without jiwer, which takes several times as long for the same counts.

    Returns:
        Counts of shape (pairs, ``COUNTED``), and the slots of every pair.
    """
    counted, slots = [], []
    for one, other in zip(*pairs, strict=True):
        ref_words, hyp_words = one.split(), other.split()
        edits = word_edits(ref_words, hyp_words)
        counted.append((*_counts(len(ref_words), len(hyp_words), edits), *count_characters(one, other)))
        slots.append(_slots(edits))
    return np.array(counted, dtype=np.int64).reshape(-1, len(COUNTED)), _together(slots)


def _counts(ref_words: int, hyp_words: int, edits: list[Edit]) -> tuple[int, int, int, int]:
    substitutions = sum(edit[0] == "replace" for edit in edits)
    # the others are deletions and insertions, and the lengths tell how many more there are of the ones
    insertions = (len(edits) - substitutions + hyp_words - ref_words) // 2
    deletions = len(edits) - substitutions - insertions
    return ref_words - substitutions - deletions, substitutions, deletions, insertions


def _slots(edits: list[Edit]) -> list[int]:
    return [2 * edit[1] + (edit[0] != "insert") for edit in edits]


def _together(slots: Sequence[Sequence[int]]) -> ErrorSlots:
    counts = np.fromiter(map(len, slots), np.int64, len(slots))
    return ErrorSlots(counts, np.fromiter(chain.from_iterable(slots), np.int64, int(counts.sum())))


def all_error_slots(pairs: Pairs) -> ErrorSlots:
    """Return where the errors of the same alignments lie, without counting them."""
    both = zip(*pairs, strict=True)
    return _together([_slots(word_edits(one.split(), other.split())) for one, other in both])


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of one alignment that fared alike: ``reference[ref_start:ref_end]`` and ``hypothesis[hyp_start:hyp_end]``.

    Neighboring words that fared alike are one stretch, so a stretch of insertions is a whole run of inserted words.
    """

    kind: Literal["equal", "substitute", "delete", "insert"]
    ref_start: int
    ref_end: int
    hyp_start: int
    hyp_end: int


def align(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[Stretch, ...]]:
    """Align normalized (reference, hypothesis) pairs, each distinct pair once; of texts without words nothing is said.

    Of several minimal alignments it is the one whose counts ``count_errors`` gives; another could split runs otherwise.
    """
    distinct = list(dict.fromkeys(pairs))
    found: dict[tuple[str, str], tuple[Stretch, ...]] = {}
    both = []
    for pair in distinct:
        ref, hyp = len(pair[0].split()), len(pair[1].split())
        if ref and hyp:
            both.append(pair)
        else:
            kind: Literal["delete", "insert"] = "delete" if ref else "insert"
            found[pair] = (Stretch(kind, 0, ref, 0, hyp),) if ref or hyp else ()
    for start in range(0, len(both), BATCH):
        part = both[start : start + BATCH]
        out = jiwer.process_words([ref for ref, _ in part], [hyp for _, hyp in part])
        for pair, chunks in zip(part, out.alignments, strict=True):
            found[pair] = tuple(_stretch(chunk) for chunk in chunks)
    return found


def _stretch(chunk: Any) -> Stretch:
    return Stretch(chunk.type, chunk.ref_start_idx, chunk.ref_end_idx, chunk.hyp_start_idx, chunk.hyp_end_idx)
