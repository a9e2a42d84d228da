"""The part of section 9 on signs of invented text: how many trials show one, which signs, and what reviewers said."""

from collections.abc import Mapping
from typing import Any

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.keys import Key
from pipeline.card.model import Block, Heading, Row, Sentence, Table, TableCell
from pipeline.card.word_measures import Hallucination
from pipeline.card.wording import NOT_EVALUATED, between, count, label, percent
from pipeline.tables import POOLED

TITLE = "Signs of invented text"
SIGNS = {
    "mostly_inserted": "more inserted words than reference words",
    "long_insertion": "{insertion_run} or more inserted words in a row",
    "long_hypothesis": "more than {length_ratio} words heard per reference word",
    "repeated_words": "up to {loop_words} words repeated {loop_times} times in a row",
    "compressible": "text that compresses more than {compression_ratio} times (zlib)",
    "known_phrase": "a phrase from the list of those said where nobody speaks",
    "repeats_differ": "repeats that differ in more than {repeat_disagreement} words per word",
    "text_for_empty_reference": "words heard where the reference has none",
}
"""By measure: what it is, with the thresholds of ``stats.hallucination``."""
CANDIDATES = (
    "A sign is a reason to listen, not a finding: these trials are candidates, and a wrong reference or a hard word "
    "can make one too. They are listed for review ({where}). Not tested: whether groups differ in this."
)
Found = Mapping[tuple[Key, str], Hallucination]


def screening(evidence: Evidence) -> list[Block]:
    """Return how many trials show a sign, by group, and which signs; or that nobody looked."""
    items = evidence.numbers.hallucinations
    found = {(item.key, item.measure): item for item in items}
    if not any(item.measure == "candidates" for item in items):
        return [Heading(text=TITLE), Sentence(text=f"{TITLE}: {NOT_EVALUATED}{_why_not(evidence)}")]
    blocks: list[Block] = [Heading(text=TITLE), _by_group(evidence, found), _by_sign(evidence, found)]
    return [*blocks, Sentence(text=CANDIDATES.format(where=_where(evidence))), Sentence(text=_reviewed(evidence))]


def _where(evidence: Evidence) -> str:
    return "candidates.csv" if evidence.numbers.publication.floor is None else "not published: candidates.parquet"


def _why_not(evidence: Evidence) -> str:
    stats = evidence.view.source.record.config.get("stats")
    off = isinstance(stats, Mapping) and stats.get("hallucination", {}) is None
    return "; stats.hallucination is null." if off else "; nothing was scored or screened."


def _by_group(evidence: Evidence, found: Found) -> Table:
    conditions = evidence.view.conditions
    rows = [
        Row(head=accent_name(accent), cells=[_group_cell(evidence, found, accent, name) for name in conditions])
        for accent in [*evidence.view.accents, POOLED]
    ]
    caption = (
        f"Trials with any sign of invented text ({evidence.level} intervals), not reviewed; words heard per reference "
        "word; longest run of inserted words"
    )
    return evidence.table(caption, ["Group", *map(label, conditions)], rows)


def _group_cell(evidence: Evidence, found: Found, accent: str, condition: str) -> TableCell:
    key = evidence.view.key(accent=accent, condition=condition)
    item, length, longest = (found.get((key, name)) for name in ("candidates", "length_ratio", "longest_insertion"))
    if item is None or not item.base:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    lines = [f"{_share(item)}, {item.count:,} of {count(item.base, 'trial')}"]
    if length is not None and length.value is not None:
        interval = between(length.ci_low, length.ci_high, scale=1.0, digits=2)
        lines.append(f"length {length.value:.2f} {interval}".strip())
    if longest is not None:
        lines.append(f"longest {count(longest.count, 'word')}")
    cell = evidence.cell(accent, condition)
    return TableCell(lines=[*lines, evidence.stands_on(item.n_speakers, cell.n_ref_words if cell else 0)], key=key)


def _share(item: Hallucination) -> str:
    if not item.count:
        return f"0.0% (at most {percent(item.ci_high)})" if item.ci_high is not None else "0.0%"
    return f"{percent(item.value)} {between(item.ci_low, item.ci_high) or '(no interval)'}"


def _by_sign(evidence: Evidence, found: Found) -> Table:
    conditions, limits = evidence.view.conditions, _limits(evidence)
    keys = {name: evidence.view.key(accent=POOLED, condition=name) for name in conditions}
    rows = []
    for measure, words in SIGNS.items():
        items = [found.get((keys[name], measure)) for name in conditions]
        if any(items):
            cells = [_sign_cell(evidence, keys[name], item) for name, item in zip(conditions, items, strict=True)]
            rows.append(Row(head=words.format_map(limits), cells=cells))
    return evidence.table("Which signs, all accents pooled", ["Sign", *map(label, conditions)], rows)


def _sign_cell(evidence: Evidence, key: Key, item: Hallucination | None) -> TableCell:
    if item is None or not item.base:
        return TableCell(lines=[NOT_EVALUATED], key=key)
    cell = evidence.cell(POOLED, key.condition)
    n_speakers, n_words = (cell.n_speakers, cell.n_ref_words) if cell else (item.n_speakers, 0)
    line = f"{item.count:,} of {count(item.base, 'trial')}"
    return TableCell(lines=[line, evidence.stands_on(n_speakers, n_words)], key=key)


def _limits(evidence: Evidence) -> Mapping[str, Any]:
    class Shown(dict[str, Any]):
        def __missing__(self, name: str) -> str:
            return f"(stats.hallucination.{name})"

    stats = evidence.view.source.record.config.get("stats")
    given = stats.get("hallucination") if isinstance(stats, Mapping) else None
    return Shown({name: f"{v:g}" if isinstance(v, float) else v for name, v in (given or {}).items()})


def _reviewed(evidence: Evidence) -> str:
    main = [i for i in evidence.numbers.hallucinations if i.key.accent == POOLED]
    main = [item for item in main if item.key.normalizer == evidence.view.main]
    reviewed = sum(item.count for item in main if item.measure == "reviewed")
    if not reviewed:
        return f"Reviewed candidates: {NOT_EVALUATED}. No verdict of a person who listened was used."
    confirmed = sum(item.count for item in main if item.measure == "reviewed_hallucination")
    return (
        f"A reviewer gave a verdict on {count(reviewed, 'scored trial')} and called {confirmed:,} a hallucination. "
        "They are not a random sample: this is no rate of all trials."
    )
