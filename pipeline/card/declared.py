"""Numbers of the card that rest on what the study declared: crossings of attributes, and settings fixed beforehand."""

from pipeline import registration, tables
from pipeline.card.keys import Key
from pipeline.card.study_measures import Analysis, Intersection
from pipeline.card.view import View

KEY = ("accent", "condition", "backend", "normalizer")
METHOD = "log jackknife over speakers; the gap is to the rest of the accent"


def intersections(view: View) -> list[Intersection]:
    """Return the rows of the recognizer on the card, in the order of the card."""
    table = view.source.intersections
    found = []
    for row in tables.rows(table[table["backend"] == view.backend]):
        key = Key(**{name: row.pop(name) for name in KEY})
        found.append(Intersection.model_validate(row | {"key": key, "method": METHOD}))
    place = {name: at for at, name in enumerate(view.conditions)}
    return sorted(
        found,
        key=lambda one: (
            one.key.normalizer != view.main,
            one.key.normalizer,
            one.crossing,
            one.key.accent,
            one.group,
            place.get(one.key.condition, len(place)),
        ),
    )


def analysis(view: View) -> Analysis:
    """Return the settings of the analysis of this run, their hash, and what was changed in them."""
    record = view.source.record
    return Analysis(
        sha256=registration.analysis_sha256(record.config),
        settings=dict(registration.flat(registration.analysis(record.config))),
        changes=record.analysis_changes,
    )
