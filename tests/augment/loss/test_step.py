"""The loss step: identity at rate 0, pairing over utterances and conditions, refusals."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.errors import ConditionError
from augment.loss import Loss
from augment.resources import Resources
from augment.source import Speech
from augment.step import Acoustics, Law, PlanInput, Scene, Stage


def loss(**values):
    return Loss(Loss.Settings.model_validate(values))


def target(samples, name="u"):
    return PlanInput(name, f"voice of {name}", samples)


def applied(step, x, scene, *, slot=2, planned=None):
    planned = step.plan(target(x.size), slot, scene.resources) if planned is None else planned
    return step.apply(x, planned, scene)


def test_rate_0_gives_the_very_samples_back(scene, resources, speechlike):
    x = speechlike(1).astype(float)
    effect = applied(loss(rate=0.0), x, scene(x, resources))
    assert effect.samples is x
    assert effect.realised["loss_share"] == 0.0
    assert all(promise.kept for promise in effect.promises)


@pytest.mark.parametrize("conceal", ["pitch", "repeat", "zero"])
def test_three_per_cent_of_four_seconds_are_six_packets_and_are_reported(conceal, scene, resources, speechlike):
    x = speechlike(1).astype(float)
    here = scene(x, resources)
    effect = applied(loss(rate=0.03, mean_burst=2, conceal=conceal), x, here)
    assert effect.realised["loss_share"] == pytest.approx(6 / 200)
    assert 0.02 <= effect.realised["longest_loss_s"] <= 0.12
    assert 0.0 <= effect.realised["loss_active_share"] <= 0.1
    assert [promise.kept for promise in effect.promises] == [True]
    changed = np.flatnonzero(effect.samples != x)
    assert 0 < changed.size <= 6 * (320 + 120)


def test_activity_is_the_talkers_and_not_that_of_the_noise(scene, resources, speechlike):
    speech = speechlike(1).astype(float)
    step = loss(rate=0.1, mean_burst=2)
    here = scene(speech, resources)
    alone = applied(step, speech, here).realised
    assert applied(step, speech + 0.1 * np.random.RandomState(0).randn(speech.size), here).realised == alone
    assert applied(step, np.zeros_like(speech), here).realised == alone


def test_the_same_slot_loses_the_same_packets_whatever_the_utterance_and_the_condition(resources):
    one, other = loss(rate=0.05, mean_burst=3), loss(rate=0.05, mean_burst=3, conceal="zero")
    plans = [
        step.plan(target(64_000, name), 4, Resources(20261122, slots))
        for step in (one, other)
        for name in "ab"
        for slots in (8, 32)
    ]
    assert all(plan == plans[0] for plan in plans)
    assert list(plans[0]) == ["lost"]
    assert one.plan(target(64_000), 5, resources) != plans[0]


def test_two_accents_lose_equally_many_packets_in_clips_of_equal_length(resources):
    step = loss(rate=0.03, mean_burst=2)
    counts = {sum(step.plan(target(48_000), slot, resources)["lost"][1::2]) for slot in range(8)}
    assert counts == {4}  # 150 packets: 4.5, to even


def test_a_rendering_that_would_lose_nothing_is_refused(scene, resources, speechlike):
    x = speechlike(1, 1.0).astype(float)
    here = scene(x, resources)
    with pytest.raises(ConditionError, match="none of the 50 packets is lost"):
        applied(loss(rate=0.01, exact=False), x, here, planned={"lost": []})
    (promise,) = applied(loss(rate=0.01), x, here, planned={"lost": []}).promises
    assert not promise.kept


def test_a_plan_for_another_length_is_refused(scene, resources, speechlike):
    x = speechlike(1, 1.0).astype(float)
    with pytest.raises(ConditionError, match="plan again"):
        applied(loss(rate=0.1), x, scene(x, resources), planned={"lost": [100, 2]})
    with pytest.raises(ConditionError, match="plan again"):
        applied(loss(rate=0.1), x, scene(x, resources), planned={})


def test_a_codecs_concealment_without_a_codec_is_refused_with_what_to_do():
    with pytest.raises(ValidationError, match="only a codec can conceal with its own decoder: write this loss into"):
        loss(rate=0.1, conceal="codec")


def test_it_stands_at_the_end_of_the_way_and_is_not_linear():
    step = loss(rate=0.1)
    assert (step.stage, step.law, step.length_out(123)) == (Stage.LOSS, Law.NONLINEAR, 123)


@given(
    length=st.integers(800, 48_000),
    rate=st.one_of(st.just(0.0), st.floats(0.001, 0.5)),
    mean_burst=st.floats(1, 5),
    packet_ms=st.sampled_from([10, 20, 40]),
    scale=st.sampled_from([0.0, 1.0, 1e4]),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
@example(length=120 * 16_000, rate=0.2, mean_burst=5.0, packet_ms=20, scale=1.0, seed=1)
def test_any_finite_input_comes_out_finite_and_as_long(length, rate, mean_burst, packet_ms, scale, seed):
    x = scale * np.random.RandomState(seed).randn(length)
    step = loss(rate=rate, mean_burst=mean_burst, packet_ms=packet_ms)
    here = Scene(Acoustics(), Resources(seed, 4), Speech(x))
    effect = applied(step, x, here, slot=3)
    assert effect.samples.shape == x.shape
    assert np.all(np.isfinite(effect.samples))
    assert all(promise.kept for promise in effect.promises)
