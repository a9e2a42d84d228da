"""Every two runs on the trials that both answered, as two conditions of one run are compared.

The same functions as for conditions: the speaker is the unit, the primary test flips the signs of speakers'
differences, and MAPSSWE stands beside it as what is customary (statistics: 4.2). All accents pooled, each accent, and
the gaps between them; only what every run publishes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.card.compared import GapChange, GroupGap, Pair, Unpaired
from pipeline.card.keys import Key
from pipeline.card.publication import rounded_values
from pipeline.comparable import Finished
from pipeline.records import significance_level
from pipeline.run_gaps import gap_change, group_gaps
from pipeline.shown_cells import Two, every_two, shown_by_all, unpaired
from pipeline.stats.comparisons import not_compared, told
from pipeline.stats.multiplicity import holm
from pipeline.stats.permutation import generator
from pipeline.stats.same_utterances import compare
from pipeline.tables import POOLED

METHOD = (
    "WER of the second run less WER of the first on the trials that both scored, all accents pooled; jackknife over "
    "speakers; p by flipping the signs of speakers' differences, p_adjusted by Holm over all pairs and conditions; "
    "MAPSSWE by segments, not adjusted"
)
CELL_METHOD = METHOD.replace("all accents pooled", "one accent").replace("conditions;", "conditions and accents;")

T = TypeVar("T", Pair, GapChange, GroupGap)


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """What was found of every two runs under every condition: pooled, by accent, and of the gaps between accents.

    ``suppressed``: accent and condition of what is in none of them, because a run does not publish it or too few
    speakers were answered by both. ``unpaired``: where one run lost trials that another answered.
    """

    pairs: list[Pair] = field(default_factory=list)
    cells: list[Pair] = field(default_factory=list)
    gaps: list[GapChange] = field(default_factory=list)
    group_gaps: list[GroupGap] = field(default_factory=list)
    suppressed: list[Key] = field(default_factory=list)
    unpaired: list[Unpaired] = field(default_factory=list)


def tested(finished: Sequence[Finished], conditions: Sequence[str]) -> Tested:
    """Compare every two runs under every condition, in the order of the jobs; settings and seed of the first run."""
    if len(finished) < 2:
        return Tested()
    shown = shown_by_all(finished)
    twos = list(every_two(finished, conditions, shown))
    suppressed = {place for place in shown.hidden if place[1] in conditions}
    suppressed |= {(accent, two.condition) for two in twos for accent in two.too_few}
    rounded = shown.rounded
    return Tested(
        pairs=_told([_pair(two, POOLED) for two in twos], rounded=rounded),
        cells=_told([_pair(two, accent) for two in twos for accent in two.both.accents], rounded=rounded),
        gaps=_told([gap_change(two) for two in twos], rounded=rounded),
        group_gaps=_told([found for two in twos for found in group_gaps(two)], rounded=rounded),
        suppressed=[Key(accent=accent, condition=condition) for accent, condition in sorted(suppressed)],
        unpaired=[one for one in unpaired(finished, shown) if (one.key.accent, one.key.condition) not in suppressed],
    )


def _told(found: Sequence[T], *, rounded: bool) -> list[T]:
    """Return the numbers with p adjusted over all of them, rounded where a run's own are."""
    values = [one.p for one in found if one.p is not None]
    adjusted = iter(holm(values).tolist())
    done = []
    for one in found:
        p = None if one.p is None else next(adjusted)
        whole = one.model_copy(update={"p_adjusted": p, "n_family": len(values)})
        done.append(type(one).model_validate(rounded_values(whole.model_dump())) if rounded else whole)
    return done


def _pair(two: Two, accent: str) -> Pair:
    pooled = accent == POOLED
    part = two.both if pooled else two.both.of(accent)
    key, method = two.key("" if pooled else accent), METHOD if pooled else CELL_METHOD
    if not part.units:
        return Pair(
            key=key, method=method, first=two.names[0], second=two.names[1], n_trials=0, n_speakers=0, n_ref_words=0,
            unit="speaker", note="no trial was scored by both",
        )  # fmt: skip
    settings = two.settings
    # the order of the runs may not move a p
    rng = generator(settings.seed, "recognizers", two.condition, *sorted(two.names), *([] if pooled else [accent]))
    voices = two.first.voices if pooled else {}
    found = compare(part, confidence=settings.confidence, flips=settings.permutations, rng=rng, voices=voices)
    why_not = "" if pooled else not_compared(part, settings.min_speakers, twice="answered in both runs")
    bounds = None if why_not else found.interval
    return Pair(
        key=key,
        method=method,
        first=two.names[0],
        second=two.names[1],
        n_trials=found.n_utterances,
        n_speakers=found.n_speakers,
        n_ref_words=found.n_ref_words,
        wer_first=found.wer[0],
        wer_second=found.wer[1],
        difference=found.difference,
        ci_low=bounds.low if bounds else None,
        ci_high=bounds.high if bounds else None,
        ratio=found.ratio,
        p=None if why_not else found.flipped.p,
        n_segments=found.customary.n_segments,
        mapsswe_z=None if why_not else found.customary.z,
        mapsswe_p=None if why_not else found.customary.p,
        unit=found.unit,
        note=why_not or told(found, significance_level(settings.confidence)),
    )
