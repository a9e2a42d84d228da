"""The key of a cell, and the base of every number that carries one."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Rate = Annotated[float | None, BeforeValidator(_finite)]


class Frozen(BaseModel):
    """A value that is never changed and refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Key(Frozen):
    """Which cell a number belongs to, in the exact spelling of the tables."""

    accent: str = ""
    condition: str = ""
    backend: str = ""
    normalizer: str = ""


class Number(Frozen):
    """One measured thing with its key and the way it was measured."""

    key: Key
    method: str = ""
