"""A comparison for programs: CSV of the runs, of their differences and of the gaps, and the whole of it as JSON."""

import json
from typing import Any

import pandas as pd

from pipeline.card.compared import Compared, Comparison, Ended, GapChange, GroupGap, Pair
from pipeline.tables import POOLED

COLUMNS = {
    "run_name": "str",
    "recognizer": "str",
    "exit_code": "int64",
    "not_compared": "str",
    "differs": "str",
    "condition": "str",
    "normalizer": "str",
    "n_trials": "Int64",
    "n_unscored": "Int64",
    "n_speakers": "Int64",
    "n_ref_words": "Int64",
    "errors": "Int64",
    "wer": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "confidence": "float64",
    "support": "str",
    "worst": "str",
    "worst_wer": "float64",
    "best": "str",
    "best_wer": "float64",
    "gap": "float64",
    "gap_null_mean": "float64",
    "gap_null_p95": "float64",
    "omnibus_p": "float64",
    "interaction_p": "float64",
    "n_common_trials": "Int64",
    "common_ref_words": "Int64",
    "common_errors": "Int64",
    "common_wer": "float64",
    "run_gate": "str",
    "run_interaction_p": "float64",
    "run_failed": "Int64",
    "run_excluded": "Int64",
    "run_missing": "Int64",
    "run_audio_s_per_s": "float64",
    "synthetic": "bool",
}
"""The columns of ``comparison.csv``; ``run_...`` are about all conditions of the run. Rates are shares."""


def frame(comparison: Comparison) -> pd.DataFrame:
    """Return one row per run and condition, and one, without a condition, per job that could not be compared."""
    records: list[dict[str, Any]] = []
    for job in comparison.jobs:
        rows = [row for row in comparison.rows if row.run_name == job.run_name]
        records += [_of_job(job) | _of_row(row) for row in rows] or [_of_job(job)]
    table = pd.DataFrame.from_records(records, columns=[name for name in COLUMNS if name != "synthetic"])
    return table.assign(synthetic=comparison.synthetic).astype(COLUMNS)


def cells(comparison: Comparison) -> pd.DataFrame:
    """Return every two runs under every condition, one row for all accents pooled (``ALL``) and one for each accent."""
    found = [_of_key(one) for one in (*comparison.pairs, *comparison.cells)]
    return _exported(found, list(Pair.model_fields), comparison)


def gaps(comparison: Comparison) -> pd.DataFrame:
    """Return the gaps of every two runs under every condition: ``naive``, then that of each accent to the others."""
    naive = [_of_key(one) | {"gap": "naive"} for one in comparison.gaps]
    each = [_of_key(one) | {"gap": "to_reference" if one.against else "to_others"} for one in comparison.group_gaps]
    columns = ["gap", *dict.fromkeys([*GapChange.model_fields, *GroupGap.model_fields])]
    return _exported([*naive, *each], columns, comparison)


def _of_key(one: Pair | GapChange | GroupGap) -> dict[str, Any]:
    values = one.model_dump()
    key = values.pop("key")
    return {"accent": key["accent"] or POOLED, "condition": key["condition"], "normalizer": key["normalizer"]} | values


def _exported(rows: list[dict[str, Any]], columns: list[str], comparison: Comparison) -> pd.DataFrame:
    named = [
        "accent",
        "condition",
        "normalizer",
        *(name for name in columns if name not in ("key", "method")),
        "method",
    ]
    table = pd.DataFrame.from_records(rows, columns=named).assign(synthetic=comparison.synthetic)
    whole = [name for name in named if name.startswith("n_") or name == "replicates"]
    texts = [name for name in named if any(isinstance(row.get(name), str) for row in rows)]
    return table.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(texts, "str"))


def json_text(comparison: Comparison) -> str:
    """Return the comparison as JSON in ASCII; a missing number is null."""
    return json.dumps(comparison.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"


def _of_job(job: Ended) -> dict[str, Any]:
    return {
        "run_name": job.run_name,
        "recognizer": job.recognizer,
        "exit_code": job.exit_code,
        "not_compared": job.not_compared,
        "differs": " ".join(job.differs),
        "confidence": job.confidence,
        "run_gate": job.gate,
        "run_interaction_p": job.interaction.p_adjusted if job.interaction else None,
        "run_failed": job.n_failed,
        "run_excluded": job.n_excluded,
        "run_missing": job.n_missing,
        "run_audio_s_per_s": job.audio_s_per_s,
    }


def _of_row(row: Compared) -> dict[str, Any]:
    pooled, gap = row.pooled, row.gap
    found: dict[str, Any] = {
        "condition": row.key.condition,
        "normalizer": row.key.normalizer,
        "n_trials": row.n_trials,
        "n_unscored": row.n_unscored,
        "n_common_trials": row.common.n_trials,
        "common_ref_words": row.common.n_ref_words,
        "common_errors": row.common.errors,
        "common_wer": row.common.wer,
        "omnibus_p": row.omnibus.p if row.omnibus else None,
        "interaction_p": row.interaction.p_adjusted if row.interaction else None,
    }
    if pooled is not None:
        found |= {name: getattr(pooled, name) for name in ("n_speakers", "n_ref_words", "wer", "ci_low", "ci_high")}
        errors = pooled.substitutions + pooled.deletions + pooled.insertions
        found |= {"errors": errors, "support": pooled.support}
    if gap is not None:
        found |= {"gap": gap.value, "gap_null_mean": gap.null_mean, "gap_null_p95": gap.null_p95}
    for name, cell in (("worst", row.worst), ("best", row.best)):
        if cell is not None:
            found |= {name: cell.key.accent, f"{name}_wer": cell.wer}
    return found
