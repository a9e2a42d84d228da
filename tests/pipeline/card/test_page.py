"""The report page without a browser: its first screen, its table of WER, its links, and what its policy lets run."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from urllib.parse import parse_qs

import pytest

from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.fairness import opening
from pipeline.card.measures import Disparity
from pipeline.card.model import Sentence
from pipeline.card.page.island import build as island_of
from pipeline.card.page.page import MOST_FACTS, SCRIPTS, html
from pipeline.card.page.wer_table import LEVELS, wer_table
from pipeline.card.publication import HiddenCell, Publication
from pipeline.card.verdict import MOST_ROWS, verdict
from pipeline.card.wording import visible

Build = Callable[..., CardInput]
HEADINGS = ("h1", "h2", "h3", "h4")


@dataclass(frozen=True)
class Given:
    """Data whose text is what a test says."""

    text: str

    def json(self) -> str:
        return self.text


class Outline(HTMLParser):
    """Headings, ids, links and scripts of a page, in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.regions: list[dict[str, str | None]] = []
        self._inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.headings += [tag] if tag in HEADINGS else []
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [named["href"] or ""] if "href" in named else []
        self.regions += [named] if named.get("role") == "region" else []
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((named, ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            named, text = self.scripts[-1]
            self.scripts[-1] = (named, text + data)


CARDS: list[CardContent] = []
"""The usual card, once it is built: no test changes it."""


@pytest.fixture
def content(study: Build) -> CardContent:
    if not CARDS:
        CARDS.append(build(study(per_speaker=1)))
    return CARDS[0]


def with_gaps(content: CardContent, n_conditions: int) -> CardContent:
    """Return a card of many conditions, each with a gap one point wider than the one before."""
    names = [f"c{at:02d}" for at in range(n_conditions)]
    example = next(one for one in content.numbers.disparities if one.statistic == "gap_max_min" and one.value)
    gaps: list[Disparity] = [
        example.model_copy(update={"key": example.key.model_copy(update={"condition": name}), "value": 0.1 + 0.01 * at})
        for at, name in enumerate(names)
    ]
    rules = content.numbers.rules.model_copy(update={"reference_condition": "c00"})
    numbers = content.numbers.model_copy(update={"disparities": gaps, "rules": rules})
    return content.model_copy(update={"conditions": names, "numbers": numbers})


def test_the_policy_runs_the_one_script_of_the_page_and_no_other(content: CardContent, study: Build) -> None:
    text = html(content, [], island_of(study(per_speaker=1), content))
    policy = unescape(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0])
    data, script = Outline(text).scripts
    assert data[0] == {"type": "application/json", "id": "island"}
    assert script[0] == {}
    digest = b64encode(sha256(script[1].encode()).digest()).decode()
    assert re.findall(r"script-src ([^;]*)", policy) == [f"'sha256-{digest}'"]
    assert policy.startswith("default-src 'none';")
    for rule in ("base-uri 'none'", "form-action 'none'", "img-src data:", "media-src 'self' file:"):
        assert rule in policy
    assert not re.search(r"connect-src|unsafe-eval|https?:", policy)


def test_the_script_makes_no_markup_from_text(content: CardContent) -> None:
    written = {file.name: file.read_text() for file in files("pipeline.card.page").iterdir() if file.name[-3:] == ".js"}
    assert sorted(SCRIPTS) == sorted(written), "no part is left out"
    script = Outline(html(content, [], None)).scripts[0][1]
    assert script.startswith('"use strict";')
    assert all(part in script for part in written.values())
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setTimeout", script
    )
    assert not re.search(r"</script|<!--", script, re.IGNORECASE)


def test_data_that_look_like_markup_stay_data(content: CardContent) -> None:
    value = {"a": "</script><script>alert(1)</script><!--"}
    scripts = Outline(html(content, [], Given(json.dumps(value)))).scripts
    assert len(scripts) == 2
    assert json.loads(scripts[0][1]) == value


def test_headings_go_down_one_level_at_a_time_and_ids_are_single(content: CardContent, study: Build) -> None:
    page = Outline(html(content, [], island_of(study(per_speaker=1), content)))
    levels = [int(heading[1]) for heading in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if not link.startswith("#utterances?")} <= set(page.ids)
    assert {section.slug for section in content.sections} <= set(page.ids)
    assert all(region.get("aria-label") and region.get("tabindex") == "0" for region in page.regions)


