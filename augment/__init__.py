"""Acoustic conditions: arrays in, arrays out. Imports nothing of the pipeline and reads no configuration.

``chain`` builds a condition from named steps; ``plan`` decides, in integers, which realization an
utterance meets; ``resources`` holds what the steps share; every effect is one file.
"""

RENDERER_VERSION = "2"
"""Part of every condition's definition: raise it when any rendered sample may change."""

SAMPLE_RATE_HZ = 16_000
"""The one rate at which everything is rendered."""
