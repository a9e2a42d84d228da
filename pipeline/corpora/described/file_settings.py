"""Which files of a corpus are its recordings and its texts, and how they belong together."""

import re
from functools import cached_property
from typing import Final, Self

from pydantic import Field, model_validator

from pipeline.corpora.described.path_patterns import PathPattern
from pipeline.corpora.described.segment_settings import Frozen, Regex

PATH: Final = "path"
"""The cell with the path of the recording, from the root."""
TEXT: Final = "text"
"""The cell with the text."""


class Files(Frozen):
    """Patterns of paths (``path_patterns``): their names become columns, beside ``path`` and ``text``.

    A recording and a text belong together where the names that both have stand for the same.
    """

    audio: str
    """such as ``wav/{speaker}/{utterance}.wav``"""
    text: str | None = None
    """such as ``txt/{speaker}/{utterance}.txt``; without a name in braces, one text for all"""
    line: Regex | None = None
    """null: a file is one text. Else every line of it is one, and this is its regular expression: the group ``text``
    is what was said, further groups are names"""
    only: dict[str, str] = Field(default_factory=dict)
    """name to the one value that is studied, such as ``microphone: mic1``; files with another are not of the corpus"""
    ignore_case: bool = False
    """true: ``SA1.WAV`` and ``sa1.wav`` are the same name, of files and of values"""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = set(self.audio_pattern.names)
        if self.line is not None and (self.text is None or TEXT not in re.compile(self.line).groupindex):
            raise ValueError(
                "line needs a group called text, as in '(?P<utterance>[^ ]+) (?P<text>.*)', and text: a file"
            )
        if self.text_pattern is not None:
            of_text = [*self.text_pattern.names, *self.line_names]
            if len(set(of_text)) < len(of_text):
                raise ValueError("line and text name the same thing; call it otherwise in one of them")
            if of_text and not self.shared:
                raise ValueError(f"'{self.audio}' and '{self.text}' have no name in common to pair them by")
            names |= set(of_text)
        if names & {PATH, TEXT}:
            raise ValueError("none of the names in braces may be path or text")
        if set(self.only) - names:
            raise ValueError(f"only: '{min(set(self.only) - names)}' is none of {', '.join(sorted(names)) or 'them'}")
        if any("/" in value or value in ("", ".", "..") for value in self.only.values()):
            raise ValueError("only: a value is part of the name of one folder or file")
        return self

    @cached_property
    def audio_pattern(self) -> PathPattern:
        """The pattern of recordings."""
        return PathPattern(self.audio, self.ignore_case)

    @cached_property
    def text_pattern(self) -> PathPattern | None:
        """The pattern of texts."""
        return None if self.text is None else PathPattern(self.text, self.ignore_case)

    @cached_property
    def line_names(self) -> tuple[str, ...]:
        """What a line says beside its text."""
        return () if self.line is None else tuple(name for name in re.compile(self.line).groupindex if name != TEXT)

    @cached_property
    def shared(self) -> tuple[str, ...]:
        """The names by which recordings and texts are paired."""
        of_text = (*self.text_pattern.names, *self.line_names) if self.text_pattern is not None else ()
        return tuple(name for name in self.audio_pattern.names if name in of_text)
