"""A corpus from a manifest: every row is an utterance or an exclusion, and nothing is guessed."""

import contextlib
import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline import tables
from pipeline.corpora.base import Loaded
from pipeline.corpora.manifest import ManifestCorpus, ManifestSettings
from pipeline.errors import ManifestError, StudyError
from pipeline.records import Reason

COLUMNS = ["utterance_id", "audio_path", "reference", "speaker_id", "accent"]
Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with good.wav, 0.1 s of noise."""
    soundfile.write(tmp_path / "good.wav", 0.1 * np.random.default_rng(0).standard_normal(1600), 16000)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Return a writer of manifests in ``folder``; a row is given by what differs from a good one."""

    def write(*rows: dict[str, str], columns: list[str] = COLUMNS) -> Path:
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            out = csv.DictWriter(file, columns, extrasaction="ignore")
            out.writeheader()
            for number, row in enumerate(rows):
                good = {"utterance_id": f"u{number}", "audio_path": "good.wav", "reference": "good words"}
                out.writerow(good | {"speaker_id": f"s{number}", "accent": "scottish"} | row)
        return folder / "manifest.csv"

    return write


def load(path: Path, **options: Any) -> Loaded:
    return ManifestCorpus(ManifestSettings(path=path, **options)).load()


def only_exclusion(loaded: Loaded) -> tuple[Reason, str]:
    assert (len(loaded.utterances), len(loaded.exclusions), loaded.rows) == (1, 1, 2)
    assert loaded.exclusions[0].stage == "load_utterances"
    assert loaded.exclusions[0].condition == ""
    return loaded.exclusions[0].reason, loaded.exclusions[0].detail


def test_a_good_row_becomes_an_utterance_with_everything_known_about_it(write: Write, folder: Path) -> None:
    path = write({"accent": " SCOTLAND ", "speaker_id": "None", "gender": "NA"}, columns=[*COLUMNS, "gender"])
    loaded = load(path, attributes=["gender"], label_provenance="self_report", name="mine")
    row = loaded.utterances.to_dict("records")[0]
    tables.check(loaded.utterances, tables.Utterances, where="test")
    assert row["accent"] == "scottish"
    assert row["raw_accent"] == "SCOTLAND"
    assert row["speaker_id"] == "None"
    assert row["attr_gender"] == "NA"
    assert (row["corpus"], row["audio"], row["label_provenance"]) == ("mine", "good.wav", "self_report")
    assert (row["sample_rate_hz"], row["duration_s"], row["synthetic"]) == (16000, pytest.approx(0.1), False)
    assert len(row["audio_sha256"]) == 64


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({"utterance_id": ""}, Reason.MISSING_VALUE, "utterance_id is blank"),
        ({"accent": " "}, Reason.MISSING_VALUE, "accent is blank"),
        ({"audio_path": ""}, Reason.MISSING_VALUE, "audio_path is blank"),
        ({"reference": "  "}, Reason.EMPTY_REFERENCE, "blank"),
        ({"accent": "martian"}, Reason.UNKNOWN_ACCENT, "'martian'"),
        ({"accent": "ALL"}, Reason.UNKNOWN_ACCENT, "'ALL'"),
        ({"audio_path": "none.wav"}, Reason.MISSING_AUDIO, "none.wav"),
        ({"audio_path": "x" * 5000}, Reason.MISSING_AUDIO, ""),
        ({"audio_path": "a\0b.wav"}, Reason.MISSING_AUDIO, ""),
        ({"audio_path": "manifest.csv"}, Reason.UNDECODABLE_AUDIO, "manifest.csv"),
        ({"audio_path": "."}, Reason.MISSING_AUDIO, ""),
    ],
)
def test_a_bad_row_becomes_an_exclusion_with_its_reason(
    write: Write, row: dict[str, str], reason: Reason, detail: str
) -> None:
    found, text = only_exclusion(load(write({"utterance_id": "fine"}, row)))
    assert found is reason
    assert detail in text


def test_empty_and_silent_audio_are_excluded(write: Write, folder: Path) -> None:
    soundfile.write(folder / "silent.wav", np.zeros(1600), 16000)
    assert only_exclusion(load(write({}, {"audio_path": "silent.wav"})))[0] is Reason.EMPTY_AUDIO


