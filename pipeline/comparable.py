"""What the jobs of a sweep left behind, and whether it is about the same speech, conditions and words."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline import tables
from pipeline.artifacts import RunFolder, RunRecord, file_sha256
from pipeline.card.content import CardContent
from pipeline.card.wording import without_folder
from pipeline.corpora.base import voices
from pipeline.errors import StudyError, first_five
from pipeline.provenance import INPUT
from pipeline.stats.counts import KINDS

TRIAL = ["utterance_id", "condition"]
SPEECH = ["utterance_id", "audio_sha256", "reference", "accent", "speaker_id"]
"""What two runs must have in common of every utterance."""

SAID = ["speaker_id", "accent", "error_slots", "normalized_reference", "normalized_hypothesis"]
"""What two answers to one trial are compared by, beside the counts."""

_ELSEWHERE = (
    "run_name", "results_dir", "cache_dir", "stages", "listen", "store", "card", "asr", "corpus", "plan", "manifest",
    "audit", "gate", "runs",
)  # fmt: skip
"""Sections that decide no number, or whose difference is seen otherwise: in the names, the tables, the hashes."""
_NO_NUMBER = ("render.workers", "render.cache")
_PATH = re.compile(r"(?<![\w.:/~-])(?:~?/|[A-Za-z]:\\)[^\s'\",;:|()]+")


class IncomparableError(StudyError):
    """Runs cannot be laid beside each other."""


@dataclass(slots=True)
class Job:
    """One job of a sweep, filled in as far as it gets; ``base_name`` is its run name without number and recognizer."""

    exit_code: int
    base_name: str = ""
    run_name: str = ""
    recognizer: str = ""
    overrides: Sequence[str] = ()
    message: str = ""
    """why it did not finish"""
    folder: Path | None = None
    record: RunRecord | None = None
    card: CardContent | None = None
    n_failed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A run with a card. ``answers``: the scores of each trial under the main normalizer, indexed by ``TRIAL``."""

    job: Job
    record: RunRecord
    card: CardContent
    utterances: pd.DataFrame
    answers: pd.DataFrame
    voices: dict[tuple[str, str], str]


def read(job: Job) -> Finished | str:
    """Return what a job left behind, or why it cannot be compared."""
    if job.record is None or job.folder is None:
        return f"not run: {_without_folders(job.message) or 'it ended without a word'}"
    if job.card is None:
        return "not compared: it was asked to stop before the card"
    folder = RunFolder(job.folder)
    try:
        now = {name: file_sha256(folder.path / name) for name in ("utterances.parquet", "scores.parquet")}
    except OSError:
        now = {}
    if not now or any(job.record.hashes.get(name) != sha for name, sha in now.items()):
        return "not compared: its tables were changed after it had finished"
    scores = folder.read_table("scores", tables.Scores)
    answers = scores[scores["normalizer"] == job.card.main_normalizer].set_index(TRIAL)
    answers = answers[[name for name in (*KINDS, *SAID) if name in answers]]
    if answers.empty:
        return "not compared: none of its trials was scored; its table of exclusions says why"
    utterances = folder.read_table("utterances", tables.Utterances)
    speech = utterances[SPEECH].set_index("utterance_id").sort_index()
    shown = _published(answers, speech, job.card)
    return Finished(job, job.record, job.card, speech, shown, voices(utterances))


def _published(answers: pd.DataFrame, utterances: pd.DataFrame, card: CardContent) -> pd.DataFrame:
    """Return the answers without those of cells that the run's card suppresses: a sum over all would tell of them."""
    secret = {(cell.accent, cell.condition) for cell in card.numbers.publication.cells if not cell.merged_into}
    if not secret:
        return answers
    merged = {cell.accent: cell.merged_into for cell in card.numbers.publication.cells if cell.merged_into}
    accents = utterances["accent"].reindex(answers.index.get_level_values("utterance_id"))
    places = zip(accents, answers.index.get_level_values("condition"), strict=True)
    return answers[[(merged.get(accent, accent), condition) not in secret for accent, condition in places]]


