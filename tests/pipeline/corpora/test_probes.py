"""The probe corpus: a crossed design, reproducible, cached, and honest about what is missing."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline import tables
from pipeline.corpora import probe_data, synthesis
from pipeline.corpora.audio import probe, read_audio
from pipeline.corpora.probes import ProbeCorpus, ProbeSettings
from pipeline.corpora.synthesis import Clip, Synthesizer
from pipeline.errors import ManifestError, MissingPrerequisite

TWO = ("baseline", "th_stopping")


class ScriptedEngine:
    """Stands in for the synthesizer: noise whose length is the text's; counts what it is asked for."""

    made = 0

    def __init__(self) -> None:
        read = (*probe_data.prompts().study, *probe_data.prompts().babble)
        self.vocab = {symbol: 1 for one in read for part in one.phonemes for symbol in part}

    def from_phonemes(self, phonemes: str, speed: float, seed: int) -> np.ndarray:
        ScriptedEngine.made += 1
        size = 0 if phonemes == "." else round(60 * len(phonemes) / speed)
        return 0.1 * np.random.default_rng(seed).standard_normal(size).astype(np.float32)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[ScriptedEngine]:
    """Replace the synthesizer by noise."""
    ScriptedEngine.made = 0
    monkeypatch.setattr(synthesis, "engine_version", lambda: "0")
    monkeypatch.setattr(Synthesizer, "_loaded", lambda _: ScriptedEngine())
    return ScriptedEngine


def corpus(folder: Path, **options: Any) -> ProbeCorpus:
    return ProbeCorpus(ProbeSettings(cache_dir=folder, **options))


@pytest.mark.usefixtures("engine")
def test_the_default_study_is_five_features_by_ten_voices_by_one_prompt(tmp_path: Path) -> None:
    loaded = corpus(tmp_path).load()
    table = tables.check(loaded.utterances, tables.Utterances, where="test")
    assert (len(table), loaded.rows, loaded.exclusions) == (50, 50, [])
    assert table["accent"].nunique() == 5
    assert "baseline" in set(table["accent"])
    assert table.groupby("accent")["speaker_id"].nunique().eq(10).all()
    assert table["synthetic"].all()
    assert set(table["label_provenance"]) == {"by_construction"}
    assert set(table["sample_rate_hz"]) == {16000}


@pytest.mark.usefixtures("engine")
def test_every_feature_has_the_same_voices_reading_the_same_prompts(tmp_path: Path) -> None:
    table = (
        corpus(tmp_path, features=tuple(probe_data.features().by_id()), voices=6, prompts_per_voice=3).load().utterances
    )
    said = {
        accent: set(zip(rows["attr_voice"], rows["reference"], strict=True)) for accent, rows in table.groupby("accent")
    }
    assert len(said) == 10
    assert all(pairs == said["baseline"] for pairs in said.values())
    texts = table[table["accent"] == "baseline"].groupby("attr_voice")["reference"].apply(set)
    assert len(set.union(*texts)) == sum(map(len, texts)) == 18


def test_further_voices_change_nothing_for_the_ones_before(tmp_path: Path) -> None:
    few, many = corpus(tmp_path, voices=3).readings(), corpus(tmp_path, voices=12).readings()
    assert many[: len(few)] == few
    assert corpus(tmp_path, seed=1).readings() != corpus(tmp_path).readings()


@pytest.mark.usefixtures("engine")
def test_names_say_feature_voice_and_prompt(tmp_path: Path) -> None:
    table = corpus(tmp_path, features=TWO, voices=("v03",), prompts_per_voice=1).load().utterances
    row = table.to_dict("records")[1]
    assert row["utterance_id"].startswith("probe_th_stopping_v03_p")
    assert (row["speaker_id"], row["attr_voice"], row["corpus"]) == ("th_stopping/v03", "v03", "probes")
    assert row["raw_accent"] == row["accent"] == "th_stopping"
    assert corpus(tmp_path).group_of(row) == "v03"


def test_features_differ_in_phonemes_only(tmp_path: Path) -> None:
    probes = corpus(tmp_path)
    voice, prompt = probes.readings()[0]
    plain, stopped = (probes.clip(probe_data.features().by_id()[name], voice, prompt) for name in TWO)
    assert plain.phonemes == prompt.phonemes != stopped.phonemes
    assert (plain.noise_seed, plain.scale, plain.speed) == (stopped.noise_seed, stopped.scale, stopped.speed)


def test_a_second_load_synthesizes_nothing_and_a_damaged_file_is_made_again(
    tmp_path: Path, engine: type[ScriptedEngine]
) -> None:
    first = corpus(tmp_path, features=TWO).load().utterances
    made = engine.made
    assert made == 20
    assert corpus(tmp_path, features=TWO).load().utterances.equals(first)
    assert engine.made == made
    (tmp_path / first["audio"][0]).write_bytes(b"RIFF")
    assert corpus(tmp_path, features=TWO).load().utterances.equals(first)
    assert engine.made == made + 1
    assert not list(tmp_path.glob(".*"))


