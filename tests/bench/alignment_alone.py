"""Alignment and nothing else, light to import: processes that help are started for it."""

import jiwer
from rapidfuzz.distance import Levenshtein

Pairs = tuple[list[str], list[str]]


def as_it_is(text: str) -> str:
    """Normalize nothing: the texts are made of words and single spaces."""
    return text


def jiwer_alone(pairs: Pairs) -> int:
    """Align with jiwer, many pairs a call, as anybody would; its counts are sums over the pairs."""
    return int(jiwer.process_words(*pairs).hits)


def aligner_alone(pairs: Pairs) -> int:
    """Ask the aligner inside jiwer for the edits of every pair, and do nothing with them."""
    return sum(len(Levenshtein.editops(one.split(), other.split())) for one, other in zip(*pairs, strict=True))
