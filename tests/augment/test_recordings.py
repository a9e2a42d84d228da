"""Files to samples: speech, one channel of noise, impulse responses, and what is refused of each."""

import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from augment.errors import ConditionError
from augment.recordings import RecordingError, file_sha256, read, read_channel, read_response

FS = 16_000


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.RandomState(seed).randn(samples)


def refusal(reader, path: Path) -> RecordingError:
    with pytest.raises(RecordingError) as caught:
        reader(path)
    assert isinstance(caught.value, ConditionError)
    return caught.value


def test_speech_is_the_mean_of_its_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.column_stack([np.full(1600, 0.5), np.full(1600, -0.25)]), FS)
    samples = read(tmp_path / "a.wav")
    assert samples.dtype == np.float32
    assert samples == pytest.approx(0.125, abs=1e-4)


@pytest.mark.parametrize("channel", [0, 1])
def test_noise_is_one_channel_of_its_file_not_their_mean(tmp_path: Path, channel: int) -> None:
    values = np.array([[1, -1], [2, -2], [32767, -32768]], np.int16)
    soundfile.write(tmp_path / "a.wav", values, FS)
    samples = read_channel(tmp_path / "a.wav", channel)
    assert samples.dtype == np.float64
    assert np.array_equal(samples * 32768, values[:, channel])


@pytest.mark.parametrize("channel", [-1, 2])
def test_a_channel_that_is_not_there_is_refused(tmp_path: Path, channel: int) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((1600, 2)), FS)
    error = refusal(partial(read_channel, channel=channel), tmp_path / "a.wav")
    assert "a.wav" in str(error)
    assert "2 channel(s)" in str(error)
    assert str(channel) in str(error)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 44100, 48000])
def test_a_long_file_resampled_in_pieces_is_the_file_resampled_whole(tmp_path: Path, rate_hz: int) -> None:
    whole = noise(600_000)  # three pieces of 2^18
    soundfile.write(tmp_path / "a.wav", whole, rate_hz, subtype="FLOAT")
    samples = read_channel(tmp_path / "a.wav")
    expected = soxr.resample(np.float32(whole).astype(float), rate_hz, FS, quality="VHQ")
    assert samples.size == pytest.approx(600_000 * FS / rate_hz, abs=1)
    assert np.max(np.abs(samples - expected)) < 1e-9


def test_a_response_at_16_khz_is_read_as_it_is(tmp_path: Path) -> None:
    response = np.float32(noise(400))
    soundfile.write(tmp_path / "a.wav", response, FS, subtype="FLOAT")
    assert np.array_equal(read_response(tmp_path / "a.wav"), response)


@pytest.mark.parametrize("rate_hz", [8000, 44100, 96000])
def test_a_response_keeps_its_gain_at_every_frequency_whatever_its_rate(tmp_path: Path, rate_hz: int) -> None:
    times_s = np.arange(rate_hz // 2) / rate_hz
    response = np.exp(-((times_s - 0.1) ** 2) / 2e-7) * np.cos(2 * np.pi * 1000 * times_s)  # a band around 1 kHz
    soundfile.write(tmp_path / "a.wav", response, rate_hz, subtype="DOUBLE")
    samples = read_response(tmp_path / "a.wav")
    for hz in (600, 1000, 1500):
        before = abs(np.sum(np.float32(response) * np.exp(-2j * np.pi * hz * times_s)))
        after = abs(np.sum(samples * np.exp(-2j * np.pi * hz * np.arange(samples.size) / FS)))
        assert after == pytest.approx(before, rel=1e-3)


def test_a_stereo_response_is_refused_with_its_rate_and_what_to_do(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "rir.wav", noise(3000).reshape(-1, 2), 96_000)
    error = refusal(read_response, tmp_path / "rir.wav")
    for part in ("rir.wav", "one channel", "96000 Hz", "has 2", "keep one"):
        assert part in str(error)


@pytest.mark.parametrize("reader", [read, read_channel, read_response])
def test_every_reader_refuses_what_is_missing_broken_or_empty(reader, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("not audio")
    soundfile.write(tmp_path / "none.wav", np.zeros(0), FS)
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), FS, subtype="FLOAT")
    soundfile.write(tmp_path / "whole.flac", noise(FS), FS)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    found = {name: refusal(reader, tmp_path / name) for name in ("gone.wav", "text.wav", "none.wav", "nan.wav")}
    found["cut.flac"] = refusal(reader, tmp_path / "cut.flac")
    assert {name: error.problem for name, error in found.items()} == {
        "gone.wav": "missing_audio",
        "text.wav": "undecodable_audio",
        "none.wav": "empty_audio",
        "nan.wav": "undecodable_audio",
        "cut.flac": "undecodable_audio",
    }
    assert all(name in str(error) for name, error in found.items())
    assert not any(str(tmp_path) in str(error) for error in found.values())  # exclusions.csv is passed on


def test_a_file_that_changed_since_it_was_hashed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1600), FS)
    sha256 = file_sha256(path)
    assert read(path, sha256=sha256).size == 1600
    soundfile.write(path, noise(1600, seed=1), FS)
    assert refusal(partial(read, sha256=sha256), path).problem == "audio_changed"


def test_the_hash_of_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(file_sha256, tmp_path / "gone.wav").problem == "missing_audio"


def test_a_refusal_survives_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(RecordingError("audio_changed", "a.wav has changed")))
    assert type(error) is RecordingError
    assert (error.problem, str(error)) == ("audio_changed", "a.wav has changed")


def test_a_reader_sent_to_another_process_brings_no_pipeline_and_no_pandas_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1600), FS)
    (tmp_path / "sent").write_bytes(pickle.dumps(partial(read, path, sha256=file_sha256(path))))
    code = (
        "import pickle, sys; samples = pickle.load(open('sent', 'rb'))(); "
        "print(samples.size, sorted({'pipeline', 'pandas', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "1600 []\n"
