"""Mistakes in nested settings: the path is the one that the user wrote, whatever models lie behind it."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, RootModel, ValidationError

from augment.mistakes import sentences
from augment.step import StepSettings


class Loss(StepSettings):
    rate: float


class Quiet(StepSettings):
    kind: Literal["white", "pink"]
    level: int = 1


class Loud(StepSettings):
    kind: Literal["siren"]


class Narrow(StepSettings):
    name: Literal["narrow"]
    law: Literal["a", "mu"] = "a"
    loss: Loss | None = None


class Wide(StepSettings):
    name: Literal["wide"]
    bitrate: int


class AnyCodec(RootModel[Annotated[Narrow | Wide, Field(discriminator="name")]]):
    pass


class Noise(StepSettings):
    source: Annotated[Quiet | Loud, Field(discriminator="kind")]
    loss: Loss | None = None


MISTAKES = [
    (Noise, {"source": {"kind": "pnik"}}, "at.source.kind: unknown kind 'pnik'. Did you mean 'pink'?"),
    (Noise, {"source": {}}, "at.source.kind: this key is missing."),
    (Noise, {"source": {"kind": "pink", "levle": 2}}, "at.source.levle: unknown key. Did you mean 'level'?"),
    (Noise, {"source": {"kind": "siren", "level": 2}}, "at.source.level: unknown key. Known: kind."),
    (Noise, {"source": {"kind": "siren"}, "loss": {"rate": 0.1, "rat": 1}}, "at.loss.rat: unknown key. Did you mean"),
    (AnyCodec, {"name": "wode"}, "at.name: unknown name 'wode'. Did you mean 'wide'? Known: narrow, wide."),
    (AnyCodec, {}, "at.name: this key is missing."),
    (AnyCodec, {"name": "narrow", "lwa": "a"}, "at.lwa: unknown key. Did you mean 'law'?"),
    (AnyCodec, {"name": "narrow", "loss": {}}, "at.loss.rate: this key is missing."),
    (AnyCodec, {"name": "wide"}, "at.bitrate: this key is missing."),
]


@pytest.mark.parametrize(("model", "given", "sentence"), MISTAKES)
def test_a_mistake_is_found_where_it_was_written(model, given, sentence):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)
    (found,) = sentences(caught.value, model, where="at")
    assert found.startswith(sentence)
