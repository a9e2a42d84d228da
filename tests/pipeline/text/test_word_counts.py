"""Words after normalization: exact where all texts are counted, close where some are, and never by row order."""

import random

import numpy as np
import pandas as pd
import pytest

from pipeline.text.normalizers import NoSettings, Verbatim
from pipeline.text.word_counts import count_words

TEXTS = [" ".join(["word - word"] * random.Random(number).randint(1, 9) + [str(number)]) for number in range(400)]


def column(texts: list[str]) -> "pd.Series[str]":
    return pd.Series(texts, dtype="str")


def test_all_words_are_counted_where_the_texts_are_few() -> None:
    texts = ["it's here", "", "two - words", "it's here", "..."]
    assert count_words(column(texts), Verbatim(NoSettings()), most=4).tolist() == [2, 0, 2, 2, 0]


def test_of_many_texts_those_counted_are_exact_and_the_sum_of_all_is_close() -> None:
    normalize, asked = Verbatim(NoSettings()), []
    exact = count_words(column(TEXTS), normalize, most=400)
    found = count_words(column(TEXTS), lambda text: (asked.append(text), normalize(text))[1], most=40)
    assert len(asked) == 40
    places = [TEXTS.index(text) for text in asked]
    assert np.array_equal(found[places], exact[places])
    assert found.sum() == pytest.approx(exact.sum(), rel=0.02)


def test_neither_the_order_of_rows_nor_repeated_ones_change_an_estimate() -> None:
    normalize, order = Verbatim(NoSettings()), list(range(400))
    random.Random(0).shuffle(order)
    first = count_words(column(TEXTS), normalize, most=40)
    second = count_words(column([TEXTS[at] for at in order] * 2), normalize, most=40)
    assert second.tolist() == first[order * 2].tolist()


def test_texts_of_no_words_at_all_have_none() -> None:
    assert count_words(column(["", " ", "  "]), Verbatim(NoSettings()), most=1).tolist() == [0, 0, 0]
