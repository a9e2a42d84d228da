"""The endpoint backend against a real server on this machine, which also misbehaves in every way it can."""

import email
import io
import json
import logging
import os
import re
import signal
import socket
import threading
import time
from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import yaml
from pydantic import ValidationError

from pipeline.asr import endpoint_requests
from pipeline.asr.base import Backend, Draw, Generative, Request
from pipeline.asr.endpoint import Endpoint
from pipeline.asr.endpoint_options import EndpointSettings
from pipeline.asr.endpoint_requests import wait_asked_for
from pipeline.config import build
from pipeline.errors import BackendError, ConfigError, MissingPrerequisite
from pipeline.records import Status
from pipeline.run import run

pytest.importorskip("httpx2")
pytest.importorskip("tenacity")

CONF = Path(__file__).resolve().parents[3] / "conf" / "asr"
KEY = "sk-planted-1234567890-abcdef"
WHERE = "/v1/audio/transcriptions"


# ---- the server --------------------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """Takes one upload, notes it, and does what the server's script says next."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        with server.lock:
            server.received.append(received(self.path, self.headers, body))
            server.under_way += 1
            server.most_under_way = max(server.most_under_way, server.under_way)
            act = server.script.popleft() if server.script else server.otherwise
        try:
            act(self)
        finally:
            with server.lock:
                server.under_way -= 1

    def do_GET(self):
        self.server.fetched.append(self.path)
        self.reply(404, b"")

    def reply(self, status, body, media_type="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def received(path, headers, body):
    parts = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    fields, files = {}, {}
    for part in parts.get_payload():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename():
            files[name] = (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        else:
            fields[name] = part.get_payload(decode=True).decode()
    return SimpleNamespace(
        path=path, headers=dict(headers), fields=fields, files=files, body=body, at_s=time.monotonic()
    )


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.received, self.fetched, self.script = [], [], deque()
        self.otherwise = says("one two")
        self.connections = self.under_way = self.most_under_way = 0
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        """A client that left is what half of these tests are about."""


@contextmanager
def serving():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server(monkeypatch):
    for name in ("ASR_STUDY_ENDPOINTS", "PLANTED_KEY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        yield running


def says(text, **more):
    return lambda handler: handler.reply(200, json.dumps({"text": text, **more}).encode())


def sends(body, media_type="application/json", status=200, **headers):
    return lambda handler: handler.reply(status, body, media_type, **headers)


def status(code, body=b"no", **headers):
    return sends(body, "text/plain", code, **headers)


def hangs(handler):
    handler.server.released.wait(5)
    handler.close_connection = True


def hangs_up(handler):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def stops_in_the_middle(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"text": "on')
    handler.close_connection = True


def drips(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b" ")


def drips_its_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.released.wait(0.02):
        handler.wfile.write(b"a")


def speaks_no_http(handler):
    handler.wfile.write(b"SSH-2.0-nonsense\r\n\r\n")
    handler.close_connection = True


# ---- the backend -------------------------------------------------------------------------------------------------


def made(server, **changes):
    address = server if isinstance(server, str) else server.url
    quick = {"base_url": address, "first_wait_s": 0.001, "longest_wait_s": 0.01, "timeout_s": 20, "concurrency": 1}
    return Endpoint(EndpointSettings(**(quick | changes)))


def ready(server, **changes):
    backend = made(server, **changes)
    backend.prepare()
    backend.load()
    return backend


def clip(n=1600):
    return np.full(n, 0.25, dtype=np.float32)


def requests(n, samples=None):
    return [
        Request(
            f"key{i}", f"utt{i}", "clean", "north", "speaker1", "the reference", clip() if samples is None else samples
        )
        for i in range(n)
    ]


def heard(server, *script, **changes):
    """Return what the backend says of one clip when the server does this."""
    server.script.extend(script)
    (hypothesis,) = ready(server, **changes).transcribe(requests(1))
    return hypothesis


# ---- settings ----------------------------------------------------------------------------------------------------


def test_the_yaml_states_every_setting_with_the_default_of_the_code():
    stated = yaml.safe_load((CONF / "endpoint.yaml").read_text(encoding="utf-8"))
    assert stated.pop("kind") == "endpoint"
    assert set(stated) == set(EndpointSettings.model_fields)
    here = {"base_url": "http://localhost:8000/v1"}
    assert EndpointSettings(**(stated | here)) == EndpointSettings(**here)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_url": None}, "base_url is needed"),
        ({"base_url": "localhost:8000/v1"}, "begins with http"),
        ({"base_url": "ftp://here/v1"}, "begins with http"),
        ({"base_url": "http://"}, "begins with http"),
        ({"base_url": "http://here:port/v1"}, "begins with http"),
        ({"base_url": "http://[::1/v1"}, "begins with http"),
        ({"base_url": "http://127.0.0.1\\@elsewhere/v1"}, "begins with http"),
        ({"base_url": "http://here/v1\n"}, "begins with http"),
        ({"base_url": "http://me:hidden@here/v1"}, "no user, password"),
        ({"base_url": "http://here/v1?key=hidden"}, "no user, password"),
        ({"api_key_env": "sk-hidden-key"}, "NAME|name of an environment variable"),
        ({"api_key_env": "hf_hidden"}, "name of an environment variable"),
        ({"extra_fields": {"model": "x"}}, "may not hold model"),
        ({"extra_fields": {"stream": True}}, "extra_fields"),
        ({"extra_fields": {"a": [1]}}, "extra_fields"),
        ({"repeat_temperatures": [0.0]}, "should be greater than 0"),
        ({"response_format": "srt"}, "response_format"),
        ({"concurrency": 0}, "concurrency"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": float("inf")}, "timeout_s"),
        ({"temperature": -1}, "temperature"),
        ({"key": "x"}, "key"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        EndpointSettings(**({"base_url": "http://localhost/v1"} | changes))


@pytest.mark.parametrize(
    "override",
    [
        "asr.base_url='http://me:hidden@here/v1'",
        "asr.base_url='http://here/v1?key=hidden'",
        "asr.api_key_env=sk-hidden",
    ],
)
def test_a_secret_that_was_put_into_the_configuration_is_not_printed_again(composed, override):
    overrides = ["asr=endpoint", "asr.base_url=http://localhost/v1", override]
    with pytest.raises(ConfigError) as caught:
        build(composed(*overrides))
    assert "hidden" not in str(caught.value)


def test_nothing_is_done_before_prepare():
    backend: Backend = made("http://localhost:9/v1", model="large-v3")
    assert (backend.name, backend.needs_audio, backend.batch_size) == ("endpoint:large-v3", True, 16)
    for step in (backend.fingerprint, backend.load, lambda: backend.transcribe([])):
        with pytest.raises(RuntimeError):
            step()
    backend.close()


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "httpx2", None)
    with pytest.raises(MissingPrerequisite, match=r"package httpx2.*pip install -e '\.\[endpoint\]'"):
        made("http://localhost:9/v1").prepare()


# ---- what is asked -----------------------------------------------------------------------------------------------


def test_a_clip_is_uploaded_as_wav_with_what_the_settings_say(server):
    samples = (np.arange(-32_768, 32_768, 4).astype(np.float32) / np.float32(32_768)).astype(np.float32)
    backend = ready(
        server,
        model="m",
        prompt='Zürich, "quoted"',
        language="de",
        temperature=0.2,
        extra_fields={"top_p": 0.5, "n": 2},
    )
    (hypothesis,) = backend.transcribe(requests(1, samples))
    assert (hypothesis.text, hypothesis.status, hypothesis.detail) == ("one two", Status.OK, "")
    assert hypothesis.decode_s > 0
    (got,) = server.received
    assert got.path == WHERE
    assert got.fields == {
        "model": "m", "prompt": "Zürich, \"quoted\"", "language": "de", "temperature": "0.2", "response_format": "json",
        "top_p": "0.5", "n": "2",
    }  # fmt: skip
    name, media_type, data = got.files["file"]
    assert (name, media_type) == ("audio.wav", "audio/wav")
    wav = soundfile.SoundFile(io.BytesIO(data))
    assert (wav.samplerate, wav.channels, wav.format, wav.subtype) == (16_000, 1, "WAV", "PCM_16")
    np.testing.assert_array_equal(wav.read(dtype="int16"), (samples * 32_768).astype(np.int16))


def test_what_is_null_is_not_sent_and_no_label_ever_is(server):
    ready(server, language=None).transcribe(requests(1))
    (got,) = server.received
    assert set(got.fields) == {"model", "temperature", "response_format"}
    assert "Authorization" not in got.headers
    sent = got.body + json.dumps(got.headers).encode()
    assert not [label for label in (b"key0", b"utt0", b"north", b"speaker1", b"reference") if label in sent]


def test_a_repeat_is_sampled_with_its_own_seed_and_temperature(server):
    backend = ready(server, repeats=2, repeat_temperatures=[0.4, 0.8])
    assert isinstance(backend, Generative)
    assert (backend.repeating.repeats, backend.repeating.repeat_temperatures) == (2, (0.4, 0.8))
    plain, other = requests(2)
    drawn = Request("k", "u", "clean", "a", None, "", other.samples, Draw(repeat=1, seed=2**63 - 1, temperature=0.8))
    backend.transcribe([plain, drawn])
    first, second = (got.fields for got in server.received)
    assert (first["temperature"], "seed" in first) == ("0", False)
    assert (second["temperature"], second["seed"]) == ("0.8", str(2**63 - 1))


def test_answers_come_in_the_order_asked_however_late_they_are(server):
    second_came = threading.Event()

    def by_length(handler):
        samples = soundfile.read(io.BytesIO(handler.server.received[-1].files["file"][2]))[0].size
        if samples == 1600:
            second_came.wait(5)
        says(f"{samples} samples")(handler)
        if samples == 3200:
            second_came.set()

    server.otherwise = by_length
    server.lock = threading.RLock()
    batch = [replaced for n in (1600, 3200, 4800) for replaced in requests(1, clip(n))]
    texts = [hypothesis.text for hypothesis in ready(server, concurrency=2).transcribe(batch)]
    assert sorted(texts) == sorted(["1600 samples", "3200 samples", "4800 samples"])
    assert texts == ["1600 samples", "3200 samples", "4800 samples"]


def test_so_many_requests_are_under_way_as_allowed_and_never_more(server):
    together = threading.Barrier(3)

    def with_two_others(handler):
        together.wait(10)  # breaks, and so fails the clip, unless three requests are open at once
        says("here")(handler)

    server.otherwise = with_two_others
    heard_all = ready(server, concurrency=3).transcribe(requests(9))
    assert [hypothesis.text for hypothesis in heard_all] == ["here"] * 9
    assert (server.most_under_way, len(server.received)) == (3, 9)


def test_a_clip_without_usable_samples_fails_without_a_request(server):
    bad = (np.zeros(0, dtype=np.float32), np.full(5, np.nan, dtype=np.float32), np.zeros((2, 9), dtype=np.float32))
    answers = ready(server).transcribe([one for samples in bad for one in requests(1, samples)])
    assert [answer.status for answer in answers] == [Status.FAILED] * 3
    assert "no samples" in answers[0].detail
    assert "5 of 5 samples are not finite" in answers[1].detail
    assert server.received == []


def test_no_batch_at_all_is_no_request(server):
    assert ready(server).transcribe([]) == []
    assert server.received == []


def test_a_clip_too_short_for_a_word_keeps_its_answer_and_a_note(server):
    server.script.append(says(""))
    (hypothesis,) = ready(server).transcribe(requests(1, clip(160)))
    assert (hypothesis.text, hypothesis.status) == ("", Status.OK)
    assert "too short to hold a word" in hypothesis.detail


def test_a_server_on_this_machine_is_not_sought_through_a_proxy(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert heard(server, attempts=1).text == "one two"


# ---- answers -----------------------------------------------------------------------------------------------------


def test_an_empty_text_is_an_answer(server):
    hypothesis = heard(server, says("  \n"))
    assert (hypothesis.text, hypothesis.status, hypothesis.detail) == ("", Status.OK, "")


def test_verbose_json_gives_confidences(server):
    segments = [
        {"tokens": [1, 2, 3], "avg_logprob": -0.2, "no_speech_prob": 0.3, "compression_ratio": 0.8},
        {"tokens": [4], "avg_logprob": -1.0, "no_speech_prob": 0.1, "compression_ratio": 1.1},
    ]
    found = heard(server, says(" One two. ", segments=segments), response_format="verbose_json")
    assert server.received[0].fields["response_format"] == "verbose_json"
    assert found.text == "One two."
    assert found.avg_logprob == pytest.approx(-0.4)  # (3 x -0.2 + 1 x -1.0) / 4
    assert (found.no_speech_prob, found.compression_ratio, found.n_tokens) == (0.3, 1.1, 4)


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ('[{"avg_logprob": -0.2}, {"avg_logprob": -0.6}]', (-0.4, None, None)),
        ('[{"avg_logprob": NaN, "no_speech_prob": "high", "tokens": null}, 5]', (None, None, None)),
        ('[{"no_speech_prob": true}, {"no_speech_prob": 1, "tokens": []}]', (None, 1.0, None)),
        ("[]", (None, None, None)),
        ("null", (None, None, None)),
        ('{"avg_logprob": -1}', (None, None, None)),
        (f'[{{"avg_logprob": 1{"0" * 400}}}]', (None, None, None)),
    ],
)
def test_confidences_that_are_none_cost_no_words(server, segments, expected):
    found = heard(server, sends(f'{{"text": "x", "segments": {segments}}}'.encode()), response_format="verbose_json")
    assert (found.text, found.status) == ("x", Status.OK)
    assert (found.avg_logprob, found.no_speech_prob, found.n_tokens) == pytest.approx(expected)


def test_plain_text_is_the_transcript(server):
    found = heard(
        server, sends(" Grüße aus \u5317\u4eac\n".encode(), "text/plain; charset=utf-8"), response_format="text"
    )
    assert (found.text, found.status) == ("Grüße aus \u5317\u4eac", Status.OK)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"text": "on', "not JSON"),
        (b"", "not JSON: it is empty"),
        (b"[1]", "no object with 'text'"),
        (b'"one two"', "no object with 'text'"),
        (b'{"error": "busy"}', "has no 'text'.*busy"),
        (b'{"text": null}', "null, not text"),
        (b'{"text": 5}', "int, not text"),
        (b'{"text": ["a"]}', "list, not text"),
        (b'{"text": "\xff"}', "not JSON"),
        (b'{"text": "\\ud800"}', "not valid Unicode"),
        (b"[" * 200_000, "not JSON"),
        (b'{"n": ' + b"1" * 10_000 + b"}", "not JSON"),
    ],
)
def test_an_answer_that_is_no_transcript_fails_its_clip_and_is_not_asked_for_again(server, body, said):
    hypothesis = heard(server, sends(body))
    assert (hypothesis.text, hypothesis.status) == ("", Status.FAILED)
    assert re.search(said, hypothesis.detail), hypothesis.detail
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("body", "media_type", "said"),
    [
        (b"\xff\xfe", "text/plain", "not UTF-8"),
        (b'{"text": "x"}', "application/json", r"say asr\.response_format=json"),
    ],
)
def test_plain_text_that_is_none_fails_its_clip(server, body, media_type, said):
    hypothesis = heard(server, sends(body, media_type), response_format="text")
    assert hypothesis.status is Status.FAILED
    assert re.search(said, hypothesis.detail)


@pytest.mark.parametrize("response_format", ["json", "verbose_json", "text"])
def test_a_web_page_is_no_transcript(server, response_format):
    page = b"\n<!DOCTYPE html>\n<html><title>Sign in</title></html>"
    hypothesis = heard(server, sends(page, "text/html"), response_format=response_format)
    assert (hypothesis.text, hypothesis.status) == ("", Status.FAILED)
    assert "a web page came instead" in hypothesis.detail
    assert "\n" not in hypothesis.detail
    assert len(server.received) == 1


def test_an_answer_without_end_is_cut_off_and_fails_its_clip(server, monkeypatch):
    monkeypatch.setattr(endpoint_requests, "MAX_ANSWER_BYTES", 5000)
    assert "longer than 5000 bytes" in heard(server, says("x" * 6000)).detail
    assert heard(server, says("x" * 4000)).text == "x" * 4000


def test_an_answer_that_claims_to_be_compressed_and_is_not_fails_its_clip(server):
    hypothesis = heard(server, sends(b"plain", Content_Encoding="gzip"))
    assert (hypothesis.status, len(server.received)) == (Status.FAILED, 1)
    assert "compressed" in hypothesis.detail
    assert server.received[0].headers["Accept-Encoding"] == "identity"


# ---- trying again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_a_status_that_may_pass_is_tried_again_and_an_answer_never(server, code):
    assert heard(server, status(code)).text == "one two"
    assert len(server.received) == 2


@pytest.mark.parametrize(
    "act", [hangs_up, stops_in_the_middle, speaks_no_http], ids=["no answer", "half an answer", "no HTTP"]
)
def test_a_connection_that_breaks_is_tried_again(server, act):
    assert heard(server, act).text == "one two"
    assert len(server.received) == 2


@pytest.mark.parametrize("act", [hangs, drips, drips_its_headers])
def test_a_server_that_takes_too_long_is_tried_again_then_fails_the_clip(server, act):
    server.otherwise = act
    hypothesis = heard(server, timeout_s=0.12, attempts=2)
    assert (hypothesis.text, hypothesis.status) == ("", Status.FAILED)
    assert "no whole answer within 0.12 s" in hypothesis.detail
    assert server.connections == 2


def test_after_the_last_attempt_the_clip_fails_with_what_the_server_said(server):
    server.otherwise = status(503, b"\x1b[31mout of\tmemory\r\n" + b"x" * 900)
    hypothesis = heard(server, attempts=3)
    assert (hypothesis.text, hypothesis.status) == ("", Status.FAILED)
    assert hypothesis.detail.startswith(
        "the server gave no answer: HTTP 503 Service Unavailable: [31mout of memory xxx"
    )
    assert hypothesis.detail.isprintable()
    assert len(hypothesis.detail) < 300
    assert len(server.received) == 3


@pytest.mark.parametrize("code", [400, 406, 413, 415, 422, 451])
def test_a_clip_that_the_server_refuses_fails_alone_and_at_once(server, code):
    server.script.extend([says("first"), status(code, b'{"error": "audio too long"}')])
    first, second, third = ready(server).transcribe(requests(3))
    assert (first.text, second.text, third.text) == ("first", "", "one two")
    assert second.status is Status.FAILED
    assert re.search(f"refused this clip with HTTP {code}.*audio too long", second.detail)
    assert len(server.received) == 3


def test_the_server_may_ask_for_a_longer_wait_within_bounds(server):
    hypothesis = heard(server, status(429, Retry_After="3600"), longest_wait_s=0.1)
    assert hypothesis.text == "one two"
    first, second = (got.at_s for got in server.received)
    assert second - first >= 0.1


def test_retry_after_is_a_number_or_a_date_or_nothing():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 <= wait_asked_for(soon) <= 30
    assert wait_asked_for("1.5") == 1.5
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    for nothing in ("", "soon", "-5", "nan", "inf", past, "Wed, 21 Oct 2099 07:28:00 -0000", "99999999999999-13"):
        assert wait_asked_for(nothing) == 0.0, nothing


# ---- the end of a run --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (401, "key is missing or wrong"),
        (402, "paid"),
        (403, "may not use it"),
        (404, r"asr\.base_url.*asr\.model.*no such model"),
        (405, r"check asr\.base_url"),
    ],
)
def test_what_no_other_clip_would_change_ends_the_run_at_once(server, code, said):
    server.otherwise = status(code, b'{"error": "no such model"}')
    with pytest.raises(BackendError, match=said):
        ready(server).transcribe(requests(5))
    assert len(server.received) == 1


