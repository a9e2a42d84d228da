"""Commands of one stage that look at a study, or at what is remembered, without running it.

They need no recognizer, leave the run's folder alone, and end in a report that ``app`` prints.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from augment.chain import Condition
from augment.errors import ConditionError
from augment.resources import Resources
from pipeline import provenance, tables
from pipeline.artifacts import RunFolder
from pipeline.auditing import run_audit
from pipeline.card import audit_report, described, frozen_source, planned, stored
from pipeline.card import doctor as diagnosed
from pipeline.config import Study
from pipeline.corpora.base import LOOK_AGAIN, Listable, Listed
from pipeline.errors import ConfigError, StudyError, did_you_mean
from pipeline.result_tables import Plan
from pipeline.stages.choose_subset import choose_subset
from pipeline.stages.describe import describe
from pipeline.stages.doctor.examination import doctor
from pipeline.stages.freeze_manifest import Chosen, freeze_manifest
from pipeline.stages.listen import Listening, Planned, examples, listen
from pipeline.stages.load_utterances import load_utterances
from pipeline.stages.plan import estimated, plan
from pipeline.stages.plan_trials import plan_trials
from pipeline.stages.store import store
from pipeline.stats.assumed import Earlier
from pipeline.stored_runs import compare_runs
from pipeline.sweep import show_comparison


@dataclass(frozen=True, slots=True)
class Report:
    """How a single stage ended: what it has to say, and how many trials it could not make, or checks failed."""

    show: Callable[[Console], None]
    n_failed: int = 0


def run_single(study: Study) -> Report:
    """Run the one stage that the study asks for.

    Raises:
        StudyError: for every mistake that is the user's to mend.
    """
    return SINGLE[study.settings.stages[0]](study)


def _describe(study: Study) -> Report:
    told = describe(study.conditions, acoustics=study.acoustics, seed=study.settings.seed)
    return Report(partial(described.show, told))


def _listen(study: Study) -> Report:
    settings, corpus = study.settings, study.corpus
    if not corpus.has_audio:
        raise ConfigError(f"stages=[listen]: corpus '{corpus.name}' holds no audio. Take corpus=manifest.")
    _require_inputs(study)
    utterances = choose_subset(load_utterances(corpus)[0], study.subset).utterances
    talkers = corpus.talkers(utterances)
    resources = Resources(settings.seed, study.acoustics.slots, talkers, study.acoustics.target_level_dbov)
    possible, impossible = _possible(study.conditions, resources)
    # all of them, so that each has the slot that it has in the study
    trials, excluded = plan_trials(
        utterances, possible, corpus=corpus, resources=resources, acoustics=study.acoustics, seed=settings.seed
    )
    chosen = examples(utterances, study.listen.examples)
    problems = {(row["utterance_id"], name): why for row in chosen for name, why in impossible.items()}
    planned = Planned(
        conditions=study.conditions,
        trials={(row["utterance_id"], row["condition"]): row for row in tables.rows(trials)},
        problems=problems | {(lost.utterance_id, lost.condition): lost.detail for lost in excluded},
        corpus=corpus,
        resources=resources,
    )
    ended = listen(chosen, planned, RunFolder(Path(settings.results_dir) / f"{settings.run_name}_listen"))
    return Report(partial(_show_listening, ended), ended.n_failed)


def _possible(conditions: Sequence[Condition], resources: Resources) -> tuple[list[Condition], dict[str, str]]:
    """Return the conditions that can be made with this corpus on this machine, and of the others why not."""
    impossible = {}
    for condition in conditions:
        try:
            condition.check(resources)
        except ConditionError as error:
            impossible[condition.name] = str(error)
    return [condition for condition in conditions if condition.name not in impossible], impossible


def _show_listening(ended: Listening, console: Console) -> None:
    if ended.n_failed:
        console.print(Text(f"{ended.n_failed} recording(s) could not be made; the page says why.", style="bold"))
    console.print(Text(f"{ended.n_made} recording(s) to hear: {ended.page}", style="bold"), soft_wrap=True)
    console.print(Text(ended.warning), soft_wrap=True)


def _store(study: Study) -> Report:
    return Report(partial(_show_store, store(study.store_path, study.store)))


def _show_store(report: stored.StoreReport, console: Console) -> None:
    stored.show(report, console)
    if report.problems:  # said last, as the error that this command ends with
        raise StudyError(" ".join(report.problems))


def _doctor(study: Study) -> Report:
    diagnosis = doctor(study)
    return Report(partial(diagnosed.show, diagnosis), diagnosis.n_failed)


def _audit(study: Study) -> Report:
    _require_inputs(study)
    return Report(partial(audit_report.show, run_audit(study, _earlier(study))))


def _require_inputs(study: Study) -> None:
    absent = [str(path) for path in study.inputs if not path.exists()]
    if absent:
        raise ConfigError(f"corpus '{study.corpus.name}': there is no file {', '.join(absent)}. {LOOK_AGAIN}")


def _plan(study: Study) -> Report:
    settings, corpus = study.settings, study.corpus
    _require_inputs(study)
    listed = _listed(study)
    table = plan(
        listed.table,
        [condition.name for condition in study.conditions],
        study.normalizers[study.card.main_normalizer],
        earlier=_earlier(study),
        settings=study.stats,
        asked=study.plan,
    )
    folder = RunFolder(Path(settings.results_dir) / f"{settings.run_name}_plan")
    with folder.locked():
        folder.write_csv("plan", tables.check(table, Plan, where="plan"))
    told = planned.Planned(
        table=table,
        corpus=corpus.name,
        reference_condition=study.stats.reference_condition,
        n_unusable=listed.n_unusable,
        audio_unopened=isinstance(corpus, Listable) and not study.subset.needs_recordings,
        words_estimated=estimated(listed.table),
        file=folder.path / "plan.csv",
    )
    return Report(partial(planned.show, told))


def _listed(study: Study) -> Listed:
    """Return who says what, without opening audio where the corpus and the subset can do so."""
    wanted = study.stats.reference_accent
    if isinstance(study.corpus, Listable) and not study.subset.needs_recordings:
        listed = study.corpus.listing()
        listed = replace(listed, table=choose_subset(listed.table, study.subset).utterances)
    else:
        loaded, lost, _ = load_utterances(study.corpus)
        utterances = choose_subset(loaded, study.subset).utterances
        kept = utterances[list(tables.columns(tables.Listing))]
        listed = Listed(tables.check(kept, tables.Listing, where="plan"), len(lost))
    known = set(listed.table["accent"])
    if not known:
        raise ConfigError(f"corpus '{study.corpus.name}': none of its {listed.n_unusable} rows can be used.")
    if wanted is not None and wanted not in known:
        hint = did_you_mean(wanted, known)
        raise ConfigError(f"stats.reference_accent: no utterance has the accent '{wanted}'.{hint}")
    return listed


def _earlier(study: Study) -> Earlier | None:
    """Return the scores of the run that the plan names, under the main normalizer."""
    name, normalizer = study.plan.run_name, study.card.main_normalizer
    if name is None:
        return None
    folder = RunFolder(Path(study.settings.results_dir) / name)
    if folder.record() is None:
        raise ConfigError(f"plan.run_name: there is no run {folder.path}. Name one that was scored, or null to assume.")
    scores = folder.read_table("scores", tables.Scores)
    chosen = scores[scores["normalizer"] == normalizer]
    if chosen.empty:
        known = ", ".join(sorted(set(scores["normalizer"]))) or "none"
        raise ConfigError(
            f"plan.run_name: {name} was not scored with card.main_normalizer={normalizer} (only {known})."
        )
    return Earlier(name, chosen)


def _manifest(study: Study) -> Report:
    _require_inputs(study)
    loaded, lost, rows = load_utterances(study.corpus)
    subset = choose_subset(loaded, study.subset)
    chosen = Chosen(subset.utterances, subset.record, [*lost, *subset.exclusions], rows, provenance.named(study.inputs))
    folder = RunFolder(Path(study.settings.results_dir) / f"{study.settings.run_name}_manifest")
    with folder.locked():
        frozen, files = freeze_manifest(chosen, study.corpus, study.manifest)
        folder.write_csv("exclusions", tables.build(chosen.exclusions, tables.Exclusions, where="manifest"))
    return Report(partial(frozen_source.show, frozen, [*files, folder.path / "exclusions.csv"]))


def _compare(study: Study) -> Report:
    settings = study.settings
    found = compare_runs(settings.runs, Path(settings.results_dir))
    return Report(partial(show_comparison, found.comparison, found.folder))


SINGLE: dict[str, Callable[[Study], Report]] = {
    "listen": _listen,
    "describe": _describe,
    "store": _store,
    "doctor": _doctor,
    "plan": _plan,
    "manifest": _manifest,
    "audit": _audit,
    "compare": _compare,
}
