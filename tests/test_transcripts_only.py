"""Whole runs without audio: the commands of the README, and poor or odd input from the file to the card."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.config import build
from pipeline.errors import BackendError, ConfigError
from pipeline.run import Outcome, run

Row = tuple[str, str | None, str, str]
"""accent, speaker, reference, hypothesis"""
Study = Callable[..., Outcome]
QUICK = (
    "normalizer=[verbatim]",
    "card.main_normalizer=verbatim",
    "stats.permutations=99",
    "card.publish.floor=off",
)
SAID = "one two three four"


@pytest.fixture
def study(composed: Callable[..., dict[str, Any]], tmp_path: Path) -> Study:
    """Return a runner of a study of one file that holds references and hypotheses."""

    def run_it(rows: Sequence[Row], *overrides: str) -> Outcome:
        file = tmp_path / "both.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            table = csv.writer(out)
            table.writerow(["utterance_id", "accent", "speaker_id", "reference", "hypothesis"])
            table.writerows([f"u{n}", accent, speaker or "", said, heard]
                            for n, (accent, speaker, said, heard) in enumerate(rows))  # fmt: skip
        fixed = ["corpus=transcripts_only", f"corpus.path={file}", "asr=transcripts", f"results_dir={tmp_path}",
                 "run_name=mine", "corpus.public=true"]  # fmt: skip
        given = build(composed(*fixed, *QUICK, *overrides))
        return run(given, store_path=tmp_path / "store.db", overrides=[])

    return run_it


def table(outcome: Outcome, name: str) -> pd.DataFrame:
    return pd.read_parquet(outcome.folder / f"{name}.parquet")


def read_card(outcome: Outcome) -> str:
    return (outcome.folder / "card.md").read_text(encoding="utf-8")


def people(accent: str, speakers: int, heard: str = "one two four") -> list[Row]:
    return [(accent, f"{accent}{n}", SAID, heard) for n in range(speakers)]


def test_one_file_of_references_and_hypotheses_is_a_study(study: Study) -> None:
    outcome = study([*people("north", 6), *people("south", 6, "one"), ("south", "south0", "--", "uh huh")])
    cells = table(outcome, "cells").set_index("accent")
    assert cells["wer"].to_dict() == {"north": 0.25, "south": 0.75, "ALL": 0.5}
    assert set(cells["condition"]) == {"as_transcribed"}
    rates = table(outcome, "rates").set_index("accent")
    assert rates.loc["south", ["n_no_reference_words", "no_reference_inserted_words"]].tolist() == [1, 2]
    assert table(outcome, "acoustics").empty
    text = read_card(outcome)
    assert "No audio is part of this study" in text
    assert "acoustic condition is not known" in text
    assert "duration not known" in text
    assert "| Group |\n" not in text, "a table without a column of numbers"
    assert text.count("permutation test of the interaction not evaluated") == 2
    assert "insertion on non-speech: as_transcribed: 1 utterance, 2 inserted words" in text
    numbers = json.loads((outcome.folder / "card.json").read_text())["numbers"]
    assert numbers["corpus"]["hours"] is None
    assert {item["wer"] for item in numbers["rates"]} == {0.25, 0.75, 0.5}


def test_where_everything_is_suppressed_the_card_still_says_that_there_was_no_audio(study: Study) -> None:
    text = read_card(study(people("north", 6), "corpus.public=false"))
    assert "No audio is part of this study" in text


ODD = ("a, b", "two\nlines", "\U0001f442", "null", "None", "NA", "=1+1")
MIXED = [
    *(row for label in ODD for row in people(label, 5)),
    *people("spotless", 5, SAID),
    *people("silent", 5, ""),
    *[("looping", f"l{n}", "yes", "no " * 28) for n in range(5)],
    ("alone", "s", SAID, "one two"),
    ("unnamed", None, SAID, "one"),
]
POOR: dict[str, tuple[list[Row], dict[str, float], Sequence[str]]] = {
    "odd labels, no errors, nothing heard, loops, one speaker, no name": (
        MIXED,
        dict.fromkeys(ODD, 0.25)
        | {"spotless": 0.0, "silent": 1.0, "looping": 28.0, "alone": 0.5, "unnamed": 0.75}
        | {"ALL": (35 + 20 + 140 + 2 + 3) / (140 + 20 + 20 + 5 + 4 + 4)},
        ("\U0001f442", "null", "two lines", "5 trials have a WER above 100%", "5 of 52", "no errors counted"),
    ),
    "no speakers": (
        [("a", None, SAID, "one two three")] * 6 + [("b", None, SAID, SAID)] * 6,
        {"a": 0.25, "b": 0.0, "ALL": 0.125},
        ("Speakers unknown",),
    ),
    "one speaker of one accent": ([("a", "s", SAID, "one two")] * 3, {"a": 0.5, "ALL": 0.5}, ("no interval",)),
    "nothing heard at all": (
        [*people("a", 5, ""), *people("b", 5, "")],
        {"a": 1.0, "b": 1.0, "ALL": 1.0},
        ("10 of 10", "not evaluated / 0.0%"),
    ),
}


@pytest.mark.parametrize("case", POOR)
def test_poor_and_odd_input_gives_the_right_tables_and_a_card_that_says_so(study: Study, case: str) -> None:
    rows, expected, said = POOR[case]
    outcome = study(rows)
    cells = table(outcome, "cells").set_index("accent")
    assert cells["wer"].to_dict() == pytest.approx(expected)
    assert cells.loc["ALL", "n_utterances"] == len(rows)
    assert table(outcome, "exclusions").empty
    assert [text for text in said if text not in read_card(outcome)] == []
    for name in ("cells", "rates", "disparities", "interactions"):
        for column in table(outcome, name).select_dtypes("float"):
            assert not table(outcome, name)[column].isin([float("inf"), float("-inf")]).any()


def test_an_accent_in_only_one_condition_is_kept_and_compared_in_none(study: Study, tmp_path: Path) -> None:
    # two conditions of transcripts made elsewhere: "b" was heard in one of them only, and the rest failed
    rows = [*people("a", 5), *people("b", 5)]
    file = tmp_path / "heard.jsonl"
    lines = [{"utterance_id": f"u{n}", "condition": "as_transcribed", "hypothesis": "one two"} for n in range(10)]
    lines += [{"utterance_id": f"u{n}", "condition": "clean", "hypothesis": "one"} for n in range(5)]
    file.write_text("\n".join(map(json.dumps, lines)))
    given = ("conditions=[as_transcribed,clean]", f"asr.path={file}")
    with pytest.raises(BackendError, match="no hypothesis for 5 of 20 trials"):
        study(rows, *given)
    outcome = study(rows, *given, "asr.missing=deletions", "run_name=second")
    rates = table(outcome, "rates").set_index(["accent", "condition"])
    assert rates.loc[("b", "clean"), ["n_not_delivered", "wer"]].tolist() == [5, 1.0]
    assert rates.loc[("a", "clean"), ["n_not_delivered", "wer"]].tolist() == [0, 0.75]
    assert "not delivered and count as all deletions: 5 (b: 5)" in read_card(outcome)


def test_a_recognizer_that_must_hear_is_refused_before_anything_is_read(
    composed: Callable[..., dict[str, Any]],
) -> None:
    with pytest.raises(ConfigError, match="must hear, and corpus 'x' holds no audio"):
        build(composed("corpus=transcripts_only", "corpus.path=x/y.csv"))


def test_of_a_folder_for_several_recognizers_one_is_chosen(
    composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "manifest.csv").write_text(f"utterance_id,reference,speaker_id,accent\nu1,{SAID},s,a\n")
    heard = [f"u1,A,{SAID}", "u1,B,one"]
    (folder / "hypotheses.csv").write_text("\n".join(["utterance_id,system,hypothesis", *heard]))
    fixed = ["corpus=transcripts_only", f"corpus.path={folder}", "asr=transcripts", f"results_dir={tmp_path}",
             "stages=[load_utterances,plan_trials,transcribe,score]", *QUICK]  # fmt: skip

    def wrong(*overrides: str) -> int:
        outcome = run(build(composed(*fixed, *overrides)), store_path=tmp_path / "store.db", overrides=[])
        assert outcome.record.backend is not None
        assert outcome.record.backend.name == f"transcripts:{overrides[0].partition('=')[2]}"
        return int(table(outcome, "scores")["deletions"].sum())

    assert (wrong("asr.system=A"), wrong("asr.system=B")) == (0, 3)
    with pytest.raises(BackendError, match=r"more than once.*asr\.system"):
        wrong("asr.label=both")
    with pytest.raises(BackendError, match=r"no row of hypotheses\.csv has 'C'"):
        wrong("asr.system=C")
