"""What an audio cell can name, and that nothing it names lies outside the corpus's root."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from augment.places import Span
from pipeline.corpora.audio import AudioError, probe
from pipeline.corpora.places import in_archive, in_parquet, locate, part_of
from pipeline.corpora.stored.archives import Member
from pipeline.corpora.stored.holders import Remote
from pipeline.corpora.stored.parquet import Cell
from pipeline.corpora.stored.streams import Again
from pipeline.records import Reason


def clip_bytes(seed: int = 0, seconds: float = 0.1) -> bytes:
    buffer = io.BytesIO()
    samples = 0.1 * np.random.default_rng(seed).standard_normal(round(16_000 * seconds))
    soundfile.write(buffer, samples, 16_000, format="WAV")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one clip in every kind of place, and another beside it that nobody may reach."""
    folder = (tmp_path_factory.mktemp("places") / "root").resolve()
    outside = folder.parent / "outside"
    for place in (folder, outside):
        (place / "sub").mkdir(parents=True)
        (place / "sub" / "a.wav").write_bytes(clip_bytes())
        with tarfile.open(place / "a.tar.gz", "w:gz") as archive:
            archive.add(place / "sub" / "a.wav", "sub/a.wav")
        with zipfile.ZipFile(place / "a.zip", "w") as archive:
            archive.write(place / "sub" / "a.wav", "sub/a.wav")
        parquet.write_table(pa.table({"audio": [{"bytes": clip_bytes()}]}), place / "a.parquet")
    for name in ("a.wav", "a.zip", "a.parquet"):
        (folder / f"link_{name}").symlink_to(outside / ("sub/a.wav" if name == "a.wav" else name))
    return folder


EVERYWHERE = ["sub/a.wav", "a.tar.gz::sub/a.wav", "a.zip::sub/a.wav", "a.parquet::audio[0]"]


@pytest.mark.parametrize("cell", EVERYWHERE)
def test_every_kind_of_place_is_heard_and_its_cell_names_it_again(root: Path, cell: str) -> None:
    located = locate(cell, root, allow_outside_root=False)
    assert located.cell == cell
    assert probe(located.place) == probe(root / "sub" / "a.wav")
    part = locate(f"{cell}#t=0.02,0.05", root, allow_outside_root=False)
    assert part.cell == f"{cell}#t=0.02,0.05"
    assert probe(part.place) == probe(Span(root / "sub" / "a.wav", 0.02, 0.05))


@pytest.mark.parametrize(
    ("given_cell", "cell"),
    [
        ("sub/../a.zip::sub/a.wav", "a.zip::sub/a.wav"),
        ("./sub/a.wav", "sub/a.wav"),
        ("a.parquet::audio[00]", "a.parquet::audio[0]"),
    ],
)
def test_a_place_that_wanders_is_named_in_one_way(root: Path, given_cell: str, cell: str) -> None:
    assert locate(given_cell, root, allow_outside_root=False).cell == cell
    absolute = locate(f"{root}/a.zip::sub/a.wav", root, allow_outside_root=False)
    assert absolute.cell == "a.zip::sub/a.wav"


def test_cells_are_spelled_as_they_are_read() -> None:
    assert locate(in_archive("x.tar", "m.wav"), Path("/r"), allow_outside_root=False).place == Member(
        Path("/r/x.tar"), "m.wav"
    )
    assert locate(in_parquet("x.parquet", "a.b", 7), Path("/r"), allow_outside_root=False).place == Cell(
        Path("/r/x.parquet"), "a.b", 7
    )
    part = locate(part_of("long.wav", 12.5, 3601.0000004), Path("/r"), allow_outside_root=False)
    assert (part.cell, part.place) == ("long.wav#t=12.5,3601", Span(Path("/r/long.wav"), 12.5, 3601.0))
    packed = locate(part_of("x.zip::m.wav", 0.0, 1 / 3), Path("/r"), allow_outside_root=False).place
    assert packed == Span(Again(Member(Path("/r/x.zip"), "m.wav")), 0.0, 0.333333)


