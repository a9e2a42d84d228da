"""A backend that errs at known rates per accent and condition, so that a whole study can be checked to the word.

Each utterance is a script drawn from BLAKE2b(seed, utterance, condition, word index): the same for every
batch, order and machine. The planted counts are exactly what a minimal word alignment finds:

* put-in words are made up (letters only, ``zq...``) and equal no word of the reference;
* one utterance has deletions or insertions, never both. With n reference words, s substitutions, d deletions,
  an alignment has at most n - s - d hits, so it costs at least s + d, and reaches that only with exactly
  s substitutions, d deletions and no insertion; likewise with i insertions instead. Repeated words change nothing.

"Word" is what ``str.split`` gives; a normalizer that rewrites the reference (numbers, contractions) moves the counts.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.asr.base import Hypothesis, Request
from pipeline.records import ErrorCounts, Status

SCRIPT_VERSION = "1"
"""Changes when the same settings would give other words."""

ANY = "*"
"""Stands for every accent, or every condition, that is not named."""

_HEADROOM = 1e-9


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Rates(_Frozen):
    """Expected errors per reference word. Insertions may pass 1; substitutions + deletions may not."""

    substitution: float = Field(0.0, ge=0, le=1)
    deletion: float = Field(0.0, ge=0, le=1)
    insertion: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        lost = self.substitution + self.deletion
        if lost > 1 + _HEADROOM or (self.insertion > 0 and self.deletion > 0 and lost > 1 - _HEADROOM):
            raise ValueError(
                f"substitution + deletion is {lost:g}; it must be at most 1, and below 1 where there are deletions"
                " and insertions (an utterance has one or the other)"
            )
        return self

    @property
    def wer(self) -> float:
        """Expected word error rate."""
        return self.substitution + self.deletion + self.insertion


class ScriptedSettings(_Frozen):
    """Rates by accent, then condition; ``*`` is any other. An accent's ``*`` comes before the condition's own name."""

    rates: Mapping[str, Mapping[str, Rates]] = Field(min_length=1)
    speaker_log_sd: float = Field(0.0, ge=0)
    """Spread of the natural log of each speaker's own multiplier (mean 1, the same under every condition)."""
    seed: int = 0
    label: str = Field("planted", min_length=1)
    batch_size: int = Field(64, ge=1)

    def rates_of(self, accent: str, condition: str) -> Rates:
        """Return the rates of accent and condition, accent and ``*``, ``*`` and condition, or both ``*``; else zero."""
        for name in (accent, ANY):
            row = self.rates.get(name, {})
            if condition in row or ANY in row:
                return row.get(condition) or row[ANY]
        return Rates()


@dataclass(frozen=True, slots=True)
class Script:
    """The words to say in place of each reference word, and the counts that this plants."""

    spoken: tuple[str, ...]
    counts: ErrorCounts


def script(request: Request, settings: ScriptedSettings) -> Script:
    """Write the script of one trial: its words and its exact error counts."""
    words = request.reference.split()
    rates = _of_speaker(request, settings)
    place = (settings.seed, request.utterance_id, request.condition)
    deletion, insertion = _one_kind(rates, _uniform("kind", *place))
    taken = set(words)
    spoken: list[str] = []
    hits = substitutions = deletions = insertions = 0
    for index, word in enumerate(words):
        draw = _uniform("word", *place, index)
        if draw < rates.substitution:
            spoken.append(_made_up(taken, *place, index, "instead"))
            substitutions += 1
        elif draw < rates.substitution + deletion:
            deletions += 1
        else:
            spoken.append(word)
            hits += 1
        extra = math.floor(insertion + _uniform("after", *place, index))
        spoken.extend(_made_up(taken, *place, index, number) for number in range(extra))
        insertions += extra
    return Script(tuple(spoken), ErrorCounts(hits, substitutions, deletions, insertions))


def _of_speaker(request: Request, settings: ScriptedSettings) -> Rates:
    """Scale the rates by exp(sd z - sd^2 / 2), z standard normal by accent and speaker: a log-normal of mean 1.

    Held so that substitutions + deletions stay possible: planted rates near 1 with a wide spread come out lower.
    """
    rates = settings.rates_of(request.accent, request.condition)
    if settings.speaker_log_sd == 0 or request.speaker_id is None:
        return rates
    z = NormalDist().inv_cdf(_uniform("speaker", settings.seed, request.accent, request.speaker_id) or 2**-54)
    factor = math.exp(settings.speaker_log_sd * z - settings.speaker_log_sd**2 / 2)
    lost = rates.substitution + rates.deletion
    factor_lost = min(factor, (1 - 2 * _HEADROOM) / lost) if lost else factor
    return Rates(
        substitution=rates.substitution * factor_lost,
        deletion=rates.deletion * factor_lost,
        insertion=rates.insertion * factor,
    )


def _one_kind(rates: Rates, draw: float) -> tuple[float, float]:
    """Return this utterance's deletion and insertion rates: one is 0, the other raised to keep its expectation.

    A share p of utterances deletes at deletion / p, the rest insert at insertion / (1 - p).
    """
    if rates.deletion == 0 or rates.insertion == 0:
        return rates.deletion, rates.insertion
    fair = rates.deletion / (rates.deletion + rates.insertion)
    share = max(fair, rates.deletion / (1 - rates.substitution))
    return (rates.deletion / share, 0.0) if draw < share else (0.0, rates.insertion / (1 - share))


def _uniform(*key: object) -> float:
    """Return a number in [0, 1) that hangs on ``key`` alone."""
    return (_hashed(*key) >> 11) / 2**53


def _hashed(*key: object) -> int:
    text = json.dumps(key, ensure_ascii=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _made_up(taken: set[str], *key: object) -> str:
    number, letters = _hashed("made up", *key) % 26**5, ""
    for _ in range(5):
        number, letter = divmod(number, 26)
        letters += chr(ord("a") + letter)
    word = f"zq{letters}"  # letters only: a normalizer may part letters from digits
    while word in taken:
        word += "q"
    return word


class Scripted:
    """The scripted backend."""

    Settings: ClassVar[type[BaseModel]] = ScriptedSettings
    needs_audio: ClassVar[bool] = False

    def __init__(self, settings: ScriptedSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """``scripted:`` and the label."""
        return f"scripted:{self._settings.label}"

    @property
    def batch_size(self) -> int:
        """Trials per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """Always ``cpu``."""
        return "cpu"

    def prepare(self) -> None:
        """Nothing to find."""

    def fingerprint(self) -> dict[str, str]:
        """Return the script's version and every setting that changes a word."""
        settings = self._settings.model_dump(exclude={"label", "batch_size"})
        return {"kind": "scripted", "version": SCRIPT_VERSION} | {
            name: json.dumps(value, sort_keys=True) for name, value in settings.items()
        }

    def load(self) -> None:
        """Nothing to load."""

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Say each trial's script."""
        return [Hypothesis(" ".join(script(request, self._settings).spoken), Status.OK) for request in batch]

    def expected_counts(self, request: Request) -> ErrorCounts:
        """Return the exact counts planted in one trial."""
        return script(request, self._settings).counts

    def close(self) -> None:
        """Nothing to release."""
