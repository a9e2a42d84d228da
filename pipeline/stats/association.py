"""Does one thing about speakers go with another? Effect sizes, and tests that rearrange speakers.

*In*: labels and numbers, one a unit (a speaker). *Out*: an effect size and a p-value; the order of the units moves
neither. A category is tested by tables with the same margins, which is what rearranging the units does to a table; a
number by rearranging its ranks, or beyond ``MOST_REARRANGED`` values by the limit that ranks have in large samples.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.stats.counts import FloatArray, IntArray
from pipeline.stats.permutation import BATCH_VALUES, generator, group_sums, p_value, rearrangements

MOST_REARRANGED = 5_000
"""Units up to which ranks are rearranged; with more, the distribution in the limit differs by less than chance does."""


@dataclass(frozen=True, slots=True)
class Association:
    """One effect size (``cramers_v``, ``epsilon_squared``, ``spearman``) and its p-value; None: it has none."""

    measure: str
    value: float | None
    p: float | None


def categorical(table: IntArray, *, draws: int, seed: int, names: tuple[str, ...]) -> Association:
    """Return Cramer's V, bias-corrected, of a table of counts (groups x levels), and its permutation p-value.

    V = sqrt(phi2 / min(k - 1, r - 1)) with phi2 and the dimensions corrected for chance. Source: W. Bergsma, "A bias-
    correction for Cramer's V and Tschuprow's T" (2013). p: chi-squared of ``draws`` random tables with these margins.
    """
    kept = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    total = int(kept.sum())
    if min(kept.shape, default=0) < 2:
        return Association("cramers_v", None, None)
    observed = float(_chi_squared(kept[None].astype(np.float64))[0])
    null = np.concatenate(list(_null(kept, draws, generator(seed, "audit", *names))))
    return Association("cramers_v", _cramers_v(observed, kept.shape, total), p_value(observed, null))


def _chi_squared(tables: FloatArray) -> FloatArray:
    rows, columns = tables.sum(axis=2, keepdims=True), tables.sum(axis=1, keepdims=True)
    expected = rows * columns / rows.sum(axis=1, keepdims=True)
    chi: FloatArray = (np.square(tables - expected) / expected).sum(axis=(1, 2))
    return chi


def _null(table: IntArray, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    from scipy.stats import random_table

    margins: Any = random_table(table.sum(axis=1), table.sum(axis=0))
    size = max(1, BATCH_VALUES // table.size)
    for start in range(0, draws, size):
        yield _chi_squared(np.asarray(margins.rvs(size=min(size, draws - start), random_state=rng), dtype=np.float64))


def _cramers_v(chi_squared: float, shape: tuple[int, ...], total: int) -> float | None:
    rows, columns = shape
    if total < 2:
        return None
    phi2 = max(0.0, chi_squared / total - (rows - 1) * (columns - 1) / (total - 1))
    fewest = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
    return min(1.0, math.sqrt(phi2 / fewest)) if fewest > 0 else None


def ranked_by_group(
    values: FloatArray, labels: IntArray, *, draws: int, seed: int, names: tuple[str, ...]
) -> Association:
    """Return epsilon squared of ``values`` by group, and the p-value of Kruskal and Wallis's H.

    epsilon^2 = H / (n - 1), the share of the ranks' variance that lies between groups. Source: T. Kelley, "An unbiased
    correlation ratio measure" (1935), as Tomczak and Tomczak (2014) give it for ranks. Ties have mean ranks.

    Args:
        values: of each unit, shape (n,).
        labels: its group, shape (n,), from 0 on.
        draws: rearrangements.
        seed: of the study.
        names: what the test is about; together with the seed they decide the rearrangements.
    """
    ranks = _centered_ranks(values)
    sizes = np.bincount(labels).astype(np.float64)
    total = float(np.square(ranks).sum())
    if (sizes > 0).sum() < 2 or total == 0:
        return Association("epsilon_squared", None, None)
    inverse = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)

    def between(arranged: IntArray) -> FloatArray:
        sums = group_sums(arranged, ranks, groups=len(sizes))
        shares: FloatArray = (np.square(sums) * inverse).sum(axis=1) / total
        return shares

    order = np.lexsort((labels, ranks))  # whatever order the units came in
    ranks, labels = ranks[order], labels[order]
    observed = float(between(labels[None])[0])
    if len(ranks) > MOST_REARRANGED:
        from scipy.stats import chi2

        return Association(
            "epsilon_squared", observed, float(chi2.sf(observed * (len(ranks) - 1), int((sizes > 0).sum()) - 1))
        )
    rng = generator(seed, "audit", *names)
    null = np.concatenate([between(batch) for batch in rearrangements(labels, draws, rng=rng)])
    return Association("epsilon_squared", min(1.0, observed), p_value(observed, null))


def ranked_together(
    first: FloatArray, second: FloatArray, *, draws: int, seed: int, names: tuple[str, ...]
) -> Association:
    """Return Spearman's rho of two numbers a unit, shape (n,) each, and its two-sided permutation p-value."""
    order = np.lexsort((second, first))
    one, other = _centered_ranks(first[order]), _centered_ranks(second[order])
    scale = math.sqrt(float(np.square(one).sum()) * float(np.square(other).sum()))
    if len(one) < 3 or scale == 0:
        return Association("spearman", None, None)
    rho = max(-1.0, min(1.0, float(one @ other) / scale))
    if len(one) > MOST_REARRANGED:
        from scipy.stats import norm

        return Association("spearman", rho, float(2 * norm.sf(abs(rho) * math.sqrt(len(one) - 1))))
    places: NDArray[np.int64] = np.arange(len(one), dtype=np.int64)
    rng = generator(seed, "audit", *names)
    null = np.concatenate([np.abs(other[batch] @ one) for batch in rearrangements(places, draws, rng=rng)]) / scale
    return Association("spearman", rho, p_value(abs(rho), null))


def _centered_ranks(values: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    ranks = np.asarray(rankdata(values), dtype=np.float64)
    return ranks - float(ranks.mean())
