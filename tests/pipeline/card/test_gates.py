"""Gates: hand-computed cells against limits, rule by rule, and what a verdict must never contradict."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline import app
from pipeline.card import gate_words, junit
from pipeline.card.content import CardInput, build
from pipeline.card.evidence import Evidence, gather
from pipeline.card.gate_measures import Gate
from pipeline.card.gate_settings import LIMITS, GateSettings
from pipeline.card.gates import ROUNDING, decide, overall
from pipeline.card.keys import Key
from pipeline.card.model import Listing
from pipeline.card.publication import HiddenCell, Publication
from pipeline.config import build as build_study
from pipeline.errors import ConfigError
from pipeline.run import Outcome

Build = Callable[..., CardInput]
SMALL: dict[str, Any] = {"accents": {"baseline": 12, "other": 6}, "conditions": ("clean", "babble_10")}
NOBODY = {"lone": 1, "other": 2}
"""A study in which no group reaches the floor of five speakers."""


@pytest.fixture(scope="module")
def gathered() -> dict[int, Evidence]:
    return {}


def judged(source: CardInput, gathered: dict[int, Evidence], **settings: Any) -> list[Gate]:
    """Decide the gates of a study; its numbers are gathered once in this module."""
    if id(source) not in gathered:
        gathered[id(source)] = gather(source)
    return decide(gathered[id(source)], GateSettings(**settings))


def usual_study(study: Build, gathered: dict[int, Evidence]) -> Evidence:
    judged(study(), gathered)
    return gathered[id(study())]


def outcomes(found: list[Gate]) -> dict[tuple[str, str], str]:
    return {(gate.key.accent, gate.key.condition): gate.outcome for gate in found}


def test_nothing_is_decided_unless_a_limit_is_set(study: Build) -> None:
    content = build(study(**SMALL))
    assert content.gates == []
    assert overall(content.gates) is None
    assert "Gate" not in content.model_dump_json()


def test_the_gap_that_decides_is_the_models_and_not_the_naive_one(study: Build, gathered: dict[int, Evidence]) -> None:
    # by the fixture the model gap is 0.21 (0.105 to 0.315) everywhere, and the naive gap 0.30, 0.40 and 0.50
    kept = judged(study(), gathered, max_gap=0.21)
    assert [(gate.statistic, gate.outcome, gate.compared) for gate in kept] == [("model_gap", "kept", 0.21)] * 3
    assert {gate.outcome for gate in judged(study(), gathered, max_gap=0.2)} == {"broken"}
    assert {gate.outcome for gate in judged(study(), gathered, max_gap=0.3, rule="upper_bound")} == {"broken"}
    assert {gate.outcome for gate in judged(study(), gathered, max_gap=0.32, rule="upper_bound")} == {"kept"}
    (clean,) = judged(study(), gathered, max_gap=0.2, conditions=["clean"])
    assert clean.key == Key(condition="clean", backend=clean.key.backend, normalizer="whisper_english")
    for said in (
        "max_gap broken under clean",
        "21.0 points (10.5 to 31.5)",
        "above the limit of 20 points",
        "4 ranked",
    ):
        assert said in clean.sentence
    assert "Not judged: lone_voice (not ranked)" in clean.sentence
    assert "highest WER v_w_merger" in clean.sentence


def test_a_ratio_is_judged_by_the_model_ratio(study: Build, gathered: dict[int, Evidence]) -> None:
    # 2.1 (1.05 to 3.15)
    for limit, rule, ended in ((2.1, "point", "kept"), (2.0, "point", "broken"), (3.0, "upper_bound", "broken")):
        assert {gate.outcome for gate in judged(study(), gathered, max_ratio=limit, rule=rule)} == {ended}


def test_f1_is_judged_for_every_ranked_group_by_its_own_counts(study: Build, gathered: dict[int, Evidence]) -> None:
    # clean, baseline: 12 speakers x 3 utterances x 10 words; S = 54, D = 0, I = 12, H = 306: F1 = 612 / 732 = 0.8361
    # th_stopping: S = 90, I = 12, H = 270: 540 / 732 = 0.7377; v_w_merger: S = 63, I = 6, H = 117: 234 / 366 = 0.6393
    found = judged(study(), gathered, min_f1=0.74, conditions=["clean"])
    assert outcomes(found) == {
        ("lone_voice", "clean"): "not_judged",
        ("baseline", "clean"): "kept",
        ("th_stopping", "clean"): "broken",
        ("v_w_merger", "clean"): "broken",
        ("spotless", "clean"): "kept",
    }
    values = {gate.key.accent: gate.value for gate in found}
    assert values["baseline"] == pytest.approx(612 / 732)
    assert values["v_w_merger"] == pytest.approx(234 / 366)
    (merger,) = [gate for gate in found if gate.key.accent == "v_w_merger"]
    assert "63.9%; below the limit of 74% (6 speakers, 180 words)" in merger.sentence


def test_wer_is_judged_by_its_estimate_or_by_the_upper_end(study: Build, gathered: dict[int, Evidence]) -> None:
    # clean, baseline: 66 errors in 360 words = 0.1833, interval up to 1.4 times that, 0.2567
    def baseline(**settings: Any) -> Gate:
        found = judged(study(), gathered, conditions=["clean"], **settings)
        return next(gate for gate in found if gate.key.accent == "baseline")

    assert baseline(max_wer=0.19).outcome == "kept"
    assert baseline(max_wer=0.18).outcome == "broken"
    over = baseline(max_wer=0.25, rule="upper_bound")
    assert (over.outcome, over.compared) == ("broken", pytest.approx(1.4 * 66 / 360))
    assert baseline(max_wer=0.26, rule="upper_bound").outcome == "kept"


def test_a_group_without_an_interval_is_not_decided_by_its_upper_end(
    study: Build, gathered: dict[int, Evidence]
) -> None:
    source = study(
        accents={"a": 12, "b": 2}, conditions=("clean",), min_speakers=2
    )  # b is ranked, and has too few speakers for an interval
    found = judged(source, gathered, max_wer=0.9, rule="upper_bound", conditions=["clean"])
    assert outcomes(found) == {("a", "clean"): "kept", ("b", "clean"): "not_decided"}
    assert overall(found) == "not_decided"
    assert "no interval to compare with the limit of 90%" in found[1].sentence


def test_interactions_are_judged_beside_the_reference_condition(study: Build, gathered: dict[int, Evidence]) -> None:
    # 1.4 (1.1 to 1.8) for every ranked group
    found = judged(study(), gathered, max_interaction=1.5)
    assert {gate.key.condition for gate in found} == {"babble_10", "landline_g711"}
    assert {gate.outcome for gate in found if gate.key.accent != "lone_voice"} == {"kept"}
    over = judged(study(), gathered, max_interaction=1.5, rule="upper_bound")
    assert {gate.outcome for gate in over if gate.key.accent != "lone_voice"} == {"broken"}
    (alone,) = judged(study(), gathered, max_interaction=1.5, conditions=["clean"])
    assert alone.outcome == "not_decided"
    assert alone.sentence == "max_interaction not decided: the study has no condition beside the reference condition."


@pytest.mark.parametrize(
    ("low", "high", "ended"),
    [(0.9, 1.2, "kept"), (0.8, 1.25, "kept"), (0.7, 1.2, "not_decided"), (1.1, 1.3, "not_decided"),
     (1.3, 1.6, "broken"), (0.5, 0.79, "broken"), (None, None, "not_decided")],
)  # fmt: skip
def test_equivalence_is_inclusion_of_each_interval_in_the_margin(
    study: Build, gathered: dict[int, Evidence], low: float | None, high: float | None, ended: str
) -> None:
    usual = usual_study(study, gathered)
    ends = {"ratio_low": low, "ratio_high": high}
    standings = [item.model_copy(update=ends) if item.verdict else item for item in usual.numbers.standings]
    changed = replace(usual, numbers=usual.numbers.model_copy(update={"standings": standings}))
    found = decide(changed, GateSettings(max_ratio=1.25, rule="equivalence", conditions=["clean"]))
    assert {gate.outcome for gate in found if gate.key.accent != "lone_voice"} == {ended}
    assert len(found) == 5


def test_a_number_at_its_limit_keeps_it_whatever_the_processor_rounds(
    study: Build, gathered: dict[int, Evidence]
) -> None:
    usual, at_limit = usual_study(study, gathered), {"value": 1.05 - 1.0}
    disparities = [item.model_copy(update=at_limit) for item in usual.numbers.disparities]
    changed = replace(usual, numbers=usual.numbers.model_copy(update={"disparities": disparities}))
    assert 1.05 - 1.0 > 0.05
    assert {gate.outcome for gate in decide(changed, GateSettings(max_gap=0.05))} == {"kept"}


def test_where_no_group_is_ranked_nothing_is_kept(study: Build, gathered: dict[int, Evidence]) -> None:
    for limits in ({"max_gap": 0.5}, {"min_f1": 0.1}, {"max_wer": 1.0}, {"max_interaction": 9.0}):
        found = judged(study(accents=NOBODY, conditions=SMALL["conditions"]), gathered, **limits)
        assert overall(found) == "not_decided", limits
        assert {gate.outcome for gate in found} <= {"not_decided", "not_judged"}
    nothing = judged(study(**SMALL, scored=False), gathered, max_gap=0.5)
    assert overall(nothing) == "not_decided"
    assert gate_words.summary(nothing, "not_decided").text.startswith("Gates not decided (rule point: 2 not decided)")


def test_a_group_that_lost_its_trials_under_one_condition_leaves_the_limit_not_decided(
    study: Build, gathered: dict[int, Evidence]
) -> None:
    usual = usual_study(study, gathered)
    cells = [
        cell.model_copy(update={"ranked": False, "n_speakers": 4})
        if (cell.key.accent, cell.key.condition) == ("v_w_merger", "babble_10")
        else cell
        for cell in usual.numbers.cells
    ]
    lossy = replace(usual, numbers=usual.numbers.model_copy(update={"cells": cells}))
    found = decide(lossy, GateSettings(min_f1=0.1, max_gap=0.3, conditions=["clean", "babble_10"]))
    told = {(gate.gate, gate.key.accent, gate.key.condition): gate for gate in found}
    assert told["min_f1", "v_w_merger", "clean"].outcome == told["max_gap", "", "clean"].outcome == "kept"
    lost = told["min_f1", "v_w_merger", "babble_10"], told["max_gap", "", "babble_10"]
    assert [gate.outcome for gate in lost] == ["not_decided", "not_decided"]
    assert all("ranked under other conditions but not here" in gate.sentence for gate in lost)
    assert told["min_f1", "lone_voice", "babble_10"].outcome == "not_judged"  # below the floor everywhere


def test_a_group_that_was_heard_nowhere_leaves_the_limits_not_decided(
    study: Build, gathered: dict[int, Evidence]
) -> None:
    usual = usual_study(study, gathered)
    cells = [cell for cell in usual.numbers.cells if cell.key.accent != "v_w_merger"]
    lossy = replace(usual, numbers=usual.numbers.model_copy(update={"cells": cells}))
    found = decide(lossy, GateSettings(min_f1=0.1, max_gap=0.3, conditions=["clean"]))
    told = {(gate.gate, gate.key.accent): gate for gate in found}
    lost = told["min_f1", "v_w_merger"], told["max_gap", ""]
    assert [gate.outcome for gate in lost] == ["not_decided", "not_decided"]
    assert all("too few of them were scored" in gate.sentence for gate in lost)
    assert told["min_f1", "lone_voice"].outcome == "not_judged"  # the study has but one of its speakers
    assert overall(found) == "not_decided"


def test_suppressed_groups_are_named_and_not_judged(study: Build) -> None:
    hidden = (
        HiddenCell(accent="secret", condition="clean", merged_into=""),
        HiddenCell(accent="small", condition="clean", merged_into="baseline"),
    )
    source = replace(study(**SMALL), publication=Publication(floor=10, words=0, rounded=True, cells=hidden))
    content = build(replace(source, gate=GateSettings(min_f1=0.5, max_gap=0.3, conditions=["clean"])))
    found = content.gates
    told = {gate.key.accent: gate for gate in found}
    assert told["secret"].outcome == told["small"].outcome == "not_judged"
    assert "suppressed under the publication floor" in told["secret"].sentence
    assert "judged within baseline" in told["small"].sentence
    assert "secret (suppressed under the publication floor)" in told[""].sentence
    # and what decides is the published, rounded number
    assert told["baseline"].value == 0.836
    assert told["baseline"].compared == 0.836


def test_the_card_tells_the_gates_in_its_summary_its_advice_and_its_json(study: Build) -> None:
    content = build(replace(study(), gate=GateSettings(max_gap=0.2, min_f1=0.4)))
    assert content.summary[1].warning
    assert content.summary[1].text.startswith("Gates broken (rule point: 12 kept, 3 broken, 3 not judged): max_gap")
    advice = next(section for section in content.sections if section.slug == "advice")
    said = [item.text for block in advice.blocks if isinstance(block, Listing) for item in block.items]
    assert sum("max_gap broken" in text for text in said) == 3
    assert sum("min_f1 kept" in text for text in said) == 3  # one a condition, the group nearest to the limit
    assert any("lone_voice under clean, babble_10, landline_g711 (not ranked)" in text for text in said)
    assert json.loads(content.model_dump_json())["gates"][0]["limit"] == 0.2
    again = type(content).model_validate(content.model_dump())
    assert overall(again.gates) == "broken"


def a_gate(name: str, limit: float, outcome: str = "broken", **more: Any) -> Gate:
    fields = {"value": 0.5, "ci_low": None, "ci_high": None, "compared": 0.5, "note": "", "sentence": "a sentence"}
    return Gate.model_validate(
        fields
        | {"key": Key(), "gate": name, "rule": "point", "statistic": "wer", "outcome": outcome, "limit": limit}
        | {"n_groups": 2, "n_speakers": 10, "n_ref_words": 100}
        | more
    )


@given(limit=st.integers(1, 999).map(lambda n: n / 1000), off=st.floats(-0.2, 0.2), name=st.sampled_from(LIMITS))
def test_a_printed_value_stands_on_its_own_side_of_the_printed_limit(limit: float, off: float, name: str) -> None:
    off = off if abs(off) > 1e-7 else 0.0
    gate = a_gate(name, limit + (1 if name in gate_words.FACTORS else 0))
    value = gate.limit + off
    shown, bound = (
        float(text.split()[0].rstrip("%")) for text in (gate_words.amount(gate, value), gate_words.limit(gate))
    )
    assert (shown > bound + ROUNDING) == (off > 0)
    assert (shown < bound - ROUNDING) == (off < 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"min_f1": 84.0}, "did you mean 0.84"), ({"max_gap": 5.0}, "did you mean 0.05"), ({"max_gap": -1.0}, "max_gap"),
     ({"max_ratio": 1.0}, "max_ratio"), ({"max_wer": float("nan")}, "max_wer"), ({"max_gap": True}, "max_gap"),
     ({"min_f1": 0.8, "rule": "upper_bound"}, "max_wer, whose interval"), ({"rule": "average"}, "rule"),
     ({"max_gap": 0.1, "rule": "equivalence"}, "can never decide max_gap"), ({"conditions": []}, "conditions"),
     ({"conditions": ["a", "a"]}, "twice")],
)  # fmt: skip
def test_limits_that_cannot_be_meant_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        GateSettings.model_validate(wrong)


def test_gates_name_conditions_of_the_study_and_every_mistake_is_told(composed: Callable[..., dict[str, Any]]) -> None:
    raw = composed("asr=scripted", "gate.max_gap=5", "gate.conditions=[bable_10]")
    with pytest.raises(ConfigError, match=r"2 mistake.*did you mean 0.05.*'bable_10'.*Did you mean 'babble_10'"):
        build_study(raw)


def test_a_study_without_a_limit_has_the_hash_that_it_had(composed: Callable[..., dict[str, Any]]) -> None:
    raw = composed("asr=scripted")
    before = {name: value for name, value in raw.items() if name != "gate"}
    plain, none_set = build_study(before).sha256, build_study(raw | {"gate": {"conditions": ["clean"]}}).sha256
    assert plain == none_set == build_study(raw).sha256
    assert build_study(raw | {"gate": {"max_gap": 0.05}}).sha256 != plain


def test_a_gate_that_was_not_kept_is_graver_than_failed_trials_and_less_than_a_mistake(study: Build) -> None:
    assert sorted((app.BUG, app.GATE, app.DONE, app.MISTAKE, app.WITH_FAILURES), key=app.GRAVITY.index) == [
        0,
        3,
        4,
        2,
        1,
    ]
    content = build(replace(study(**SMALL), gate=GateSettings(max_gap=0.2)))
    ended = Outcome(study(**SMALL).record, Path(), content, 0, 3)
    assert ended.gate == "broken"
    assert replace(ended, card=None).gate is None


HOSTILE = ("]]>", "<b>&\"'", "a\x00b\x1b[31m", "‮evil", "\ud800", "null", "x" * 100_000, "x" * 100_001, "￾", "new\nline")


def hostile() -> Iterator[Gate]:
    for label, outcome in product(HOSTILE, ("kept", "broken", "not_decided", "not_judged")):
        key = Key(accent=label, condition=label)
        yield a_gate("min_f1", 0.84, outcome, key=key, sentence=f"{outcome}: {label[:200]}")


def test_junit_holds_one_case_a_limit_whatever_the_labels_hold() -> None:
    found = list(hostile())
    data = junit.xml(found, run_name="a & b", started_at="2026-01-01T00:00:00Z")
    assert len(data) < 100_000
    root = ElementTree.fromstring(data)
    (suite,) = root.findall("testsuite")
    assert root.tag == "testsuites"
    assert suite.get("name") == "a & b"
    assert suite.get("timestamp") == "2026-01-01T00:00:00"
    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    each = str(len(HOSTILE))
    assert counted == {"tests": str(len(found)), "failures": each, "errors": each, "skipped": each}
    cases = suite.findall("testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(found)
    for case, gate in zip(cases, found, strict=True):
        assert [child.tag for child in case] == [junit.ELEMENTS.get(gate.outcome, "system-out")]
        if gate.outcome == "broken":
            assert case[0].get("message") == case[0].text == gate.sentence


def test_junit_counts_what_could_not_be_decided_as_an_error_because_skipped_means_passed() -> None:
    data = junit.xml([a_gate("max_gap", 0.05, "not_decided")], run_name="r", started_at="2026-01-01T00:00:00Z")
    assert ElementTree.fromstring(data).find("testsuite/testcase/error") is not None
