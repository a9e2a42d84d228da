"""A user's own noise: dealt evenly, taken from everywhere in a file, named by content, refused before it is heard."""

from collections import Counter

import numpy as np
import pytest
import soundfile

from augment.chain import PlanInput
from augment.errors import ConditionError
from augment.noise.folder import Folder, FolderSettings
from augment.noise.track import TRACK_SAMPLES
from augment.plan import SlotInput, assign_slots
from augment.resources import Resources

FS = 16_000
FADE = FS // 20
SLOTS = 8
TARGET = PlanInput("u", "outsider", 3 * FS)


@pytest.fixture
def write(tmp_path, noise):
    """Write a noise file: ``write("pump.wav", samples or seconds, rate_hz)``."""

    def make(name, samples=2.0, rate_hz=FS):
        path = tmp_path / "noise" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        x = noise(len(name), samples, rate_hz) if isinstance(samples, float) else samples
        soundfile.write(path, x, rate_hz, subtype="FLOAT" if path.suffix == ".wav" else None)
        return path

    return make


@pytest.fixture
def folder(tmp_path):
    def make(**settings):
        return Folder(FolderSettings.model_validate({"path": str(tmp_path / "noise")} | settings), "folder")

    return make


def plans(source, resources):
    return [source.plan(TARGET, slot, resources) for slot in range(resources.slots)]


def test_every_accent_meets_each_file_equally_often(write, folder):
    for n in range(3):
        write(f"{'x' * n}pump.wav")
    resources = Resources(7, SLOTS)
    planned = plans(folder(), resources)
    dealt = Counter(plan["file"] for plan in planned)
    assert sorted(dealt.values()) == [2, 3, 3]
    rows = [
        SlotInput(f"{accent}{n}", accent, f"text {n}") for accent, size in (("a", 16), ("b", 64)) for n in range(size)
    ]
    slots = assign_slots(rows, by="slot", slots=SLOTS, seed=7)
    met = {
        accent: Counter(planned[slots[r.utterance_id]]["file"] for r in rows if r.accent == accent) for accent in "ab"
    }
    assert {file: 4 * count for file, count in met["a"].items()} == met["b"]


def test_of_more_files_than_slots_as_many_as_slots_are_used_by_the_luck_of_the_seed(write, folder):
    for n in range(12):
        write(f"{n:02}{'x' * n}.wav", 0.5)
    used = {seed: [plan["file"] for plan in plans(folder(), Resources(seed, SLOTS))] for seed in range(4)}
    assert all(len(set(files)) == SLOTS for files in used.values())
    assert len({tuple(files) for files in used.values()}) == 4
    assert used[2] == [plan["file"] for plan in plans(folder(), Resources(2, SLOTS))]


