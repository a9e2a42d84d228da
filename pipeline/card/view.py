"""What the card is given, and how it looks at it: one backend, one main normalizer, a fixed order of labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from pipeline.artifacts import RunRecord, unstated
from pipeline.audit_tables import Audit, empty
from pipeline.card.gate_settings import GateSettings
from pipeline.card.keys import Key
from pipeline.card.measures import Rules
from pipeline.card.publication import Publication
from pipeline.card.settings import CardSettings
from pipeline.tables import POOLED


@dataclass(frozen=True, eq=False)
class CardInput:
    """The run record and the tables of one run (schemas in ``pipeline.tables``); nothing is read from disk."""

    record: RunRecord
    settings: CardSettings
    utterances: pd.DataFrame
    acoustics: pd.DataFrame
    trials: pd.DataFrame
    renderings: pd.DataFrame
    transcripts: pd.DataFrame
    nonspeech: pd.DataFrame
    scores: pd.DataFrame
    cells: pd.DataFrame
    rates: pd.DataFrame
    disparities: pd.DataFrame
    interactions: pd.DataFrame
    variability: pd.DataFrame
    sensitivity: pd.DataFrame
    regressions: pd.DataFrame
    standings: pd.DataFrame
    detectable: pd.DataFrame
    snr_shifts: pd.DataFrame
    comparisons: pd.DataFrame
    adjusted: pd.DataFrame
    exclusions: pd.DataFrame
    intersections: pd.DataFrame
    publication: Publication = field(default=Publication(), kw_only=True)
    audit: Audit = field(default_factory=empty, kw_only=True)
    gate: GateSettings = field(default=GateSettings(), kw_only=True)
    clips: Mapping[tuple[str, str], str] = field(default_factory=dict, kw_only=True)
    """(utterance_id, condition) to the file of its sound, relative to the run folder"""
    clip_notes: Sequence[str] = field(default=(), kw_only=True)
    """why some or all of the sound is not there, in sentences"""
    ladders: Mapping[str, Mapping[str, float]] = field(default_factory=dict, kw_only=True)
    """noise -> condition -> the SNR in dB that it asks for"""
    hallucinations: pd.DataFrame
    candidates: pd.DataFrame
    terms: pd.DataFrame
    tag_errors: pd.DataFrame


@dataclass(frozen=True, eq=False)
class View:
    """One backend under one main normalizer, with every label in the order of the card."""

    source: CardInput
    backend: str
    main: str
    others: tuple[str, ...]
    accents: tuple[str, ...]
    conditions: tuple[str, ...]
    rules: Rules

    @property
    def reference(self) -> str:
        """The condition that the others are compared with, whether or not it was run."""
        return self.rules.reference_condition

    def key(self, *, accent: str = "", condition: str = "", normalizer: str | None = None) -> Key:
        """Return the key of a cell of this backend, under the main normalizer unless told."""
        chosen = self.main if normalizer is None else normalizer
        return Key(accent=accent, condition=condition, backend=self.backend, normalizer=chosen)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of this backend under the main normalizer, in a fixed order, with ``errors`` and ``ref_words``."""
        scores = self.source.scores
        chosen = scores[(scores["backend"] == self.backend) & (scores["normalizer"] == self.main)]
        return chosen.sort_values(["utterance_id", "condition"], ignore_index=True).assign(
            # speakers are nested in accents; an unknown one stays missing
            speaker_id=lambda table: table["accent"] + "/" + table["speaker_id"],
            errors=lambda table: table["substitutions"] + table["deletions"] + table["insertions"],
            ref_words=lambda table: table["hits"] + table["substitutions"] + table["deletions"],
        )

    @cached_property
    def counts(self) -> pd.DataFrame:
        """The scores without their texts, which are most of a large table."""
        return self.scores.drop(columns=["normalized_reference", "normalized_hypothesis"])

    @cached_property
    def synthetic(self) -> bool:
        """Whether any of the speech was made by a machine."""
        corpus = self.source.record.corpus
        return bool(self.source.utterances["synthetic"].any()) or (corpus is not None and corpus.synthetic)

    @cached_property
    def has_audio(self) -> bool:
        """Whether the corpus holds recordings, and not only texts."""
        audio = self.source.utterances["audio"]
        if not audio.empty:
            return bool((audio != "").any())
        corpus = self.source.record.config.get("corpus")  # every utterance may be suppressed
        return not (isinstance(corpus, Mapping) and corpus.get("kind") == "transcripts_only")

    @cached_property
    def n_speakers(self) -> dict[str, int]:
        """How many named speakers the study has of each accent, whether or not any of them was scored."""
        named = self.source.utterances.groupby("accent", sort=True)["speaker_id"].nunique()
        return {str(accent): int(number) for accent, number in named.items()}

    @cached_property
    def speakers_known(self) -> bool:
        """Whether every interval took the speaker, not the utterance, as independent."""
        return not (self.source.cells["unit"] == "utterance").any()

    @cached_property
    def unstated(self) -> str:
        """How labels came about that nobody stated (``inferred``, ``imputed``); empty where somebody did."""
        corpus = self.source.record.corpus
        said = {corpus.label_provenance if corpus else "", *self.source.utterances["label_provenance"].dropna()}
        return " and ".join(sorted({word for one in said if (word := unstated(one))}))

    @cached_property
    def may_show_text(self) -> bool:
        """Whether references and hypotheses may be printed."""
        corpus = self.source.record.corpus
        allowed = corpus is not None and corpus.redistribute_text
        all_synthetic = bool(self.source.utterances["synthetic"].all()) and len(self.source.utterances) > 0
        return self.source.settings.show_text and (allowed or all_synthetic)


