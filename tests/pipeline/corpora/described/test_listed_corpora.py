"""Common Voice, Artie, Fair-Speech, Svarah and NISP by name: every row of a miniature comes out as expected by hand."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pipeline.config import build
from pipeline.corpora.audio import read_audio
from pipeline.corpora.base import Loaded
from pipeline.corpora.described import DescribedCorpus
from pipeline.errors import ManifestError
from tests.corpora_miniatures import listed

Composed = Callable[..., dict[str, Any]]
CONF = Path(__file__).resolve().parents[4] / "conf"


@cache
def composed_once(name: str) -> dict[str, Any]:
    """Return what ``corpus=<name> corpus.root=...`` composes to, as a user's command does."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        plain = OmegaConf.to_container(compose("config", [f"corpus={name}", "corpus.root=given"]), resolve=True)
    assert isinstance(plain, dict)
    return {**plain, "run_name": "scratch"}


def corpus_of(name: str, root: Path, **changed: Any) -> DescribedCorpus:
    plain = composed_once(name)
    found = build({**plain, "corpus": {**plain["corpus"], "root": str(root), **changed}}).corpus
    assert isinstance(found, DescribedCorpus)
    return found


def by_id(loaded: Loaded, *columns: str) -> dict[str, tuple[Any, ...]]:
    table = loaded.utterances.astype(object).where(loaded.utterances.notna(), None)
    return {row["utterance_id"]: tuple(row[name] for name in columns) for row in table.to_dict("records")}


def lost(loaded: Loaded) -> dict[str, str]:
    assert loaded.rows == len(loaded.utterances) + len(loaded.exclusions)
    return {one.utterance_id: one.reason.value for one in loaded.exclusions}


CV = "common_voice_en_"


@pytest.mark.parametrize("release", listed.COMMON_VOICE_HEADERS)
def test_every_generation_of_common_voice_gives_the_same_utterances(tmp_path: Path, release: str) -> None:
    loaded = corpus_of("common_voice", listed.common_voice(tmp_path, release)).load()
    assert by_id(loaded, "accent", "speaker_id", "reference", "attr_gender", "audio") == {
        f"{CV}1": ("us_general", "ann", 'The door said "open', "female", f"clips/{CV}1.mp3"),
        f"{CV}2": ("indian", "raj", "Two cups, please.", None, f"clips/{CV}2.mp3"),
        f"{CV}3": ("scottish", "None", "null", None, f"clips/{CV}3.mp3"),
        f"{CV}8": ("us_general", "ann", "Says the same twice.", None, f"clips/{CV}8.mp3"),
    }
    assert lost(loaded) == {
        f"{CV}4": "several_accents", f"{CV}5": "missing_value", f"{CV}6": "unknown_accent", f"{CV}7": "missing_audio",
    }  # fmt: skip


def test_a_clip_of_two_accents_names_both_and_a_half_known_one_names_what_is_unknown(tmp_path: Path) -> None:
    loaded = corpus_of("common_voice", listed.common_voice(tmp_path, "26.0")).load()
    told = {one.utterance_id: one.detail for one in loaded.exclusions}
    assert "england and indian" in told[f"{CV}4"]
    assert told[f"{CV}6"].startswith("'a little martian' of 'Scottish English,a little martian'")


def test_the_accents_to_study_are_chosen_with_all_below_them_and_the_rest_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = listed.common_voice(tmp_path, "26.0")
    with caplog.at_level("INFO"):
        loaded = corpus_of("common_voice", root, accents=["british_isles", "indian"]).load()
    assert set(by_id(loaded)) == {f"{CV}2", f"{CV}3"}
    assert loaded.rows == 2 + len(lost(loaded))
    assert f"{CV}7" in lost(loaded)  # Welsh, and its clip is not there
    assert "2 of 8 rows are of accents that corpus.accents does not name" in caplog.text
    assert "'Scottish English,a little martian' (1)" in caplog.text


def test_a_clip_that_two_chosen_splits_list_is_a_duplicate(tmp_path: Path) -> None:
    root = listed.common_voice(tmp_path, "26.0")
    loaded = corpus_of("common_voice", root, splits=["train", "test"]).load()
    assert loaded.rows == 10
    assert f"{CV}9" in by_id(loaded)
    assert [one.reason.value for one in loaded.exclusions if one.utterance_id == f"{CV}1"] == ["duplicate_id"] * 2


def test_a_release_without_the_split_is_one_sentence(tmp_path: Path) -> None:
    root = listed.common_voice(tmp_path, "26.0")
    with pytest.raises(ManifestError, match=r"corpus.index_file: there is no file .*dev.tsv.*corpus.root"):
        corpus_of("common_voice", root, splits=["dev"]).load()


