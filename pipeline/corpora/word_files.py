"""Files of the user's own about words: terms that matter, tagged words, phrases, verdicts of reviewers.

Each setting that names a file is named in what is wrong with it. Cells are text: "null", "None" and "NA" stay words.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from pipeline.corpora.manifest_files import READERS, SUFFIXES, Row
from pipeline.corpora.shipped import read_shipped
from pipeline.errors import ManifestError, did_you_mean, first_five
from pipeline.screening_tables import VERDICTS

FORM_SEPARATOR = ";"
YAML_SUFFIXES = (".yaml", ".yml")

Terms = Mapping[str, tuple[str, ...]]
"""Each term with all of its forms, the term itself first; never empty."""


class Phrases(BaseModel):
    """Phrases said where nobody speaks: within a hypothesis, or as the whole of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anywhere: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaggedWord:
    """A word of an utterance's reference that carries a tag; without ``index`` it is every such word of it."""

    utterance_id: str
    tag: str
    index: int | None
    """among the words between spaces of the reference as the corpus has it, from 0"""
    word: str
    """empty where only the index is given"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person who listened says of one trial; ``backend`` and ``text_sha256`` may be empty: of any."""

    trial_key: str
    verdict: str
    backend: str
    text_sha256: str


def read_terms(path: Path) -> Terms:
    """Read a list of terms with their variants.

    CSV, TSV or JSONL with ``term`` and perhaps ``variants`` (parted by ``;``); YAML (a list, or a mapping of terms to
    variants); or text, one term a line, its variants behind ``;``, comments behind ``#``.

    Raises:
        ManifestError: if it cannot be read, holds no term, or gives one form to two terms.
    """
    where = "stats.terms"
    terms: dict[str, tuple[str, ...]] = {}
    for term, variants in _term_rows(path, where):
        if term:
            own = [form.strip() for form in (term, *variants)]
            terms[term] = tuple(dict.fromkeys([*terms.get(term, ()), *(form for form in own if form)]))
    if not terms:
        raise ManifestError(f"{where}: {path.name} holds no term. List at least one, or set stats.terms=null.")
    owners: dict[str, str] = {}
    for term, forms in terms.items():
        for form in forms:
            if owners.setdefault(form.casefold(), term) != term:
                raise ManifestError(
                    f"{where}: in {path.name} '{form}' is a form of '{owners[form.casefold()]}' and of '{term}'. "
                    "Give it to one of them."
                )
    return terms


def _term_rows(path: Path, where: str) -> Iterable[tuple[str, list[str]]]:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        rows = _rows(path, where, ("term",))
        return [(row.cells["term"], row.cells.get("variants", "").split(FORM_SEPARATOR)) for row in rows]
    if suffix in YAML_SUFFIXES:
        return [_yaml_term(item, path, where) for item in _yaml_items(path, where)]
    lines = (line.strip() for line in _text(path, where).splitlines())
    parts = [line.split(FORM_SEPARATOR) for line in lines if line and not line.startswith("#")]
    return [(first.strip(), rest) for first, *rest in parts]


def _yaml_items(path: Path, where: str) -> list[Any]:
    raw = _yaml(path, where)
    if isinstance(raw, Mapping):
        return list(raw.items())
    if isinstance(raw, list):
        return raw
    raise ManifestError(f"{where}: {path.name} is neither a list of terms nor a mapping of terms to variants.")


def _yaml_term(item: Any, path: Path, where: str) -> tuple[str, list[str]]:
    if isinstance(item, Mapping) and set(item) <= {"term", "variants"}:
        item = (item.get("term"), item.get("variants"))
    term, variants = item if isinstance(item, tuple) else (item, None)
    forms = [] if variants is None else variants if isinstance(variants, list) else [variants]
    if not all(isinstance(form, str) for form in (term, *forms)):
        # an unquoted no, null or 12 is not text in YAML, and which text was meant cannot be known
        raise ManifestError(f"{where}: {path.name} has {item!r}, which is not text. Quote every term and variant.")
    return term.strip(), forms


