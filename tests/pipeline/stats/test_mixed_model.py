"""The optional engine against frozen answers of glmmTMB, and against a likelihood that is integrated here.

``tests/golden/regression`` holds a small study of our own, the R script that fitted it, and what glmmTMB answered.
"""

import importlib.metadata
import importlib.util
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from pipeline.errors import MissingPrerequisite
from pipeline.stats.mixed_model import FORMULA, VERSION, check_engine, fit_poisson

GOLDEN = Path(__file__).parents[2] / "golden" / "regression"
FROZEN = json.loads((GOLDEN / "glmmtmb.json").read_text())
needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("glmm") is None, reason="the extra 'regression' is not installed"
)


def utterances() -> pd.DataFrame:
    table = pd.read_csv(GOLDEN / "scores.csv", keep_default_na=False)
    table["condition"] = pd.Categorical(table["condition"], categories=["clean", "babble", "codec"])
    return table.assign(log_words=np.log(table["words"]))


def paired() -> pd.DataFrame:
    """Errors and words per speaker under clean and babble, as the aggregated model takes them."""
    table = utterances().astype({"condition": "str"})
    table = table[table["condition"] != "codec"]
    return table.groupby(["accent", "speaker", "condition"], as_index=False)[["errors", "words"]].sum()


def fitted():
    table = paired()
    accents, speakers = sorted(set(table["accent"])), sorted(set(table["speaker"]))
    cell = [accents.index(a) + 4 * (c == "babble") for a, c in zip(table["accent"], table["condition"], strict=True)]
    speaker = np.array([speakers.index(name) for name in table["speaker"]])
    errors, words = table["errors"].to_numpy(), table["words"].to_numpy()
    return errors, words, np.array(cell), speaker


@needs_engine
@pytest.mark.parametrize("model", ["M1", "M2"])
@pytest.mark.parametrize(("family", "engine"), [("poisson", "poisson"), ("nb2", "negativebinomial")])
def test_the_engine_agrees_with_glmmtmb_per_utterance(model, family, engine):
    import glmm

    cross = "+" if model == "M1" else "*"
    formula = f"errors ~ accent {cross} condition + (1|speaker) + (1|text) + offset(log_words)"
    frozen = FROZEN[f"{model}_{family}"]
    fit = glmm.fit(utterances(), formula, engine, anova_test="Wald")
    at = [fit.names.index(name) for name in frozen["names"]]
    errors = np.array(frozen["standard_errors"])
    assert fit.loglik == pytest.approx(frozen["log_likelihood"], abs=2e-4)
    # as published for the large study: coefficients within .001 standard errors, their ratio 1.000
    assert np.abs((fit.beta[at] - frozen["coefficients"]) / errors).max() < 2e-3
    assert fit.se[at] / errors == pytest.approx(1.0, abs=1e-3)
    assert [math.sqrt(part[0]) for part in fit.varcorr] == pytest.approx(frozen["random_sds"], rel=2e-3)
    if "theta" in frozen:
        assert fit.dispersion == pytest.approx(frozen["theta"], rel=2e-3)


@needs_engine
def test_the_model_of_the_study_agrees_with_glmmtmb():
    errors, words, cell, speaker = fitted()
    found, frozen = fit_poisson(errors, words, cell=cell, speaker=speaker), FROZEN["aggregated"]
    truth = dict(zip(frozen["names"], frozen["coefficients"], strict=True))
    assert found.converged
    assert found.log_likelihood == pytest.approx(frozen["log_likelihood"], abs=1e-4)
    assert [found.speaker_sd, found.speaker_condition_sd] == pytest.approx(frozen["random_sds"], rel=1e-3)
    # the cells' log rates hold the coefficients of accent * condition
    eta = found.log_rate
    assert eta[0] == pytest.approx(truth["(Intercept)"], abs=5e-4)
    assert eta[4] - eta[0] == pytest.approx(truth["conditionbabble"], abs=5e-4)
    for accent in (1, 2, 3):
        contrast = np.zeros(8)
        contrast[[accent + 4, accent, 4, 0]] = [1, -1, -1, 1]
        name = f"accenta{accent}:conditionbabble"
        assert contrast @ eta == pytest.approx(truth[name], abs=5e-4)
        error = frozen["standard_errors"][frozen["names"].index(name)]
        assert math.sqrt(contrast @ found.covariance @ contrast) == pytest.approx(error, rel=1e-3)


@needs_engine
def test_the_laplace_likelihood_is_close_to_one_that_is_integrated_numerically():
    # three effects a speaker (its own, and one in each of two cells) on a product Gauss-Hermite grid, moved to the mode
    errors, words, cell, speaker = fitted()
    found = fit_poisson(errors, words, cell=cell, speaker=speaker)
    total = 0.0
    for one in np.unique(speaker):
        rows = speaker == one
        offset = np.log(words[rows]) + found.log_rate[cell[rows]]
        total += _log_integral(errors[rows], offset, found.speaker_sd, found.speaker_condition_sd)
    assert found.log_likelihood == pytest.approx(total, abs=0.15)


def _log_integral(errors, offset, speaker_sd, cell_sd):
    """log of the integral over the two log rates, which are bivariate normal with a shared speaker part."""
    covariance = np.full((2, 2), speaker_sd**2) + cell_sd**2 * np.eye(2)
    precision, mode = np.linalg.inv(covariance), np.zeros(2)
    for _ in range(50):
        mean = np.exp(offset + mode)
        curvature = precision + np.diag(mean)
        mode = mode - np.linalg.solve(curvature, precision @ mode - (errors - mean))
    root = np.linalg.cholesky(np.linalg.inv(curvature))
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    grid = np.array(list(itertools.product(nodes, repeat=2)))
    weight = np.log(np.outer(weights, weights)).ravel() + np.square(grid).sum(axis=1) / 2
    at = mode + grid @ root.T
    log_density = -0.5 * ((at @ precision) * at).sum(axis=1) - 0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    log_likelihood = poisson.logpmf(errors, np.exp(offset + at)).sum(axis=1)
    return np.logaddexp.reduce(weight + log_likelihood + log_density) + math.log(np.linalg.det(root))


def test_the_model_has_the_effect_without_which_it_is_far_too_sure():
    # without speaker by condition the test of the interaction rejects every true null (statistics: 4.3)
    assert "(1 | speaker_in_cell)" in FORMULA


def test_a_missing_engine_is_a_sentence_that_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPrerequisite, match=r'pip install -e "\.\[regression\]"'):
        check_engine()


def test_another_version_of_the_engine_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.7.0")
    with pytest.raises(MissingPrerequisite, match=rf"{VERSION}.*0\.7\.0 is installed"):
        check_engine()
