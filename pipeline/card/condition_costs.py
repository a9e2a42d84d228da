"""What a condition costs on the same utterances: the interval and the test beside the difference."""

from pipeline.card.evidence import Evidence
from pipeline.card.model import Block, Sentence
from pipeline.card.wording import NOT_EVALUATED, between, p_value
from pipeline.tables import POOLED

HOW = (
    "Intervals and p-values take the speaker as the unit: p by flipping the signs of the speakers' differences, "
    "adjusted by Holm's method over the {family} comparisons of this table. In the last row stands MAPSSWE too, the "
    "customary test on segments, not adjusted: it takes segments as independent, which those of one speaker are not, "
    "and so may find too much."
)


def cost_lines(evidence: Evidence, accent: str, condition: str) -> list[str]:
    """Return the lines of one cell that come after the difference itself: interval, test, and the customary one."""
    key = evidence.view.key(accent=accent, condition=condition)
    item = next((one for one in evidence.numbers.same_utterances if one.key == key), None)
    if item is None or item.difference is None:
        return []
    interval = between(item.ci_low, item.ci_high, sign="+")
    lines = [interval] if interval else []
    if item.p_adjusted is None:
        return [*lines, f"test {NOT_EVALUATED}"]
    shown = "shown" if item.p_adjusted < evidence.alpha else "not shown"
    lines.append(f"adjusted {p_value(item.p_adjusted)}: {shown}")
    if accent == POOLED:
        lines.append(f"MAPSSWE {p_value(item.mapsswe_p)}, {item.n_segments:,} segments")
    return lines


def how_tested(evidence: Evidence) -> list[Block]:
    """Say in two sentences what the intervals and tests of the table are, where it has any."""
    found = evidence.numbers.same_utterances
    return [Sentence(text=HOW.format(family=f"{found[0].n_family:,}"))] if found and found[0].n_family else []
