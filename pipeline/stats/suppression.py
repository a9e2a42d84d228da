"""Which cells must not be published, so that nobody's errors can be read off them or worked out (statistics: 9).

A cell with too few speakers or words is hidden. What is hidden must not follow from what is shown: where the cells of
a published total are shown but for a few, those few follow by subtraction, so further cells are hidden until what is
left over is itself large enough, and until no hidden cell is a combination of shown ones.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.stats.counts import BoolArray, IntArray, has_words, studies
from pipeline.stats.crossings import Crossed, crossing_name, group_names, tallied
from pipeline.stats.settings import ACCENT

SOLVED = 1e-9
"""Distance from a combination of shown cells below which a hidden cell is one."""

Cell = tuple[str, str]
"""Accent and condition."""
HiddenGroup = tuple[str, str, str]
"""Crossing, accent and group, as the table of intersections spells them."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What a published cell needs: named speakers and reference words."""

    speakers: int
    words: int

    def met(self, speakers: int, words: int) -> bool:
        """Return whether a cell of so many may be published."""
        return speakers >= self.speakers and words >= self.words


def sizes(scores: pd.DataFrame) -> pd.DataFrame:
    """Return ``speakers`` (named, with words) and ``words`` by accent, condition, backend and normalizer."""
    by = ["accent", "condition", "backend", "normalizer"]
    worded = scores[has_words(scores)]
    words = worded["hits"] + worded["substitutions"] + worded["deletions"]
    grouped = worded.assign(words=words).groupby(by, sort=True)
    return grouped.agg(speakers=("speaker_id", "nunique"), words=("words", "sum")).reset_index()


def under_floor(scores: pd.DataFrame, planned: set[Cell], floor: Floor, *, reference_condition: str) -> set[Cell]:
    """Return which of the ``planned`` cells are hidden: too small under any backend and normalizer, or not scored.

    An accent whose cell under the reference condition is hidden is hidden everywhere, because every paired number
    would tell of that cell.
    """
    found = sizes(scores)
    least = found.groupby(["accent", "condition"])[["speakers", "words"]].min()
    ok = {
        (str(accent), str(condition))
        for (accent, condition), row in zip(least.index, least.to_dict("records"), strict=True)
        if floor.met(int(row["speakers"]), int(row["words"]))
    }
    hidden = planned - ok
    without = {accent for accent, condition in hidden if condition == reference_condition}
    return hidden | {cell for cell in planned if cell[0] in without}


def merged(
    scores: pd.DataFrame, accents: Sequence[str], floor: Floor, parents: Mapping[str, str], *, reference_condition: str
) -> dict[str, str]:
    """Return a wider group for each of the hidden ``accents`` that reaches the floor together with others of them.

    The narrowest wider group is taken first; who finds none in it is tried with the next. A merged group has a name of
    its own, because other speakers of the wider group may be shown apart.
    """
    found: dict[str, str] = {}
    at = {accent: parents.get(accent) for accent in accents}
    while any(at.values()):
        for parent in sorted({wider for wider in at.values() if wider is not None}):
            together = sorted(accent for accent, wider in at.items() if wider == parent)
            name = f"{parent} (merged)"
            pool = relabeled(scores[scores["accent"].isin(together)], dict.fromkeys(together, name))
            planned = set(zip(pool["accent"], pool["condition"], strict=True))
            thin = under_floor(pool, planned, floor, reference_condition=reference_condition)
            if len(together) > 1 and name not in set(scores["accent"]) and thin < planned:
                found |= dict.fromkeys(together, name)
                at = {accent: wider for accent, wider in at.items() if accent not in together}
        at = {accent: parents.get(wider) if wider is not None else None for accent, wider in at.items()}
    return found


