"""Errors a user can mend. Each message says where, what is wrong (with the values), and what to do.

``app.main`` prints a ``StudyError`` as a sentence, without a traceback; anything else is a bug and
keeps its traceback.
"""

import difflib
import re
from collections.abc import Iterable

DONE, BUG, MISTAKE, WITH_FAILURES, GATE, STOPPED = 0, 1, 2, 3, 4, 130
"""Exit codes; what each says stands in ``app``."""
_STEERS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


class StudyError(Exception):
    """Base of every error that is the user's to mend."""


class ConfigError(StudyError):
    """The study's configuration is wrong; raised before anything runs, with all mistakes at once."""


class ManifestError(StudyError):
    """A corpus cannot be read as described."""


class TableError(StudyError):
    """A table on a stage border, or a file that holds one, breaks its schema."""


class MissingPrerequisite(StudyError):
    """A package, file or program that this study needs is not here."""


class BackendError(StudyError):
    """A recognizer cannot be loaded or cannot transcribe anything."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'? Known: a, b." for an unknown ``name`` (the question only for a near miss)."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    question = f" Did you mean '{near[0]}'?" if near else ""
    return f"{question} Known: {', '.join(names) or 'none'}."


def first_five(items: Iterable[object]) -> str:
    """Join the first five of ``items`` and say how many more there are."""
    listed = list(items)
    more = f" (and {len(listed) - 5} more)" if len(listed) > 5 else ""
    return ", ".join(str(item) for item in listed[:5]) + more


def on_terminal(error: object) -> str:
    """Return a message in which nothing steers a terminal or hides: a manifest may be called by anything.

    Such characters are spelled out, as in ``(U+001B)``; line feeds stay.
    """
    return _STEERS.sub(lambda found: f"(U+{ord(found[0]):04X})", str(error))
