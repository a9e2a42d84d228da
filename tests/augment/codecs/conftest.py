"""A voice of our own making that codecs of speech can follow, every codec, and how to send one through the other."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from augment.codecs import Codec, CodecSettings
from augment.codecs.coder import Coder

FS = 16_000
# formants in Hz of five vowels, as textbooks round them
VOWELS = ((700, 1200, 2600), (300, 2300, 3000), (350, 800, 2400), (500, 1800, 2500), (450, 1000, 2500))


def spoken(seed: int, seconds: float = 3.0) -> NDArray[np.float64]:
    """A gliding, jittering pulse train through changing formants, with a hiss between vowels; -26 dB RMS.

    It ends in the middle of a vowel.
    """
    rng = np.random.RandomState(seed)
    length = round(seconds * FS)
    last = _vowel(rng)
    pieces = [last[: last.size // 2]]
    while sum(map(len, pieces)) < length:
        pieces = [_vowel(rng), 0.15 * _hiss(rng), *pieces]
    voice = np.concatenate(pieces)[-length:]
    return np.asarray(10 ** (-26 / 20) * voice / np.sqrt(np.mean(voice**2)))


def _vowel(rng: np.random.RandomState) -> NDArray[np.float64]:
    length = rng.randint(2400, 5600)
    f0 = rng.uniform(90, 220) * np.exp(np.linspace(0, rng.uniform(-0.3, 0.2), length) + 0.02 * rng.randn(length))
    phase = np.cumsum(f0) / FS
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * rng.randn(length)
    sound = lfilter([1.0, -1.0], [1.0, -0.97], lfilter([1.0], [1.0, -0.95], pulses))
    for formant_hz in VOWELS[rng.randint(len(VOWELS))]:
        r = np.exp(-np.pi * 100.0 / FS)
        sound = lfilter([1.0 - r], [1.0, -2 * r * np.cos(2 * np.pi * formant_hz / FS), r * r], sound)
    return _unit(sound) * np.hanning(length) ** 0.5


def _hiss(rng: np.random.RandomState) -> NDArray[np.float64]:
    noise = rng.randn(rng.randint(800, 2000))
    return _unit(lfilter([1.0, -0.9], [1.0], noise)) * np.hanning(noise.size) ** 0.5


def _unit(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sound / np.sqrt(np.mean(sound**2)))


@pytest.fixture(name="spoken")
def spoken_fixture() -> Callable[..., NDArray[np.float64]]:
    return spoken


@pytest.fixture
def coder() -> Callable[..., Coder]:
    """Return a maker of coders that skips the test where the machine lacks what the codec needs."""

    def make(name: str, **settings: object) -> Coder:
        made = CodecSettings.model_validate({"name": name} | settings).root.coder()
        missing = made.missing()
        if missing:
            pytest.skip(missing)
        return made

    return make


@pytest.fixture
def codec(coder: Callable[..., Coder]) -> Callable[..., Codec]:
    """Return a maker of codec steps that skips likewise."""

    def make(name: str, **settings: object) -> Codec:
        coder(name, **settings)
        return Codec(CodecSettings.model_validate({"name": name} | settings))

    return make
