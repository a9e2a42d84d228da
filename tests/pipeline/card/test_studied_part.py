"""What the card says of a part of a corpus, and what it keeps to itself where few speakers are protected."""

from collections.abc import Callable
from dataclasses import replace

from pipeline.artifacts import SubsetPart, SubsetRecord
from pipeline.card.content import CardInput
from pipeline.card.evidence import gather
from pipeline.card.model import Sentence, Table
from pipeline.card.publication import Publication
from pipeline.card.studied_part import studied_part

Build = Callable[..., CardInput]
PART = SubsetPart(
    accent="baseline", n_speakers=20, n_speakers_kept=12, n_utterances=80, n_utterances_kept=36, minutes_kept=1.26
)
NAMELESS = SubsetPart(
    accent="spotless", n_speakers=0, n_speakers_kept=0, n_utterances=5, n_utterances_kept=4, minutes_kept=None
)
SUBSET = SubsetRecord(rules=["at most 12 speakers an accent"], parts=[PART, NAMELESS], missing=["no | left\u202e"])


def test_a_whole_corpus_is_no_part(study: Build) -> None:
    assert studied_part(gather(study())) == []


def test_a_part_is_told_by_group_with_what_it_lacks(study: Build) -> None:
    source = study()
    source = replace(source, record=source.record.model_copy(update={"subset": SUBSET}))
    first, table, last = studied_part(gather(source))
    assert isinstance(first, Sentence)
    assert "40 of 85 usable utterances" in first.text
    assert "at most 12 speakers an accent" in first.text
    assert isinstance(table, Table)
    assert [[cell.lines[0] for cell in row.cells] for row in table.rows] == [
        ["12 of 20", "36 of 80", "44", "1.3"],
        ["unknown", "4 of 5", "1", "no audio"],
    ]
    assert isinstance(last, Sentence)
    assert (last.text, last.warning) == ("Wished for and not there: no | left(U+202E).", True)


def test_under_a_floor_only_totals_are_told(study: Build) -> None:
    source = study()
    record = source.record.model_copy(update={"subset": SUBSET})
    blocks = studied_part(gather(replace(source, record=record, publication=Publication(floor=10))))
    assert [block.kind for block in blocks] == ["text", "text"]
    assert isinstance(blocks[1], Sentence)
    assert blocks[1].text == "Not all that this part was to hold is there: 1 shortfall."
