"""The part of section 4 that says how the recordings sounded as they came, and where groups start from elsewhere."""

from collections import defaultdict

from pipeline.card.acoustic_measures import Sound, SoundFormat, StartingPoint
from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.model import Block, Heading, Listing, Row, Sentence, TableCell
from pipeline.card.sound import (
    ACTIVITY_APART,
    BANDWIDTH_RATIO,
    FEWEST,
    LOWEST_SNR_DB,
    SHARE_APART,
    SNR_APART_DB,
    SNR_CEILING_DB,
)
from pipeline.card.wording import NOT_EVALUATED, label, listed, percent

TITLE = "Sound of the recordings as they came"
CAPTION = (
    f"{TITLE}: medians over the recordings of each group, before any condition (level and activity by ITU-T P.56; "
    "noise floor, SNR and bandwidth estimated)"
)
COLUMNS = ("Group", "Speech", "Noise (estimated)", "Bandwidth", "Clipped", "Came as", "Behind it")
LIMITS = (
    f"Groups are said to start from different points where their medians lie more than {SNR_APART_DB:g} dB of "
    f"estimated SNR (above {SNR_CEILING_DB:g} dB counts as equal), a factor of {BANDWIDTH_RATIO:g} of bandwidth or "
    f"{100 * ACTIVITY_APART:g} points of activity apart, or where the shares of one format or of clipped recordings "
    f"differ by more than {100 * SHARE_APART:g} points; and where an estimated SNR is below {LOWEST_SNR_DB:g} dB. "
    f"Groups with fewer than {FEWEST} measured recordings are not compared."
)
IN_SHORT = {
    "snr_too_low": "noise",
    "snr_apart": "noise",
    "bandwidth_apart": "bandwidth",
    "activity_apart": "pauses",
    "clipping_apart": "clipping",
    "format_apart": "format",
}


def recordings(evidence: Evidence) -> list[Block]:
    """Return the table of the recordings' sound, the limits, and a warning for every limit that is passed."""
    sounds = evidence.numbers.sounds
    if not any(item.n_utterances for item in sounds):
        return [Sentence(text=f"{TITLE}: {NOT_EVALUATED}")]
    came_as: dict[str, list[SoundFormat]] = defaultdict(list)
    for item in evidence.numbers.sound_formats:
        came_as[item.key.accent].append(item)
    rows = [
        Row(head=accent_name(item.key.accent), cells=_cells(evidence, item, came_as[item.key.accent]))
        for item in sounds
    ]
    blocks: list[Block] = [Heading(text=TITLE), evidence.table(CAPTION, COLUMNS, rows), Sentence(text=LIMITS)]
    points = evidence.numbers.starting_points
    if not points:
        return [*blocks, Sentence(text="No limit is passed: the conditions start from much the same recordings.")]
    warning = "The conditions start from different points: part of a difference between groups may be the recordings'."
    items = [Sentence(text=_in_words(point), key=point.key) for point in points]
    return [*blocks, Sentence(text=warning, warning=True), Listing(items=items)]


def short_warning(evidence: Evidence) -> list[Sentence]:
    """Return one sentence for the summary, or none where no limit is passed."""
    named = dict.fromkeys(IN_SHORT[point.what] for point in evidence.numbers.starting_points)
    if not named:
        return []
    text = (
        f"The recordings differ between groups, or are noisy, before any condition ({listed(named)}): the conditions "
        "start from different points. Evaluation data says by how much."
    )
    return [Sentence(text=text, warning=True)]


def _cells(evidence: Evidence, item: Sound, came_as: list[SoundFormat]) -> list[TableCell]:
    measured = [evidence.stands_on(item.n_speakers, item.n_ref_words), f"{item.n_measured:,} of {item.n_utterances:,}"]
    bandwidth = None if item.bandwidth_median_hz is None else item.bandwidth_median_hz / 1000
    texts = [
        _speech(item),
        [
            *_valued("SNR {:.1f} dB", item.snr_estimated_median_db),
            *_valued("{:.1f} dBov", item.noise_floor_median_dbov),
        ],
        _valued("{:.1f} kHz", bandwidth),
        _clipped(item),
        [_came_as(part) for part in came_as],
        measured,
    ]
    return [TableCell(lines=lines or [NOT_EVALUATED], key=item.key) for lines in texts]


def _speech(item: Sound) -> list[str]:
    active = None if item.activity_median is None else 100 * item.activity_median
    return [
        *_valued("{:.1f} dBov", item.active_level_median_dbov),
        *_valued("active {:.1f}% of the time", active),
        *_valued("{:.1f} words/s", item.speech_rate_median_words_per_s),
    ]


def _clipped(item: Sound) -> list[str]:
    if item.clipped_recordings_share is None or not item.clipped_share_max:
        return _valued("{:.1f}% of recordings", item.clipped_recordings_share)
    worst = f"at most {100 * item.clipped_share_max:.2f}% of samples"
    return [f"{percent(item.clipped_recordings_share)} of recordings", worst]


def _valued(shape: str, value: float | None) -> list[str]:
    return [] if value is None else [shape.format(value)]


def _came_as(item: SoundFormat) -> str:
    return f"{_format(item.sample_rate_hz, item.coding)}: {item.n_utterances:,}"


def _format(sample_rate_hz: int, coding: str) -> str:
    return f"{sample_rate_hz / 1000:g} kHz {coding.replace('_', ' ')}"


def _in_words(point: StartingPoint) -> str:
    low, high = label(point.lowest), label(point.highest)
    if point.what == "snr_too_low":
        return (
            f"Noise: the median estimated SNR of {low} is {point.lowest_value:.1f} dB, below {point.limit:g} dB. There "
            "the speech level reads too low, and a condition's noise comes on top of noise that counts."
        )
    if point.what == "snr_apart":
        values = f"from {point.lowest_value:.1f} dB ({low}) to {point.highest_value:.1f} dB ({high})"
        return f"Noise: median estimated SNR {values}. What a condition adds comes on top of more in {low}."
    if point.what == "bandwidth_apart":
        values = f"from {point.lowest_value / 1000:.1f} kHz ({low}) to {point.highest_value / 1000:.1f} kHz ({high})"
        return f"Bandwidth: median {values}. A telephone band takes less from {low}, which has lost part of it already."
    if point.what == "activity_apart":
        values = f"from {percent(point.lowest_value)} ({low}) to {percent(point.highest_value)} ({high})"
        return f"Pauses: median activity {values}. {low} gives a recognizer more time without speech to misread."
    if point.what == "clipping_apart":
        values = f"from {percent(point.lowest_value)} ({low}) to {percent(point.highest_value)} ({high})"
        return f"Clipping: recordings that are cut off at full scale {values}. No condition can undo that."
    values = f"{percent(point.highest_value)} of the recordings of {high}, {percent(point.lowest_value)} of {low}"
    return f"Format: {_format(point.sample_rate_hz or 0, point.coding or '')} holds {values}."
