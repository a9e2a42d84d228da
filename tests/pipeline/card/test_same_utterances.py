"""What the card says of costs on the same utterances and of gaps freed from what was read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pipeline import result_tables, tables
from pipeline.card import render
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.model import Facts, Sentence, Table

Build = Callable[..., CardInput]
KEY = {"condition": "babble_10", "backend": "faster_whisper:tiny.en", "normalizer": "whisper_english"}


def cost(accent: str, **changes: Any) -> dict[str, Any]:
    row = KEY | {
        "accent": accent, "n_speakers": 12, "k_eff": 12.0, "n_utterances": 36, "n_ref_words": 360,
        "errors_reference": 40, "errors": 76, "wer_reference": 0.111, "wer": 0.211, "difference": 0.1, "ci_low": 0.05,
        "ci_high": 0.15, "ratio": 1.9, "p": 0.001, "p_adjusted": 0.004, "n_family": 5, "n_segments": 66,
        "mapsswe_z": 4.2, "mapsswe_p": 0.00003, "unit": "speaker", "note": "p from all sign flips of speakers",
        "synthetic": False,
    }  # fmt: skip
    return row | changes


def gap(accent: str, method: str, **changes: Any) -> dict[str, Any]:
    row = KEY | {
        "condition": "clean", "accent": accent, "method": method, "n_speakers": 12, "n_ref_words": 360, "n_texts": 30,
        "kept_share": 1.0, "text_overlap": 0.25, "gap": 0.06, "gap_ci_low": -0.01, "gap_ci_high": 0.13, "ratio": 1.3,
        "ratio_ci_low": 0.9, "ratio_ci_high": 1.9, "strata_missing": "", "confounded": False, "note": "",
        "synthetic": False,
    }  # fmt: skip
    return row | changes


def card(
    source: CardInput, *, costs: Sequence[dict[str, Any]] = (), gaps: Sequence[dict[str, Any]] = ()
) -> CardContent:
    comparisons = tables.build(costs, result_tables.Comparisons, where="test")
    return build(replace(source, comparisons=comparisons,
                         adjusted=tables.build(gaps, result_tables.Adjusted, where="test")))  # fmt: skip


def section(content: CardContent, slug: str) -> list[Any]:
    return list(next(part for part in content.sections if part.slug == slug).blocks)


def table(content: CardContent, slug: str, caption: str) -> Table:
    return next(block for block in section(content, slug) if isinstance(block, Table) and caption in block.caption)


def lines(found: Table, head: str, column: int = 0) -> list[str]:
    return list(next(row for row in found.rows if row.head == head).cells[column].lines)


def text(content: CardContent, slug: str) -> str:
    return "\n".join(block.text for block in section(content, slug) if isinstance(block, Sentence))


def test_a_cost_has_its_interval_its_test_and_what_stands_behind_it(study: Build) -> None:
    content = card(study(), costs=[cost("baseline"), cost("th_stopping", p_adjusted=0.2), cost(tables.POOLED)])
    found = table(content, "robustness", "WER added by each condition")
    assert "(95% intervals, each on its own)" in found.caption
    assert lines(found, "baseline")[1:3] == ["(+5.0 to +15.0)", "adjusted p = 0.004: shown"]
    assert "adjusted p = 0.200: not shown" in lines(found, "th_stopping")
    assert "MAPSSWE p < 0.001, 66 segments" in lines(found, "all accents pooled")
    assert not any("MAPSSWE" in line for line in lines(found, "baseline"))
    assert "adjusted by Holm's method over the 5 comparisons" in text(content, "robustness")
    assert "it takes segments as independent" in text(content, "robustness")


def test_a_group_below_the_floor_has_a_cost_and_no_test(study: Build) -> None:
    untested = dict.fromkeys(("ci_low", "ci_high", "p", "p_adjusted", "mapsswe_z", "mapsswe_p"))
    content = card(study(), costs=[cost("baseline"), cost("lone_voice", **untested)])
    assert lines(table(content, "robustness", "WER added"), "lone_voice")[1:2] == ["test not evaluated"]


def test_without_comparisons_the_costs_say_that_they_have_no_intervals(study: Build) -> None:
    assert "(no intervals)" in table(card(study()), "robustness", "WER added").caption


def test_gaps_stand_beside_the_same_gaps_freed_from_what_was_read(study: Build) -> None:
    rows = [
        gap("baseline", "raw"),
        gap("baseline", "two_way", gap_ci_low=-0.03, gap_ci_high=0.15),
        gap("baseline", "shared_texts", gap=0.01, kept_share=0.4, n_texts=12, n_ref_words=144),
        gap("baseline", "standardized", gap=0.02, strata_missing="domain=clinical"),
        gap("baseline", "raw", condition="babble_10", gap=0.5),
    ]
    content = card(study(), gaps=rows)
    found = table(content, "fairness", "raw and freed from what was read")
    assert "Gaps under clean" in found.caption
    assert lines(found, "baseline", 0) == ["+6.0 points (-1.0 to +13.0)", "12 speakers, 360 words"]
    assert lines(found, "baseline", 1)[0] == "+6.0 points (-3.0 to +15.0)"
    assert lines(found, "baseline", 2)[2] == "40.0% of its words, 12 texts"
    assert lines(found, "baseline", 3)[3] == "lacks domain=clinical"
    assert "confounded" not in text(content, "fairness")
    assert len(content.numbers.adjusted_gaps) == 5
    assert '"adjustment": "shared_texts"' in render.json_text(content)


def test_where_nothing_separates_them_accent_and_content_are_called_confounded(study: Build) -> None:
    nothing = dict.fromkeys(("gap", "gap_ci_low", "gap_ci_high", "ratio", "ratio_ci_low", "ratio_ci_high"))
    rows = [gap("baseline", method, confounded=True, text_overlap=0.0) for method in ("raw", "two_way")]
    note = "rest: x; not evaluated: 0 of 60 texts are common to the compared accents, too few speakers read them"
    rows.append(gap("baseline", "shared_texts", confounded=True, text_overlap=0.0, note=note, **nothing))
    content = card(study(), gaps=rows)
    warnings = [sentence.text for sentence in content.summary if sentence.warning]
    assert any(
        said.startswith("Accent and content are confounded: under clean, the texts of baseline") for said in warnings
    )
    found = table(content, "fairness", "raw and freed from what was read")
    assert lines(found, "baseline", 2) == [
        "not evaluated", "0 of 60 texts are common to the compared accents, too few speakers read them"
    ]  # fmt: skip
    facts = [block for block in section(content, "fairness") if isinstance(block, Facts)]
    assert "accent and content are confounded" in {fact.value for block in facts for fact in block.facts}


def test_the_same_texts_need_a_sentence_and_no_table(study: Build) -> None:
    content = card(
        study(), gaps=[gap("baseline", "raw", text_overlap=1.0), gap("th_stopping", "raw", text_overlap=1.0)]
    )
    assert "All compared groups read the same texts" in text(content, "fairness")
    with pytest.raises(StopIteration):
        table(content, "fairness", "raw and freed")
