"""A study and this machine to a diagnosis: what it has, what it lacks, and what to do about that.

In: a study, built and not run. Out: a Diagnosis, one Check a line. Excludes nothing, and changes nothing: no check
fetches, installs, or leaves a file. What could crash or hang is tried in processes of its own (``children``), and a
check that breaks is a line like any other.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from pipeline.asr.clips import line
from pipeline.card.doctor import Check, Diagnosis, Verdict
from pipeline.card.wording import count
from pipeline.config import Study
from pipeline.progress import track
from pipeline.stages.doctor import acoustics, cuda, imports, inputs, machine, needs, packages, places, recognizer
from pipeline.stages.doctor.children import LIMIT_S, Answer, Children

logger = logging.getLogger(__name__)

NAME = "doctor"


@dataclass(frozen=True, slots=True)
class Asked:
    """What processes were asked, and will answer."""

    imports: dict[str, Future[Answer]]
    acoustics: dict[str, Future[Answer]]
    recognizer: Future[Answer]

    def all(self) -> Iterator[Future[Answer]]:
        """Yield every answer to come."""
        yield from (self.recognizer, *self.acoustics.values(), *self.imports.values())


def doctor(study: Study, *, limit_s: float = LIMIT_S) -> Diagnosis:
    """Look at this machine for the study as configured.

    Args:
        study: the study; its recognizer is prepared in another process and stays as it is.
        limit_s: how long each process may take; healthy ones are done in seconds.
    """
    checks: list[Check] = []
    with Children(limit_s) as children:
        # what takes longest first
        asked = Asked(imports.ask(children), acoustics.ask(study, children), recognizer.ask(study, children))
        with track("looking at this machine", len(list(asked.all())), logger) as advance:
            for answer in asked.all():
                answer.add_done_callback(lambda _: advance())
            for name, look in _looks(study, asked):
                checks += guarded(name, look)
    settings = study.settings
    about = f"corpus {study.corpus.name}, {count(len(study.conditions), 'condition')}, asr {settings.asr.get('kind')}"
    return Diagnosis(about, tuple(checks))


def guarded(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """Return what ``look`` finds; if it breaks, what it had found by then and a failing check that says how."""
    found: list[Check] = []
    try:
        found.extend(look())
    except Exception as error:  # whatever breaks one check must not hide the others
        advice = "This is a mistake of the doctor's, not of this machine: please report this line; a study may run."
        found.append(Check(name, Verdict.FAIL, f"the check itself broke: {line(error)}", advice))
    return found


def _looks(study: Study, asked: Asked) -> Iterator[tuple[str, Callable[[], Iterable[Check]]]]:
    """Yield every group of checks in the order of the report: what is at once known before what must be waited for."""
    needed = needs.packages(study)
    yield "Python", packages.python
    yield "this project", packages.project
    yield "core packages", packages.core
    yield "extras", lambda: packages.extras(needed)
    yield "versions together", lambda: packages.consistency(needed)
    yield "machine", machine.checks
    yield "folders", lambda: places.checks(study)
    yield "accents", inputs.accents
    yield "corpus", lambda: inputs.corpus(study)
    yield "recognizer", lambda: recognizer.checks(asked.recognizer.result())
    yield "conditions", lambda: acoustics.conditions(asked.acoustics["conditions"].result())
    yield "codecs", lambda: acoustics.codecs(asked.acoustics["codecs"].result(), needs.codecs(study))
    yield "simulated rooms", lambda: acoustics.room(_answer(asked.acoustics.get("room")), needed.get(acoustics.ROOMS))
    yield "imports", lambda: imports.checks(asked.imports)
    yield "CUDA", lambda: cuda.checks(asked.imports, needs.cards(study), needs.engines(study))


def _answer(later: Future[Answer] | None) -> Answer | None:
    return later.result() if later else None
