"""The figures of the card: drawn once, as SVG for the page, as PNG for print and as CSV, the same bytes every time.

A figure is drawn where the card has a place for it (``figure_slots``), from the numbers of the card and nothing else.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.card import (
    degradation_plot,
    error_kinds_plot,
    figure_svg,
    gap_plot,
    heat_map,
    interaction_plot,
    speaker_plot,
)
from pipeline.card.model import CardContent
from pipeline.card.settings import FIGURES
from pipeline.card.wording import SYNTHETIC, label
from pipeline.spreadsheet import csv_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

PNG_DPI = 300
LEAST_PNG_DPI = 100
PNG_SAVED = {"compress_level": 3}  # half the time of matplotlib's 6, a tenth larger
PNG_PIXELS = 12_000_000
"""A larger sheet has fewer dots per inch, so that no picture fills a memory."""


@dataclass(frozen=True)
class Figure:
    """A drawn figure, and the numbers in it as CSV.

    ``svg`` starts with ``<svg`` and holds a title and a description; ``inline`` is the same for a page that defines
    the variables of ``palette.VARIABLES``; ``alt`` is for ``<img>``.
    """

    name: str
    title: str
    alt: str
    caption: str
    svg: str
    inline: str
    png: bytes
    csv: str


@dataclass(frozen=True)
class Drawing:
    """What a figure shows, in words, and how to draw it."""

    name: str
    title: str
    alt: str
    caption: str
    draw: "Callable[[CardContent, str], Canvas]"
    data: Callable[[CardContent], pd.DataFrame]


_SUBJECTS = {
    "wer_heat_map": ("WER by group and condition", heat_map),
    "gaps": ("Gap of each group by condition", gap_plot),
    "degradation": ("WER of each group by condition", degradation_plot),
    "error_kinds": ("Substitutions, deletions and insertions by group and condition", error_kinds_plot),
    "interaction": ("Extra degradation of each group by condition", interaction_plot),
    "speakers": ("WER of each speaker by group and condition", speaker_plot),
}


def drawings(content: CardContent) -> list[Drawing]:
    """Return the figures that the card has a place for, undrawn."""
    blocks = [block for section in content.sections for block in section.blocks]
    captions = {block.name: block.caption for block in blocks if block.kind == "figure"}
    flag = f" ({SYNTHETIC})" if content.synthetic else ""
    place = f"{label(content.backend)}, {label(content.main_normalizer)}{flag}"
    found = []
    for name in FIGURES:
        if name in captions:
            subject, module = _SUBJECTS[name]
            title = f"{subject}: {place}"
            found.append(Drawing(name, title, module.ALT, captions[name], module.draw, module.data))
    return found


def figures(content: CardContent) -> list[Figure]:
    """Draw every figure that the card has a place for; none where nothing was scored, or the study wants none."""
    return [_drawn(drawing, content) for drawing in drawings(content)]


@contextmanager
def in_style(name: str) -> Iterator[None]:
    """Draw and save a figure of this name in the style of all figures."""
    import matplotlib as mpl

    style = mpl.rc_context(
        {
            "svg.hashsalt": name,  # ids from the drawing, not from a random salt
            "svg.fonttype": "none",  # text stays text: it can be searched, and read where a glyph is missing here
            "text.parse_math": False,  # a "$" in a label is a dollar
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "hatch.linewidth": 0.6,
        }
    )
    with style, warnings.catch_warnings():
        # A label may hold a character that the bundled font lacks: a box in the PNG, the reader's own font in the SVG.
        warnings.simplefilter("ignore", UserWarning)
        yield


def _drawn(drawing: Drawing, content: CardContent) -> Figure:
    with in_style(drawing.name):
        canvas = drawing.draw(content, drawing.title)
        svg, png = BytesIO(), BytesIO()
        canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        canvas.savefig(png, format="png", dpi=_dpi(canvas), metadata={"Software": None}, pil_kwargs=PNG_SAVED)
    finished = figure_svg.finished(svg.getvalue().decode(), drawing.name, drawing.title, drawing.alt)
    return Figure(
        name=drawing.name,
        title=drawing.title,
        alt=f"{drawing.title}. {drawing.alt}",
        caption=drawing.caption,
        svg=finished,
        inline=figure_svg.inline(finished),
        png=png.getvalue(),
        csv=csv_text(drawing.data(content)),
    )


def _dpi(canvas: "Canvas") -> int:
    width, height = canvas.get_size_inches()
    return max(LEAST_PNG_DPI, min(PNG_DPI, int((PNG_PIXELS / (width * height)) ** 0.5)))
