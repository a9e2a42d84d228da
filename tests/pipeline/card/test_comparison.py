"""The comparison of a sweep's runs, for people and for programs, with friendly and with hostile text in it."""

import html
import io
import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from pipeline.card import comparison, comparison_export
from pipeline.card.compared import Common, Compared, Comparison, Ended
from pipeline.card.keys import Key
from pipeline.card.measures import Cell, Disparity, Interaction
from pipeline.tables import POOLED

MAIN = "whisper_english"
SOURCES = {"tiny": 0.2, "base": 0.1}
HOSTILE = (
    "<script>alert(1)</script> | **x** [a](http://evil.example)",
    '=HYPERLINK("http://evil.example")',
    "\x1b[2Ja\u202e",
)


def made(**changes: Any) -> Comparison:
    """Two runs under two conditions on the same 60 trials, and a job whose weights are not here."""
    plain: dict[str, Any] = {
        "name": "mine",
        "synthetic": False,
        "normalizer": MAIN,
        "conditions": ["clean", "babble_10"],
        "reference_condition": "clean",
        "jobs": [
            ended("tiny", n_failed=0, n_excluded=0, n_missing=0, confidence=0.95, audio_s_per_s=12.34),
            ended("base", n_failed=2, n_excluded=5, n_missing=3, confidence=0.95),
            ended("large", exit_code=2, not_compared="not run: asr.model: there are no weights 'large-v3' here."),
        ],
        "rows": [row(name, condition, wer) for name, wer in SOURCES.items() for condition in ("clean", "babble_10")],
        "n_common": 60,
        "n_answered": {"run_tiny": 60, "run_base": 60},
        "card_warnings": {},
        "also_differ": {},
    }
    return Comparison(**(plain | changes))


def ended(name: str, **changes: Any) -> Ended:
    plain: dict[str, Any] = {"run_name": f"run_{name}", "recognizer": f"asr:{name}", "label": f"asr:{name}"}
    plain |= {"exit_code": 0, "differs": [f"asr={name}"], "not_compared": ""}
    if "not_compared" not in changes:
        plain["interaction"] = interaction(name, "", 0.04)
    return Ended(**(plain | changes))


def row(name: str, condition: str, wer: float, *, highest: str = "south", **changes: Any) -> Compared:
    key = Key(condition=condition, backend=f"asr:{name}", normalizer=MAIN)
    harm = 0.1 if condition != "clean" else 0.0
    plain: dict[str, Any] = {
        "key": key,
        "run_name": f"run_{name}",
        "n_trials": 30,
        "n_unscored": 0,
        "pooled": cell(key, POOLED, wer + harm),
        "worst": cell(key, highest, wer + harm + 0.05),
        "best": cell(key, "north", wer + harm - 0.05),
        "gap": disparity(key, "gap_max_min", worst=highest, value=0.1, null_mean=0.04, null_p95=0.09),
        "omnibus": disparity(key, "omnibus_q", value=9.0, p=0.0004),
        "interaction": None if condition == "clean" else interaction(name, condition, 0.25),
        "common": Common(n_trials=30, n_ref_words=300, errors=round(300 * wer), wer=wer),
    }
    return Compared(**(plain | changes))


def cell(key: Key, accent: str, wer: float) -> Cell:
    errors = round(300 * wer)
    return Cell(
        key=key.model_copy(update={"accent": accent}), n_speakers=10, k_eff=10.0, n_utterances=30, n_ref_words=300,
        hits=300 - errors, substitutions=errors, deletions=0, insertions=0, wer=wer, ci_low=wer / 2, ci_high=wer * 2,
        speaker_mean_wer=wer, f1=1 - wer, support="ok", unit="speaker", ranked=True, synthetic=False,
    )  # fmt: skip


def disparity(key: Key, statistic: str, **values: Any) -> Disparity:
    plain: dict[str, Any] = dict.fromkeys(("value", "ci_low", "ci_high", "null_mean", "null_p95", "p"))
    plain |= {
        "worst": "",
        "best": "",
        "n_groups": 2,
        "note": "",
        "synthetic": False,
        "n_speakers": 20,
        "n_ref_words": 600,
    }
    return Disparity(key=key, statistic=statistic, **(plain | values))


def interaction(name: str, condition: str, p: float) -> Interaction:
    names = ("log_ratio", "ratio", "ci_low", "ci_high", "extra_points", "points_ci_low", "points_ci_high", "statistic")
    return Interaction(
        key=Key(condition=condition, backend=f"asr:{name}", normalizer=MAIN), n_speakers=20, n_ref_words=600,
        p_adjusted=p, note="", synthetic=False, **dict.fromkeys(names),
    )  # fmt: skip


def printed(found: Comparison, *, width: int = 110) -> str:
    file = io.StringIO()
    comparison.show(found, Console(file=file, width=width))
    return file.getvalue()


def read(markdown: str) -> str:
    """Return what a reader of the rendered Markdown sees."""
    page = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def unequal() -> Comparison:
    rows = [
        row("tiny", "clean", 0.2),
        row("base", "clean", 0.1, common=Common(n_trials=28, n_ref_words=280, errors=14, wer=0.05)),
    ]
    answered = {"run_tiny": 30, "run_base": 28}
    return made(rows=rows, conditions=["clean"], n_common=28, n_answered=answered)


@pytest.mark.parametrize("view", [lambda found: read(comparison.markdown(found)), printed])
def test_every_number_and_every_job_is_there(view: Any) -> None:
    text = " ".join(view(made()).split())
    for shown in (
        "20.0% (10.0 to 40.0)", "10.0% (5.0 to 20.0)", "30.0% (15.0 to 60.0)", "30 trials, 300 w", "10.0 points",
        "chance: 4.0 points", "p < 0.001", "p = 0.250", "p = 0.040", "12.3 s of audio/s", "not recorded",
        "2 trials failed", "5 rows excluded", "no weights 'large-v3' here", "the same 60 trials", "95% interval",
        "none is called better",
    ):  # fmt: skip
        assert shown in text, shown
    assert text.count("not run") >= 3


