"""All transcripts below ``asr.path``, by utterance and condition, and the hash of what they were read from."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.artifacts import file_sha256
from pipeline.asr.base import Hypothesis
from pipeline.asr.imported import formats
from pipeline.asr.imported.files import Source, find, printable, whole
from pipeline.asr.imported.found import Found, UnreadableError
from pipeline.asr.imported.names import identify
from pipeline.asr.imported.settings import TranscriptsSettings
from pipeline.errors import BackendError, MissingPrerequisite, first_five
from pipeline.records import Status

Trial = tuple[str, str]
"""utterance_id, condition"""

MANIFEST, HYPOTHESES = "manifest", "hypotheses"
"""A folder with tables of these names is a corpus without audio: its hypotheses are in the second."""

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")

MAX_REASON = 500
"""Characters kept of a vendor's reason."""


@dataclass(slots=True)
class Collected:
    """What was read: no more than the texts is held."""

    kind: str = ""
    """the format, recognized where it was not given"""
    sha256: str = ""
    """of the names and hashes of all files"""
    hypotheses: dict[Trial, Hypothesis] = field(default_factory=dict)
    """OK, or FAILED with the vendor's reason; a trial whose file says that there is no text is not here"""
    places: dict[Trial, Source] = field(default_factory=dict)
    """which file named a trial first, also where it had no text for it"""
    twice: dict[Trial, Source] = field(default_factory=dict)

    @property
    def failed(self) -> list[Trial]:
        """The trials on which the vendor failed, sorted."""
        return sorted(trial for trial, said in self.hypotheses.items() if said.status is Status.FAILED)


def collect(path: Path, settings: TranscriptsSettings) -> Collected:
    """Read every file below ``path``.

    Raises:
        MissingPrerequisite: if there is nothing at ``path``.
        BackendError: naming the file (and line) that cannot be read, or the trials that are answered twice.
    """
    path = hypotheses_in(path)
    sources = _sources(path, settings.format)
    try:
        kind = formats.recognize(sources) if settings.format == "auto" else settings.format
    except UnreadableError as error:
        raise _error(error.where or path.name, error) from error
    collected = Collected(kind)
    digest = hashlib.sha256()
    alone = path.is_file() and kind in formats.TABLES  # its name decides nothing; other names may be ids
    for source in sources:
        sha256 = _read(source, settings, collected)
        name = b"" if alone else source.relative.encode("utf-8", "surrogateescape")
        digest.update(b"%s %d %s\n" % (sha256.encode(), len(name), name))
    collected.sha256 = digest.hexdigest()
    if collected.twice:
        named = first_five(_both(collected, trial) for trial in collected.twice)
        raise BackendError(
            f"asr.path: {path.name} answers {len(collected.twice)} trials more than once: {named}. Keep one each,"
            " or, where a column says whose each row is, choose one with asr.system=..."
        )
    if settings.system is not None and not collected.places:
        raise BackendError(
            f"asr.system: no row of {path.name} has {settings.system!r} in its column '{settings.system_column}'."
        )
    return collected


def hypotheses_in(path: Path) -> Path:
    """Return the table of hypotheses of a folder that also holds a manifest; any other path as it is."""
    tables = {name: [path / f"{name}{suffix}" for suffix in TABLE_SUFFIXES] for name in (MANIFEST, HYPOTHESES)}
    there = {name: [place for place in places if place.is_file()] for name, places in tables.items()}
    return there[HYPOTHESES][0] if there[MANIFEST] and len(there[HYPOTHESES]) == 1 else path


def _sources(path: Path, kind: str) -> list[Source]:
    if path.is_file():
        return [Source(str(path), path.name)]
    if not path.is_dir():
        raise MissingPrerequisite(f"asr.path: there is no file {path}. Give the file of hypotheses, or their folder.")
    try:
        sources = find(path, lambda name: formats.is_of(name, kind))
    except UnreadableError as error:
        raise _error(path.name, error) from error
    if not sources:
        what = "of a known format" if kind == "auto" else f"of format {kind}"
        raise BackendError(f"asr.path: the folder {path} holds no file {what}. Check the path and asr.format.")
    return sources


def _read(source: Source, settings: TranscriptsSettings, collected: Collected) -> str:
    """Add what a file holds to ``collected`` and return its SHA-256."""
    try:
        data = whole(source.path) if collected.kind in formats.DOCUMENTS else None
        for found in formats.read(source, collected.kind, settings.choice, data):
            _add(found, source, settings, collected)
        return file_sha256(Path(source.path)) if data is None else hashlib.sha256(data).hexdigest()
    except UnreadableError as error:
        raise _error(source.shown, error) from error
    except OSError as error:
        raise BackendError(f"asr.path: {source.shown} cannot be read: {error.strerror}.") from error


def _add(found: Found, source: Source, settings: TranscriptsSettings, collected: Collected) -> None:
    trial = identify(found, source.relative, settings, kind=collected.kind)
    for what, text in zip(("utterance_id", "condition", "hypothesis"), (*trial, found.text or ""), strict=True):
        _check_writable(text, what, found.line)
    if trial in collected.places:
        collected.twice.setdefault(trial, source)
        return
    collected.places[trial] = source
    if found.failure:
        reason = f"{source.shown}: {printable(found.failure)[:MAX_REASON]}"
        collected.hypotheses[trial] = Hypothesis("", Status.FAILED, detail=reason)
    elif found.text is not None:
        collected.hypotheses[trial] = Hypothesis(
            found.text,
            Status.OK,
            avg_logprob=found.avg_logprob,
            no_speech_prob=found.no_speech_prob,
            compression_ratio=found.compression_ratio,
            n_tokens=found.n_tokens,
        )


def _check_writable(text: str, what: str, line: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:  # JSON may spell half a character, "\ud800", which no table can hold
        where = f"line {line}: the {what} is" if line else f"holds the {what}, which is"
        raise UnreadableError(f"{where} not valid Unicode: {error}") from error


def _both(collected: Collected, trial: Trial) -> str:
    first, second = collected.places[trial], collected.twice[trial]
    where = "" if first is second else f" in {first.shown} and {second.shown}"
    return f"{trial[0]} ({trial[1]}){where}"


def _error(name: str, error: UnreadableError) -> BackendError:
    said = f"asr.path: {name} {printable(str(error))}"
    return BackendError(said if said.endswith((".", "?")) else f"{said}.")
