"""Who may be sent audio, and with which key: both are settled by this machine's environment.

A configuration may come from somebody else. If it alone could choose the server and the variable that holds
the key, it could send a private corpus, or any secret of the environment, to its author. So a server on
another machine must be named in ``ASR_STUDY_ENDPOINTS``; one on this machine need not.
"""

import ipaddress
import os
import re

from pydantic import SecretStr

from pipeline.asr.endpoint_options import EndpointSettings
from pipeline.errors import BackendError, MissingPrerequisite

ALLOWED = "ASR_STUDY_ENDPOINTS"
"""Environment variable: hosts, or host:port, with commas or blanks between them."""

HIDDEN = "***"
SECRET_FROM = 12
"""Characters; a shorter key (``EMPTY``, ``token``) is a placeholder, and ordinary words may contain it."""


def is_here(host: str) -> bool:
    """Return whether ``host`` is this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def check_allowed(settings: EndpointSettings) -> None:
    """Refuse to send audio to a machine that the environment does not name.

    Raises:
        BackendError: if the host is not this machine and not in ``ASR_STUDY_ENDPOINTS``.
    """
    listed = [entry for entry in re.split(r"[,\s]+", os.environ.get(ALLOWED, "").lower()) if entry]
    if is_here(settings.host) or {settings.host, settings.host_and_port} & set(listed):
        return
    raise BackendError(
        f"asr.base_url: this study would send its audio to {settings.host}, and a configuration alone may not decide"
        f" that. If you trust this server, allow it first: export {ALLOWED}={','.join([*listed, settings.host])}"
    )


def read_key(name: str | None) -> SecretStr | None:
    """Return the key that the environment variable ``name`` holds, or None where no key is asked for.

    Raises:
        MissingPrerequisite: if there is no such variable.
        BackendError: if it holds what cannot be sent in a header.
    """
    if name is None:
        return None
    key = os.environ.get(name, "").strip()
    if not key:
        raise MissingPrerequisite(
            f"asr.api_key_env: the environment variable {name} is not set. Set it to the server's key"
            f" (export {name}=...), or say asr.api_key_env=null if the server needs none."
        )
    if not (key.isascii() and key.isprintable()):
        raise BackendError(f"asr.api_key_env: {name} holds characters that no key has; set it to the key alone.")
    return SecretStr(key)


def without(key: SecretStr | None, text: str) -> str:
    """Return ``text`` with every trace of the key hidden."""
    return text.replace(key.get_secret_value(), HIDDEN) if key else text


def repeats(key: SecretStr | None, text: str) -> bool:
    """Return whether a transcript gives the key away."""
    return key is not None and len(key) >= SECRET_FROM and key.get_secret_value() in text
