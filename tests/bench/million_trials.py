"""The study of ``bench_statistics`` and what is timed of it."""

import hashlib
import random
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from alignment_alone import Pairs, aligner_alone, as_it_is, jiwer_alone

from pipeline import tables
from pipeline.corpora.word_files import Phrases
from pipeline.processors import spread, usable
from pipeline.stages.score import score
from pipeline.stages.screen_hypotheses import Heard, screen
from pipeline.stages.summarize import Material, Words, summarize
from pipeline.stats.bootstrap import resampled_sums
from pipeline.stats.hallucination_settings import HallucinationSettings
from pipeline.stats.settings import StatsSettings
from pipeline.text.normalizers import NoSettings, Verbatim, WhisperEnglish
from pipeline.text.pairs import PART

CONDITIONS = ("clean", "babble", "street", "machine", "hum", "room", "landline", "mobile", "voip", "clipping")
SPEAKERS, ACCENTS = 2_000, 20
WORDS = [f"{first}{second}{third}" for first in "bdfgklmnprst" for second in "aeiou" for third in ("n", "ril", "st")]
Study = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
"""Utterances, trials and transcripts."""


def study(n_trials: int) -> Study:
    """Return utterances, trials and transcripts of a made-up study; speakers and conditions err differently."""
    rng = random.Random(5)
    n_utterances = n_trials // len(CONDITIONS)
    level = [0.15 * rng.lognormvariate(0, 0.45) for _ in range(SPEAKERS)]
    references = [rng.choices(WORDS, k=rng.randint(3, 15)) for _ in range(n_utterances)]
    hypotheses = [
        misheard(words, rng, level[place % SPEAKERS] * (1 + 0.1 * column))
        for place, words in enumerate(references)
        for column in range(len(CONDITIONS))
    ]
    ids = [f"utterance-{place:07}" for place in range(n_utterances)]
    speakers = [place % SPEAKERS for place in range(n_utterances)]
    utterances = filled(
        tables.Utterances,
        utterance_id=ids,
        speaker_id=[f"speaker-{one:05}" for one in speakers],
        accent=[f"accent-{one % ACCENTS:02}" for one in speakers],
        reference=list(map(" ".join, references)),
        audio_sha256="0" * 64,
        sample_rate_hz=16_000,
        duration_s=3.0,
        synthetic=False,
    )
    keys = [hashlib.sha256(f"{one}/{condition}".encode()).hexdigest() for one in ids for condition in CONDITIONS]
    trials = filled(
        tables.Trials,
        utterance_id=np.repeat(ids, len(CONDITIONS)),
        condition=list(CONDITIONS) * n_utterances,
        trial_key=keys,
        slot=0,
        plan="{}",
    )
    transcripts = filled(tables.Transcripts, trial_key=keys, backend="engine", hypothesis=hypotheses, status="ok")
    return utterances, trials, transcripts


def misheard(words: list[str], rng: random.Random, rate: float) -> str:
    """Return the words with some lost, some replaced and some added."""
    said = []
    for word in words:
        luck = rng.random()
        if luck >= rate / 4:
            said.append(rng.choice(WORDS) if luck < rate else word)
        if luck > 1 - rate / 6:
            said.append(rng.choice(WORDS))
    return " ".join(said)


def filled(schema: tables.Schema, **columns: Any) -> pd.DataFrame:
    """Return a table with these columns, the others empty."""
    dtypes = tables.columns(schema)
    rows = max((len(values) for values in columns.values() if isinstance(values, list)), default=0)
    empty = {name: "" if dtype == "str" else float("nan") for name, dtype in dtypes.items()}
    table = pd.DataFrame(empty | columns, index=range(rows))
    return tables.cast(table[list(dtypes)], dtypes)


class Took(NamedTuple):
    """Seconds by the clock, and of processors: of this process and of all that it has started and that have ended."""

    clock_s: float
    cpu_s: float


