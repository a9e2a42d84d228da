"""Utterances x conditions to trials: what will be heard, decided before any audio is rendered.

In: Utterances, conditions. Out: Trials, with a plan of integers and file hashes. Excludes: a recording too long to be
rendered whole, and an utterance that a condition cannot be planned for (no babble track without its own voice).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from augment import SAMPLE_RATE_HZ
from augment.chain import Acoustics, Condition, PlanInput
from augment.errors import ConditionError
from augment.plan import SlotInput, assign_slots
from augment.resources import Resources
from pipeline import tables
from pipeline.artifacts import sha256_of
from pipeline.corpora.base import Corpus
from pipeline.errors import ConfigError
from pipeline.records import Exclusion, Reason

NAME = "plan_trials"


def plan_trials(
    utterances: pd.DataFrame,
    conditions: Sequence[Condition],
    *,
    corpus: Corpus,
    resources: Resources | None,
    acoustics: Acoustics,
    seed: int,
) -> tuple[pd.DataFrame, list[Exclusion]]:
    """Plan every utterance under every condition.

    ``resources`` is None for a recognizer that hears no audio: its trials have empty plans.

    Raises:
        ConfigError: naming every condition that cannot be made with this corpus.
    """
    if resources is not None:
        _check(conditions, resources)
    slots = _slots(utterances, acoustics, seed)
    rows, excluded = [], []
    for utterance in tables.rows(utterances):
        for condition in conditions:
            slot = slots[utterance["utterance_id"]]
            if resources is not None and utterance["duration_s"] > acoustics.longest_s:
                excluded.append(_too_long(utterance, condition, acoustics))
                continue
            try:
                plan = {} if resources is None else _plan(condition, utterance, slot, corpus, resources)
            except ConditionError as error:
                detail = str(error)
                excluded.append(Exclusion(NAME, utterance["utterance_id"], condition.name, Reason.NO_TALKER, detail))
                continue
            rows.append(_trial(utterance, condition, slot, plan, seed))
    return tables.build(rows, tables.Trials, where=NAME), excluded


def _too_long(utterance: Mapping[str, Any], condition: Condition, acoustics: Acoustics) -> Exclusion:
    detail = (
        f"the recording lasts {utterance['duration_s']:.0f} s, longer than acoustics.longest_s "
        f"({acoustics.longest_s:g}), and would be rendered whole; cut it into utterances, or raise that limit where "
        "there is the memory"
    )
    return Exclusion(NAME, utterance["utterance_id"], condition.name, Reason.TOO_LONG, detail)


def _check(conditions: Sequence[Condition], resources: Resources) -> None:
    mistakes = []
    for condition in conditions:
        try:
            condition.check(resources)
        except ConditionError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigError("Conditions that cannot be made with this corpus: " + " | ".join(mistakes))


def _slots(utterances: pd.DataFrame, acoustics: Acoustics, seed: int) -> dict[str, int]:
    columns = utterances[["utterance_id", "accent", "reference"]].itertuples(index=False, name=None)
    inputs = [SlotInput(utterance_id, accent, reference) for utterance_id, accent, reference in columns]
    return assign_slots(inputs, by=acoustics.pairing, slots=acoustics.slots, seed=seed)


def _plan(
    condition: Condition, utterance: dict[str, object], slot: int, corpus: Corpus, resources: Resources
) -> dict[str, object]:
    samples = _samples_16k(float(str(utterance["duration_s"])), int(str(utterance["sample_rate_hz"])))
    target = PlanInput(str(utterance["utterance_id"]), corpus.group_of(utterance), samples)
    return dict(condition.plan(target, slot, resources))


def _samples_16k(duration_s: float, sample_rate_hz: int) -> int:
    """Return how many samples the recording has when it is read: resamplers round half a sample up.

    In whole frames, because one sample more or less can be one packet more or less that may be lost.
    """
    frames = round(duration_s * sample_rate_hz)
    return (2 * frames * SAMPLE_RATE_HZ + sample_rate_hz) // (2 * sample_rate_hz)


def _trial(
    utterance: dict[str, object], condition: Condition, slot: int, plan: dict[str, object], seed: int
) -> dict[str, object]:
    # id and name are part of the key: equal audio, or equal conditions under two names, stay two trials
    sha256 = utterance["audio_sha256"]
    audio = sha256 if isinstance(sha256, str) else None  # a corpus without audio
    key = [utterance["utterance_id"], audio, condition.name, condition.definition, plan, seed]
    return {
        "utterance_id": utterance["utterance_id"],
        "condition": condition.name,
        "trial_key": sha256_of(key),
        "slot": slot,
        "plan": json.dumps(plan, sort_keys=True),
    }
