"""Corpus to audit: what the data can and cannot show, before anything is transcribed; hears nothing.

In: utterances, or what a corpus lists of them, with the acoustics of their recordings where there are any, and what
the corpus could not use. Out: the tables of ``audit_tables``. Excludes nothing.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.audit_tables import Audit, AuditDuplicates, AuditLost, AuditSpeakers, AuditTexts
from pipeline.corpora.base import VOICE, present
from pipeline.errors import ConfigError
from pipeline.records import Reason
from pipeline.stats.audit_coverage import coverage
from pipeline.stats.confounds import confounds
from pipeline.stats.settings import StatsSettings
from pipeline.stats.speaker_units import units
from pipeline.tables import ATTRIBUTE_PREFIX, POOLED
from pipeline.text.difficulty import collect, difficulty
from pipeline.text.near_duplicates import near_duplicates
from pipeline.text.pairs import Texts

NAME = "audit"
FIRST = 5
"""Utterances that a row of duplicates names."""
SOUND = {
    "snr_estimated_db": "estimated SNR",
    "noise_floor_dbov": "noise floor",
    "active_level_dbov": "speech level",
    "bandwidth_hz": "bandwidth",
    "activity": "share of active speech",
    "speech_rate_words_per_s": "speech rate",
}
"""Measures of the recordings, by the names that the audit gives them."""
FORMAT = "file format"
TAKEN = (
    "accent",
    "speaker_id",
    "reference",
    "utterance_id",
    "audio_sha256",
    "duration_s",
    "normalized",
    "words",
    "value",
)
"""Columns that no attribute may hide; one of such a name keeps its prefix."""
DURATION, LENGTH = "duration of a recording", "words an utterance"


def audit(
    utterances: pd.DataFrame,
    acoustics: pd.DataFrame,
    exclusions: pd.DataFrame,
    normalize: Callable[[str], str],
    *,
    settings: StatsSettings,
    near_text: float = 90.0,
    known_words: Collection[str] | None = None,
) -> Audit:
    """Return what is found in utterances (``tables.Utterances``, or the columns of ``tables.Listing``).

    ``acoustics`` may be empty; ``exclusions`` are those of the corpus.
    """
    return audit_prepared(
        *prepared(utterances, normalize),
        acoustics,
        exclusions,
        settings=settings,
        near_text=near_text,
        known_words=known_words,
    )


def audit_prepared(
    table: pd.DataFrame,
    attributes: Sequence[str],
    acoustics: pd.DataFrame,
    exclusions: pd.DataFrame,
    *,
    settings: StatsSettings,
    near_text: float,
    known_words: Collection[str] | None,
) -> Audit:
    """Return what is found in ``prepared`` utterances."""
    texts = difficulty(
        collect(zip(table["accent"], table["reference"], table["normalized"], strict=True)),
        pooled=POOLED,
        known=known_words,
    )
    measured, measures = _measured(table, acoustics)
    found = units(measured, [*attributes, *([FORMAT] if FORMAT in measured else [])], measures)
    associations, groups = confounds(found, confidence=settings.confidence, seed=settings.seed)
    return Audit(
        coverage=coverage(table, attributes),
        associations=associations,
        groups=groups,
        duplicates=_duplicates(table, near_text),
        speakers=_in_two_accents(table),
        texts=tables.build(texts, AuditTexts, where=NAME),
        lost=_lost(exclusions),
    )


def prepared(utterances: pd.DataFrame, normalize: Callable[[str], str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the utterances with ``normalized``, ``words`` and each attribute under its own name; and those names.

    A voice is no attribute: it ties recordings together and describes nobody.
    """
    kept = [str(name) for name in utterances.columns if str(name).startswith(ATTRIBUTE_PREFIX) and name != VOICE]
    names = {column: column.removeprefix(ATTRIBUTE_PREFIX) for column in kept}
    taken = {*TAKEN, *SOUND.values(), FORMAT, DURATION, LENGTH}
    names = {column: name if name not in taken else column for column, name in names.items()}
    texts = Texts.of(utterances["reference"]).normalized(normalize)
    words = np.array([len(text.split()) for text in texts.distinct], dtype=np.int64)
    fixed = ["utterance_id", "speaker_id", "accent", "reference"]
    table = utterances[[*fixed, *kept]].rename(columns=names)
    absent = pd.Series(np.nan, index=utterances.index)
    return table.assign(
        normalized=texts.column().set_axis(utterances.index),
        words=words[texts.places],
        duration_s=utterances.get("duration_s", absent),
        audio_sha256=utterances.get("audio_sha256", absent.astype("str")),
    ), sorted(names.values())


