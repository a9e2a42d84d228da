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
from pipeline.asr.segments import Segment, confidences
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
    tokens = [len(one["tokens"]) if isinstance(one.get("tokens"), list) else None for one in segments]
    told = [
        Segment(count, *(number(one.get(name)) for name in ("avg_logprob", "no_speech_prob", "compression_ratio")))
        for one, count in zip(segments, tokens, strict=True)
    ]
    known = [count for count in tokens if count is not None]
    n_tokens = sum(known) if segments and len(known) == len(tokens) else None
    return Hypothesis(text, Status.OK, decode_s=took_s, n_tokens=n_tokens, **confidences(told))
