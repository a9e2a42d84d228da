"""How the recordings of each group sounded as they came, and where the groups differ before any condition.

A condition that starts from noisier, narrower or clipped recordings for one group than for another does not do
the same to both. The limits below say from where on that is said on the card.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from pipeline.card.acoustic_measures import Sound, SoundFormat, StartingPoint
from pipeline.card.keys import Key
from pipeline.card.view import View
from pipeline.tables import rows

FEWEST: Final = 5
"""Recordings with active speech that a group needs to be compared: the median of fewer is luck."""

LOWEST_SNR_DB: Final = 20.0
"""Noise above this distance below the speech makes ITU-T P.56 read the speech too low (0.5 dB at 15 dB, 1.4 dB at
10 dB), and is no longer small against the noise that a condition adds."""

SNR_APART_DB: Final = 6.0
"""More than a step of a ladder of conditions (20, 15, 10, 5 dB): what one adds, a group may have brought along."""

SNR_CEILING_DB: Final = 40.0
"""Estimates above it count as equal: such noise adds less than 0.05 dB to that of a condition at 20 dB."""

BANDWIDTH_RATIO: Final = 1.3
"""Groups recorded in one way lie closer together (eight dialect groups of one corpus: within 1.24); a telephone
band puts the roll-off of speech lower by more."""

ACTIVITY_APART: Final = 0.15
"""So much more pause is so much more time in which a recognizer hears no speech, and moves a level taken over the
whole recording by about 0.8 dB."""

SHARE_APART: Final = 0.25
"""Of the recordings, for formats and clipping: more than one in four is no stray file."""

METHOD: Final = "median over the group's recordings, at their own sample rate, before any condition"


@dataclass(frozen=True)
class Rule:
    """One value of a group's recordings, and when the lowest and the highest group are too far apart in it."""

    what: str
    limit: float
    value_of: Callable[[Sound], float | None]
    apart: Callable[[float, float], bool]


RULES: Final = (
    Rule(
        "snr_apart",
        SNR_APART_DB,
        lambda item: item.snr_estimated_median_db,
        lambda low, high: min(high, SNR_CEILING_DB) - min(low, SNR_CEILING_DB) > SNR_APART_DB,
    ),
    Rule(
        "bandwidth_apart",
        BANDWIDTH_RATIO,
        lambda item: item.bandwidth_median_hz,
        lambda low, high: high > BANDWIDTH_RATIO * low,
    ),
    Rule(
        "activity_apart",
        ACTIVITY_APART,
        lambda item: item.activity_median,
        lambda low, high: high - low > ACTIVITY_APART,
    ),
    Rule(
        "clipping_apart",
        SHARE_APART,
        lambda item: item.clipped_recordings_share,
        lambda low, high: high - low > SHARE_APART,
    ),
)


def sounds(view: View) -> list[Sound]:
    """Summarize the recordings of each group; a group without measured recordings is a row of nothing."""
    placed = _placed(view)
    return [_sound(accent, placed[placed["accent"] == accent]) for accent in view.accents]


def _placed(view: View) -> pd.DataFrame:
    utterances = view.source.utterances[["utterance_id", "accent", "speaker_id", "reference"]]
    return view.source.acoustics.merge(utterances, on="utterance_id")


def _sound(accent: str, group: pd.DataFrame) -> Sound:
    decoded, active = group[group["clipped_share"].notna()], group[group["active_level_dbov"].notna()]
    return Sound(
        key=Key(accent=accent),
        method=METHOD,
        n_utterances=len(group),
        n_measured=len(active),
        n_speakers=active["speaker_id"].nunique(),
        n_ref_words=sum(len(text.split()) for text in active["reference"]),
        active_level_median_dbov=float(active["active_level_dbov"].median()),
        activity_median=float(active["activity"].median()),
        noise_floor_median_dbov=float(active["noise_floor_dbov"].median()),
        snr_estimated_median_db=float(active["snr_estimated_db"].median()),
        bandwidth_median_hz=float(active["bandwidth_hz"].median()),
        speech_rate_median_words_per_s=float(active["speech_rate_words_per_s"].median()),
        clipped_recordings_share=float((decoded["clipped_share"] > 0).mean()),
        clipped_share_max=float(decoded["clipped_share"].max()),
    )


def formats(view: View) -> list[SoundFormat]:
    """Count the original sample rates and codings of each group, the most frequent first."""
    placed = _placed(view)
    # a container says nothing of the sound: WAV/PCM_16 and FLAC/PCM_16 hold the same
    known = placed[placed["codec"].notna()].assign(coding=lambda table: table["codec"].str.split("/").str[-1])
    counted = known.groupby(["accent", "sample_rate_hz", "coding"], sort=True).size().reset_index(name="rows")
    totals = known.groupby("accent").size().to_dict()
    found = [
        SoundFormat(
            key=Key(accent=row["accent"]),
            method="share of the group's recordings that could be read",
            sample_rate_hz=row["sample_rate_hz"],
            coding=row["coding"],
            n_utterances=row["rows"],
            share=row["rows"] / totals[row["accent"]],
        )
        for row in rows(counted)
    ]
    return sorted(found, key=lambda item: (view.accents.index(item.key.accent), -item.n_utterances))


def starting_points(sounds: Iterable[Sound], formats: Sequence[SoundFormat]) -> list[StartingPoint]:
    """Return every way in which the groups' recordings differ beyond the limits above, or are too noisy.

    Groups with fewer than ``FEWEST`` measured recordings are not compared.
    """
    compared = [item for item in sounds if item.n_measured >= FEWEST]
    found = []
    for item in compared:
        if item.snr_estimated_median_db is not None and item.snr_estimated_median_db < LOWEST_SNR_DB:
            found.append(_point("snr_too_low", LOWEST_SNR_DB, [(item.snr_estimated_median_db, item.key.accent)]))
    for rule in RULES:
        valued = [(value, item.key.accent) for item in compared if (value := rule.value_of(item)) is not None]
        if valued and rule.apart(min(valued)[0], max(valued)[0]):
            found.append(_point(rule.what, rule.limit, valued))
    return found + _format_points([item.key.accent for item in compared], formats)


def _format_points(accents: Sequence[str], formats: Sequence[SoundFormat]) -> list[StartingPoint]:
    shares = {(item.key.accent, item.sample_rate_hz, item.coding): item.share for item in formats}
    found = []
    for rate_hz, coding in sorted({(item.sample_rate_hz, item.coding) for item in formats}):
        valued = [(shares.get((accent, rate_hz, coding), 0.0), accent) for accent in accents]
        if valued and max(valued)[0] - min(valued)[0] > SHARE_APART:
            point = _point("format_apart", SHARE_APART, valued)
            found.append(point.model_copy(update={"sample_rate_hz": rate_hz, "coding": coding}))
    return found


def _point(what: str, limit: float, valued: Sequence[tuple[float, str]]) -> StartingPoint:
    (low, lowest), (high, highest) = min(valued), max(valued)
    return StartingPoint(
        key=Key(accent=lowest if len(valued) == 1 else ""),
        method=METHOD,
        what=what,
        limit=limit,
        lowest=lowest,
        lowest_value=low,
        highest=highest,
        highest_value=high,
    )
