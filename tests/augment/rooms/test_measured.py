"""Measured responses: where they begin, who meets which, and what is refused before any audio is rendered."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from augment.errors import ConditionError
from augment.recordings import read_response
from augment.resources import Resources
from augment.rooms import Reverb
from augment.rooms.measured import aligned
from augment.rooms.step import ReverbSettings
from augment.step import PlanInput

FS = 16_000
TARGET = PlanInput("u", "g", FS)


def room(seed=0, *, before=0, direct=1.0, reflection=0.0, rate_hz=FS, noise=0.0):
    """A response that begins after ``before`` seconds, with a reflection 11 ms later and a tail of 0.3 s."""
    rng = np.random.RandomState(seed)
    t = np.arange(round(0.36 * rate_hz)) / rate_hz
    after = 0.03 * rng.randn(t.size) * 10 ** (-3 * t / 0.3) * (t > 0.004)
    after[0] = direct
    after[round(0.011 * rate_hz)] += reflection
    response = np.concatenate([np.zeros(round(before * rate_hz)), after])
    return response + noise * rng.randn(response.size)


@pytest.fixture
def folder(tmp_path):
    """Write responses by name, samples or (samples, rate), into a folder; return its path."""

    def write(**responses):
        path = tmp_path / "rooms"
        path.mkdir(exist_ok=True)
        for name, content in responses.items():
            samples, rate_hz = content if isinstance(content, tuple) else (content, FS)
            soundfile.write(path / f"{name}.wav", samples, rate_hz, subtype="DOUBLE")
        return str(path)

    return write


def step(path, pattern="*.wav"):
    return Reverb(ReverbSettings.model_validate({"room": {"kind": "folder", "path": path, "pattern": pattern}}))


def refusal(path, pattern="*.wav", slots=32):
    with pytest.raises(ConditionError) as caught:
        step(path, pattern).check(Resources(1, slots))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("before_s", [0.0, 0.001, 0.02, 0.5])
@pytest.mark.parametrize("direct", [0.01, 1.0])
def test_a_response_begins_with_its_direct_sound(before_s, direct):
    whole = aligned(room() / room()[0], "r").samples
    later = aligned(direct * room(before=before_s), "r").samples
    assert later == pytest.approx(whole, abs=1e-12)
    assert later[0] == pytest.approx(1.0)
    assert np.sum(later[:40] ** 2) == pytest.approx(1.0)


def test_the_largest_sample_is_not_taken_for_the_direct_sound():
    response = room(before=0.01, direct=0.4, reflection=0.9)
    assert np.argmax(np.abs(response)) == 160 + 176
    found = aligned(response, "r")
    assert response.size - found.samples.size == 160
    assert found.samples[176] == pytest.approx((0.9 + room()[176]) / 0.4)


def test_noise_before_the_direct_sound_is_cut_off():
    found = aligned(room(before=0.3, noise=0.003), "r")
    assert found.samples.size == room().size
    assert found.samples[0] == pytest.approx(1.0, abs=0.02)


def test_the_first_sample_20_db_below_the_largest_is_the_beginning():
    response = np.zeros(400)
    response[[100, 103, 110]] = [0.099, 0.101, 1.0]
    found = aligned(response, "r")
    assert response.size - found.samples.size == 103
    assert found.samples[7] / found.samples[0] == pytest.approx(1 / 0.101)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("at", [0, 1, 100, 1001, 1002])
def test_an_impulse_at_another_rate_begins_within_a_third_of_a_millisecond_of_its_largest_sample(rate_hz, at, folder):
    impulse = np.zeros(rate_hz // 4)
    impulse[at] = 1.0
    found = aligned(read_response(Path(folder(r=(impulse, rate_hz))) / "r.wav"), "r")
    assert np.argmax(np.abs(found.samples)) <= 6
    assert found.drr_db > 25


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_a_room_at_another_rate_is_the_same_room(rate_hz, reverb, folder):
    effect = reverb(np.ones(FS), kind="folder", path=folder(r=(room(rate_hz=rate_hz, before=0.1), rate_hz)))
    assert effect.realised["rt60_s"] == pytest.approx(0.3, rel=0.1)
    samples = room(rate_hz=rate_hz)
    expected_db = 10 * np.log10(np.sum(samples[: rate_hz // 400] ** 2) / np.sum(samples[rate_hz // 400 :] ** 2))
    # the resampler takes away the eighth of the tail (0.6 dB at 44.1 kHz, more above) that lies beyond 8 kHz, and as
    # much of the direct sound
    assert effect.realised["drr_db"] == pytest.approx(expected_db, abs=1.0)


@pytest.mark.parametrize("at", [0, 250])
@pytest.mark.parametrize("value", [1.0, 0.3])
def test_a_unit_impulse_is_identity_bit_for_bit(at, value, reverb, folder):
    impulse = np.zeros(800)
    impulse[at] = value
    x = np.random.RandomState(0).randn(FS)
    effect = reverb(x, kind="folder", path=folder(unit=impulse))
    assert np.array_equal(effect.samples, x)
    assert effect.realised == {}


@pytest.mark.parametrize(("files", "slots"), [(1, 8), (3, 32), (5, 32), (32, 32), (40, 32)])
def test_every_file_is_met_equally_often_within_one(files, slots, folder):
    path = folder(**{f"r{n:02d}": room(n)[:800] for n in range(files)})
    resources = Resources(3, slots)
    met = Counter(step(path).plan(TARGET, slot, resources)["response"] for slot in range(slots))
    counts = [met.get(n, 0) for n in range(files)]
    assert max(counts) - min(counts) <= 1
    assert sum(counts) == slots


def test_the_deal_follows_the_names_and_the_seed_and_nothing_else(folder, tmp_path):
    path = folder(**{name: room(n) for n, name in enumerate("dacb")})
    plans = [step(path).plan(TARGET, slot, Resources(3, 8)) for slot in range(8)]
    by_name = {plan["response"]: plan["sha256"] for plan in plans}
    assert by_name == {n: sha256_of(Path(path) / f"{name}.wav") for n, name in enumerate("abcd")}
    moved = tmp_path / "elsewhere"
    Path(path).rename(moved)
    assert [step(str(moved)).plan(TARGET, slot, Resources(3, 8)) for slot in range(8)] == plans
    orders = {
        tuple(step(str(moved)).plan(TARGET, n, Resources(seed, 8))["response"] for n in range(4)) for seed in range(9)
    }
    assert len(orders) > 3


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_folder_that_changed_after_planning_is_refused(folder, scene):
    path = folder(a=room(0), b=room(1))
    x = np.ones(FS)
    planning, rendering = Resources(3, 8), Resources(3, 8)
    plans = [step(path).plan(TARGET, slot, planning) for slot in range(2)]
    folder(a=room(2))
    changed = next(plan for plan in plans if plan["response"] == 0)
    kept = next(plan for plan in plans if plan["response"] == 1)
    with pytest.raises(ConditionError, match=r"not those that were planned with: plan again"):
        step(path).apply(x, changed, scene(x, rendering))
    assert step(path).apply(x, kept, scene(x, rendering)).samples.shape == x.shape
    (Path(path) / "b.wav").unlink()
    with pytest.raises(ConditionError, match=r"plan again"):
        step(path).apply(x, kept, scene(x, Resources(3, 8)))
    with pytest.raises(ConditionError, match=r"plan again"):
        step(path).apply(x, {}, scene(x, rendering))


def test_a_folder_without_responses_is_refused(tmp_path):
    assert refusal(str(tmp_path / "none")).endswith(
        "none: no such folder: set room.path to the one that holds the impulse responses"
    )
    assert "(it is empty): put impulse responses there or change room.pattern" in refusal(str(tmp_path))
    (tmp_path / "room.flac").touch()
    assert "no impulse response matches '*.wav' (it holds room.flac)" in refusal(str(tmp_path))
    assert "room.pattern '/etc/*'" in refusal(str(tmp_path), "/etc/*")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros(800), "bad.wav is silent: every sample is zero"),
        (room()[:39], "bad.wav is too short: it ends 2.4 ms after its direct sound begins, and 2.5 ms are needed"),
        (np.random.RandomState(0).randn(FS), "bad.wav is no impulse response: no direct sound stands out"),
        (np.zeros(0), "bad.wav has no samples"),
        ((np.stack([room(), room(1)], axis=1), 96_000), "has one channel and this file, at 96000 Hz, has 2"),
        (np.array([1.0, np.nan, 0.5] * 100), "NaN"),
    ],
)
def test_what_is_no_response_is_refused_by_name(content, message, folder):
    path = folder(good=room(), bad=content)
    said = refusal(path)
    assert message in said
    assert said.startswith(f"{path}: 1 of 2 impulse responses cannot be used: bad.wav")
    assert said.endswith(": repair them, take them out, or narrow room.pattern")


def test_all_files_that_cannot_be_used_are_told_together(folder):
    path = folder(**{f"bad{n}": np.zeros(800) for n in range(7)}, good=room())
    (Path(path) / "broken.wav").write_bytes(b"RIFF")
    said = refusal(path)
    assert said.startswith(f"{path}: 8 of 9 impulse responses")
    assert "bad0.wav is silent" in said
    assert "and 3 more" in said


def test_recorded_speech_and_noise_are_no_responses(folder, speechlike):
    noise = np.random.RandomState(3).randn(2 * FS) * np.linspace(0.1, 1, 2 * FS)
    for content in (speechlike(1).astype(float), noise, np.cumsum(noise)):
        assert "no direct sound stands out" in refusal(folder(bad=content))


def test_a_pattern_may_look_into_folders_and_hidden_files_do_not_count(folder):
    path = Path(folder(a=room(0)))
    (path / "deep").mkdir()
    (path / "a.wav").rename(path / "deep" / "z.wav")
    folder(m=room(1))
    (path / ".hidden.wav").write_bytes(b"")
    step(str(path), "**/*.wav").check(Resources(1, 8))
    hashes = {step(str(path), "**/*.wav").plan(TARGET, slot, Resources(1, 8))["sha256"] for slot in range(8)}
    assert hashes == {sha256_of(path / "deep" / "z.wav"), sha256_of(path / "m.wav")}


@pytest.mark.parametrize(
    ("name", "rt60_s"),
    [("seminar_room_clap", 0.65), ("bathroom_clap", 0.48), ("speechbrain_rir1", 0.62), ("museum_basement_clap", None)],
)
def test_rooms_that_others_measured_are_read_alike(name, rt60_s, optional_corpus):
    found = aligned(read_response(optional_corpus("rir").parent / "audio" / f"{name}.flac"), name)
    assert -15 < found.drr_db < 15
    assert np.sum(found.samples[:40] ** 2) == pytest.approx(1.0)
    if rt60_s:
        assert found.rt60_s == pytest.approx(rt60_s, rel=0.1)


def test_recorded_noise_is_no_response(optional_corpus):
    for path in sorted((optional_corpus("noise").parent / "audio").glob("*.flac")):
        with pytest.raises(ConditionError, match="no direct sound stands out"):
            aligned(read_response(path), path.name)
