"""The part of section 8 on the optional mixed model: the interaction once more, as a confirmation and no test."""

from pipeline.card.evidence import Evidence, accent_name
from pipeline.card.keys import Key
from pipeline.card.model import Block, Heading, Row, Sentence, TableCell
from pipeline.card.regression_measures import Regression
from pipeline.card.wording import NOT_EVALUATED, between, count, label

TITLE = "The same question to a mixed model"
MEAN = "mean of the groups"


def regression(evidence: Evidence) -> list[Block]:
    """Return the table of the main normalizer; nothing where the study did not ask for it."""
    view = evidence.view
    found = {item.key: item for item in evidence.numbers.regressions if item.key.normalizer == view.main}
    if not found:
        return []
    conditions = [name for name in view.conditions if name != view.reference]
    rows = [
        Row(head=accent_name(accent) if accent else MEAN, cells=[_cell(found.get(key), key) for key in keys])
        for accent in [*view.accents, ""]
        if (keys := [view.key(accent=accent, condition=name) for name in conditions])
    ]
    caption = (
        f"Poisson mixed model of errors per speaker and condition: extra degradation against the mean of the other "
        f"groups (ratio, pointwise {evidence.level} intervals), and the factor for the mean of the groups"
    )
    said = (
        f"Fitted by {next(iter(found.values())).engine}, each condition paired with {label(view.reference)}. It shows "
        "whether sizes hold under another model; whether disproportionate harm is shown is decided by the permutation "
        "test above, never here."
    )
    return [Heading(text=TITLE), Sentence(text=said), evidence.table(caption, ["Group", *map(label, conditions)], rows)]


def _cell(item: Regression | None, key: Key) -> TableCell:
    if item is None or item.ratio is None:
        return TableCell(lines=[NOT_EVALUATED, *([item.note] if item is not None and item.note else [])], key=key)
    name = "ratio" if key.accent else "factor"
    lines = [f"{name} {item.ratio:.2f} {between(item.ci_low, item.ci_high, scale=1, digits=2)}".strip()]
    lines.append(f"{count(item.n_speakers, 'speaker')} in the model")
    if item.speaker_condition_sd == 0:
        lines.append("interval narrow: no speaker's own reaction found")
    return TableCell(lines=lines, key=key)
