"""The tables of a run as they may be published: all of them made again without the cells that are hidden.

In: every table of a run. Out: the same tables for the card, and the results for CSV. Nothing that is published depends
on a hidden cell, neither a total nor a test nor a rank, so that nothing can be worked out. The Parquet tables of the
run stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from pipeline.card.publication import SUPPRESSED, HiddenCell, HiddenGroup, Publication, rounded_table
from pipeline.stages.summarize import Material, Words, summarize
from pipeline.stats.counts import BoolArray
from pipeline.stats.suppression import Floor, hidden_groups, merged, relabeled, under_floor
from pipeline.stats.thin_rows import few_speakers, thin_tags, thin_terms
from pipeline.stats.variability import RepeatedTrial

CELL = ["accent", "condition"]
SINGLE_TRIALS = frozenset({"acoustics", "nonspeech", "exclusions", "candidates"})
"""Tables of which each row is about one recording or one hearing: under a floor they are Parquet only."""
CELL_KEYS = [*CELL, "backend", "normalizer"]


@dataclass(frozen=True, eq=False)
class Published:
    """``tables``: what the card is made from, unrounded; ``exports``: the results as CSV shows them."""

    publication: Publication
    tables: Mapping[str, pd.DataFrame]
    exports: Mapping[str, pd.DataFrame]


def unrestricted(
    stored: Mapping[str, pd.DataFrame], results: Mapping[str, pd.DataFrame], rule: Publication
) -> Published:
    """Return everything as it is, where no floor holds."""
    return Published(rule, {**stored, **results}, dict(results))


def published(
    of: Material, stored: Mapping[str, pd.DataFrame], results: Mapping[str, pd.DataFrame], rule: Publication
) -> Published:
    """Return what may be published of a run under ``rule``.

    Args:
        of: what the results were made of.
        stored: the other tables that the card is made from, by name.
        results: the tables of results as they stand in the run's folder.
        rule: the floor that holds, with nothing hidden yet.
    """
    if rule.floor is None:
        return unrestricted(stored, results, rule)
    floor = Floor(rule.floor, rule.words)
    choice = _choose(of, stored["trials"], rule, floor)
    publication, shown, tables = choice.publication, of, dict(stored)
    if publication.cells:
        shown = _without_hidden(of, choice)
        results = dict(summarize(shown))
        tables = _tables(stored, shown, choice)
    groups = hidden_groups(shown.scores, shown.utterances, shown.settings.intersections, floor)
    hidden = [HiddenGroup(accent=accent, crossing=crossing, group=group) for crossing, accent, group in sorted(groups)]
    publication = publication.model_copy(update={"groups": tuple(hidden)})
    results = {name: _shown_rows(table, publication) for name, table in _large(results, shown, floor).items()}
    tellable = {name: table for name, table in results.items() if name not in SINGLE_TRIALS}
    exports = {name: _export(name, table, publication, of) for name, table in tellable.items()}
    return Published(publication, {**tables, **results}, exports)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is hidden: cells, and (``gone``) the accents and merged groups of which nothing is shown at all."""

    publication: Publication
    merged: Mapping[str, str]
    gone: frozenset[str]


def _choose(of: Material, trials: pd.DataFrame, rule: Publication, floor: Floor) -> _Choice:
    reference = of.settings.reference_condition
    accents: dict[str, str] = dict(zip(of.utterances["utterance_id"], of.utterances["accent"], strict=True))
    planned = {
        (accents[utterance], condition)
        for utterance, condition in zip(trials["utterance_id"], trials["condition"], strict=True)
    }
    planned |= set(zip(of.scores["accent"], of.scores["condition"], strict=True))
    alone = under_floor(of.scores, planned, floor, reference_condition=reference)
    nowhere = sorted({accent for accent, _ in planned} - {accent for accent, _ in planned - alone})
    names: dict[str, str] = merged(of.scores, nowhere, floor, of.parents, reference_condition=reference)
    now = {(names.get(accent, accent), condition) for accent, condition in planned}
    hidden = under_floor(relabeled(of.scores, names), now, floor, reference_condition=reference)
    cells = [HiddenCell(accent=accent, condition=condition, merged_into=names.get(accent, ""))
             for accent, condition in sorted(hidden | {cell for cell in alone if cell[0] in names})]  # fmt: skip
    # an accent without any trial has no cell, and is not published either
    untried = {accent for accent in accents.values() if accent not in {label for label, _ in planned}}
    cells += [HiddenCell(accent=accent, condition="", merged_into="") for accent in sorted(untried)]
    there = {accent for accent, _ in now - hidden}
    gone = ({accent for accent, _ in now} | untried) - there
    reference_hidden = of.settings.reference_accent in {cell.accent for cell in cells}
    publication = rule.model_copy(update={"cells": tuple(cells), "reference_hidden": reference_hidden})
    return _Choice(publication, names, frozenset(gone))


