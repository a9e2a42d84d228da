"""What a plan knows of an utterance is what the renderer will find."""

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from augment.recordings import probe, read
from pipeline.stages.plan_trials import _samples_16k

RATES_HZ = (8_000, 11_025, 12_345, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(rate_hz=st.sampled_from(RATES_HZ), frames=st.integers(400, 200_000))
@example(rate_hz=32_000, frames=114_885)  # 57442.5 samples: rounded to even, a packet could be missing
@example(rate_hz=48_000, frames=3)
def test_the_planned_length_is_that_of_the_recording_as_it_is_read(
    tmp_path_factory: pytest.TempPathFactory, rate_hz: int, frames: int
) -> None:
    path = tmp_path_factory.mktemp("length") / "x.wav"
    soundfile.write(path, np.full(frames, 0.1, dtype=np.float32), rate_hz)
    assert _samples_16k(probe(path).duration_s, rate_hz) == read(path).size
