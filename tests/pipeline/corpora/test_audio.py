"""Reading audio: formats, rates, channels, and everything that must be refused."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.corpora.audio import AudioError, probe, read_audio
from pipeline.records import Reason

FORMATS = [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")]
FORMATS += [("NIST", "PCM_16"), ("AIFF", "PCM_16"), ("WAV", "FLOAT")]


def tone(rate_hz: int, seconds: float = 0.5, hz: float = 440.0) -> np.ndarray:
    return 0.25 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def refusal(path: Path) -> Reason:
    with pytest.raises(AudioError) as caught:
        probe(path)
    return caught.value.reason


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_every_format_and_rate_becomes_16_khz_mono(tmp_path: Path, kind: str, subtype: str, rate_hz: int) -> None:
    path = tmp_path / "clip"
    soundfile.write(path, tone(rate_hz), rate_hz, format=kind, subtype=subtype)
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) - 8000) < 1200  # MP3 pads to whole frames of 1152 samples
    spectrum = np.abs(np.fft.rfft(samples[1000:7000] * np.hanning(6000)))
    assert np.argmax(spectrum) * 16000 / 6000 == pytest.approx(440, abs=4)
    assert np.abs(samples[1000:7000]).max() == pytest.approx(0.25, abs=0.03)
    info = probe(path)
    assert info.sample_rate_hz == rate_hz
    assert info.duration_s == pytest.approx(0.5, abs=0.15)
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("rate_hz", [11025, 22050, 44100])
def test_an_odd_rate_keeps_the_duration(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate_hz), rate_hz)
    assert abs(len(read_audio(tmp_path / "a.wav")) - 8000) <= 1


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = np.full(1600, 0.5), np.full(1600, -0.25)
    soundfile.write(tmp_path / "a.wav", np.column_stack([left, right]), 16000)
    assert read_audio(tmp_path / "a.wav") == pytest.approx(0.125, abs=1e-4)


def test_samples_at_16_khz_are_not_touched(tmp_path: Path) -> None:
    values = np.array([0, 1, -1, 32767, -32768], np.int16)
    soundfile.write(tmp_path / "a.wav", values, 16000)
    assert (read_audio(tmp_path / "a.wav") * 32768 == values).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(tmp_path: Path, bad: float) -> None:
    samples = tone(16000)
    samples[-1] = bad
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    assert refusal(tmp_path / "a.wav") is Reason.UNDECODABLE_AUDIO
    with pytest.raises(AudioError, match="NaN"):
        read_audio(tmp_path / "a.wav")


def test_a_file_without_samples_and_a_silent_one_are_empty(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    soundfile.write(tmp_path / "zeros.flac", np.zeros(1600), 16000)
    assert refusal(tmp_path / "none.wav") is Reason.EMPTY_AUDIO
    assert refusal(tmp_path / "zeros.flac") is Reason.EMPTY_AUDIO
    with pytest.raises(AudioError, match="no samples"):
        read_audio(tmp_path / "none.wav")


def test_a_missing_file_and_a_folder_are_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.wav") is Reason.MISSING_AUDIO
    assert refusal(tmp_path) is Reason.MISSING_AUDIO
    assert refusal(tmp_path / ("x" * 5000)) is Reason.MISSING_AUDIO


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"not audio at all", b"\0" * 4096, b"fLaC" + b"\xff" * 100], ids=lambda data: repr(data[:8])
)
def test_bytes_that_are_no_audio_are_undecodable(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(data)
    assert refusal(tmp_path / "a.wav") is Reason.UNDECODABLE_AUDIO


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "NIST", "AIFF", "MP3"])
def test_a_file_cut_in_half_is_undecodable(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "whole"
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000)
    soundfile.write(path, noise, 16000, format=kind)
    cut = tmp_path / "cut"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert probe(path).duration_s == pytest.approx(1, abs=0.15)
    assert refusal(cut) is Reason.UNDECODABLE_AUDIO


def test_a_piped_wav_that_declares_no_length_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000), 16000)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert probe(path).duration_s == pytest.approx(0.5)


@pytest.mark.parametrize("rate_hz", [1, 2_000_000])
def test_an_impossible_sample_rate_is_refused_before_it_fills_the_memory(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(16000), rate_hz)
    assert refusal(tmp_path / "a.wav") is Reason.UNDECODABLE_AUDIO


def test_a_raw_file_without_a_header_is_refused_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"\1\2" * 1000)
    assert refusal(tmp_path / "a.raw") is Reason.UNDECODABLE_AUDIO