def _without_hidden(of: Material, choice: _Choice) -> Material:
    """Return the material of the shown cells, merged groups under their own names."""
    names, publication = choice.merged, choice.publication
    kept = _outside(relabeled(of.scores, names), publication.hidden)
    scores = kept.reset_index(drop=True)
    utterances = relabeled(of.utterances, names)
    utterances = _rows(utterances, ~utterances["accent"].isin(sorted(choice.gone)))
    settings = of.settings
    if publication.reference_hidden:
        settings = settings.model_copy(update={"reference_accent": None})
    answered = set(zip(scores["utterance_id"], scores["condition"], strict=True))
    return replace(
        of,
        scores=scores,
        utterances=utterances,
        repeated=[_renamed(one, names) for one in of.repeated if (one.utterance_id, one.condition) in answered],
        settings=settings,
        left_out=_added_up(_outside(_under_merged(of.left_out, names), publication.hidden)),
        words=_words(of.words, kept.index, choice, _speechless(of.words.nonspeech, of.utterances, choice)),
        made={},
    )


def _under_merged(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    return table.assign(accent=table["accent"].map(lambda accent: names.get(accent, accent)).astype("str"))


def _added_up(left_out: pd.DataFrame) -> pd.DataFrame:
    """Return what was left out of each cell, those of merged groups as one."""
    if left_out.empty:
        return left_out
    return left_out.groupby(CELL_KEYS, as_index=False, sort=False).sum()[list(left_out.columns)]


def _speechless(nonspeech: pd.DataFrame, utterances: pd.DataFrame, choice: _Choice) -> pd.DataFrame:
    """Return what was said without speech in trials of shown cells: their noise has a shown recording's level."""
    accents = dict(zip(utterances["utterance_id"], utterances["accent"], strict=True))
    names = nonspeech.assign(accent=[accents.get(one, "") for one in nonspeech["utterance_id"]])
    shown = _outside(_under_merged(names, choice.merged), choice.publication.hidden)
    return shown.drop(columns="accent").reset_index(drop=True)


def _words(words: Words, kept: pd.Index, choice: _Choice, nonspeech: pd.DataFrame) -> Words:
    """Return what was found in the scores that stay, under their new labels; single trials are not published.

    Verdicts and tags that fit no score are counted over the whole study, hidden cells too, and so are not told.
    """
    places = pd.Series(range(len(kept)), index=kept)
    signs, terms, tagged = words.signs, words.terms, words.tagged
    if signs is not None:
        without = _outside(_under_merged(signs.empty_references, choice.merged), choice.publication.hidden)
        of_scores = signs.of_scores.loc[kept].reset_index(drop=True)
        signs = replace(signs, of_scores=of_scores, empty_references=without.reset_index(drop=True), unused=0)
    if terms is not None:
        terms = replace(terms, counts=_moved(terms.counts, places))
    if tagged is not None:
        tagged = replace(tagged, counts=_moved(tagged.counts, places), unscored={})
    return replace(words, nonspeech=nonspeech, signs=signs, terms=terms, tagged=tagged)


def _moved(counts: pd.DataFrame, places: "pd.Series[int]") -> pd.DataFrame:
    stay = counts[counts["row"].isin(places.index)].reset_index(drop=True)
    return stay.assign(row=stay["row"].map(places).astype("int64"))


def _outside(table: pd.DataFrame, hidden: set[tuple[str, str]]) -> pd.DataFrame:
    if not hidden or table.empty:
        return table
    return table[~pd.MultiIndex.from_frame(table[CELL]).isin(sorted(hidden))]


def _renamed(one: RepeatedTrial, names: Mapping[str, str]) -> RepeatedTrial:
    if one.accent not in names:
        return one
    speaker = None if one.speaker_id is None else f"{one.accent}/{one.speaker_id}"
    return replace(one, accent=names[one.accent], speaker_id=speaker)


def _tables(stored: Mapping[str, pd.DataFrame], shown: Material, choice: _Choice) -> dict[str, pd.DataFrame]:
    """Return the tables of earlier stages without the trials of hidden cells."""
    hidden = choice.publication.hidden
    trials = stored["trials"].merge(shown.utterances[["utterance_id", "accent"]], on="utterance_id")
    trials = _outside(trials, hidden).drop(columns="accent").reset_index(drop=True)
    keys, ids = set(trials["trial_key"]), set(shown.utterances["utterance_id"])
    accents = dict(zip(shown.utterances["utterance_id"], shown.utterances["accent"], strict=True))
    gone, lost = set(stored["utterances"]["utterance_id"]) - ids, stored["exclusions"]
    kept = [
        utterance not in gone and (accents.get(utterance, ""), condition) not in hidden
        for utterance, condition in zip(lost["utterance_id"], lost["condition"], strict=True)
    ]
    return {
        **stored,
        "utterances": shown.utterances,
        "acoustics": _rows(stored["acoustics"], stored["acoustics"]["utterance_id"].isin(ids)),
        "trials": trials,
        "renderings": _rows(stored["renderings"], stored["renderings"]["trial_key"].isin(keys)),
        "transcripts": _rows(stored["transcripts"], stored["transcripts"]["trial_key"].isin(keys)),
        "nonspeech": shown.words.nonspeech,
        "scores": shown.scores,
        "exclusions": _rows(lost, pd.Series(kept, index=lost.index, dtype="bool")),
    }


def _rows(table: pd.DataFrame, chosen: "pd.Series[bool]") -> pd.DataFrame:
    return table[chosen].reset_index(drop=True)


def _large(results: Mapping[str, pd.DataFrame], shown: Material, floor: Floor) -> dict[str, pd.DataFrame]:
    """Return the results without rows of too few speakers within a cell that has enough, and without single trials."""
    found = {name: _rows(table, _mask(table, ~few_speakers(table, floor.speakers))) for name, table in results.items()}
    terms, tagged = shown.words.terms, shown.words.tagged
    if terms is not None:
        thin = thin_terms(found["terms"], terms.counts, shown.scores, floor.speakers)
        found["terms"] = _rows(found["terms"], _mask(found["terms"], ~thin))
    if tagged is not None:
        thin = thin_tags(found["tag_errors"], tagged.counts, shown.scores, floor.speakers)
        found["tag_errors"] = _rows(found["tag_errors"], _mask(found["tag_errors"], ~thin))
    return found | {name: table.iloc[:0] for name, table in found.items() if name in SINGLE_TRIALS}


def _mask(table: pd.DataFrame, chosen: BoolArray) -> "pd.Series[bool]":
    return pd.Series(chosen, index=table.index, dtype="bool")


def _shown_rows(table: pd.DataFrame, publication: Publication) -> pd.DataFrame:
    """Return the rows that are about nothing hidden: a note about what was left out would say what is not so."""
    if {"accent", "crossing", "group"} <= set(table.columns):
        secret = {(one.accent, one.crossing, one.group) for one in publication.groups}
        keys = zip(table["accent"], table["crossing"], table["group"], strict=True)
        table = _rows(table, pd.Series([key not in secret for key in keys], index=table.index, dtype="bool"))
    if set(CELL) <= set(table.columns):
        table = _outside(table, publication.hidden)
    return table.reset_index(drop=True)


def _export(name: str, table: pd.DataFrame, publication: Publication, of: Material) -> pd.DataFrame:
    shown = rounded_table(table) if publication.rounded else table
    studies = of.scores[["backend", "normalizer"]].drop_duplicates().sort_values(["backend", "normalizer"])
    rows = []
    for study in studies.to_dict("records"):
        if name == "cells":
            rows += [study | {"accent": cell.accent, "condition": cell.condition, "support": _word(cell)}
                     for cell in publication.cells]  # fmt: skip
        if name == "intersections":
            rows += [study | {"accent": one.accent, "crossing": one.crossing, "group": one.group,
                              "condition": "", "support": SUPPRESSED} for one in publication.groups]  # fmt: skip
    if not rows:
        return shown
    hidden = pd.DataFrame.from_records(rows, columns=list(shown.columns)).astype("object")
    both = pd.concat([shown.astype("object"), hidden], ignore_index=True)
    texts = [column for column in shown.columns if isinstance(shown[column].dtype, pd.StringDtype)]
    return both.astype(dict.fromkeys(texts, "str"))


def _word(cell: HiddenCell) -> str:
    return f"merged into {cell.merged_into}" if cell.merged_into else SUPPRESSED
