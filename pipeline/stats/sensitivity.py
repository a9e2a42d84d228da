"""Do the conclusions hang on the normalizer? *In*: the other tables of results. *Out*: sensitivity.

Every conclusion is shown under every normalizer of the run, and marked where it is not the same under all of them. It
tells of words and spellings that one normalizer forgives and another counts; it is no test, and two normalizers that
agree may both be wrong.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from pipeline import tables
from pipeline.records import significance_level
from pipeline.result_tables import SUMMARY, Sensitivity
from pipeline.stats.settings import StatsSettings

NOT_EVALUATED = "not evaluated"
NAMED = 20
"""Changes that the summary names; every one of them is a row."""
FURTHER_KEYS = ("statistic", "method", "crossing", "group")
"""Columns that say, in some tables, which of several verdicts on one accent and condition a row holds."""


class Finding(NamedTuple):
    """One conclusion under one normalizer, with the number behind it if there is one."""

    backend: str
    condition: str
    measure: str
    accent: str
    normalizer: str
    value: float | None
    conclusion: str


def sensitivity(results: Mapping[str, pd.DataFrame], settings: StatsSettings, *, synthetic: bool) -> pd.DataFrame:
    """Return the table of sensitivity.

    Measures: ``rank`` of each ranked accent by WER (1 is the highest; equal WERs share a place), ``highest`` and
    ``lowest`` accent, ``gap_max_min`` (is it above the 95th percentile of chance?), ``omnibus_p``, ``interaction_p``
    (adjusted; without an accent the omnibus test, without a condition that over all conditions), each shown or not at
    1 - confidence, and ``<table>.verdict`` of every table of results that has verdicts.

    Args:
        results: the tables of results by name; ``cells``, ``disparities`` and ``interactions`` at least.
        settings: the level.
        synthetic: whether any of the speech was made by a machine.
    """
    cells = results["cells"]
    alpha = significance_level(settings.confidence)
    findings = [*_ranks(cells), *_disparities(results["disparities"], alpha)]
    findings += _interactions(results["interactions"], alpha)
    for name in sorted(results):
        findings += _verdicts(name, results[name])
    rows: list[dict[str, Any]] = []
    for backend in sorted(cells["backend"].unique()):
        normalizers = sorted(cells.loc[cells["backend"] == backend, "normalizer"].unique())
        rows += _rows(backend, normalizers, [one for one in findings if one.backend == backend])
    return tables.build([row | {"synthetic": synthetic} for row in rows], Sensitivity, where="sensitivity")


def _ranks(cells: pd.DataFrame) -> Iterator[Finding]:
    ranked = cells[cells["ranked"] & cells["wer"].notna()]
    places = ranked.groupby(["backend", "normalizer", "condition"])["wer"].rank(method="min", ascending=False)
    for row in tables.rows(ranked.assign(place=places)):
        yield _finding(row, "rank", row["place"], f"place {int(row['place'])}")


def _disparities(table: pd.DataFrame, alpha: float) -> Iterator[Finding]:
    for row in tables.rows(table[table["statistic"] == "gap_max_min"]):
        above = NOT_EVALUATED
        if pd.notna(row["value"]) and pd.notna(row["null_p95"]):
            above = "above what chance usually gives" if row["value"] > row["null_p95"] else "as chance often gives"
        yield _finding(row, "gap_max_min", row["value"], above)
        yield _finding(row, "highest", None, row["worst"] or NOT_EVALUATED)
        yield _finding(row, "lowest", None, row["best"] or NOT_EVALUATED)
    for row in tables.rows(table[table["statistic"] == "omnibus_q"]):
        yield _finding(row, "omnibus_p", row["p"], _shown(row["p"], alpha))


def _interactions(table: pd.DataFrame, alpha: float) -> Iterator[Finding]:
    for row in tables.rows(table):
        yield _finding(row, "interaction_p", row["p_adjusted"], _shown(row["p_adjusted"], alpha))


def _verdicts(name: str, table: pd.DataFrame) -> Iterator[Finding]:
    if not {"verdict", "backend", "normalizer"} <= set(table.columns):
        return
    for row in tables.rows(table):
        which = " ".join([f"{name}.verdict", *(row[key] for key in FURTHER_KEYS if row.get(key))])
        yield _finding(row, which, None, row["verdict"] or NOT_EVALUATED)


def _shown(p: float | None, alpha: float) -> str:
    return NOT_EVALUATED if pd.isna(p) else "shown" if p < alpha else "not shown"


def _finding(row: Mapping[str, Any], measure: str, value: float | None, conclusion: str) -> Finding:
    accent = row.get("accent", "") if measure not in ("highest", "lowest", "gap_max_min", "omnibus_p") else ""
    return Finding(row["backend"], row.get("condition", ""), measure, accent, row["normalizer"], value, conclusion)


def _rows(backend: str, normalizers: list[str], findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    """Yield a row a conclusion and normalizer, and last the summary of one backend."""
    by_subject: dict[tuple[str, str, str], dict[str, Finding]] = {}
    for one in findings:
        by_subject.setdefault((one.condition, one.measure, one.accent), {})[one.normalizer] = one
    changed = []
    for subject, found in sorted(by_subject.items()):
        every = [found.get(name, Finding(backend, *subject, name, None, NOT_EVALUATED)) for name in normalizers]
        changes = len({one.conclusion for one in every}) > 1
        if changes:
            changed.append(_named(every))
        yield from (one._asdict() | {"changes": changes} for one in every)
    yield _summary(backend, normalizers, changed)


def _named(every: Iterable[Finding]) -> str:
    said = list(every)
    about = " ".join(filter(None, (said[0].accent, said[0].measure)))
    place = f" under {said[0].condition}" if said[0].condition else ""
    return f"{about}{place}: " + ", ".join(f"{one.conclusion} ({one.normalizer})" for one in said)


def _summary(backend: str, normalizers: list[str], changed: list[str]) -> dict[str, Any]:
    more = [f"and {len(changed) - NAMED} more"] if len(changed) > NAMED else []
    text = "; ".join([*changed[:NAMED], *more]) or "every conclusion is the same under all normalizers of the run"
    if len(normalizers) < 2:
        text = "one normalizer only: nothing to compare"
    summary = Finding(backend, "", SUMMARY, "", "", float(len(changed)) if len(normalizers) > 1 else None, text)
    return summary._asdict() | {"changes": bool(changed)}
