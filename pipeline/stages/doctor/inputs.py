"""The accent vocabulary, and the files that the corpus is read from."""

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.card.doctor import Check, Verdict
from pipeline.card.wording import count, listed
from pipeline.config import Study
from pipeline.corpora.accents import vocabulary
from pipeline.errors import StudyError


def accents() -> Iterator[Check]:
    """Check that the shipped vocabulary is there and consistent."""
    try:
        known = vocabulary()
    except StudyError as error:
        yield Check("accents", Verdict.FAIL, str(error), "Restore data_manifests/ from the repository.")
        return
    found = f"{count(len(known.accents), 'accent')}, with the raw labels of {count(len(known.labels), 'source')}"
    yield Check("accents", Verdict.OK, found)


def corpus(study: Study) -> Iterator[Check]:
    """Check that every file which decides the utterances is there and can be read; the audio is not."""
    inputs = study.inputs
    problems = [f"{path}: {problem}" for path in inputs if (problem := _problem(path))]
    name = f"corpus {study.corpus.name}"
    if problems:
        advice = "Check corpus.path, and from which folder the command is started; a relative path begins there."
        yield Check(name, Verdict.FAIL, "; ".join(problems), advice)
    else:
        yield Check(name, Verdict.OK, f"{listed(path.name for path in inputs)} can be read")


def _problem(path: Path) -> str:
    if not path.exists():
        return "there is no such file"
    if path.is_dir():
        return "this is a folder, and a file is needed"
    return "" if os.access(path, os.R_OK) else "it may not be read"
