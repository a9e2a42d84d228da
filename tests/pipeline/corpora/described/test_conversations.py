"""Corpora whose utterances are stretches of recordings, each as its shipped description reads a miniature of it."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.corpora.base import Loaded
from pipeline.errors import ManifestError, StudyError
from tests.corpora_miniatures import conversations
from tests.corpora_miniatures.loading import corpus_of, load, lost, reasons, told

A, B = "EDACC-C06-A", "EDACC-C06-B"
NAMES = ("edacc", "coraal", "voxpopuli", "kaldi", "nemo", "lhotse")
FOLDERS = "corpus.segments.files=[data/cut,data/whole]"
LABELS = "corpus.columns.accent.source_column=meta.accent"


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every miniature, written once."""
    return {name: getattr(conversations, name)(tmp_path_factory.mktemp("corpora") / name) for name in NAMES}


def test_edacc_cuts_conversations_joins_backgrounds_and_says_who_is_talked_over(roots: dict[str, Path]) -> None:
    loaded = load("edacc", roots["edacc"])
    columns = ("speaker_id", "accent", "reference", "audio", "duration_s", "attr_overlap", "attr_split")
    assert told(loaded, *columns) == {
        "EDACC-C06-000000000": (
            A, "us_general", "C ELEVEN DASH P ONE", "data/EDACC-C06.wav#t=0,1", pytest.approx(1.0), "yes", "dev"
        ),
        "EDACC-C06-000000001": (
            B, "scottish", "YEAH QUITE", "data/EDACC-C06.wav#t=0.8,1.6", pytest.approx(0.8), "yes", "dev"
        ),
        "EDACC-C07-000000001": (
            "EDACC-C07-B", "scottish", "A LONG STORY ABOUT NOTHING", "data/EDACC-C07.wav#t=1,32.5", pytest.approx(31.5),
            "no", "test",
        ),
    }  # fmt: skip
    assert told(loaded, "raw_accent", "attr_gender", "attr_ethnicity", "attr_birth_year")["EDACC-C06-000000000"] == (
        "American, I guess.", "Female", "Mixed, or so", "1990",
    )  # fmt: skip
    assert set(loaded.utterances["sample_rate_hz"]) == {32_000}
    assert loaded.utterances["audio_sha256"].is_unique


def test_edacc_excludes_what_is_not_written_down_and_stretches_that_hold_nothing(roots: dict[str, Path]) -> None:
    loaded = load("edacc", roots["edacc"])
    assert reasons(loaded) == {
        "EDACC-C06-000000002": "incomplete_reference",
        "EDACC-C06-000000003": "empty_audio",
        "EDACC-C06-000000004": "empty_audio",
        "EDACC-C06-000000005": "incomplete_reference",
        "EDACC-C06-000000006": "empty_reference",
        "EDACC-C07-000000000": "unknown_accent",
        "EDACC-C07-000000002": "undecodable_audio",
    }
    found = lost(loaded)
    assert "<OVERLAP>" in found["EDACC-C06-000000002"][1]
    assert "ends at 2.2 s" in found["EDACC-C06-000000004"][1]
    assert "Generic middle class white person" in found["EDACC-C07-000000000"][1]
    assert "33 s" in found["EDACC-C07-000000002"][1]


def test_one_set_of_edacc_can_be_chosen_and_its_lists_are_the_inputs(roots: dict[str, Path]) -> None:
    corpus = corpus_of("edacc", roots["edacc"], "corpus.segments.files=[test]")
    assert set(told(corpus.load(), "accent")) == {"EDACC-C07-000000001"}
    lists = (path for path in corpus.inputs() if path.is_relative_to(roots["edacc"]))
    names = {path.relative_to(roots["edacc"]).as_posix() for path in lists}
    assert names == {
        "linguistic_background.csv",
        *(f"test/{n}" for n in ("segments", "text", "utt2spk")),  # and not conv.list or stm, which are not read
    }


def test_a_listing_of_edacc_opens_no_recording(tmp_path: Path) -> None:
    root = conversations.edacc(tmp_path)
    for path in (root / "data").iterdir():
        path.unlink()
    listed = corpus_of("edacc", root).listing()
    assert set(listed.table["speaker_id"]) == {A, B, "EDACC-C07-B"}
    assert (len(listed.table), listed.n_unusable) == (4, 6)  # what only the recording could refuse is still there


