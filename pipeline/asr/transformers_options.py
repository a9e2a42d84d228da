"""What a transformers model is told: every option, stated here and in ``conf/asr/transformers.yaml``.

What a model's own files say beyond that (tokens it never emits, the task it was made for) belongs to the model and is
in the fingerprint through their hashes. There is no setting that lets a model bring its own code: a configuration file,
which people mail to each other, must not be able to run any.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.asr.base import RepeatSettings

DEVICE = r"^(auto|cpu|cuda(:\d+)?)$"


class GenerationOptions(BaseModel):
    """Told to models that write their answer token by token; a CTC model reads none of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    language: str | None = "en"
    """Told to a multilingual Whisper; None: it detects the language, which may err more often for some accents."""
    task: Literal["transcribe"] = "transcribe"
    timestamps: bool = False
    """Whether a Whisper predicts times as well; over 30 s it always does, to find its way."""
    max_new_tokens: int = Field(224, ge=1)
    """Of each window; an answer that is cut off here says so in its detail."""
    num_beams: int = Field(1, ge=1)
    do_sample: Literal[False] = False
    """Only repeats are drawn at random, at ``repeat_temperatures`` and from all tokens."""
    length_penalty: float = 1.0
    repetition_penalty: float = Field(1.0, gt=0)
    no_repeat_ngram_size: int = Field(0, ge=0)


class TransformersSettings(RepeatSettings):
    """Which model, on which device, decoded how."""

    model: str = Field("openai/whisper-tiny.en", min_length=1)
    """A hub id (``owner/name``) or the folder of a model."""
    revision: str = Field("main", min_length=1)
    """Branch, tag or commit on the hub; a folder has none."""
    device: str = Field("auto", pattern=DEVICE)
    """``cuda:1`` is the second CUDA device; ``auto`` is the first one, or the CPU where there is none."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """``auto`` is float32 on CPU and float16 on CUDA."""
    batch_size: int = Field(8, ge=1)
    """Clips handed over and remembered together; on CUDA also at most as many in a forward pass."""
    chunk_length_s: float = Field(30.0, ge=1)
    """A CTC model hears longer clips in chunks of this length. Whisper has windows of its own, others take it whole."""
    stride_length_s: float = Field(5.0, ge=0)
    """On either side of a chunk, heard but not counted."""
    allow_pickle: bool = False
    """Whether weights stored as a Python pickle may be read, where there are no safetensors."""
    generation: GenerationOptions = GenerationOptions()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.chunk_length_s <= 2 * self.stride_length_s:
            raise ValueError(
                f"chunk_length_s ({self.chunk_length_s:g}) must be more than twice stride_length_s"
                f" ({self.stride_length_s:g})"
            )
        return self
