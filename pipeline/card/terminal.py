"""The summary at the end of a run: the WER table, what may be said of the groups, and where the card is."""

from collections.abc import Sequence
from itertools import batched
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.card.evidence import accent_name, interval_of
from pipeline.card.keys import Key
from pipeline.card.model import CardContent
from pipeline.card.numbers import Cell
from pipeline.card.wording import NOT_EVALUATED, SYNTHETIC, label, percent
from pipeline.tables import POOLED
