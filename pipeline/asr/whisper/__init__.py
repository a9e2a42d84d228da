"""openai-whisper, many clips at once, saying what its own ``transcribe()`` says.

``backend`` is what the study sees, ``options`` what it can be told, ``weights`` where weights come from
(``conversion`` makes them from CTranslate2's). The rest imports torch and the engine: ``engine`` holds the model on
its device and hears batches; ``listening`` lets the engine's own ``transcribe()`` run for every clip at once, so that
its windows, retries and rules for silence are no copy of it; ``mel`` makes the spectrograms, ``encoding`` and
``decoding`` do the work for all clips together, ``inference`` is the arithmetic of the decoder and ``rules`` what may
follow what.
"""

from pipeline.asr.whisper.backend import Whisper

__all__ = ["Whisper"]
