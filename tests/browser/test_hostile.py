"""A whole run of hostile texts: nothing of them runs in a browser, a spreadsheet or a Markdown page, nothing leaves,
and nothing of the machine that made it stands in what may be passed on.

Everything that a stranger may write is hostile here: utterance names, references, hypotheses, accents, speakers, the
corpus, the title and a condition's own words. The run's name cannot be: it is a folder's.
"""

import csv
import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pandas as pd
import pytest
import yaml
from markdown_it import MarkdownIt

from pipeline.card.wording import visible
from pipeline.run import Outcome
from pipeline.stored_runs import compare_runs

LABELS = {
    "script": "<script>window.ran='script'</script>",
    "closing": "</script></style></svg><img src=https://evil.example/x onerror=\"window.ran='image'\">",
    "markdown": "[a](javascript:window.ran=1) | ![x](https://evil.example/x.png) `b` <!-- c -->",
    "formula": "=cmd|' /C calc'!A0",
    "bidi": "abc\u202e\u2066gnp.exe\u2069",
}
WORDS = {
    "cdata": "]]> --> */ </title></textarea><svg onload=\"window.ran='svg'\">",
    "links": "www.evil.example https://evil.example <https://evil.example>",
    "formulas": "+1;=1;@SUM(1) \t-1",
    "fullwidth": "＝1+1",
    "nul": "a\x00b\x1b[31m\x07",
    "hidden": "zero\u200bwidth \ufeff",
    "emoji": "👩🏽‍🚀 $x^2$ %s {{ 7 * 7 }} {% include 'x' %}",
    "entity": "&lt;b&gt; &#x202e;",
    "fence": "```\n# heading\n- item",
    "huge": "x" * 100_000,
}
GIVEN = ("clean", "landline_g711")
CONDITIONS = (*GIVEN, "evil")
EVIL = (
    "+conditions.evil={version: 1, family: last_mile, description: '<img src=x onerror=window.ran=2>', "
    "sources: ['<script>window.ran=3</script>', '[x](https://evil.example)'], steps: []}"
)
SOMEBODY, MACHINE = "zqsomebody", "zqmachine"
RUNS = tuple("=+-@＝＋－＠\t\r")
PASSED_ON = (".csv", ".html", ".md", ".svg", ".xml", ".yaml", ".yml", ".txt")


@pytest.fixture(scope="module")
def hostile(
    tmp_path_factory: pytest.TempPathFactory, study_of: Callable[..., Outcome], speaker: Any
) -> Iterator[Outcome]:
    """Return the run. It was made by somebody, on a machine, in folders that all have telling names."""
    folder = tmp_path_factory.mktemp("hostile") / SOMEBODY
    texts = [*LABELS.values(), *WORDS.values()]
    speakers = [
        speaker(
            accent=accent,
            name=f"{accent}{n}",
            said=[f"{text} one two three" for text in texts[n::3]],
            heard=[{c: f"one {texts[(at + n) % len(texts)]}" for c in CONDITIONS} for at, _ in enumerate(texts[n::3])],
            prefix=accent,
        )
        for accent in LABELS.values()
        for n in range(3)
    ]
    with pytest.MonkeyPatch.context() as machine:
        for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            machine.setenv(name, str(folder / "home"))
        for name in ("USER", "LOGNAME", "HOSTNAME"):
            machine.setenv(name, SOMEBODY)
        machine.setattr(socket, "gethostname", lambda: MACHINE)
        machine.setattr("platform.node", lambda: MACHINE)
        words = (
            "card.title=\"<img src=x onerror='window.ran=4'>=1\"",
            'card.contact="[mail](javascript:window.ran=5)"',
        )
        corpus = 'corpus.name="<svg onload=window.ran=6>"'
        first = study_of(folder, speakers, GIVEN, EVIL, *words, corpus, "run_name=hostile", "gate.max_gap=0.01")
        shutil.copytree(first.folder, folder / "again")
        compare_runs(["hostile", "again"], folder)
        yield first


def published(outcome: Outcome) -> dict[str, str]:
    """Return every text that a run and its comparison with another offer to pass on.

    Not Parquet and not ``run.json``: its own description says that it holds paths.
    """
    both = [*outcome.folder.rglob("*"), *compared(outcome).rglob("*")]
    files = [file for file in both if file.suffix in PASSED_ON or file.name in ("card.json", "comparison.json")]
    return {f"{file.parent.name}/{file.name}": file.read_bytes().decode() for file in sorted(files)}


def compared(outcome: Outcome) -> Path:
    """Return the folder of the comparison of the run with its copy."""
    return outcome.folder.parent / "hostile_vs_again"


def test_nothing_of_the_texts_runs_or_leaves_and_each_shows_as_itself(visit, hostile: Outcome) -> None:
    page = visit(hostile.folder / "card.html").page
    page.mouse.wheel(0, 100_000)
    shown = page.locator("body").inner_text()
    for text in LABELS.values():
        assert visible(text)[:50] in shown
    assert "(U+202E)" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", page.content())
    assert page.locator("img, iframe, object, embed, base, form[action]").count() == 0
    assert page.evaluate("document.title").startswith("<img src=x onerror=")


