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


def error_slots(normalized_reference: str, normalized_hypothesis: str) -> list[int]:
    """Return where the errors of the same alignment lie: one entry an error, in order.

    2 i + 1 is a wrong or missing reference word i, counted from 0; 2 i is a word inserted before it (after the last one
    where i is their number). The aligner below jiwer is asked itself, whose answer is a twentieth of the time.
    """
    ref_words, hyp_words = normalized_reference.split(), normalized_hypothesis.split()
    operations = Levenshtein.editops(ref_words, hyp_words).as_list()
    # (kind, place in the reference, place in the hypothesis); its stubs do not say which element is which
    return [2 * int(operation[1]) + (operation[0] != "insert") for operation in operations]
