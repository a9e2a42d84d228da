"""How large the report page is, and how long its data takes to make; numbers are printed, none is a test.

    python tests/bench/bench_page_bytes.py [utterances ...]

Studies of 2,000 and 5,000 utterances under 1, 4 and 10 conditions, two normalizers, 100 speakers of 5 groups. The words
are made up, 180 of them, eight to fifteen an utterance, about every sixth wrong: texts hardly repeat, so they pack no
better than real ones. Ratios of times are to the word alignment of the same texts alone, in the same process.
"""

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
from million_trials import WORDS, filled, misheard

from pipeline import tables
from pipeline.artifacts import BackendRecord, CorpusRecord, RunRecord
from pipeline.card.content import CardInput, build
from pipeline.card.figures import figures
from pipeline.card.page import island
from pipeline.card.page.page import html
from pipeline.card.settings import CardSettings
from pipeline.execution import TABLES
from pipeline.stages.score import score
from pipeline.stages.summarize import Material, summarize
from pipeline.stats.settings import StatsSettings
from pipeline.text.normalizers import NoSettings, Verbatim, WhisperEnglish
from pipeline.word_edits import word_edits

SPEAKERS, GROUPS = 100, 5
NORMALIZERS = {"verbatim": Verbatim(NoSettings()), "whisper_english": WhisperEnglish(NoSettings())}


def study(n_utterances: int, n_conditions: int) -> CardInput:
    """Return what the card of such a study is made from; the same every time."""
    luck = random.Random(11)
    names = ["clean", *(f"condition_{at}" for at in range(1, n_conditions))]
    texts = [luck.choices(WORDS, k=luck.randint(8, 15)) for _ in range(n_utterances)]
    ids = [f"utterance-{at:06}" for at in range(n_utterances)]
    people = [at % SPEAKERS for at in range(n_utterances)]
    utterances = filled(
        tables.Utterances, utterance_id=ids, speaker_id=[f"speaker-{one:04}" for one in people],
        accent=[f"group {one % GROUPS}" for one in people], reference=list(map(" ".join, texts)), audio_sha256="0" * 64,
        sample_rate_hz=16_000, duration_s=3.0, synthetic=False,
    )  # fmt: skip
    keys = [f"{name}/{condition}" for name in ids for condition in names]
    trials = filled(
        tables.Trials, utterance_id=[name for name in ids for _ in names], condition=names * n_utterances,
        trial_key=keys, slot=0, plan="{}",
    )  # fmt: skip
    heard = [misheard(words, luck, 0.15 + 0.05 * at) for words in texts for at in range(n_conditions)]
    transcripts = filled(tables.Transcripts, trial_key=keys, backend="engine", hypothesis=heard, status="ok")
    scores, _ = score(utterances, trials, transcripts, NORMALIZERS)
    settings = StatsSettings(permutations=99, bootstrap=0)
    results = dict(summarize(Material(utterances, scores, [], settings, synthetic=False, voices={})))
    made = {"utterances": utterances, "trials": trials, "transcripts": transcripts, "scores": scores, **results}
    others = {name: tables.build([], schema, where="bench") for name, schema in TABLES.items() if name not in made}
    others.pop("repeats")
    return CardInput(record=_record(), settings=CardSettings(), **made, **others)


def _record() -> RunRecord:
    plain = dict.fromkeys(
        ("name", "description", "style", "label_kind", "label_provenance", "licence", "citation"), "x"
    )
    corpus = CorpusRecord(**plain, synthetic=False, redistribute_text=True, public=True)
    told: dict[str, Any] = {"commit": None, "device": "cpu", "protected": False, "seed": 1, "finished_at": None}
    empty: dict[str, Any] = {"overrides": [], "stages_done": [], "conditions": [], "history": []}
    none: dict[str, Any] = {"versions": {}, "counts": {}, "timings_s": {}, "hashes": {}, "config": {}}
    backend = BackendRecord(name="engine", fingerprint={}, sha256="0" * 64)
    texts = {"run_name": "bench", "status": "finished", "started_at": "2026-01-01T00:00:00Z", "config_sha256": "0" * 64}
    return RunRecord(corpus=corpus, backend=backend, **told, **empty, **none, **texts)


def took(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of this process's processor that ``work`` takes, and what it returns."""
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def aligned(scores: pd.DataFrame) -> None:
    """Align every scored pair, and keep nothing."""
    for one, other in zip(scores["normalized_reference"], scores["normalized_hypothesis"], strict=True):
        word_edits(one.split(), other.split())


def main(sizes: list[int]) -> None:
    """Print a row a study."""
    print(
        f"{'utterances x conditions':<26}{'shown':>8}{'island kB':>11}{'page kB':>9}{'island s':>10}{'to aligning':>13}"
    )
    for n_utterances in sizes:
        for n_conditions in (1, 4, 10):
            source = study(n_utterances, n_conditions)
            content = build(source)
            alone_s, _ = took(lambda source=source: aligned(source.scores))
            island_s, made = took(lambda source=source, content=content: island.build(source, content))
            page = len(html(content, figures(content), made).encode())
            name = f"{n_utterances:,} x {n_conditions}"
            kilobytes = f"{len(made.json()) / 1e3:>11.0f}{page / 1e3:>9.0f}"
            print(
                f"{name:<26}{made.value['n_shown']:>8,}{kilobytes}{island_s:>10.1f}{island_s / alone_s:>13.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or [2000, 5000])
