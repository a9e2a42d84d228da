"""The sentences of an audit: who is named, what is never claimed, and what a floor keeps back."""

from typing import Any

import pandas as pd
import pytest

from pipeline import tables
from pipeline.artifacts import CorpusRecord
from pipeline.audit_tables import Audit
from pipeline.card.audit_findings import findings
from pipeline.card.audited import GRAVE, LIMIT, RECORD, Told
from pipeline.card.wording import label
from pipeline.stages.audit import audit
from pipeline.stats import confounds
from pipeline.stats.settings import StatsSettings

NOTHING_LOST = tables.build([], tables.Exclusions, where="test")
NO_SOUND = tables.build([], tables.Acoustics, where="test")


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences, not tests, are what is tested here."""
    monkeypatch.setattr(confounds, "FEWEST_DRAWS", 199)


def corpus(**said: Any) -> CorpusRecord:
    given: dict[str, Any] = {"name": "c", "description": "", "synthetic": False, "style": "read", "label_kind": "l1",
                             "label_provenance": "self_report", "licence": "CC0", "citation": "",
                             "redistribute_text": True}  # fmt: skip
    return CorpusRecord(**given | said)


def audit_rows(speakers: dict[tuple[str, str | None], int], text: str = "text {} of {}") -> list[dict[str, Any]]:
    return [
        {"utterance_id": f"{accent}-{gender}-{at}", "speaker_id": f"{gender}{at}", "accent": accent,
         "reference": text.format(at, accent), "attr_gender": gender}
        for (accent, gender), n in speakers.items() for at in range(n)
    ]  # fmt: skip


def audit_of(speakers: dict[tuple[str, str | None], int], text: str = "text {} of {}") -> Audit:
    table = tables.build(audit_rows(speakers, text), tables.Listing, where="test")
    return audit(table, NO_SOUND, NOTHING_LOST, str, settings=StatsSettings())


def told(found: Audit, *, floor: int | None = None, **said: Any) -> dict[str, int]:
    return {one.text: one.severity for one in findings(found, Told(corpus(**said), 5, floor))}


def only(texts: dict[str, int], part: str) -> tuple[str, int]:
    ((text, severity),) = [(text, severity) for text, severity in texts.items() if part in text]
    return text, severity


ARCHIVE = {("arabic", "male"): 6, ("french", "male"): 12, ("english", "female"): 8, ("english", "male"): 9}


def test_a_confound_is_told_with_its_size_and_by_name() -> None:
    text, severity = only(told(audit_of(ARCHIVE)), "gender goes with accent")
    assert severity == GRAVE
    assert "every speaker of arabic, french is male (18); female only in english (8)" in text
    assert "Cramér's V" in text
    assert "35 speakers" in text


def test_what_is_not_shown_is_never_called_absent() -> None:
    found = told(audit_of({("a", "f"): 6, ("a", "m"): 6, ("b", "f"): 6, ("b", "m"): 6}))
    text, severity = only(found, "Not shown to go with accent")
    assert severity == RECORD
    assert "which does not show that they do not" in text
    assert "gender (p = 1.000)" in text
    assert not any("gender goes with" in one for one in found)


def test_under_a_floor_nobody_is_named_of_whom_there_are_fewer() -> None:
    found = told(audit_of(ARCHIVE), floor=10)
    text, _ = only(found, "gender goes with accent")
    assert "every speaker of french is male (12)" in text
    assert "arabic" not in text
    assert "female" not in text
    assert only(found, "combinations of accent and gender")[0].startswith("5 of 6 ")
    assert not any("nobody is there" in one or "fewer than 5" in one for one in found)


def test_under_a_floor_nothing_is_told_that_few_are_known_to_be() -> None:
    few = audit_of({("a", "m"): 3, ("a", None): 10, ("b", "f"): 3, ("b", None): 12})
    assert only(told(few), "part the speakers in the same way")[0].count("known of 6 of 28 speakers") == 1
    assert not any("6 speakers" in one or "same way" in one or "(p = " in one for one in told(few, floor=10))
    alike = audit_of({("a", "m"): 3, ("a", None): 10, ("b", None): 12})
    assert only(told(alike), "Alike for everybody")[0].endswith("gender (m, where it is known).")
    assert not any("Alike" in one for one in told(alike, floor=10))


def test_every_speaker_is_said_of_those_alone_whose_value_is_known() -> None:
    found = told(audit_of({("a", "m"): 8, ("a", None): 4, ("b", "f"): 8, ("b", "m"): 1}))
    assert "every speaker of a whose gender is known is m (8)" in only(found, "gender goes with accent")[0]
    assert "By gender, nobody is known there who is f in a." in found
    assert not any("nobody is there" in one for one in found)


def test_what_holds_in_the_larger_accents_only_is_said_of_them_only() -> None:
    three = {("a", "m"): 3, ("b", "f"): 3, ("c", "f"): 1, ("c", "m"): 1}
    text, _ = only(told(audit_of(three)), "cannot be separated from accent")
    assert "within the larger accents all share one value" in text
    text, _ = only(told(audit_of({("a", "m"): 6, ("b", "f"): 6, ("c", "f"): 6})), "cannot be separated from accent")
    assert "within an accent all share one value" in text


def test_who_has_several_values_is_not_alike_to_anybody() -> None:
    both = audit_of({("a", "m"): 8, ("b", "m"): 8})
    rows = audit_rows({("a", "m"): 8, ("b", "m"): 8})
    mixed = [
        row | {"utterance_id": f"{row['utterance_id']}+", "attr_gender": "f"} for row in rows if row["accent"] == "a"
    ]
    several = audit(tables.build(rows + mixed, tables.Listing, where="test"), NO_SOUND, NOTHING_LOST, str,
                    settings=StatsSettings())  # fmt: skip
    assert only(told(both), "Alike for everybody")[0].endswith("gender (m).")
    assert only(told(several), "Alike for everybody")[0].endswith("gender (m; speakers with several values apart).")


def test_texts_that_no_two_accents_share_are_told_first() -> None:
    apart = told(audit_of({("a", "f"): 6, ("b", "f"): 6}))
    assert only(apart, "accent and text cannot be told apart")[1] == GRAVE
    one = told(audit_of({("a", "f"): 6, ("b", "f"): 6}, text="please call stella"))
    assert only(one, "Everybody reads one text")[1] == RECORD


def test_labels_that_were_inferred_are_told_first_and_gaps_in_the_record_are_limits() -> None:
    found = audit_of({("a", "f"): 6})
    assert only(told(found, label_provenance="imputed"), "inferred or imputed")[1] == GRAVE
    assert only(told(found, style=""), "does not say whether its speech is read")[1] == LIMIT
    assert only(told(found, licence=""), "License: not recorded")[1] == LIMIT
    assert "Texts may not be shown" in only(told(found, redistribute_text=False), "License: CC0")[0]


def test_utterances_without_a_speaker_are_told_first() -> None:
    table = pd.DataFrame({"utterance_id": ["a", "b"], "speaker_id": [None, "s"], "accent": ["x", "x"],
                          "reference": ["one", "two"]}).astype("str")  # fmt: skip
    found = told(audit(table, NO_SOUND, NOTHING_LOST, str, settings=StatsSettings()))
    assert only(found, "1 utterance of 2 have no speaker")[1] == GRAVE


def test_any_label_can_be_told() -> None:
    labels = ["None", "NA", "a, b", "two\nlines", "\u202eevil", "<b>", "\U0001f442"]
    cells: dict[tuple[str, str | None], int] = {("other", "m"): 6}
    cells |= {(name, gender): 6 for name in labels for gender in ("f", None)}
    page = "\n".join(told(audit_of(cells)))
    assert "gender" in page
    assert all(label(name) in page for name in labels)


def test_what_nobody_verified_of_the_corpus_is_a_limit_in_its_own_words() -> None:
    found = audit_of(ARCHIVE)
    text, severity = only(told(found, not_verified=("The layout.", "Who said so.")), "Not verified")
    assert (text, severity) == ("Not verified against the corpus itself: The layout. Who said so.", LIMIT)
    assert not [text for text in told(found) if "Not verified" in text]
