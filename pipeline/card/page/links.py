"""Links from a number to the utterances behind it."""

from urllib.parse import quote


def view_link(*, accent: str = "", condition: str = "") -> str:
    """Return the fragment that opens the utterances of a cell, by the names that ``names`` gives its labels."""
    wanted = {"accent": accent, "condition": condition}
    return "#utterances?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in wanted.items() if value)
