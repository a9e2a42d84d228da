"""Mistakes in a condition's steps, each as one sentence: where, what, and what was probably meant."""

import difflib
from collections.abc import Iterable
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_TAGS: Final = ("kind", "name")
"""The keys that say which of several models a mapping is."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'? Known: a, b." for an unknown ``name`` (the question only for a near miss)."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    question = f" Did you mean '{near[0]}'?" if near else ""
    return f"{question} Known: {', '.join(names) or 'none'}."


def sentences(error: ValidationError, model: type[BaseModel], *, where: str) -> list[str]:
    """Return one sentence for each mistake that pydantic found in ``model``'s settings at ``where``."""
    return [_sentence(detail, model, where) for detail in error.errors(include_url=False)]


def _sentence(detail: ErrorDetails, model: type[BaseModel], where: str) -> str:
    owner, path = _walk(model, [str(part) for part in detail["loc"]])
    at = ".".join([where, *path])
    if detail["type"] == "extra_forbidden":
        return f"{at}: unknown key.{did_you_mean(path[-1], owner.model_fields)}"
    if detail["type"] == "missing":
        return f"{at}: this key is missing."
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        context = detail["ctx"]
        key = context["discriminator"].strip("'")
        if detail["type"] == "union_tag_not_found":
            return f"{at}.{key}: this key is missing."
        known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        return f"{at}.{key}: unknown {key} {context['tag']!r}.{did_you_mean(context['tag'], known)}"
    return f"{at}: {detail['msg']} (got {detail['input']!r})."


def _walk(model: type[BaseModel], loc: list[str]) -> tuple[type[BaseModel], list[str]]:
    """Follow pydantic's location into nested models; the tag that it inserts for a union is not part of the path."""
    path: list[str] = []
    owner = model
    inside = list(loc)
    nested = _models(model.model_fields["root"].annotation) if "root" in model.model_fields else {}
    while inside:
        if inside[0] in nested:
            owner = nested[inside.pop(0)]
        if not inside:
            break
        path.append(inside.pop(0))
        field = owner.model_fields.get(path[-1])
        nested = _models(field.annotation) if field else {}
        if field and "" in nested:
            owner = nested[""]
    return owner, path


def _models(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the models that a field may hold by the tag of each; a model without a tag under an empty one."""
    members = [annotation, *get_args(annotation)]
    models = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
    return {tag: member for member in models for tag in _tags(member)}


def _tags(model: type[BaseModel]) -> tuple[str, ...]:
    fields = [model.model_fields[key] for key in _TAGS if key in model.model_fields]
    values = [get_args(field.annotation) for field in fields if get_origin(field.annotation) is Literal]
    return values[0] if values else ("",)
