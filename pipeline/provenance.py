"""What a run says of itself: configuration, versions, commit, device, corpus, conditions, recognizer, hashes."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from augment.chain import Condition
from pipeline import registration
from pipeline.artifacts import (
    CLIP_FOLDER,
    AnalysisChange,
    BackendRecord,
    ConditionRecord,
    RunFolder,
    RunRecord,
    file_sha256,
    sha256_of,
)
from pipeline.config import DOWNSTREAM, STAGES, UPSTREAM, Study
from pipeline.errors import ConfigError
from pipeline.result_tables import RESULTS

V = TypeVar("V")

INPUT = "input: "
"""Begins the names of hashed inputs; every other hash is of a file in the run's folder."""

OUTPUTS: dict[str, tuple[str, ...]] = {
    "load_utterances": ("utterances", "acoustics"),
    "plan_trials": ("trials",),
    "transcribe": ("transcripts", "renderings", "repeats", "nonspeech"),
    "score": ("scores",),
    "summarize": tuple(RESULTS),
}
"""The tables that each stage writes."""

VERSIONED = (
    "asr-accent-study", "av", "ctranslate2", "faster-whisper", "hibari-tts", "hydra-core", "jiwer", "librosa",
    "matplotlib", "numpy", "openai-whisper", "pandas", "pyarrow", "pyroomacoustics", "scipy", "soundfile", "soxr",
    "torch", "torchaudio", "whisper-normalizer",
)  # fmt: skip


def begin(study: Study, folder: RunFolder, overrides: Sequence[str]) -> RunRecord:
    """Open the folder for this study, clear what will be made anew, and return the record that a run starts with.

    The recognizer must be prepared if the run transcribes.

    Raises:
        ConfigError: if another finished run is in the way, or what is stored is not what the stages start from.
    """
    settings = study.settings
    first = STAGES.index(settings.stages[0])
    config = settings.model_dump(mode="json")
    seen = _seen(folder, config)  # before the folder is opened: a run that takes another's place clears it
    earlier = _stored(study, folder, first) if first else folder.open(study.sha256)
    heard = "transcribe" in settings.stages
    if earlier and not first:
        _same_inputs(study, folder, earlier)
    record = RunRecord(
        run_name=settings.run_name,
        status="running",
        stages_done=list(STAGES[:first]),
        protected=earlier.protected if earlier else False,
        started_at=_now(),
        finished_at=None,
        overrides=list(overrides),
        config=config,
        config_sha256=study.sha256,
        seed=settings.seed,
        versions=_versions(study),
        commit=_commit(),
        device=earlier.device
        if earlier and not heard
        else f"{platform.system()} {platform.machine()}, {_device(study)}",
        corpus=study.corpus.record(),
        conditions=[_condition(condition) for condition in study.conditions],
        backend=_backend(study) if heard else (earlier and earlier.backend),
        counts=_before(first, earlier.counts if earlier else {}),
        timings_s=_before(first, earlier.timings_s if earlier else {}),
        throughput=earlier.throughput if earlier else {},
        hashes={name: sha for name, sha in (earlier.hashes if earlier else {}).items() if _stays(name, first)},
        history=_history(study, earlier),
        analysis_sha256=registration.analysis_sha256(config),
        summarized_at=seen.at,
        analysis_changes=list(seen.changes),
        subset=earlier.subset if earlier and first else None,
    )
    if earlier:
        folder.clear(name for name in earlier.hashes if name not in record.hashes)
    return record


