"""What is said of any corpus that comes as a table: where it is, how it is read, and what it says of itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pipeline.artifacts import CorpusRecord, unstated
from pipeline.corpora import shipped
from pipeline.corpora.accents import vocabulary
from pipeline.corpora.manifest_files import Format, Quoting, Row
from pipeline.errors import ManifestError, did_you_mean
from pipeline.records import Exclusion


class TableSettings(BaseModel):
    """Where the table is, how it is read, and what the corpus says of itself (empty: it does not say)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    format: Literal["auto"] | Format = "auto"
    quoting: Quoting = "minimal"
    attributes: tuple[str, ...] = ()
    """further columns to carry along, as ``attr_<name>``"""
    on_bad_row: Literal["exclude", "stop"] = "exclude"
    accents: Literal["vocabulary", "as_given"] = "vocabulary"
    vocabulary: str | None = None
    """whose raw labels these are in accents.yaml; null: any corpus's, where they agree"""
    name: str | None = None
    """null: the name of the folder"""
    reference_accent: str | None = None
    """the accent that ``stats.reference_accent`` takes unless it is set"""
    label_kind: str = ""
    label_provenance: str = ""
    allow_inferred_labels: bool = False
    """labels that were inferred or imputed are refused unless it is true"""
    style: str = ""
    synthetic: bool = False
    licence: str = ""
    citation: str = ""
    description: str = ""
    redistribute_text: bool = False
    redistribute_audio: bool | None = None
    """null: it does not say"""
    public: bool = False
    """recordings and labels are open to everyone: the publication floor of the card is off unless the card sets one"""

    @field_validator("vocabulary")
    @classmethod
    def _mapped(cls, value: str | None) -> str | None:
        known = vocabulary().labels if value is not None else {}
        if value is not None and value not in known:
            raise ValueError(f"accents.yaml maps no labels of '{value}'.{did_you_mean(value, known)}")
        return value

    @model_validator(mode="after")
    def _stated_by_somebody(self) -> Self:
        refuse_unstated(self.label_provenance, allowed=self.allow_inferred_labels)
        return self

    @property
    def lookup(self) -> Mapping[str, set[str]] | None:
        """Folded raw label to accent ids; None where raw labels are taken as they stand."""
        return None if self.accents == "as_given" else vocabulary().lookup(self.vocabulary)

    @property
    def looked_up_in(self) -> tuple[Path, ...]:
        """The accent vocabulary, where labels are looked up in it."""
        return () if self.accents == "as_given" else (shipped.DATA_MANIFESTS / "accents.yaml",)

    def record(self, name: str) -> CorpusRecord:
        """Return what the settings declare of the corpus ``name``."""
        declared = self.model_dump(include=set(CorpusRecord.model_fields))
        return CorpusRecord.model_validate(declared | {"name": name})


def refuse_unstated(label_provenance: str, *, allowed: bool) -> None:
    """Refuse labels that nobody stated.

    Raises:
        ValueError: if they were inferred or imputed, and that is not allowed.
    """
    if (word := unstated(label_provenance)) and not allowed:
        raise ValueError(
            f"the labels were {word}: neither the speakers nor anybody who heard them stated them, and a comparison of "
            "such groups says little about people. Set corpus.allow_inferred_labels=true to make it anyway"
        )


def further_columns(value: tuple[str, ...], fixed: Sequence[str]) -> tuple[str, ...]:
    """Return the names of attributes, each once and none of the fixed columns.

    Raises:
        ValueError: if they are not.
    """
    if len(set(value)) < len(value) or any(not name or name in fixed for name in value):
        raise ValueError(f"name each further column once, and none of {', '.join(fixed)}")
    return value


def offenders(where: str, bad: Sequence[tuple[Row, Exclusion]], rows: int) -> ManifestError:
    """Return the error that names the first five bad rows."""
    shown = [f"{row.place} ({lost.utterance_id}): {lost.reason}: {lost.detail}" for row, lost in bad[:5]]
    more = f"; and {len(bad) - 5} more" if len(bad) > 5 else ""
    return ManifestError(
        f"{where}: {len(bad)} of {rows} rows cannot be used: {'; '.join(shown)}{more}. "
        "Mend them, or set corpus.on_bad_row=exclude to go on without them."
    )
