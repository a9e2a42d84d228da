"""The two kinds of transformers models that hear: CTC, and those that write token by token.

Which clips may share a forward pass is decided by what padding does to a model. A Whisper pads every clip to its window
anyway. The CTC models in ``MASKED`` silence what was padded before their attention looks at it (with layer norms; a
group norm is taken over the padding too). All others share a pass only with clips of exactly their length: convolutions
behind the first layer, or a norm over time, would let them hear the padding.
"""

import importlib
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.asr.base import SAMPLE_RATE_HZ, Draw
from pipeline.asr.clips import TOO_SHORT_S
from pipeline.asr.transformers_options import TransformersSettings

MASKED = ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat")

CUT_OFF = "the answer was cut off at asr.generation.max_new_tokens"

Clip = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Said:
    """What a model said of one clip."""

    text: str
    n_tokens: int | None
    avg_logprob: float | None = None
    note: str = ""


class Model(Protocol):
    """A loaded model."""

    def company(self, clip: Clip) -> Hashable:
        """Return what two clips must have in common to share a forward pass."""
        ...

    def hear(self, clips: Sequence[Clip], draw: Draw | None = None) -> list[Said]:
        """Return what is said of each clip; clips of one company, and one alone if it is drawn."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the library loads of a model, and where it computes."""

    model: Any
    extractor: Any
    tokenizer: Any
    device: str
    dtype: Any

    def placed(self, inputs: Any) -> Any:
        """Return the extractor's output on the device, its floating parts in the number type."""
        return inputs.to(device=self.device, dtype=self.dtype)


