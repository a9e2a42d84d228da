"""Where each accent stands under each condition. *In*: scores. *Out*: standings (statistics: 3.2, 3.3, 3.5).

The raw order of accents is mostly chance where speakers are few: the accent with the highest WER is truly the worst in
a third of cases (statistics: 3.1). So each accent carries its shrunken WER, the probability that it is the worst or the
best, and a verdict on equivalence that is never drawn from a test that merely failed to reject.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.result_tables import Standings
from pipeline.stats.between import model_of
from pipeline.stats.counts import Group, Tallies, Tally, effective_speakers, group, ranked_groups, tallies
from pipeline.stats.equivalence import Equivalence, caution, equivalence
from pipeline.stats.hierarchy import Model
from pipeline.stats.multiplicity import holm
from pipeline.stats.settings import StatsSettings
from pipeline.stats.summary_row import summary_row

EMPTY = (
    "shrunken_wer", "shrunken_low", "shrunken_high", "p_worst", "p_best", "log_ratio", "ratio", "ratio_low",
    "ratio_high", "p_equivalent", "p_worse_holm",
)  # fmt: skip
REST = "rest"
EQUIVALENCE_STATISTICS = ("all_within_margin", "some_worse_than_margin")


@dataclass(frozen=True, slots=True)
class Compared:
    """Every ranked accent but the reference against ``against``: the reference accent, or ``rest``."""

    against: str
    note: str
    accents: Mapping[str, Equivalence]
    p_worse_holm: Mapping[str, float]


def standings(
    scores: pd.DataFrame, settings: StatsSettings, *, synthetic: bool, counted: Tallies | None = None
) -> pd.DataFrame:
    """Return the table of standings: one row for each accent with utterances under a condition.

    Accents below the floor are there with their WER and say why they are not compared. The interval of ``ratio`` is the
    1 - 2 ``equivalence_level`` interval whose inclusion in the margin is the verdict; ``p_worse_holm`` is adjusted over
    the accents of the condition. ``counted``: the ``tallies`` of the scores where they are at hand.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, counts in tallies(scores) if counted is None else counted:
        for condition in counts.conditions:
            key = {"condition": condition, "backend": backend, "normalizer": normalizer, "synthetic": synthetic}
            names = (backend, normalizer, condition)
            rows.extend(row | key for row in _rows(counts, condition, settings, names))
    return tables.build(rows, Standings, where="standings")


def _rows(
    counts: Tally, condition: str, settings: StatsSettings, names: tuple[str, str, str]
) -> Iterator[dict[str, Any]]:
    groups = ranked_groups(counts, condition, settings.min_speakers)
    given, model = model_of(groups, settings, names)
    found = compared(groups, *reference(counts, condition, settings), settings)
    column = counts.conditions.index(condition)
    for accent in counts.accents:
        if not counts.rows[counts.members([accent]), column].any():
            continue
        one = group(counts, accent, condition)
        row = _bare(one)
        if not one.is_ranked(settings.min_speakers):
            yield row | {"note": _not_compared(one, settings.min_speakers)}
            continue
        notes = [given.note if model is None else model.note, found.note]
        row |= _shrunken(model, accent) | _verdict(found, accent, notes)
        yield row | {"note": "; ".join(filter(None, notes)), "ranked": True}


def _bare(one: Group) -> dict[str, Any]:
    return dict.fromkeys(EMPTY) | {
        "accent": one.accent,
        "n_speakers": one.n_speakers,
        "k_eff": effective_speakers(one.words),
        "n_ref_words": int(one.words.sum()),
        "wer": one.wer if len(one.words) else None,
        "ranked": False,
        "against": "",
        "verdict": "",
    }


def _not_compared(one: Group, min_speakers: int) -> str:
    if not len(one.words):
        return "not compared: no reference words"
    if not one.all_named:
        return "not compared: speakers without names"
    if one.n_speakers < min_speakers:
        return f"not compared: fewer than {min_speakers} named speakers"
    return "not compared: one speaker outweighs the others"


