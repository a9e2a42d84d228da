"""The decoder of openai-whisper's model for many clips at once: the module's own weights, and the same arithmetic.

The engine keeps what it has computed in hooks, and casts and transposes it again for every token. Here keys and
values lie ready in the shape that attention reads. On a CPU each call computes in one thread, and every matrix
product has ``LEAST_ROWS`` rows or more: with fewer, the library takes another kernel, whose sums differ in the last
bit. So the words of a clip cannot depend on how many others are decoded beside it, nor on the number of threads
(tested to the bit).
"""

import math
import threading
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_ROWS: Final = 8
"""Four are enough for the library that this was measured with (MKL 2024, AVX2)."""

_kept = threading.local()


def cast(model: nn.Module, dtype: torch.dtype) -> None:
    """Give weights the type that the engine casts them to on every call; norms and positions stay float32, as there."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            module.to(dtype)


def row_bytes(dims: Any, itemsize: int) -> int:
    """Return the memory that one clip takes while it is decoded: keys, values, encoded audio and logits."""
    caches = 2 * dims.n_text_layer * (dims.n_audio_ctx + dims.n_text_ctx) * dims.n_text_state
    return int(itemsize * (caches + 2 * dims.n_audio_ctx * dims.n_audio_state) + 12 * dims.n_vocab)


class Inference:
    """The text decoder over one batch of encoded windows, asked token after token. Takes the place of the engine's."""

    def __init__(self, model: Any, n_initial: int, sot_index: int) -> None:
        self._decoder = model.decoder
        self._n_ctx: int = model.dims.n_text_ctx
        self._n_initial = n_initial
        self._sot_index = sot_index
        self._unembedding: Tensor = model.decoder.token_embedding.weight
        self._layers: list[_Layer] = []
        self._length = 0

    def logits(self, tokens: Tensor, features: Tensor) -> Tensor:
        """Return float32 logits: (batch, 2, vocabulary) for the first call, (batch, 1, vocabulary) afterwards.

        The first call takes all initial tokens and returns what follows the start of transcript (the probability of
        no speech is read there) and what follows the last token; later calls take the last token only.

        Args:
            tokens: (batch, length), all so far.
            features: (batch, audio positions, state), from the encoder; read in the first call only.
        """
        first = tokens.shape[-1] <= self._n_initial
        if first:
            self._begin(features)
        new = tokens if first else tokens[:, -1:]
        decoder, start = self._decoder, self._length
        x = decoder.token_embedding(new) + decoder.positional_embedding[start : start + new.shape[-1]]
        x = x.to(features.dtype)
        for layer in self._layers:
            x = layer.forward(x, start)
        self._length += new.shape[-1]
        x = decoder.ln(x[:, [self._sot_index, -1]] if first else x)
        return _in_rows(x, lambda rows: functional.linear(rows, self._unembedding)).float()

    def _begin(self, features: Tensor) -> None:
        self._unembedding = self._decoder.token_embedding.weight.to(features.dtype)
        blocks = self._decoder.blocks
        memory = _memory((len(blocks), 2, *features.shape), features)
        self._layers = [_Layer(block, features, two, self._n_ctx) for block, two in zip(blocks, memory, strict=True)]
        self._length = 0

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows of the batch only."""
        for layer in self._layers:
            layer.keep(rows, self._length)

    def rearrange_kv_cache(self, source_indices: list[int]) -> None:
        """Let each row go on from another one's past: beams are chosen anew after every token."""
        if source_indices != list(range(len(source_indices))):
            for layer in self._layers:
                layer.keep_past(torch.tensor(source_indices, device=layer.device), self._length)

    def cleanup_caching(self) -> None:
        """Forget the batch."""
        self._layers = []


