"""What an audit found, in sentences: the gravest first, with names where a name may be given.

Written from the tables of ``audit_tables`` alone, for the report of ``stages=[audit]`` and for the card. Under a floor
of publication nobody is named of whom there are fewer.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import tables
from pipeline.artifacts import CorpusRecord
from pipeline.audit_tables import Audit
from pipeline.card.wording import NOT_RECORDED, count, label, listed, outside

RECORD, LIMIT, GRAVE = 1, 2, 3
SEVERITIES = {
    GRAVE: "To know before accents are compared",
    LIMIT: "Limits",
    RECORD: "For the record",
}
MOST_NAMED = 12
"""A sentence names so many; the tables have all."""
MOST_VALUES = 6
"""An attribute with more values is told in numbers, not cell by cell."""
INFERRED = ("inferred", "imputed")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, how grave it is, and what it is about."""

    severity: int
    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a sentence must know besides the tables."""

    corpus: CorpusRecord | None
    min_speakers: int
    floor: int | None = None
    """named speakers below which nobody is named; None: everybody may be"""

    def may_name(self, n: int) -> bool:
        """Return whether a group of so many speakers may be told apart."""
        return self.floor is None or n >= self.floor


def named(items: Sequence[str]) -> str:
    """Return at most ``MOST_NAMED`` names, and how many more there are."""
    more = len(items) - MOST_NAMED
    return listed(items[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def coverage(audit: Audit, told: Told) -> Iterator[Finding]:
    """Say who is there, and by name who is not or hardly."""
    rows = tables.rows(audit.coverage)
    whole = [row for row in rows if not row["attribute"]]
    yield Finding(RECORD, "coverage", _amount(whole))
    if unnamed := sum(row["n_unnamed"] for row in whole):
        text = (
            f"{count(unnamed, 'utterance')} of {sum(row['n_utterances'] for row in whole):,} have no speaker: speakers "
            "are what is independent, so intervals will be too narrow, and accents with them cannot be planned for."
        )
        yield Finding(GRAVE, "coverage", text)
    if len(whole) == 1:
        yield Finding(LIMIT, "coverage", f"There is one accent, {label(whole[0]['accent'])}: none can be compared.")
    few = [row for row in whole if row["n_speakers"] < told.min_speakers and not row["n_unnamed"]]
    if few and told.floor is None:
        names = named([f"{label(row['accent'])} ({row['n_speakers']:,})" for row in few])
        text = f"Fewer than {count(told.min_speakers, 'speaker')}, so never ranked or compared: {names}."
        yield Finding(LIMIT, "coverage", text)
    aliases = set(audit.associations.loc[audit.associations["nested"].isin(["same", "in_accent"]), "attribute"])
    large = {row["accent"] for row in whole if row["n_speakers"] >= told.min_speakers}
    for attribute in dict.fromkeys(row["attribute"] for row in rows if row["attribute"] not in {"", *aliases}):
        yield from _crossing(attribute, [row for row in rows if row["attribute"] == attribute], large, told)


def _amount(whole: Sequence[dict[str, Any]]) -> str:
    speakers, words = (sum(row[name] for row in whole) for name in ("n_speakers", "n_words"))
    minutes = [row["minutes"] for row in whole]
    length = "minutes unknown, no audio was opened" if any(m != m for m in minutes) else f"{sum(minutes):,.1f} minutes"
    return (
        f"{count(len(whole), 'accent')}, {count(speakers, 'named speaker')}, "
        f"{count(sum(row['n_utterances'] for row in whole), 'utterance')}, {count(words, 'word')}, {length}."
    )


def _crossing(attribute: str, rows: Sequence[dict[str, Any]], large: Collection[str], told: Told) -> Iterator[Finding]:
    stated, missing = ([row for row in rows if bool(row["value"]) is known] for known in (True, False))
    values = list(dict.fromkeys(row["value"] for row in stated))
    name = label(attribute)
    if told.floor is not None or len(values) > MOST_VALUES:
        floor = told.floor or told.min_speakers
        few = sum(row["n_speakers"] < floor for row in stated)
        if few and len(values) > 1:
            cells = f"{few:,} of {len(stated):,} combinations of accent and {name}"
            yield Finding(LIMIT, "coverage", f"{cells} have fewer than {floor} speakers.")
    elif len(values) > 1:
        silent = {row["accent"] for row in missing}
        yield from _cells(name, values, [row | {"silent": row["accent"] in silent} for row in stated], large, told)
    if missing and told.floor is None:
        total, n = (sum(row["n_utterances"] for row in part) for part in (rows, missing))
        yield Finding(LIMIT, "coverage", f"{name} is not stated for {n:,} of {count(total, 'utterance')}.")


def _cells(
    name: str, values: Sequence[str], rows: Sequence[dict[str, Any]], large: Collection[str], told: Told
) -> Iterator[Finding]:
    """Name the empty cells, and the thin ones of accents that are large enough as a whole."""
    empty: dict[bool, list[str]] = {False: [], True: []}
    thin = []
    for value in values:
        own = [row for row in rows if row["value"] == value]
        for silent, parts in empty.items():
            nobody = [label(row["accent"]) for row in own if not row["n_utterances"] and row["silent"] is silent]
            if nobody:
                parts.append(f"{label(value)} in {named(nobody)}")
        few = [row for row in own if 0 < row["n_speakers"] < told.min_speakers and row["accent"] in large]
        if few:
            thin.append(f"{label(value)} in " + named([f"{label(row['accent'])} ({row['n_speakers']})" for row in few]))
    for silent, parts in empty.items():
        if parts:
            there = "is known there" if silent else "is there"
            yield Finding(LIMIT, "coverage", f"By {name}, nobody {there} who is {'; '.join(parts)}.")
    if thin:
        yield Finding(LIMIT, "coverage", f"By {name}, fewer than {told.min_speakers} are {'; '.join(thin)}.")


def duplicates(audit: Audit, told: Told) -> Iterator[Finding]:
    """Say what is there twice, and who is in two accents."""
    table = audit.duplicates
    same, near = table[table["kind"] == "same_audio"], table[table["kind"] == "near_text"]
    if len(same):
        crossing = int(((same["n_speakers"] > 1) | (same["n_accents"] > 1)).sum())
        text = f"{count(int(same['n_utterances'].sum()), 'utterance')} share {count(len(same), 'recording')}"
        text += f"; {count(crossing, 'recording')} under several speakers or accents" if crossing else ""
        examples = "" if told.floor is not None else f" First: {named(json.loads(same.iloc[0]['utterance_ids']))}."
        yield Finding(GRAVE if crossing else LIMIT, "duplicates", f"{text}.{examples}")
    else:
        opened = audit.coverage["minutes"].notna().all() and len(audit.coverage) > 0
        yield Finding(
            RECORD,
            "duplicates",
            "No two recordings have the same bytes." if opened else "Recordings were not compared.",
        )
    if len(near):
        across = int((near["n_speakers"] > 1).sum())
        text = f"{count(len(near), 'pair')} of different texts or more are nearly the same, {across:,} across speakers."
        yield Finding(RECORD, "duplicates", text)
    if len(audit.speakers) and told.may_name(len(audit.speakers)):
        who = "" if told.floor is not None else f": {named([label(name) for name in audit.speakers['speaker_id']])}"
        text = (
            f"{count(len(audit.speakers), 'speaker id')} in more than one accent, counted as one speaker in each{who}."
        )
        yield Finding(GRAVE, "duplicates", text)


def lost(audit: Audit, told: Told) -> Iterator[Finding]:
    """Say what the corpus could not use, and which labels nobody has mapped."""
    rows = tables.rows(audit.lost)
    unmapped = [row for row in rows if row["reason"] == "unknown_accent"]
    others = [row for row in rows if row["reason"] != "unknown_accent"]
    if unmapped and told.floor is None:
        shown = sorted(unmapped, key=lambda row: (-row["rows"], row["detail"]))
        names = named([f"{outside(row['detail'], limit=80)} ({count(row['rows'], 'row')})" for row in shown])
        yield Finding(LIMIT, "labels", f"Labels without an accent, left out and never guessed: {names}.")
    if others and told.floor is None:
        names = named([f"{row['reason'].replace('_', ' ')} ({row['rows']:,})" for row in others])
        yield Finding(LIMIT, "coverage", f"Rows that could not be used: {names}.")


def not_verified(corpus: CorpusRecord) -> str:
    """Return what nobody has checked of how a corpus is read, as sentences."""
    return " ".join(outside(one, limit=1000) for one in corpus.not_verified)


def labels(told: Told) -> Iterator[Finding]:
    """Say what the labels are, who gave them, and what the license and the record of consent say."""
    corpus = told.corpus
    if corpus is None:
        return
    kind = outside(corpus.label_kind) or NOT_RECORDED
    provenance = corpus.label_provenance.replace("_", " ")
    text = f"The accent labels: kind {kind}, provenance {outside(provenance) or NOT_RECORDED}."
    yield Finding(RECORD if provenance else LIMIT, "labels", text)
    if any(word in provenance for word in INFERRED):
        yield Finding(
            GRAVE, "labels", "Labels were inferred or imputed, not reported: a group is who was taken for one."
        )
    if corpus.not_verified:
        yield Finding(LIMIT, "labels", f"Not verified against the corpus itself: {not_verified(corpus)}")
    if corpus.synthetic:
        yield Finding(GRAVE, "labels", "The speech is synthetic and says nothing about any people.")
    if not corpus.style:
        yield Finding(LIMIT, "texts", "The corpus does not say whether its speech is read, prompted or spontaneous.")
    else:
        yield Finding(RECORD, "texts", f"The speech is {outside(corpus.style)}, as the corpus says.")
    text = f"License: {outside(corpus.licence) or NOT_RECORDED}. "
    text += f"Texts may {'' if corpus.redistribute_text else 'not '}be shown."
    if corpus.redistribute_audio is not None:
        text += f" Recordings may {'' if corpus.redistribute_audio else 'not '}be passed on."
    text += " Recordings and labels are open to everyone." if corpus.public else ""
    if not corpus.synthetic:
        text += " The speakers' consent is not recorded here: the corpus's own documents have to say."
    yield Finding(RECORD if corpus.licence else LIMIT, "license", text)
