"""The same utterances answered twice: under two conditions, or by two recognizers (statistics: 4.2).

Counts of both answers are summed by speaker; what is left of each speaker is a difference, and the speakers are what is
independent. One implementation for both uses, so that a condition and a recognizer are judged alike.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.error_slots import ErrorSlots
from pipeline.records import Interval
from pipeline.stats.counts import KINDS, MIN_K_EFF, IntArray, Unit, effective_speakers, has_words, is_ranked
from pipeline.stats.jackknife import interval, leave_one_out, variance
from pipeline.stats.paired import COUNTED_BY
from pipeline.stats.segments import Mapsswe, mapsswe, segment_sums
from pipeline.stats.sign_flip import Flipped, sign_flip

FindSlots = Callable[[pd.DataFrame], ErrorSlots]
"""Says where the errors of scores lie: ``text.pairs.error_slots``."""

ERRORS, WORDS, UTTERANCES, SEGMENTS = slice(0, 2), slice(2, 4), 4, slice(5, 8)
SAME_AS_UNIT = ["accent", "name", "named"]


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """Speakers by what they said twice; sorted by accent and name.

    ``sums`` has shape (speakers, 8): errors of the first and second answer, reference words of the first and second,
    utterances, then the three sums of ``segments.segment_sums``.
    """

    units: tuple[Unit, ...]
    sums: IntArray

    def of(self, accent: str) -> "Paired":
        """Return the speakers of one accent."""
        places = [place for place, unit in enumerate(self.units) if unit.accent == accent]
        return Paired(tuple(self.units[place] for place in places), self.sums[places])

    def without(self, accents: Collection[str]) -> "Paired":
        """Return the speakers of all other accents."""
        places = [place for place, unit in enumerate(self.units) if unit.accent not in accents]
        return Paired(tuple(self.units[place] for place in places), self.sums[places])

    @property
    def accents(self) -> list[str]:
        """The accents, sorted."""
        return sorted({unit.accent for unit in self.units})

    @property
    def all_named(self) -> bool:
        """Whether every unit is a named speaker."""
        return all(unit.named for unit in self.units)

    def is_ranked(self, min_speakers: int) -> bool:
        """Return whether these speakers are enough to be compared."""
        return is_ranked(self.sums[:, WORDS][:, 1], all_named=self.all_named, min_speakers=min_speakers)


@dataclass(frozen=True, slots=True)
class Difference:
    """The second answers against the first: WER second less first, and what can be said of it; None where nothing can.

    ``k_eff`` is the effective number of independent speakers, voices where one voice stands for several of them.
    """

    n_speakers: int
    k_eff: float
    n_utterances: int
    n_ref_words: int
    errors: tuple[int, int]
    wer: tuple[float, float]
    difference: float
    interval: Interval | None
    ratio: float | None
    flipped: Flipped
    customary: Mapsswe
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Utterances of one backend and normalizer under one condition, sorted and indexed by utterance.

    ``table`` has the columns accent, name and named (of the unit), its number (unit), errors, words, and the place of
    the row in ``slots``, which may hold other rows too.
    """

    table: pd.DataFrame
    slots: ErrorSlots

    def segments(self, table: pd.DataFrame) -> ErrorSlots:
        """Return the error slots of some rows of the table."""
        return self.slots.take(table["place"].to_numpy())


def answers(scores: pd.DataFrame, find_slots: FindSlots) -> dict[str, Answers]:
    """Return the scores with reference words by condition, as ``paired`` takes them.

    ``scores`` are of one backend and normalizer; under one condition an utterance stands there once.
    """
    # rows are put in their order as numbers: a million texts are not moved for it
    places = np.flatnonzero(has_words(scores).to_numpy(dtype=bool))
    codes = [pd.factorize(scores[name].iloc[places], sort=True)[0] for name in ("condition", "utterance_id")]
    places = places[np.lexsort(codes)]
    worded = scores[[*COUNTED_BY, *KINDS]].iloc[places]
    named = worded["speaker_id"].notna()
    found = {
        "condition": worded["condition"],
        "accent": worded["accent"],
        "name": worded["speaker_id"].where(named, worded["utterance_id"]),
        "named": named,
        "errors": worded["substitutions"] + worded["deletions"] + worded["insertions"],
        "words": worded["hits"] + worded["substitutions"] + worded["deletions"],
    }
    table = pd.DataFrame(found).set_index(pd.Index(worded["utterance_id"], name="utterance_id"))
    table = table.assign(unit=table.groupby(SAME_AS_UNIT, sort=True).ngroup(), place=places)
    slots = find_slots(scores)
    return {str(name): Answers(rows, slots) for name, rows in table.groupby("condition", sort=True)}