def test_accents_carry_their_own_rate() -> None:
    assert "| clean | asr:tiny | south 25.0% | north 15.0% |" in comparison.markdown(made())


def test_where_the_trials_differ_both_rates_stand_there_and_the_reader_is_warned() -> None:
    text = comparison.markdown(unequal())
    assert "28 trials are common to all 2" in text
    assert "> **Note:** The runs did not answer the same trials (asr:tiny: 30, asr:base: 28)" in text
    own, common = text.split("**WER")[1:]
    assert "10.0% (5.0 to 20.0)" in own
    assert "5.0%<br>28 trials, 280 w" in common
    assert "common to all runs" not in comparison.markdown(made())


def test_settings_that_differ_beside_the_recognizer_are_named() -> None:
    text = printed(made(also_differ={"seed": ["1", "2"]}))
    assert "differ in seed (1, 2)" in text
    assert "realization" in text
    assert "realization" not in printed(made(also_differ={"stats.permutations": ["99", "199"]}))


def test_a_warning_of_the_runs_own_cards_is_repeated_once_with_their_names() -> None:
    text = printed(made(card_warnings={"Nobody knows the speakers.": ["run_tiny", "run_base"]}))
    assert "Note: asr:tiny, asr:base: Nobody knows the speakers." in text


def test_synthetic_speech_is_flagged_in_every_caption() -> None:
    text = comparison.markdown(made(synthetic=True))
    captions = [line for line in text.splitlines() if line.startswith("**")]
    assert len(captions) == 3
    assert all("says nothing about any people" in line for line in captions)


def test_a_condition_without_two_ranked_accents_claims_no_highest() -> None:
    key = Key(condition="clean", backend="asr:tiny", normalizer=MAIN)
    alone = row("tiny", "clean", 0.1, worst=None, best=None, gap=disparity(key, "gap_max_min", n_groups=1))
    alike = row("base", "clean", 0.1, worst=None, best=None, gap=disparity(key, "gap_max_min", value=0.0))
    text = comparison.markdown(made(rows=[alone, alike], conditions=["clean"]))
    assert "| clean | asr:tiny | not evaluated | not evaluated | not evaluated |" in text
    assert "| clean | asr:base | all the same | all the same | 0.0 points" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_labels_are_shown_and_not_obeyed(hostile: str) -> None:
    job = ended("tiny", label=hostile, differs=[hostile], confidence=0.95)
    failed = ended("large", label="l", exit_code=2, not_compared=f"not run: {hostile}")
    found = made(jobs=[job, failed], rows=[row("tiny", "clean", 0.2, highest=hostile)], conditions=["clean"])
    page = MarkdownIt("gfm-like", {"linkify": False}).render(comparison.markdown(found))
    for tag in ("<script", "<a ", "<img", "<strong>x"):
        assert tag not in page
    cells_a_row = {line.count("<td") for line in page.replace("\n", "").split("<tr>")[1:]} - {0}
    assert cells_a_row == {2, 7, 6}
    assert "\x1b" not in page + printed(found)
    assert "\u202e" not in page + printed(found)


def test_square_brackets_are_no_markup_on_the_terminal() -> None:
    found = made(jobs=[ended("tiny", label="[red]x[/red] [/]", confidence=0.95)], rows=[row("tiny", "clean", 0.2)])
    assert "[red]x[/red] [/]" in printed(found)


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    conditions = [f"condition_{number}" for number in range(7)]
    found = made(conditions=conditions, rows=[row(name, c, 0.1) for name in SOURCES for c in conditions])
    assert max(map(len, printed(found, width=width).splitlines())) <= width


def test_the_csv_has_a_row_per_run_and_condition_and_one_per_job_that_is_missing() -> None:
    table = comparison_export.frame(made())
    assert list(table["run_name"]) == ["run_tiny", "run_tiny", "run_base", "run_base", "run_large"]
    assert list(table.columns) == list(comparison_export.COLUMNS)
    first, last = table.iloc[1], table.iloc[-1]
    assert (first["condition"], first["n_trials"], first["errors"], first["worst"]) == ("babble_10", 30, 90, "south")
    assert first["worst_wer"] == pytest.approx(0.35)
    assert first["wer"] == pytest.approx(0.3)
    assert (first["omnibus_p"], first["interaction_p"], first["run_interaction_p"]) == (0.0004, 0.25, 0.04)
    assert (first["gap"], first["gap_null_mean"], first["common_errors"]) == (0.1, 0.04, 60)
    assert first["run_audio_s_per_s"] == 12.34
    assert "large-v3" in last["not_compared"]
    assert last[["condition", "n_trials", "wer", "worst", "run_failed"]].isna().all()


def test_the_json_is_the_whole_comparison_and_can_be_read_back() -> None:
    text = comparison_export.json_text(made(synthetic=True))
    assert text.isascii()
    assert json.loads(text)["kind"] == "comparison of runs"
    assert Comparison.model_validate_json(text) == made(synthetic=True)


def test_the_columns_of_an_empty_comparison_of_numbers_keep_their_types() -> None:
    only = made(jobs=[ended("large", exit_code=2, not_compared="not run: no")], rows=[], n_answered={})
    table = comparison_export.frame(only)
    assert str(table["wer"].dtype) == "float64"
    assert str(table["n_trials"].dtype) == "Int64"
