"""What each cell of a study could show, and what more it would take (statistics: 8).

*In*: reference words of every speaker, assumptions. *Out*: one row an accent, condition and question.
Two questions: ``disparity``, the WER of an accent against the other accents' (or the reference accent's) under one
condition; ``interaction``, what a condition does to it beyond what it does to the others.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.result_tables import Plan
from pipeline.stats import power
from pipeline.stats.counts import MIN_K_EFF, IntArray, effective_speakers
from pipeline.stats.jackknife import welch_degrees
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.power import Spread
from pipeline.stats.settings import StatsSettings

DISPARITY, INTERACTION = "disparity", "interaction"
ENDLESS = 1e9
"""Stands for a number of speakers without end."""


@dataclass(frozen=True, slots=True)
class Speakers:
    """One accent: reference words of each named speaker, and utterances of nobody known, which no plan can use."""

    words: IntArray
    n_utterances: int
    n_unnamed: int


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken for granted: how errors scatter by condition, and the WER of each (accent, condition)."""

    spread: Mapping[str, Spread]
    wer: Mapping[tuple[str, str], float]
    basis: Mapping[str, str]
    """by condition: where these numbers come from, in words"""


@dataclass(frozen=True, slots=True)
class _Question:
    """One question about one accent under one condition, with the accents that it is compared with."""

    kind: str
    accent: str
    condition: str
    rest: tuple[str, ...]
    against: str
    alpha: float


@dataclass(frozen=True)
class _Study:
    """All that a row is made of."""

    accents: Mapping[str, Speakers]
    assumed: Assumed
    settings: StatsSettings
    plan: PlanSettings
    k_eff: Mapping[str, float]
    known: dict[tuple[str, str, str], float] = field(default_factory=dict)
    """variances that were asked for before, by question, condition and accent"""

    def variance(self, asked: _Question, accent: str, words: IntArray) -> float:
        """Return the variance of the log WER, or of the mean log change, of speakers with ``words``."""
        condition, wer = asked.condition, self.assumed.wer
        spread = self.assumed.spread[condition]
        if asked.kind == DISPARITY:
            return power.accent_variance(spread, words, wer[accent, condition])
        before = wer[accent, self.settings.reference_condition]
        return power.accent_change_variance(spread, words, before, wer[accent, condition])

    def variance_of_other(self, asked: _Question, accent: str) -> float:
        """Return the same of another accent, whose speakers are those that are there."""
        key = (asked.kind, asked.condition, accent)
        if key not in self.known:
            self.known[key] = self.variance(asked, accent, self.accents[accent].words)
        return self.known[key]

    def detectable(self, asked: _Question, words: IntArray | None) -> float:
        """Return the log ratio that would be shown if the accent's speakers had ``words``; None: no end of them."""
        own = 0.0 if words is None else self.variance(asked, asked.accent, words)
        rest = np.array([self.variance_of_other(asked, name) for name in asked.rest])
        if asked.kind == DISPARITY:
            rates = np.array([self.assumed.wer[name, asked.condition] for name in asked.rest])
            parts = np.array([own, *(rest * np.square(rates / rates.sum()))])
            k_eff = [ENDLESS if words is None else effective_speakers(words)]
            k_eff += [self.k_eff[name] for name in asked.rest]
            total, degrees = float(parts.sum()), welch_degrees(parts, np.array(k_eff) - 1)
        else:
            # the test pools the speakers of all others, and the variance within all accents
            total = own + 1 / float((1 / rest).sum())
            n_speakers = sum(len(self.accents[name].words) for name in asked.rest)
            degrees = (ENDLESS if words is None else len(words)) + n_speakers - len(rest) - 1
        return power.detectable_log_ratio(math.sqrt(total), degrees, power=self.plan.power, alpha=asked.alpha)

    def needed(self, asked: _Question) -> float | None:
        """Return the speakers that this and one other accent need each, all with this accent's mean words."""
        here, accent, spread = self.accents[asked.accent].words, asked.accent, self.assumed.spread[asked.condition]
        if not len(here):
            return None
        words, wer = float(here.mean()), self.assumed.wer[accent, asked.condition]
        if asked.kind == DISPARITY:
            more, variance = power.few_words(words), power.speaker_variance(spread, words, wer)
        else:
            before = self.assumed.wer[accent, self.settings.reference_condition]
            more, variance = power.few_paired_words(words), power.change_variance(spread, words, before, wer)
        plain = power.speakers_needed(self.plan.ratio, (variance, variance), power=self.plan.power, alpha=asked.alpha)
        return float(math.ceil(plain * more)) if math.isfinite(plain) else None

    def extra(self, asked: _Question) -> float | None:
        """Return how many more speakers of this accent show ``ratio``, the others staying; None if no number does."""
        here, target = self.accents[asked.accent].words, math.log(self.plan.ratio)
        one = max(1, round(float(here.mean())))

        def short(more: int) -> bool:
            grown = np.concatenate([here, np.full(more, one, dtype=np.int64)])
            few = len(grown) < self.settings.min_speakers or effective_speakers(grown) < MIN_K_EFF
            return few or self.detectable(asked, grown) > target

        high = 1
        if not short(0):
            return 0.0
        if self.detectable(asked, None) >= target:
            return None
        while short(high):
            high *= 2
            if high > power.MOST_SPEAKERS:
                return None
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if short(middle) else (low, middle)
        return float(high)


