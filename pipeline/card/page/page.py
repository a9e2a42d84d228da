"""The report page: the card as one HTML file in which anyone can go from a number to the words behind it.

The template escapes every value. What it prints as it is: the figures, whose text matplotlib has escaped, the style
sheets and the script of this package, and the data, in which no ``<`` is left. A policy in the page lets this one
script run, by its hash, and nothing load but sound beside the page.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Protocol

from markupsafe import Markup

from pipeline.card.explained import CONFUSIONS
from pipeline.card.figures import Figure
from pipeline.card.model import CardContent, Table
from pipeline.card.page.wer_table import wer_table
from pipeline.card.render import FIGURES_FOLDER, environment_for_html
from pipeline.card.verdict import verdict
from pipeline.card.wording import SYNTHETIC, label

SCRIPTS = ("page_data.js", "page_view.js", "page_rows.js", "page.js")
"""The parts of the one script; each uses what those before it define."""
MOST_FACTS = 12
"""Named values of one list in sight; the others are folded."""

WIDE_PT = 620.0
"""A figure drawn wider than this has a line of the page for itself, so that its text can be read."""


class Island(Protocol):
    """The renderings that the page's script shows."""

    def json(self) -> str:
        """Return them as JSON."""


def html(content: CardContent, drawn: Sequence[Figure], island: Island | None) -> str:
    """Return the card as one HTML page: no network, one script, figures as inline SVG, a strict security policy.

    Args:
        content: everything that the card says.
        drawn: the figures; those that need a line for themselves are shown last.
        island: the single renderings; None where the page is to have none.
    """
    script = _script()
    linked = island is not None and content.numbers.publication.floor is None
    return (
        environment_for_html()
        .get_template("page/page.html.j2")
        .render(
            content=content,
            verdict=verdict(content),
            table=wer_table(content, linked=linked),
            level=f"{100 * content.numbers.rules.confidence:g}%",
            normalizer=label(content.main_normalizer),
            flag=f"; {SYNTHETIC}" if content.synthetic else "",
            linked=linked,
            figures={figure.name: figure for figure in sorted(drawn, key=_is_wide)},
            confusions=_confusions(content),
            folder=FIGURES_FOLDER,
            wide={figure.name for figure in drawn if _is_wide(figure)},
            most_facts=MOST_FACTS,
            policy=Markup(_policy(script)),  # its quotes are our own
            script=Markup(script),
            # "<" stands only inside strings of JSON, where its escape means the same
            island=None if island is None else Markup(island.json().replace("<", "\\u003c")),
        )
    )


def _is_wide(figure: Figure) -> bool:
    found = re.search(r'viewBox="0 0 ([\d.]+) ', figure.inline)  # in points
    return found is not None and float(found[1]) > WIDE_PT


def _confusions(content: CardContent) -> Table | None:
    """Return section 10's table of words taken for others, which this page shows before the utterances."""
    blocks = [block for section in content.sections for block in section.blocks]
    return next((one for one in blocks if one.kind == "table" and one.caption.startswith(CONFUSIONS)), None)


@cache
def _script() -> str:
    folder = files("pipeline.card.page")
    parts = [folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _policy(script: str) -> str:
    """Return the Content-Security-Policy (W3C CSP 3) that runs ``script`` and no other."""
    allowed = b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{allowed}'; style-src 'unsafe-inline'; img-src data:; "
        "media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
