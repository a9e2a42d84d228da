"""Recordings at URLs: through fsspec's memory file system and a local server, whole, in archives and in Parquet."""

import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pyarrow import parquet

from augment.decoding import RecordingError
from pipeline.corpora.audio import probe
from pipeline.corpora.manifest import ManifestCorpus, ManifestSettings
from pipeline.corpora.places import locate
from pipeline.corpora.stored import holders, streams
from pipeline.corpora.stored.holders import Remote
from pipeline.errors import MissingPrerequisite
from pipeline.records import Reason

fsspec = pytest.importorskip("fsspec")


def files() -> dict[str, bytes]:
    wav, archive, table = io.BytesIO(), io.BytesIO(), io.BytesIO()
    soundfile.write(wav, 0.1 * np.random.default_rng(0).standard_normal(3200), 16_000, format="WAV")
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.wav", wav.getvalue())
    parquet.write_table(pa.table({"audio": [{"bytes": wav.getvalue()}]}), table)
    return {"a b.wav": wav.getvalue(), "a.zip": archive.getvalue(), "a.parquet": table.getvalue(), "bad.wav": b"bad"}


@pytest.fixture(scope="module")
def memory() -> Iterator[str]:
    """A corpus in fsspec's memory file system."""
    store = fsspec.filesystem("memory")
    for name, data in files().items():
        store.pipe(f"/places/{name}", data)
    yield "memory://places"
    store.rm("/places", recursive=True)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    """A corpus on a local web server that can answer with ranges, and what it was asked for."""
    pytest.importorskip("aiohttp")
    held, asked = files(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            asked.append(self.path)
            data = held.get(self.path.removeprefix("/corpus/").replace("%20", " "))
            if data is None:
                self.send_error(404)
                return
            asked_range = self.headers.get("Range")
            self.send_response(206 if asked_range else 200)
            if asked_range:
                first, _, last = asked_range.removeprefix("bytes=").partition("-")
                size, last_byte = len(data), min(int(last or len(data) - 1), len(data) - 1)
                self.send_header("Content-Range", f"bytes {first}-{last_byte}/{size}")
                data = data[int(first) : last_byte + 1]
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if body:
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}/corpus", asked
        web.shutdown()


CELLS = ["a b.wav", "a.zip::a.wav", "a.parquet::audio[0]", "a b.wav#t=0.05,0.1", "a.zip::a.wav#t=0.05,0.1"]


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_of_place_is_heard_in_memory_and_over_http(
    memory: str, server: tuple[str, list[str]], cell: str
) -> None:
    found = [probe(locate(cell, base, allow_outside_root=False).place) for base in (memory, server[0])]
    assert found[0] == found[1]
    assert found[0].duration_s == pytest.approx(0.05 if "#t=" in cell else 0.2)


def test_what_is_not_there_is_missing_and_what_is_no_audio_undecodable(
    memory: str, server: tuple[str, list[str]]
) -> None:
    for base in (memory, server[0]):
        for cell in ("none.wav", "none.zip::a.wav", "none.parquet::audio[0]"):
            with pytest.raises(RecordingError) as caught:
                locate(cell, base, allow_outside_root=False).place.open()
            assert caught.value.problem == "missing_audio"
            assert base not in str(caught.value)


def test_a_file_at_a_url_that_is_too_large_is_not_fetched_whole(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LARGEST_BYTES", 1000)
    with pytest.raises(RecordingError, match="larger than"):
        Remote(f"{memory}/a b.wav").open()


def test_a_manifest_under_a_url_has_utterances_and_exclusions_and_asks_for_nothing_outside(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    base, asked = server
    cells = [*CELLS, "bad.wav", "none.wav", "../secret.wav", "http://127.0.0.1/other.wav", "/etc/passwd"]
    lines = [f"u{number},{cell.replace(',', ';')},words,scottish" for number, cell in enumerate(cells)]
    text = "\n".join(["utterance_id\taudio_path\treference\taccent", *lines]).replace(",", "\t").replace(";", ",")
    (tmp_path / "m.tsv").write_text(text)
    corpus = ManifestCorpus(ManifestSettings(path=tmp_path / "m.tsv", audio_root=base))
    loaded = corpus.load()
    assert list(loaded.utterances["audio"]) == CELLS
    assert [lost.reason for lost in loaded.exclusions] == [Reason.UNDECODABLE_AUDIO] + [Reason.MISSING_AUDIO] * 4
    assert not any("secret" in path or "other" in path or "passwd" in path for path in asked)
    assert [len(talker.recordings[0].load()) for talker in corpus.talkers(loaded.utterances)] == [3200] * 3 + [800] * 2
    assert [probe(corpus.audio_path(cell)).sha256 for cell in CELLS] == list(loaded.utterances["audio_sha256"])


def test_a_name_tells_neither_host_nor_key() -> None:
    assert Remote("https://user:pass@host.example.org/a/b%20c.wav?token=secret#x").name == "b c.wav"


def test_what_reads_a_store_may_be_missing_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    holders._file_system.cache_clear()

    def absent(protocol: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "filesystem", absent)
    with pytest.raises(MissingPrerequisite, match=r"s3://.*Install s3fs"):
        Remote("s3://bucket/a.wav").open()
    holders._file_system.cache_clear()
