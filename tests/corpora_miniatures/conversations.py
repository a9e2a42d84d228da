"""Miniatures of corpora whose utterances are stretches of longer recordings, and of plain lists of such stretches.

Layouts and traps are those of the corpora; sentences and speakers are invented.
"""

import gzip
import json
from pathlib import Path
from typing import Any

from tests.corpora_miniatures.clips import write_clip, write_text

BACKGROUND = (
    "PARTICIPANT_ID,What is your gender?,What’s your ethnic background? ,What is your higher level of education?,"
    '"How would you describe your accent in English? (e.g. Italian, Glaswegian)",'
    '"What’s your year of birth? (e.g., 1992)"\n'
)


def lines(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows)


def edacc(root: Path) -> Path:
    """Write EdAcc: overlapping speakers, marks, stretches of no length, backwards and past the end, one of 31.5 s."""
    write_clip(root / "data" / "EDACC-C06.wav", seconds=4.0, rate_hz=32_000)
    write_clip(root / "data" / "EDACC-C07.wav", seconds=33.0, rate_hz=32_000)
    write_text(
        root / "linguistic_background.csv",
        "\ufeff" + BACKGROUND + 'EDACC-C06-A,Female,"Mixed, or so",BA,"American, I guess.",1990\n'
        "EDACC-C06-B,Male,,PhD,Scottish (Fife),\n"
        "EDACC-C07-A,Male,,,Generic middle class white person,1980\n"
        "EDACC-C07-B,Female,White,MA,Glaswegian,1971\n",
    )
    dev = [
        ("A", "0.00 1.00", "C ELEVEN DASH P ONE"),
        ("B", "0.80 1.60", "YEAH <LAUGH> QUITE"),
        ("A", "1.60 2.00", "AND THEN <OVERLAP>"),
        ("B", "2.00 2.00", "NOTHING"),
        ("A", "2.50 2.20", "BACKWARDS"),
        ("B", "2.50 3.00", "IGNORE_TIME_SEGMENT_IN_SCORING"),
        ("A", "3.00 3.50", "<LAUGH>"),
    ]
    test = [
        ("A", "0.00 1.00", "WELL NOW"),
        ("B", "1.00 32.50", "A LONG STORY ABOUT NOTHING"),
        ("B", "32.60 40.00", "AFTER THE END"),
    ]
    _edacc_set(root / "dev", "EDACC-C06", dev)
    _edacc_set(root / "test", "EDACC-C07", test)
    return root


def _edacc_set(folder: Path, conversation: str, rows: list[tuple[str, str, str]]) -> None:
    ids = [f"{conversation}-{number:09d}" for number in range(len(rows))]
    pairs = list(zip(ids, rows, strict=True))
    write_text(folder / "conv.list", lines(conversation))
    write_text(folder / "segments", lines(*(f"{name} {conversation} {row[1]}" for name, row in pairs)))
    write_text(folder / "text", lines(*(f"{name} {row[2]}" for name, row in pairs)))
    write_text(folder / "utt2spk", lines(*(f"{name} {conversation}-{row[0]}" for name, row in pairs)))
    write_text(folder / "stm", lines(*(f"{conversation} 1 {conversation}-{row[0]} {row[1]} <x,l1> {row[2]}" for row in rows)))


