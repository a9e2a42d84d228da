"""Miniatures of corpora that list their utterances in tables.

Layouts, headers and traps are those of the corpora; sentences and speakers are invented.
"""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.corpora_miniatures.clips import clip_bytes, write_clip, write_text

COMMON_VOICE_HEADERS = {
    "7.0": "client_id path sentence up_votes down_votes age gender accent locale segment",
    "12.0": "client_id path sentence up_votes down_votes age gender accents locale segment",
    "16.1": "client_id path sentence up_votes down_votes age gender accents variant locale segment",
    "26.0": "client_id path sentence_id sentence sentence_domain up_votes down_votes age gender accents variant locale "
    "segment",
}
"""The generations of Common Voice's header, by the last release that was seen with it."""

INDIAN = "India and South Asia (India, Pakistan, Sri Lanka)"


def common_voice(root: Path, release: str) -> Path:
    """Write the English folder of one release: a test split with every trap, and a train split that repeats a clip."""
    old = release == "7.0"
    rows = [
        _cv("ann", "1", 'The door said "open', "us" if old else "United States English", gender="female"),
        _cv("raj", "2", "Two cups, please.", "indian" if old else INDIAN),
        _cv("None", "3", "null", "scotland" if old else "Scottish English"),
        _cv("kim", "4", "It rained on Monday.", "england,scotland" if old else f"England English,{INDIAN}"),
        _cv("kim", "5", "It rained on Tuesday.", ""),
        _cv("lee", "6", "A bell rang twice.", "martian" if old else "Scottish English,a little martian"),
        _cv("lee", "7", "The clip is not there.", "wales" if old else "Welsh English"),
        _cv("ann", "8", "Says the same twice.", "us,United States English" if old else "United States English, us"),
    ]
    header = COMMON_VOICE_HEADERS[release].split()
    write_text(root / "test.tsv", _tsv(header, rows))
    write_text(root / "train.tsv", _tsv(header, [_cv("ann", "9", "Only to train with.", "us"), rows[0]]))
    write_text(root / "clip_durations.tsv", "clip\tduration[ms]\ncommon_voice_en_1.mp3\t500\n")
    for number in "1234568":
        write_clip(root / "clips" / f"common_voice_en_{number}.mp3", seconds=0.3, rate_hz=32_000)
    write_clip(root / "clips" / "common_voice_en_9.mp3", seconds=0.3, rate_hz=32_000)
    return root


def _cv(client: str, number: str, sentence: str, accent: str, gender: str = "") -> dict[str, str]:
    return {
        "client_id": client, "path": f"common_voice_en_{number}.mp3", "sentence": sentence, "accent": accent,
        "accents": accent, "gender": gender, "up_votes": "2", "down_votes": "0", "locale": "en", "sentence_id": "9f",
    }  # fmt: skip


def _tsv(header: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    lines = [list(header), *([row.get(name, "") for name in header] for row in rows)]
    return "".join("\t".join(fields) + "\n" for fields in lines)


def artie(root: Path) -> Path:
    """Write the table of 2019, and its clips in a folder that nobody agreed on."""
    header = ["client_id", "path", "sentence", "up_votes", "down_votes", "age", "gender", "accent"]
    rows = [
        _cv("ann", "1", "The door is open", "us", gender="female"),
        _cv("raj", "2", "Two cups please", "indian", gender="male"),
        _cv("joe", "3", "Nobody found this one", "african"),
        _cv("eve", "4", "This one was found twice", "newzealand"),
    ]
    write_text(root / "artie-bias-corpus.tsv", _tsv(header, rows))
    for place in ("cv/clips/common_voice_en_1", "common_voice_en_2", "a/common_voice_en_4", "b/common_voice_en_4"):
        write_clip(root / f"{place}.mp3", place, seconds=0.3)
    return root


def fair_speech(root: Path) -> Path:
    """Write the table and recordings: one is longer than half a minute, one language is nobody's we know of."""
    header = ["hash_name", "transcription", "age", "gender", "first_language", "socioeconomic_bkgd", "ethnicity"]
    rows = [
        ("a1", "hey call my sister", "English", "White"),
        ("b2", 'play "the blue one', "Spanish", "Hispanic, Latino, or Spanish"),
        ("c3", "what time is it in oslo", "Klingon", "White"),
        ("d4", "", "Mandarin", "Asian, South Asian or Asian American"),
    ]
    table = [
        dict(zip(header, (name, text, "18 - 22", "female", language, "Low", ethnicity), strict=True))
        for name, text, language, ethnicity in rows
    ]
    write_text(root / "downloaded_file.tsv", _tsv(header, table))
    for name, _, _, _ in rows:
        write_clip(root / "asr_fairness_audio" / f"{name}.wav", seconds=31.0 if name == "b2" else 0.3)
    return root


def svarah(root: Path) -> Path:
    """Write two shards of the test split: recordings lie in the table, as bytes beside a name."""
    for shard, (name, text, language) in enumerate(
        [("281_f1_chunk_0.wav", "I need two kilos of rice", "Hindi"), ("282_f2_chunk_3.wav", "Pay the bill", "Bodo")]
    ):
        columns = {
            "audio_filepath": pa.array([{"bytes": clip_bytes(name, seconds=0.3), "path": name}]),
            "duration": pa.array([0.3]),
            "text": [text],
            "gender": ["Female"],
            "age-group": ["18-30"],
            "primary_language": [language],
            **{name: ["Assam"] for name in ("native_place_state", "native_place_district", "highest_qualification")},
            **{name: pa.array([None], pa.string()) for name in ("job_category", "occupation_domain")},
        }
        path = root / "data" / f"test-0000{shard}-of-00002.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
    return root


def nisp(root: Path) -> Path:
    """Write two mother tongues: one speaker is in no table, one sentence was not recorded, native texts lie beside."""
    write_text(
        root / "total_spkrinfo.list",
        "Speaker_ID Gender Mother_Tongue Height Shoulder_size Waist_size Weight Age Native_State Native_District\n"
        "Hin_0001 Female Hindi 160 38 80 55 24.24 Bihar Patna\n"
        "Tam_0002 Male Tamil 172 40 82 68 25 Tamil Nadu\n",
    )
    texts = {
        "Hindi_master/scripts/English_hindi_txt/Hin_0001_Eng_f": "0000 The market opened\n0001 Nobody bought it\n",
        "Hindi_master/scripts/Hindi_txt/Hin_0001_Hin_f": "0000 not English\n",
        "Tamil_master/scripts/English_tamil_txt/Tam_0002_Eng_m": 'Tam_0002_Eng_m_0000\t"Null" is a word\n',
        "Tamil_master/scripts/English_tamil_txt/Tam_0009_Eng_m": "0000 Who am I\n",
    }
    for path, text in texts.items():
        write_text(root / f"{path}.txt", text)
    for place in (
        "Hindi_master/English_Hindi/RECS/0001/Hin_0001_Eng_f_0000",
        "Hindi_master/Hindi/RECS/0001/Hin_0001_Hin_f_0000",
        "Tamil_master/English_Tamil/RECS/0002/Tam_0002_Eng_m_0000",
        "Tamil_master/English_Tamil/RECS/0009/Tam_0009_Eng_m_0000",
    ):
        write_clip(root / f"{place}.wav", place, seconds=0.3, rate_hz=44_100)
    return root
