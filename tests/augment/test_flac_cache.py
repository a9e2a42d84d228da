"""Renderings kept as FLAC: bit by bit what was rendered, and made again where they are damaged."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augment.chain import Condition, PlanInput, Rendering
from augment.flac_cache import FlacCache
from augment.jobs import Job, Outcome, RenderingError, Trial
from augment.pool import RenderPool
from augment.recordings import file_sha256
from augment.rendering import finished
from augment.resources import Resources
from augment.source import Source

FS = 16_000


@pytest.fixture
def rendering(speechlike: Callable[..., np.ndarray]) -> Rendering:
    speech, level = Source(speechlike(1, 1.0)).leveled(-26.0)
    return finished(speech.samples, level, [])


def as_rendered(samples: np.ndarray) -> Rendering:
    """A rendering that came out as ``samples``."""
    return finished(samples / 32768, Source(np.tile([0.1, -0.1], FS)).leveled(-26.0)[1], [])


@settings(max_examples=40, deadline=None)
@given(samples=arrays(np.int16, st.integers(1, 5000), elements=st.integers(-32768, 32767), fill=st.just(7)))
def test_whatever_was_rendered_is_read_back_bit_by_bit(tmp_path_factory: pytest.TempPathFactory, samples) -> None:
    cache = FlacCache(tmp_path_factory.getbasetemp() / "any")
    made = as_rendered(samples)
    cache.put("ab", made)
    found = cache.get("ab")
    assert found is not None
    assert found.samples.dtype == np.int16
    assert np.array_equal(found.samples, samples)
    assert found.realised == made.realised


def test_what_was_never_kept_is_not_there(tmp_path: Path) -> None:
    assert FlacCache(tmp_path / "none").get("abcd") is None


def damage(path: Path, how: str, other: np.ndarray) -> None:
    flac, told = path.with_suffix(".flac"), path.with_suffix(".json")
    if how == "no audio":
        flac.unlink()
    elif how == "no values":
        told.unlink()
    elif how == "cut audio":
        flac.write_bytes(flac.read_bytes()[:400])
    elif how == "empty audio":
        flac.write_bytes(b"")
    elif how == "other audio":
        soundfile.write(flac, other, FS, subtype="PCM_16")
    elif how == "stereo":
        soundfile.write(flac, np.zeros((100, 2), np.int16), FS, subtype="PCM_16")
    elif how == "cut values":
        told.write_text(told.read_text()[:-10])
    elif how == "no object":
        told.write_text("[1]")
    elif how == "values of another version":
        told.write_text(json.dumps({"loudness": 3} | json.loads(told.read_text())))


KINDS = ["no audio", "no values", "cut audio", "empty audio", "other audio", "stereo", "cut values", "no object"]


@pytest.mark.parametrize("how", [*KINDS, "values of another version"])
def test_a_damaged_entry_counts_as_not_there_and_is_mended_by_the_next(
    tmp_path: Path, rendering: Rendering, how: str
) -> None:
    cache = FlacCache(tmp_path)
    cache.put("abcd", rendering)
    damage(tmp_path / "ab" / "abcd", how, rendering.samples[::-1])
    assert cache.get("abcd") is None
    cache.put("abcd", rendering)
    found = cache.get("abcd")
    assert found is not None
    assert np.array_equal(found.samples, rendering.samples)


def test_a_file_that_cannot_be_finished_leaves_the_old_one_and_no_other(
    tmp_path: Path, rendering: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FlacCache(tmp_path)
    cache.put("abcd", rendering)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        cache.put("abcd", replace(rendering, samples=rendering.samples[::-1]))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


class Study:
    """Two utterances under two conditions, each with and without speech."""

    def __init__(self, conditions: list[Condition], folder: Path, speechlike: Callable[..., np.ndarray]) -> None:
        self.conditions, self.resources = conditions, Resources(3, 4)
        self.paths = [folder / f"u{number}.wav" for number in range(2)]
        for number, path in enumerate(self.paths):
            soundfile.write(path, speechlike(number, 1.0), FS)
        self.jobs = [self._job(number, path) for number, path in enumerate(self.paths)]

    def _job(self, number: int, path: Path) -> Job:
        target = PlanInput(path.stem, "outsider", FS)
        trials = tuple(
            Trial(f"{path.stem}{one.name}", one.name, one.plan(target, number, self.resources), probe)
            for one in self.conditions
            for probe in ("speech", "noise_only")
        )
        return Job(path.stem, path, file_sha256(path), 1.0, trials)

    def rendered(self, cache: Path | None, workers: int = 0) -> list[Outcome]:
        with RenderPool(self.conditions, self.resources, workers=workers, cache=cache) as pool:
            return [outcome for _, outcome in pool.render(self.jobs, ahead=2)]


@pytest.fixture
def study(shipped: Callable[[str], Condition], tmp_path: Path, speechlike: Callable[..., np.ndarray]) -> Study:
    return Study([shipped("clean"), shipped("machine_tonal_5")], tmp_path, speechlike)


def same(one: list[Outcome], other: list[Outcome]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a.realised == b.realised and np.array_equal(a.samples, b.samples) for a, b in pairs)


@pytest.mark.parametrize("workers", [0, 1])
def test_what_the_cache_holds_is_not_rendered_again(study: Study, tmp_path: Path, workers: int) -> None:
    cache = tmp_path / "cache"
    plain = study.rendered(None)
    assert same(study.rendered(cache, workers), plain)
    assert len(list(cache.rglob("*.flac"))) == len(list(cache.rglob("*.json"))) == 8
    for path in study.paths:
        path.unlink()  # a second rendering would need them
    assert same(study.rendered(cache, workers), plain)
    assert [path for path in cache.iterdir() if path.name.startswith(".")] == []


def test_only_a_damaged_entry_is_rendered_again(study: Study, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = study.rendered(cache)
    times = {path: path.stat().st_mtime_ns for path in cache.rglob("*.*")}
    hurt = next(cache.rglob("u1machine_tonal_5.flac"))
    hurt.write_bytes(hurt.read_bytes()[:-100])
    study.paths[0].unlink()
    assert same(study.rendered(cache), before)
    changed = {path for path, at in times.items() if path.stat().st_mtime_ns != at}
    assert changed == {hurt, hurt.with_suffix(".json")}


def test_a_folder_that_cannot_be_written_to_is_a_sentence(study: Study, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RenderingError, match="file"):
        study.rendered(tmp_path / "file" / "cache")
    (tmp_path / "cache" / "u0").mkdir(parents=True)
    (tmp_path / "cache" / "u0").rmdir()
    (tmp_path / "cache" / "u0").write_text("in the way")
    with pytest.raises(RenderingError, match=r"^u0 under clean: .*render\.cache"):
        study.rendered(tmp_path / "cache")
