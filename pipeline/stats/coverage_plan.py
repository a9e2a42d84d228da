"""What to collect next, as a shopping list: more speakers and words of each accent, and of each group within it.

*In*: who said how many words, assumptions. *Out*: ``CoveragePlan``. Each accent is planned against the other accents;
each value of an attribute is planned among the speakers who have it, as the same comparison within that group. The
numbers are those of ``plan``: speakers are what is counted, and words only as far as they make a speaker certain.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.audit_tables import NOT_STATED, CoveragePlan
from pipeline.stats.audit_coverage import crossed
from pipeline.stats.plan import DISPARITY, Assumed, Speakers, plan_table
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.power import between_speakers
from pipeline.stats.settings import StatsSettings
from pipeline.stats.speaker_units import banded

ENOUGH, ALONE, WITH_OTHERS, UNREACHABLE = "enough", "alone", "with_others", "unreachable"


@dataclass(frozen=True)
class _Accents:
    """The accents as wholes."""

    speakers: Mapping[str, Speakers]

    def words_each(self, accent: str, here: Speakers) -> int:
        """Return the words a speaker to plan a cell with: its own, else its accent's, else anybody's; at least 1."""
        everybody = np.concatenate([one.words for one in self.speakers.values()])
        for words in (here.words, self.speakers[accent].words, everybody):
            if len(words):
                return max(1, round(float(words.mean())))
        return 1


@dataclass(frozen=True)
class _Asked:
    """What every cell is planned with."""

    accents: _Accents
    conditions: Sequence[str]
    assumed: Assumed
    settings: StatsSettings
    plan: PlanSettings


def coverage_plan(
    utterances: pd.DataFrame,
    attributes: Sequence[str],
    assumed: Assumed,
    *,
    settings: StatsSettings,
    plan: PlanSettings,
) -> pd.DataFrame:
    """Return the list for utterances with ``accent``, ``speaker_id``, ``words`` and the attributes.

    ``more_speakers`` is how many more of this cell alone show ``plan.ratio`` (``how`` alone); where no number of them
    does, how many it lacks of the speakers that it and one other accent would need each (``with_others``). Both with
    ``words_per_speaker`` words. The most urgent first: accents before groups within them, cells that cannot be compared
    at all before others, then by speakers.
    """
    conditions = sorted(assumed.spread)
    accents = _Accents(_speakers(utterances, sorted(utterances["accent"].unique())))
    asked = _Asked(accents, conditions, assumed, settings, plan)
    rows = _planned(accents.speakers, "", NOT_STATED, asked)
    for name in crossed(utterances, attributes):
        table = utterances.assign(value=banded(utterances[name]))
        for value, own in table.groupby("value", sort=True):
            rows += _planned(_speakers(own, list(accents.speakers)), name, str(value), asked)
    rows.sort(key=lambda row: _urgency(row, settings))
    return tables.build(
        [{**row, "place": place} for place, row in enumerate(rows, start=1)], CoveragePlan, where="audit"
    )


def _urgency(row: dict[str, Any], settings: StatsSettings) -> tuple[Any, ...]:
    short = row["n_speakers"] < settings.min_speakers
    more = math.inf if row["more_speakers"] is None else row["more_speakers"]
    names = (row["accent"], row["attribute"], row["value"])
    return row["how"] == ENOUGH, row["attribute"] != "", not short, -more, names


def _planned(there: Mapping[str, Speakers], attribute: str, value: str, asked: _Asked) -> list[dict[str, Any]]:
    plan, assumed = asked.plan, asked.assumed
    words = {name: asked.accents.words_each(name, one) for name, one in there.items()}
    # an empty cell is planned with one speaker, who is then among those to find; one alone is compared with nobody
    stand_in = {name: one if len(one.words) else Speakers(np.array([words[name]], dtype=np.int64), 0, 0)
                for name, one in there.items()}  # fmt: skip
    table = plan_table(stand_in, asked.conditions, assumed, settings=asked.settings, plan=plan, questions=(DISPARITY,))
    each = None if table["speakers_each"].isna().all() else float(table["speakers_each"].max())
    by_accent = {str(accent): tables.rows(rows) for accent, rows in table.groupby("accent")}
    found = []
    for accent, one in there.items():
        n_speakers = len(one.words)
        cells = [_cell(row, n_speakers) for row in by_accent.get(accent, [])]
        worst = max(
            cells or [_reference(each, n_speakers, asked.conditions)],
            key=lambda cell: (_size(cell["more_speakers"]), cell["condition"]),
        )
        told = {"accent": accent, "attribute": attribute, "value": value, "ratio": plan.ratio, "power": plan.power}
        told |= {"n_speakers": n_speakers, "n_words": int(one.words.sum()), "words_per_speaker": float(words[accent])}
        told |= worst | _amounts(worst, words[accent], asked, accent)
        found.append(told | {"reason": _reason(told, asked.settings)})
    return found


def _amounts(worst: dict[str, Any], words: int, asked: _Asked, accent: str) -> dict[str, Any]:
    more, spread = worst["more_speakers"], asked.assumed.spread[worst["condition"]]
    wer = asked.assumed.wer[accent, worst["condition"]]
    return {
        "more_words": None if more is None else math.ceil(more * words),
        # v of statistics 8 over 1 / (words * WER), what it would be if errors fell on words independently
        "design_effect": spread.phi + between_speakers(spread.sigma) * words * wer,
        "basis": asked.assumed.basis[worst["condition"]],
    }


def _speakers(own: pd.DataFrame, accents: Sequence[str]) -> dict[str, Speakers]:
    worded = own[own["words"] > 0]
    sums = worded.groupby(["accent", "speaker_id"], sort=True)["words"].sum()
    by_accent = {str(accent): rows.to_numpy(dtype=np.int64) for accent, rows in sums.groupby(level="accent")}
    sizes = own.groupby("accent").size()
    unnamed = worded[worded["speaker_id"].isna()].groupby("accent").size()
    nobody = np.empty(0, dtype=np.int64)
    return {
        accent: Speakers(by_accent.get(accent, nobody), int(sizes.get(accent, 0)), int(unnamed.get(accent, 0)))
        for accent in accents
    }


def _cell(row: dict[str, Any], n_speakers: int) -> dict[str, Any]:
    """Return what one condition asks of a cell."""
    phantoms = 0 if n_speakers else 1
    extra, each = row["extra_speakers"], row["speakers_each"]
    found = {"condition": row["condition"], "detectable_ratio": None if phantoms else _value(row["detectable_ratio"])}
    if not pd.isna(extra):
        more = extra + phantoms
        return found | {"more_speakers": more, "how": ALONE if more else ENOUGH}
    if pd.isna(each):
        return found | {"more_speakers": None, "how": UNREACHABLE}
    return found | {"more_speakers": max(0.0, each - n_speakers), "how": WITH_OTHERS}


def _reference(each: float | None, n_speakers: int, conditions: Sequence[str]) -> dict[str, Any]:
    """Return what the reference accent needs: as many as an accent that is compared with it."""
    more = None if each is None else max(0.0, each - n_speakers)
    how = UNREACHABLE if more is None else WITH_OTHERS if more else ENOUGH
    return {"condition": conditions[0], "detectable_ratio": None, "more_speakers": more, "how": how}


def _value(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _size(more: float | None) -> float:
    return math.inf if more is None else more


def _reason(row: dict[str, Any], settings: StatsSettings) -> str:
    if row["accent"] == settings.reference_accent:
        return "the others are compared with it"
    if row["how"] == ENOUGH:
        return f"a ratio of {row['ratio']:g} can be shown as it is"
    if not row["n_speakers"]:
        return "nobody with a name is there"
    if row["n_speakers"] < settings.min_speakers:
        return f"fewer than {settings.min_speakers} speakers are not compared"
    if row["how"] == WITH_OTHERS and not row["more_speakers"]:
        return "large enough itself; the other accents are too small to compare it with"
    if row["detectable_ratio"] is None:
        return "not compared: one speaker outweighs the others, or there is no other accent"
    return f"only a ratio of {math.ceil(100 * row['detectable_ratio']) / 100:g} or more can be shown"
