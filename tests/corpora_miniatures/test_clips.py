"""The clips of the miniatures are what their tests take them for."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.corpora.audio import probe
from tests.corpora_miniatures.clips import clip, write_clip


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg", "sphere"])
def test_a_clip_is_speech_to_the_reader_in_every_format(kind: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a" / "clip.x", "p225", "invented words", kind=kind, rate_hz=16_000)
    found = probe(path)
    assert found.sample_rate_hz == 16_000
    assert found.duration_s == pytest.approx(0.5, abs=0.08)  # MP3 pads


def test_a_sphere_file_holds_the_samples_of_its_clip(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(write_clip(tmp_path / "SA1.WAV", "x", kind="sphere"))
    assert rate_hz == 16_000
    np.testing.assert_allclose(samples, clip("x"), atol=2 / 32768)


def test_the_key_alone_decides_the_clip() -> None:
    assert np.array_equal(clip("a", "b"), clip("a", "b"))
    assert not np.allclose(clip("a", "b"), clip("ab"))
    assert np.abs(clip("a", "b")).max() < 0.4
