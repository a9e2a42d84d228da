"""How errors scatter, estimated from scores whose scatter was planted."""

import numpy as np
import pandas as pd
import pytest

from pipeline.stats.spread import scatter, slope


def utterances(rng, *, sizes=(10,) * 8, sigma=0.45, phi=3.0, slope_sd=0.0, per_speaker=20, words=15, factor=None):
    """Scores of every utterance: log-normal speakers, errors of variance ``phi`` times their mean."""
    accents = np.repeat(np.arange(len(sizes)), sizes)
    level = rng.normal(0, 0.25, len(sizes))[accents] + rng.normal(0, sigma, len(accents))
    parts = []
    for condition, log_factor in {"clean": 0.0, **({"noise": factor} if factor is not None else {})}.items():
        own = log_factor + rng.normal(0, slope_sd, len(accents)) * (condition != "clean")
        mean = 0.2 * words * np.exp(level + own)[:, None] * np.ones(per_speaker)
        parts.append(frame(condition, accents, words, rng.negative_binomial(mean / (phi - 1), 1 / phi)))
    return pd.concat(parts, ignore_index=True)


def frame(condition, accents, words, errors):
    n, per_speaker = errors.shape
    wrong = np.minimum(errors, words).ravel()
    return pd.DataFrame(
        {
            "utterance_id": [f"s{s}-{u}" for s in range(n) for u in range(per_speaker)], "condition": condition,
            "backend": "e", "normalizer": "v", "speaker_id": np.repeat([f"s{s}" for s in range(n)], per_speaker),
            "accent": np.repeat([f"a{a}" for a in accents], per_speaker), "hits": words - wrong,
            "substitutions": wrong, "deletions": 0, "insertions": errors.ravel() - wrong,
            "normalized_reference": "", "normalized_hypothesis": "",
        }
    )  # fmt: skip


@pytest.mark.parametrize("sigma", [0.0, 0.25, 0.45])
def test_planted_sigma_and_phi_are_recovered(sigma):
    rng = np.random.default_rng(1)
    found = [scatter(utterances(rng, sigma=sigma), assumed_phi=9.0) for _ in range(8)]
    assert np.mean([one.phi for one in found]) == pytest.approx(3.0, rel=0.1)
    assert np.sqrt(np.mean([one.sigma**2 for one in found])) == pytest.approx(sigma, abs=0.06)


def test_accents_that_differ_are_no_scatter_of_speakers():
    rng = np.random.default_rng(2)
    rows = utterances(rng, sizes=(20, 20), sigma=0.1, phi=2.0)
    worse = rows["accent"] == "a1"
    # every utterance of one accent has its errors fourfold: phi fourfold there, between speakers nothing new
    rows.loc[worse, "insertions"] = 4 * (rows["substitutions"] + rows["insertions"])[worse] - rows["substitutions"]
    assert scatter(rows, assumed_phi=4.0).sigma < 0.3


def test_with_one_utterance_a_speaker_phi_cannot_be_told():
    found = scatter(utterances(np.random.default_rng(3), per_speaker=1), assumed_phi=3.0)
    assert found.phi is None
    assert found.sigma is not None


def test_nothing_can_be_told_without_names_or_errors():
    rows = utterances(np.random.default_rng(4), sizes=(3, 3))
    assert scatter(rows.assign(speaker_id=None), assumed_phi=4.0).sigma is None
    perfect = scatter(rows.assign(substitutions=0, insertions=0), assumed_phi=4.0)
    assert (perfect.sigma, perfect.phi) == (None, None)
    assert slope(rows, "clean", "noise") is None


def test_the_slope_explains_the_scatter_of_changes_that_was_planted():
    rng, found = np.random.default_rng(5), []
    for _ in range(6):
        rows = utterances(rng, sigma=0.1, phi=2.0, slope_sd=0.3, factor=0.5, per_speaker=60)
        slope_sd, paired_phi = slope(rows, "clean", "noise")
        # at 900 words, WER .2 and .33: what a plan of the same size would take
        found.append(slope_sd**2 + paired_phi / 900 * (1 / 0.2 + 1 / 0.33))
    assert np.mean(found) == pytest.approx(0.3**2 + 2 / 900 * (1 / 0.2 + 1 / 0.33), rel=0.15)


def test_a_condition_that_harms_one_accent_is_no_scatter_of_slopes():
    rng = np.random.default_rng(6)
    plain = utterances(rng, sizes=(15, 15), sigma=0.1, phi=1.5, slope_sd=0.1, factor=0.3, per_speaker=60)
    harmed = plain.copy()
    there = (harmed["accent"] == "a1") & (harmed["condition"] == "noise")
    errors = harmed["substitutions"] + harmed["insertions"]
    harmed.loc[there, "insertions"] = 2 * errors[there] - harmed["substitutions"]
    assert slope(harmed, "clean", "noise")[0] < 2 * max(slope(plain, "clean", "noise")[0], 0.1)
