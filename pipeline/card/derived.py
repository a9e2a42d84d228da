"""Numbers that only the card needs: sums over the scores of the main normalizer and over the renderings."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline.card.acoustic_measures import Delivered
from pipeline.card.measures import (
    Cell,
    Coverage,
    Degradation,
    SpeakerMedian,
    Utterance,
    WorstCase,
)
from pipeline.card.view import View
from pipeline.card.wording import outside
from pipeline.tables import POOLED


def coverage(view: View, cells: list[Cell]) -> list[Coverage]:
    """Count, for every accent x condition, what was loaded, planned and scored; a combination of nothing is a row."""
    accents = view.source.utterances[["utterance_id", "accent"]]
    loaded = accents.groupby("accent").size().to_dict()
    planned = view.source.trials.merge(accents, on="utterance_id").groupby(["accent", "condition"]).size().to_dict()
    scored = view.scores.groupby(["accent", "condition"]).size().to_dict()
    measured = {cell.key: cell for cell in cells}
    found = []
    for accent in view.accents:
        for condition in view.conditions:
            key = view.key(accent=accent, condition=condition)
            cell = measured.get(key)
            found.append(
                Coverage(
                    key=key,
                    method="rows of the tables of utterances, trials and scores",
                    n_loaded=loaded.get(accent, 0),
                    n_planned=planned.get((accent, condition), 0),
                    n_scored=scored.get((accent, condition), 0),
                    n_speakers=cell.n_speakers if cell else 0,
                    n_ref_words=cell.n_ref_words if cell else 0,
                    support=cell.support if cell else "empty",
                )
            )
    return found


def degradation(view: View) -> list[Degradation]:
    """Compare each condition with the reference condition on the utterances scored under both, by accent and pooled."""
    scores = view.counts
    base = scores[scores["condition"] == view.reference].set_index("utterance_id")["errors"]
    found = []
    for condition in view.conditions:
        if condition == view.reference or base.empty:
            continue
        part = scores[scores["condition"] == condition]
        paired = part.join(base.rename("errors_reference"), on="utterance_id", how="inner")
        found += [_degraded(view, accent, condition, group) for accent, group in _by_accent(paired)]
    return found


def _degraded(view: View, accent: str, condition: str, group: pd.DataFrame) -> Degradation:
    words, errors, before = (int(group[name].sum()) for name in ("ref_words", "errors", "errors_reference"))
    return Degradation(
        key=view.key(accent=accent, condition=condition),
        method=f"WER minus WER under {view.reference}, same utterances; no interval",
        n_speakers=group["speaker_id"].nunique(),
        n_utterances=len(group),
        n_ref_words=words,
        errors=errors,
        errors_reference=before,
        difference=(errors - before) / words if words else None,
        ratio=errors / before if before else None,
    )


def worst_case(view: View) -> list[WorstCase]:
    """Judge each utterance by its worst condition, by accent and pooled; needs two conditions."""
    n_conditions = view.counts["condition"].nunique()
    if n_conditions < 2:
        return []
    grouped = view.counts.groupby("utterance_id", sort=True)
    each = grouped.agg(
        accent=("accent", "first"),
        speaker_id=("speaker_id", "first"),
        ref_words=("ref_words", "first"),
        errors=("errors", "max"),
        heard=("condition", "nunique"),
    )
    complete = each[each["heard"] == n_conditions]
    return [_judged(view, accent, n_conditions, group) for accent, group in _by_accent(complete)]


def _judged(view: View, accent: str, n_conditions: int, group: pd.DataFrame) -> WorstCase:
    words, errors, right = int(group["ref_words"].sum()), int(group["errors"].sum()), int((group["errors"] == 0).sum())
    return WorstCase(
        key=view.key(accent=accent),
        method="utterances scored under every condition; each counts with its worst one; no interval",
        n_conditions=n_conditions,
        n_speakers=group["speaker_id"].nunique(),
        n_utterances=len(group),
        n_ref_words=words,
        n_all_right=right,
        all_right_share=right / len(group),
        errors=errors,
        wer=errors / words if words else None,
    )


def speaker_medians(view: View) -> list[SpeakerMedian]:
    """Return, per condition, the median over speakers of each speaker's WER; nothing where speakers are unknown."""
    known = view.counts[view.counts["speaker_id"].notna()]
    found = []
    for condition in view.conditions:
        each = known[known["condition"] == condition].groupby(["accent", "speaker_id"])[["errors", "ref_words"]].sum()
        each = each[each["ref_words"] > 0]
        if not each.empty:
            found.append(
                SpeakerMedian(
                    key=view.key(accent=POOLED, condition=condition),
                    method="median over speakers of a speaker's errors over its reference words",
                    n_speakers=len(each),
                    n_ref_words=int(each["ref_words"].sum()),
                    median_wer=float((each["errors"] / each["ref_words"]).median()),
                )
            )
    return found


