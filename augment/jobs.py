"""One utterance under all its conditions: read, verified, measured and leveled once, then rendered under each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from augment import recordings
from augment.chain import Condition, Plan, Probe, Rendering, Source
from augment.errors import ConditionError, NoActiveSpeechError
from augment.flac_cache import FlacCache
from augment.places import Place
from augment.recordings import Problem, RecordingError
from augment.resources import Resources

_JOB_S: Final = 600.0


class RenderingError(RuntimeError):
    """Rendering as a whole cannot go on: a process died, a disk is full. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One condition of a job. ``key`` names the rendering in a cache: it stands for all that decides its samples."""

    key: str
    condition: str
    plan: Plan
    probe: Probe = "speech"

    @property
    def cached_as(self) -> str:
        """The name of its rendering in a cache."""
        return self.key if self.probe == "speech" else f"{self.key}.{self.probe}"


@dataclass(frozen=True, slots=True)
class Job:
    """One recording, and the trials to make of it; ``sha256`` is of the recording as it was planned with."""

    utterance_id: str
    place: Place
    sha256: str
    duration_s: float
    trials: tuple[Trial, ...]

    @property
    def rendered_s(self) -> float:
        """Length of all its renderings together, which are in memory at once."""
        return self.duration_s * len(self.trials)

    def pieces(self) -> Iterator["Job"]:
        """Yield this job in parts that render ten minutes at most, or one trial."""
        size = max(1, int(_JOB_S / max(self.duration_s, 1e-3)))
        for first in range(0, len(self.trials), size):
            yield replace(self, trials=self.trials[first : first + size])


@dataclass(frozen=True, slots=True)
class Failure:
    """A trial that could not be rendered; ``message`` names utterance, condition and step."""

    kind: Problem | Literal["no_active_speech", "condition_not_applied"]
    message: str


Outcome = Rendering | Failure


@dataclass(frozen=True, slots=True)
class JobRenderer:
    """Renders jobs in this process. The same job gives the same samples in every process."""

    conditions: Mapping[str, Condition]
    resources: Resources
    cache: FlacCache | None = None

    def __call__(self, job: Job) -> tuple[Outcome, ...]:
        """Return what became of each trial, in their order; what the cache holds is not rendered again.

        Raises:
            RenderingError: if the cache or a noise track cannot be written.
        """
        known = [self.cache.get(trial.cached_as) if self.cache else None for trial in job.trials]
        if None not in known:  # then not even the recording is read
            return tuple(kept for kept in known if kept is not None)
        source = read_source(job)
        trials = zip(job.trials, known, strict=True)
        return tuple(self._rendered(job, trial, source) if kept is None else kept for trial, kept in trials)

    def _rendered(self, job: Job, trial: Trial, source: Source | Failure) -> Outcome:
        if isinstance(source, Failure):
            return source
        where = f"{job.utterance_id} under {trial.condition}"
        try:
            condition = self.conditions[trial.condition]
            rendering = condition.render(source, trial.plan, self.resources, probe=trial.probe)
            if self.cache:
                self.cache.put(trial.cached_as, rendering)
        except NoActiveSpeechError as error:
            return Failure("no_active_speech", f"{where}: {error}")
        except ConditionError as error:
            return Failure("condition_not_applied", f"{where}: {error}")
        except OSError as error:
            raise RenderingError(
                f"{where}: {error}. What is rendered cannot be kept: make room there, or see that it can be written to "
                "(noise tracks lie in the folder that TMPDIR names, renderings in render.cache), and run again."
            ) from error
        except Exception as error:
            error.add_note(f"while rendering {where}")
            raise
        return rendering


def read_source(job: Job) -> Source | Failure:
    """Return a job's recording, verified, or why it cannot be used."""
    try:
        return Source(recordings.read(job.place, sha256=job.sha256))
    except RecordingError as error:
        return Failure(error.problem, f"{job.utterance_id}: {error}")
