"""FAAS, for comparison with studies that report it. Not a measure that this program stands behind (statistics: 3.6).

Its faults: min-max scaling erases the size of a gap (two accents with equal weights score 50 whatever their WERs); its
p-multiplier lowers the score as speakers are added; it is not free of units (WER in percent subtracts 20).
"""

import math

import numpy as np

from pipeline.stats.counts import FloatArray

SIGNIFICANT = 0.05
FAULTS = (
    "for comparison only: blind to the size of a gap (two accents with as many words each score fairness 50 at any "
    "WERs), falls as speakers are added, changes by 20 with the unit of WER"
)
OURS = "fairness weighted by reference words; p of omnibus_q in place of a likelihood-ratio test; WER as a fraction"


def faas(rates: FloatArray, weights: FloatArray, *, p: float, wer: float) -> float | None:
    """Return 10 log10(fairness / WER) of one category.

    Fairness is the weighted mean of 100 (1 - (x_g - min) / (max - min)) over groups, times p / 0.05 where p < 0.05.

    Args:
        rates: WER of each group as a fraction, shape (groups,).
        weights: of each group, not all zero, same shape.
        p: of a test that groups differ, above 0.
        wer: of the recognizer over all groups, as a fraction.

    Returns:
        The score; None where it does not exist: all groups alike, a fairness of 0, or no errors.
    """
    spread = float(rates.max() - rates.min())
    if not (spread > 0 and wer > 0):
        return None
    each = 100 * (1 - (rates - rates.min()) / spread)
    fairness = float(np.average(each, weights=weights)) * (p / SIGNIFICANT if p < SIGNIFICANT else 1.0)
    return 10 * math.log10(fairness / wer) if fairness > 0 else None
