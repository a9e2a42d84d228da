"""A manifest whose audio is packed: the same study as with files, in this process and in others."""

import csv
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from pyarrow import parquet

from augment.chain import Acoustics, ConditionSettings, build_condition
from augment.jobs import Job, Trial
from augment.pool import RenderPool
from augment.resources import Resources
from pipeline.corpora import acoustics
from pipeline.corpora.audio import AudioError, read_audio
from pipeline.corpora.manifest import ManifestCorpus, ManifestSettings
from pipeline.records import Reason

Pack = Callable[[], None]


@pytest.fixture
def packed(tmp_path: Path) -> tuple[ManifestCorpus, Pack]:
    """A corpus of four recordings, each in another kind of place, and what packs them again with other sound."""
    seed = [0]

    def pack() -> None:
        seed[0] += 1
        for number, name in enumerate("abcd"):
            rng = np.random.default_rng([seed[0], number])
            soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.standard_normal(8000), 16_000)
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
            archive.write(tmp_path / "b.wav", "b.wav")
        table = pa.table({"audio": [{"bytes": (tmp_path / "c.wav").read_bytes(), "path": "c.wav"}]})
        parquet.write_table(table, tmp_path / "c.parquet")

    pack()
    places = ["a.wav", "b.zip::b.wav", "c.parquet::audio[0]", "d.wav#t=0.1,0.4"]
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["utterance_id", "audio_path", "reference", "speaker_id", "accent"])
        rows.writerows([f"u{number}", place, "words", f"s{number}", "irish"] for number, place in enumerate(places))
    return ManifestCorpus(ManifestSettings(path=tmp_path / "manifest.csv")), pack


def test_packed_recordings_are_measured_and_talk_as_files_do(
    packed: tuple[ManifestCorpus, Pack], tmp_path: Path
) -> None:
    corpus, _ = packed
    utterances = corpus.load().utterances
    assert utterances["duration_s"].tolist() == pytest.approx([0.5, 0.5, 0.5, 0.3])
    table = acoustics.measure(utterances, corpus.audio_path, workers=2, advance=lambda: None)
    alone = [acoustics.sound(acoustics.read(tmp_path / f"{name}.wav")) for name in "abc"]
    assert table["noise_floor_dbov"].tolist()[:3] == [one["noise_floor_dbov"] for one in alone]
    assert table["codec"].tolist() == ["WAV/PCM_16"] * 4
    assert [len(one.recordings[0].load()) for one in corpus.talkers(utterances)] == [8000, 8000, 8000, 4800]


def test_a_recording_that_changes_after_it_was_hashed_is_refused_wherever_it_is(
    packed: tuple[ManifestCorpus, Pack],
) -> None:
    corpus, pack = packed
    before = corpus.load().utterances
    pack()
    for audio, sha256 in zip(before["audio"], before["audio_sha256"], strict=True):
        with pytest.raises(AudioError) as caught:
            read_audio(corpus.audio_path(audio), sha256=sha256)
        assert caught.value.reason is Reason.AUDIO_CHANGED
    assert not set(before["audio_sha256"]) & set(corpus.load().utterances["audio_sha256"])


def test_other_processes_render_packed_recordings_as_this_one_does(packed: tuple[ManifestCorpus, Pack]) -> None:
    corpus, _ = packed
    as_it_is = ConditionSettings(version=1, family="reference", description="as it is", steps=[])
    condition = build_condition("clean", as_it_is, step_types={}, acoustics=Acoustics())
    trials = (Trial("k", "clean", {}),)
    jobs = [
        Job(row.utterance_id, corpus.audio_path(row.audio), row.audio_sha256, row.duration_s, trials)
        for row in corpus.load().utterances.itertuples()
    ]
    made = []
    for workers in (0, 1):
        with RenderPool([condition], Resources(0, 4), workers=workers) as pool:
            made.append([outcome for _, outcome in pool.render(jobs, ahead=4)])
    assert len(made[0]) == len(made[1]) == 4
    assert all(np.array_equal(one.samples, other.samples) for one, other in zip(*made, strict=True))


def test_a_place_sent_to_another_process_brings_no_pandas_and_no_torch_with_it(
    packed: tuple[ManifestCorpus, Pack], tmp_path: Path
) -> None:
    corpus, _ = packed
    places = [corpus.audio_path(audio) for audio in corpus.load().utterances["audio"]]
    (tmp_path / "sent").write_bytes(pickle.dumps(places))
    code = (
        "import pickle, sys; from augment.recordings import read; "
        "print([len(read(place)) for place in pickle.load(open('sent', 'rb'))], "
        "sorted({'pandas', 'torch', 'fsspec', 'datasets'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[8000, 8000, 8000, 4800] []\n"
