"""The numbers that only figures need: single speakers without names, and the rungs of ladders of SNRs."""

from pydantic import Field

from pipeline.card.keys import Number


class SpeakerCounts(Number):
    """The speakers of one cell, lowest WER first; who they are is not told. Empty where a publication floor holds."""

    n_speakers: int
    n_ref_words: int
    errors: tuple[int, ...] = Field(description="of each speaker")
    ref_words: tuple[int, ...] = Field(description="of each speaker; a speaker without any is left out")

    @property
    def wers(self) -> tuple[float, ...]:
        """The WER of each speaker."""
        return tuple(errors / words for errors, words in zip(self.errors, self.ref_words, strict=True))


class Rung(Number):
    """A condition of a ladder: one noise at several SNRs; the key names the condition alone."""

    noise: str
    snr_db: float = Field(description="that the condition asks for")
