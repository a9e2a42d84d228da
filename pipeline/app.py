"""The command line: compose the configuration, check all of it, run, and end with a meaningful exit code.

The only importer of hydra and omegaconf. Exit codes: 0 done; 1 a bug; 2 the user's mistake; 3 finished,
but some trials failed (they are listed in exclusions.csv) or checks of stages=[doctor] did; 4 finished, but a gate was
not kept: broken, or it could not be decided (also where trials failed besides); 130 stopped by hand.
"""

import io
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from pipeline import interruption
from pipeline.errors import BUG, DONE, GATE, MISTAKE, STOPPED, WITH_FAILURES

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.comparable import Job
    from pipeline.run import Outcome

CONF = Path(__file__).resolve().parents[1] / "conf"
QUICKSTART = "quickstart"
GRAVITY = (DONE, WITH_FAILURES, GATE, MISTAKE, BUG)
"""A sweep ends with the gravest exit code of its jobs, after one comparison of those that finished."""

MERGED = ("conditions", "normalizer")
"""Groups of which several files are merged, each under its own name."""

logger = logging.getLogger("pipeline")


# a configuration is data: one from a stranger must not read this machine's environment into a published card
OmegaConf.clear_resolver("oc.env")


def main() -> None:
    """Run ``python -m pipeline`` with the arguments in ``sys.argv``."""
    entered.clear()
    interruption.listen()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands its errors over instead of printing parts of a traceback
    codes = []
    try:
        _task()
        codes = [job.exit_code for job in entered]
        if len(entered) > 1:
            codes.append(_compare())
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        if entered:
            raise
        print(f"error: {_composed_wrong(error)}", file=sys.stderr)
        raise SystemExit(MISTAKE) from None
    except KeyboardInterrupt:
        _stopped()
    raise SystemExit(max(codes, default=DONE, key=GRAVITY.index))


def _composed_wrong(error: Exception) -> str:
    """Return Hydra's message as one sentence, without its list of search paths and its advice to force the key."""
    parts = (str(part) for part in (error, error.__cause__) if part)
    text = " ".join(" ".join(parts).split())
    for tail in ("Available options", "Config search path", "To append to your config", "full_key:"):
        text = text.split(tail)[0].strip()
    if chosen := re.search(r"Could not (?:find|load) '(\w+)/([^']+)'", text):
        from pipeline.errors import did_you_mean

        group, name = chosen.groups()
        return f"{text.rstrip('.')}.{did_you_mean(name, (file.stem for file in (CONF / group).glob('*.yaml')))}"
    if overridden := re.search(r"Could not override '([\w.]+)'", text):
        from pipeline.known_keys import meant

        text = f"{text.rstrip('.')}.{meant(CONF, overridden.group(1).split('.'))}"
    given = " ".join(sys.argv[1:])
    return f"{text} (given: {given}). python -m pipeline --help lists the choices, --cfg job the keys."


def _stopped() -> NoReturn:
    print("stopped: what was transcribed is remembered; the same command goes on from here", file=sys.stderr)
    raise SystemExit(STOPPED) from None


entered: list["Job"] = []
"""The jobs that got as far as the study (several in a sweep), and how they ended."""


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
def _task(config: DictConfig) -> None:
    from pipeline.comparable import Job
    from pipeline.errors import StudyError, on_terminal

    job = Job(BUG)
    entered.append(job)
    _log_to_stderr()
    try:
        job.exit_code = _run(config, job)
    except StudyError as error:
        print(f"error: {_named(job)}{on_terminal(error)}", file=sys.stderr)
        job.exit_code, job.message = MISTAKE, str(error)
    except KeyboardInterrupt:
        _stopped()
    except Exception as error:
        if not _sweeping():
            raise
        traceback.print_exc()  # the other jobs go on
        job.message = f"a bug, {type(error).__name__}: {error}"


def _sweeping() -> bool:
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def _named(job: "Job") -> str:
    return f"{job.run_name}: " if _sweeping() and job.run_name else ""


def _compare() -> int:
    """Print and write the comparison at the end of a sweep; return what it adds to the exit code."""
    from pipeline.errors import StudyError, on_terminal
    from pipeline.sweep import conclude

    try:
        conclude(entered, _console(110))
    except StudyError as error:
        print(f"error: comparison: {on_terminal(error)}", file=sys.stderr)
        return MISTAKE
    return DONE


