"""The probe corpus: synthetic speech in which one documented pronunciation at a time is changed.

A controlled experiment, not a sample of anybody: the same sentences in the same virtual voices appear under
every feature, so that whatever differs between features is the pronunciation. ``data_manifests/probes/``
holds everything that is said and how, and what it can and cannot show.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from augment.recordings import read as read_recording
from augment.resources import Talker, TalkerRecording
from pipeline import tables
from pipeline.artifacts import CorpusRecord
from pipeline.corpora import base, probe_data, shipped
from pipeline.corpora.probe_data import Feature, Prompt, Voice
from pipeline.corpora.synthesis import Clip, Synthesizer, default_folder
from pipeline.errors import did_you_mean

NAME = "probes"
PROVENANCE = "by_construction"
TALKERS = 8
"""At least this many talkers to make babble of, and the same number in every feature."""

RECORDINGS = 5
"""Recordings of each talker: about 25 s."""


class ProbeSettings(BaseModel):
    """Which features, how many voices, how much each voice reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: tuple[str, ...] = ("baseline", "non_rhotic", "kit_fleece_merger", "l_r_merger", "th_stopping")
    voices: Annotated[int, Field(ge=1)] | tuple[str, ...] = 10
    """how many, or which"""
    prompts_per_voice: int = Field(default=1, ge=1)
    seed: int = 0
    """which voice reads which prompts"""
    reference_accent: str = "baseline"
    """the feature that ``stats.reference_accent`` takes unless it is set"""
    public: bool = True
    """it has no speakers: the publication floor of the card is off unless the card sets one"""
    cache_dir: Path | None = None
    """where synthesized speech is kept; null: the user's cache folder"""

    @field_validator("features")
    @classmethod
    def _documented(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known_once(value, list(probe_data.features().by_id()))

    @field_validator("voices")
    @classmethod
    def _existing(cls, value: int | tuple[str, ...]) -> int | tuple[str, ...]:
        known = [voice.id for voice in probe_data.voices().study]
        if isinstance(value, int):
            if value > len(known):
                raise ValueError(f"there are {len(known)} voices")
            return value
        return _known_once(value, known)

    @field_validator("prompts_per_voice")
    @classmethod
    def _enough(cls, value: int) -> int:
        if value > (most := len(probe_data.prompts().study)):
            raise ValueError(f"there are {most} prompts")
        return value


class ProbeCorpus:
    """Synthetic utterances: every feature x the same (voice, prompt) pairs."""

    Settings: ClassVar[type[BaseModel]] = ProbeSettings
    has_audio: ClassVar[bool] = True

    def __init__(self, settings: ProbeSettings) -> None:
        """Keep the settings; nothing is synthesized before ``load``."""
        self.settings = settings
        folder = settings.cache_dir
        self._synthesizer = Synthesizer(default_folder() if folder is None else folder.expanduser())

    @property
    def name(self) -> str:
        """Always ``probes``."""
        return NAME

    def load(self) -> base.Loaded:
        """Synthesize what the cache lacks and return every utterance; nothing is ever excluded.

        Raises:
            MissingPrerequisite: if the synthesizer is not installed or the cache cannot be written.
        """
        known = probe_data.features().by_id()
        items = [(known[name], voice, prompt) for name in self.settings.features for voice, prompt in self.readings()]
        files = self._synthesizer.files([self.clip(*item) for item in items])
        rows = [
            _utterance(feature, voice, prompt)
            | {
                "audio": path.name,
                "audio_sha256": info.sha256,
                "sample_rate_hz": info.sample_rate_hz,
                "duration_s": info.duration_s,
            }
            for (feature, voice, prompt), (path, info) in zip(items, files, strict=True)
        ]
        rows.sort(key=lambda row: row["utterance_id"])
        return base.Loaded(tables.build(rows, tables.Utterances, where=f"corpus '{NAME}'"), [], len(rows))

    def listing(self) -> base.Listed:
        """Return who reads what, without synthesizing anything."""
        known, names = probe_data.features().by_id(), tables.columns(tables.Listing)
        said = [_utterance(known[name], *reading) for name in self.settings.features for reading in self.readings()]
        said.sort(key=lambda row: row["utterance_id"])
        kept = [{name: row[name] for name in names} for row in said]
        return base.Listed(tables.build(kept, tables.Listing, where=f"corpus '{NAME}'"), 0)

    def readings(self) -> list[tuple[Voice, Prompt]]:
        """Return who reads what; the same under every feature.

        The prompts are put in an order that the seed decides and dealt out: the voices read different prompts
        until all are used up, and further voices change nothing for the ones before.
        """
        settings = self.settings
        order = sorted(probe_data.prompts().study, key=lambda prompt: _digest(settings.seed, prompt.id))
        chosen = probe_data.first_or_named(probe_data.voices().study, settings.voices)
        count = settings.prompts_per_voice
        return [(voice, order[(v * count + k) % len(order)]) for v, voice in enumerate(chosen) for k in range(count)]

    def clip(self, feature: Feature, voice: Voice, prompt: Prompt) -> Clip:
        """Return what is to be synthesized. The noise is the voice's and prompt's: features share it."""
        rewritten = tuple(probe_data.features().apply(feature, part) for part in prompt.phonemes)
        noise = int.from_bytes(_digest(self.settings.seed, voice.id, prompt.id)[:4], "big")
        return Clip(prompt.text, rewritten, voice.scale, voice.speed, noise)

    def record(self) -> CorpusRecord:
        """Return what the probes are."""
        return CorpusRecord(
            name=NAME,
            description=(
                "Synthetic speech. Each group is one documented pronunciation feature, applied to every word it fits; "
                "the same sentences and virtual voices appear under every feature. A speaker is a voice within a "
                "feature, so each voice counts once in every group; intervals over all groups take the voice as the "
                "unit. It shows which pronunciations cost words and says nothing about any people."
            ),
            synthetic=True,
            style="synthetic",
            label_kind="pronunciation_feature",
            label_provenance=PROVENANCE,
            licence="Apache-2.0",
            citation="",
            redistribute_text=True,
            redistribute_audio=True,
            public=self.settings.public,
        )

    def inputs(self) -> tuple[Path, ...]:
        """Return what is said, how, and by which voices."""
        return tuple(shipped.DATA_MANIFESTS / "probes" / f"{name}.yaml" for name in ("prompts", "features", "voices"))

    def audio_path(self, audio: str) -> Path:
        """Return the file of an ``audio`` cell."""
        return self._synthesizer.folder / audio

    def talkers(self, utterances: pd.DataFrame) -> tuple[Talker, ...]:
        """Return talkers with voices and prompts that no utterance has, as many in every feature studied."""
        studied = sorted(set(utterances["accent"]))
        items = _babble([probe_data.features().by_id()[name] for name in studied])
        clips = [self.clip(feature, voice, prompt) for feature, voice, read in items for prompt in read]
        files = iter(self._synthesizer.files(clips))
        return tuple(
            Talker(
                talker_id=f"{feature.id}/{voice.id}",
                accent=feature.id,
                group=voice.id,
                recordings=tuple(
                    TalkerRecording(sha256=info.sha256, load=partial(read_recording, path, sha256=info.sha256))
                    for path, info in islice(files, len(read))
                ),
            )
            for feature, voice, read in items
        )

    def group_of(self, row: Mapping[str, Any]) -> str:
        """Return the virtual voice of one utterance, whatever its feature."""
        return base.group_of(row)


def _utterance(feature: Feature, voice: Voice, prompt: Prompt) -> dict[str, Any]:
    return {
        "utterance_id": f"probe_{feature.id}_{voice.id}_{prompt.id}",
        "corpus": NAME,
        "speaker_id": f"{feature.id}/{voice.id}",
        "accent": feature.id,
        "raw_accent": feature.id,
        "reference": prompt.text,
        "synthetic": True,
        "label_provenance": PROVENANCE,
        base.VOICE: voice.id,
    }


def _babble(features: Sequence[Feature]) -> list[tuple[Feature, Voice, list[Prompt]]]:
    """Deal held-out voices and prompts to the features, so that neighbors in the list share as little as possible."""
    voices, prompts = probe_data.voices().babble, probe_data.prompts().babble
    each = max(2, math.ceil(TALKERS / max(1, len(features))))
    return [
        (feature, voices[t % len(voices)], [prompts[(t + k) % len(prompts)] for k in range(RECORDINGS)])
        for t, feature in enumerate(feature for feature in features for _ in range(each))
    ]


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16, person=b"probes").digest()


def _known_once(names: tuple[str, ...], known: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"'{unknown[0]}' is not one.{did_you_mean(unknown[0], known)}")
    if not names or len(set(names)) < len(names):
        raise ValueError("name at least one, and each only once")
    return names
