"""Rendering in processes: the same samples as in one, sentences for what fails, and nothing left behind."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import soundfile

from augment.chain import Acoustics, Condition, ConditionSettings, PlanInput, Realised, Rendering, build_condition
from augment.jobs import Failure, Job, Outcome, RenderingError, Trial
from augment.pool import RenderPool
from augment.recordings import file_sha256, read
from augment.resources import Resources, Talker, TalkerRecording

FS = 16_000
NAMES = ("clean", "babble_10", "far_field", "mobile_amr59_loss3", "silence_pad")
OUTSIDE = Path(__file__).parent / "outside"
CLIP_S = 1.2


@pytest.fixture
def voices(tmp_path: Path, speechlike: Callable[..., np.ndarray]) -> list[Path]:
    """Eight speech-like files."""
    paths = [tmp_path / f"v{number}.wav" for number in range(8)]
    for number, path in enumerate(paths):
        soundfile.write(path, speechlike(number, CLIP_S), FS)
    return paths


@pytest.fixture
def pool_of(voices: list[Path]) -> Callable[[], Resources]:
    """Return a maker of new resources, whose talkers are the eight voices."""
    talkers = [
        Talker(path.stem, "abc"[number % 3], path.stem, (TalkerRecording(file_sha256(path), partial(read, path)),))
        for number, path in enumerate(voices)
    ]
    return lambda: Resources(11, 8, talkers)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for temporary files, so that what stays there can be seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Condition]:
    """Return a maker of conditions with one step of another distribution."""
    monkeypatch.syspath_prepend(OUTSIDE)

    def make(step: str) -> Condition:
        described = ConditionSettings(version=1, family="channel", description="d", steps=[{"kind": "it"}])
        step_types = {"it": getattr(import_module("outside_steps"), step)}
        return build_condition(step.lower(), described, step_types=step_types, acoustics=Acoustics())

    return make


def jobs(paths: Sequence[Path], conditions: Sequence[Condition], resources: Resources) -> list[Job]:
    """A job a file, each in a slot of its own."""
    made = []
    for path in paths:
        target = PlanInput(path.stem, "outsider", round(CLIP_S * FS))
        planned = [(one.name, one.plan(target, int(path.stem[1:]), resources)) for one in conditions]
        trials = tuple(Trial(f"{path.stem}-{name}", name, plan) for name, plan in planned)
        made.append(Job(path.stem, path, file_sha256(path), CLIP_S, trials))
    return made


def outcomes(
    work: Sequence[Job], conditions: Sequence[Condition], resources: Resources, workers: int = 0, **options: object
) -> dict[str, Outcome]:
    with RenderPool(conditions, resources, workers=workers, **options) as pool:
        return {trial.key: outcome for trial, outcome in pool.render(work, ahead=4)}


def heard(found: dict[str, Outcome]) -> dict[str, Realised]:
    """The hash of the samples of every rendering, and all that was measured of it."""
    return {key: one.realised for key, one in found.items() if isinstance(one, Rendering)}


def nothing_left(place: Path) -> bool:
    return multiprocessing.active_children() == [] and list(place.iterdir()) == []


@pytest.mark.slow
def test_one_or_four_processes_shuffled_resumed_or_a_part_give_the_same_samples(
    shipped: Callable[[str], Condition], voices: list[Path], pool_of: Callable[[], Resources], place: Path
) -> None:
    conditions = [shipped(name) for name in NAMES]
    work = jobs(voices, conditions, pool_of())
    expected = heard(outcomes(work, conditions, pool_of()))
    assert len(expected) == len(voices) * len(NAMES)
    assert len({one.audio_sha256 for one in expected.values()}) > 0.9 * len(expected)
    assert heard(outcomes(work, conditions, pool_of(), workers=1)) == expected
    shuffled = random.Random(3).sample(work, len(work))
    assert heard(outcomes(shuffled, conditions, pool_of(), workers=4)) == expected
    resumed = heard(outcomes(work[:3], conditions, pool_of())) | heard(outcomes(work[3:], conditions, pool_of()))
    assert resumed == expected
    part = outcomes(jobs(voices[6:], conditions[1:3], pool_of()), conditions[1:3], pool_of())
    assert heard(part).items() < expected.items()
    assert len(part) == 4
    assert nothing_left(place)


def test_rendering_leaves_the_global_random_states_and_the_environment_alone(
    shipped: Callable[[str], Condition], voices: list[Path], pool_of: Callable[[], Resources]
) -> None:
    conditions = [shipped("babble_10"), shipped("far_field")]
    work = jobs(voices[:2], conditions, pool_of())
    before = random.getstate(), np.random.get_state()[1].copy(), dict(os.environ)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    for workers in (0, 1):
        outcomes(work, conditions, pool_of(), workers=workers)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert dict(os.environ) == before[2]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == mask


def test_a_process_computes_in_one_thread_deaf_to_ctrl_c_without_pandas_torch_or_hydra(
    outside: Callable[[str], Condition], voices: list[Path], pool_of: Callable[[], Resources]
) -> None:
    spy = outside("Spy")
    (found,) = outcomes(jobs(voices[:1], [spy], pool_of()), [spy], pool_of(), workers=1).values()
    assert isinstance(found, Rendering)
    (seen,) = json.loads(found.realised.steps)
    assert seen["process"] != os.getpid()
    assert seen["threads"] == "1"
    assert seen["deaf_to_ctrl_c"] == 1
    modules = set(json.loads(seen["modules"]))
    assert modules & {"pandas", "torch", "hydra", "pipeline", "matplotlib", "librosa"} == set()
    assert {"numpy", "augment.chain", "outside_steps"} <= modules


@pytest.mark.parametrize("workers", [0, 1])
def test_what_cannot_be_rendered_is_named_and_does_not_stop_the_rest(
    shipped: Callable[[str], Condition], outside: Callable[[str], Condition], voices: list[Path],
    pool_of: Callable[[], Resources], workers: int,
) -> None:  # fmt: skip
    conditions = [shipped("clean"), outside("Refusing")]
    soundfile.write(voices[0], np.zeros(FS), FS)
    work = jobs(voices[:4], conditions, pool_of())
    soundfile.write(voices[1], np.full(FS, 0.1), FS)  # after it was hashed
    voices[2].unlink()
    found = outcomes(work, conditions, pool_of(), workers=workers)
    kinds = {key: one.kind for key, one in found.items() if isinstance(one, Failure)}
    assert kinds == {
        "v0-clean": "no_active_speech",
        "v0-refusing": "no_active_speech",
        "v1-clean": "audio_changed",
        "v1-refusing": "audio_changed",
        "v2-clean": "missing_audio",
        "v2-refusing": "missing_audio",
        "v3-refusing": "condition_not_applied",
    }
    assert list(found) == [trial.key for job in work for trial in job.trials]
    assert all(one.message.startswith(key[:2]) for key, one in found.items() if isinstance(one, Failure))
    assert "v0 under clean: " in found["v0-clean"].message
    told = found["v3-refusing"].message
    assert told == "v3 under refusing: conditions.refusing.steps.0 (it): the kettle is on"


def test_a_process_that_is_killed_ends_the_run_with_a_sentence_that_names_the_utterance(
    shipped: Callable[[str], Condition], outside: Callable[[str], Condition], voices: list[Path],
    pool_of: Callable[[], Resources], place: Path,
) -> None:  # fmt: skip
    conditions = [shipped("clean"), outside("Deadly")]
    first, second = jobs(voices[:2], conditions[:1], pool_of()), jobs(voices[2:3], conditions, pool_of())
    with pytest.raises(RenderingError, match=r"^v2: .*killed by signal 9.*memory.*render\.workers"):
        outcomes([*first, *second], conditions, pool_of(), workers=1)
    assert nothing_left(place)


def test_a_bug_in_a_step_ends_the_run_with_its_traceback_and_what_was_rendered(
    outside: Callable[[str], Condition], voices: list[Path], pool_of: Callable[[], Resources], place: Path
) -> None:
    broken = outside("Broken")
    work = jobs(voices[:1], [broken], pool_of())
    with pytest.raises(RuntimeError) as caught:
        outcomes(work, [broken], pool_of(), workers=1)
    for part in ("Traceback", "outside_steps.py", "nobody foresaw this", "while rendering v0 under broken"):
        assert part in str(caught.value)
    with pytest.raises(KeyError) as here:
        outcomes(work, [broken], pool_of())
    assert here.value.__notes__ == ["while rendering v0 under broken"]
    assert nothing_left(place)


def test_an_error_of_whoever_listens_ends_the_processes_at_once(
    shipped: Callable[[str], Condition], outside: Callable[[str], Condition], voices: list[Path],
    pool_of: Callable[[], Resources], place: Path,
) -> None:  # fmt: skip
    conditions = [shipped("clean"), outside("Slow")]
    work = jobs(voices[:1], conditions[:1], pool_of()) + jobs(voices, conditions, pool_of())

    def listen() -> None:
        with RenderPool(conditions, pool_of(), workers=1) as pool:
            for _ in pool.render(work, ahead=1):
                raise ZeroDivisionError

    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        listen()
    assert time.monotonic() - start < 15  # one step alone sleeps for 30 s
    assert nothing_left(place)


def test_no_more_is_rendered_ahead_than_was_asked_for_whatever_the_corpus(
    shipped: Callable[[str], Condition], voices: list[Path], pool_of: Callable[[], Resources]
) -> None:
    clean = shipped("clean")
    (one,) = jobs(voices[:1], [clean], pool_of())
    taken: list[int] = []

    def endless() -> Iterator[Job]:
        for number in count():
            taken.append(number)
            yield one

    with RenderPool([clean], pool_of(), workers=1) as pool:
        stream = pool.render(endless(), ahead=10)
        for given in range(1, 30):
            next(stream)
            assert len(taken) <= given + 10 + 1


def test_a_long_recording_is_rendered_in_parts_so_that_its_renderings_are_not_all_in_memory() -> None:
    trials = tuple(Trial(str(number), "c", {}) for number in range(29))
    short, long = (Job("u", Path("u.wav"), "0" * 64, duration_s, trials) for duration_s in (8.0, 250.0))
    assert list(short.pieces()) == [short]
    parts = list(long.pieces())
    assert [trial for part in parts for trial in part.trials] == list(trials)
    assert max(part.rendered_s for part in parts) <= 600
    assert [len(part.trials) for part in Job("u", Path("u.wav"), "", 7200.0, trials[:2]).pieces()] == [1, 1]


PROGRAM = """
import sys, tempfile
from itertools import count
from pathlib import Path
from augment.chain import Acoustics, ConditionSettings, build_condition
from augment.jobs import Job, Trial
from augment.pool import RenderPool
from augment.recordings import file_sha256
from augment.resources import Resources

