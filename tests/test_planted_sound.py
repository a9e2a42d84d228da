"""Groups whose recordings were made differently on purpose: the card finds how, and nothing where nothing is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr

from pipeline.config import build
from pipeline.run import run

ACCENTS = ("plain", "narrow", "noisy", "clipped", "also plain")
RATE_HZ = 16_000


@pytest.fixture
def card(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """Return a runner of a study in which ``change(accent, samples)`` makes the recordings and their sample rate."""

    def write(change: Callable[[str, np.ndarray], tuple[np.ndarray, int]]) -> tuple[Path, dict[str, Any]]:
        manifest = make_corpus(accents=ACCENTS, speakers=3)
        for place, accent in enumerate(ACCENTS):
            for path in sorted((manifest.parent / "audio").glob(f"a{place}_*.wav")):
                made, rate_hz = change(accent, _speech(int(path.stem[-2:]) + 10 * int(path.stem[-4:-3])))
                soundfile.write(path, made, rate_hz)
        raw = composed(*manifest_overrides(manifest), "asr=scripted", "conditions=[clean]", "normalizer=[verbatim]",
                       "card.main_normalizer=verbatim")  # fmt: skip
        folder = run(build(raw), store_path=tmp_path / "store.db", overrides=[]).folder
        return folder, json.loads((folder / "card.json").read_text())["numbers"]

    return write


def _speech(seed: int) -> np.ndarray:
    """Bursts of noise up to 7 kHz at -26 dBov, 0.4 s in every 0.8 s, over a floor 45 dB lower."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(4 * RATE_HZ))
    spectrum[np.fft.rfftfreq(4 * RATE_HZ, 1 / RATE_HZ) > 7_000] = 0
    voice = np.fft.irfft(spectrum)
    voice *= 10 ** (-26 / 20) / voice.std()
    voice[np.arange(voice.size) // (2 * RATE_HZ // 5) % 2 == 1] = 0
    return voice + 10 ** (-71 / 20) * rng.standard_normal(voice.size)


def _as_planted(accent: str, samples: np.ndarray) -> tuple[np.ndarray, int]:
    if accent == "narrow":
        return soxr.resample(samples, RATE_HZ, 8_000), 8_000
    if accent == "noisy":
        return samples + 10 ** (-44 / 20) * np.random.default_rng(9).standard_normal(samples.size), RATE_HZ
    if accent == "clipped":
        return np.clip(np.repeat(20 * samples[::8], 8), -1, 1), RATE_HZ  # held for 8 samples, so that tops are flat
    return samples, RATE_HZ


def test_planted_differences_are_found_with_their_size(card: Callable[..., tuple[Path, dict[str, Any]]]) -> None:
    folder, numbers = card(_as_planted)
    sounds = {item["key"]["accent"]: item for item in numbers["sounds"]}
    # P.56 holds each burst for 0.2 s more: 0.6 s of every 0.8 s are active, at 10 lg (0.4 / 0.6) of the bursts' level
    assert sounds["noisy"]["snr_estimated_median_db"] == pytest.approx(18 - 1.8, abs=1)
    assert sounds["plain"]["snr_estimated_median_db"] == pytest.approx(45 - 1.8, abs=1)
    assert sounds["narrow"]["bandwidth_median_hz"] == pytest.approx(0.95 * 3_900, rel=0.04)
    assert sounds["plain"]["bandwidth_median_hz"] == pytest.approx(0.95 * 7_000, rel=0.03)
    assert sounds["clipped"]["clipped_recordings_share"] == 1
    assert sounds["plain"]["clipped_recordings_share"] == 0
    assert sounds["plain"]["n_measured"] == 6
    found = {(point["what"], point["lowest"], point["highest"]) for point in numbers["starting_points"]}
    assert ("snr_too_low", "noisy", "noisy") in found
    assert {what for what, lowest, _ in found if lowest == "noisy"} == {"snr_too_low", "snr_apart"}
    assert {highest for what, _, highest in found if what == "clipping_apart"} == {"clipped"}
    assert {lowest for what, lowest, _ in found if what == "bandwidth_apart"} == {"narrow"}
    rates = {point["sample_rate_hz"] for point in numbers["starting_points"] if point["what"] == "format_apart"}
    assert rates == {8_000, 16_000}
    exported = pd.read_csv(folder / "acoustics.csv", keep_default_na=False)
    assert len(exported) == 6 * len(ACCENTS)
    assert set(exported["codec"]) == {"WAV/PCM_16"}


def test_equal_recordings_give_no_warning(card: Callable[..., tuple[Path, dict[str, Any]]]) -> None:
    _, numbers = card(lambda _, samples: (samples, RATE_HZ))
    assert numbers["starting_points"] == []
    assert {item["n_measured"] for item in numbers["sounds"]} == {6}
