"""Utterances to the part of them that is studied.

In: Utterances (or a Listing), what is wished for. Out: the same table with fewer rows, and what the subset is.
Excludes: every row that a rule leaves out, with the rule. The rules themselves are ``corpora.subset_rules``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from pipeline.artifacts import SubsetPart, SubsetRecord
from pipeline.corpora import subset_rules
from pipeline.corpora.frozen_subset import not_frozen
from pipeline.corpora.subset_order import prepared
from pipeline.corpora.subset_rules import Rule, Wishes, said_missing, said_undone
from pipeline.corpora.subset_settings import SubsetSettings
from pipeline.errors import ConfigError, first_five
from pipeline.records import Exclusion, Reason

NAME = "load_utterances.subset"
RULES: tuple[Rule, ...] = (
    not_frozen,
    subset_rules.other_accents,
    subset_rules.nobody_named,
    subset_rules.texts_of_few,
    subset_rules.speakers,
    subset_rules.utterances_beyond,
    subset_rules.texts_of_few,
    subset_rules.readings_beyond,
    subset_rules.minutes_beyond,
)
"""Speakers before utterances; texts are looked at again once it is known whose readings are left."""

_SECONDS = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """The rows that are kept, sorted by id; why each other one left; what to say of it (None: nothing was asked)."""

    utterances: pd.DataFrame
    exclusions: list[Exclusion]
    record: SubsetRecord | None


def choose_subset(utterances: pd.DataFrame, settings: SubsetSettings) -> Subset:
    """Choose among ``utterances``; the same ones give the same choice, in whatever order they come.

    Raises:
        ConfigError: if a rule asks for what the corpus does not have, nothing is left, or there is less than wished
            for and ``if_fewer`` is refuse.
    """
    if not settings.active or utterances.empty:
        return Subset(utterances, [], None)
    wishes = Wishes(settings)
    rest, why = _ruled(utterances, wishes)
    wishes.missing.extend(said_missing(set(settings.accents) or set(utterances["accent"].unique()), rest))
    wishes.missing.extend(said_undone(rest, wishes))
    _check(wishes, rest, why)
    kept = utterances[utterances["utterance_id"].isin(rest["utterance_id"])]
    kept = kept.sort_values("utterance_id", kind="stable").reset_index(drop=True)
    details = zip(why.index.to_numpy(dtype=object), why.to_numpy(dtype=object), strict=True)
    exclusions = [Exclusion(NAME, name, "", Reason.NOT_IN_SUBSET, detail) for name, detail in details]
    missing = sorted(wishes.missing)
    record = SubsetRecord(rules=list(_in_words(settings)), parts=_parts(utterances, kept), missing=missing)
    return Subset(kept, exclusions, record)


def _ruled(utterances: pd.DataFrame, wishes: Wishes) -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """Apply every rule to what the ones before left; return the rest, and by utterance id why the others left."""
    rest = prepared(utterances, wishes.settings)
    left: list[pd.Series[str]] = []
    for rule in RULES:
        if rest.empty:
            break
        lost = rule(rest, wishes)
        if not lost.empty:
            left.append(pd.Series(lost.to_numpy(), rest.loc[lost.index, "utterance_id"], dtype="str"))
            rest = rest[~rest.index.isin(lost.index)]
    return rest, pd.concat(left).sort_index(kind="stable") if left else pd.Series([], dtype="str")


def _check(wishes: Wishes, rest: pd.DataFrame, why: "pd.Series[str]") -> None:
    if rest.empty:
        raise ConfigError(
            f"subset: none of {len(why)} utterances is left: {first_five(dict.fromkeys(sorted(why)))}. Wish for less."
        )
    if wishes.missing and wishes.settings.if_fewer == "refuse":
        raise ConfigError(
            f"subset: {first_five(sorted(wishes.missing))}. Wish for less, or take what there is with "
            "subset.if_fewer=all."
        )


def _in_words(settings: SubsetSettings) -> Iterator[str]:
    if settings.manifest:
        yield f"exactly the utterances of the frozen manifest {settings.manifest.name}"
    if settings.accents:
        yield f"of the accents {', '.join(settings.accents)}"
    if settings.match:
        share = "all" if settings.match_share == 1 else f"at least {100 * settings.match_share:g}% of the"
        yield f"texts that {share} accents have read, equally often in each that has them"
    if settings.balance:
        yield f"equal numbers of speakers by {', '.join(settings.balance)} within each accent"
    if settings.speakers_per_accent:
        yield f"at most {settings.speakers_per_accent} speakers an accent"
    if settings.utterances_per_speaker:
        yield f"at most {settings.utterances_per_speaker} utterances a speaker"
    if settings.minutes_per_accent:
        yield f"at most {settings.minutes_per_accent:g} minutes an accent"
    yield f"chosen by hash with subset.seed={settings.seed}"


def _parts(before: pd.DataFrame, after: pd.DataFrame) -> list[SubsetPart]:
    had, has = before.groupby("accent", sort=True), after.groupby("accent")
    speakers, kept = had["speaker_id"].nunique(), has["speaker_id"].nunique()
    rows, rows_kept = had.size(), has.size()
    timed = "duration_s" in after and after["duration_s"].notna().all()
    minutes = has["duration_s"].sum() / _SECONDS if timed else None
    return [
        SubsetPart(
            accent=str(accent),
            n_speakers=int(speakers[accent]),
            n_speakers_kept=int(kept.get(accent, 0)),
            n_utterances=int(rows[accent]),
            n_utterances_kept=int(rows_kept.get(accent, 0)),
            minutes_kept=None if minutes is None else round(float(minutes.get(accent, 0.0)), 3),
        )
        for accent in rows.index
    ]
