"""The card as Markdown and as JSON, and the environments in which templates are filled.

Both environments escape by default: Jinja's autoescape for HTML, ``escape.markdown`` for Markdown.
"""

import json
from functools import cache
from importlib.resources import files

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from pipeline.card import escape
from pipeline.card.figures import drawings
from pipeline.card.model import CardContent
from pipeline.card.verdict import verdict

FIGURES_FOLDER = "figures"
"""Where the cards look for ``<name>.png`` and its other forms, beside themselves."""


class _PackageFiles(BaseLoader):
    """Templates and style sheet of this package, also from a zipped installation."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        """Return the text of a file that ships with this package."""
        try:
            text = files("pipeline.card").joinpath(template).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise TemplateNotFound(template) from None
        return text, None, None


def markdown(content: CardContent) -> str:
    """Return the card as GitHub-flavored Markdown; its figures are linked as ``figures/<name>.png``, beside it."""
    linked = {drawing.name: drawing for drawing in drawings(content)}
    template = environment_for_markdown().get_template("service_card.md.j2")
    return template.render(content=content, verdict=verdict(content), figures=linked, folder=FIGURES_FOLDER)


@cache
def environment_for_markdown() -> Environment:
    """Return the environment of Markdown pages: every value stands for itself unless it is marked verbatim."""
    environment = Environment(
        loader=_PackageFiles(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # this is not HTML: finalize escapes every value for Markdown
        finalize=lambda value: value if isinstance(value, Markup) else escape.markdown(value),
    )
    environment.filters["fence"] = lambda text: Markup(escape.fence(text))
    environment.filters["verbatim"] = Markup
    return environment


@cache
def environment_for_html() -> Environment:
    """Return the environment in which every page is made: it escapes by default and refuses what is undefined."""
    return Environment(
        loader=_PackageFiles(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
    )


def json_text(content: CardContent) -> str:
    """Return the card as JSON in ASCII; a missing number is null, and NaN or infinity is refused.

    Raises:
        ValueError: if a number is not finite.
    """
    return json.dumps(content.model_dump(mode="json"), indent=1, allow_nan=False) + "\n"