def now() -> Took:
    """Return the seconds so far."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Took(time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in usage))


def since(start: Took) -> Took:
    """Return the seconds since ``start``."""
    return Took(*(end - begin for end, begin in zip(now(), start, strict=True)))


def timed(work: Callable[[], Any]) -> tuple[Took, Any]:
    """Return how long ``work`` takes, and what it returns."""
    start = now()
    made = work()
    return since(start), made


def peak_gb() -> float:
    """Return the most memory that this process has held so far; a helping one holds a part of the pairs at a time."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def line(name: str, took: Took, *bases: Took) -> None:
    """Print one row: seconds, and ratios to the bases, by the clock and of processors."""
    ratios = [f"{took.clock_s / base.clock_s:>9.2f}{took.cpu_s / base.cpu_s:>9.2f}" for base in bases]
    print(f"{name:<46}{took.clock_s:>9.2f}{took.cpu_s:>9.2f}" + "".join(ratios), flush=True)


def parts_of(study: Study) -> list[Pairs]:
    """Return the distinct pairs of reference and hypothesis, in parts for one process each."""
    utterances, trials, transcripts = study
    spoken = utterances.set_index("utterance_id")["reference"]
    both = {"one": trials["utterance_id"].map(spoken).array, "other": transcripts["hypothesis"].array}
    pairs = pd.DataFrame(both).drop_duplicates()
    print(f"{len(trials):,} trials, {len(pairs):,} distinct pairs, {usable()} processors; {peak_gb():.2f} GB before")
    ranges = range(0, len(pairs), PART)
    return [tuple(pairs.iloc[at : at + PART][name].tolist() for name in both) for at in ranges]


def scoring(study: Study) -> pd.DataFrame:
    """Print what scoring costs beside the alignment of the same distinct pairs; return the scores."""
    parts = parts_of(study)
    print(f"{'seconds, and ratios':<46}{'clock':>9}{'cpu':>9}{'to jiwer':>9}{'(cpu)':>9}{'aligner':>9}{'(cpu)':>9}")
    bases = [timed(partial(spread, work, parts))[0] for work in (jiwer_alone, aligner_alone)]
    del parts
    line("alignment alone: jiwer, all processors", bases[0], *bases)
    line("alignment alone: its aligner, all processors", bases[1], *bases)
    took, (scores, _) = timed(partial(score, *study, {"as_it_is": as_it_is}))
    line("scored, texts as they are", took, *bases)
    print(f"peak after scoring: {peak_gb():.2f} GB")
    for name, normalize in (("verbatim", Verbatim(NoSettings())), ("whisper_english", WhisperEnglish(NoSettings()))):
        took, _ = timed(partial(score, *study, {name: normalize}))
        line(f"scored with normalizer {name}", took, *bases)
    return scores


def drawing() -> None:
    """Print how long 10,000 draws of 2,000 speakers take in 100 cells, errors and words of each."""
    rng = np.random.default_rng(3)
    values = rng.integers(0, 200, (SPEAKERS, 200))
    took, _ = timed(lambda: [part[:, :100] / part[:, 100:] for part in resampled_sums(values, 10_000, rng=rng)])
    line("bootstrap, 10,000 x 2,000 x 100", took)


def screened(study: Study, scores: pd.DataFrame) -> Words:
    """Look for signs of invented text, with two listed phrases; no terms are looked for."""
    empty = tables.build([], tables.NonSpeech, where="bench")
    heard = Heard(*study, empty, scores, [], {"as_it_is": as_it_is}, may_show_text=True, synthetic=False)
    phrases = Phrases(anywhere=("thank you for watching",), whole=("you",))
    signs, candidates = screen(heard, HallucinationSettings(), phrases, ())
    return Words(signs=signs, candidates=candidates)


def summarizing(study: Study, scores: pd.DataFrame) -> None:
    """Print how long every table of results takes, the screen of invented text before them."""
    start = now()
    words = screened(study, scores)
    line("summarized: screened for invented text", since(start))
    of = Material(study[0], scores, [], StatsSettings(), synthetic=False, voices={}, words=words)
    last = now()
    for name, table in summarize(of):
        line(f"summarized: {name} ({len(table)} rows)", since(last))
        last = now()
    line(f"summarized: all of {len(scores):,} scores", since(start))


def main(n_trials: int) -> None:
    """Print the whole table."""
    made = study(n_trials)
    scores = scoring(made)
    drawing()
    summarizing(made, scores)
    print(f"peak memory of this process: {peak_gb():.2f} GB")
