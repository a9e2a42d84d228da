"""What a rendering lost: in all, inside active speech, and at a stretch."""

import numpy as np
from numpy.typing import NDArray

from augment import SAMPLE_RATE_HZ
from augment.errors import ConditionError
from augment.loss.pattern import LossSettings, losses_asked
from augment.step import Promise


def loss_measures(lost: NDArray[np.bool_], *, packet_s: float, active: NDArray[np.bool_]) -> dict[str, float]:
    """Return ``loss_share``, ``loss_active_share`` and ``longest_loss_s``.

    Args:
        lost: for each packet whether it is lost.
        packet_s: length of a packet.
        active: for each sample at 16 kHz whether the talker is active.

    Returns:
        ``loss_active_share`` is the share of the active samples that lie in lost packets; no such key where nothing
        is active.
    """
    packet_samples = round(packet_s * SAMPLE_RATE_HZ)
    missing = np.zeros(active.size, dtype=np.bool_)
    held = np.repeat(lost, packet_samples)[: active.size]
    missing[: held.size] = held
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lost, [False]])))
    measures = {
        "loss_share": float(np.mean(lost)) if lost.size else 0.0,
        "longest_loss_s": packet_s * int(np.max(edges[1::2] - edges[0::2], initial=0)),
    }
    spoken = int(np.count_nonzero(active))
    if spoken:
        measures["loss_active_share"] = int(np.count_nonzero(missing & active)) / spoken
    return measures


def loss_promises(settings: LossSettings, lost: NDArray[np.bool_]) -> tuple[Promise, ...]:
    """Return what a rendering must keep: with ``exact``, the number of lost packets.

    Raises:
        ConditionError: if nothing is lost at a rate above 0, because the rendering would be a clean one.
    """
    count = int(np.count_nonzero(lost))
    if settings.exact:
        asked = losses_asked(settings, lost.size)
        return (Promise("the number of lost packets", asked=asked, got=count, tolerance=0.0),)
    if settings.rate and not count:
        raise ConditionError(
            f"none of the {lost.size} packets is lost at rate {settings.rate:g}, so this rendering would be a clean "
            "one: say 'exact: true', or use longer recordings"
        )
    return ()
