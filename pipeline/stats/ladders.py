"""Which conditions are one noise at several SNRs: a ladder, whose rungs differ in nothing else."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

NOISE, SNR = "add_noise", "snr_db"


@dataclass(frozen=True, slots=True)
class Ladder:
    """One noise and its conditions with the SNR that each asks for, lowest first."""

    noise: str
    rungs: tuple[tuple[str, float], ...]


def ladders(conditions: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[Ladder, ...]:
    """Return the ladders among conditions given as name -> steps, each step its ``kind`` and all of its settings.

    Only a condition with exactly one noise can be a rung, and no SNR may be there twice: of two conditions that ask for
    the same one, the first label counts. A ladder is called after what the names of its rungs begin with alike.
    """
    alike: dict[str, dict[float, str]] = defaultdict(dict)
    for name in sorted(conditions):
        steps = [dict(step) for step in conditions[name]]
        noises = [step for step in steps if step.get("kind") == NOISE]
        if len(noises) == 1 and isinstance(noises[0].get(SNR), int | float):
            snr_db = float(noises[0].pop(SNR))
            alike[json.dumps(steps, sort_keys=True, default=str)].setdefault(snr_db, name)
    found = [tuple((name, snr_db) for snr_db, name in sorted(rungs.items())) for rungs in alike.values()]
    several = sorted(one for one in found if len(one) > 1)
    short = Counter(_begin_alike([name for name, _ in one]) for one in several)
    return tuple(Ladder(_called([name for name, _ in one], short), one) for one in several)


def _called(names: Sequence[str], short: Mapping[str, int]) -> str:
    begin = _begin_alike(names)
    return begin if begin and short[begin] == 1 else "+".join(names)


def _begin_alike(names: Sequence[str]) -> str:
    letters = takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False))
    return "".join(column[0] for column in letters).rstrip("_.-+0123456789")
