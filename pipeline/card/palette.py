"""The colors of the figures: those of a light page, each with the name by which a page may put another in its place.

No color is used twice for two things, so that a copy inside a page can follow the page (``figures.css``).
"""

from typing import Final, Literal

INK: Final = "#1b1f24"
QUIET: Final = "#57606a"
LINE: Final = "#d0d7de"
BAND: Final = "#f6f8fa"
PAGE: Final = "#ffffff"
SERIES: Final = ("#0072b2", "#c65102", "#00805e", "#a4487e", "#3b4148", "#3a8fc4", "#a66f00", "#6b5bb5")
"""After Okabe and Ito's colors for color-blind readers, darker: 3 to 1 against white and more (WCAG 2.2, 1.4.11).

Lines come round after four groups: hues that are alike, to color-blind readers too, do not stand four apart.
"""
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*", "d", "8", "H")
LINES: Final[tuple[Literal["-", "--", "-.", ":"], ...]] = ("-", "--", "-.", ":")
"""Groups differ in marker and line too: their numbers share no factor with that of the colors but 4."""

VARIABLES: Final = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    LINE: "var(--line)",
    BAND: "var(--band)",
    PAGE: "var(--page)",
} | {color: f"var(--series-{number})" for number, color in enumerate(SERIES, start=1)}
"""What stands in a page's own copy of a figure in place of each color."""