def read_words(path: Path | None, normalize: Callable[[str], str]) -> frozenset[str] | None:
    """Return the words of a list, normalized: the first field of each line; None without a list.

    Raises:
        ConfigError: if the file cannot be read or holds no word.
    """
    if path is None:
        return None
    try:
        lines = path.expanduser().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"audit.word_list: {path} cannot be read ({error}). Name a text file, or null.") from None
    words = {word for line in lines if line.split() for word in normalize(line.split()[0]).split()}
    if not words:
        raise ConfigError(f"audit.word_list: {path} holds no word. It needs one a line, in the first field.")
    return frozenset(words)


def _measured(table: pd.DataFrame, acoustics: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the utterances with their measures, under the names that people read, and those names."""
    found = table.assign(**{DURATION: table["duration_s"].astype("float64"), LENGTH: table["words"].astype("float64")})
    if not acoustics.empty:
        sound = acoustics[["utterance_id", *SOUND]].rename(columns=SOUND)
        coding = acoustics["codec"].str.split("/").str[-1]
        rate = (acoustics["sample_rate_hz"] / 1000).map("{:g} kHz ".format)
        found = found.merge(sound.assign(**{FORMAT: rate + coding}), on="utterance_id", how="left")
    names = [name for name in (LENGTH, DURATION, *SOUND.values()) if name in found and found[name].notna().any()]
    return found, names


@dataclass(slots=True)
class _Who:
    """The utterances of one recording or text."""

    ids: list[str] = field(default_factory=list)
    speakers: set[tuple[str, str]] = field(default_factory=set)
    accents: set[str] = field(default_factory=set)


def _duplicates(table: pd.DataFrame, near_text: float) -> pd.DataFrame:
    hashed = table[table["audio_sha256"].notna()]
    repeated = _who(hashed[hashed.duplicated("audio_sha256", keep=False)], "audio_sha256")
    rows = [_duplicate("same_audio", 100.0, [own]) for _, own in sorted(repeated.items())]
    texts = sorted(table["normalized"].unique())
    pairs = near_duplicates(texts, similarity=near_text)
    concerned = {texts[at] for pair in pairs for at in pair[:2]}
    by_text = _who(table[table["normalized"].isin(concerned)], "normalized")
    near = [
        _duplicate("near_text", min(alike, 100.0), [by_text[texts[one]], by_text[texts[other]]])
        for one, other, alike in pairs
    ]
    rows += sorted(near, key=lambda row: (-row["similarity"], row["utterance_ids"]))
    return tables.build(rows, AuditDuplicates, where=NAME)


def _who(table: pd.DataFrame, column: str) -> dict[str, _Who]:
    found: dict[str, _Who] = defaultdict(_Who)
    for key, utterance, accent, speaker in zip(
        table[column], table["utterance_id"], table["accent"], table["speaker_id"], strict=True
    ):
        own = found[key]
        own.ids.append(utterance)
        own.accents.add(accent)
        if present(speaker):
            own.speakers.add((accent, speaker))
    return found


def _duplicate(kind: str, similarity: float, parts: Sequence[_Who]) -> dict[str, Any]:
    ids = sorted(name for part in parts for name in part.ids)
    return {
        "kind": kind,
        "similarity": similarity,
        "n_utterances": len(ids),
        "n_speakers": len(set().union(*(part.speakers for part in parts))),
        "n_accents": len(set().union(*(part.accents for part in parts))),
        "utterance_ids": json.dumps(ids[:FIRST], ensure_ascii=False),
    }


def _in_two_accents(table: pd.DataFrame) -> pd.DataFrame:
    named = table[table["speaker_id"].notna()]
    counts = named.groupby("speaker_id", sort=True)["accent"].nunique()
    several = named[named["speaker_id"].isin(counts[counts > 1].index)]
    rows = []
    for speaker, own in several.groupby("speaker_id", sort=True):
        accents = {str(accent): int(n) for accent, n in own.groupby("accent", sort=True).size().items()}
        told = json.dumps(accents, ensure_ascii=False)
        rows.append({"speaker_id": str(speaker), "accents": told, "n_accents": len(accents), "n_utterances": len(own)})
    return tables.build(rows, AuditSpeakers, where=NAME)


def _lost(exclusions: pd.DataFrame) -> pd.DataFrame:
    rows = []
    ordered = exclusions.sort_values(["reason", "detail", "utterance_id"], kind="stable")
    for reason, own in ordered.groupby("reason", sort=True):
        if reason == Reason.UNKNOWN_ACCENT:
            labels = own.groupby("detail", sort=True).size()
            rows += [{"reason": str(reason), "detail": str(detail), "rows": int(n)} for detail, n in labels.items()]
        else:
            rows.append({"reason": str(reason), "detail": own.iloc[0]["detail"], "rows": len(own)})
    return tables.build(rows, AuditLost, where=NAME)
