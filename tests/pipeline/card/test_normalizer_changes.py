"""The card's words on other normalizers and on second intervals: what is there is said, and labeled."""

from dataclasses import replace

import pytest

from pipeline.card.content import build
from pipeline.card.render import json_text
from pipeline.card.second_intervals import borrowed_lines


def texts(content, slug="fairness"):
    section = next(one for one in content.sections if one.slug == slug)
    found = []
    for block in section.blocks:
        found += [block.text] if hasattr(block, "text") else []
        found += [item.text for item in getattr(block, "items", [])]
        found += [" ".join(cell.lines) for row in getattr(block, "rows", []) for cell in row.cells]
    return found


def flipped(study, **changes):
    """The usual study, whose sensitivity says that another group is worst under verbatim."""
    source = study(**changes)
    table = source.sensitivity.copy()
    table["changes"] = False
    chosen = (table["measure"] == "highest") & (table["condition"] == "clean")
    table.loc[chosen, "changes"] = True
    table.loc[chosen & (table["normalizer"] == "verbatim"), "conclusion"] = "baseline"
    return replace(source, sensitivity=table)


def test_a_conclusion_that_changes_is_named_with_both_normalizers(study):
    content = build(flipped(study))
    [text] = [one for one in texts(content) if one.startswith("Under verbatim instead of whisper_english")]
    assert text.endswith("these change: group with the highest WER under clean: v_w_merger becomes baseline.")
    [change] = content.numbers.normalizer_changes
    assert (change.key.normalizer, change.conclusion_main, change.conclusion) == ("verbatim", "v_w_merger", "baseline")
    assert '"normalizer_changes"' in json_text(content)


def test_nothing_that_changes_is_said_too(study):
    source = study()
    content = build(replace(source, sensitivity=source.sensitivity.assign(changes=False)))
    assert any("places by WER, tests and verdicts lead to the same conclusions" in one for one in texts(content))
    assert content.numbers.normalizer_changes == []


def test_one_normalizer_is_said_to_be_one(study):
    source = study()
    cells = source.cells[source.cells["normalizer"] == "whisper_english"].reset_index(drop=True)
    content = build(replace(source, cells=cells))
    assert any("One normalizer was run" in one for one in texts(content))


@pytest.fixture
def lent(study):
    """The usual study, in which every cell of an accent has a borrowed interval and the pool a bootstrap interval."""
    source = study()
    accents = source.cells["accent"] != "ALL"
    wer = source.cells["wer"]
    lends = {"borrowed_low": (wer / 1.5).where(accents), "borrowed_high": (wer * 1.5).where(accents)}
    drawn = {"bootstrap_low": (wer / 1.38).where(~accents), "bootstrap_high": (wer * 1.44).where(~accents),
             "bootstrap_replicates": (wer * 0 + 2000).where(~accents)}  # fmt: skip
    return build(replace(source, cells=source.cells.assign(**lends, **drawn)))


def test_a_borrowed_interval_is_shown_and_labeled_where_the_own_one_is_not_usable(lent):
    shown = {cell.key.accent for cell in lent.numbers.cells if borrowed_lines(cell)}
    assert shown == {"lone_voice"}, "twelve and six speakers have an interval of their own; no errors is another matter"
    assert any("borrowed (" in one and "no interval" in one for one in texts(lent))
    assert any(one.startswith("A borrowed interval takes the spread") for one in texts(lent))


def test_without_a_borrowed_interval_the_card_does_not_explain_one(study):
    assert not any("borrowed" in one for one in texts(build(study())))


def test_the_cross_check_says_how_far_the_bootstrap_is_away_and_never_less(lent):
    [text] = [one for one in texts(lent) if one.startswith("Cross-check")]
    # the bounds shown are WER / 1.4 and WER * 1.4: 1.5% and 2.9% away
    assert "3 cells with 30 speakers or more" in text
    assert "no bound of an interval is more than 3% away" in text
