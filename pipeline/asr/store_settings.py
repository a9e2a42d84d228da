"""The ``store`` section of a study: who writes the transcript store, and what ``stages=[store]`` drops from it."""

from pydantic import BaseModel, ConfigDict, Field


class StoreSettings(BaseModel):
    """The ``store`` section of a study. What is dropped must fit every ``drop_`` key that is set."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    shared: bool = False
    """the cache folder is on a file system that several machines share"""
    drop_fingerprint: str | None = Field(None, min_length=3)
    """how a fingerprint's hash or a recognizer's name begins"""
    drop_failed: bool = False
    """drop failures only"""
    drop_older_than_days: int | None = Field(None, ge=1)
    """drop what was written longer ago"""
    dry_run: bool = True
    """only say what would go"""

    @property
    def drops(self) -> bool:
        """Whether anything is to be dropped at all."""
        return self.drop_fingerprint is not None or self.drop_failed or self.drop_older_than_days is not None
