"""Many clips at once are heard as the engine's own transcribe() hears them one by one, whatever batch and threads."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.asr.whisper.options import WhisperDecoding

torch = pytest.importorskip("torch")
pytest.importorskip("whisper")

_spec = importlib.util.spec_from_file_location("whisper_models", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
models = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(models)

LENGTHS_S = (0.3, 4.0, 1.1, 31.0, 0.05, 2.5, 7.7, 63.0)
CLIPS = [models.noise(seconds, seed) for seed, seconds in enumerate(LENGTHS_S)]


def keywords(**changes: Any) -> dict[str, Any]:
    return WhisperDecoding(**({"sample_len": 10, "temperature": (0.0,)} | changes)).as_keywords()


def heard(engine: Any, told: dict[str, Any], clips: list[np.ndarray] = CLIPS, batch: int = 99) -> list[Any]:
    from pipeline.asr.whisper.engine import Clip

    asked = [Clip(clip, dict(told), f"clip {clip.size}") for clip in clips]
    found = [one for start in range(0, len(asked), batch) for one in engine.hear(asked[start : start + batch])]
    for one in found:
        if isinstance(one.result, Exception):
            raise one.result
    return [one.result for one in found]


def without_rounding(result: dict[str, Any]) -> dict[str, Any]:
    rounded = ("avg_logprob", "no_speech_prob", "compression_ratio")
    segments = [{**one, **{name: pytest.approx(one[name], abs=2e-4) for name in rounded}} for one in result["segments"]]
    return {**result, "segments": segments}


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # the engine's beams, NumPy 2
@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({"without_timestamps": True}, marks=pytest.mark.long),
        pytest.param({"condition_on_previous_text": True}, marks=pytest.mark.long),
        {"condition_on_previous_text": True, "initial_prompt": "a b c", "carry_initial_prompt": True},
        pytest.param({"prefix": "so"}, marks=pytest.mark.long),
        {"beam_size": 2, "patience": 1.5, "length_penalty": 0.5},
        pytest.param({"beam_size": 4, "patience": 0.5}, marks=pytest.mark.long),
        {"suppress_tokens": None, "suppress_blank": False, "max_initial_timestamp": None},
        pytest.param({"no_speech_threshold": 1e-9, "logprob_threshold": None}, marks=pytest.mark.long),
        pytest.param({"no_speech_threshold": None}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_every_option_gives_what_the_engine_gives(
    checkpoint: dict[str, Any], engine_of: Any, reference_of: Callable[..., Any], changes: dict[str, Any]
) -> None:
    told = keywords(**changes)
    wanted = reference_of(checkpoint, CLIPS, told)
    made = heard(engine_of(checkpoint), told)
    assert [without_rounding(one) for one in wanted] == made
    if not changes:
        assert len({one["text"] for one in wanted}) == len(CLIPS)  # or nothing would be compared
        assert len(made[-1]["segments"]) > 2


def test_a_language_that_is_not_told_is_detected_as_the_engine_does(
    engine_of: Any, reference_of: Callable[..., Any]
) -> None:
    checkpoint = models.checkpoint_of(multilingual=True)
    told = keywords(language=None)
    wanted = reference_of(checkpoint, CLIPS, told)
    made = heard(engine_of(checkpoint), told)
    assert [one["language"] for one in made] == [one["language"] for one in wanted]
    assert [one["text"] for one in made] == [one["text"] for one in wanted]


FALLBACK = {"temperature": (0.0, 0.5, 1.0), "logprob_threshold": -0.5, "best_of": 2}


@pytest.mark.parametrize("changes", [{}, FALLBACK], ids=["greedy", "fallback"])
def test_batch_order_and_threads_change_no_bit(checkpoint: dict[str, Any], engine_of: Any, changes: Any) -> None:
    told = keywords(**changes)
    whole = heard(engine_of(checkpoint), told)
    assert heard(engine_of(checkpoint), told, batch=1) == whole
    assert heard(engine_of(checkpoint, threads=1), told, batch=3) == whole
    assert heard(engine_of(checkpoint, threads=3), told, CLIPS[::-1])[::-1] == whole


def test_only_windows_that_fail_are_decoded_again(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.asr.whisper import engine as module

    asked: list[tuple[float, int]] = []
    original = module.decode

    def counting(model: Any, features: Any, options: Any, seeds: Any) -> Any:
        asked.append((options.temperature, len(features)))
        return original(model, features, options, seeds)

    monkeypatch.setattr(module, "decode", counting)
    short = [clip for clip in CLIPS if clip.size <= 16_000 * 30]
    probe = heard(engine_of(checkpoint, threads=1), keywords(without_timestamps=True), short)
    logprobs = sorted(segment["avg_logprob"] for one in probe for segment in one["segments"][:1])
    limit = (logprobs[1] + logprobs[2]) / 2
    asked.clear()
    encoded: list[int] = []
    loaded = engine_of(checkpoint, threads=1)
    loaded.model.encoder.ln_post.register_forward_hook(lambda *_: encoded.append(1))  # each window by itself
    told = keywords(temperature=(0.0, 0.3), logprob_threshold=limit, without_timestamps=True)
    heard(loaded, told, short)
    again = sum(n for temperature, n in asked if temperature > 0)
    assert 0 < again < len(short)
    assert sum(encoded) == sum(n for temperature, n in asked if temperature == 0)


def test_without_memory_for_all_of_them_fewer_are_decoded_at_once(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.asr.whisper import engine as module

    told = keywords()
    wanted = heard(engine_of(checkpoint), told)
    original, sizes = module.decode, []

    def small(model: Any, features: Any, options: Any, seeds: Any) -> Any:
        sizes.append(len(features))
        if len(features) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(model, features, options, seeds)

    monkeypatch.setattr(module, "decode", small)
    loaded = engine_of(checkpoint, threads=1)
    assert heard(loaded, told) == wanted
    assert max(sizes) > 2
    sizes.clear()
    heard(loaded, told)
    assert max(sizes) <= 2  # remembered


def test_one_clip_that_breaks_the_engine_breaks_no_other(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.asr.whisper import engine as module
    from pipeline.asr.whisper.engine import Clip

    told = keywords()
    wanted = heard(engine_of(checkpoint), told)
    loaded = engine_of(checkpoint)
    original, bad = module._seed, CLIPS[1].size

    def breaking(clip: str, asked: int) -> int:
        if clip == f"clip {bad}":
            raise ValueError("something about this one")
        return original(clip, asked)

    monkeypatch.setattr(module, "_seed", breaking)
    found = loaded.hear([Clip(clip, dict(told), f"clip {clip.size}") for clip in CLIPS])
    assert isinstance(found[1].result, ValueError)
    assert [one.result for one in found[:1] + found[2:]] == wanted[:1] + wanted[2:]


def test_no_thread_is_left_when_hearing_is_interrupted(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    loaded = engine_of(checkpoint)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loaded, "_answers", interrupted)
    with pytest.raises(KeyboardInterrupt):
        heard(loaded, keywords())
    assert not [thread for thread in threading.enumerate() if thread.name == "listen"]


def test_tokens_of_retries_are_counted(checkpoint: dict[str, Any], engine_of: Any) -> None:
    from pipeline.asr.whisper.engine import Clip

    loaded = engine_of(checkpoint)
    once = keywords(logprob_threshold=0.0, temperature=(0.0,), without_timestamps=True)
    twice = keywords(logprob_threshold=0.0, temperature=(0.0, 0.1), without_timestamps=True)
    clip = CLIPS[1]
    one, two = (loaded.hear([Clip(clip, told, "x")])[0].n_tokens for told in (once, twice))
    assert 0 < one <= 11
    assert one < two <= 22


def test_threads_of_torch_are_given_back_when_the_last_engine_is_closed(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        first, second = engine_of(checkpoint), engine_of(checkpoint)
        assert torch.get_num_threads() == 1
        first.close()
        first.close()
        assert torch.get_num_threads() == 1  # the second still hears
        second.close()
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_the_vocabulary_is_read_once_however_many_clips_begin_together(
    checkpoint: dict[str, Any], engine_of: Any
) -> None:
    from whisper import tokenizer

    tokenizer.get_tokenizer.cache_clear()
    tokenizer.get_encoding.cache_clear()
    short = [models.noise(0.1, seed) for seed in range(24)]
    heard(engine_of(checkpoint), keywords(sample_len=1), short)
    assert tokenizer.get_encoding.cache_info().misses == 1


def test_a_clip_whose_spectrogram_fails_touches_no_other(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.asr.whisper import engine as module
    from pipeline.asr.whisper.engine import Clip

    told, original = keywords(), module.padded_log_mel
    wanted = heard(engine_of(checkpoint), told)

    def failing(samples: Any, *rest: Any) -> Any:
        if samples is CLIPS[2]:
            raise MemoryError("hours of audio")
        return original(samples, *rest)

    monkeypatch.setattr(module, "padded_log_mel", failing)
    found = engine_of(checkpoint).hear([Clip(clip, dict(told), f"clip {clip.size}") for clip in CLIPS])
    assert isinstance(found[2].result, MemoryError)
    assert found[2].n_tokens == 0
    assert [one.result for one in found[:2] + found[3:]] == wanted[:2] + wanted[3:]
    assert all(one.n_tokens > 0 for at, one in enumerate(found) if at != 2)


@pytest.mark.parametrize(
    "changes",
    [{"beam_size": 3}, {"best_of": 3, "temperature": (0.5,)}],
    ids=["beams", "candidates"],
)
@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # the engine's beams, NumPy 2
def test_beams_and_candidates_count_as_rows_in_memory(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    from pipeline.asr.whisper import engine as module

    original, sizes = module.decode, []

    def noting(model: Any, features: Any, options: Any, seeds: Any) -> Any:
        sizes.append(len(features))
        return original(model, features, options, seeds)

    monkeypatch.setattr(module, "decode", noting)
    loaded = engine_of(checkpoint, threads=1)
    loaded._rows.most = 7
    short = [clip for clip in CLIPS if clip.size < 30 * 16_000]
    heard(loaded, keywords(sample_len=2, without_timestamps=True, **changes), short)
    assert max(sizes) == 2  # two windows of three rows each


def test_an_error_keeps_no_memory_of_the_decoding_it_ended(
    checkpoint: dict[str, Any], engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import weakref

    from pipeline.asr.whisper import engine as module
    from pipeline.asr.whisper.engine import Clip

    held = []

    def failing(_model: Any, features: Any, *_: Any) -> Any:
        cache = features * 2
        held.append(weakref.ref(cache))
        raise torch.OutOfMemoryError(f"CUDA out of memory beside {cache.shape}")

    monkeypatch.setattr(module, "decode", failing)
    found = engine_of(checkpoint, threads=1).hear([Clip(clip, keywords(), "x") for clip in CLIPS[:3]])
    assert all(isinstance(one.result, torch.OutOfMemoryError) for one in found)
    assert [one() for one in held] == [None] * len(held)
    assert len(held) > 3


def test_few_windows_are_encoded_by_all_threads(checkpoint: dict[str, Any], engine_of: Any) -> None:
    import threading

    loaded, both = engine_of(checkpoint, threads=2), threading.Barrier(2)

    def meet(*_: Any) -> None:
        both.wait(timeout=20)  # both threads must be inside at once, or the barrier breaks

    loaded.model.encoder.ln_post.register_forward_pre_hook(meet)
    heard(loaded, keywords(sample_len=1, without_timestamps=True), [models.noise(1.0, seed) for seed in range(4)])
    assert not both.broken


@pytest.mark.parametrize("said", ["CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"])
def test_libraries_that_lack_memory_say_so_in_words_only(said: str) -> None:
    from pipeline.asr.whisper.rows import out_of_memory

    assert out_of_memory(RuntimeError(said))
    assert not out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # the engine's beams, NumPy 2
def test_beams_of_a_window_do_not_hang_on_when_others_end(checkpoint: dict[str, Any], engine_of: Any) -> None:
    # with patience below 1 a window ends with beams that are not closed, and others go on for longer
    told = keywords(beam_size=4, patience=0.5, sample_len=20)
    short = [clip for clip in CLIPS if clip.size < 30 * 16_000]
    whole = heard(engine_of(checkpoint), told, short)
    assert heard(engine_of(checkpoint), told, short, batch=1) == whole


def test_the_likeliness_of_languages_does_not_hang_on_the_batch(
    engine_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.asr.whisper import engine as module

    checkpoint, original = models.checkpoint_of(multilingual=True), module.detect_language
    found: list[list[Any]] = [[]]

    def noting(model: Any, features: Any) -> Any:
        tokens, shares = original(model, features)
        found[-1].extend(shares)
        return tokens, shares

    monkeypatch.setattr(module, "detect_language", noting)
    clips = [models.noise(1.0, seed) for seed in range(6)]
    loaded = engine_of(checkpoint, threads=1)
    heard(loaded, keywords(language=None, sample_len=1), clips)
    found.append([])
    heard(loaded, keywords(language=None, sample_len=1), clips, batch=1)
    assert found[0] == found[1]
    assert len(found[0]) == len(clips)
