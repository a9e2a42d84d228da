"""The body of a server's answer to a hypothesis, in each of the formats that the interface knows.

``json`` holds ``text``; ``verbose_json`` also ``segments`` with confidences, where the model has them; ``text``
is the transcript and nothing else.
"""

import json
from collections.abc import Sequence
from typing import Any

from pipeline.asr.base import Hypothesis
from pipeline.asr.endpoint_requests import NoAnswerError, Reply
from pipeline.asr.exchange import UnusableError, number, words
from pipeline.records import Status

WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml")


def read(reply: Reply, response_format: str) -> Hypothesis:
    """Return what the server heard.

    Raises:
        NoAnswerError: for a web page: whatever sent it, it was no recognizer.
        UnusableError: if the body is not of the format, or holds no text.
    """
    start = reply.body[:512].lstrip().lower()
    if start.startswith(WEB_PAGE):
        raise NoAnswerError(f"a web page came instead; check asr.base_url (most end in /v1): {reply.shown}")
    if response_format == "text":
        return Hypothesis(_plain(reply), Status.OK, decode_s=reply.took_s)
    value = _value(reply)
    if "text" not in value:
        raise UnusableError(f"it has no 'text': {reply.shown}")
    text, segments = words(value["text"]), value.get("segments")
    if response_format == "json" or not isinstance(segments, list):
        return Hypothesis(text, Status.OK, decode_s=reply.took_s)
    return _with_confidences(text, [one for one in segments if isinstance(one, dict)], reply.took_s)


def _plain(reply: Reply) -> str:
    if reply.media_type == "application/json":
        raise UnusableError("it is JSON, though plain text was asked for; say asr.response_format=json")
    try:
        return words(reply.body.decode())
    except UnicodeDecodeError:
        raise UnusableError("it is not UTF-8") from None


def _value(reply: Reply) -> dict[str, Any]:
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number of thousands of digits, nested without end
        raise UnusableError(f"it is not JSON: {reply.shown or 'it is empty'}") from None
    if not isinstance(value, dict):
        raise UnusableError(f"it is JSON, but no object with 'text': {reply.shown}")
    return value


def _with_confidences(text: str, segments: Sequence[dict[str, Any]], took_s: float) -> Hypothesis:
    """Join segments. Log-probability: mean weighted by tokens (alike where none are told); the others: the largest."""
    tokens = [one["tokens"] if isinstance(one.get("tokens"), list) else None for one in segments]
    told = [(number(one.get("avg_logprob")), max(len(ids or ()), 1)) for one, ids in zip(segments, tokens, strict=True)]
    weighted = [(value, weight) for value, weight in told if value is not None]
    weight = sum(weight for _, weight in weighted)
    return Hypothesis(
        text,
        Status.OK,
        decode_s=took_s,
        avg_logprob=sum(value * weight for value, weight in weighted) / weight if weighted else None,
        no_speech_prob=_largest(segments, "no_speech_prob"),
        compression_ratio=_largest(segments, "compression_ratio"),
        n_tokens=sum(len(ids or ()) for ids in tokens) if segments and None not in tokens else None,
    )


def _largest(segments: Sequence[dict[str, Any]], name: str) -> float | None:
    values = [value for value in (number(one.get(name)) for one in segments) if value is not None]
    return max(values, default=None)
