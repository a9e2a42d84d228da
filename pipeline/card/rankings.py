"""What may be said of the groups as a whole: a bound that each of them keeps, and how firm their order is."""

from collections.abc import Iterable

from pipeline.card.measures import Cell, Floor, Sensitivity
from pipeline.card.normalizer_measures import NormalizerChange
from pipeline.card.view import View
from pipeline.result_tables import SUMMARY
from pipeline.tables import POOLED


def floors(view: View, cells: list[Cell]) -> list[Floor]:
    """Return the bound that every ranked group keeps under each condition, and last under all of them at once."""
    main = [cell for cell in cells if cell.key.normalizer == view.main and cell.key.accent != POOLED]
    each = [_floor(view, condition, [c for c in main if c.key.condition == condition]) for condition in view.conditions]
    # over all conditions a group counts as at or above the floor only if it is so under each of them
    thin = {cell.key.accent for cell in main if not cell.ranked}
    everywhere = [cell.model_copy(update={"ranked": cell.key.accent not in thin}) for cell in main]
    return [floor for floor in [*each, _floor(view, "", everywhere)] if floor is not None]


def _floor(view: View, condition: str, cells: list[Cell]) -> Floor | None:
    ranked = [cell for cell in cells if cell.ranked and cell.wer is not None and cell.f1 is not None]
    if not ranked:
        return None
    groups = {cell.key.accent for cell in ranked}
    return Floor(
        key=view.key(condition=condition),
        method="lowest F1 and highest WER (point estimates) over the groups at or above the speaker floor",
        n_groups=len(groups),
        n_below_floor=len({cell.key.accent for cell in cells} - groups),
        # no group has fewer than these in any cell that the bound is about
        n_speakers=min(cell.n_speakers for cell in ranked),
        n_ref_words=min(cell.n_ref_words for cell in ranked),
        lowest_f1=min(cell.f1 for cell in ranked if cell.f1 is not None),
        highest_wer=max(cell.wer for cell in ranked if cell.wer is not None),
    )


def sensitivity(view: View, cells: list[Cell]) -> list[Sensitivity]:
    """Compare the order of the ranked groups under each other normalizer with that under the main one."""
    found = []
    for condition in view.conditions:
        main = _ranking(cells, condition, view.main)
        for other in view.others:
            alternative = _ranking(cells, condition, other)
            if len(main) >= 2 and set(main) == set(alternative):
                found.append(_compare(view, condition, other, main, alternative))
    return found


def _ranking(cells: Iterable[Cell], condition: str, normalizer: str) -> dict[str, Cell]:
    chosen = [c for c in cells if c.key.condition == condition and c.key.normalizer == normalizer]
    ranked = [c for c in chosen if c.ranked and c.wer is not None and c.key.accent != POOLED]
    return {c.key.accent: c for c in sorted(ranked, key=lambda c: (-(c.wer or 0.0), c.key.accent))}


def _compare(
    view: View, condition: str, other: str, main: dict[str, Cell], alternative: dict[str, Cell]
) -> Sensitivity:
    wers = [cell.wer or 0.0 for cell in alternative.values()]
    wers_main = [cell.wer or 0.0 for cell in main.values()]
    return Sensitivity(
        key=view.key(condition=condition, normalizer=other),
        method=f"order of the ranked groups by WER, compared with {view.main}",
        n_groups=len(main),
        n_speakers=sum(cell.n_speakers for cell in alternative.values()),
        n_ref_words=sum(cell.n_ref_words for cell in alternative.values()),
        worst=next(iter(alternative)),
        worst_main=next(iter(main)),
        n_places_changed=sum(place != _places(alternative)[accent] for accent, place in _places(main).items()),
        gap=max(wers) - min(wers),
        gap_main=max(wers_main) - min(wers_main),
    )


def _places(cells: dict[str, Cell]) -> dict[str, int]:
    """Return the place of each accent, 1 the highest WER; equal WERs share a place, as in ``sensitivity.csv``."""
    return {
        accent: 1 + sum((one.wer or 0.0) > (cell.wer or 0.0) for one in cells.values())
        for accent, cell in cells.items()
    }


def normalizer_changes(view: View) -> list[NormalizerChange]:
    """Return every conclusion of this backend that is another one than under the main normalizer."""
    table = view.source.sensitivity
    chosen = table[(table["backend"] == view.backend) & (table["measure"] != SUMMARY) & table["changes"]]
    rows = chosen.sort_values(["normalizer", "measure", "condition", "accent"]).to_dict("records")
    main = {(row["measure"], row["condition"], row["accent"]): row for row in rows if row["normalizer"] == view.main}
    found = []
    for row in rows:
        own = main.get((row["measure"], row["condition"], row["accent"]))
        if own is None or own["conclusion"] == row["conclusion"]:
            continue
        found.append(
            NormalizerChange(
                key=view.key(accent=row["accent"], condition=row["condition"], normalizer=row["normalizer"]),
                method=f"the same summary of the same transcripts, compared with {view.main}",
                measure=row["measure"],
                conclusion=row["conclusion"],
                conclusion_main=own["conclusion"],
                value=row["value"],
                value_main=own["value"],
            )
        )
    return found
