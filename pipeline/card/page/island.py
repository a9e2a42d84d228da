"""The data of the report page: its trials with their words and sound, as one JSON value that fits the page.

The format, version 1, is told in ``Island``. Nothing of a single trial is here under a publication floor, and no text
where texts are withheld.
"""

import gzip
import json
import math
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from jinja2.utils import htmlsafe_json_dumps

from pipeline.card.closing import ONE_UTTERANCE, TEXTS_WITHHELD
from pipeline.card.model import CardContent
from pipeline.card.page.names import shown_names
from pipeline.card.page.order import by_interest
from pipeline.card.page.outcomes import MOST_WORDS, outcome, shown_words
from pipeline.card.said import Said
from pipeline.card.view import CardInput, View, look
from pipeline.card.wording import count, visible

VERSION = 1
PLAIN_BYTES = 1_000_000
"""Up to this size the value stands in the page as it is; a larger one is packed."""
PACKING = 6
"""So many bytes are tried for one of the page: words and names seldom pack better."""
ID_LIMIT = 120
COUNTED = ["substitutions", "deletions", "insertions", "hits"]
TEXTS = ["normalized_reference", "normalized_hypothesis"]


@dataclass(frozen=True, slots=True)
class Island:
    """The value, and how it is written into the page.

    ``utterances``: [id, place of its accent, place of its speaker or -1, seconds or null, a reference a normalizer];
    ``trials``: [place of its utterance, place of its condition, an outcome a normalizer, clip or 0]. An outcome is null
    (not scored); [S, D, I, N], where texts are withheld or too long; or {"e": edits} with [i, word] for a replaced
    reference word i, [i] for a missing one and [i, word, 1] for a word inserted before it (at the end: i = N).
    """

    value: Mapping[str, Any]
    text: str

    def json(self) -> str:
        """Return the JSON, in ASCII, safe inside a script element: plain, or {"version", "gzip_base64"}."""
        return self.text


@dataclass(frozen=True, slots=True)
class _Trial:
    condition: int
    outcomes: list[Any]
    clip: str | int


@dataclass(frozen=True, slots=True)
class _Utterance:
    """One utterance with all its trials: kept or left out as a whole."""

    utterance_id: str
    accent: int
    speaker: tuple[str, str] | None
    duration_s: float | None
    references: list[str]
    trials: list[_Trial]


def build(card_input: CardInput, content: CardContent) -> Island:
    """Return the data of the page of one run; the same tables give the same value, whatever the order of their rows."""
    view = look(card_input)
    scored = _scored(view)
    trials = _trials(view, scored)
    head = _head(view, content, len(trials))
    limit = card_input.settings.page.max_bytes
    if card_input.publication.floor is not None:
        return _written(head | {"notes": [*head["notes"], ONE_UTTERANCE]})
    order = by_interest(trials)
    likely = _likely(trials, order, len(head["normalizers"]), PACKING * limit)
    found = {one.utterance_id: one for one in _utterances(view, scored[scored["utterance_id"].isin(likely)])}
    kept = len(likely)
    while True:
        island = _written(_filled(head, [found[name] for name in sorted(likely[:kept])]))
        if len(island.text) <= limit or not kept:
            return island
        kept = min(kept - 1, int(0.97 * kept * limit / len(island.text)))


def _scored(view: View) -> pd.DataFrame:
    """Return the scores of the backend, the main normalizer first within each trial."""
    normalizers = {name: at for at, name in enumerate((view.main, *view.others))}
    conditions = {name: at for at, name in enumerate(view.conditions)}
    scores = view.source.scores
    known = scores["normalizer"].isin(list(normalizers)) & scores["condition"].isin(list(conditions))
    of_backend = scores[known & (scores["backend"] == view.backend)]
    places = of_backend.assign(
        normalizer_at=of_backend["normalizer"].map(normalizers).astype("int64"),
        condition_at=of_backend["condition"].map(conditions).astype("int64"),
        errors=of_backend["substitutions"] + of_backend["deletions"] + of_backend["insertions"],
        ref_words=of_backend["hits"] + of_backend["substitutions"] + of_backend["deletions"],
    )
    return places.sort_values(["utterance_id", "condition_at", "normalizer_at"], ignore_index=True)


def _trials(view: View, scored: pd.DataFrame) -> pd.DataFrame:
    """Return one row a trial; its errors are those under the main normalizer."""
    errors = scored["errors"].where(scored["normalizer_at"] == 0, 0)
    columns = scored[["utterance_id", "condition", "accent"]].assign(errors=errors, words=scored["ref_words"])
    keys = ["utterance_id", "condition"]
    return columns.groupby(keys, as_index=False).agg(
        accent=("accent", "first"), errors=("errors", "max"), words=("words", "max")
    )


def _likely(trials: pd.DataFrame, order: Sequence[str], normalizers: int, most_bytes: int) -> list[str]:
    """Return as many utterances as might fit, before any is aligned: a word takes some six bytes, an edit ten."""
    sizes = trials.assign(size=20 + normalizers * (8 + 10 * trials["errors"])).groupby("utterance_id")["size"].sum()
    words = trials.groupby("utterance_id")["words"].first()
    every = (sizes + 40 + 6 * normalizers * words).reindex(list(order))
    return list(order[: int(np.searchsorted(every.cumsum().to_numpy(), most_bytes, side="right"))])


