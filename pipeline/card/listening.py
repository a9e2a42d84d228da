"""The listening page: utterances across, conditions down, and what was measured of every rendering.

Every text from outside is ``Shown``, so it can hide and reorder nothing, and the template escapes by default. The
page needs no network and no script; its audio lies beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from augment.chain import Condition
from pipeline.artifacts import CorpusRecord
from pipeline.card.keys import Frozen
from pipeline.card.render import environment_for_html
from pipeline.card.step_words import in_words
from pipeline.card.wording import SYNTHETIC, Shown, count

PAGE = "index.html"
AUDIO_FOLDER = "audio"

_WORDS = {
    "snr_a_db": "SNR {:.1f} dB(A)",
    "active_level_out_dbov": "active level {:.1f} dBov",
    "rt60_s": "RT60 {:.2f} s",
    "drr_db": "DRR {:.1f} dB",
    "loss_share": "lost {:.1%}",
    "longest_loss_s": "longest loss {:.2f} s",
    "overload_share": "cut off {:.1%}",
    "clipped_share": "clipped {:.2%}",
}
"""Realised values a listener can use, and their words."""


HOW_TO_LISTEN = (
    "Listen with headphones and leave the volume where it is: the speech is set to one active level before the "
    "condition, and nothing is normalized afterwards. Utterances of one slot meet the same realization of a noise, a "
    "handset, a room and a loss."
)


class Heard(Frozen):
    """One utterance under one condition: where its audio lies, or why there is none."""

    file: str | None = None
    """relative to the page; made of numbers and condition names only"""
    values: tuple[Shown, ...] = ()
    problem: Shown | None = None


class HeardUtterance(Frozen):
    """One utterance: a column of the table."""

    number: int
    accent: Shown
    reference: Shown
    utterance_id: Shown
    slot: int | None
    """which realization of each noise it meets; None where it was planned under no condition"""


class HeardCondition(Frozen):
    """One condition: a row of the table."""

    name: Shown
    version: int
    family: str
    description: Shown
    steps: list[Shown]
    sources: list[Shown]
    cells: list[Heard]
    """one an utterance, in their order"""


class ListeningPage(Frozen):
    """Everything on the page."""

    run_name: Shown
    notes: list[Shown]
    warning: Shown
    """what to keep in mind before the page is passed on"""
    caption: Shown
    utterances: list[HeardUtterance]
    conditions: list[HeardCondition]


def page(
    chosen: Sequence[Mapping[str, Any]],
    conditions: Sequence[Condition],
    heard: Mapping[tuple[str, str], Heard],
    slots: Mapping[str, int],
    corpus: CorpusRecord,
    run_name: str,
) -> ListeningPage:
    """Return the page of ``heard``, by utterance and condition.

    Args:
        chosen: rows of Utterances, in the order of the columns.
        conditions: in the order of the rows.
        heard: every rendering, or why there is none.
        slots: of the utterances that were planned under any condition.
        corpus: what the speech is and what may be done with it.
        run_name: the name of the folder.
    """
    ids = [str(row["utterance_id"]) for row in chosen]
    utterances = [
        HeardUtterance(
            number=number, accent=row["accent"], reference=row["reference"], utterance_id=name, slot=slots.get(name)
        )
        for number, (row, name) in enumerate(zip(chosen, ids, strict=True), start=1)
    ]
    rows = [_row(condition, [heard[name, condition.name] for name in ids]) for condition in conditions]
    notes = [*_corpus_notes(corpus), HOW_TO_LISTEN]
    size = f"{count(len(utterances), 'utterance')} under {count(len(rows), 'condition')}"
    return ListeningPage(
        run_name=run_name,
        notes=notes,
        warning=_corpus_warning(corpus),
        caption=f"{size}; below each recording, what was measured of it",
        utterances=utterances,
        conditions=rows,
    )


def html(content: ListeningPage) -> str:
    """Return the page as HTML; it names its audio by relative paths."""
    return environment_for_html().get_template("listening.html.j2").render(page=content)


def values(realised: Mapping[str, Any]) -> list[str]:
    """Return what was measured of one rendering, in words; what a condition does not touch is left out."""
    return [words.format(realised[name]) for name, words in _WORDS.items() if realised.get(name) is not None]


def _row(condition: Condition, cells: list[Heard]) -> HeardCondition:
    settings = condition.settings
    return HeardCondition(
        name=condition.name,
        version=settings.version,
        family=settings.family,
        description=settings.description,
        steps=[in_words(step) for step in condition.parameters],
        sources=settings.sources,
        cells=cells,
    )


def _corpus_notes(corpus: CorpusRecord) -> list[str]:
    said = f": {corpus.description}" if corpus.description else ""
    notes = [f"Speech from {corpus.name}{said}".rstrip(".") + "."]
    return [*notes, f"{SYNTHETIC[0].upper()}{SYNTHETIC[1:]}."] if corpus.synthetic else notes


def _corpus_warning(corpus: CorpusRecord) -> str:
    licence = f"License of the corpus: {corpus.licence}." if corpus.licence else "The corpus names no license."
    if corpus.redistribute_audio is False:
        return f"Keep this page to yourself: the recordings on it must not be passed on, in no rendering. {licence}"
    if not corpus.redistribute_text:
        return f"Keep this page to yourself: the corpus does not say that its texts may be passed on. {licence}"
    if corpus.synthetic:
        return licence
    return f"{licence} Before you pass this page on, check that the license covers the voices on it too."
