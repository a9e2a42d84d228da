"""Noise at a stated SNR: ``add`` is the step, ``babble`` and ``machine`` are sources, ``track`` cuts a segment."""

from augment.noise.add import AddNoise

__all__ = ["AddNoise"]