def test_what_was_heard_before_the_end_is_handed_over_first(server):
    server.script.extend([says("heard"), status(401)])
    backend = ready(server)
    first, *others = backend.transcribe(requests(3))
    assert (first.text, first.status) == ("heard", Status.OK)
    assert [other.status for other in others] == [Status.FAILED] * 2
    assert all("the run had to stop: asr: http://127.0.0.1" in other.detail for other in others)
    with pytest.raises(BackendError, match="401 Unauthorized"):
        backend.transcribe(requests(1))
    assert len(server.received) == 2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_with_audio_or_key(server, code, monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    with serving() as other:
        server.otherwise = status(code, Location=f"{other.url}/audio/transcriptions?key={KEY}")
        with pytest.raises(
            BackendError, match=rf"sends its callers on to http://127\.0\.0\.1:{other.server_port}"
        ) as caught:
            ready(server, api_key_env="PLANTED_KEY").transcribe(requests(1))
        assert (len(server.received), other.received, other.fetched) == (1, [], [])
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "act", [status(503), hangs_up, sends(b"<html>", "text/html")], ids=["503", "breaks", "web page"]
)
def test_a_server_that_answers_nobody_ends_the_run(server, act):
    server.otherwise = act
    with pytest.raises(BackendError, match=r"gave 3 clips in a row no answer.*run again"):
        ready(server, attempts=1, give_up_after=3).transcribe(requests(50))
    assert len(server.received) == 3


