"""Every accent meets the same realizations of every shipped condition equally often."""

import json
from collections import Counter

import pytest

from augment.chain import PlanInput
from augment.plan import SlotInput, assign_slots
from augment.resources import Resources

SLOTS = 8
SAMPLES = 40_000


def plans(condition, resources, size_by_accent, by="slot"):
    """The plans of each accent, for speakers who speak in no babble."""
    utterances = [
        SlotInput(f"{accent}{n}", accent, f"text {n}") for accent, size in size_by_accent.items() for n in range(size)
    ]
    slots = assign_slots(utterances, by=by, slots=SLOTS, seed=resources.seed)
    found = {accent: Counter() for accent in size_by_accent}
    for one in utterances:
        target = PlanInput(one.utterance_id, "outsider", SAMPLES)
        plan = condition.plan(target, slots[one.utterance_id], resources)
        found[one.accent][json.dumps(plan, sort_keys=True)] += 1
    return found


def test_two_accents_meet_the_same_realizations_equally_often(each_shipped, shared_resources):
    found = plans(each_shipped, shared_resources, {"a": 24, "b": 24})
    assert found["a"] == found["b"]
    uneven = plans(each_shipped, shared_resources, {"a": 16, "b": 19})
    assert sum(((uneven["a"] - uneven["b"]) + (uneven["b"] - uneven["a"])).values()) == 3


def test_what_is_drawn_does_not_depend_on_who_speaks_or_on_the_conditions_name(each_shipped, shared_resources):
    one = each_shipped.plan(PlanInput("u1", "outsider", SAMPLES), 3, shared_resources)
    assert each_shipped.plan(PlanInput("u2", "another", SAMPLES), 3, shared_resources) == one


@pytest.mark.parametrize(("soft", "loud"), [("babble_20", "babble_0"), ("street_20", "street_5")])
def test_the_rungs_of_a_ladder_meet_one_realization(shipped, shared_resources, soft, loud):
    target = PlanInput("u1", "outsider", SAMPLES)
    one, other = (shipped(name).plan(target, 5, shared_resources) for name in (soft, loud))
    assert one == other


def test_all_conditions_that_lose_packets_alike_lose_the_same_ones(build, shared_resources):
    loss = {"rate": 0.1, "mean_burst": 3.0}
    chains = {
        "bare": {"kind": "loss"} | loss,
        "amr": {"kind": "codec", "name": "amr_nb", "bitrate": 5900, "loss": loss | {"conceal": "codec"}},
        "opus": {"kind": "codec", "name": "opus", "bitrate": 16000, "loss": loss | {"conceal": "zero"}},
    }
    target = PlanInput("u1", "outsider", 16_000 * 20)
    lost = {}
    for name, step in chains.items():
        lost[name] = build(name, {"steps": [step]}).plan(target, 2, shared_resources)["0.lost"]
    assert sum(lost["bare"][1::2]) == 100
    assert lost["amr"] == lost["opus"] == lost["bare"]


def test_another_seed_draws_other_realizations(each_shipped, crossed_pool):
    target = PlanInput("u1", "outsider", SAMPLES)
    one, other = (
        [each_shipped.plan(target, slot, Resources(seed, SLOTS, crossed_pool)) for slot in range(SLOTS)]
        for seed in (1, 2)
    )
    drawn = {"as_transcribed", "clean", "band_8k", "landline_g711", "gsm_fr", "clipping_6", "reverb_room"}
    assert (one == other) == (each_shipped.name in drawn)
