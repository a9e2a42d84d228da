"""What the batched path costs against the reference path, at batches of 1, 16 and 64 clips, and how far they differ.

Run by hand: ``python tests/bench/bench_batched.py [cpu cuda]``. Prints milliseconds a clip of 6 to 8 s and ratios:
on ``cpu`` of CPU time, on ``cuda`` of wall time, all of it in one thread. ``measured``: every clip was leveled and
its speech measured before, as it is from a study's second condition of a kind on; ``new``: nothing was.
"""

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
import torch
from bench_rendering import shipped, speechlike  # sets every library to one thread

from augment import SAMPLE_RATE_HZ
from augment.batched import BatchedRenderer
from augment.chain import Condition, Plan, PlanInput, Rendering, Source
from augment.resources import Resources, Talker, TalkerRecording

CLIPS = 64
REPEATS = 5
SLOTS = 32
NAMES = ("clean", "landline_g711", "babble_10", "far_field")

Clips = Sequence[np.ndarray]
Work = Callable[[Sequence[Source], int], list[Rendering]]
"""Renders clips of which the first has this number."""


def recordings() -> list[np.ndarray]:
    """Return clips of 6 to 8 s, none as long as another."""
    lengths = np.random.RandomState(0).randint(6 * SAMPLE_RATE_HZ, 8 * SAMPLE_RATE_HZ, CLIPS)
    return [speechlike(seed)[:length] for seed, length in enumerate(lengths)]


def resources(clips: Clips) -> Resources:
    """Return twelve of the clips as the talkers of babble."""
    talkers = [
        Talker(f"t{n}", "abc"[n % 3], f"t{n}", (TalkerRecording(f"{n:064x}", lambda clip=clip: clip),))
        for n, clip in enumerate(clips[:12])
    ]
    return Resources(1, SLOTS, talkers)


def in_turn(
    condition: Condition, sources: Sequence[Source], plans: Sequence[Plan], shared: Resources
) -> list[Rendering]:
    """Render by the reference path."""
    return [condition.render(source, plan, shared) for source, plan in zip(sources, plans, strict=True)]


def ms_a_clip(work: Work, clips: Clips, size: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Return what ``work`` takes on clips that are new to it, and again on the same ones, ``size`` at a time."""
    new, measured = [], []
    for _ in range(REPEATS):
        spent = [0.0, 0.0]
        for first in range(0, len(clips), size):
            sources = [Source(clip) for clip in clips[first : first + size]]
            for turn in range(2):
                start = clock()
                work(sources, first)
                spent[turn] += clock() - start
        new.append(1e3 * spent[0] / len(clips))
        measured.append(1e3 * spent[1] / len(clips))
    return median(new), median(measured)


def compare(condition: Condition, clips: Clips, shared: Resources, device: str) -> None:
    """Print one line for the reference path and one for each batch size."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    targets = [PlanInput(f"u{n}", "stranger", clip.size) for n, clip in enumerate(clips)]
    plans = [condition.plan(target, n % SLOTS, shared) for n, target in enumerate(targets)]
    expected = in_turn(condition, [Source(clip) for clip in clips], plans, shared)  # and the tracks are made
    renderer = BatchedRenderer(device, shared)

    def alone(sources: Sequence[Source], first: int) -> list[Rendering]:
        return in_turn(condition, sources, plans[first : first + len(sources)], shared)

    def batched(sources: Sequence[Source], first: int) -> list[Rendering]:
        made = renderer.render(condition, sources, plans[first : first + len(sources)])
        return [one for one in made if isinstance(one, Rendering)]

    apart = max(
        int(np.max(np.abs(one.samples.astype(int) - other.samples)))
        for one, other in zip(batched([Source(clip) for clip in clips], 0), expected, strict=True)
    )
    reference = ms_a_clip(alone, clips, 1, clock)
    print(f"{condition.name}, reference: new {reference[0]:.2f} ms, measured {reference[1]:.2f} ms")
    for size in (1, 16, CLIPS):
        new, measured = ms_a_clip(batched, clips, size, clock)
        print(
            f"  {device}, {size:2d} at once: new {new:.2f} ms ({new / reference[0]:.2f} of it), measured "
            f"{measured:.2f} ms ({measured / reference[1]:.2f} of it); at most {apart} steps apart",
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    heard = recordings()
    talkers = resources(heard)
    for chosen in sys.argv[1:] or ["cpu", "cuda"]:
        if chosen == "cuda" and not torch.cuda.is_available():
            print("no graphics card here: cuda was not measured")
            continue
        for name in NAMES:
            compare(shipped(name), heard, talkers, chosen)