def _run(config: DictConfig, job: "Job") -> int:
    from pipeline.config import SINGLE, build
    from pipeline.run import run
    from pipeline.single import run_single

    overrides = [str(item) for item in OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False) or ()]
    job.overrides = overrides
    raw = _plain(config)
    raw["run_name"] = _run_name(raw.get("run_name"), overrides, job)
    _check_chosen(raw, overrides)
    raw, overrides = _from_stored(raw, overrides)
    study = build(raw)
    job.recognizer = study.backend.name
    if study.settings.stages[0] in SINGLE:
        report = run_single(study)
        report.show(_console(100))
        return WITH_FAILURES if report.n_failed else DONE
    outcome = run(study, store_path=study.store_path, overrides=overrides)
    job.folder, job.record, job.card, job.n_failed = outcome.folder, outcome.record, outcome.card, outcome.n_failed
    _report(outcome, gates_set=bool(study.gate.limits))
    if outcome.gate not in (None, "kept"):
        return GATE
    return WITH_FAILURES if outcome.n_failed else DONE


def _check_chosen(raw: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Refuse a chosen file that added nothing under its own name: a condition must not vanish silently."""
    from pipeline.errors import ConfigError

    last = {item.partition("=")[0]: item for item in overrides}  # of a group that is given twice, the last counts
    for item in last.values():
        group, _, listed = item.partition("=")
        chosen = [part.strip(" '\"") for part in listed.strip("[]").split(",")] if group in MERGED else []
        for name in (added for part in chosen for added in _added_by(group, part)):
            if name not in (raw.get(group) or {}) and f"~{group}.{name}" not in overrides:
                raise ConfigError(
                    f"{group}/{name}.yaml: the file holds no top-level key '{name}'. "
                    "Its only key must be its own name; conf/README.md shows one."
                )


def _added_by(group: str, name: str) -> list[str]:
    """Return the keys that a file should add: its own name, or of a mere list of other files the names of those."""
    for source in GlobalHydra.instance().config_loader().get_sources():
        if not source.is_config(f"{group}/{name}"):
            continue
        content = source.load_config(f"{group}/{name}").config
        if list(content) == ["defaults"]:
            listed = [str(item).rpartition("/")[2] for item in content["defaults"] if item != "_self_"]
            return [key for item in listed for key in _added_by(group, item)] or [name]
        break
    return [name]


def _plain(config: DictConfig) -> dict[str, Any]:
    from pipeline.errors import ConfigError

    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"The configuration cannot be resolved: {error}") from None
    return {str(key): value for key, value in plain.items()} if isinstance(plain, Mapping) else {}


def _run_name(name: object, overrides: Sequence[str], job: "Job") -> object:
    """Name a run that was not named (the plain command is the quickstart, anything else scratch), and its job."""
    from pipeline.artifacts import SCRATCH

    if name is None:
        name = SCRATCH if overrides else QUICKSTART
    job.base_name = str(name)
    if _sweeping():
        name = f"{name}_{HydraConfig.get().job.num}_{HydraConfig.get().runtime.choices['asr']}"
    job.run_name = str(name)
    return name


def _from_stored(raw: dict[str, Any], overrides: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Let stages that start from a stored run take its configuration, apart from what this command changes."""
    from pipeline.artifacts import RunFolder
    from pipeline.config import SINGLE, over_stored

    stages = raw.get("stages")
    if not isinstance(stages, list) or not stages or stages[0] == "load_utterances":
        return raw, overrides
    if stages[0] in SINGLE and not any(item.startswith("run_name=") for item in overrides):
        return raw, overrides  # whatever was tried out last is not what this command is about
    record = RunFolder(Path(str(raw.get("results_dir"))) / str(raw["run_name"])).record()
    if record is None:
        return raw, overrides
    changed = {item.lstrip("+~").partition("=")[0] for item in overrides}
    return over_stored(raw, record.config, changed), list(dict.fromkeys([*record.overrides, *overrides]))


def _log_to_stderr() -> None:
    root = logging.getLogger()
    verbose = bool(HydraConfig.get().verbose)
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(stderr=True), show_path=False, log_time_format="%H:%M:%S")
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)


def _report(outcome: "Outcome", *, gates_set: bool) -> None:
    from pipeline.card.terminal import summary

    console = _console(80)
    if outcome.card is not None:
        summary(outcome.card, console, card_path=str(outcome.folder / "card.html"))
    elif gates_set:
        print("gate: not decided, since these stages stop before the card.", file=sys.stderr)
    if outcome.remembered:
        print(f"{outcome.remembered} transcripts were remembered from earlier runs and not made again.")
    if outcome.n_failed:
        listed = outcome.folder / "exclusions.csv"  # under a publication floor there is only the Parquet table
        listed = listed if listed.exists() else listed.with_suffix(".parquet")
        print(f"{outcome.n_failed} trial(s) failed: see {listed}.", file=sys.stderr)


def _console(width: int) -> "Console":
    """Return standard output, ``width`` columns wide where it is no terminal."""
    from rich.console import Console

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a label may hold what the terminal's encoding does not
    return Console(width=None if sys.stdout.isatty() else width)
