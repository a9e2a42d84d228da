"""Many utterances under one condition at once, on torch: optional, and within one 16-bit step of ``chain``.

``renderer`` renders a batch and ``pool`` a study. ``coverage`` says which conditions can be batched; ``chain`` takes
the rows through one. ``form`` says what the batched form of a step is; ``linear``, ``mixing`` and ``channel`` have
them. What is small stays with the steps themselves (gains, impulse responses, losses), so no effect is defined twice.
``rows`` are signals side by side; ``levels`` and ``speech`` measure them; ``filtering`` and ``resampling`` are the
heavy work.

Everything is float64. In float32 a filter would put one sample in some thousands on the other side of a rounding
boundary, and behind a coarse quantizer such as G.711 that is no longer one 16-bit step but a whole one of the
quantizer. In float64 a sample has to lie within about 1e-11 of a step from a boundary for that.

``renderer``, ``pool`` and ``coverage`` can be imported without torch.
"""

from augment.batched.pool import BatchedPool
from augment.batched.renderer import BatchedRenderer, check_device

__all__ = ["BatchedPool", "BatchedRenderer", "check_device"]
