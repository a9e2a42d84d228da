"""Kaldi data folders: ``text``, ``utt2spk``, ``wav.scp``, perhaps ``segments``, and any ``spk2...`` and ``utt2...``.

The formats are those of https://kaldi-asr.org/doc/data_prep.html. A command in ``wav.scp`` is never run: its
utterances become exclusions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.corpora.described.plain_text import read_text
from pipeline.errors import ManifestError
from pipeline.records import Reason

WHOLE = ""
"""The times of an utterance that is its whole recording."""

_FURTHER = re.compile(r"(spk|utt)2(\w+)")
_NAMES: Final = frozenset({"text", "wav.scp", "segments"})
_DERIVED: Final = frozenset({"spk2utt", "utt2spk", "utt2dur", "utt2num_frames", "utt2max_frames"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance of a folder: its cells, and why they cannot be used (empty: they can).

    Cells: ``utterance_id``, ``text``, ``speaker``, ``recording``, ``path`` (as ``wav.scp`` has it), ``start_s`` and
    ``end_s`` (empty: the whole recording), and one for each further ``spk2<name>`` or ``utt2<name>``.
    """

    where: str
    cells: Mapping[str, str]
    problem: str = ""
    reason: Reason = Reason.MISSING_VALUE


def entries(folder: Path) -> Iterator[Entry]:
    """Yield every utterance that any file of the folder names, sorted by id.

    Raises:
        ManifestError: if a needed file is missing or is no text.
    """
    text = _keyed(folder / "text")
    recordings = _keyed(folder / "wav.scp") if (folder / "wav.scp").is_file() else None
    speakers = _optional(folder / "utt2spk")
    segments = _keyed(folder / "segments") if (folder / "segments").is_file() else None
    further = _further(folder)
    # without segments, a recording is an utterance: one that has no text is a row that cannot be used, not no row
    recorded = segments if segments is not None else recordings
    for utterance in sorted({*text, *(recorded or ()), *(speakers or ())}):
        lines = text.get(utterance, [])
        cells = {"utterance_id": utterance, "text": lines[0] if lines else ""}
        problem = f"{len(lines)} lines of text have this id, and none says which is right" if len(lines) > 1 else ""
        if speakers is not None:
            cells["speaker"] = _only(speakers.get(utterance, []))
        for name, (of_speaker, values) in further.items():
            cells[name] = _only(values.get(cells.get("speaker", "") if of_speaker else utterance, []))
        placed, misplaced = _placed(utterance, segments, recordings)
        reason = Reason.MISSING_AUDIO if misplaced and not problem else Reason.MISSING_VALUE
        yield Entry(f"{folder.name}: {utterance}", cells | placed, problem or misplaced, reason)


def files(folder: Path) -> list[Path]:
    """Return the files of a folder that decide what its utterances are, those that are there."""
    return [path for path in sorted(folder.iterdir()) if path.name in _NAMES or _FURTHER.fullmatch(path.name)]


def _placed(
    utterance: str, segments: Mapping[str, list[str]] | None, recordings: Mapping[str, list[str]] | None
) -> tuple[dict[str, str], str]:
    """Return the cells that say where an utterance is, and what is wrong with them."""
    cells = {"recording": utterance, "start_s": WHOLE, "end_s": WHOLE, "path": ""}
    if segments is not None:
        lines = segments.get(utterance, [])
        if len(lines) != 1:
            return cells, f"{len(lines)} lines of segments have this id, and one is needed"
        fields = lines[0].split()
        if len(fields) not in (3, 4):  # a fourth one is a channel
            return cells, f"its line of segments is '{lines[0]}', not a recording, a start and an end"
        cells |= {"recording": fields[0], "start_s": fields[1], "end_s": fields[2]}
    if recordings is None:
        return cells, ""
    found = recordings.get(cells["recording"], [])
    if len(found) != 1:
        return cells, f"{len(found)} lines of wav.scp name the recording '{cells['recording']}', and one is needed"
    if found[0].endswith("|") or found[0].startswith("|"):
        return (
            cells,
            f"wav.scp has a command for '{cells['recording']}', which is never run: write its output to a file",
        )
    return cells | {"path": found[0]}, ""


def _further(folder: Path) -> dict[str, tuple[bool, dict[str, list[str]]]]:
    """Return what else is said of speakers or utterances, by name; of both, what is said of utterances."""
    found = {}
    for path in sorted(folder.iterdir()):  # spk2gender before utt2gender
        match = _FURTHER.fullmatch(path.name)
        if match is not None and path.name not in _DERIVED and path.is_file():
            found[match[2]] = (match[1] == "spk", _keyed(path))
    return found


def _optional(path: Path) -> dict[str, list[str]] | None:
    return _keyed(path) if path.is_file() else None


def _keyed(path: Path) -> dict[str, list[str]]:
    """Return key to the rests of its lines, inner white space as it stands."""
    found: dict[str, list[str]] = {}
    for line in read_text(path).split("\n"):  # not splitlines: U+2028 may stand in a text
        parts = line.strip().split(None, 1)
        if parts:
            found.setdefault(parts[0], []).append(parts[1].strip() if len(parts) > 1 else "")
    if not found:
        raise ManifestError(f"corpus.root: {path} is empty. Fill it, or remove it where it is not needed.")
    return found


def _only(values: list[str]) -> str:
    """Return the one value, and nothing where several differ: none says which is right."""
    return values[0] if len(set(values)) == 1 else ""