def test_every_evaluated_cell_prints_what_the_card_says_and_leads_to_its_utterances(content: CardContent) -> None:
    table = wer_table(content, linked=True)
    assert table.conditions == tuple(content.conditions)
    assert [row.name for row in table.rows] == [*content.accents, "all accents pooled"]
    thin = next(row for row in table.rows if row.name == "lone_voice").cells[0]
    assert thin.lines[1:] == ("no interval", "1 speaker, 10 words")
    for row in table.rows:
        for cell in row.cells:
            asked = parse_qs(cell.link.removeprefix("#utterances?"), keep_blank_values=True)
            wanted = {"condition": [cell.condition]} | ({"accent": [cell.accent]} if cell.accent else {})
            assert asked == wanted
            assert 0 <= int(cell.level) < LEVELS


def test_any_label_comes_back_from_its_link(study: Build) -> None:
    names = ["a & b=c#d?e+f", "ʻōlelo 👩‍🚀", "None", "x" * 90, "a\u202eb", "100%"]
    content = build(study(accents=dict.fromkeys(names, 1), conditions=names, per_speaker=1))
    cells = {(cell.accent, cell.condition): cell for row in wer_table(content, linked=True).rows for cell in row.cells}
    for name in map(visible, names):
        link = cells[name, name].link
        assert re.fullmatch(r"#utterances\?[\w.~%=&-]*", link, re.ASCII)
        assert parse_qs(link.removeprefix("#utterances?")) == {"accent": [name], "condition": [name]}


def test_a_suppressed_cell_has_a_name_and_neither_number_shade_nor_link(content: CardContent) -> None:
    hidden = [
        HiddenCell(accent="secret", condition="clean", merged_into=""),
        HiddenCell(accent="small", condition="clean", merged_into="baseline"),
    ]
    publication = Publication(floor=10, words=500, cells=tuple(hidden))
    numbers = content.numbers.model_copy(update={"publication": publication})
    rows = {
        row.name: row.cells[0] for row in wer_table(content.model_copy(update={"numbers": numbers}), linked=False).rows
    }
    assert (rows["secret"].lines, rows["secret"].level, rows["secret"].link) == (("suppressed",), "none", "")
    assert rows["small"].lines == ("in baseline",)
    assert rows["baseline"].link == ""


def test_under_a_floor_no_cell_leads_to_utterances(content: CardContent, study: Build) -> None:
    numbers = content.numbers.model_copy(update={"publication": Publication(floor=10, words=500)})
    floored = content.model_copy(update={"numbers": numbers})
    assert 'class="cell" href' in html(content, [], island_of(study(per_speaker=1), content))
    assert 'class="cell" href' not in html(floored, [], Given("{}"))


def test_the_verdict_names_the_extremes_the_gap_and_what_is_shown(content: CardContent) -> None:
    clean, babble, _ = verdict(content).rows
    assert (clean.condition, clean.highest[0], clean.lowest[0]) == ("clean", "v_w_merger", "spotless")
    assert clean.gap == ("30.0 points", "chance alone: 12.0 points on average, 35.0 points at the 95th percentile")
    assert clean.shown == ("not shown", "p = 0.200")
    assert babble.shown == ("shown", "p < 0.001")
    assert clean.highest[-1] == "6 speakers, 60 words"


def test_no_sentence_of_the_summary_is_lost_and_no_warning_is_folded(content: CardContent, study: Build) -> None:
    for card in (content, build(study(synthetic=True, per_speaker=1)), build(study(scored=False))):
        found = verdict(card)
        parts = [*found.warnings, *found.sentences, *found.folded_sentences]
        assert sorted(one.text for one in parts) == sorted(one.text for one in card.summary[1:])
        assert not any(one.warning for one in (*found.sentences, *found.folded_sentences))
        text = unescape(html(card, [], None))
        assert all(one.text in text for one in card.summary)


