"""The figures: the same bytes every time, readable without color, drawn for any size of study."""

import csv
import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from itertools import combinations
from subprocess import run
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from pipeline.card import degradation_plot, figure_svg, heat_map, panels
from pipeline.card import figures as drawing
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.error_kinds_plot import KINDS
from pipeline.card.figure_measures import SpeakerCounts
from pipeline.card.figures import Figure, figures
from pipeline.card.keys import Key
from pipeline.card.palette import LINES, PAGE, SERIES, VARIABLES
from pipeline.card.power_measures import SnrShift
from pipeline.card.publication import Publication
from pipeline.card.settings import FIGURES, CardSettings
from pipeline.card.speaker_plot import MOST_DOTS, quantiles

Build = Callable[..., CardInput]
Card = Callable[..., CardContent]
SVG = "{http://www.w3.org/2000/svg}"
DRAWN: list[Figure] = []
"""Of the usual study: no test changes them."""
DARK_PAGE = "#0f1318"
ODD = ("x" * 200, '👩‍🚀, "two"\nlines', "نص عربي", "=1+1", "None")


def only(study: Build, name: str, **plan: object) -> CardContent:
    return build(replace(study(per_speaker=1, **plan), settings=CardSettings.model_validate({"figures": [name]})))


def drawn(content: CardContent) -> Figure:
    (figure,) = figures(content)
    return figure


@pytest.fixture
def usual(study: Build, card: Card) -> list[Figure]:
    """The six figures of the usual study, drawn once for all tests."""
    if not DRAWN:
        DRAWN.extend(figures(card(synthetic=True)))
    return DRAWN


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def rows(figure: Figure) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(figure.csv)))


def test_the_same_card_draws_the_same_bytes_of_all_six(card: Card, usual: list[Figure]) -> None:
    assert [figure.name for figure in usual] == list(FIGURES)
    assert figures(card(synthetic=True)) == usual


def test_every_figure_is_a_readable_svg_with_title_and_description_and_a_png(usual: list[Figure]) -> None:
    for figure in usual:
        root = ElementTree.fromstring(figure.svg)
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert root.tag == f"{SVG}svg"
        assert title is not None
        assert description is not None
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        for text in (title.text or "", figure.caption.lower(), figure.alt):
            assert "synthetic speech; says nothing about any people" in text
        assert "metadata" not in figure.svg
        assert "DOCTYPE" not in figure.svg
        assert "37 speakers" in figure.caption
        assert figure.png.startswith(b"\x89PNG")


def test_ids_and_classes_of_all_figures_are_unique_on_one_page_and_all_references_are_kept(usual: list[Figure]) -> None:
    seen: set[str] = set()
    for figure in usual:
        root = ElementTree.fromstring(figure.inline)
        own = [element.get("id", "") for element in root.iter() if element.get("id")]
        style = root.find(f"{SVG}style")
        assert style is not None
        own += re.findall(r"\.([\w-]+)\{", style.text or "")
        assert len(own) == len(set(own))
        assert not seen & set(own)
        seen |= set(own)
        used = re.findall(r'href="#([^"]+)"', figure.inline) + re.findall(r"url\(#([^)]+)\)", figure.inline)
        used += [element.get("class", "") for element in root.iter() if element.get("class")]
        assert used
        assert set(used) <= set(own)


def test_a_copy_in_a_page_has_the_pages_colors_and_no_own_ones_but_those_of_squares(usual: list[Figure]) -> None:
    for figure in usual:
        root = ElementTree.fromstring(figure.inline)
        styles = " ".join(element.get("style", "") for element in root.iter())
        styles += " ".join(element.text or "" for element in root.iter(f"{SVG}style"))
        assert "var(--page)" in styles
        assert "var(--ink)" in styles
        assert not [color for color in VARIABLES if color in figure.inline]
        if figure.name != "wer_heat_map":
            assert not re.findall(r"#[0-9a-f]{6}\b", styles)
        assert texts(figure.inline) == texts(figure.svg)


