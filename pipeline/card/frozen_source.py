"""SOURCE.md of a frozen manifest, and what a terminal says of it: where it came from and what it may be used for."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.text import Text

from pipeline.artifacts import CorpusRecord, SubsetRecord
from pipeline.card.audited import not_verified
from pipeline.card.render import environment_for_markdown
from pipeline.card.wording import NOT_RECORDED, count, label, outside
from pipeline.tables import ATTRIBUTE_PREFIX

_MARK = "<!-- asr-accent-study, stages=[manifest]; sha256 of what follows: {sha256} -->\n"
_MARKED = re.compile(re.escape(_MARK.split("{", maxsplit=1)[0]) + "([0-9a-f]{64}) -->\n")
_SECONDS = 60.0

CHECKS = (
    "Every utterance id occurs once, every reference has text, every accent is one that the study may group by.",
    "Every recording was decoded to its end, holds sound, and was hashed.",
    "The written manifest was read again and says the same of every utterance.",
)
MUST_NOT = (
    "Do not try to identify a speaker, and do not join these rows with other data about the same people.",
    "Do not infer a speaker's accent, gender or origin from audio or names, and do not train anything that does.",
    "Do not use the recordings in a way that the licence, or what the speakers agreed to, does not allow.",
    "Do not edit the manifest: it is found again by its hash. Freeze another one under another name.",
)
TEXTS_STAY = "The corpus does not allow its texts to be passed on: do not pass on the references."
NO_AUDIO_IN_HERE = "No audio is in this folder, and none may be put here unless the licence allows it."


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """What was frozen, and everything that has to be said of it."""

    name: str
    corpus: CorpusRecord
    utterances: pd.DataFrame
    subset: SubsetRecord | None
    rows: int
    """that the corpus lists, usable or not"""
    reasons: Mapping[tuple[str, str], int]
    """exclusions by stage and reason"""
    texts: bool
    hashes: Mapping[str, str]
    """of the manifest and of what it was read from"""
    version: str
    reviewed: str
    """by whom and when; empty: by nobody"""


def source(frozen: Frozen) -> str:
    """Return SOURCE.md. Its first line holds the hash of the rest, so that an edit by hand can be told."""
    template = environment_for_markdown().get_template("frozen_source.md.j2")
    corpus = frozen.corpus
    text = template.render(
        frozen=frozen,
        declared={
            "Corpus": outside(corpus.name),
            "Description": outside(corpus.description, limit=1000) or NOT_RECORDED,
            "Licence": outside(corpus.licence, limit=1000) or NOT_RECORDED,
            "Citation": outside(corpus.citation, limit=1000) or NOT_RECORDED,
            "Speech": outside(corpus.style) or NOT_RECORDED,
            "What the accent label is": outside(corpus.label_kind) or NOT_RECORDED,
            "Who says so": outside(corpus.label_provenance) or NOT_RECORDED,
            "Texts may be passed on": "yes" if corpus.redistribute_text else "no",
            "Recordings may be passed on": {True: "yes", False: "no", None: NOT_RECORDED}[corpus.redistribute_audio],
            "Not verified": not_verified(corpus) or NOT_RECORDED,
        },
        accents=_by_accent(frozen.utterances),
        attributes=_by_attribute(frozen.utterances),
        checks=CHECKS,
        must_not=[*MUST_NOT, NO_AUDIO_IN_HERE, *([] if corpus.redistribute_text else [TEXTS_STAY])],
    )
    return _MARK.format(sha256=hashlib.sha256(text.encode()).hexdigest()) + text


def is_untouched(text: str) -> bool:
    """Return whether ``text`` is a SOURCE.md as this program wrote it."""
    found = _MARKED.match(text)
    return found is not None and hashlib.sha256(text[found.end() :].encode()).hexdigest() == found[1]


def _by_accent(utterances: pd.DataFrame) -> list[tuple[str, int, int, str]]:
    """Return accent, speakers, utterances and minutes."""
    return [
        (label(str(accent)), rows["speaker_id"].nunique(), len(rows), f"{rows['duration_s'].sum() / _SECONDS:.1f}")
        for accent, rows in utterances.groupby("accent", sort=True)
    ]


def _by_attribute(utterances: pd.DataFrame) -> list[tuple[str, str, str, int, int]]:
    """Return attribute, value, accent, speakers and utterances."""
    found = []
    for column in sorted(str(name) for name in utterances.columns if str(name).startswith(ATTRIBUTE_PREFIX)):
        stated = utterances.assign(value=utterances[column].fillna(""))
        for (value, accent), rows in stated.groupby(["value", "accent"], sort=True):
            name, shown = label(column.removeprefix(ATTRIBUTE_PREFIX)), label(str(value)) if value else "not stated"
            found.append((name, shown, label(str(accent)), rows["speaker_id"].nunique(), len(rows)))
    return found


def show(frozen: Frozen, files: Sequence[Path], console: Console) -> None:
    """Print what was frozen, what could not be had, and where it is."""
    kept = f"{count(len(frozen.utterances), 'utterance')} of {count(frozen.rows, 'row')} frozen"
    _line(console, f"{kept} from corpus {label(frozen.corpus.name)}", style="bold")
    for accent, speakers, utterances, minutes in _by_accent(frozen.utterances):
        people = count(speakers, "speaker") if speakers else "speakers unknown"
        _line(console, f"  {accent}: {people}, {count(utterances, 'utterance')}, {minutes} minutes")
    for sentence in frozen.subset.missing if frozen.subset else ():
        _line(console, f"Wished for and not there: {outside(sentence)}.")
    if not frozen.reviewed:
        _line(console, "Nobody has reviewed it: look at it, then say manifest.reviewed_by=... manifest.reviewed_on=...")
    for file in files:
        _line(console, str(file), style="bold")


def _line(console: Console, text: str, *, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True)
