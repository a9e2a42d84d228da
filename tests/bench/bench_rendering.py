"""What rendering costs: single steps, the ``core`` conditions, processes, memory, and the same chain elsewhere.

Run by hand: ``python tests/bench/bench_rendering.py [steps core elsewhere workers memory]``. Prints CPU milliseconds a
clip of 8 s (user and system, one thread) and ratios; machines differ, ratios less. ``elsewhere`` needs audiomentations.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import hashlib
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
import yaml

from augment import SAMPLE_RATE_HZ
from augment.chain import Acoustics, Condition, ConditionSettings, PlanInput, Source, build_condition
from augment.jobs import Failure, Job, Trial
from augment.level import active_speech_level
from augment.pool import RenderPool
from augment.recordings import file_sha256, read
from augment.resources import Resources, Talker, TalkerRecording
from augment.step import Scene

CONF = Path(__file__).resolve().parents[2] / "conf" / "conditions"
CLIP_S = 8.0
CLIPS = 24
STEP_TYPES = {point.name: point.load() for point in entry_points(group="augment.steps")}

ROOM = {"kind": "reverb", "room": {"kind": "synthetic", "rt60_s": 0.5, "drr_db": 0.0}}
NOISE = {"kind": "add_noise", "source": {"kind": "babble"}, "snr_db": 10}
TELEPHONE = [
    {"kind": "filter", "high_pass_hz": 300, "low_pass_hz": 3400},
    {"kind": "codec", "name": "g711", "law": "mu"},
]


def speechlike(seed: int) -> np.ndarray:
    """Return a harmonic complex in syllables, with a pause every 1.5 s."""
    rng = np.random.RandomState(seed)
    time_s = np.arange(round(CLIP_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch_hz = 100 + 100 * rng.rand()
    voice = sum(np.sin(2 * np.pi * (pitch_hz * k * time_s + rng.rand())) / k for k in range(1, int(7000 / pitch_hz)))
    syllables = np.maximum(0, np.sin(4 * np.pi * time_s)) ** 2 * (time_s % 1.5 < 1.2)
    return np.asarray(0.1 * voice * syllables + 1e-5 * rng.randn(time_s.size), dtype=np.float32)


def clips(folder: Path) -> list[Path]:
    """Write the recordings of 24 speakers, one each."""
    paths = [folder / f"v{number:02d}.wav" for number in range(CLIPS)]
    for number, path in enumerate(paths):
        soundfile.write(path, speechlike(number), SAMPLE_RATE_HZ)
    return paths


def built(name: str, steps: Sequence[dict[str, Any]]) -> Condition:
    """Return a condition of these steps."""
    described = ConditionSettings(version=1, family="last_mile", description="d", steps=list(steps))
    return build_condition(name, described, step_types=STEP_TYPES, acoustics=Acoustics())


def shipped(name: str) -> Condition:
    """Return a condition of ``conf/``."""
    content = yaml.safe_load((CONF / f"{name}.yaml").read_text())[name]
    return build_condition(
        name, ConditionSettings.model_validate(content), step_types=STEP_TYPES, acoustics=Acoustics()
    )


def core() -> list[Condition]:
    """Return the conditions of ``conditions=core``."""
    return [shipped(name) for name in yaml.safe_load((CONF / "core.yaml").read_text())["defaults"]]


def resources(paths: Sequence[Path], recordings: int = CLIPS) -> Resources:
    """Return resources whose pool holds ``recordings`` recordings of 24 talkers in three accents."""
    of = [[TalkerRecording(f"{n:064d}", partial(read, path)) for n in range(number, recordings, CLIPS)]
          for number, path in enumerate(paths)]  # fmt: skip
    return Resources(1, 32, [Talker(f"t{n:02d}", "abc"[n % 3], f"v{n:02d}", tuple(one)) for n, one in enumerate(of)])


def jobs(paths: Sequence[Path], conditions: Sequence[Condition], shared: Resources, count: int) -> Iterator[Job]:
    """Yield ``count`` utterances, each under all ``conditions``."""
    sha256 = {path: file_sha256(path) for path in paths}
    for number in range(count):
        path = paths[number % CLIPS]
        target = PlanInput(f"u{number}", path.stem, round(CLIP_S * SAMPLE_RATE_HZ))
        planned = ((one.name, one.plan(target, number % shared.slots, shared)) for one in conditions)
        trials = tuple(Trial(f"{number}-{name}", name, plan) for name, plan in planned)
        yield Job(f"u{number}", path, sha256[path], CLIP_S, trials)


def cpu_ms(work: Callable[[int], object], repeats: int = 3 * CLIPS) -> float:
    """Return the median CPU milliseconds of one call, after one round of calls that fill the caches."""
    for number in range(CLIPS):
        work(number)
    times = []
    for number in range(repeats):
        start = time.process_time()
        work(number % CLIPS)
        times.append(time.process_time() - start)
    return 1000 * median(times)


def told(what: str, ms: float, limit_ms: float | None = None) -> None:
    """Print one line."""
    aim = f"   aim {limit_ms:g} ms, ratio {ms / limit_ms:.2f}" if limit_ms else ""
    print(f"  {what:58s}{ms:8.2f} ms{aim}", flush=True)


def stepwise(condition: Condition, paths: Sequence[Path], shared: Resources) -> Callable[[int], object]:
    """Return what applies only the steps of a condition, on speech that is leveled and whose levels are known."""
    work = list(jobs(paths, [condition], shared, CLIPS))
    speech = [Source(read(path)).leveled(-26.0)[0] for path in paths]
    for one in speech:
        one.levels()

    def apply(number: int) -> object:
        scene, samples = Scene(condition.acoustics, shared, speech[number]), speech[number].samples
        for place, step in enumerate(condition.steps):
            plan = work[number].trials[0].plan
            planned = {key.removeprefix(f"{place}."): v for key, v in plan.items() if key.startswith(f"{place}.")}
            samples = step.apply(samples, planned, scene).samples
        return samples

    return apply


def steps(folder: Path) -> None:
    """Time single steps."""
    paths = clips(folder)
    shared, sound = resources(paths), [read(path).astype(float) for path in paths]
    told("active speech level (P.56)", cpu_ms(lambda n: active_speech_level(sound[n], SAMPLE_RATE_HZ)), 10)
    told("noise at an SNR, on known speech", cpu_ms(stepwise(built("noise", [NOISE]), paths, shared)), 1)
    told("telephone band and G.711", cpu_ms(stepwise(built("telephone", TELEPHONE), paths, shared)), 5)
    told("room", cpu_ms(stepwise(built("room", [ROOM]), paths, shared)))


def per_core(folder: Path) -> None:
    """Time the core conditions, together as a job and each on a recording that was read and leveled."""
    paths = clips(folder)
    shared, conditions = resources(paths), core()
    work = list(jobs(paths, conditions, shared, CLIPS))
    with RenderPool(conditions, shared, workers=0) as pool:
        failed = [one.message for _, one in pool.render(work, ahead=0) if isinstance(one, Failure)]
        print(f"  {len(failed)} of {CLIPS * len(conditions)} could not be rendered {failed[:2]}")
        together_ms = cpu_ms(lambda n: list(pool.render([work[n]], ahead=0)))
        told(f"all {len(conditions)} of core, from file to samples", together_ms, 350)
    leveled = [Source(read(path)) for path in paths]
    for place, one in enumerate(conditions):
        told(f"  {one.name}", cpu_ms(lambda n, p=place, c=one: c.render(leveled[n], work[n].trials[p].plan, shared)))


def elsewhere(folder: Path) -> None:
    """Time noise, room and telephone here and with audiomentations' transforms, on the same clips."""
    try:
        import audiomentations as other
    except ImportError:
        print("  audiomentations is not installed")
        return
    paths = clips(folder)
    shared = resources(paths)
    chain = built("chain", [ROOM, NOISE, *TELEPHONE])
    for kind in ("noise", "response"):
        (folder / kind).mkdir()
    noise, response = np.concatenate([read(path) for path in paths[:6]]), np.random.RandomState(0).randn(8000)
    soundfile.write(folder / "noise" / "n.wav", noise, SAMPLE_RATE_HZ)
    soundfile.write(folder / "response" / "r.wav", 0.1 * response * 10 ** (-3 * np.arange(8000) / 8000), SAMPLE_RATE_HZ)
    center_hz, width = (300 + 3400) / 2, (3400 - 300) / ((300 + 3400) / 2)
    band = {"min_center_freq": center_hz, "max_center_freq": center_hz, "min_rolloff": 24, "max_rolloff": 24}
    line = [
        other.AddBackgroundNoise(folder / "noise", min_snr_db=10, max_snr_db=10, p=1),
        other.BandPassFilter(**band, min_bandwidth_fraction=width, max_bandwidth_fraction=width, zero_phase=True, p=1),
        other.Resample(8000, 8000, p=1),
    ]
    back = other.Resample(SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, p=1)
    rooms = {
        "a response from a file": other.ApplyImpulseResponse(folder / "response", p=1),
        "a simulated room of a given RT60": other.RoomSimulator(
            calculation_mode="rt60", min_target_rt60=0.5, max_target_rt60=0.5, use_ray_tracing=False, max_order=12,
            leave_length_unchanged=True, p=1,
        ),
    }  # fmt: skip
    sound = [read(path) for path in paths]
    sources = [Source(one) for one in sound]
    plans = [job.trials[0].plan for job in jobs(paths, [chain], shared, CLIPS)]
    here = {
        "the steps alone, on speech whose levels are known": cpu_ms(stepwise(chain, paths, shared)),
        "rendered, measured and checked, one of several conditions": cpu_ms(
            lambda n: chain.render(sources[n], plans[n], shared)
        ),
        "the same as the only condition": cpu_ms(lambda n: chain.render(sound[n], plans[n], shared)),
    }
    for what, ms in here.items():
        told(f"here: {what}", ms)
    for what, room in rooms.items():
        composed = other.Compose([room, *line])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ms = cpu_ms(lambda n, c=composed: back(c(sound[n], SAMPLE_RATE_HZ), 8000))
        told(f"audiomentations (no G.711): {what}", ms)
        print("    times as fast here: " + ", ".join(f"{ms / ours:.1f}" for ours in here.values()))


