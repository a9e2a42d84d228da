"""The command backend against small programs that answer, err, crash, hang and print without end."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile
import yaml
from pydantic import ValidationError

from pipeline.asr import command_files, command_process
from pipeline.asr.base import Backend, Request
from pipeline.asr.command import Command
from pipeline.asr.command_options import CommandSettings
from pipeline.config import build
from pipeline.errors import BackendError, ConfigError, MissingPrerequisite
from pipeline.records import Status
from pipeline.run import run

CONF = Path(__file__).resolve().parents[3] / "conf" / "asr"

READ = """
import json, os, signal, sys, time
clips = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
out = open(sys.argv[2], "w", encoding="utf-8")
def write(clip, text, **more):
    out.write(json.dumps({"utterance_id": clip["utterance_id"], "pred_text": text, **more}) + "\\n")
    out.flush()
"""
"""What most programs below begin with."""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Temporary files go into a folder of the test, with a blank in its name."""
    folder = tmp_path / "temporary files"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(command_process, "GRACE_S", 0.2)
    return folder


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a maker of allowed, ready backends of a program written here."""

    def make(body, *, begin=READ, prepared=True, **changes):
        script = tmp_path / "my program.py"
        script.write_text(begin + dedent(body))
        command = [sys.executable, "-I", str(script), "{manifest}", "{output}"]
        settings = CommandSettings(**({"command": command, "version": "1", "timeout_s": 60} | changes))
        monkeypatch.setenv("ASR_STUDY_COMMANDS", "\n".join(shlex.join(one) for one in settings.commands))
        backend = Command(settings)
        if prepared:
            backend.prepare()
            backend.load()
        return backend

    return make


def clip(n=1600):
    return np.full(n, 0.25, dtype=np.float32)


def requests(n, samples=None):
    return [
        Request(
            f"key{i}", f"utt{i}", "clean", "north", "speaker1", "the reference", clip() if samples is None else samples
        )
        for i in range(n)
    ]


def statuses(answers):
    return [answer.status.value for answer in answers]


def texts(answers):
    return [answer.text for answer in answers]


# ---- settings ----------------------------------------------------------------------------------------------------


def test_the_yaml_states_every_setting_with_the_default_of_the_code():
    stated = yaml.safe_load((CONF / "command.yaml").read_text(encoding="utf-8"))
    assert stated.pop("kind") == "command"
    assert set(stated) == set(CommandSettings.model_fields)
    given = {"command": ["hear", "{manifest}", "{output}"]}
    assert CommandSettings(**(stated | given)) == CommandSettings(**given)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": None}, "command is needed"),
        ({"command": []}, "command is needed"),
        ({"command": "hear {manifest} {output}"}, "tuple"),
        ({"command": ["hear", "{manifest}"]}, r"never says \{output\}"),
        ({"command": ["hear"]}, r"never says \{manifest\} and \{output\}"),
        ({"command": ["hear", "{manifest}", "{output}", "\x1b[2K"]}, "cannot be printed"),
        ({"version_command": ["hear", "two\nlines"]}, "cannot be printed"),
        ({"version": "1", "version_command": ["hear"]}, "one of them"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"batch_size": 0}, "batch_size"),
        ({"shell": True}, "shell"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        CommandSettings(**({"command": ["hear", "{manifest}", "{output}"]} | changes))


def test_the_command_line_can_give_the_command(composed):
    study = build(composed("asr=command", 'asr.command=[/opt/hear,"--in={manifest}","{output}"]', "asr.label=mine"))
    assert study.backend.name == "command:mine"
    with pytest.raises(ConfigError, match="asr: command is needed"):
        build(composed("asr=command"))


def test_nothing_is_done_before_prepare(program):
    backend: Backend = program("", prepared=False)
    assert (backend.name, backend.needs_audio, backend.batch_size) == ("command:command", True, 256)
    for step in (backend.fingerprint, backend.load, lambda: backend.transcribe([])):
        with pytest.raises(RuntimeError):
            step()
    backend.close()


# ---- what may run ------------------------------------------------------------------------------------------------


@pytest.fixture
def marking(tmp_path):
    """Return a command that leaves a mark when it runs, and the mark."""
    script, mark = tmp_path / "mark.py", tmp_path / "ran"
    script.write_text(f"open({str(mark)!r}, 'w').close(); print('version 7')")
    return [sys.executable, str(script)], mark


@pytest.mark.parametrize(
    "allowed",
    [
        None,
        "",
        sys.executable,
        "python",
        "*",
        "1",
        f"{sys.executable} {{manifest}} {{output}}",
        "an 'open quote",
    ],
)
def test_no_program_runs_that_the_environment_does_not_name_to_the_letter(allowed, marking, monkeypatch):
    command, mark = marking
    monkeypatch.delenv("ASR_STUDY_COMMANDS", raising=False)
    if allowed is not None:
        monkeypatch.setenv("ASR_STUDY_COMMANDS", allowed)
    hear = [*command, "{manifest}", "{output}"]
    backend = Command(CommandSettings(command=hear, version_command=command))
    with pytest.raises(BackendError, match="a configuration alone may not decide"):
        backend.prepare()
    with pytest.raises(RuntimeError):
        backend.load()
    assert not mark.exists()


def test_the_line_that_a_refusal_prints_allows_both_commands_and_what_was_allowed_before(marking, monkeypatch):
    command, mark = marking
    monkeypatch.setenv("ASR_STUDY_COMMANDS", "other program")
    hear = [*command, "it's {manifest}", "$HOME", "", "{}", "{output}"]
    backend = Command(CommandSettings(command=hear, version_command=command))
    with pytest.raises(BackendError) as caught:
        backend.prepare()
    export = str(caught.value).partition("export ASR_STUDY_COMMANDS=")[2]
    (value,) = shlex.split(export)
    assert value.splitlines()[0] == "other program"
    monkeypatch.setenv("ASR_STUDY_COMMANDS", value)
    backend.prepare()
    assert mark.exists()
    assert backend.fingerprint()["version"] == "version 7"


def test_a_program_that_is_not_here_is_missed_before_the_run(monkeypatch):
    hear = ["/nowhere/hear", "{manifest}", "{output}"]
    monkeypatch.setenv("ASR_STUDY_COMMANDS", shlex.join(hear))
    with pytest.raises(MissingPrerequisite, match="no program /nowhere/hear"):
        Command(CommandSettings(command=hear)).prepare()


def test_a_file_must_be_named_with_its_full_path(tmp_path, monkeypatch):
    (tmp_path / "hear.py").write_text("")
    monkeypatch.chdir(tmp_path)
    hear = [sys.executable, "hear.py", "{manifest}", "{output}"]
    monkeypatch.setenv("ASR_STUDY_COMMANDS", shlex.join(hear))
    with pytest.raises(BackendError, match=f"full path of hear.py: {tmp_path / 'hear.py'}"):
        Command(CommandSettings(command=hear)).prepare()


def test_no_shell_sees_the_arguments(program, tmp_path):
    backend = program(
        "write(clips[0], ' '.join(sys.argv[3:]))",
        command=[
            sys.executable, "-I", str(tmp_path / "my program.py"), "{manifest}", "{output}", "$(touch x); *", "a  b",
        ],
    )  # fmt: skip
    assert texts(backend.transcribe(requests(1))) == ["$(touch x); * a  b"]


# ---- what it is given and answers --------------------------------------------------------------------------------


def test_the_program_is_given_audio_and_nothing_about_who_speaks(program, tmp_path, temporary):
    copy = tmp_path / "seen"
    backend = program(
        f"""
        import shutil
        shutil.copytree(os.path.dirname(sys.argv[1]), {str(copy)!r})
        for clip in clips:
            write(clip, clip["audio_filepath"])
        """
    )
    samples = np.arange(-32_768, 32_768, 8).astype(np.float32) / np.float32(32_768)
    first, second = backend.transcribe([*requests(1, samples), *requests(2)[1:]])
    lines = [json.loads(line) for line in (copy / "manifest.jsonl").read_text().splitlines()]
    assert [set(line) for line in lines] == [{"audio_filepath", "duration", "utterance_id"}] * 2
    assert [line["utterance_id"] for line in lines] == ["key0", "key1"]
    assert [line["duration"] for line in lines] == [0.512, 0.1]
    assert [first.text, second.text] == [line["audio_filepath"] for line in lines]
    assert str(temporary) in first.text
    written = soundfile.SoundFile(copy / "audio" / Path(first.text).name)
    assert (written.samplerate, written.channels, written.format, written.subtype) == (16_000, 1, "WAV", "PCM_16")
    np.testing.assert_array_equal(written.read(dtype="int16"), (samples * 32_768).astype(np.int16))
    everything = b"".join(path.read_bytes() for path in copy.rglob("*") if path.is_file())
    assert not [label for label in (b"utt0", b"north", b"speaker1", b"reference") if label in everything]
    assert list(temporary.iterdir()) == []


def test_the_folder_of_the_audio_may_be_all_it_wants(program, tmp_path):
    script = str(tmp_path / "my program.py")
    backend = program(
        """
        import pathlib
        names = sorted(path.name for path in pathlib.Path(sys.argv[1]).iterdir())
        open(sys.argv[2].removeprefix("--out="), "w").write(
            "".join(json.dumps({"audio_filepath": name, "pred_text": name}) + "\\n" for name in names))
        """,
        begin="import json, sys",
        command=[sys.executable, "-I", script, "{audio_dir}", "--out={output}", "{manifest}"],
    )
    assert texts(backend.transcribe(requests(2))) == ["000000.wav", "000001.wav"]


def test_lines_may_come_in_any_order_and_name_the_clip_either_way(program):
    backend = program(
        """
        for clip in reversed(clips):
            clip.pop("audio_filepath" if clip["utterance_id"] == "key1" else "utterance_id")
            clip["pred_text"] = f" {clip['duration']} "
            out.write(json.dumps(clip) + "\\n\\n")
        """
    )
    batch = [one for n in (1600, 3200, 4800) for one in requests(1, clip(n))]
    batch = [Request(f"key{i}", "u", "c", "a", None, "", one.samples) for i, one in enumerate(batch)]
    assert texts(backend.transcribe(batch)) == ["0.1", "0.2", "0.3"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"pred_text": "p", "hypothesis": "h", "text": "t"}, "p"),
        ({"hypothesis": "h", "text": "t"}, "h"),
        ({"text": "t"}, "t"),
        ({"pred_text": "", "text": "the reference of another manifest"}, ""),
    ],
)
def test_pred_text_counts_before_hypothesis_before_text(program, line, text):
    (answer,) = program(f"out.write(json.dumps({line!r} | clips[0]))").transcribe(requests(1))
    assert (answer.text, answer.status) == (text, Status.OK)


def test_confidences_are_taken_where_they_are_numbers(program):
    first, second = program(
        """
        write(clips[0], "a", avg_logprob=-0.5, no_speech_prob=0.25, compression_ratio=1, n_tokens=3)
        write(clips[1], "b", avg_logprob=float("nan"), no_speech_prob="x", compression_ratio=True, n_tokens=2.5)
        """
    ).transcribe(requests(2))
    assert (first.avg_logprob, first.no_speech_prob, first.compression_ratio, first.n_tokens) == (-0.5, 0.25, 1.0, 3)
    assert (second.avg_logprob, second.no_speech_prob, second.compression_ratio, second.n_tokens) == (None,) * 4
    assert second.text == "b"
    assert first.decode_s == second.decode_s > 0


def test_a_clip_without_usable_samples_fails_and_is_not_handed_over(program):
    backend = program("for clip in clips: write(clip, str(len(clips)))")
    bad = (np.zeros(0, dtype=np.float32), np.full(5, np.nan, dtype=np.float32), None)
    batch = [Request(f"bad{i}", "u", "c", "a", None, "", samples) for i, samples in enumerate(bad)]
    answers = backend.transcribe([*batch, *requests(1), *requests(2, clip(100))[1:]])
    assert statuses(answers) == ["failed", "failed", "failed", "ok", "ok"]
    assert texts(answers) == ["", "", "", "2", "2"]
    assert "no samples" in answers[0].detail
    assert "too short to hold a word" in answers[4].detail
    assert statuses(backend.transcribe(batch)) == ["failed"] * 3


# ---- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "the program wrote no line for this clip"),
        ("write(clips[1], 5)", "holds no transcript: its text is int, not text"),
        ("write(clips[1], None)", "holds no transcript: its text is null, not text"),
        ("write(clips[1], '\\ud800')", "not valid Unicode"),
        ("out.write(json.dumps(clips[1]))", "it has none of pred_text, hypothesis, text"),
        ("write(clips[1], 'a'); write(clips[1], 'b')", "answered this clip twice, differently"),
        ("out.write(json.dumps({'utterance_id': 'key1', 'pred_text': 'cut off'})[:-3])", "wrote no line"),
        ('out.buffer.write(b\'{"utterance_id": "key1", "pred_text": "\\xff"}\')', "wrote no line"),
        ("out.write('[' * 100000)", "wrote no line"),
        ("out.write('5\\n[]\\nnull\\n')", "wrote no line"),
        ("write({'utterance_id': 'another'}, 'x'); write({'utterance_id': None}, 'y')", "wrote no line"),
        ("sys.exit(3)", "the program ended with exit code 3 before it answered this clip"),
        (
            "print('loading'); sys.exit('no memory')",
            "exit code 1 before it answered this clip; it last said: no memory",
        ),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the program was killed by SIGKILL before"),
        (
            "raise ValueError('bad clip')",
            "exit code 1 before it answered this clip; it last said: ValueError: bad clip",
        ),
    ],
)
def test_a_clip_that_gets_no_usable_line_fails_with_a_sentence_and_the_others_are_kept(program, body, said):
    backend = program("write(clips[0], 'kept')\n" + body)
    kept, lost = backend.transcribe(requests(2))
    assert (kept.text, kept.status) == ("kept", Status.OK)
    assert (lost.text, lost.status) == ("", Status.FAILED)
    assert said in lost.detail
    assert lost.detail.isprintable()


def test_the_same_line_twice_is_one_answer(program):
    assert texts(program("write(clips[0], 'a'); write(clips[0], 'a')").transcribe(requests(1))) == ["a"]


def test_lines_that_answer_nothing_are_told(program, caplog):
    program("write(clips[0], 'a'); out.write('{broken\\n'); write({'utterance_id': 'x'}, 'y')").transcribe(requests(1))
    assert "line 2 is no JSON object: {broken" in caplog.text
    assert "line 3 names no clip of this batch" in caplog.text


@pytest.fixture
def overdue(tmp_path, monkeypatch):
    """Let a program's time be up when it has written ``ready``, so that no machine is too slow for these tests."""
    ready, really = tmp_path / "ready", subprocess.Popen.wait

    def wait(child, timeout=None):
        if timeout != 1234:
            return really(child, timeout)
        while not ready.exists():
            time.sleep(0.005)
        raise subprocess.TimeoutExpired(child.args, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    return ready


def beating(alive):
    """Return lines that start a child which writes on and on, and wait for its first beat."""
    return dedent(
        f"""
        import subprocess
        beat = "import time\\nwhile True: open({str(alive)!r}, 'a').write('x'); time.sleep(0.02)"
        subprocess.Popen([sys.executable, "-I", "-c", beat])
        while not os.path.exists({str(alive)!r}): time.sleep(0.01)
        """
    )


def stands_still(file):
    time.sleep(0.05)
    size = file.stat().st_size
    time.sleep(0.1)
    return size > 0 and file.stat().st_size == size


def test_a_program_that_takes_too_long_is_stopped_and_its_clip_fails(program, temporary):
    (lost,) = program("time.sleep(60)", timeout_s=0.1).transcribe(requests(1))
    assert lost.status is Status.FAILED
    assert "was stopped because it took longer than 0.1 s before it answered this clip" in lost.detail
    assert list(temporary.iterdir()) == []


def test_a_program_that_will_not_stop_is_stopped_with_its_children_and_what_it_wrote_is_kept(
    program, tmp_path, overdue
):
    alive = tmp_path / "alive"
    rest = f"write(clips[0], 'kept'); open({str(overdue)!r}, 'w').close(); time.sleep(60)"
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + beating(alive) + rest
    kept, lost = program(body, timeout_s=1234).transcribe(requests(2))
    assert (kept.text, lost.status) == ("kept", Status.FAILED)
    assert "longer than 1234 s" in lost.detail
    assert stands_still(alive)


def test_a_program_is_asked_to_stop_before_it_is_stopped(program, tmp_path, overdue, monkeypatch):
    monkeypatch.setattr(command_process, "GRACE_S", 30)
    asked = tmp_path / "asked"
    body = f"""
        signal.signal(signal.SIGTERM, lambda *_: (open({str(asked)!r}, "w").close(), sys.exit(0)))
        open({str(overdue)!r}, "w").close()
        time.sleep(60)
        """
    program(body, timeout_s=1234).transcribe(requests(1))
    assert asked.exists()


def test_what_a_program_leaves_running_is_stopped_when_it_ends(program, tmp_path):
    alive = tmp_path / "alive"
    assert texts(program(beating(alive) + "write(clips[0], 'done')").transcribe(requests(1))) == ["done"]
    assert stands_still(alive)


def test_megabytes_of_messages_do_not_stop_the_program_and_the_last_lines_are_kept(program, caplog):
    body = """
        for n in range(40000):
            print("x" * 60, n, file=sys.stderr if n % 2 else sys.stdout, flush=n % 1000 == 0)
        sys.stdout.flush()
        sys.stderr.write("y" * 3_000_000 + "\\n")
        sys.stderr.write("\\x1b[31mthe\\tend\\n")
        write(clips[0], "done")
        sys.exit(9)
        """
    done, lost = program(body).transcribe(requests(2))
    assert (done.text, lost.status) == ("done", Status.FAILED)
    assert lost.detail.endswith("exit code 9 before it answered this clip; it last said: [31mthe end")
    assert "command:command ended with exit code 9; its last lines:" in caplog.text
    assert len(caplog.text) < 10_000


def test_output_without_end_is_not_read_to_its_end(program, monkeypatch):
    monkeypatch.setattr(command_files, "MAX_ANSWER_BYTES", 1000)
    body = "write(clips[0], 'a')\nwrite({'utterance_id': 'x'}, 'y' * 5000)\nwrite(clips[1], 'b')"
    first, second = program(body).transcribe(requests(2))
    assert (first.text, second.status) == ("a", Status.FAILED)


def test_an_output_that_is_no_file_is_no_answer(program):
    body = "os.remove(sys.argv[2]); os.mkfifo(sys.argv[2])"
    (lost,) = program(body).transcribe(requests(1))
    assert lost.status is Status.FAILED


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "sys.exit('no such model')",
            "ended with exit code 1 without one answer for 9 clips.*last said: no such model",
        ),
        ("", "ended well without one answer for 9 clips"),
        (
            "out.close(); os.remove(sys.argv[2])",
            "ended well without one answer for 9 clips, and it wrote no output file",
        ),
        ("out.write('hello\\n')", "and line 1 is no JSON object: hello"),
    ],
)
def test_a_program_that_answers_nothing_of_the_first_batch_ends_the_run(program, body, said):
    with pytest.raises(BackendError, match=said):
        program(body).transcribe(requests(9))


