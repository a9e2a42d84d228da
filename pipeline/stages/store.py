"""What is remembered to a report: shown, verified, and dropped from where that was asked for; hears nothing.

In: the place of the transcript store and what is to be dropped. Out: a StoreReport. Excludes nothing: a file
that cannot be read is named with what is wrong, and nothing is dropped from it.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.asr import store_checks, store_upkeep
from pipeline.asr.store_files import UnfilledError, beside, may_write
from pipeline.asr.store_settings import StoreSettings
from pipeline.asr.store_upkeep import Kept
from pipeline.card.stored import Dropping, StoredFile, StoredRecognizer, StoreReport
from pipeline.errors import ConfigError

NAME = "store"
logger = logging.getLogger(__name__)


def store(path: Path, settings: StoreSettings) -> StoreReport:
    """Verify every file of the store at ``path``, drop what is asked for, and tell what is kept then.

    Raises:
        ConfigError: if ``settings.drop_fingerprint`` fits nothing.
        StudyError: if a file cannot be written.
    """
    files = beside(path)
    logger.info("%s: %d file(s) to check", NAME, len(files))
    damage = {file: _damage(file, path) for file in files}
    sound = [file for file, why in damage.items() if why == ""]
    dropping = _drop(sound, path, settings) if settings.drops and sound else None
    kept = {file: store_upkeep.kept(file, path) for file in sound}
    problems = {file: store_checks.problems(file, path) for file in sound}
    states = {file: "empty" if why is None else "cannot be read" for file, why in damage.items()}
    states |= {file: _state(kept[file], problems[file]) for file in sound}
    return StoreReport(
        folder=str(path.parent),
        recognizers=_recognizers([one for file in sound for one in kept[file]]),
        files=tuple(StoredFile(file.name, _size_bytes(file), states[file]) for file in files),
        dropping=dropping,
        problems=(*filter(None, damage.values()), *(said for file in sound for said in problems[file])),
    )


def _damage(file: Path, path: Path) -> str | None:
    """Return why a file cannot be read, empty text if it can, or None if there is nothing in it yet."""
    try:
        return store_checks.damage(file, path)
    except UnfilledError:
        return None


def _state(kept: Sequence[Kept], problems: Sequence[str]) -> str:
    rows = sum(one.transcripts for one in kept)
    return f"{rows:,} transcripts, " + ("not as this program wrote it" if problems else "sound")


def _size_bytes(file: Path) -> int:
    beside_it = (file.with_name(f"{file.name}{ending}") for ending in ("", "-wal", "-journal"))
    return sum(one.stat().st_size for one in beside_it if one.exists())


def _drop(sound: Sequence[Path], path: Path, settings: StoreSettings) -> Dropping:
    before = [one for file in sound for one in store_upkeep.kept(file, path)]
    chosen = _chosen(before, settings.drop_fingerprint)
    mine = [file for file in sound if may_write(file, path)]
    gone = {
        file: store_upkeep.drop(file, path, settings, sha256s=[one.sha256 for one in chosen], dry_run=settings.dry_run)
        for file in mine
    }
    return Dropping(
        dry_run=settings.dry_run,
        transcripts=sum(one.transcripts for one in gone.values()),
        renderings=sum(one.renderings for one in gone.values()),
        undated=sum(one.undated for one in chosen) if settings.drop_older_than_days is not None else 0,
        in_use=() if settings.dry_run else tuple(file.name for file, one in gone.items() if not one.compacted),
        left_alone=tuple(file.name for file in sound if file not in mine),
    )


def _chosen(kept: Sequence[Kept], begins: str | None) -> list[Kept]:
    if begins is None:
        return list(kept)
    chosen = [one for one in kept if one.sha256.startswith(begins) or one.recognizer.startswith(begins)]
    if not chosen:
        known = sorted({f"{one.recognizer} {one.sha256[:12]}".strip() for one in kept})
        raise ConfigError(
            f"store.drop_fingerprint: no fingerprint and no recognizer's name begins with {begins!r}. "
            f"Remembered are: {', '.join(known) or 'none'}."
        )
    return chosen


def _recognizers(kept: Sequence[Kept]) -> tuple[StoredRecognizer, ...]:
    parts: dict[str, list[Kept]] = {}
    for one in kept:
        parts.setdefault(one.sha256, []).append(one)
    return tuple(
        sorted(
            (_together(some) for some in parts.values()), key=lambda recognizer: (recognizer.name, recognizer.sha256)
        )
    )


def _together(parts: Sequence[Kept]) -> StoredRecognizer:
    """Add up what several files hold of one fingerprint."""
    times = [time for one in parts for time in (one.first_unix_s, one.last_unix_s) if time is not None]
    return StoredRecognizer(
        sha256=parts[0].sha256,
        name=max(one.recognizer for one in parts),
        transcripts=sum(one.transcripts for one in parts),
        failed=sum(one.failed for one in parts),
        first=_date(min(times)) if times else "",
        last=_date(max(times)) if times else "",
        size_bytes=sum(one.text_bytes for one in parts),
    )


def _date(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).date().isoformat()
