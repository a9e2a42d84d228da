"""A program of its own environment as a recognizer: it reads a manifest of WAV files and writes JSON lines.

Engines whose packages do not agree with each other's, or with ours, are used this way. The program runs once a
batch; what it reads and writes is in ``command_files``, how it is run and stopped in ``command_process``, and
why it must be allowed by this machine's environment in ``command_options``. That one clip's words do not depend
on the others in the manifest is the program's to keep: it cannot be seen from here.
"""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from augment.shared_folder import shared_folder
from pipeline.artifacts import file_sha256
from pipeline.asr.base import Hypothesis, Request
from pipeline.asr.clips import line, unusable
from pipeline.asr.command_files import Answers, read_answers, write_manifest
from pipeline.asr.command_options import CommandSettings, as_line, check_allowed
from pipeline.asr.command_process import Ended, run
from pipeline.asr.exchange import printable
from pipeline.errors import BackendError, MissingPrerequisite, first_five
from pipeline.records import Status

logger = logging.getLogger(__name__)

FOLDER = "asr-study-command-"
VERSION_TIMEOUT_S = 300.0
VERSION_BYTES = 4096


class Command:
    """An external program as a backend."""

    Settings: ClassVar[type[BaseModel]] = CommandSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings
        self._command: tuple[str, ...] = settings.command or ()
        self._fingerprint: dict[str, str] = {}
        self._loaded = False
        self._answered = False
        self._silent: list[int] = []

    @property
    def name(self) -> str:
        """``command:`` and the label."""
        return f"command:{self._settings.label}"

    @property
    def batch_size(self) -> int:
        """Clips per run of the program."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """Always ``external program``: where that computes is not known here."""
        return "external program"

    def prepare(self) -> None:
        """See that the program may be run and is here, hash the files that the command names, and ask its version.

        Raises:
            MissingPrerequisite: if there is no such program.
            BackendError: if this machine does not allow it, or its version cannot be told.
        """
        check_allowed(self._settings)
        for command in self._settings.commands:
            if shutil.which(command[0]) is None:
                raise MissingPrerequisite(f"asr.command: there is no program {command[0]} that can be run here.")
        version = self._version()
        if version is None:
            logger.warning(
                "asr.version: not given, so a change inside the program goes unseen and what it said before is reused"
            )
        self._fingerprint = {
            "kind": "command",
            "command": as_line(self._command),
            "version": "not stated" if version is None else version,
            **{f"sha256.{index}": digest for index, digest in _hashes(self._command).items()},
        }

    def _version(self) -> str | None:
        if self._settings.version_command is None:
            return self._settings.version
        with tempfile.TemporaryFile() as output:
            ended = run(self._settings.version_command, timeout_s=VERSION_TIMEOUT_S, output=output)
            output.seek(0)
            said = printable(output.read(VERSION_BYTES).decode(errors="replace"))
        if ended.problem or not said:
            problem = ended.problem or "printed nothing"
            raise BackendError(f"asr.version_command: {self._settings.version_command[0]} {problem}{_last(ended)}.")
        return said

    def fingerprint(self) -> dict[str, str]:
        """Return the command as written, the files it names by hash, and the version.

        The paths stay: those of an interpreter decide which packages it finds.
        """
        if not self._fingerprint:
            raise RuntimeError("fingerprint() before prepare()")
        return dict(self._fingerprint)

    def load(self) -> None:
        """Nothing to bring into memory: the program does that, each time."""
        if not self._fingerprint:
            raise RuntimeError("load() before prepare()")
        self._loaded, self._answered, self._silent = True, False, []

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Run the program once; ``decode_s`` is each clip's share of that run, loading included.

        Answers that were written before it failed or was stopped are kept.

        Raises:
            BackendError: if the program cannot be started or answers nothing at all.
        """
        if not self._loaded:
            raise RuntimeError("transcribe() before load()")
        problems = [unusable(request.samples) for request in batch]
        sent = [request for request, problem in zip(batch, problems, strict=True) if not problem]
        heard = self._hear(sent) if sent else {}
        return [
            Hypothesis("", Status.FAILED, detail=problem) if problem else heard[request.trial_key]
            for request, problem in zip(batch, problems, strict=True)
        ]

    def _hear(self, sent: Sequence[Request]) -> dict[str, Hypothesis]:
        started_s = time.perf_counter()
        try:
            with shared_folder(FOLDER) as folder:
                ended, answers = self._run(folder, sent)
        except OSError as error:
            raise BackendError(
                f"asr.command: the clips cannot be handed over in {tempfile.gettempdir()} ({line(error)})."
                " Make room, or name another folder in the environment variable TMPDIR."
            ) from error
        share_s = (time.perf_counter() - started_s) / len(sent)
        self._tell(ended, answers)
        self._give_up_if_silent(len(sent), ended, answers)
        lost = Hypothesis("", Status.FAILED, detail=_reason(ended))
        heard = {request.trial_key: answers.by_trial.get(request.trial_key, lost) for request in sent}
        return {key: replace(one, decode_s=share_s) if one.status is Status.OK else one for key, one in heard.items()}

    def _run(self, folder: Path, sent: Sequence[Request]) -> tuple[Ended, Answers]:
        manifest, names = write_manifest(folder, sent)
        output = folder / "answers.jsonl"
        paths = {"{manifest}": manifest, "{output}": output, "{audio_dir}": folder / "audio"}
        ended = run([_filled(item, paths) for item in self._command], timeout_s=self._settings.timeout_s)
        return ended, read_answers(output, names, sent)

    def _tell(self, ended: Ended, answers: Answers) -> None:
        if answers.ignored:
            logger.warning("%s: lines without use: %s", self.name, first_five(answers.ignored))
        if ended.problem:
            logger.warning("%s %s; its last lines:\n%s", self.name, ended.problem, "\n".join(ended.last_lines))

    def _give_up_if_silent(self, clips: int, ended: Ended, answers: Answers) -> None:
        """Stop a run whose program does not work: 100 000 failed trials would say no more than this sentence."""
        if answers.by_trial:
            self._answered, self._silent = True, []
            return
        self._silent.append(clips)
        if sum(self._silent) < self._settings.give_up_after or (self._answered and len(self._silent) == 1):
            return
        why = ended.problem or "ended well"
        nothing = f", and {answers.ignored[0]}" if answers.ignored else ""
        raise BackendError(
            f"asr.command: {self._command[0]} {why} without one answer for {sum(self._silent)} clips{nothing}"
            f"{_last(ended)}. If one clip breaks it, asr.batch_size=1 lets the others through."
        )

    def close(self) -> None:
        """Nothing is held open between batches."""
        self._loaded = False


def _filled(item: str, paths: dict[str, Path]) -> str:
    for name, path in paths.items():
        item = item.replace(name, str(path))
    return item


def _hashes(command: Sequence[str]) -> dict[int, str]:
    """Return SHA-256 by position of the program and of every argument, or value of an --option=value, that is a file.

    Raises:
        BackendError: for a file named by a relative path, which is another one in another folder.
    """
    found = {}
    for index, item in enumerate(command):
        path = Path((shutil.which(item) if index == 0 else None) or item.rpartition("=")[2])
        if not os.path.isfile(path):  # unlike Path.is_file, it takes a whole script for no file, however long
            continue
        if not path.is_absolute():
            raise BackendError(f"asr.command: write the full path of {item}: {path.resolve()}")
        found[index] = file_sha256(path)
    return found


def _last(ended: Ended) -> str:
    return f"; it last said: {ended.last_words}" if ended.last_words else ""


def _reason(ended: Ended) -> str:
    if ended.problem:
        return f"the program {ended.problem} before it answered this clip{_last(ended)}"
    return "the program wrote no line for this clip"
