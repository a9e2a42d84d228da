"""Several recognizers at once: the words of one, nothing lost or said twice, and nothing left behind."""

import json
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from pipeline.asr.base import Hypothesis, Request
from pipeline.asr.faster_whisper import FasterWhisper
from pipeline.asr.fleet import Fleet, in_process
from pipeline.asr.fleet_parts import Part
from pipeline.asr.fleet_worker import shares
from pipeline.asr.scripted import Scripted
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

OUTSIDE = Path(__file__).parent / "outside"
SCRIPTED = Scripted(Scripted.Settings(rates={"*": {"clean": {"substitution": 0.5}}}))


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., object]:
    """Return a maker of recognizers of another distribution, which leave their traces in the test's folder."""
    monkeypatch.syspath_prepend(OUTSIDE)

    def make(kind: str, **options: object) -> object:
        return getattr(import_module("outside_recognizers"), kind)(tmp_path, **options)

    return make


@pytest.fixture
def batches(request_of: Callable[..., Request]) -> Callable[..., list[list[Request]]]:
    """Return a maker of batches: utterances u0, u1, ... of noise, ``size`` a batch, the last one perhaps smaller."""

    def make(utterances: int, size: int = 4) -> list[list[Request]]:
        made = [
            request_of(f"u{n}", samples=np.random.default_rng(n).standard_normal(100 + n).astype(np.float32))
            for n in range(utterances)
        ]
        return [made[start : start + size] for start in range(0, utterances, size)]

    return make


def said(pairs) -> dict[str, Hypothesis]:
    """Return what was said of each trial; none may be said twice or by halves."""
    found = {}
    for batch, hypotheses in pairs:
        assert isinstance(hypotheses, list)
        for request, hypothesis in zip(batch, hypotheses, strict=True):
            assert request.trial_key not in found
            found[request.trial_key] = hypothesis
    return found


def alone(backend, work) -> dict[str, Hypothesis]:
    """Return what one backend says in this process."""
    backend.prepare()
    backend.load()
    found = said(in_process(backend, work))
    backend.close()
    return found


def together(copies, work, **options) -> dict[str, Hypothesis]:
    with Fleet(copies, **options) as fleet:
        return said(fleet.transcribe(work))


def diary(folder: Path) -> Counter[str]:
    path = folder / "diary"
    return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()


def failed(found: dict[str, Hypothesis]) -> dict[str, str]:
    return {key: one.detail for key, one in found.items() if one.status == Status.FAILED}


def nothing_left() -> bool:
    return multiprocessing.active_children() == []


@pytest.mark.slow
def test_one_process_or_three_shuffled_or_not_say_what_one_recognizer_says(outside, batches, tmp_path):
    work = batches(30)
    expected = alone(outside("Plain"), work)
    assert len(expected) == 30
    for copies in (1, 3):
        shuffled = random.Random(copies).sample(work, len(work))
        assert together([outside("Plain") for _ in range(copies)], shuffled) == expected
    assert nothing_left()


def test_batches_are_handed_on_as_they_are_and_come_back_as_they_were(outside, batches):
    work = batches(6)
    with Fleet([outside("Plain")]) as fleet:
        given_back = [batch for batch, _ in fleet.transcribe(work)]
    assert sorted(map(id, given_back)) == sorted(map(id, work))


def test_a_batch_is_answered_by_whichever_process_is_free(outside, batches, tmp_path):
    work = batches(20, size=2)
    heard_on = []
    with Fleet([outside("Patient", device=f"cuda:{number}") for number in range(2)]) as fleet:
        for _, hypotheses in fleet.transcribe(work):
            heard_on.append(hypotheses[0].text)
            if len(heard_on) == 8:
                (tmp_path / "go_on").touch()
    assert heard_on[:8] == ["cuda:0"] * 8
    assert "cuda:1" in heard_on[8:]
    assert len(heard_on) == 10


def test_no_more_batches_are_taken_than_two_a_process(outside, batches):
    (batch,) = batches(3)
    taken = []

    def endless():
        for number in count():
            taken.append(number)
            yield batch

    with Fleet([outside("Plain")]) as fleet:
        stream = fleet.transcribe(endless())
        for yielded in range(1, 20):
            next(stream)
            assert len(taken) <= yielded + 2
        stream.close()
    assert nothing_left()


def test_no_process_starts_before_there_is_a_batch_and_no_more_than_batches(outside, batches, tmp_path):
    copies = [outside("Plain") for _ in range(4)]
    assert together(copies, []) == {}
    with Fleet(copies) as fleet:
        assert list(fleet.transcribe([[]])) == [([], [])]
        assert nothing_left()
        assert len(said(fleet.transcribe(batches(3)))) == 3
    assert diary(tmp_path) == {"load": 1, "close": 1}


