"""The three forms of the card, with friendly and with hostile text in them."""

import html as html_module
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.card import escape, render
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.figures import figures
from pipeline.card.page.page import html as html_page
from pipeline.card.settings import FIGURES
from pipeline.card.wording import visible

Build = Callable[..., CardInput]
Card = Callable[..., CardContent]
PAGE = """
html head meta title style script body header nav main section h1 h2 h3 h4 p strong em ul ol li a dl div dt dd bdi pre
code figure figcaption table caption thead tbody tr th td span details summary noscript form label select option input
button b
"""
DRAWING = "svg desc defs g path rect text tspan use clippath pattern"
TAGS = set(f"{PAGE} {DRAWING}".split())
VOID = {"meta", "input"}
CALM: list[int] = []
"""Lines of tables in the card of the same study with harmless words, counted once."""
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "handler": '"><img src=x onerror=alert(1)>',
    "closing": "</style></td></table></svg><iframe src=https://evil.example>",
    "markdown": "![x](https://evil.example/x.png) [a](javascript:alert(1)) | `b` **c** <!-- d --> www.evil.example",
    "fence": "```\n# heading\n- item",
    "formula": '=HYPERLINK("https://evil.example")',
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "template": "{{ 7 * 7 }}{% include 'x' %}",
    "bidi": "abc\u202e\u2066gnp.exe\u2069",
    "nul": "a\x00b\x1b[31m\x07",
    "emoji": "👩🏽‍🚀 $\\frac{1}{0}$ %s",
    "huge": "x" * 100_000,
    "break": "one\ntwo\r\n\r\nthree\u2028four",
    "entity": "&lt;b&gt; &#x202e;",
    "zalgo": "h\u0335\u0321e\u0338" * 40,
}


