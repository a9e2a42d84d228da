"""Reverberation: ``step`` is the step; ``synthetic``, ``measured`` and ``simulated`` are the kinds of room."""

from augment.rooms.step import Reverb

__all__ = ["Reverb"]