def test_one_silent_batch_later_fails_its_clips_and_a_second_in_a_row_ends_the_run(program, tmp_path):
    backend = program(f"if not os.path.exists({str(tmp_path / 'broken')!r}): [write(clip, 'x') for clip in clips]")
    broken = tmp_path / "broken"
    assert statuses(backend.transcribe(requests(9))) == ["ok"] * 9
    broken.touch()
    assert statuses(backend.transcribe(requests(9))) == ["failed"] * 9
    broken.unlink()
    assert statuses(backend.transcribe(requests(9))) == ["ok"] * 9
    broken.touch()
    backend.transcribe(requests(9))
    with pytest.raises(BackendError, match="without one answer for 18 clips"):
        backend.transcribe(requests(9))


def test_a_single_clip_that_breaks_the_program_does_not_end_the_run(program):
    backend = program("if clips[0]['utterance_id'] == 'key0': sys.exit(1)\nwrite(clips[0], 'x')", batch_size=1)
    bad, good = requests(2)
    assert statuses([backend.transcribe([one])[0] for one in (bad, good, bad, good)]) == ["failed", "ok"] * 2


def test_a_program_that_cannot_be_started_any_more_ends_the_run(program, tmp_path, temporary, monkeypatch):
    tool = tmp_path / "tool"
    tool.write_text("#!/nowhere/interpreter\n")
    tool.chmod(0o755)
    backend = program("", command=[str(tool), "{manifest}", "{output}"])
    with pytest.raises(BackendError, match="tool cannot be started: No such file"):
        backend.transcribe(requests(1))
    assert list(temporary.iterdir()) == []