def test_a_server_that_is_not_there_ends_the_run():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        backend = ready(f"http://127.0.0.1:{unused.getsockname()[1]}/v1", attempts=2, give_up_after=2)
        with pytest.raises(BackendError, match="2 clips in a row no answer; the last time: ConnectError"):
            backend.transcribe(requests(9))


def test_clips_without_an_answer_are_counted_across_batches_until_there_is_one(server):
    backend = ready(server, attempts=1, give_up_after=3)
    server.script.extend([status(503), status(503), status(422), status(503), status(503), says("x"), status(503)])
    answers = [backend.transcribe(requests(1))[0] for _ in range(7)]
    assert [answer.status is Status.OK for answer in answers] == [False] * 5 + [True, False]
    server.otherwise = status(503)
    backend.transcribe(requests(1))
    with pytest.raises(BackendError, match="3 clips in a row"):
        backend.transcribe(requests(1))


def test_the_users_interrupt_does_not_wait_for_open_requests(server):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    both = threading.Barrier(2)

    def interrupts(handler):
        if both.wait(5) == 0:
            os.kill(os.getpid(), signal.SIGINT)
        hangs(handler)

    server.otherwise = interrupts
    backend = ready(server, concurrency=2, timeout_s=60)
    with pytest.raises(KeyboardInterrupt):
        backend.transcribe(requests(4))
    assert not server.released.is_set()
    assert len(server.received) == 2


