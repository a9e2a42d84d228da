"""Shared by the doctor's tests: studies, fake modules for its processes, and pretended installations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import Study, build
from pipeline.stages.doctor import requirements


@pytest.fixture
def study(composed: Callable[..., dict[str, Any]]) -> Callable[..., Study]:
    return lambda *overrides: build(composed(*overrides))


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a module of these lines before the installed one, for every process that is started from here."""
    folder = tmp_path / "fakes"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))

    def write(name: str, code: str) -> None:
        (folder / f"{name}.py").write_text(code)

    return write


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that distributions are installed in these versions (None: not at all)."""
    real = requirements.installed

    def pretend(**versions: str | None) -> None:
        named = {name.replace("_", "-"): version for name, version in versions.items()}
        monkeypatch.setattr(requirements, "installed", lambda name: named[name] if name in named else real(name))

    return pretend
