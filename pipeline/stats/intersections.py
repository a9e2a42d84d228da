"""Do some of an accent's speakers, or some of what they say, fare worse than the rest of it?

*In*: scores, the utterances' attributes. *Out*: intersections, one row a crossing, accent, group and condition. Each
group is a cell (statistics: 2.1) and is compared with the rest of its own accent, so that a difference between accents
is not counted again. A group below the floor is shown with its support, not compared, and rolled up: the row names the
narrowest wider group that reaches the floor, and holds its WER.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.records import Interval
from pipeline.result_tables import Intersections
from pipeline.stats.cells import cells
from pipeline.stats.counts import Group, studies
from pipeline.stats.crossings import Crossed, as_accents, crossing_name, group_names, tallied
from pipeline.stats.settings import StatsSettings
from pipeline.stats.within import Adjusted, Compared, Place, by_holm, compare, max_t

Cell = Mapping[str, Any]
FROM_CELL = ("n_speakers", "k_eff", "n_utterances", "n_ref_words", "wer", "ci_low", "ci_high", "support", "unit")
NOT_COMPARED = dict.fromkeys(
    ("gap", "gap_ci_low", "gap_ci_high", "ratio", "ratio_ci_low", "ratio_ci_high", "statistic",
     "p_adjusted")
)  # fmt: skip
NOT_ROLLED_UP = {"rolled_up_to": "", "rolled_up_n_speakers": 0} | dict.fromkeys(
    ("rolled_up_wer", "rolled_up_ci_low", "rolled_up_ci_high")
)
POINTWISE = "intervals pointwise"


def intersections(
    scores: pd.DataFrame,
    utterances: pd.DataFrame,
    settings: StatsSettings,
    *,
    synthetic: bool,
    parents: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the table of intersections; empty where no crossing is declared.

    Args:
        scores: all backends and normalizers.
        utterances: with a column ``attr_<name>`` for each attribute crossed.
        settings: ``intersections`` names the crossings, ``min_speakers`` is the floor.
        synthetic: whether any of the speech is.
        parents: the wider group of an accent or of such a group, for rolling up.
    """
    rows: list[dict[str, Any]] = []
    groups = {crossing: group_names(utterances, crossing) for crossing in settings.intersections}
    for backend, normalizer, part in studies(scores):
        key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
        study = _Study(part, settings, parents or {})
        rows.extend(row | key for row in _rows(study, groups, (backend, normalizer)))
    return tables.build(rows, Intersections, where="intersections")


@dataclass(frozen=True, slots=True)
class _Study:
    """The scores of one backend and normalizer."""

    scores: pd.DataFrame
    settings: StatsSettings
    parents: Mapping[str, str]


def _rows(
    study: _Study, groups: Mapping[tuple[str, ...], Mapping[str, str]], names: tuple[str, str]
) -> Iterator[dict[str, Any]]:
    parts = [one for crossing, by_id in groups.items() for one in tallied(study.scores, by_id, crossing_name(crossing))]
    if not parts:
        return
    compared = {place: found for one in parts for place, found in _compared(one, study.settings)}
    if all(one.by_speaker for one in parts):
        settings = study.settings
        adjusted = max_t(
            parts,
            min_speakers=settings.min_speakers,
            permutations=settings.permutations,
            seed=settings.seed,
            names=names,
        )
    else:
        adjusted = by_holm(compared)
    wider = _Wider(study)
    for crossing, by_id in groups.items():
        name = crossing_name(crossing)
        by_accent = {one.accent: one for one in parts if one.crossing == name}
        for (accent, group), cell in _cells(study, by_id):
            place = (name, accent, group, cell["condition"])
            row = _cell_row(place, cell, _rest(by_accent[accent], group, cell["condition"]))
            yield row | _comparison(row, compared.get(place), adjusted.get(place), wider, study.settings)


def _compared(one: Crossed, settings: StatsSettings) -> Iterator[tuple[Place, Compared]]:
    for g, c in np.argwhere(one.members(settings.min_speakers)).tolist():
        chosen = np.arange(len(one.groups)) == g
        found = compare(one.side(chosen, c), one.side(~chosen, c), confidence=settings.confidence)
        yield (one.crossing, one.accent, one.groups[g], one.conditions[c]), found


def _rest(one: Crossed, group: str, condition: str) -> Group:
    others = np.array([name != group for name in one.groups], dtype=bool)
    return one.side(others, one.conditions.index(condition))