def test_a_full_disk_is_told_with_what_to_do(program, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    backend = program("")
    monkeypatch.setattr(command_files, "write_wav", full)
    with pytest.raises(BackendError, match=r"No space left on device.*TMPDIR"):
        backend.transcribe(requests(1))


def test_the_users_interrupt_stops_the_program_and_removes_its_files(program, tmp_path, temporary):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    alive = tmp_path / "alive"
    body = f"""
        open({str(alive)!r}, "a").write("x")
        os.kill(os.getppid(), signal.SIGINT)
        while True:
            open({str(alive)!r}, "a").write("x")
            time.sleep(0.02)
        """
    backend = program(body)
    with pytest.raises(KeyboardInterrupt):
        backend.transcribe(requests(1))
    assert list(temporary.iterdir()) == []
    assert stands_still(alive)


# ---- fingerprint -------------------------------------------------------------------------------------------------


def test_the_fingerprint_names_the_command_the_files_in_it_and_the_version(program, tmp_path):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"one")
    command = [
        sys.executable,
        str(tmp_path / "my program.py"),
        "{manifest}",
        "{output}",
        f"--weights={weights}",
        "x" * 500,
    ]
    first = program("", command=command).fingerprint()
    assert set(first) == {"kind", "command", "version", "sha256.0", "sha256.1", "sha256.4"}
    assert first["command"].startswith(f"{sys.executable} '{tmp_path / 'my program.py'}' {{manifest}} {{output}} --wei")
    assert shlex.split(first["command"]) == command
    assert program("", command=command, label="b", timeout_s=5, batch_size=2, give_up_after=2).fingerprint() == first
    assert program("pass", command=command).fingerprint() != first
    assert program("", command=command, version="2").fingerprint() != first
    weights.write_bytes(b"two")
    assert program("", command=command).fingerprint() != first


