"""One manifest row to one utterance, or to the one reason why it cannot be used."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.corpora.accents import fold
from pipeline.corpora.audio import AudioError, probe
from pipeline.corpora.base import STAGE
from pipeline.corpora.manifest_files import Row
from pipeline.corpora.places import Root, locate
from pipeline.records import Exclusion, Reason
from pipeline.tables import ATTRIBUTE_PREFIX, POOLED

NEEDED = ("utterance_id", "audio_path", "reference", "accent")
SPEAKER = "speaker_id"
"""A column that may be absent or blank: then the card says that speakers are unknown."""
RAW_ACCENT = "raw_accent"
"""A column of frozen manifests: the corpus's own label, where ``accent`` holds what it was found to mean."""
AUDIO_SHA256 = "audio_sha256"
"""A column of frozen manifests: the hash of the recording's bytes."""


class BadRowError(Exception):
    """A row cannot be used. Caught where the row is read; it never leaves the corpus."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RowReader:
    """What is needed to judge a row.

    ``accents`` maps folded raw labels to accent ids, or is None where raw labels are taken as they stand;
    ``repeats`` counts the utterance ids of the whole manifest; ``root`` is a resolved folder, or a URL.
    """

    corpus: str
    root: Root
    allow_outside_root: bool
    attributes: tuple[str, ...]
    accents: Mapping[str, set[str]] | None
    repeats: Mapping[str, int]
    synthetic: bool
    label_provenance: str
    split: re.Pattern[str] | None = None
    """what stands between several labels of one cell"""
    frozen: bool = False
    """``accent`` holds what a label was found to mean, and ``raw_accent`` the label"""
    check_sha256: bool = False
    """leave out a recording whose bytes are not those of the row's ``audio_sha256``, where it has one"""
    _known: dict[str, str] = field(default_factory=dict)
    """raw label to accent, of labels that were met"""

    def read(self, row: Row) -> dict[str, Any] | Exclusion:
        """Return the utterance's record, or the row's exclusion. The audio is decoded last: it costs the most."""
        try:
            text = self._text_columns(row, not_blank=("utterance_id", "accent", "audio_path"))
            located = locate(row.cells["audio_path"], self.root, allow_outside_root=self.allow_outside_root)
            info = probe(located.place)
            self._same_audio(row.cells.get(AUDIO_SHA256), info.sha256)
        except (BadRowError, AudioError) as error:
            return _lost(row, error.reason, error)
        return {
            **text,
            "audio": located.cell,
            "audio_sha256": info.sha256,
            "sample_rate_hz": info.sample_rate_hz,
            "duration_s": info.duration_s,
        }

    def read_text(self, row: Row) -> dict[str, Any] | Exclusion:
        """Return the record of an utterance that has no audio, or the row's exclusion."""
        try:
            text = self._text_columns(row, not_blank=("utterance_id", "accent"))
        except BadRowError as error:
            return _lost(row, error.reason, error)
        return {**text, "audio": "", "audio_sha256": None, "sample_rate_hz": 0, "duration_s": None}

    def listed(self, row: Row) -> dict[str, str | None] | None:
        """Return the columns of ``tables.Listing`` and attributes, or None of a row that its text makes unusable."""
        try:
            accent = self._checked(row, not_blank=("utterance_id", "accent"))
        except BadRowError:
            return None
        cells = row.cells
        return {
            "utterance_id": cells["utterance_id"],
            "speaker_id": cells.get(SPEAKER) or None,
            "accent": accent,
            "reference": cells["reference"],
            **self._attributes(cells),
        }

    def _checked(self, row: Row, *, not_blank: Sequence[str]) -> str:
        """Return the accent of a row of which nothing but the audio may still be wrong."""
        if row.problem:
            raise BadRowError(row.reason, row.problem)
        cells = row.cells
        if not "".join(cells.values()).isascii():
            _check_unicode(cells)
        for name in not_blank:
            if not cells.get(name):
                raise BadRowError(Reason.MISSING_VALUE, f"{name} is blank")
        count = self.repeats[cells["utterance_id"]]
        if count > 1:
            raise BadRowError(Reason.DUPLICATE_ID, f"{count} rows have this utterance_id, and none says which is right")
        if not cells.get("reference"):
            raise BadRowError(Reason.EMPTY_REFERENCE, "reference is blank")
        return self._accent(cells["accent"])

    def _text_columns(self, row: Row, *, not_blank: Sequence[str]) -> dict[str, str | bool | None]:
        accent, cells = self._checked(row, not_blank=not_blank), row.cells
        return {
            "utterance_id": cells["utterance_id"],
            "speaker_id": cells.get(SPEAKER) or None,
            "accent": accent,
            "raw_accent": (self.frozen and cells.get(RAW_ACCENT)) or cells["accent"],
            "reference": cells["reference"],
            "corpus": self.corpus,
            "synthetic": self.synthetic,
            "label_provenance": self.label_provenance,
            **self._attributes(cells),
        }

    def _attributes(self, cells: Mapping[str, str]) -> dict[str, str | None]:
        return {ATTRIBUTE_PREFIX + name: cells.get(name) or None for name in self.attributes}

    def _same_audio(self, listed: str | None, found: str) -> None:
        if self.check_sha256 and listed and listed != found:
            raise BadRowError(Reason.AUDIO_CHANGED, "its bytes are not those of the manifest's audio_sha256")

    def accent_of(self, row: Row) -> str | None:
        """Return the accent that a row is of, whatever else is wrong with it; None where its label says none."""
        try:
            return self._accent(row.cells["accent"]) if row.cells.get("accent") else None
        except BadRowError:
            return None

    def _accent(self, raw: str) -> str:
        if raw not in self._known:  # a corpus has many rows and few labels
            self._known[raw] = self._looked_up(raw)
        return self._known[raw]

    def _looked_up(self, raw: str) -> str:
        if self.accents is None:
            if POOLED in self._parts(raw):
                raise BadRowError(Reason.UNKNOWN_ACCENT, f"'{POOLED}' is reserved for the rows that pool all accents")
            return self._one_of(raw, {part: {part} for part in self._parts(raw)})
        whole = self.accents.get(fold(raw), set())
        if self.frozen and raw in whole:  # it was looked up before, and the label stands in a column of its own
            return raw
        if not whole and (parts := self._parts(raw)) != [raw]:
            return self._one_of(raw, {part: self.accents.get(fold(part), set()) for part in parts})
        ids = sorted(whole)
        if len(ids) > 1:
            choice = f"it means {' or '.join(ids)} by corpus: set corpus.vocabulary"
            raise BadRowError(Reason.UNKNOWN_ACCENT, f"'{raw}' is ambiguous: {choice}")
        if not ids and fold(raw) in self.accents:
            own = "is a label that some corpus uses in its own way: set corpus.vocabulary to that corpus"
            raise BadRowError(Reason.UNKNOWN_ACCENT, f"'{raw}' {own}")
        if not ids:
            raise BadRowError(Reason.UNKNOWN_ACCENT, f"'{raw}' is not in data_manifests/accents.yaml")
        return ids[0]

    def _parts(self, raw: str) -> list[str]:
        parts = [raw] if self.split is None else [part.strip() for part in self.split.split(raw) if part]
        return [part for part in dict.fromkeys(parts) if part] or [raw]

    @staticmethod
    def _one_of(raw: str, meant: Mapping[str, set[str]]) -> str:
        """Return the accent that all labels of one cell mean: the first of several is nobody's statement."""
        unknown = sorted(label for label, ids in meant.items() if len(ids) != 1)
        if unknown:
            named = " and ".join(f"'{label}'" for label in unknown)
            raise BadRowError(
                Reason.UNKNOWN_ACCENT, f"{named} of '{raw}' has no meaning of its own in data_manifests/accents.yaml"
            )
        accents = sorted({accent for ids in meant.values() for accent in ids})
        if len(accents) > 1:
            raise BadRowError(Reason.SEVERAL_ACCENTS, f"'{raw}' names {' and '.join(accents)}")
        return accents[0]


def _check_unicode(cells: Mapping[str, str]) -> None:
    broken = sorted(name for name, cell in cells.items() if _printable(cell) != cell)
    if broken:
        raise BadRowError(Reason.MISSING_VALUE, f"{', '.join(map(_printable, broken))} is not valid Unicode text")


def _lost(row: Row, reason: Reason, why: Exception) -> Exclusion:
    name = _printable(row.cells.get("utterance_id", "") or row.place)
    return Exclusion(STAGE, name, "", reason, _printable(str(why)))


def _printable(text: str) -> str:
    # JSON may hold half of a surrogate pair, which no file and no table can
    return text.encode("utf-8", errors="replace").decode("utf-8")
