"""How many words texts have after normalization: counted, or of very many estimated from some, chosen by hash.

A normalizer may take a third of a millisecond a text, which of a million texts is minutes.
"""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.text.pairs import Texts


def count_words(texts: "pd.Series[str]", normalize: Callable[[str], str], *, most: int) -> NDArray[np.float64]:
    """Return the number of words of every text after ``normalize``, one value a row.

    Of more than ``most`` distinct texts so many are counted, and the others have their words between spaces times
    the share that normalization leaves of such words in those that were counted: no whole numbers then.
    """
    known = Texts.of(texts)
    distinct = known.distinct
    spaced = np.array([len(text.split()) for text in distinct], dtype=np.float64)
    chosen = sample(distinct, most)
    counted = np.array([len(normalize(distinct[at]).split()) for at in chosen], dtype=np.float64)
    among = spaced[chosen].sum()
    words = spaced * (counted.sum() / among if among else 0.0)
    words[chosen] = counted
    return words[known.places]


def sample(texts: Sequence[str], most: int) -> NDArray[np.int64]:
    """Return the places of ``most`` texts, or of all where they are fewer; the same texts in whatever order."""
    if len(texts) <= most:
        return np.arange(len(texts), dtype=np.int64)
    hashes = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
    return np.array(sorted(range(len(texts)), key=hashes.__getitem__)[:most], dtype=np.int64)
