"""What openai-whisper is told: every option of its ``transcribe``, stated here and in ``conf/asr/whisper.yaml``.

None is inherited from the engine. The defaults are those of the engine's own ``transcribe()``, but for
``condition_on_previous_text``, which is false here as for every recognizer of this program: a window that is prompted
with the one before it passes a loop on. It matters to clips over 30 s only.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.asr.base import RepeatSettings

DEVICE = r"auto|cpu|cuda(:\d{1,3})?"


class WhisperDecoding(BaseModel):
    """The keyword arguments of the engine's ``transcribe``, by its names; times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    language: str | None = "en"
    """None: detected from the audio, which may err more often for some accents."""
    task: Literal["transcribe"] = "transcribe"
    temperature: tuple[float, ...] = Field((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), min_length=1)
    """Tried in turn while a window fails the next two thresholds; draws above 0 hang on the trial alone, not on
    chance."""
    compression_ratio_threshold: float | None = 2.4
    logprob_threshold: float | None = -1.0
    no_speech_threshold: float | None = 0.6
    condition_on_previous_text: bool = False
    initial_prompt: str | None = None
    carry_initial_prompt: bool = False
    prefix: str | None = None
    beam_size: int | None = Field(None, ge=1, le=32)
    patience: float | None = Field(None, gt=0)
    best_of: int | None = Field(None, ge=1, le=32)
    """Candidates at temperatures above 0."""
    length_penalty: float | None = Field(None, ge=0, le=1)
    sample_len: int | None = Field(None, ge=1, le=224)
    """Tokens of a window at most; None: half of the model's text context, 224."""
    suppress_tokens: str | None = Field("-1", pattern=r"^(-?\d+(,-?\d+)*)?$")
    suppress_blank: bool = True
    without_timestamps: bool = False
    max_initial_timestamp: float | None = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(value < 0 for value in self.temperature):
            raise ValueError(f"temperature must not be negative: {list(self.temperature)}")
        if self.patience is not None and self.beam_size is None:
            raise ValueError("patience has no effect unless beam_size is given")
        return self

    def as_keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the engine's ``transcribe``; the whole clip is always decoded."""
        keywords = self.model_dump() | {"temperature": self.temperature}
        return keywords | {"verbose": None, "word_timestamps": False, "clip_timestamps": "0", "fp16": False}


class WhisperSettings(RepeatSettings):
    """Which weights, on which device, in which numbers, decoded how."""

    model: str = Field("tiny.en", min_length=1)
    """A size (``tiny.en``, ``large-v3``), or the path of a ``.pt`` file."""
    device: str = Field("auto", pattern=f"^({DEVICE})$")
    dtype: Literal["default", "float32", "float16", "bfloat16"] = "default"
    """``default`` is float32 on CPU and float16 on CUDA, as the engine's own."""
    batch_size: int = Field(64, ge=1, le=4096)
    """Clips handed over, decoded and remembered together; fewer at once where memory asks for it."""
    cpu_threads: int = Field(0, ge=0)
    """0: as many as the processors this process may use."""
    decoding: WhisperDecoding = WhisperDecoding()