class _Layer:
    """One block of the decoder with the keys and values of its batch: (batch, heads, positions, width of a head)."""

    def __init__(self, block: Any, features: Tensor, memory: Tensor, n_ctx: int) -> None:
        self._block = block
        self._heads: int = block.attn.n_head
        parts = (block.cross_attn.key, block.cross_attn.value)
        made = (_linear_into(out, part, features) for out, part in zip(memory, parts, strict=True))
        self._audio_keys, self._audio_values = (self._split(one) for one in made)
        batch, heads, _, width = self._audio_keys.shape
        self._keys, self._values = (features.new_empty((batch, heads, n_ctx, width)) for _ in range(2))

    @property
    def device(self) -> torch.device:
        return self._keys.device

    def forward(self, x: Tensor, start: int) -> Tensor:
        block = self._block
        x = x + self._attend_to_text(block.attn, block.attn_ln(x), start)
        x = x + self._attend(block.cross_attn, block.cross_attn_ln(x), self._audio_keys, self._audio_values)
        first, activation, second = block.mlp
        return x + _linear(second, activation(_linear(first, block.mlp_ln(x))))

    def _attend_to_text(self, attention: Any, x: Tensor, start: int) -> Tensor:
        end = start + x.shape[1]
        self._keys[:, :, start:end] = self._split(_linear(attention.key, x))
        self._values[:, :, start:end] = self._split(_linear(attention.value, x))
        return self._attend(attention, x, self._keys[:, :, :end], self._values[:, :, :end], causal=x.shape[1] > 1)

    def _attend(self, attention: Any, x: Tensor, keys: Tensor, values: Tensor, *, causal: bool = False) -> Tensor:
        queries = self._split(_linear(attention.query, x))
        out = functional.scaled_dot_product_attention(queries, keys, values, is_causal=causal)
        return _linear(attention.out, out.transpose(1, 2).flatten(start_dim=2))

    def _split(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        return x.view(batch, length, self._heads, -1).transpose(1, 2)

    def keep(self, rows: Tensor, length: int) -> None:
        self._audio_keys, self._audio_values = self._audio_keys[rows], self._audio_values[rows]
        self.keep_past(rows, length)

    def keep_past(self, rows: Tensor, length: int) -> None:
        self._keys, self._values = (_past(cache, rows, length) for cache in (self._keys, self._values))


def _memory(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return room for what a batch needs; on a CPU the room of the thread's last batch, which is not fetched anew."""
    if like.device.type != "cpu":
        return like.new_empty(shape)
    size = math.prod(shape)
    held: Tensor | None = getattr(_kept, "room", None)
    if held is None or held.numel() < size or held.dtype != like.dtype:
        held = _kept.room = like.new_empty(size)
    return held[:size].view(shape)


def _linear_into(out: Tensor, module: nn.Linear, x: Tensor) -> Tensor:
    """Fill ``out``; on a CPU clip by clip, of which one fits into its cache, elsewhere by one launch for all."""
    weight = module.weight.to(x.dtype).T
    together = x.device.type != "cpu"
    pairs = [(out.flatten(end_dim=1), x.flatten(end_dim=1))] if together else zip(out, x, strict=True)
    for made, clip in pairs:
        if module.bias is None:
            torch.mm(clip, weight, out=made)
        else:
            torch.addmm(module.bias.to(x.dtype), clip, weight, out=made)
    return out


def _past(cache: Tensor, rows: Tensor, length: int) -> Tensor:
    kept = cache.new_empty((len(rows), *cache.shape[1:]))
    kept[:, :, :length] = cache[rows, :, :length]
    return kept


def _linear(module: nn.Module, x: Tensor) -> Tensor:
    return _in_rows(x, module)


def _in_rows(x: Tensor, product: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a matrix product to the last dimension, with rows of zeros added where there are too few."""
    rows = x.reshape(-1, x.shape[-1])
    made = product(functional.pad(rows, (0, 0, 0, max(0, LEAST_ROWS - len(rows)))))[: len(rows)]
    return made.reshape(*x.shape[:-1], made.shape[-1])