def test_processes_stay_loaded_for_a_second_call_and_close_their_backend_at_the_end(outside, batches, tmp_path):
    with Fleet([outside("Plain")]) as fleet:
        first = said(fleet.transcribe(batches(5)))
        second = said(fleet.transcribe(batches(5)))
        assert diary(tmp_path) == {"load": 1}
    assert first == second
    assert diary(tmp_path) == {"load": 1, "close": 1}
    assert nothing_left()


def test_a_process_that_dies_is_started_again_and_its_batch_done_again(outside, batches, tmp_path, caplog):
    work = batches(12)
    expected = alone(outside("Plain"), work)
    (tmp_path / "diary").unlink()
    assert together([outside("DeadlyOnce", deadly=["u5"])], work) == expected
    assert diary(tmp_path) == {"load": 2, "close": 1}
    (told,) = [record.getMessage() for record in caplog.records]
    assert told == "asr: the process of plain on cuda:0 died (signal 9) while it heard 'u4' under clean and 3 more"


@pytest.mark.parametrize(("deadly", "deaths"), [("u3", 4), ("u8", 2)])
def test_a_clip_that_always_kills_is_found_and_the_rest_of_its_batch_is_kept(outside, batches, deadly, deaths):
    work = batches(9)
    expected = alone(outside("Plain"), work)
    found = together([outside("Deadly", deadly=[deadly])], work)
    detail = f"the recognizer's process died on this clip (signal 9) {deaths} times"
    assert found.pop(f"{deadly}/clean") == Hypothesis("", Status.FAILED, detail=detail)
    del expected[f"{deadly}/clean"]
    assert found == expected
    assert nothing_left()


@pytest.mark.slow
def test_several_deadly_clips_are_all_found_by_several_processes(outside, batches):
    work = batches(32, size=8)
    deadly = {"u0", "u7", "u9", "u31"}
    found = together([outside("Deadly", deadly=deadly) for _ in range(2)], work)
    assert set(failed(found)) == {f"{one}/clean" for one in deadly}
    assert len(found) == 32
    assert nothing_left()


def test_halving_tries_every_clip_until_one_is_alone(batches):
    (batch,) = batches(7, size=7)
    parts, killed = [Part.all_of(batch)], 0
    while parts:
        part = parts.pop(0)
        if any(request.utterance_id in {"u2", "u6"} for request in part.requests):
            killed += 1
            parts += part.after_death("exit code 3")
        else:
            part.answer([Hypothesis(request.utterance_id, Status.OK) for request in part.requests])
        whole = part.whole
        assert whole.done is (not parts)
    assert killed == 8  # 7 7, then 3 4, then 2 of u1 u2 and of u5 u6, then each alone
    details = [one.detail for one in whole.hypotheses]
    told = "the recognizer's process died on this clip (exit code 3) 5 times"
    assert details == ["", "", told, "", "", "", told]
    assert [one.text for one in whole.hypotheses] == ["u0", "u1", "", "u3", "u4", "u5", ""]


def test_a_process_that_dies_while_loading_is_tried_again_and_then_ends_the_run(outside, batches, tmp_path):
    with pytest.raises(BackendError) as caught:
        together([outside("DyingAtLoad", device="cuda:1")], batches(4), restarts=2)
    assert str(caught.value) == (
        "asr: the process of plain on cuda:1 died 3 times in a row without an answer, at last (signal 9) while it "
        "loaded; most often the memory did not suffice. Run again with a smaller asr.batch_size or asr.model, or fewer "
        "devices: what was transcribed is remembered."
    )
    assert diary(tmp_path) == {"load": 3}
    assert nothing_left()


def test_processes_that_die_on_every_batch_end_the_run_instead_of_failing_every_clip(outside, batches, tmp_path):
    with pytest.raises(BackendError, match=r"^asr: .*5 times in a row.*\(exit code 7\) while it heard 'u2' .* 1 more;"):
        together([outside("Leaving")], batches(40, size=2))
    assert diary(tmp_path) == {"load": 5}  # twice u0 and u1, each of them alone, u2 and u3
    assert nothing_left()


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        ("Lacking", MissingPrerequisite, "asr: the engine is not here. pip install it"),
        ("Unloadable", BackendError, "asr: the weights are truncated. Fetch them again"),
        ("Refusing", BackendError, "asr.url: the endpoint is gone. Start it"),
        ("Odd", BackendError, "asr.url: odd"),
    ],
)
def test_an_error_of_the_user_to_mend_arrives_as_it_was_raised(outside, batches, kind, error, told):
    with pytest.raises(error) as caught:
        together([outside(kind, deadly=["u1"])], batches(4))
    assert type(caught.value) is error
    assert str(caught.value) == told
    assert nothing_left()


