"""A corpus, or a subset of it, to a manifest that stays as it is: JSON lines, where they came from, a choice of corpus.

In: Utterances, what was left out of them, the corpus. Out: ``manifest.jsonl``, ``SOURCE.md`` and ``corpus/<name>.yaml``
in one folder. Excludes nothing: what was left out before is counted in SOURCE.md.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from pipeline import plugins
from pipeline.artifacts import SubsetRecord, file_sha256, write_atomic
from pipeline.card import frozen_source
from pipeline.card.frozen_source import Frozen
from pipeline.config import NAME as PLAIN_NAME
from pipeline.corpora import frozen, shipped
from pipeline.corpora.base import Corpus
from pipeline.corpora.frozen import CHOICE_MARK, MANIFEST, SOURCE, FreezeSettings
from pipeline.errors import ConfigError, StudyError
from pipeline.records import Exclusion

NAME = "manifest"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """What is to be frozen, why the other rows left, and the files that all was read from, by name."""

    utterances: pd.DataFrame
    subset: SubsetRecord | None
    exclusions: list[Exclusion]
    rows: int
    inputs: Mapping[str, Path]


def freeze_manifest(chosen: Chosen, corpus: Corpus, settings: FreezeSettings) -> tuple[Frozen, list[Path]]:
    """Write the folder and return what is in it; the same utterances may be frozen again, to add a review.

    Raises:
        ConfigError: if the corpus has no audio or may not pass its texts on, or something else is in the folder.
        StudyError: if the folder cannot be written, or a reader would not see what was written.
    """
    name, folder = _place(corpus, settings)
    record = corpus.record()
    if settings.texts and not record.redistribute_text and frozen.is_shipped(folder):
        raise ConfigError(
            f"manifest: corpus '{corpus.name}' does not say that its texts may be passed on, and {folder} is passed on "
            "with this project. Set manifest.texts=false, name a folder of your own with manifest.path=..., or, if you "
            "know that they may, corpus.redistribute_text=true."
        )
    text = frozen.lines(chosen.utterances, texts=settings.texts)
    _refuse_another(folder, text)
    files = {MANIFEST: text, f"corpus/{name}.yaml": frozen.choice(name, record, chosen.utterances)}
    if not settings.texts:
        files = {MANIFEST: text}  # it cannot be read without the corpus
    _refuse_strangers(folder, name)
    _check(text, chosen, settings)
    _write(folder, files)
    hashes = {MANIFEST: file_sha256(folder / MANIFEST)}
    hashes |= {label: file_sha256(path) for label, path in chosen.inputs.items() if path.is_file()}
    reasons = Counter((str(lost.stage), str(lost.reason)) for lost in chosen.exclusions)
    told = Frozen(
        name=name,
        corpus=record,
        utterances=chosen.utterances,
        subset=chosen.subset,
        rows=chosen.rows,
        reasons=dict(sorted(reasons.items())),
        texts=settings.texts,
        hashes=hashes,
        version=version(plugins.OURS),
        reviewed=f"{settings.reviewed_by.strip()} on {settings.reviewed_on}" if settings.reviewed_on else "",
    )
    _write(folder, {SOURCE: frozen_source.source(told)})
    return told, [folder / name for name in (*files, SOURCE)]


def _place(corpus: Corpus, settings: FreezeSettings) -> tuple[str, Path]:
    if not corpus.has_audio:
        raise ConfigError(f"stages=[manifest]: corpus '{corpus.name}' holds no audio; its table is its manifest.")
    name = settings.name or corpus.name
    if not PLAIN_NAME.fullmatch(name) or "+" in name:
        raise ConfigError(f"manifest.name: corpus '{name}' is called what no folder should be. Set manifest.name.")
    if settings.path is None and not shipped.DATA_MANIFESTS.is_dir():
        raise ConfigError(f"manifest.path: there is no {shipped.DATA_MANIFESTS}. Name a folder with manifest.path=...")
    return name, (settings.path or shipped.DATA_MANIFESTS / name).expanduser()


def _refuse_another(folder: Path, text: str) -> None:
    """Refuse to write over a frozen manifest that says something else."""
    before = _read(folder / MANIFEST)
    if before is not None and before != text:
        raise ConfigError(
            f"{folder / MANIFEST}: another manifest is frozen here ({before.count(chr(10))} rows, now "
            f"{text.count(chr(10))}, or other values). It is never overwritten: choose another manifest.name or "
            "manifest.path."
        )


def _refuse_strangers(folder: Path, name: str) -> None:
    """Refuse to write over files that this program did not write, or that were edited since."""
    source, choice = _read(folder / SOURCE), _read(folder / "corpus" / f"{name}.yaml")
    if source is not None and not frozen_source.is_untouched(source):
        raise ConfigError(
            f"{folder / SOURCE}: somebody wrote or edited this file. Move it away, or choose another name."
        )
    if choice is not None and not choice.startswith(CHOICE_MARK):
        raise ConfigError(f"{folder}/corpus/{name}.yaml: this file is not ours. Move it, or choose another name.")


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror or error}). Choose another manifest.path.") from None


def _check(text: str, chosen: Chosen, settings: FreezeSettings) -> None:
    """Read what is about to be written as a reader would, before anything is in the folder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MANIFEST
        path.write_text(text, encoding="utf-8", newline="")
        frozen.check_read_back(path, chosen.utterances, texts=settings.texts)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        try:
            write_atomic(folder / name, text)
        except OSError as error:
            raise StudyError(
                f"{folder / name}: cannot be written ({error.strerror or error}). Make room, or name another folder "
                "with manifest.path=..."
            ) from None
