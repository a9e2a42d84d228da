"""The report page as people use it: opened from a file, by mouse, by keyboard and by link, on paper and on a phone."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from pipeline.run import Outcome

Open = Callable[..., Any]
RIVER = "#utterances?accent=river%20%26%20lake&condition=babble_10"


@pytest.fixture(scope="module")
def page_file(friendly: Outcome) -> Path:
    return friendly.folder / "card.html"


@pytest.fixture(scope="module")
def part_file(page_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page with its data packed, as those of a large study are, of which most did not fit."""
    page = page_file.read_text(encoding="utf-8")
    before, plain, after = re.split(r'(?<=id="island">)(.*?)(?=</script>)', page, maxsplit=1)
    data = json.dumps(json.loads(plain) | {"n_trials": 1000}).encode()
    packed = {"version": 1, "gzip_base64": b64encode(gzip.compress(data, mtime=0)).decode()}
    file = tmp_path_factory.mktemp("part") / "card.html"
    file.write_text(before + json.dumps(packed) + after, encoding="utf-8")
    return file


def rows(page: Page) -> list[str]:
    return page.locator("#trials tbody tr").evaluate_all("found => found.map((row) => row.dataset.utterance)")


def column(page: Page, label: str) -> list[str]:
    return page.locator(f'#trials tbody td[data-label="{label}"]').all_inner_texts()


def cell(page: Page, accent: str, condition: str):
    return page.locator(f'#heat-map td[data-accent="{accent}"][data-condition="{condition}"] a.cell')


