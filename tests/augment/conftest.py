"""Speech-like signals, a pool of talkers and the conditions of ``conf/``, shared by the tests of ``augment``."""

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from augment.chain import Acoustics, Condition, ConditionSettings, build_condition
from augment.resources import Resources, Talker, TalkerRecording
from augment.source import Speech
from augment.step import Scene

CONF = Path(__file__).resolve().parents[2] / "conf" / "conditions"
FS = 16_000


def speechlike(seed: int, duration_s: float = 4.0, level: float = 0.1) -> NDArray[np.float32]:
    """A pitch-like harmonic complex in syllables of 4 Hz, a word pause every 1.5 s, quiet at both ends."""
    rng = np.random.RandomState(seed)
    t = np.arange(round(duration_s * FS)) / FS
    f0 = 100 + 100 * rng.rand()
    voice = sum(np.sin(2 * np.pi * (f0 * k * t + rng.rand())) / k for k in range(1, int(7000 / f0)))
    syllables = np.maximum(0, np.sin(2 * np.pi * 2 * t)) ** 2 * ((t % 1.5) < 1.2)
    inside = (t > 0.2) & (t < max(duration_s - 0.4, 0.25))
    return np.asarray(level * voice * syllables * inside + 1e-5 * rng.randn(t.size), dtype=np.float32)


def recording(samples: NDArray[np.float32]) -> TalkerRecording:
    return TalkerRecording(hashlib.sha256(samples.tobytes()).hexdigest(), lambda: samples)


def talker(accent: str, group: str, seed: int, recordings: int = 2) -> Talker:
    made = tuple(recording(speechlike(1000 + 10 * seed + n, 2.0 + 0.3 * n)) for n in range(recordings))
    return Talker(f"{accent}-{group}", accent, group, made)


@pytest.fixture(name="speechlike")
def speechlike_fixture() -> Callable[..., NDArray[np.float32]]:
    return speechlike


@pytest.fixture(name="recording")
def recording_fixture() -> Callable[..., TalkerRecording]:
    return recording


@pytest.fixture(name="talker")
def talker_fixture() -> Callable[..., Talker]:
    return talker


@pytest.fixture(scope="session")
def crossed_pool() -> tuple[Talker, ...]:
    """Three accents, each with the same four voices: what a controlled corpus looks like."""
    return tuple(talker(a, f"v{v}", seed=7 * i + v) for i, a in enumerate("abc") for v in range(4))


@pytest.fixture
def resources(crossed_pool: tuple[Talker, ...]) -> Resources:
    return Resources(20261122, 8, crossed_pool)


@pytest.fixture(scope="session")
def shared_resources(crossed_pool: tuple[Talker, ...]) -> Resources:
    """The same, kept over the session so that tracks are built once."""
    return Resources(20261122, 8, crossed_pool)


@cache
def step_types() -> dict[str, type]:
    """Every registered step, by kind."""
    return {point.name: point.load() for point in entry_points(group="augment.steps")}


def scene(samples: NDArray[np.float64], resources: Resources, **acoustics: object) -> Scene:
    """What a step sees when ``samples`` are a talker alone."""
    return Scene(Acoustics.model_validate(acoustics), resources, Speech(samples))


@pytest.fixture(name="scene")
def scene_fixture() -> Callable[..., Scene]:
    return scene


def build(name: str, settings: dict, **acoustics: object) -> Condition:
    checked = ConditionSettings.model_validate({"version": 1, "family": "noise", "description": "test"} | settings)
    return build_condition(name, checked, step_types=step_types(), acoustics=Acoustics.model_validate(acoustics))


@pytest.fixture(name="build")
def build_fixture() -> Callable[..., Condition]:
    return build


@pytest.fixture
def noisy() -> Callable[..., Condition]:
    """A condition with one noise: ``noisy(snr_db, kind="babble", **acoustics)``."""

    def make(snr_db: float, kind: str = "babble", **acoustics: object) -> Condition:
        step = {"kind": "add_noise", "source": {"kind": kind}, "snr_db": snr_db}
        return build(f"{kind}_{snr_db}", {"steps": [step]}, **acoustics)

    return make


def shipped(name: str) -> Condition:
    return build(name, yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))[name])


@pytest.fixture(name="shipped")
def shipped_fixture() -> Callable[[str], Condition]:
    return shipped


def every_condition() -> dict[str, dict]:
    """The content of every file in ``conf/conditions`` that describes a condition, by name."""
    contents = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(CONF.glob("*.yaml"))}
    return {name: content[name] for name, content in contents.items() if name in content}


@pytest.fixture(params=list(every_condition()))
def each_shipped(request: pytest.FixtureRequest) -> Condition:
    """Every shipped condition in turn."""
    return shipped(request.param)


@pytest.fixture(scope="session")
def every_shipped() -> list[Condition]:
    """All shipped conditions at once."""
    return [shipped(name) for name in every_condition()]
