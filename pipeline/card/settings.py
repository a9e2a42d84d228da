"""What a publisher may decide about the card, its words and how much it shows, never its numbers; and what to hear."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

INTENDED_USE = (
    "Comparing a speech recognizer's word errors between accent groups under named acoustic conditions, to decide "
    "where to test further, where people must check transcripts, and what to mend first."
)
OUT_OF_SCOPE = (
    "Certifying that a service serves everyone equally; deciding anything about a person; "
    "any language, accent, recording condition or recognizer that is not listed on this card."
)

FigureName = Literal["wer_heat_map", "gaps", "degradation", "error_kinds", "interaction", "speakers"]
FIGURES: tuple[FigureName, ...] = get_args(FigureName)
"""In the order of the card."""


class PublishSettings(BaseModel):
    """What of a study may be passed on: cells of few speakers are suppressed, counts are rounded (statistics: 9)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    floor: Annotated[int, Field(ge=5, le=1000)] | Literal["off"] | None = None
    """speakers that a published cell needs; off: everything is shown; null: 10, and off for a public corpus"""
    words: int = Field(default=500, ge=0, le=1_000_000)
    """reference words that a published cell needs"""
    rounded: bool = True
    """round published rates to 0.1 point and word counts to 10 where the floor holds"""

    @field_validator("floor", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        return "off" if value is False else value  # which is what YAML makes of the word


class PageSettings(BaseModel):
    """What the report page, ``card.html``, holds of single trials and their sound."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_bytes: int = Field(default=1_200_000, ge=0, le=50_000_000)
    """of the trials in the page; of a larger study a sample, and of each cell the trials with the most errors"""
    clips_per_cell: int = Field(default=4, ge=0, le=50)
    """trials with the most errors of each cell, to be heard from ``audio/``; 0: no sound is written"""


class CardSettings(BaseModel):
    """The ``card`` section of a study."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(default="1", min_length=1, description="of the card, set by its publisher")
    title: str = Field(default="Speech recognition service card", min_length=1)
    locale: str = Field(default="English (en)", description="languages and varieties that the study is about")
    intended_use: str = INTENDED_USE
    out_of_scope: str = OUT_OF_SCOPE
    contact: str = Field(default="", description="who answers for this card")
    main_normalizer: str = Field(default="whisper_english", description="the one in the main tables")
    show_text: bool = Field(default=True, description="only honored for text that may be redistributed, or synthetic")
    worst_utterances: int = Field(default=10, ge=0, le=100)
    gap_limit: float = Field(
        default=0.05, gt=0, description="worst minus best WER above which the card advises a person's review"
    )
    figures: Literal["all", "none"] | tuple[FigureName, ...] = Field(
        default="all", description="which figures are drawn, where they have data"
    )
    publish: PublishSettings = PublishSettings()
    page: PageSettings = PageSettings()

    @field_validator("figures", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        # one sentence, where each branch of the union would give its own
        named = value if isinstance(value, list | tuple) else [] if value in ("all", "none") else [value]
        if wrong := [name for name in named if name not in FIGURES]:
            raise ValueError(f"all, none, or a list of {', '.join(FIGURES)}; not {', '.join(map(str, wrong))}")
        return value


class ListenSettings(BaseModel):
    """The ``listen`` section of a study."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    examples: int = Field(default=4, ge=1, le=32, description="utterances to hear under every condition")