def test_every_rendering_can_be_reached_and_not_all_are_rows_at_once(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    expect(page.locator("#count")).to_have_text("70 of 70 renderings")
    assert 0 < len(rows(page)) < 70
    seen = set()
    while page.locator("#more").is_visible():
        assert len(rows(page)) not in seen, "every step shows more"
        seen.add(len(rows(page)))
        page.locator("#more").click()
    assert len(rows(page)) == 70
    assert page.locator("#count").get_attribute("aria-live") == "polite"


def test_a_click_on_a_header_sorts_and_says_so_and_another_turns_it_round(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    wer = page.locator('#trials th:has(button[data-sort="wer"])')
    expect(wer).to_have_attribute("aria-sort", "descending")
    highest = [float(text.rstrip("%")) for text in column(page, "WER")]
    assert highest == sorted(highest, reverse=True)
    assert highest[0] > highest[-1]
    page.locator('button[data-sort="wer"]').click()
    expect(wer).to_have_attribute("aria-sort", "ascending")
    lowest = [float(text.rstrip("%")) for text in column(page, "WER")]
    assert lowest == sorted(lowest)
    page.locator('button[data-sort="utterance"]').click()
    assert rows(page) == sorted(rows(page))
    assert wer.get_attribute("aria-sort") is None
    assert "sort=utterance" in page.url


def test_filters_narrow_count_and_are_all_undone_at_once(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    form, counted = page.locator("#filters"), page.locator("#count")
    form.locator('[name="accent"]').select_option("north")
    expect(counted).to_have_text("24 of 70 renderings")
    assert set(column(page, "Group")) == {"north"}
    form.locator('[name="errors"]').select_option("none")
    expect(counted).to_have_text(re.compile(r"^\d+ of 70 renderings$"))
    assert set(column(page, "WER")) == {"0.0%"}
    form.locator('[name="words"]').fill("HARBOR")
    assert {name[-2:] for name in rows(page)} == {"-0"}
    assert "words=HARBOR" in page.url
    form.locator('[name="words"]').fill("nobody says this")
    expect(counted).to_have_text("0 of 70 renderings")
    form.locator('button[type="reset"]').click()
    expect(counted).to_have_text("70 of 70 renderings")
    assert page.url.endswith("#utterances")


def test_a_cell_leads_to_its_utterances_whose_errors_are_its_number_and_back(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    clicked = cell(page, "river & lake", "babble_10")
    printed = re.search(r"\d+\.\d%", clicked.inner_text())
    assert printed is not None
    clicked.click()
    expect(page.locator("#count")).to_have_text("11 of 70 renderings")
    assert page.url.endswith(RIVER)
    assert f"WER {printed[0]} (6 speakers)" in page.locator("#together").inner_text()
    assert set(column(page, "Condition")) == {"babble_10"}
    expect(page.locator("#utterances-title")).to_be_focused()
    page.go_back()
    expect(page.locator("#count")).to_have_text("70 of 70 renderings")
    expect(page.locator('#filters [name="accent"]')).to_have_value("")


def test_a_link_opens_the_view_that_was_sent(visit: Open, page_file: Path) -> None:
    fragment = (
        "#utterances?accent=river%20%26%20lake&normalizer=verbatim&words=folder&errors=errors&sort=speaker&order=desc"
    )
    page = visit(page_file, fragment).page
    form = page.locator("#filters")
    asked = {"accent": "river & lake", "normalizer": "verbatim", "words": "folder", "errors": "errors"}
    for name, value in asked.items():
        expect(form.locator(f'[name="{name}"]')).to_have_value(value)
    speakers = column(page, "Speaker")
    assert speakers == sorted(speakers, reverse=True)
    assert len(speakers) == 10, "five speakers whose recording of this text is there, under two conditions"
    expect(page.locator('#trials th:has(button[data-sort="speaker"])')).to_have_attribute("aria-sort", "descending")
    assert page.locator("#utterances").bounding_box()["y"] < 900


def test_packed_data_open_a_link_and_are_not_called_the_whole_study(visit: Open, part_file: Path) -> None:
    page = visit(part_file, RIVER).page
    expect(page.locator("#count")).to_have_text("11 of 70 renderings in this page; 1,000 were scored")
    expect(page.locator("#together")).to_contain_text("of those in this page only")
    expect(page.locator('#filters [name="accent"]')).to_have_value("river & lake")
    expect(page.locator("#utterances-title")).to_be_focused()
    page.locator('#filters [name="words"]').fill("harbor")
    assert {name[-2:] for name in rows(page)} == {"-0"}
    cell(page, "north", "clean").click()
    expect(page.locator("#count")).to_contain_text("12 of 70")


def test_a_browser_that_cannot_unpack_says_so_and_shows_the_rest(visit: Open, part_file: Path) -> None:
    page = visit(part_file).page
    page.add_init_script("delete window.DecompressionStream;")
    page.reload()
    expect(page.locator("#broken")).to_contain_text("Everything else on the page works without them.")
    expect(page.locator("#browser")).to_be_hidden()
    expect(page.locator("#heat-map")).to_be_visible()


def test_every_figure_leads_to_its_files(visit: Open, page_file: Path) -> None:
    links = visit(page_file).page.locator("figcaption a")
    addresses = links.evaluate_all("found => found.map((link) => link.getAttribute('href'))")
    assert len(addresses) > 6
    assert len(set(addresses)) == len(addresses)
    for address in addresses:
        assert (page_file.parent / address).is_file()
        assert re.fullmatch(r"figures/\w+\.(svg|png|csv)", address)


def test_one_utterance_has_an_address_of_its_own(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    name = rows(page)[0]
    page.locator("#trials tbody tr a").first.click()
    expect(page.locator("#count")).to_have_text("2 of 70 renderings")
    assert rows(page) == [name, name]
    assert page.url.endswith(f"#utterances?utterance={name}")
    page.locator("#all-utterances").click()
    expect(page.locator("#count")).to_have_text("70 of 70 renderings")


def test_the_alignment_marks_every_error_with_a_letter_too(visit: Open, page_file: Path, friendly: Outcome) -> None:
    page = visit(page_file, "#utterances?accent=south&sort=utterance&order=asc").page
    row = page.locator("#trials tbody tr").first
    counts = [int(found) for found in re.findall(r"(\d+) [SDI]", row.locator('[data-label="Errors"]').inner_text())]
    assert sum(counts) > 1
    for kind, number in zip(("substitution", "deletion", "insertion"), counts, strict=True):
        words = row.locator(f".alignment .{kind}")
        assert words.count() == number
        for word in words.all():
            assert kind[0].upper() in word.locator(".mark").all_inner_texts()
    assert row.locator(".alignment .hit").count() > 0
    assert row.locator(".alignment .hit .mark").count() == 0


def test_sound_is_loaded_only_when_it_is_played(visit: Open, page_file: Path) -> None:
    seen = visit(page_file, RIVER)
    for n_played, which in enumerate(["clean", "degraded"]):
        player = seen.page.locator(f'audio[data-which="{which}"]').first
        assert player.get_attribute("preload") == "none"
        assert len({url for url in seen.requests if "/audio/" in url}) == n_played
        player.evaluate("audio => audio.play()")
        seen.page.wait_for_function("audio => audio.ended || audio.currentTime > 0.1", arg=player.element_handle())
        assert player.evaluate("audio => audio.duration") == pytest.approx(0.5, abs=0.3)
    assert len({url for url in seen.requests if "/audio/" in url}) == 2


def test_the_page_never_scrolls_sideways(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    for width, scheme in ((390, "light"), (390, "dark"), (1600, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("#trials tbody tr").first.bounding_box()["width"] <= width
        dark = page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).slice(0, 3).every((c) => c < 90)"
        )
        assert dark == (scheme == "dark")


@pytest.mark.parametrize(("scheme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})])
def test_an_accessibility_checker_finds_nothing_serious(visit: Open, page_file: Path, scheme: str, rules: Any) -> None:
    # what passes is told once a rule: thousands of nodes take most of the time
    found = Axe().run(visit(page_file, RIVER, scheme=scheme).page, options={"resultTypes": ["violations"]} | rules)
    assert found.response["passes"], "it has checked something"
    grave = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"][:5]]) for one in grave] == []


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached by {most} steps of the Tab key")


def test_everything_works_from_the_keyboard(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    tab_to(page, "#heat-map a.cell")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    expect(page.locator("#count")).not_to_have_text("70 of 70 renderings")
    tab_to(page, '#filters [name="condition"]')
    page.keyboard.press("End")
    expect(page.locator('#filters [name="condition"]')).to_have_value("babble_10")
    tab_to(page, '#filters [name="words"]')
    page.keyboard.type("boat")
    expect(page.locator("#view")).to_contain_text("boat")
    tab_to(page, 'button[data-sort="errors"]')
    page.keyboard.press("Enter")
    expect(page.locator('#trials th:has(button[data-sort="errors"])')).to_have_attribute("aria-sort", "descending")


def test_nothing_moves_for_those_who_want_no_motion(visit: Open, page_file: Path) -> None:
    page = visit(page_file, reduced_motion="reduce").page
    moving = """() => [...document.querySelectorAll("*")].filter((one) => {
      const style = getComputedStyle(one);
      const lasts = `${style.transitionDuration},${style.animationDuration}`.split(",");
      return lasts.some((text) => parseFloat(text) > 0) || style.scrollBehavior === "smooth";
    }).length"""
    assert page.evaluate(moving) == 0


def test_the_printed_page_holds_the_card_and_no_controls(visit: Open, page_file: Path) -> None:
    page = visit(page_file).page
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF-")
    assert b"/Font" in printed
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 3
    page.emulate_media(media="print")
    expect(page.locator("#heat-map")).to_be_visible()
    expect(page.locator("#fairness")).to_be_visible()
    for control in ("#filters", "#more", "audio >> nth=0"):
        expect(page.locator(control)).to_be_hidden()


def test_without_its_script_the_page_is_still_the_whole_card(visit: Open, page_file: Path) -> None:
    page = visit(page_file, java_script_enabled=False).page
    expect(page.locator("#heat-map")).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()
    assert page.locator("#card section").count() == 15
