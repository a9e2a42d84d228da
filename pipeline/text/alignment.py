"""Words to error counts. The only importer of jiwer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import jiwer

from pipeline.records import ErrorCounts

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