def test_coraal_is_cleaned_by_its_conventions_and_pauses_are_no_utterances(
    roots: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    loaded = load("coraal", roots["coraal"])
    woman, man = "DCB_se1_ag1_f_01", "ROC_se0_ag2_m_01"
    assert told(loaded, "speaker_id", "accent", "raw_accent", "reference", "attr_overlap") == {
        f"{woman}_1_3": (woman, "aal_washington_dc_2016", "DCB", "Well, I was born here.", "yes"),
        f"{woman}_1_9": (woman, "aal_washington_dc_2016", "DCB", 'She said "none of that', "no"),
        f"{woman}_1_10": (woman, "aal_washington_dc_2016", "DCB", "I- I know.", "no"),
        f"{man}_1_1": (man, "aal_rochester", "ROC", "It was.", "no"),
    }
    assert "2 of 11 lines of DCB/transcripts/DCB_se1_ag1_f_01_1.txt are no speech" in caplog.text


def test_coraal_keeps_what_the_rows_of_a_speaker_agree_in_and_blanks_the_rest(roots: dict[str, Path]) -> None:
    loaded = load("coraal", roots["coraal"])
    columns = ("attr_gender", "attr_age_group", "attr_socioeconomic_group", "attr_education_group")
    assert told(loaded, *columns)["DCB_se1_ag1_f_01_1_3"] == ("Female", "-29", "1", None)
    assert told(loaded, *columns)["ROC_se0_ag2_m_01_1_1"] == ("Male", "30-50", None, None)


def test_coraal_leaves_out_interviewers_redactions_and_what_nobody_understood(roots: dict[str, Path]) -> None:
    loaded = load("coraal", roots["coraal"])
    woman = "DCB_se1_ag1_f_01_1"
    assert reasons(loaded) == {
        f"{woman}_1": "left_out", f"{woman}_4": "left_out", f"{woman}_5": "incomplete_reference",
        f"{woman}_6": "incomplete_reference", f"{woman}_8": "empty_reference", f"{woman}_11": "incomplete_reference",
        "ROC_se0_ag3_f_02_1_1": "missing_audio",
    }  # fmt: skip
    assert "interviewer" in lost(loaded)[f"{woman}_1"][1]
    assert "/RD-NAME-2/" in lost(loaded)[f"{woman}_5"][1]


def test_voxpopuli_takes_none_for_nobody_and_only_the_split_with_accents(roots: dict[str, Path]) -> None:
    loaded = load("voxpopuli", roots["voxpopuli"])
    session = "20090204-0900-PLENARY-3"
    assert told(loaded, "speaker_id", "accent", "reference", "attr_gender", "duration_s") == {
        f"{session}-a1": ("119431", "czech", 'Mr "President', "female", pytest.approx(1.0)),
        f"{session}-a2": (None, "german", "None of it.", None, pytest.approx(1.0)),
    }
    assert reasons(loaded) == {
        f"{session}-a3": "left_out", f"{session}-a4": "unknown_accent", "20100101-0900-PLENARY-a5": "missing_audio"
    }  # fmt: skip


def test_kaldi_folders_are_read_with_and_without_segments_and_none_may_be_a_name(roots: dict[str, Path]) -> None:
    loaded = load("kaldi", roots["kaldi"], FOLDERS)
    assert told(loaded, "speaker_id", "accent", "reference", "audio", "attr_gender") == {
        "c1": ("None", "scottish", "good  morning", "audio/call.flac#t=0,0.5", None),
        "c2": ("sue", "indian", "null", "audio/call.flac#t=0.5,1.25", "f"),
        "w1": ("ann", "welsh", "all of it", "audio/one.wav", None),
    }


def test_a_command_in_wav_scp_is_never_run_and_every_line_that_goes_with_nothing_is_excluded(
    roots: dict[str, Path],
) -> None:
    loaded = load("kaldi", roots["kaldi"], FOLDERS)
    assert reasons(loaded) == {
        "c3": "missing_audio", "c4": "missing_value", "c5": "missing_value", "c6": "missing_audio",
        "w2": "missing_audio", "w3": "empty_reference", "w4": "missing_audio", "w5": "missing_value",
    }  # fmt: skip
    assert "never run" in lost(loaded)["w2"][1]
    assert "outside the audio root" in lost(loaded)["w4"][1]


def test_a_nemo_manifest_gives_whole_files_and_parts_of_them(roots: dict[str, Path]) -> None:
    loaded = load("nemo", roots["nemo"], LABELS)
    assert told(loaded, "speaker_id", "reference", "audio", "attr_overlap") == {
        "test_manifest:1": ("None", "one\u2028line", "audio/short.wav", "no"),
        "test_manifest:2": ("s2", "a part", "audio/long.wav#t=0.25,0.75", "yes"),
        "test_manifest:3": ("s3", "talks into it", "audio/long.wav#t=0.5,1", "yes"),
    }
    assert reasons(loaded) == {
        "test_manifest:4": "empty_audio", "test_manifest:5": "missing_value", "test_manifest:6": "missing_value",
        "test_manifest:7": "empty_reference",
    }  # fmt: skip


def test_lhotse_manifests_are_read_without_lhotse_or_say_what_only_lhotse_could_do(roots: dict[str, Path]) -> None:
    loaded = load("lhotse", roots["lhotse"])
    assert told(loaded, "speaker_id", "accent", "audio", "attr_age") == {
        "all": ("ALL", "welsh", "audio/r1.wav", "31"), "part": ("PART", "welsh", "audio/r1.wav#t=0.25,0.75", "31")
    }  # fmt: skip
    assert reasons(loaded) == {
        "ran": "missing_audio", "left": "missing_audio", "sped": "missing_audio", "gone": "missing_audio",
        "none": "missing_value",
    }  # fmt: skip
    details = {name: detail for name, (_, detail) in lost(loaded).items()}
    assert "never run" in details["ran"]
    assert "channel 0 of [0, 1]" in details["left"]
    assert "transforms" in details["sped"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["corpus.segments.files=[train]"], "nothing below"),
        (["corpus.segments.files=['../*']"], "outside corpus.root"),
        (["corpus.tables.background.file=background.csv"], "background.csv"),
        (["corpus.tables.background.key=WHO"], "'WHO'"),
    ],
)
def test_a_layout_that_is_not_there_is_one_sentence_with_what_to_do(
    roots: dict[str, Path], overrides: list[str], said: str
) -> None:
    with pytest.raises(ManifestError, match=said):
        corpus_of("edacc", roots["edacc"], *overrides).load()


