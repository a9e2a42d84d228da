"""The talker alone is followed through a chain: what every later step is told, with and without the speech itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from pydantic import BaseModel

from augment.chain import Acoustics, ConditionSettings, PlanInput, build_condition
from augment.errors import ConditionError, NoActiveSpeechError
from augment.resources import Resources
from augment.step import Effect, Law, Plain, Promise, Stage, StepSettings

FS = 16_000


class Named(StepSettings):
    """Settings of the steps below."""

    gain: float = 1.0
    extra: int = 0


@dataclass
class Scale(Plain):
    """Linear: a gain."""

    Settings: ClassVar[type[BaseModel]] = Named
    stage: ClassVar[Stage] = Stage.HANDSET
    law: ClassVar[Law] = Law.LINEAR
    settings: Named

    def apply(self, samples, planned, scene):
        return Effect(samples * self.settings.gain)


@dataclass
class Lengthen(Plain):
    """Linear: zeros at the end."""

    Settings: ClassVar[type[BaseModel]] = Named
    stage: ClassVar[Stage] = Stage.SILENCE
    law: ClassVar[Law] = Law.LINEAR
    settings: Named

    def apply(self, samples, planned, scene):
        return Effect(np.pad(samples, (0, self.settings.extra)))

    def length_out(self, samples_16k):
        return samples_16k + self.settings.extra


@dataclass
class Hiss(Plain):
    """Additive: a constant at the level of the talker alone; tells what it saw."""

    Settings: ClassVar[type[BaseModel]] = Named
    stage: ClassVar[Stage] = Stage.NOISE
    law: ClassVar[Law] = Law.ADDITIVE
    needs_speech_level: ClassVar[bool] = True
    seen: ClassVar[list] = []
    settings: Named

    def plan(self, target, slot, resources):
        return {"length": target.samples_16k, "slot": slot}

    def apply(self, samples, planned, scene):
        type(self).seen.append((scene.speech.level().level_dbov, dict(planned), float(np.max(np.abs(samples)))))
        noise = np.full(samples.size, 10 ** (scene.speech.level().level_dbov / 20) / 10)
        return Effect(samples + noise, snr_db={"a": 20.0}, realised={"noise_db": -20.0})


class Later(Hiss):
    """The same, in the microphone."""

    stage: ClassVar[Stage] = Stage.MICROPHONE


@dataclass
class Bend(Plain):
    """Nonlinear."""

    Settings: ClassVar[type[BaseModel]] = Named
    stage: ClassVar[Stage] = Stage.OVERLOAD
    law: ClassVar[Law] = Law.NONLINEAR
    settings: Named

    def apply(self, samples, planned, scene):
        return Effect(np.sign(samples) * np.sqrt(np.abs(samples)) * 0.1)


@dataclass
class Relevel(Scale):
    """Sets a level."""

    stage: ClassVar[Stage] = Stage.LEVEL
    needs_speech_level: ClassVar[bool] = True


KINDS = {"scale": Scale, "longer": Lengthen, "hiss": Hiss, "later": Later, "bend": Bend, "relevel": Relevel}


def condition(*steps, order="physical", **acoustics):
    settings = ConditionSettings(version=1, family="noise", description="d", steps=list(steps), order=order)
    return build_condition("c", settings, step_types=KINDS, acoustics=Acoustics(**acoustics))


def render(chain, speechlike, probe="speech"):
    x = speechlike(1, 2.0)
    resources = Resources(1, 4)
    Hiss.seen.clear()
    plan = chain.plan(PlanInput("u", "g", x.size), 3, resources)
    return chain.render(x, plan, resources, probe=probe), plan


def test_a_second_noise_is_told_the_level_of_the_talker_alone_behind_the_handset(speechlike):
    chain = condition({"kind": "hiss"}, {"kind": "scale", "gain": 0.5}, {"kind": "later"})
    render(chain, speechlike)
    (first_db, *_), (second_db, *_) = Hiss.seen
    assert first_db == pytest.approx(-26.0, abs=0.01)
    assert second_db == pytest.approx(-26.0 - 6.02, abs=0.02)  # the mixture would read louder


def test_without_the_talker_every_noise_keeps_the_gain_that_it_has_with_him(speechlike):
    steps = ({"kind": "hiss"}, {"kind": "scale", "gain": 0.5}, {"kind": "later"})
    render(condition(*steps), speechlike)
    with_talker = list(Hiss.seen)
    rendering, _ = render(condition(*steps), speechlike, probe="noise_only")
    without = list(Hiss.seen)
    assert [db for db, *_ in without] == pytest.approx([db for db, *_ in with_talker])
    assert without[0][2] == 0.0  # nothing but zeros went in
    level = 10 ** (-26 / 20) / 10
    expected = level * 0.5 + 10 ** ((-26 - 6.0206) / 20) / 10
    assert rendering.samples == pytest.approx(np.full(2 * FS, expected * 32768), abs=3)


def test_a_nonlinear_step_before_any_noise_changes_what_the_talker_is_also_when_he_is_left_out(speechlike):
    chain = condition({"kind": "bend"}, {"kind": "hiss"}, order="free")
    render(chain, speechlike)
    (bent_db, *_) = Hiss.seen[0]
    assert bent_db != pytest.approx(-26.0, abs=0.5)
    render(chain, speechlike, probe="noise_only")
    assert Hiss.seen[0][0] == pytest.approx(bent_db)


def test_silence_is_what_is_left_of_a_condition_without_noise(speechlike):
    rendering, _ = render(condition({"kind": "scale", "gain": 0.5}), speechlike, probe="noise_only")
    assert not rendering.samples.any()
    assert rendering.realised.active_level_out_dbov is None


def test_a_recording_without_speech_is_refused_also_when_the_talker_is_left_out():
    chain = condition({"kind": "hiss"})
    with pytest.raises(NoActiveSpeechError):
        chain.render(np.zeros(FS), {}, Resources(1, 4), probe="noise_only")


def test_steps_behind_one_that_lengthens_are_planned_and_rendered_at_the_new_length(speechlike):
    chain = condition({"kind": "longer", "extra": 1000}, {"kind": "hiss"})
    rendering, plan = render(chain, speechlike)
    assert plan == {"1.length": 2 * FS + 1000, "1.slot": 3}
    assert rendering.samples.size == rendering.realised.samples == 2 * FS + 1000
    assert render(chain, speechlike, probe="noise_only")[0].samples.size == 2 * FS + 1000


def test_a_level_behind_a_noise_is_refused_whatever_the_order():
    with pytest.raises(ConditionError, match="nothing may set the level once noise was added"):
        condition({"kind": "hiss"}, {"kind": "relevel"}, order="free")
    assert condition({"kind": "relevel"}, {"kind": "hiss"}).kinds == ("relevel", "hiss")


def test_a_noise_behind_a_nonlinear_step_behind_a_noise_is_refused():
    with pytest.raises(ConditionError, match="later needs the level of the speech alone, and behind bend it cannot"):
        condition({"kind": "hiss"}, {"kind": "bend"}, {"kind": "later"}, order="free")


@dataclass
class Promising(Scale):
    """Promises what the test says."""

    promise: ClassVar[Promise] = Promise("x", 1.0, 1.0, 0.1)

    def apply(self, samples, planned, scene):
        return Effect(samples, promises=(type(self).promise,))


@pytest.mark.parametrize(
    ("promise", "message"),
    [
        (Promise("RT60", 0.5, 0.56, 0.025, "s"), r"RT60 came out as 0.56 s instead of 0.5 s \(tolerance 0.025 s\)"),
        (Promise("SNR", 5.0, None, 0.5, "dB"), r"SNR could not be measured instead of 5 dB"),
        (Promise("lost", 3, 2, 0), r"lost came out as 2 instead of 3"),
        (Promise("SNR", 5.0, float("nan"), 0.5, "dB"), r"SNR came out as nan dB"),
    ],
)
def test_a_broken_promise_is_refused_with_where_what_was_asked_and_what_came(promise, message, speechlike, monkeypatch):
    monkeypatch.setitem(KINDS, "promising", Promising)
    monkeypatch.setattr(Promising, "promise", promise)
    with pytest.raises(ConditionError, match=rf"conditions\.c\.steps\.0 \(promising\): {message}"):
        render(condition({"kind": "promising"}), speechlike)


def test_a_kept_promise_passes(speechlike, monkeypatch):
    monkeypatch.setitem(KINDS, "promising", Promising)
    monkeypatch.setattr(Promising, "promise", Promise("RT60", 0.5, 0.52, 0.025, "s"))
    render(condition({"kind": "promising"}), speechlike)


def test_a_rendering_that_is_clipped_beyond_the_tolerance_is_refused(speechlike):
    loud = {"kind": "scale", "gain": 40.0}
    with pytest.raises(ConditionError, match=r"conditions\.c: [0-9.]+% of the samples lie beyond full scale"):
        render(condition(loud), speechlike)
    rendering, _ = render(condition(loud, clipped_tolerance=1.0), speechlike)
    assert rendering.realised.clipped_share > 0.01


def test_everything_that_a_step_measured_is_told_with_its_kind(speechlike):
    import json

    rendering, _ = render(condition({"kind": "hiss"}, {"kind": "scale"}), speechlike)
    assert json.loads(rendering.realised.steps) == [
        {"kind": "hiss", "snr_a_db": 20.0, "noise_db": -20.0},
        {"kind": "scale"},
    ]
    assert rendering.realised.snr_a_db == 20.0
