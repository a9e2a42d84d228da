"""What the card says of invented text, key terms and tags: support beside every number, candidates and no verdict."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from pipeline import screening_tables, tables
from pipeline.card import render
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.model import Block, Facts, Sentence, Table
from pipeline.card.page.page import html as html_page
from pipeline.screening_tables import EMPTIED, UNSAID

Build = Callable[..., CardInput]
BACKEND, CONDITION = "faster_whisper:tiny.en", "clean"
HOSTILE = "<script>alert(1)</script>\u202e"
KEY = {"condition": CONDITION, "backend": BACKEND, "normalizer": "whisper_english", "synthetic": False, "note": "",
       "unit": "speaker", "k_eff": 11.0, "n_speakers": 12}  # fmt: skip


def sign(measure: str, count: int, base: int = 36, **changes: Any) -> dict[str, Any]:
    interval = {"ci_low": 0.02, "ci_high": 0.2, "support": "ok"} if count else {"ci_low": None, "ci_high": None,
                                                                              "support": "zero_errors"}  # fmt: skip
    row = {"accent": "baseline", "measure": measure, "count": count, "base": base, "value": count / base} | interval
    return KEY | row | changes


def term(name: str, said: int, found: int, **changes: Any) -> dict[str, Any]:
    row = {
        "term": name, "accent": tables.POOLED, "n_trials": 36, "n_said": said, "n_found": found,
        "recall": found / said if said else None, "recall_ci_low": None, "recall_ci_high": None,
        "recall_support": "insufficient", "n_ref_words": 1200, "n_false": 3, "false_rate": 3 / 1200,
        "false_ci_low": None, "false_ci_high": None, "false_support": "insufficient",
    }  # fmt: skip
    return KEY | row | changes


def tag(name: str, wrong: int, **changes: Any) -> dict[str, Any]:
    row = {
        "tag": name, "accent": "baseline", "n_words": 50, "hits": 50 - wrong, "substitutions": wrong, "deletions": 0,
        "error_rate": wrong / 50, "ci_low": None, "ci_high": None, "support": "insufficient", "n_unplaced": 0,
    }  # fmt: skip
    return KEY | row | changes


SIGNS = [
    sign("candidates", 4), sign("longest_insertion", 23, value=None), sign("length_ratio", 1250, 1200),
    sign("insertion_rate", 40, 400), sign("candidates", 4, accent=tables.POOLED),
    sign("repeated_words", 3, accent=tables.POOLED), sign("candidates", 0, accent="th_stopping"),
]  # fmt: skip
REVIEWED = [sign("reviewed", 4, accent=tables.POOLED), sign("reviewed_hallucination", 1, 4, accent=tables.POOLED)]
TERMS = [
    term("", 20, 15),
    term("metformin", 20, 15),
    term("!!", 0, 0, note=EMPTIED),
    term("aspirin", 0, 0, note=UNSAID),
    term("", 8, 8, accent="baseline"),
]
TAGS = [tag("name", 5), tag("name", 9, accent=tables.POOLED, note="left; 2 tag(s) fit no word")]


def with_rows(source: CardInput, **rows: list[dict[str, Any]]) -> CardInput:
    schemas = {"hallucinations": screening_tables.Hallucinations, "terms": screening_tables.Terms,
               "tag_errors": screening_tables.TagErrors}  # fmt: skip
    return replace(source, **{name: tables.build(own, schemas[name], where="test") for name, own in rows.items()})


def blocks(content: CardContent) -> list[Block]:
    return next(part for part in content.sections if part.slug == "veracity").blocks


def said(content: CardContent) -> str:
    return " ".join(block.text for block in blocks(content) if isinstance(block, Sentence))


def cell(content: CardContent, caption: str, head: str) -> str:
    found = [block for block in blocks(content) if isinstance(block, Table) and caption in block.caption]
    rows = {row.head: row for table in found for row in table.rows}
    return " | ".join(rows[head].cells[0].lines)


def test_candidates_are_shown_by_group_with_interval_longest_run_and_support(study: Build) -> None:
    content = build(with_rows(study(), hallucinations=SIGNS))
    shown = cell(content, "any sign of invented text", "baseline")
    assert shown.startswith("11.1% (2.0 to 20.0), 4 of 36 trials | length 1.04")
    assert "longest 23 words | 12 speakers" in shown
    assert cell(content, "any sign of invented text", "th_stopping").startswith("0.0%, 0 of 36 trials")
    assert cell(content, "any sign of invented text", "lone_voice") == "not evaluated"
    assert "3 of 36 trials" in cell(content, "Which signs", next(h for h in heads(content) if "in a row" in h))
    assert "3.3% (2.0 to 20.0) [12]" in cell(content, "Inserted words per reference word", "baseline")


def heads(content: CardContent) -> list[str]:
    return [row.head for block in blocks(content) if isinstance(block, Table) for row in block.rows]


def test_nothing_is_called_a_hallucination_that_nobody_reviewed(study: Build) -> None:
    text = said(build(with_rows(study(), hallucinations=SIGNS)))
    assert "not a finding" in text
    assert "Reviewed candidates: not evaluated" in text
    text = said(build(with_rows(study(), hallucinations=SIGNS + REVIEWED)))
    assert "verdict on 4 scored trials and called 1 a hallucination" in text
    assert "no rate of all trials" in text


def test_a_study_that_does_not_look_says_so(study: Build) -> None:
    source = study()
    content = build(source)
    assert "Signs of invented text: not evaluated" in said(content)
    facts = {fact.label for block in blocks(content) if isinstance(block, Facts) for fact in block.facts}
    assert {"Key terms (stats.terms names none)", "Errors by tag (stats.tags names none)"} <= facts
    config = source.record.config | {"stats": {"hallucination": None}}
    off = replace(source, record=source.record.model_copy(update={"config": config}))
    assert "stats.hallucination is null" in said(build(off))


def test_terms_and_tags_stand_with_what_is_behind_them_and_what_is_missing(study: Build) -> None:
    content = build(with_rows(study(), terms=TERMS, tag_errors=TAGS))
    pooled = cell(content, "Listed terms", "metformin")
    assert pooled == "75.0% (no interval) | 15 of 20 found | 3 false, 2.50 per 1,000 words | 12 speakers, 1,200 words"
    assert cell(content, "Listed terms", "baseline").startswith("100.0%")
    assert "Nothing is left of these terms after normalization: !!." in said(content)
    assert "No scored reference holds these terms: aspirin." in said(content)
    assert cell(content, "reference words with a tag", "name: baseline").startswith("10.0% (no interval) | 5 of 50")
    assert "2 tag(s) fit no word" in said(content)
    assert len(content.numbers.terms) == len(TERMS)


def test_row_order_and_hostile_names_change_and_inject_nothing(study: Build) -> None:
    rows = {"hallucinations": SIGNS, "terms": [*TERMS, term(HOSTILE, 3, 1)], "tag_errors": [*TAGS, tag(HOSTILE, 1)]}
    source = with_rows(study(), **rows)
    mixed: dict[str, pd.DataFrame] = {
        name: getattr(source, name).sample(frac=1, random_state=3).reset_index(drop=True) for name in rows
    }
    content = build(source)
    assert render.json_text(build(replace(source, **mixed))) == render.json_text(content)
    page = html_page(content, [], None) + render.markdown(content)
    assert "<script>alert" not in page
    assert "\u202e" not in page
