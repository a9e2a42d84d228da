"""Corpora whose files lie by speaker, each as its shipped description reads a miniature of its exact layout."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pipeline import tables
from pipeline.corpora.base import Loaded
from pipeline.corpora.described import DescribedCorpus
from pipeline.corpora.described.settings import DescribedSettings
from pipeline.errors import ManifestError
from pipeline.records import Reason
from tests.corpora_miniatures import by_path

ROOT = Path(__file__).resolve().parents[4]
Load = Callable[..., Loaded]
MINIATURES = {
    "vctk": by_path.vctk,
    "vctk_080": by_path.vctk_080,
    "l2_arctic": by_path.l2_arctic,
    "librispeech": by_path.librispeech,
    "timit": by_path.timit,
    "aesrc2020": by_path.aesrc2020,
    "google_uk_ireland": by_path.google_uk_ireland,
    "speech_accent_archive": by_path.speech_accent_archive,
    "speechocean762": by_path.speechocean762,
}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every miniature, written once."""
    return {name: write(tmp_path_factory.mktemp(name)) for name, write in MINIATURES.items()}


@cache
def corpus(name: str, root: Path, *overrides: str) -> DescribedCorpus:
    """Return a corpus as the command line composes it; of the configuration, its file alone."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        raw = compose(f"corpus/{name}", [f"corpus.root={root}", *overrides])
    section = OmegaConf.to_container(raw.corpus, resolve=True)
    assert isinstance(section, dict)
    assert section.pop("kind") == "described"
    return DescribedCorpus(DescribedSettings.model_validate(section))


@pytest.fixture
def load(roots: dict[str, Path]) -> Load:
    """Return a loader of miniatures through their shipped descriptions."""

    def loaded(name: str, *overrides: str, of: str | None = None) -> Loaded:
        found = corpus(name, roots[of or name], *overrides).load()
        tables.check(found.utterances, tables.Utterances, where="test")
        assert found.rows == len(found.utterances) + len(found.exclusions)
        return found

    return loaded


def said(loaded: Loaded) -> dict[str, tuple[str, str, str]]:
    """Speaker, accent and reference by utterance."""
    return {
        row["utterance_id"]: (row["speaker_id"], row["accent"], row["reference"])
        for row in loaded.utterances.to_dict("records")
    }


def lost(loaded: Loaded) -> dict[str, tuple[Reason, str]]:
    """Reason and detail by name of what was excluded."""
    return {one.utterance_id: (one.reason, one.detail) for one in loaded.exclusions}


def attribute(loaded: Loaded, name: str) -> dict[str, str | None]:
    """An attribute by utterance; None where the corpus does not say."""
    cells = loaded.utterances[f"attr_{name}"]
    values = (cell if known else None for cell, known in zip(cells, cells.notna(), strict=True))
    return dict(zip(loaded.utterances["utterance_id"], values, strict=True))


def test_vctk_is_read_with_regions_of_several_words_and_what_it_lacks_is_excluded_one_by_one(load: Load) -> None:
    loaded = load("vctk")
    assert said(loaded) == {
        "p225_001": ("p225", "england", "The kettle is warm."),
        "p225_002": ("p225", "england", 'Nobody, he said, "was" late.'),
        "p234_001": ("p234", "scottish", "The kettle is warm."),
        "p329_001": ("p329", "us_general", "Null and None came to tea."),
        "s5_001": ("s5", "uk", "The kettle is warm."),
    }
    assert attribute(loaded, "region")["p225_001"] == "Southern England"
    assert attribute(loaded, "region")["p234_001"] == "West Dumfries"
    assert attribute(loaded, "region")["p329_001"] is None
    assert attribute(loaded, "age")["p234_001"] == "22"
    assert set(loaded.utterances["audio"].str.slice(-10)) == {"_mic1.flac"}
    found = lost(loaded)
    assert set(found) == {"p280_001", "p315_001", "p225_003"}
    assert found["p280_001"] == (Reason.UNKNOWN_ACCENT, "'Unknown' is not in data_manifests/accents.yaml")
    assert found["p315_001"] == (Reason.EMPTY_REFERENCE, "it has no text: there is no txt/p315/p315_001.txt")
    assert found["p225_003"][0] is Reason.MISSING_AUDIO
    assert "p225_003_mic1.flac" in found["p225_003"][1]


def test_vctk_regions_lose_their_comments_and_the_other_microphone_is_a_setting(load: Load) -> None:
    loaded = load("vctk", "corpus.files.only.microphone=mic2", "corpus.accents=as_given")
    assert set(loaded.utterances["audio"].str.slice(-10)) == {"_mic2.flac"}
    assert lost(loaded)["p280_001"][0] is Reason.MISSING_AUDIO
    assert "p280_001_mic2.flac" in lost(loaded)["p280_001"][1]
    first = load("vctk", "corpus.accents=as_given")
    assert attribute(first, "region")["p280_001"] == "France"
    assert said(first)["p280_001"][1] == "Unknown"


def test_vctk_080_joins_numbers_to_names_and_a_speaker_without_a_row_is_excluded(load: Load) -> None:
    loaded = load("vctk_080")
    assert {name: (speaker, accent) for name, (speaker, accent, _) in said(loaded).items()} == {
        "p225_001": ("p225", "england"),
        "p248_001": ("p248", "indian"),
        "p335_001": ("p335", "new_zealand"),
    }
    assert attribute(loaded, "region") == {"p225_001": "Southern England", "p248_001": None, "p335_001": "English"}
    assert "no row for '280'" in lost(loaded)["p280_001"][1]
    assert "txt/p315/p315_001.txt" in lost(loaded)["p315_001"][1]
    assert len(loaded.exclusions) == 2


def test_l2_arctic_takes_first_languages_from_its_list_and_leaves_the_retold_stories_out(
    load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    loaded = load("l2_arctic")
    assert said(loaded) == {
        "ABA_arctic_a0001": ("ABA", "arabic", "a kettle was on the hob"),
        "HJK_arctic_a0001": ("HJK", "korean", "a kettle was on the hob"),
        "TXHC_arctic_a0001": ("TXHC", "mandarin", "a kettle was on the hob"),
    }
    assert attribute(loaded, "gender") == {
        "ABA_arctic_a0001": "M", "HJK_arctic_a0001": "F", "TXHC_arctic_a0001": "M"
    }  # fmt: skip
    assert list(loaded.utterances["raw_accent"]) == ["Arabic", "Korean", "Chinese"]
    found = lost(loaded)
    assert "ABA/transcript/arctic_b0002.txt" in found["ABA_arctic_b0002"][1]
    assert found["ABA_arctic_b0003"][0] is Reason.MISSING_AUDIO
    assert "'XYZ' is not in its map" in found["XYZ_arctic_a0001"][1]
    assert len(found) == 3
    assert ".wav': 2: " in caplog.text
    assert "suitcase_corpus/wav/aba.wav" in caplog.text


def test_the_retold_stories_of_l2_arctic_are_a_corpus_of_their_own(load: Load) -> None:
    loaded = load("l2_arctic_suitcase", of="l2_arctic")
    assert said(loaded) == {
        "aba_suitcase": ("aba", "arabic", "so there is uh aba and a bag"),
        "hjk_suitcase": ("hjk", "korean", "so there is uh hjk and a bag"),
    }
    assert attribute(loaded, "gender") == {"aba_suitcase": "M", "hjk_suitcase": "F"}
    assert loaded.exclusions == []


def test_librispeech_is_one_group_of_nobody_says_how_they_speak(load: Load) -> None:
    loaded = load("librispeech")
    assert said(loaded) == {
        "1089-134686-0000": ("1089", "not_stated", "HE HOPED THERE WAS TEA"),
        "1089-134686-0001": ("1089", "not_stated", "NONE"),
    }
    assert set(attribute(loaded, "gender").values()) == {"M"}
    found = lost(loaded)
    assert found["1089-134686-0002"][0] is Reason.MISSING_AUDIO
    assert "no line of test-clean/1089/134686/" in found["1089-134686-0009"][1]
    assert len(found) == 2
    everything = load("librispeech", "~corpus.files.only.subset")
    assert set(attribute(everything, "subset").values()) == {"test-clean", "dev-clean"}


def test_timit_is_read_from_sphere_with_its_words_and_not_its_times(load: Load) -> None:
    loaded = load("timit")
    assert said(loaded) == {
        "DR1-FAKS0_SA1": ("FAKS0", "us_new_england", "She had your blue kettle all year."),
        "DR8-MJLN0_SX9": ("MJLN0", "us_moved_around", "Where were you while we were away?"),
    }
    assert attribute(loaded, "gender") == {"DR1-FAKS0_SA1": "F", "DR8-MJLN0_SX9": "M"}
    assert attribute(loaded, "sentence_type") == {"DR1-FAKS0_SA1": "SA", "DR8-MJLN0_SX9": "SX"}
    assert set(loaded.utterances["sample_rate_hz"]) == {16_000}
    found = lost(loaded)
    assert "SA2" in found["DR1-FAKS0_SA2"][1]
    assert found["DR8-MJLN0_SX99"][0] is Reason.MISSING_AUDIO
    assert "does not fit the pattern" in found["DR8-MJLN0_SX100"][1]
    assert len(found) == 3  # and not the copy SA1.WAV.wav
    assert set(said(load("timit", "corpus.files.only.part=train"))) == {"DR4-FCAG0_SI1503"}


def test_timit_copied_in_small_letters_is_the_same_corpus(tmp_path: Path, roots: dict[str, Path]) -> None:
    large = corpus("timit", roots["timit"]).load()
    small = corpus("timit", by_path.timit(tmp_path, lower=True)).load()
    assert list(small.utterances["accent"]) == list(large.utterances["accent"])
    assert list(small.utterances["reference"]) == list(large.utterances["reference"])
    assert [name.upper() for name in small.utterances["utterance_id"]] == list(large.utterances["utterance_id"])
    assert len(small.exclusions) == len(large.exclusions)


def test_aesrc2020_takes_accents_from_folders_however_they_are_written(load: Load) -> None:
    loaded = load("aesrc2020")
    assert said(loaded) == {
        "G00001S1001": ("G00001", "chinese_unspecified", 'Turn, please: "left".'),
        "G00011S1001": ("G00011", "russian", 'Turn, please: "left".'),
        "G00473S1002": ("G00473", "us_general", 'Turn, please: "left".'),
    }
    assert list(loaded.utterances["raw_accent"]) == ["Chinese", "Russian", "American"]
    assert "G00473S1003.txt" in lost(loaded)["G00473S1003"][1]
    assert len(loaded.exclusions) == 1


def test_the_british_and_irish_dialects_keep_their_commas_and_their_speakers_apart(load: Load) -> None:
    loaded = load("google_uk_ireland")
    assert said(loaded) == {
        "irm_02484_00012334": ("irm_02484", "irish", "It is thirteen past two"),
        "irm_02484_00045678": ("irm_02484", "irish", "Before tea, and after tea, we walked"),
        "scf_02484_00012334": ("scf_02484", "scottish", "It is thirteen, past two"),
    }
    assert attribute(loaded, "gender")["scf_02484_00012334"] == "female"
    found = lost(loaded)
    assert found["irm_02484_00099999"][0] is Reason.MISSING_AUDIO
    assert "no line of irish_english_male/line_index.csv" in found["irm_03397_00000001"][1]
    assert "this is not a line" in found["irish_english_male/line_index.csv line 4"][1]
    assert len(found) == 3


def test_one_dialect_is_the_corpus_without_the_others_and_without_their_bad_lines(load: Load) -> None:
    loaded = load("google_uk_ireland", "corpus.accents=[scottish]")
    assert set(said(loaded)) == {"scf_02484_00012334"}
    assert loaded.exclusions == []
    assert set(load("google_uk_ireland", "corpus.accents=[british_isles]").utterances["accent"]) == {
        "irish",
        "scottish",
    }


def test_the_archive_tells_countries_of_english_apart_and_misses_recordings_of_one_name(load: Load) -> None:
    loaded = load("speech_accent_archive")
    passage = "Please find Stella. Tell her that the kettle is warm."
    assert said(loaded) == {
        "arabic10-12": ("12", "arabic", passage),
        "arabic25-1011": ("1011", "arabic", passage),
        "english2-77": ("77", "uk", passage),
        "english253-857": ("857", "irish", passage),
        "english9-9": ("9", "us_general", passage),
    }
    assert attribute(loaded, "age_onset")["english9-9"] == "2.5"
    assert dict(zip(loaded.utterances["utterance_id"], loaded.utterances["raw_accent"], strict=True)) == {
        "arabic10-12": "arabic",
        "arabic25-1011": "arabic",
        "english2-77": "english (uk)",
        "english253-857": "english (ireland)",
        "english9-9": "english (usa)",
    }
    found = lost(load("speech_accent_archive", "corpus.accents=as_given"))
    assert {name: reason for name, (reason, _) in found.items()} == {
        "haitian-1165": Reason.MISSING_AUDIO,
        "haitian-1166": Reason.MISSING_AUDIO,
    }
    assert lost(loaded)["english196-654"] == (
        Reason.UNKNOWN_ACCENT, "'english (fiji)' is not in data_manifests/accents.yaml"
    )  # fmt: skip


def test_speechocean762_has_one_accent_and_ages_of_both_parts(load: Load) -> None:
    loaded = load("speechocean762")
    assert said(loaded) == {
        "000010011": ("0001", "mandarin", "WE CALL IT TEA"),
        "000030011": ("0003", "mandarin", "NULL IS A WORD"),
        "000050011": ("0005", "mandarin", "TOM GIVES UP"),
    }
    assert attribute(loaded, "age") == {"000010011": "6", "000030011": "37", "000050011": "11"}
    assert attribute(loaded, "gender") == {"000010011": "m", "000030011": "f", "000050011": "f"}
    assert attribute(loaded, "part")["000050011"] == "test"
    assert lost(loaded)["000050099"][0] is Reason.MISSING_AUDIO
    test_part = load("speechocean762", "+corpus.files.only.part=test")
    assert set(said(test_part)) == {"000050011"}


@pytest.mark.parametrize("name", sorted(MINIATURES))
def test_every_description_tells_its_licence_and_finds_its_inputs(name: str, roots: dict[str, Path]) -> None:
    described = corpus(name, roots[name])
    record = described.record()
    assert record.licence
    assert record.citation
    assert described.settings.not_verified
    assert all(path.is_file() for path in described.inputs())


def test_lists_of_texts_are_inputs_and_texts_of_one_recording_are_not(roots: dict[str, Path]) -> None:
    def inputs(name: str) -> set[str]:
        root = roots[name].resolve()
        return {path.relative_to(root).as_posix() for path in corpus(name, root).inputs() if path.is_relative_to(root)}

    assert inputs("librispeech") == {"SPEAKERS.TXT", "test-clean/1089/134686/1089-134686.trans.txt"}
    assert inputs("vctk") == {"speaker-info.txt"}
    assert inputs("speech_accent_archive") == {"speakers_all.csv", "reading-passage.txt"}


def test_a_listing_needs_no_audio_and_counts_what_cannot_be_used(roots: dict[str, Path]) -> None:
    listed = corpus("google_uk_ireland", roots["google_uk_ireland"]).listing()
    assert set(listed.table["accent"]) == {"irish", "scottish"}
    assert (len(listed.table), listed.n_unusable) == (4, 2)  # one of the four has no recording, which is not looked at


def test_a_wrong_root_is_told_where_the_corpus_lies(roots: dict[str, Path]) -> None:
    right = roots["vctk"]
    with pytest.raises(ManifestError, match=re.escape(f"Set corpus.root={right}")):
        corpus("vctk", right.parent).load()
