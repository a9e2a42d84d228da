"""The card as people open it: a file, in a real browser, on a desk and on a phone, by light and by dark."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from pipeline.run import Outcome


@pytest.fixture(scope="module")
def page_file(friendly: Outcome) -> Path:
    return friendly.folder / "card.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1600])
def test_the_page_never_scrolls_sideways(visit, page_file: Path, width: int, scheme: str) -> None:
    page = visit(page_file, width=width, scheme=scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_accessibility_checker_finds_nothing_serious(visit, page_file: Path, scheme: str) -> None:
    found = Axe().run(visit(page_file, scheme=scheme).page)
    grave = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"][:5]]) for one in grave] == []
