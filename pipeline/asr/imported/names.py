"""Whose transcript it is: from the name of a file, or what stands in it, to utterance_id and condition."""

import posixpath
import re
from collections.abc import Container
from urllib.parse import unquote

from pipeline.asr.imported.found import Found, UnreadableError
from pipeline.asr.imported.settings import TranscriptsSettings

MAX_NAME = 512
"""Characters of a name that a pattern is searched in."""

AUDIO_SUFFIXES = frozenset({
    ".3gp", ".aac", ".aif", ".aiff", ".alaw", ".amr", ".au", ".caf", ".flac", ".gsm", ".m4a", ".mka", ".mkv", ".mov",
    ".mp2", ".mp3", ".mp4", ".mpeg", ".mpga", ".nist", ".oga", ".ogg", ".opus", ".pcm", ".raw", ".sph", ".spx",
    ".ulaw", ".wav", ".wave", ".webm", ".wma", ".wv",
})  # fmt: skip

FILE_SUFFIXES = (".json", ".txt")
"""Of the formats with one recording a file."""

GOOGLE_HASH = re.compile(r"_transcript_[0-9a-fA-F-]{8,}$")
"""What Google puts behind the name of the audio, in the names of the files that it writes."""


def identify(found: Found, relative: str, settings: TranscriptsSettings, *, kind: str) -> tuple[str, str]:
    """Return (utterance_id, condition) of what was found in the file ``relative`` (to ``asr.path``) of format ``kind``.

    Raises:
        UnreadableError: if a pattern matches nothing, the file does not say what ``asr.id_from`` asks for, or no folder
            tells the condition.
    """
    named_by = _named_by(found, settings.id_from)
    name = relative if named_by == "file" else without_query(found.name)
    if settings.id_pattern is not None:
        utterance_id = _matched(settings.id_pattern, name, "asr.id_pattern")
    elif named_by == "id":
        utterance_id = name.strip()
    else:
        utterance_id = stem(name, kind=kind, is_file=named_by == "file")
    return utterance_id, _condition(found, name, relative, settings)


def _named_by(found: Found, id_from: str) -> str:
    if id_from == "stem" or (id_from == "auto" and found.named_by == "file"):
        return "file"
    if not found.name.strip():
        raise UnreadableError("does not say which recording it holds: asr.id_from=stem takes the file's name")
    return "source" if found.named_by == "file" else found.named_by


def _condition(found: Found, name: str, relative: str, settings: TranscriptsSettings) -> str:
    if found.condition is not None:
        return found.condition
    if settings.condition_from == "setting":
        return settings.condition
    if settings.condition_pattern is not None:
        return _matched(settings.condition_pattern, name, "asr.condition_pattern")
    folder, below, _ = relative.partition("/")
    if not below:
        raise UnreadableError(
            "lies in no folder that names its condition: with asr.condition_from=folder,"
            " asr.path is the folder that holds one folder a condition"
        )
    return folder


def without_query(name: str) -> str:
    """Return a web address without what follows its path: that may be a key to the audio."""
    scheme, separator, rest = name.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return name
    return f"{scheme}://{unquote(rest.split('?')[0].split('#')[0])}"


def stem(name: str, *, kind: str, is_file: bool) -> str:
    """Return the last part of a path or address without the suffix of its format and of the audio.

    Only these suffixes go: ``s3://b/spk.0001.wav`` is ``spk.0001``, and so is the file ``x/spk.0001.wav.json``.
    """
    last = posixpath.basename(name if is_file else name.replace("\\", "/"))
    if is_file:
        last = _without(FILE_SUFFIXES, last)
        last = GOOGLE_HASH.sub("", last) if kind == "google" else last
    return _without(AUDIO_SUFFIXES, last).strip()


def _without(suffixes: Container[str], name: str) -> str:
    before, suffix = posixpath.splitext(name)
    return before if suffix.lower() in suffixes else name


def _matched(pattern: str, name: str, key: str) -> str:
    if len(name) > MAX_NAME:
        raise UnreadableError(
            f"has a name of {len(name)} characters, and {key} searches at most {MAX_NAME}: {name[:80]!r}"
        )
    match = re.search(pattern, name)
    if match is None or not match[1]:
        raise UnreadableError(f"has {name!r}, in which {key} {pattern!r} finds nothing: let the pattern fit every name")
    return match[1]
