"""What every corpus looks like to the study, and the value that crosses that border."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import pandas as pd
from pydantic import BaseModel

from augment.places import Place
from augment.recordings import read as read_recording
from augment.resources import Talker, TalkerRecording
from pipeline import tables
from pipeline.artifacts import CorpusRecord
from pipeline.records import Exclusion
from pipeline.tables import ATTRIBUTE_PREFIX

STAGE = "load_utterances"
"""The stage that a corpus's exclusions carry."""

VOICE = f"{ATTRIBUTE_PREFIX}voice"
"""The attribute that ties together recordings of one voice that the statistics count as several speakers."""

LOOK_AGAIN = "Check where the corpus is said to be (corpus.root or corpus.path)."
"""What to do where a file that decides the utterances is not there."""

_LISTING = tables.columns(tables.Listing)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What came of a corpus: ``rows == len(utterances) + len(exclusions)``.

    ``utterances`` is a checked ``tables.Utterances``, sorted by ``utterance_id``; ``rows`` counts what the
    corpus lists, usable or not.
    """

    utterances: pd.DataFrame
    exclusions: list[Exclusion]
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """What a corpus holds as far as text says: a checked ``tables.Listing``, and how many rows cannot be used."""

    table: pd.DataFrame
    n_unusable: int


def listed(records: Iterable[Mapping[str, Any] | None], *, where: str) -> Listed:
    """Return the listing of a corpus's rows, by utterance id, with their attributes.

    Args:
        records: of every row the same columns, those of ``tables.Listing`` among them, or None where it cannot be used.
        where: names the corpus, for the message.

    Raises:
        TableError: if two usable rows share an id.
    """
    found = list(records)
    usable = [record for record in found if record is not None]
    attributes = [name for name in (usable[0] if usable else ()) if name.startswith(ATTRIBUTE_PREFIX)]
    # column by column: a corpus may have a million rows
    table = pd.DataFrame(
        {
            name: pd.Series([one[name] for one in usable], dtype=dtype)
            for name, dtype in (_LISTING | dict.fromkeys(attributes, "str")).items()
        }
    ).sort_values("utterance_id", kind="stable", ignore_index=True)
    return Listed(tables.check(table, tables.Listing, where=where), len(found) - len(usable))


@runtime_checkable
class Listable(Protocol):
    """A corpus that can say who says what without opening, or making, any audio."""

    def listing(self) -> Listed:
        """Return every utterance that its text allows; audio may still turn out to be missing."""


class Corpus(Protocol):
    """Speech with references and accent labels. The constructor reads nothing."""

    Settings: ClassVar[type[BaseModel]]
    has_audio: ClassVar[bool]
    """False: nothing can be rendered, heard or measured; only a recognizer that needs no audio can answer"""

    @property
    def name(self) -> str:
        """The label in the ``corpus`` column."""

    def load(self) -> Loaded:
        """Read, check and hash everything.

        Raises:
            StudyError: where, what is wrong, and what to do.
        """

    def record(self) -> CorpusRecord:
        """Return what the corpus says of itself."""

    def inputs(self) -> tuple[Path, ...]:
        """Return the files, beside the audio, that decide the utterances; their hashes go into the run record."""

    def audio_path(self, audio: str) -> Place:
        """Return where the recording of an ``audio`` cell is; nothing is opened."""

    def talkers(self, utterances: pd.DataFrame) -> tuple[Talker, ...]:
        """Return whom babble is made of when ``utterances`` are studied."""

    def group_of(self, row: Mapping[str, Any]) -> str:
        """Return the voice of one utterance, by which a target is kept out of its own babble."""


def group_of(row: Mapping[str, Any]) -> str:
    """Return the voice of an utterance: its ``voice`` attribute, else its speaker, else (unknown) itself.

    Args:
        row: one row of an Utterances table, as ``tables.rows`` gives it.
    """
    return next(str(row[key]) for key in (VOICE, "speaker_id", "utterance_id") if present(row.get(key)))


def voices(utterances: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the voice of each accent's named speakers, where the corpus names voices."""
    if VOICE not in utterances:
        return {}
    known = utterances[utterances[VOICE].notna() & utterances["speaker_id"].notna()]
    return dict(zip(zip(known["accent"], known["speaker_id"], strict=True), known[VOICE], strict=True))


def present(value: object) -> bool:
    """Return whether a cell of a text column holds text (a missing one is None or NaN)."""
    return isinstance(value, str) and value != ""


def speakers_as_talkers(rows: Iterable[tuple[Mapping[str, Any], Place]]) -> tuple[Talker, ...]:
    """Return each speaker of (utterance, place) pairs as a talker; an utterance of nobody known stands for itself.

    Recordings are read when babble is made, not here. Sorted by talker and recording, whatever the order given.
    """
    ordered = sorted(rows, key=lambda item: str(item[0]["utterance_id"]))
    found: dict[str, tuple[Mapping[str, Any], list[TalkerRecording]]] = {}
    for row, place in ordered:
        # speakers are nested in accents: "s1" of two accents are two talkers
        name = str(row["speaker_id"]) if present(row.get("speaker_id")) else str(row["utterance_id"])
        recordings = found.setdefault(f"{row['accent']}/{name}", (row, []))[1]
        sha256 = str(row["audio_sha256"])
        recordings.append(TalkerRecording(sha256=sha256, load=partial(read_recording, place, sha256=sha256)))
    return tuple(
        Talker(talker_id=talker, accent=str(first["accent"]), group=group_of(first), recordings=tuple(recordings))
        for talker, (first, recordings) in sorted(found.items())
    )
