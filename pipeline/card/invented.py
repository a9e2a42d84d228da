"""What the recognizer said where nobody spoke: counts and texts of the noise-only probe."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.card.acoustic_measures import Invented, InventedText
from pipeline.card.view import View
from pipeline.card.wording import outside

TOP = 3
"""Texts shown for each condition."""
TEXT_LIMIT = 80
METHOD = "real trials rendered without their speech; every word is invented unless the noise holds speech; no interval"


def invented(view: View) -> list[Invented]:
    """Count, per condition, what was said without speech; nothing where the probe did not run."""
    return [_counted(view, condition, group) for condition, group in _by_condition(view)]


def _counted(view: View, condition: str, group: pd.DataFrame) -> Invented:
    minutes, words = float(group["duration_s"].sum()) / 60, int(group["n_words"].sum())
    with_output = int((group["hypothesis"] != "").sum())
    return Invented(
        key=view.key(condition=condition, normalizer=""),
        method=METHOD,
        noises=_noises(view, condition),
        n_trials=len(group),
        minutes=minutes,
        n_with_output=with_output,
        share_with_output=with_output / len(group),
        n_words=words,
        words_per_minute=words / minutes,
    )


def invented_texts(view: View) -> list[InventedText]:
    """Return the texts said most often without speech, per condition; the texts themselves where they may be shown.

    Babble is made of the corpus's own speech, so what is heard in it is treated like the corpus's texts.
    """
    found = []
    for condition, group in _by_condition(view):
        said = group.loc[group["hypothesis"] != "", "hypothesis"].value_counts()
        ordered = sorted(
            ((str(text), int(times)) for text, times in said.items()), key=lambda pair: (-pair[1], pair[0])
        )
        found += [
            InventedText(
                key=view.key(condition=condition, normalizer=""),
                method="trials with exactly this text",
                n_trials=times,
                text=outside(text, limit=TEXT_LIMIT) if view.may_show_text else None,
            )
            for text, times in ordered[:TOP]
        ]
    return found


def _by_condition(view: View) -> list[tuple[str, pd.DataFrame]]:
    table = view.source.nonspeech
    own = table[table["backend"] == view.backend]
    groups = ((condition, own[own["condition"] == condition]) for condition in view.conditions)
    return [(condition, group) for condition, group in groups if not group.empty]


def _noises(view: View, condition: str) -> list[str]:
    """Return the kinds of noise that the configuration gives a condition."""
    steps = _part(_part(view.source.record.config.get("conditions"), condition), "steps")
    sources = (_part(step, "source") for step in steps if isinstance(step, Mapping)) if isinstance(steps, list) else ()
    return [str(kind) for source in sources if (kind := _part(source, "kind")) is not None]


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None
