"""One execution of a study: its folder, its tables, and the ledger of what was lost, counted, timed and hashed.

``run`` drives it through the stages; what an earlier execution left in the folder is read when it is asked for.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from augment.resources import Resources
from pipeline import provenance, tables
from pipeline.artifacts import RunFolder, RunRecord, unstated
from pipeline.card import publication
from pipeline.card.content import CardContent
from pipeline.config import Study
from pipeline.publishing import Published
from pipeline.records import Exclusion, Reason
from pipeline.rendering import Renderer
from pipeline.result_tables import RESULTS
from pipeline.stages.probe import NAME as PROBE
from pipeline.stages.summarize import Material
from pipeline.stages.transcribe import NAME as TRANSCRIBE
from pipeline.stages.transcribe import REPEATS

logger = logging.getLogger(__name__)


TABLES: dict[str, tables.Schema] = {
    "utterances": tables.Utterances,
    "acoustics": tables.Acoustics,
    "trials": tables.Trials,
    "transcripts": tables.Transcripts,
    "repeats": tables.Repeats,
    "renderings": tables.Renderings,
    "nonspeech": tables.NonSpeech,
    "scores": tables.Scores,
    **RESULTS,
    "exclusions": tables.Exclusions,
}
EXPORTED = frozenset({"acoustics", "nonspeech", "exclusions"})
"""Tables that people read: written as CSV beside the Parquet file. Results are exported as they may be published."""
ANALYSIS = "analysis_sha256"
"""Column of every exported table of results, and key in the schema of its Parquet file."""


@dataclass
class Run:
    """One execution of a study: its folder, its tables, and the ledger of what was lost, counted and timed."""

    study: Study
    folder: RunFolder
    store_path: Path
    record: RunRecord
    earlier_exclusions: pd.DataFrame
    done: list[str] = field(default_factory=list)
    kept: dict[str, pd.DataFrame] = field(default_factory=dict)
    excluded: list[Exclusion] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    timings_s: dict[str, float] = field(default_factory=dict)
    throughput: dict[str, float] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    resources: Resources | None = None
    material: Material | None = None
    published: Published | None = None
    card: CardContent | None = None

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of this execution, or the one that an earlier execution left in the folder."""
        if name not in self.kept:
            self.kept[name] = self.folder.read_table(name, TABLES[name])
        return self.kept[name]

    def keep(self, name: str, table: pd.DataFrame) -> None:
        """Keep a stage's table and write it."""
        self.kept[name] = table
        registered = {ANALYSIS: self.record.analysis_sha256} if name in RESULTS else {}
        self.hashes[f"{name}.parquet"] = self.folder.write_table(name, table, registered)
        if name in EXPORTED and not self.has_floor:
            self.hashes[f"{name}.csv"] = self.folder.write_csv(name, table)

    @property
    def has_floor(self) -> bool:
        """Whether a floor holds over what is published of this study."""
        return publication.rule(self.study.card.publish, self.study.corpus.record()).floor is not None

    def withhold(self, names: Collection[str]) -> None:
        """Remove exports that an earlier execution, without a floor, may have left in the folder."""
        self.folder.clear(f"{name}.csv" for name in names)
        for name in names:
            self.hashes.pop(f"{name}.csv", None)

    def export(self, name: str, table: pd.DataFrame) -> None:
        """Write a table of results as it may be published, the hash of the analysis in its last column.

        Where nobody stated the labels, a column before it says so.
        """
        if word := unstated(self.study.corpus.record().label_provenance):
            table = table.assign(group_labels=pd.Series(word, table.index, dtype="str"))
        registered = table.assign(**{ANALYSIS: pd.Series(self.record.analysis_sha256, table.index, dtype="str")})
        self.hashes[f"{name}.csv"] = self.folder.write_csv(name, registered)

    def balance(self, stage: str, rows_in: int, rows_out: int, excluded: Sequence[Exclusion]) -> None:
        """Keep a stage's exclusions, and refuse a stage that loses rows silently.

        Raises:
            RuntimeError: if the rows do not balance; always a bug, never the user's mistake.
        """
        if rows_in != rows_out + len(excluded):
            raise RuntimeError(f"{stage}: {rows_in} rows in, {rows_out} rows out and {len(excluded)} exclusions")
        self.excluded.extend(excluded)
        self.counts |= {f"{stage}.in": rows_in, f"{stage}.out": rows_out, f"{stage}.excluded": len(excluded)}
        if rows_in:
            logger.info("%s: %d in, %d out, %d excluded", stage, rows_in, rows_out, len(excluded))

    def acoustic_resources(self) -> Resources | None:
        """Return what the conditions draw on, or None for a recognizer that hears no audio."""
        study = self.study
        if study.backend.needs_audio and self.resources is None:
            talkers = study.corpus.talkers(self.table("utterances"))
            self.resources = Resources(
                study.settings.seed, study.acoustics.slots, talkers, study.acoustics.target_level_dbov
            )
        return self.resources

    def renderer(self) -> Renderer | None:
        """Return what renders the trials, or None for a recognizer that hears no audio."""
        resources, study = self.acoustic_resources(), self.study
        return Renderer(study.corpus, study.conditions, resources, study.render) if resources else None

    def write_ledger(self) -> None:
        """Write the exclusions and the record: after a kill they tell of exactly what is in the folder."""
        before = self.earlier_exclusions
        lost = tables.build(self.excluded, tables.Exclusions, where="exclusions")
        self.keep("exclusions", lost if before.empty else pd.concat([before, lost], ignore_index=True))
        self.folder.write_record(self.complete_record("running"))

    def complete_record(self, status: str) -> RunRecord:
        """Bring the record up to date with what was done, counted, timed and hashed so far."""
        self.record = provenance.complete(
            self.record,
            status=status,
            stages_done=self.done,
            counts=self.counts,
            timings_s=self.timings_s,
            throughput=self.throughput,
            hashes=self.hashes,
        )
        return self.record

    @property
    def n_failed(self) -> int:
        """Trials that were planned and could not be heard; silence is no failure."""
        lost = self.kept["exclusions"]
        lost = lost[lost["stage"].isin([TRANSCRIBE, PROBE, REPEATS])]
        return int((lost["reason"] != Reason.NO_ACTIVE_SPEECH).sum())

    @property
    def end(self) -> str:
        """The status that this execution ends with."""
        if self.study.settings.stages[-1] != "write_card":
            return "partial"
        return "finished_with_failures" if self.n_failed else "finished"