def test_artie_finds_its_clips_in_whatever_folder_unless_two_are_called_alike(tmp_path: Path) -> None:
    loaded = corpus_of("artie", listed.artie(tmp_path)).load()
    assert by_id(loaded, "accent", "raw_accent", "speaker_id", "attr_gender", "audio") == {
        f"{CV}1": ("us_general", "us", "ann", "female", f"cv/clips/{CV}1.mp3"),
        f"{CV}2": ("indian", "indian", "raj", "male", f"{CV}2.mp3"),
    }
    assert lost(loaded) == {f"{CV}3": "missing_audio", f"{CV}4": "missing_value"}
    told = {one.utterance_id: one.detail for one in loaded.exclusions}
    assert "2 files are called 'common_voice_en_4.mp3'" in told[f"{CV}4"]


def test_fair_speech_has_no_speakers_keeps_its_texts_to_itself_and_reports_other_languages(tmp_path: Path) -> None:
    corpus = corpus_of("fair_speech", listed.fair_speech(tmp_path))
    loaded = corpus.load()
    assert by_id(loaded, "accent", "speaker_id", "reference", "attr_ethnicity") == {
        "a1": ("english_first_language", None, "hey call my sister", "White"),
        "b2": ("spanish", None, 'play "the blue one', "Hispanic, Latino, or Spanish"),
    }
    assert lost(loaded) == {"c3": "unknown_accent", "d4": "empty_reference"}
    assert loaded.utterances["duration_s"].max() == pytest.approx(31.0)
    assert (corpus.record().redistribute_text, corpus.record().redistribute_audio) == (False, False)


def test_fair_speech_can_be_compared_by_another_of_its_columns(composed: Composed, tmp_path: Path) -> None:
    command = (
        "corpus=fair_speech", f"corpus.root={listed.fair_speech(tmp_path)}", "corpus.accents=as_given",
        "corpus.columns.accent.source_column=ethnicity", "corpus.label.kind=ethnicity",
    )  # fmt: skip
    loaded = build(composed(*command)).corpus.load()
    assert by_id(loaded, "accent") == {"a1": ("White",), "b2": ("Hispanic, Latino, or Spanish",), "c3": ("White",)}


def test_nisp_takes_the_english_sentences_and_its_speakers_from_their_list(tmp_path: Path) -> None:
    loaded = corpus_of("nisp", listed.nisp(tmp_path)).load()
    assert by_id(loaded, "accent", "speaker_id", "reference", "attr_gender", "attr_age") == {
        "Hin_0001_Eng_f_0000": ("hindi", "Hin_0001", "The market opened", "Female", "24.24"),
        "Tam_0002_Eng_m_0000": ("tamil", "Tam_0002", '"Null" is a word', "Male", "25"),
    }
    assert set(loaded.utterances["audio"]) == {
        "Hindi_master/English_Hindi/RECS/0001/Hin_0001_Eng_f_0000.wav",
        "Tamil_master/English_Tamil/RECS/0002/Tam_0002_Eng_m_0000.wav",
    }
    assert lost(loaded) == {"Hin_0001_Eng_f_0001": "missing_audio", "Tam_0009_Eng_m_0000": "missing_value"}
    assert any("no row for 'Tam_0009'" in one.detail for one in loaded.exclusions)


def test_svarah_lists_what_its_table_says_without_opening_a_recording(tmp_path: Path) -> None:
    corpus = corpus_of("svarah", listed.svarah(tmp_path))
    listing = corpus.listing().table
    assert listing["speaker_id"].isna().all()
    assert listing[["utterance_id", "accent", "reference"]].to_dict("list") == {
        "utterance_id": ["281_f1_chunk_0", "282_f2_chunk_3"],
        "accent": ["hindi", "bodo"],
        "reference": ["I need two kilos of rice", "Pay the bill"],
    }


def test_svarah_reads_its_recordings_out_of_its_table(tmp_path: Path) -> None:
    corpus = corpus_of("svarah", listed.svarah(tmp_path))
    loaded = corpus.load()
    assert not loaded.exclusions
    assert by_id(loaded, "accent", "raw_accent", "attr_age_group", "attr_job_category", "audio") == {
        "281_f1_chunk_0": ("hindi", "Hindi", "18-30", None, "data/test-00000-of-00002.parquet::audio_filepath[0]"),
        "282_f2_chunk_3": ("bodo", "Bodo", "18-30", None, "data/test-00001-of-00002.parquet::audio_filepath[0]"),
    }
    heard = read_audio(corpus.audio_path(loaded.utterances["audio"][0]), sha256=loaded.utterances["audio_sha256"][0])
    assert len(heard) == pytest.approx(0.3 * 16_000)