@pytest.mark.parametrize("name", ["odd.zip::name.wav", "take#t=1,2", "x.parquet::audio[0]"])
def test_a_file_called_exactly_so_is_meant_first(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(clip_bytes())
    located = locate(name, tmp_path.resolve(), allow_outside_root=False)
    assert (located.cell, located.place) == (name, tmp_path.resolve() / name)
    assert locate(located.cell + "#t=0,0.05", tmp_path.resolve(), allow_outside_root=False).cell == f"{name}#t=0,0.05"


def refused(cell: str, root: Path | str) -> str:
    with pytest.raises(AudioError) as caught:
        locate(cell, root, allow_outside_root=False)
    assert caught.value.reason is Reason.MISSING_AUDIO
    return str(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        "../outside/sub/a.wav", "link_a.wav", "../outside/a.zip::sub/a.wav", "link_a.zip::sub/a.wav",
        "link_a.parquet::audio[0]", "sub/../../outside/a.tar.gz::sub/a.wav", "../outside/sub/a.wav#t=0,0.05",
        "/etc/passwd", "/etc/x.zip::y", "https://example.org/a.wav", "memory://a.wav", "file:///etc/passwd",
        "FILE:///etc/passwd", "https://example.org/a.zip::b.wav", "https://example.org/a.wav#t=0,1",
    ],
)  # fmt: skip
def test_what_lies_outside_the_root_needs_leave(root: Path, cell: str) -> None:
    assert "allow_outside_root" in refused(cell, root)
    allowed = locate(cell, root, allow_outside_root=True)
    again = locate(allowed.cell, root, allow_outside_root=True)
    assert again == allowed
    if "outside" in cell or "link" in cell:
        assert probe(allowed.place).sample_rate_hz == 16_000


@pytest.mark.parametrize("member", ["../a.wav", "sub/../../a.wav", "/etc/passwd", "..\\a.wav", "%2e%2e/a.wav"])
def test_a_member_is_named_from_the_top_of_its_archive(root: Path, member: str) -> None:
    for archive in ("a.zip", "a.tar.gz"):
        assert "'..'" in refused(f"{archive}::{member}", root)


@pytest.mark.parametrize("suffix", ["tar.bz2", "tar.xz", "7z", "rar"])
def test_an_archive_that_cannot_be_read_at_any_place_says_what_to_do(root: Path, suffix: str) -> None:
    assert "unpack it" in refused(f"a.{suffix}::b.wav", root)


def test_a_part_that_ends_before_it_begins_is_none(root: Path) -> None:
    assert "before it begins" in refused("sub/a.wav#t=2,1", root)
    assert "before it begins" in refused("sub/a.wav#t=2,2", root)


BASE = "https://data.example.org/corpus"


@pytest.mark.parametrize(
    ("cell", "url"),
    [
        ("a.wav", f"{BASE}/a.wav"),
        ("sub/a b#1?.wav", f"{BASE}/sub/a%20b%231%3F.wav"),
        (f"{BASE}/sub/a%20b.wav", f"{BASE}/sub/a%20b.wav"),
    ],
)
def test_under_a_url_names_are_files_of_it(cell: str, url: str) -> None:
    for base in (BASE, f"{BASE}/"):
        located = locate(cell, base, allow_outside_root=False)
        assert (located.cell, located.place) == (cell, Remote(url))
    assert locate(f"{cell}.zip::m", BASE, allow_outside_root=False).place == Member(Remote(f"{url}.zip"), "m")


def test_names_of_other_stores_are_not_encoded() -> None:
    assert locate("a b.wav", "s3://bucket/x", allow_outside_root=False).place == Remote("s3://bucket/x/a b.wav")


@pytest.mark.parametrize(
    "cell",
    [
        "../a.wav", "/a.wav", "sub/../../a.wav", "%2e%2e/a.wav", "%252e%252e/a.wav", "..\\a.wav", f"{BASE}x/a.wav",
        f"{BASE}/../a.wav", f"{BASE}/%2E%2E/a.wav", "https://data.example.org.evil.org/corpus/a.wav",
        "https://data.example.org/other/a.wav", "s3://corpus/a.wav", "file:///etc/passwd", "../a.zip::m",
    ],
)  # fmt: skip
def test_what_lies_outside_a_url_needs_leave(cell: str) -> None:
    assert "allow_outside_root" in refused(cell, BASE)


def test_a_local_file_beside_a_url_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(clip_bytes())
    located = locate(str(tmp_path / "a.wav"), BASE, allow_outside_root=True)
    assert located == locate(located.cell, BASE, allow_outside_root=True)
    assert probe(located.place).duration_s == pytest.approx(0.1)


PIECES = st.sampled_from(
    ["..", "/", "a", "sub", "a.wav", "link_a.wav", "a.zip", "link_a.zip", "::", "a.parquet", "audio[0]", "[",
     "#t=0,0.05", "#t=", "://", "file", "\0", "\\", "%2e", " ", "a.tar.gz"]
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(text=st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=7).map("".join)))
def test_any_text_is_audio_inside_the_root_or_one_refusal(root: Path, text: str) -> None:
    try:
        located = locate(text, root, allow_outside_root=False)
    except AudioError as error:
        assert error.reason is Reason.MISSING_AUDIO  # noqa: PT017
        return
    assert locate(located.cell, root, allow_outside_root=False) == located
    held = located.place
    while not isinstance(held, Path):
        inside = next(name for name in ("of", "archive", "file") if hasattr(held, name))
        held = getattr(held, inside)
    assert held.resolve().is_relative_to(root)
    try:
        assert probe(located.place).duration_s > 0
    except AudioError as error:
        assert str(root) not in str(error)  # noqa: PT017
