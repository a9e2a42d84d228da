"""Where figures stand in the card, and what is said under them: what, of how many, and what the intervals are.

A figure without data, or that the study leaves out (``card.figures``), has no place.
"""

from collections.abc import Callable

from pipeline.card.degradation_plot import MOST_LINES
from pipeline.card.evidence import Evidence
from pipeline.card.folding import some_named
from pipeline.card.model import FigureSlot
from pipeline.card.speaker_plot import MOST_DOTS
from pipeline.card.wording import SYNTHETIC, count, label
from pipeline.tables import POOLED


def figure_slots(evidence: Evidence, name: str) -> list[FigureSlot]:
    """Return the place of one figure, or nothing."""
    chosen = evidence.view.source.settings.figures
    wanted = chosen == "all" or (chosen != "none" and name in chosen)
    drawn = _DRAWN[name](evidence) if wanted else set()
    if not drawn:
        return []
    flag = f" {SYNTHETIC.capitalize()}." if evidence.view.synthetic else ""
    return [FigureSlot(name=name, caption=f"{_CAPTIONS[name](evidence)}{_left_out(evidence, name, drawn)}{flag}")]


def _behind(evidence: Evidence) -> str:
    """Return the speakers and words of the whole study under its first condition, which every figure rests on."""
    pooled = [evidence.cell(POOLED, condition) for condition in evidence.view.conditions]
    found = [cell for cell in pooled if cell is not None and cell.wer is not None]
    if not found:
        return f"{count(len(evidence.view.accents), 'group')}"
    most = max(found, key=lambda cell: (cell.n_speakers, cell.n_ref_words))
    in_all = evidence.stands_on(most.n_speakers, most.n_ref_words)
    return f"{count(len(evidence.view.accents), 'group')}; {in_all} in all under {label(most.key.condition)}"


def _pointwise(evidence: Evidence) -> str:
    unit = "speakers" if evidence.view.speakers_known else "utterances"
    return f"{evidence.level} intervals, each on its own, from leaving out {unit} one at a time"


def _heat_map(evidence: Evidence) -> str:
    return f"WER by group and condition ({_behind(evidence)}), with {_pointwise(evidence)}."


def _gaps(evidence: Evidence) -> str:
    reference = any(item.statistic == "gap_to_reference" for item in evidence.numbers.disparities)
    against = label(evidence.numbers.rules.reference_accent) if reference else "all other groups"
    return (
        f"Each ranked group's WER less that of {against} ({_behind(evidence)}), with {_pointwise(evidence)}. Below "
        "them the naive gap (highest minus lowest), for which no interval exists, on a bar from 0 to what chance alone "
        "exceeds once in 20 times, with a tick at what it gives on average; and the model gap with its interval, "
        "which is never 0."
    )


def _degradation(evidence: Evidence) -> str:
    text = f"WER of each group under each condition ({_behind(evidence)}), with {_pointwise(evidence)}."
    many = len(evidence.view.accents) > MOST_LINES
    if many:
        text += " The dashed line is all groups pooled."
    if not evidence.numbers.rungs:
        return text
    shifts = [item for item in evidence.numbers.snr_shifts if item.shift_db is not None]
    told = (
        " Beside it, the same gap in dB: by how much weaker the noise must be for a group to have the WER of the mean "
        "of the others."
    )
    ladders = "" if many else " One noise at several SNRs is drawn over the SNR asked for."
    return f"{text}{ladders}{told if shifts else ''}"


def _error_kinds(evidence: Evidence) -> str:
    return (
        "Substitutions, deletions and insertions per 100 reference words, counts of each group pooled "
        f"({_behind(evidence)}); no intervals. The length of a bar is the WER."
    )


def _interaction(evidence: Evidence) -> str:
    return (
        f"Harm ratio of each group under each condition: by how much more its errors are multiplied, from "
        f"{label(evidence.view.reference)}, than those of the other groups; 1 is in proportion ({_behind(evidence)}). "
        f"Lines are {evidence.level} intervals, each on its own, from the scatter of that factor between "
        "speakers. Filled and dark: shown after adjustment for all cells. Hollow and gray: "
        "not shown, which is not evidence that there is none."
    )


def _speakers(evidence: Evidence) -> str:
    dots = sum(item.n_speakers for item in evidence.numbers.speakers)
    what = "A dot is one speaker, larger with more words; its height within the row says nothing."
    if dots > MOST_DOTS:
        what = f"{dots:,} dots would be too many: a box holds the middle half of the speakers, its line the middle 80%."
    return (
        f"WER of each speaker, who are not named ({_behind(evidence)}). {what} Bars mark the group's pooled WER, with "
        f"{_pointwise(evidence)}."
    )


_CAPTIONS: dict[str, Callable[[Evidence], str]] = {
    "wer_heat_map": _heat_map,
    "gaps": _gaps,
    "degradation": _degradation,
    "error_kinds": _error_kinds,
    "interaction": _interaction,
    "speakers": _speakers,
}


def _scored(evidence: Evidence) -> set[str]:
    cells = (
        (accent, evidence.cell(accent, name)) for accent in evidence.view.accents for name in evidence.view.conditions
    )
    return {accent for accent, cell in cells if cell is not None and cell.wer is not None}


def _with_gap(evidence: Evidence) -> set[str]:
    return {
        item.key.accent
        for item in evidence.numbers.disparities
        if item.value is not None and item.key.accent and item.key.normalizer == evidence.view.main
        and item.statistic in ("gap_to_reference", "gap_to_rest")
    }  # fmt: skip


def _with_interaction(evidence: Evidence) -> set[str]:
    return {
        item.key.accent
        for item in evidence.numbers.interactions
        if item.ratio is not None and item.key.accent and item.key.normalizer == evidence.view.main
    }


def _with_speakers(evidence: Evidence) -> set[str]:
    return {item.key.accent for item in evidence.numbers.speakers}


_DRAWN: dict[str, Callable[[Evidence], set[str]]] = {
    "wer_heat_map": _scored,
    "gaps": _with_gap,
    "degradation": _scored,
    "error_kinds": _scored,
    "interaction": _with_interaction,
    "speakers": _with_speakers,
}
"""The groups in each figure; without any it is not drawn."""
_ALL_STAND_IN = ("wer_heat_map",)
"""Figures that print of a group without data that there is none."""


def _left_out(evidence: Evidence, name: str, drawn: set[str]) -> str:
    """Return a sentence that names the groups that are not in a figure, so that none is missed silently."""
    if name in _ALL_STAND_IN:
        return ""
    reference = evidence.numbers.rules.reference_accent if name == "gaps" else ""
    names = [label(accent) for accent in evidence.view.accents if accent not in drawn and accent != reference]
    return f" Not in the figure, for lack of data: {some_named(names, separator=', ')}." if names else ""
