"""The encoder of openai-whisper's model for one window on a CPU, without computing the padding again for every clip.

A window is 30 s and most clips are short: the engine fills up with zeros. Up to the first attention what those
become hangs on the weights alone, and what they see of each other there hangs on how long the clip is. Both are
kept. From the second layer on everything has seen the clip; there the engine's blocks are computed as they stand,
but in place.

The sums are the engine's in another order, so features differ from its in the last bits (as they do between any two
machines); those of one clip are the same bits whatever is heard beside it.
"""

import math
import threading
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

STEP: Final = 64
"""Positions (of 20 ms) that a length is rounded up to: so many lengths share what is kept of the padding."""

MOST: Final = 0.75
"""Above this share of a window that is not padding the engine's own encoder is as fast."""


@dataclass(frozen=True, slots=True, eq=False)
class _Padded:
    """A window of zeros before the first attention: (positions, state), and (heads, positions, width of a head)."""

    x: Tensor
    queries: Tensor
    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Tail:
    """What the padding behind a length sees of itself: (heads, positions, width), and the logarithm of its weight."""

    seen: Tensor
    log_weight: Tensor


class Encoder:
    """The engine's audio encoder, float32."""

    def __init__(self, encoder: Any) -> None:
        """Take the module; nothing is computed before the first window."""
        self._encoder = encoder
        self._n_ctx: int = encoder.positional_embedding.shape[0]
        self._padded: _Padded | None = None
        self._tails: dict[int, _Tail] = {}
        self._lock = threading.Lock()

    def __call__(self, mels: Tensor) -> Tensor:
        """Return the features of one window or more, each computed by itself: (windows, positions, state).

        Args:
            mels: (windows, n_mels, frames); frames of zeros at the end are taken for padding, which is what zeros are.
        """
        return torch.stack([self._encode(segment) for segment in mels])

    def _encode(self, segment: Tensor) -> Tensor:
        length = self._length(segment)
        if length > MOST * self._n_ctx:
            features: Tensor = self._encoder(segment[None])[0]
            return features
        padded, tail = self._kept(length)
        first, *others = self._encoder.blocks
        x = self._first(first, self._begin(segment[:, : 2 * length + 2])[:length], padded, tail)
        for block in others:
            _mix(block, x, _attend(*_projected(block, x)))
        encoded: Tensor = self._encoder.ln_post(x)
        return encoded

    def _length(self, segment: Tensor) -> int:
        """Return the positions that the audio reaches, rounded up."""
        sounding = segment.any(dim=0).nonzero()
        frames = int(sounding[-1]) + 1 if len(sounding) else 0
        reached = (frames + 1) // 2 + 1  # each of two convolutions reaches one further; the second takes every other
        return min(self._n_ctx, -(-reached // STEP) * STEP)

    def _begin(self, mels: Tensor) -> Tensor:
        """Return what the first block is given for the beginning of a window: (positions, state)."""
        x = functional.gelu(self._encoder.conv1(mels[None]))
        x = functional.gelu(self._encoder.conv2(x))[0].T
        positions: Tensor = self._encoder.positional_embedding[: len(x)]
        return x + positions

    def _kept(self, length: int) -> tuple[_Padded, _Tail]:
        with self._lock:
            if self._padded is None:
                self._padded = self._pad()
            if length not in self._tails:
                self._tails[length] = _tail(self._padded, length)
            return self._padded, self._tails[length]

    def _pad(self) -> _Padded:
        weight = self._encoder.conv1.weight
        x = self._begin(weight.new_zeros((weight.shape[1], 2 * self._n_ctx)))
        return _Padded(x, *_projected(self._encoder.blocks[0], x))

    def _first(self, block: Any, x: Tensor, padded: _Padded, tail: _Tail) -> Tensor:
        """Return what the first block makes of the audio's positions ``x`` and the padding behind them."""
        length = len(x)
        queries, keys, values = _projected(block, x)
        behind = padded.queries[:, length:]
        ahead = _attend(
            queries,
            torch.cat([keys, padded.keys[:, length:]], dim=1),
            torch.cat([values, padded.values[:, length:]], dim=1),
        )
        seen = torch.cat([ahead, _with(tail, behind, keys, values)], dim=1)
        whole = torch.cat([x, padded.x[length:]])
        _mix(block, whole, seen)
        return whole


def _projected(block: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return queries, keys and values, each (heads, positions, width of a head)."""
    attention, normed = block.attn, block.attn_ln(x)
    made = (of(normed) for of in (attention.query, attention.key, attention.value))
    queries, keys, values = (one.view(len(x), attention.n_head, -1).transpose(0, 1) for one in made)
    return queries, keys, values


def _mix(block: Any, x: Tensor, seen: Tensor) -> None:
    """Add to ``x``, in place, what a block makes of it and of what its attention has seen: fresh memory is slow."""
    _add_product(x, block.attn.out, seen.transpose(0, 1).flatten(start_dim=1))
    widen, _, narrow = block.mlp
    hidden = widen(block.mlp_ln(x))
    _add_product(x, narrow, torch.ops.aten.gelu_(hidden))


def _add_product(x: Tensor, linear: Any, rows: Tensor) -> None:
    x += linear.bias
    x.addmm_(rows, linear.weight.T)


def _attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(queries[None], keys[None], values[None])[0]


def _scores(queries: Tensor, keys: Tensor) -> Tensor:
    scale = 1 / math.sqrt(queries.shape[-1])
    return (queries * scale) @ keys.transpose(1, 2)


def _tail(padded: _Padded, length: int) -> _Tail:
    queries, keys, values = (one[:, length:] for one in (padded.queries, padded.keys, padded.values))
    log_weight: Tensor = _scores(queries, keys).logsumexp(dim=-1, keepdim=True)
    return _Tail(_attend(queries, keys, values), log_weight)


def _with(tail: _Tail, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Return attention over the padding and these keys: two softmax averages are put together by their weights."""
    scores = _scores(queries, keys)
    log_weight = torch.logaddexp(tail.log_weight, scores.logsumexp(dim=-1, keepdim=True))
    ours = (scores - log_weight).exp() @ values
    return torch.addcmul(ours, tail.seen, (tail.log_weight - log_weight).exp())
