"""The command ``stages=[audit]``: load or list the corpus, audit it, plan what to collect, and write all of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline import tables
from pipeline.artifacts import RunFolder
from pipeline.audit_tables import ACCENT, FILES, NOT_STATED, Audit
from pipeline.card.audit_report import Audited, markdown
from pipeline.card.audited import MOST_VALUES, Told
from pipeline.config import Study
from pipeline.corpora.base import Listable
from pipeline.errors import ConfigError, did_you_mean
from pipeline.stages.audit import NAME, audit_prepared, prepared, read_words
from pipeline.stages.choose_subset import choose_subset
from pipeline.stages.load_utterances import load_utterances, measure_recordings
from pipeline.stats.assumed import Earlier, assume
from pipeline.stats.coverage_plan import coverage_plan


@dataclass(frozen=True, eq=False)
class _Material:
    """What is audited; ``n_unusable`` counts rows of which no more is known."""

    utterances: pd.DataFrame
    acoustics: pd.DataFrame
    exclusions: pd.DataFrame
    n_unusable: int = 0


def run_audit(study: Study, earlier: Earlier | None) -> Audited:
    """Audit the study's corpus into ``results/<run_name>_audit``, and return what to print.

    Raises:
        StudyError: for every mistake that is the user's to mend.
    """
    normalize = study.normalizers[study.card.main_normalizer]
    known = read_words(study.audit.word_list, normalize)
    material = _listed(study) if not study.audit.audio else _loaded(study)
    table, attributes = prepared(material.utterances, normalize)
    found = audit_prepared(
        table,
        attributes,
        material.acoustics,
        material.exclusions,
        settings=study.stats,
        near_text=study.audit.near_text,
        known_words=known,
    )
    crossed = _crossed(study.audit.cross, attributes, found)
    conditions = [condition.name for condition in study.conditions]
    assumed = assume(sorted(table["accent"].unique()), conditions, earlier, study.stats, study.plan)
    shopping = coverage_plan(table, crossed, assumed, settings=study.stats, plan=study.plan)
    told = Told(study.corpus.record(), study.stats.min_speakers)
    folder = RunFolder(Path(study.settings.results_dir) / f"{study.settings.run_name}_{NAME}")
    audited = Audited(found, shopping, told, study.corpus.name, material.n_unusable, folder.path)
    _write(folder, audited, found, material.acoustics)
    return audited


def _crossed(wanted: Sequence[str] | None, attributes: Sequence[str], found: Audit) -> list[str]:
    """Return the attributes to plan by: the wanted ones, else those of few values that are no other name of accent."""
    if wanted is None:
        values = found.coverage[found.coverage["value"] != NOT_STATED].groupby("attribute")["value"].nunique()
        attributes = [name for name in attributes if values.get(name, 0) <= MOST_VALUES]
        same = found.associations[found.associations["nested"].isin(["same", "constant", "in_accent"])]
        return [name for name in attributes if name not in _other_names(same["attribute"], found)]
    for name in wanted:
        if name not in attributes:
            hint = did_you_mean(name, attributes)
            raise ConfigError(
                f"audit.cross: the corpus declares no attribute '{name}'.{hint} Declare it, or leave it out."
            )
    return list(wanted)


def _other_names(aliases: Iterable[str], found: Audit) -> set[str]:
    """Return those of the aliases that no two accents share most values of: to cross them would ask for nobody."""
    groups = found.groups[(found.groups["against"] == ACCENT) & (found.groups["level"] != "")]
    shared = groups.groupby(["attribute", "level"])["group"].nunique() > 1
    share = shared.groupby(level="attribute").mean()
    return {name for name in aliases if share.get(name, 0.0) < 0.5 or not (groups["attribute"] == name).any()}


def _write(folder: RunFolder, audited: Audited, found: Audit, acoustics: pd.DataFrame) -> None:
    with folder.locked():
        for name, file in FILES.items():
            folder.write_csv(file, getattr(found, name))
        folder.write_csv("coverage_plan", audited.shopping)
        folder.write_csv("acoustics", acoustics)
        folder.write(f"{NAME}.md", markdown(audited).encode("utf-8", "replace"))


def _loaded(study: Study) -> _Material:
    loaded, lost, _ = load_utterances(study.corpus)
    utterances = choose_subset(loaded, study.subset).utterances
    acoustics = measure_recordings(utterances, study.corpus, workers=max(1, study.render.workers))
    return _Material(utterances, acoustics, tables.build(lost, tables.Exclusions, where=NAME))


def _listed(study: Study) -> _Material:
    corpus = study.corpus
    if not isinstance(corpus, Listable):
        raise ConfigError(f"audit.audio: corpus '{corpus.name}' cannot be listed without its audio. Use true.")
    if study.subset.needs_recordings:
        raise ConfigError("audit.audio: minutes, attributes or a manifest of the subset need the recordings. Use true.")
    listed = corpus.listing()
    if listed.table.empty:
        raise ConfigError(f"corpus '{corpus.name}': none of its {listed.n_unusable} rows can be used.")
    acoustics = tables.build([], tables.Acoustics, where=NAME)
    utterances = choose_subset(listed.table, study.subset).utterances
    return _Material(utterances, acoustics, tables.build([], tables.Exclusions, where=NAME), listed.n_unusable)
