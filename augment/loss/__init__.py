"""Lost packets: ``pattern`` decides which, ``concealment`` fills the holes, ``measure`` reports; ``step`` does all."""

from augment.loss.step import Loss

__all__ = ["Loss"]
