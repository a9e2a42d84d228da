"""What this project declares that it needs, against what is installed: read from the metadata, nothing is imported."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pipeline.plugins import OURS

DEVELOPMENT = frozenset({"test"})
"""Extras that no study needs."""


@dataclass(frozen=True, slots=True)
class Package:
    """A requirement, and the installed version or None."""

    requirement: Requirement
    installed: str | None

    @property
    def name(self) -> str:
        """The distribution's name in its normal form."""
        return canonicalize_name(self.requirement.name)

    @property
    def fits(self) -> bool:
        """Whether it is installed in a version within the declared range."""
        return self.installed is not None and self.requirement.specifier.contains(self.installed, prereleases=True)

    @property
    def wanted(self) -> str:
        """What to ask pip for."""
        return f"{self.requirement.name}{self.requirement.specifier}"

    def __str__(self) -> str:
        """Return name and installed version."""
        return f"{self.name} {self.installed}" if self.installed else self.name


def installed(name: str) -> str | None:
    """Return the installed version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def core() -> list[Package]:
    """Return what every study needs."""
    return [_package(one) for one in requirements(OURS) if _applies(one, frozenset())]


def extras() -> dict[str, list[Package]]:
    """Return what each optional extra brings, those that it includes left to themselves."""
    names = [name for name in metadata(OURS).get_all("Provides-Extra") or [] if name not in DEVELOPMENT]
    return {name: [_package(one) for one in _only_in(name)] for name in sorted(names)}


def extra_of(name: str) -> str | None:
    """Return the first extra that brings the distribution ``name``."""
    wanted = canonicalize_name(name)
    return next((extra for extra, brings in extras().items() if any(one.name == wanted for one in brings)), None)


def conflicts(roots: Iterable[str]) -> list[str]:
    """Return what the installed ones among ``roots``, and all that they need in turn, find missing or misfitting."""
    waiting: list[tuple[str, frozenset[str]]] = [(canonicalize_name(name), frozenset()) for name in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    problems: dict[str, None] = {}
    while waiting:
        here = waiting.pop()
        if here in seen or installed(here[0]) is None:
            continue
        seen.add(here)
        for one in requirements(here[0]):
            if not _applies(one, here[1]):
                continue
            needed = _package(one)
            if not needed.fits:
                state = f"{needed} is installed" if needed.installed else f"{needed.name} is not"
                problems[f"{here[0]} needs {needed.wanted}, and {state}"] = None
            waiting.append((needed.name, frozenset(one.extras)))
    return sorted(problems)


def requirements(name: str) -> tuple[Requirement, ...]:
    """Return the requirements that an installed distribution declares; those that cannot be read are left out."""
    return tuple(_readable(requires(name) or []))


def _readable(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:  # an old package's own; pip does not hold it to them either
            continue


def _package(requirement: Requirement) -> Package:
    return Package(requirement, installed(requirement.name))


def _applies(requirement: Requirement, chosen: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in chosen | {""})


def _only_in(extra: str) -> Iterator[Requirement]:
    for one in requirements(OURS):
        ours = canonicalize_name(one.name) == OURS
        if not ours and not _applies(one, frozenset()) and _applies(one, frozenset({extra})):
            yield one