def test_a_label_that_looks_like_a_color_or_like_markup_stays_a_label(study: Build) -> None:
    name = '$x^2$ style="fill: #ffffff" <b>&lt;'
    figure = drawn(only(study, "error_kinds", accents={name: 6, "b": 6}))
    for svg in (figure.svg, figure.inline):
        assert "".join(name.split()) in "".join("".join(texts(svg)).split())


def contrast(first: str, second: str) -> float:
    """WCAG 2.2: the ratio of relative luminances."""

    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_colors_of_groups_stand_out_from_a_light_and_from_a_dark_page() -> None:
    style = files("pipeline.card").joinpath("figures.css").read_text(encoding="utf-8")
    defined = re.findall(r"--series-(\d): (#[0-9a-f]{6})", style)
    light, dark = defined[: len(SERIES)], defined[len(SERIES) :]
    assert [color for _, color in light] == list(SERIES)
    assert [number for number, _ in dark] == [number for number, _ in light]
    assert min(contrast(color, PAGE) for _, color in light) >= 3
    assert min(contrast(color, DARK_PAGE) for _, color in dark) >= 3
    assert len(VARIABLES) == len(set(VARIABLES.values()))


DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
"""Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB."""


def seen(color: str) -> list[float]:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    mixed = [min(1.0, max(0.0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in DEUTERANOPIA]
    return [part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055 for part in mixed]


def test_groups_with_one_kind_of_line_and_the_kinds_of_errors_differ_in_color_to_color_blind_readers() -> None:
    pairs = [(SERIES[at], SERIES[at + len(LINES)]) for at in range(len(LINES))]
    kinds = [color for _, color, _ in KINDS]
    for first, second in [*pairs, *combinations(kinds, 2)]:
        assert sum((a - b) ** 2 for a, b in zip(seen(first), seen(second), strict=True)) ** 0.5 > 0.25, (first, second)


def test_the_heat_map_prints_number_interval_and_support_in_its_cells(usual: list[Figure]) -> None:
    shown = texts(usual[0].svg)
    for text in ("38.3%", "(27.4 to 53.7)", "6 spk, 180 words", "no interval", "(at most 3.1%)"):
        assert text in shown


def test_the_csv_beside_a_figure_holds_exactly_what_the_card_says(card: Card, usual: list[Figure]) -> None:
    numbers = card(synthetic=True).numbers
    by_name = {figure.name: rows(figure) for figure in usual}
    main = [cell for cell in numbers.cells if cell.key.normalizer == "whisper_english" and cell.wer is not None]
    heat = {(row["accent"], row["condition"]): row for row in by_name["wer_heat_map"]}
    assert len(heat) == len(main)
    for cell in main:
        row = heat[cell.key.accent, cell.key.condition]
        assert float(row["wer"]) == cell.wer
        assert (row["ci_low"] == "") == (cell.ci_low is None)
        assert (int(row["n_speakers"]), int(row["n_ref_words"])) == (cell.n_speakers, cell.n_ref_words)
    kinds = {(row["accent"], row["condition"]): row for row in by_name["error_kinds"]}
    for cell in main:
        if cell.key.accent != "ALL":
            row = kinds[cell.key.accent, cell.key.condition]
            assert int(row["deletions"]) == cell.deletions
    naive = [row for row in by_name["gaps"] if row["statistic"] == "gap_max_min"]
    assert [(row["ci_low"], row["chance_p95"]) for row in naive] == [("", "0.35")] * 3
    assert {row["shown"] for row in by_name["interaction"]} == {"False"}
    assert len(by_name["speakers"]) == 37 * 3


def test_formulas_in_labels_are_neutralized_in_the_csv(study: Build) -> None:
    figure = drawn(only(study, "error_kinds", accents={"=cmd()": 6, "+b": 6}, conditions=["@clean"]))
    assert {row["accent"] for row in rows(figure)} == {"'=cmd()", "'+b"}
    assert {row["condition"] for row in rows(figure)} == {"'@clean"}


def test_speakers_are_told_by_counts_alone_and_in_an_order_that_says_nothing(card: Card) -> None:
    content = card(synthetic=True)
    found = {(item.key.accent, item.key.condition): item for item in content.numbers.speakers}
    # twelve speakers with 3 utterances of 10 words: 1 + speaker % 2 substitutions each, 1 insertion for every third
    item = found["baseline", "clean"]
    expected = sorted(3 * (1 + speaker % 2 + (speaker % 3 == 0)) for speaker in range(12))
    assert list(item.errors) == expected
    assert set(item.ref_words) == {30}
    assert "baseline-0" not in str(item)
    assert found["lone_voice", "clean"].n_speakers == 1
    assert card(speakers_known=False, per_speaker=1).numbers.speakers == []


def test_where_a_floor_holds_no_speaker_is_in_the_card_and_none_is_drawn(study: Build) -> None:
    shown = study(per_speaker=1)
    content = build(replace(shown, publication=Publication(floor=10)))
    assert content.numbers.speakers == []
    assert "speakers" not in [
        block.name for section in content.sections for block in section.blocks if block.kind == "figure"
    ]
    policies = [
        (fact.label, fact.value)
        for section in content.sections
        for block in section.blocks
        if block.kind == "facts"
        for fact in block.facts
    ]
    assert ("Per-speaker results", "not published") in policies
    assert ("Per-speaker results", "not published") not in [
        (fact.label, fact.value)
        for section in build(shown).sections
        for block in section.blocks
        if block.kind == "facts"
        for fact in block.facts
    ]


def test_many_speakers_are_drawn_as_quantiles_and_the_caption_says_so(study: Build) -> None:
    content = only(study, "speakers", accents={"a": 6, "b": 6}, conditions=["clean"])
    item = content.numbers.speakers[0]
    many = SpeakerCounts(
        key=item.key, n_speakers=MOST_DOTS + 1, n_ref_words=1, errors=tuple(range(MOST_DOTS + 1)),
        ref_words=(1000,) * (MOST_DOTS + 1),
    )  # fmt: skip
    crowded = content.model_copy(update={"numbers": content.numbers.model_copy(update={"speakers": [many]})})
    (row,) = rows(drawn(crowded))
    assert float(row["wer_p50"]) == pytest.approx(MOST_DOTS / 2000)
    assert int(row["n_speakers"]) == MOST_DOTS + 1
    assert drawn(crowded).svg.count("<use") < 20
    assert quantiles((0.2,)) == [0.2] * 5


def test_snrs_stand_at_their_number_of_db_whatever_their_steps(study: Build) -> None:
    axes = degradation_plot.draw(ladder(study, {"a": 6, "b": 6}, lowest_db=-10.0), "title").axes[0]
    assert list(axes.get_xticks()) == [-10.0, 20.0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["-10 dB", "20 dB"]
    assert axes.get_xlim() == (-25.0, 35.0)


def ladder(study: Build, accents: dict[str, int], *, lowest_db: float = 5.0) -> CardContent:
    """A study of two rungs of one noise and a condition that is on none, with shifts in dB."""
    conditions = ("clean", "hum_20", "hum_5")
    source = study(accents=accents, conditions=conditions, per_speaker=1)
    ladders = {"hum": {"hum_20": 20.0, "hum_5": lowest_db, "never_run": 0.0}}
    content = build(replace(source, ladders=ladders, settings=CardSettings(figures=("degradation",))))
    shifts = [
        SnrShift(
            key=Key(accent=accent, backend=content.backend, normalizer=content.main_normalizer), noise="hum",
            conditions="hum_5, hum_20", n_snrs=2, snr_low_db=5, snr_high_db=20, n_speakers=6, n_ref_words=60,
            shift_db=1.5, ci_low_db=-0.5, ci_high_db=None if accent == "b" else 3.5, wer_low=0.1, wer_high=0.2, note="",
            synthetic=False,
        )
        for accent in accents
    ]  # fmt: skip
    return content.model_copy(update={"numbers": content.numbers.model_copy(update={"snr_shifts": shifts})})


@pytest.mark.parametrize("accents", [{"a": 6, "b": 6}, {f"accent {index}": 5 for index in range(13)}])
def test_one_noise_at_several_snrs_is_drawn_over_them_with_the_gap_in_db_beside(
    study: Build, accents: dict[str, int]
) -> None:
    content = ladder(study, accents)
    assert [(rung.key.condition, rung.snr_db) for rung in content.numbers.rungs] == [("hum_5", 5.0), ("hum_20", 20.0)]
    figure = drawn(content)
    found = rows(figure)
    on_ladder = [row for row in found if row["panel"] == "wer" and row["snr_db"]]
    assert {(row["condition"], float(row["snr_db"])) for row in on_ladder} == {("hum_5", 5.0), ("hum_20", 20.0)}
    assert {row["accent"]: row["shift_db"] for row in found if row["panel"] == "shift"} == dict.fromkeys(accents, "1.5")
    assert any("in dB" in text for text in texts(figure.svg))
    assert any("clean" in text for text in texts(figure.svg))


PLANS: dict[str, dict[str, object]] = {
    "one of each": {"accents": {"only": 1}, "conditions": ["clean"]},
    "odd labels": {"accents": dict.fromkeys(ODD, 5), "conditions": ["clean", *ODD[:2]]},
    "no errors": {"accents": {"spotless": 6}, "conditions": ["clean", "babble_10"]},
    "speakers unknown": {"speakers_known": False},
}


@pytest.mark.parametrize("case", PLANS)
def test_small_and_odd_studies_are_drawn(card: Card, case: str) -> None:
    found = figures(card(per_speaker=1, **PLANS[case]))
    assert [figure.name for figure in found][:1] == ["wer_heat_map"]
    for figure in found:
        assert ElementTree.fromstring(figure.svg).tag == f"{SVG}svg"
        assert "nan" not in re.sub(r">[^<]*<", "><", figure.svg).lower()


def test_a_study_whose_main_normalizer_leaves_no_word_has_no_figures_and_no_crash(study: Build) -> None:
    source = study(per_speaker=1)
    main = source.cells["normalizer"] == "whisper_english"
    nothing = {"wer": None, "ci_low": None, "ci_high": None, "n_ref_words": 0, "support": "no_words"}
    cells = source.cells.copy()
    for name, value in nothing.items():
        cells.loc[main, name] = value
    scores = source.scores[source.scores["normalizer"] != "whisper_english"].reset_index(drop=True)
    content = build(replace(source, cells=cells, scores=scores))
    assert {figure.name for figure in figures(content)} <= {"gaps", "interaction"}


def test_a_group_that_is_not_in_a_figure_is_named_under_it(card: Card) -> None:
    sections = card(per_speaker=1).sections
    captions = {block.name: block.caption for one in sections for block in one.blocks if block.kind == "figure"}
    assert "Not in the figure, for lack of data: lone_voice." in captions["gaps"]
    assert "Not in the figure, for lack of data: lone_voice." in captions["interaction"]
    assert "Not in the figure" not in captions["error_kinds"] + captions["wer_heat_map"] + captions["speakers"]
    assert "leaving out" not in captions["interaction"]  # its intervals are those of a pooled variance


@pytest.mark.parametrize("label", ["W" * 60, "\u9a12\u97f3" * 30, "two words " * 6])
def test_no_line_of_a_fitted_label_is_wider_than_its_room_and_nothing_of_it_is_lost(label: str) -> None:
    with drawing.in_style("any"):
        for bold in (False, True):
            found = panels.fitted(label, 1.4, panels.LABEL_PT, bold=bold)
            assert panels.width_in([found], panels.LABEL_PT, bold=bold) <= 1.4
            assert "".join(found.split()) == "".join(label.split())
        assert panels.fitted("W", 0.01, panels.LABEL_PT) == "W"


def test_a_square_is_darker_wherever_the_rate_is_higher_also_above_all_words() -> None:
    assert heat_map.darkest([0.1]) == heat_map.LEAST_DARKEST
    assert heat_map.darkest([0.4, 3.0]) == 3.0


def test_what_is_missing_is_no_empty_picture(study: Build, card: Card) -> None:
    assert figures(card(scored=False)) == []
    names = [figure.name for figure in figures(only(study, "gaps", accents={"only": 6}, conditions=["clean"]))]
    assert names == []


@pytest.mark.long
def test_thirty_groups_under_nineteen_conditions_stay_small_enough_for_a_page(card: Card) -> None:
    accents = {f"accent number {index}": 5 for index in range(30)}
    content = card(accents=accents, conditions=[f"condition_{index}" for index in range(19)], per_speaker=1)
    for figure in figures(content):
        assert len(figure.inline.encode()) < 150_000, figure.name


def test_the_study_chooses_its_figures(study: Build) -> None:
    def slots(wanted: object) -> list[str]:
        content = build(replace(study(per_speaker=1), settings=CardSettings.model_validate({"figures": wanted})))
        return [block.name for section in content.sections for block in section.blocks if block.kind == "figure"]

    assert set(slots("all")) == set(FIGURES)
    assert slots("none") == []
    assert slots(["speakers", "gaps"]) == ["gaps", "speakers"]
    for wrong in (["pie", "gaps"], "pie"):
        with pytest.raises(
            ValidationError, match=r"1 validation error(.|\n)*or a list of wer_heat_map, (.|\n)*; not pie"
        ):
            CardSettings.model_validate({"figures": wrong})


def test_a_picture_for_print_has_300_dots_per_inch_and_a_huge_one_fewer(
    study: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = only(study, "error_kinds", accents={"only": 6}, conditions=["clean"])
    for pixels, dots in ((12_000_000, 300), (12_000, 100)):
        monkeypatch.setattr(drawing, "PNG_DPI", 300)
        monkeypatch.setattr(drawing, "LEAST_PNG_DPI", 100)
        monkeypatch.setattr(drawing, "PNG_PIXELS", pixels)
        figure = drawn(content)
        width_px = int.from_bytes(figure.png[16:20], "big")  # of the header, ISO/IEC 15948
        width_pt = float(ElementTree.fromstring(figure.svg).get("width", "").removesuffix("pt"))
        assert width_px == pytest.approx(dots * width_pt / 72, abs=1)


def test_without_figures_matplotlib_is_not_even_imported() -> None:
    code = "import sys, pipeline.stages.write_card; print('matplotlib' in sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_drawing_leaves_the_settings_of_matplotlib_alone(study: Build) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures(only(study, "error_kinds", accents={"only": 6}, conditions=["clean"]))
    assert dict(mpl.rcParams) == before


def test_a_finished_svg_keeps_its_words_and_loses_what_nothing_refers_to() -> None:
    made = (
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<metadata>made by</metadata><!-- words --><g id="axes_1"><defs>'
        '<path id="m1" d="M 0.12345 1 L 2 3.999"/></defs>'
        '<g><use xlink:href="#m1" x="1.23456"/></g><text x="1.0" transform="rotate(-0 1 2)"> url(#m1) 1.23456 </text>'
        "</g></svg>"
    )
    found = ElementTree.fromstring(figure_svg.finished(made, "two_words", "A <b>", "told"))
    assert [element.tag.removeprefix(SVG) for element in found.iter()] == [
        "svg", "title", "desc", "style", "defs", "path", "use", "text",
    ]  # fmt: skip
    path, use, text = (next(found.iter(f"{SVG}{kind}")) for kind in ("path", "use", "text"))
    assert (path.get("id"), path.get("d")) == ("tw-0", "M0.12 1L2 4")
    assert use.get("{http://www.w3.org/1999/xlink}href") == "#tw-0"
    assert use.get("x") == "1.23"
    assert text.text == " url(#m1) 1.23456 "
    assert text.get("transform") is None
    assert found.get("aria-labelledby") == "two_words-title two_words-desc"
