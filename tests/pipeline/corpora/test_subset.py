"""The part of a corpus that is studied: chosen by hash, balanced, nested, and with every row that is left out told."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import tables
from pipeline.corpora.subset_settings import SubsetSettings
from pipeline.errors import ConfigError
from pipeline.records import Reason
from pipeline.stages.choose_subset import Subset, choose_subset

Said = tuple[str, str | None, str, str | None, float]
"""accent, speaker, text, gender, seconds"""


def utterances(said: Sequence[Said]) -> pd.DataFrame:
    rows = [
        {
            "utterance_id": f"u{n:03d}",
            "corpus": "mine",
            "speaker_id": speaker,
            "accent": accent,
            "raw_accent": accent,
            "reference": text,
            "audio": f"{n}.wav",
            "audio_sha256": f"{n:064d}",
            "sample_rate_hz": 16_000,
            "duration_s": seconds,
            "synthetic": False,
            "label_provenance": "self_report",
            "attr_gender": gender,
        }
        for n, (accent, speaker, text, gender, seconds) in enumerate(said)
    ]
    return tables.build(rows, tables.Utterances, where="test")


def choose(table: pd.DataFrame, **wishes: Any) -> Subset:
    return choose_subset(table, SubsetSettings(**wishes))


def ids(subset: Subset) -> set[str]:
    return set(subset.utterances["utterance_id"])


def people(subset: Subset) -> set[tuple[str, str]]:
    return set(zip(subset.utterances["accent"], subset.utterances["speaker_id"], strict=True))


def grid(accents: int = 2, speakers: int = 6, texts: int = 3) -> list[Said]:
    """Everybody reads every text; every second speaker is female."""
    return [
        (f"a{a}", f"a{a}s{s}", f"text {t}", "female" if s % 2 else "male", 2.0)
        for a in range(accents)
        for s in range(speakers)
        for t in range(texts)
    ]


SEVEN = utterances(grid(speakers=7))
EIGHT = utterances(grid(speakers=8))

one = st.tuples(
    st.sampled_from(["north", "south", "west"]),
    st.one_of(st.none(), st.sampled_from(["None", "1", "2", "3", "4", "é,\n\"'"])),
    st.sampled_from(["yes please", "Yes  please", "no", "never, again\n", "null", "🙂"]),
    st.one_of(st.none(), st.sampled_from(["f", "m"])),
    st.sampled_from([0.5, 7.0, 40.0]),
)
corpora = st.lists(one, min_size=1, max_size=30)
wishes_of_any_kind = st.fixed_dictionaries(
    {},
    optional={
        "speakers_per_accent": st.integers(1, 4),
        "utterances_per_speaker": st.integers(1, 3),
        "minutes_per_accent": st.sampled_from([0.2, 1.0, 3.0]),
        "balance": st.just(("gender",)),
        "match": st.just("prompt"),
        "match_share": st.sampled_from([0.1, 0.6, 1.0]),
        "seed": st.integers(0, 3),
    },
)


def attempt(table: pd.DataFrame, wishes: dict[str, Any]) -> Subset | str:
    try:
        return choose(table, **wishes)
    except ConfigError as error:
        return str(error)


@settings(max_examples=15, deadline=None)
@given(corpora, wishes_of_any_kind, st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing_and_every_row_is_kept_or_told(
    said: list[Said], wishes: dict[str, Any], random: Any
) -> None:
    table = utterances(said)
    order = list(table.index)
    random.shuffle(order)
    found, other = attempt(table, wishes), attempt(table.loc[order], wishes)
    if isinstance(found, str) or isinstance(other, str):
        assert found == other
        assert "is left" in str(found)
        return
    if found.record is None:  # nothing was wished for: the table itself comes back
        return
    pd.testing.assert_frame_equal(found.utterances, other.utterances)
    assert (found.exclusions, found.record) == (other.exclusions, other.record)
    tables.check(found.utterances, tables.Utterances, where="test")
    left = [lost.utterance_id for lost in found.exclusions]
    assert sorted([*ids(found), *left]) == sorted(table["utterance_id"])
    same = table[table["utterance_id"].isin(ids(found))].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.utterances, same)


@settings(max_examples=15, deadline=None)
@given(corpora, wishes_of_any_kind)
def test_no_limit_is_ever_exceeded_and_what_is_to_be_equal_is_equal(said: list[Said], wishes: dict[str, Any]) -> None:
    found = attempt(utterances(said), wishes)
    if isinstance(found, str):
        return
    kept = found.utterances
    if limit := wishes.get("speakers_per_accent"):
        assert kept.groupby("accent")["speaker_id"].nunique().max() <= limit
    if limit := wishes.get("utterances_per_speaker"):
        assert kept.groupby(["accent", "speaker_id"]).size().max() <= limit
    if limit := wishes.get("minutes_per_accent"):
        assert kept.groupby("accent")["duration_s"].sum().max() <= 60 * limit
    if wishes.get("balance") and not wishes.get("match"):
        people_of = kept.groupby(["accent", "attr_gender"])["speaker_id"].nunique().groupby("accent")
        unequal = people_of.max() != people_of.min()
        assert found.record is not None
        for accent in unequal[unequal].index:  # only minutes may undo it, and that is told
            assert any(f"'{accent}' keeps" in one and "no longer in equal" in one for one in found.record.missing)
        assert kept.groupby(["accent", "speaker_id"])["attr_gender"].nunique().max() == 1
    if wishes.get("match"):
        text = kept["reference"].str.casefold().str.split().str.join(" ")
        read = kept.groupby([text, "accent"]).size().groupby(level=0)
        assert (read.max() == read.min()).all()
        shared = (wishes.get("match_share", 1.0) == 1.0) and "minutes_per_accent" not in wishes
        named = utterances(said)
        counted = {"speakers_per_accent", "utterances_per_speaker", "balance"} & set(wishes)
        named = named[named["speaker_id"].notna()] if counted else named
        if shared:
            assert (read.size() == named["accent"].nunique()).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 50), st.integers(1, 8), st.integers(1, 8))
def test_fewer_speakers_are_a_subset_of_more(seed: int, few: int, many: int) -> None:
    few, many = sorted([few, many])
    table = SEVEN
    assert people(choose(table, speakers_per_accent=few, seed=seed)) <= people(
        choose(table, speakers_per_accent=many, seed=seed)
    )
    balanced = [people(choose(table, speakers_per_accent=2 * n, balance=["gender"], seed=seed)) for n in (few, many)]
    assert balanced[0] <= balanced[1]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([{}, {"balance": ["gender"]}]))
def test_a_speaker_who_joins_displaces_at_most_one_other(newcomer: int, balance: dict[str, Any]) -> None:
    before = choose(EIGHT, speakers_per_accent=4, utterances_per_speaker=2, **balance)
    more = [*grid(speakers=8), *(("a0", f"new{newcomer}", f"text {t}", "male", 2.0) for t in range(3))]
    after = choose(utterances(more), speakers_per_accent=4, utterances_per_speaker=2, **balance)
    gone = people(before) - people(after)
    assert len(gone) <= 1
    assert {accent for accent, _ in gone} <= {"a0"}
    assert people(after) - people(before) <= {("a0", f"new{newcomer}")}
    stayed = people(before) & people(after)
    kept = [
        {(row.accent, row.speaker_id, row.reference) for row in one.utterances.itertuples()} for one in (before, after)
    ]
    assert {row for row in kept[0] if row[:2] in stayed} == {row for row in kept[1] if row[:2] in stayed}


def test_another_seed_draws_another_subset_and_the_same_seed_the_same() -> None:
    table = utterances(grid(speakers=12))
    drawn = [people(choose(table, speakers_per_accent=3, seed=seed)) for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert len({frozenset(one) for one in drawn}) == 3


def test_balance_gives_each_accent_equal_numbers_of_speakers_and_says_what_it_lacks() -> None:
    said = [
        *((f"{g}{s}", g) for g, count in (("f", 5), ("m", 2)) for s in range(count)),
    ]
    north = [("north", name, "words", gender, 1.0) for name, gender in said]
    south = [("south", f"m{s}", "words", "m", 1.0) for s in range(4)]
    found = choose(utterances([*north, *south]), balance=["gender"], speakers_per_accent=6)
    counts = found.utterances.groupby(["accent", "attr_gender"])["speaker_id"].nunique().to_dict()
    assert counts == {("north", "f"): 2, ("north", "m"): 2, ("south", "m"): 3}
    assert found.record is not None
    assert found.record.missing == [
        "accent 'north' gives 4 of the 6 speakers wished for in equal numbers",
        "accent 'south' gives 3 of the 6 speakers wished for in equal numbers",
        "accent 'south' has no speaker of gender \"f\", so it is not balanced",
    ]
    with pytest.raises(ConfigError, match=r"subset\.if_fewer=all"):
        choose(utterances([*north, *south]), balance=["gender"], if_fewer="refuse")


def test_who_does_not_state_an_attribute_or_states_two_cannot_be_balanced() -> None:
    said: list[Said] = [
        ("north", "a", "words", "f", 1.0),
        ("north", "b", "words", "m", 1.0),
        ("north", "c", "words", None, 1.0),
        ("north", "d", "words", "m", 1.0),
        ("north", "d", "words", "f", 1.0),
        ("north", None, "words", "f", 1.0),
    ]
    found = choose(utterances(said), balance=["gender"])
    assert people(found) == {("north", "a"), ("north", "b")}
    assert {lost.utterance_id: lost.detail for lost in found.exclusions} == {
        "u002": "subset.balance: its speaker's gender is not stated",
        "u003": "subset.balance: its speaker's gender is not always the same",
        "u004": "subset.balance: its speaker's gender is not always the same",
        "u005": "its speaker is not named, and the subset counts speakers",
    }


def test_matched_texts_are_read_equally_often_in_every_accent() -> None:
    said: list[Said] = [
        ("north", "a", "Shall we go", None, 1.0),
        ("north", "b", "shall  we go", None, 1.0),
        ("north", "c", "only here", None, 1.0),
        ("south", "d", "shall we go", None, 1.0),
        ("south", "e", "only there", None, 1.0),
    ]
    found = choose(utterances(said), match="prompt")
    assert found.utterances.groupby("accent").size().to_dict() == {"north": 1, "south": 1}
    details = {lost.utterance_id: lost.detail for lost in found.exclusions}
    assert details["u002"] == "subset.match: 1 of 2 accents have read its text, 2 are needed"
    assert sum("more often" in detail for detail in details.values()) == 1


def test_a_share_of_the_accents_is_enough_where_it_is_asked_for() -> None:
    said: list[Said] = [(accent, accent, "shared by two", None, 1.0) for accent in ("north", "south")]
    said.append(("west", "w", "alone", None, 1.0))
    with pytest.raises(ConfigError, match="2 of 3 accents have read its text, 3 are needed"):
        choose(utterances(said), match="prompt")
    found = choose(utterances(said), match="prompt", match_share=0.6)
    assert set(found.utterances["accent"]) == {"north", "south"}
    assert found.record is not None
    assert found.record.missing == ["nothing of accent 'west' is left"]


def test_speakers_of_matched_texts_keep_the_same_texts() -> None:
    found = choose(utterances(grid(texts=8)), match="prompt", utterances_per_speaker=3)
    assert found.utterances["reference"].nunique() == 3
    assert len(found.utterances) == 2 * 6 * 3


def test_minutes_are_spread_over_all_speakers_before_anybody_is_heard_twice() -> None:
    found = choose(utterances(grid(speakers=6, texts=5)), minutes_per_accent=0.3)
    per_speaker = found.utterances.groupby("speaker_id").size()
    assert found.utterances.groupby("accent").size().to_dict() == {"a0": 9, "a1": 9}
    assert (len(per_speaker), set(per_speaker)) == (12, {1, 2})


def test_speakers_whom_other_wishes_leave_nothing_are_told_and_balance_is_not_claimed() -> None:
    said = [("n", f"{g}{k}", "words", g, 0.5 if k == 0 else 7.0) for g in "fm" for k in range(3)]
    found = choose(utterances(said), balance=["gender"], minutes_per_accent=0.3)
    kept = found.utterances.groupby("attr_gender")["speaker_id"].nunique()
    assert found.record is not None
    (sentence,) = found.record.missing
    assert sentence.startswith(f"accent 'n' keeps {kept.sum()} of its 6 chosen speakers, no longer in equal numbers")
    with pytest.raises(ConfigError, match=r"chosen speakers.*subset\.if_fewer=all"):
        choose(utterances(said), balance=["gender"], minutes_per_accent=0.3, if_fewer="refuse")


def test_a_recording_that_is_longer_than_the_minutes_is_told() -> None:
    table = utterances([("n", f"s{k}", "words", None, 61.0 if k == 1 else 1.0) for k in range(3)])
    told = {0: 0, 1: 0, 2: 0}
    for seed in range(8):
        found = attempt(table, {"minutes_per_accent": 1, "seed": seed})
        if isinstance(found, str):
            assert "would have more than 1 minutes" in found
            told[0] += 1
        else:
            assert found.record is not None
            assert found.record.missing == [
                "accent 'n' keeps 0.0 of the 1 minutes wished for: the next recording is too long"
            ]
            told[len(found.utterances)] += 1
    assert all(told.values())


def test_the_same_voices_are_chosen_under_every_accent() -> None:
    table = utterances([(a, f"{a}/{v}", "words", None, 1.0) for a in ("x", "y") for v in "abcdefgh"])
    table["attr_voice"] = table["speaker_id"].str.split("/").str[1]
    voices = choose(table, speakers_per_accent=3).utterances.groupby("accent")["attr_voice"].agg(sorted)
    assert voices["x"] == voices["y"]


def test_nothing_wished_for_leaves_everything_as_it_is() -> None:
    table = utterances(grid())
    found = choose(table, seed=7, if_fewer="refuse")
    assert found.utterances is table
    assert (found.exclusions, found.record) == ([], None)


def test_the_record_counts_by_accent_what_there_was_and_what_is_left() -> None:
    found = choose(utterances(grid(speakers=4)), accents=["a1"], speakers_per_accent=3)
    assert found.record is not None
    counts = [
        (p.accent, p.n_speakers, p.n_speakers_kept, p.n_utterances, p.n_utterances_kept) for p in found.record.parts
    ]
    assert counts == [("a0", 4, 0, 12, 0), ("a1", 4, 3, 12, 9)]
    assert [part.minutes_kept for part in found.record.parts] == [0.0, 0.3]
    assert {lost.reason for lost in found.exclusions} == {Reason.NOT_IN_SUBSET}
    assert {lost.stage for lost in found.exclusions} == {"load_utterances.subset"}


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"accents": ["a9"]}, "no utterance has the accent 'a9'"),
        ({"balance": ["gendr"]}, "no attribute 'gendr'. Did you mean 'gender'"),
        ({"speakers_per_accent": 7, "if_fewer": "refuse"}, "gives 6 of the 7 speakers"),
        ({"utterances_per_speaker": 4, "if_fewer": "refuse"}, "6 speaker(s) of accent 'a0' have fewer than 4"),
        ({"minutes_per_accent": 5, "if_fewer": "refuse"}, "accent 'a0' has 0.6 of the 5 minutes"),
        ({"minutes_per_accent": 0.01}, "none of 36 utterances is left"),
        ({"speakers_per_accent": 1, "balance": ["gender"]}, "none of 36 utterances is left"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_is_there(wishes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        choose(utterances(grid()), **wishes)


def test_a_corpus_without_audio_has_no_minutes() -> None:
    table = utterances(grid()).assign(duration_s=float("nan"))
    with pytest.raises(ConfigError, match="minutes_per_accent"):
        choose(table, minutes_per_accent=1)
    found = choose(table, speakers_per_accent=2)
    assert found.record is not None
    assert found.record.parts[0].minutes_kept is None
