"""The utterances of a frozen manifest, found again in the corpus that they came from: a rule of a subset."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pipeline import tables
from pipeline.corpora.frozen import REFERENCE_SHA256, text_sha256
from pipeline.corpora.manifest_files import Row, read_rows
from pipeline.corpora.subset_rules import Wishes
from pipeline.errors import ConfigError, ManifestError, first_five

_COMPARED: Final = {
    "audio_sha256": "its audio is not the one that was frozen",
    REFERENCE_SHA256: "its reference is not the one that was frozen",
    "reference": "its reference is not the one that was frozen",
    "accent": "its accent is not the one that was frozen",
    "speaker_id": "its speaker is not the one that was frozen",
}

_SAID: Final = frozenset(_COMPARED.values())


def not_frozen(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out what a frozen manifest does not list, and what it lists otherwise than the corpus has it.

    Any table with a column ``utterance_id`` does; of the columns that say more, those that are there are compared.
    """
    if wishes.settings.manifest is None:
        return pd.Series([], rest.index[:0], dtype="str")
    path = wishes.settings.manifest.expanduser()
    listed = _listed(path)
    why = [_difference(row, listed) for row in tables.rows(rest[_needed(rest)])]
    changed = sorted(name for name, reason in zip(rest["utterance_id"], why, strict=True) if reason in _SAID)
    absent = sorted(set(listed) - set(rest["utterance_id"]))
    if changed:
        wishes.missing.append(f"the corpus has {first_five(changed)} otherwise than {path.name} lists it")
    if absent:
        wishes.missing.append(f"the corpus lacks {first_five(absent)}, which {path.name} lists")
    found = pd.Series(why, rest.index, dtype="str")
    return "subset.manifest: " + found[found != ""]


def _needed(rest: pd.DataFrame) -> list[str]:
    return [name for name in ("utterance_id", *_COMPARED) if name in rest]


def _difference(row: Mapping[str, Any], listed: Mapping[str, Row]) -> str:
    frozen = listed.get(row["utterance_id"])
    if frozen is None:
        return "it is not listed there"
    for name, sentence in _COMPARED.items():
        if name not in frozen.cells:
            continue
        now = (
            text_sha256(row["reference"])
            if name == REFERENCE_SHA256
            else (row[name] if isinstance(row[name], str) else None)
        )
        if now != frozen.cells[name]:
            return sentence
    return ""


def _listed(path: Path) -> dict[str, Row]:
    try:
        columns, rows = read_rows(path)
    except ManifestError as error:
        raise ConfigError(f"subset.manifest: {str(error).removeprefix('corpus.path: ')}") from error
    if "utterance_id" not in columns:
        raise ConfigError(f"subset.manifest: {path.name} has no column utterance_id. Name a frozen manifest.")
    counts = Counter(row.cells.get("utterance_id", "") for row in rows)
    wrong = sorted(name for name, count in counts.items() if count > 1 or not name)
    if wrong:
        raise ConfigError(
            f"subset.manifest: {path.name} has the utterance_id {first_five(map(repr, wrong))} blank or more than "
            "once. Name each utterance once."
        )
    return {row.cells["utterance_id"]: row for row in rows}
