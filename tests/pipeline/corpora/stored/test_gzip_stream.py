"""A gzip file read at any place gives what lies there."""

import gzip
import io
import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.stored import gzip_stream
from pipeline.corpora.stored.gzip_stream import FirstPass, GzipPoints


@pytest.fixture(scope="module", autouse=True)
def _small() -> None:
    """Make points and pieces small, so that small files have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gzip_stream, "_INPUT_BYTES", 97)
        patch.setattr(gzip_stream, "_FIRST_SPACING_BYTES", 500)
        patch.setattr(gzip_stream, "_MOST_POINTS", 8)
        yield


def data_of(seed: int, size: int) -> bytes:
    rng = random.Random(seed)
    return b"".join(rng.choice([bytes(50), rng.randbytes(50), b"speech" * 8]) for _ in range(size // 49))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 99),
    sizes=st.lists(st.integers(0, 20_000), min_size=1, max_size=3),
    offsets=st.lists(st.floats(0, 1), min_size=1, max_size=5),
    padding=st.integers(0, 300),
)
def test_what_lies_behind_any_place_is_found(seed: int, sizes: list[int], offsets: list[float], padding: int) -> None:
    parts = [data_of(seed + number, size) for number, size in enumerate(sizes)]
    data, file = b"".join(parts), io.BytesIO(b"".join(map(gzip.compress, parts)) + bytes(padding))
    points = GzipPoints()
    FirstPass(file, points).finish()
    assert len(points._points) <= 8
    for share in offsets:
        offset = int(share * len(data))
        assert b"".join(points.pieces(file, offset)) == data[offset:]


def test_the_first_pass_reads_and_skips_forward() -> None:
    data = data_of(1, 5000)
    content = FirstPass(io.BytesIO(gzip.compress(data)), GzipPoints())
    assert content.read(10) == data[:10]
    content.seek(3000)
    assert (content.read(700), content.tell()) == (data[3000:3700], 3700)
    content.seek(10 * len(data))
    assert content.read(1) == b""
    with pytest.raises(OSError, match="backwards"):
        content.seek(5)


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_file_that_is_cut_short_ends_in_an_error(share: float) -> None:
    packed = gzip.compress(data_of(2, 5000))
    with pytest.raises(EOFError):
        FirstPass(io.BytesIO(packed[: int(share * len(packed))]), GzipPoints()).finish()


def test_a_wrong_sum_at_the_end_is_an_error() -> None:
    packed = bytearray(gzip.compress(data_of(3, 5000)))
    packed[-8] ^= 1
    with pytest.raises(zlib.error):
        FirstPass(io.BytesIO(bytes(packed)), GzipPoints()).finish()