# ---- who may be sent what ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://gpu-box:8000/v1",
        "https://api.example.org/v1",
        "http://localhost.example.org/v1",
        "http://10.0.0.1/v1",
        "http://[2001:db8::1]:80/v1",
        "http://2130706433/v1",
    ],
)
def test_another_machine_is_sent_nothing_unless_the_environment_allows_it(url, monkeypatch):
    monkeypatch.delenv("ASR_STUDY_ENDPOINTS", raising=False)
    with pytest.raises(BackendError, match="export ASR_STUDY_ENDPOINTS="):
        made(url).prepare()
    monkeypatch.setenv("ASR_STUDY_ENDPOINTS", "somewhere.else")
    with pytest.raises(BackendError, match=r"export ASR_STUDY_ENDPOINTS=somewhere\.else,") as caught:
        made(url).prepare()
    monkeypatch.setenv("ASR_STUDY_ENDPOINTS", str(caught.value).rpartition("=")[2])
    made(url).prepare()


def test_a_host_is_allowed_on_one_port_or_on_all(monkeypatch):
    monkeypatch.setenv("ASR_STUDY_ENDPOINTS", "GPU-box:8000, other")
    made("http://gpu-box:8000/v1").prepare()
    made("https://OTHER:9/v1").prepare()
    with pytest.raises(BackendError, match="gpu-box"):
        made("http://gpu-box:9000/v1").prepare()


