"""What every corpus of rows says of itself and of its labels, whether a table or a description names the rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from pipeline.artifacts import unstated
from pipeline.corpora import shipped
from pipeline.corpora.accents import vocabulary
from pipeline.errors import did_you_mean


class StatedSettings(BaseModel):
    """How rows are judged, and what the corpus says of itself (empty: it does not say)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on_bad_row: Literal["exclude", "stop"] = "exclude"
    accents: Literal["vocabulary", "as_given"] | tuple[str, ...] = "vocabulary"
    """looked up in accents.yaml, the labels themselves, or (of a description) the accents to study, with all below"""
    vocabulary: str | None = None
    """whose raw labels these are in accents.yaml; null: any corpus's, where they agree"""
    reference_accent: str | None = None
    """the accent that ``stats.reference_accent`` takes unless it is set"""
    allow_inferred_labels: bool = False
    """labels that were inferred or imputed are refused unless it is true"""
    style: str = ""
    synthetic: bool = False
    citation: str = ""
    description: str = ""
    public: bool = False
    """recordings and labels are open to everyone: the publication floor of the card is off unless the card sets one"""
    not_verified: tuple[str, ...] = ()
    """what of all this nobody has checked against the corpus itself; the audit and the card repeat it"""

    @field_validator("vocabulary")
    @classmethod
    def _mapped(cls, value: str | None) -> str | None:
        known = vocabulary().labels if value is not None else {}
        if value is not None and value not in known:
            raise ValueError(f"accents.yaml maps no labels of '{value}'.{did_you_mean(value, known)}")
        return value

    @property
    def lookup(self) -> Mapping[str, set[str]] | None:
        """Folded raw label to accent ids; None where raw labels are taken as they stand."""
        return None if self.accents == "as_given" else vocabulary().lookup(self.vocabulary)

    @property
    def looked_up_in(self) -> tuple[Path, ...]:
        """The accent vocabulary, where labels are looked up in it."""
        return () if self.accents == "as_given" else (shipped.DATA_MANIFESTS / "accents.yaml",)


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
