"""Patterns of paths: what a corpus says of a recording in the names of its folders and files.

``wav48/{speaker}/{utterance}_{microphone}.wav`` is a path below the corpus's root, with ``/`` between folders. A name
in braces stands for one or more characters of one folder or file, and for the same ones wherever it occurs again;
``{speaker:[A-Z]+}`` says which characters (a regular expression without braces or groups); ``*`` is anything within
one name, and ``**/`` any folders or none.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

PART: Final = re.compile(
    r"\{(?P<name>[^{}:]*)(?::(?P<only>[^{}]*))?\}|(?P<folders>\*\*/)|(?P<any>\*)|(?P<plain>[^{}*]+|.)"
)


@dataclass(frozen=True)
class PathPattern:
    """A pattern of paths below a root; ``ignore_case`` takes ``SA1.WAV`` and ``sa1.wav`` for the same."""

    text: str
    ignore_case: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names in braces, each once.

        Raises:
            ValueError: saying what is wrong with the pattern.
        """
        return tuple(self._compiled.groupindex)

    def match(self, path: str) -> dict[str, str] | None:
        """Return what the names stand for in ``path`` (from the root, with ``/``), or None if it does not fit."""
        found = self._compiled.fullmatch(path)
        return None if found is None else found.groupdict()

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the path that ``values`` name; what they do not say stays as the pattern has it."""
        return "".join(values.get(part["name"] or "", part.group()) for part in PART.finditer(self.text))

    def fixed_folder(self, values: Mapping[str, str]) -> str:
        """Return the folders that every path of this kind with these ``values`` begins with, or nothing."""
        if self.ignore_case:
            return ""
        folders = self.filled(values).split("/")[:-1]
        varying = next((at for at, folder in enumerate(folders) if set(folder) & set("{}*")), len(folders))
        return "/".join(folders[:varying])

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        if not self.text or self.text.startswith("/") or {".", ".."} & set(self.text.split("/")):
            raise ValueError(f"'{self.text}' is not a path below the corpus's root")
        try:
            return re.compile("".join(self._expressions()), re.IGNORECASE if self.ignore_case else 0)
        except re.error as error:
            raise ValueError(f"'{self.text}': {error}") from None

    def _expressions(self) -> Iterator[str]:
        seen = set()
        for part in PART.finditer(self.text):
            name, only = part["name"], part["only"]
            if name is not None:
                if not name.isidentifier():
                    raise ValueError(f"'{self.text}': '{{{name}}}' is no name; use letters, digits and underscores")
                if only is not None and re.compile(only).groups:
                    raise ValueError(f"'{self.text}': '{only}' has a group; write (?:...)")
                yield f"(?P={name})" if name in seen else f"(?P<{name}>{only or '[^/]+?'})"
                seen.add(name)
            elif part["folders"]:
                yield "(?:[^/]+/)*"
            elif part["any"]:
                yield "[^/]*"
            elif part["plain"] in "{}":
                raise ValueError(f"'{self.text}': a brace stands alone")
            else:
                yield re.escape(part["plain"])
