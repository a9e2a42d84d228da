"""What the study could have seen: detectable ratios between groups, and shifts in dB along a ladder of SNRs."""

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.model import Block, Heading, Row, Sentence, TableCell
from pipeline.card.power_measures import SnrShift
from pipeline.card.wording import NOT_EVALUATED, between, label, percent, rounded_up

SHIFT = (
    "A shift of +4 dB means that the noise must be 4 dB weaker for this group to have the WER that the mean of the "
    "other groups has; read where the two curves of WER over SNR pass through the same WERs. Intervals are pointwise; "
    "one that holds 0 does not show that there is no shift."
)


def detectable_text(evidence: Evidence) -> str | None:
    """Return, for each condition, which ratio would have been shown; None where nothing could be."""
    items = [item for item in evidence.numbers.detectable if item.key.normalizer == evidence.view.main]
    parts = []
    for condition in evidence.view.conditions:
        here = [item for item in items if item.key.condition == condition and item.detectable_ratio is not None]
        if here:
            alone = _spread([item.detectable_ratio for item in here])
            family = _spread([item.detectable_ratio_holm for item in here])
            parts.append(f"under {label(condition)} {alone} ({family} corrected for {here[0].n_cells} cells)")
    if not parts:
        return None
    return (
        f"WER of one group over that of {_against(evidence)} that four of five studies with speakers as scattered as "
        f"these would have shown, smallest to largest over groups: {'; '.join(parts)}. "
        "Smaller ratios may be there unseen"
    )


def _against(evidence: Evidence) -> str:
    named = [item.against for item in evidence.numbers.detectable if item.against]
    return label(named[0]) if named else "the others"


def _spread(ratios: list[float | None]) -> str:
    known = sorted(ratio for ratio in ratios if ratio is not None)
    if not known:
        return "none that can be computed"
    ends = dict.fromkeys((rounded_up(known[0]), rounded_up(known[-1])))
    return " to ".join(ends)


def shift_blocks(evidence: Evidence) -> list[Block]:
    """Return the shifts in dB of every ladder of SNRs, or a sentence that there was none."""
    items = [item for item in evidence.numbers.snr_shifts if item.key.normalizer == evidence.view.main]
    heading = Heading(text="How many dB is a group behind?")
    ladders = {item.noise: item for item in items if item.n_snrs >= 3}
    if not ladders:
        text = f"{NOT_EVALUATED} (no noise was run at three SNRs or more; conditions=[clean,babble_ladder] does so)."
        return [heading, Sentence(text=text)]
    found = {(item.key.accent, item.noise): item for item in items}
    rows = [
        Row(head=accent_name(accent), cells=[_cell(evidence, found.get((accent, noise))) for noise in ladders])
        for accent in evidence.view.accents
    ]
    columns = [f"{label(noise)}, {one.snr_low_db:g} to {one.snr_high_db:g} dB" for noise, one in ladders.items()]
    caption = (
        f"Shift of each group against the mean of the others at equal WER, in dB of SNR, {evidence.level} intervals"
    )
    told = [Sentence(text=SHIFT)] if any(item.shift_db is not None for item in items) else []
    return [heading, evidence.table(caption, ["Group", *columns], rows), *told]


def _cell(evidence: Evidence, item: SnrShift | None) -> TableCell:
    if item is None:
        return TableCell(lines=[NOT_EVALUATED])
    behind = evidence.stands_on(item.n_speakers, item.n_ref_words)
    if item.shift_db is None:
        return TableCell(lines=[item.note, behind], key=item.key)
    bounds = between(item.ci_low_db, item.ci_high_db, scale=1, sign="+") or f"({item.note})"
    band = f"WER {percent(item.wer_low)} to {percent(item.wer_high)}"
    return TableCell(lines=[f"{item.shift_db:+.1f} dB {bounds}", band, behind], key=item.key)
