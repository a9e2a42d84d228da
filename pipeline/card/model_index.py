"""The card as a model index, the YAML that model hubs read from the head of a model's page.

The layout is what ``huggingface_hub`` writes and reads as ``EvalResult`` (tests read it back with that library). It is
written here because the library is a client of a network service, and a study has none.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from pipeline.artifacts import CorpusRecord
from pipeline.card.measures import Cell
from pipeline.card.model import CardContent
from pipeline.card.wording import outside, visible

FILE = "model_index.yaml"
TASK = {"type": "automatic-speech-recognition", "name": "Automatic Speech Recognition"}
HEAD = (
    "# Of card.json, for the head of a model's page: one result for each group and condition. Values are shares: 0.12\n"
    "# is 12%. Nobody but the publisher of the card has verified them.\n"
)


def yaml_text(content: CardContent, corpus: CorpusRecord | None) -> str:
    """Return the model index as YAML in ASCII; what is suppressed, or has no WER, is not in it."""
    index = [{"name": _said(content.backend) or "recognizer", "results": list(_results(content, corpus))}]
    return HEAD + str(yaml.safe_dump({"model-index": index}, sort_keys=False, width=120))


def _results(content: CardContent, corpus: CorpusRecord | None) -> Iterator[dict[str, Any]]:
    for cell in content.numbers.cells:
        if cell.key.normalizer == content.main_normalizer and cell.wer is not None:
            yield {"task": dict(TASK), "dataset": _dataset(cell, corpus), "metrics": list(_metrics(cell))}


def _dataset(cell: Cell, corpus: CorpusRecord | None) -> dict[str, Any]:
    name = _said(corpus.name) if corpus is not None and corpus.name else "not recorded"
    key = cell.key
    arguments: dict[str, Any] = {
        "accent": _said(key.accent),
        "condition": _said(key.condition),
        "normalizer": _said(key.normalizer),
        "synthetic": cell.synthetic,
    }
    if corpus is not None and corpus.licence:
        arguments["licence"] = _said(corpus.licence)
    # readers take results of one type and configuration for one result
    return {"name": name, "type": name, "config": f"{_said(key.accent)} / {_said(key.condition)}", "args": arguments}


def _metrics(cell: Cell) -> Iterator[dict[str, Any]]:
    behind = {"n_speakers": cell.n_speakers, "n_ref_words": cell.n_ref_words, "ranked": cell.ranked}
    interval: dict[str, Any] = {"ci_low": cell.ci_low, "ci_high": cell.ci_high, "method": visible(cell.method)}
    for kind, name, value, more in (
        ("wer", "Word error rate", cell.wer, interval),
        ("f1", "Word-recognition F1", cell.f1, {}),
    ):
        if value is not None:
            known = {key: item for key, item in (behind | more).items() if item is not None}
            yield {"type": kind, "value": value, "name": name, "args": known, "verified": False}


def _said(text: str) -> str:
    return outside(text)
