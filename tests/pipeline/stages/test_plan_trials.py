"""What a plan knows of an utterance is what the renderer will find."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from augment.chain import Acoustics, ConditionSettings, build_condition
from augment.recordings import probe, read
from augment.resources import Resources
from pipeline import plugins
from pipeline.stages.load_utterances import load_utterances
from pipeline.stages.plan_trials import _samples_16k, plan_trials

RATES_HZ = (8_000, 11_025, 12_345, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rate_hz=st.sampled_from(RATES_HZ), frames=st.integers(400, 200_000))
@example(rate_hz=32_000, frames=114_885)  # 57442.5 samples: rounded to even, a packet could be missing
@example(rate_hz=48_000, frames=3)
def test_the_planned_length_is_that_of_the_recording_as_it_is_read(
    tmp_path_factory: pytest.TempPathFactory, rate_hz: int, frames: int
) -> None:
    path = tmp_path_factory.mktemp("length") / "x.wav"
    soundfile.write(path, np.full(frames, 0.1, dtype=np.float32), rate_hz)
    assert _samples_16k(probe(path).duration_s, rate_hz) == read(path).size


@pytest.mark.parametrize(("hears_audio", "lost"), [(True, 1), (False, 0)])
def test_a_recording_too_long_to_be_rendered_is_named_with_the_limit_and_kept_where_nothing_is_rendered(
    make_corpus: Callable[..., Path], hears_audio: bool, lost: int
) -> None:
    manifest = make_corpus(speakers=1)
    soundfile.write(manifest.parent / "audio" / "a0_s000_01.wav", np.full(32_000, 0.1), 16_000)
    kind = plugins.resolve(plugins.CORPORA, "manifest", "corpus")
    corpus = kind(kind.Settings(path=str(manifest), accents="as_given"))
    utterances, _, _ = load_utterances(corpus)
    acoustics = Acoustics(longest_s=1.5)
    stated = ConditionSettings(version=1, family="reference", description="clean", sources=[], steps=[])
    clean = build_condition("clean", stated, step_types={}, acoustics=acoustics)
    resources = Resources(0, 32, corpus.talkers(utterances), -26.0) if hears_audio else None
    trials, excluded = plan_trials(utterances, [clean], corpus=corpus, resources=resources, acoustics=acoustics, seed=0)
    assert len(trials) + len(excluded) == len(utterances) == 4
    assert [(one.utterance_id, one.condition, str(one.reason)) for one in excluded] == [
        ("a0_s000_01", "clean", "too_long")
    ] * lost
    assert all("2 s" in one.detail and "acoustics.longest_s (1.5)" in one.detail for one in excluded)
