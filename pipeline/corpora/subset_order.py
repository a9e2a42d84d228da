"""The order in which rows are chosen: by the BLAKE2b hash of the seed and a name, the lowest first.

So a choice hangs on no order of rows and on no random numbers; more of the same is a superset; and a speaker who joins
the corpus displaces at most one other of the same accent and values. A speaker's hash leaves the accent out: where the
same voices read under several accents, they are chosen together.
"""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.base import VOICE
from pipeline.corpora.subset_settings import SubsetSettings
from pipeline.errors import ConfigError, did_you_mean
from pipeline.tables import ATTRIBUTE_PREFIX


def prepared(utterances: pd.DataFrame, settings: SubsetSettings) -> pd.DataFrame:
    """Return ``utterances`` by ascending hash of their ids, with what the rules look at.

    ``speaker`` is who spoke, or the utterance itself where nobody is named; ``text`` is the reference without case
    and extra spaces; ``speaker_order`` and ``order`` are hashes. With ``match`` the text decides the order first, so
    that speakers who read the same texts keep the same ones.

    Raises:
        ConfigError: if the corpus does not declare an attribute of ``balance``.
    """
    table = utterances[_looked_at(utterances, settings)].reset_index(drop=True)
    named = table["speaker_id"].notna()
    table["speaker"] = table["speaker_id"].where(named, table["utterance_id"])
    voice = table[VOICE].fillna(table["speaker"]) if VOICE in table else table["speaker"]
    table["speaker_order"] = _hashes(voice, f"{settings.seed}\0speaker\0")
    table["order"] = _hashes(table["utterance_id"], f"{settings.seed}\0utterance\0")
    keys = ["order", "utterance_id"]
    if settings.match:
        codes, texts = pd.factorize(table["reference"])
        table["text"] = np.array([" ".join(text.casefold().split()) for text in texts], dtype=object)[codes]
        table["text_order"] = _hashes(table["text"], f"{settings.seed}\0text\0")
        keys = ["text_order", "text", *keys]
    return table.sort_values(keys, kind="stable", ignore_index=True)


def _looked_at(utterances: pd.DataFrame, settings: SubsetSettings) -> list[str]:
    known = [str(name).removeprefix(ATTRIBUTE_PREFIX) for name in utterances if str(name).startswith(ATTRIBUTE_PREFIX)]
    for name in settings.balance:
        if name not in known:
            raise ConfigError(
                f"subset.balance: the corpus declares no attribute '{name}'.{did_you_mean(name, known)} Declare it "
                "(corpus.attributes), or leave it out."
            )
    attributes = {VOICE, *(f"{ATTRIBUTE_PREFIX}{name}" for name in settings.balance)}
    fixed = ("utterance_id", "speaker_id", "accent", "reference", "audio_sha256", "duration_s")
    return [str(name) for name in utterances if name in fixed or name in attributes]


def _hashes(names: "pd.Series[str]", key: str) -> NDArray[np.uint64]:
    """Return the first 8 bytes of BLAKE2b of ``key`` and each name, as a number."""
    start = hashlib.blake2b(key.encode(), digest_size=8)
    codes, different = pd.factorize(names)
    digests = bytearray()
    for name in different.to_numpy(dtype=object):  # an iterator over an Arrow column takes five times as long
        one = start.copy()
        one.update(str(name).encode())
        digests += one.digest()
    return np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64)[codes]
