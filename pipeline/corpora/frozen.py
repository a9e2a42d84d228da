"""Frozen manifests: chosen utterances as JSON lines, with or without their texts.

Nothing of the audio is copied: a row names the recording from the corpus's root and holds its hash. Where texts may
not be passed on, a row holds the hash of its reference instead, and the corpus itself gives the text again.
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline import tables
from pipeline.artifacts import CorpusRecord
from pipeline.corpora import shipped
from pipeline.corpora.accents import vocabulary
from pipeline.corpora.manifest_files import Row, read_rows
from pipeline.corpora.table_settings import TableSettings
from pipeline.errors import StudyError, first_five
from pipeline.tables import ATTRIBUTE_PREFIX

MANIFEST: Final = "manifest.jsonl"
SOURCE: Final = "SOURCE.md"
REFERENCE_SHA256: Final = "reference_sha256"
CHOICE_MARK: Final = "# Written by stages=[manifest]: the frozen manifest beside this folder, as a choice of corpus."


class FreezeSettings(BaseModel):
    """Where a frozen manifest goes, what it holds, and who has looked at it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = None
    """the folder; null: ``data_manifests/<name>``"""
    name: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """null: the corpus's"""
    texts: bool = True
    """false: only hashes of the references; ``subset.manifest`` then finds the utterances again in the corpus"""
    reviewed_by: str = ""
    """who has looked at what was chosen; empty: nobody, and SOURCE.md says so"""
    reviewed_on: date | None = None

    @model_validator(mode="after")
    def _by_and_on(self) -> "FreezeSettings":
        if bool(self.reviewed_by.strip()) != bool(self.reviewed_on):
            raise ValueError("a review has a reviewer and a day: set both manifest.reviewed_by and reviewed_on")
        return self


def is_shipped(folder: Path) -> bool:
    """Return whether a folder lies in the project's own ``data_manifests``, which is passed on with it."""
    return folder.expanduser().resolve().is_relative_to(shipped.DATA_MANIFESTS.resolve())


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def lines(utterances: pd.DataFrame, *, texts: bool) -> str:
    """Return checked ``tables.Utterances`` as JSON lines, sorted by id; the same rows give the same bytes."""
    attributes = {name: name.removeprefix(ATTRIBUTE_PREFIX) for name in attribute_columns(utterances)}
    ordered = utterances.sort_values("utterance_id", kind="stable")
    written = []
    for row in tables.rows(ordered):
        text = {"reference": row["reference"]} if texts else {REFERENCE_SHA256: text_sha256(row["reference"])}
        value = {
            "utterance_id": row["utterance_id"],
            "audio_path": row["audio"],
            **text,
            "speaker_id": _or_none(row["speaker_id"]),
            "accent": row["accent"],
            "raw_accent": row["raw_accent"],
            **{name: _or_none(row[column]) for column, name in attributes.items()},
            "audio_sha256": row["audio_sha256"],
            "duration_s": row["duration_s"],
            "sample_rate_hz": row["sample_rate_hz"],
        }
        written.append(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
    return "".join(written)


def _or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def attribute_columns(utterances: pd.DataFrame) -> list[str]:
    """Return the columns of declared attributes, sorted."""
    return sorted(str(name) for name in utterances.columns if str(name).startswith(ATTRIBUTE_PREFIX))


def check_read_back(path: Path, utterances: pd.DataFrame, *, texts: bool) -> None:
    """Read a written manifest again and compare what it says with what was to be written.

    Raises:
        StudyError: if a reader would see something else, such as a text without the space that it begins with.
    """
    _, rows = read_rows(path)
    found = {row.cells.get("utterance_id", ""): row for row in rows}
    wanted = ("accent", "raw_accent", "speaker_id", *(("reference",) if texts else ()))
    changed = [
        f"{row['utterance_id']} ({name})"
        for row in tables.rows(utterances)
        for name in wanted
        if found.get(row["utterance_id"], Row(0, {})).cells.get(name) != _or_none(row[name])
    ]
    if changed or len(rows) != len(utterances):
        raise StudyError(
            f"{path.name}: read again, it would say something else of {first_five(changed) or 'the number of rows'}. "
            "A name, label or text that begins or ends with a space cannot be frozen: mend the corpus, or leave it out."
        )


def choice(name: str, record: CorpusRecord, utterances: pd.DataFrame) -> str:
    """Return a corpus file for ``--config-dir`` that reads the manifest with everything the corpus declares."""
    known = {accent.id for accent in vocabulary().accents}
    declared = record.model_dump(include=set(TableSettings.model_fields) - {"name"})
    provenances = sorted(set(utterances["label_provenance"]))
    settings = {
        "name": name,
        "attributes": [column.removeprefix(ATTRIBUTE_PREFIX) for column in attribute_columns(utterances)],
        "accents": "vocabulary" if set(utterances["accent"]) <= known else "as_given",
        **declared,
        "label_provenance": provenances[0] if len(provenances) == 1 else record.label_provenance,
    }
    settings = {key: _uninterpolated(value) for key, value in settings.items()}
    written: str = yaml.safe_dump({"defaults": ["manifest", "_self_"], **settings}, sort_keys=False, allow_unicode=True)
    return f"{CHOICE_MARK}\n{written}"


def _uninterpolated(value: Any) -> Any:
    """Return text in which nothing is looked up when the file is composed."""
    if isinstance(value, tuple | list):
        return [_uninterpolated(one) for one in value]
    return value.replace("${", "\\${") if isinstance(value, str) else value