def _shrunken(model: Model | None, accent: str) -> dict[str, float]:
    if model is None:
        return {}
    place = model.accents.index(accent)
    wer = model.wer[place]
    return {
        "shrunken_wer": wer.median,
        "shrunken_low": wer.low,
        "shrunken_high": wer.high,
        "p_worst": model.p_worst[place],
        "p_best": model.p_best[place],
    }


def _verdict(found: Compared, accent: str, notes: list[str]) -> dict[str, Any]:
    """Return the columns of the comparison; what it has to say besides goes to ``notes``."""
    one = found.accents.get(accent)
    if one is None:
        notes.append("the reference" if accent == found.against else "no other accent to compare with")
        return {}
    notes.append(one.note)
    return {
        "against": found.against,
        "log_ratio": math.log(one.ratio) if one.ratio else None,
        "ratio": one.ratio,
        "ratio_low": one.interval.low if one.interval else None,
        "ratio_high": one.interval.high if one.interval else None,
        "p_equivalent": one.p_equivalent,
        "p_worse_holm": found.p_worse_holm.get(accent),
        "verdict": one.verdict.value,
    }


def reference(counts: Tally, condition: str, settings: StatsSettings) -> tuple[str | None, str]:
    """Return the reference accent if it can be used here, and otherwise a note that says why it is not."""
    name = settings.reference_accent
    if name is None:
        return None, ""
    if group(counts, name, condition).is_ranked(settings.min_speakers):
        return name, ""
    return None, f"the reference accent '{name}' has fewer than {settings.min_speakers} named speakers here"


def compared(groups: Sequence[Group], name: str | None, why_not: str, settings: StatsSettings) -> Compared:
    """Compare each accent of ``groups`` with accent ``name``, or without one with the mean WER of all others."""
    found: dict[str, Equivalence] = {}
    for one in groups if len(groups) > 1 else ():
        if one.accent != name:
            others = [other for other in groups if other is not one and name in (None, other.accent)]
            found[one.accent] = equivalence(
                one, others, margin=settings.equivalence_margin, level=settings.equivalence_level
            )
    tested = {accent: one.p_worse for accent, one in found.items() if one.p_worse is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())).tolist(), strict=True))
    few = caution([one.n_speakers for one in groups], settings.equivalence_margin) if found else ""
    return Compared(name or REST, "; ".join(filter(None, (why_not, few))), found, adjusted)


def equivalence_rows(found: Compared, n_groups: int, settings: StatsSettings) -> Iterator[dict[str, Any]]:
    """Yield the two rows over all accents: "all are within the margin" and "some accent is worse than it".

    The first is an intersection-union test: every accent must pass, and the largest p is the p of all. The second is a
    union: the smallest p after Holm. ``value`` is the margin.
    """
    margin = settings.equivalence_margin
    if not found.accents:
        why = "no two accents can be compared"
        yield from (summary_row(name, n_groups, why, value=margin) for name in EQUIVALENCE_STATISTICS)
        return
    passed = sum(one.verdict == "equivalent" for one in found.accents.values())
    each = [one.p_equivalent for one in found.accents.values()]
    said = (
        f"against {found.against}: {passed} of {len(each)} accents are shown to be within the margin; the p of all is "
    )
    said += "the largest p of one (intersection-union)"
    largest = max((p for p in each if p is not None), default=None) if None not in each else None
    said += "" if largest is not None else "; no p: an accent has no interval"
    yield summary_row(
        "all_within_margin", n_groups, "; ".join(filter(None, (said, found.note))), value=margin, p=largest
    )
    worst = min(found.p_worse_holm, key=lambda accent: (found.p_worse_holm[accent], accent), default="")
    note = f"against {found.against}: smallest p after Holm over {len(found.p_worse_holm)} accents"
    p = found.p_worse_holm.get(worst)
    yield summary_row("some_worse_than_margin", n_groups, note, value=margin, p=p, worst=worst)
