"""What the texts of the accents were like, in sentences: whether they are shared, and where some are harder."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from pipeline import tables
from pipeline.audit_tables import Audit
from pipeline.card.audited import GRAVE, LIMIT, RECORD, Finding
from pipeline.card.wording import count, label, percent
from pipeline.tables import POOLED

HARDLY_SHARED = 0.05
"""Share of utterances below which accents are not compared on common texts."""
LONGER = 1.25
"""Ratio of words an utterance from which texts count as longer."""
SHARE_APART = 0.05
"""Of words: from here on a share is said to differ."""
SHARES = {
    "own_word_share": "Words that no other accent's texts hold",
    "out_of_list_share": "Words outside the word list",
    "digit_share": "Words written with digits",
    "spelled_share": "Letters spelled out",
}


def texts(audit: Audit) -> Iterator[Finding]:
    """Yield the sentences about texts."""
    rows = tables.rows(audit.texts)
    whole, accents = [[row for row in rows if (row["accent"] == POOLED) is pooled] for pooled in (True, False)]
    if not whole or not accents:
        return
    total = whole[0]
    if len(accents) > 1:
        yield _shared(total, accents)
    elif total["n_texts"] == total["n_utterances"]:
        yield Finding(RECORD, "texts", f"All {count(total['n_texts'], 'text')} are different.")
    yield from _harder(accents)
    if pd.isna(total["out_of_list_share"]):
        text = "No list of common words was given (audit.word_list), so no share of rare words is told."
        yield Finding(RECORD, "texts", text)


def _shared(total: dict[str, Any], accents: Sequence[dict[str, Any]]) -> Finding:
    if total["n_texts"] == 1:
        text = "Everybody reads one text: accents are compared on the same words, and nothing is known of other texts."
        return Finding(RECORD, "texts", text)
    low, high = _ends("shared_share", accents)
    if total["shared_share"] < HARDLY_SHARED:
        text = (
            f"{percent(total['shared_share'])} of the utterances are of texts that two accents read: accent and text "
            "cannot be told apart, and a difference may be one of the texts."
        )
        return Finding(GRAVE, "texts", text)
    text = (
        f"{count(total['n_texts'], 'text')}; {percent(total['shared_share'])} of the utterances are of texts that two "
        f"accents or more read, from {percent(low['shared_share'])} ({label(low['accent'])}) to "
        f"{percent(high['shared_share'])} ({label(high['accent'])})."
    )
    return Finding(LIMIT if low["shared_share"] < 0.5 else RECORD, "texts", text)


def _harder(accents: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    low, high = _ends("words_per_utterance", accents)
    ends = [f"{row['words_per_utterance']:.1f} ({label(row['accent'])})" for row in (low, high)]
    same = f"{low['words_per_utterance']:.1f}" == f"{high['words_per_utterance']:.1f}"
    if high["words_per_utterance"] > LONGER * low["words_per_utterance"]:
        yield Finding(LIMIT, "texts", f"Words an utterance: from {ends[0]} to {ends[1]}.")
    else:
        yield Finding(RECORD, "texts", f"Words an utterance: {ends[0].split()[0] if same else ' to '.join(ends)}.")
    for column, name in SHARES.items():
        told = [row for row in accents if not pd.isna(row[column])]
        if len(told) < 2 and column == "own_word_share":
            continue
        if not told:
            continue
        low, high = _ends(column, told)
        if len(told) == 1 and high[column] > SHARE_APART:
            yield Finding(RECORD, "texts", f"{name}: {percent(high[column])} of all words.")
        elif high[column] - low[column] > SHARE_APART:
            ends = [f"{percent(row[column])} ({label(row['accent'])})" for row in (low, high)]
            yield Finding(LIMIT, "texts", f"{name}: from {ends[0]} to {ends[1]} of the words.")


def _ends(column: str, rows: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    known = [row for row in rows if not pd.isna(row[column])] or list(rows)
    return (
        min(known, key=lambda row: (row[column], row["accent"])),
        max(known, key=lambda row: (row[column], row["accent"])),
    )
