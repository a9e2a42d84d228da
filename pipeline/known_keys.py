"""Which keys the configuration has in a place, read from its files: for the sentence about one that it has not."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yaml import safe_load


def meant(conf: Path, path: Sequence[str]) -> str:
    """Return " Did you mean 'x'?" for a key that is not in the configuration, or nothing where none is like it."""
    *parents, name = path
    known = _known(conf, parents)
    if not known and parents:
        return meant(conf, parents)
    if name in known and parents:
        return f" Another choice of {parents[0]} has it, this one has not."
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f" Did you mean '{'.'.join([*parents, near[0]])}'?" if near else ""


def _known(conf: Path, parents: Sequence[str]) -> set[str]:
    """Return the keys under ``parents`` in ``config.yaml`` and in every choice of the group that they begin with."""
    found = _keys(safe_load((conf / "config.yaml").read_text()), parents)
    if not parents:
        return found | {folder.name for folder in conf.iterdir() if folder.is_dir()} - {"defaults", "hydra"}
    for choice in (conf / parents[0]).glob("*.yaml"):
        found |= _keys(safe_load(choice.read_text()), parents[1:])
    return found


def _keys(content: Any, parents: Sequence[str]) -> set[str]:
    for parent in parents:
        content = content.get(parent) if isinstance(content, dict) else None
    return {str(key) for key in content} if isinstance(content, dict) else set()