def test_every_row_of_a_repeated_id_is_excluded_because_none_says_which_is_right(write: Write) -> None:
    loaded = load(write({"utterance_id": "a"}, {"utterance_id": "b"}, {"utterance_id": "a", "reference": "other"}))
    assert list(loaded.utterances["utterance_id"]) == ["b"]
    assert [(lost.utterance_id, lost.reason) for lost in loaded.exclusions] == [("a", Reason.DUPLICATE_ID)] * 2


def test_a_row_without_an_id_is_named_by_its_line(write: Write) -> None:
    loaded = load(write({}, {"utterance_id": ""}))
    assert loaded.exclusions[0].utterance_id == "line 3"


def test_on_bad_row_stop_gives_the_count_and_the_first_five_with_their_lines(write: Write) -> None:
    path = write({}, *({"accent": f"planet {n}"} for n in range(7)))
    with pytest.raises(ManifestError) as caught:
        load(path, on_bad_row="stop")
    message = str(caught.value)
    assert "7 of 8 rows" in message
    assert all(f"line {n + 3} " in message and f"planet {n}" in message for n in range(5))
    assert "planet 5" not in message
    assert "2 more" in message
    assert "on_bad_row=exclude" in message


def test_on_bad_row_stop_lets_a_good_manifest_pass(write: Write) -> None:
    assert len(load(write({}, {}), on_bad_row="stop").utterances) == 2


@pytest.mark.parametrize("provenance", ["inferred", "Imputed by a model"])
def test_labels_that_nobody_stated_are_refused_until_they_are_asked_for(write: Write, provenance: str) -> None:
    with pytest.raises(ValidationError, match=r"allow_inferred_labels=true"):
        load(write({}), label_provenance=provenance)
    loaded = load(write({}), label_provenance=provenance, allow_inferred_labels=True)
    assert set(loaded.utterances["label_provenance"]) == {provenance}


def test_speakers_may_be_blank_or_the_column_absent(write: Write) -> None:
    blank = load(write({"speaker_id": " "}, {}))
    assert blank.utterances["speaker_id"].isna().tolist() == [True, False]
    absent = load(write({}, columns=[name for name in COLUMNS if name != "speaker_id"]))
    assert absent.utterances["speaker_id"].isna().all()


@pytest.mark.parametrize("missing", ["utterance_id", "audio_path", "reference", "accent"])
def test_a_missing_column_is_named(write: Write, missing: str) -> None:
    with pytest.raises(ManifestError, match=f"no column '{missing}'"):
        load(write({}, columns=[name for name in COLUMNS if name != missing]))


def test_an_undeclared_column_is_left_out_and_a_declared_one_must_be_there(write: Write) -> None:
    path = write({"age": "31"}, columns=[*COLUMNS, "age"])
    assert "attr_age" not in load(path).utterances
    with pytest.raises(ManifestError, match=r"'aeg'.*Did you mean 'age'"):
        load(path, attributes=["aeg"])


def test_labels_can_be_taken_as_they_stand(write: Write) -> None:
    loaded = load(write({"accent": " North  side "}, {"accent": "ALL"}), accents="as_given")
    assert list(loaded.utterances["accent"]) == ["North  side"]
    assert "'ALL' is reserved" in loaded.exclusions[0].detail


def test_a_named_vocabulary_knows_its_own_labels_only(write: Write) -> None:
    path = write({"accent": "us: western"}, {"accent": "scotland"})
    assert list(load(path).utterances["accent"]) == ["us_western", "scottish"]
    timit = load(path, vocabulary="timit")
    assert list(timit.utterances["accent"]) == ["us_western"]
    assert timit.exclusions[0].reason is Reason.UNKNOWN_ACCENT


@pytest.mark.parametrize("form", ["up", "absolute", "link", "folder_link"])
def test_audio_outside_the_root_is_refused_unless_allowed(write: Write, folder: Path, form: str) -> None:
    outside = folder.parent / f"outside_{form}"
    outside.mkdir()
    soundfile.write(outside / "a.wav", 0.1 * np.ones(1600), 16000)
    given = {"up": f"../{outside.name}/a.wav", "absolute": str(outside / "a.wav"), "link": "link.wav"}
    if form == "link":
        (folder / "link.wav").symlink_to(outside / "a.wav")
    if form == "folder_link":
        (folder / "linked").symlink_to(outside, target_is_directory=True)
    path = write({}, {"audio_path": given.get(form, "linked/a.wav")})
    reason, detail = only_exclusion(load(path))
    assert reason is Reason.MISSING_AUDIO
    assert "allow_outside_root" in detail
    allowed = ManifestCorpus(ManifestSettings(path=path, allow_outside_root=True))
    audio = allowed.load().utterances["audio"]
    assert len(audio) == 2
    assert allowed.audio_path(audio[1]).samefile(outside / "a.wav")


