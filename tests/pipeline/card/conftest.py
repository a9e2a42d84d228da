"""Small studies built by hand: tables as the stages hand them over, without running a stage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pandas as pd
import pytest

from pipeline import audit_tables, result_tables, screening_tables, tables
from pipeline.artifacts import BackendRecord, ConditionRecord, CorpusRecord, RunRecord
from pipeline.card import figures
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.settings import CardSettings
from pipeline.records import Exclusion, Reason
from pipeline.regression_table import Regressions
from pipeline.result_tables import RESULTS, Intersections, Standings
from pipeline.stats.rates import none_left_out, rates
from pipeline.stats.sensitivity import sensitivity
from pipeline.stats.settings import StatsSettings

BACKEND = "faster_whisper:tiny.en"
MAIN, VERBATIM = "whisper_english", "verbatim"
WORDS = 10
COARSE_DPI = 30
SHA = "a" * 64


@dataclass(frozen=True)
class Plan:
    """What a study holds. ``accents`` gives the number of speakers of each."""

    accents: Mapping[str, int] = field(
        default_factory=lambda: {"baseline": 12, "th_stopping": 12, "v_w_merger": 6, "lone_voice": 1, "spotless": 6}
    )
    conditions: Sequence[str] = ("clean", "babble_10", "landline_g711")
    per_speaker: int = 3
    speakers_known: bool = True
    synthetic: bool = False
    scored: bool = True
    redistribute_text: bool = True
    hypothesis: str = "what was heard"
    reference: str = "what was said"
    utterance_prefix: str = ""
    min_speakers: int = 5
    settings: CardSettings = field(default_factory=CardSettings)
    said_in_noise: Sequence[str] = ()
    """what the recognizer says in the probe's slots, under every condition; none: the probe did not run"""


Build = Callable[..., CardInput]
MADE: dict[str, CardInput] = {}
"""Studies already built: no test changes a table in place."""
WRITTEN: dict[str, CardContent] = {}