def test_what_decides_the_samples_decides_the_file(tmp_path: Path, engine: type[ScriptedEngine]) -> None:
    clip = Clip("Text.", ("ðə",), 1.0, 1.0, 7)
    others = [
        Clip("Text.", ("də",), 1.0, 1.0, 7),
        Clip("Text.", ("ðə",), 1.1, 1.0, 7),
        Clip("Text.", ("ðə",), 1.0, 1.0, 8),
    ]
    files = Synthesizer(tmp_path).files([clip, *others, clip])
    assert len({path for path, _ in files}) == 4
    assert files[0] == files[-1]


@pytest.mark.usefixtures("engine")
def test_talkers_share_no_voice_and_no_words_with_the_study_and_are_balanced(tmp_path: Path) -> None:
    for names in (TWO, ("baseline",), ProbeSettings().features):
        probes = corpus(tmp_path, features=names, voices=12)
        utterances = probes.load().utterances
        talkers = probes.talkers(utterances)
        assert len(talkers) >= 8
        assert len({one.talker_id for one in talkers}) == len(talkers)
        per_feature = {name: sum(one.accent == name for one in talkers) for name in names}
        assert len(set(per_feature.values())) == 1
        assert not {one.group for one in talkers} & set(utterances["attr_voice"])
        hashes = {recording.sha256 for one in talkers for recording in one.recordings}
        assert not hashes & set(utterances["audio_sha256"])
        assert all(recording.load().dtype == np.float32 for recording in talkers[0].recordings)


def test_without_the_synthesizer_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(synthesis, "version", absent)
    with pytest.raises(MissingPrerequisite, match=r"pip install -e \"\.\[quickstart\]\""):
        corpus(tmp_path).load()


@pytest.mark.usefixtures("engine")
def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MissingPrerequisite, match=r"corpus\.cache_dir"):
        corpus(tmp_path / "file" / "cache", features=TWO).load()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("phonemes", "message"), [("ðə 漢", "no sound for"), (".", "made no sound")])
def test_phonemes_that_the_synthesizer_would_drop_silently_are_refused(
    tmp_path: Path, phonemes: str, message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        Synthesizer(tmp_path).files([Clip("Text.", (phonemes,), 1.0, 1.0, 0)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": ["th_stoping"]}, "Did you mean 'th_stopping'"),
        ({"features": []}, "at least one"),
        ({"features": ["baseline", "baseline"]}, "only once"),
        ({"voices": 0}, "greater than or equal to 1"),
        ({"voices": 13}, "there are 12 voices"),
        ({"voices": ["v99"]}, "v99"),
        ({"prompts_per_voice": 31}, "there are 30 prompts"),
        ({"voice": 3}, "Extra inputs"),
    ],
)
def test_wrong_settings_fail_before_anything_is_synthesized(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ProbeSettings(**options)


def test_the_record_says_that_it_is_synthetic_and_about_nobody(tmp_path: Path) -> None:
    record = corpus(tmp_path).record()
    assert record.synthetic
    assert (record.style, record.label_kind) == ("synthetic", "pronunciation_feature")
    assert "nothing about any people" in record.description


@pytest.mark.recognizer
def test_prompts_hold_the_phonemes_that_the_synthesizer_gives_for_their_text() -> None:
    hibari = pytest.importorskip("hibari").Hibari()
    for prompt in (*probe_data.prompts().study, *probe_data.prompts().babble):
        assert list(prompt.phonemes) == hibari.phonemize(prompt.text), prompt.id


@pytest.mark.recognizer
def test_real_speech_is_the_same_in_two_places_and_sounds_through_the_whole_file(tmp_path: Path) -> None:
    pytest.importorskip("hibari")
    options = {"features": TWO, "voices": 2, "prompts_per_voice": 1}
    first, second = (corpus(tmp_path / name, **options).load().utterances for name in "ab")
    assert first.equals(second)
    assert first["duration_s"].between(3, 9).all()
    samples = read_audio(tmp_path / "a" / first["audio"][0])
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.001)


@pytest.mark.recognizer
def test_scaled_voices_keep_the_tempo(tmp_path: Path) -> None:
    pytest.importorskip("hibari")
    probes, plain = corpus(tmp_path), probe_data.features().by_id()["baseline"]
    known = {voice.id: voice for voice in (*probe_data.voices().study, *probe_data.voices().babble)}

    def total_s(voice: str) -> float:
        clips = [probes.clip(plain, known[voice], prompt) for prompt in probe_data.prompts().study[::5]]
        return sum(probe(path).duration_s for path, _ in Synthesizer(tmp_path).files(clips))

    unscaled = total_s("v01")
    for voice in ("v02", "v03", "v06", "b04"):
        assert total_s(voice) == pytest.approx(unscaled, rel=0.07), voice
