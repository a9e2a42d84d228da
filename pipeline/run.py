"""The stages in order: the table of contents of a run.

Every stage returns its table and its exclusions, and the rows must balance: rows in x fan-out = rows out +
exclusions. What an earlier stage left in the run's folder is read when that stage was not asked for.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from augment.batched import check_device
from augment.errors import ConditionError
from pipeline import config, interruption, page_sound, provenance, tables
from pipeline.artifacts import RunFolder, RunRecord, file_sha256
from pipeline.asr.repeats import repeating
from pipeline.asr.store import TranscriptStore
from pipeline.card import gates, publication
from pipeline.card.content import CardContent, CardInput
from pipeline.config import Study
from pipeline.corpora.accents import vocabulary
from pipeline.corpora.base import LOOK_AGAIN, STAGE, voices
from pipeline.errors import ConfigError, MissingPrerequisite, StudyError, did_you_mean
from pipeline.execution import TABLES, Run
from pipeline.publishing import SINGLE_TRIALS, Published, published, unrestricted
from pipeline.result_tables import RESULTS
from pipeline.stages.audit import audit
from pipeline.stages.choose_subset import NAME as SUBSET
from pipeline.stages.choose_subset import choose_subset
from pipeline.stages.compare_repeats import compare_repeats
from pipeline.stages.count_left_out import count_left_out
from pipeline.stages.load_utterances import load_utterances, measure_recordings
from pipeline.stages.plan_trials import plan_trials
from pipeline.stages.probe import NAME as PROBE
from pipeline.stages.probe import as_probe, non_speech, plan_probe, without_reference
from pipeline.stages.score import score
from pipeline.stages.summarize import Material, summarize
from pipeline.stages.transcribe import REPEATS, transcribe
from pipeline.stages.write_card import write_card
from pipeline.stats.intersections import names_crossed
from pipeline.stats.ladders import Ladder, ladders
from pipeline.stats.mixed_model import check_engine
from pipeline.stats.strata import LENGTH_BAND, missing_attributes
from pipeline.tables import ATTRIBUTE_PREFIX
from pipeline.word_search import read_lists, search_words


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    record: RunRecord
    folder: Path
    card: CardContent | None
    remembered: int
    n_failed: int

    @property
    def gate(self) -> str | None:
        """How the gates ended (kept, broken, not_decided); None without a card or a gate."""
        return gates.overall(self.card.gates) if self.card is not None else None


def run(study: Study, *, store_path: Path, overrides: Sequence[str]) -> Outcome:
    """Run the stages that the study asks for; stop anywhere and start again, only missing work is done.

    Raises:
        StudyError: for every mistake that is the user's to mend.
    """
    settings = study.settings
    folder = RunFolder(Path(settings.results_dir) / settings.run_name)
    with folder.locked():
        _check_what_is_named(study)
        earlier = _earlier_exclusions(study, folder)
        this = Run(study, folder, store_path, provenance.begin(study, folder, overrides), earlier)
        this.write_ledger()
        for stage in settings.stages:
            interruption.heed()
            start = time.perf_counter()
            STAGES[stage](this)
            this.timings_s[stage] = round(time.perf_counter() - start, 3)
            this.done.append(stage)
            this.write_ledger()
        folder.write_record(this.complete_record(this.end))
    return Outcome(this.record, folder.path, this.card, this.counts.get("transcribe.remembered", 0), this.n_failed)


def _check_what_is_named(study: Study) -> None:
    """Look for the recognizer's and the corpus's files, and report what is missing of both together."""
    mistakes: list[StudyError] = []
    if "transcribe" in study.settings.stages:
        try:
            study.backend.prepare()
        except StudyError as error:
            mistakes.append(error)
        mistakes += _missing_device(study)
    mistakes += _missing_engine(study)
    if "load_utterances" in study.settings.stages:
        absent = [path for path in study.inputs if not path.exists()]
        where = f"corpus '{study.corpus.name}'"
        mistakes += [ConfigError(f"{where}: there is no file {path}. {LOOK_AGAIN}") for path in absent]
    if "summarize" in study.settings.stages:
        try:
            read_lists(study.stats)
        except StudyError as error:
            mistakes.append(error)
    if len(mistakes) == 1:
        raise mistakes[0]
    if mistakes:
        raise ConfigError(f"{len(mistakes)} mistakes: " + " | ".join(str(one) for one in mistakes))


def _missing_engine(study: Study) -> list[StudyError]:
    if study.stats.regression and "summarize" in study.settings.stages:
        try:
            check_engine()
        except MissingPrerequisite as error:
            return [error]
    return []


def _missing_device(study: Study) -> list[StudyError]:
    if study.render.device and study.backend.needs_audio:
        try:
            check_device(study.render.device)
        except ConditionError as error:
            return [MissingPrerequisite(str(error))]
    return []


def _earlier_exclusions(study: Study, folder: RunFolder) -> pd.DataFrame:
    """Return what the stages before the ones asked for excluded; a run from the start has none."""
    first = config.STAGES.index(study.settings.stages[0])
    if first == 0 or folder.record() is None:
        return tables.build([], tables.Exclusions, where="exclusions")
    lost = folder.read_table("exclusions", tables.Exclusions)
    return lost[lost["stage"].str.split(".").str[0].isin(config.STAGES[:first])]


def _load_utterances(this: Run) -> None:
    loaded, excluded, rows = load_utterances(this.study.corpus)
    this.hashes |= {name: file_sha256(path) for name, path in provenance.named(this.study.inputs).items()}
    subset = choose_subset(loaded, this.study.subset)
    this.record = this.record.model_copy(update={"subset": subset.record})
    utterances = subset.utterances
    this.keep("utterances", utterances)
    _check_reference(this)
    _check_attributes(this)
    workers = max(1, this.study.render.workers)
    this.keep("acoustics", measure_recordings(utterances, this.study.corpus, workers=workers))
    this.balance("load_utterances", rows, len(loaded), excluded)
    if subset.record:
        this.balance(SUBSET, len(loaded), len(utterances), subset.exclusions)


def _plan_trials(this: Run) -> None:
    utterances, study = this.table("utterances"), this.study
    trials, excluded = plan_trials(
        utterances,
        study.conditions,
        corpus=study.corpus,
        resources=this.acoustic_resources(),
        acoustics=study.acoustics,
        seed=study.settings.seed,
    )
    this.keep("trials", trials)
    this.balance("plan_trials", len(utterances) * len(study.conditions), len(trials), excluded)


def _transcribe(this: Run) -> None:
    trials, study = this.table("trials"), this.study
    with TranscriptStore(this.store_path, shared=study.store.shared) as store:
        made = transcribe(
            this.table("utterances"),
            trials,
            renderer=this.renderer(),
            backend=study.backend,
            store=store,
            copies=study.copies,
        )
        this.keep("transcripts", made.transcripts)
        this.keep("renderings", made.renderings)
        this.keep("repeats", made.repeats)
        this.balance("transcribe", len(trials), len(made.transcripts), made.excluded)
        drawn = len(trials) * repeating(study.backend).repeats
        this.balance(REPEATS, drawn, len(made.repeats), made.excluded_repeats)
        this.counts["transcribe.remembered"] = made.remembered
        this.throughput |= made.throughput
        study.backend.close()
        _probe(this, store)
        study.backend.close()


def _probe(this: Run, store: TranscriptStore) -> None:
    """Hear some of the trials without their speech, where the study asks for it; the table is empty where not."""
    study, probe = this.study, this.study.settings.probe
    if probe is None:
        this.keep("nonspeech", tables.build([], tables.NonSpeech, where=PROBE))
        return
    planned = plan_probe(this.table("trials"), probe)
    made = transcribe(
        without_reference(this.table("utterances")),
        planned,
        renderer=this.renderer(),
        backend=study.backend,
        store=store,
        copies=study.copies,
        probe=probe,
    )
    heard = non_speech(planned, made.transcripts, made.renderings)
    this.keep("nonspeech", heard)
    this.balance(PROBE, len(planned), len(heard), as_probe(made.excluded))
    this.counts[f"{PROBE}.remembered"] = made.remembered


def _score(this: Run) -> None:
    transcripts, normalizers = this.table("transcripts"), this.study.normalizers
    scores, excluded = score(this.table("utterances"), this.table("trials"), transcripts, normalizers)
    this.keep("scores", scores)
    this.balance("score", len(transcripts) * len(normalizers), len(scores), excluded)


def _summarize(this: Run) -> None:
    _check_reference(this)
    _check_attributes(this)
    for name, summary in summarize(_material(this)):
        this.keep(name, summary)
    _publish(this)


def _material(this: Run) -> Material:
    if this.material is not None:
        return this.material
    utterances, scores, normalizers = this.table("utterances"), this.table("scores"), this.study.normalizers
    repeated = compare_repeats(scores, this.table("trials"), this.table("repeats"), normalizers)
    this.material = Material(
        utterances,
        scores,
        repeated,
        this.study.stats,
        synthetic=bool(utterances["synthetic"].any()),
        left_out=count_left_out(
            utterances,
            this.table("trials"),
            this.table("transcripts"),
            this.table("exclusions"),
            normalizers=normalizers,
            backend=this.study.backend.name,
        ),
        ladders=_ladders(this.study),
        voices=voices(utterances),
        parents={accent.id: accent.parent for accent in vocabulary().accents if accent.parent},
        words=search_words(this, repeated),
    )
    return this.material


def _ladders(study: Study) -> tuple[Ladder, ...]:
    return ladders({condition.name: condition.parameters for condition in study.conditions})


def _check_reference(this: Run) -> None:
    wanted, known = this.study.stats.reference_accent, set(this.table("utterances")["accent"])
    if wanted is not None and wanted not in known:
        raise ConfigError(
            f"stats.reference_accent: no utterance has the accent '{wanted}'.{did_you_mean(wanted, known)} "
            "Name one of these, or null to compare each accent with the others."
        )
    absent = missing_attributes(this.study.stats.strata, this.table("utterances"))
    if absent:
        raise ConfigError(
            f"stats.strata: the corpus has no attribute {', '.join(absent)}. Name its columns in corpus.attributes, "
            f"or use {LENGTH_BAND}."
        )


def _check_attributes(this: Run) -> None:
    columns = [str(name) for name in this.table("utterances").columns]
    known = [name.removeprefix(ATTRIBUTE_PREFIX) for name in columns if name.startswith(ATTRIBUTE_PREFIX)]
    for name in names_crossed(this.study.stats.intersections):
        if name not in known:
            raise ConfigError(
                f"stats.intersections: the corpus declares no attribute '{name}'.{did_you_mean(name, known)} "
                "Declare it (corpus.attributes), or leave it out."
            )


def _publish(this: Run) -> Published:
    """Export the results as they may be published; what they are made of is read and made once in an execution."""
    if this.published is None:
        shown = {name: this.table(name) for name in TABLES if name != "repeats"}  # shown as what they add up to
        results = {name: shown.pop(name) for name in RESULTS}
        rule = publication.rule(this.study.card.publish, this.study.corpus.record())
        this.published = unrestricted(shown, results, rule)
        if rule.floor is not None:
            this.published = published(_material(this), shown, results, rule)
            this.withhold(SINGLE_TRIALS)
            page_sound.withdraw(this)
        for name, table in this.published.exports.items():
            this.export(name, table)
    return this.published


def _write_card(this: Run) -> None:
    shown, study = _publish(this), this.study
    lost = shown.tables["exclusions"]
    clips = page_sound.sound(this, shown.tables)
    card_input = CardInput(
        record=this.complete_record(this.end),
        settings=study.card,
        **shown.tables,
        publication=shown.publication,
        clips=clips.names,
        clip_notes=clips.notes,
        ladders={ladder.noise: dict(ladder.rungs) for ladder in _ladders(study)},
        audit=audit(
            shown.tables["utterances"],
            shown.tables["acoustics"],
            lost[lost["stage"] == STAGE],
            study.normalizers[study.card.main_normalizer],
            settings=study.stats,
        ),
        gate=study.gate,
    )
    this.card, files = write_card(card_input)
    with page_sound.written(this, clips):
        for name, data in files.items():
            this.hashes[name] = this.folder.write(name, data)


STAGES = {
    "load_utterances": _load_utterances,
    "plan_trials": _plan_trials,
    "transcribe": _transcribe,
    "score": _score,
    "summarize": _summarize,
    "write_card": _write_card,
}
