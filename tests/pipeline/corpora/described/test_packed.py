"""Data sets of the datasets library, of the Hub and in archives, each as its shipped description reads a miniature."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.corpora.audio import probe, read_audio
from pipeline.corpora.described import hub_download
from pipeline.errors import ManifestError, MissingPrerequisite, StudyError
from tests.corpora_miniatures import packed
from tests.corpora_miniatures.clips import write_clip
from tests.corpora_miniatures.loading import corpus_of, load, lost, reasons, told

NAMES = ("edacc_parquet", "voxpopuli_parquet", "globe", "fleurs", "saved", "paths_only", "afrispeech")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Every miniature, written once."""
    datasets.disable_progress_bars()
    yield {name: getattr(packed, name)(tmp_path_factory.mktemp("packed") / name) for name in NAMES}
    datasets.enable_progress_bars()


def test_edacc_as_parquet_has_standardized_accents_and_its_recordings_inside(roots: dict[str, Path]) -> None:
    loaded = load("edacc_parquet", roots["edacc_parquet"])
    shard = "data/test-00000-of-00002"
    assert told(loaded, "speaker_id", "accent", "reference", "audio", "attr_l1", "attr_split") == {
        f"{shard}:0": ("EDACC-C06-A", "us_general", "WELL NOW", f"{shard}.parquet::audio[0]", "English", "test"),
        f"{shard}:1": ("EDACC-C06-B", "scottish", "AND", f"{shard}.parquet::audio[1]", "English", "test"),
    }
    assert reasons(loaded) == {
        "data/test-00001-of-00002:0": "incomplete_reference", "data/test-00001-of-00002:1": "unknown_accent"
    }  # fmt: skip
    assert set(loaded.utterances["duration_s"]) == {0.5}


def test_splits_are_chosen_by_name_and_an_unknown_one_is_told_from_those_that_are_there(roots: dict[str, Path]) -> None:
    both = load("edacc_parquet", roots["edacc_parquet"], "corpus.splits=[]")
    assert set(both.utterances["attr_split"]) == {"test", "validation"}
    with pytest.raises(ManifestError, match=r"no split 'dev'.*test, validation"):
        load("edacc_parquet", roots["edacc_parquet"], "corpus.splits=[dev]")


def test_voxpopuli_as_parquet_takes_none_for_nobody_and_for_no_accent(roots: dict[str, Path]) -> None:
    loaded = load("voxpopuli_parquet", roots["voxpopuli_parquet"])
    assert told(loaded, "speaker_id", "accent", "reference", "attr_gold") == {
        "v1": ("119431", "lithuanian", "Mr v1, null.", "True"), "v2": (None, "slovene", "Mr v2, null.", "True")
    }  # fmt: skip
    assert reasons(loaded) == {"v3": "missing_value"}


def test_globe_is_refused_because_its_labels_are_imputed_and_says_so_everywhere_when_it_is_not(
    roots: dict[str, Path],
) -> None:
    with pytest.raises(ValidationError, match="imputed"):
        corpus_of("globe", roots["globe"])
    corpus = corpus_of("globe", roots["globe"], "corpus.allow_inferred_labels=true")
    loaded = corpus.load()
    assert told(loaded, "accent", "label_provenance") == {"data/test-00000-of-00001:0": ("scottish", "imputed")}
    assert corpus.record().label_provenance == "imputed"
    assert reasons(loaded) == {
        "data/test-00000-of-00001:1": "several_accents", "data/test-00000-of-00001:2": "unknown_accent"
    }  # fmt: skip


def test_fleurs_is_one_group_without_speakers_and_a_sentence_is_no_utterance(roots: dict[str, Path]) -> None:
    loaded = load("fleurs", roots["fleurs"])
    assert told(loaded, "speaker_id", "accent", "attr_gender", "attr_sentence") == {
        "test/0000:0": (None, "not_stated", "female", "1904"),
        "test/0000:1": (None, "not_stated", "male", "1904"),
        "test/0000:2": (None, "not_stated", None, "1904"),  # the class -1 is no class
    }
    assert loaded.exclusions == []


