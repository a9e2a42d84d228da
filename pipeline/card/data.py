"""Section 4: whose speech it was, who said so, what was dropped, and how full each cell is."""

from collections import Counter, defaultdict

from pipeline.card.audited import not_verified
from pipeline.card.audited_data import audited_data
from pipeline.card.evidence import Evidence, accent_name, fact
from pipeline.card.measures import Coverage
from pipeline.card.model import Block, Fact, Facts, Row, Section, Sentence, Table, TableCell
from pipeline.card.recordings import recordings
from pipeline.card.studied_part import studied_part
from pipeline.card.wording import NOT_RECORDED, SYNTHETIC, count, label, listed, outside, percent
from pipeline.records import Support

UNITS_WARNING = (
    "Speakers unknown: the utterance is taken as independent; intervals are too narrow and p-values too small."
)
MARKS = {
    Support.OK: "",
    Support.THIN: "thin: a wide interval",
    Support.INSUFFICIENT: "no usable interval",
    Support.ZERO_ERRORS: "no errors counted",
    Support.NO_WORDS: "no reference words",
    "empty": "empty",
}


def evaluation_data(evidence: Evidence) -> Section:
    """Section 4: the corpus, the coverage matrix, every exclusion, and how the recordings sounded."""
    blocks: list[Block] = []
    if evidence.view.synthetic:
        text = f"The speech is synthetic ({SYNTHETIC}). It compares how a recognizer treats named pronunciations."
        blocks.append(Sentence(text=text, warning=True))
    blocks.append(Facts(facts=_corpus(evidence)))
    blocks += studied_part(evidence)
    if not evidence.view.speakers_known:
        blocks.append(Sentence(text=UNITS_WARNING, warning=True))
    blocks += unstated_labels(evidence)
    blocks += [_coverage(evidence), *_gaps_in_coverage(evidence), *_unheard(evidence), *_exclusions(evidence)]
    blocks += recordings(evidence)
    blocks += audited_data(evidence)
    return Section(slug="data", title="Evaluation data", blocks=blocks)


def unstated_labels(evidence: Evidence) -> list[Sentence]:
    """Return the warning that group labels are nobody's statement, where they are not."""
    word = evidence.view.unstated
    text = f"Group labels were {word}: neither the speakers nor anybody who heard them stated them."
    return [Sentence(text=text, warning=True)] if word else []


def _corpus(evidence: Evidence) -> list[Fact]:
    corpus, numbers = evidence.view.source.record.corpus, evidence.numbers.corpus
    people = f"{numbers.n_speakers:,}" if numbers.n_speakers else "unknown"
    if numbers.n_speakers and numbers.n_speakers_missing:
        people += f"; {count(numbers.n_speakers_missing, 'utterance')} without a speaker"
    words = f"{evidence.words(numbers.n_ref_words):,} words"
    amount = f"{numbers.n_utterances:,} utterances, {words}, {_hours(numbers.hours)}"
    described = [
        fact("Corpus", outside(corpus.name) if corpus else None),
        fact("Description", (outside(corpus.description, limit=1000) if corpus else "") or NOT_RECORDED),
        fact("Speech", (outside(corpus.style) if corpus else "") or NOT_RECORDED),
        fact("License", (outside(corpus.licence) if corpus else "") or NOT_RECORDED),
        fact("Citation", (outside(corpus.citation, limit=1000) if corpus else "") or NOT_RECORDED),
    ]
    if corpus and corpus.not_verified:
        described.append(fact("Not verified", not_verified(corpus)))
    return [
        *described,
        fact("Speakers", people, numbers.key),
        fact("Amount", amount, numbers.key),
        fact("Label provenance", listed(map(outside, _provenances(evidence)), empty=NOT_RECORDED)),
    ]


def _hours(hours: float | None) -> str:
    return "duration not known" if hours is None else f"{hours:.2f} hours"


