"""Packets lost inside a codec: planned in integers, concealed at the codec's rate or by its decoder, and reported."""

import numpy as np
import pytest

from augment.errors import ConditionError
from augment.loss.pattern import lost_packets
from augment.step import PlanInput

FS = 16_000
LOSS = {"rate": 0.1, "mean_burst": 2.0}
AMR = {"name": "amr_nb", "bitrate": 5_900}
LOSING = [
    AMR | {"loss": LOSS | {"conceal": "codec"}},
    AMR | {"loss": LOSS | {"conceal": "pitch"}},
    {"name": "amr_wb", "bitrate": 12_650, "loss": LOSS | {"conceal": "codec"}},
    {"name": "opus", "bitrate": 16_000, "loss": LOSS | {"conceal": "pitch"}},
    {"name": "g711", "loss": LOSS | {"conceal": "zero"}},
    {"name": "gsm_fr", "loss": LOSS | {"conceal": "repeat"}},
    {"name": "g722", "loss": LOSS},
]


def named(asked):
    return f"{asked['name']}_{asked['loss'].get('conceal', 'default')}"


@pytest.fixture
def sent(codec, scene, resources):
    """Return the plan and the effect of a losing codec in one slot."""

    def send(x, asked, slot=3):
        step = codec(**asked)
        planned = step.plan(PlanInput("u", "v", x.size), slot, resources)
        return planned, step.apply(x, planned, scene(x, resources))

    return send


@pytest.mark.parametrize("asked", LOSING, ids=named)
@pytest.mark.parametrize("length", [800, 801, 959, 960, 961, 32_000, 47_999])
def test_the_planned_number_of_packets_is_lost_at_any_length(asked, length, sent, spoken):
    planned, effect = sent(spoken(1)[:length], asked)
    packets = -(-length // 320)
    lost = lost_packets(planned["lost"], packets)
    assert np.count_nonzero(lost) == max(1, round(0.1 * packets))
    assert effect.samples.shape == (length,)
    assert [promise.kept for promise in effect.promises] == [True]
    assert effect.realised["loss_share"] == pytest.approx(np.mean(lost))
    assert effect.realised["longest_loss_s"] == pytest.approx(0.02 * max(planned["lost"][1::2]))


@pytest.mark.parametrize("asked", LOSING, ids=named)
def test_a_loss_is_heard_where_it_was_planned_and_not_before(asked, sent, spoken):
    x = spoken(2)
    planned, effect = sent(x, asked)
    _, whole = sent(x, {key: value for key, value in asked.items() if key != "loss"})
    start, length = planned["lost"][:2]
    # the first hole; resampling, pitch bridging and look-ahead reach a few ms beyond it
    before = slice(0, 320 * start - 320)
    inside = slice(320 * start, 320 * (start + length))
    assert np.allclose(effect.samples[before], whole.samples[before], atol=1e-3)
    change = np.sqrt(np.mean((effect.samples[inside] - whole.samples[inside]) ** 2))
    assert change > 0.05 * np.sqrt(np.mean(whole.samples[inside] ** 2))


def test_with_zero_concealment_the_hole_is_empty_at_the_codecs_own_place(sent, spoken):
    x = spoken(3)
    planned, effect = sent(x, {"name": "g722", "loss": LOSS | {"conceal": "zero"}})
    for sample in np.flatnonzero(lost_packets(planned["lost"], 150)) * 320:
        assert np.all(effect.samples[sample : sample + 320] == 0.0)


def test_every_codec_of_a_slot_loses_the_same_packets(sent, spoken):
    x = spoken(4)
    plans = [sent(x, asked)[0] for asked in LOSING[:1] + LOSING[3:]]
    assert all(plan == plans[0] for plan in plans)
    assert sent(x, LOSING[0], slot=4)[0] != plans[0]


def test_the_loss_in_speech_is_that_of_the_talker_even_where_only_noise_is_rendered(codec, scene, resources, spoken):
    x = np.concatenate([spoken(5), np.zeros(3 * FS)])
    step = codec("g711", loss=LOSS)
    planned = {"lost": [10, 15, 200, 15]}
    for samples in (x, np.zeros_like(x)):
        realised = step.apply(samples, planned, scene(x, resources)).realised
        assert realised["loss_active_share"] == pytest.approx(15 / 160, abs=0.02)  # 3 s and the hangover


@pytest.mark.parametrize("asked", [LOSING[0], LOSING[3]], ids=named)
def test_noise_only_trials_go_through_losses_too(asked, codec, scene, resources, spoken):
    x = spoken(6, 1.0)
    step = codec(**asked)
    planned = step.plan(PlanInput("u", "v", x.size), 0, resources)
    y = step.apply(np.zeros_like(x), planned, scene(x, resources)).samples
    assert np.max(np.abs(y)) <= 32 / 32_768


@pytest.mark.parametrize("name", ["g711", "amr_nb"])
def test_rate_0_is_the_codec_alone(name, sent, spoken):
    asked = {"name": name} | ({"bitrate": 5_900} if name == "amr_nb" else {})
    x = spoken(7, 1.0)
    planned, effect = sent(x, asked | {"loss": {"rate": 0.0}})
    assert planned == {"lost": []}
    assert np.array_equal(effect.samples, sent(x, asked)[1].samples)
    assert effect.realised["loss_share"] == 0.0
    assert all(promise.kept for promise in effect.promises)


def test_a_codec_without_loss_plans_and_reports_none(sent, spoken):
    planned, effect = sent(spoken(8, 1.0), {"name": "g711"})
    assert planned == {}
    assert effect.realised == {}
    assert effect.promises == ()


def test_a_rendering_in_which_nothing_was_lost_is_no_lossy_one(codec, scene, resources, spoken):
    x = spoken(9, 1.0)
    exact = codec("g711", loss=LOSS).apply(x, {"lost": []}, scene(x, resources))
    assert [promise.kept for promise in exact.promises] == [False]
    with pytest.raises(ConditionError, match="none of the 50 packets is lost"):
        codec("g711", loss=LOSS | {"exact": False}).apply(x, {"lost": []}, scene(x, resources))


@pytest.mark.parametrize("planned", [{}, {"lost": 3}, {"lost": [0, 4, 2, 1]}, {"lost": [49, 2]}])
def test_a_plan_of_another_utterance_is_refused(planned, codec, scene, resources, spoken):
    x = spoken(9, 1.0)
    with pytest.raises(ConditionError, match="plan again"):
        codec("g711", loss=LOSS).apply(x, planned, scene(x, resources))