def read_phrases(path: Path | None) -> Phrases:
    """Read phrases that are said where nobody speaks; the list that ships with the program where ``path`` is None.

    Raises:
        ManifestError: if it cannot be read or holds no phrase.
    """
    where = "stats.hallucination.phrases"
    if path is None:
        return read_shipped("invented_phrases.yaml", Phrases)
    if path.suffix.lower() in YAML_SUFFIXES:
        raw = _yaml(path, where)
        lists = {name: raw.get(name) or [] for name in ("anywhere", "whole")} if isinstance(raw, Mapping) else {}
        unknown = set(raw) - set(lists) if isinstance(raw, Mapping) else {"no mapping"}
        if unknown or not all(isinstance(p, str) for name in lists for p in lists[name]):
            raise ManifestError(f"{where}: {path.name} must hold the lists 'anywhere' and 'whole' of quoted phrases.")
        found = Phrases(anywhere=tuple(lists["anywhere"]), whole=tuple(lists["whole"]))
    else:
        lines = (line.strip() for line in _text(path, where).splitlines())
        found = Phrases(anywhere=tuple(line for line in lines if line and not line.startswith("#")))
    if not any(phrase.strip() for phrase in (*found.anywhere, *found.whole)):
        raise ManifestError(f"{where}: {path.name} holds no phrase. List at least one, or set it to null.")
    return found


def read_tags(path: Path) -> list[TaggedWord]:
    """Read tagged words: ``utterance_id``, ``tag``, and ``word_index`` (from 0), ``word``, or both.

    Raises:
        ManifestError: if it cannot be read, or a row names no utterance, no tag or no word.
    """
    where, found = "stats.tags", []
    for row in _rows(path, where, ("utterance_id", "tag")):
        index, word = row.cells.get("word_index", ""), row.cells.get("word", "")
        if not (row.cells["utterance_id"] and row.cells["tag"] and (index or word)) or (
            index and not index.isdecimal()
        ):
            raise ManifestError(
                f"{where}: {path.name} line {row.line} needs an utterance_id, a tag, and a word or a word_index "
                f"(a whole number from 0); it has {dict(row.cells)}."
            )
        found.append(TaggedWord(row.cells["utterance_id"], row.cells["tag"], int(index) if index else None, word))
    return found


def read_verdicts(path: Path) -> list[Verdict]:
    """Read verdicts: ``trial_key``, ``verdict``, perhaps ``backend`` and ``text_sha256``, as candidates.csv has them.

    A row without a verdict was not reviewed.

    Raises:
        ManifestError: if it cannot be read, a verdict is not one of ``VERDICTS``, or a trial has two that differ.
    """
    where = "stats.hallucination.reviewed"
    found: dict[tuple[str, str], Verdict] = {}
    for row in _rows(path, where, ("trial_key", "verdict")):
        key, verdict = row.cells["trial_key"], row.cells["verdict"]
        if not verdict:
            continue
        if verdict not in VERDICTS:
            raise ManifestError(f"{where}: {path.name} line {row.line}: '{verdict}'.{did_you_mean(verdict, VERDICTS)}")
        one = Verdict(key, verdict, row.cells.get("backend", ""), row.cells.get("text_sha256", ""))
        if found.setdefault((key, one.backend), one).verdict != verdict:
            raise ManifestError(f"{where}: {path.name} line {row.line}: trial {key} has two verdicts. Keep one.")
    return list(found.values())


def _rows(path: Path, where: str, needed: tuple[str, ...]) -> list[Row]:
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise ManifestError(f"{where}: {path.name} must end in .csv, .tsv or .jsonl.")
    text = _text(path, where)
    try:
        columns, rows = READERS[kind](text, "minimal")
    except (csv.Error, ValueError, RecursionError) as error:
        raise ManifestError(f"{where}: {path.name} is not readable as {kind}: {error}. Mend the file.") from error
    missing = [name for name in needed if name not in columns]
    if missing:
        raise ManifestError(
            f"{where}: {path.name} has no column {first_five(repr(name) for name in missing)}."
            f"{did_you_mean(missing[0], columns)} Rename or add the column."
        )
    if not rows:
        raise ManifestError(f"{where}: {path.name} holds no rows. Fill it, or set {where}=null.")
    broken = [f"line {row.line}: {row.problem or 'a cell is missing'}" for row in rows if _is_broken(row, needed)]
    if broken:
        raise ManifestError(f"{where}: {path.name} has bad rows: {first_five(broken)}. Mend them.")
    return rows


def _is_broken(row: Row, needed: tuple[str, ...]) -> bool:
    return bool(row.problem) or any(name not in row.cells for name in needed)


def _yaml(path: Path, where: str) -> Any:
    try:
        return yaml.safe_load(_text(path, where))
    except yaml.YAMLError as error:
        raise ManifestError(f"{where}: {path.name} is not valid YAML: {error}. Mend the file.") from error


def _text(path: Path, where: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{where}: {path.name} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    except FileNotFoundError:
        raise ManifestError(f"{where}: there is no file {path} (from {Path.cwd()}). Check the path.") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{where}: {path} cannot be read: {error}. Check the path.") from error
