"""How fast recognizers are against their own engines, on recorded speech, and whether they say the same.

Run by hand: ``python tests/bench/bench_recognizers.py manifest.csv [--clips N] [--only floor,whisper,faster_whisper]``

Everything is paired: a chunk of clips goes through the engine's own loop and then through ours, or the other way
round, in one process; what is printed are medians of the ratios of the chunks. The weights are the real ones of
tiny.en. ``--only large`` takes the dimensions of large-v3 with random weights and a fixed number of tokens, for a GPU.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pandas as pd
import soundfile
import torch
import whisper

from augment.chain import Acoustics, ConditionSettings, build_condition
from augment.resources import Resources
from pipeline import plugins
from pipeline.asr.base import Request
from pipeline.asr.faster_whisper import FasterWhisper, FasterWhisperSettings
from pipeline.asr.store import TranscriptStore
from pipeline.asr.whisper import Whisper
from pipeline.asr.whisper.engine import Clip, Engine
from pipeline.asr.whisper.options import WhisperDecoding, WhisperSettings
from pipeline.rendering import Renderer, RenderSettings
from pipeline.stages.load_utterances import load_utterances
from pipeline.stages.plan_trials import plan_trials
from pipeline.stages.transcribe import transcribe

CHUNK = 32
LARGE_V3 = {
    "n_mels": 128, "n_audio_ctx": 1500, "n_audio_state": 1280, "n_audio_head": 20, "n_audio_layer": 32,
    "n_vocab": 51866, "n_text_ctx": 448, "n_text_state": 1280, "n_text_head": 20, "n_text_layer": 32,
}  # fmt: skip
END_OF_TEXT = 50257


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    made = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, made


def paired(
    clips: Sequence[Any], theirs: Callable[[Sequence[Any]], list[str]], ours: Callable[[Sequence[Any]], list[str]]
) -> tuple[list[str], list[str]]:
    """Run chunks through both, in turns first; print seconds a clip and the median ratio, return what each said."""
    times, said = [], ([], [])
    for at, start in enumerate(range(0, len(clips), CHUNK)):
        chunk = clips[start : start + CHUNK]
        order = (0, 1) if at % 2 == 0 else (1, 0)
        took = [0.0, 0.0]
        for side in order:
            took[side], texts = seconds(lambda side=side, chunk=chunk: (theirs, ours)[side](chunk))
            said[side].extend(texts)
        times.append((took[0] / len(chunk), took[1] / len(chunk)))
    one, two = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = [a / b for a, b in times]
    print(f"  engine {one:.3f} s a clip, ours {two:.3f} s a clip; engine / ours, median of {len(ratios)} chunks: "
          f"{statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})", flush=True)  # fmt: skip
    return said


def compared(names: Sequence[str], one: Sequence[str], two: Sequence[str], what: str) -> None:
    differing = [(name, a, b) for name, a, b in zip(names, one, two, strict=True) if a != b]
    print(f"  {what}: {len(names) - len(differing)} of {len(names)} identical", flush=True)
    for name, a, b in differing[:20]:
        print(f"    {name}\n      {a!r}\n      {b!r}")


def bench_whisper(names: list[str], clips: list[np.ndarray], device: str) -> None:
    print("openai-whisper, tiny.en: transcribe() in a loop against batches, the same options")
    backend = Whisper(WhisperSettings(device=device))
    backend.prepare()
    checkpoint = torch.load(backend._found().folder, map_location="cpu", weights_only=True)
    reference = whisper.Whisper(whisper.ModelDimensions(**checkpoint["dims"]))
    reference.load_state_dict(checkpoint["model_state_dict"])
    reference = reference.to(device).eval()
    threads = torch.get_num_threads()
    told = WhisperDecoding().as_keywords() | {"fp16": device == "cuda"}

    def loop(chunk: Sequence[int]) -> list[str]:
        torch.set_num_threads(threads)  # the loop has all processors too
        texts = [whisper.transcribe(reference, clips[at], **told)["text"].strip() for at in chunk]
        torch.set_num_threads(1 if device == "cpu" else threads)
        return texts

    def batched(backend: Whisper) -> Callable[[Sequence[int]], list[str]]:
        def run(chunk: Sequence[int]) -> list[str]:
            requests = [Request(names[at], names[at], "clean", "a", None, "", clips[at]) for at in chunk]
            return [one.text for one in backend.transcribe(requests)]

        return run

    backend.load()
    order = list(range(len(clips)))
    batched(backend)(order[:4])
    loop(order[:1])
    theirs, ours = paired(order, loop, batched(backend))
    compared(names, theirs, ours, "words of the loop and of the batches")
    some = order[::4]  # of every length
    said = [ours[at] for at in some]
    labels = [names[at] for at in some]
    audio_s = sum(clips[at].size for at in some) / 16_000
    for size in (1, 7, len(some)):
        took, texts = seconds(lambda size=size: in_batches(batched(backend), some, size))
        print(f"  in batches of {size}: {audio_s / took:.1f} seconds of audio a second")
        compared(labels, said, texts, f"words in batches of {CHUNK} and of {size}")
    compared(labels, said, batched(backend)(some[::-1])[::-1], "words forwards and backwards")
    backend.close()
    for changes in ({"cpu_threads": 1}, {"dtype": "bfloat16"}):
        other = Whisper(WhisperSettings(device=device, **changes))
        other.prepare()
        other.load()
        took, texts = seconds(lambda other=other: batched(other)(some))
        other.close()
        print(f"  {changes}: {took / len(some):.3f} s a clip")
        compared(labels, said, texts, f"words with {changes}")
        words = sum(len(text.split()) for text in said)
        changed = sum(_differing(a, b) for a, b in zip(said, texts, strict=True))
        print(f"    {changed} of {words} words differ")


def in_batches(run: Callable[[Sequence[int]], list[str]], order: Sequence[int], size: int) -> list[str]:
    return [text for start in range(0, len(order), size) for text in run(order[start : start + size])]


def _differing(one: str, two: str) -> int:
    found = jiwer.process_words(one or "-", two or "-")
    return found.substitutions + found.deletions + found.insertions


def bench_floor() -> None:
    print("what one window of tiny.en costs on this processor")
    n = 1500
    a, b = torch.randn(n, 384), torch.randn(384, 1536)
    for threads in (1, torch.get_num_threads()):
        torch.set_num_threads(threads)
        took = min(seconds(lambda: [a @ b for _ in range(40)])[0] for _ in range(5)) / 40
        rate = 2 * n * 384 * 1536 / took / 1e9
        print(f"  {threads} thread(s): {rate:.0f} GFLOP/s, so 37 GFLOP of encoding take at least {37 / rate:.3f} s")


class Loaded(FasterWhisper):
    """Loads once: what is compared is hearing."""

    def load(self) -> None:
        if self._model is None:
            super().load()


def bench_faster_whisper(manifest: Path) -> None:
    print("faster-whisper, tiny.en: the raw engine against the whole pipeline (read, render clean, transcribe, store)")
    corpus = plugins.resolve(plugins.CORPORA, "manifest", "corpus")
    corpus = corpus(corpus.Settings(path=str(manifest), accents="as_given"))
    utterances, _, _ = load_utterances(corpus)
    resources = Resources(0, 32, corpus.talkers(utterances), -26.0)
    settings = ConditionSettings(version=1, family="reference", description="clean", sources=[], steps=[])
    clean = build_condition("clean", settings, step_types={}, acoustics=Acoustics())
    trials, _ = plan_trials(utterances, [clean], corpus=corpus, resources=resources, acoustics=Acoustics(), seed=0)
    backend = Loaded(FasterWhisperSettings(device="cpu"))
    backend.prepare()
    backend.load()
    renderer = Renderer(corpus, [clean], resources, RenderSettings())
    joined = trials.merge(utterances, on="utterance_id").sort_values("duration_s", ascending=False)
    with renderer.renderings(joined.to_dict("records"), ahead=8) as made:
        clips = {row["trial_key"]: one.samples.astype(np.float32) / np.float32(32768) for row, one in made}
    keys = list(joined["trial_key"])
    options = backend._settings.decoding.as_keywords()

    def raw(chunk: Sequence[str]) -> list[str]:
        heard = [backend._model.transcribe(clips[key], **options)[0] for key in chunk]
        return ["".join(segment.text for segment in segments).strip() for segments in heard]

    with tempfile.TemporaryDirectory() as folder, TranscriptStore(Path(folder) / "store.sqlite") as store:

        def whole(chunk: Sequence[str]) -> list[str]:
            part = trials[trials["trial_key"].isin(chunk)].reset_index(drop=True)
            made = transcribe(utterances, part, renderer=renderer, backend=backend, store=store)
            said = dict(zip(made.transcripts["trial_key"], made.transcripts["hypothesis"], strict=True))
            return [said[key] for key in chunk]

        raw(keys[:2])
        theirs, ours = paired(keys, raw, whole)
    compared(keys, theirs, ours, "words of the engine and of the pipeline")


def bench_large(clips: list[np.ndarray], device: str, dims: dict[str, int]) -> None:
    """Random weights and a fixed number of tokens: what the hardware does, whatever is said."""
    print(
        f"random weights of {dims['n_audio_layer']} layers x {dims['n_audio_state']}, 32 tokens a window, on {device}"
    )
    torch.manual_seed(0)
    reference = whisper.Whisper(whisper.ModelDimensions(**dims))
    for value in reference.state_dict().values():
        value.normal_(0, 0.02)
    checkpoint = {"dims": dims, "model_state_dict": reference.state_dict()}
    half = device == "cuda"
    engine = Engine(checkpoint, device=torch.device(device), dtype=torch.float16 if half else torch.float32, threads=2)
    reference = reference.to(device).eval()
    decoding = WhisperDecoding(
        temperature=[0.0], sample_len=32, without_timestamps=True, suppress_tokens=f"-1,{END_OF_TEXT}"
    )
    told = decoding.as_keywords()

    def loop(chunk: Sequence[int]) -> list[str]:
        return [whisper.transcribe(reference, clips[at], **told | {"fp16": half})["text"] for at in chunk]

    def batched(chunk: Sequence[int]) -> list[str]:
        heard = engine.hear([Clip(clips[at], dict(told), "x") for at in chunk])
        return [one.result["text"] for one in heard]

    order = list(range(len(clips)))
    loop(order[:1])
    batched(order)
    paired(order, loop, batched)
    took, _ = seconds(lambda: batched(order))
    audio_s = sum(clip.size for clip in clips) / 16_000
    print(
        f"  all at once: {audio_s / took:.1f} seconds of audio a second, {33 * len(clips) / took:.0f} tokens a second"
    )
    mel = torch.zeros((min(16, len(clips)), dims["n_mels"], 3000), device=device, dtype=engine.dtype)
    with torch.no_grad():
        engine.model.encoder(mel)
        encoding, _ = seconds(lambda: engine.model.encoder(mel))
    a = torch.randn((4096, 4096), device=device, dtype=engine.dtype)
    matrix, _ = seconds(lambda: [a @ a for _ in range(10)])
    rate = 10 * 2 * 4096**3 / matrix
    flops = encoder_flops(dims) * len(mel)
    copied = torch.empty(1 << 28, device=device, dtype=torch.uint8)
    copying, _ = seconds(lambda: copied.clone())
    floor, moved = flops / rate / len(mel), 2 * copied.numel() / copying / 1e9
    print(f"  encoder {encoding / len(mel):.4f} s a window, its floor at {rate / 1e12:.1f} TFLOP/s {floor:.4f} s")
    print(f"  memory moves at {moved:.0f} GB/s")
    engine.close()


def encoder_flops(dims: dict[str, int]) -> float:
    """Multiply-adds counted as two, of one window: convolutions, projections, attention."""
    t, d, mels = dims["n_audio_ctx"], dims["n_audio_state"], dims["n_mels"]
    layer = 12 * t * d * d + 2 * t * t * d
    return 2.0 * (2 * t * 3 * mels * d + t * 3 * d * d + dims["n_audio_layer"] * layer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--only", default="floor,whisper,faster_whisper")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args()
    table = pd.read_csv(given.manifest, keep_default_na=False).head(given.clips)
    names = list(table["utterance_id"])
    clips = [soundfile.read(given.manifest.parent / path, dtype="float32")[0] for path in table["audio_path"]]
    order = sorted(range(len(clips)), key=lambda at: -clips[at].size)
    names, clips = [names[at] for at in order], [clips[at] for at in order]
    only = given.only.split(",")
    if "floor" in only:
        bench_floor()
    if "whisper" in only:
        bench_whisper(names, clips, given.device)
    if "faster_whisper" in only:
        bench_faster_whisper(given.manifest)
    if "large" in only:
        bench_large(clips, given.device, LARGE_V3)


if __name__ == "__main__":
    main()
