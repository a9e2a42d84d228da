"""Noise at a stated SNR: ``add`` is the step, ``kinds`` lists the sources, a ``track`` is what a source makes."""

from augment.noise.add import AddNoise

__all__ = ["AddNoise"]