def paired(first: Answers, second: Answers) -> Paired:
    """Return the speakers of the utterances that both hold, each of them once."""
    one, other = first.table, second.table
    if not (one.index.is_unique and one.index.equals(other.index)):
        both = one.index.intersection(other.index).sort_values()
        one, other = one.loc[both], other.loc[both]
    segments = segment_sums(first.segments(one), second.segments(other))
    columns = [one["errors"], other["errors"], one["words"], other["words"], np.ones(len(one)), *segments.T]
    _, where, place = np.unique(one["unit"].to_numpy(), return_index=True, return_inverse=True)
    sums = [
        np.bincount(place, weights=np.asarray(column, dtype=np.float64), minlength=len(where)) for column in columns
    ]
    units = zip(*(one[name].iloc[where].tolist() for name in SAME_AS_UNIT), strict=True)
    return Paired(tuple(Unit(*unit) for unit in units), np.rint(np.stack(sums, axis=1)).astype(np.int64))


def compare(
    given: Paired,
    *,
    confidence: float,
    flips: int,
    rng: np.random.Generator,
    voices: Mapping[tuple[str, str], str] | None = None,
) -> Difference:
    """Compare the second answers with the first. ``given`` holds at least one speaker.

    The interval is the delete-one-speaker jackknife of the difference of corpus WERs, t with k_eff - 1 degrees of
    freedom, refused where k_eff < 3 and where no two speakers changed differently. The p-value flips the sign of each
    speaker's difference in errors: the words are the same in both answers. ``voices``: which speakers are one voice.
    """
    sums = _by_voice(given, voices or {})
    errors, words = sums[:, ERRORS], sums[:, WORDS]
    totals, of_words = errors.sum(axis=0), words.sum(axis=0)
    wer = totals / of_words
    return Difference(
        n_speakers=sum(unit.named for unit in given.units),
        k_eff=effective_speakers(words[:, 1]),
        n_utterances=int(sums[:, UTTERANCES].sum()),
        n_ref_words=int(of_words[1]),
        errors=(int(totals[0]), int(totals[1])),
        wer=(float(wer[0]), float(wer[1])),
        difference=float(wer[1] - wer[0]),
        interval=_interval(errors, words, confidence),
        ratio=float(wer[1] / wer[0]) if totals[0] else None,
        flipped=sign_flip(errors[:, 1] - errors[:, 0], flips, rng=rng),
        customary=mapsswe(*sums[:, SEGMENTS].sum(axis=0).tolist()),
        unit="speaker" if given.all_named else "utterance",
    )


def _by_voice(given: Paired, voices: Mapping[tuple[str, str], str]) -> IntArray:
    if not voices:
        return given.sums
    shared = [voices.get((unit.accent, unit.name), f"\0{place}") for place, unit in enumerate(given.units)]
    place = np.unique(shared, return_inverse=True)[1]
    sums = np.zeros((int(place.max()) + 1, given.sums.shape[1]), dtype=np.int64)
    np.add.at(sums, place, given.sums)
    return sums


def _interval(errors: IntArray, words: IntArray, confidence: float) -> Interval | None:
    k_eff = effective_speakers(words[:, 1])
    if k_eff < MIN_K_EFF:
        return None
    totals, of_words = errors.sum(axis=0), words.sum(axis=0)
    estimate = float(totals[1] / of_words[1] - totals[0] / of_words[0])
    first, second = (leave_one_out(errors[:, side], words[:, side]) for side in (0, 1))
    spread = variance(second - first, estimate)
    # speakers who all change by the same share tell nothing of how others would
    certain = math.isnan(spread) or spread <= (1e-12) ** 2
    return None if certain else interval(estimate, spread, k_eff - 1, confidence=confidence)
