"""Handsets: ``step`` is the step; ``curves``, ``pool`` and ``file`` are where a frequency response comes from."""

from augment.handset.step import Handset

__all__ = ["Handset"]