class Page(HTMLParser):
    """Collects tags and attributes, and checks that every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def check_page(text: str) -> Page:
    page = Page(text)
    assert page.tags <= TAGS, page.tags - TAGS
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in {"src", "srcset", "action", "formaction", "background", "ping"}, (tag, name)
        if name.endswith("href"):
            assert value is not None
            own = [f"figures/{figure}.{kind}" for figure in FIGURES for kind in ("svg", "png", "csv")]
            assert value.startswith("#") or (tag == "a" and value in own), (tag, value)
    return page


def table_lines(markdown: str) -> int:
    return sum(line.startswith("|") for line in markdown.splitlines())


def test_the_page_is_well_formed_has_unique_ids_and_needs_nothing_else(card: Card) -> None:
    content = card(synthetic=True)
    text = html_page(content, figures(content), None)
    page = check_page(text)
    assert text.lstrip().startswith("<!doctype html>")
    assert "default-src 'none'" in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text.replace('url("#', "url(#"))
    assert text.count("<svg") == len(FIGURES)
    assert text.count("<caption>") == text.count("<table") > 5
    assert "prefers-color-scheme: dark" in text
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_section_four_repeats_what_nobody_verified_of_the_corpus(card: Card) -> None:
    content = card()
    assert "Who | read &lt;b&gt;it&lt;/b&gt;." in html_page(content, [], None)
    assert "Not verified" in render.markdown(content)


def test_a_page_without_figures_says_so(card: Card) -> None:
    content = card(scored=False)
    assert figures(content) == []
    check_page(html_page(content, [], None))
    assert "](figures/" not in render.markdown(content)


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_words_neither_run_nor_break_the_page(study: Build, kind: str) -> None:
    text = HOSTILE[kind]
    friendly = study(per_speaker=1)
    identifiers = text[:50] + friendly.scores["utterance_id"]
    scores = friendly.scores.assign(
        normalized_reference=text, normalized_hypothesis=text, utterance_id=identifiers.astype("str")
    )
    content = build(replace(friendly, scores=scores))
    shown = html_page(content, [], None)
    page = check_page(shown)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", "".join(page.text))
    assert len(shown) < 300_000
    if not CALM:
        calm = friendly.scores.assign(normalized_reference="calm", normalized_hypothesis="calm")
        CALM.append(table_lines(render.markdown(build(replace(friendly, scores=calm)))))
    assert table_lines(render.markdown(content)) == CALM[0]


def test_hostile_labels_neither_run_nor_break_the_page_or_its_figures(card: Card) -> None:
    labels = [text for kind, text in HOSTILE.items() if kind != "huge"]
    content = card(accents=dict.fromkeys(labels, 5), conditions=labels[:3], per_speaker=1)
    check_page(html_page(content, figures(content), None))
    shown = {token.type for token in MarkdownIt("commonmark").enable("table").parse(render.markdown(content))}
    assert "html_block" not in shown


def test_markdown_holds_no_link_image_or_tag_of_others(card: Card) -> None:
    hostile = " ".join(text for kind, text in HOSTILE.items() if kind != "huge")[:300]
    content = card(reference=hostile, hypothesis=hostile, accents={"a" + hostile[:40]: 6, "b": 6})
    tokens = MarkdownIt("commonmark").enable("table").parse(render.markdown(content))
    inline = [child for token in tokens for child in (token.children or [])]
    assert {child.content for child in inline if child.type == "html_inline"} == {"<br>"}
    assert not any(child.type in {"link_open", "code_inline"} for child in inline)
    images = {child.attrGet("src") for child in inline if child.type == "image"}
    assert images == {f"figures/{name}.png" for name in FIGURES}


def test_every_markdown_table_has_as_many_cells_in_every_row(card: Card) -> None:
    content = card(reference="a | b \\| c", hypothesis="| --- |", accents={"x|y": 6, "\\|": 6})
    tokens = MarkdownIt("commonmark").enable("table").parse(render.markdown(content))
    widths: list[int] = []
    for token in tokens:
        if token.type == "tr_open":
            widths.append(0)
        elif token.type in {"th_open", "td_open"}:
            widths[-1] += 1
        elif token.type == "table_close":
            assert len(set(widths)) == 1
            widths = []


@given(st.text(alphabet=st.characters(codec="utf-8")) | st.text(alphabet="ab1.)-+#=*_`[]()<>!|\\&;:/@ ~$\n\t"))
def test_any_text_in_markdown_displays_as_exactly_itself(text: str) -> None:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(escape.markdown(text))
    if not visible(text):
        assert tokens == []
        return
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == visible(text)


@given(st.text(alphabet="`a"))
def test_a_fence_is_longer_than_any_run_inside(text: str) -> None:
    assert escape.fence(text) not in text


def test_markdown_shows_the_command_as_it_is_typed(card: Card) -> None:
    text = render.markdown(card())
    assert "```sh\npython -m pipeline corpus=manifest corpus.path=my_recordings.csv run_name=my_recordings\n```" in text


def test_markdown_links_figures_beside_itself(card: Card) -> None:
    text = render.markdown(card())
    assert "](figures/wer_heat_map.png)" in text
    assert "](figures/degradation.png)" in text


def test_markdown_begins_with_a_row_a_condition_and_keeps_every_sentence_of_the_summary(card: Card) -> None:
    content = card(per_speaker=1)
    first = render.markdown(content).split("## 1. Header")[0]
    for sentence in content.summary:
        assert escape.markdown(sentence.text) in first
    row = next(line for line in first.splitlines() if line.startswith("| babble_10 |"))
    assert "v_w_merger<br>48.3%" in row
    assert "40.0 points<br>chance alone: 12.0 points on average, 35.0 points at the 95th percentile" in row
    assert row.endswith("| shown<br>p \\< 0.001 |")
    assert first.index("| babble_10 |") < first.index("model gap")


def test_all_three_forms_say_the_same_numbers(card: Card) -> None:
    content = card()
    page = html_module.unescape(html_page(content, [], None))
    text = render.markdown(content)
    for shown in ("38.3% (27.4 to 53.7)", "12 speakers, 360 words"):
        assert shown in page
        assert shown in text
