"""Runs beside each other: at the end of a sweep all that finished, and a word on each job that did not; or stored runs.

The numbers of one run are those of its own card. Only the counts over the trials that all runs answered, and what is
said of every two runs on the trials that both answered, are made from their scores.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from rich.console import Console
from rich.text import Text

from pipeline.artifacts import SCRATCH, RunFolder
from pipeline.card.compared import KIND, Common, Compared, Comparison, Ended
from pipeline.card.comparison import markdown, show
from pipeline.card.comparison_export import cells, frame, gaps, json_text
from pipeline.card.comparison_page import html
from pipeline.card.gates import overall as gates_ended
from pipeline.card.keys import Key
from pipeline.card.publication import rounded_values
from pipeline.comparable import Finished, IncomparableError, Job, also_differ, asked_alone, check_alike, read
from pipeline.errors import ConfigError, first_five
from pipeline.recognizer_pairs import tested
from pipeline.records import ErrorCounts, Status
from pipeline.stats.counts import KINDS
from pipeline.tables import POOLED

CARD_PAGE = "card.html"
COMPARISON = "comparison"
"""Ends the name of the folder, and is that of each file in it."""
logger = logging.getLogger(__name__)

METHOD = "numbers of the run's own card; common: counted again on the trials that all compared runs scored"


def conclude(jobs: Sequence[Job], console: Console) -> None:
    """Print and write the comparison of a sweep whose jobs have all ended, or say why there is none.

    Raises:
        StudyError: if it cannot be made or written.
    """
    if any(job.record is None and not job.message for job in jobs):
        return  # commands of one stage, such as listen, make no run
    try:
        comparison = compare(jobs)
    except IncomparableError as error:
        logger.warning("no comparison: %s", error)
        return
    show_comparison(comparison, write(comparison, jobs), console)


def show_comparison(comparison: Comparison, folder: Path, console: Console) -> None:
    """Print a comparison, and last where its page is."""
    show(comparison, console)
    console.print(Text(f"Comparison: {folder / f'{COMPARISON}.html'}", style="bold"), soft_wrap=True)


def compare(jobs: Sequence[Job], *, in_order: bool = False) -> Comparison:
    """Lay runs beside each other, in the order of the jobs; ``in_order``: from the earlier to the later release.

    Raises:
        IncomparableError: if no job finished with a card, or the runs are not about the same things.
        TableError: if a table of a run cannot be read.
    """
    left = [read(job) for job in jobs]
    finished = [one for one in left if isinstance(one, Finished)]
    if not finished:
        why = first_five(f"{_run_name(jobs, at)}: {one}" for at, one in enumerate(left))
        raise IncomparableError(f"none of the {len(jobs)} jobs finished with a card. {why}")
    check_alike(finished)
    common = reduce(pd.MultiIndex.intersection, (one.answers.index for one in finished))
    names = {one.job.base_name for one in finished}
    card = finished[0].card
    found = tested(finished, card.conditions)
    return Comparison(
        name=names.pop() if len(names) == 1 else SCRATCH,
        synthetic=any(one.card.synthetic for one in finished),
        normalizer=card.main_normalizer,
        conditions=card.conditions,
        reference_condition=card.numbers.rules.reference_condition,
        jobs=list(_jobs(jobs, left, in_order=in_order)),
        rows=[_row(one, condition, common) for condition in card.conditions for one in finished],
        pairs=found.pairs,
        cells=found.cells,
        gaps=found.gaps,
        group_gaps=found.group_gaps,
        suppressed=found.suppressed,
        unpaired=found.unpaired,
        in_order=in_order,
        n_common=len(common),
        n_answered={one.job.run_name: len(one.answers) for one in finished},
        card_warnings=_card_warnings(finished),
        also_differ=also_differ(finished),
    )


def _card_warnings(finished: Sequence[Finished]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in finished:
        for sentence in one.card.summary:
            if sentence.warning:
                found.setdefault(sentence.text, []).append(one.job.run_name)
    return found


def write(comparison: Comparison, jobs: Sequence[Job], path: Path | None = None) -> Path:
    """Write a comparison over an earlier one of ours; return its folder.

    Without a ``path`` it is ``<name>_comparison/`` beside the first compared run.

    Raises:
        ConfigError: if something else is there, or another process writes there.
        StudyError: if it cannot be written.
    """
    folders = {job.run_name: job.folder for job in jobs if job.folder}
    if path is None:
        path = folders[comparison.compared[0].run_name].parent / f"{comparison.name}_{COMPARISON}"
    linked = comparison.model_copy(update={"cards": _cards(folders, path)})
    folder = RunFolder(path)
    with folder.locked():
        _check_ours(folder.path)
        # this one first: it is what makes the folder ours
        folder.write(f"{COMPARISON}.json", json_text(linked))
        folder.write_csv(COMPARISON, frame(linked))
        folder.write_csv("cells", cells(linked))
        folder.write_csv("gaps", gaps(linked))
        folder.write(f"{COMPARISON}.md", markdown(linked))
        folder.write(f"{COMPARISON}.html", html(linked))
    return folder.path


def _cards(folders: Mapping[str, Path], path: Path) -> dict[str, str]:
    """Return the pages of the runs that lie beside the comparison: the two may be passed on together."""
    around = path.resolve().parent
    return {
        name: quote(f"../{folder.resolve().name}/{CARD_PAGE}")
        for name, folder in folders.items()
        if folder.resolve().parent == around and (folder / CARD_PAGE).exists()
    }


def _check_ours(path: Path) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        found = json.loads((path / f"{COMPARISON}.json").read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("kind") != KIND:
        raise ConfigError(
            f"{path}: the comparison belongs here, and what is here is not one. "
            "Move it away, or choose another run_name or results_dir, and run again: what was transcribed is "
            "remembered."
        )


def _run_name(jobs: Sequence[Job], at: int) -> str:
    return jobs[at].run_name or f"job {at}"


def _jobs(jobs: Sequence[Job], left: Sequence[Finished | str], *, in_order: bool) -> Iterator[Ended]:
    recognizers = Counter(job.recognizer for job in jobs)
    asked = asked_alone(jobs)
    for at, (job, one) in enumerate(zip(jobs, left, strict=True)):
        run_name = _run_name(jobs, at)
        alone = job.recognizer and recognizers[job.recognizer] == 1 and not in_order
        ended = Ended(
            run_name=run_name,
            recognizer=job.recognizer,
            label=job.recognizer if alone else run_name,
            exit_code=job.exit_code,
            differs=asked[at],
            not_compared=one if isinstance(one, str) else "",
        )
        yield ended if isinstance(one, str) else _with_numbers(ended, one)


def _with_numbers(ended: Ended, run: Finished) -> Ended:
    numbers, card = run.card.numbers, run.card
    overall = Key(backend=card.backend, normalizer=card.main_normalizer)
    return ended.model_copy(
        update={
            "confidence": numbers.rules.confidence,
            "gate": gates_ended(card.gates) or "",
            "n_failed": run.job.n_failed,
            "n_excluded": sum(item.rows for item in numbers.dropped),
            "n_missing": sum(item.rows for item in numbers.unheard if item.status == Status.MISSING),
            "audio_s_per_s": run.record.throughput.get("audio_s_per_s"),
            "interaction": next((item for item in numbers.interactions if item.key == overall), None),
        }
    )


def _row(run: Finished, condition: str, common: "pd.Index[Any]") -> Compared:
    numbers = run.card.numbers
    key = Key(condition=condition, backend=run.card.backend, normalizer=run.card.main_normalizer)
    cells = {cell.key.accent: cell for cell in numbers.cells if cell.key.model_copy(update={"accent": ""}) == key}
    found = {item.statistic: item for item in numbers.disparities if item.key == key}
    gap = found.get("gap_max_min")
    answered = run.answers[run.answers.index.get_level_values("condition") == condition]
    return Compared(
        key=key,
        method=METHOD,
        run_name=run.job.run_name,
        n_trials=len(answered),
        n_unscored=numbers.corpus.n_utterances - len(answered),
        pooled=cells.get(POOLED),
        worst=cells.get(gap.worst) if gap else None,
        best=cells.get(gap.best) if gap else None,
        gap=gap,
        omnibus=found.get("omnibus_q"),
        interaction=next((item for item in numbers.interactions if item.key == key), None),
        common=_common(answered[answered.index.isin(common)], rounded=numbers.publication.rounded),
    )


def _common(answers: pd.DataFrame, *, rounded: bool) -> Common:
    counts = ErrorCounts(*(int(answers[kind].sum()) for kind in KINDS))
    exact = Common(n_trials=len(answers), n_ref_words=counts.ref_words, errors=counts.errors, wer=counts.wer)
    return Common.model_validate(rounded_values(exact.model_dump())) if rounded else exact