def test_the_version_is_what_the_program_prints(program, tmp_path):
    script = tmp_path / "version.py"
    script.write_text("import sys; print('engine 1.2\\n cuda'); print('a warning', file=sys.stderr)")
    ask = [sys.executable, str(script)]
    assert program("", version=None, version_command=ask).fingerprint()["version"] == "engine 1.2 cuda"


@pytest.mark.parametrize(
    ("body", "said"),
    [("import sys; sys.exit('no engine')", "exit code 1; it last said: no engine"), ("", "printed nothing")],
)
def test_a_version_that_cannot_be_told_stops_the_run_before_it_begins(program, tmp_path, body, said):
    script = tmp_path / "version.py"
    script.write_text(body)
    with pytest.raises(BackendError, match=said):
        program("", version=None, version_command=[sys.executable, str(script)])


def test_a_program_without_a_version_is_announced(program, caplog):
    assert program("", version=None).fingerprint()["version"] == "not stated"
    assert "a change inside the program goes unseen" in caplog.text


# ---- a whole run -------------------------------------------------------------------------------------------------


def test_a_run_keeps_what_was_answered_and_asks_again_only_for_the_rest(
    composed, make_corpus, manifest_overrides, tmp_path, monkeypatch
):
    script, counted, mended = tmp_path / "hear.py", tmp_path / "counted", tmp_path / "mended"
    script.write_text(
        READ
        + f"for clip in clips[: None if os.path.exists({str(mended)!r}) else 3]:\n"
        + f"    open({str(counted)!r}, 'a').write('x'); write(clip, 'words')\n"
        + f"sys.exit(0 if os.path.exists({str(mended)!r}) else 4)\n"
    )
    command = [sys.executable, "-I", str(script), "{manifest}", "{output}"]
    monkeypatch.setenv("ASR_STUDY_COMMANDS", shlex.join(command))
    overrides = [
        *manifest_overrides(make_corpus(speakers=2)), "asr=command", "conditions=[clean]", "run_name=outside",
        f"asr.command=[{','.join(json.dumps(item) for item in command)}]", "asr.version='1'", "asr.batch_size=4",
        "stages=[load_utterances,plan_trials,transcribe]",
    ]  # fmt: skip

    def run_it():
        return run(build(composed(*overrides)), store_path=tmp_path / "store" / "store.db", overrides=[])

    assert run_it().n_failed == 2  # of two batches of four the last clip each
    mended.touch()
    assert run_it().n_failed == 0
    assert counted.stat().st_size == 8
    assert os.listdir(tempfile.gettempdir()) == []
