"""What the card says of repeated transcripts: every number with its key and what stands behind it, and no claim."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline import tables
from pipeline.card import render
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.model import Sentence, Table
from pipeline.card.page.page import html as html_page

Build = Callable[..., CardInput]
BACKEND = "faster_whisper:tiny.en"
TITLE = "Variability of repeated transcripts"
ACCENTS = ("baseline", "lone_voice", "spotless", "th_stopping", tables.POOLED)


def measured(accent: str, **changes: Any) -> dict[str, Any]:
    row = {
        "accent": accent, "condition": "clean", "backend": BACKEND, "normalizer": "whisper_english", "temperature": 0.4,
        "n_speakers": 12, "k_eff": 11.5, "n_trials": 36, "n_left_out": 0, "n_repeats": 108, "n_alike": 9,
        "n_ref_words": 1200, "pair_words": 7200, "pair_errors": 360, "disagreement": 0.05, "ci_low": 0.031,
        "ci_high": 0.082, "repeat_ref_words": 3600, "repeat_errors": 540, "repeat_wer": 0.15, "scored_errors": 144,
        "scored_wer": 0.12, "support": "ok", "unit": "speaker", "synthetic": False,
    }  # fmt: skip
    return row | changes


ROWS = [
    measured("baseline"),
    measured("baseline", normalizer="verbatim", disagreement=0.061),
    measured("th_stopping", support="thin", n_left_out=2),
    measured("spotless", support="zero_errors", pair_errors=0, disagreement=0.0, ci_low=None, ci_high=None, n_alike=36),
    measured("lone_voice", n_speakers=1, support="insufficient", ci_low=None, ci_high=None, n_trials=1, n_alike=0),
    measured("v_w_merger", n_trials=0, n_left_out=18, disagreement=None, ci_low=None, ci_high=None,
             repeat_wer=None, scored_wer=None, support="no_words"),
    measured(tables.POOLED),
    measured("baseline", temperature=0.8, disagreement=1.25, ci_low=1.0, ci_high=1.5),
]  # fmt: skip


def with_rows(source: CardInput, rows: list[dict[str, Any]] = ROWS) -> CardInput:
    return replace(source, variability=tables.build(rows, tables.Variability, where="test"))


def configured(source: CardInput, asr: dict[str, Any]) -> CardInput:
    record = source.record.model_copy(update={"config": source.record.config | {"asr": asr}})
    return replace(source, record=record)


def drawn(content: CardContent) -> list[Table]:
    blocks = next(part for part in content.sections if part.slug == "veracity").blocks
    return [block for block in blocks if isinstance(block, Table) and "two repeats of one trial" in block.caption]


def sentences(content: CardContent) -> str:
    blocks = next(part for part in content.sections if part.slug == "veracity").blocks
    return "\n".join(block.text for block in blocks if isinstance(block, Sentence))


def lines(table: Table, head: str, column: int = 0) -> list[str]:
    return list(next(row for row in table.rows if row.head == head).cells[column].lines)


def test_a_cell_says_how_much_repeats_differ_and_what_stands_behind_it(study: Build) -> None:
    table = drawn(build(with_rows(study())))[0]
    assert "at temperature 0.4 (95% intervals)" in table.caption
    assert lines(table, "baseline") == [
        "5.0% (3.1 to 8.2)",
        "alike 25.0% (9 of 36 trials)",
        "WER 15.0% of 108 repeats, 12.0% scored",
        "12 speakers, 1,200 words",
        "verbatim 6.1%",
    ]
    assert lines(table, "all accents pooled")[0] == "5.0% (3.1 to 8.2)"
    assert lines(table, "baseline", column=1) == ["not evaluated"]
    cell = next(row for row in table.rows if row.head == "baseline").cells[0]
    assert (cell.key.accent, cell.key.condition, cell.key.normalizer) == ("baseline", "clean", "whisper_english")


def test_what_is_thin_alike_alone_or_left_out_is_said(study: Build) -> None:
    table = drawn(build(with_rows(study())))[0]
    assert lines(table, "th_stopping")[-2:] == ["thin", "2 trials left out: fewer than two repeats"]
    assert lines(table, "spotless")[:2] == ["0.0%", "alike 100.0% (36 of 36 trials)"]
    assert lines(table, "spotless")[-1] == "no difference counted"
    assert lines(table, "lone_voice")[0] == "5.0%"
    assert lines(table, "lone_voice")[1] == "alike 0.0% (0 of 1 trial)"
    assert lines(table, "lone_voice")[-1] == "no interval"
    assert lines(table, "v_w_merger") == ["not evaluated", "18 trials left out: fewer than two repeats"]


def test_trials_without_a_word_in_any_repeat_are_no_agreement_of_words(study: Build) -> None:
    silent = measured("baseline", disagreement=None, ci_low=None, ci_high=None, pair_words=0, support="no_words")
    shown = lines(drawn(build(with_rows(study(), [silent])))[0], "baseline")
    assert shown[0] == "no words in any repeat"


def test_every_temperature_has_a_table_of_its_own(study: Build) -> None:
    first, second = drawn(build(with_rows(study())))
    assert "temperature 0.4" in first.caption
    assert "temperature 0.8" in second.caption
    assert lines(second, "baseline")[0] == "125.0% (100.0 to 150.0)"
    assert lines(second, "th_stopping") == ["not evaluated"]


def test_nothing_is_claimed_that_was_not_tested(study: Build) -> None:
    text = sentences(build(with_rows(study())))
    assert "Not tested: whether groups differ in this, and whether drawing changes WER." in text


@pytest.mark.parametrize(
    ("asr", "said"),
    [
        ({"kind": "whisper", "repeats": 0}, "not evaluated; with asr.repeats=5 a recognizer that can draw"),
        ({"kind": "whisper", "repeats": 3}, "not evaluated: no scored trial has two repeats at one temperature"),
        ({"kind": "scripted"}, "not evaluated: this recognizer has no setting asr.repeats."),
        (None, "not evaluated: this recognizer has no setting asr.repeats."),
    ],
)
def test_where_nothing_can_be_compared_the_card_says_what_would_evaluate_it(
    study: Build, asr: dict[str, Any] | None, said: str
) -> None:
    for rows in ([], [measured("baseline", n_trials=0, disagreement=None, ci_low=None, ci_high=None)]):
        content = build(configured(with_rows(study(), rows), asr) if asr else with_rows(study(), rows))
        assert drawn(content) == []
        assert f"{TITLE}: {said}" in sentences(content)


def test_the_numbers_are_in_the_json_with_their_key_and_method(study: Build) -> None:
    numbers = build(with_rows(study())).numbers.variability
    assert len(numbers) == len(ROWS)
    one = next(item for item in numbers if item.key.accent == "baseline" and item.key.normalizer == "whisper_english")
    assert (one.temperature, one.pair_errors, one.pair_words, one.n_speakers) == (0.4, 360, 7200, 12)
    assert "each as the other's reference in turn" in one.method
    assert "95% interval of log disagreement, leave-one-speaker-out jackknife" in one.method
    alone = next(item for item in numbers if item.key.accent == "lone_voice")
    assert alone.method.endswith("no interval: insufficient")
    assert alone.ci_low is None


def test_another_recognizer_in_the_table_is_not_on_this_card(study: Build) -> None:
    other = [measured(accent, backend="other", disagreement=0.9) for accent in ACCENTS]
    assert build(with_rows(study(), [*ROWS, *other])).numbers == build(with_rows(study())).numbers


def test_row_order_changes_nothing(study: Build) -> None:
    source = with_rows(study())
    shuffled: pd.DataFrame = source.variability.sample(frac=1, random_state=3).reset_index(drop=True)
    assert render.json_text(build(replace(source, variability=shuffled))) == render.json_text(build(source))


def test_a_hostile_group_name_is_escaped(study: Build) -> None:
    name = "<script>alert(1)</script>\u202e"
    source = with_rows(study(accents={name: 6}), [measured(name)])
    content = build(source)
    page = html_page(content, [], None) + render.markdown(content)
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert content.numbers.variability[0].key.accent == name


def test_synthetic_speech_is_flagged(study: Build) -> None:
    assert "synthetic speech" in drawn(build(with_rows(study(synthetic=True))))[0].caption
