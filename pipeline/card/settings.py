"""What a publisher may decide about the card, its words and how much it shows, never its numbers; and what to hear."""

from pydantic import BaseModel, ConfigDict, Field

INTENDED_USE = (
    "Comparing a speech recognizer's word errors between accent groups under named acoustic conditions, to decide "
    "where to test further, where people must check transcripts, and what to mend first."
)
OUT_OF_SCOPE = (
    "Certifying that a service serves everyone equally; deciding anything about a person; "
    "any language, accent, recording condition or recognizer that is not listed on this card."
)


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


class ListenSettings(BaseModel):
    """The ``listen`` section of a study."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    examples: int = Field(default=4, ge=1, le=32, description="utterances to hear under every condition")