def test_a_saved_data_set_is_read_where_it_lies_with_its_classes_by_name(roots: dict[str, Path]) -> None:
    loaded = load("hub", roots["saved"])
    at = "data-00000-of-00001"
    assert told(loaded, "speaker_id", "accent", "audio", "attr_gender", "attr_age", "attr_split") == {
        f"test/{at}:0": ("None", "scottish", f"test/{at}.arrow::audio[0]", "f", "30", "test"),
        f"test/{at}:1": ("b", "welsh", f"test/{at}.arrow::audio[1]", "m", None, "test"),
        f"train/{at}:0": ("c", "irish", f"train/{at}.arrow::audio[0]", "m", "50", "train"),
    }
    corpus = corpus_of("hub", roots["saved"])
    for row in loaded.utterances.to_dict("records"):
        place = corpus.audio_path(row["audio"])
        assert len(read_audio(place, sha256=row["audio_sha256"])) == 8000
        assert probe(place).sha256 == row["audio_sha256"]
    one = load("hub", roots["saved"] / "train")
    assert list(one.utterances["speaker_id"]) == ["c"]


def test_recordings_that_a_table_only_names_are_files_below_its_folder(roots: dict[str, Path]) -> None:
    loaded = load("hub", roots["paths_only"])
    assert told(loaded, "audio", "attr_split") == {"train:0": ("clips/in.wav", "train")}
    assert reasons(loaded) == {"train:1": "missing_audio", "train:2": "missing_audio"}
    assert "outside the audio root" in lost(loaded)["train:1"][1]
    assert set(told(load("hub", roots["paths_only"] / "train.parquet"), "audio")) == {"train:0"}


def test_afrispeech_finds_recordings_in_whichever_archive_of_the_split_holds_them(roots: dict[str, Path]) -> None:
    loaded = load("afrispeech", roots["afrispeech"])
    packed_in = "audio/yoruba/test/test_yoruba_{}.tar.gz::data/test/{}/r1.wav"
    assert told(loaded, "speaker_id", "accent", "reference", "audio", "attr_domain") == {
        "id1": ("p1", "african_yoruba", "The dose, doubled.", packed_in.format(0, "u1"), "clinical"),
        "id2": ("None", "african_yoruba", "Null.", packed_in.format(1, "u2"), "clinical"),
        "id3": ("p3", "african_zulu", "Unpacked.", "audio/zulu/test/u3/r3.wav", "clinical"),
    }
    assert reasons(loaded) == {"id4": "missing_audio", "id5": "unknown_accent"}


def test_a_listing_of_afrispeech_opens_no_archive(tmp_path: Path) -> None:
    root = packed.afrispeech(tmp_path)
    for path in root.glob("audio/*/*/*.tar.gz"):
        path.unlink()
    assert len(corpus_of("afrispeech", root).listing().table) == 4


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"reader.py": "import os"}, "reader.py is not run"),
        ({"state.json": "[]"}, "holds no object"),
        ({"state.json": '{"_data_files": [{"filename": "../x.arrow"}]}'}, "outside of it"),
        ({"state.json": '{"_data_files": [], "_indices_data_files": [1]}'}, "flatten_indices"),
        ({"dataset_dict.json": '{"splits": 3}'}, "lists no splits"),
        ({"test-00000-of-00001.parquet": "no parquet"}, "cannot be read"),
        ({"state.json": '{"_data_files": [{"filename": "x.arrow"}]}', "x.arrow": "no arrow"}, "cannot be read"),
        ({"state.json": '{"_data_files": [{"filename": "gone.arrow"}]}'}, "no file"),
    ],
)
def test_a_folder_that_is_no_data_set_is_one_sentence(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ManifestError, match=said):
        load("hub", tmp_path)


def test_what_is_neither_a_folder_nor_a_name_of_the_hub_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no folder or file"):
        load("hub", tmp_path / "gone" / "away")


