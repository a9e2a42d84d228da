"""What is measured of an utterance: once for all conditions, and the talker alone apart from any noise."""

import numpy as np
import pytest

from augment import source as module
from augment.errors import NoActiveSpeechError
from augment.level import active_speech_level, weight
from augment.source import Source, Speech

FS = 16_000


def bursts(seed=0, on_s=1.0, off_s=1.0, count=4):
    """Noise bursts: speech whose activity is known."""
    rng = np.random.RandomState(seed)
    one = np.concatenate([0.1 * rng.randn(round(on_s * FS)), np.zeros(round(off_s * FS))])
    return np.tile(one, count)


def test_an_utterance_is_brought_to_a_level_once_whatever_the_number_of_conditions(monkeypatch):
    calls = []
    real = module.gain_to_level
    monkeypatch.setattr(module, "gain_to_level", lambda *args, **named: calls.append(1) or real(*args, **named))
    utterance = Source(bursts())
    speech, before = utterance.leveled(-26.0)
    assert utterance.leveled(-26.0) == (speech, before)
    assert len(calls) == 1
    assert active_speech_level(speech.samples, FS).level_dbov == pytest.approx(-26.0, abs=0.002)
    assert before.level_dbov == pytest.approx(active_speech_level(bursts(), FS).level_dbov)
    assert utterance.leveled(-40.0)[0].level().level_dbov == pytest.approx(-40.0, abs=0.002)


def test_levels_are_measured_when_asked_and_once(monkeypatch):
    calls = []
    real = module.active_speech_level
    monkeypatch.setattr(module, "active_speech_level", lambda *args: calls.append(1) or real(*args))
    speech = Speech(bursts())
    assert not calls
    levels = speech.levels()
    assert speech.levels() == levels
    assert len(calls) == 4
    assert levels["a"] == active_speech_level(weight(bursts(), FS, "a"), FS)


def test_a_weighting_under_which_nothing_is_active_has_no_level():
    hum = Speech(0.2 * np.sin(2 * np.pi * 60 * np.arange(2 * FS) / FS) * np.hanning(2 * FS))
    assert "g712" not in hum.levels()
    assert "a" in hum.levels()
    with pytest.raises(NoActiveSpeechError, match="'g712'"):
        hum.level("g712")


def test_the_activity_mask_covers_the_bursts_and_their_hangover_and_nothing_else():
    mask = Speech(bursts()).activity_mask()
    for start in range(0, 8 * FS, 2 * FS):
        assert mask[start + FS // 10 : start + FS].all()
        assert mask[start + FS : start + FS + round(0.19 * FS)].all()  # 0.2 s of hangover and the envelope's decay
        assert not mask[start + round(1.5 * FS) : start + 2 * FS].any()


@pytest.mark.parametrize("gain", [0.01, 1.0, 3.0])
def test_the_activity_mask_is_the_activity_that_p56_reports_at_any_level(gain):
    signal = gain * bursts(1, 0.7, 0.6, 6)
    mask = Speech(signal).activity_mask()
    assert np.mean(mask) == pytest.approx(active_speech_level(signal, FS).activity, abs=0.01)


def test_silence_is_active_nowhere():
    assert not Speech(np.zeros(FS)).activity_mask().any()


def test_the_leveled_speech_cannot_be_changed_by_a_step():
    speech, _ = Source(bursts()).leveled(-26.0)
    with pytest.raises(ValueError, match="read-only"):
        speech.samples[0] = 1.0
