"""The sound beside the page: the very samples that were heard, of the worst trials, bounded, and only where allowed."""

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
import pytest
import soundfile
from pydantic import BaseModel

from augment.jobs import Failure
from pipeline import page_sound
from pipeline.artifacts import CorpusRecord
from pipeline.asr.base import Hypothesis, Request
from pipeline.card import figures
from pipeline.config import build
from pipeline.errors import StudyError
from pipeline.records import Status
from pipeline.run import Outcome, run
from pipeline.stages import clip_examples as stage
from pipeline.stages.clip_examples import clip_examples, withheld, worst
from pipeline.text.normalizers import NoSettings

CONDITIONS = ("clean", "hum")


def scores(errors: dict[tuple[str, str, str], int]) -> pd.DataFrame:
    """Return scores by (utterance, accent, condition)."""
    rows = [(u, a, c, "b", "n", 10 - n, n, 0, 0) for (u, a, c), n in errors.items()]
    names = ["utterance_id", "accent", "condition", "backend", "normalizer", "hits", "substitutions", "deletions",
             "insertions"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def samples(key: str) -> Any:
    return np.frombuffer(hashlib.sha256(key.encode()).digest() * 250, dtype="<i2")


def sha(key: str) -> str:
    return hashlib.sha256(samples(key).tobytes()).hexdigest()


class Renderer:
    """Gives each trial the samples of its key; ``other`` gives other ones, ``gone`` none, ``full`` stops everything."""

    def __init__(self, **problems: Sequence[str]) -> None:
        self.problems, self.asked = problems, list[str]()

    @contextmanager
    def renderings(self, rows: Sequence[Any], *, ahead: int) -> Iterator[Iterator[Any]]:
        yield ((row, self._one(row["trial_key"])) for row in rows)

    def _one(self, key: str) -> Any:
        self.asked.append(key)
        if key in self.problems.get("full", ()):
            raise StudyError("/home/somebody/noise: No space left on device")
        if key in self.problems.get("gone", ()):
            return Failure("missing_audio", "/home/somebody/a.wav is not there")
        name = f"{key}!" if key in self.problems.get("other", ()) else key
        return SimpleNamespace(samples=samples(name), realised=SimpleNamespace(audio_sha256=sha(name)))


def study(*names: str, duration_s: float = 0.5) -> dict[str, pd.DataFrame]:
    keys = [(name, condition) for name in names for condition in CONDITIONS]
    trials = pd.DataFrame([(u, c, f"{u}.{c}") for u, c in keys], columns=["utterance_id", "condition", "trial_key"])
    utterances = pd.DataFrame({"utterance_id": names, "duration_s": duration_s})
    heard = pd.DataFrame({"trial_key": trials["trial_key"], "audio_sha256": trials["trial_key"].map(sha)})
    return {"utterances": utterances, "trials": trials, "renderings": heard}


def test_of_every_cell_the_worst_trials_are_heard_each_with_its_clean_one() -> None:
    table = scores(
        {("u1", "x", "clean"): 0, ("u1", "x", "hum"): 3, ("u2", "x", "clean"): 1, ("u2", "x", "hum"): 2,
         ("u3", "y", "hum"): 1, ("u4", "y", "clean"): 0}
    )  # fmt: skip
    chosen = [("u2", "clean"), ("u1", "hum"), ("u1", "clean"), ("u3", "hum")]
    assert worst(table, 1, "clean") == chosen
    assert worst(table.sample(frac=1, random_state=3), 1, "clean") == chosen
    assert worst(table, 2, "clean") == [*chosen, ("u2", "hum")]
    assert worst(table, 4, "clean") == [*chosen, ("u2", "hum")]


def test_a_clip_is_the_rendering_that_was_heard_under_a_name_that_tells_nobody() -> None:
    made = clip_examples([("u2", "hum"), ("u1", "clean")], study("u1", "u2"), Renderer())
    assert made.names == {
        ("u1", "clean"): f"audio/{sha('u1.clean')[:16]}.flac",
        ("u2", "hum"): f"audio/{sha('u2.hum')[:16]}.flac",
    }
    assert set(made.files) == set(made.names.values())
    assert made.notes == ()
    heard, rate = soundfile.read(io.BytesIO(made.files[made.names["u2", "hum"]]), dtype="int16")
    assert rate == 16_000
    np.testing.assert_array_equal(heard, samples("u2.hum"))


def test_what_cannot_be_played_is_counted_without_a_path() -> None:
    chosen = [(u, c) for u in ("u1", "u2") for c in CONDITIONS]
    made = clip_examples(chosen, study("u1", "u2"), Renderer(other=["u1.hum"], gone=["u2.hum", "u2.clean"]))
    assert list(made.names) == [("u1", "clean")]
    assert [note[:36] for note in made.notes] == [
        "2 renderings cannot be played: the r",
        "1 rendering cannot be played: made a",
    ]
    for renderer in (Renderer(full=["u2.hum"]), None):
        nothing = clip_examples(chosen, study("u1", "u2"), renderer)
        assert (nothing.names, nothing.files, len(nothing.notes)) == ({}, {}, 1)
        assert "/" not in nothing.notes[0]


def test_clips_that_are_here_are_not_made_again_even_where_nothing_can_be_rendered() -> None:
    here = [f"audio/{sha('u1.clean')[:16]}.flac"]
    renderer = Renderer()
    made = clip_examples([("u1", "clean"), ("u1", "hum")], study("u1"), renderer, here=here)
    assert renderer.asked == ["u1.hum"]
    assert (len(made.names), len(made.files)) == (2, 1)
    assert clip_examples([("u1", "clean")], study("u1"), None, here=here).notes == ()


def test_only_so_much_sound_lies_beside_a_page_and_the_first_chosen_come_first() -> None:
    chosen = [("u3", "hum"), ("u2", "hum"), ("u1", "hum")]
    made = clip_examples(chosen, study("u1", "u2", "u3", duration_s=stage.MOST_S / 2), Renderer())
    assert set(made.names) == {("u2", "hum"), ("u3", "hum")}


@pytest.mark.parametrize(
    ("redistribute", "synthetic", "says"),
    [
        (True, False, ""),
        (None, True, ""),
        (False, True, "must not"),
        (False, False, "must not"),
        (None, False, "does not say"),
    ],
)
def test_recordings_lie_beside_a_page_only_where_they_may_be_passed_on(
    redistribute: bool | None, synthetic: bool, says: str
) -> None:
    fields = dict.fromkeys(
        ("name", "description", "style", "label_kind", "label_provenance", "licence", "citation"), ""
    )
    record = CorpusRecord(**fields, synthetic=synthetic, redistribute_text=True, redistribute_audio=redistribute)
    reason = withheld(record, pd.DataFrame({"synthetic": [synthetic] * 2}))
    assert says in reason
    assert bool(reason) == bool(says)
    assert bool(withheld(record, pd.DataFrame({"synthetic": [True, False]}))) == (not redistribute)


@pytest.mark.parametrize(("per_cell", "says"), [(1, "2 renderings"), (4, "")])
def test_a_page_says_which_renderings_can_be_heard_unless_all_can(per_cell: int, says: str) -> None:
    errors = {("u1", "x", "clean"): 1, ("u1", "x", "hum"): 3, ("u2", "x", "clean"): 0, ("u2", "x", "hum"): 2}
    shown = study("u1", "u2") | {"scores": scores(errors), "transcripts": pd.DataFrame({"a": [1]})}
    shown["utterances"]["synthetic"] = True
    this = SimpleNamespace(
        has_floor=False,
        renderer=Renderer,
        record=SimpleNamespace(hashes={}),
        study=SimpleNamespace(
            card=SimpleNamespace(page=SimpleNamespace(clips_per_cell=per_cell), main_normalizer="n"),
            backend=SimpleNamespace(needs_audio=True, name="b"),
            corpus=SimpleNamespace(record=lambda: SimpleNamespace(redistribute_audio=True)),
            stats=SimpleNamespace(reference_condition="clean"),
        ),
    )
    notes = page_sound.sound(cast(Any, this), shown).notes
    assert len(notes) == bool(says)
    for note in notes:
        assert note.startswith(f"Sound is here of {says}: of every group under every condition of the 1 with the most")


class Listener:
    """A recognizer that answers with one wrong word."""

    Settings: ClassVar[type[BaseModel]] = NoSettings
    needs_audio: ClassVar[bool] = True
    name = "listener"
    device = "cpu"
    batch_size = 8

    def prepare(self) -> None: ...

    def load(self) -> None: ...

    def close(self) -> None: ...

    def fingerprint(self) -> dict[str, str]:
        return {"kind": "listener"}

    def transcribe(self, batch: Sequence[Request]) -> list[Hypothesis]:
        return [Hypothesis("boat", Status.OK) for _ in batch]


@pytest.fixture
def study_of(
    composed: Callable[..., dict[str, Any]],
    make_corpus: Callable[..., Path],
    manifest_overrides: Callable[[Path], list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Outcome]:
    monkeypatch.setattr(figures, "figures", lambda _: [])
    manifest = make_corpus(speakers=1, sentences=("the boat left",))
    fixed = [*manifest_overrides(manifest), "asr=scripted", "conditions=[clean,landline_g711]", "run_name=mine",
             "stats.bootstrap=0", "stats.permutations=99"]  # fmt: skip

    def run_it(*overrides: str) -> Outcome:
        made = build(composed(*fixed, "corpus.redistribute_audio=true", *overrides))
        object.__setattr__(made, "backend", Listener())
        return run(made, store_path=tmp_path / "store.db", overrides=[])

    return run_it


def test_a_run_writes_the_samples_that_were_heard_and_takes_them_back(
    study_of: Callable[..., Outcome], tmp_path: Path
) -> None:
    first = study_of()
    audio = first.folder / "audio"
    renderings = pd.read_parquet(first.folder / "renderings.parquet")
    assert {path.name for path in audio.iterdir()} == {f"{one[:16]}.flac" for one in renderings["audio_sha256"]}
    for path in audio.iterdir():
        heard, _ = soundfile.read(path, dtype="int16")
        assert hashlib.sha256(heard.astype("<i2").tobytes()).hexdigest()[:16] == path.stem
        assert f"audio/{path.name}" in first.record.hashes
    (audio / "mine.flac").write_bytes(b"somebody's")
    shutil.rmtree(tmp_path / "corpus" / "audio")
    before = {path.name: path.stat().st_mtime_ns for path in audio.iterdir()}
    study_of("stages=[write_card]")  # without the recordings, what is here stays
    assert {path.name: path.stat().st_mtime_ns for path in audio.iterdir()} == before
    floor = study_of("stages=[write_card]", "card.publish.floor=5")
    assert [path.name for path in audio.iterdir()] == ["mine.flac"]
    assert not [name for name in floor.record.hashes if name.startswith("audio/")]


def test_a_disk_that_fills_leaves_no_new_clip(
    study_of: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.artifacts import RunFolder

    write = RunFolder.write

    def full(folder: RunFolder, name: str, data: bytes | str) -> str:
        if name == "card.md":
            raise StudyError("No space left on device")
        return write(folder, name, data)

    monkeypatch.setattr(RunFolder, "write", full)
    with pytest.raises(StudyError, match="No space"):
        study_of()
    assert list((tmp_path / "results" / "mine" / "audio").iterdir()) == []
