"""The figures of the card: drawn once, as SVG for the page and as PNG for print, the same bytes every time."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from pipeline.card import degradation_plot, heat_map
from pipeline.card.model import CardContent
from pipeline.card.wording import SYNTHETIC, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

PNG_DPI = 200
_PROLOG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_GROUP_ID = re.compile(r'<g id="[^"]*"')  # "axes_1" and the like: nothing refers to them, and every figure has them
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


@dataclass(frozen=True)
class Figure:
    """A drawn figure. ``svg`` starts with ``<svg`` and holds a title and a description; ``alt`` is for ``<img>``."""

    name: str
    title: str
    alt: str
    svg: str
    png: bytes


@dataclass(frozen=True)
class Drawing:
    """What a figure shows, in words, and how to draw it."""

    name: str
    title: str
    alt: str
    draw: "Callable[[CardContent, str], Canvas]"


def drawings(content: CardContent) -> list[Drawing]:
    """Return the figures that have data, undrawn: none where nothing was scored."""
    if not any(cell.wer is not None for cell in content.numbers.cells):
        return []
    flag = f" ({SYNTHETIC})" if content.synthetic else ""
    place = f"{label(content.backend)}, {label(content.main_normalizer)}{flag}"
    return [
        Drawing("wer_heat_map", f"WER by group and condition: {place}", heat_map.ALT, heat_map.draw),
        Drawing("degradation", f"WER of each group by condition: {place}", degradation_plot.ALT, degradation_plot.draw),
    ]


def figures(content: CardContent) -> list[Figure]:
    """Draw every figure that has data: the heat map and the degradation plot, or nothing where nothing was scored."""
    return [_drawn(drawing, content) for drawing in drawings(content)]


def _drawn(drawing: Drawing, content: CardContent) -> Figure:
    import matplotlib as mpl

    style = mpl.rc_context(
        {
            "svg.hashsalt": drawing.name,  # ids from the drawing, not from a random salt
            "svg.fonttype": "none",  # text stays text: it can be searched, and read where a glyph is missing here
            "text.parse_math": False,  # a "$" in a label is a dollar
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
        }
    )
    with style, warnings.catch_warnings():
        # A label may hold a character that the bundled font lacks: a box in the PNG, the reader's own font in the SVG.
        warnings.simplefilter("ignore", UserWarning)
        canvas = drawing.draw(content, drawing.title)
        svg, png = BytesIO(), BytesIO()
        canvas.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        canvas.set_layout_engine("none")  # laid out already: the PNG is the same picture
        canvas.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    described = _accessible(svg.getvalue().decode(), drawing)
    return Figure(drawing.name, drawing.title, f"{drawing.title}. {drawing.alt}", described, png.getvalue())


def _accessible(svg: str, drawing: Drawing) -> str:
    bare = _GROUP_ID.sub("<g", _METADATA.sub("", _PROLOG.sub("", svg, count=1), count=1))
    title, description = f"{drawing.name}-title", f"{drawing.name}-desc"
    labels = f'role="img" aria-labelledby="{title} {description}"'
    text = f'<title id="{title}">{escape(drawing.title)}</title><desc id="{description}">{escape(drawing.alt)}</desc>'
    return re.sub(r"<svg([^>]*)>", lambda match: f"<svg {labels}{match[1]}>{text}", bare, count=1)