@pytest.fixture
def on_hub(roots: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Let the library serve a folder of Parquet files under the name owner/name, and note what it was asked."""

    def serve(name: str) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []
        real = datasets.load_dataset

        def load_dataset(path: str, **options: Any) -> Any:
            asked.append({"path": path, **options})
            files = {"test": [str(one) for one in sorted(roots[name].glob("**/test*.parquet"))]}
            return real("parquet", data_files=files, split=options.get("split"), streaming=options["streaming"])

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        monkeypatch.setattr(datasets.config, "TORCH_AVAILABLE", False)  # streams would import it, for seconds
        return asked

    yield serve
    hub_download.fetched.cache_clear()


@pytest.mark.parametrize("streaming", ["true", "false"])
def test_a_data_set_of_the_hub_is_fetched_once_by_commit_and_never_decoded(
    on_hub: Callable[..., list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streaming: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = on_hub("edacc_parquet")
    overrides = (f"corpus.revision={COMMIT}", f"corpus.streaming={streaming}", "corpus.config=main")
    loaded = load("edacc_parquet", "owner/name", *overrides)
    assert told(loaded, "accent", "audio") == {
        "test-00000-of-00001:0": ("us_general", "test-00000-of-00001.parquet::audio[0]"),
        "test-00000-of-00001:1": ("scottish", "test-00000-of-00001.parquet::audio[1]"),
    }
    assert asked == [
        {"path": "owner/name", "name": "main", "revision": COMMIT, "split": "test", "streaming": streaming == "true"}
    ]
    hub_download.fetched.cache_clear()
    load("edacc_parquet", "owner/name", *overrides)
    assert len(asked) == 1
    (source,) = tmp_path.glob("*/hub/*/source.json")
    assert json.loads(source.read_text())["revision"] == COMMIT


def test_recordings_that_a_data_set_of_the_hub_only_names_are_put_into_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = write_clip(tmp_path / "elsewhere" / "a.wav")
    row = {"text": "words", "speaker": "s", "accent": "welsh", "audio": {"bytes": None, "path": str(beside)}}
    named = datasets.DatasetDict({"train": packed.data_set([row])})
    monkeypatch.setattr(datasets, "load_dataset", lambda path, **options: named)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    loaded = load("hub", "owner/named", f"corpus.revision={COMMIT}")
    hub_download.fetched.cache_clear()
    assert told(loaded, "audio", "duration_s") == {
        "train-00000-of-00001:0": ("train-00000-of-00001.parquet::audio[0]", 0.5)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ConnectionError("Couldn't reach it"), MissingPrerequisite, "cannot be reached.*corpus.root"),
        (RuntimeError("Dataset scripts are no longer supported, but found x.py"), ManifestError, "script.*not run"),
        (ValueError('Unknown split "tset"'), ManifestError, "Unknown split"),
    ],
)
def test_a_data_set_that_cannot_be_fetched_is_one_sentence_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[StudyError], said: str
) -> None:
    def refuse(path: str, **options: Any) -> Any:
        raise error

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(kind, match=said):
        load("edacc_parquet", "owner/name", f"corpus.revision={COMMIT}")
    assert not list(tmp_path.glob("*/hub/*"))  # nothing half-fetched is left


def test_an_error_of_the_network_that_has_no_base_in_common_with_others_is_one_sentence_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    failure = type("ConnectError", (Exception,), {"__module__": "httpx2"})

    def refuse(self: object, name: str, **options: Any) -> Any:
        raise failure("[Errno -2] Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingPrerequisite, match="Name or service not known"):
        load("hub", "owner/name")


def test_without_a_network_the_latest_commit_cannot_be_known_and_a_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingPrerequisite, match=r"cannot be reached.*corpus.root to their folder"):
        load("hub", "owner/name")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trash=st.binary(max_size=200), at=st.integers(0, 5000), name=st.sampled_from(["saved", "edacc_parquet"]))
def test_any_bytes_in_a_data_set_give_utterances_exclusions_or_one_error(
    roots: dict[str, Path], tmp_path: Path, trash: bytes, at: int, name: str
) -> None:
    kind = "*.arrow" if name == "saved" else "*.parquet"
    source = sorted(roots[name].glob(f"**/{kind}"))[0]
    whole = source.read_bytes()
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    spoiled = whole[:at] + trash + whole[at + len(trash) :]
    (folder / source.name).write_bytes(spoiled)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": source.name}]}))
    if name != "saved":
        (folder / "state.json").unlink()
    with contextlib.suppress(StudyError):
        loaded = corpus_of("hub", folder).load()
        assert loaded.rows == len(loaded.utterances) + len(loaded.exclusions)
