"""Defects about sound that were found in other programs for the same purpose, each as a test of this one."""

import numpy as np
import pytest

from augment.chain import PlanInput

FS = 16_000


def test_toolkits_that_draw_an_snr_per_file_the_condition_is_a_constant_of_the_cell_and_measured_per_file(
    shipped, shared_resources, speechlike
):
    condition, found = shipped("babble_10"), []
    for number in range(8):
        x = speechlike(number, 1.5 + 0.3 * number, level=0.02 * (number + 1))
        plan = condition.plan(PlanInput(f"u{number}", "outsider", x.size), number, shared_resources)
        found.append(condition.render(x, plan, shared_resources).realised.snr_a_db)
    # each rendering says what it came out as, and all came out as the name says
    assert found == pytest.approx([10.0] * 8, abs=0.05)


def test_a_chain_that_passes_on_the_first_rate_after_a_resampling_16_to_8_to_16_khz_keeps_length_and_band(
    build, shared_resources, speechlike
):
    # the step behind the resampling has to meet samples at the study's own rate: its corner stays where it is named
    steps = [{"kind": "resample", "rate_hz": 8000}, {"kind": "filter", "low_pass_hz": 2000}]
    x = speechlike(2, 3.0).astype(np.float64)
    x += 0.05 * np.sin(2 * np.pi * 6000 * np.arange(x.size) / FS)
    narrow = _rendered(build("narrow", {"steps": steps[:1]}), x, shared_resources)
    both = _rendered(build("both", {"order": "free", "steps": steps}), x, shared_resources)
    assert narrow.size == both.size == x.size
    assert _power(narrow, 4200, 8000) < 1e-6 * _power(narrow, 100, 3600)
    assert _power(narrow, 2300, 3600) > 1e-4 * _power(narrow, 100, 1800)
    assert _power(both, 2300, 8000) < 1e-6 * _power(both, 100, 1800)


def _rendered(condition, x, resources):
    plan = condition.plan(PlanInput("u", "outsider", x.size), 0, resources)
    return np.asarray(condition.render(x.astype(np.float32), plan, resources).samples, dtype=float)


def _power(x, low_hz, high_hz):
    spectrum, frequency = np.abs(np.fft.rfft(x * np.hanning(x.size))) ** 2, np.fft.rfftfreq(x.size, 1 / FS)
    return spectrum[(frequency >= low_hz) & (frequency < high_hz)].sum()
