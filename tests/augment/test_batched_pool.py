"""A study's jobs in batches: the same trials in the same order as without, whatever has a batched form."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from augment.batched import BatchedPool, BatchedRenderer
from augment.batched import pool as batched_pool
from augment.chain import Condition, PlanInput, Rendering
from augment.flac_cache import FlacCache
from augment.jobs import Failure, Job, Outcome, RenderingError, Trial
from augment.pool import RenderPool
from augment.recordings import file_sha256
from augment.resources import Resources

torch = pytest.importorskip("torch")

FS = 16_000
NAMES = ("silence_pad", "clean", "landline_g711", "gsm_fr", "handset_pool")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread: the tests already run in as many processes as there are cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def resources() -> Resources:
    return Resources(20261122, 8)


@pytest.fixture
def conditions(shipped: Callable[[str], Condition]) -> list[Condition]:
    return [shipped(name) for name in NAMES]


@pytest.fixture
def work(
    tmp_path: Path, speechlike: Callable[..., np.ndarray], conditions: list[Condition], resources: Resources
) -> list[Job]:
    """Five recordings under five conditions, one of them also without its talker."""
    jobs = []
    for number in range(5):
        path = tmp_path / f"u{number}.wav"
        soundfile.write(path, speechlike(number, 0.8 + 0.1 * number), FS)
        target = PlanInput(path.stem, "stranger", soundfile.info(path).frames)
        planned = [(one.name, one.plan(target, number, resources)) for one in conditions]
        trials = [Trial(f"{path.stem}-{name}", name, plan) for name, plan in planned]
        trials.append(Trial(f"{path.stem}-x", *planned[-1], "noise_only"))
        jobs.append(Job(path.stem, path, file_sha256(path), target.samples_16k / FS, tuple(trials)))
    return jobs


def in_processes(work: list[Job], conditions: list[Condition], resources: Resources) -> list[tuple[str, Outcome]]:
    with RenderPool(conditions, resources, workers=0) as pool:
        return [(trial.key, outcome) for trial, outcome in pool.render(work, ahead=4)]


def in_batches(
    work: list[Job], conditions: list[Condition], resources: Resources, cache: FlacCache | None = None, workers: int = 0
) -> list[tuple[str, Outcome]]:
    with RenderPool(conditions, resources, workers=workers) as pool:
        batched = BatchedPool(pool, BatchedRenderer("cpu", resources), conditions, cache)
        return [(trial.key, outcome) for trial, outcome in batched.render(iter(work), ahead=4)]


def assert_alike(found: list[tuple[str, Outcome]], expected: list[tuple[str, Outcome]]) -> None:
    assert [key for key, _ in found] == [key for key, _ in expected]
    for (key, one), (_, other) in zip(found, expected, strict=True):
        if isinstance(other, Failure):
            assert one == other
        else:
            assert isinstance(one, Rendering), key
            assert np.max(np.abs(one.samples.astype(int) - other.samples)) <= 1


def test_the_trials_come_in_order_and_as_the_processes_render_them(
    work: list[Job], conditions: list[Condition], resources: Resources
) -> None:
    assert_alike(in_batches(work, conditions, resources), in_processes(work, conditions, resources))


@pytest.mark.slow
def test_processes_render_what_has_no_batched_form(
    work: list[Job], conditions: list[Condition], resources: Resources
) -> None:
    assert_alike(in_batches(work, conditions, resources, workers=2), in_processes(work, conditions, resources))


@pytest.mark.slow
def test_small_batches_give_the_same_as_large_ones(
    work: list[Job], conditions: list[Condition], resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = in_batches(work, conditions, resources)
    monkeypatch.setattr(batched_pool, "_UTTERANCES", 2)
    assert_alike(in_batches(work, conditions, resources), expected)
    monkeypatch.setattr(batched_pool, "_HEARD_S", 0.5)
    assert_alike(in_batches(work, conditions, resources), expected)


def test_what_cannot_be_read_or_rendered_is_told_as_the_processes_tell_it(
    work: list[Job], conditions: list[Condition], resources: Resources
) -> None:
    soundfile.write(work[1].place, np.zeros(FS), FS)
    work[1] = Job("silent", work[1].place, file_sha256(work[1].place), 1.0, work[1].trials)
    work[2].place.write_bytes(b"")
    work[3].place.unlink()
    found = in_batches(work, conditions, resources)
    assert_alike(found, in_processes(work, conditions, resources))
    kinds = {key[:2]: one.kind for key, one in found if isinstance(one, Failure)}
    assert kinds["u1"] == "no_active_speech"
    assert kinds["u3"] == "missing_audio"
    assert {"u0", "u4"}.isdisjoint(kinds)


def test_what_the_cache_holds_is_not_rendered_again(
    work: list[Job], conditions: list[Condition], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FlacCache(tmp_path / "cache")
    first = in_batches(work, conditions, resources, cache)
    monkeypatch.setattr(BatchedRenderer, "render", lambda *_, **__: pytest.fail("rendered again"))
    assert_alike(in_batches(work, conditions, resources, cache), first)


def test_a_full_disk_and_a_full_card_are_one_sentence_each(
    work: list[Job], conditions: list[Condition], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(RenderingError, match=r"u0 under clean: .*render\.cache"):
        in_batches(work, conditions, resources, FlacCache(tmp_path / "cache"))

    class OutOfMemoryError(RuntimeError):
        pass

    def full(*_: object, **__: object) -> None:
        raise OutOfMemoryError

    monkeypatch.setattr(BatchedRenderer, "render", full)
    with pytest.raises(RenderingError, match=r"render\.device: its memory does not hold a batch under clean"):
        in_batches(work, conditions, resources)
