"""Trials to sound beside the page: the renderings with the most errors of every cell, and their clean ones.

In: Scores, Trials, Renderings, Utterances, a renderer. Out: 16-bit FLAC by file name, and which trial each belongs to.
Excludes nothing: what cannot be played is told in a sentence, which names no file and no folder.
"""

import io
import logging
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.jobs import Failure
from augment.rendering import Rendering
from pipeline import interruption, tables
from pipeline.artifacts import CLIP_FOLDER, CorpusRecord
from pipeline.card.wording import count
from pipeline.errors import StudyError
from pipeline.progress import track
from pipeline.rendering import Renderer, Row

NAME = "clip_examples"
MOST_S = 1800.0
"""Seconds of sound beside one page: about 35 MB, and few enough to be rendered in this process."""
UNREACHED = "Sound is missing here: the corpus could not be reached when this page was written."
UNRENDERED = "Sound is missing here: the recordings could not be rendered again when this page was written."

logger = logging.getLogger(__name__)
Key = tuple[str, str]
"""(utterance_id, condition)"""


@dataclass(frozen=True, slots=True)
class Clips:
    """``names``: the file of each trial that can be heard, relative to the run folder; ``files``: those made now."""

    names: Mapping[Key, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: Sequence[str] = ()


def withheld(corpus: CorpusRecord, utterances: pd.DataFrame) -> str:
    """Return why recordings of this corpus must not lie beside a page; empty where they may."""
    synthetic = len(utterances) > 0 and bool(utterances["synthetic"].all())
    if corpus.redistribute_audio or (corpus.redistribute_audio is None and synthetic):
        return ""
    if corpus.redistribute_audio is None:
        return "No sound is here: the corpus does not say that its recordings may be passed on."
    return "No sound is here: the recordings must not be passed on."


def worst(scores: pd.DataFrame, per_cell: int, reference_condition: str) -> list[Key]:
    """Return the trials to hear: of every cell those with the most errors, each with its utterance's reference.

    The worst of every cell come first, then every cell's second; fewer words, then names, decide among equals.

    Args:
        scores: of one backend under one normalizer.
        per_cell: trials of an accent under a condition.
        reference_condition: what else is heard of each utterance, where it was scored.
    """
    table = scores.assign(
        errors=scores["substitutions"] + scores["deletions"] + scores["insertions"],
        words=scores["hits"] + scores["substitutions"] + scores["deletions"],
    )
    order = ["errors", "words", "utterance_id", "condition"]
    ranked = table[table["errors"] > 0].sort_values(order, ascending=[False, True, True, True])
    ranked = ranked.assign(place=ranked.groupby(["accent", "condition"]).cumcount())
    ranked = ranked[ranked["place"] < per_cell].sort_values(["place", "accent", "condition"])
    scored = set(table.loc[table["condition"] == reference_condition, "utterance_id"])
    keys: dict[Key, None] = {}
    for utterance_id, condition in zip(ranked["utterance_id"], ranked["condition"], strict=True):
        keys[utterance_id, condition] = None
        if utterance_id in scored:
            keys[utterance_id, reference_condition] = None
    return list(keys)


def clip_examples(
    chosen: Sequence[Key],
    tables_of_run: Mapping[str, pd.DataFrame],
    renderer: Renderer | None,
    *,
    here: Container[str] = (),
) -> Clips:
    """Render the chosen trials as the recognizer heard them.

    A rendering that is not, to the sample, the one that was heard is left out and counted: the corpus or a library has
    changed since.

    Args:
        chosen: the most interesting first; those that come to more than ``MOST_S`` in all are left out.
        tables_of_run: utterances, trials and renderings.
        renderer: of the run; None where the corpus cannot be reached now.
        here: files of an earlier card that are whole; they are named after their samples, and not made again.
    """
    rows = _rows(chosen, tables_of_run)
    heard = dict(zip(*(tables_of_run["renderings"][name] for name in ("trial_key", "audio_sha256")), strict=True))
    fitting = _fitting([row for row in rows if row["trial_key"] in heard])
    names = {_key(row): _file_name(heard[row["trial_key"]]) for row in fitting}
    missing = [row for row in fitting if names[_key(row)] not in here]
    made, problems = _made(missing, heard, renderer)
    lost = {_key(row) for row in missing if names[_key(row)] not in made}
    return Clips({key: name for key, name in names.items() if key not in lost}, made, tuple(problems))


def _rows(chosen: Sequence[Key], tables_of_run: Mapping[str, pd.DataFrame]) -> list[Row]:
    place = {key: at for at, key in enumerate(chosen)}
    trials = tables_of_run["trials"]
    keys = zip(trials["utterance_id"], trials["condition"], strict=True)
    trials = trials[[key in place for key in keys]]
    merged = trials.merge(tables_of_run["utterances"], on="utterance_id", validate="many_to_one")
    return sorted(tables.rows(merged), key=lambda row: place[_key(row)])


def _fitting(rows: Sequence[Row]) -> list[Row]:
    """Return the first rows that last ``MOST_S`` together, trials of one utterance as neighbors."""
    lasted_s, kept = 0.0, []
    for row in rows:
        lasted_s += row["duration_s"] if row["duration_s"] > 0 else 0.0
        if lasted_s > MOST_S:
            break
        kept.append(row)
    return sorted(kept, key=_key)


def _key(row: Row) -> Key:
    return row["utterance_id"], row["condition"]


def _file_name(audio_sha256: str) -> str:
    # of no speaker and no utterance: a page's files tell no more than the page
    return f"{CLIP_FOLDER}/{audio_sha256[:16]}.flac"


def _made(
    rows: Sequence[Row], heard: Mapping[str, str], renderer: Renderer | None
) -> tuple[dict[str, bytes], list[str]]:
    """Return the clips by name, and in sentences what is not among them; all of them or none, if rendering fails."""
    made: dict[str, bytes] = {}
    unreadable = other = 0
    if not rows:
        return made, []
    if renderer is None:
        return made, [UNREACHED]
    try:
        for row, outcome in _renderings(rows, renderer):
            if isinstance(outcome, Failure):
                unreadable += 1
            elif outcome.realised.audio_sha256 != heard[row["trial_key"]]:
                other += 1
            else:
                made[_file_name(outcome.realised.audio_sha256)] = _flac(outcome.samples)
    except (StudyError, ConditionError) as error:
        logger.warning("%s: %s", NAME, error)
        return {}, [UNRENDERED]
    notes = []
    if unreadable:
        notes.append(f"{count(unreadable, 'rendering')} cannot be played: the recordings could not be read any more.")
    if other:
        notes.append(
            f"{count(other, 'rendering')} cannot be played: made again, this was not, sample by sample, what was heard."
        )
    return made, notes


def _renderings(rows: Sequence[Row], renderer: Renderer) -> Iterator[tuple[Row, Rendering | Failure]]:
    with renderer.renderings(rows, ahead=1) as made, track("rendering clips", len(rows), logger) as advance:
        for row, outcome in made:
            yield row, outcome
            advance()
            interruption.heed()


def _flac(samples: NDArray[np.int16]) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
