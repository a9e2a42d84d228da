"""Fixtures: a small corpus of our own making, composed configurations, and where optional test data lies."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

ROOT = Path(__file__).resolve().parents[1]
OPTIONAL_DATA = ROOT.parent / "shared" / "corpora"
UNDRAWN = "card.figures=none"
"""Of whole runs that nobody looks at: six figures take longer than a scripted study. A later override draws them."""

SENTENCES = (
    "the boat left the harbor before sunrise",
    "please bring the blue folder to the second floor",
    "her brother plays the drums every other evening",
    "we counted seven ducks beside the frozen pond",
)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave what is long out of the fast set too."""
    if item.get_closest_marker("long"):
        item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's remembered transcripts out of the tests; probes are shared by the whole session."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def optional_corpus() -> Callable[[str], Path]:
    """Return the manifest of an optional corpus, or skip with a reason."""

    def find(name: str) -> Path:
        manifest = OPTIONAL_DATA / name / "manifest.csv"
        if not manifest.exists():
            pytest.skip(f"optional test data '{name}' is not beside the project")
        return manifest

    return find


def speechlike(seconds: float, seed: int, *, rate_hz: int = 16_000) -> np.ndarray:
    """Return syllable-paced noise: it has an active level and means nothing."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    envelope = np.maximum(0.0, np.sin(2 * np.pi * (3 + seed % 3) * time_s)) ** 2
    return 0.1 * envelope * rng.standard_normal(len(time_s))


@pytest.fixture
def make_corpus(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of manifest corpora: accents x speakers x sentences, with short files of speech-like noise."""

    def make(
        accents: Sequence[str] = ("north", "south"), speakers: int = 5, sentences: Sequence[str] = SENTENCES[:2]
    ) -> Path:
        folder = tmp_path / "corpus"
        (folder / "audio").mkdir(parents=True)
        with (folder / "manifest.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["utterance_id", "audio_path", "reference", "speaker_id", "accent"])
            for a, accent in enumerate(accents):
                for s in range(speakers):
                    for i, sentence in enumerate(sentences):
                        name = f"a{a}_s{s:03d}_{i:02d}"
                        seed = (a * speakers + s) * len(sentences) + i
                        soundfile.write(folder / "audio" / f"{name}.wav", speechlike(0.6, seed), 16_000)
                        rows.writerow([name, f"audio/{name}.wav", sentence, f"a{a}_s{s:03d}", accent])
        return folder / "manifest.csv"

    return make


@pytest.fixture
def composed() -> Callable[..., dict[str, Any]]:
    """Return a composer of configurations as ``python -m pipeline`` would make them, unchecked and without figures."""

    def compose_study(*overrides: str) -> dict[str, Any]:
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            plain = OmegaConf.to_container(compose("config", [UNDRAWN, *overrides]), resolve=True)
        assert isinstance(plain, dict)
        named = {str(key): value for key, value in plain.items()}
        named["run_name"] = named["run_name"] or "scratch"
        return named

    return compose_study


@pytest.fixture
def manifest_overrides(tmp_path: Path) -> Callable[[Path], list[str]]:
    """Return the overrides that point a study at a made corpus and at folders of the test."""

    def overrides(manifest: Path) -> list[str]:
        return [
            "corpus=manifest",
            f"corpus.path={manifest}",
            "corpus.accents=as_given",
            "corpus.public=true",
            UNDRAWN,
            f"results_dir={tmp_path / 'results'}",
            f"cache_dir={tmp_path / 'store'}",
        ]

    return overrides


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a runner of ``python -m pipeline`` in a folder of the test."""

    def run(*arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=os.environ | {"PYTHONWARNINGS": "default"},
            check=False,
        )

    return run
