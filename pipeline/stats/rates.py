"""Every rate of a cell beside its WER (statistics: 1). *In*: scores, and what was left out of them. *Out*: rates.

Each is a ratio of sums over the cell, so that it does not depend on how speech was cut into utterances. None has an
interval: WER has one, in the table of cells, and the others are made of the same counts.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.result_tables import Rates
from pipeline.stats.counts import KINDS, has_words

CELL = ["accent", "condition", "backend", "normalizer"]
LEFT_OUT = ["n_failed", "n_unrendered", "n_not_delivered", "n_no_reference_words", "no_reference_inserted_words"]
"""What is counted beside the scores."""

CHARACTERS = ["ref_characters", "character_errors"]


def rates(scores: pd.DataFrame, left_out: pd.DataFrame, *, synthetic: bool) -> pd.DataFrame:
    """Return the table of rates: a row for every cell with a score or something left out, and one ``ALL`` a condition.

    Args:
        scores: of all backends and normalizers.
        left_out: ``CELL`` and ``LEFT_OUT``, a row a cell where anything was left out.
        synthetic: whether any of the speech is.
    """
    beside = left_out.set_index(CELL)[LEFT_OUT]
    sums = _sums(scores).add(beside, fill_value=0).fillna(0).astype("int64").reset_index()
    pooled = sums.drop(columns="accent").groupby(CELL[1:], as_index=False).sum().assign(accent=tables.POOLED)
    every = pd.concat([sums, pooled], ignore_index=True) if len(sums) else sums
    ordered = every.sort_values(CELL[2:], kind="stable", ignore_index=True)
    counted = bool(set(CHARACTERS) <= set(scores.columns))
    rows = [_row(row, counted=counted) | {"synthetic": synthetic} for row in tables.rows(ordered)]
    return tables.build(rows, Rates, where="rates")


def none_left_out() -> pd.DataFrame:
    """Return the table of what was left out where nothing was."""
    return pd.DataFrame({name: pd.Series(dtype="str" if name in CELL else "int64") for name in [*CELL, *LEFT_OUT]})


def _sums(scores: pd.DataFrame) -> pd.DataFrame:
    """Return what adds up, by cell; an utterance without reference words adds to nothing but their own counts."""
    worded = has_words(scores)
    kept = scores.reindex(columns=[*KINDS, *CHARACTERS], fill_value=0).where(worded, 0)
    words = kept["hits"] + kept["substitutions"] + kept["deletions"]
    errors = kept["substitutions"] + kept["deletions"] + kept["insertions"]
    each = {
        **{name: kept[name] for name in kept},
        "n_utterances": worded,
        "n_above_one": errors > words,
        "n_mostly_inserted": kept["insertions"] > words,
        "n_empty_hypotheses": worded & (errors == kept["deletions"]) & (kept["hits"] == 0),
        "capped_errors": np.minimum(errors, words),
        "n_no_reference_words": ~worded,
        "no_reference_inserted_words": scores["insertions"].where(~worded, 0),
    }
    grouped = scores.groupby(CELL, sort=True)
    place, labels = grouped.ngroup().to_numpy(), grouped.size().index
    # bincount adds in float64, which holds every integer below 2^53
    sums = {name: np.bincount(place, weights=values, minlength=len(labels)) for name, values in each.items()}
    speakers = pd.factorize(scores["speaker_id"])[0]
    named = worded.to_numpy(dtype=bool) & (speakers >= 0)
    pairs = np.unique(place[named] * (len(scores) + 1) + speakers[named])
    sums["n_speakers"] = np.bincount(pairs // (len(scores) + 1), minlength=len(labels))
    return pd.DataFrame(sums, index=labels).round().astype("int64")


def _row(of: Mapping[str, Any], *, counted: bool) -> dict[str, Any]:
    """Return the rates of one cell from its sums."""
    words = of["hits"] + of["substitutions"] + of["deletions"]
    heard = of["hits"] + of["substitutions"] + of["insertions"]
    errors = of["substitutions"] + of["deletions"] + of["insertions"]
    precision, recall = _ratio(of["hits"], heard), _ratio(of["hits"], words)
    kept = {name: of[name] for name in Rates.to_schema().columns if name in of}
    return kept | {
        "n_ref_words": words,
        "n_hyp_words": heard,
        "wer": _ratio(errors, words),
        "substitution_rate": _ratio(of["substitutions"], words),
        "deletion_rate": _ratio(of["deletions"], words),
        "insertion_rate": _ratio(of["insertions"], words),
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * of["hits"], words + heard) if words else None,
        "mer": _ratio(errors, errors + of["hits"]),
        # with nothing heard, or nothing right, all of the information is lost
        "wil": (1 - (precision or 0.0) * (recall or 0.0)) if words else None,
        "n_ref_characters": of["ref_characters"],
        "cer": _ratio(of["character_errors"], of["ref_characters"]),
        "capped_wer": _ratio(of["capped_errors"], words),
        "mostly_inserted_share": _ratio(of["n_mostly_inserted"], of["n_utterances"]),
        "note": _note(of, words=words, heard=heard, counted=counted),
    }


def _note(of: Mapping[str, Any], *, words: int, heard: int, counted: bool) -> str:
    said = []
    if not words:
        said.append("nothing was scored: no rate")
    elif not heard:
        said.append("no words were heard at all: no precision")
    if of["n_failed"] or of["n_unrendered"]:
        said.append("rates are of the trials that were heard; the others are missing data")
    if words and not counted:
        said.append("characters were not counted when this was scored")
    return "; ".join(said)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