def workers(folder: Path) -> None:
    """Time the core conditions of 72 clips in one, two and four processes."""
    paths = clips(folder)
    conditions = core()
    alone_s = None
    for count in (0, 1, 2, 4):
        shared = resources(paths)
        work = list(jobs(paths, conditions, shared, 3 * CLIPS))
        start, digest = time.perf_counter(), hashlib.sha256()
        with RenderPool(conditions, shared, workers=count) as pool:
            first_s = None
            for _, outcome in pool.render(work, ahead=64):
                first_s = first_s or time.perf_counter() - start
                digest.update(b"failed" if isinstance(outcome, Failure) else outcome.realised.audio_sha256.encode())
        wall_s = time.perf_counter() - start
        alone_s = alone_s or wall_s
        print(
            f"  {count or 'no'} process(es) beside: first after {first_s:.1f} s, all after {wall_s:.1f} s, "
            f"{alone_s / wall_s:.2f} times as fast, samples {digest.hexdigest()[:12]}",
            flush=True,
        )


def memory() -> None:
    """Compare the peak memory of rendering 200 and 10,000 clips, each in a program of its own."""
    peaks = {}
    for count in (200, 10_000):
        command = [sys.executable, __file__, "render", str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[count] = json.loads(done.stdout)
        print(f"  {count:6d} clips: {peaks[count]}", flush=True)
    few, many = (sum(peaks[count]["peaks_mb"]) for count in peaks)
    print(f"  10,000 clips take {many / few:.3f} times the memory of 200")


def render(folder: Path, count: int) -> None:
    """Render clips in two processes; print the peak resident memory of the program and of each of them."""
    paths = clips(folder)
    conditions, shared = [shipped(name) for name in ("clean", "babble_10", "landline_g711")], resources(paths, count)
    start = time.perf_counter()
    with RenderPool(conditions, shared, workers=2) as pool:
        made = sum(
            not isinstance(one, Failure) for _, one in pool.render(jobs(paths, conditions, shared, count), ahead=64)
        )
        threads = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
        peaks = [_peak_mb(pid) for pid in ["self", *dict.fromkeys(pid for listed in threads for pid in listed)]]
    print(json.dumps({"rendered": made, "wall_s": round(time.perf_counter() - start), "peaks_mb": peaks}))


def _peak_mb(pid: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024, 1)


SECTIONS = {"steps": steps, "core": per_core, "elsewhere": elsewhere, "workers": workers, "memory": lambda _: memory()}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        if sys.argv[1:2] == ["render"]:
            render(Path(place), int(sys.argv[2]))
        else:
            for number, name in enumerate(sys.argv[1:] or SECTIONS):
                print(name)
                part = Path(place) / str(number)
                part.mkdir()
                SECTIONS[name](part)
