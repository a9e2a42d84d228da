"""Rates of any event counted in trials, per accent x condition: sums over speakers, jackknifed like a cell's WER.

An event may happen several times in a trial (inserted words per reference word) or once (a trial is a candidate, or is
not). Counts add up over the trials of a speaker and are divided last; the speaker is what the interval leaves out.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pipeline.records import Interval, Support
from pipeline.stats.counts import IntArray, Unit, effective_speakers
from pipeline.stats.jackknife import log_variance
from pipeline.stats.supported import Sampled, design_effect, supported
from pipeline.tables import POOLED

Voices = Mapping[tuple[str, str], str]
"""By accent and speaker: which speakers of different accents are one voice."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the rows of a table of trials are added up: units x conditions, in the order of their labels.

    ``places`` has the flat cell of each row; ``clusters`` the voice of each unit, by which ``ALL`` is jackknifed.
    """

    units: tuple[Unit, ...]
    conditions: tuple[str, ...]
    places: IntArray
    clusters: IntArray

    @property
    def shape(self) -> tuple[int, int]:
        """Units, conditions."""
        return len(self.units), len(self.conditions)

    def sums(self, values: ArrayLike, rows: IntArray | None = None) -> IntArray:
        """Add up integers, one a row of the table (or of ``rows`` of it), by unit and condition."""
        places = self.places if rows is None else self.places[rows]
        given = np.broadcast_to(np.asarray(values), places.shape).astype(np.float64)
        # bincount adds in float64, which holds every integer below 2^53
        flat = np.bincount(places, weights=given, minlength=math.prod(self.shape))
        return np.rint(flat).astype(np.int64).reshape(self.shape)

    def accents(self) -> Iterator[tuple[str, IntArray]]:
        """Yield each accent with the places of its units, and last ``ALL`` with all of them."""
        names = np.array([unit.accent for unit in self.units], dtype=object)
        for accent in sorted(set(names)):
            yield accent, np.flatnonzero(names == accent)
        yield POOLED, np.arange(len(self.units))

    def cells(self, trials: IntArray) -> Iterator[tuple[str, str, IntArray, int]]:
        """Yield accent, condition, its units and its column, where ``trials`` (units x conditions) has any."""
        for accent, places in self.accents():
            for column in np.flatnonzero(trials[places].any(axis=0)).tolist():
                yield accent, self.conditions[column], places, column


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` events of ``base`` that could have been; the interval is of the value."""

    count: int
    base: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    support: Support
    n_speakers: int
    k_eff: float
    unit: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of rate it is: a ``share`` cannot exceed 1; ``bounded`` gives zero events an upper bound."""

    share: bool = False
    bounded: bool = True
    of_rest: bool = False
    """the interval is that of the events that did not happen, taken from 1: for shares that are mostly near 1"""


def layout(rows: pd.DataFrame, voices: Voices) -> Layout:
    """Arrange trials (columns accent, speaker_id, utterance_id, condition); an unnamed speaker is its utterance."""
    named = rows["speaker_id"].notna().to_numpy(dtype=bool)
    name = rows["speaker_id"].where(named, rows["utterance_id"])
    labels = [pd.factorize(rows["accent"]), pd.factorize(name), pd.factorize(rows["condition"])]
    (accents, accent_names), (names, all_names), (conditions, condition_names) = labels
    key = (accents.astype(np.int64) * max(1, len(all_names)) + names) * 2 + named
    distinct, unit_of = np.unique(key, return_inverse=True)
    units = [
        Unit(str(accent_names[(k // 2) // len(all_names)]), str(all_names[(k // 2) % len(all_names)]), bool(k % 2))
        for k in distinct.tolist()
    ]
    order, ordered = _order(units), _order([str(one) for one in condition_names])
    sorted_units = tuple(units[place] for place in np.argsort(order).tolist())
    places = order[unit_of] * max(1, len(condition_names)) + ordered[conditions] if len(rows) else np.zeros(0, int)
    shared = [voices.get((one.accent, one.name), f"\0{place}") for place, one in enumerate(sorted_units)]
    return Layout(
        units=sorted_units,
        conditions=tuple(sorted(str(one) for one in condition_names)),
        places=np.asarray(places, dtype=np.int64),
        clusters=np.unique(np.array(shared, dtype=object), return_inverse=True)[1].astype(np.int64)
        if shared
        else np.zeros(0, dtype=np.int64),
    )


def _order(items: list[Unit] | list[str]) -> IntArray:
    """Return the place of each item among the sorted ones."""
    order = np.empty(len(items), dtype=np.int64)
    order[sorted(range(len(items)), key=items.__getitem__)] = np.arange(len(items))
    return order


def rates(
    of: Layout, counts: IntArray, bases: IntArray, *, confidence: float, kind: Kind = Kind(), pooled_only: bool = False
) -> dict[tuple[str, str], Rate]:
    """Return the rate of every accent (and ``ALL``) under every condition.

    The interval is the log jackknife of a cell with the same refusals (statistics: 2.1, 2.4); for zero events the rule
    of three times the design effect of the other cells. A share's interval ends at 1, where no larger one could be.

    Args:
        of: the arrangement of the trials.
        counts: events, units x conditions.
        bases: what they are counted of, units x conditions.
        confidence: level of the intervals.
        kind: what sort of rate it is.
        pooled_only: give only the rows of ``ALL``; zero events then have no upper bound, which needs the others.
    """
    events = bases - counts if kind.of_rest else counts
    named = np.array([unit.named for unit in of.units], dtype=bool)
    groups = [group for group in of.accents() if not pooled_only or group[0] == POOLED]
    measured = {
        (accent, condition): _measured(of, accent, places, events[:, column], bases[:, column])
        for accent, places in groups
        for column, condition in enumerate(of.conditions)
    }
    effect = design_effect(one for (accent, _), one in measured.items() if accent != POOLED)
    found = {}
    for accent, places in groups:
        for column, condition in enumerate(of.conditions):
            one = measured[accent, condition]
            members = places[bases[places, column] > 0]
            support, interval = _shown(one, effect, confidence, kind)
            ends = (interval.low, interval.high) if interval else (None, None)
            found[accent, condition] = Rate(
                count=int(counts[places, column].sum()),
                base=one.base,
                value=int(counts[places, column].sum()) / one.base if one.base else None,
                ci_low=ends[0],
                ci_high=ends[1],
                support=support,
                n_speakers=int(named[members].sum()),
                k_eff=one.k_eff,
                unit="speaker" if bool(named[members].all()) else "utterance",
            )
    return found


def _measured(of: Layout, accent: str, places: IntArray, events: IntArray, bases: IntArray) -> Sampled:
    members = places[bases[places] > 0]
    own, words = events[members], bases[members]
    if accent == POOLED:
        clusters = np.unique(of.clusters[members], return_inverse=True)[1]
        own = np.bincount(clusters, weights=own).astype(np.int64)
        words = np.bincount(clusters, weights=words).astype(np.int64)
    return Sampled(int(own.sum()), int(words.sum()), effective_speakers(words), log_variance(own, words))


def _shown(one: Sampled, effect: float, confidence: float, kind: Kind) -> tuple[Support, Interval | None]:
    support, found = supported(one, effect, confidence)
    if found is None or (support is Support.ZERO_ERRORS and not kind.bounded):
        return support, None
    return support, _as_asked(found, kind)


def _as_asked(found: Interval, kind: Kind) -> Interval:
    high = min(found.high, 1.0) if kind.share or kind.of_rest else found.high
    low = min(found.low, high)
    return Interval(1.0 - high, 1.0 - low) if kind.of_rest else Interval(low, high)
