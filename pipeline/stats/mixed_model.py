"""The one room that knows the optional engine of mixed models: a Poisson model of errors per speaker and cell.

The engine is young and has one author, so exactly one version of it is accepted: the one whose results are held
against those of glmmTMB (statistics: 5). Nothing else in the statistics needs it.
"""

import importlib.metadata
import importlib.util
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from pipeline.errors import MissingPrerequisite
from pipeline.stats.counts import FloatArray, IntArray

ENGINE, VERSION = "glmm", "0.6.2"
FORMULA = "errors ~ 0 + cell + (1 | speaker) + (1 | speaker_in_cell) + offset(log_words)"


@dataclass(frozen=True, slots=True)
class Fitted:
    """Log rates of the cells, shape (cells,), with their covariance, (cells, cells), and what varies between speakers.

    ``remarks`` is what the engine warned of. Without convergence there are no numbers to use.
    """

    log_rate: FloatArray
    covariance: FloatArray
    speaker_sd: float
    speaker_condition_sd: float
    log_likelihood: float
    converged: bool
    remarks: tuple[str, ...]


def check_engine() -> None:
    """Say what to install if the engine is missing or is another version.

    Raises:
        MissingPrerequisite: naming the extra.
    """
    cure = 'Run pip install -e ".[regression]", or set stats.regression to false.'
    if importlib.util.find_spec(ENGINE) is None:
        raise MissingPrerequisite(f"stats.regression needs the package {ENGINE} {VERSION}, which is not here. {cure}")
    found = importlib.metadata.version(ENGINE)
    if found != VERSION:
        raise MissingPrerequisite(
            f"stats.regression needs the package {ENGINE} {VERSION}, whose results were compared with another "
            f"program's; {found} is installed. {cure}"
        )


def fit_poisson(errors: IntArray, words: IntArray, *, cell: IntArray, speaker: IntArray) -> Fitted:
    """Fit log E[errors] = log words + cell + speaker + speaker within cell, by maximum likelihood (Laplace).

    Without the effect of the speaker within the cell the model is far too sure: it then takes every word as
    independent given the speaker (statistics: 4.3, 5).

    Args:
        errors: word errors, one row a speaker and cell, shape (rows,).
        words: reference words, all positive, same shape.
        cell: the accent under a condition, 0 to cells - 1, each with errors; same shape.
        speaker: index of the speaker, same shape; a speaker's rows have different cells.

    Raises:
        MissingPrerequisite: without the engine.
    """
    check_engine()
    import glmm

    columns = {
        "errors": errors.tolist(),
        "log_words": np.log(words).tolist(),
        # the engine sorts levels as text, and labels of people's own never reach a formula
        "cell": [f"c{place:06d}" for place in cell.tolist()],
        "speaker": [f"s{place:06d}" for place in speaker.tolist()],
        "speaker_in_cell": [f"r{place:06d}" for place in range(len(errors))],
    }
    with _heard() as remarks:
        fit = glmm.fit(columns, FORMULA, "poisson", anova_test="Wald")
    deviations = {name: float(np.sqrt(packed[0])) for (name, _), packed in zip(fit.re_groups, fit.varcorr, strict=True)}
    return Fitted(
        log_rate=np.asarray(fit.beta, dtype=np.float64),
        covariance=np.asarray(fit.vcov, dtype=np.float64),
        speaker_sd=deviations["speaker"],
        speaker_condition_sd=deviations["speaker_in_cell"],
        log_likelihood=float(fit.loglik),
        converged=bool(fit.converged) and bool(np.isfinite(fit.se).all()),
        remarks=tuple(remarks),
    )


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect the engine's warnings by name: a reader of the table must know of them, a terminal need not."""
    remarks: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield remarks
        remarks.extend(sorted({one.category.__name__.removesuffix("Warning") for one in caught}))
