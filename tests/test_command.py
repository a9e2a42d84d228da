"""``python -m pipeline`` as a user types it: what it prints, what it writes, how it ends."""

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from pipeline.artifacts import RunFolder, file_sha256

Command = Callable[..., subprocess.CompletedProcess[str]]
UNDRAWN = "card.figures=none"
WRITTEN = {
    "run.json",
    "acoustics.csv",
    "nonspeech.csv",
    "cells.csv",
    "disparities.csv",
    "interactions.csv",
    "variability.csv",
    "rates.csv",
    "detectable.csv",
    "snr_shifts.csv",
    "hallucinations.csv",
    "candidates.csv",
    "terms.csv",
    "tag_errors.csv",
    "regressions.csv",
    "exclusions.csv",
    "card.md",
    "card.html",
    "card.json",
    "model_index.yaml",
}


def test_help_shows_three_commands(command: Command) -> None:
    done = command("--help")
    assert done.returncode == 0
    assert len([line for line in done.stdout.splitlines() if line.strip().startswith("python -m pipeline")]) == 3


def test_help_and_a_scripted_run_work_without_torch_and_without_a_recognizer(tmp_path: Path) -> None:
    (tmp_path / "absent.py").write_text(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in {'torch', 'whisper', 'faster_whisper', 'ctranslate2', 'hibari'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    absent = ["corpus=manifest", "corpus.path=none.csv", "asr=scripted"]
    for arguments in (["--help"], ["stages=[describe]", "conditions=core"], absent):
        code = f"import sys, absent; sys.argv = ['pipeline', *{arguments!r}]; from pipeline.app import main; main()"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        assert done.returncode == (2 if arguments == absent else 0)


@pytest.mark.slow
def test_a_scripted_study_of_a_manifest_runs_to_a_card(
    command: Command, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    manifest = make_corpus()
    arguments = [
        "corpus=manifest",
        f"corpus.path={manifest}",
        "corpus.accents=as_given",
        "corpus.public=true",
        "asr=scripted",
        "run_name=mine",
    ]
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "results" / "mine").iterdir()} >= WRITTEN
    assert {path.suffix for path in (tmp_path / "results" / "mine" / "figures").iterdir()} == {".svg", ".png", ".csv"}
    assert "card.html" in done.stdout
    assert "north" in done.stdout
    again = command(*arguments)
    assert again.returncode == 0, again.stderr
    refused = command(*arguments, "seed=5")
    assert refused.returncode == 2
    assert "another configuration" in refused.stderr
    recomputed = command("stages=[score,summarize,write_card]", "run_name=mine", "stats.min_speakers=3", UNDRAWN)
    assert recomputed.returncode == 0, recomputed.stderr
    record = RunFolder(tmp_path / "results" / "mine").record()
    assert record is not None
    assert record.config["stats"]["min_speakers"] == 3
    assert record.hashes["input: manifest.csv"] == file_sha256(manifest)
    assert len(record.history) == 1
    other_seed = command("stages=[score,summarize,write_card]", "run_name=mine", "seed=5")
    assert other_seed.returncode == 2
    assert "seed" in other_seed.stderr
    gated = command("stages=[write_card]", "run_name=mine", "gate.max_wer=0", UNDRAWN)
    assert gated.returncode == 4, gated.stderr
    assert "Gates broken (rule point: " in gated.stdout
    assert "<failure" in (tmp_path / "results" / "mine" / "junit.xml").read_text()
    none = command("stages=[write_card]", "run_name=mine", "gate.max_wer=null", UNDRAWN)
    assert none.returncode == 0
    assert not (tmp_path / "results" / "mine" / "junit.xml").exists()  # nothing stays that no gate of now says


@pytest.mark.slow
def test_recomputing_without_a_change_gives_the_same_tables(
    command: Command, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    manifest = make_corpus()
    arguments = [
        "corpus=manifest",
        f"corpus.path={manifest}",
        "corpus.accents=as_given",
        "asr=scripted",
        "run_name=mine",
        UNDRAWN,
    ]
    assert command(*arguments).returncode == 0
    before = {name: (tmp_path / "results" / "mine" / name).read_bytes() for name in ("cells.csv", "interactions.csv")}
    for name in before:
        (tmp_path / "results" / "mine" / name).unlink()
    done = command("stages=[score,summarize,write_card]", "run_name=mine")
    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / "results" / "mine" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["corpus=manifest", "corpus.path=nowhere.csv", "asr=scripted"], "nowhere.csv"),
        (["corpus=manifest", "asr=scripted"], "corpus.path"),
        (["corpus=nonesuch"], "nonesuch"),
        (["corpus=manifest", "corpus.name='${nope}'"], "nope"),
        (["corpus=manifest", "corpus.path=.", "asr=scripted"], "is a folder"),
        (["results_dir=/dev/null", "asr=scripted"], "results_dir"),
        (["asr=scripted", "stats.terms=nowhere.csv"], "stats.terms: there is no file nowhere.csv"),
        (["sead=3"], "sead"),
        (["asr=null"], "asr"),
        (["conditions=[clean,bable_10]"], "babble_10"),
        (["asr=scripted", "+asr.seeed=1"], "Did you mean 'seed'"),
        (["asr=whisper", "asr.modle=x"], "Could not override 'asr.modle'. Did you mean 'asr.model'?"),
        (["asr=whisper", "asr.decoding.tempreature=0"], "Did you mean 'asr.decoding.temperature'?"),
        (["stat.min_speakers=3"], "Did you mean 'stats'?"),
        (["run_nam=x"], "Did you mean 'run_name'"),
        (["stages=[score]", "run_name=never_made"], "no run is here"),
        (["run_name=../../etc"], "no folder name"),
        (["asr.model=/no/such/model"], "/no/such/model"),
    ],
)
def test_a_mistake_is_a_sentence_without_a_traceback(command: Command, arguments: list[str], expected: str) -> None:
    done = command(*arguments)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_customers_condition_joins_from_a_folder_of_their_own(
    command: Command, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "my_conf" / "conditions"
    folder.mkdir(parents=True)
    (folder / "ward7.yaml").write_text(
        "ward7: {version: 1, family: last_mile, description: a ward, sources: [], "
        "steps: [{kind: codec, name: g711, law: mu}]}\n"
    )
    manifest = make_corpus()
    arguments = [
        "corpus=manifest",
        f"corpus.path={manifest}",
        "corpus.accents=as_given",
        "corpus.public=true",
        "asr=scripted",
    ]
    done = command("--config-dir", "my_conf", *arguments, "conditions=[clean,ward7]", UNDRAWN)
    assert done.returncode == 0, done.stderr
    assert set(pd.read_csv(tmp_path / "results" / "scratch" / "cells.csv")["condition"]) == {"clean", "ward7"}
    recomputed = command("stages=[score,summarize,write_card]", "run_name=scratch")
    assert recomputed.returncode == 0, recomputed.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "holds no top-level key 'mailed'"),
        ("mailed: [\n", "mailed.yaml"),
        ("other: {version: 1, family: noise, description: x, sources: [], steps: []}\n", "no top-level key 'mailed'"),
        ('mailed: {version: 1, family: noise, description: "${oc.env:HOME}", sources: [], steps: []}\n', "oc.env"),
        ("mailed: {version: 1, family: noise, description: x, sources: [], steps: [{_target_: os.getcwd}]}\n", "kind"),
    ],
)
def test_a_mailed_condition_that_is_no_condition_stops_before_anything_runs(
    command: Command, tmp_path: Path, text: str, expected: str
) -> None:
    folder = tmp_path / "my_conf" / "conditions"
    folder.mkdir(parents=True)
    (folder / "mailed.yaml").write_text(text)
    done = command("--config-dir", "my_conf", "asr=scripted", "conditions=[clean,mailed]")
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.long
@pytest.mark.slow
def test_a_list_of_conditions_joins_from_a_folder_of_their_own(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "my_conf" / "conditions"
    folder.mkdir(parents=True)
    ward7 = "ward7: {version: 1, family: last_mile, description: a ward, sources: [], steps: []}\n"
    (folder / "ward7.yaml").write_text(ward7)
    (folder / "mine.yaml").write_text("defaults: [clean, ward7, babble_ladder]\n")
    done = command("--config-dir", "my_conf", "stages=[describe]", "conditions=[mine,street_call]")
    assert done.returncode == 0, done.stderr
    assert "8 conditions of 8 can be made here" in done.stdout
    assert not (tmp_path / "results").exists()
    (folder / "ward7.yaml").write_text(ward7.replace("ward7", "ward8"))
    renamed = command("--config-dir", "my_conf", "stages=[describe]", "conditions=mine")
    assert renamed.returncode == 2
    assert "conditions/ward7.yaml: the file holds no top-level key 'ward7'" in renamed.stderr
    (folder / "mine.yaml").write_text("defaults: []\n")
    empty = command("--config-dir", "my_conf", "stages=[describe]", "conditions=[clean,mine]")
    assert empty.returncode == 2
    assert "conditions/mine.yaml" in empty.stderr


@pytest.mark.slow
def test_a_listening_page_needs_no_recognizer_and_leaves_the_run_alone(
    command: Command, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    manifest = make_corpus()
    mine = [
        "corpus=manifest",
        f"corpus.path={manifest}",
        "corpus.accents=as_given",
        "corpus.public=true",
        "run_name=mine",
    ]
    first = command(*mine, "asr=scripted", "conditions=[clean,street_5]", "stages=[load_utterances,plan_trials]")
    assert first.returncode == 0, first.stderr
    before = {path.name: path.read_bytes() for path in (tmp_path / "results" / "mine").glob("*.*")}
    done = command("stages=[listen]", "run_name=mine", "listen.examples=2")
    assert done.returncode == 0, done.stderr
    assert "4 recording(s) to hear: results/mine_listen/index.html" in done.stdout
    played = {path.name for path in (tmp_path / "results" / "mine_listen" / "audio").iterdir()}
    assert played == {"01_clean.flac", "01_street_5.flac", "02_clean.flac", "02_street_5.flac"}
    assert {path.name: path.read_bytes() for path in (tmp_path / "results" / "mine").glob("*.*")} == before
    absent = ["asr=faster_whisper", "asr.model=/no/such/model"]
    other = command(*mine, *absent, "stages=[listen]", "conditions=[clean]", "listen.examples=1")
    assert other.returncode == 0, other.stderr
    refused = command("stages=[listen]", "run_name=mine", "asr=faster_whisper", "+asr.modell=x")
    assert refused.returncode == 2


@pytest.mark.long
@pytest.mark.slow
def test_a_sweep_gives_every_job_its_own_folder(
    command: Command, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    manifest = make_corpus()
    arguments = [
        "corpus=manifest",
        f"corpus.path={manifest}",
        "corpus.accents=as_given",
        "corpus.public=true",
        "asr=scripted",
    ]
    done = command("-m", *arguments, "conditions=[clean]", "asr.seed=1,2", UNDRAWN)
    assert done.returncode == 0, done.stderr
    found = {path.name for path in (tmp_path / "results").iterdir() if not path.name.startswith(".")}
    assert found == {"scratch_0_scripted", "scratch_1_scripted", "scratch_comparison"}
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".yaml"] == []


@pytest.mark.slow
def test_ctrl_c_ends_with_a_sentence(make_corpus: Callable[..., Path], tmp_path: Path) -> None:
    manifest = make_corpus(speakers=40)
    arguments = [
        "corpus=manifest",
        f"corpus.path={manifest}",
        "corpus.accents=as_given",
        "corpus.public=true",
        "asr=scripted",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
        # also where these tests run in the background, whose programs ignore Ctrl-C from the start
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "load_utterances" in line:
            break
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in rest
    assert "Traceback" not in rest
