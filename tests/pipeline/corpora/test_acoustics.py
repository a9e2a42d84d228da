"""What is measured of a corpus's recordings: signals of known level, activity, noise, bandwidth and clipping."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline import tables
from pipeline.config import build
from pipeline.corpora import acoustics
from pipeline.corpora.acoustics import Recording
from pipeline.stages.load_utterances import measure_recordings

Samples = NDArray[np.float32]
RATES = (8_000, 16_000, 44_100)


def noise(seconds: float, rate_hz: int, *, dbov: float, below_hz: float | None = None, seed: int = 1) -> Samples:
    """White noise of one level, by a brick wall below ``below_hz``."""
    samples = np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))
    if below_hz is not None:
        spectrum = np.fft.rfft(samples)
        spectrum[np.fft.rfftfreq(samples.size, 1 / rate_hz) > below_hz] = 0
        samples = np.fft.irfft(spectrum, samples.size)
    return np.asarray(samples / np.sqrt(np.mean(samples**2)) * 10 ** (dbov / 20), dtype=np.float32)


def bursts(rate_hz: int, *, dbov: float = -26.0, floor_dbov: float | None = None) -> Samples:
    """Ten seconds: one second of noise, one second of pause; a floor lies under all of it."""
    samples = noise(10, rate_hz, dbov=dbov)
    samples[np.arange(samples.size) // rate_hz % 2 == 1] = 0
    return samples if floor_dbov is None else samples + noise(10, rate_hz, dbov=floor_dbov, seed=2)


def sound(samples: Samples, rate_hz: int) -> dict[str, Any]:
    return acoustics.sound(Recording(samples.reshape(len(samples), -1), rate_hz, "WAV/PCM_16"))


@pytest.mark.parametrize("rate_hz", RATES)
def test_level_and_activity_are_those_of_the_time_that_somebody_speaks(rate_hz: int) -> None:
    found = sound(bursts(rate_hz, floor_dbov=-70), rate_hz)
    # half of the time at -26 dBov; P.56 holds each burst for 0.2 s more: 5 x 1.2 s of 10 s, and 10 lg (1 / 1.2) lower
    assert found["active_level_dbov"] == pytest.approx(-26 - 0.8, abs=0.3)
    assert found["activity"] == pytest.approx(0.6, abs=0.04)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("snr_db", [15, 20, 30, 45])
def test_a_known_distance_between_speech_and_noise_is_estimated(rate_hz: int, snr_db: float) -> None:
    found = sound(bursts(rate_hz, floor_dbov=-26 - snr_db), rate_hz)
    assert found["noise_floor_dbov"] == pytest.approx(-26 - snr_db, abs=1)
    assert found["snr_estimated_db"] == pytest.approx(snr_db, abs=1.5)


def test_noise_that_hides_the_pauses_is_still_seen_as_too_much(optional_corpus: Callable[[str], Path]) -> None:
    folder = optional_corpus("timit_sample").parent / "audio"
    speech, rate_hz = soundfile.read(next(iter(sorted(folder.glob("*sa1*")))), dtype="float32")
    level = acoustics.sound(Recording(speech[:, None], rate_hz, ""))["active_level_dbov"]
    assert isinstance(level, float)
    for snr_db in (5, 10, 15, 25):
        noisy = speech + noise(len(speech) / rate_hz, rate_hz, dbov=level - snr_db)[: len(speech)]
        assert sound(noisy, rate_hz)["snr_estimated_db"] == pytest.approx(snr_db, abs=2.5)


def test_digital_silence_has_a_floor_of_minus_100_and_padding_has_none() -> None:
    assert sound(bursts(16_000), 16_000)["noise_floor_dbov"] == -100
    nothing = np.zeros(32_000, np.float32)
    padded = np.concatenate([nothing, bursts(16_000, floor_dbov=-56), nothing])
    assert sound(padded, 16_000)["noise_floor_dbov"] == pytest.approx(-56, abs=1)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.98])
def test_the_bandwidth_of_flat_noise_is_95_percent_of_its_upper_edge(rate_hz: int, share: float) -> None:
    edge_hz = share * rate_hz / 2
    found = sound(noise(3, rate_hz, dbov=-26, below_hz=edge_hz), rate_hz)
    assert found["bandwidth_hz"] == pytest.approx(0.95 * edge_hz, rel=0.03)


def test_the_bandwidth_is_that_of_speech_and_not_of_the_pauses_between() -> None:
    samples = noise(10, 16_000, dbov=-26, below_hz=3_000)
    samples[np.arange(samples.size) // 16_000 % 5 != 0] = 0  # four fifths are pause
    samples += noise(10, 16_000, dbov=-70, seed=2)  # wide-band hiss
    assert sound(samples, 16_000)["bandwidth_hz"] == pytest.approx(0.95 * 3_000, rel=0.05)


def test_only_runs_at_full_scale_are_clipped() -> None:
    samples = bursts(16_000, dbov=-40)
    samples[1000:1003] = 32767 / 32768  # three in a row
    samples[2000:2010] = -1.0  # ten
    samples[3000:3002] = 1.0  # a wave that reaches it
    samples[4000:4100] = 0.5  # a flat top lower down may be a codec's
    assert sound(samples, 16_000)["clipped_share"] == 13 / samples.size


@pytest.mark.parametrize(("low_hz", "rate_hz"), [(80, 48_000), (440, 16_000), (1_000, 8_000)])
def test_a_wave_that_just_fills_16_bits_is_not_clipped(low_hz: float, rate_hz: int) -> None:
    wave = np.round(32767 * np.sin(2 * np.pi * low_hz * np.arange(rate_hz) / rate_hz + 0.3)) / 32768
    assert acoustics.clipped_share(wave[:, None].astype(np.float32)) == 0


def test_one_clipped_channel_of_two_is_seen() -> None:
    wave = 2 * np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000)  # beyond full scale for two thirds of the time
    stereo = np.column_stack([np.clip(wave, -1, 1), noise(1, 16_000, dbov=-30)]).astype(np.float32)
    assert acoustics.clipped_share(stereo) == pytest.approx((2 / 3 + 0) / 2, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "subtype", "codec"),
    [
        ("WAV", "PCM_16", "WAV/PCM_16"),
        ("WAV", "ULAW", "WAV/ULAW"),
        ("FLAC", "PCM_24", "FLAC/PCM_24"),
        ("OGG", "VORBIS", "OGG/VORBIS"),
        ("MP3", "MPEG_LAYER_III", "MP3/MPEG_LAYER_III"),
    ],
)
def test_the_original_rate_and_codec_are_told(tmp_path: Path, kind: str, subtype: str, codec: str) -> None:
    soundfile.write(tmp_path / "a", bursts(44_100), 44_100, format=kind, subtype=subtype)
    found = acoustics.sound(acoustics.read(tmp_path / "a"))
    assert (found["sample_rate_hz"], found["codec"]) == (44_100, codec)


def utterances(folder: Path, files: dict[str, tuple[Samples | bytes | None, str]]) -> pd.DataFrame:
    """One utterance a file, at 16 kHz; bytes stand as they are, None is no file."""
    rows = []
    for name, (content, reference) in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif content is not None:
            soundfile.write(folder / name, content, 16_000)
        rows.append(
            {
                "utterance_id": name, "corpus": "c", "speaker_id": None, "accent": "a", "raw_accent": "a",
                "reference": reference, "audio": name, "audio_sha256": "0" * 64, "sample_rate_hz": 16_000,
                "duration_s": 1.0, "synthetic": False, "label_provenance": "",
            }
        )  # fmt: skip
    return tables.build(rows, tables.Utterances, where="test")


def measured(folder: Path, table: pd.DataFrame, *, workers: int = 2) -> pd.DataFrame:
    return acoustics.measure(table, lambda name: folder / name, workers=workers, advance=lambda done=1: None)


def test_nothing_is_left_out_whatever_cannot_be_measured(tmp_path: Path) -> None:
    files: dict[str, tuple[Samples | bytes | None, str]] = {
        "click.wav": (np.r_[np.zeros(8000), 0.001, np.zeros(8000)].astype(np.float32), "one"),
        "gone.wav": (None, "one"),
        "noise.wav": (b"no audio at all", "one"),
        "short.wav": (noise(0.01, 16_000, dbov=-20), "one"),
        "sound.wav": (bursts(16_000, floor_dbov=-66), "one two three"),
    }
    found = measured(tmp_path, utterances(tmp_path, files)).set_index("utterance_id")
    assert list(found.index) == list(files)
    for silent in ("click.wav", "gone.wav", "noise.wav"):
        assert found.loc[silent, ["active_level_dbov", "activity", "snr_estimated_db", "bandwidth_hz"]].isna().all()
    assert found.loc["gone.wav", "sample_rate_hz"] == 16_000
    assert pd.isna(found.loc["gone.wav", "codec"])
    assert found.loc["click.wav", "clipped_share"] == 0
    assert pd.isna(found.loc["short.wav", "bandwidth_hz"])
    # three words in the 6 s that P.56 calls active
    assert found.loc["sound.wav", "speech_rate_words_per_s"] == pytest.approx(0.5, abs=0.03)


def test_workers_and_row_order_change_nothing(tmp_path: Path) -> None:
    files: dict[str, tuple[Samples | bytes | None, str]] = {
        f"{seed}.wav": (noise(0.5, 16_000, dbov=-30 - seed, seed=seed), "one two") for seed in range(8)
    }
    table = utterances(tmp_path, files)
    one = measured(tmp_path, table, workers=1)
    pd.testing.assert_frame_equal(one, measured(tmp_path, table, workers=4))
    turned = measured(tmp_path, table.iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(one, turned.iloc[::-1].reset_index(drop=True))


def test_no_utterances_are_an_empty_table(tmp_path: Path) -> None:
    assert measured(tmp_path, utterances(tmp_path, {})).empty


@settings(max_examples=40, deadline=None)
@given(
    length=st.integers(0, 4_000),
    channels=st.integers(1, 3),
    rate_hz=st.sampled_from([2_000, 8_000, 11_025, 48_000]),
    scale=st.sampled_from([0.0, 1e-6, 0.1, 1.0, 1e4]),
    seed=st.integers(0, 5),
)
def test_any_finite_recording_is_measured_or_missing(
    length: int, channels: int, rate_hz: int, scale: float, seed: int
) -> None:
    samples = scale * np.random.default_rng(seed).standard_normal((length, channels)).astype(np.float32)
    found = acoustics.sound(Recording(samples.astype(np.float32), rate_hz, "WAV/FLOAT"))
    row = dict.fromkeys(tables.columns(tables.Acoustics)) | found | {"utterance_id": "u"}
    table = tables.build([row], tables.Acoustics, where="test")
    numbers = table.select_dtypes("number").to_numpy(dtype=float)
    assert not np.isinf(numbers).any()
    bandwidth_hz = table.loc[0, "bandwidth_hz"]
    assert pd.isna(bandwidth_hz) or bandwidth_hz <= rate_hz / 2


def test_measuring_says_how_far_it_is(
    tmp_path: Path, composed: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    table = utterances(tmp_path, {"a.wav": (bursts(16_000), "one")})
    corpus = build(composed("asr=scripted", "corpus=manifest", f"corpus.path={tmp_path / 'manifest.csv'}")).corpus
    with caplog.at_level(logging.INFO, logger="pipeline"):
        assert len(measure_recordings(table, corpus, workers=1)) == 1
    assert "measuring recordings: 1 of 1" in caplog.text
