"""The sound beside a run's page: which trials can be heard, their files in the run's folder, and no stale ones."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd

from augment.errors import ConditionError
from pipeline.artifacts import CLIP_FOLDER, CLIPS, file_sha256
from pipeline.card.wording import count, label
from pipeline.errors import StudyError
from pipeline.execution import Run
from pipeline.rendering import Renderer
from pipeline.stages.clip_examples import MOST_S, NAME, Clips, clip_examples, withheld, worst

logger = logging.getLogger(__name__)
UNHEARD = "No sound is here: the recognizer of this run hears no audio, and nothing was rendered for it."


def sound(this: Run, shown: Mapping[str, pd.DataFrame]) -> Clips:
    """Return what can be heard beside the page; nothing where a floor holds or recordings must not be passed on."""
    settings, study = this.study.card, this.study
    if this.has_floor or not settings.page.clips_per_cell:
        return Clips()
    if not study.backend.needs_audio:
        return Clips(notes=(UNHEARD,) if not shown["transcripts"].empty else ())
    if reason := withheld(study.corpus.record(), shown["utterances"]):
        return Clips(notes=(reason,))
    scores = shown["scores"]
    of_page = (scores["backend"] == study.backend.name) & (scores["normalizer"] == settings.main_normalizer)
    chosen = worst(scores[of_page], settings.page.clips_per_cell, study.stats.reference_condition)
    if not chosen:
        return Clips()
    clips = clip_examples(chosen, shown, _renderer(this), here=_here(this))
    if not clips.names or len(clips.names) == of_page.sum():
        return clips
    return replace(clips, notes=(_which(this, len(clips.names)), *clips.notes))


def _which(this: Run, n_clips: int) -> str:
    """Return which renderings can be heard, where not all of them can."""
    per_cell, reference = this.study.card.page.clips_per_cell, this.study.stats.reference_condition
    return (
        f"Sound is here of {count(n_clips, 'rendering')}: of every group under every condition of the {per_cell} with "
        f"the most errors, and of the same utterances under {label(reference)}; at most {MOST_S / 60:g} minutes in all."
    )


def _here(this: Run) -> set[str]:
    """Return the clips of an earlier card that lie in the folder as they were written."""
    told = {name: sha256 for name, sha256 in this.record.hashes.items() if name.startswith(f"{CLIP_FOLDER}/")}
    files = {name: this.folder.path / name for name in told}
    return {name for name, path in files.items() if path.is_file() and file_sha256(path) == told[name]}


def _renderer(this: Run) -> Renderer | None:
    try:
        return this.renderer()
    except (StudyError, ConditionError, OSError) as error:
        logger.warning("%s: %s", NAME, error)
        return None


@contextmanager
def written(this: Run, clips: Clips) -> Iterator[None]:
    """Write the clips, and when what is done with them has succeeded remove those of an earlier card.

    A full disk or Ctrl-C within leaves none of the new ones behind.

    Raises:
        StudyError: if one cannot be written.
    """
    before = _files(this)
    try:
        for name, data in sorted(clips.files.items()):
            this.hashes[name] = this.folder.write(name, data)
        yield
    except BaseException:
        this.folder.clear(name for name in clips.files if name not in before)
        raise
    _remove(this, before - set(clips.names.values()))


def withdraw(this: Run) -> None:
    """Remove the sound of an earlier card: a floor holds now."""
    _remove(this, _files(this))


def _files(this: Run) -> set[str]:
    return {path.relative_to(this.folder.path).as_posix() for path in this.folder.path.glob(CLIPS)}


def _remove(this: Run, names: Collection[str]) -> None:
    this.folder.clear(names)
    left = {name: sha256 for name, sha256 in this.record.hashes.items() if name not in names}
    this.record = this.record.model_copy(update={"hashes": left})
