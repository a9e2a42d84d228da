"""Python, the packages of the core and of the extras, and whether they fit what this project and each other declare."""

import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distribution, metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from pipeline.card.doctor import Check, Verdict
from pipeline.card.wording import count, listed
from pipeline.errors import first_five
from pipeline.plugins import OURS
from pipeline.stages.doctor import requirements
from pipeline.stages.doctor.requirements import Package

PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def python() -> Iterator[Check]:
    """Check Python's version against the project's range."""
    version, wanted = platform.python_version(), str(metadata(OURS)["Requires-Python"])
    found = f"{version}; this project runs on {wanted}"
    if SpecifierSet(wanted).contains(version, prereleases=True):
        yield Check("Python", Verdict.OK, found)
    else:
        yield Check("Python", Verdict.FAIL, found, f"Make an environment with a Python in {wanted} and install there.")


def project(file: Path = PROJECT) -> Iterator[Check]:
    """Check that what was installed is what the source tree declares now; an upgrade of the files alone is not."""
    name, ours = "this project", distribution(OURS)
    if not file.is_file():
        yield Check(name, Verdict.OK, f"{OURS} {ours.version}, installed as a package")
        return
    declared = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    known = {(point.group, point.name, point.value) for point in ours.entry_points}
    lost = [f"{point[0]}: {point[1]}" for point in _declared_points(declared) if point not in known]
    again = f"Run: pip install -e {file.parent}"
    if lost:
        yield Check(name, Verdict.FAIL, f"plug-ins that the source declares are not registered: {listed(lost)}", again)
    elif _declared_requirements(declared) != _known_requirements():
        yield Check(name, Verdict.NOTE, "its requirements have changed since it was installed", again)
    else:
        yield Check(name, Verdict.OK, f"{OURS} {ours.version}, from {file.parent}")


def core() -> Iterator[Check]:
    """Check every package of the core; those that are as they should be share a line."""
    packages = requirements.core()
    good = [str(one) for one in packages if one.fits]
    yield Check("core packages", Verdict.OK, f"{len(good)} of {len(packages)} fit: {listed(good)}")
    for one in packages:
        if not one.fits:
            yield Check(f"package {one.name}", Verdict.FAIL, _misfit(one), f"Run: pip install '{one.wanted}'")


def extras(needed: Mapping[str, str]) -> Iterator[Check]:
    """Check each extra; what is missing matters only to a study that needs it.

    Args:
        needed: distributions that the study needs, each with the choice that needs it.
    """
    for extra, packages in requirements.extras().items():
        yield _extra(extra, packages, needed)


def consistency(needed: Mapping[str, str]) -> Iterator[Check]:
    """Check that what is installed fits together, all the way down."""
    required = [*(one.name for one in requirements.core()), *needed]
    optional = [one.name for packages in requirements.extras().values() for one in packages]
    wrong = requirements.conflicts(required)
    aside = [one for one in requirements.conflicts(optional) if one not in wrong]
    again = "Run: pip install -e '.[...]' -c constraints.txt with the extras that you use: these versions fit together."
    name = "versions together"
    if wrong:
        yield Check(name, Verdict.FAIL, f"{count(len(wrong), 'conflict')}: {first_five(wrong)}", again)
    if aside:
        yield Check(name, Verdict.NOTE, f"in packages that this study does not need: {first_five(aside)}", again)
    if not wrong and not aside:
        yield Check(name, Verdict.OK, "no installed package misses another, or a version of it")


def _extra(extra: str, packages: Sequence[Package], needed: Mapping[str, str]) -> Check:
    name, install = f"extra {extra}", f"Run: pip install -e '.[{extra}]'"
    bad = [one for one in packages if not one.fits]
    missed = [one for one in bad if one.name in needed]
    if missed:
        return Check(name, Verdict.FAIL, "; ".join(f"{_misfit(one)} ({needed[one.name]})" for one in missed), install)
    found = listed(str(one) for one in packages if one.fits)
    if not bad:
        return Check(name, Verdict.OK, found)
    return Check(name, Verdict.NOTE, f"{'; '.join(map(_misfit, bad))}. This study needs none of that", install)


def _misfit(one: Package) -> str:
    state = f"{one.name} {one.installed} is installed" if one.installed else f"{one.name} is not installed"
    return f"{state}, the range is {one.requirement.specifier or 'any version'}"


def _declared_points(declared: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for group, points in declared.get("entry-points", {}).items():
        for name, value in points.items():
            yield group, name, value


def _declared_requirements(declared: Mapping[str, Any]) -> set[tuple[str, str]]:
    optional = declared.get("optional-dependencies", {})
    lines = [*declared.get("dependencies", []), *(line for extra in optional.values() for line in extra)]
    return {_bare(Requirement(line)) for line in lines}


def _known_requirements() -> set[tuple[str, str]]:
    return {_bare(one) for one in requirements.requirements(OURS)}


def _bare(one: Requirement) -> tuple[str, str]:
    return one.name.lower(), f"{sorted(one.extras)} {one.specifier}"
