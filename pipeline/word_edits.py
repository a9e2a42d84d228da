"""The edits of one minimal word alignment. The only importer of the aligner that scoring, too, counts by."""

from collections.abc import Sequence
from typing import cast

from rapidfuzz.distance import Levenshtein

Edit = tuple[str, int, int]
"""Kind (replace, delete or insert), place in the reference, place in the hypothesis."""


def word_edits(ref_words: Sequence[str], hyp_words: Sequence[str]) -> list[Edit]:
    """Return what makes the hypothesis of the reference, in the order of the words.

    Of several minimal alignments it is always the same one, so what is shown of a trial is what was counted of it.
    """
    # its stubs do not say which element is which
    return cast(list[Edit], Levenshtein.editops(ref_words, hyp_words).as_list())
