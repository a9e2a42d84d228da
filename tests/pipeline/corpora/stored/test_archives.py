"""Members of tar and zip archives: the bytes that were packed, or one refusal; never a crash, never a second look."""

import io
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.decoding import RecordingError
from pipeline.corpora.stored import archives, gzip_stream, streams
from pipeline.corpora.stored.archives import Member

NAMES = ["a.wav", "deep/er/b.wav", "with space é.wav", "x::y[0].wav"]
CONTENT = {name: random.Random(name).randbytes(3000 + 700 * at) for at, name in enumerate(NAMES)}
SUFFIXES = ["tar", "tar.gz", "tgz", "zip"]


def pack(path: Path, content: dict[str, bytes] = CONTENT) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
            for name, data in content.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return path


def taken(path: Path, member: str) -> bytes:
    with Member(path, member).open() as stream:
        return stream.read()


def refusal(path: Path, member: str) -> tuple[str, str]:
    with pytest.raises(RecordingError) as caught:
        Member(path, member).open()
    assert str(path.parent) not in str(caught.value)  # a published table tells no folder of this machine
    return caught.value.problem, str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_member_is_what_was_packed_in_any_order_and_from_any_thread(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"A.{suffix}")
    wanted = [*NAMES, *reversed(NAMES), *NAMES] * 3
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda name: taken(path, name), wanted))
    assert found == [CONTENT[name] for name in wanted]


def test_a_dot_before_a_members_name_means_nothing(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"./a.wav": b"one", "b.wav": b"two"})
    assert (taken(path, "a.wav"), taken(path, "./a.wav"), taken(path, "./b.wav")) == (b"one", b"one", b"two")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_is_gone_through_once_also_when_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    looks = []
    for name in ("_read_tar", "_read_zip"):
        read = getattr(archives, name)
        monkeypatch.setattr(archives, name, lambda holder, read=read: (looks.append(holder.name), read(holder))[1])
    good, bad = pack(tmp_path / f"good.{suffix}"), tmp_path / f"bad.{suffix}"
    bad.write_bytes(good.read_bytes()[:600])
    for name in NAMES * 3:
        taken(good, name)
        refusal(bad, name)
    assert sorted(looks) == [bad.name, good.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_not_there_is_missing_and_what_is_cut_short_is_undecodable(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"a.{suffix}")
    assert refusal(path, "none.wav") == ("missing_audio", f"a.{suffix} holds no member 'none.wav'")
    assert refusal(tmp_path / f"none.{suffix}", "a.wav")[0] == "missing_audio"
    (tmp_path / f"folder.{suffix}").mkdir()
    assert refusal(tmp_path / f"folder.{suffix}", "a.wav")[0] == "missing_audio"
    for share in (0.1, 0.5):
        cut = tmp_path / f"{share}.{suffix}"
        cut.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        assert refusal(cut, NAMES[-1])[0] == "undecodable_audio"


@pytest.mark.parametrize("suffix", ["tar.gz", "zip"])
def test_a_flipped_bit_is_found_by_the_archives_own_sum(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"a.{suffix}", {"a.wav": CONTENT["a.wav"]})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert refusal(path, "a.wav")[0] == "undecodable_audio"


def test_links_folders_and_devices_of_a_tar_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE}.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    for name, why in {"link": "a link", "hard": "a link", "fifo": "ordinary", "folder": "ordinary"}.items():
        found, said = refusal(tmp_path / "a.tar", name)
        assert (found, why in said) == ("missing_audio", True)


def test_links_folders_and_strange_packing_of_a_zip_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.mkdir("folder")
        archive.writestr("packed", b"x" * 100, zipfile.ZIP_BZIP2)
    for name, why in {"link": "a link", "folder/": "a folder", "packed": "unpack the archive"}.items():
        found, said = refusal(tmp_path / "a.zip", name)
        assert (found, why in said) == ("missing_audio", True)


def test_an_encrypted_member_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.wav": b"secret"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag of the member, and of its entry in the index
    data[data.rindex(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    assert refusal(path, "a.wav") == (
        "missing_audio",
        "a.zip::a.wav cannot be read: it is encrypted; unpack the archive",
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("suffix", ["tar", "zip"])
def test_of_two_members_with_one_name_neither_is_taken(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.wav", b"one")
            archive.writestr("a.wav", b"two")
    else:
        pack(path, {"a.wav": b"one", "./a.wav": b"two"})
    assert "two members" in refusal(path, "a.wav")[1]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_member_that_becomes_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = pack(tmp_path / f"a.{suffix}", {"bomb.wav": bytes(5 << 20), "fits.wav": bytes(1 << 20)})
    for module in (archives, streams):
        monkeypatch.setattr(module, "LARGEST_BYTES", 1 << 20)
    assert refusal(path, "bomb.wav")[0] == "undecodable_audio"
    assert "larger than" in refusal(path, "bomb.wav")[1]
    assert len(taken(path, "fits.wav")) == 1 << 20


def test_a_tar_that_expands_a_thousandfold_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(tmp_path / "a.tar.gz", {"a.wav": bytes(8 << 20)})
    monkeypatch.setattr(gzip_stream, "_BOMB_BYTES", 1 << 20)
    assert "hundredfold" in refusal(path, "a.wav")[1]


def test_an_archive_that_changed_is_looked_at_again(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"a.wav": b"one"})
    assert taken(path, "a.wav") == b"one"
    pack(path, {"b.wav": b"x", "a.wav": b"another"})
    assert taken(path, "a.wav") == b"another"


def mutated() -> st.SearchStrategy[Callable[[bytes], bytes]]:
    """Return changes of a file: bytes replaced, a piece taken out, the end cut off."""

    def change(at: float, piece: bytes, cut: float, drop: int) -> Callable[[bytes], bytes]:
        def apply(data: bytes) -> bytes:
            place = int(at * len(data))
            changed = data[:place] + piece + data[place + len(piece) + drop :]
            return changed[: int(cut * len(changed))]

        return apply

    share = st.floats(0, 1)
    return st.builds(change, share, st.binary(max_size=40), st.one_of(st.just(1.0), share), st.integers(0, 40))


@settings(max_examples=100, deadline=None)
@given(
    suffix=st.sampled_from(["tar", "tar.gz", "zip"]),
    change=st.one_of(mutated(), st.binary(max_size=1200).map(lambda data: lambda _: data)),
    member=st.sampled_from([*NAMES, "", ".", "/", "none"]),
)
def test_any_bytes_give_the_member_or_one_refusal(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, change: Callable[[bytes], bytes], member: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / f"a.{suffix}"
    path.write_bytes(change(pack(path).read_bytes()))
    try:
        with Member(path, member).open() as stream:
            stream.read()
    except RecordingError as error:
        assert error.problem in ("missing_audio", "undecodable_audio")  # noqa: PT017
        assert str(folder) not in str(error)  # noqa: PT017
