"""The listening page: real trials, chosen fairly, in a folder of its own that takes nobody's place."""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from rich.console import Console

from augment.chain import Source
from augment.resources import Resources
from pipeline.config import Study, build
from pipeline.corpora.audio import read_audio
from pipeline.errors import ConfigError
from pipeline.single import Report, run_single
from pipeline.stages.listen import examples
from pipeline.stages.plan_trials import plan_trials

CHOSEN = "conditions=[clean,street_5,landline_g711]"


class Page(HTMLParser):
    """What a page holds: tags, what it plays and links to, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def study_of(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
) -> Callable[..., Study]:
    """Return a maker of studies of one corpus, whose recognizer is not on this machine."""
    manifest = make_corpus(accents=("north", "south", "west"), speakers=2)
    fixed = [*manifest_overrides(manifest), "asr.model=/no/such/model", "stages=[listen]", "run_name=mine"]

    def make(*overrides: str, edit: Callable[[str], str] = str) -> Study:
        manifest.write_text(edit(manifest.read_text()))
        return build(composed(*fixed, *overrides))

    return make


def folder_of(study: Study) -> Path:
    return Path(study.settings.results_dir) / "mine_listen"


def page_of(study: Study) -> Page:
    return Page((folder_of(study) / "index.html").read_text())


def heard(study: Study, *, failed: int = 0) -> Page:
    report = run_single(study)
    assert isinstance(report, Report)
    assert report.n_failed == failed
    return page_of(study)


def utterances(rows: Sequence[tuple[str, str, str, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["utterance_id", "accent", "reference", "speaker_id"])


def test_every_chosen_utterance_is_heard_under_every_condition(study_of: Callable[..., Study]) -> None:
    study = study_of(CHOSEN)
    page = heard(study)
    played = [player["src"] or "" for player in page.all("audio")]
    assert len(played) == len(set(played)) == 4 * 3
    for name in played:
        info = soundfile.info(folder_of(study) / name)
        assert (info.format, info.subtype, info.samplerate, info.channels) == ("FLAC", "PCM_16", 16_000, 1)
    for words in ("SNR 5.0 dB(A)", "active level", "clipped 0.00%", "curve irs_send", "ITU-T G.711 (A-law)", "north"):
        assert words in page.words


def test_the_page_is_a_table_and_needs_no_network_and_no_script(study_of: Callable[..., Study]) -> None:
    page = heard(study_of(CHOSEN))
    assert [cell["scope"] for cell in page.all("th")] == ["col"] * 5 + ["row"] * 3
    assert len(page.all("caption")) == 1
    assert not page.all("script")
    assert all(player["preload"] == "none" and "controls" in player for player in page.all("audio"))
    assert all(player["aria-label"] for player in page.all("audio"))
    links = [value for _, attributes in page.tags for name, value in attributes.items() if name in {"src", "href"}]
    assert all((link or "").startswith("audio/") for link in links)
    (policy,) = [meta["content"] or "" for meta in page.all("meta") if meta.get("http-equiv")]
    assert "default-src 'none'" in policy


def test_what_is_heard_are_the_trials_of_the_study(study_of: Callable[..., Study]) -> None:
    study = study_of(CHOSEN)
    run_single(study)
    told = json.loads((folder_of(study) / "listening.json").read_text())["trials"]
    loaded = study.corpus.load().utterances
    resources = Resources(study.settings.seed, study.acoustics.slots, study.corpus.talkers(loaded))
    trials, _ = plan_trials(
        loaded, study.conditions, corpus=study.corpus, resources=resources, acoustics=study.acoustics, seed=0
    )
    by_key = trials.merge(loaded, on="utterance_id").set_index("trial_key")
    conditions = {condition.name: condition for condition in study.conditions}
    for one in told:
        trial = by_key.loc[one["trial_key"]]
        assert (trial["utterance_id"], trial["condition"], trial["slot"]) == (
            one["utterance_id"],
            one["condition"],
            one["slot"],
        )
        source = Source(read_audio(study.corpus.audio_path(trial["audio"])))
        rendering = conditions[one["condition"]].render(source, json.loads(trial["plan"]), resources)
        assert one["realised"]["audio_sha256"] == rendering.realised.audio_sha256
        samples, _ = soundfile.read(folder_of(study) / one["file"], dtype="int16")
        assert hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() == rendering.realised.audio_sha256


def test_accents_take_turns_on_the_text_that_most_of_them_share() -> None:
    table = utterances(
        [
            ("u1", "a", "only here", "s1"),
            ("u2", "a", "Shared text", "s1"),
            ("u3", "a", "shared  TEXT", "s2"),
            ("u4", "b", "shared text", "s3"),
            ("u5", "b", "of two", "s3"),
            ("u6", "c", "shared text", "s4"),
            ("u7", "c", "of two", None),
        ]
    )
    assert [row["utterance_id"] for row in examples(table, 3)] == ["u2", "u4", "u6"]
    assert [row["utterance_id"] for row in examples(table, 6)] == ["u2", "u4", "u6", "u7", "u5", "u1"]
    assert len(examples(table, 20)) == len(table)


def test_the_choice_does_not_hang_on_the_order_of_the_utterances() -> None:
    table = utterances([(f"u{n:02d}", "abcd"[n % 4], f"text {n % 5}", f"s{n % 8}") for n in range(40)])
    first = [row["utterance_id"] for row in examples(table, 6)]
    for seed in range(5):
        shuffled = table.sample(frac=1, random_state=seed)
        assert [row["utterance_id"] for row in examples(shuffled, 6)] == first


def test_a_speaker_is_heard_again_only_when_no_other_is_left() -> None:
    table = utterances([("u1", "a", "one", "s1"), ("u2", "a", "two", "s1"), ("u3", "a", "zwei", "s2")])
    assert [row["speaker_id"] for row in examples(table, 2)] == ["s1", "s2"]


def test_a_second_page_takes_the_place_of_the_first_and_of_nothing_else(study_of: Callable[..., Study]) -> None:
    study = study_of(CHOSEN)
    run_single(study)
    note = folder_of(study) / "audio" / "my_note.txt"
    note.write_text("heard on Monday")
    own = folder_of(study) / "audio" / "own.flac"
    own.write_bytes(b"mine")
    fewer = study_of("conditions=[clean]", "listen.examples=2")
    run_single(fewer)
    kept = {path.name for path in (folder_of(study) / "audio").iterdir()}
    assert kept == {"my_note.txt", "own.flac", "01_clean.flac", "02_clean.flac"}
    assert len(page_of(fewer).all("audio")) == 2


def test_a_folder_that_is_no_listening_page_is_refused_and_left_as_it_is(study_of: Callable[..., Study]) -> None:
    study = study_of(CHOSEN)
    for name, content in (("run.json", "{}"), ("listening.json", '{"made_by": "somebody"}'), ("index.html", "mine")):
        folder = folder_of(study)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
        with pytest.raises(ConfigError, match="not a listening page"):
            run_single(study)
        assert {path.name: path.read_text() for path in folder.iterdir()} == {name: content}
        (folder / name).unlink()


def test_a_list_that_was_tampered_with_removes_nothing_outside_the_page(study_of: Callable[..., Study]) -> None:
    study = study_of("conditions=[clean]")
    run_single(study)
    precious = folder_of(study).parent / "precious.flac"
    precious.write_text("keep")
    mark = folder_of(study) / "listening.json"
    content = json.loads(mark.read_text())
    content["files"] += ["../precious.flac", "audio/../../precious.flac", str(precious), 7, None]
    mark.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="not a listening page"):
        run_single(study)
    content["files"] = [name for name in content["files"] if isinstance(name, str)]
    mark.write_text(json.dumps(content))
    run_single(study)
    assert precious.read_text() == "keep"


def test_no_run_is_touched_or_claimed(study_of: Callable[..., Study]) -> None:
    study = study_of(CHOSEN)
    run = Path(study.settings.results_dir) / "mine"
    run.mkdir(parents=True)
    (run / "run.json").write_text("not even readable")
    run_single(study)
    assert {path.name for path in run.iterdir()} == {"run.json"}
    assert not (folder_of(study) / "run.json").exists()


def test_text_from_outside_stays_text(study_of: Callable[..., Study]) -> None:
    hostile = '"<script>alert(1)</script>\u202e"'
    study = study_of(
        "conditions=[clean]", edit=lambda text: text.replace(",north", f",{hostile}").replace("ducks", "<img src=x>")
    )
    page = heard(study)
    assert not page.all("script")
    assert not page.all("img")
    assert "<script>alert(1)</script>(U+202E)" in page.words


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], "Keep this page to yourself"),
        (["corpus.redistribute_text=true", "corpus.licence=CC0"], "License of the corpus: CC0. Before you pass"),
        (["corpus.redistribute_text=true", "corpus.synthetic=true"], "says nothing about any people"),
    ],
)
def test_the_page_says_what_may_be_done_with_it(
    study_of: Callable[..., Study], overrides: list[str], expected: str
) -> None:
    page = heard(study_of("conditions=[clean]", "listen.examples=1", *overrides))
    assert expected in page.words
    assert ("Keep this page to yourself" in page.words) == (overrides == [])


def test_recordings_that_must_not_be_passed_on_are_heard_with_a_warning_on_the_page_and_in_the_terminal(
    study_of: Callable[..., Study],
) -> None:
    study = study_of(
        "conditions=[clean]", "listen.examples=1", "corpus.redistribute_text=true", "corpus.redistribute_audio=false"
    )
    console = Console(width=200, record=True, file=io.StringIO())
    run_single(study).show(console)
    told = "the recordings on it must not be passed on, in no rendering"
    assert told in console.export_text()
    assert told in (folder_of(study) / "index.html").read_text()


def test_what_cannot_be_rendered_stands_there_with_its_reason(study_of: Callable[..., Study]) -> None:
    study = study_of(
        "conditions=[clean,babble_10]", "conditions.babble_10.steps.0.source.talkers=60", "listen.examples=3"
    )
    quiet = study.corpus.audio_path("audio/a0_s000_01.wav")
    soundfile.write(quiet, np.full(9600, 1e-7), 16_000, subtype="FLOAT")
    page = heard(study, failed=4)
    assert len(page.all("audio")) == 2
    assert page.words.count("Not rendered") == 4
    assert "no active speech" in page.words
    assert "set source.talkers to" in page.words


def test_a_corpus_that_is_not_there_is_named(study_of: Callable[..., Study]) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*nowhere\.csv"):
        run_single(study_of("corpus.path=nowhere.csv"))
