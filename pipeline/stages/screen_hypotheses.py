"""Signs of invented text in every scored trial; a part of ``summarize``.

In: Scores, Trials, Transcripts, Utterances, NonSpeech, repeated trials, thresholds, listed phrases, verdicts. Out: the
signs of each score and the table of Candidates. Excludes nothing: a trial without reference words, which has no score,
is looked at too.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import tables
from pipeline.corpora.word_files import Phrases, Verdict
from pipeline.processors import spread
from pipeline.screening_tables import Candidates
from pipeline.stats.hallucination import (
    INSERTION_RUN,
    OF_SCORES,
    REPEATS_COMPARED,
    VERDICT,
    Criterion,
    Signs,
    any_of,
)
from pipeline.stats.hallucination_settings import HallucinationSettings
from pipeline.stats.variability import FEWEST, RepeatedTrial
from pipeline.text.invented import COMPRESSED, LOOP, WHOLE, WITHIN, Look
from pipeline.text.pairs import LIGHT_PART, error_slots
from pipeline.text.sequences import Sequences

NAME = "summarize.screen"
OF_TEXTS = {
    Criterion.REPEATED_WORDS: LOOP,
    Criterion.COMPRESSIBLE: COMPRESSED,
    Criterion.KNOWN_PHRASE: WITHIN | WHOLE,
}
"""The criteria that one look at a text decides, each with its bits."""
KEY = ["utterance_id", "condition", "backend"]


@dataclass(frozen=True, eq=False)
class Heard:
    """The tables of a run in which something was said, and whether its texts may be passed on."""

    utterances: pd.DataFrame
    trials: pd.DataFrame
    transcripts: pd.DataFrame
    nonspeech: pd.DataFrame
    scores: pd.DataFrame
    repeated: Sequence[RepeatedTrial]
    normalizers: Mapping[str, Callable[[str], str]]
    may_show_text: bool
    synthetic: bool


def screen(
    heard: Heard, settings: HallucinationSettings, phrases: Phrases, verdicts: Sequence[Verdict]
) -> tuple[Signs, pd.DataFrame]:
    """Look for every sign in every transcript; each distinct text, and pair of texts, is looked at once."""
    scores = heard.scores
    signs = pd.DataFrame(index=scores.index)
    signs[INSERTION_RUN] = error_slots(scores).longest_insertions()
    words = scores["hits"] + scores["substitutions"] + scores["deletions"]
    hyp_words = scores["hits"] + scores["substitutions"] + scores["insertions"]
    signs[Criterion.MOSTLY_INSERTED] = scores["insertions"] > words
    signs[Criterion.LONG_INSERTION] = signs[INSERTION_RUN] >= settings.insertion_run
    signs[Criterion.LONG_HYPOTHESIS] = hyp_words > settings.length_ratio * words
    shown = np.zeros(len(scores), dtype=np.int64)
    for name, normalize in heard.normalizers.items():
        rows = np.flatnonzero(scores["normalizer"].to_numpy(dtype=object) == name)
        shown[rows] = _only_in_hypothesis(scores, rows, _look(settings, phrases, normalize))
    for criterion, bits in OF_TEXTS.items():
        signs[criterion] = (shown & bits) > 0
    _repeats(signs, heard, settings)
    empty = _empty_references(heard)
    listed = _candidates(heard, signs, empty)
    unused = _verdicts(signs, listed, heard, verdicts)
    return Signs(signs, empty, unused), _table(heard, listed)


def _look(settings: HallucinationSettings, phrases: Phrases, normalize: Callable[[str], str]) -> Look:
    return Look(
        known=Sequences({phrase: [tuple(normalize(phrase).split())] for phrase in phrases.anywhere}),
        whole=frozenset({normalize(phrase) for phrase in phrases.whole} - {""}),
        loop_words=settings.loop_words,
        loop_times=settings.loop_times,
        most_compression=settings.compression_ratio,
    )


def _only_in_hypothesis(scores: pd.DataFrame, rows: NDArray[np.intp], look: Look) -> NDArray[np.int64]:
    """Return the signs that the hypotheses of some rows have and their references have not.

    What was said so is not invented. A hypothesis without a substituted or inserted word holds nothing that was not
    said.
    """
    found = np.zeros(len(rows), dtype=np.int64)
    places = np.flatnonzero((scores["substitutions"] + scores["insertions"]).to_numpy()[rows] > 0)
    codes, distinct = pd.factorize(scores["normalized_hypothesis"].iloc[rows[places]])
    texts = distinct.tolist()
    parts = spread(look.at_all, [texts[at : at + LIGHT_PART] for at in range(0, len(texts), LIGHT_PART)])
    shown = np.concatenate([np.zeros(0, np.int64), *parts])[codes]
    places, shown = places[shown > 0], shown[shown > 0]
    said = scores["normalized_reference"].iloc[rows[places]].tolist()
    known = {text: look.at(text) for text in set(said)}
    found[places] = [signs & ~known[text] for signs, text in zip(shown.tolist(), said, strict=True)]
    return found


def _repeats(signs: pd.DataFrame, heard: Heard, settings: HallucinationSettings) -> None:
    """Say of each score whether its repeats at the lowest temperature were compared, and whether they differ widely."""
    lowest: dict[str, float] = {}
    for one in heard.repeated:
        lowest[one.backend] = min(one.temperature, lowest.get(one.backend, one.temperature))
    differ = {
        (one.utterance_id, one.condition, one.backend, one.normalizer): one.between.errors
        > settings.repeat_disagreement * one.between.ref_words
        for one in heard.repeated
        if one.n_repeats >= FEWEST and one.temperature == lowest[one.backend]
    }
    signs[REPEATS_COMPARED] = False
    signs[Criterion.REPEATS_DIFFER] = False
    if differ:
        keys = list(heard.scores[[*KEY, "normalizer"]].itertuples(index=False, name=None))
        signs[REPEATS_COMPARED] = [key in differ for key in keys]
        signs[Criterion.REPEATS_DIFFER] = [differ.get(key, False) for key in keys]


def _empty_references(heard: Heard) -> pd.DataFrame:
    """Return the transcribed trials that have no score because their reference has no words, under each normalizer."""
    columns = [*KEY, "normalizer", "accent", "n_hyp_words", "has_text"]
    if len(heard.scores) == len(heard.transcripts) * len(heard.normalizers):
        return pd.DataFrame(columns=columns)
    every = heard.transcripts.merge(heard.trials, on="trial_key").merge(heard.utterances, on="utterance_id")
    parts = [pd.DataFrame(columns=columns)]
    for name, normalize in sorted(heard.normalizers.items()):
        scored = heard.scores.loc[heard.scores["normalizer"] == name, KEY]
        left = every.merge(scored, on=KEY, how="left", indicator=True)
        left = left[left["_merge"] == "left_only"].sort_values(KEY)
        n_words = [len(normalize(text).split()) for text in left["hypothesis"]]
        left = left.assign(normalizer=name, n_hyp_words=n_words, has_text=[n > 0 for n in n_words])
        parts.append(left[columns])
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _candidates(heard: Heard, signs: pd.DataFrame, empty: pd.DataFrame) -> pd.DataFrame:
    """Return one row a candidate: of scored trials, of those without reference words, and of those without speech."""
    shown = np.flatnonzero(any_of(signs))
    flags = signs[list(OF_SCORES)].to_numpy(dtype=bool)[shown]
    criteria = [" ".join(str(c) for c, on in zip(OF_SCORES, row, strict=True) if on) for row in flags]
    own = heard.scores.iloc[shown]
    scored = own[[*KEY, "normalizer", "accent", "insertions"]].assign(
        criteria=criteria,
        n_ref_words=own["hits"] + own["substitutions"] + own["deletions"],
        n_hyp_words=own["hits"] + own["substitutions"] + own["insertions"],
        insertion_run=signs[INSERTION_RUN].to_numpy()[shown],
    )
    said = empty[empty["has_text"].astype(bool)]
    invented = said[[*KEY, "normalizer", "accent", "n_hyp_words"]].assign(
        criteria=str(Criterion.TEXT_FOR_EMPTY_REFERENCE),
        n_ref_words=0,
        insertions=said["n_hyp_words"],
        insertion_run=said["n_hyp_words"],
    )
    parts = [part for part in (scored, invented) if len(part)] or [scored]
    listed = pd.concat(parts, ignore_index=True).merge(
        heard.trials[["utterance_id", "condition", "trial_key"]], on=["utterance_id", "condition"]
    )
    listed = listed.merge(heard.transcripts[["trial_key", "backend", "hypothesis"]], on=["trial_key", "backend"])
    listed = listed.merge(heard.utterances[["utterance_id", "reference"]], on="utterance_id")
    return pd.concat([listed, _without_speech(heard.nonspeech)]) if len(heard.nonspeech) else listed


def _without_speech(nonspeech: pd.DataFrame) -> pd.DataFrame:
    said = nonspeech[nonspeech["hypothesis"] != ""]
    return said[[*KEY, "trial_key", "hypothesis"]].assign(
        normalizer="",
        accent="",
        reference="",
        criteria=str(Criterion.TEXT_WITHOUT_SPEECH),
        n_ref_words=0,
        n_hyp_words=said["n_words"],
        insertions=said["n_words"],
        insertion_run=said["n_words"],
    )


def _verdicts(signs: pd.DataFrame, listed: pd.DataFrame, heard: Heard, verdicts: Sequence[Verdict]) -> int:
    """Write each verdict beside its trial; return how many fit no transcript, or were given on another text."""
    signs[VERDICT] = ""
    listed["verdict"] = ""
    if not verdicts:
        return 0
    given = {(one.trial_key, one.backend): one for one in verdicts}
    said = pd.concat([table[["trial_key", "backend", "hypothesis"]] for table in (heard.transcripts, heard.nonspeech)])
    accepted: dict[tuple[str, str], str] = {}
    used: set[Verdict] = set()
    for row in tables.rows(said[said["trial_key"].isin({one.trial_key for one in verdicts})]):
        key = (row["trial_key"], row["backend"])
        one = given.get(key) or given.get((row["trial_key"], ""))
        if one is not None and one.text_sha256 in ("", text_sha256(row["hypothesis"])):
            accepted[key] = one.verdict
            used.add(one)
    listed["verdict"] = [accepted.get(key, "") for key in zip(listed["trial_key"], listed["backend"], strict=True)]
    decisions = [(*key, verdict) for key, verdict in accepted.items()]
    placed = pd.DataFrame(decisions, columns=["trial_key", "backend", VERDICT]).merge(
        heard.trials[["utterance_id", "condition", "trial_key"]], on="trial_key"
    )
    decided = heard.scores[KEY].merge(placed[[*KEY, VERDICT]], on=KEY, how="left")
    signs[VERDICT] = decided[VERDICT].fillna("").to_numpy(dtype=object)
    return len(set(verdicts) - used)


def text_sha256(text: str) -> str:
    """Return the hash by which a verdict names the text that it is about."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _table(heard: Heard, listed: pd.DataFrame) -> pd.DataFrame:
    """Return the checked table of candidates, in an order that no earlier table decides."""
    listed = listed.sort_values(["condition", "utterance_id", "backend", "normalizer", "trial_key"])
    rows: list[dict[str, Any]] = []
    for row in tables.rows(listed):
        shown = {name: row[name] if heard.may_show_text else None for name in ("reference", "hypothesis")}
        rows.append(row | {"text_sha256": text_sha256(row["hypothesis"]), "synthetic": heard.synthetic} | shown)
    return tables.build(rows, Candidates, where=NAME)
