"""Which utterances the page keeps where it cannot hold all: the worst of every cell, and a sample of every group."""

from hashlib import blake2b

import numpy as np
import pandas as pd

NEVER = np.iinfo(np.int64).max


def by_interest(trials: pd.DataFrame) -> list[str]:
    """Return the utterances in the order in which they are kept: however many are, every group has its part.

    An utterance is kept under all its conditions, so that they stay paired. Of each group the utterances with the most
    errors in some cell and a sample take turns, as many of the one as of the other. The sample is drawn by a hash of
    the utterance's name, so that nothing depends on the order of rows and a smaller sample lies within a larger one.

    Args:
        trials: one row a trial, with utterance_id, accent, condition and errors.
    """
    if trials.empty:
        return []
    names = pd.Series(trials["utterance_id"].unique(), dtype="str")
    lots = dict(zip(names, names.map(_lot), strict=True))
    table = trials.assign(lot=trials["utterance_id"].map(lots))
    table["worst"] = _rank(table.sort_values(["errors", "lot"], ascending=[False, True]), ["accent", "condition"])
    # every condition names its own worst: together as many of them as there are of the sample
    table["worst"] *= max(1, table["condition"].nunique())
    table.loc[table["errors"] == 0, "worst"] = NEVER
    utterances = table.groupby("utterance_id", as_index=False).agg(
        accent=("accent", "first"), lot=("lot", "first"), worst=("worst", "min")
    )
    utterances["sampled"] = _rank(utterances.sort_values("lot"), ["accent"])
    utterances["rank"] = utterances[["worst", "sampled"]].min(axis=1)
    return utterances.sort_values(["rank", "lot"])["utterance_id"].tolist()


def _rank(table: pd.DataFrame, within: list[str]) -> "pd.Series[int]":
    return table.groupby(within, sort=False).cumcount().astype("int64")


def _lot(utterance_id: str) -> str:
    return blake2b(utterance_id.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() + utterance_id
