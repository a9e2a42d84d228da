"""Words to error counts. The only importer of jiwer, and of the aligner inside it."""

import jiwer
from rapidfuzz.distance import Levenshtein

from pipeline.records import ErrorCounts


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
