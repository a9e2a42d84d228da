"""What may follow what in a transcript with timestamps, and which token is taken: for all rows of a batch at once.

The rules are those of openai-whisper's decoder, which goes through them row by row.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


class TimestampRules:
    """Timestamps come in pairs and never decrease, the first comes early, and together they can outweigh any word."""

    def __init__(self, tokenizer: Any, sample_begin: int, max_initial_timestamp_index: int | None) -> None:
        self._begin: int = tokenizer.timestamp_begin
        self._eot: int = tokenizer.eot
        self._no_timestamps: int | None = tokenizer.no_timestamps
        self._sample_begin = sample_begin
        self._latest_first = max_initial_timestamp_index

    def apply(self, logits: Tensor, tokens: Tensor) -> None:
        """Set the logits (batch, vocabulary) of what cannot follow ``tokens`` (batch, length) to minus infinity."""
        if self._no_timestamps is not None:
            logits[:, self._no_timestamps] = -np.inf
        sampled = tokens[:, self._sample_begin :]
        if sampled.shape[1]:
            self._in_pairs(logits, sampled)
        else:
            logits[:, : self._begin] = -np.inf
            if self._latest_first is not None:
                logits[:, self._begin + self._latest_first + 1 :] = -np.inf
        # both sides lack the same normalizing constant
        outweighed = logits[:, self._begin :].logsumexp(dim=-1) > logits[:, : self._begin].amax(dim=-1)
        logits[:, : self._begin].masked_fill_(outweighed[:, None], -np.inf)

    def _in_pairs(self, logits: Tensor, sampled: Tensor) -> None:
        timestamps, words = logits[:, self._begin :], logits[:, : self._eot]
        stamped = sampled >= self._begin
        last = stamped[:, -1]
        before = stamped[:, -2] if sampled.shape[1] > 1 else torch.ones_like(last)
        timestamps.masked_fill_((last & before)[:, None], -np.inf)
        words.masked_fill_((last & ~before)[:, None], -np.inf)
        # the last timestamp of a row may come again only to close what it opened
        place = torch.arange(sampled.shape[1], device=sampled.device)
        newest = torch.where(stamped, place, -1).amax(dim=-1)
        value = sampled.gather(1, newest.clamp(min=0)[:, None])[:, 0] - self._begin + (~(last & ~before)).long()
        least = torch.where(newest >= 0, value, 0)
        index = torch.arange(timestamps.shape[1], device=logits.device)
        timestamps.masked_fill_(index < least[:, None], -np.inf)


class Choice:
    """The next token of every row: the likeliest, or above temperature 0 one drawn from the row's own generator."""

    def __init__(self, temperature: float, eot: int, seeds: Sequence[int], n_group: int) -> None:
        self._temperature = temperature
        self._eot = eot
        draws = [np.random.SeedSequence(seed).spawn(n_group) for seed in seeds] if temperature > 0 else []
        self._generators = [np.random.Generator(np.random.Philox(one)) for group in draws for one in group]

    def reset(self) -> None:
        """Nothing is carried over from batch to batch."""

    def update(self, tokens: Tensor, logits: Tensor, sum_logprobs: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``tokens`` with one more in each row, and which rows are done; add to ``sum_logprobs`` in place."""
        done = tokens[:, -1] == self._eot
        chosen = self._drawn(logits) if self._temperature > 0 else logits.argmax(dim=-1)
        logprobs = logits.gather(1, chosen[:, None])[:, 0] - logits.logsumexp(dim=-1)
        sum_logprobs += torch.where(done, 0.0, logprobs)
        chosen = torch.where(done, self._eot, chosen)
        return torch.cat([tokens, chosen[:, None]], dim=-1), chosen == self._eot

    def _drawn(self, logits: Tensor) -> Tensor:
        share = torch.softmax(logits.double() / self._temperature, dim=-1).cumsum(dim=-1)
        uniform = torch.tensor([one.random() for one in self._generators], dtype=torch.float64, device=logits.device)
        point = uniform[:, None] * share[:, -1:]
        return torch.searchsorted(share, point, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows of the batch only."""
        if self._generators:
            self._generators = [self._generators[row] for row in rows]

    def finalize(self, tokens: Tensor, sum_logprobs: Tensor) -> tuple[Tensor, list[list[float]]]:
        """Close every row with an end of text, as the engine's own decoder does."""
        return torch.nn.functional.pad(tokens, (0, 1), value=self._eot), sum_logprobs.tolist()
