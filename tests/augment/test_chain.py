"""Building conditions: mistakes are reported together, with what was meant, and a file can call nothing."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from augment import RENDERER_VERSION
from augment.chain import Acoustics, ConditionSettings, PlanInput, Realised
from augment.errors import ConditionError

CONF = Path(__file__).resolve().parents[2] / "conf" / "conditions"
NOISE = {"kind": "add_noise", "source": {"kind": "babble", "talkers": 6}, "snr_db": 10}
HANDSET = {"kind": "handset", "curve": "irs_send"}
CODEC = {"kind": "codec", "name": "g711"}


def test_every_shipped_condition_names_its_sources_and_is_defined_in_plain_values(each_shipped):
    assert each_shipped.settings.sources
    assert each_shipped.definition == json.loads(json.dumps(each_shipped.definition))
    assert str(Path.home()) not in json.dumps(each_shipped.definition)


def test_the_first_four_conditions_are_those_of_the_study(shipped):
    steps = {
        name: shipped(name).definition["steps"] for name in ("clean", "babble_10", "landline_g711", "machine_tonal_5")
    }
    assert steps["clean"] == []
    (babble,) = steps["babble_10"]
    assert NOISE.items() <= babble.items()
    handset, codec = steps["landline_g711"]
    assert HANDSET.items() <= handset.items()
    assert (CODEC | {"law": "a"}).items() <= codec.items()
    (machine,) = steps["machine_tonal_5"]
    assert machine["snr_db"] == 5
    assert {k: machine["source"][k] for k in ("f0_hz", "harmonics", "harmonic_step_db", "pulse_s", "floor_db")} == {
        "f0_hz": 523,
        "harmonics": 5,
        "harmonic_step_db": -4,
        "pulse_s": 0.15,
        "floor_db": -20,
    }
    assert (machine["source"]["groups"], machine["source"]["calls"], machine["source"]["period_s"]) == ([3, 2], 2, 4)


BAD_STEPS = [
    ({"kind": "add_nose", "snr_db": 5}, r"steps\.0\.kind: unknown kind 'add_nose'\. Did you mean 'add_noise'\?"),
    ({"snr_db": 5}, r"steps\.0\.kind: this key is missing"),
    ({"kind": "os.system", "command": "true"}, r"unknown kind 'os.system'\. Known: add_noise, clip, codec, "),
    ({"kind": ["add_noise"]}, "unknown kind"),
    (HANDSET | {"_target_": "pathlib.Path.unlink"}, r"steps\.0\._target_: unknown key"),
    ({"_target_": "pathlib.Path.unlink"}, r"steps\.0\.kind: this key is missing"),
    (NOISE | {"snr": 3}, r"steps\.0\.snr: unknown key\. Did you mean 'snr_db'\?"),
    (NOISE | {"snr_db": 400}, r"steps\.0\.snr_db: .*less than or equal to 60 \(got 400\)"),
    (NOISE | {"snr_db": -21}, "greater than or equal to -20"),
    (NOISE | {"snr_db": float("nan")}, r"steps\.0\.snr_db"),
    (NOISE | {"snr_db": "loud"}, r"steps\.0\.snr_db: .*valid number \(got 'loud'\)"),
    ({"kind": "add_noise", "snr_db": 3}, r"steps\.0\.source: this key is missing"),
    (NOISE | {"source": {"kind": "bable"}}, r"steps\.0\.source\.kind: unknown kind 'bable'\. Did you mean 'babble'\?"),
    (NOISE | {"source": {"talkers": 6}}, r"steps\.0\.source\.kind: this key is missing"),
    (NOISE | {"source": {"kind": "babble", "talker": 6}}, r"source\.talker: unknown key\. Did you mean 'talkers'\?"),
    (NOISE | {"source": {"kind": "babble", "talkers": 0}}, r"source\.talkers: .*greater than or equal to 1"),
    (NOISE | {"source": {"kind": "machine", "period_s": 1.0}}, r"source: .*one call lasts"),
    ({"kind": "handset", "curve": "irs_sent"}, r"steps\.0\.curve: .*'irs_send'"),
    (CODEC | {"law": "mue"}, r"steps\.0\.law: .*'a' or 'mu'"),
]


@pytest.mark.parametrize(("step", "message"), BAD_STEPS, ids=range(len(BAD_STEPS)))
def test_a_bad_step_is_refused_with_where_and_what_was_meant(step, message, build):
    with pytest.raises(ConditionError, match=rf"conditions\.ward7\.(.|\n)*{message}"):
        build("ward7", {"steps": [step]})


def test_all_mistakes_are_reported_together(build):
    steps = [NOISE | {"snr_db": 99, "nois": 1}, {"kind": "codek"}, CODEC | {"law": "b"}]
    with pytest.raises(ConditionError) as caught:
        build("ward7", {"steps": steps})
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].removeprefix("conditions.ward7.steps.") for line in lines] == [
        "0.snr_db",
        "0.nois",
        "1.kind",
        "2.law",
    ]


def test_steps_out_of_physical_order_are_refused_unless_that_is_meant(build):
    with pytest.raises(ConditionError, match=r"Write add_noise > codec, or say 'order: free'"):
        build("odd", {"steps": [CODEC, NOISE]})
    assert len(build("odd", {"steps": [CODEC, NOISE], "order": "free"}).steps) == 2


def test_a_second_noise_is_refused_because_a_rendering_reports_one_snr(build):
    with pytest.raises(ConditionError, match=r"two add_noise steps of one role \(noise\)"):
        build("twice", {"steps": [NOISE, NOISE]})


@pytest.mark.parametrize(
    "change",
    [{"family": "nois"}, {"version": 0}, {"description": ""}, {"stepps": []}, {"steps": "x"}, {"version": "1"}],
)
def test_unknown_keys_and_values_of_a_condition_are_refused(change):
    with pytest.raises(ValidationError):
        ConditionSettings.model_validate({"version": 1, "family": "noise", "description": "d"} | change)


@pytest.mark.parametrize("change", [{"slots": 0}, {"snr_weighting": "b"}, {"snr_tolerance_db": 0}, {"seed": 1}])
def test_acoustics_outside_their_range_are_refused(change):
    with pytest.raises(ValidationError):
        Acoustics.model_validate(change)


def test_the_definition_holds_what_decides_a_sample_and_nothing_else(build):
    one = build("one", {"steps": [NOISE]})
    renamed = build("two", {"steps": [NOISE], "description": "other words", "sources": ["s"]})
    assert one.definition == renamed.definition
    assert one.definition["renderer_version"] == RENDERER_VERSION
    assert build("one", {"steps": [NOISE | {"snr_db": 5}]}).definition != one.definition
    assert build("one", {"steps": [NOISE]}, target_level_dbov=-30.0).definition != one.definition
    assert build("one", {"steps": [NOISE]}, snr_weighting="wb").definition != one.definition
    assert build("one", {}, snr_weighting="wb").definition == build("one", {}).definition


def test_a_plan_is_integers_and_hashes_and_survives_json(each_shipped, shared_resources, speechlike):
    x = speechlike(1)
    plan = each_shipped.plan(PlanInput("u", "v1", x.size), 5, shared_resources)
    again = json.loads(json.dumps(plan))
    assert again == plan
    for value in plan.values():
        for one in value if isinstance(value, list) else [value]:
            assert isinstance(one, int) or (isinstance(one, str) and len(one) == 64 and int(one, 16) >= 0)
    one = each_shipped.render(x, plan, shared_resources)
    assert one.realised == each_shipped.render(x, again, shared_resources).realised


@pytest.mark.parametrize("slot", [-1, 8])
def test_a_slot_that_does_not_exist_is_refused(slot, shipped, shared_resources):
    with pytest.raises(ConditionError, match="is not one of 0 to 7"):
        shipped("clean").plan(PlanInput("u", "g", 16000), slot, shared_resources)


@pytest.mark.parametrize("name", ["babble_10", "machine_tonal_5"])
def test_a_plan_that_lacks_its_numbers_is_refused(name, shipped, shared_resources, speechlike):
    with pytest.raises(ConditionError, match="plan again"):
        shipped(name).render(speechlike(1), {}, shared_resources)


def test_a_realised_row_has_the_columns_of_the_renderings_table():
    from pipeline import tables

    assert ["trial_key", *(field.name for field in fields(Realised))] == list(tables.columns(tables.Renderings))


def test_the_codec_is_reached_after_handset_and_noise(build, shared_resources, speechlike):
    chain = build("street_call", {"steps": [NOISE, HANDSET, CODEC]})
    x = speechlike(2)
    plan = chain.plan(PlanInput("u", "v0", x.size), 0, shared_resources)
    realised = chain.render(x, plan, shared_resources).realised
    assert realised.snr_a_db == pytest.approx(10.0, abs=0.01)
    assert realised.delay_removed_s == pytest.approx(400 / 16000)
    assert np.isfinite(realised.active_level_out_dbov)


def test_where_a_users_files_lie_is_no_part_of_what_a_condition_is(build):
    steps = [
        [{"kind": "reverb", "room": {"kind": "folder", "path": f"{place}/rooms", "pattern": "*.wav"}},
         {"kind": "add_noise", "source": {"kind": "folder", "path": f"{place}/ward"}, "snr_db": 5},
         {"kind": "handset", "file": f"{place}/phone.csv"}]
        for place in ("/here", "/there")
    ]  # fmt: skip
    here, there = (build("ward7", {"steps": listed}) for listed in steps)
    assert here.definition == there.definition
    assert here.parameters != there.parameters
    assert here.definition["steps"][0]["room"]["pattern"] == "*.wav"
