"""The numbers of section 10: which words are taken for others, and whether confidence tells errors."""

from typing import Literal

from pipeline.card.keys import Number, Rate
from pipeline.card.wording import Shown

Kind = Literal["replaced", "left_out", "inserted"]


class Confusion(Number):
    """How often one word was heard as another in one group, under all conditions together."""

    kind: Kind
    reference_word: Shown
    """empty where a word was inserted"""
    heard_word: Shown
    """empty where a word was left out"""
    n_words: int
    """how often"""
    n_said_words: int | None
    """how often the reference word was said; missing where none was, and under a publication floor"""
    n_speakers: int
    """of whom this was heard"""


class Confidence(Number):
    """How the recognizer's own mean log-probability goes with its errors in one group, over all conditions."""

    n_speakers: int
    n_trials: int
    n_wrong: int
    """trials with at least one word error"""
    n_ref_words: int
    auc: Rate
    """how often a wrong trial is less sure than a right one, ties half; 0.5 tells nothing"""
    n_ref_words_least: int
    wer_least_sure: Rate
    n_ref_words_most: int
    wer_most_sure: Rate
