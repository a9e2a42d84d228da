"""Any server with the OpenAI interface for transcription: vLLM, speaches, LocalAI, whisper.cpp, hosted ones.

Clips are sent whole, ``concurrency`` at a time, and answered in the order asked. Requests run on an event loop
that lives as long as a batch: it bounds every attempt from its first to its last byte, and Ctrl-C ends open
requests at once. What of a server's answers is tried again is in ``endpoint_requests``, how they are read in
``endpoint_answers``, and who may be sent audio and with which key in ``endpoint_access``.
"""

import asyncio
import importlib
import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, SecretStr

from pipeline.asr.base import Hypothesis, RepeatSettings, Request
from pipeline.asr.clips import note_on_length, unusable
from pipeline.asr.endpoint_access import check_allowed, is_here, read_key, repeats
from pipeline.asr.endpoint_answers import read
from pipeline.asr.endpoint_options import EndpointSettings
from pipeline.asr.endpoint_requests import NoAnswerError, Server
from pipeline.asr.exchange import UnusableError, write_wav
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

if TYPE_CHECKING:
    import ssl

    import httpx2

logger = logging.getLogger(__name__)

PACKAGES = ("httpx2", "tenacity")
CONNECT_S = 10.0
"""A server that takes no connection for so long is not there, however long it may take to answer."""


