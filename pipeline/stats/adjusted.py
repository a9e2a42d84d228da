"""Gaps between accents beside the same gaps freed from what was read. *In*: scores, utterances. *Out*: adjusted.

In the order of preference: the same texts by design; the texts that all compared accents have; a common mix of declared
strata; otherwise accent and content are confounded, and the table says so (statistics: 4.5).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.result_tables import Adjusted
from pipeline.stats.content import compare, overlaps, samples
from pipeline.stats.content_study import SAME_TEXTS, ContentStudy, coded, content_study
from pipeline.stats.contrasts import Contrast, contrast
from pipeline.stats.counts import BoolArray, Group, Tallies, Tally, group, studies, tallies
from pipeline.stats.settings import StatsSettings

EMPTY = ("gap", "gap_ci_low", "gap_ci_high", "ratio", "ratio_ci_low", "ratio_ci_high", "text_overlap", "kept_share")
SEPARATING = ("shared_texts", "standardized")
NO_INTERVAL = "no interval: too few speakers, texts or errors"


def adjusted(
    scores: pd.DataFrame,
    utterances: pd.DataFrame,
    settings: StatsSettings,
    *,
    synthetic: bool,
    counted: Tallies | None = None,
) -> pd.DataFrame:
    """Return the table of adjusted gaps, one to four rows an accent and condition.

    Methods: ``raw`` is the gap of the disparities, with speakers as the sample; ``two_way`` the same gap with texts as
    a sample too; ``shared_texts`` the gap on the texts that all compared accents have; ``standardized`` the gap between
    WERs that are reweighted to the pooled mix of ``settings.strata``. The second and third are there where texts
    differ, the last where strata are declared. ``confounded``: texts differ, and neither of the last two has an
    interval. An accent that is not ranked has a ``raw`` row that says why it is not compared. ``counted``: the
    ``tallies`` of the scores where they are at hand.
    """
    rows: list[dict[str, Any]] = []
    for (backend, normalizer, part), (_, _, counts) in zip(
        studies(scores), tallies(scores) if counted is None else counted, strict=True
    ):
        key = {"backend": backend, "normalizer": normalizer, "synthetic": synthetic}
        laid_out = coded(part, utterances, settings)
        for condition in counts.conditions:
            found = _rows(counts, laid_out[laid_out["condition"] == condition], condition, settings)
            rows.extend(row | key | {"condition": condition} for row in found)
    return tables.build(rows, Adjusted, where="adjusted")


def _rows(counts: Tally, rows: pd.DataFrame, condition: str, settings: StatsSettings) -> Iterator[dict[str, Any]]:
    every = [group(counts, accent, condition) for accent in counts.accents]
    ranked = [one for one in every if one.is_ranked(settings.min_speakers)]
    for one in every:
        if one not in ranked:
            yield _row(one, "raw", f"not compared: {_why_not(one, settings.min_speakers)}")
        elif len(ranked) < 2:
            yield _row(one, "raw", f"not compared: no other accent has {settings.min_speakers} named speakers here")
    if len(ranked) >= 2:
        study = content_study(ranked, rows, settings)
        for place in range(len(ranked)):
            if place != study.reference:
                yield from _accent_rows(study, place)


def _why_not(one: Group, min_speakers: int) -> str:
    if not one.units:
        return "no words were scored"
    if not one.all_named:
        return "speakers without names"
    if one.n_speakers >= min_speakers:
        return "one or two speakers said most of the words"
    return f"{'1 speaker' if one.n_speakers == 1 else f'{one.n_speakers} speakers'}, {min_speakers} needed"


def _accent_rows(study: ContentStudy, place: int) -> Iterator[dict[str, Any]]:
    everything = _behind(study, place, np.ones(len(study.given.words), dtype=bool))
    found = [_raw(study, place, everything)]
    if not study.same_texts:
        found += [_two_way(study, place, everything), _shared(study, place)]
    if study.names:
        found.append(_standardized(study, place))
    separated = any(row["gap_ci_low"] is not None for row in found if row["method"] in SEPARATING)
    said = {"text_overlap": float(study.overlaps[place]), "confounded": not (study.same_texts or separated)}
    for row in found:
        yield row | said | {"note": f"{_against(study)}; {row['note']}"}


def _against(study: ContentStudy) -> str:
    if study.reference is not None:
        return f"reference: {study.groups[study.reference].accent}"
    wanted = study.settings.reference_accent
    why_not = f"the reference accent '{wanted}' cannot be compared here; " if wanted else ""
    return f"{why_not}rest: mean WER of the other accents, equal weights"


def _row(one: Group, method: str, note: str, **values: Any) -> dict[str, Any]:
    counts = {"n_speakers": one.n_speakers, "n_ref_words": int(one.words.sum()), "n_texts": 0}
    names = {"accent": one.accent, "method": method, "note": note, "strata_missing": "", "confounded": False}
    return names | counts | dict.fromkeys(EMPTY) | values


def _measured(found: Contrast) -> dict[str, float | None]:
    gap, ratio = found.gap_interval, found.ratio_interval
    return {
        "gap": found.gap,
        "gap_ci_low": gap.low if gap else None,
        "gap_ci_high": gap.high if gap else None,
        "ratio": found.ratio,
        "ratio_ci_low": ratio.low if ratio else None,
        "ratio_ci_high": ratio.high if ratio else None,
    }


def _behind(study: ContentStudy, place: int, kept: BoolArray) -> dict[str, float]:
    """Return what of the accent at ``place`` is left where only the utterances ``kept`` are."""
    given, own = study.given, study.given.accent == place
    both = kept & own
    words = int(given.words[both].sum())
    return {
        "n_speakers": len(np.unique(given.speaker[both])),
        "n_ref_words": words,
        "n_texts": len(np.unique(given.text[both])),
        "kept_share": words / int(given.words[own].sum()),
    }


def _raw(study: ContentStudy, place: int, behind: dict[str, float]) -> dict[str, Any]:
    others = [study.groups[other] for other in study.compared(place).tolist() if other != place]
    found = contrast(study.groups[place], others, confidence=study.settings.confidence)
    texts = (
        "all compared accents read the same texts"
        if study.same_texts
        else "texts differ: its interval may be too narrow"
    )
    note = f"speakers as the sample; {texts if found.gap_interval else NO_INTERVAL}"
    return _row(study.groups[place], "raw", note, **behind, **_measured(found))


def _two_way(study: ContentStudy, place: int, behind: dict[str, float]) -> dict[str, Any]:
    confidence = study.settings.confidence
    found = compare(study.given, place, study.weights[place], confidence=confidence, sampled=study.sampled)
    note = "speakers and texts as samples" + ("" if found.gap_interval else f"; {NO_INTERVAL}")
    return _row(study.groups[place], "two_way", note, **behind, **_measured(found))


def _shared(study: ContentStudy, place: int) -> dict[str, Any]:
    given, compared = study.given, study.compared(place)
    have = study.readers[compared]
    common: BoolArray = np.asarray(have.all(axis=0))
    kept = common[given.text] & np.isin(given.accent, compared)
    behind = _behind(study, place, kept)
    said = f"{common.sum():,} of {have.any(axis=0).sum():,} texts are common to the compared accents"
    if not study.enough(kept, compared):
        return _row(study.groups[place], "shared_texts", f"not evaluated: {said}, too few speakers read them", **behind)
    part, at = study.restricted(kept, compared), int(np.searchsorted(compared, place))
    weights = study.weights[np.ix_(compared, compared)]
    texts = bool(overlaps(part, weights)[at] < SAME_TEXTS)
    sampled = samples(part, texts=texts)
    found = compare(part, at, weights[at], confidence=study.settings.confidence, sampled=sampled)
    sample = "speakers and texts as samples" if texts else "speakers as the sample"
    note = f"{said}; {sample}" + ("" if found.gap_interval else f"; {NO_INTERVAL}")
    return _row(study.groups[place], "shared_texts", note, **behind, **_measured(found))


def _standardized(study: ContentStudy, place: int) -> dict[str, Any]:
    supported, everyone = study.supported(), np.arange(len(study.groups))
    common = np.flatnonzero(supported.all(axis=0))
    kept = np.isin(study.stratum, common)
    behind = _behind(study, place, kept)
    names = "; ".join(study.names[stratum] for stratum in np.flatnonzero(~supported[place]).tolist())
    said = f"{len(common)} of {len(study.names)} strata have enough speakers{_and_texts(study)} in every accent"
    if not study.enough(kept, everyone):
        return _row(study.groups[place], "standardized", f"not evaluated: {said}", **behind, strata_missing=names)
    stratum = np.searchsorted(common, study.stratum[kept]).astype(np.int64)
    part = study.restricted(kept, everyone)
    part = replace(part, stratum=stratum, mix=study.mix(stratum, part.words))
    weights, confidence = study.weights[place], study.settings.confidence
    sampled = samples(part, texts=not study.same_texts)
    found = compare(part, place, weights, confidence=confidence, sampled=sampled)
    note = f"to the pooled mix of strata; {said}" + ("" if found.gap_interval else f"; {NO_INTERVAL}")
    return _row(study.groups[place], "standardized", note, **behind, **_measured(found), strata_missing=names)


def _and_texts(study: ContentStudy) -> str:
    return "" if study.same_texts else " and texts"
