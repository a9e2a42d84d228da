"""What a rendering reports of its losses, counted by hand."""

import numpy as np
import pytest

from augment.errors import ConditionError
from augment.loss.measure import loss_measures, loss_promises
from augment.loss.pattern import LossSettings

LOST = np.array([False, True, True, False, False, True, False, False, False, False])


def test_shares_are_of_packets_and_of_active_samples():
    active = np.zeros(3200, dtype=bool)
    active[480:1280] = True  # half of packet 1, all of 2 and 3
    measures = loss_measures(LOST, packet_s=0.02, active=active)
    assert measures == {
        "loss_share": pytest.approx(0.3),
        "longest_loss_s": pytest.approx(0.04),
        "loss_active_share": pytest.approx((160 + 320) / 800),
    }


def test_where_nobody_speaks_no_share_of_speech_is_lost_or_kept():
    assert "loss_active_share" not in loss_measures(LOST, packet_s=0.02, active=np.zeros(3200, dtype=bool))


@pytest.mark.parametrize("length", [2881, 3199, 3200, 3300])
def test_a_partly_filled_last_packet_and_a_codecs_rounding_do_no_harm(length):
    active = np.ones(length, dtype=bool)
    share = loss_measures(LOST, packet_s=0.02, active=active)["loss_active_share"]
    assert share == pytest.approx(960 / length)


def test_a_clip_without_losses_reports_zeros():
    measures = loss_measures(np.zeros(10, dtype=bool), packet_s=0.03, active=np.ones(4800, dtype=bool))
    assert set(measures.values()) == {0.0}


def test_an_exact_loss_promises_its_count():
    settings = LossSettings(rate=0.3)
    (kept,) = loss_promises(settings, LOST)
    assert kept.kept
    (broken,) = loss_promises(settings, LOST & (np.arange(10) < 3))
    assert (broken.asked, broken.got, broken.kept) == (3, 2, False)
    (nothing,) = loss_promises(LossSettings(rate=0.001), np.zeros(10, dtype=bool))
    assert not nothing.kept
    (none_asked,) = loss_promises(LossSettings(rate=0.0), np.zeros(10, dtype=bool))
    assert none_asked.kept


def test_a_loss_by_luck_that_loses_nothing_is_refused():
    settings = LossSettings(rate=0.01, exact=False)
    with pytest.raises(ConditionError, match=r"none of the 10 packets is lost at rate 0\.01.*say 'exact: true'"):
        loss_promises(settings, np.zeros(10, dtype=bool))
    assert loss_promises(settings, LOST) == ()
    assert loss_promises(LossSettings(rate=0.0, exact=False), np.zeros(10, dtype=bool)) == ()
