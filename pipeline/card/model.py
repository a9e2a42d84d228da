"""The card itself: sections of sentences, facts and tables, above the numbers they were written from.

Display text is ``Shown``: it can hold no control or reordering character. Keys hold the exact labels and are
never displayed.
"""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.card.gate_measures import Gate
from pipeline.card.keys import Frozen, Key
from pipeline.card.measures import Numbers
from pipeline.card.wording import Shown

SCHEMA_VERSION = "1"
WHOLE_RUN = Key()


class Sentence(Frozen):
    """One computed paragraph."""

    kind: Literal["text"] = "text"
    text: Shown
    key: Key = WHOLE_RUN
    warning: bool = False


class Heading(Frozen):
    """A heading inside a section."""

    kind: Literal["heading"] = "heading"
    text: Shown


class Listing(Frozen):
    """Sentences that a reader may skim."""

    kind: Literal["list"] = "list"
    items: list[Sentence]


class Fact(Frozen):
    """A named value in words."""

    label: Shown
    value: Shown
    key: Key = WHOLE_RUN


class Facts(Frozen):
    """Named values, one a line."""

    kind: Literal["facts"] = "facts"
    facts: list[Fact]


class TableCell(Frozen):
    """The lines of one table cell and the key of the numbers in it."""

    lines: list[Shown]
    key: Key = WHOLE_RUN


class Row(Frozen):
    """One table row; ``head`` names it."""

    head: Shown
    cells: list[TableCell]


class Table(Frozen):
    """A table whose first column names its rows."""

    kind: Literal["table"] = "table"
    caption: Shown
    columns: list[Shown]
    rows: list[Row]


class Command(Frozen):
    """A line to copy into a terminal."""

    kind: Literal["command"] = "command"
    text: Shown


class FigureSlot(Frozen):
    """The place of a figure, by its name in ``figures.figures``."""

    kind: Literal["figure"] = "figure"
    name: str
    caption: Shown


Block = Annotated[Sentence | Heading | Listing | Facts | Table | Command | FigureSlot, Field(discriminator="kind")]


class Section(Frozen):
    """One numbered part of the card; its number is its place."""

    slug: str
    title: str
    blocks: list[Block]


class CardContent(Frozen):
    """Everything the card says, in one value that can be written as JSON and read back."""

    schema_version: str = SCHEMA_VERSION
    title: Shown
    synthetic: bool
    speakers_known: bool
    backend: str
    main_normalizer: str
    accents: list[str]
    conditions: list[str]
    summary: list[Sentence]
    sections: list[Section]
    numbers: Numbers
    # a card of before the gates can still be read
    gates: list[Gate] = Field(default_factory=list)