def check_alike(finished: Sequence[Finished]) -> None:
    """Refuse runs that are not about the same speech, conditions and words.

    Raises:
        IncomparableError: with all that differs.
    """
    first, *others = finished
    found = [f"{first.job.run_name} and {other.job.run_name} differ in {', '.join(differing)}"
             for other in others if (differing := list(_differences(first, other)))]  # fmt: skip
    if found:
        raise IncomparableError(
            f"{'; '.join(found)}. WERs of different things are not laid beside each other: keep the corpus, the "
            "conditions and the normalizer the same, or read each run's own card."
        )


def also_differ(finished: Sequence[Finished]) -> dict[str, list[str]]:
    """Return the settings beside the recognizer's in which the runs differ, with their values in the runs' order."""
    flat = [dict(_flat(one.record.config)) for one in finished]
    found = {}
    for key in sorted(set().union(*flat)):
        values = list(dict.fromkeys(one.get(key, "not set") for one in flat))
        if len(values) > 1 and key.split(".")[0] not in _ELSEWHERE and not key.startswith(_NO_NUMBER):
            found[key] = values
    return found


def asked_alone(jobs: Sequence[Job]) -> list[list[str]]:
    """Return, of each job, the overrides that not all jobs were given, without any folder of this machine."""
    shared = set.intersection(*(set(job.overrides) for job in jobs))
    return [[_without_folders(item) for item in job.overrides if item not in shared] for job in jobs]


def _differences(first: Finished, other: Finished) -> Iterator[str]:
    inputs = _changed(_inputs(first.record), _inputs(other.record))
    speech = _other_speech(first.utterances, other.utterances)
    if inputs or speech:
        yield f"the corpus ({'; '.join(filter(None, (first_five(inputs), speech)))})"
    conditions = _changed(_conditions(first.record), _conditions(other.record))
    if conditions:
        yield f"the conditions ({first_five(conditions)})"
    normalizers = _changed(_normalizers(first.record), _normalizers(other.record))
    if normalizers:
        yield f"the normalizer ({first_five(normalizers)})"
    if first.card.main_normalizer != other.card.main_normalizer:
        yield f"the main normalizer ({first.card.main_normalizer}, {other.card.main_normalizer})"


def _inputs(record: RunRecord) -> dict[str, str]:
    return {name.removeprefix(INPUT): sha for name, sha in record.hashes.items() if name.startswith(INPUT)}


def _conditions(record: RunRecord) -> dict[str, str]:
    return {condition.name: condition.sha256 for condition in record.conditions}


def _normalizers(record: RunRecord) -> dict[str, str]:
    settings = {name: json.dumps(value, sort_keys=True) for name, value in record.config["normalizer"].items()}
    return {name: f"{value} {record.versions.get(f'normalizer {name}')}" for name, value in settings.items()}


def _changed(first: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the names that only one has, or that do not mean the same in both."""
    return sorted(name for name in first.keys() | other.keys() if first.get(name) != other.get(name))


def _other_speech(first: pd.DataFrame, other: pd.DataFrame) -> str:
    """Return in words which utterances are not the same recording, text, accent and speaker in both; or nothing."""
    if first.equals(other):
        return ""
    both = first.index.intersection(other.index)
    one, two = first.loc[both], other.loc[both]
    unlike = (one.ne(two) & ~(one.isna() & two.isna())).any(axis=1)
    named = sorted({*first.index.symmetric_difference(other.index), *both[unlike.to_numpy()]})
    return f"{len(named):,} utterance(s): {first_five(named)}"


def _flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, _without_folders(value if isinstance(value, str) else json.dumps(value))


def _without_folders(text: str) -> str:
    """Return a sentence with the last part alone of every absolute path in it: a comparison may be published."""
    return _PATH.sub(lambda match: without_folder(match[0]), text)