def look(source: CardInput) -> View:
    """Choose backend, normalizers and orders: the study's own order where it has one, else alphabetical."""
    rules = _rules(source)
    backends = sorted(set(source.cells["backend"]))
    named = source.record.backend.name if source.record.backend is not None else ""
    backend = named if named in backends or not backends else backends[0]
    normalizers = sorted(set(source.cells.loc[source.cells["backend"] == backend, "normalizer"]))
    wanted = source.settings.main_normalizer
    main = wanted if wanted in normalizers or not normalizers else normalizers[0]
    return View(
        source=source,
        backend=backend,
        main=main,
        others=tuple(name for name in normalizers if name != main),
        accents=_accents(source, rules.reference_accent),
        conditions=_conditions(source, rules.reference_condition),
        rules=rules,
    )


def _rules(source: CardInput) -> Rules:
    stats: dict[str, Any] = source.record.config.get("stats") or {}
    return Rules(
        key=Key(),
        method="changed after results had been seen" if source.record.history else "fixed in the configuration",
        min_speakers=stats.get("min_speakers", 5),
        confidence=stats.get("confidence", 0.95),
        gap_limit=source.settings.gap_limit,
        reference_condition=stats.get("reference_condition", "clean"),
        reference_accent=stats.get("reference_accent") or "",
        material_gap_points=stats.get("material_gap_points", 5.0),
        equivalence_margin=stats.get("equivalence_margin", 1.25),
        equivalence_level=stats.get("equivalence_level", 0.05),
    )


def _accents(source: CardInput, reference_accent: str) -> tuple[str, ...]:
    known = (set(source.utterances["accent"].unique()) | set(source.cells["accent"])) - {POOLED}
    return tuple(sorted(known, key=lambda accent: (accent != reference_accent, accent)))


def _conditions(source: CardInput, reference: str) -> tuple[str, ...]:
    declared = [condition.name for condition in source.record.conditions]
    found = sorted((set(source.trials["condition"].unique()) | set(source.cells["condition"])) - set(declared))
    ordered = list(dict.fromkeys(declared + found))
    return tuple(sorted(ordered, key=lambda name: name != reference))