def test_what_was_heard_before_an_error_is_handed_over(outside, batches):
    heard = []

    def listen():
        with Fleet([outside("Refusing", deadly=["u9"])]) as fleet:
            for batch, _ in fleet.transcribe(batches(40)):
                heard.extend(request.utterance_id for request in batch)

    with pytest.raises(BackendError, match="endpoint is gone"):
        listen()
    assert heard == [f"u{number}" for number in range(8)]


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("Broken", ("Traceback", "outside_recognizers.py", "nobody foresaw this")),
        ("BrokenAtImport", ("Traceback", "no such engine")),
        ("Forgetful", ("plain gave 3 hypotheses for a batch of 4",)),
    ],
)
def test_a_bug_ends_the_run_with_its_traceback(outside, batches, kind, parts):
    with pytest.raises(RuntimeError, match="a bug in a recognizer's process") as caught:
        together([outside(kind)], batches(8))
    for part in parts:
        assert part in str(caught.value)
    assert nothing_left()


def test_a_recognizer_in_this_process_that_forgets_a_clip_is_a_bug_too(outside, batches):
    with pytest.raises(RuntimeError, match="gave 3 hypotheses for a batch of 4"):
        alone(outside("Forgetful"), batches(8))


def test_an_error_of_whoever_makes_the_batches_ends_everything_and_arrives(outside, batches):
    def failing():
        yield from batches(8)
        raise ZeroDivisionError("no audio")

    with Fleet([outside("Plain")]) as fleet:
        with pytest.raises(ZeroDivisionError, match="no audio"):
            list(fleet.transcribe(failing()))
        assert nothing_left()


@pytest.mark.parametrize("how", ["the stream is closed", "the context is left", "an error of whoever listens"])
def test_an_early_end_ends_the_processes_at_once_whatever_they_do(outside, batches, tmp_path, how):
    fleet = Fleet([outside("Stuck")])
    stream = fleet.transcribe(batches(8, size=1))
    with suppress(ZeroDivisionError), fleet:
        next(stream)
        while not (tmp_path / "stuck").exists():  # for ten minutes
            time.sleep(0.01)
        start_s = time.monotonic()
        if how == "the stream is closed":
            stream.close()
            assert nothing_left()
        if how == "an error of whoever listens":
            raise ZeroDivisionError
    assert nothing_left()
    assert time.monotonic() - start_s < 60
    assert diary(tmp_path) == {"load": 1}
    stream.close()


def test_after_an_early_end_the_fleet_can_begin_anew(outside, batches):
    work = batches(8)
    with Fleet([outside("Plain")]) as fleet:
        stream = fleet.transcribe(work)
        next(stream)
        stream.close()
        assert len(said(fleet.transcribe(work))) == 8


def spied(copies, work) -> dict[int, dict[str, object]]:
    """Return what each process saw."""
    return {one["process"]: one for one in (json.loads(answer.text) for answer in together(copies, work).values())}


def test_processes_are_deaf_to_ctrl_c_and_light_and_this_one_is_as_it_was(outside, batches):
    before = dict(os.environ), signal.pthread_sigmask(signal.SIG_BLOCK, set()), os.sched_getaffinity(0)
    (seen,) = spied([outside("Spy", device="cpu")], batches(1)).values()
    assert seen["process"] != os.getpid()
    assert seen["deaf_to_ctrl_c"] is True
    assert seen["processors"] == sorted(before[2])
    assert seen["threads"] == os.environ.get("OMP_NUM_THREADS")
    assert set(seen["modules"]) & {"pandas", "torch", "hydra", "ctranslate2", "whisper", "matplotlib"} == set()
    assert (dict(os.environ), signal.pthread_sigmask(signal.SIG_BLOCK, set()), os.sched_getaffinity(0)) == before


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
def test_copies_on_the_cpu_share_the_processors_and_one_on_a_gpu_does_not(outside, batches, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    kinds = ["cpu", "cuda:0", "cpu"]
    seen = [spied([outside("Spy", device=one) for one in [kind, *rest]], batches(1)) for kind, *rest in _rotated(kinds)]
    on_cpu, on_gpu, also_on_cpu = (next(iter(one.values())) for one in seen)
    everything = os.sched_getaffinity(0)
    assert set(on_cpu["processors"]) | set(also_on_cpu["processors"]) <= everything
    for one in (on_cpu, also_on_cpu):
        assert len(one["processors"]) == len(everything) // 2
        assert one["threads"] == str(len(one["processors"]))
    assert set(on_gpu["processors"]) == everything
    assert on_gpu["threads"] == "77"
    assert os.environ["OMP_NUM_THREADS"] == "77"


def _rotated(items: list[str]) -> list[list[str]]:
    """Each item first once: one batch is heard by the first copy."""
    return [items[start:] + items[:start] for start in range(len(items))]


@pytest.mark.parametrize(("copies", "processors"), [(2, 2), (3, 8), (2, 1), (5, 3), (8, 64)])
def test_shares_are_even_and_disjoint_as_long_as_there_are_processors(copies, processors, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(10, 10 + processors)))
    dealt = shares(copies)
    assert len(dealt) == copies
    assert all(dealt)
    sizes = sorted(map(len, dealt))
    assert sizes[-1] - sizes[0] <= 1
    assert set().union(*dealt) <= set(range(10, 10 + processors))
    if copies <= processors:
        assert sum(sizes) == processors
        assert set().union(*dealt) == set(range(10, 10 + processors))


