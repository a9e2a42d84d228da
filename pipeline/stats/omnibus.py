"""Is there any difference between accents at all? A studentized Q with permutation p (statistics: 3.4).

Never the chi-square reference (it rejects up to 41% of true nulls) and never the gap itself as the test statistic.
"""

import numpy as np

from pipeline.stats.counts import FloatArray, IntArray
from pipeline.stats.moderation import floored, moderated
from pipeline.stats.permutation import group_sums

OWN_VARIANCE_SPEAKERS = 5
"""Q uses each accent's own variance if every accent has at least this many speakers."""
HALF_ERROR = 0.5


def needs_half_error(errors: IntArray, sizes: IntArray) -> bool:
    """Return whether some arrangement could leave an accent, or an accent less one speaker, without errors.

    Log WER then does not exist. The answer depends on the speakers as a set, not on who speaks which accent, so adding
    half an error to every accent because of it leaves the permutation test exact.
    """
    return int((errors == 0).sum()) >= int(sizes.min()) - 1


def q_statistic(
    errors: IntArray, words: IntArray, labels: IntArray, *, sizes: IntArray, own_variance: bool, half_error: bool
) -> FloatArray:
    """Return Q = sum_a (y_a - y)^2 / V_a of log WER for each arrangement of speakers over accents.

    Args:
        errors: word errors per speaker, shape (speakers,).
        words: reference words per speaker, all positive, same shape.
        labels: accent index of each speaker in each arrangement, shape (batch, speakers).
        sizes: speakers per accent, each at least 2, shape (accents,).
        own_variance: jackknife variances as they are, otherwise moderated ones.
        half_error: add half an error to each accent.

    Returns:
        Shape (batch,). y is the mean of the y_a weighted by 1/V_a.
    """
    groups, n = len(sizes), words.astype(np.float64)
    by_group_errors = group_sums(labels, errors.astype(np.float64), groups=groups) + HALF_ERROR * half_error
    by_group_words = group_sums(labels, n, groups=groups)
    logs = np.log(by_group_errors / by_group_words)
    less_errors = np.take_along_axis(by_group_errors, labels, axis=1) - errors
    less_words = np.take_along_axis(by_group_words, labels, axis=1) - words
    moves = np.square(np.log(less_errors / less_words) - np.take_along_axis(logs, labels, axis=1))
    variances = (sizes - 1) / sizes * group_sums(labels, moves, groups=groups)
    if own_variance:
        used = floored(variances)
    else:
        k_eff = np.square(by_group_words) / group_sums(labels, np.square(n), groups=groups)
        used = moderated(k_eff * variances, k_eff - 1) / k_eff
    mean = (logs / used).sum(axis=1, keepdims=True) / (1 / used).sum(axis=1, keepdims=True)
    return np.asarray((np.square(logs - mean) / used).sum(axis=1))
