"""Section 9: words that nobody said, where somebody spoke and where nobody did, and words that chance decides."""

from collections.abc import Mapping

from pipeline.card.acoustic_measures import Invented
from pipeline.card.evidence import Evidence, accent_name, fact
from pipeline.card.key_terms import key_terms, tagged_words
from pipeline.card.keys import Key
from pipeline.card.model import Block, Facts, Row, Section, Sentence, TableCell
from pipeline.card.screening import screening
from pipeline.card.variability import variability
from pipeline.card.word_measures import Hallucination
from pipeline.card.wording import NOT_EVALUATED, between, label, listed, percent
from pipeline.tables import POOLED

WITHHELD = "withheld"
SPEECH = "babble"
"""The kind of noise that holds words."""


def veracity(evidence: Evidence) -> Section:
    """Section 9: inserted words by group and condition, what was said without speech, and how much repeats vary."""
    blocks: list[Block] = []
    if evidence.measured:
        view = evidence.view
        rates = {item.key: item for item in evidence.numbers.hallucinations if item.measure == "insertion_rate"}
        rows = [
            Row(head=accent_name(accent), cells=[_inserted(evidence, rates, accent, name) for name in view.conditions])
            for accent in [*view.accents, POOLED]
        ]
        caption = "Inserted words per reference word [inserted words]: candidates for invented text, not reviewed"
        blocks.append(evidence.table(caption, ["Group", *map(label, view.conditions)], rows))
    else:
        blocks.append(Sentence(text=NOT_EVALUATED))
    words = (key_terms(evidence), tagged_words(evidence))
    blocks += [*screening(evidence), *_without_speech(evidence), *variability(evidence), *words[0], *words[1]]
    unknown = "" if evidence.numbers.publication.floor is None else ", or too few speakers said any"
    asked = (f"Key terms (stats.terms names none{unknown})", f"Errors by tag (stats.tags names none{unknown})")
    left = [name for name, found in zip(asked, words, strict=True) if not found]
    probed = () if evidence.numbers.invented else ("Output on silence or noise alone",)
    facts = [fact(name, None) for name in (*probed, *left)]
    return Section(
        slug="veracity",
        title="Hallucination and veracity",
        blocks=[*blocks, *([Facts(facts=facts)] if facts else [])],
    )


def _inserted(evidence: Evidence, rates: Mapping[Key, Hallucination], accent: str, condition: str) -> TableCell:
    cell = evidence.cell(accent, condition)
    key = evidence.view.key(accent=accent, condition=condition)
    if cell is None or not cell.n_ref_words:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    item = rates.get(key)
    interval = between(item.ci_low, item.ci_high) if item is not None and item.count else ""
    counted = f"[{evidence.words(cell.insertions):,}]"
    rate = " ".join(filter(None, (percent(cell.insertions / cell.n_ref_words), interval, counted)))
    return TableCell(lines=[rate, evidence.stands_on(cell.n_speakers, cell.n_ref_words)], key=key)


def _without_speech(evidence: Evidence) -> list[Block]:
    items = evidence.numbers.invented
    if not items:
        return []
    rows = [Row(head=label(item.key.condition), cells=_cells(evidence, item)) for item in items]
    caption = (
        "Output on silence or noise alone: renderings of each condition with the noise, gains and channel of a real "
        "trial and without its speech"
    )
    columns = ["Condition", "What was played", "Trials", "Sound", "With any output", "Words per minute", "Most often"]
    blocks: list[Block] = [evidence.table(caption, columns, rows)]
    spoken = listed(label(item.key.condition) for item in items if SPEECH in item.noises)
    if any(SPEECH in item.noises for item in items):
        text = f"The noise of {spoken} is people talking: words there may have been heard and not invented."
        blocks.append(Sentence(text=text))
    return blocks


def _cells(evidence: Evidence, item: Invented) -> list[TableCell]:
    said = [found for found in evidence.numbers.invented_texts if found.key == item.key]
    texts = [f'"{found.text}" ({found.n_trials:,})' if found.text is not None else WITHHELD for found in said]
    rate = item.words_per_minute
    lines = [
        [listed(map(label, item.noises), empty="silence")],
        [f"{item.n_trials:,}"],
        [f"{item.minutes:.1f} min"],
        [f"{percent(item.share_with_output)} ({item.n_with_output:,})"],
        [f"{rate:.1f} ({item.n_words:,} words)" if rate is not None else NOT_EVALUATED],
        list(dict.fromkeys(texts)) or ["nothing"],
    ]
    return [TableCell(lines=line, key=item.key) for line in lines]
