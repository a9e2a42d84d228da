"""What was fixed before any number was seen: the settings of the analysis, their hash, and every later change of them.

A family, margin, reference, statistic or floor that is chosen after looking decides what is found. So these settings
have a hash of their own, which stands in every table of results and on the card, and a change after results existed
under the same run name is recorded with its date and with the values before and after.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.artifacts import AnalysisChange, sha256_of

SECTIONS = ("stats", "normalizer")
"""Sections that are part of the analysis whole: reference, floor, margin, statistic; what counts as the same word."""
CARD = ("main_normalizer", "gap_limit", "publish")
"""Keys of the section ``card`` that decide what is compared, at which limit, and what is shown."""
DATA = ("seed", "corpus", "asr")
"""Sections without which a change is no change of one analysis but another study; the subset is the other one."""

SUBSET_RULES = (
    "accents",
    "manifest",
    "match",
    "balance",
    "speakers_per_accent",
    "utterances_per_speaker",
    "minutes_per_accent",
)
"""Keys of the section ``subset`` that leave something out; its other keys say how."""


def analysis(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the analysis out of a run's configuration, by section.

    The names of the conditions are among them, because they make the family over which p-values are adjusted.
    """
    card = _mapping(config, "card")
    chosen: dict[str, Any] = {name: _mapping(config, name) for name in SECTIONS}
    chosen["card"] = {name: card[name] for name in CARD if name in card}
    chosen["conditions"] = sorted(_mapping(config, "conditions"))
    return chosen


def analysis_sha256(config: Mapping[str, Any]) -> str:
    """Return the SHA-256 of exactly the settings of the analysis, as canonical JSON."""
    return sha256_of(analysis(config))


def change(before: Mapping[str, Any], after: Mapping[str, Any], *, at: str) -> AnalysisChange | None:
    """Return what differs between the analyses of two configurations of one study, or None.

    Args:
        before: the configuration under which results existed.
        after: the one that takes its place.
        at: date and time of the change.
    """
    if other_data(before, after):
        return None
    old, new = dict(flat(analysis(before))), dict(flat(analysis(after)))
    changed = [
        f"{key}: {old.get(key, 'not set')} -> {new.get(key, 'not set')}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if not changed:
        return None
    return AnalysisChange(at=at, sha256_before=analysis_sha256(before), changed=changed)


def chosen_subset(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section ``subset`` of a configuration, empty where it leaves nothing out.

    Runs from before there were subsets have no such section, and are runs of the whole corpus.
    """
    section = _mapping(config, "subset")
    return section if any(section.get(name) for name in SUBSET_RULES) else {}


def other_data(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether two configurations are about other speech or another recognizer."""
    return chosen_subset(before) != chosen_subset(after) or any(before.get(name) != after.get(name) for name in DATA)


def flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted key and the value, as JSON, of every setting in ``value``; a list is one value."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, json.dumps(value, sort_keys=True, ensure_ascii=False)


def _mapping(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = config.get(name)
    return dict(value) if isinstance(value, Mapping) else {}