def complete(
    record: RunRecord,
    *,
    status: str,
    stages_done: Sequence[str],
    counts: Mapping[str, int],
    timings_s: Mapping[str, float],
    throughput: Mapping[str, float],
    hashes: Mapping[str, str],
) -> RunRecord:
    """Return ``record`` with what was done, counted, timed and hashed since it began."""
    return record.model_copy(
        update={
            "status": status,
            "summarized_at": record.summarized_at or (_now() if "summarize" in stages_done else None),
            "finished_at": None if status == "running" else _now(),
            "protected": record.protected or status.startswith("finished"),
            "stages_done": [*record.stages_done, *(name for name in stages_done if name not in record.stages_done)],
            "counts": {**record.counts, **counts},
            "timings_s": {**record.timings_s, **timings_s},
            "throughput": dict(throughput) or record.throughput,
            "hashes": {**record.hashes, **hashes},
        }
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """When results of this study first existed under this name, and how the analysis changed since."""

    at: str | None
    changes: tuple[AnalysisChange, ...]


def _seen(folder: RunFolder, config: Mapping[str, Any]) -> _Seen:
    record = folder.record() if folder.path.is_dir() else None
    if record is None or registration.other_data(record.config, config):
        return _Seen(None, ())
    # a run that was killed between its tables and its record had results too
    there = record.protected or any((folder.path / f"{name}.parquet").exists() for name in RESULTS)
    at = record.summarized_at or ((record.finished_at or record.started_at) if there else None)
    if at is None:
        return _Seen(None, ())
    changed = registration.change(record.config, config, at=_now())
    return _Seen(at, (*record.analysis_changes, *([changed] if changed else [])))


def _stored(study: Study, folder: RunFolder, first: int) -> RunRecord:
    stages, fixed = list(study.settings.stages), _fixed_before(first)
    record = folder.record() if folder.path.exists() else None
    if record is None:
        raise ConfigError(
            f"{folder.path}: stages={stages} start from what an earlier run stored, and no run is here. "
            f"Check run_name={folder.name}, or run all stages first."
        )
    undone = [stage for stage in STAGES[:first] if stage not in record.stages_done]
    if undone:
        raise ConfigError(
            f"{folder.path}: stages={stages} start from what {', '.join(undone)} would have stored, and that is not "
            "complete. Run all stages first: what was transcribed is remembered."
        )
    now = study.settings.model_dump(mode="json")
    differing = [name for name in fixed if name != "subset" and now.get(name) != record.config.get(name)]
    if registration.chosen_subset(now) != registration.chosen_subset(record.config):
        differing.append("subset")
    if _batched(now) != _batched(record.config):
        differing.append("render.device")
    if differing:
        raise ConfigError(
            f"{folder.path}: what is stored was made with another {' / '.join(differing)} section. When stages start "
            f"with {stages[0]}, only {' / '.join(name for name in UPSTREAM + DOWNSTREAM if name not in fixed)} may "
            "change; start earlier, or run all stages under another run_name."
        )
    return record


def _batched(settings: Mapping[str, Any]) -> bool:
    return bool((settings.get("render") or {}).get("device"))


def named(inputs: Sequence[Path]) -> dict[str, Path]:
    """Return each input file by the name of its hash: its own, after as many folders as tell it from the others."""
    paths = list(dict.fromkeys(inputs))
    by_name: dict[str, list[Path]] = {}
    for path in paths:
        by_name.setdefault(path.name, []).append(path)
    found = {}
    for path in paths:
        alike = [other.parts for other in by_name[path.name] if other != path]
        depth = 1
        while any(other[-depth:] == path.parts[-depth:] for other in alike):
            depth += 1
        found[f"{INPUT}{'/'.join(path.parts[-depth:])}"] = path
    return found


def _same_inputs(study: Study, folder: RunFolder, earlier: RunRecord) -> None:
    """Refuse to overwrite a finished run whose inputs are no longer the same under the same configuration."""
    if not folder.is_kept(earlier):
        return
    now = {name: file_sha256(path) for name, path in named(study.inputs).items() if path.is_file()}
    if "summarize" in study.settings.stages:
        now |= {f"{INPUT}{name}": file_sha256(path) for name, path in study.stats.inputs().items() if path.is_file()}
    changed = [name.removeprefix(INPUT) for name, sha in now.items() if earlier.hashes.get(name, sha) != sha]
    if earlier.backend and "transcribe" in study.settings.stages and _backend(study).sha256 != earlier.backend.sha256:
        changed.append("the recognizer (weights, options or versions)")
    if changed:
        raise ConfigError(
            f"{folder.path}: since this run was finished, {', '.join(changed)} has changed. "
            "A finished run is never overwritten: choose another run_name."
        )


def _fixed_before(first: int) -> tuple[str, ...]:
    """Return the sections that decided what the stages before ``first`` stored."""
    decided = {"score": ("normalizer",), "summarize": ("stats",)}
    return UPSTREAM + tuple(name for stage in STAGES[:first] for name in decided.get(stage, ()))


def _before(first: int, by_stage: Mapping[str, V]) -> dict[str, V]:
    return {name: value for name, value in by_stage.items() if name.split(".")[0] in STAGES[:first]}


def _stays(name: str, first: int) -> bool:
    """Return whether a hash stays when the stages from ``first`` on run again.

    Inputs stay, so that a run which is stopped before it has read them still knows what its results were made from;
    the ledger is written anew after every stage; the card is made of every file that no other stage names. Sound is
    named after its samples, which ``transcribe`` decides; what a new card does not play, it removes.
    """
    if name.startswith(f"{CLIP_FOLDER}/"):
        return first > STAGES.index("transcribe")
    if name.startswith(f"{INPUT}stats."):
        # a file of words is read anew; the one of a choice that was taken back is no input any more
        return first == 0 or first > STAGES.index("summarize")
    stem = name.split(".")[0]
    places = [place for place, stage in enumerate(STAGES) if stem in OUTPUTS.get(stage, ())]
    return name.startswith(INPUT) or next(iter(places), len(STAGES)) < first or (stem == "exclusions" and first > 0)


def _history(study: Study, earlier: RunRecord | None) -> list[str]:
    if earlier is None:
        return []
    changed = earlier.config_sha256 != study.sha256 and earlier.protected
    return [*earlier.history, earlier.config_sha256] if changed else earlier.history


def _condition(condition: Condition) -> ConditionRecord:
    settings = condition.settings
    return ConditionRecord(
        name=condition.name,
        version=settings.version,
        family=settings.family,
        description=settings.description,
        sources=list(settings.sources),
        sha256=sha256_of(condition.definition),
    )


def _backend(study: Study) -> BackendRecord:
    fingerprint = study.backend.fingerprint()
    return BackendRecord(name=study.backend.name, fingerprint=fingerprint, sha256=sha256_of(fingerprint))


def _device(study: Study) -> str:
    return study.backend.device if "transcribe" in study.settings.stages else "no recognizer"


def _versions(study: Study) -> dict[str, str]:
    found = {"python": platform.python_version()}
    found |= {f"normalizer {name}": normalizer.version() for name, normalizer in study.normalizers.items()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