@pytest.mark.parametrize(
    "url", ["http://localhost:1/v1", "http://127.8.0.1/v1", "http://[::1]:5/v1", "http://0.0.0.0:5"]
)
def test_a_server_on_this_machine_needs_no_permission(url, monkeypatch):
    monkeypatch.delenv("ASR_STUDY_ENDPOINTS", raising=False)
    made(url).prepare()


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_key_that_is_not_there_is_missed_before_the_run(value, monkeypatch):
    monkeypatch.delenv("PLANTED_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("PLANTED_KEY", value)
    with pytest.raises(MissingPrerequisite, match=r"PLANTED_KEY is not set.*asr\.api_key_env=null"):
        made("http://localhost:9/v1", api_key_env="PLANTED_KEY").prepare()


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", f"{KEY}\n{KEY}")
    with pytest.raises(BackendError, match="PLANTED_KEY holds characters that no key has") as caught:
        made("http://localhost:9/v1", api_key_env="PLANTED_KEY").prepare()
    assert KEY not in str(caught.value)


def test_a_key_over_an_open_line_is_announced(monkeypatch, caplog):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    monkeypatch.setenv("ASR_STUDY_ENDPOINTS", "gpu-box")
    made("https://gpu-box/v1", api_key_env="PLANTED_KEY").prepare()
    assert "unencrypted" not in caplog.text
    made("http://gpu-box/v1", api_key_env="PLANTED_KEY").prepare()
    assert "unencrypted" in caplog.text


def test_the_key_is_sent_and_is_nowhere_else(server, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PLANTED_KEY", f" {KEY}\n")
    echo = json.dumps({"error": f"bad key {KEY}"}).encode()
    server.script.extend(
        [
            says("fine"),
            status(400, echo),
            status(422, b" " * 300 + KEY.encode()),
            status(429, f"{'x' * 190}{KEY}".encode()),
            sends(b'{"text": "' + KEY.encode()),
            sends(json.dumps({KEY: 1}).encode()),
            says(f"she said {KEY}"),
            sends(f"<html>{KEY}</html>".encode(), "text/html"),
            lambda handler: hangs_up_with(handler, KEY),
        ]
    )
    backend = ready(server, api_key_env="PLANTED_KEY", attempts=1, give_up_after=99)
    before = os.environ.get("PLANTED_KEY")
    answers = backend.transcribe(requests(9))
    assert all(got.headers["Authorization"] == f"Bearer {KEY}" for got in server.received)
    assert (answers[0].text, {answer.status for answer in answers[1:]}) == ("fine", {Status.FAILED})
    assert "***" in answers[1].detail
    server.otherwise = status(404, echo)
    with pytest.raises(BackendError) as not_found:
        backend.transcribe(requests(1))
    other = ready(server, api_key_env="PLANTED_KEY")
    server.otherwise = status(401, f"Incorrect key: {KEY[:12]}...".encode())
    with pytest.raises(BackendError) as refused:
        other.transcribe(requests(1))
    everywhere = [
        repr(answers), repr(backend), repr(vars(backend)), repr(backend.fingerprint()), caplog.text,
        str(not_found.value), repr(not_found.value), str(refused.value),
    ]  # fmt: skip
    for place in everywhere:
        assert KEY[:12] not in place
    assert os.environ.get("PLANTED_KEY") == before


def hangs_up_with(handler, text):
    handler.wfile.write(f"{text} is no HTTP\r\n\r\n".encode())
    handler.close_connection = True


# ---- fingerprint -------------------------------------------------------------------------------------------------


def fingerprint(url="http://localhost:8000/v1", **changes):
    backend = made(url, **changes)
    backend.prepare()
    return backend.fingerprint()


def test_the_fingerprint_holds_what_decides_words_and_says_that_the_weights_are_unknown():
    plain = fingerprint()
    assert (plain["kind"], plain["base_url"], plain["model"]) == ("endpoint", "http://localhost:8000/v1", "whisper-1")
    assert plain["weights"] == "unknown: served by http://localhost:8000/v1"
    changes = [
        {"model": "m"}, {"language": None}, {"prompt": "p"}, {"temperature": 0.1}, {"response_format": "text"},
        {"extra_fields": {"a": 1}}, {"weights": "large-v3, vllm 0.33"}, {"url": "http://localhost:8001/v1"},
    ]  # fmt: skip
    prints = [json.dumps(fingerprint(**change)) for change in changes]
    assert len({json.dumps(plain), *prints}) == len(changes) + 1
    assert all(isinstance(value, str) for value in plain.values())


def test_the_fingerprint_holds_nothing_that_decides_no_word(monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    changes = {
        "concurrency": 9, "timeout_s": 3, "attempts": 2, "first_wait_s": 0, "longest_wait_s": 0, "give_up_after": 2,
        "batch_size": 3, "api_key_env": "PLANTED_KEY", "repeats": 3, "repeat_temperatures": (0.9,),
    }  # fmt: skip
    plain = fingerprint()
    assert all(fingerprint(**{name: value}) == plain for name, value in changes.items())
    assert fingerprint("HTTP://LocalHost:8000/v1/") == plain


def test_sampling_is_announced(caplog):
    made("http://localhost:9/v1", temperature=0.3).prepare()
    assert "may change by the run" in caplog.text


# ---- a whole run -------------------------------------------------------------------------------------------------


@pytest.fixture
def study(server, composed, make_corpus, manifest_overrides, tmp_path):
    """Return a runner of one study of eight utterances against the server."""
    fixed = [
        *manifest_overrides(make_corpus(speakers=2)), "asr=endpoint", f"asr.base_url={server.url}",
        "conditions=[clean]", "run_name=elsewhere", "asr.first_wait_s=0.001", "asr.attempts=1", "asr.batch_size=4",
        "asr.concurrency=1",
        "stages=[load_utterances,plan_trials,transcribe]", "asr.api_key_env=PLANTED_KEY",
    ]  # fmt: skip

    def run_it(*overrides):
        return run(
            build(composed(*fixed, *overrides)), store_path=tmp_path / "store" / "store.db", overrides=list(overrides)
        )

    return run_it


def test_nothing_is_transcribed_twice_and_only_what_failed_is_tried_again(server, study, monkeypatch, tmp_path):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    server.script.extend([says("a"), status(413, KEY.encode()), sends(b"<html>", "text/html"), says("b")])
    first = study()
    assert (len(server.received), first.n_failed) == (8, 2)
    second = study()
    assert (len(server.received), second.n_failed) == (10, 0)
    study()
    assert len(server.received) == 10
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "run.json" for path in written)
    assert not [path for path in written if KEY.encode() in path.read_bytes()]


def test_what_was_heard_before_the_server_died_is_remembered(server, study, monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    server.script.extend([says("a")] * 5 + [status(401)])
    study()
    assert len(server.received) == 6
    study()
    assert len(server.received) == 6 + 3


def test_a_server_that_dies_in_a_later_batch_ends_the_run_with_a_sentence(server, study, monkeypatch):
    monkeypatch.setenv("PLANTED_KEY", KEY)
    server.script.extend([says("a")] * 4)
    server.otherwise = status(502)
    with pytest.raises(BackendError, match="2 clips in a row no answer"):
        study("asr.give_up_after=2")
    server.otherwise = says("b")
    assert study("asr.give_up_after=2").n_failed == 0
    assert len(server.received) == 4 + 2 + 4