if __name__ == "__main__":
    path = Path("v0.wav")
    clean = ConditionSettings(version=1, family="reference", description="d")
    conditions = [build_condition("clean", clean, step_types={}, acoustics=Acoustics())]
    jobs = (Job(f"u{n}", path, file_sha256(path), 1.2, (Trial(str(n), "clean", {}),)) for n in count())
    try:
        with RenderPool(conditions, Resources(0, 1), workers=2, cache=Path("cache")) as pool:
            for number, _ in enumerate(pool.render(jobs, ahead=8)):
                if number in (0, 50):
                    print(number, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "started"),
    [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGKILL, True)],
    ids=["Ctrl-C at the start", "Ctrl-C", "terminated", "killed"],
)
def test_ctrl_c_or_a_kill_leaves_no_process_and_no_temporary_file(
    voices: list[Path], tmp_path: Path, place: Path, end: signal.Signals, started: bool
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    process = subprocess.Popen(
        [sys.executable, "program.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=os.environ | {"TMPDIR": str(place)}, preexec_fn=_heed_interrupts,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if started:
            while process.stdout.readline() != "50\n":
                assert process.poll() is None
        else:
            while not list(place.glob("asr-render-*")):  # the processes are being started
                time.sleep(0.01)
        if end is signal.SIGINT:
            os.killpg(process.pid, end)  # as a terminal sends it: to the program and its processes alike
        else:
            process.send_signal(end)
        out, told = process.communicate(timeout=30)
        _wait_until_gone(process.pid)
        assert list(place.iterdir()) == []
        kept = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
        assert {path.suffix for path in kept} <= {".flac", ".json"}
        if end is signal.SIGINT:
            assert out.endswith("stopped\n")
            assert told == ""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _heed_interrupts() -> None:
    """Heed Ctrl-C also where these tests run in the background, whose programs ignore it from the start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _wait_until_gone(group: int) -> None:
    """Return when no process of the group is left."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"processes of group {group} are still there")