def test_a_path_that_stays_inside_may_wander_and_may_be_absolute(write: Write, folder: Path) -> None:
    (folder / "sub").mkdir()
    loaded = load(write({"audio_path": "sub/../good.wav"}, {"audio_path": str(folder / "good.wav")}))
    assert list(loaded.utterances["audio"]) == ["good.wav", "good.wav"]


def test_audio_may_lie_in_another_root(write: Write, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "good.wav").rename(folder / "elsewhere" / "good.wav")
    corpus = ManifestCorpus(ManifestSettings(path=write({}), audio_root=folder / "elsewhere"))
    assert corpus.audio_path(corpus.load().utterances["audio"][0]) == (folder / "elsewhere" / "good.wav").resolve()
    with pytest.raises(ManifestError, match=r"corpus\.audio_root"):
        load(folder / "manifest.csv", audio_root=folder / "nowhere")


def test_the_order_of_rows_changes_nothing(write: Write) -> None:
    rows: list[dict[str, str]] = [{"utterance_id": f"id{n}", "speaker_id": f"s{n % 3}"} for n in range(12)]
    rows += [{"utterance_id": "id3"}, {"utterance_id": "bad", "accent": "?"}, {"utterance_id": "zz", "reference": ""}]
    first = load(write(*rows))
    random.Random(1).shuffle(rows)
    second = load(write(*rows))
    assert first.utterances.equals(second.utterances)
    assert first.exclusions == second.exclusions
    assert first.utterances["utterance_id"].is_monotonic_increasing


def test_the_record_says_what_the_settings_declare_and_takes_the_folders_name(write: Write, folder: Path) -> None:
    record = ManifestCorpus(ManifestSettings(path=write({}), licence="CC0", label_kind="accent")).record()
    assert (record.name, record.licence, record.label_kind) == (folder.name, "CC0", "accent")
    assert (record.citation, record.redistribute_text, record.synthetic) == ("", False, False)


@pytest.mark.parametrize(
    ("settings_given", "message"),
    [
        ({"path": None}, "a manifest .* is needed"),
        ({"path": ""}, "a manifest .* is needed"),
        ({"path": "m.csv", "vocabulary": "tmit"}, "Did you mean 'timit'"),
        ({"path": "m.csv", "attributes": ["accent"]}, "none of utterance_id"),
        ({"path": "m.csv", "attributes": ["age", "age"]}, "once"),
        ({"path": "m.csv", "pth": "x"}, "Extra inputs"),
        ({"path": "m.csv", "on_bad_row": "ignore"}, "exclude"),
    ],
)
def test_wrong_settings_fail_before_anything_is_read(settings_given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ManifestSettings(**settings_given)


def test_speakers_are_the_talkers_and_their_recordings_are_read_when_asked_for(write: Write, folder: Path) -> None:
    path = write(*({"utterance_id": f"u{n}", "speaker_id": f"s{n // 2}"} for n in range(4)), {"speaker_id": ""})
    corpus = ManifestCorpus(ManifestSettings(path=path))
    utterances = corpus.load().utterances
    talkers = corpus.talkers(utterances.sample(frac=1, random_state=0))
    assert [(one.talker_id, one.group, one.accent, len(one.recordings)) for one in talkers] == [
        ("scottish/s0", "s0", "scottish", 2),
        ("scottish/s1", "s1", "scottish", 2),
        ("scottish/u4", "u4", "scottish", 1),
    ]
    assert talkers[0].recordings[0].sha256 == utterances["audio_sha256"][0]
    assert talkers[0].recordings[0].load().shape == (1600,)
    assert [corpus.group_of(row) for row in utterances.to_dict("records")] == ["s0", "s0", "s1", "s1", "u4"]


def test_a_declared_voice_groups_the_speakers_that_share_it(write: Write) -> None:
    path = write({"voice": "v"}, {"voice": "v"}, {"voice": ""}, columns=[*COLUMNS, "voice"])
    corpus = ManifestCorpus(ManifestSettings(path=path, attributes=["voice"]))
    utterances = corpus.load().utterances
    assert [corpus.group_of(row) for row in utterances.to_dict("records")] == ["v", "v", "s2"]
    assert [one.group for one in corpus.talkers(utterances)] == ["v", "v", "s2"]


TEXT = st.text(max_size=12)
CELL = st.one_of(TEXT, st.sampled_from(["", "a", "good.wav", "../x", "scottish", "null", '"', "a,b", "x\ny", "\0"]))


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=5, max_size=5), min_size=1, max_size=8))
def test_rows_in_are_utterances_and_exclusions(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    soundfile.write(folder / "good.wav", 0.1 * np.ones(160), 16000)
    with (folder / "m.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])
    loaded = load(folder / "m.csv", accents="as_given")
    assert loaded.rows == len(rows) == len(loaded.utterances) + len(loaded.exclusions)


@settings(max_examples=50, deadline=None)
@given(
    suffix=st.sampled_from(["csv", "tsv", "jsonl"]),
    head=st.sampled_from([b"", ",".join(COLUMNS).encode() + b"\n", "\t".join(COLUMNS).encode() + b"\n", b'{"accent":']),
    data=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))),
)
def test_any_bytes_give_a_table_exclusions_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, head: bytes, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("corpus") / f"m.{suffix}"
    path.write_bytes(head + data)
    with contextlib.suppress(StudyError):
        loaded = load(path)
        assert loaded.rows == len(loaded.utterances) + len(loaded.exclusions) > 0


