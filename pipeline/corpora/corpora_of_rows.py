"""What corpora that come as rows have in common: each row is judged once, and all of them by the same rules."""

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from augment.places import Place
from augment.resources import Talker
from pipeline import tables
from pipeline.corpora import base
from pipeline.corpora.manifest_files import Row
from pipeline.corpora.places import Root, locate
from pipeline.errors import ManifestError
from pipeline.records import Exclusion, Reason

logger = logging.getLogger(__name__)

MOST_LABELS = 20
"""So many unmapped labels are named with their counts; all of them are in the exclusions."""
MOST_ROWS = 5
"""So many bad rows are named where one is enough to stop."""

Judge = Callable[[Row], dict[str, Any] | Exclusion]


def loaded(rows: Sequence[Row], judge: Judge, *, corpus: str, where: str, on_bad_row: str) -> base.Loaded:
    """Judge every row.

    Args:
        rows: as the corpus has them.
        judge: makes of one its utterance or its exclusion.
        corpus: the corpus's name.
        where: what an error begins with.
        on_bad_row: ``stop``: one bad row is an error; ``exclude``: it is an exclusion.

    Raises:
        ManifestError: if rows are bad and ``on_bad_row`` is ``stop``.
    """
    outcomes = [(row, judge(row)) for row in rows]
    bad = [(row, outcome) for row, outcome in outcomes if isinstance(outcome, Exclusion)]
    _tell_unmapped(corpus, bad)
    if bad and on_bad_row == "stop":
        raise _offenders(where, bad, len(rows))
    records = [outcome for _, outcome in outcomes if not isinstance(outcome, Exclusion)]
    records.sort(key=lambda record: str(record["utterance_id"]))
    utterances = tables.build(records, tables.Utterances, where=f"corpus '{corpus}'")
    exclusions = sorted((lost for _, lost in bad), key=lambda lost: (lost.utterance_id, lost.reason, lost.detail))
    return base.Loaded(utterances, exclusions, len(rows))


class VoicesOfRows:
    """Whose voice an utterance is."""

    def group_of(self, row: Mapping[str, Any]) -> str:
        """Return the voice of one utterance."""
        return base.group_of(row)


class AudioBelowRoot(VoicesOfRows, ABC):
    """Recordings that ``audio`` cells name from a root."""

    @abstractmethod
    def _root(self) -> Root:
        """Return where they start.

        Raises:
            ManifestError: if it is not there.
        """

    def audio_path(self, audio: str) -> Place:
        """Return where the recording of an ``audio`` cell is."""
        return locate(audio, self._root(), allow_outside_root=True).place  # it was checked when it was loaded

    def talkers(self, utterances: pd.DataFrame) -> tuple[Talker, ...]:
        """Return the corpus's own speakers.

        Where speakers are unknown, every utterance stands for itself, and babble may then hold the target's
        own voice from another recording.
        """
        root = self._root()
        places = (locate(audio, root, allow_outside_root=True).place for audio in utterances["audio"])
        return base.speakers_as_talkers(zip(tables.rows(utterances), places, strict=True))


def _tell_unmapped(corpus: str, bad: Sequence[tuple[Row, Exclusion]]) -> None:
    labels = Counter(row.cells["accent"] for row, lost in bad if lost.reason is Reason.UNKNOWN_ACCENT)
    if not labels:
        return
    ordered = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    named = ", ".join(f"'{label}' ({count})" for label, count in ordered[:MOST_LABELS])
    more = f", and {len(ordered) - MOST_LABELS} more labels" if len(ordered) > MOST_LABELS else ""
    logger.warning("%s: labels that accents.yaml does not map, with their rows: %s%s", corpus, named, more)


def _offenders(where: str, bad: Sequence[tuple[Row, Exclusion]], rows: int) -> ManifestError:
    """Return the error that names the first bad rows."""
    shown = [f"{row.place} ({lost.utterance_id}): {lost.reason}: {lost.detail}" for row, lost in bad[:MOST_ROWS]]
    more = f"; and {len(bad) - MOST_ROWS} more" if len(bad) > MOST_ROWS else ""
    return ManifestError(
        f"{where}: {len(bad)} of {rows} rows cannot be used: {'; '.join(shown)}{more}. "
        "Mend them, or set corpus.on_bad_row=exclude to go on without them."
    )
