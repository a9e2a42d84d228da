"""Words that few speakers of a large group said are not published, nor what would give them away."""

import pandas as pd
import pytest

from pipeline.stats.thin_rows import few_speakers, thin_tags, thin_terms

STUDY = {"condition": "clean", "backend": "engine", "normalizer": "verbatim"}


def scores(speakers: int = 12) -> pd.DataFrame:
    return pd.DataFrame(
        [STUDY | {"accent": a, "speaker_id": f"s{s}"} for a in ("a", "b", "c") for s in range(speakers)]
    )


def said(**speakers: dict[str, int]) -> pd.DataFrame:
    """Return counts: each term, or tag, once by so many speakers of each accent."""
    rows = []
    for name, by_accent in speakers.items():
        for accent, number in by_accent.items():
            rows += [{"row": 12 * "abc".index(accent) + at, "term": name, "said": 1} for at in range(number)]
    return pd.DataFrame(rows)


def terms_of(names: list[str], accents: list[str]) -> pd.DataFrame:
    rows = [STUDY | {"term": "", "accent": accent} for accent in [*accents, "ALL"]]
    return pd.DataFrame(rows + [STUDY | {"term": name, "accent": "ALL"} for name in names])


def hidden(counts: pd.DataFrame) -> set[tuple[str, str]]:
    table = terms_of(sorted(counts["term"].unique()), ["a", "b", "c"])
    thin = thin_terms(table, counts, scores(), 10)
    return set(zip(table.loc[thin, "term"], table.loc[thin, "accent"], strict=True))


def test_what_enough_speakers_said_is_shown() -> None:
    assert hidden(said(one={"a": 12, "b": 10}, two={"b": 12, "c": 12})) == set()


def test_a_term_that_few_said_is_hidden_with_a_second_one_that_the_total_would_give_it_away_by() -> None:
    every = dict.fromkeys("abc", 12)
    found = hidden(said(rare={"a": 1}, common=every, usual={"a": 12, "b": 12, "c": 11}))
    assert found == {("rare", "ALL"), ("usual", "ALL")}


def test_an_accent_of_whom_few_said_any_term_is_hidden_with_the_smallest_other_one() -> None:
    assert hidden(said(one={"a": 12, "b": 11, "c": 2})) == {("", "b"), ("", "c")}


def test_where_few_said_any_term_at_all_nothing_is_shown() -> None:
    assert hidden(said(one={"a": 3, "b": 2})) == {("", "a"), ("", "b"), ("", "ALL"), ("one", "ALL")}


def test_tags_are_hidden_by_accent_within_each_tag() -> None:
    counts = said(DRUG={"a": 12, "b": 2}, DOSE={"a": 12, "b": 12}).rename(columns={"term": "tag"})
    counts = counts.assign(hits=0, substitutions=1, deletions=0).drop(columns="said")
    rows = [STUDY | {"tag": tag, "accent": accent} for tag in ("DRUG", "DOSE") for accent in ("a", "b", "ALL")]
    table = pd.DataFrame(rows)
    thin = thin_tags(table, counts, scores(), 10)
    assert set(zip(table.loc[thin, "tag"], table.loc[thin, "accent"], strict=True)) == {("DRUG", "a"), ("DRUG", "b")}


@pytest.mark.parametrize(("speakers", "thin"), [(0, False), (1, True), (9, True), (10, False)])
def test_a_row_of_some_speakers_and_too_few_is_thin(speakers: int, thin: bool) -> None:
    assert few_speakers(pd.DataFrame({"n_speakers": [speakers]}), 10).tolist() == [thin]
