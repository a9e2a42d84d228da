"""What the card says of single groups, and what it refuses to say."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline.card import render
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.model import Listing, Section, Sentence, Table
from pipeline.card.standings import UNSUPPORTED

Build = Callable[..., CardInput]
Card = Callable[..., CardContent]


def fairness(content: CardContent) -> Section:
    return next(part for part in content.sections if part.slug == "fairness")


def table_of(content: CardContent) -> Table:
    return next(b for b in fairness(content).blocks if isinstance(b, Table) and "counted and shrunken" in b.caption)


def cell(content: CardContent, accent: str, column: int = 0) -> str:
    row = next(row for row in table_of(content).rows if row.head == accent)
    return " | ".join(row.cells[column].lines)


def sentences(content: CardContent) -> list[str]:
    lists = [block for block in fairness(content).blocks if isinstance(block, Listing)]
    return [item.text for block in lists for item in block.items if isinstance(item, Sentence)]


def changed(source: CardInput, statistic: str, **values: Any) -> CardInput:
    table = source.disparities.copy()
    for name, value in values.items():
        table.loc[table["statistic"] == statistic, name] = value
    return replace(source, disparities=table)


def test_the_model_stands_beside_the_naive_gap_and_its_null(card: Card) -> None:
    first = sentences(card())[0]
    for part in ("naive gap is 30.0 points", "12.0 points on average", "gap 21.0 points (10.5 to 31.5)", "0.93"):
        assert part in first
    assert "SD of log WER between groups 0.24 (0.12 to 0.36)" in first
    short = next(s.text for s in card().summary if "naive gap" in s.text)
    assert "model gap 21.0 points (10.5 to 31.5)" in short


def test_the_rule_of_the_test_stands_once_before_every_result(study: Build) -> None:
    source = changed(study(), "omnibus_q", note="rule fixed beforehand: own variances; p from 99 permutations")
    content = build(source)
    blocks = fairness(content).blocks
    at = next(i for i, block in enumerate(blocks) if isinstance(block, Listing))
    rule = blocks[at - 1]
    assert isinstance(rule, Sentence)
    assert (
        "Permutation test over all groups: rule fixed beforehand: own variances; p from 99 permutations." in rule.text
    )
    assert not any("rule fixed beforehand" in text for text in sentences(content))
    assert any("Permutation test over all groups: p = 0.200" in text for text in sentences(content))


def test_what_holds_of_one_conditions_test_alone_stands_in_its_line(study: Build) -> None:
    source = changed(study(), "omnibus_q", note="rule fixed beforehand")
    table = source.disparities.copy()
    clean = (table["statistic"] == "omnibus_q") & (table["condition"] == "clean")
    table.loc[clean, "note"] = "rule fixed beforehand; half an error added"
    texts = sentences(build(replace(source, disparities=table)))
    assert ["half an error added" in text for text in texts[:3]] == [True, False, False]
    assert "Permutation test over all groups (half an error added): p =" in texts[0]


def test_a_ranked_group_carries_its_place_and_its_verdict(card: Card) -> None:
    text = cell(card(), "v_w_merger")
    assert "38.3% counted" in text
    assert "25.0% (20.0 to 30.0) shrunken" in text
    assert "P(worst) 0.39, P(best) 0.01" in text
    assert "ratio 1.20 (0.90 to 1.60): inconclusive" in text
    assert "6 speakers, 180 words" in text


def test_a_group_below_the_floor_has_no_place_and_no_verdict(card: Card) -> None:
    text = cell(card(), "lone_voice")
    assert "not compared: fewer than 5 named speakers" in text
    assert "P(worst)" not in text


def test_the_probability_of_being_worst_follows_the_name_of_the_highest_wer(card: Card) -> None:
    first = sentences(card())[0]
    assert "highest WER is that of v_w_merger, 38.3% (27.4 to 53.7; 6 speakers, 180 words), P(worst) 0.39" in first


def test_a_worse_group_is_named_only_where_the_groups_differ_at_all(study: Build) -> None:
    source = changed(study(), "some_worse_than_margin", p=0.01, worst="v_w_merger")
    said = [text for text in sentences(build(source)) if "within a ratio of 1.25" in text]
    # the permutation test is at .2 under clean and .0004 under the others
    assert UNSUPPORTED in said[0]
    assert "v_w_merger is shown to be worse than that margin (p = 0.010 after Holm over the groups)" in said[1]
    assert UNSUPPORTED not in said[1]


def test_equivalence_of_all_is_shown_by_its_p_only(study: Build, card: Card) -> None:
    assert any("is not shown (0 shown to be; largest p = 0.400)" in text for text in sentences(card()))
    said = sentences(build(changed(study(), "all_within_margin", p=0.02)))
    assert any("is shown (0 shown to be; largest p = 0.020)" in text for text in said)


def test_a_reference_that_could_not_be_used_is_said(study: Build) -> None:
    source = study()
    config = source.record.config | {"stats": {"min_speakers": 5, "reference_accent": "lone_voice"}}
    content = build(replace(source, record=source.record.model_copy(update={"config": config})))
    assert any("(lone_voice has too few speakers here)" in text for text in sentences(content))


def test_faas_is_on_the_card_only_where_it_was_asked_for_and_never_in_the_summary(study: Build) -> None:
    source = study()
    assert "FAAS" not in render.markdown(build(source))
    omnibus = source.disparities[source.disparities["statistic"] == "omnibus_q"]
    row = omnibus.assign(statistic="faas", value=24.0, note="blind to the size of a gap")
    content = build(replace(source, disparities=pd.concat([source.disparities, row], ignore_index=True)))
    text = "\n".join(sentences(content))
    assert "FAAS under clean: 24.0" in text
    assert "blind to the size of a gap" in text
    assert not any("FAAS" in sentence.text for sentence in content.summary)


@pytest.mark.parametrize(
    "plan", [{"accents": {"only": 7}}, {"speakers_known": False}, {"accents": {}, "scored": False}]
)
def test_a_study_without_two_ranked_groups_gets_sentences_and_no_verdict(card: Card, plan: dict[str, Any]) -> None:
    text = render.markdown(card(**plan))
    assert "not evaluated" in text
    assert "worse than that margin" not in text


def test_the_numbers_are_in_the_json_with_their_keys(card: Card) -> None:
    numbers = json.loads(render.json_text(card()))["numbers"]
    found = next(item for item in numbers["standings"] if item["key"]["accent"] == "v_w_merger")
    assert (found["p_worst"], found["verdict"], found["against"]) == (0.39, "inconclusive", "rest")
    assert numbers["rules"]["equivalence_margin"] == 1.25
    assert "normal-normal" in found["method"]


def test_the_order_of_the_standings_changes_nothing(study: Build) -> None:
    source = study()
    shuffled = source.standings.sample(frac=1, random_state=3).reset_index(drop=True)
    assert render.json_text(build(replace(source, standings=shuffled))) == render.json_text(build(source))
