"""What several runs all publish: their answers without any cell that one of them hides.

A run's floor hides cells of few speakers, or merges accents that are too small alone. A number of two runs holds only
what both show: otherwise the card of one, less the comparison, would tell what the other hides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.card.compared import Unpaired
from pipeline.card.keys import Key
from pipeline.card.publication import Publication
from pipeline.comparable import TRIAL, Finished
from pipeline.stats.same_utterances import WORDS, Answers, Paired, answers, paired
from pipeline.stats.settings import StatsSettings
from pipeline.stats.suppression import Floor, relabeled
from pipeline.text.pairs import error_slots


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The answers of each run, in the order of the runs, one row a trial, merged groups under their own names.

    ``hidden``: accent and condition of what is left out of all. ``floor``: what every cell of two runs must have, or
    None. ``rounded``: numbers are told as one of the runs tells its own.
    """

    answers: list[pd.DataFrame]
    hidden: set[tuple[str, str]]
    floor: Floor | None
    rounded: bool


@dataclass(frozen=True, eq=False)
class Two:
    """Two runs under one condition, and the speakers whom both answered and who may be told of.

    ``too_few``: accents that each run publishes, and of which both together answered too few speakers to tell of.
    """

    first: Finished
    second: Finished
    condition: str
    both: Paired
    too_few: list[str]
    settings: StatsSettings

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two runs."""
        return self.first.job.run_name, self.second.job.run_name

    def key(self, accent: str = "") -> Key:
        """Return the key of one accent, or of all pooled."""
        return Key(accent=accent, condition=self.condition, normalizer=self.first.card.main_normalizer)

    @cached_property
    def ranked(self) -> dict[str, Paired]:
        """The accents that may be compared with each other, sorted."""
        every = {accent: self.both.of(accent) for accent in self.both.accents}
        return {accent: one for accent, one in every.items() if one.is_ranked(self.settings.min_speakers)}


def every_two(finished: Sequence[Finished], conditions: Sequence[str], shown: Shown) -> Iterator[Two]:
    """Yield every two runs under every condition, in the order of the runs; the settings are those of the first."""
    settings = StatsSettings.model_validate(finished[0].record.config["stats"])
    sides = [(run, answers(one, error_slots)) for run, one in zip(finished, shown.answers, strict=True)]
    for condition in conditions:
        for (first, one), (second, other) in combinations(sides, 2):
            both = _both(one.get(condition), other.get(condition))
            few = [accent for accent in both.accents if not _met(shown.floor, both.of(accent))]
            yield Two(first, second, condition, both.without(few), few, settings)


def unpaired(finished: Sequence[Finished], shown: Shown) -> list[Unpaired]:
    """Return where of two runs one did not answer what the other did; those of which nothing is left first."""
    names = [one.job.run_name for one in finished]
    found = [
        Unpaired(
            key=Key(accent=accent, condition=condition, normalizer=finished[0].card.main_normalizer),
            method="trials of the accent that each run scored, and that both did",
            first=names[at],
            second=names[to],
            n_first=numbers[0],
            n_second=numbers[1],
            n_both=numbers[2],
        )
        for at, to in combinations(range(len(finished)), 2)
        for (accent, condition), numbers in _answered(shown.answers[at], shown.answers[to])
    ]
    return sorted(found, key=lambda one: (one.n_both / max(one.n_first, one.n_second), one.key.accent))


def _answered(one: pd.DataFrame, other: pd.DataFrame) -> Iterator[tuple[tuple[str, str], list[int]]]:
    """Yield the trials that the one, the other and both answered, of each cell where these are not the same."""
    place = ["accent", "condition"]
    both = one[[*place, "utterance_id"]].merge(other[TRIAL], on=TRIAL)
    sizes = pd.concat([part.groupby(place).size() for part in (one, other, both)], axis=1).fillna(0).astype(int)
    for row in sizes[sizes.nunique(axis=1) > 1].sort_index().itertuples():
        yield row[0], list(row[1:])


def _both(one: Answers | None, other: Answers | None) -> Paired:
    return Paired((), np.zeros((0, 8), dtype=np.int64)) if one is None or other is None else paired(one, other)


def _met(floor: Floor | None, part: Paired) -> bool:
    named = sum(unit.named for unit in part.units)
    return floor is None or floor.met(named, int(part.sums[:, WORDS][:, 1].sum()))


def shown_by_all(finished: Sequence[Finished]) -> Shown:
    """Return what all runs show. Accents that two runs merge into different groups are hidden with those groups."""
    rules = [one.card.numbers.publication for one in finished]
    names, gone = _merged(rules)
    secret = {(names.get(accent, accent), condition) for rule in rules for accent, condition in _hidden(rule)}
    conditions = {condition for one in finished for condition in one.answers.index.get_level_values("condition")}
    secret |= {(accent, condition) for accent in gone for condition in conditions}
    floors = [rule for rule in rules if rule.floor is not None]
    return Shown(
        answers=[_without(relabeled(one.answers.reset_index(), names), secret) for one in finished],
        hidden=secret,
        floor=Floor(max(rule.floor or 0 for rule in floors), max(rule.words for rule in floors)) if floors else None,
        rounded=any(rule.rounded for rule in rules),
    )


def _hidden(rule: Publication) -> set[tuple[str, str]]:
    return {(cell.accent, cell.condition) for cell in rule.cells if not cell.merged_into}


def _merged(rules: Sequence[Publication]) -> tuple[dict[str, str], set[str]]:
    """Return the merged group of each accent that one run merges, and the accents that are merged in two ways."""
    groups: dict[str, set[str]] = {}
    for rule in rules:
        for cell in rule.cells:
            if cell.merged_into:
                groups.setdefault(cell.accent, set()).add(cell.merged_into)
    torn = {group for several in groups.values() if len(several) > 1 for group in several}
    gone = {accent for accent, several in groups.items() if several & torn}
    return {accent: next(iter(several)) for accent, several in groups.items() if accent not in gone}, gone


def _without(answers: pd.DataFrame, secret: set[tuple[str, str]]) -> pd.DataFrame:
    if not secret:
        return answers
    places = zip(answers["accent"], answers["condition"], strict=True)
    return answers[[place not in secret for place in places]].reset_index(drop=True)
