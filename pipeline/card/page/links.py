"""Links from a number to the utterances behind it."""

from urllib.parse import quote

from pipeline.card.wording import visible


def view_link(*, accent: str = "", condition: str = "") -> str:
    """Return the fragment that opens the utterances of a cell, by the labels of the tables."""
    wanted = {"accent": visible(accent), "condition": visible(condition)}  # as the data in the page hold them
    return "#utterances?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items() if value)
