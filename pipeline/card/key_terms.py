"""The part of section 9 on the words that matter: listed terms, and words that carry a tag."""

from collections.abc import Mapping

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.keys import Key
from pipeline.card.model import Block, Heading, Row, Sentence, Table, TableCell
from pipeline.card.word_measures import TagError, Term
from pipeline.card.wording import NOT_EVALUATED, between, count, label, listed, percent
from pipeline.screening_tables import EMPTIED, UNSAID
from pipeline.tables import POOLED

SHOWN = 20
"""Terms, or tags, that the card shows; the rest is in the table."""
TAG_NOTE = "Inserted words stand on no reference word and are in no tag's rate."
TERM_NOTE = (
    "Found: heard, in any listed form, where it is aligned with what was said. False: heard where nobody said it. Not "
    "tested: whether groups differ in this."
)
FoundTerms = Mapping[tuple[Key, str], Term]
FoundTags = Mapping[tuple[Key, str], TagError]


def key_terms(evidence: Evidence) -> list[Block]:
    """Return recall and false insertions by group and by term; nothing where the study lists no terms."""
    found = {(item.key, item.term): item for item in evidence.numbers.terms}
    if not found:
        return []
    main = [item for item in evidence.numbers.terms if item.key.normalizer == evidence.view.main]
    groups = [*evidence.view.accents, POOLED]
    by_group = _terms(evidence, found, [(accent_name(accent), accent, "") for accent in groups], head="Group")
    names = sorted({item.term for item in main if item.term})
    said = [name for name in names if any(item.term == name and item.n_said for item in main)]
    shown = [(label(name), POOLED, name) for name in said[:SHOWN]]
    by_term = [_terms(evidence, found, shown, head="Term, all accents pooled")] if shown else []
    return [Heading(text="Key terms"), by_group, *by_term, *_term_sentences(main, names, said)]


def _terms(evidence: Evidence, found: FoundTerms, wanted: list[tuple[str, str, str]], *, head: str) -> Table:
    conditions = evidence.view.conditions
    rows = []
    for name, accent, term in wanted:
        keys = [evidence.view.key(accent=accent, condition=condition) for condition in conditions]
        rows.append(Row(head=name, cells=[_term_cell(evidence, key, found.get((key, term))) for key in keys]))
    caption = f"Listed terms that were said and are found in the transcript ({evidence.level} intervals)"
    return evidence.table(caption, [head, *map(label, conditions)], rows)


def _term_cell(evidence: Evidence, key: Key, item: Term | None) -> TableCell:
    if item is None:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    lines = ["none was said"]
    if item.n_said:
        interval = between(item.recall_ci_low, item.recall_ci_high) or "(no interval)"
        lines = [f"{percent(item.recall)} {interval}", f"{item.n_found:,} of {item.n_said:,} found"]
    rate = f", {1000 * item.false_rate:.2f} per 1,000 words" if item.false_rate is not None else ""
    return TableCell(
        lines=[*lines, f"{item.n_false:,} false{rate}", evidence.stands_on(item.n_speakers, item.n_ref_words)], key=key
    )


def _term_sentences(main: list[Term], names: list[str], said: list[str]) -> list[Sentence]:
    sentences = [TERM_NOTE]
    emptied = sorted({item.term for item in main if item.note == EMPTIED})
    unsaid = [name for name in names if name not in said and name not in emptied]
    if emptied:
        sentences.append(f"{EMPTIED.capitalize().replace('this term', 'these terms')}: {_some(emptied)}.")
    if unsaid:
        sentences.append(f"{UNSAID.capitalize().replace('this term', 'these terms')}: {_some(unsaid)}.")
    if len(said) > SHOWN:
        sentences.append(f"{count(len(said) - SHOWN, 'further term')} in terms.csv.")
    return [Sentence(text=text) for text in sentences]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return listed(map(label, names[:SHOWN])) + more


def tagged_words(evidence: Evidence) -> list[Block]:
    """Return errors by tag and group; nothing where the study has no tags."""
    found = {(item.key, item.tag): item for item in evidence.numbers.tag_errors}
    tags = sorted({item.tag for item in evidence.numbers.tag_errors})
    if not found:
        return []
    conditions = evidence.view.conditions
    rows = []
    for tag in tags[:SHOWN]:
        for accent in [*evidence.view.accents, POOLED]:
            keys = [evidence.view.key(accent=accent, condition=condition) for condition in conditions]
            cells = [_tag_cell(evidence, key, found.get((key, tag))) for key in keys]
            if any(cell.lines != [NOT_EVALUATED] for cell in cells) or accent == POOLED:
                rows.append(Row(head=f"{label(tag)}: {accent_name(accent)}", cells=cells))
    caption = f"Substitutions and deletions on the reference words with a tag, per word ({evidence.level} intervals)"
    table = evidence.table(caption, ["Tag and group", *map(label, conditions)], rows)
    more = f" {count(len(tags) - SHOWN, 'further tag')} in tag_errors.csv." if len(tags) > SHOWN else ""
    return [Heading(text="Errors by tag"), table, Sentence(text=f"{TAG_NOTE}{_left(evidence)}{more}")]


def _tag_cell(evidence: Evidence, key: Key, item: TagError | None) -> TableCell:
    if item is None or not item.n_words:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    errors = item.substitutions + item.deletions
    if errors:
        rate = f"{percent(item.error_rate)} {between(item.ci_low, item.ci_high) or '(no interval)'}"
    else:
        rate = f"0.0% (at most {percent(item.ci_high)})" if item.ci_high is not None else "0.0%"
    lines = [rate, f"{errors:,} of {count(item.n_words, 'word')}", evidence.stands_on(item.n_speakers, item.n_words)]
    return TableCell(lines=lines, key=key)


def _left(evidence: Evidence) -> str:
    notes = sorted({
        f"{item.tag}: {part}"
        for item in evidence.numbers.tag_errors
        if item.key.accent == POOLED and item.key.normalizer == evidence.view.main
        for part in item.note.split("; ")[1:]
    })  # fmt: skip
    return f" Left out: {'; '.join(map(label, notes[:SHOWN]))}." if notes else ""
