"""What a run says of itself: configuration, versions, commit, device, corpus, conditions, recognizer, hashes."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from augment.chain import Condition
from pipeline.artifacts import BackendRecord, ConditionRecord, RunFolder, RunRecord, sha256_of
from pipeline.config import UPSTREAM, Study, sections_sha256
from pipeline.errors import ConfigError

VERSIONED = (
    "asr-accent-study", "ctranslate2", "faster-whisper", "hibari-tts", "hydra-core", "jiwer", "matplotlib", "numpy",
    "openai-whisper", "pandas", "pyarrow", "scipy", "soundfile", "soxr", "torch", "whisper-normalizer",
)  # fmt: skip


def begin(study: Study, folder: RunFolder, overrides: Sequence[str]) -> RunRecord:
    """Open the folder for this study and return the record that a run starts with.

    The recognizer must be prepared if the run transcribes.

    Raises:
        ConfigError: if another finished run is in the way, or the stored transcripts are another study's.
    """
    settings = study.settings
    from_the_start = settings.stages[0] == "load_utterances"
    earlier = folder.open(study.sha256) if from_the_start else _stored(study, folder)
    return RunRecord(
        run_name=settings.run_name,
        status="running",
        started_at=_now(),
        finished_at=None,
        overrides=list(overrides),
        config=settings.model_dump(mode="json"),
        config_sha256=study.sha256,
        seed=settings.seed,
        versions=_versions(),
        commit=_commit(),
        device=f"{platform.system()} {platform.machine()}, {study.backend.device}",
        corpus=study.corpus.record(),
        conditions=[_condition(condition) for condition in study.conditions],
        backend=_backend(study) if "transcribe" in settings.stages else (earlier and earlier.backend),
        counts=earlier.counts if earlier else {},
        timings_s=earlier.timings_s if earlier else {},
        hashes=earlier.hashes if earlier else {},
        history=_history(study, earlier),
    )


def complete(
    record: RunRecord,
    *,
    status: str,
    counts: Mapping[str, int],
    timings_s: Mapping[str, float],
    hashes: Mapping[str, str],
) -> RunRecord:
    """Return ``record`` with what was counted, timed and hashed since it began."""
    return record.model_copy(
        update={
            "status": status,
            "finished_at": _now(),
            "counts": {**record.counts, **counts},
            "timings_s": {**record.timings_s, **timings_s},
            "hashes": {**record.hashes, **hashes},
        }
    )


def _stored(study: Study, folder: RunFolder) -> RunRecord:
    record = folder.record() if folder.path.exists() else None
    if record is None:
        raise ConfigError(
            f"{folder.path}: stages={list(study.settings.stages)} start from what an earlier run stored, and no run is "
            f"here. Check run_name={folder.name}, or run all stages first."
        )
    if sections_sha256(record.config, UPSTREAM) != study.upstream_sha256:
        raise ConfigError(
            f"{folder.path}: what is stored was made with another {' / '.join(_differing(study, record))} section. "
            "Only normalizer, stats and card may change when stages start from stored transcripts; "
            "run all stages under another run_name instead."
        )
    return record


def _differing(study: Study, record: RunRecord) -> list[str]:
    now = study.settings.model_dump(mode="json")
    return [name for name in UPSTREAM if now.get(name) != record.config.get(name)]


def _history(study: Study, earlier: RunRecord | None) -> list[str]:
    if earlier is None:
        return []
    changed = earlier.config_sha256 != study.sha256 and earlier.status != "running"
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


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
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
