"""Real output of recognizers: counts against an independent aligner, and against rates that its makers published."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, combinations
from pathlib import Path

import pytest

from pipeline.text.alignment import COUNTED, count_all
from pipeline.text.normalizers import NoSettings, Verbatim

kaldialign = pytest.importorskip("kaldialign", reason="the independent aligner is in the test extra")
Corpus = Callable[[str], Path]
SIZES = {"afrispeech_hypotheses": (7, 2682), "artie_hypotheses": (9, 851)}
"""Systems and utterances."""


def read(manifest: Path) -> tuple[dict[str, dict[str, str]], list[dict[str, str]]]:
    with manifest.open(newline="") as file, (manifest.parent / "hypotheses.csv").open(newline="") as other:
        return {row["utterance_id"]: row for row in csv.DictReader(file)}, list(csv.DictReader(other))


def errors_of(references: list[str], hypotheses: list[str]) -> Iterator[tuple[int, int]]:
    """Return errors and reference words of each pair, as scoring counts them."""
    for counts in count_all((references, hypotheses))[0]:
        h, s, d, i = counts[[COUNTED.index(name) for name in ("hits", "substitutions", "deletions", "insertions")]]
        yield int(s + d + i), int(h + s + d)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_totals_of_every_system_and_accent_are_an_independent_aligners(optional_corpus: Corpus, name: str) -> None:
    manifest, rows = read(optional_corpus(name))
    systems, utterances = SIZES[name]
    assert len(rows) == systems * utterances
    normalize = Verbatim(NoSettings())
    text = {row["utterance_id"]: normalize(row["reference"]) for row in manifest.values()}
    heard = [normalize(row["hypothesis"]) for row in rows]
    ours: Counter[tuple[str, str]] = Counter()
    theirs: Counter[tuple[str, str]] = Counter()
    counted = errors_of([text[row["utterance_id"]] for row in rows], heard)
    for row, said, (errors, words) in zip(rows, heard, counted, strict=True):
        found = kaldialign.edit_distance(text[row["utterance_id"]].split(), said.split())
        assert (errors, words) == (found["total"], found["ref_len"]), row
        for accent in ("", manifest[row["utterance_id"]]["accent"]):
            ours[row["system"], accent] += errors
            theirs[row["system"], accent] += found["total"]
    assert ours == theirs
    assert len(ours) > systems


@pytest.mark.slow
def test_published_rates_of_single_utterances_are_reproduced(optional_corpus: Corpus) -> None:
    """The published rates are of the raw texts, split at spaces, with case and punctuation as they stand."""
    manifest, rows = read(optional_corpus("afrispeech_hypotheses"))
    references = [manifest[row["utterance_id"]]["reference"] for row in rows]
    counted = errors_of(references, [row["hypothesis"] for row in rows])
    differ = [row for row, (errors, words) in zip(rows, counted, strict=True)
              if abs(errors / words - float(row["source_wer"])) > 0.00006]  # fmt: skip
    assert len(rows) - len(differ) == 18_721
    utterances = {row["utterance_id"] for row in differ}
    assert len(utterances) == 8
    # the texts behind these had one or two words fewer: neighbors in the manifest were one word, such as a handle
    for utterance in utterances:
        published = {row["system"]: row for row in rows if row["utterance_id"] == utterance}
        assert any(agrees(text, published) for text in with_some_joined(manifest[utterance]["reference"])), utterance


def with_some_joined(text: str) -> Iterator[str]:
    """Yield the text with one space between words left out, then with two."""
    words = re.split(" +", text.strip())
    places = range(1, len(words))
    for left_out in chain(combinations(places, 1), combinations(places, 2)):
        yield "".join(word if place in (0, *left_out) else f" {word}" for place, word in enumerate(words))


def agrees(reference: str, published: dict[str, dict[str, str]]) -> bool:
    hypotheses = [row["hypothesis"] for row in published.values()]
    rates = [errors / words for errors, words in errors_of([reference] * len(hypotheses), hypotheses)]
    return all(abs(rate - float(row["source_wer"])) <= 0.00006
               for rate, row in zip(rates, published.values(), strict=True))  # fmt: skip
