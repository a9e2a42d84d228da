"""Miniatures of data sets as the ``datasets`` library and the Hub keep them, and of AfriSpeech's archives.

Layouts and traps are those of the data sets; sentences and speakers are invented.
"""

import csv
import io
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from datasets import Audio, ClassLabel, Dataset, DatasetDict, Features, Value

from tests.corpora_miniatures.clips import clip_bytes, write_clip

RECORDING = {"bytes": Value("binary"), "path": Value("string")}


def recording(*key: str, kind: str = "wav") -> dict[str, Any]:
    return {"bytes": clip_bytes(*key, kind=kind), "path": f"{'_'.join(key)}.{kind}"}


def data_set(rows: list[dict[str, Any]], **special: Any) -> Dataset:
    """Return rows as a data set with an Audio column: strings, and int64 for numbers, unless ``special`` says else."""
    kinds: dict[str, Any] = {"audio": RECORDING}
    for name, value in rows[0].items():
        kinds.setdefault(name, special.get(name, Value("int64" if isinstance(value, int) else "string")))
    made = Dataset.from_dict({name: [row[name] for row in rows] for name in kinds}, features=Features(kinds))
    return made.cast_column("audio", Audio(decode=False))


def write_parquet(path: Path, rows: list[dict[str, Any]], **special: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data_set(rows, **special).to_parquet(path)
    return path


def edacc_parquet(root: Path) -> Path:
    """Write the Parquet form of EdAcc: two splits, the test one in two files."""

    def row(name: str, text: str, accent: str) -> dict[str, Any]:
        told = {"speaker": name, "text": text, "accent": accent, "raw_accent": "American, I guess.", "gender": "female"}
        return {**told, "l1": "English", "audio": recording(name, text)}

    first = [
        row("EDACC-C06-A", "WELL <laugh> NOW", "Mainstream US English"),
        row("EDACC-C06-B", "AND", "Scottish English"),
    ]
    second = [row("EDACC-C07-A", "SO <overlap>", "Irish English"), row("EDACC-C07-B", "YES", "Somewhere English")]
    write_parquet(root / "data" / "test-00000-of-00002.parquet", first)
    write_parquet(root / "data" / "test-00001-of-00002.parquet", second)
    write_parquet(root / "data" / "validation-00000-of-00001.parquet", [row("EDACC-C01-A", "NO", "Irish English")])
    return root


def voxpopuli_parquet(root: Path) -> Path:
    """Write accented VoxPopuli as the Hub converted it: the language is a class, nobody is called None."""

    def row(name: str, speaker: str, accent: str) -> dict[str, Any]:
        told = {"audio_id": name, "language": 0, "audio": recording(name, kind="ogg"), "raw_text": f"Mr {name}, null."}
        further = {"normalized_text": f"mr {name} null", "gender": "male", "speaker_id": speaker}
        return {**told, **further, "is_gold_transcript": True, "accent": accent}

    rows = [row("v1", "119431", "en_lt"), row("v2", "None", "en_sl"), row("v3", "5", "None")]
    classes = ClassLabel(names=["en_accented"])
    write_parquet(root / "test" / "0000.parquet", rows, language=classes, is_gold_transcript=Value("bool"))
    return root


def globe(root: Path) -> Path:
    """Write GLOBE: labels as in Common Voice."""

    def row(name: str, accent: str) -> dict[str, Any]:
        told = {"audio": recording(name), "transcript": f"{name} reads", "speaker_id": name, "accent": accent}
        return {**told, "age": "twenties", "gender": "male"}

    rows = [row("S1", "Scottish English"), row("S2", "England English,Scottish English"), row("S3", "Martian English")]
    write_parquet(root / "data" / "test-00000-of-00001.parquet", rows)
    return root


def fleurs(root: Path) -> Path:
    """Write English FLEURS as the Hub converted it: two people read one sentence, gender is a class."""

    def row(path: str, gender: int) -> dict[str, Any]:
        told = {"id": 1904, "num_samples": 8000, "path": path, "audio": recording(path), "transcription": "it rains"}
        return {**told, "raw_transcription": "It rains.", "gender": gender}

    genders = ClassLabel(names=["male", "female", "other"])
    write_parquet(root / "test" / "0000.parquet", [row("a.wav", 1), row("b.wav", 0), row("c.wav", -1)], gender=genders)
    return root


def saved(root: Path) -> Path:
    """Write a dictionary of data sets with save_to_disk: a null number, a class, a recording that was only a path."""
    beside = write_clip(root / "beside.wav")

    def row(name: str, accent: str, gender: int, age: int | None, **more: Any) -> dict[str, Any]:
        told = {"id": name, "audio": recording(name), "text": f"words of {name}", "speaker_id": name, "accent": accent}
        return {**told, "gender": gender, "age": age, **more}

    test = [row("None", "scottish", 1, 30), row("b", "welsh", 0, None)]
    train = [row("c", "irish", 0, 50, audio={"bytes": None, "path": str(beside)})]
    kinds = {"gender": ClassLabel(names=["m", "f"]), "age": Value("int64")}
    DatasetDict({"test": data_set(test, **kinds), "train": data_set(train, **kinds)}).save_to_disk(root)
    return root


def paths_only(root: Path) -> Path:
    """Write one Parquet file as to_parquet leaves it: paths of recordings, and no bytes."""
    rows = []
    for name in ("in", "out", "gone"):
        told = {"text": f"words of {name}", "speaker": name, "accent": "welsh"}
        rows.append({**told, "audio": {"bytes": None, "path": f"clips/{name}.wav" if name != "out" else "../out.wav"}})
    write_clip(root / "clips" / "in.wav")
    write_clip(root.parent / "out.wav")
    pq.write_table(data_set(rows).data.table, root / "train.parquet")
    return root


def afrispeech(root: Path) -> Path:
    """Write AfriSpeech-200: archives by accent and split, paths that begin elsewhere, one recording in no archive."""
    rows = [
        ("yoruba", "/AfriSpeech-100/test/u1/r1.wav", "The dose, doubled.", "p1", "id1"),
        ("yoruba", "/AfriSpeech-100/test/u2/r1.wav", "Null.", "None", "id2"),
        ("zulu", "/AfriSpeech-100/test/u3/r3.wav", "Unpacked.", "p3", "id3"),
        ("zulu", "/AfriSpeech-100/test/u4/r4.wav", "Nowhere.", "p3", "id4"),
        ("klingon", "/AfriSpeech-100/test/u1/r1.wav", "Unmapped.", "p5", "id5"),
    ]
    for accent in ("yoruba", "zulu", "klingon"):
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(
            ["audio_paths", "transcript", "user_ids", "gender", "accent", "audio_ids", "duration", "domain"]
        )
        for label, path, text, who, name in rows:
            if label == accent:
                writer.writerow([path, text, who, "Female", label, name, "0.5", "clinical"])
        (root / "transcripts" / accent).mkdir(parents=True, exist_ok=True)
        (root / "transcripts" / accent / "test.csv").write_text(table.getvalue(), encoding="utf-8")
    _tar(root / "audio/yoruba/test/test_yoruba_0.tar.gz", {"data/test/u1/r1.wav": clip_bytes("u1")})
    _tar(root / "audio/yoruba/test/test_yoruba_1.tar.gz", {"data/test/u2/r1.wav": clip_bytes("u2")})
    _tar(root / "audio/yoruba/dev/dev_yoruba_0.tar.gz", {"data/dev/u4/r4.wav": clip_bytes("u4")})
    write_clip(root / "audio" / "zulu" / "test" / "u3" / "r3.wav")
    return root


def _tar(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