def _provenances(evidence: Evidence) -> list[str]:
    found = Counter(value or NOT_RECORDED for value in evidence.view.source.utterances["label_provenance"])
    return [f"{value.replace('_', ' ')} ({count(rows, 'utterance')})" for value, rows in sorted(found.items())]


def _coverage(evidence: Evidence) -> Table:
    view = evidence.view
    by_key = {item.key: item for item in evidence.numbers.coverage}
    rows = []
    for accent in view.accents:
        items = [by_key[view.key(accent=accent, condition=condition)] for condition in view.conditions]
        cells = [TableCell(lines=_covered(evidence, item), key=item.key) for item in items]
        loaded = TableCell(lines=[f"{items[0].n_loaded if items else 0:,}"], key=view.key(accent=accent))
        rows.append(Row(head=accent_name(accent), cells=[loaded, *cells]))
    caption = "Coverage: utterances scored of those planned, speakers and reference words, by group and condition"
    return evidence.table(caption, ["Group", "Loaded", *map(label, view.conditions)], rows)


def _covered(evidence: Evidence, item: Coverage) -> list[str]:
    lines = [f"{item.n_scored:,} of {item.n_planned:,}", evidence.stands_on(item.n_speakers, item.n_ref_words)]
    mark = MARKS.get(item.support, item.support)
    return [*lines, mark] if mark else lines


def _gaps_in_coverage(evidence: Evidence) -> list[Block]:
    empty = [item for item in evidence.numbers.coverage if item.n_scored == 0]
    if not evidence.numbers.coverage:
        return [Sentence(text="Coverage: not evaluated")]
    names = listed(f"{label(item.key.accent)} under {label(item.key.condition)}" for item in empty)
    return [Sentence(text=f"Combinations of group and condition with nothing scored: {names}.")]


def _unheard(evidence: Evidence) -> list[Block]:
    missing = [item for item in evidence.numbers.unheard if item.status == "missing"]
    if not missing:
        return []
    by_accent: Counter[str] = Counter()
    for item in missing:
        by_accent[item.key.accent] += item.rows
    names = listed(f"{label(accent)}: {rows:,}" for accent, rows in sorted(by_accent.items()))
    text = f"Transcripts that were not delivered and count as all deletions: {sum(by_accent.values()):,} ({names})."
    return [Sentence(text=text, warning=True)]


def _exclusions(evidence: Evidence) -> list[Block]:
    grouped: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in evidence.numbers.dropped:
        grouped[(item.stage, item.reason)][item.key.accent] += item.rows
    if not grouped:
        return [Sentence(text="Exclusions: none. Every row that was loaded was planned, transcribed and scored.")]
    rows = []
    for (stage, reason), accents in sorted(grouped.items()):
        named = (
            f"{label(accent) if accent else 'group unknown'}: {rows:,}" for accent, rows in sorted(accents.items())
        )
        cells = [reason.replace("_", " "), f"{sum(accents.values()):,}", listed(named)]
        rows.append(Row(head=stage, cells=[TableCell(lines=[outside(text, limit=2000)]) for text in cells]))
    caption = "Exclusions: rows that left the study, by stage and reason"
    blocks: list[Block] = [evidence.table(caption, ["Stage", "Reason", "Rows", "By group"], rows)]
    return [*blocks, *_uneven_loss(evidence)]


def _uneven_loss(evidence: Evidence) -> list[Block]:
    planned: Counter[str] = Counter()
    scored: Counter[str] = Counter()
    for item in evidence.numbers.coverage:
        planned[item.key.accent] += item.n_planned
        scored[item.key.accent] += item.n_scored
    shares = {accent: 1 - scored[accent] / total for accent, total in planned.items() if total}
    if not any(shares.values()):
        return []
    most = max(sorted(shares), key=lambda accent: shares[accent])
    least = min(sorted(shares), key=lambda accent: shares[accent])
    text = (
        f"Share of planned renderings that were not scored: from {percent(shares[least])} ({label(least)}, of "
        f"{planned[least]:,}) to {percent(shares[most])} ({label(most)}, of {planned[most]:,})."
    )
    return [Sentence(text=text)]