def _cells(study: _Study, groups: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    joined, meant = as_accents(study.scores, groups)
    for cell in tables.rows(cells(joined, study.settings, synthetic=False)):
        if cell["accent"] != tables.POOLED:
            yield meant[cell["accent"]], cell


def _cell_row(place: Place, cell: Cell, rest: Group) -> dict[str, Any]:
    crossing, accent, group, condition = place
    return {
        "crossing": crossing,
        "accent": accent,
        "group": group,
        "condition": condition,
        **{name: cell[name] for name in FROM_CELL},
        "errors": cell["substitutions"] + cell["deletions"] + cell["insertions"],
        "rest_n_speakers": rest.n_speakers,
        "rest_n_ref_words": int(rest.words.sum()),
        "rest_wer": rest.wer if rest.units else None,
        "ranked": cell["ranked"],
    }


class _Wider:
    """What stands in for a thin group: its accent, or the first wider group of accents that reaches the floor."""

    def __init__(self, study: _Study) -> None:
        """Keep the study; nothing is computed before it is asked for."""
        self._study = study
        self._cells: dict[str, dict[str, Cell]] = {}

    def of(self, accent: str, condition: str) -> tuple[str, Cell] | None:
        """Return the name and cell of what stands in for a group of ``accent``, or None if nothing can."""
        for name in self._chain(accent):
            cell = self._of(name, accent).get(condition)
            if cell is not None and cell["ranked"]:
                return name, cell
        return None

    def _chain(self, accent: str) -> list[str]:
        chain, parents = [accent], self._study.parents
        while (parent := parents.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return chain

    def _of(self, name: str, accent: str) -> Mapping[str, Cell]:
        # an accent itself, and a wider group of the same name that holds others too, are not the same
        key = f"accent {name}" if name == accent else f"group {name}"
        if key not in self._cells:
            rows = self._study.scores
            if name == accent:
                pool = rows[rows["accent"] == accent]
            else:
                within = sorted(label for label in set(rows["accent"]) if name in self._chain(label))
                pool = rows[rows["accent"].isin(within)]
                # speakers are nested in accents: "s1" of two accents are two people
                pool = pool.assign(accent=name, speaker_id=pool["accent"] + "/" + pool["speaker_id"])
            found = tables.rows(cells(pool, self._study.settings, synthetic=False))
            self._cells[key] = {cell["condition"]: cell for cell in found if cell["accent"] == name}
        return self._cells[key]


def _comparison(
    row: dict[str, Any], found: Compared | None, test: Adjusted | None, wider: _Wider, settings: StatsSettings
) -> dict[str, Any]:
    ranked = row.pop("ranked")
    empty = NOT_COMPARED | NOT_ROLLED_UP | {"compared": found is not None, "adjustment": ""}
    if found is None and ranked:
        return empty | {"note": _no_rest(row, settings.min_speakers)}
    if found is None:
        return empty | _rolled_up(row, wider, settings.min_speakers)
    note = [POINTWISE] if found.gap_interval or found.ratio_interval else ["no interval: too few speakers or errors"]
    note += [] if test else ["not tested: a side has no errors, or its speakers do not vary"]
    return empty | {
        "gap": found.gap,
        **_ends("gap", found.gap_interval),
        "ratio": found.ratio,
        **_ends("ratio", found.ratio_interval),
        "statistic": test.statistic if test else None,
        "p_adjusted": test.p if test else None,
        "adjustment": test.method if test else "",
        "note": "; ".join(note),
    }


def _ends(name: str, found: Interval | None) -> dict[str, float | None]:
    return {f"{name}_ci_low": found.low if found else None, f"{name}_ci_high": found.high if found else None}


def _no_rest(row: Cell, min_speakers: int) -> str:
    if not row["rest_n_ref_words"]:
        return "not compared: all that was heard of this accent here is in this group"
    return f"not compared: the rest of the accent has {_people(row['rest_n_speakers'])}, {min_speakers} needed"


def _rolled_up(row: Cell, wider: _Wider, min_speakers: int) -> dict[str, Any]:
    if row["unit"] == "utterance":
        why = "speakers without names"
    elif row["n_speakers"] >= min_speakers:
        why = "a few speakers outweigh the others"
    else:
        why = f"{_people(row['n_speakers'])}, {min_speakers} needed"
    stands_in = wider.of(row["accent"], row["condition"])
    if stands_in is None:
        return {"note": f"not compared: {why}; no wider group reaches the floor either"}
    name, cell = stands_in
    return {
        "rolled_up_to": name,
        "rolled_up_n_speakers": cell["n_speakers"],
        "rolled_up_wer": cell["wer"],
        "rolled_up_ci_low": cell["ci_low"],
        "rolled_up_ci_high": cell["ci_high"],
        "note": f"not compared: {why}; rolled up to {name}",
    }


def _people(number: int) -> str:
    return "1 speaker" if number == 1 else f"{number} speakers"


def names_crossed(crossings: Sequence[Sequence[str]]) -> list[str]:
    """Return every attribute that a study crosses, sorted; the accent is none."""
    return sorted({name for crossing in crossings for name in crossing[1:]})