def relabeled(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return rows under the names of their merged groups; their speakers keep their accent in their own names."""
    if not names:
        return table
    changed = table["accent"].isin(list(names))
    speakers = table["speaker_id"].where(~changed, table["accent"] + "/" + table["speaker_id"])
    accents = table["accent"].map(lambda accent: names.get(accent, accent))
    return table.assign(speaker_id=speakers.astype("str"), accent=accents.astype("str"))


def hidden_groups(
    scores: pd.DataFrame, utterances: pd.DataFrame, crossings: Sequence[Sequence[str]], floor: Floor
) -> set[HiddenGroup]:
    """Return the groups of the crossings that are hidden under every condition; the accents' totals are shown."""
    names = sorted({name for crossing in crossings for name in crossing if name != ACCENT})
    if not names:
        return set()
    atoms = group_names(utterances, (ACCENT, *names))
    tallies: dict[str, list[Crossed]] = {}
    for _, _, part in studies(scores):
        for one in tallied(part, atoms, ""):
            tallies.setdefault(one.accent, []).append(one)
    return {
        (crossing, accent, group)
        for accent, own in tallies.items()
        for crossing, group in _hidden(own, crossings, floor)
    }


def _hidden(own: Sequence[Crossed], crossings: Sequence[Sequence[str]], floor: Floor) -> Iterator[tuple[str, str]]:
    """Yield (crossing, group) of one accent: hidden under one condition, backend or normalizer is hidden under all."""
    atoms = sorted({atom for one in own for atom in one.groups})
    groups = [(crossing_name(crossing), _project(atom, crossing)) for crossing in crossings for atom in atoms]
    keys = sorted(set(groups))
    of_crossing = np.array([sorted({name for name, _ in keys}).index(name) for name, _ in keys], dtype=np.int64)
    members = np.zeros((len(keys), len(atoms)), dtype=bool)
    for crossing in crossings:
        for place, atom in enumerate(atoms):
            members[keys.index((crossing_name(crossing), _project(atom, crossing))), place] = True
    hidden = np.zeros(len(keys), dtype=bool)
    before = -1
    while before != (before := int(hidden.sum())):
        for one in own:
            rows = np.array([atoms.index(atom) for atom in one.groups], dtype=np.int64)
            for column in range(len(one.conditions)):
                words = np.zeros((len(atoms), len(one.speakers)), dtype=np.int64)
                words[rows] = one.words[:, :, column]
                hidden = protect(members, of_crossing, _unsafe(words, one, floor), words.sum(axis=1), hidden=hidden)
    yield from (key for key, is_hidden in zip(keys, hidden, strict=True) if is_hidden)


def _project(atom: str, crossing: Sequence[str]) -> str:
    values = json.loads(atom)
    return json.dumps({name: values[name] for name in crossing if name != ACCENT}, ensure_ascii=False)


def _unsafe(words: IntArray, one: Crossed, floor: Floor) -> Callable[[BoolArray], bool]:
    named = np.array([is_named for _, is_named in one.speakers], dtype=bool)

    def unsafe(atoms: BoolArray) -> bool:
        by_speaker = words[atoms].sum(axis=0)
        total = int(by_speaker.sum())
        return total > 0 and not floor.met(int((by_speaker[named] > 0).sum()), total)

    return unsafe


def protect(
    members: BoolArray,
    crossings: IntArray,
    unsafe: Callable[[BoolArray], bool],
    words: IntArray,
    *,
    hidden: BoolArray | None = None,
) -> BoolArray:
    """Return which cells to hide beside a published total of all atoms.

    Args:
        members: cells x atoms; a cell is the sum of its atoms, and the cells of one crossing share none.
        crossings: the crossing of each cell.
        unsafe: whether the sum of a set of atoms (a mask) must not be known.
        words: of each atom; among cells that would do, the one with fewest words is hidden.
        hidden: cells that are hidden already.
    """
    own = np.array([unsafe(cell) for cell in members], dtype=bool)
    found = own if hidden is None else own | hidden
    weight = members @ words
    while (more := _leak(members, crossings, unsafe, weight, found)) is not None:
        found = found.copy()
        found[more] = True
    return found


def _leak(
    members: BoolArray, crossings: IntArray, unsafe: Callable[[BoolArray], bool], weight: IntArray, hidden: BoolArray
) -> int | None:
    """Return a shown cell that gives a hidden one away, or None."""
    totals = [np.ones(members.shape[1], dtype=bool), *members[~hidden]]
    for total in totals:
        for crossing in np.unique(crossings):
            inside = (crossings == crossing) & ~(members & ~total).any(axis=1) & members.any(axis=1)
            shown = np.flatnonzero(inside & ~hidden)
            is_split = bool((members[inside].any(axis=0) == total).all())
            rest = total & ~members[shown].any(axis=0)
            if is_split and len(shown) and rest.any() and unsafe(rest):
                return int(shown[np.argmin(weight[shown])])
    return _combined(members, unsafe, weight, hidden)


def _combined(
    members: BoolArray, unsafe: Callable[[BoolArray], bool], weight: IntArray, hidden: BoolArray
) -> int | None:
    shown = np.flatnonzero(~hidden)
    secret = [cell for cell in np.flatnonzero(hidden) if unsafe(members[cell])]
    if not len(shown) or not secret:
        return None
    known = np.vstack([np.ones(members.shape[1]), members[shown]]).astype(np.float64).T
    wanted = members[secret].astype(np.float64).T
    parts = np.linalg.lstsq(known, wanted, rcond=None)[0]
    for column in np.flatnonzero(np.abs(known @ parts - wanted).max(axis=0) < SOLVED):
        used = shown[np.abs(parts[1:, column]) > SOLVED]
        if len(used):
            return int(used[np.argmin(weight[used])])
    return None
