"""The gaps between accents in two runs, and how they changed, on the trials that both answered."""

from collections.abc import Iterator

from pipeline.card.compared import GapChange, GroupGap
from pipeline.card.keys import Key
from pipeline.comparable import Finished
from pipeline.shown_cells import Two
from pipeline.stats import gap_changes
from pipeline.stats.permutation import generator
from pipeline.stats.same_utterances import WORDS, Paired

METHOD = (
    "naive gap (highest less lowest WER of the ranked accents) of the second run less that of the first, on the trials "
    "that both scored; interval from speakers drawn again within their accent, the same for both runs, over three "
    "corrections of its bias; p_adjusted by Holm over all pairs and conditions"
)
GROUP_METHOD = (
    "WER of the accent less that of the reference accent, or less the mean of the other ranked accents; change from "
    "the first run to the second on the trials that both scored; jackknife over speakers, Welch t; p_adjusted by Holm "
    "over all pairs, conditions and accents"
)
OTHER_GROUPS = "the two gaps are not between the same two groups"


def gap_change(two: Two) -> GapChange:
    """Return the naive gap of two runs under one condition; without values where fewer than two accents are ranked."""
    ranked, settings = two.ranked, two.settings
    named = {"key": two.key(), "method": METHOD, "first": two.names[0], "second": two.names[1]}
    of = {
        "n_groups": len(ranked),
        "n_trials": sum(int(one.sums[:, 4].sum()) for one in ranked.values()),
        "n_speakers": sum(len(one.units) for one in ranked.values()),
        "n_ref_words": sum(_words(one) for one in ranked.values()),
    }
    if len(ranked) < 2:
        note = f"fewer than two accents have {settings.min_speakers} named speakers answered in both runs"
        return GapChange.model_validate({**named, **of, "note": note})
    rng = {accent: generator(settings.seed, "gap change", two.condition, accent) for accent in ranked}
    found = gap_changes.gap_change(ranked, confidence=settings.confidence, replicates=settings.bootstrap, rng=rng)
    first, second, bounds = found.first, found.second, found.change.interval
    values = {
        "gap_first": first.gap,
        "worst_first": first.worst,
        "best_first": first.best,
        "gap_second": second.gap,
        "worst_second": second.worst,
        "best_second": second.best,
        "same_groups_second": _wer(ranked[first.worst]) - _wer(ranked[first.best]),
        "change": found.change.value,
        "ci_low": bounds.low if bounds else None,
        "ci_high": bounds.high if bounds else None,
        "p": found.change.p,
        "replicates": found.replicates,
        "model_first": _model_gap(two.first, two.condition),
        "model_second": _model_gap(two.second, two.condition),
        "note": _note(found),
    }
    return GapChange.model_validate({**named, **of, **values})


def group_gaps(two: Two) -> Iterator[GroupGap]:
    """Yield the gap of each ranked accent to the reference accent, or where that is not ranked to the others."""
    ranked, settings = two.ranked, two.settings
    if len(ranked) < 2:
        return
    reference = settings.reference_accent if settings.reference_accent in ranked else None
    found = gap_changes.changes_to_others(ranked, reference=reference, confidence=settings.confidence)
    for accent, (first, second, change) in found.items():
        bounds = change.interval
        yield GroupGap(
            key=two.key(accent),
            method=GROUP_METHOD,
            first=two.names[0],
            second=two.names[1],
            against=reference or "",
            n_speakers=len(ranked[accent].units),
            n_ref_words=_words(ranked[accent]),
            gap_first=first,
            gap_second=second,
            change=change.value,
            ci_low=bounds.low if bounds else None,
            ci_high=bounds.high if bounds else None,
            p=change.p,
            note="" if bounds else "no interval: all speakers changed alike",
        )


def _words(one: Paired) -> int:
    return int(one.sums[:, WORDS][:, 1].sum())


def _wer(one: Paired) -> float:
    """Return the WER of the second run."""
    totals = one.sums.sum(axis=0)
    return float(totals[1] / totals[3])


def _model_gap(run: Finished, condition: str) -> float | None:
    numbers = run.card.numbers
    key = Key(condition=condition, backend=run.card.backend, normalizer=run.card.main_normalizer)
    return next((one.value for one in numbers.disparities if (one.key, one.statistic) == (key, "model_gap")), None)


def _note(found: gap_changes.GapChange) -> str:
    first, second = found.first, found.second
    told = []
    if first.gap and second.gap and (first.worst, first.best) != (second.worst, second.best):
        told.append(OTHER_GROUPS)
    if found.change.interval is None:
        told.append("no interval: speakers were not drawn again, or all changed alike")
    return "; ".join(told)
