"""Names to classes: the plug-ins a configuration may ask for.

A YAML names a plug-in (``kind: whisper``), never a Python path: only what an installed distribution
registered under an entry-point group can be reached, so a configuration file stays data. Built-ins
register the same way as an outside package's plug-ins do.
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from pipeline.errors import ConfigError, did_you_mean

OURS = "asr-accent-study"
"""The distribution that registers the built-ins."""

CORPORA = "pipeline.corpora"
BACKENDS = "pipeline.asr"
NORMALIZERS = "pipeline.normalizers"
STEPS = "augment.steps"


@cache
def available(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of ``group`` by name."""
    return {point.name: point for point in entry_points(group=group)}


def resolve(group: str, kind: object, where: str) -> type:
    """Return the class that ``kind`` names in ``group``; importing it must not import a model.

    Raises:
        ConfigError: if no installed plug-in has that name.
    """
    points = available(group)
    if not isinstance(kind, str) or kind not in points:
        raise ConfigError(f"{where}: kind {kind!r} is not a {group} plug-in.{did_you_mean(str(kind), points)}")
    loaded: type = points[kind].load()
    return loaded