def coraal(root: Path) -> Path:
    """Write two components of CORAAL, unpacked differently, with metadata of different columns."""
    speaker, other = "DCB_se1_ag1_f_01", "DCB_int_01"
    rows = [
        (other, 0.0, 'So you said "here', 0.5),
        (other, 0.5, "(pause 0.51)", 0.6),
        (speaker, 0.6, "Well, [I was] born <laugh> here.", 1.2),
        (other, 0.9, "[Mhm.]", 1.0),
        (speaker, 1.3, "My cousin /RD-NAME-2/ came.", 1.6),
        (speaker, 1.6, "/unintelligible/", 1.8),
        (speaker, 1.8, "(pause 0.30)", 2.1),
        (speaker, 2.1, "<laugh>", 2.3),
        (speaker, 2.3, 'She said "none of that', 2.7),
        (speaker, 2.7, "[I- (sigh) I know.", 3.1),
        (speaker, 3.1, "Maybe <so.", 3.4),
    ]
    _coraal_file(root / "DCB" / "transcripts" / f"{speaker}_1.txt", rows)
    write_clip(root / "DCB" / "audio" / "part01" / f"{speaker}_1.wav", seconds=4.0, rate_hz=44_100)
    write_text(
        root / "DCB" / "DCB_metadata_2018.10.06.txt",
        "CORAAL.Spkr\tCORAAL.File\tPrimary.Spkr\tGender\tAge\tAge.Group\tCORAAL.SEC.Group\tEdu.Group\tNotes\n"
        f'{speaker}\t{speaker}_1\tyes\tFemale\t19\t-29\t1\tHigh School\tshe said "hm\n'
        f"{speaker}\t{speaker}_2\tyes\tFemale\t20\t-29\t1\tCollege\t\n",
    )
    _coraal_file(root / "ROC_textfiles_2020.05" / "ROC_se0_ag2_m_01_1.txt", [("ROC_se0_ag2_m_01", 0.0, "It was.", 0.5)])
    write_clip(root / "ROC_audio" / "ROC_se0_ag2_m_01_1.wav", seconds=0.6, rate_hz=44_100)
    _coraal_file(root / "ROC_textfiles_2020.05" / "ROC_se0_ag3_f_02_1.txt", [("ROC_se0_ag3_f_02", 0.0, "Gone.", 0.5)])
    write_text(
        root / "ROC_metadata_2020.05.txt",
        "CORAAL.Spkr\tCORAAL.File\tGender\tAge.Group\nROC_se0_ag2_m_01\tROC_se0_ag2_m_01_1\tMale\t30-50\n",
    )
    return root


def _coraal_file(path: Path, rows: list[tuple[str, float, str, float]]) -> None:
    told = (f"{n}\t{who}\t{start}\t{said}\t{end}" for n, (who, start, said, end) in enumerate(rows, start=1))
    write_text(path, lines("Line\tSpkr\tStTime\tContent\tEnTime", *told))


VOXPOPULI = (
    "id_|paragraph_id|session_id|speaker_id|original_text|normed_text|decoded|start_time|end_time|cer|wer|vad|split|"
    "gender|accent|is_gold_transcript"
)


def voxpopuli(root: Path) -> Path:
    """Write accented VoxPopuli: a gzipped table with bars, sessions by year, speakers called None."""
    session = "20090204-0900-PLENARY-3"
    write_clip(root / "raw_audios" / "original" / "2009" / f"{session}_original.ogg", seconds=3.0)
    rows = [
        ("a1", session, "119431", 'Mr "President', "0.0|1.0", "test|female|en_cs|True"),
        ("a2", session, "None", "None of it.", "1.0|2.0", "test|None|en_de|False"),
        ("a3", session, "5", "Other split.", "2.0|2.5", "dev|male|en_de|True"),
        ("a4", session, "5", "Unknown code.", "2.0|2.5", "test|male|en_zz|True"),
        ("a5", "20100101-0900-PLENARY", "5", "No session.", "0.0|1.0", "test|male|en_fr|True"),
    ]
    table = [f"{n}|p|{at}|{who}|{said}|{said.lower()}|x|{when}|0|0|[[0.0, 1.0]]|{rest}" for n, at, who, said, when, rest in rows]
    path = root / "annotations" / "asr" / "asr_en_accented.tsv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(lines(VOXPOPULI, *table).encode()))
    return root