@pytest.fixture(autouse=True)
def coarse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw PNGs at few dots per inch, which is most of the time of a figure; one test draws at the real ones."""
    monkeypatch.setattr(figures, "PNG_DPI", COARSE_DPI)
    monkeypatch.setattr(figures, "LEAST_PNG_DPI", COARSE_DPI)


@pytest.fixture
def study() -> Build:
    """Return a builder: ``study()`` is the usual study, ``study(synthetic=True)`` another."""

    def given(**changes: Any) -> CardInput:
        wanted = Plan(**changes)
        plan = replace(wanted, settings=CardSettings())  # no table hangs on them
        if repr(plan) not in MADE:
            MADE[repr(plan)] = make(plan)
        made = MADE[repr(plan)]
        return made if wanted.settings == made.settings else replace(made, settings=wanted.settings)

    return given


@pytest.fixture
def card(study: Build) -> Callable[..., CardContent]:
    """Return a builder of cards: ``card(synthetic=True)`` is that of ``study(synthetic=True)``, written once."""

    def write(**changes: Any) -> CardContent:
        plan = repr(Plan(**changes))
        if plan not in WRITTEN:
            WRITTEN[plan] = build(study(**changes))
        return WRITTEN[plan]

    return write


def make(plan: Plan) -> CardInput:
    utterances = _utterances(plan)
    trials = _trials(plan, utterances)
    scores = _scores(plan, utterances)
    results = {"cells": _cells(plan, scores), "disparities": _disparities(plan), "interactions": _interactions(plan)}
    return CardInput(
        record=_record(plan),
        settings=plan.settings,
        utterances=utterances,
        acoustics=_acoustics(utterances),
        trials=trials,
        renderings=_renderings(trials),
        transcripts=_transcripts(plan, trials),
        nonspeech=_nonspeech(plan, trials),
        scores=scores,
        rates=rates(scores, none_left_out(), synthetic=plan.synthetic),
        **results,
        sensitivity=sensitivity(results, StatsSettings(), synthetic=plan.synthetic),
        standings=_standings(plan, scores),
        exclusions=_exclusions(plan),
        **_empty(),
    )


@cache
def _empty() -> dict[str, Any]:
    """Return the tables that no study here fills: checking them takes as long as all others."""
    schemas = {
        "variability": tables.Variability, "regressions": Regressions, "detectable": RESULTS["detectable"],
        "snr_shifts": RESULTS["snr_shifts"], "comparisons": result_tables.Comparisons,
        "adjusted": result_tables.Adjusted, "intersections": Intersections,
        "hallucinations": screening_tables.Hallucinations, "candidates": screening_tables.Candidates,
        "terms": screening_tables.Terms, "tag_errors": screening_tables.TagErrors,
    }  # fmt: skip
    made = {name: tables.build([], schema, where="test") for name, schema in schemas.items()}
    return made | {"audit": audit_tables.empty()}


def _record(plan: Plan) -> RunRecord:
    corpus = CorpusRecord(
        name="probes",
        description="Prompts | read by voices",
        synthetic=plan.synthetic,
        style="synthetic" if plan.synthetic else "read",
        label_kind="pronunciation_feature",
        label_provenance="by_construction" if plan.synthetic else "self_report",
        licence="Apache-2.0",
        citation="",
        redistribute_text=plan.redistribute_text,
        not_verified=("Who | read <b>it</b>.",),
    )
    families = {"clean": "reference", "babble_10": "noise", "landline_g711": "channel"}
    conditions = [
        ConditionRecord(
            name=name,
            version=1,
            family=families.get(name, "noise"),
            description=f"What {name} does",
            sources=["ITU-T G.711"],
            sha256=SHA,
        )
        for name in plan.conditions
    ]
    return RunRecord(
        run_name="quickstart",
        status="finished_with_failures",
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:01:00Z",
        overrides=["corpus.path=/home/somebody/secret.csv"],
        config={"stats": {"min_speakers": plan.min_speakers}, "acoustics": {"snr_weighting": "a"}},
        config_sha256="c" * 64,
        seed=7,
        versions={"faster-whisper": "1.2.0", "jiwer": "4.0.0"},
        commit=None,
        device="cpu",
        corpus=corpus,
        conditions=conditions,
        backend=BackendRecord(
            name=BACKEND, fingerprint={"weights": "/home/somebody/models/model.bin", "beam": "5"}, sha256="b" * 64
        ),
        counts={},
        timings_s={},
        hashes={},
        stages_done=[],
        protected=False,
        history=[],
    )


def _utterances(plan: Plan) -> pd.DataFrame:
    rows = []
    for accent, n_speakers in plan.accents.items():
        for speaker in range(n_speakers):
            for item in range(plan.per_speaker):
                rows.append(
                    {
                        "utterance_id": f"{plan.utterance_prefix}{accent}-{speaker:02}-{item}",
                        "corpus": "probes",
                        "speaker_id": f"{accent}-{speaker:02}" if plan.speakers_known else None,
                        "accent": accent,
                        "raw_accent": accent,
                        "reference": plan.reference,
                        "audio": "/home/somebody/a.wav",
                        "audio_sha256": SHA,
                        "sample_rate_hz": 16000,
                        "duration_s": 2.0,
                        "synthetic": plan.synthetic,
                        "label_provenance": "by_construction" if plan.synthetic else "self_report",
                        "attr_voice": f"voice {speaker}",
                    }
                )
    return tables.build(rows, tables.Utterances, where="test")


SOUND: dict[str, Any] = {
    "active_level_dbov": -30.0,
    "activity": 0.8,
    "noise_floor_dbov": -70.0,
    "snr_estimated_db": 40.0,
    "bandwidth_hz": 5000.0,
    "clipped_share": 0.0,
    "speech_rate_words_per_s": 2.0,
    "sample_rate_hz": 16000,
    "codec": "WAV/PCM_16",
}


def _acoustics(utterances: pd.DataFrame) -> pd.DataFrame:
    rows = [{"utterance_id": name} | SOUND for name in utterances["utterance_id"]]
    return tables.build(rows, tables.Acoustics, where="test")


def _nonspeech(plan: Plan, trials: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "utterance_id": trials["utterance_id"].iloc[slot],
            "condition": condition,
            "slot": slot,
            "trial_key": f"{c:032}{slot:032}",
            "backend": BACKEND,
            "duration_s": 3.0,
            "hypothesis": said,
            "n_words": len(said.split()),
            "audio_sha256": SHA,
        }
        for c, condition in enumerate(plan.conditions)
        for slot, said in enumerate(plan.said_in_noise)
    ]
    return tables.build(rows, tables.NonSpeech, where="test")


def _trials(plan: Plan, utterances: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {"utterance_id": utterance, "condition": name, "trial_key": f"{u:032}{c:032}", "slot": 0, "plan": "{}"}
        for u, utterance in enumerate(utterances["utterance_id"])
        for c, name in enumerate(plan.conditions)
    ]
    return tables.build(rows, tables.Trials, where="test")


def _renderings(trials: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for index, (key, condition) in enumerate(zip(trials["trial_key"], trials["condition"], strict=True)):
        snr = None if condition == "clean" else 10.0 + 0.1 * (index % 5 - 2)
        rows.append(
            {
                "trial_key": key,
                "active_level_in_dbov": -30.0,
                "active_level_out_dbov": -26.0,
                "activity": 0.8,
                "snr_none_db": snr,
                "snr_a_db": snr,
                "snr_g712_db": snr,
                "snr_wb_db": snr,
                "loss_share": None,
                "loss_active_share": None,
                "longest_loss_s": None,
                "rt60_s": None,
                "drr_db": None,
                "overload_share": None,
                "clipped_share": 0.001,
                "peak": 0.5,
                "delay_removed_s": 0.0,
                "samples": 32000,
                "audio_sha256": SHA,
                "steps": "[]",
            }
        )
    return tables.build(rows, tables.Renderings, where="test")


def _transcripts(plan: Plan, trials: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "trial_key": key,
            "backend": BACKEND,
            "hypothesis": plan.hypothesis,
            "status": "missing" if index == 0 else "ok",
            "detail": "",
            "decode_s": None if index == 0 else 0.5,
            "avg_logprob": None,
            "no_speech_prob": None,
            "compression_ratio": None,
        }
        for index, key in enumerate(trials["trial_key"])
    ]
    return tables.build(rows, tables.Transcripts, where="test")


def errors_of(accent_index: int, condition_index: int, speaker: int, accent: str) -> tuple[int, int, int]:
    """Return substitutions, deletions, insertions of every utterance of one speaker: more with every index."""
    if accent == "spotless":
        return 0, 0, 0
    return min(1 + accent_index + speaker % 2, 4), condition_index % 4, 1 if speaker % 3 == 0 else 0


def _scores(plan: Plan, utterances: pd.DataFrame) -> pd.DataFrame:
    rows = []
    order = list(plan.accents)
    for row in utterances.to_dict("records") if plan.scored else []:
        speaker = int(row["attr_voice"].split()[1])
        for c, condition in enumerate(plan.conditions):
            for normalizer in (MAIN, VERBATIM):
                s, d, i = errors_of(order.index(row["accent"]), c, speaker, row["accent"])
                extra = 1 if normalizer == VERBATIM else 0
                rows.append(
                    {
                        "utterance_id": row["utterance_id"],
                        "condition": condition,
                        "backend": BACKEND,
                        "normalizer": normalizer,
                        "speaker_id": row["speaker_id"],
                        "accent": row["accent"],
                        "hits": WORDS - s - d - extra,
                        "substitutions": s + extra,
                        "deletions": d,
                        "insertions": i,
                        "normalized_reference": plan.reference,
                        "normalized_hypothesis": plan.hypothesis,
                    }
                )
    return tables.build(rows, tables.Scores, where="test")


def _cells(plan: Plan, scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    grouped = pd.concat([scores, scores.assign(accent=tables.POOLED)]) if len(scores) else scores
    for key, group in grouped.groupby(["accent", "condition", "backend", "normalizer"]):
        names = dict(zip(("accent", "condition", "backend", "normalizer"), key, strict=True))
        rows.append(names | _cell(plan, group))
    return tables.build(rows, tables.Cells, where="test")


def _cell(plan: Plan, group: pd.DataFrame) -> dict[str, Any]:
    h, s, d, i = (int(group[name].sum()) for name in ("hits", "substitutions", "deletions", "insertions"))
    n_speakers = group["speaker_id"].nunique()
    units = n_speakers if plan.speakers_known else len(group)
    wer = (s + d + i) / (h + s + d)
    support = "ok" if units >= 10 else "thin" if units >= 3 else "insufficient"
    support = support if wer else "zero_errors"
    interval = support in ("ok", "thin")
    return {
        "n_speakers": n_speakers,
        "k_eff": float(units),
        "n_utterances": len(group),
        "n_ref_words": h + s + d,
        "hits": h,
        "substitutions": s,
        "deletions": d,
        "insertions": i,
        "wer": wer,
        "ci_low": wer / 1.4 if interval else None,
        "ci_high": wer * 1.4 if interval else 0.031 if support == "zero_errors" else None,
        "speaker_mean_wer": wer * 1.2 if plan.speakers_known else None,
        "f1": 2 * h / (2 * h + 2 * s + d + i),
        "support": support,
        "unit": "speaker" if plan.speakers_known else "utterance",
        "ranked": plan.speakers_known and n_speakers >= plan.min_speakers,
        "synthetic": plan.synthetic,
    }


def _disparities(plan: Plan) -> pd.DataFrame:
    ranked = [accent for accent, n in plan.accents.items() if n >= plan.min_speakers and plan.speakers_known]
    rows = []
    empty = dict.fromkeys(("value", "ci_low", "ci_high", "null_mean", "null_p95", "p"))
    for c, condition in enumerate(plan.conditions if plan.scored else ()):
        shared = empty | {
            "condition": condition,
            "backend": BACKEND,
            "normalizer": MAIN,
            "accent": "",
            "worst": "v_w_merger" if "v_w_merger" in ranked else "",
            "best": "spotless" if "spotless" in ranked else "",
            "n_groups": len(ranked),
            "note": "",
            "synthetic": plan.synthetic,
        }
        if len(ranked) < 2:
            rows.append(shared | {"statistic": "gap_max_min", "note": "fewer than two ranked groups"})
            continue
        gap = {"statistic": "gap_max_min", "value": 0.30 + 0.1 * c, "null_mean": 0.12, "null_p95": 0.35}
        ratio = {"statistic": "ratio_max_min", "value": 4.5, "null_mean": 1.8, "null_p95": 2.5}
        omnibus = {"statistic": "omnibus_q", "value": 12.0, "p": 0.2 if c == 0 else 0.0004, "worst": "", "best": ""}
        rows += [shared | gap, shared | ratio, shared | omnibus]
        nobody = {"worst": "", "best": ""}
        model = {"model_gap": 0.21, "model_ratio": 2.1, "between_accent_sd": 0.24, "paule_mandel": 0.23}
        for name, value in model.items():
            ends = {"ci_low": 0.5 * value, "ci_high": 1.5 * value}
            rows.append(shared | nobody | ends | {"statistic": name, "value": value})
        rows.append(shared | nobody | {"statistic": "model_gap_above", "value": 0.93})
        for name, p in (("all_within_margin", 0.4), ("some_worse_than_margin", 0.9)):
            rows.append(shared | nobody | {"statistic": name, "value": 1.25, "p": p})
        for accent in ranked:
            own = shared | {"accent": accent, "worst": "", "best": ""}
            rows.append(own | {"statistic": "gap_to_rest", "value": -0.05, "ci_low": -0.1, "ci_high": 0.01})
            rows.append(own | {"statistic": "ratio_to_rest", "value": 0.8, "ci_low": 0.6, "ci_high": 1.1})
    return tables.build(rows, tables.Disparities, where="test")


def _standings(plan: Plan, scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    keys = ["accent", "condition", "backend", "normalizer"]
    for key, group in scores.groupby(keys) if len(scores) else []:
        cell = _cell(plan, group)
        ranked = cell["ranked"]
        numbers = {
            "shrunken_wer": 0.25, "shrunken_low": 0.2, "shrunken_high": 0.3, "p_worst": 0.39, "p_best": 0.01,
            "log_ratio": 0.182, "ratio": 1.2, "ratio_low": 0.9, "ratio_high": 1.6, "p_equivalent": 0.4,
            "p_worse_holm": 0.9,
        }  # fmt: skip
        rows.append(
            dict(zip(keys, key, strict=True))
            | {name: cell[name] for name in ("n_speakers", "k_eff", "n_ref_words", "wer", "ranked", "synthetic")}
            | {name: value if ranked else None for name, value in numbers.items()}
            | {"against": "rest" if ranked else "", "verdict": "inconclusive" if ranked else ""}
            | {"note": "" if ranked else f"not compared: fewer than {plan.min_speakers} named speakers"}
        )
    return tables.build(rows, Standings, where="test")


def _interactions(plan: Plan) -> pd.DataFrame:
    rows = []
    measured = ("log_ratio", "ratio", "ci_low", "ci_high", "extra_points", "points_ci_low", "points_ci_high")
    for condition in [*plan.conditions[1:], ""] if plan.scored and len(plan.conditions) > 1 else []:
        shared = dict.fromkeys(measured) | {
            "condition": condition,
            "backend": BACKEND,
            "normalizer": MAIN,
            "statistic": 2.0,
            "note": "",
            "synthetic": plan.synthetic,
        }
        rows.append(shared | {"accent": "", "n_speakers": 36, "p_adjusted": 0.01 if condition else 0.3})
        for accent, n_speakers in plan.accents.items() if condition else []:
            own = shared | {"accent": accent, "n_speakers": n_speakers, "p_adjusted": None, "statistic": None}
            if n_speakers < plan.min_speakers:
                rows.append(own | {"note": "not compared: 1 speakers heard in both conditions, 5 needed"})
                continue
            values = (0.336, 1.4, 1.1, 1.8, 0.031, 0.002, 0.06)
            rows.append(own | dict(zip(measured, values, strict=True)) | {"statistic": 2.5, "p_adjusted": 0.2})
    return tables.build(rows, tables.Interactions, where="test")


def _exclusions(plan: Plan) -> pd.DataFrame:
    known = f"{plan.utterance_prefix}{next(iter(plan.accents))}-00-0" if plan.accents else "nobody"
    rows = [
        Exclusion("load_utterances", "gone-1", "", Reason.MISSING_AUDIO, "/home/somebody/gone.wav"),
        Exclusion("load_utterances", "gone-2", "", Reason.MISSING_AUDIO, "/home/somebody/gone.wav"),
        Exclusion("transcribe", known, "babble_10", Reason.TRANSCRIPTION_FAILED, "timeout"),
    ]
    return tables.build(rows, tables.Exclusions, where="test")