def test_a_strategy_and_what_it_needs_must_go_together(roots: dict[str, Path]) -> None:
    with pytest.raises(ValidationError, match="what lists the stretches"):
        corpus_of("edacc", roots["edacc"], "corpus.segments=null")
    with pytest.raises(ValidationError, match="recording: a table needs it"):
        corpus_of("coraal", roots["coraal"], "corpus.segments.recording=null")


def _accounted(loaded: Loaded) -> bool:
    return loaded.rows == len(loaded.utterances) + len(loaded.exclusions)


TRASH = st.one_of(st.binary(max_size=60), st.text("ac12 \t\n\"'{}:.|/-é", max_size=60).map(str.encode))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["text", "segments", "utt2spk", "wav.scp", "spk2accent"]), trash=TRASH)
def test_any_bytes_in_a_kaldi_folder_give_utterances_exclusions_or_one_error(
    tmp_path: Path, name: str, trash: bytes
) -> None:
    folder = tmp_path / "any"
    folder.mkdir(exist_ok=True)
    good = {"text": "a b", "segments": "a r 0 1", "utt2spk": "a s", "wav.scp": "r r.wav", "spk2accent": "s scottish"}
    for file, line in good.items():
        (folder / file).write_bytes(trash if file == name else line.encode())
    with contextlib.suppress(StudyError):
        assert _accounted(corpus_of("kaldi", folder).load())


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda deeper: st.one_of(st.lists(deeper, max_size=3), st.dictionaries(st.text(max_size=8), deeper, max_size=3)),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["audio_filepath", "offset", "duration", "text", "id", "recording_id", "start", "sources", "x"]
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(FIELDS, JSON, max_size=6), max_size=3), kind=st.sampled_from(["nemo", "lhotse"]))
def test_any_json_as_a_manifest_gives_utterances_exclusions_or_one_error(
    tmp_path: Path, rows: list[dict[str, object]], kind: str
) -> None:
    folder = tmp_path / kind
    folder.mkdir(exist_ok=True)
    for name in ("m_supervisions.jsonl", "m_recordings.jsonl"):
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with contextlib.suppress(StudyError):
        assert _accounted(corpus_of(kind, folder).load())