def test_only_sentences_that_the_table_repeats_are_folded(content: CardContent) -> None:
    card = with_gaps(content, 5)
    keys = [content.numbers.rules.key.model_copy(update={"condition": name}) for name in card.conditions]
    same = [Sentence(text=f"{opening(key.condition)}naive gap 10.0 points.", key=key) for key in keys]
    bound = Sentence(
        text="Under c00, across 5 groups with at least 5 speakers each, F1 was 70.0% or higher.", key=keys[0]
    )
    harm = Sentence(text="Shown: x under c04.", key=keys[4].model_copy(update={"accent": "x"}))
    found = verdict(card.model_copy(update={"summary": [card.summary[0], bound, *same, harm]}))
    assert found.sentences == (bound, harm)
    assert found.folded_sentences == tuple(same)


def test_a_condition_without_a_gap_has_a_row_that_says_so(content: CardContent) -> None:
    card = with_gaps(content, 3)
    first, *others = card.numbers.disparities
    alone = first.model_copy(update={"value": None, "n_groups": 1, "note": "one ranked group"})
    some = card.model_copy(update={"numbers": card.numbers.model_copy(update={"disparities": [alone, *others]})})
    rows = verdict(some).rows
    assert [row.condition for row in rows] == ["c00", "c01", "c02"]
    assert rows[0].highest == rows[0].lowest == ("no group is named",)
    assert rows[0].gap == ("not evaluated", "one ranked group")
    none = card.model_copy(update={"numbers": card.numbers.model_copy(update={"disparities": [alone]})})
    assert (verdict(none).rows, verdict(none).folded_sentences) == ((), ())


def test_labels_that_look_the_same_lead_to_their_own_utterances(study: Build) -> None:
    source = study(accents={"a b": 6, "a  b": 6}, conditions=["clean"], per_speaker=1)
    content = build(source)
    links = [row.cells[0].link for row in wer_table(content, linked=True).rows]
    assert len(set(links)) == len(links) == 3
    found = [parse_qs(link.removeprefix("#utterances?")).get("accent", [""])[0] for link in links[:2]]
    assert found == json.loads(island_of(source, content).json())["accents"] == ["a b", "a b (2)"]


def test_many_conditions_leave_the_reference_and_the_widest_gaps_in_sight(content: CardContent) -> None:
    found = verdict(with_gaps(content, 10))
    assert [row.condition for row in found.rows] == ["c00", "c05", "c06", "c07", "c08", "c09"]
    assert [row.condition for row in found.folded_rows] == ["c01", "c02", "c03", "c04"]
    assert len(verdict(with_gaps(content, MOST_ROWS)).folded_rows) == 0


def test_a_long_list_of_facts_is_folded_and_whole(content: CardContent) -> None:
    text = unescape(html(content, [], None))
    facts = [block for section in content.sections for block in section.blocks if block.kind == "facts"]
    long = [block for block in facts if len(block.facts) > MOST_FACTS]
    assert long
    for block in long:
        assert f"<summary>{len(block.facts) - MOST_FACTS} more</summary>" in text
    assert text.count("<dt>") == sum(len(block.facts) for block in facts)


def test_a_long_warning_begins_in_sight_and_is_told_whole(content: CardContent) -> None:
    text = "Suppressed: " + ", ".join(f"group {at}" for at in range(100))
    longer = content.model_copy(update={"summary": [content.summary[0], Sentence(text=text, warning=True)]})
    page = html(longer, [], None)
    assert '<details class="warning"><summary><strong>Note:</strong> Suppressed: group 0,' in page
    assert page.count(text) == 1


def test_confusions_stand_once_before_the_utterances(study: Build) -> None:
    page = html(build(study(synthetic=True, per_speaker=1)), [], None)
    caption = "Most frequent confusions by group"
    places = [page.index(f'<section id="{name}"') for name in ("wer", "confusions", "utterances", "explainability")]
    assert places == sorted(places)
    assert page.count(f"<caption>{caption}") == 1
    assert f'<a href="#confusions">{caption}' in page


def test_without_data_the_page_says_so_and_has_no_browser(content: CardContent) -> None:
    page = html(content, [], None)
    assert "No single renderings are kept in this page." in page
    assert 'id="island"' not in page
    assert 'id="filters"' not in page
