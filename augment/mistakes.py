"""Mistakes in a condition's steps, each as one sentence: where, what, and what was probably meant."""

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


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
    if detail["type"] == "union_tag_invalid":
        context = detail["ctx"]
        known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        return f"{at}.kind: unknown kind {context['tag']!r}.{did_you_mean(context['tag'], known)}"
    if detail["type"] == "union_tag_not_found":
        return f"{at}.kind: this key is missing."
    return f"{at}: {detail['msg']} (got {detail['input']!r})."


def _walk(model: type[BaseModel], loc: list[str]) -> tuple[type[BaseModel], list[str]]:
    """Follow pydantic's location into nested models; the tag that it inserts for a union is not part of the path."""
    path: list[str] = []
    owner = model
    inside = list(loc)
    while inside:
        path.append(inside.pop(0))
        field = owner.model_fields.get(path[-1])
        nested = _models(field.annotation) if field else {}
        if inside and inside[0] in nested:
            owner = nested[inside.pop(0)]
    return owner, path


def _models(annotation: Any) -> dict[str, type[BaseModel]]:
    """Return the models of a tagged union by the value of their ``kind``."""
    members = [member for member in get_args(annotation) if isinstance(member, type) and issubclass(member, BaseModel)]
    return {member.model_fields["kind"].default: member for member in members if "kind" in member.model_fields}
