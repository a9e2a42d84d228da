"""The command that audits a corpus, as a user runs it: with audio, without, and with what is wrong."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from pipeline.card import figures
from pipeline.config import build
from pipeline.errors import ConfigError
from pipeline.run import run
from pipeline.single import run_single

Audit = Callable[..., tuple[Path, str]]
OPTIONAL = ("fsdd", "timit_sample", "speech_accent_archive", "speechocean762", "alphanumeric_l2")


@pytest.fixture
def audited(composed: Callable[..., dict[str, Any]], tmp_path: Path) -> Audit:
    def tell(path: Path, *overrides: str) -> tuple[Path, str]:
        given = [
            f"corpus.path={path}",
            "corpus=manifest",
            "corpus.accents=as_given",
            f"results_dir={tmp_path / 'results'}",
            "render.workers=0",
        ]
        report = run_single(build(composed("stages=[audit]", *given, "conditions=[clean]", *overrides)))
        output = io.StringIO()
        report.show(Console(file=output, width=100))
        return tmp_path / "results" / "scratch_audit", output.getvalue()

    return tell


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, dtype=str)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def text_only(folder: Path, *, speakers: int = 12) -> Path:
    """A manifest whose audio is not there: in the north all are women, in the south half."""
    rows = []
    for accent in ("north", "south"):
        for at in range(speakers):
            gender = "female" if accent == "north" or at % 2 else "male"
            text = f"sentence {at} of them is number {at % 3}"
            rows.append({"utterance_id": f"{accent}{at}", "audio_path": "x.wav", "reference": text,
                         "speaker_id": f"{accent}{at}", "accent": accent, "gender": gender})  # fmt: skip
    folder.mkdir()
    return write(folder / "manifest.csv", rows)


def test_a_corpus_is_audited_with_its_audio_and_every_table_is_written(
    audited: Audit, make_corpus: Callable[..., Path]
) -> None:
    path = make_corpus(speakers=3)
    rows = rows_of(path)
    shutil.copy(path.parent / rows[0]["audio_path"], path.parent / rows[-1]["audio_path"])
    rows[1]["audio_path"] = "gone.wav"
    rows[2]["speaker_id"] = rows[-1]["speaker_id"]
    folder, text = audited(write(path, rows))
    assert "2 accents, " in text
    (shared,) = read(folder, "duplicates").to_dict("records")
    assert (shared["kind"], shared["n_speakers"], shared["n_accents"]) == ("same_audio", "2", "2")
    assert read(folder, "speakers_in_two_accents")["speaker_id"].tolist() == [rows[-1]["speaker_id"]]
    assert read(folder, "exclusions")["reason"].tolist() == ["missing_audio"]
    coverage = read(folder, "coverage")
    assert float(coverage["minutes"].iloc[0]) > 0
    assert "estimated SNR" in set(read(folder, "confounds")["attribute"])
    assert len(read(folder, "acoustics")) == len(rows) - 1
    page = (folder / "audit.md").read_text(encoding="utf-8")
    for told in (
        "1 recording under several speakers or accents",
        "1 speaker id in more than one accent",
        "missing audio (1)",
    ):
        assert told in page
        assert told in text


def test_without_audio_attributes_are_audited_and_minutes_are_unknown(audited: Audit, tmp_path: Path) -> None:
    folder, text = audited(text_only(tmp_path / "c"), "audit.audio=false", "corpus.attributes=[gender]")
    assert "minutes unknown" in text
    assert "gender goes with accent" in text
    assert "every speaker of north is female (12); male only in south (6)" in text
    assert "By gender, nobody is there who is male in north." in text
    plan = read(folder, "coverage_plan")
    cell = plan[(plan["accent"] == "north") & (plan["value"] == "male")].iloc[0]
    assert (cell["n_speakers"], cell["reason"]) == ("0", "nobody with a name is there")
    assert set(read(folder, "coverage")["minutes"]) <= {"", "0.0"}


def test_labels_without_an_accent_are_listed_with_their_counts(
    audited: Audit, make_corpus: Callable[..., Path]
) -> None:
    path = make_corpus(accents=("indian", "scottish", "martian", "venusian"), speakers=2)
    folder, text = audited(path, "corpus.accents=vocabulary")
    lost = read(folder, "exclusions").set_index("detail")["rows"].to_dict()
    assert [rows for detail, rows in lost.items() if "martian" in detail] == ["4"]
    assert "'venusian' is not in data_manifests/accents.yaml (4 rows)" in text


def test_common_words_come_from_a_list_that_the_user_names(audited: Audit, tmp_path: Path) -> None:
    path = text_only(tmp_path / "c")
    words = tmp_path / "words.txt"
    words.write_text("of  AH V\nThem\nis\nnumber\n", encoding="utf-8")
    folder, _ = audited(path, "audit.audio=false", f"audit.word_list={words}")
    # seven words a sentence, of which "sentence" and two numbers are not on the list
    assert set(read(folder, "text_difficulty")["out_of_list_share"].astype(float).round(6)) == {round(3 / 7, 6)}
    with pytest.raises(ConfigError, match=r"audit\.word_list: .* cannot be read"):
        audited(path, "audit.audio=false", "audit.word_list=nowhere.txt")


def test_an_attribute_that_is_called_like_a_measure_is_another_column(audited: Audit, tmp_path: Path) -> None:
    path = text_only(tmp_path / "c")
    write(path, [row | {"bandwidth": row["gender"]} for row in rows_of(path)])
    folder, _ = audited(path, "audit.audio=false", "corpus.attributes=[bandwidth]")
    assert set(read(folder, "confounds")["attribute"]) == {"attr_bandwidth", "words an utterance"}


def test_attributes_to_cross_are_the_users_to_name(audited: Audit, tmp_path: Path) -> None:
    path = text_only(tmp_path / "c")
    given = ("audit.audio=false", "corpus.attributes=[gender]")
    folder, _ = audited(path, *given, "audit.cross=[]")
    assert set(read(folder, "coverage_plan")["attribute"]) == {""}
    with pytest.raises(ConfigError, match=r"audit\.cross: .* Did you mean 'gender'"):
        audited(path, *given, "audit.cross=[gendr]")


def test_mistakes_are_told_with_what_to_do(
    audited: Audit, composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        audited(tmp_path / "none.csv")
    with pytest.raises(ConfigError) as caught:
        build(composed("stages=[audit]", "audit.near_text=20", "audit.audio=perhaps"))
    assert "audit.near_text" in str(caught.value)
    assert "audit.audio" in str(caught.value)


def test_the_order_of_the_manifest_changes_no_file(audited: Audit, tmp_path: Path) -> None:
    path = text_only(tmp_path / "c")
    given = ("audit.audio=false", "corpus.attributes=[gender]")
    folder, _ = audited(path, *given)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    write(path, rows_of(path)[::-1])
    audited(path, *given)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_card_tells_what_the_audit_found(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "figures", lambda _: [])  # drawing takes longer than all the rest
    path = make_corpus(speakers=6, sentences=["the boat left the harbor"])
    rows = [row | {"gender": "female" if row["accent"] == "north" else "male"} for row in rows_of(path)]
    given = [f"corpus.path={write(path, rows)}", "corpus=manifest", "corpus.accents=as_given", "asr=scripted",
             "corpus.attributes=[gender]", f"results_dir={tmp_path / 'results'}", "conditions=[clean]",
             "card.publish.floor=off"]  # fmt: skip
    outcome = run(build(composed(*given)), store_path=tmp_path / "store.sqlite", overrides=[])
    assert outcome.card is not None
    numbers = outcome.card.numbers
    (gender,) = [one for one in numbers.data_associations if (one.attribute, one.against) == ("gender", "accent")]
    assert (gender.nested, gender.shown, gender.n_units) == ("same", True, 12)
    assert any("Goes with the groups: gender" in one.text for one in outcome.card.summary)
    assert {(cell.key.accent, cell.value, cell.n_speakers) for cell in numbers.data_cells if cell.value} >= {
        ("north", "female", 6), ("north", "male", 0)}  # fmt: skip
    assert "gender and accent part the speakers in the same way" in (outcome.folder / "card.md").read_text()


def with_extra(folder: Path, target: Path) -> tuple[Path, list[str]]:
    """The manifest of an optional corpus with its extra columns, and blank accents filled with the first language."""
    rows = rows_of(folder / "manifest.csv")
    extra = (
        {row.pop("utterance_id"): row for row in rows_of(folder / "extra.csv")}
        if (folder / "extra.csv").exists()
        else {}
    )
    joined = [row | extra.get(row["utterance_id"], {}) | {"accent": row["accent"] or row["l1"]} for row in rows]
    attributes = [name for name in ("gender", "age", "age_group", "device", "education") if name in joined[0]]
    target.mkdir()
    return write(target / "manifest.csv", joined), attributes


@pytest.mark.parametrize("name", OPTIONAL)
def test_real_corpora_confess_their_confounds(
    name: str, audited: Audit, optional_corpus: Callable[[str], Path], tmp_path: Path
) -> None:
    path, attributes = with_extra(optional_corpus(name).parent, tmp_path / name)
    _, text = audited(path, "audit.audio=false", "corpus.style=read", f"corpus.attributes=[{','.join(attributes)}]")
    told = {
        "speech_accent_archive": "every speaker of arabic, french, mandarin, spanish is male (32); female only",
        "speechocean762": "words an utterance rises with age (Spearman's rho 0.7",
        "fsdd": "nothing can be said of others: gender (male)",
        "timit_sample": "By education, nobody is there who is",
        "alphanumeric_l2": "By gender, nobody is there who is female in Arabic",
    }[name]
    assert told in text
