"""How the recordings came, where groups start from elsewhere, and what was said where nobody spoke."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from pipeline.card import recordings, render
from pipeline.card.acoustic_measures import StartingPoint
from pipeline.card.content import CardContent, CardInput, build
from pipeline.card.model import Facts, Section, Table
from pipeline.card.page.page import html as html_page
from pipeline.card.settings import CardSettings

Build = Callable[..., CardInput]
Card = Callable[..., CardContent]


def section(content: CardContent, slug: str) -> Section:
    return next(part for part in content.sections if part.slug == slug)


def text_of(part: Section) -> str:
    return json.dumps(part.model_dump(), ensure_ascii=False)


def table(content: CardContent, begin: str) -> Table:
    blocks = [block for part in content.sections for block in part.blocks if isinstance(block, Table)]
    return next(block for block in blocks if block.caption.startswith(begin))


def changed(source: CardInput, accent: str, **values: Any) -> CardInput:
    """The same study, in which the recordings of one accent measure differently."""
    own = source.acoustics["utterance_id"].str.startswith(f"{accent}-")
    return replace(source, acoustics=source.acoustics.assign(**{
        name: source.acoustics[name].mask(own, value) for name, value in values.items()
    }))  # fmt: skip


def points(source: CardInput) -> list[StartingPoint]:
    return build(source).numbers.starting_points


def test_equal_recordings_give_medians_and_no_warning(card: Card) -> None:
    content = card()
    sounds = {item.key.accent: item for item in content.numbers.sounds}
    assert set(sounds) == set(content.accents)
    first = sounds["v_w_merger"]
    assert (first.n_measured, first.n_utterances, first.n_speakers, first.n_ref_words) == (18, 18, 6, 54)
    row = next(row for row in table(content, "Sound of the rec").rows if row.head == "v_w_merger")
    assert [cell.lines for cell in row.cells] == [
        ["-30.0 dBov", "active 80.0% of the time", "2.0 words/s"], ["SNR 40.0 dB", "-70.0 dBov"], ["5.0 kHz"],
        ["0.0% of recordings"], ["16 kHz PCM 16: 18"], ["6 speakers, 54 words", "18 of 18"],
    ]  # fmt: skip
    assert (first.snr_estimated_median_db, first.bandwidth_median_hz, first.activity_median) == (40, 5000, 0.8)
    assert content.numbers.starting_points == []
    assert "No limit is passed" in text_of(section(content, "data"))
    assert not any("start from different points" in sentence.text for sentence in content.summary)


@pytest.mark.parametrize(
    ("values", "what", "low", "high"),
    [
        ({"snr_estimated_db": 33.9}, "snr_apart", 33.9, 40),
        ({"bandwidth_hz": 3000.0}, "bandwidth_apart", 3000, 5000),
        ({"activity": 0.6}, "activity_apart", 0.6, 0.8),
    ],
)
def test_a_difference_beyond_its_limit_names_both_groups(
    study: Build, values: dict[str, float], what: str, low: float, high: float
) -> None:
    source = changed(study(), "v_w_merger", **values)
    [point] = points(source)
    assert (point.what, point.lowest, point.lowest_value, point.highest_value) == (what, "v_w_merger", low, high)
    assert point.limit < high - low or what == "bandwidth_apart"
    content = build(source)
    assert any("start from different points" in sentence.text and sentence.warning for sentence in content.summary)
    assert "v_w_merger" in recordings._in_words(point)
    assert recordings._in_words(point) in text_of(section(content, "data"))


@pytest.mark.parametrize(
    "values",
    [
        {"snr_estimated_db": 34.5},
        {"snr_estimated_db": 75.0},  # nobody hears the difference between 40 and 75 dB behind a condition's noise
        {"bandwidth_hz": 4000.0},  # 5.0 / 4.0 is within the limit of 1.3
        {"activity": 0.7},
        {"noise_floor_dbov": -40.0},  # the level of a recording is set anew; its noise counts against its speech
        {"active_level_dbov": -10.0},
        {"speech_rate_words_per_s": 5.0},  # how fast somebody speaks is no fault of a recording
        {"codec": "FLAC/PCM_16"},  # another container of the same samples
    ],
)
def test_what_makes_no_difference_gives_no_warning(study: Build, values: dict[str, Any]) -> None:
    assert points(changed(study(), "v_w_merger", **values)) == []


def test_noise_below_what_the_level_can_be_measured_in_is_said_of_each_group(study: Build) -> None:
    noisy = changed(changed(study(), "v_w_merger", snr_estimated_db=14.0), "spotless", snr_estimated_db=17.0)
    found = {(point.what, point.key.accent): point.lowest_value for point in points(noisy)}
    assert found == {("snr_too_low", "v_w_merger"): 14, ("snr_too_low", "spotless"): 17, ("snr_apart", ""): 14}
    everywhere = study().acoustics.assign(snr_estimated_db=19.9)
    assert {point.what for point in points(replace(study(), acoustics=everywhere))} == {"snr_too_low"}


def test_clipping_counts_recordings_and_not_samples(study: Build) -> None:
    source = study()
    names = [f"v_w_merger-{speaker:02}-0" for speaker in range(6)]  # one in three
    clipped = source.acoustics["clipped_share"].mask(source.acoustics["utterance_id"].isin(names), 0.004)
    [point] = points(replace(source, acoustics=source.acoustics.assign(clipped_share=clipped)))
    assert (point.what, point.highest, point.highest_value) == ("clipping_apart", "v_w_merger", pytest.approx(1 / 3))
    shown = table(build(replace(source, acoustics=source.acoustics.assign(clipped_share=clipped))), "Sound of the rec")
    row = next(row for row in shown.rows if row.head == "v_w_merger")
    assert ["33.3% of recordings", "at most 0.40% of samples"] in [cell.lines for cell in row.cells]


def test_another_rate_or_a_lossy_codec_in_one_group_is_named(study: Build) -> None:
    source = changed(study(), "spotless", codec="MP3/MPEG_LAYER_III", sample_rate_hz=48_000)
    found = {(point.sample_rate_hz, point.coding): point for point in points(source)}
    assert set(found) == {(16_000, "PCM_16"), (48_000, "MPEG_LAYER_III")}
    mp3 = found[(48_000, "MPEG_LAYER_III")]
    assert (mp3.what, mp3.highest, mp3.highest_value, mp3.lowest_value) == ("format_apart", "spotless", 1, 0)
    text = text_of(section(build(source), "data"))
    assert "Format: 48 kHz MPEG LAYER III holds 100.0% of the recordings of spotless, 0.0% of baseline." in text


def test_a_group_of_a_few_recordings_is_shown_and_not_compared(study: Build) -> None:
    source = changed(study(), "lone_voice", snr_estimated_db=3.0, bandwidth_hz=900.0)  # three recordings
    assert points(source) == []
    assert "3.0 dB" in text_of(section(build(source), "data"))


def test_what_could_not_be_measured_is_missing_and_leaves_nobody_out(study: Build) -> None:
    nothing = dict.fromkeys(("active_level_dbov", "activity", "snr_estimated_db", "bandwidth_hz", "clipped_share"))
    content = build(changed(study(), "spotless", **nothing, codec=None, noise_floor_dbov=None))
    spotless = next(item for item in content.numbers.sounds if item.key.accent == "spotless")
    assert (spotless.n_utterances, spotless.n_measured, spotless.snr_estimated_median_db) == (18, 0, None)
    row = next(row for row in table(content, "Sound of the rec").rows if row.head == "spotless")
    assert [cell.lines for cell in row.cells[:5]] == [["not evaluated"]] * 5
    empty = build(replace(study(), acoustics=study().acoustics.iloc[:0]))
    assert "Sound of the recordings as they came: not evaluated" in text_of(section(empty, "data"))


def test_every_number_of_the_table_is_in_the_json_beside_its_group(study: Build) -> None:
    loaded = json.loads(render.json_text(build(changed(study(), "spotless", snr_estimated_db=12.5))))
    by_accent = {item["key"]["accent"]: item for item in loaded["numbers"]["sounds"]}
    assert by_accent["spotless"]["snr_estimated_median_db"] == 12.5
    assert all("before any condition" in item["method"] for item in by_accent.values())


def test_room_overload_and_loss_have_columns_only_where_a_condition_makes_them(study: Build, card: Card) -> None:
    plain = table(card(), "Sound as delivered")
    assert "Room (median)" not in plain.columns
    source = study()
    own = source.renderings["trial_key"].isin(source.trials.loc[source.trials["condition"] == "babble_10", "trial_key"])
    values = {"rt60_s": 0.5, "drr_db": -6.0, "loss_share": 0.03, "loss_active_share": 0.04, "longest_loss_s": 0.08}
    rendered = source.renderings.assign(**{name: source.renderings[name].mask(own, v) for name, v in values.items()})
    content = build(replace(source, renderings=rendered))
    shown = table(content, "Sound as delivered")
    assert shown.columns[-1] == "Room (median)"
    rows = {row.head: [cell.lines for cell in row.cells] for row in shown.rows}
    assert rows["babble_10"][-2:] == [
        ["3.0%", "4.0% of active speech", "longest 80 ms"], ["RT60 0.50 s, DRR -6.0 dB"]
    ]  # fmt: skip
    assert rows["clean"][-2:] == [["no loss simulated"], ["none simulated"]]
    delivered = next(item for item in content.numbers.delivered if item.key.condition == "babble_10")
    assert (delivered.rt60_median_s, delivered.drr_median_db, delivered.overload_share_median) == (0.5, -6, None)


def facts(content: CardContent) -> list[str]:
    blocks = section(content, "veracity").blocks
    return [fact.label for block in blocks if isinstance(block, Facts) for fact in block.facts]


def test_what_was_said_without_speech_replaces_not_evaluated(card: Card) -> None:
    silent, said = card(), card(said_in_noise=("Thank you.", "", "Thank you.", "you you"))
    assert "Output on silence or noise alone" in facts(silent)
    assert silent.numbers.invented == []
    assert "Output on silence or noise alone" not in facts(said)
    one = next(item for item in said.numbers.invented if item.key.condition == "babble_10")
    assert (one.n_trials, one.n_with_output, one.share_with_output, one.n_words) == (4, 3, 0.75, 6)
    # four clips of 3 s are 0.2 minutes
    assert (one.minutes, one.words_per_minute) == (pytest.approx(0.2), pytest.approx(30))
    row = next(row for row in table(said, "Output on silence").rows if row.head == "babble_10")
    shown = [cell.lines for cell in row.cells]
    assert shown[1:] == [
        ["4"], ["0.2 min"], ["75.0% (3)"], ["30.0 (6 words)"], ['"Thank you." (2)', '"you you" (1)']
    ]  # fmt: skip
    assert all(cell.key.condition == "babble_10" for cell in row.cells)


def test_only_the_three_most_frequent_texts_are_shown_and_ties_do_not_hang_on_row_order(study: Build) -> None:
    source = study(said_in_noise=("d", "c", "b", "a", "d"))
    shuffled = replace(source, nonspeech=source.nonspeech.sample(frac=1, random_state=3).reset_index(drop=True))
    for one in (source, shuffled):
        texts = [item for item in build(one).numbers.invented_texts if item.key.condition == "clean"]
        assert [(item.text, item.n_trials) for item in texts] == [("d", 2), ("a", 1), ("b", 1)]


def test_invented_text_is_escaped_cut_and_withheld_where_texts_are(card: Card) -> None:
    hostile = "<script>alert(1)</script> | [x](https://evil.example) \u202e" + "y" * 500
    content = card(said_in_noise=(hostile,))
    page, text = html_page(content, [], None), render.markdown(content)
    assert "<script>alert" not in page
    assert "<script>alert" not in text
    assert "\u202e" not in page + text
    assert "y" * 200 not in page
    for plan in ({"redistribute_text": False}, {"settings": CardSettings(show_text=False)}):
        kept = card(said_in_noise=("private words",), **plan)
        assert "private words" not in render.json_text(kept) + html_page(kept, [], None) + render.markdown(kept)
        assert "withheld" in text_of(section(kept, "veracity"))


@pytest.mark.parametrize(("source", "said"), [("babble", True), ("pink", False)])
def test_words_in_babble_are_not_called_invented(study: Build, source: str, said: bool) -> None:
    given = study(said_in_noise=("yes",))
    steps = [{"kind": "handset", "curve": "irs_send"}, {"kind": "add_noise", "source": {"kind": source}}]
    config = given.record.config | {"conditions": {"babble_10": {"steps": steps}, "clean": {"steps": []}}}
    content = build(replace(given, record=given.record.model_copy(update={"config": config})))
    assert ("people talking" in text_of(section(content, "veracity"))) is said
    rows = {row.head: row.cells[0].lines for row in table(content, "Output on silence").rows}
    assert (rows["babble_10"], rows["clean"]) == ([source], ["silence"])


def test_row_order_changes_nothing(study: Build) -> None:
    source = study(said_in_noise=("a", "b", ""))
    shuffled: dict[str, pd.DataFrame] = {
        name: getattr(source, name).sample(frac=1, random_state=5).reset_index(drop=True)
        for name in ("acoustics", "nonspeech", "utterances")
    }
    assert render.json_text(build(replace(source, **shuffled))) == render.json_text(build(source))