def test_hostile_words_are_read_in_their_rows_as_they_were_said(visit, hostile: Outcome) -> None:
    page = visit(hostile.folder / "card.html", "#utterances?normalizer=verbatim&sort=utterance&order=asc").page
    while page.locator("#more").is_visible():
        page.locator("#more").click()
    shown = page.locator("#trials").text_content()
    scores = pd.read_parquet(hostile.folder / "scores.parquet").query("normalizer == 'verbatim'")
    said = {word for text in scores["normalized_reference"] for word in text.split(" ")}
    assert {word for word in said if visible(word)[:40] not in shown} == set()
    assert any("svg" in word for word in said)
    assert page.locator("#trials bdi").filter(has_text=LABELS["script"]).count() > 0, "speakers stay as they are called"
    assert len(shown) < 1_000_000, "a word of 100,000 characters is cut"


def test_nothing_runs_in_the_comparison_of_two_runs(visit, hostile: Outcome) -> None:
    page = visit(compared(hostile) / "comparison.html").page
    shown = page.locator("body").inner_text()
    for text in LABELS.values():
        assert visible(text)[:50] in shown
    assert page.locator("img, iframe, object, embed, base, form[action]").count() == 0
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", page.content())


def test_nothing_in_a_links_view_runs(visit, hostile: Outcome) -> None:
    texts = [*LABELS.values(), "%", "__proto__", "&accent=constructor"]
    fields = "accent", "condition", "words", "sort", "errors", "utterance"
    fragments = ["#utterances?" + "&".join(f"{name}={quote(text, safe='')}" for name in fields) for text in texts]
    page = visit(hostile.folder / "card.html", fragments[0]).page
    for text, fragment in zip(texts, fragments, strict=True):
        page.evaluate("fragment => { location.hash = fragment; }", fragment)
        page.wait_for_function("said => document.getElementById('only-name').textContent === said", arg=text)
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("name", ["hostile/card.md", "hostile_vs_again/comparison.md"])
def test_markdown_holds_no_html_but_line_breaks_and_links_to_its_own_figures_only(hostile: Outcome, name: str) -> None:
    text = (hostile.folder.parent / name).read_text(encoding="utf-8")
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inner = [child for token in tokens for child in token.children or []]
    html = {token.content.strip() for token in [*tokens, *inner] if token.type in ("html_inline", "html_block")}
    assert html <= {"<br>"}
    links = [
        str(token.attrs.get("src") or token.attrs.get("href"))
        for token in inner
        if token.type in ("image", "link_open")
    ]
    assert bool(links) == name.endswith("card.md")
    assert not [link for link in links if not re.fullmatch(r"figures/\w+\.png", link)]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u200b]", text)


def test_no_cell_of_any_csv_file_starts_a_formula(hostile: Outcome) -> None:
    files = sorted([*hostile.folder.rglob("*.csv"), *compared(hostile).rglob("*.csv")])
    assert len(files) > 15
    seen = 0
    for file in files:
        with file.open(encoding="utf-8", newline="") as text:
            for row in csv.reader((line.replace("\0", " ") for line in text), strict=True):
                wild = [cell for cell in row if cell.startswith(RUNS) and not _is_number(cell)]
                assert not wild, (file.name, wild)
                seen += sum(cell.startswith("'=cmd") for cell in row)
    assert seen > 10


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_json_is_ascii_and_has_no_way_out_of_a_page(hostile: Outcome) -> None:
    assert (hostile.folder / "card.json").read_bytes().isascii()
    assert (compared(hostile) / "comparison.json").read_bytes().isascii()
    page = (hostile.folder / "card.html").read_text(encoding="utf-8")
    islands = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    for island in islands:
        assert island.isascii()
        assert not set("<>&'") & set(island)
        assert json.loads(island)


def test_what_other_programs_read_is_well_formed_and_plain(hostile: Outcome) -> None:
    suite = ElementTree.fromstring((hostile.folder / "junit.xml").read_bytes())
    assert suite.tag == "testsuites" or suite.tag == "testsuite"
    index = (hostile.folder / "model_index.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(index)
    for text in (index, "".join(suite.itertext()), str([one.attrib for one in suite.iter()])):
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", text)


def test_figures_are_drawings_and_nothing_else(hostile: Outcome) -> None:
    figures = sorted((hostile.folder / "figures").glob("*.svg"))
    assert figures
    for file in figures:
        for element in ElementTree.fromstring(file.read_bytes()).iter():
            name = str(element.tag).rpartition("}")[2]
            assert name not in {"script", "foreignObject", "image", "a", "style", "animate", "set", "iframe"} or (
                name == "style" and "evil" not in (element.text or "")
            )
            for attribute, value in element.attrib.items():
                assert not attribute.lower().startswith("on")
                assert not attribute.endswith("href") or value.startswith("#")


def test_no_file_that_may_be_passed_on_names_the_machine_its_folders_or_who_uses_it(hostile: Outcome) -> None:
    files = published(hostile)
    assert len(files) > 20
    telling = (SOMEBODY, MACHINE, str(hostile.folder.parent.parent), str(Path.cwd()), socket.gethostname() + ".")
    found = {(name, word) for name, text in files.items() for word in telling if word in text}
    assert found == set()
    assert "missing_audio" in files["hostile/exclusions.csv"], "what was left out says why, and not in which folder"
    assert SOMEBODY in (hostile.folder / "run.json").read_text(), "the record of the run is for who made it"
