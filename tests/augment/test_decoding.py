"""Places to samples: parts of recordings, streams that are no files, and what is refused before it is decoded."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from augment import decoding
from augment.decoding import LONGEST_S, RecordingError, opened
from augment.places import Span
from augment.recordings import file_sha256, probe, read

FS = 16_000


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.RandomState(seed).randn(samples)


def problem(place, **options) -> str:
    with pytest.raises(RecordingError) as caught, opened(place, **options) as recording:
        list(recording.blocks())
    return caught.value.problem


@dataclass(frozen=True)
class InMemory:
    """A recording that is no file."""

    data: bytes
    name: str = "cell"

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "NIST", "AIFF", "MP3", "OGG"])
def test_a_stream_is_heard_and_hashed_as_the_file_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, noise(8000), FS, format=kind)
    stored = InMemory(path.read_bytes())
    assert probe(stored) == probe(path)
    assert np.array_equal(read(stored, sha256=file_sha256(path)), read(path))


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "NIST", "AIFF", "MP3"])
def test_a_stream_cut_in_half_is_refused_by_its_name(tmp_path: Path, kind: str) -> None:
    soundfile.write(tmp_path / "a", noise(16000), FS, format=kind)
    data = (tmp_path / "a").read_bytes()
    with pytest.raises(RecordingError, match="cell cannot be decoded") as caught:
        probe(InMemory(data[: len(data) // 2]))
    assert caught.value.problem == "undecodable_audio"


def test_a_stream_that_is_not_what_was_hashed_has_changed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(800), FS)
    with pytest.raises(RecordingError) as caught:
        read(InMemory((tmp_path / "a.wav").read_bytes()), sha256="0" * 64)
    assert caught.value.problem == "audio_changed"


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_a_part_is_the_samples_between_its_seconds(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    soundfile.write(path, np.column_stack([noise(8000), noise(8000, 1)]), 8000, format=kind)
    part = Span(path, 0.25, 0.5)
    with opened(path) as recording:
        whole = np.concatenate([block for _, block in recording.blocks()])
    with opened(part) as recording:
        samples = np.concatenate([block for _, block in recording.blocks()])
        heard = recording.sha256()
    assert np.allclose(samples, whole[2000:4000], atol=1e-6)
    assert heard == hashlib.sha256(b"8000 2\n" + samples.astype("<f4").tobytes()).hexdigest()
    info = probe(part)
    assert (info.sample_rate_hz, info.duration_s, info.sha256) == (8000, 0.25, heard)
    assert read(part, sha256=heard).size == 4000


def test_what_lies_beside_a_part_does_not_change_its_hash_and_a_sample_in_it_does(tmp_path: Path) -> None:
    samples, path = noise(8000), tmp_path / "a.wav"
    soundfile.write(path, samples, FS)
    before = probe(Span(path, 0.1, 0.2)).sha256
    samples[4000] = 0.5
    soundfile.write(path, samples, FS)
    assert probe(Span(path, 0.1, 0.2)).sha256 == before
    samples[2000] = 0.5
    soundfile.write(path, samples, FS)
    assert probe(Span(path, 0.1, 0.2)).sha256 != before
    with pytest.raises(RecordingError) as caught:
        read(Span(path, 0.1, 0.2), sha256=before)
    assert caught.value.problem == "audio_changed"
    assert "0.1 s to 0.2 s" in str(caught.value)


def test_a_part_may_overshoot_the_end_by_half_a_second_and_no_more(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(FS), FS)
    assert probe(Span(tmp_path / "a.wav", 0.5, 1.4)).duration_s == 0.5
    assert problem(Span(tmp_path / "a.wav", 0.5, 1.6)) == "undecodable_audio"
    assert problem(Span(tmp_path / "a.wav", 1.0, 1.4)) == "undecodable_audio"


def test_a_part_of_a_recording_that_is_cut_before_it_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", noise(5 * FS), FS)
    data = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(data[: len(data) // 2])
    assert problem(Span(tmp_path / "a.flac", 4.0, 4.5)) == "undecodable_audio"
    assert probe(Span(tmp_path / "a.flac", 0.5, 1.0)).duration_s == 0.5


def test_a_recording_of_ten_hours_is_refused_by_its_header_and_a_part_of_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, noise(8000), 8000, subtype="PCM_U8")
    data, size = bytearray(path.read_bytes()), 10 * 3600 * 8000
    data[4:8], data[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.truncate(44 + size)  # a hole: it takes no room
    assert probe(Span(path, 0.0, 0.5)).duration_s == 0.5
    monkeypatch.setattr(soundfile.SoundFile, "read", None)  # nothing is decoded
    with pytest.raises(
        RecordingError, match=f"36000 s .* more than {LONGEST_S:g} s .* cut it into utterances"
    ) as caught:
        probe(path)
    assert caught.value.problem == "too_long"


def test_a_stream_that_says_nothing_of_its_length_is_refused_once_it_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.flac", noise(FS), FS)
    monkeypatch.setattr(decoding, "_UNKNOWN_FRAMES", 0)  # whatever the header says counts as nothing
    assert probe(tmp_path / "a.flac").duration_s == 1.0
    assert problem(tmp_path / "a.flac", longest_s=0.5) == "too_long"


def test_what_would_fill_the_memory_when_decoded_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros((FS, 4)), FS)
    monkeypatch.setattr(decoding, "MOST_VALUES", 4 * FS - 1)
    assert problem(tmp_path / "a.flac") == "too_long"
