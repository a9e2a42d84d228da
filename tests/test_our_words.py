"""The words that this program never uses, in anything it says, writes or is documented with."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = ("pipeline", "augment", "conf", "data_manifests", "results")
KINDS = (".py", ".j2", ".css", ".js", ".yaml", ".md", ".json")
PROMISES = re.compile(
    r"de-?bias\w*|un-?bias\w*|\bbias[- ]free\b|\bfree (?:of|from) bias\b"
    r"|\bfair(?:er|est|ly)?[ -](?:\w+[ -])?(?:model|recogni[sz]er|system|service|engine)s?\b"
    r"|\b(?:model|recogni[sz]er|system|service|engine)s? (?:is|are|was|were) (?:\w+ )?fair\b",
    re.IGNORECASE,
)
"""Also inflected: what was measured is a difference in errors, and no program is fair because of a number."""
CITED = re.compile(r'"An unbiased\s+correlation ratio measure"')
"""Titles of papers that are cited stay as they are."""


def documents() -> list[Path]:
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "pyproject.toml"]
    for folder in OURS:
        found += [
            file for file in (ROOT / folder).rglob("*") if file.suffix in KINDS and "__pycache__" not in file.parts
        ]
    return sorted(found)


def test_no_text_of_ours_promises_more_than_a_measurement_can_say() -> None:
    files = documents()
    assert len(files) > 200
    assert {"page.js", "card.schema.json", "service_card.yaml", "README.md"} <= {file.name for file in files}
    said = []
    for file in files:
        text = CITED.sub("", file.read_text(encoding="utf-8"))
        said += [f"{file.relative_to(ROOT)}: {found[0]}" for found in PROMISES.finditer(text)]
    assert said == []


@pytest.mark.parametrize(
    "text",
    ["Debiased", "de-biasing", "UNBIASED", "fair models", "a fair speech recognizer", "fairer systems", "free of bias",
     "The service is now fair", "bias-free"],
)  # fmt: skip
def test_every_form_of_a_promise_is_found(text: str) -> None:
    assert PROMISES.search(text)


@pytest.mark.parametrize("text", ["Fairness and bias", "fair comparison", "a fair share of noise", "biased", "unfair"])
def test_what_may_be_said_is_not_found(text: str) -> None:
    assert not PROMISES.search(text)
