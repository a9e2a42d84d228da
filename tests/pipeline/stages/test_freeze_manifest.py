"""The stage that freezes: what is written is what was chosen, is read again as it was, and is never written over."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import soundfile
import yaml
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from rich.console import Console

from pipeline import registration, tables
from pipeline.artifacts import CorpusRecord, RunRecord, sha256_of
from pipeline.card import figures
from pipeline.config import DOWNSTREAM, UPSTREAM, build
from pipeline.corpora import frozen
from pipeline.corpora.frozen import FreezeSettings
from pipeline.corpora.manifest import ManifestCorpus, ManifestSettings
from pipeline.corpora.manifest_files import read_rows
from pipeline.corpora.subset_settings import SubsetSettings
from pipeline.errors import ConfigError, StudyError
from pipeline.run import run
from pipeline.single import run_single
from pipeline.stages.load_utterances import load_utterances

HOSTILE = 'He said "null", then\n\u2028a tab\tand 🙂 {"a": 1} | <b>'
DECISIVE = [name for name in (*UPSTREAM, *DOWNSTREAM) if name not in ("subset", "gate")]
ROOT = Path(__file__).resolve().parents[3]
Freeze = Callable[..., str]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    soundfile.write(path, [0.1, -0.1] * 1600, 16_000)
    return path.read_bytes()


@pytest.fixture
def manifest(tmp_path: Path, clip: bytes) -> Path:
    """Two accents of three speakers with two utterances; one label is raw, one text hostile, one speaker nameless."""
    (tmp_path / "mine").mkdir()
    with (tmp_path / "mine" / "all.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["utterance_id", "audio_path", "reference", "speaker_id", "accent", "gender"])
        for label in ("Scotland", "irish"):
            for s in range(3):
                for u in range(2):
                    name = f"{label}-{s}-{u}"
                    (tmp_path / "mine" / f"{name}.wav").write_bytes(clip + name.encode())
                    text = HOSTILE if (s, u) == (1, 0) else f"good words {u}"
                    speaker = "None" if (label, s) == ("irish", 2) else f"{label}{s}"
                    out.writerow([name, f"{name}.wav", text, speaker, label, "NA" if s else ""])
        out.writerow(["lost", "nowhere.wav", "words", "x", "irish", ""])
    return tmp_path / "mine" / "all.csv"


@pytest.fixture
def freeze(composed: Callable[..., dict[str, Any]], manifest: Path, tmp_path: Path) -> Freeze:
    def freeze(*overrides: str) -> str:
        raw = composed(
            "stages=[manifest]",
            "corpus=manifest",
            f"corpus.path={manifest}",
            "corpus.attributes=[gender]",
            "corpus.label_provenance=self_report",
            "corpus.name=mine",
            f"results_dir={tmp_path / 'results'}",
            f"manifest.path={tmp_path / 'frozen'}",
            *overrides,
        )
        output = io.StringIO()
        run_single(build(raw)).show(Console(file=output, width=200))
        return output.getvalue()

    return freeze


def loaded(path: Path, **options: Any) -> pd.DataFrame:
    corpus = ManifestCorpus(ManifestSettings(path=path, attributes=("gender",), name="mine", **options))
    return load_utterances(corpus)[0]


def test_a_frozen_manifest_is_read_again_as_what_was_frozen(freeze: Freeze, manifest: Path, tmp_path: Path) -> None:
    told = freeze()
    assert "12 utterances of 13 rows frozen from corpus mine" in told
    assert "Nobody has reviewed it" in told
    path = tmp_path / "frozen" / "manifest.jsonl"
    before = loaded(manifest, label_provenance="self_report")
    again = loaded(path, audio_root=manifest.parent, label_provenance="self_report")
    pd.testing.assert_frame_equal(again, before)
    assert set(again["raw_accent"]) == {"Scotland", "irish"}
    assert set(again["accent"]) == {"scottish", "irish"}
    first = json.loads(path.read_text(encoding="utf-8").split("\n")[0])
    assert list(first) == [
        "utterance_id",
        "audio_path",
        "reference",
        "speaker_id",
        "accent",
        "raw_accent",
        "gender",
        "audio_sha256",
        "duration_s",
        "sample_rate_hz",
    ]
    assert first["gender"] is None
    assert (first["duration_s"], first["sample_rate_hz"]) == (0.2, 16_000)


def test_the_folder_is_a_choice_of_corpus_that_declares_what_the_corpus_declared(
    freeze: Freeze, manifest: Path, tmp_path: Path
) -> None:
    freeze("manifest.name=mine_v1", r"corpus.licence='CC BY \${seed}'", "corpus.public=true",
           r"corpus.not_verified=['What \${seed} is.']")  # fmt: skip
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        searched = [
            "hydra.searchpath=[file://" + str(tmp_path / "frozen") + "]",
            "corpus=mine_v1",
            f"corpus.path={tmp_path / 'frozen' / 'manifest.jsonl'}",
            f"corpus.audio_root={manifest.parent}",
        ]
        raw = OmegaConf.to_container(compose("config", searched), resolve=True)
    assert isinstance(raw, dict)
    corpus = build({str(key): value for key, value in raw.items()} | {"run_name": "x"}).corpus
    assert corpus.record().licence == "CC BY ${seed}"
    assert corpus.record().public is True
    assert corpus.record().not_verified == ("What ${seed} is.",)
    again, _, _ = load_utterances(corpus)
    before = loaded(manifest, label_provenance="self_report").assign(
        corpus=pd.Series("mine_v1", range(12), dtype="str")
    )
    pd.testing.assert_frame_equal(again, before)


def test_a_recording_that_was_changed_since_is_an_exclusion_unless_nobody_checks(
    freeze: Freeze, manifest: Path, tmp_path: Path
) -> None:
    freeze()
    changed = manifest.parent / "irish-0-0.wav"
    changed.write_bytes(changed.read_bytes() + b"!")
    path = tmp_path / "frozen" / "manifest.jsonl"
    corpus = ManifestCorpus(ManifestSettings(path=path, audio_root=manifest.parent))
    lost = corpus.load().exclusions
    assert [(one.utterance_id, one.reason) for one in lost] == [("irish-0-0", "audio_changed")]
    assert len(loaded(path, audio_root=manifest.parent, check_sha256=False)) == 12


def test_source_says_where_it_came_from_what_was_left_out_and_who_looked_at_it(freeze: Freeze, tmp_path: Path) -> None:
    freeze("subset.speakers_per_accent=2", "corpus.licence='CC|BY'", "corpus.not_verified=['Who read it.']")
    text = (tmp_path / "frozen" / "SOURCE.md").read_text(encoding="utf-8")
    assert "**Not reviewed**" in text
    assert "| Licence | CC\\|BY |" in text
    assert "| Not verified | Who read it. |" in text
    assert "at most 2 speakers an accent" in text
    assert "| scottish | 2 | 4 |" in text
    assert "| load_utterances | missing_audio | 1 |" in text
    assert "| load_utterances.subset | not_in_subset | 4 |" in text
    manifest_hash = frozen.text_sha256((tmp_path / "frozen" / "manifest.jsonl").read_text(encoding="utf-8"))
    assert f"| manifest.jsonl | {manifest_hash} |" in text
    assert "| input: all.csv |" in text
    assert str(tmp_path) not in text
    ledger = pd.read_csv(tmp_path / "results" / "scratch_manifest" / "exclusions.csv")
    assert len(ledger) == 5
    freeze("subset.speakers_per_accent=2", "manifest.reviewed_by='A. Person'", "manifest.reviewed_on='2026-11-28'")
    assert "Reviewed by A. Person on 2026-11-28." in (tmp_path / "frozen" / "SOURCE.md").read_text(encoding="utf-8")


def test_frozen_twice_is_the_same_and_anything_else_is_refused(freeze: Freeze, tmp_path: Path) -> None:
    freeze()
    folder = tmp_path / "frozen"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path.relative_to(folder).as_posix() for path in before} == {
        "manifest.jsonl",
        "SOURCE.md",
        "corpus/mine.yaml",
    }
    freeze()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    with pytest.raises(ConfigError, match="another manifest is frozen here"):
        freeze("subset.speakers_per_accent=1")
    source = folder / "SOURCE.md"
    source.write_text(source.read_text(encoding="utf-8") + "I looked at it.\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="edited"):
        freeze()
    assert source.read_text(encoding="utf-8").endswith("I looked at it.\n")


def test_texts_that_may_not_be_passed_on_stay_out_of_the_project(
    freeze: Freeze, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.corpora.shipped.DATA_MANIFESTS", tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "accents.yaml").write_bytes((ROOT / "data_manifests" / "accents.yaml").read_bytes())
    with pytest.raises(ConfigError, match=r"manifest\.texts=false"):
        freeze("manifest.path=null")
    assert [path.name for path in (tmp_path / "shipped").iterdir()] == ["accents.yaml"]
    freeze("manifest.path=null", "manifest.texts=false")
    path = tmp_path / "shipped" / "mine" / "manifest.jsonl"
    assert "good words" not in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8").split("\n")[0])["reference_sha256"] == frozen.text_sha256(
        "good words 0"
    )
    with pytest.raises(StudyError, match=r"subset\.manifest="):
        loaded(path, audio_root=manifest.parent)
    freeze("manifest.path=null", "manifest.name=free", "corpus.redistribute_text=true")
    assert "good words" in (tmp_path / "shipped" / "free" / "manifest.jsonl").read_text(encoding="utf-8")


def test_a_manifest_without_texts_finds_its_utterances_again_in_the_corpus(
    freeze: Freeze, manifest: Path, tmp_path: Path
) -> None:
    freeze("manifest.texts=false", "subset.speakers_per_accent=2")
    listed = tmp_path / "frozen" / "manifest.jsonl"
    names = [json.loads(line)["utterance_id"] for line in listed.read_text(encoding="utf-8").splitlines()]
    told = freeze(f"subset.manifest={listed}", f"manifest.path={tmp_path / 'again'}")
    assert "8 utterances of 13 rows" in told
    assert "Wished for" not in told
    _, rows = read_rows(tmp_path / "again" / "manifest.jsonl")
    assert [row.cells["utterance_id"] for row in rows] == names
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(f"{names[0]}.wav,good words 0", f"{names[0]}.wav,other words"), encoding="utf-8")
    told = freeze(f"subset.manifest={listed}", f"manifest.path={tmp_path / 'third'}")
    assert f"the corpus has {names[0]} otherwise than manifest.jsonl lists it" in told
    with pytest.raises(ConfigError, match="otherwise than"):
        freeze(f"subset.manifest={listed}", f"manifest.path={tmp_path / 'third'}", "subset.if_fewer=refuse")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["corpus.path=nowhere.csv"], "there is no file"),
        (["manifest.name=a/b"], r"manifest\.name"),
        (["manifest.reviewed_by=me"], "reviewed_on"),
        (["corpus.name=my speech"], r"manifest\.name"),
        (["subset.manifest=nowhere.jsonl"], r"nowhere\.jsonl"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    freeze: Freeze, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        freeze(*overrides)
    assert not (tmp_path / "frozen").exists()


def test_a_folder_that_cannot_be_written_is_said_to_be_one(freeze: Freeze, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StudyError, match=r"cannot be written.*manifest\.path"):
        freeze(f"manifest.path={tmp_path / 'file' / 'below'}")


def test_a_corpus_without_audio_is_not_frozen(freeze: Freeze, manifest: Path) -> None:
    with pytest.raises(ConfigError, match="holds no audio"):
        freeze("corpus=transcripts_only", "~corpus.attributes", "+corpus.attributes=[gender]")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(texts, texts, st.one_of(st.none(), texts), texts), min_size=1, max_size=8), st.booleans())
def test_any_text_survives_its_manifest(rows: list[tuple[str, str, str | None, str]], with_texts: bool) -> None:
    chosen = utterances(rows)
    written = frozen.lines(chosen, texts=with_texts)
    assert frozen.lines(chosen.iloc[::-1], texts=with_texts) == written
    assert written.count("\n") == len(chosen)
    for line, row in zip(written.split("\n"), tables.rows(chosen), strict=False):
        value = json.loads(line)
        assert value["accent"] == row["accent"]
        assert (value["speaker_id"] or "") == (row["speaker_id"] if isinstance(row["speaker_id"], str) else "")
        assert value.get("reference", row["reference"]) == row["reference"]
        assert with_texts is ("reference" in value)


def utterances(rows: list[tuple[str, str, str | None, str]]) -> pd.DataFrame:
    built = [
        {
            "utterance_id": f"{n}{name}",
            "corpus": "mine",
            "speaker_id": speaker,
            "accent": accent,
            "raw_accent": accent,
            "reference": text,
            "audio": "a.wav",
            "audio_sha256": "0" * 64,
            "sample_rate_hz": 16_000,
            "duration_s": 1.5,
            "synthetic": False,
            "label_provenance": "",
        }
        for n, (name, text, speaker, accent) in enumerate(rows)
    ]
    table = tables.build(built, tables.Utterances, where="test")
    return table.sort_values("utterance_id", ignore_index=True)


def test_what_a_reader_would_trim_is_not_frozen_silently(tmp_path: Path) -> None:
    table = utterances([("u", " leading space", None, "north")])
    path = tmp_path / "manifest.jsonl"
    path.write_text(frozen.lines(table, texts=True), encoding="utf-8")
    with pytest.raises(StudyError, match=r"something else of 0u \(reference\)"):
        frozen.check_read_back(path, table, texts=True)
    frozen.check_read_back(path, table, texts=False)


@pytest.mark.parametrize("column", ["attr_town", "audio", "attr_audio_path"])
def test_every_column_is_read_back_before_it_is_said_to_be_the_same(tmp_path: Path, column: str) -> None:
    table = utterances([("u", "words", None, "north")]).assign(**{column: pd.Series(["elsewhere "], dtype="str")})
    path = tmp_path / "manifest.jsonl"
    path.write_text(frozen.lines(table, texts=True), encoding="utf-8")
    with pytest.raises(StudyError, match=r"something else of 0u \("):
        frozen.check_read_back(path, table, texts=True)


@given(
    st.lists(st.sampled_from(["\\", "${seed}", "$", "{", "${oc.env:HOME}", " word"]), min_size=1, max_size=6).map(
        "".join
    )
)
@settings(max_examples=30, deadline=None)
def test_nothing_in_a_choice_of_corpus_is_looked_up(text: str) -> None:
    record = CorpusRecord(name="c", description="d", synthetic=False, style=text, label_kind="", label_provenance="",
                          licence=text, citation=text, redistribute_text=True)  # fmt: skip
    table = utterances([("u", "words", None, "north")]).assign(**{f"attr_{text}": pd.Series(["x"], dtype="str")})
    read = OmegaConf.to_container(OmegaConf.create(frozen.choice("c", record, table)), resolve=True)
    assert isinstance(read, dict)
    assert (read["licence"], read["style"], read["citation"], read["attributes"]) == (text, text, text, [text])


def test_a_subset_is_studied_and_the_card_says_which_part_and_what_it_lacks(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "figures", lambda _: [])  # drawing takes longer than all the rest
    fixed = [*manifest_overrides(make_corpus(speakers=4)), "asr=scripted", "conditions=[clean]", "run_name=part"]
    fixed += ["stats.bootstrap=0", "stats.permutations=100"]
    wishes = ["subset.speakers_per_accent=3", "subset.utterances_per_speaker=1"]

    def study(*overrides: str) -> tuple[RunRecord, str]:
        made = run(build(composed(*fixed, *overrides)), store_path=tmp_path / "store.db", overrides=[])
        card = made.folder / "card.md"
        return made.record, card.read_text(encoding="utf-8") if card.exists() else ""

    record, card = study(*wishes, "subset.minutes_per_accent=9")
    assert record.counts["load_utterances.subset.in"] == 16
    assert record.counts["load_utterances.subset.out"] == 6
    ledger = pd.read_csv(tmp_path / "results" / "part" / "exclusions.csv")
    assert ledger["reason"].value_counts().to_dict() == {"not_in_subset": 10}
    assert "A part of the corpus was studied: 6 of 16 usable utterances" in card
    assert "| north | 3 of 4 | 3 of 8 | 5 |" in card
    assert "accent 'north' has 0.0 of the 9 minutes wished for" in card
    with pytest.raises(ConfigError, match="another configuration"):
        study(*wishes)
    with pytest.raises(ConfigError, match="another subset section"):
        study(*wishes, "stages=[write_card]")
    after = "stages=[plan_trials,transcribe]"
    assert study(*wishes, "subset.minutes_per_accent=9", after)[0].subset == record.subset


def test_a_run_from_before_there_were_subsets_is_a_run_of_the_whole_corpus(
    composed: Callable[..., dict[str, Any]],
) -> None:
    whole, seeded, part = (build(composed(*wish)) for wish in ([], ["subset.seed=3"], ["subset.accents=[baseline]"]))
    now = whole.settings.model_dump(mode="json")
    before = {name: value for name, value in now.items() if name != "subset"}
    assert whole.sha256 == seeded.sha256 == sha256_of({name: before[name] for name in DECISIVE})
    assert part.sha256 != whole.sha256
    assert not registration.other_data(before, seeded.settings.model_dump(mode="json"))
    assert registration.other_data(before, part.settings.model_dump(mode="json"))


def test_the_plan_is_about_the_part_that_would_be_studied(
    composed: Callable[..., dict[str, Any]], manifest: Path, tmp_path: Path
) -> None:
    for wish in ("subset.speakers_per_accent=2", "subset.minutes_per_accent=0.015"):
        raw = composed(
            "stages=[plan]",
            "corpus=manifest",
            f"corpus.path={manifest}",
            f"results_dir={tmp_path / 'results'}",
            wish,
        )
        output = io.StringIO()
        run_single(build(raw)).show(Console(file=output, width=200))
        table = pd.read_csv(tmp_path / "results" / "scratch_plan" / "plan.csv")
        assert set(table["n_speakers"]) <= {2, 3}
        assert ("No audio was opened" in output.getvalue()) is ("speakers" in wish)


def test_what_was_frozen_is_told_with_its_files_and_the_choice_of_corpus_begins_with_a_manifest(
    freeze: Freeze, tmp_path: Path
) -> None:
    told = freeze("subset.speakers_per_accent=2")
    assert str(tmp_path / "frozen" / "manifest.jsonl") in told
    choice = yaml.safe_load((tmp_path / "frozen" / "corpus" / "mine.yaml").read_text(encoding="utf-8"))
    assert choice["defaults"] == ["manifest", "_self_"]


def test_the_configuration_states_every_setting_of_subset_and_manifest() -> None:
    stated = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text(encoding="utf-8"))
    assert set(stated["subset"]) == set(SubsetSettings.model_fields)
    assert set(stated["manifest"]) == set(FreezeSettings.model_fields)
    assert SubsetSettings(**stated["subset"]) == SubsetSettings()
    assert FreezeSettings(**stated["manifest"]) == FreezeSettings()
    assert set(registration.SUBSET_RULES) | {"match_share", "if_fewer", "seed"} == set(SubsetSettings.model_fields)