def delivered(view: View) -> list[Delivered]:
    """Summarize what the renderings of each condition came out as."""
    acoustics = view.source.record.config.get("acoustics") or {}
    weighting = acoustics.get("snr_weighting", "a")
    snr = f"snr_{weighting}_db"
    conditions = view.source.trials[["trial_key", "condition"]].drop_duplicates()
    placed = view.source.renderings.merge(conditions, on="trial_key")
    found = []
    for condition in view.conditions:
        group = placed[placed["condition"] == condition]
        if group.empty:
            continue
        found.append(
            Delivered(
                key=view.key(condition=condition, normalizer=""),
                method="measured on each rendering, before the recognizer",
                n_renderings=len(group),
                snr_weighting=weighting,
                snr_median_db=float(group[snr].median()),
                snr_min_db=float(group[snr].min()),
                snr_max_db=float(group[snr].max()),
                active_level_out_median_dbov=float(group["active_level_out_dbov"].median()),
                clipped_share_max=float(group["clipped_share"].max()),
                rt60_median_s=float(group["rt60_s"].median()),
                drr_median_db=float(group["drr_db"].median()),
                overload_share_median=float(group["overload_share"].median()),
                loss_share_mean=float(group["loss_share"].mean()),
                loss_active_share_mean=float(group["loss_active_share"].mean()),
                longest_loss_max_s=float(group["longest_loss_s"].max()),
            )
        )
    return found


def worst_utterances(view: View) -> list[Utterance]:
    """Return the utterances with the most word errors, each once, under its worst condition."""
    wrong = view.counts[view.counts["errors"] > 0]
    """Return the utterances with the most word errors, each once, under its worst condition; none under a floor."""
    if view.source.publication.floor is not None:
        return []
    wrong = view.scores[view.scores["errors"] > 0]
    order = ["errors", "ref_words", "utterance_id", "condition"]
    ranked = wrong.sort_values(order, ascending=[False, True, True, True]).drop_duplicates("utterance_id")
    top = view.scores.loc[ranked.head(view.source.settings.worst_utterances).index].to_dict("records")
    return [_utterance(view, {str(name): value for name, value in row.items()}) for row in top]


def _utterance(view: View, row: dict[str, Any]) -> Utterance:
    show = view.may_show_text
    return Utterance(
        key=view.key(accent=row["accent"], condition=row["condition"]),
        method="most word errors; text after the main normalizer",
        utterance_id=row["utterance_id"],
        n_ref_words=row["ref_words"],
        hits=row["hits"],
        substitutions=row["substitutions"],
        deletions=row["deletions"],
        insertions=row["insertions"],
        wer=row["errors"] / row["ref_words"] if row["ref_words"] else None,
        reference=outside(row["normalized_reference"]) if show else None,
        hypothesis=outside(row["normalized_hypothesis"]) if show else None,
    )


def _by_accent(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for accent, group in table.groupby("accent", sort=True):
        yield str(accent), group
    if not table.empty:
        yield POOLED, table