def plan_table(
    accents: Mapping[str, Speakers],
    conditions: Sequence[str],
    assumed: Assumed,
    *,
    settings: StatsSettings,
    plan: PlanSettings,
    questions: Sequence[str] = (DISPARITY, INTERACTION),
) -> pd.DataFrame:
    """Return the plan: for every accent, condition and question what is detectable and what ``plan.ratio`` takes.

    ``detectable_ratio`` is the smallest ratio that a two-sided test at ``alpha`` shows with probability ``plan.power``,
    in this accent against the others as they are. ``extra_speakers`` is how many more of this accent alone, each with
    its mean words, would make it ``plan.ratio``; ``speakers_each`` is how many this and one other accent would need
    each (the formula of statistics 8). With ``multiplicity`` holm, alpha is divided by the number of cells that
    are compared: Holm's first, strictest step.
    """
    k_eff = {name: effective_speakers(one.words) for name, one in accents.items()}
    study = _Study(accents, assumed, settings, plan, k_eff)
    rows = [_row(study, asked) for asked in _questions(study, conditions) if asked.kind in questions]
    return tables.build(rows, Plan, where="plan")


def _questions(study: _Study, conditions: Sequence[str]) -> Iterator[_Question]:
    settings, names = study.settings, sorted(study.accents)
    comparable = [name for name in names if not _why_not(study.accents[name], settings)]
    family = comparable if len(comparable) > 1 else names
    for kind in (DISPARITY, INTERACTION):
        reference = settings.reference_accent if kind == DISPARITY else None
        asked = [name for name in conditions if kind == DISPARITY or name != settings.reference_condition]
        if kind == INTERACTION and settings.reference_condition not in conditions:
            return
        cells = max(1, (len(family) - (reference in family)) * len(asked))
        alpha = (1 - settings.confidence) / (cells if study.plan.multiplicity == "holm" else 1)
        for condition in asked:
            for accent in names:
                if accent == reference:
                    continue
                others = [name for name in comparable if name != accent and reference in (None, name)]
                yield _Question(kind, accent, condition, tuple(others), reference or "", alpha)


def _why_not(given: Speakers, settings: StatsSettings) -> str:
    """Return why an accent is not compared, or nothing."""
    if given.n_unnamed:
        return "not compared: utterances without a named speaker, and the speaker is the unit"
    if len(given.words) < settings.min_speakers:
        return f"not compared: below the floor of {settings.min_speakers} speakers"
    if effective_speakers(given.words) < MIN_K_EFF:
        return f"not compared: fewer than {MIN_K_EFF:g} effective speakers, because few of them say most of the words"
    return ""


def _row(study: _Study, asked: _Question) -> dict[str, Any]:
    given = study.accents[asked.accent]
    total, k = int(given.words.sum()), len(given.words)
    notes = [_why_not(given, study.settings)]
    detectable = extra = None
    if not asked.rest:
        notes.append("there is nobody to compare with: no other accent, or not the reference accent, can be compared")
    elif k and not given.n_unnamed:
        extra = study.extra(asked)
        detectable = None if notes[0] else math.exp(study.detectable(asked, given.words))
        if extra is None:
            notes.append(
                f"more speakers of this accent alone cannot show {study.plan.ratio:g}: the others need more too"
            )
    spread = study.assumed.spread[asked.condition]
    return {
        "question": asked.kind,
        "accent": asked.accent,
        "condition": asked.condition,
        "against": asked.against,
        "n_speakers": k,
        "k_eff": study.k_eff[asked.accent],
        "n_utterances": given.n_utterances,
        "n_ref_words": total,
        "words_per_speaker": total / k if k else None,
        "wer": study.assumed.wer[asked.accent, asked.condition],
        "sigma": spread.sigma if asked.kind == DISPARITY else spread.slope_sd,
        "phi": spread.phi if asked.kind == DISPARITY else spread.paired_phi,
        "alpha": asked.alpha,
        "power": study.plan.power,
        "detectable_ratio": detectable,
        "ratio": study.plan.ratio,
        "extra_speakers": extra,
        "speakers_each": study.needed(asked),
        "basis": study.assumed.basis[asked.condition],
        "note": "; ".join(filter(None, notes)),
    }
