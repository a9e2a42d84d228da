"""Numbers about single words, copied from their tables beside their keys, in the order of the card."""

from typing import Any, TypeVar

import pandas as pd

from pipeline import tables
from pipeline.card.keys import Key, Number
from pipeline.card.view import View
from pipeline.card.word_measures import Hallucination, TagError, Term

N = TypeVar("N", bound=Number)
KEY_COLUMNS = ("accent", "condition", "backend", "normalizer")
JACKKNIFE = "{level:g}% interval of the log, leave-one-{unit}-out jackknife, t with effective-{unit} df"
SCREEN = "counted by rule, reviewed by nobody unless the measure says so; {interval}"
TERM = (
    "occurrences in references and hypotheses after normalization, matched where they are aligned; recall: {interval}"
)
TAG = "substitutions and deletions on tagged reference words over those words; {interval}"


def hallucinations(view: View) -> list[Hallucination]:
    """Return every sign of invented text of this backend, in the order of the table."""
    return _numbers(view, view.source.hallucinations, Hallucination, SCREEN, low="ci_low", support="support")


def terms(view: View) -> list[Term]:
    """Return every row about key terms of this backend."""
    return _numbers(view, view.source.terms, Term, TERM, low="recall_ci_low", support="recall_support")


def tag_errors(view: View) -> list[TagError]:
    """Return every row about tagged words of this backend."""
    return _numbers(view, view.source.tag_errors, TagError, TAG, low="ci_low", support="support")


def _numbers(view: View, table: pd.DataFrame, model: type[N], method: str, *, low: str, support: str) -> list[N]:
    found = []
    for row in tables.rows(table[table["backend"] == view.backend]):
        interval = JACKKNIFE.format(level=100 * view.rules.confidence, unit=row["unit"])
        if pd.isna(row[low]):
            interval = f"no interval: {row[support]}"
        key = Key(**{name: row[name] for name in KEY_COLUMNS})
        fields = {name: value for name, value in row.items() if name not in KEY_COLUMNS}
        found.append(model.model_validate(fields | {"key": key, "method": method.format(interval=interval)}))
    return sorted(found, key=lambda item: _order(view, item))


def _order(view: View, item: Number) -> tuple[Any, ...]:
    what = [str(getattr(item, name)) for name in ("measure", "term", "tag") if hasattr(item, name)]
    accents, conditions = [*view.accents], [*view.conditions]
    return (
        item.key.normalizer != view.main,
        item.key.normalizer,
        conditions.index(item.key.condition) if item.key.condition in conditions else len(conditions),
        accents.index(item.key.accent) if item.key.accent in accents else len(accents),
        what,
    )
