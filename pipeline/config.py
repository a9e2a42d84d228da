"""The study as frozen pydantic models, and every mistake in it reported together.

A configuration is data: it names plug-ins, and each plug-in's own settings model says what it takes.
Nothing here imports or calls anything a configuration spells out.
"""

import copy
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from augment.batched import coverage
from augment.chain import Acoustics, Condition, ConditionSettings, build_condition
from augment.errors import ConditionError
from pipeline import plugins
from pipeline.artifacts import sha256_of, user_cache
from pipeline.asr.base import Backend, Placeable
from pipeline.asr.store_settings import StoreSettings
from pipeline.card.gate_settings import GateSettings
from pipeline.card.settings import CardSettings, ListenSettings
from pipeline.corpora.base import Corpus
from pipeline.corpora.frozen import FreezeSettings
from pipeline.corpora.subset_settings import SubsetSettings
from pipeline.errors import ConfigError, StudyError, did_you_mean
from pipeline.registration import chosen_subset
from pipeline.rendering import RenderSettings
from pipeline.stats.audit_settings import AuditSettings
from pipeline.stats.plan_settings import PlanSettings
from pipeline.stats.settings import StatsSettings
from pipeline.text.normalizers import Normalizer

Stage = Literal[
    "load_utterances",
    "plan_trials",
    "transcribe",
    "score",
    "summarize",
    "write_card",
    "listen",
    "describe",
    "store",
    "doctor",
    "plan",
    "manifest",
    "audit",
    "compare",
]
SINGLE: tuple[Stage, ...] = ("listen", "describe", "store", "doctor", "plan", "manifest", "audit", "compare")
"""Each is a command of its own that leaves the run's folder alone."""
STAGES: tuple[Stage, ...] = tuple(stage for stage in get_args(Stage) if stage not in SINGLE)
"""The line from speech to card; a command runs any neighbors."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
"""Of runs and conditions: they become folders, columns and headings."""

M = TypeVar("M", bound=BaseModel)

UPSTREAM = ("seed", "corpus", "subset", "conditions", "asr", "acoustics", "probe")
"""What decides the transcripts; a run that starts from stored transcripts cannot change it."""
DOWNSTREAM = ("normalizer", "stats", "card", "gate")
"""What is recomputed in seconds from stored transcripts."""


class StudySettings(BaseModel):
    """The root of the configuration; sections that belong to plug-ins are checked by their own models."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    run_name: str
    """folder under ``results_dir``; ``scratch`` may be overwritten"""
    results_dir: str = "results"
    cache_dir: str | None = None
    """where transcripts are remembered; null is the user's cache folder"""
    seed: int = Field(ge=0)
    stages: list[Stage] = Field(min_length=1)
    corpus: dict[str, Any]
    subset: dict[str, Any] = Field(default_factory=dict)
    conditions: dict[str, Any] = Field(min_length=1)
    asr: dict[str, Any]
    normalizer: dict[str, Any] = Field(min_length=1)
    acoustics: dict[str, Any]
    probe: Literal["noise_only"] | None = None
    """beside the trials, some of them without their speech: what is said there is invented"""
    render: dict[str, Any] = Field(default_factory=dict)
    devices: list[Annotated[str, StringConstraints(pattern=r"^(cpu|cuda:\d{1,3})$")]] | None = Field(None, min_length=1)
    """a copy of the recognizer works on each, in a process of its own; null: one, in the program itself"""
    stats: dict[str, Any]
    card: dict[str, Any]
    listen: dict[str, Any] = Field(default_factory=dict)
    store: dict[str, Any] = Field(default_factory=dict)
    plan: dict[str, Any] = Field(default_factory=dict)
    manifest: dict[str, Any] = Field(default_factory=dict)
    audit: dict[str, Any] = Field(default_factory=dict)
    gate: dict[str, Any] = Field(default_factory=dict)
    runs: list[str] = Field(default_factory=list)
    """with ``stages=[compare]``: names of runs in ``results_dir``, or folders of runs, from the earlier to the later"""

    @field_validator("run_name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError(f"{value!r} is no folder name; use letters, digits, '.', '_', '-' and '+'")
        return value

    @field_validator("devices")
    @classmethod
    def _of_one_kind(cls, value: list[str] | None) -> list[str] | None:
        if value and len({device.partition(":")[0] for device in value}) > 1:
            raise ValueError(f"{value} mixes cpu and cuda, which do not always give the same words; choose one kind")
        return value

    @field_validator("stages")
    @classmethod
    def _in_order(cls, value: list[Stage]) -> list[Stage]:
        if len(value) == 1 and value[0] in SINGLE:
            return value
        starts = (STAGES[first : first + len(value)] for first in range(len(STAGES)))
        if tuple(value) not in starts:
            raise ValueError(
                f"{list(value)} must be neighbors in this order: {', '.join(STAGES)}; or one of these alone: "
                f"{', '.join(SINGLE)}"
            )
        return value


@dataclass(frozen=True)
class Study:
    """A checked study with everything built and nothing loaded."""

    settings: StudySettings
    corpus: Corpus
    conditions: tuple[Condition, ...]
    acoustics: Acoustics
    render: RenderSettings
    backend: Backend
    normalizers: Mapping[str, Normalizer]
    stats: StatsSettings
    card: CardSettings
    listen: ListenSettings
    store: StoreSettings
    copies: tuple[Backend, ...] = ()
    """of the backend, one for each of ``devices``; empty where it works in the program itself"""
    plan: PlanSettings = field(default_factory=PlanSettings)
    subset: SubsetSettings = field(default_factory=SubsetSettings)
    manifest: FreezeSettings = field(default_factory=FreezeSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    gate: GateSettings = field(default_factory=GateSettings)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files, beside the audio, that decide the utterances."""
        frozen = self.subset.manifest
        return (*self.corpus.inputs(), *([frozen.expanduser()] if frozen else []))

    @property
    def store_path(self) -> Path:
        """Where transcripts are remembered: outside every run, so that runs share them."""
        cache_dir = self.settings.cache_dir
        return (Path(cache_dir) if cache_dir else user_cache()) / "transcripts.sqlite"

    @property
    def sha256(self) -> str:
        """Hash of everything that decides a number or a word of the card."""
        config = self.settings.model_dump(mode="json")
        batched = {"renderer": coverage.VERSION} if self.render.device else {}
        decisive = {name: config[name] for name in UPSTREAM + DOWNSTREAM}
        if not chosen_subset(config):
            del decisive["subset"]  # the whole corpus, as before there were subsets
        if not self.gate.limits:
            del decisive["gate"]  # nothing is decided, as before there were gates
        return sha256_of(decisive | batched)


def over_stored(raw: Mapping[str, Any], stored: Mapping[str, Any], changed: Collection[str]) -> dict[str, Any]:
    """Return ``raw`` with every section that the command did not choose anew taken from the stored run.

    Args:
        raw: the configuration that this command composes.
        stored: the configuration of the stored run.
        changed: the keys that this command overrides, such as ``stats`` or ``stats.min_speakers``.
    """
    merged = dict(raw)
    for section in UPSTREAM + DOWNSTREAM:
        if section in changed or section not in stored:
            continue
        merged[section] = copy.deepcopy(stored[section])
        for key in changed:
            first, *path = key.split(".")
            if first == section and path:
                _copy_value(path, source=raw[section], target=merged[section])
    if "render" in stored and not {"render", "render.device"} & set(changed):
        # the device decided what was transcribed; the rest of the section decides nothing
        merged["render"] = {**_section(raw, "render"), "device": _section(stored, "render").get("device")}
    return merged


def _copy_value(path: list[str], *, source: Any, target: Any) -> None:
    """Copy the value at ``path``; a path that ``source`` lacks is left for the checks that follow.

    Of a section that a run of an earlier version did not have yet, the whole is copied.
    """
    *parents, last = path
    for name in parents:
        if not (isinstance(source, Mapping) and name in source and isinstance(target, dict)):
            return
        if name not in target:
            target[name] = copy.deepcopy(source[name])
            return
        source, target = source[name], target[name]
    if isinstance(source, Mapping) and last in source and isinstance(target, dict):
        target[last] = source[last]


def build(raw: Mapping[str, Any]) -> Study:
    """Check a resolved configuration and build its plug-ins.

    Raises:
        ConfigError: with every mistake found, not only the first.
    """
    mistakes: list[str] = []
    settings = _model(StudySettings, raw, "", mistakes)
    acoustics = _model(Acoustics, _section(raw, "acoustics"), "acoustics.", mistakes)
    render = _model(RenderSettings, _section(raw, "render"), "render.", mistakes)
    stats = _model(StatsSettings, _section(raw, "stats"), "stats.", mistakes)
    card = _model(CardSettings, _section(raw, "card"), "card.", mistakes)
    listen = _model(ListenSettings, _section(raw, "listen"), "listen.", mistakes)
    store = _model(StoreSettings, _section(raw, "store"), "store.", mistakes)
    plan = _model(PlanSettings, _section(raw, "plan"), "plan.", mistakes)
    subset = _model(SubsetSettings, _section(raw, "subset"), "subset.", mistakes)
    manifest = _model(FreezeSettings, _section(raw, "manifest"), "manifest.", mistakes)
    audit = _model(AuditSettings, _section(raw, "audit"), "audit.", mistakes)
    gate = _model(GateSettings, _section(raw, "gate"), "gate.", mistakes)
    for name in _texts(_section(raw, "gate").get("conditions")):
        if name not in _section(raw, "conditions"):
            known = did_you_mean(name, _section(raw, "conditions"))
            mistakes.append(f"gate.conditions: '{name}' is not among the conditions.{known}")
    corpus = _plugin(plugins.CORPORA, _section(raw, "corpus"), "corpus", mistakes)
    backend = _plugin(plugins.BACKENDS, _section(raw, "asr"), "asr", mistakes)
    named = _section(raw, "normalizer")
    normalizers = {name: _plugin(plugins.NORMALIZERS, named[name], f"normalizer.{name}", mistakes) for name in named}
    batched = render is not None and render.device is not None
    conditions = _conditions(_section(raw, "conditions"), acoustics or Acoustics(), mistakes, batched=batched)
    single = settings is not None and settings.stages[0] in SINGLE  # compares nothing, so it needs no reference
    if not single and stats is not None and stats.reference_condition not in _section(raw, "conditions"):
        known = did_you_mean(stats.reference_condition, _section(raw, "conditions"))
        mistakes.append(f"stats.reference_condition: '{stats.reference_condition}' is not among the conditions.{known}")
    if settings is not None and settings.probe and backend is not None and not backend.needs_audio:
        mistakes.append(
            f"probe: '{settings.probe}' plays noise without speech to the recognizer, and {backend.name} hears no "
            "audio. Choose an asr that does, or probe=null."
        )
    if not single and corpus is not None and backend is not None and not corpus.has_audio and backend.needs_audio:
        mistakes.append(
            f"asr: {backend.name} must hear, and corpus '{corpus.name}' holds no audio. Take asr=transcripts with the "
            "hypotheses, or corpus=manifest with recordings."
        )
    if settings is not None and store is not None and store.drops and settings.stages != ["store"]:
        mistakes.append(
            "store: only stages=[store] drops what is remembered. Add it, or leave the store.drop_ keys out."
        )
    if settings is not None and settings.runs and settings.stages != ["compare"]:
        mistakes.append("runs: only stages=[compare] compares runs. Add it, or leave runs out.")
    if settings is not None and settings.devices and backend is not None and not isinstance(backend, Placeable):
        mistakes.append(f"devices: copies of {backend.name} cannot be placed on devices. Use devices=null.")
    if card is not None and card.main_normalizer not in named:
        known = did_you_mean(card.main_normalizer, named)
        mistakes.append(f"card.main_normalizer: '{card.main_normalizer}' is not among the normalizers.{known}")
    if (
        mistakes
        or settings is None
        or acoustics is None
        or render is None
        or stats is None
        or card is None
        or listen is None
        or store is None
        or plan is None
        or subset is None
        or manifest is None
        or audit is None
        or gate is None
    ):
        raise ConfigError(f"The configuration has {len(mistakes)} mistake(s): " + " | ".join(mistakes))
    copies = tuple(backend.on(device) for device in settings.devices or ())
    if copies:
        backend = copies[0]  # whose fingerprint is that of all
    return Study(
        settings,
        corpus,
        tuple(conditions),
        acoustics,
        render,
        backend,
        normalizers,
        stats,
        card,
        listen,
        store,
        copies,
        plan,
        subset,
        manifest,
        audit,
        gate,
    )


def _section(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    return dict(value) if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _conditions(
    section: Mapping[str, Any], acoustics: Acoustics, mistakes: list[str], *, batched: bool
) -> list[Condition]:
    step_types = {name: point.load() for name, point in plugins.available(plugins.STEPS).items()}
    built = []
    for name, value in section.items():
        if not NAME.fullmatch(name):
            mistakes.append(f"conditions.{name}: {name!r} is no name; use letters, digits, '.', '_', '-' and '+'.")
        settings = _model(ConditionSettings, value, f"conditions.{name}.", mistakes)
        if settings is None:
            continue
        try:
            condition = build_condition(name, settings, step_types=step_types, acoustics=acoustics)
            path = {"renderer": coverage.VERSION} if batched and coverage.covered(condition) else {}
            built.append(replace(condition, definition=condition.definition | _outside(condition) | path))
        except ConditionError as error:
            mistakes.extend(str(error).splitlines())
    return built


def _outside(condition: Condition) -> dict[str, Any]:
    """Return the versions of other distributions' steps: an upgraded step must not reuse what it rendered before."""
    points = [plugins.available(plugins.STEPS)[step["kind"]] for step in condition.definition["steps"]]
    others = {point.name: point.dist for point in points if point.dist and point.dist.name != plugins.OURS}
    return {"outside_steps": {name: f"{dist.name} {dist.version}" for name, dist in others.items()}} if others else {}


def _plugin(group: str, section: object, where: str, mistakes: list[str]) -> Any:
    if not isinstance(section, Mapping):
        mistakes.append(f"{where}: a mapping with a 'kind' is needed, not {section!r}.")
        return None
    try:
        plugin: Any = plugins.resolve(group, section.get("kind"), where)
    except StudyError as error:
        mistakes.append(str(error))
        return None
    rest = {key: value for key, value in section.items() if key != "kind"}
    settings = _model(plugin.Settings, rest, f"{where}.", mistakes)
    return None if settings is None else plugin(settings)


def _model(model: type[M], raw: object, where: str, mistakes: list[str]) -> M | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        mistakes.extend(_sentence(model, problem, where) for problem in error.errors(include_url=False))
        return None


def _sentence(model: type[BaseModel], problem: Any, where: str) -> str:
    path = where + ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{path}: no such key.{did_you_mean(str(problem['loc'][-1]), model.model_fields)}"
    if problem["type"] == "missing":
        return f"{path}: a value is needed."
    given = problem["input"]
    shown = "" if isinstance(given, Mapping) else f" (got {given!r})"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{path.rstrip('.')}: {message}{shown}."
