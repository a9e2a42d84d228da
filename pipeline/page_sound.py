"""The sound beside a run's page: which trials can be heard, their files in the run's folder, and no stale ones."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pandas as pd

from augment.errors import ConditionError
from pipeline.artifacts import CLIPS
from pipeline.errors import StudyError
from pipeline.execution import Run
from pipeline.rendering import Renderer
from pipeline.stages.clip_examples import Clips, clip_examples, withheld, worst

logger = logging.getLogger(__name__)
UNREACHED = "Sound is missing here: the corpus could not be reached when this page was written."
UNHEARD = "No sound is here: this run read transcripts that were made elsewhere, and rendered nothing."


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
    renderer = _renderer(this)
    if renderer is None:
        return Clips(notes=(UNREACHED,))
    return clip_examples(chosen, shown, renderer)


def _renderer(this: Run) -> Renderer | None:
    try:
        return this.renderer()
    except (StudyError, ConditionError, OSError) as error:
        logger.warning("%s %s", UNREACHED, error)
        return None


@contextmanager
def written(this: Run, clips: Clips) -> Iterator[None]:
    """Write the clips, and when what is done with them has succeeded remove those of an earlier card.

    A full disk or Ctrl-C within leaves none of the new ones behind.

    Raises:
        StudyError: if one cannot be written.
    """
    before = {path.relative_to(this.folder.path).as_posix() for path in this.folder.path.glob(CLIPS)}
    try:
        for name, data in sorted(clips.files.items()):
            this.hashes[name] = this.folder.write(name, data)
        yield
    except BaseException:
        this.folder.clear(name for name in clips.files if name not in before)
        raise
    this.folder.clear(before - set(clips.names.values()))
