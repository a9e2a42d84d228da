"""Reads the data that this project ships in ``data_manifests/``: YAML in, checked models out."""

from collections import Counter
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.errors import ManifestError, MissingPrerequisite

DATA_MANIFESTS = Path(__file__).resolve().parents[2] / "data_manifests"

# the C loader is the same safe loader, ten times as fast, where libyaml is there
_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

M = TypeVar("M", bound=BaseModel)


class _Loader(_SAFE):  # type: ignore[misc]  # either of two classes
    """A safe loader that refuses a key that occurs twice, where YAML's own would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key, count in Counter(map(repr, keys)).items() if count > 1]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} occurs twice", node.start_mark)
        built: dict[Any, Any] = super().construct_mapping(node, deep)
        return built


def read_shipped(name: str, model: type[M]) -> M:
    """Read ``data_manifests/<name>`` as ``model``.

    Raises:
        MissingPrerequisite: if the file is not there.
        ManifestError: if it is not what ``model`` describes, naming the first places.
    """
    path = DATA_MANIFESTS / name
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except FileNotFoundError:
        raise MissingPrerequisite(
            f"{path} is not there. Install the project from its folder (pip install -e .), which holds data_manifests/."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} is not valid YAML: {error}. Restore it from the repository.") from error
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False)[:5]
        )
        raise ManifestError(f"{path} cannot be used: {problems}. Mend it; every label is quoted.") from None
