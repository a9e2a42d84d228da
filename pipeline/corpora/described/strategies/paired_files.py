"""Corpora that list nothing: recordings are found by their paths, alone (``glob``) or with texts (``paired_glob``)."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.corpora.described.file_settings import PATH, TEXT, Files
from pipeline.corpora.described.file_tree import AUDIO, files_below, nothing_found
from pipeline.corpora.described.files import below
from pipeline.corpora.described.found import Found
from pipeline.corpora.described.path_patterns import PathPattern
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.errors import ManifestError, first_five
from pipeline.records import Reason

WHERE: Final = "corpus.files"
_UNIX: Final = re.compile("\r\n?")
logger = logging.getLogger(__name__)

Values = Mapping[str, str]
"""What the names of a pattern stand for."""


@dataclass(frozen=True, slots=True)
class _Text:
    """One text: where it stands, what its path and line say, and itself, or why there is none."""

    where: str
    values: Values
    text: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The files below a root by what they are, each with its values."""

    audio: list[tuple[str, Values]] = field(default_factory=list)
    texts: list[tuple[str, Values]] = field(default_factory=list)
    not_chosen: list[str] = field(default_factory=list)
    other_audio: list[str] = field(default_factory=list)


def glob(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every recording; texts come from elsewhere."""
    files = _needed(settings)
    for path, values in _sorted(files, root, settings.name).audio:
        yield Found(path, {**values, PATH: path})


def paired_glob(settings: DescribedSettings, root: Path) -> Iterator[Found]:
    """Yield every recording with its text, then every text that has no recording."""
    files = _needed(settings)
    found = _sorted(files, root, settings.name)
    texts: dict[tuple[str, ...], list[_Text]] = defaultdict(list)
    for text in _texts(found.texts, files, settings, root):
        if not set(files.shared) <= set(text.values):  # a line that says of no recording that it is its text
            yield Found(text.where, text.values, text.problem or "it does not say which recording it is the text of")
        elif _chosen(text.values, files):
            texts[_key(text.values, files)].append(text)
    heard = set()
    for path, values in found.audio:
        key = _key(values, files)
        heard.add(key)
        yield _paired(path, values, texts.get(key, []), files)
    for key in texts:
        if key not in heard:
            yield from (_unheard(text, files) for text in texts[key])


def text_lists(settings: DescribedSettings, root: Path) -> list[Path]:
    """Return the files that list texts, line by line; files of one text each go with the recordings.

    Raises:
        ManifestError: if the corpus cannot lie below ``root``.
    """
    files = settings.files
    if files is None:
        return []
    if not any((root / folder).is_dir() for folder in _folders(files)):
        raise nothing_found(root, files.audio_pattern, WHERE)
    pattern = files.text_pattern
    if files.line is None or pattern is None:
        return []
    found = ((path, pattern.match(path)) for path in files_below(root, [pattern.fixed_folder(files.only)]))
    return [root / path for path, values in found if values is not None and _chosen(values, files)]


def _folders(files: Files) -> list[str]:
    patterns = [files.audio_pattern, *([files.text_pattern] if files.text_pattern is not None else [])]
    return [pattern.fixed_folder(files.only) for pattern in patterns]


def _needed(settings: DescribedSettings) -> Files:
    if settings.files is None:  # refused with the settings; here for the type
        raise ManifestError(f"{WHERE}: strategy {settings.strategy} needs patterns of its files.")
    return settings.files


def _sorted(files: Files, root: Path, name: str) -> _Sorted:
    audio, text = files.audio_pattern, files.text_pattern
    found = _Sorted()
    for path in files_below(root, _folders(files)):
        _sort(path, audio, text, files, found)
    if not found.audio and not found.not_chosen and not found.texts:
        raise nothing_found(root, audio, WHERE)
    chosen = ", ".join(f"{key} {value}" for key, value in files.only.items())
    if found.not_chosen and not found.audio:
        raise ManifestError(
            f"{WHERE}.only: {len(found.not_chosen)} recordings below {root} fit the pattern, and none is of {chosen}; "
            f"there is {found.not_chosen[0]}. Choose another value."
        )
    if found.not_chosen:
        logger.info("corpus '%s': recordings that are not of %s: %d", name, chosen, len(found.not_chosen))
    if found.other_audio:
        told = first_five(found.other_audio)
        logger.info(
            "corpus '%s': recordings that do not fit '%s': %d: %s", name, files.audio, len(found.other_audio), told
        )
    return found


def _sort(path: str, audio: PathPattern, text: PathPattern | None, files: Files, found: _Sorted) -> None:
    values = audio.match(path)
    if values is not None:
        if _chosen(values, files):
            found.audio.append((path, values))
        else:
            found.not_chosen.append(path)
        return
    of_text = text.match(path) if text is not None else None
    if of_text is not None:
        if _chosen(of_text, files):
            found.texts.append((path, of_text))
    elif path.lower().endswith(AUDIO):
        found.other_audio.append(path)


def _texts(
    paths: Iterable[tuple[str, Values]], files: Files, settings: DescribedSettings, root: Path
) -> Iterator[_Text]:
    for path, values in paths:
        try:
            below(root, path, "its text", allow_outside_root=settings.allow_outside_root)  # links may lead out
            text = (root / path).read_bytes().decode(settings.encoding)
        except ManifestError as error:
            yield _Text(path, values, problem=str(error))
            continue
        except (OSError, ValueError) as error:
            yield _Text(path, values, problem=f"{path} cannot be read as {settings.encoding} text: {error}")
            continue
        if files.line is None:
            yield _Text(path, values, text.strip())
        else:
            yield from _lines(path, values, text, re.compile(files.line))


def _lines(path: str, values: Values, text: str, expression: re.Pattern[str]) -> Iterator[_Text]:
    for number, line in enumerate(_UNIX.sub("\n", text).split("\n"), start=1):  # U+2028 may stand in a text
        if not line.strip():
            continue
        where = f"{path} line {number}"
        match = expression.fullmatch(line.strip())
        if match is None:
            yield _Text(where, values, problem=f"'{line.strip()[:80]}' is not of the form {expression.pattern}")
            continue
        said = {name: value for name, value in match.groupdict().items() if value is not None}
        yield _Text(where, {**values, **said}, said.get(TEXT, "").strip())


def _paired(path: str, values: Values, texts: Sequence[_Text], files: Files) -> Found:
    cells = {**values, PATH: path}
    if not texts:
        return Found(path, cells, f"it has no text: {_no_text(values, files)}", Reason.EMPTY_REFERENCE)
    if len({text.text for text in texts}) > 1:
        told = first_five(text.where for text in texts)
        return Found(path, cells, f"it has {len(texts)} texts, and none says which is right: {told}")
    text = texts[0]
    return Found(path, {**text.values, **cells, TEXT: text.text}, text.problem)


def _no_text(values: Values, files: Files) -> str:
    pattern = files.text_pattern
    expected = "" if pattern is None else pattern.filled({**files.only, **values})
    return f"there is no {expected}" if files.line is None else f"no line of {expected} says what was said"


def _unheard(text: _Text, files: Files) -> Found:
    """Return a text without a recording: its path is where that should be, and is then found missing."""
    expected = files.audio_pattern.filled({**files.only, **text.values})
    return Found(text.where, {**text.values, PATH: expected, TEXT: text.text}, text.problem)


def _chosen(values: Values, files: Files) -> bool:
    return all(
        _folded(values[name], files) == _folded(only, files) for name, only in files.only.items() if name in values
    )


def _key(values: Values, files: Files) -> tuple[str, ...]:
    return tuple(_folded(values[name], files) for name in files.shared)


def _folded(value: str, files: Files) -> str:
    return value.casefold() if files.ignore_case else value