def test_one_copy_keeps_all_processors():
    assert shares(1) == [None]
    assert shares(0) == []


def test_a_fleet_without_a_recognizer_is_refused():
    with pytest.raises(ValueError, match="without a recognizer"):
        Fleet([])


def test_a_machine_that_can_start_no_more_processes_says_so(outside, batches, monkeypatch):
    def refuse(_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "start", refuse)
    with pytest.raises(
        BackendError, match=r"^asr: no process can be started for plain on cuda:0: .*unavailable.*fewer"
    ):
        together([outside("Plain")], batches(4))


@pytest.mark.parametrize("backend", [FasterWhisper(FasterWhisper.Settings()), SCRIPTED], ids=["faster", "scripted"])
def test_unloaded_recognizers_can_be_sent_to_a_process(backend):
    there = pickle.loads(pickle.dumps(backend))
    assert (there.name, there.batch_size, there.device) == (backend.name, backend.batch_size, backend.device)
    assert vars(there) == vars(backend)


@pytest.mark.slow
def test_a_scripted_recognizer_says_in_processes_what_it_says_here(request_of):
    work = [[request_of(f"u{a}{b}", reference="one two three four five six") for b in range(3)] for a in range(5)]
    assert together([SCRIPTED, SCRIPTED], work) == alone(SCRIPTED, work)


@pytest.mark.slow
@pytest.mark.recognizer
def test_two_processes_of_an_engine_hear_the_words_that_one_hears(request_of, clips, tiny_en_folder):
    settings = FasterWhisper.Settings(model=str(tiny_en_folder), device="cpu", batch_size=2)
    requests = [request_of(f"u{n}", samples=samples) for n, samples in enumerate([*clips.values()][:6])]
    work = [requests[start : start + 2] for start in range(0, len(requests), 2)]
    expected = alone(FasterWhisper(settings), work)
    found = together([FasterWhisper(settings) for _ in range(2)], work)
    assert {key: (one.text, one.status) for key, one in found.items()} == {
        key: (one.text, one.status) for key, one in expected.items()
    }
    assert all(one.text for one in found.values())


PROGRAM = """
import sys
from pathlib import Path

import numpy as np

from pipeline.asr.base import Request
from pipeline.asr.fleet import Fleet

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    import outside_recognizers

    samples = np.zeros(100_000, np.float32)  # more than the line holds
    batches = ([Request(f"u{n}/clean", f"u{n}", "clean", "a", None, "", samples)] for n in range(100))
    try:
        with Fleet([outside_recognizers.Stuck(Path(".")) for _ in range(2)]) as fleet:
            for batch, _ in fleet.transcribe(batches):
                pass
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "stuck"),
    [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGKILL, True)],
    ids=["Ctrl-C at the start", "Ctrl-C", "terminated", "killed"],
)
def test_ctrl_c_or_a_kill_leaves_no_process_and_no_file(tmp_path, end, stuck):
    (tmp_path / "program.py").write_text(PROGRAM)
    place = tmp_path / "temporary"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "program.py", str(OUTSIDE)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, env=os.environ | {"TMPDIR": str(place)}, preexec_fn=_heed_interrupts,
    )  # fmt: skip
    try:
        _wait_until(lambda: (tmp_path / ("stuck" if stuck else "diary")).exists())
        if end is signal.SIGINT:
            os.killpg(process.pid, end)  # as a terminal sends it: to the program and its processes alike
        else:
            process.send_signal(end)
        out, told = process.communicate(timeout=30)
        _wait_until(lambda: _gone(process.pid))
        assert list(place.iterdir()) == []
        assert told == ""
        assert out == ("stopped\n" if end is signal.SIGINT else "")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _heed_interrupts() -> None:
    """Heed Ctrl-C also where these tests run in the background, whose programs ignore it from the start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _gone(group: int) -> bool:
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