class Endpoint:
    """A server elsewhere as a backend."""

    Settings: ClassVar[type[BaseModel]] = EndpointSettings
    needs_audio: ClassVar[bool] = True

    def __init__(self, settings: EndpointSettings) -> None:
        self._settings = settings
        self._key: SecretStr | None = None
        self._prepared = False
        self._certificates: ssl.SSLContext | None = None
        self._unanswered = 0
        self._end: BackendError | None = None

    @property
    def name(self) -> str:
        """``endpoint:`` and the model's name."""
        return f"endpoint:{self._settings.model}"

    @property
    def batch_size(self) -> int:
        """Clips per call."""
        return self._settings.batch_size

    @property
    def device(self) -> str:
        """Always ``elsewhere``."""
        return "elsewhere"

    @property
    def repeating(self) -> RepeatSettings:
        """How often each trial is asked for again; whether the server heeds the seed is its own affair."""
        return self._settings

    def prepare(self) -> None:
        """Look for the packages, the permission and the key; nothing is sent.

        Raises:
            MissingPrerequisite: if a package or the environment variable of the key is not here.
            BackendError: if the server is not one that this machine allows, or the key cannot be one.
        """
        for package in PACKAGES:
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise MissingPrerequisite(
                    f"asr: kind endpoint needs the package {package} ({error}). Run: pip install -e '.[endpoint]'"
                ) from error
        check_allowed(self._settings)
        self._key = read_key(self._settings.api_key_env)
        self._prepared = True
        if self._key and self._settings.address.startswith("http:") and not is_here(self._settings.host):
            logger.warning("asr.base_url: the key travels unencrypted to %s; use https", self._settings.host)
        if self._settings.temperature > 0:
            logger.warning("asr.temperature is above 0: transcripts are sampled and may change by the run")

    def fingerprint(self) -> dict[str, str]:
        """Return the server, what it is asked, and what is known of its weights; no key, no waiting, no batch size."""
        if not self._prepared:
            raise RuntimeError("fingerprint() before prepare()")
        settings = self._settings
        asked = ("language", "prompt", "temperature", "response_format")
        return {
            "kind": "endpoint",
            "base_url": settings.address,
            "model": settings.model,
            "weights": f"as stated: {settings.weights}"
            if settings.weights
            else f"unknown: served by {settings.address}",
            "upload": "WAV, PCM, 16 bits, 16000 Hz, mono",
            **{f"request.{name}": json.dumps(getattr(settings, name)) for name in asked},
            "request.extra_fields": json.dumps(dict(settings.extra_fields), sort_keys=True),
        }

    def load(self) -> None:
        """Read this machine's certificates; nothing is sent yet."""
        if not self._prepared:
            raise RuntimeError("load() before prepare()")
        import httpx2

        for library in ("httpx2", "httpcore2"):  # they report every request
            logging.getLogger(library).setLevel(logging.WARNING)
        self._certificates = httpx2.create_ssl_context()
        self._unanswered, self._end = 0, None

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        """Send the clips and wait for all of them. ``decode_s`` is the time of the attempt that was answered.

        Raises:
            BackendError: if no clip can be answered any more. If some of the batch were, they are returned first, the
                others as FAILED, and the next call raises.
        """
        if self._certificates is None:
            raise RuntimeError("transcribe() before load()")
        if self._end is not None:
            raise self._end
        answers = asyncio.run(self._hear_all(batch))
        if self._end is not None and not any(answer and answer.status is Status.OK for answer in answers):
            raise self._end
        lost = Hypothesis("", Status.FAILED, detail=f"not transcribed, because the run had to stop: {self._end}")
        return [answer or lost for answer in answers]

    async def _hear_all(self, batch: Sequence[Request]) -> list[Hypothesis | None]:
        """Return an answer a request; None for those that were not answered before the run had to stop."""
        free = asyncio.Semaphore(self._settings.concurrency)
        async with self._client() as client:
            server = Server(client, self._settings, self._key)
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(self._hear(request, server, free)) for request in batch]
            except* BackendError:
                pass  # kept in self._end; the group has stopped the other requests
        return [None if task.cancelled() or task.exception() else task.result() for task in tasks]

    def _client(self) -> "httpx2.AsyncClient":
        import httpx2

        key = {"Authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        timeout_s = self._settings.timeout_s  # of a whole attempt: see Server
        try:
            return httpx2.AsyncClient(
                headers={"Accept-Encoding": "identity", **key},
                verify=self._certificates or True,
                timeout=httpx2.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
                limits=httpx2.Limits(max_connections=self._settings.concurrency),
                follow_redirects=False,
                trust_env=not is_here(self._settings.host),  # the way to this machine leads through no proxy
            )
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            raise BackendError(
                f"asr: the proxy settings of this machine (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) cannot be used"
                f" ({type(error).__name__}). Correct or unset them."
            ) from None

    async def _hear(self, request: Request, server: Server, free: asyncio.Semaphore) -> Hypothesis:
        samples = request.samples
        problem = unusable(samples)
        if samples is None or problem:
            return Hypothesis("", Status.FAILED, detail=problem)
        async with free:
            if self._end is not None:  # this place became free because another request ended the run
                raise self._end
            wav = io.BytesIO()
            write_wav(wav, samples)
            try:
                heard = await self._ask(server, self._form(request), wav.getvalue())
            except BackendError as error:
                self._end = error
                raise
        return replace(heard, detail=note_on_length(samples)) if heard.status is Status.OK else heard

    async def _ask(self, server: Server, form: Mapping[str, str], wav: bytes) -> Hypothesis:
        try:
            reply = await server.ask(form, wav)
            heard = read(reply, self._settings.response_format)
            if repeats(self._key, heard.text):
                raise UnusableError("its text repeats the key")
        except NoAnswerError as error:
            return self._missed(error)
        except UnusableError as error:
            heard = Hypothesis("", Status.FAILED, detail=f"the server's answer is no transcript: {error}")
        self._unanswered = 0
        return heard

    def _missed(self, error: NoAnswerError) -> Hypothesis:
        self._unanswered += 1
        if self._unanswered >= self._settings.give_up_after:
            raise BackendError(
                f"asr: {self._settings.address} gave {self._unanswered} clips in a row no answer; the last time:"
                f" {error}. See that the server is up and run again: what was heard is kept."
            ) from None
        return Hypothesis("", Status.FAILED, detail=f"the server gave no answer: {error}")

    def _form(self, request: Request) -> dict[str, str]:
        settings, draw = self._settings, request.draw
        temperature = settings.temperature if draw is None else draw.temperature
        form = {name: str(value) for name, value in settings.extra_fields.items()}
        form |= {
            "model": settings.model,
            "response_format": settings.response_format,
            "temperature": f"{temperature:g}",
        }
        form |= {name: value for name in ("language", "prompt") if (value := getattr(settings, name)) is not None}
        return form | ({} if draw is None else {"seed": str(draw.seed)})

    def close(self) -> None:
        """Nothing is held open between batches."""
        self._certificates = None
