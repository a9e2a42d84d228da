"""What a reader finds in a file of transcripts, what it is told to choose, and how it says that it cannot read.

A reader gives one ``Found`` a recording and knows nothing of studies: which utterance and which condition
it belongs to is ``names``' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pipeline.asr import exchange

T = TypeVar("T")

Document = dict[str, Any]
"""A JSON object as read; every access goes through ``take`` and ``maybe``, so that nothing is taken on trust."""

KINDS: Mapping[type, str] = {
    str: "text",
    dict: "an object",
    list: "a list",
    int: "a whole number",
    bool: "true or false",
}


class UnreadableError(Exception):
    """A file cannot be read; the message goes on where the file's name ends. Becomes a ``BackendError``.

    ``where`` names the file, where whoever catches it could not know which of several it was.
    """

    def __init__(self, said: str, *, where: str = "") -> None:
        super().__init__(said)
        self.where = where


class LayoutError(UnreadableError):
    """A file does not have the layout of its format."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What columns of a table, or keys of our JSON lines, are called; ``system``: whose rows count, None: all."""

    id: str = "utterance_id"
    hypothesis: str = "hypothesis"
    system_column: str = "system"
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of several texts of one recording counts."""

    azure_text: Literal["lexical", "display"] = "lexical"
    channel: str | None = None
    """label as the file has it; None: the file must have one channel"""
    columns: Columns = Columns()


@dataclass(frozen=True, slots=True)
class Found:
    """One recording's transcript as a file has it.

    ``text`` is to the letter; None where the file says that there is none. ``failure`` is a sentence where the
    vendor failed on the recording: then there is no text either. ``name`` is what the file calls the recording.
    The confidences are as in ``Hypothesis``.
    """

    text: str | None
    name: str = ""
    named_by: Literal["file", "source", "id"] = "file"
    """what identifies the recording: the file's own name, ``name`` as a path or URL, or ``name`` as it stands"""
    condition: str | None = None
    """None: the file does not say"""
    failure: str = ""
    line: int = 0
    """where it stands; 0 where the file is one document"""
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    n_tokens: int | None = None


def take(document: object, *path: str | int, kind: type[T]) -> T:
    """Return the value at ``path`` (keys and list places).

    Raises:
        LayoutError: if there is none, or it is not a ``kind``.
    """
    value: Any = document
    for place, step in enumerate(path, start=1):
        if not _holds(value, step):
            raise LayoutError(f"has no {dotted(*path[:place])}")
        value = value[step]
    return _of_kind(value, kind, dotted(*path))


def _holds(value: object, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and step < len(value)
    return isinstance(value, dict) and step in value


def maybe(document: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    """Return the value of ``key``, or None where it is absent or null.

    Raises:
        LayoutError: if it is anything but a ``kind``.
    """
    value = document.get(key)
    return None if value is None else _of_kind(value, kind, key)


def number(document: Mapping[str, Any], key: str) -> float | None:
    """Return a finite number, or None where ``key`` holds none: a confidence is never worth an error."""
    return exchange.number(document.get(key))


def dotted(*path: str | int) -> str:
    """Write a path as ``results.transcripts[0]``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def of_channel(by_channel: Mapping[str, T], choice: Choice) -> T:
    """Return the one channel that holds the utterance.

    Raises:
        UnreadableError: if there are several and none is chosen, or there is none of that label.
    """
    labels = ", ".join(by_channel)
    if choice.channel is None and len(by_channel) == 1:
        return next(iter(by_channel.values()))
    if choice.channel is None:
        raise UnreadableError(
            f"has {len(by_channel)} channels ({labels}): say which one holds the utterance,"
            f" such as asr.channel={next(iter(by_channel))}"
        )
    if choice.channel not in by_channel:
        raise UnreadableError(f"has no channel {choice.channel!r} but {labels}: set asr.channel to one of them")
    return by_channel[choice.channel]


def _of_kind(value: object, kind: type[T], where: str) -> T:
    # true and false are whole numbers to Python, not to JSON
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    held = "null" if value is None else KINDS.get(type(value), "a number")
    raise LayoutError(f"holds {held} in {where}, not {KINDS[kind]}")
