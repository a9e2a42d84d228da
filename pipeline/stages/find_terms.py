"""Listed terms in references and hypotheses; a part of ``summarize``.

In: Scores, the user's terms, normalizers. Out: how often each term was said, found and invented in each score that has
any. Excludes nothing: a term that a normalizer leaves nothing of is handed on by name.
"""

from collections.abc import Callable, Mapping

import pandas as pd

from pipeline.stats.terms import FoundTerms
from pipeline.text.alignment import align
from pipeline.text.sequences import Occurrence, Sequences
from pipeline.text.terms import TermCounts, count_terms

NAME = "summarize.terms"
Found = dict[str, TermCounts]


def find_terms(
    scores: pd.DataFrame,
    terms: Mapping[str, tuple[str, ...]],
    normalizers: Mapping[str, Callable[[str], str]],
) -> FoundTerms:
    """Count the terms in every score; each distinct text is searched once, each distinct pair aligned once at most.

    A term is normalized by itself, as the texts are: what a normalizer does to it only among other words is missed.
    """
    parts, emptied = [], {}
    for name, group in scores.groupby("normalizer", sort=True):
        normalize = normalizers[str(name)]
        forms = {term: [tuple(normalize(form).split()) for form in own] for term, own in terms.items()}
        emptied[str(name)] = frozenset(term for term, own in forms.items() if not any(own))
        parts.append(_in_scores(group, Sequences(forms)))
    columns = ["row", "term", "said", "found", "false"]
    counted = pd.concat([pd.DataFrame(part, columns=columns) for part in parts] or [pd.DataFrame(columns=columns)])
    kept = counted.astype({name: "int64" for name in columns if name != "term"})
    return FoundTerms(kept.reset_index(drop=True), tuple(terms), emptied)


def _in_scores(group: pd.DataFrame, known: Sequences) -> list[tuple[int, str, int, int, int]]:
    texts = pd.unique(pd.concat([group["normalized_reference"], group["normalized_hypothesis"]]))
    having = {text: found for text in texts.tolist() if (found := known.find(text))}
    said, heard = group["normalized_reference"].isin(having.keys()), group["normalized_hypothesis"].isin(having.keys())
    chosen = group.loc[said | heard, ["normalized_reference", "normalized_hypothesis"]]
    pairs = list(zip(*(chosen[name].tolist() for name in chosen.columns), strict=True))
    counted = _in_pairs(dict.fromkeys(pairs), having)
    return [
        (int(row), term, counts.said, counts.found, counts.false)
        for row, pair in zip(chosen.index.tolist(), pairs, strict=True)
        for term, counts in counted[pair].items()
    ]


def _in_pairs(
    pairs: Mapping[tuple[str, str], None], having: Mapping[str, tuple[Occurrence, ...]]
) -> dict[tuple[str, str], Found]:
    both = [pair for pair in pairs if pair[0] in having and pair[1] in having]
    stretches = align(both)
    return {pair: count_terms(having.get(pair[0], ()), having.get(pair[1], ()), stretches.get(pair)) for pair in pairs}
