"""Many utterances under one condition at once, on torch: optional, and within one 16-bit step of ``chain``.

``renderer`` is what a caller sees. ``forms`` says which steps have a batched form; the condition's own steps
decide all that is small (gains, impulse responses, losses), so that no effect is defined twice. ``rows`` holds
signals side by side, ``levels`` and ``speech`` measure them, ``filtering`` and ``resampling`` are the heavy
arithmetic.

Everything is float64. In float32 one sample in a thousand would land on the other side of a rounding boundary, and
behind a coarse quantizer such as G.711 that is no longer one 16-bit step but a whole one of the quantizer. In
float64 a sample has to lie within about 1e-11 of a boundary for that.

Only ``renderer`` can be imported without torch.
"""

from augment.batched.renderer import BatchedRenderer

__all__ = ["BatchedRenderer"]