def test_half_a_surrogate_pair_from_json_is_a_bad_row(folder: Path) -> None:
    path = folder / "m.jsonl"
    path.write_text('{"utterance_id": "a\\ud800", "audio_path": "good.wav", "reference": "x", "accent": "irish"}\n')
    loaded = load(path)
    assert loaded.exclusions[0].reason is Reason.MISSING_VALUE
    loaded.exclusions[0].utterance_id.encode()


@pytest.mark.parametrize(
    ("name", "utterances", "speakers", "accents"), [("timit_sample", 160, 16, 8), ("speech_accent_archive", 51, 51, 9)]
)
def test_optional_real_corpora_load_whole(
    optional_corpus: Callable[[str], Path], name: str, utterances: int, speakers: int, accents: int
) -> None:
    corpus = ManifestCorpus(ManifestSettings(path=optional_corpus(name), attributes=("gender", "age")))
    loaded = corpus.load()
    table = loaded.utterances
    assert (len(table), loaded.exclusions) == (utterances, [])
    assert (table["speaker_id"].nunique(), table["accent"].nunique()) == (speakers, accents)
    assert len(corpus.talkers(table)) == speakers
    assert corpus.name == name


@pytest.mark.parametrize("first_blank", [True, False])
def test_which_row_comes_first_does_not_decide_what_raw_labels_are(
    folder: Path, write: Write, first_blank: bool
) -> None:
    rows = [{"utterance_id": "a"}, {"utterance_id": "b", "raw_accent": "Glaswegian"}]
    path = folder / "m.jsonl"
    good = {"audio_path": "good.wav", "reference": "x", "accent": "scottish"}
    path.write_text("\n".join(json.dumps(good | row) for row in (rows if first_blank else rows[::-1])))
    assert load(path).utterances["raw_accent"].tolist() == ["scottish", "Glaswegian"]


def test_labels_without_a_meaning_are_told_with_their_rows(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    load(write({"accent": "Martian"}, {"accent": "Martian"}, {}))
    assert "labels that accents.yaml does not map, with their rows: 'Martian' (2)" in caplog.text


def test_a_word_that_one_corpus_uses_in_its_own_way_is_not_taken_from_it(write: Write) -> None:
    path = write({"accent": "southern"}, {})
    reason, detail = only_exclusion(load(path))
    assert reason is Reason.UNKNOWN_ACCENT
    assert "set corpus.vocabulary" in detail
    assert load(path, vocabulary="google_uk_ireland").utterances["accent"].tolist() == ["england_southern", "scottish"]