def kaldi(root: Path) -> Path:
    """Write two Kaldi folders: one with segments, one without, with a command and lines that do not go together."""
    write_clip(root / "audio" / "call.flac", seconds=2.0)
    write_clip(root / "audio" / "one.wav")
    cut = root / "data" / "cut"
    write_text(cut / "segments", lines("c1 call 0 0.5", "c2 call 0.5 1.25", "c3 lost 0 1", "c4 call 1 -1", "c5 call zero 1"))
    write_text(cut / "text", lines("c1 good  morning", "c2 null", "c3 x", "c4 x", "c5 x", "c6 x"))
    write_text(cut / "utt2spk", lines("c1 None", "c2 sue", "c3 sue", "c4 sue", "c5 sue", "c6 sue"))
    write_text(cut / "wav.scp", lines("call audio/call.flac"))
    write_text(cut / "spk2accent", lines("None scottish", "sue indian"))
    write_text(cut / "spk2gender", lines("sue f"))
    write_text(cut / "utt2dur", lines("c1 0.5"))
    whole = root / "data" / "whole"
    write_text(whole / "text", lines("w1 all of it", "w2 x", "w3", "w4 x", "w5 a", "w5 b"))
    write_text(whole / "utt2spk", lines("w1 ann", "w2 ann", "w3 ann", "w4 ann", "w5 ann"))
    write_text(
        whole / "wav.scp",
        lines("w1 audio/one.wav", "w2 sox audio/one.wav -t wav - |", "w3 audio/one.wav", "w4 ../secret.wav", "w5 audio/one.wav"),
    )
    write_text(whole / "utt2accent", lines("w1 welsh", "w2 welsh", "w3 welsh", "w4 welsh", "w5 welsh"))
    return root


def nemo(root: Path) -> Path:
    """Write a NeMo manifest: whole files and parts of one, an accent inside a field, text with a line separator."""
    write_clip(root / "audio" / "long.wav", seconds=2.0)
    write_clip(root / "audio" / "short.wav")
    common = {"duration": 0.5, "meta": {"accent": "irish"}, "tags": ["a"]}
    rows: list[dict[str, Any]] = [
        {"audio_filepath": "audio/short.wav", "text": "one\u2028line", "speaker": "None", **common},
        {"audio_filepath": "audio/long.wav", "text": "a part", "offset": 0.25, "speaker": "s2", **common},
        {"audio_filepath": "audio/long.wav", "text": "talks into it", "offset": 0.5, "speaker": "s3", **common},
        {"audio_filepath": "audio/long.wav", "text": "no length", "offset": 1.0, "speaker": "s2", **common, "duration": 0.0},
        {"audio_filepath": "audio/long.wav", "text": "no duration", "offset": 1.0, "speaker": "s2", "meta": {"accent": "irish"}},
        {"audio_filepath": None, "text": "no file", "speaker": 7, **common},
        {"audio_filepath": "audio/short.wav", "text": "", "speaker": "s2", **common},
    ]
    write_text(root / "test_manifest.json", lines(*(json.dumps(row, ensure_ascii=False) for row in rows)))
    return root


def lhotse(root: Path) -> Path:
    """Write lhotse manifests, gzipped: what is read as a file, and what only lhotse could read."""
    write_clip(root / "audio" / "r1.wav", seconds=1.0)

    def recording(name: str, kind: str = "file", channels: int = 1, **more: Any) -> dict[str, Any]:
        source = {"type": kind, "channels": list(range(channels)), "source": "audio/r1.wav"}
        return {"id": name, "sources": [source], "sampling_rate": 16000, "num_samples": 16000, "duration": 1.0, **more}

    def supervision(name: str, at: str, start: float = 0.0, duration: float = 1.0, **more: Any) -> dict[str, Any]:
        told = {"text": f"words of {name}", "speaker": name.upper(), "gender": "f", "custom": {"accent": "welsh", "age": 31}}
        return {"id": name, "recording_id": at, "start": start, "duration": duration, "channel": 0, **told, **more}

    recordings = [
        recording("r1"),
        recording("pipe", "command"),
        recording("two", channels=2),
        recording("fast", transforms=[{"name": "Speed", "kwargs": {"factor": 1.1}}]),
    ]
    supervisions = [
        supervision("all", "r1"),
        supervision("part", "r1", 0.25, 0.5),
        supervision("ran", "pipe"),
        supervision("left", "two"),
        supervision("sped", "fast"),
        supervision("gone", "r9"),
        supervision("none", "r1", custom=None),
    ]
    for name, rows in (("recordings", recordings), ("supervisions", supervisions)):
        root.mkdir(parents=True, exist_ok=True)
        (root / f"set_{name}_test.jsonl.gz").write_bytes(gzip.compress(lines(*map(json.dumps, rows)).encode()))
    return root