class CtcModel:
    """A model that names a token for every frame; the best path is read off without a language model.

    ``avg_logprob`` is the log-probability of that path, blanks included, shared among its tokens.
    """

    def __init__(self, parts: Parts, settings: TransformersSettings) -> None:
        self._parts = parts
        self._settings = settings
        config = parts.model.config
        self._pads = (
            config.model_type in MASKED
            and bool(getattr(parts.extractor, "return_attention_mask", False))
            and getattr(config, "feat_extract_norm", "group") == "layer"
            and not getattr(config, "add_adapter", False)
        )
        self._chunks = getattr(config, "inputs_to_logits_ratio", None) is not None

    def company(self, clip: Clip) -> Hashable:
        """All that are padded; otherwise those of one length; a clip that is heard in chunks is alone."""
        if self._is_long(clip):
            return ("chunks", id(clip))
        return "padded" if self._pads else clip.size

    def _is_long(self, clip: Clip) -> bool:
        return self._chunks and clip.size > self._settings.chunk_length_s * SAMPLE_RATE_HZ

    def hear(self, clips: Sequence[Clip], draw: Draw | None = None) -> list[Said]:
        """Return what is said of each clip."""
        if any(self._is_long(clip) for clip in clips):
            return [self._in_chunks(clip) for clip in clips]
        import torch

        padded = len({clip.size for clip in clips}) > 1
        told = {"padding": True, "return_attention_mask": True} if padded else {}
        raw = [_long_enough(clip) for clip in clips]
        inputs = self._parts.extractor(raw, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt", **told)
        with torch.inference_mode():
            logits = self._parts.model(**self._parts.placed(inputs)).logits
            best, tokens = logits.float().log_softmax(-1).max(-1)
        frames = [self._frames(clip.size) if padded else tokens.shape[1] for clip in raw]
        return [self._said(tokens[i, :n].tolist(), float(best[i, :n].sum())) for i, n in enumerate(frames)]

    def _frames(self, n_samples: int) -> int:
        """Frames of a clip that was padded: (n - kernel) / stride + 1 of each convolution, rounded down."""
        config = self._parts.model.config
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            n_samples = (n_samples - kernel) // stride + 1
        return n_samples

    def _said(self, path: list[int], logprob: float) -> Said:
        blank = self._parts.tokenizer.pad_token_id
        n_tokens = sum(token not in (blank, before) for before, token in zip([None, *path], path, strict=False))
        text = self._parts.tokenizer.decode(path, skip_special_tokens=False).strip()
        return Said(text, n_tokens, logprob / n_tokens if n_tokens else None)

    def _in_chunks(self, clip: Clip) -> Said:
        """Hear a long clip with the library's own chunks and strides."""
        library: Any = importlib.import_module("transformers")
        parts = self._parts
        pipeline = library.AutomaticSpeechRecognitionPipeline(
            model=parts.model, feature_extractor=parts.extractor, tokenizer=parts.tokenizer, device=parts.device
        )
        heard = pipeline(
            {"raw": clip, "sampling_rate": SAMPLE_RATE_HZ},
            chunk_length_s=self._settings.chunk_length_s,
            stride_length_s=self._settings.stride_length_s,
        )
        return Said(str(heard["text"]).strip(), None)


class WritingModel:
    """A model that writes token by token (sequence to sequence): Whisper and its like, Moonshine, Speech2Text, ...

    ``avg_logprob`` is the mean over the tokens written, None for a Whisper and with beams.
    """

    def __init__(self, parts: Parts, settings: TransformersSettings) -> None:
        self._parts = parts
        self._options = settings.generation
        self._is_whisper: bool = parts.model.config.model_type == "whisper"
        times = {at for token, at in parts.tokenizer.get_added_vocab().items() if token.startswith("<|")}
        self._unspoken = times | set(parts.tokenizer.all_special_ids)

    def company(self, clip: Clip) -> Hashable:
        """Clips that fit a Whisper's window; those of one length elsewhere; a clip of several windows is alone."""
        if self._is_long(clip):
            return ("windows", id(clip))
        return "window" if self._is_whisper else clip.size

    def _is_long(self, clip: Clip) -> bool:
        return self._is_whisper and clip.size > int(self._parts.extractor.n_samples)

    def hear(self, clips: Sequence[Clip], draw: Draw | None = None) -> list[Said]:
        """Return what is said of each clip; drawn with the draw's own seed if there is one."""
        import torch

        is_long = any(self._is_long(clip) for clip in clips)
        told = {"truncation": False, "padding": "longest"} if is_long else {} if self._is_whisper else {"padding": True}
        inputs = self._parts.extractor(
            [_long_enough(clip) for clip in clips],
            sampling_rate=SAMPLE_RATE_HZ,
            return_tensors="pt",
            return_attention_mask=True,
            **told,
        )
        with torch.inference_mode(), _seeded(draw, self._parts.device):
            found = self._parts.model.generate(**self._parts.placed(inputs), **self._told(draw, is_long=is_long))
        return self._said(found) if hasattr(found, "scores") else self._plain(found, is_long=is_long)

    def _told(self, draw: Draw | None, *, is_long: bool) -> dict[str, Any]:
        options = self._options.model_dump(exclude={"language", "task", "timestamps"})
        if draw is not None:
            options |= {"do_sample": True, "temperature": draw.temperature, "top_k": 0, "top_p": 1.0, "num_beams": 1}
        if self._is_whisper:
            options |= {"return_timestamps": is_long or self._options.timestamps, "condition_on_prev_tokens": False}
        if self._is_whisper and getattr(self._parts.model.generation_config, "is_multilingual", False):
            options |= {"language": self._options.language, "task": self._options.task}
        # of a Whisper that goes on from a time it wrote, the library would hand over the scored last part only
        scored = not self._is_whisper and options["num_beams"] == 1
        return options | ({"return_dict_in_generate": True, "output_scores": True} if scored else {})

    def _said(self, found: Any) -> list[Said]:
        logprobs = self._parts.model.compute_transition_scores(found.sequences, found.scores, normalize_logits=True)
        written = found.sequences[:, -logprobs.shape[1] :]  # without the prompt
        return [self._one(row, chances.tolist()) for row, chances in zip(written.tolist(), logprobs, strict=True)]

    def _one(self, written: list[int], logprobs: list[float]) -> Said:
        end = self._parts.model.generation_config.eos_token_id
        ends = end if isinstance(end, list) else [end]
        stop = next((at for at, token in enumerate(written) if token in ends), None)
        n_tokens = len(written) if stop is None else stop
        counted = logprobs[: n_tokens if stop is None else n_tokens + 1]  # the end is a choice too
        note = CUT_OFF if stop is None else ""
        text = self._parts.tokenizer.decode(written[:n_tokens], skip_special_tokens=True).strip()
        return Said(text, n_tokens, float(np.mean(counted)) if counted else None, note)

    def _plain(self, found: Any, *, is_long: bool) -> list[Said]:
        said = []
        for row in found.tolist():
            written = [token for token in row if token not in self._unspoken]
            note = CUT_OFF if not is_long and len(written) >= self._options.max_new_tokens else ""
            said.append(Said(self._parts.tokenizer.decode(written).strip(), len(written), note=note))
        return said


def _long_enough(clip: Clip) -> Clip:
    """Return the clip with silence up to 0.1 s, which adds no word: below the length of its filters a model fails."""
    return np.pad(clip, (0, max(0, round(TOO_SHORT_S * SAMPLE_RATE_HZ) - clip.size)))


@contextmanager
def _seeded(draw: Draw | None, device: str) -> Iterator[None]:
    """Take torch's random numbers from the draw's seed; afterwards they go on as if nothing had been."""
    if draw is None:
        yield
        return
    import torch

    with torch.random.fork_rng(devices=[] if device == "cpu" else [torch.device(device)]):
        torch.manual_seed(draw.seed)
        yield
