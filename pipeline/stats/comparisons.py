"""Each condition against the reference condition, on the same utterances. *In*: scores. *Out*: comparisons.

What a condition costs, with an interval and a test that take the speaker as the unit, and the customary test by
segments beside them (statistics: 4.2). One row an accent, ranked or not, and one ``ALL`` that pools every speaker as
they come.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.records import significance_level
from pipeline.result_tables import Comparisons
from pipeline.stats.counts import studies
from pipeline.stats.multiplicity import holm
from pipeline.stats.permutation import generator
from pipeline.stats.same_utterances import Difference, FindSlots, Paired, answers, compare, paired
from pipeline.stats.settings import StatsSettings

EMPTY = ("wer_reference", "wer", "difference", "ci_low", "ci_high", "ratio", "p", "mapsswe_z", "mapsswe_p")


def comparisons(
    scores: pd.DataFrame,
    settings: StatsSettings,
    *,
    synthetic: bool,
    find_slots: FindSlots,
    voices: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """Return the table of comparisons.

    Where the reference condition was not scored, or nothing else was, one ``ALL`` row without a condition says so.

    ``difference`` is WER under the condition less WER under the reference one, as a fraction, on the utterances scored
    under both, with a delete-one-speaker jackknife interval. ``p`` comes of flipping the signs of the speakers'
    differences; ``p_adjusted`` is Holm's over every p of one backend and normalizer. In the ``ALL`` rows speakers with
    one voice (``voices``) are one. An accent that is not ranked has its counts and difference, and no interval or test.
    """
    rows: list[dict[str, Any]] = []
    for backend, normalizer, part in studies(scores):
        found = list(_study(part, find_slots, settings, (backend, normalizer), voices or {}))
        key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
        rows.extend(row | key for row in _adjusted(found))
    return tables.build(rows, Comparisons, where="comparisons")


def _adjusted(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    tested = [place for place, row in enumerate(found) if row["p"] is not None]
    by_place = dict(zip(tested, holm([found[place]["p"] for place in tested]).tolist(), strict=True))
    return [
        row | {"p_adjusted": by_place.get(place), "n_family": len(tested)} for place, row in enumerate(found)
    ]  # fmt: skip


def _study(
    scores: pd.DataFrame,
    find_slots: FindSlots,
    settings: StatsSettings,
    names: tuple[str, str],
    voices: Mapping[tuple[str, str], str],
) -> Iterator[dict[str, Any]]:
    by_condition = answers(scores, find_slots)
    accents = sorted(set[str]().union(*(given.table["accent"].unique() for given in by_condition.values())))
    before = by_condition.get(settings.reference_condition)
    if before is None or len(by_condition) < 2:
        note = f"needs words scored under the reference condition '{settings.reference_condition}' and another one"
        yield {"accent": tables.POOLED, "condition": ""} | _nothing() | {"note": note}
        return
    for condition, after in by_condition.items():
        if condition == settings.reference_condition:
            continue
        both = paired(before, after)
        for accent in (*accents, tables.POOLED):
            part = both if accent == tables.POOLED else both.of(accent)
            key = {"accent": accent, "condition": condition}
            rng = generator(settings.seed, "comparison", *names, condition, accent)
            found = None
            if part.units:
                of_voices = voices if accent == tables.POOLED else {}
                found = compare(
                    part, confidence=settings.confidence, flips=settings.permutations, rng=rng, voices=of_voices
                )
            yield key | (_nothing() if found is None else _row(found, part, accent, settings))


def _nothing() -> dict[str, Any]:
    counts = ("n_speakers", "n_utterances", "n_ref_words", "errors_reference", "errors", "n_segments")
    note = "no utterance was scored under both conditions"
    return dict.fromkeys(EMPTY) | dict.fromkeys(counts, 0) | {"k_eff": 0.0, "unit": "speaker", "note": note}


def _row(found: Difference, part: Paired, accent: str, settings: StatsSettings) -> dict[str, Any]:
    why_not = "" if accent == tables.POOLED else not_compared(part, settings.min_speakers)
    test = None if why_not else found.flipped
    bounds = None if why_not else found.interval
    return {
        "n_speakers": found.n_speakers,
        "k_eff": found.k_eff,
        "n_utterances": found.n_utterances,
        "n_ref_words": found.n_ref_words,
        "errors_reference": found.errors[0],
        "errors": found.errors[1],
        "wer_reference": found.wer[0],
        "wer": found.wer[1],
        "difference": found.difference,
        "ci_low": bounds.low if bounds else None,
        "ci_high": bounds.high if bounds else None,
        "ratio": found.ratio,
        "p": test.p if test else None,
        "n_segments": found.customary.n_segments,
        "mapsswe_z": None if why_not else found.customary.z,
        "mapsswe_p": None if why_not else found.customary.p,
        "unit": found.unit,
        "note": why_not or told(found, significance_level(settings.confidence)),
    }


def not_compared(part: Paired, min_speakers: int, *, twice: str = "heard in both conditions") -> str:
    """Return why these speakers, answered ``twice``, cannot be compared, or nothing where they can."""
    if part.is_ranked(min_speakers):
        return ""
    if not part.all_named:
        return "not compared: speakers without names"
    n_speakers = len(part.units)
    people = "1 speaker" if n_speakers == 1 else f"{n_speakers} speakers"
    if n_speakers >= min_speakers:
        return f"not compared: {people}, of whom one or two said most of the words"
    return f"not compared: {people} {twice}, {min_speakers} needed"


def told(found: Difference, alpha: float) -> str:
    """Return in words how the p-value was found and what it cannot say."""
    test = found.flipped
    if not test.moved:
        return "every speaker has as many errors both times: nothing to test"
    units = "speakers" if found.unit == "speaker" else "utterances, as speakers are unknown: too sure of itself"
    note = f"p from {'all' if test.exact else f'{test.flips} random'} sign flips of {units}"
    least = 2.0 ** (1 - test.moved)
    if least > alpha:
        note += f"; {test.moved} with a difference: no p below {least:.2g} is possible"
    return note if found.interval else f"{note}; no interval: too few speakers, or all changed alike"
