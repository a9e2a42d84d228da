"""Every two recognizers of a sweep on the trials that both answered, as two conditions of one run are compared.

The same functions as for conditions: the speaker is the unit, the primary test flips the signs of speakers'
differences, and MAPSSWE stands beside it as what is customary (statistics: 4.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.card.compared import Pair
from pipeline.card.keys import Key
from pipeline.comparable import Finished
from pipeline.stats.comparisons import told
from pipeline.stats.multiplicity import holm
from pipeline.stats.permutation import generator
from pipeline.stats.same_utterances import Answers, answers, compare, paired
from pipeline.stats.settings import StatsSettings
from pipeline.text.pairs import error_slots

METHOD = (
    "WER of the second run less WER of the first on the trials that both scored, all accents pooled; jackknife over "
    "speakers; p by flipping the signs of speakers' differences, p_adjusted by Holm over all pairs and conditions; "
    "MAPSSWE by segments, not adjusted"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One run and what it answered, by condition."""

    run: Finished
    by_condition: dict[str, Answers]


def pairs(finished: Sequence[Finished], conditions: Sequence[str]) -> list[Pair]:
    """Compare every two runs under every condition, in the order of the jobs; confidence and seed of the first run."""
    if len(finished) < 2:
        return []
    settings = StatsSettings.model_validate(finished[0].record.config["stats"])
    sides = [_side(run) for run in finished]
    found = [
        _compared(first, second, condition, settings)
        for condition in conditions
        for first, second in combinations(sides, 2)
    ]
    tested = [place for place, pair in enumerate(found) if pair.p is not None]
    adjusted = dict(zip(tested, holm([pair.p for pair in found if pair.p is not None]).tolist(), strict=True))
    return [
        pair.model_copy(update={"p_adjusted": adjusted.get(place), "n_family": len(tested)})
        for place, pair in enumerate(found)
    ]


def _side(run: Finished) -> _Side:
    return _Side(run, answers(run.answers.reset_index(), error_slots))


def _compared(first: _Side, second: _Side, condition: str, settings: StatsSettings) -> Pair:
    names = first.run.job.run_name, second.run.job.run_name
    key = Key(condition=condition, normalizer=first.run.card.main_normalizer)
    tables = [side.by_condition.get(condition) for side in (first, second)]
    both = None if tables[0] is None or tables[1] is None else paired(tables[0], tables[1])
    if both is None or not both.units:
        return Pair(
            key=key, method=METHOD, first=names[0], second=names[1], n_trials=0, n_speakers=0, n_ref_words=0,
            unit="speaker", note="no trial was scored by both",
        )  # fmt: skip
    rng = generator(settings.seed, "recognizers", condition, *names)
    found = compare(both, confidence=settings.confidence, flips=settings.permutations, rng=rng, voices=first.run.voices)
    return Pair(
        key=key,
        method=METHOD,
        first=names[0],
        second=names[1],
        n_trials=found.n_utterances,
        n_speakers=found.n_speakers,
        n_ref_words=found.n_ref_words,
        wer_first=found.wer[0],
        wer_second=found.wer[1],
        difference=found.difference,
        ci_low=found.interval.low if found.interval else None,
        ci_high=found.interval.high if found.interval else None,
        ratio=found.ratio,
        p=found.flipped.p,
        n_segments=found.customary.n_segments,
        mapsswe_z=found.customary.z,
        mapsswe_p=found.customary.p,
        unit=found.unit,
        note=told(found, 1 - settings.confidence),
    )
