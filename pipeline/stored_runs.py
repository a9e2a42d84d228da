"""``stages=[compare]``: stored runs found by name or folder, checked, and laid beside each other.

*In*: run folders with their card and tables; no recognizer and no audio. *Out*: the same comparison as at the end of a
sweep, in a folder named after the runs. Refused: a run that is not finished, was changed since, is named twice, or is
about other speech, conditions, normalizers or realizations of a condition.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from pipeline import tables
from pipeline.artifacts import RunFolder, RunRecord, file_sha256
from pipeline.card.compared import Comparison
from pipeline.card.content import CardContent
from pipeline.card.gates import overall
from pipeline.comparable import TRIAL, IncomparableError, Job
from pipeline.errors import DONE, GATE, WITH_FAILURES, ConfigError, did_you_mean, first_five
from pipeline.records import Reason
from pipeline.sweep import compare, write

TOGETHER = "_vs_"
"""Joins the names of the runs in that of the folder."""
LONGEST_NAME = 100
CARD = "card.json"
FINISHED = {"finished": DONE, "finished_with_failures": WITH_FAILURES}
"""The exit code with which a run of each of these states ended, if it had no gate or kept it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of stored runs, and the folder in which it was written."""

    comparison: Comparison
    folder: Path


def compare_runs(runs: Sequence[str], results_dir: Path) -> Compared:
    """Compare stored runs in the order in which they are named, from the earlier to the later, and write it.

    Args:
        runs: names of runs in ``results_dir``, or folders of runs anywhere.
        results_dir: where the comparison is written, as ``<first>_vs_<second>``.

    Raises:
        ConfigError: if fewer than two are named, or one is named twice, does not exist or is not finished.
        IncomparableError: if they are not about the same trials.
        StudyError: if a run cannot be read, or the comparison not be written.
    """
    folders = _folders(runs, results_dir)
    names = _names(folders)
    jobs = [_job(folder, name) for folder, name in zip(folders, names, strict=True)]
    comparison = compare(jobs, in_order=True)
    refused = [f"{job.run_name}: {job.not_compared}" for job in comparison.jobs if job.not_compared]
    if refused:
        raise IncomparableError(f"runs: {'; '.join(refused)}. Run it again, or leave it out.")
    _check_realizations(jobs)
    folder = write(comparison.model_copy(update={"name": _together(names)}), jobs, results_dir / _together(names))
    return Compared(comparison, folder)


def _folders(runs: Sequence[str], results_dir: Path) -> list[Path]:
    if len(runs) < 2:
        raise ConfigError(
            f"runs: stages=[compare] takes two runs or more, not {len(runs)}. Name them from the earlier to the later: "
            "'runs=[last_release,next_release]'."
        )
    folders = [_folder(name, results_dir) for name in runs]
    places = [folder.resolve() for folder in folders]
    twice = [name for name, place in zip(runs, places, strict=True) if places.count(place) > 1]
    if twice:
        raise ConfigError(f"runs: {', '.join(dict.fromkeys(twice))} is one run named twice. Name each run once.")
    return folders


def _folder(name: str, results_dir: Path) -> Path:
    """Return the folder of a run: a name lies in ``results_dir``, anything with a separator is a path."""
    path = Path(name).expanduser()
    found = path if len(path.parts) > 1 or path.is_absolute() else results_dir / name
    if not name or RunFolder(found).record() is None:
        known = [folder.parent.name for folder in results_dir.glob("*/run.json")]
        raise ConfigError(f"runs: there is no run {name!r} (no {found / 'run.json'}).{did_you_mean(name, known)}")
    return found


def _names(folders: Sequence[Path]) -> list[str]:
    """Return a name of each run: that of its folder, with its place among those called alike where there are several.

    The folders around them are not named: they may bear the name of a person.
    """
    places = [folder.resolve().name for folder in folders]
    names = [name if places.count(name) == 1 else f"{name}_{places[:at].count(name) + 1}"
             for at, name in enumerate(places)]  # fmt: skip
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ConfigError(f"runs: {', '.join(twice)}: two of these runs would be called alike. Rename one's folder.")
    return names


def _together(names: Sequence[str]) -> str:
    whole = TOGETHER.join(names)
    if len(whole) <= LONGEST_NAME:
        return whole
    return f"{whole[:80]}_{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def _job(folder: Path, name: str) -> Job:
    """Return a stored run as the job that made it.

    Raises:
        ConfigError: if it did not finish, or its card cannot be read.
    """
    where = RunFolder(folder)
    record = where.record()
    if record is None or record.status not in FINISHED or record.backend is None:
        status = "" if record is None else f" (it is '{record.status}')"
        raise ConfigError(
            f"runs: {name} is not finished{status}: a comparison needs its card. "
            "Run it to its end: stages=[...,write_card] with its run_name."
        )
    card = _card(where, record, name)
    kept = overall(card.gates) in (None, "kept")
    return Job(
        exit_code=FINISHED[record.status] if kept else GATE,
        base_name=name,
        run_name=name,
        recognizer=record.backend.name,
        overrides=record.overrides,
        folder=folder,
        record=record,
        card=card,
        n_failed=_failed(where),
    )


def _card(folder: RunFolder, record: RunRecord, name: str) -> CardContent:
    file = folder.path / CARD
    again = f"Write it again: stages=[write_card] run_name={folder.name}."
    try:
        if record.hashes.get(CARD) != file_sha256(file):
            raise ConfigError(f"runs: {name}: {CARD} was changed after the run had finished. {again}")
        return CardContent.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"runs: {name}: {CARD} cannot be read ({error.strerror}). {again}") from None
    except ValidationError:
        raise ConfigError(f"runs: {name}: {CARD} is not of this version of the program. {again}") from None


def _failed(folder: RunFolder) -> int:
    lost = folder.read_table("exclusions", tables.Exclusions)
    lost = lost[lost["stage"].str.split(".").str[0] == "transcribe"]
    return int((lost["reason"] != Reason.NO_ACTIVE_SPEECH).sum())


def _check_realizations(jobs: Sequence[Job]) -> None:
    """Refuse runs whose trials are not the same: under one condition they met other noise, or at another place.

    A trial's key holds the recording, the condition, its plan and the seed (design of ``plan_trials``).

    Raises:
        IncomparableError: with the runs and trials that differ.
    """
    first, *others = [_keys(job) for job in jobs]
    for job, keys in zip(jobs[1:], others, strict=True):
        both = pd.concat([first, keys], axis=1, keys=["first", "other"])
        unlike = both[both["first"].ne(both["other"])]
        if len(unlike):
            seeds = [str(one.record.seed) for one in (jobs[0], job) if one.record]
            told = first_five(f"{utterance} under {condition}" for utterance, condition in unlike.index)
            raise IncomparableError(
                f"{jobs[0].run_name} and {job.run_name} differ in {len(unlike):,} trial(s): {told} (seeds "
                f"{', '.join(seeds)}). They did not meet the same realization of each condition, so a difference would "
                "not be the recognizers' alone. Run both with one seed, one acoustics section and the same recordings."
            )


def _keys(job: Job) -> "pd.Series[str]":
    folder = RunFolder(job.folder or Path())
    file = "trials.parquet"
    trials = folder.read_table("trials", tables.Trials)
    if job.record is None or job.record.hashes.get(file) != file_sha256(folder.path / file):
        raise IncomparableError(f"runs: {job.run_name}: {file} was changed after the run had finished. Run it again.")
    return trials.set_index(TRIAL)["trial_key"]
