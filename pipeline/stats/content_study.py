"""The accents that may be compared under one condition, what they read, and which strata it falls into."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.stats.content import Counted, Deleted, mixes, overlaps, samples
from pipeline.stats.counts import KINDS, BoolArray, FloatArray, Group, IntArray, has_words, is_ranked
from pipeline.stats.paired import COUNTED_BY
from pipeline.stats.settings import StatsSettings
from pipeline.stats.strata import strata

SAME_TEXTS = 0.95
"""Texts count as the same by design where every compared accent has at least this share of its words in common."""
MIN_IN_STRATUM = 2
"""Speakers, and texts where they differ, that each accent needs in a stratum: without the only one nothing is left."""


@dataclass(frozen=True, eq=False)
class ContentStudy:
    """The ranked accents under one condition, two at least.

    ``stratum`` holds codes of ``names``, which is empty where no strata are declared; ``reference`` is the index of the
    accent that all others are compared with, None where each is compared with the rest.
    """

    given: Counted
    groups: tuple[Group, ...]
    stratum: IntArray
    names: tuple[str, ...]
    reference: int | None
    settings: StatsSettings

    @cached_property
    def weights(self) -> FloatArray:
        """Row by row the weights of what an accent is compared with, shape (accents, accents)."""
        n = len(self.groups)
        if self.reference is None:
            return (np.ones((n, n)) - np.eye(n)) / (n - 1)
        return np.tile(np.eye(n)[self.reference], (n, 1))

    @cached_property
    def overlaps(self) -> FloatArray:
        """How much of its texts each accent has in common with what it is compared with, shape (accents,)."""
        return overlaps(self.given, self.weights)

    @property
    def same_texts(self) -> bool:
        """Whether all compared accents read the same texts, in the same proportions."""
        return bool(self.overlaps.min() >= SAME_TEXTS)

    @cached_property
    def sampled(self) -> tuple[Deleted, ...]:
        """What varies by chance: speakers, and texts where they differ."""
        return samples(self.given, texts=not self.same_texts)

    @cached_property
    def readers(self) -> BoolArray:
        """Which accents have which texts, shape (accents, texts)."""
        found = np.zeros((len(self.groups), int(self.given.text.max()) + 1), dtype=bool)
        found[self.given.accent, self.given.text] = True
        return found

    def compared(self, place: int) -> IntArray:
        """Return the indices of the accent at ``place`` and of those that it is compared with, ascending."""
        return np.flatnonzero((self.weights[place] > 0) | (np.arange(len(self.groups)) == place)).astype(np.int64)

    def enough(self, kept: BoolArray, compared: IntArray) -> bool:
        """Return whether each of ``compared`` still may be compared on the utterances ``kept``."""
        given = self.given
        for accent in compared.tolist():
            chosen = kept & (given.accent == accent)
            words = np.bincount(given.speaker[chosen], weights=given.words[chosen]).astype(np.int64)
            if not is_ranked(words[words > 0], all_named=True, min_speakers=self.settings.min_speakers):
                return False
        return True

    def restricted(self, kept: BoolArray, compared: IntArray) -> Counted:
        """Return the utterances ``kept`` of ``compared`` accents, whose codes are then their places in ``compared``."""
        part = self.given.taken(kept & np.isin(self.given.accent, compared))
        accents = tuple(self.groups[accent].accent for accent in compared)
        text = np.unique(part.text, return_inverse=True)[1]
        return replace(part, accents=accents, accent=np.searchsorted(compared, part.accent).astype(np.int64), text=text)

    def supported(self) -> BoolArray:
        """Return which accents have enough speakers, and texts where these differ, in which strata."""
        given, shape = self.given, (len(self.groups), len(self.names))
        found = np.ones(shape, dtype=bool)
        for clusters in (given.speaker, given.text)[: 1 if self.same_texts else 2]:
            cells = np.unique(np.stack([given.accent, self.stratum, clusters]), axis=1)
            counts = np.bincount(cells[0] * shape[1] + cells[1], minlength=shape[0] * shape[1])
            found &= counts.reshape(shape) >= MIN_IN_STRATUM
        return found

    def mix(self, stratum: IntArray, words: IntArray) -> FloatArray:
        """Return the share of ``words`` in each stratum, all accents pooled as they come, shape (strata,)."""
        return mixes(stratum, np.zeros_like(stratum), words, 1).ravel()


def coded(part: pd.DataFrame, utterances: pd.DataFrame, settings: StatsSettings) -> pd.DataFrame:
    """Return scores with reference words, in a fixed order.

    With codes of their text and of their speaker (nested in accents), their stratum, errors and words.
    """
    # rows are put in their order as numbers: a million texts are not moved for it
    places = np.flatnonzero(has_words(part).to_numpy(dtype=bool))
    codes = [pd.factorize(part[name].iloc[places], sort=True)[0] for name in ("condition", "utterance_id")]
    places = places[np.lexsort(codes)]
    worded = part[[*COUNTED_BY, *KINDS]].iloc[places]
    return worded.assign(
        stratum=strata(worded, utterances, settings.strata, settings.length_bands),
        # numbered as they come in the fixed order
        text=pd.factorize(pd.factorize(part["normalized_reference"])[0][places])[0],
        # nested: two accents may use one name for two people
        speaker=_nested(worded["accent"], worded["speaker_id"]),
        errors=worded["substitutions"] + worded["deletions"] + worded["insertions"],
        words=worded["hits"] + worded["substitutions"] + worded["deletions"],
    )


def _nested(outer: "pd.Series[str]", inner: "pd.Series[str]") -> IntArray:
    codes, among = (pd.factorize(names)[0].astype(np.int64) for names in (outer, inner))
    return codes * (int(among.max(initial=0)) + 2) + among


def content_study(ranked: Sequence[Group], rows: pd.DataFrame, settings: StatsSettings) -> ContentStudy:
    """Lay out what the accents ``ranked`` read; ``rows`` are those of one condition, from ``coded``."""
    at = {one.accent: place for place, one in enumerate(ranked)}
    kept = rows[rows["accent"].isin(at)]
    accent = np.asarray(kept["accent"].map(at), dtype=np.int64)
    stratum, names = pd.factorize(kept["stratum"], sort=True)
    given = Counted(
        accents=tuple(at),
        accent=accent,
        speaker=np.unique(kept["speaker"], return_inverse=True)[1].astype(np.int64),
        text=np.unique(kept["text"], return_inverse=True)[1].astype(np.int64),
        stratum=np.zeros(len(kept), dtype=np.int64),
        errors=kept["errors"].to_numpy(dtype=np.int64),
        words=kept["words"].to_numpy(dtype=np.int64),
        mix=np.ones(1),
    )
    return ContentStudy(
        given=given,
        groups=tuple(ranked),
        stratum=stratum.astype(np.int64),
        names=tuple(map(str, names)) if settings.strata else (),
        reference=at.get(settings.reference_accent or ""),
        settings=settings,
    )
