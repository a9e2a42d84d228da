"""Intervals beside a cell's own: with a borrowed variance where its speakers are few, and the bootstrap's agreement.

Both are labeled; neither takes the place of the cell's own interval (statistics: 2.4, 2.5).
"""

import math

from pipeline.card.evidence import Evidence
from pipeline.card.measures import Cell
from pipeline.card.model import Block, Sentence
from pipeline.card.wording import between, count
from pipeline.records import Support
from pipeline.result_tables import BOOTSTRAP_SPEAKERS

FEW_SPEAKERS = 5
"""Below this the interval with a borrowed variance is shown beside a cell's own (statistics: 2.4)."""
BORROWED = (
    "A borrowed interval takes the spread of a group's speakers partly from the other groups under the same condition. "
    "It is shown where a group has too few speakers for an interval of its own to be usable, and is too narrow for a "
    "group whose speakers differ more than those of the others."
)


def borrowed_lines(cell: Cell) -> list[str]:
    """Return the labeled interval with a borrowed variance, where the own one is refused or rests on few speakers."""
    own_refused = cell.ci_low is None and cell.support != Support.ZERO_ERRORS
    few = cell.unit == "speaker" and cell.n_speakers < FEW_SPEAKERS
    if cell.borrowed_low is None or not (own_refused or few):
        return []
    return [f"borrowed {between(cell.borrowed_low, cell.borrowed_high)}"]


def second_interval_blocks(evidence: Evidence) -> list[Block]:
    """Return what the labels of these intervals mean, where there are any, and how far the bootstrap agrees."""
    cells = [cell for cell in evidence.numbers.cells if cell.key.normalizer == evidence.view.main]
    blocks: list[Block] = [Sentence(text=BORROWED)] if any(map(borrowed_lines, cells)) else []
    apart = [one for one in map(_apart, cells) if one is not None]
    if apart:
        stats = evidence.view.source.record.config.get("stats") or {}
        text = (
            f"Cross-check: speakers drawn again {stats.get('bootstrap', 0):,} times (studentized bootstrap, seed "
            f"{stats.get('seed', 0)}) in {count(len(apart), 'cell')} with {BOOTSTRAP_SPEAKERS} speakers or more, "
            f"pooled ones included; no bound of an interval is more than {math.ceil(100 * max(apart))}% away from the "
            "one shown."
        )
        blocks.append(Sentence(text=text))
    return blocks


def _apart(cell: Cell) -> float | None:
    """Return the larger relative distance of the bootstrap's bounds from the jackknife's."""
    if not (cell.ci_low and cell.ci_high and cell.bootstrap_low and cell.bootstrap_high):
        return None
    return max(abs(cell.bootstrap_low / cell.ci_low - 1), abs(cell.bootstrap_high / cell.ci_high - 1))
