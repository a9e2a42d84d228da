"""What the endpoint backend is told: where the server is, what it is asked, and how long it is waited for.

A setting that is not sent to the server decides no word and is no part of the fingerprint. The key is not a
setting: only the name of the environment variable that holds it is.
"""

import re
from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StrictFloat, StrictInt, StrictStr, model_validator

from pipeline.asr.base import RepeatSettings

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
"""Capitals only, so that a key written here by mistake is refused before it is stored anywhere."""

HOST = re.compile(r"[A-Za-z0-9._:-]+")
"""A name, or a number of either length; other alphabets in their xn-- form, so that one host has one spelling."""

OURS = frozenset({"file", "language", "model", "prompt", "response_format", "seed", "temperature"})
"""Form fields that have a setting of their own, or that no setting may change."""


class EndpointSettings(RepeatSettings):
    """One server, one model, one way of asking."""

    base_url: str | None = None
    """Address up to the version, such as ``http://localhost:8000/v1``; no user, password or query in it."""
    model: str = Field("whisper-1", min_length=1)
    weights: str | None = Field(None, min_length=1)
    """What is known of the server's weights and version: another text is another recognizer to the store."""
    language: str | None = Field("en", min_length=1)
    """None: not sent; the server detects it or takes its own default."""
    prompt: str | None = None
    temperature: float = Field(0.0, ge=0, le=2)
    response_format: Literal["json", "verbose_json", "text"] = "json"
    extra_fields: Mapping[str, StrictStr | StrictInt | StrictFloat] = Field(default_factory=dict)
    """Further form fields by name, sent as they are."""
    api_key_env: str | None = None
    """NAME of the environment variable that holds the key; None: no key is sent."""
    concurrency: int = Field(4, ge=1, le=256)
    """Requests under way at once."""
    timeout_s: float = Field(300.0, gt=0)
    """For one attempt, from connecting to the last byte."""
    attempts: int = Field(5, ge=1, le=20)
    first_wait_s: float = Field(1.0, ge=0)
    """Before attempt n + 1 a random time of up to ``first_wait_s`` x 2**(n - 1), at least what the server asks for."""
    longest_wait_s: float = Field(60.0, ge=0)
    """Bound of every such wait."""
    give_up_after: int = Field(8, ge=1)
    """So many clips in a row without any answer end the run."""
    batch_size: int = Field(16, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        # on the whole model, whose error messages show no input: an address or a name may hold a secret
        if not self.base_url:
            raise ValueError("base_url is needed: the server's address, such as asr.base_url=http://localhost:8000/v1")
        _check_address(self.base_url)
        if self.api_key_env is not None and not VARIABLE.fullmatch(self.api_key_env):
            raise ValueError(
                "api_key_env must be the name of an environment variable in capitals, such as OPENAI_API_KEY, and never"
                " the key itself"
            )
        if taken := sorted(OURS & set(self.extra_fields)):
            raise ValueError(f"extra_fields may not hold {', '.join(taken)}: use the settings of that name")
        return self

    @property
    def address(self) -> str:
        """``base_url`` in its one spelling: scheme and host in small letters, no slash at the end."""
        parts = urlsplit(self.base_url or "")
        return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}"

    @property
    def host(self) -> str:
        """The server's name or number."""
        return urlsplit(self.address).hostname or ""

    @property
    def host_and_port(self) -> str:
        """The server's name or number and, where one is given, the port."""
        return urlsplit(self.address).netloc


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in {"http", "https"} and HOST.fullmatch(parts.hostname or "") and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        usable = None
    if not usable or not url.isprintable() or any(character in url for character in " \\"):
        raise ValueError("base_url must be an address that begins with http:// or https://, such as http://gpu-box/v1")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError(
            "base_url must hold no user, password, query or fragment, because it is written into results;"
            " a key goes into the environment variable that api_key_env names"
        )
