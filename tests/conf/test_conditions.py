"""The conditions of the study, number by number: typed in from their specification, not read from their files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from augment.chain import Condition
from pipeline.config import build

CONF = Path(__file__).resolve().parents[2] / "conf" / "conditions"
Composed = Callable[..., dict[str, Any]]

POOL = {"kind": "handset", "pool": "ts26131_hf", "size": 12}
MACHINE = {
    "kind": "machine", "f0_hz": 523, "harmonics": 5, "harmonic_step_db": -4, "pulse_s": 0.15, "groups": [3, 2],
    "calls": 2, "period_s": 4, "floor_db": -20,
}  # fmt: skip


def noise(snr_db: float, kind: str, **source: float) -> dict[str, Any]:
    return {
        "kind": "add_noise", "source": {"kind": kind, **source}, "snr_db": snr_db, "level": None, "role": "environment"
    }  # fmt: skip


def microphone(snr_db: float) -> dict[str, Any]:
    return {"kind": "add_noise", "source": {"kind": "hoth"}, "snr_db": snr_db, "level": None, "role": "microphone"}


def codec(name: str, **settings: Any) -> dict[str, Any]:
    return {"kind": "codec", "name": name, **settings}


def curve(name: str) -> dict[str, Any]:
    return {"kind": "handset", "curve": name, "pool": None, "file": None}


def room(rt60_s: float, drr_db: float) -> dict[str, Any]:
    return {"kind": "reverb", "room": {"kind": "synthetic", "rt60_s": rt60_s, "drr_db": drr_db}}


def bursts(rate: float, conceal: str) -> dict[str, Any]:
    return {"rate": rate, "mean_burst": 2, "max_burst_ms": 200, "exact": True, "conceal": conceal}


NINETEEN: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "clean": ("reference", []),
    "quiet_room_20": ("noise", [noise(20, "hoth")]),
    "babble_10": ("noise", [noise(10, "babble", talkers=6)]),
    "babble_5": ("noise", [noise(5, "babble", talkers=6)]),
    "street_5": ("noise", [noise(5, "pink")]),
    "machine_tonal_5": ("noise", [noise(5, **MACHINE)]),
    "mains_hum_10": ("noise", [noise(10, "hum", f0_hz=50, harmonics=20)]),
    "reverb_room": ("room", [room(0.5, 0)]),
    "far_field": ("room", [room(0.8, -6), noise(15, "hoth")]),
    "handset_pool": ("handset", [POOL, microphone(40)]),
    "band_8k": ("channel", [{"kind": "resample", "rate_hz": 8000}]),
    "landline_g711": ("channel", [curve("irs_send"), codec("g711", law="a")]),
    "mobile_amr122": ("channel", [POOL, microphone(40), codec("amr_nb", bitrate=12200, loss=None)]),
    "mobile_amr59_loss3": (
        "channel",
        [POOL, microphone(30), codec("amr_nb", bitrate=5900, loss=bursts(0.03, "codec"))],
    ),
    "gsm_fr": ("channel", [curve("mirs_send"), codec("gsm_fr")]),
    "voip_opus16_loss10": ("channel", [codec("opus", bitrate=16000, complexity=5, loss=bursts(0.1, "pitch"))]),
    "clipping_6": ("handset", [{"kind": "clip", "headroom_db": 6}]),
    "silence_pad": ("last_mile", [{"kind": "silence", "before_s": 3, "after_s": 3, "gap_s": 2, "floor_dbov": -70}]),
    "street_call": ("last_mile", [noise(10, "pink"), curve("mirs_send"), codec("amr_nb", bitrate=5900, loss=None)]),
}
CORE = [
    "clean", "babble_10", "babble_5", "machine_tonal_5", "far_field", "handset_pool", "landline_g711",
    "mobile_amr59_loss3", "clipping_6", "silence_pad",
]  # fmt: skip
LADDER = (20, 15, 10, 5, 0)


def conditions(composed: Composed, chosen: str) -> dict[str, Condition]:
    study = build(composed("asr=scripted", "stages=[describe]", f"conditions={chosen}"))
    return {condition.name: condition for condition in study.conditions}


def holds(found: object, expected: object) -> bool:
    """Whether every value of ``expected`` is in ``found``; a missing key counts as null."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(holds(found.get(key), value) for key, value in expected.items())
    return found == expected


def test_all_is_the_nineteen_and_core_is_the_ten_in_their_order(composed: Composed) -> None:
    assert list(conditions(composed, "all")) == list(NINETEEN)
    assert list(conditions(composed, "core")) == CORE


@pytest.mark.parametrize("name", NINETEEN)
def test_a_condition_is_what_the_specification_says(composed: Composed, name: str) -> None:
    condition = conditions(composed, f"[{name}]")[name]
    family, steps = NINETEEN[name]
    assert condition.family == family
    found = condition.definition["steps"]
    assert len(found) == len(steps)
    for one, expected in zip(found, steps, strict=True):
        assert holds(one, expected), (one, expected)


@pytest.mark.parametrize(("noise_kind", "rung"), [("babble", "babble"), ("pink", "street")])
def test_a_ladder_is_one_noise_at_five_levels(composed: Composed, noise_kind: str, rung: str) -> None:
    ladder = conditions(composed, f"[clean,{rung}_ladder]")
    assert list(ladder) == ["clean", *(f"{rung}_{db}" for db in LADDER)]
    definitions = [ladder[f"{rung}_{db}"].definition for db in LADDER]
    assert [definition["steps"][0]["snr_db"] for definition in definitions] == list(LADDER)
    assert definitions[0]["steps"][0]["source"]["kind"] == noise_kind
    same = [
        str(definition).replace(f"'snr_db': {float(db)}", "")
        for db, definition in zip(LADDER, definitions, strict=True)
    ]
    assert len(set(same)) == 1


def test_shorthands_and_names_mix_and_count_once(composed: Composed) -> None:
    assert list(conditions(composed, "[core,street_call]")) == [*CORE, "street_call"]
    assert set(conditions(composed, "[clean,core,babble_ladder]")) == {*CORE, "babble_20", "babble_15", "babble_0"}


def test_there_are_twenty_six_and_each_says_where_its_numbers_come_from() -> None:
    # of a corpus without audio nothing was done to the speech: as_transcribed has no numbers
    paths = [path for path in CONF.glob("*.yaml") if path.stem != "as_transcribed"]
    contents = {path.stem: yaml.safe_load(path.read_text()) for path in paths}
    described = {name: content[name] for name, content in contents.items() if name in content}
    assert len(described) == 26
    for name, content in described.items():
        assert content["version"] >= 1, name
        assert content["sources"], name
        assert len(content["description"]) > 20, name


def test_one_number_of_a_condition_of_a_shorthand_can_be_changed(composed: Composed) -> None:
    study = build(
        composed("asr=scripted", "conditions=core", "conditions.babble_10.steps.0.snr_db=3", "~conditions.far_field")
    )
    by_name = {condition.name: condition for condition in study.conditions}
    assert by_name["babble_10"].definition["steps"][0]["snr_db"] == 3
    assert "far_field" not in by_name
