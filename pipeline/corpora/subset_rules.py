"""The rules of a subset: each says which rows leave, why, and what was wished for and is not there.

They look at rows by ascending hash (``subset_order``) and keep the first.
"""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pandas as pd

from pipeline.corpora.subset_settings import SubsetSettings
from pipeline.errors import ConfigError, did_you_mean
from pipeline.tables import ATTRIBUTE_PREFIX

_SECONDS = 60.0


@dataclass(slots=True)
class Wishes:
    """What is wished for, and in sentences what could not be had; ``missing`` is filled by the rules."""

    settings: SubsetSettings
    missing: list[str] = field(default_factory=list)
    n_accents: int = 0
    """that texts are to be shared by; 0: not counted yet"""
    chosen: dict[str, tuple[int, int]] = field(default_factory=dict)
    """by accent: speakers chosen of each value of ``balance``, and how many values; before texts are looked at"""


Rule = Callable[[pd.DataFrame, Wishes], "pd.Series[str]"]
"""Of the rows that are left, those that leave: their index, and why."""


def other_accents(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out the accents that are not asked for.

    Raises:
        ConfigError: if one is asked for that the corpus does not have.
    """
    wanted, known = wishes.settings.accents, set(rest["accent"].unique())
    unknown = [accent for accent in wanted if accent not in known]
    if unknown:
        raise ConfigError(
            f"subset.accents: no utterance has the accent '{unknown[0]}'.{did_you_mean(unknown[0], known)}"
        )
    lost = rest.loc[~rest["accent"].isin(wanted), "accent"] if wanted else rest["accent"].iloc[:0]
    return "subset.accents does not ask for accent '" + lost + "'"


def nobody_named(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out utterances without a speaker where speakers are counted."""
    lost = rest["speaker_id"].isna() if wishes.settings.by_speaker else pd.Series(False, rest.index)
    return _because(rest.index[lost], "its speaker is not named, and the subset counts speakers")


def texts_of_few(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out texts that too few accents have read."""
    settings = wishes.settings
    if not settings.match:
        return _because(rest.index[:0], "")
    accents = wishes.n_accents = wishes.n_accents or rest["accent"].nunique()
    needed = max(math.ceil(settings.match_share * accents - 1e-9), min(2, accents))
    read_in = rest.groupby("text")["accent"].transform("nunique")
    lost = read_in[read_in < needed]
    return "subset.match: " + lost.astype(str) + f" of {accents} accents have read its text, {needed} are needed"


def speakers(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out whole speakers: equal numbers for every value of ``balance``, at most ``speakers_per_accent``."""
    settings = wishes.settings
    if not (settings.balance or settings.speakers_per_accent):
        return _because(rest.index[:0], "")
    people = _people(rest, settings.balance)
    stated = people[people["unclear"] == ""]
    levels = sorted(set(stated["level"]))
    stated = stated.assign(rank=stated.groupby(["accent", "level"]).cumcount())
    quotas = {accent: _quota(str(accent), group, levels, wishes) for accent, group in stated.groupby("accent")}
    beyond = stated[stated["rank"] >= stated["accent"].map(quotas).astype("int64")]
    why = pd.concat([people.loc[people["unclear"] != "", "unclear"], _whole_speaker(beyond, settings)])
    key = pd.MultiIndex.from_frame(rest[["accent", "speaker"]])
    gone = pd.Series(why.to_numpy(), pd.MultiIndex.from_frame(people.loc[why.index, ["accent", "speaker"]]), dtype=str)
    found = pd.Series(gone.reindex(key).to_numpy(), rest.index)
    return found[found.notna()]


def _whole_speaker(beyond: pd.DataFrame, settings: SubsetSettings) -> "pd.Series[str]":
    rules = [f"subset.{name}" for name in ("balance", "speakers_per_accent") if getattr(settings, name)]
    return _because(beyond.index, f"{' and '.join(rules)}: enough other speakers of its accent have a lower hash")


def _people(rest: pd.DataFrame, balance: tuple[str, ...]) -> pd.DataFrame:
    """Return each speaker of each accent once, by hash, with its values of ``balance`` or why they are unclear."""
    columns = [f"{ATTRIBUTE_PREFIX}{name}" for name in balance]
    key = ["accent", "speaker"]
    people = rest.sort_values(["speaker_order", "speaker"], kind="stable").drop_duplicates(key)
    people = people[[*key, *columns]].reset_index(drop=True)
    people["unclear"], levels = "", []
    for name, column in zip(balance, columns, strict=True):
        values = rest[[*key, column]].drop_duplicates().groupby(key).size()
        n_values = values.reindex(pd.MultiIndex.from_frame(people[key])).to_numpy()
        people.loc[people[column].isna(), "unclear"] = f"subset.balance: its speaker's {name} is not stated"
        people.loc[n_values > 1, "unclear"] = f"subset.balance: its speaker's {name} is not always the same"
        levels.append([f"{name} {json.dumps(value, ensure_ascii=False)}" for value in people[column].fillna("")])
    people["level"] = [", ".join(level) for level in zip(*levels, strict=True)] if levels else ""
    return people


def _quota(accent: str, group: pd.DataFrame, levels: list[str], wishes: Wishes) -> int:
    """Return how many speakers of each value an accent keeps, and note what it lacks."""
    settings, sizes = wishes.settings, group["level"].value_counts()
    wanted = settings.speakers_per_accent
    lacking = [level for level in levels if level not in sizes]
    if lacking:
        wishes.missing.append(f"accent '{accent}' has no speaker of {', '.join(lacking)}, so it is not balanced")
    each = int(sizes.min()) if wanted is None else min(int(sizes.min()), wanted // len(levels))
    wishes.chosen[accent] = each, len(sizes)
    found = each * len(sizes)
    if wanted is not None and found < wanted:
        equal = " in equal numbers" if settings.balance else ""
        wishes.missing.append(f"accent '{accent}' gives {found} of the {wanted} speakers wished for{equal}")
    return each


def utterances_beyond(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out what a speaker said beyond ``utterances_per_speaker``."""
    limit = wishes.settings.utterances_per_speaker
    if limit is None:
        return _because(rest.index[:0], "")
    grouped = rest.groupby(["accent", "speaker"])
    sizes = grouped.size()
    fewer = sizes[sizes < limit].groupby("accent").size()
    wishes.missing.extend(
        f"{count} speaker(s) of accent '{accent}' have fewer than {limit} utterances" for accent, count in fewer.items()
    )
    lost = rest.index[grouped.cumcount() >= limit]
    return _because(lost, f"subset.utterances_per_speaker: {limit} others of its speaker have a lower hash")


def readings_beyond(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out readings of a text beyond those that every other accent has of it."""
    if not wishes.settings.match or rest.empty:
        return _because(rest.index[:0], "")
    sizes = rest.groupby(["text", "accent"]).size()
    fewest = rest["text"].map(sizes.groupby("text").min())
    rank = rest.groupby(["text", "accent"]).cumcount()
    return _because(rest.index[rank >= fewest], "subset.match: its text is read more often here than in another accent")


def minutes_beyond(rest: pd.DataFrame, wishes: Wishes) -> "pd.Series[str]":
    """Leave out what goes beyond ``minutes_per_accent``: everybody's first utterance comes before anybody's second.

    With ``match`` whole texts go instead, the same ones in every accent.

    Raises:
        ConfigError: if the corpus knows no durations.
    """
    limit = wishes.settings.minutes_per_accent
    if limit is None:
        return _because(rest.index[:0], "")
    if rest["duration_s"].isna().any():
        raise ConfigError("subset.minutes_per_accent: the corpus holds no audio, so nothing has a duration. Leave it.")
    there = rest.groupby("accent")["duration_s"].sum() / _SECONDS
    wishes.missing.extend(
        f"accent '{accent}' has {minutes:.1f} of the {limit:g} minutes wished for"
        for accent, minutes in there[there < limit].items()
    )
    if wishes.settings.match:
        each = rest.pivot_table(index=["text_order", "text"], columns="accent", values="duration_s", aggfunc="sum")
        within = (each.fillna(0.0).cumsum() <= limit * _SECONDS).all(axis=1)
        lost = rest.index[~rest["text"].map(within.droplevel("text_order"))]
    else:
        turn = rest.assign(turn=rest.groupby(["accent", "speaker"]).cumcount())
        turn = turn.sort_values(["turn", "speaker_order", "speaker"], kind="stable")
        spoken_s = turn.groupby("accent")["duration_s"].cumsum()
        lost = spoken_s.index[spoken_s > limit * _SECONDS]
    _say_short(rest, lost, limit, wishes)
    why = f"subset.minutes_per_accent: with it and what has a lower hash its accent would have more than {limit:g}"
    return _because(lost, f"{why} minutes")


def _say_short(rest: pd.DataFrame, lost: "pd.Index[int]", limit: float, wishes: Wishes) -> None:
    """Say where one long recording leaves an accent less than half of what it could have."""
    minutes = rest["duration_s"].where(~rest.index.isin(lost), 0.0).groupby(rest["accent"]).sum() / _SECONDS
    left_out = set(rest.loc[lost, "accent"])
    wishes.missing.extend(
        f"accent '{accent}' keeps {kept:.1f} of the {limit:g} minutes wished for: the next recording is too long"
        for accent, kept in minutes.items()
        if kept < limit / 2 and accent in left_out
    )


def _because(index: "pd.Index[int]", why: str) -> "pd.Series[str]":
    return pd.Series(why, index, dtype="str")


def said_missing(accents: Iterable[str], left: pd.DataFrame) -> list[str]:
    """Return a sentence for every accent of which nothing is left."""
    return [f"nothing of accent '{accent}' is left" for accent in sorted(set(accents) - set(left["accent"].unique()))]


def said_undone(left: pd.DataFrame, wishes: Wishes) -> list[str]:
    """Return a sentence for every accent of whose chosen speakers some have lost all that they said to a later rule."""
    if left.empty or not wishes.chosen:
        return []
    said = []
    for accent, people in _people(left, wishes.settings.balance).groupby("accent"):
        each, n_values = wishes.chosen[str(accent)]
        sizes = people["level"].value_counts()
        if len(people) < each * n_values:
            equal = len(sizes) == n_values and sizes.nunique() == 1
            said.append(
                f"accent '{accent}' keeps {len(people)} of its {each * n_values} chosen speakers"
                f"{'' if equal else ', no longer in equal numbers'}: the rules on texts and minutes leave the others "
                "nothing"
            )
    return said
