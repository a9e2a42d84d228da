"""The batched path as its caller sees it; all of torch is imported when a renderer is made."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from augment import SAMPLE_RATE_HZ
from augment.batched.coverage import covered
from augment.chain import Condition, Plan, Probe, Rendering, Source
from augment.errors import ConditionError
from augment.level import fft_size
from augment.resources import Resources

if TYPE_CHECKING:
    from augment.batched.chain import Leveled

_HINT: Final = 'pip install "asr-accent-study[gpu]"'
_LARGEST_GROUP: Final = {"cpu": 1 << 19, "cuda": 1 << 23}
"""Samples, padding included, that are worked on at once: few enough for a processor's caches, or to fill a card."""


class BatchedRenderer:
    """Renders batches of utterances on a processor or a graphics card. For one thread."""

    def __init__(self, device: str, resources: Resources) -> None:
        """Take a device.

        Args:
            device: ``cpu`` or ``cuda``.
            resources: what the conditions draw on.

        Raises:
            ConditionError: if torch or the device is not there, or the batched path cannot equal the reference here.
        """
        check_device(device)
        self._device = _device(device)
        self._resources = resources
        self._kept: tuple[tuple[Source, ...], float, list[Leveled]] | None = None

    def covers(self, condition: Condition) -> bool:
        """Return whether every step of a condition, with its settings, has a batched form."""
        return covered(condition)

    def render(
        self, condition: Condition, sources: Sequence[Source], plans: Sequence[Plan], *, probe: Probe = "speech"
    ) -> list[Rendering | ConditionError]:
        """Render utterances, each as planned.

        The same sources under the next condition are not measured again. An utterance that cannot be rendered does
        not concern the others: the reference path is asked what is wrong with it.

        Args:
            condition: one that this renderer ``covers``.
            sources: any number of utterances of any lengths.
            plans: what ``condition.plan`` returned for each.
            probe: as in ``Condition.render``.

        Returns:
            For each its rendering, or why there is none.
        """
        from augment.batched.chain import rendered
        from augment.batched.forms import forms_of

        if not covered(condition):
            raise ConditionError(f"conditions.{condition.name}: a step has no batched form: set render.device to null")
        forms = forms_of(condition)
        made: dict[int, Rendering | None] = {}
        for group in self._leveled(sources, condition.acoustics.target_level_dbov):
            theirs = [plans[member] for member in group.members]
            renderings = rendered(condition, forms, group, theirs, self._resources, probe=probe)
            made |= zip(group.members, renderings, strict=True)
        return [
            made.get(member) or self._alone(condition, source, plan, probe)
            for member, (source, plan) in enumerate(zip(sources, plans, strict=True))
        ]

    def _alone(self, condition: Condition, source: Source, plan: Plan, probe: Probe) -> Rendering | ConditionError:
        try:
            return condition.render(source, plan, self._resources, probe=probe)
        except ConditionError as error:
            return error

    def _leveled(self, sources: Sequence[Source], target_dbov: float) -> "list[Leveled]":
        from augment.batched.chain import leveled

        wanted = tuple(sources)
        if self._kept and self._kept[:2] == (wanted, target_dbov):
            return self._kept[2]
        self._kept = None  # its memory is needed now
        groups = [
            leveled([sources[member].samples for member in members], members, target_dbov, self._device)
            for members in _groups([source.samples.size for source in sources], _LARGEST_GROUP[self._device.type])
        ]
        self._kept = (wanted, target_dbov, [group for group in groups if group.members])
        return self._kept[2]


def _groups(lengths: Sequence[int], largest: int) -> Iterator[list[int]]:
    """Yield the places of utterances that are worked on together: nearly equal in length, so that little is padding."""
    members: list[int] = []
    for member in sorted(range(len(lengths)), key=lambda member: lengths[member]):
        alike = not members or _transform(lengths[members[0]]) == _transform(lengths[member])
        if members and not (alike and (len(members) + 1) * lengths[member] <= largest):
            yield members
            members = []
        members.append(member)
    if members:
        yield members


def _transform(length: int) -> int:
    return fft_size(length, SAMPLE_RATE_HZ)


def check_device(name: str) -> None:
    """Look for a device.

    Raises:
        ConditionError: if torch or the device is not there, or the batched path cannot equal the reference here.
    """
    if name not in ("cpu", "cuda"):
        raise ConditionError(f"render.device: there is no device {name!r}; it is cpu, cuda or null")
    try:
        import torch
    except ImportError as error:
        raise ConditionError(f"render.device {name}: torch is not installed. {_HINT}, or set it to null.") from error
    from augment.batched.resampling import check_soxr

    if name == "cuda" and not torch.cuda.is_available():
        raise ConditionError(
            f"render.device cuda: torch {torch.__version__} finds no graphics card that it can use. {_HINT} with a "
            "driver for the card, or set it to cpu or null."
        )
    check_soxr()


def _device(name: str) -> Any:
    import torch

    return torch.device(name)