def _head(view: View, content: CardContent, n_trials: int) -> dict[str, Any]:
    texts = view.may_show_text
    notes = [] if texts else [TEXTS_WITHHELD]
    return {
        "version": VERSION,
        "main": 0,
        "normalizers": [visible(name) for name in (view.main, *view.others)],
        "accents": list(shown_names(tuple(content.accents)).values()),
        "conditions": list(shown_names(tuple(content.conditions)).values()),
        "reference_condition": view.conditions.index(view.reference) if view.reference in view.conditions else -1,
        "synthetic": content.synthetic,
        "texts": texts,
        "notes": [*notes, *map(visible, view.source.clip_notes)],
        "n_trials": n_trials,
        "n_shown": 0,
        "speakers": [],
        "utterances": [],
        "trials": [],
    }


def _utterances(view: View, scored: pd.DataFrame) -> Iterator[_Utterance]:
    """Yield every utterance of ``scored`` with its trials, in the order of their names."""
    utterances = view.source.utterances
    lasted_s = dict(zip(utterances["utterance_id"], utterances["duration_s"].round(2), strict=True))
    accents = {name: at for at, name in enumerate(view.accents)}
    names = ["utterance_id", "condition", "condition_at", "normalizer_at", "accent", "speaker_id", *TEXTS, *COUNTED]
    rows = list(zip(*(scored[name].tolist() for name in names), strict=True))
    begins = [at for at, row in enumerate(rows) if not at or row[0] != rows[at - 1][0]]
    for begin, end in pairwise([*begins, len(rows)]):
        utterance_id, _, _, _, accent, speaker, *_ = rows[begin]
        duration_s = lasted_s.get(utterance_id, math.nan)
        yield _Utterance(
            utterance_id,
            accents[accent],
            None if pd.isna(speaker) else (accent, speaker),
            None if math.isnan(duration_s) else float(duration_s),
            _references(view, rows[begin:end]),
            list(_outcomes(view, rows[begin:end])),
        )


def _references(view: View, rows: Sequence[tuple[Any, ...]]) -> list[str]:
    if not view.may_show_text:
        return []
    texts = {row[3]: row[6] for row in rows}
    return [shown_words(texts.get(at, "")) for at in range(1 + len(view.others))]


def _outcomes(view: View, rows: Sequence[tuple[Any, ...]]) -> Iterator[_Trial]:
    found: dict[int, _Trial] = {}
    for utterance_id, condition, condition_at, normalizer_at, _, _, *said in rows:
        if condition_at not in found:
            clip = view.source.clips.get((utterance_id, condition), 0)
            found[condition_at] = _Trial(condition_at, [None] * (1 + len(view.others)), clip)
        one = Said(*said)
        found[condition_at].outcomes[normalizer_at] = outcome(one) if view.may_show_text else one.counts
    yield from found.values()


def _filled(head: Mapping[str, Any], kept: Sequence[_Utterance]) -> dict[str, Any]:
    """Return the value with these utterances."""
    people = sorted({one.speaker for one in kept if one.speaker is not None})
    speakers = {person: at for at, person in enumerate(people)}
    trials = [[at, trial.condition, trial.outcomes, trial.clip] for at, one in enumerate(kept) for trial in one.trials]
    return {
        **head,
        "notes": [*_told(head, trials), *head["notes"]],
        "n_shown": len(trials),
        "speakers": [visible(name[:ID_LIMIT]) for _, name in people],
        "utterances": [
            [_name(one), one.accent, -1 if one.speaker is None else speakers[one.speaker], one.duration_s,
             one.references] for one in kept
        ],
        "trials": trials,
    }  # fmt: skip


def _name(one: _Utterance) -> str:
    cut = len(one.utterance_id) > ID_LIMIT
    return visible(one.utterance_id[:ID_LIMIT]) + ("…" if cut else "")


def _told(head: Mapping[str, Any], trials: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Yield what a reader must know of the trials that are here."""
    if len(trials) < head["n_trials"]:
        yield (
            f"{len(trials):,} of {count(head['n_trials'], 'rendering')} are here: of every group those with the most "
            "errors under some condition, and a sample drawn by a hash of the utterances' names, each utterance under "
            "all its conditions. Every number of the card is of all of them."
        )
    if head["texts"]:
        long = sum(any(isinstance(one, tuple) for one in trial[2]) for trial in trials)
        if long:
            yield (
                f"Of {count(long, 'rendering')} only the counts are shown: the text has more than {MOST_WORDS} words, "
                "or was counted by another version of this program."
            )


def _written(value: Mapping[str, Any]) -> Island:
    text = _dumped(value)
    if len(text) > PLAIN_BYTES:
        packed = gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)
        text = _dumped({"version": VERSION, "gzip_base64": b64encode(packed).decode("ascii")})
    return Island(value, text)


def _dumped(value: Mapping[str, Any]) -> str:
    return str(htmlsafe_json_dumps(value, dumps=json.dumps, separators=(",", ":"), allow_nan=False))
