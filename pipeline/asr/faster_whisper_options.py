"""What faster-whisper is told: every decoding option, stated here and in ``conf/asr/faster_whisper.yaml``.

None is inherited from the engine. The defaults are those of the reference implementation's
``transcribe()`` (greedy, with timestamps), but for two. ``temperature`` is ``[0.0]`` alone: the reference
samples again at higher temperatures when a window looks bad, and sampling would let the words change from
run to run, on resuming, and with the order of the clips. ``condition_on_previous_text`` is false: those
retries are also what breaks the loops that a window falls into when it is prompted with the one before.
It matters to clips over 30 s only.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.asr.base import RepeatSettings

DEVICE = r"^(auto|cpu|cuda(:\d+)?)$"


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class VadOptions(_Options):
    """Voice-activity filter of the engine (Silero); read only when ``vad_filter`` is true."""

    threshold: float = Field(0.5, ge=0, le=1)
    neg_threshold: float = Field(0.35, ge=0, le=1)
    min_speech_duration_ms: int = Field(0, ge=0)
    max_speech_duration_s: float = Field(86_400.0, gt=0)
    min_silence_duration_ms: int = Field(2000, ge=0)
    speech_pad_ms: int = Field(400, ge=0)


class DecodingOptions(_Options):
    """All that the engine's ``transcribe`` can be told, by the engine's names; times in seconds."""

    language: str | None = "en"
    """None: detected from the audio, which may err more often for some accents."""
    task: Literal["transcribe"] = "transcribe"
    beam_size: int = Field(1, ge=1)
    best_of: int = Field(5, ge=1)
    patience: float = Field(1.0, gt=0)
    length_penalty: float = 1.0
    repetition_penalty: float = Field(1.0, gt=0)
    no_repeat_ngram_size: int = Field(0, ge=0)
    temperature: tuple[float, ...] = Field((0.0,), min_length=1)
    """Tried in turn while a window fails the two thresholds below; above 0 the engine draws at random."""
    compression_ratio_threshold: float | None = 2.4
    log_prob_threshold: float | None = -1.0
    no_speech_threshold: float | None = 0.6
    condition_on_previous_text: bool = False
    prompt_reset_on_temperature: float = 0.5
    initial_prompt: str | None = None
    prefix: str | None = None
    hotwords: str | None = None
    suppress_blank: bool = True
    suppress_tokens: tuple[int, ...] = (-1,)
    without_timestamps: bool = False
    max_initial_timestamp: float = Field(1.0, ge=0)
    word_timestamps: bool = False
    prepend_punctuations: str = "\"'“¿([{-"
    append_punctuations: str = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001 - the full-width marks are meant
    hallucination_silence_threshold: float | None = None
    max_new_tokens: int | None = Field(None, ge=1)
    chunk_length: int | None = Field(30, ge=1, le=30)
    multilingual: bool = False
    language_detection_threshold: float = Field(0.5, ge=0, le=1)
    language_detection_segments: int = Field(1, ge=1)
    vad_filter: bool = False
    vad_parameters: VadOptions = VadOptions()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(value < 0 for value in self.temperature):
            raise ValueError(f"temperature must not be negative: {list(self.temperature)}")
        if self.hallucination_silence_threshold is not None and not self.word_timestamps:
            raise ValueError("hallucination_silence_threshold has no effect unless word_timestamps is true")
        return self

    def as_keywords(self) -> dict[str, Any]:
        """Return the keyword arguments of the engine's ``transcribe``; the whole clip is always decoded."""
        keywords = self.model_dump()
        lists = {"temperature": list(self.temperature), "suppress_tokens": list(self.suppress_tokens)}
        return keywords | lists | {"clip_timestamps": "0", "log_progress": False}

    def sequential_only(self) -> list[str]:
        """Return the names of options that say what the batched decoder cannot do."""
        asked = {
            "temperature": self.temperature != (0.0,),
            "condition_on_previous_text": self.condition_on_previous_text,
            "prefix": self.prefix is not None,
            "max_initial_timestamp": self.max_initial_timestamp != 1.0,
            "hallucination_silence_threshold": self.hallucination_silence_threshold is not None,
        }
        return [name for name, is_asked in asked.items() if is_asked]


class FasterWhisperSettings(RepeatSettings):
    """Which weights, on which device, decoded how."""

    model: str = Field("tiny.en", min_length=1)
    """A size (``tiny.en``), a hub id (``owner/name``), or the folder of converted weights."""
    device: str = Field("auto", pattern=DEVICE)
    """``cuda:1`` is the second CUDA device; ``auto`` is the first one, or the CPU where there is none."""
    compute_type: Literal[
        "default", "float32", "float16", "bfloat16", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16"
    ] = "default"
    """``default`` is float32 on CPU (the reference implementation's words) and float16 on CUDA."""
    cpu_threads: int = Field(0, ge=0)
    """0: as many as the processors this process may use."""
    decoder: Literal["auto", "sequential", "batched"] = "auto"
    """``sequential``: clip by clip, as the reference implementation. ``batched``: the engine's batched path, without
    retries or a second look at what a window left over. ``auto``: sequential on CPU, batched on CUDA."""
    batch_size: int = Field(8, ge=1)
    """Clips handed over and remembered together; the batched decoder takes as many windows at once."""
    decoding: DecodingOptions = DecodingOptions()