def test_a_long_file_gives_each_slot_another_window_evenly_spaced_over_all_of_it(write, folder):
    seconds = 110
    ramp = np.repeat(np.arange(seconds * 10) / 2000.0, FS // 10) * np.tile([1.0, -1.0], seconds * FS // 2)
    write("long.flac", ramp.astype(np.float32))
    resources, source = Resources(1, SLOTS), folder(pattern="*.flac")
    planned = plans(source, resources)
    starts = sorted(plan["start"] for plan in planned)
    assert np.diff(starts) == pytest.approx([(110 - 30.05) * FS / SLOTS] * 7, abs=1)
    assert starts[0] + (110 - 30.05) * FS - starts[-1] == pytest.approx((110 - 30.05) * FS / SLOTS, abs=2)
    assert {plan["looped"] for plan in planned} == {0}
    for plan in planned[:3]:
        samples = source.track(plan, resources).samples
        window = ramp[plan["start"] : plan["start"] + TRACK_SAMPLES]
        assert np.max(np.abs(samples[FADE:] - window[FADE:])) < 1e-3


def test_a_short_file_is_looped_with_a_crossfade_and_the_plan_says_so(write, folder, noise):
    x = noise(5, 0.7)
    write("short.wav", x)
    resources = Resources(1, SLOTS)
    planned = folder().plan(TARGET, 0, resources)
    assert (planned["looped"], planned["start"]) == (1, 0)
    samples = folder().track(planned, resources).samples
    period = x.size - FADE
    inner = slice(FADE, period)
    assert np.max(np.abs(samples[period:][inner] - samples[10 * period :][inner])) < 1e-6
    assert np.max(np.abs(samples[period:][inner] - (x - np.mean(x))[inner])) < 1e-6
    blocks = np.mean(samples.reshape(-1, FADE) ** 2, axis=1)
    assert np.min(blocks) > 0.3 * np.mean(blocks)  # no hole where the ends meet


def test_the_first_channel_counts_and_an_offset_does_not(write, folder, noise):
    x = noise(6, 40.0, 44_100)
    write("stereo.wav", np.stack([x + 0.05, -x], axis=1), 44_100)
    resources = Resources(1, SLOTS)
    samples = folder().track(folder().plan(TARGET, 0, resources), resources).samples
    # an average of the channels would have left nothing but the offset
    assert np.mean(samples.astype(float) ** 2) == pytest.approx(0.01 * 16_000 / 44_100, rel=0.1)
    assert abs(np.mean(samples)) < 1e-4


def test_what_was_planned_is_made_from_its_own_file_alone(write, folder, tmp_path):
    for n in range(3):
        write(f"{'x' * n}pump.wav")
    planned = plans(folder(), Resources(1, SLOTS))
    files = sorted((tmp_path / "noise").iterdir())
    files[planned[1]["file"]].write_bytes(b"not audio any more")
    elsewhere = Resources(1, SLOTS)  # another process, which has read nothing yet
    assert folder().track(planned[0], elsewhere).samples.any()
    with pytest.raises(ConditionError, match="not those that were planned with: plan again"):
        folder().track(planned[1], elsewhere)


def test_a_file_that_came_or_went_since_planning_is_refused(write, folder, tmp_path):
    write("b.wav", 0.5)
    planned = folder().plan(TARGET, 0, Resources(1, SLOTS))
    write("a.wav", 0.6)
    with pytest.raises(ConditionError, match="plan again"):
        folder().track(planned, Resources(1, SLOTS))
    for path in (tmp_path / "noise").iterdir():
        path.unlink()
    with pytest.raises(ConditionError, match="no noise file matches"):
        folder().track(planned, Resources(1, SLOTS))


def test_all_bad_files_are_named_together_and_before_anything_is_planned(write, folder, tmp_path):
    write("good.wav")
    write("zeros.wav", np.zeros(FS))
    write("rounding.wav", 2.0**-17 * np.sign(np.random.RandomState(0).randn(FS)))
    write("offset.wav", np.full(FS, 0.2))
    write("click.wav", 0.19)
    write("none.wav", np.zeros(0))
    (tmp_path / "noise" / "text.wav").write_text("these are not samples")
    with pytest.raises(ConditionError) as error:
        folder().check(Resources(1, SLOTS))
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'noise'}: 6 of 7 noise files cannot be used: ")
    for expected in (
        "zeros.wav is silent in 0.0-1.0 s of 1.0 s",
        "rounding.wav is silent",
        "offset.wav is silent",
        "click.wav lasts 0.19 s, and 0.2 s is the least",
        "none.wav has no samples",
        "text.wav cannot be decoded",
        "repair them, take them out, or narrow source.pattern",
    ):
        assert expected in message
    assert "good.wav" not in message
    write("click.wav", 0.2)
    folder(pattern="[cg]*.wav").check(Resources(1, SLOTS))


def test_a_long_file_that_is_silent_where_it_would_be_used_is_refused_with_the_place(write, folder, noise):
    x = noise(1, 100.0)
    x[60 * FS :] = 0.0
    write("long.wav", x)
    with pytest.raises(ConditionError, match=r"long\.wav is silent in 65\.6-95\.6 s of 100\.0 s"):
        folder().check(Resources(1, SLOTS))
    folder().check(Resources(1, 1))  # the one window in the middle has sound


def test_a_folder_that_is_none_or_has_nothing_is_refused_with_what_to_do(write, folder, tmp_path):
    resources = Resources(1, SLOTS)
    with pytest.raises(ConditionError, match=r"noise: no such folder: set source\.path"):
        folder().check(resources)
    (tmp_path / "noise").mkdir()
    with pytest.raises(ConditionError, match=r"no noise file matches '\*\.wav' \(it is empty\): put noise files there"):
        folder().check(resources)
    for name in ("a.flac", "b.flac", "c.flac", "d.flac"):
        write(name)
    with pytest.raises(ConditionError, match=r"'\*\.wav' \(it holds a\.flac, b\.flac, c\.flac \.\.\.\)"):
        folder().check(resources)
    with pytest.raises(ConditionError, match="is a file, not a folder"):
        folder(path=str(tmp_path / "noise" / "a.flac")).check(resources)
    with pytest.raises(ConditionError, match=r"source\.pattern '/\*\.wav': .*write one like '\*\.wav'"):
        folder(pattern="/*.wav").check(resources)


def test_hidden_files_are_no_noise_and_folders_within_are_searched_on_request(write, folder, tmp_path):
    write("pump.wav")
    write("ward/door.wav", 1.0)
    (tmp_path / "noise" / "._pump.wav").write_bytes(b"what another system leaves behind")
    assert {plan["file"] for plan in plans(folder(), Resources(1, SLOTS))} == {0}
    assert {plan["file"] for plan in plans(folder(pattern="**/*.wav"), Resources(1, SLOTS))} == {0, 1}


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 48_000, 96_000])
def test_any_rate_and_length_becomes_a_track(rate_hz, write, folder):
    t = np.arange(round(1.3 * rate_hz)) / rate_hz
    write("tone.wav", 0.3 * np.sin(2 * np.pi * 1000 * t), rate_hz)
    resources = Resources(1, SLOTS)
    samples = folder().track(folder().plan(TARGET, 0, resources), resources).samples.astype(float)
    spectrum = np.abs(np.fft.rfft(samples[:FS] * np.hanning(FS)))
    assert np.argmax(spectrum) == 1000
    assert np.mean(samples**2) == pytest.approx(0.045, rel=0.1)
