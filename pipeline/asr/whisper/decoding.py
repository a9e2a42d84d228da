"""openai-whisper's decoding of many windows at once: its tokenizer, prompts and ranking over our arithmetic and draws.

``BatchTask`` is the engine's ``DecodingTask`` with four parts exchanged: the forward pass (``inference``), the
timestamp rules and the choice of the next token (``rules``), and the loop, out of which rows fall when they are done.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from whisper.decoding import ApplyTimestampRules, DecodingOptions, DecodingResult, DecodingTask

from pipeline.asr.whisper.inference import Inference
from pipeline.asr.whisper.rules import Choice, TimestampRules


def decode(model: Any, features: Tensor, options: DecodingOptions, seeds: Sequence[int]) -> list[DecodingResult]:
    """Decode encoded windows and return the engine's result for each, in their order.

    Args:
        model: the engine's model, its weights of the type of ``features``.
        features: (batch, audio positions, state).
        options: for all of them; ``language`` must be given.
        seeds: one a window; read at temperatures above 0.
    """
    results: list[DecodingResult] = BatchTask(model, options, seeds).run(features)
    return results


class BatchTask(DecodingTask):
    """The engine's task for a batch of encoded windows."""

    decoder: Any
    inference: Inference
    logit_filters: list[Any]

    def __init__(self, model: Any, options: DecodingOptions, seeds: Sequence[int]) -> None:
        super().__init__(model, options)
        self.inference = Inference(model, len(self.initial_tokens), self.sot_index)
        self.logit_filters = [self._ours(rule) for rule in self.logit_filters]
        if options.beam_size is None:
            self.decoder = Choice(options.temperature, self.tokenizer.eot, seeds, self.n_group)
        else:
            self.decoder.inference = self.inference

    def _ours(self, rule: Any) -> Any:
        if isinstance(rule, ApplyTimestampRules):
            return TimestampRules(self.tokenizer, self.sample_begin, rule.max_initial_timestamp_index)
        return rule

    def _get_audio_features(self, mel: Tensor) -> Tensor:
        return mel  # encoded before

    def _detect_language(self, audio_features: Tensor, tokens: Tensor) -> tuple[list[str | None], None]:
        return [self.options.language] * len(tokens), None  # detected before

    def _main_loop(self, audio_features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, list[float]]:
        features = audio_features.repeat_interleave(self.n_group, dim=0)
        try:
            run = self._beams if self.options.beam_size is not None else self._rows
            said, sum_logprobs, no_speech = run(tokens, features)
        finally:
            self.inference.cleanup_caching()
        return said, sum_logprobs, no_speech

    def _first(self, tokens: Tensor, features: Tensor) -> tuple[Tensor, list[float]]:
        """Return the logits after the last initial token, and the probabilities of no speech."""
        logits = self.inference.logits(tokens, features)
        silent = self.tokenizer.no_speech
        shares = logits[:, 0].softmax(dim=-1)[:, silent].tolist() if silent is not None else [np.nan] * len(tokens)
        return logits[:, -1], shares

    def _filtered(self, logits: Tensor, tokens: Tensor) -> Tensor:
        for rule in self.logit_filters:
            rule.apply(logits, tokens)
        return logits

    def _beams(self, tokens: Tensor, features: Tensor) -> tuple[Tensor, Tensor, list[float]]:
        """Search until every window has what it needs; each keeps the beams it had when it would have ended alone."""
        n, device = len(tokens), features.device
        said = torch.full((n, self.n_ctx + 1 + self.sample_len), self.tokenizer.eot, device=device)
        sum_logprobs, sums = (torch.zeros(n, device=device) for _ in range(2))
        open_windows = set(range(n // self.n_group))
        logits, no_speech = self._first(tokens, features)
        for _ in range(self.sample_len):
            tokens, completed = self.decoder.update(tokens, self._filtered(logits, tokens), sum_logprobs)
            for window in sorted(open_windows):
                rows = slice(window * self.n_group, (window + 1) * self.n_group)
                said[rows, : tokens.shape[1]], sums[rows] = tokens[rows], sum_logprobs[rows]
                if len(self.decoder.finished_sequences[window]) >= self.decoder.max_candidates:
                    open_windows.remove(window)
            if completed or tokens.shape[-1] > self.n_ctx:
                break
            logits = self.inference.logits(tokens, features)[:, -1]
        return said[:, : tokens.shape[1]], sums, no_speech

    def _rows(self, tokens: Tensor, features: Tensor) -> tuple[Tensor, Tensor, list[float]]:
        """Decode row by row, dropping what is done when that halves the work."""
        n, device = len(tokens), features.device
        longest = min(self.n_ctx + 1, tokens.shape[1] + self.sample_len)
        said = torch.full((n, longest), self.tokenizer.eot, device=device)
        sums = torch.zeros(n, device=device)
        rows, ours = torch.arange(n, device=device), sums.clone()
        logits, no_speech = self._first(tokens, features)
        while True:
            tokens, done = self.decoder.update(tokens, self._filtered(logits, tokens), ours)
            left = (~done).nonzero()[:, 0]
            if len(left) == 0 or tokens.shape[1] >= longest:
                break
            if 2 * len(left) <= len(rows):
                said[rows, : tokens.shape[1]], sums[rows] = tokens, ours
                rows, tokens, ours = rows[left], tokens[left], ours[left]
                self.inference.keep(left)
                self.decoder.keep(left.tolist())
            logits = self.inference.logits(tokens, features)[:, -1]
        said[rows, : tokens.shape[1]], sums[rows] = tokens, ours
        return said, sums, no_speech
