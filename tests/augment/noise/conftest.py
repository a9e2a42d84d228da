"""Every kind of noise, ready to be planned and made; a folder of a user's own among them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pydantic import TypeAdapter

from augment.noise.add import AddNoise, AddNoiseSettings
from augment.noise.kinds import AnySource, source
from augment.noise.source import NoiseSource
from augment.noise.track import NoiseTrack
from augment.resources import Resources
from augment.step import PlanInput

FS = 16_000
OUTSIDER = PlanInput("u", "outsider", 4 * FS)
"""An utterance by someone who speaks in no babble."""

KINDS = ("white", "pink", "brown", "hoth", "speech_shaped", "babble", "hum", "machine", "folder")


def noise(seed: int, duration_s: float, rate_hz: int = FS, level: float = 0.1) -> NDArray[np.float64]:
    return np.asarray(level * np.random.RandomState(seed).randn(round(duration_s * rate_hz)))


@pytest.fixture(name="noise")
def noise_fixture() -> Callable[..., NDArray[np.float64]]:
    return noise


@pytest.fixture(scope="session")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings of a user's own: 40 s at 48 kHz in stereo, 3 s at 8 kHz, 31 s of rumble at 16 kHz."""
    folder = tmp_path_factory.mktemp("ward")
    soundfile.write(folder / "door.wav", np.stack([noise(1, 40, 48_000), noise(2, 40, 48_000)], axis=1), 48_000)
    soundfile.write(folder / "pump.wav", noise(3, 3, 8_000), 8_000)
    rumble = np.cumsum(noise(4, 31))
    soundfile.write(folder / "rumble.wav", 0.5 * rumble / np.max(np.abs(rumble)), FS)
    return folder


@pytest.fixture
def settings_of(ward: Path) -> Callable[[str], dict]:
    """The settings of a source of each kind."""
    return lambda kind: {"kind": kind, "path": str(ward)} if kind == "folder" else {"kind": kind}


@cache
def _adapter() -> TypeAdapter:
    return TypeAdapter(AnySource)


def source_of(settings: dict, role: str = "") -> NoiseSource:
    return source(_adapter().validate_python(settings), settings["kind"] + role)


@pytest.fixture(name="source_of")
def source_of_fixture() -> Callable[..., NoiseSource]:
    return source_of


@pytest.fixture
def track_of(settings_of: Callable[[str], dict]) -> Callable[..., NoiseTrack]:
    """The track of a slot: ``track_of("hoth", resources, slot=0)``."""

    def make(kind: str | dict, resources: Resources, *, slot: int = 0) -> NoiseTrack:
        made = source_of(settings_of(kind) if isinstance(kind, str) else kind)
        return made.track(made.plan(OUTSIDER, slot, resources), resources)

    return make


@pytest.fixture
def step_of(settings_of: Callable[[str], dict]) -> Callable[..., AddNoise]:
    """A step that adds noise: ``step_of("hoth", snr_db=10)``."""

    def make(kind: str, **settings: object) -> AddNoise:
        return AddNoise(AddNoiseSettings.model_validate({"source": settings_of(kind)} | settings))

    return make
