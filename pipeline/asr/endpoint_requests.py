"""One clip to a server and back: what is worth another attempt, what fails the clip, and what ends the run.

Another attempt: no connection, a connection that breaks, no whole answer in time, and the statuses 408, 409,
425, 429 and 5xx. The end of the run: a redirect, 401, 402, 403, 404, 405 and 407, which no other clip would
change. Any other error status is about the clip. An answer that came whole is never asked for again.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from pipeline.asr.endpoint_access import without
from pipeline.asr.endpoint_options import EndpointSettings
from pipeline.asr.exchange import UnusableError, complaint, printable
from pipeline.errors import BackendError

if TYPE_CHECKING:
    import httpx2
    import tenacity

MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_COMPLAINT_BYTES = 16 * 1024

AGAIN = frozenset({408, 409, 425, 429})
ENDS = {
    401: "the key is missing or wrong; set the environment variable that asr.api_key_env names",
    402: "it wants to be paid first",
    403: "this key may not use it, or no key was sent (asr.api_key_env)",
    404: "it does not know this address or this model; check asr.base_url (most end in /v1) and asr.model",
    405: "nothing is transcribed at this address; check asr.base_url (most end in /v1)",
    407: "a proxy on the way wants a password; check the proxy settings of this machine",
}
SILENT = frozenset({401, 403, 407})
"""What the server says with these is not passed on: it likes to repeat a part of the key."""


class NoAnswerError(Exception):
    """The server gave no answer: worth another attempt. ``wait_s`` is what it asks to wait for."""

    def __init__(self, said: str, wait_s: float = 0.0) -> None:
        super().__init__(said)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer with a status of success."""

    body: bytes
    media_type: str
    took_s: float
    """from sending the request to the last byte"""
    shown: str
    """the beginning of the body, fit to be printed"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where clips are sent, over which connections, and the key that no message may repeat."""

    client: "httpx2.AsyncClient"
    settings: EndpointSettings
    key: SecretStr | None

    async def ask(self, form: Mapping[str, str], wav: bytes) -> Reply:
        """Send one clip, again where that is worth it.

        Raises:
            NoAnswerError: if no attempt was answered.
            UnusableError: if the server refuses the clip, or answers at a length that is no transcript.
            BackendError: if no other clip could fare better.
        """
        reply: Reply = await _patience(self.settings)(self._attempt, form, wav)
        return reply

    async def _attempt(self, form: Mapping[str, str], wav: bytes) -> Reply:
        import httpx2

        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self._send(form, wav)
        except TimeoutError:
            raise NoAnswerError(f"no whole answer within {self.settings.timeout_s:g} s") from None
        except httpx2.TransportError as error:
            said = self._shown(str(error))
            raise NoAnswerError(f"{type(error).__name__}{': ' if said else ''}{said}") from None
        except httpx2.DecodingError:
            raise UnusableError("its answer is compressed in a way that cannot be undone") from None

    async def _send(self, form: Mapping[str, str], wav: bytes) -> Reply:
        started_s = time.perf_counter()
        url = f"{self.settings.address}/audio/transcriptions"
        file = {"file": ("audio.wav", wav, "audio/wav")}  # the same name for every clip: it tells the server nothing
        async with self.client.stream("POST", url, data=dict(form), files=file) as response:
            if not response.is_success:
                self._refuse(response, await _start(response, MAX_COMPLAINT_BYTES))
            body = await _start(response, MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise UnusableError(f"its answer is longer than {MAX_ANSWER_BYTES} bytes")
        media_type = response.headers.get("content-type", "").split(";")[0].strip().lower()
        return Reply(body, media_type, time.perf_counter() - started_s, self._shown(body[:MAX_COMPLAINT_BYTES]))

    def _shown(self, said: str | bytes) -> str:
        """Return what the server said as one line without the key, which is hidden before the line is shortened."""
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        return complaint(without(self.key, printable(text)))

    def _refuse(self, response: "httpx2.Response", body: bytes) -> NoReturn:
        status, said = response.status_code, self._shown(body)
        told = f"HTTP {_named(status)}" + (f": {said}" if said and status not in SILENT else "")
        if status in AGAIN or status >= 500:
            raise NoAnswerError(told, wait_asked_for(response.headers.get("retry-after", "")))
        if 300 <= status < 400:
            to = self._shown(response.headers.get("location", "another address"))
            raise BackendError(
                f"asr.base_url: {self.settings.address} sends its callers on to {to} (HTTP {_named(status)}), but"
                " neither audio nor a key is ever sent on. If you trust that address, give it as asr.base_url."
            )
        if status in ENDS:
            raise BackendError(f"asr: {self.settings.address} refuses every clip: {ENDS[status]} ({told}).")
        raise UnusableError(f"it refused this clip with {told}")


async def _start(response: "httpx2.Response", limit: int) -> bytes:
    """Return the first bytes of a body, at most ``limit``."""
    body = bytearray()
    async with aclosing(response.aiter_bytes()) as parts:
        async for part in parts:
            body += part
            if len(body) >= limit:
                break
    return bytes(body[:limit])


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def wait_asked_for(retry_after: str) -> float:
    """Return the seconds that a Retry-After header asks for: a number or a date; 0 for anything else."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError, OverflowError):  # no date, or one without a time zone
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _patience(settings: EndpointSettings) -> "tenacity.AsyncRetrying":
    """Return the retrying of one clip: full jitter, so that clips refused together do not come back together."""
    import tenacity

    jitter = tenacity.wait_random_exponential(multiplier=settings.first_wait_s, max=settings.longest_wait_s)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = error.wait_s if isinstance(error, NoAnswerError) else 0.0
        return max(jitter(state), min(asked_s, settings.longest_wait_s))

    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(NoAnswerError),
        stop=tenacity.stop_after_attempt(settings.attempts),
        wait=wait,
        sleep=asyncio.sleep,
        reraise=True,
    )
