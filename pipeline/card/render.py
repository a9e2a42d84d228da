"""The card as Markdown, as one HTML page that needs nothing else, and as JSON.

Both templates escape by default: Jinja's autoescape for HTML, ``escape.markdown`` for Markdown. What a template
prints without escaping are the figures, whose text matplotlib has escaped, and the package's own style sheet.
"""

import json
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from pipeline.card import escape
from pipeline.card.figures import Figure
from pipeline.card.model import CardContent

FIGURES_FOLDER = "figures"
"""Where the Markdown card looks for ``<name>.png``, beside itself."""


class _PackageFiles(BaseLoader):
    """Templates and style sheet of this package, also from a zipped installation."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        """Return the text of a file that ships with this package."""
        try:
            return files("pipeline.card").joinpath(template).read_text(encoding="utf-8"), None, None
        except FileNotFoundError:
            raise TemplateNotFound(template) from None


def markdown(content: CardContent, figures: Sequence[Figure] = ()) -> str:
    """Return the card as GitHub-flavored Markdown; figures are linked as ``figures/<name>.png``."""
    environment = Environment(
        loader=_PackageFiles(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (this is not HTML; finalize escapes every value for Markdown)
        finalize=lambda value: value if isinstance(value, Markup) else escape.markdown(value),
    )
    environment.filters["fence"] = lambda text: Markup(escape.fence(text))
    environment.filters["verbatim"] = Markup
    drawn = {figure.name: figure for figure in figures}
    return environment.get_template("service_card.md.j2").render(content=content, figures=drawn, folder=FIGURES_FOLDER)


def html(content: CardContent, figures: Sequence[Figure] = ()) -> str:
    """Return the card as one HTML page: no network, no script, figures as inline SVG, a strict security policy."""
    environment = Environment(
        loader=_PackageFiles(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
    )
    drawn = {figure.name: figure for figure in figures}
    return environment.get_template("service_card.html.j2").render(content=content, figures=drawn)


def json_text(content: CardContent) -> str:
    """Return the card as JSON in ASCII; a missing number is null, and NaN or infinity is refused.

    Raises:
        ValueError: if a number is not finite.
    """
    return json.dumps(content.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"
