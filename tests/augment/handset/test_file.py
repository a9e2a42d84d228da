"""A user's own handset: tables as people write them, impulse responses at any rate, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import firwin, freqz

from augment.errors import ConditionError
from augment.handset import Handset
from augment.handset.curves import table
from augment.handset.file import read_table
from augment.handset.step import HandsetSettings
from augment.resources import Resources
from augment.step import PlanInput

FS = 16_000
TARGET = PlanInput("u", "g", FS)
NOISE = 0.1 * np.random.RandomState(0).randn(FS)


@pytest.fixture
def written(tmp_path):
    """Write a file of text, or of samples at a rate, and return its path."""

    def write(name, content, rate_hz=FS):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            soundfile.write(path, content, rate_hz, subtype="FLOAT" if name.endswith("wav") else "PCM_24")
        return str(path)

    return write


def refusal(path, resources=None):
    with pytest.raises(ConditionError) as caught:
        Handset(HandsetSettings(file=path)).check(resources or Resources(1, 4))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_table_of_a_named_curve_as_a_file_is_that_curve(written, handset):
    rows = "\n".join(f"{hz:g},{db}" for hz, db in zip(*table("mirs_send"), strict=True))
    own = handset(NOISE, file=written("own.csv", rows)).samples
    assert np.array_equal(own, handset(NOISE, curve="mirs_send").samples)


@pytest.mark.parametrize(
    "text",
    [
        "100,-20\n1000,0\n8000,3\n",
        "\ufefffrequency_hz,gain_db\r\n100,-20\r\n1000,0\r\n8000,3\r\n",
        "# my phone, 2026\nHz;dB\n100;-20\n\n1000; 0\n8000 ;3\n",
        "Freq\tLevel\n100\t-20\n# a note\n1e3\t0\n8000\t+3.0",
        "* measured in a box\n 100.0   -20.0\n 1000.0  0.0\n 8000.0  3.0 \n",
    ],
)
def test_a_table_is_read_as_people_write_it(text, written, gains_db):
    path = written("phone.csv", text)
    gains = gains_db([316.23, 1000, 2828.4, 5000], file=path)
    assert gains == pytest.approx([-10, 0, 1.5, 3 * np.log(5) / np.log(8)], abs=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"phone\.csv has 0 rows of frequency in Hz and gain in dB: at least 2 are needed"),
        ("frequency,gain\n1000,0\n", r"phone\.csv has 1 rows"),
        ("1000,0\n2000,1,5\n", r"phone\.csv, line 2: '2000,1,5' is not a frequency in Hz and a gain in dB: write two"),
        ("1000;-3,5\n2000;-1,5\n", r"line 1: '1000;-3,5' is not a frequency in Hz and a gain in dB"),
        ("Hz,dB\n1000,0\n2000,loud\n", r"line 3: '2000,loud' is not a frequency"),
        ("1000,0\n500,0\n", r"line 2: '500,0': frequencies begin above 0 Hz and ascend: sort the rows"),
        ("1000,0\n1000,1\n", r"line 2: .* ascend"),
        ("0,-90\n1000,0\n", r"line 1: '0,-90': frequencies begin above 0 Hz"),
        ("-1,0\n1000,0\n", r"line 1: .* above 0 Hz"),
        ("100,nan\n1000,0\n", r"line 1: '100,nan' is not a gain in dB"),
        ("100,-inf\n1000,0\n", r"line 1: '100,-inf' is not a gain in dB"),
        ("100,0\ninf,0\n", r"line 2: .* ascend"),
        ("100,0\n500,-250\n1000,-250\n2000,-250\n8000,-250", r"phone\.csv lets practically nothing through at 1 kHz"),
        ("100,0\n200,0\n400,-100\n8000,-100", r"lets practically nothing through at 1 kHz, 60 dB less than elsewhere"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_line(text, message, written):
    with pytest.raises(ConditionError, match=message):
        Handset(HandsetSettings(file=written("phone.csv", text))).check(Resources(1, 4))


def test_a_table_that_is_not_text_or_not_there_is_refused(tmp_path):
    (tmp_path / "phone.csv").write_bytes(b"\xff\xfe1\x000\x00")
    assert refusal(str(tmp_path / "phone.csv")) == "phone.csv cannot be read: it is not text in UTF-8"
    assert refusal(str(tmp_path / "none.csv")) == "none.csv cannot be read: No such file or directory"
    (tmp_path / "folder.csv").mkdir()
    assert "folder.csv cannot be read" in refusal(str(tmp_path / "folder.csv"))


@pytest.mark.parametrize("level_db", [0.0, -20.0, 94.0])
def test_a_flat_table_changes_nothing_at_all(level_db, written, handset):
    path = written("flat.csv", f"Hz,dB\n100,{level_db}\n4000,{level_db}\n8000,{level_db}")
    effect = handset(NOISE, file=path)
    assert np.array_equal(effect.samples, NOISE)
    assert effect.delay_removed_s == 0.0


@pytest.mark.parametrize(("length", "at", "value"), [(1, 0, 1.0), (800, 0, 0.25), (800, 400, 1.0)])
def test_a_unit_impulse_changes_nothing_at_all(length, at, value, written, handset):
    impulse = np.zeros(length)
    impulse[at] = value
    assert np.array_equal(handset(NOISE, file=written("unit.wav", impulse)).samples, NOISE)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_an_impulse_response_at_any_rate_has_the_gain_that_it_had(rate_hz, written, gains_db):
    taps = 0.3 * firwin(1 + 2 * (rate_hz // 1000), [400, 2500], pass_zero=False, fs=rate_hz)
    hz = np.array([100, 300, 1000, 2000, 2500, 3000])
    expected = 20 * np.log10(np.abs(freqz(taps, worN=hz, fs=rate_hz)[1]))
    gains = gains_db(list(hz), file=written("phone.wav", taps, rate_hz))
    assert gains == pytest.approx(expected - expected[2], abs=0.1)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_a_linear_phase_response_leaves_an_impulse_at_its_place(rate_hz, written, handset):
    taps = firwin(2 * (rate_hz // 100) + 1, 3000, fs=rate_hz)
    impulse = np.zeros(4001)
    impulse[2000] = 1.0
    effect = handset(impulse, file=written("phone.flac", taps, rate_hz))
    assert np.argmax(np.abs(effect.samples)) == 2000
    assert effect.samples == pytest.approx(effect.samples[::-1], abs=1e-3)
    assert effect.delay_removed_s == pytest.approx(0.01, abs=1 / FS)


def test_an_impulse_response_is_not_cut_off(written, handset):
    response = np.concatenate([[0.2, -0.1], np.zeros(500), [1.0], np.zeros(900), [0.3]])
    impulse = np.zeros(4000)
    impulse[2000] = 1.0
    filtered = handset(impulse, file=written("phone.wav", response)).samples
    scale = filtered[2000]
    assert filtered[[2000 - 502, 2000 - 501, 2000 + 901]] == pytest.approx(scale * np.array([0.2, -0.1, 0.3]), abs=1e-7)


def test_an_impulse_response_that_is_none_is_refused(written, tmp_path):
    assert refusal(written("zero.wav", np.zeros(800))) == "zero.wav is silent: every sample is zero"
    high_pass = firwin(801, 6000, pass_zero=False, fs=FS)
    assert refusal(written("high.wav", high_pass)).startswith("high.wav lets practically nothing through at 1 kHz")
    stereo = refusal(written("stereo.wav", np.ones((96, 2)), 96_000))
    assert "stereo.wav" in stereo
    assert "one channel" in stereo
    assert "2" in stereo
    (tmp_path / "broken.wav").write_bytes(b"RIFF and then nothing")
    assert refusal(str(tmp_path / "broken.wav")).startswith("broken.wav cannot be decoded")
    assert refusal(str(tmp_path / "none.wav")) == "none.wav is not there"
    assert "empty.wav has no samples" in refusal(written("empty.wav", np.zeros(0)))


def test_the_plan_holds_the_hash_and_a_file_that_changed_is_refused(written, scene):
    resources = Resources(1, 4)
    step = Handset(HandsetSettings(file=written("phone.csv", "100,-20\n1000,0\n")))
    step.check(resources)
    plan = step.plan(TARGET, 0, resources)
    assert list(plan) == ["sha256"]
    assert len(plan["sha256"]) == 64
    written("phone.csv", "100,-20\n1000,1\n")
    with pytest.raises(ConditionError, match=r"phone\.csv is not the file that was planned with: plan again"):
        step.apply(NOISE, plan, scene(NOISE, resources))
    with pytest.raises(ConditionError, match="plan again"):
        step.apply(NOISE, {}, scene(NOISE, resources))


def test_the_same_content_under_another_name_is_the_same_handset(written, scene):
    content = "100,-20\n1000,0\n"
    steps = [Handset(HandsetSettings(file=written(name, content))) for name in ("a.csv", "b.csv")]
    plans = [step.plan(TARGET, 0, Resources(1, 4)) for step in steps]
    assert plans[0] == plans[1]


def test_a_table_may_go_beyond_the_band(written, gains_db):
    path = written("wide.csv", "10,-6\n1000,0\n20000,0\n")
    assert read_table(Path(path))[0].tolist() == [10, 1000, 20000]
    assert gains_db([5000, 7900], file=path) == pytest.approx([0, 0], abs=0.01)


def test_a_measured_phone_is_a_handset(optional_corpus, handset, speechlike):
    path = optional_corpus("rir").parent / "audio" / "smartphone_samsung_a52.flac"
    x = speechlike(3).astype(float)
    y = handset(x, file=str(path)).samples
    lags = np.arange(-40, 41)
    best = lags[int(np.argmax([np.sum(x[100:-100] * np.roll(y, -lag)[100:-100]) for lag in lags]))]
    assert abs(best) <= 4
    assert -20 < 10 * np.log10(np.mean(y**2) / np.mean(x**2)) < 10
