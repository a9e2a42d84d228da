"""What is said of any corpus that comes as one table: where it is, how it is read, and what it says of itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from pipeline.artifacts import CorpusRecord
from pipeline.corpora.manifest_files import Format, Quoting
from pipeline.corpora.stated_settings import StatedSettings, refuse_unstated


class TableSettings(StatedSettings):
    """Where the table is, how it is read, and what the corpus says of itself (empty: it does not say)."""

    path: Path
    format: Literal["auto"] | Format = "auto"
    quoting: Quoting = "minimal"
    attributes: tuple[str, ...] = ()
    """further columns to carry along, as ``attr_<name>``"""
    accents: Literal["vocabulary", "as_given"] = "vocabulary"
    name: str | None = None
    """null: the name of the folder"""
    label_kind: str = ""
    label_provenance: str = ""
    licence: str = ""
    redistribute_text: bool = False
    redistribute_audio: bool | None = None
    """null: it does not say"""

    @model_validator(mode="after")
    def _stated_by_somebody(self) -> Self:
        refuse_unstated(self.label_provenance, allowed=self.allow_inferred_labels)
        return self

    def record(self, name: str) -> CorpusRecord:
        """Return what the settings declare of the corpus ``name``."""
        declared = self.model_dump(include=set(CorpusRecord.model_fields))
        return CorpusRecord.model_validate(declared | {"name": name})


def further_columns(value: tuple[str, ...], fixed: Sequence[str]) -> tuple[str, ...]:
    """Return the names of attributes, each once and none of the fixed columns.

    Raises:
        ValueError: if they are not.
    """
    if len(set(value)) < len(value) or any(not name or name in fixed for name in value):
        raise ValueError(f"name each further column once, and none of {', '.join(fixed)}")
    return value
