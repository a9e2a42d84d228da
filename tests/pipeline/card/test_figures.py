"""The figures: the same bytes every time, readable without color, drawn for any size of study."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from pipeline.card.content import CardInput, build
from pipeline.card.figures import figures
from pipeline.card.settings import FIGURES

Build = Callable[..., CardInput]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_same_card_draws_the_same_bytes(study: Build) -> None:
    first, second = figures(build(study(per_speaker=1))), figures(build(study(per_speaker=1)))
    assert [(f.name, f.svg, f.png) for f in first] == [(f.name, f.svg, f.png) for f in second]
    assert [f.name for f in first] == list(FIGURES)


@pytest.mark.parametrize(
    "plan",
    [
        {"accents": {"only": 1}, "conditions": ["clean"]},
        {"accents": {f"accent {i}": 5 + i % 2 for i in range(15)}, "conditions": [f"c{i}" for i in range(10)]},
        {"accents": {"spotless": 6}, "conditions": ["clean"]},
        {"speakers_known": False},
    ],
)
def test_small_and_large_studies_are_drawn(study: Build, plan: dict[str, object]) -> None:
    for figure in figures(build(study(per_speaker=1, **plan))):
        assert ElementTree.fromstring(figure.svg).tag == f"{SVG}svg"
        assert figure.png.startswith(b"\x89PNG")


def test_an_svg_has_a_title_and_a_description_and_no_metadata(study: Build) -> None:
    for figure in figures(build(study(synthetic=True))):
        root = ElementTree.fromstring(figure.svg)
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert description is not None
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert "synthetic speech; says nothing about any people" in (title.text or "")
        assert "metadata" not in figure.svg
        assert "DOCTYPE" not in figure.svg


def test_the_heat_map_prints_number_interval_and_support_in_its_cells(study: Build) -> None:
    heat_map = figures(build(study()))[0]
    text = [element.text for element in ElementTree.fromstring(heat_map.svg).iter(f"{SVG}text")]
    for shown in ("38.3%", "(27.4 to 53.7)", "6 spk, 180 words", "no interval", "(at most 3.1%)"):
        assert shown in text


def test_a_dollar_sign_and_an_unknown_glyph_are_only_text(study: Build) -> None:
    name = "$x^2$ 👩‍🚀\nنص"
    heat_map = figures(build(study(accents={name: 6, "b": 6}, per_speaker=1)))[0]
    assert "$x^2$" in heat_map.svg


def test_drawing_leaves_the_settings_of_matplotlib_alone(study: Build) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures(build(study(accents={"only": 6}, conditions=["clean"])))
    assert dict(mpl.rcParams) == before
