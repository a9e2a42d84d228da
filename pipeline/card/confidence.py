"""Whether the recognizer's own confidence tells its errors: mean log-probability against word errors, by group."""

import numpy as np
import pandas as pd

from pipeline.card.explained_measures import Confidence
from pipeline.card.view import View
from pipeline.tables import POOLED

QUARTER = 4


def confidence(view: View) -> list[Confidence]:
    """Return one row a group, and one of all; nothing where the recognizer gives no log-probabilities.

    Under a publication floor a group is told only if every trial of it has a log-probability, and all together only
    if every group is told: the rest might be of a few speakers, and could be worked out.
    """
    source = view.source
    of_backend = source.transcripts[source.transcripts["backend"] == view.backend]
    told = of_backend.loc[of_backend["avg_logprob"].notna(), ["trial_key", "avg_logprob"]]
    trials = source.trials[["trial_key", "utterance_id", "condition"]].merge(told, on="trial_key")
    heard = view.counts.merge(trials, on=["utterance_id", "condition"])
    heard = heard.sort_values(["avg_logprob", "utterance_id", "condition"], ignore_index=True)
    groups = {str(accent): group for accent, group in heard.groupby("accent")}
    if source.publication.floor is not None:
        scored = view.counts["accent"].value_counts()
        groups = {accent: group for accent, group in groups.items() if len(group) == scored[accent]}
        heard = heard if set(groups) == set(scored.index) else heard.iloc[:0]
    named = [*((accent, groups[accent]) for accent in view.accents if accent in groups), (POOLED, heard)]
    return [_of_group(view, accent, group) for accent, group in named if len(group) >= QUARTER]


def _of_group(view: View, accent: str, group: pd.DataFrame) -> Confidence:
    """Return the numbers of one group, its trials in the order of their confidence."""
    size, floor = len(group) // QUARTER, view.source.publication.floor or 0
    quarters = group.iloc[:size], group.iloc[-size:]
    # of too few speakers under a floor: then nothing is told of the quarter
    least, most = (part if part["speaker_id"].nunique() >= floor else part.iloc[:0] for part in quarters)
    return Confidence(
        key=view.key(accent=accent),
        method="Mann-Whitney probability of avg_logprob, wrong against right trials; quarters of the trials in the "
        "order of avg_logprob; all conditions together; no interval",
        n_speakers=group["speaker_id"].nunique(),
        n_trials=len(group),
        n_wrong=int((group["errors"] > 0).sum()),
        n_ref_words=int(group["ref_words"].sum()),
        auc=_auc(group["avg_logprob"], (group["errors"] > 0).to_numpy(dtype=bool)),
        n_ref_words_least=int(least["ref_words"].sum()),
        wer_least_sure=_wer(least),
        n_ref_words_most=int(most["ref_words"].sum()),
        wer_most_sure=_wer(most),
    )


def _wer(part: pd.DataFrame) -> float | None:
    words = int(part["ref_words"].sum())
    return int(part["errors"].sum()) / words if words else None


def _auc(sure: "pd.Series[float]", wrong: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> float | None:
    """Return the Mann-Whitney statistic over the pairs, (R - m (m + 1) / 2) / (m n) with R the ranks of the right."""
    n_wrong, n_right = int(wrong.sum()), int((~wrong).sum())
    if not n_wrong or not n_right:
        return None
    ranks = sure.rank(method="average").to_numpy()
    return (float(ranks[~wrong].sum()) - n_right * (n_right + 1) / 2) / (n_right * n_wrong)
