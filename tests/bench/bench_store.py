"""How long a million remembered transcripts take to be found, as a ratio to a bare SQLite query of the same rows.

Run by hand: ``python tests/bench/bench_store.py [rows] [folder]``. Prints seconds, medians of pairs run in turn in one
process, and ratios; machines differ, ratios less. The rows are made up: nine words, a rendering of some 800 bytes.
"""

import hashlib
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

from pipeline.asr.base import Hypothesis
from pipeline.asr.store import TranscriptStore
from pipeline.records import Status

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
FOLDER = sys.argv[2] if len(sys.argv) > 2 else None
REPEATS = 3
FILLED_AT_ONCE = 50_000
BATCH, BATCHES = 32, 200
PRINT, FINGERPRINT = "f" * 64, {"kind": "bench"}
WORDS = ("two", "old", "boats", "crossed", "the", "quiet", "lake", "before", "anybody", "had", "seen", "them", "go")
LEVELS = ("active_level_in_dbov", "active_level_out_dbov", "activity", "snr_none_db", "snr_a_db", "snr_g712_db", "peak")
ABSENT = ("rt60_s", "drr_db", "overload_share", "loss_share", "loss_active_share", "longest_loss_s")
BARE = """
SELECT * FROM transcripts AS t LEFT JOIN renderings AS r ON r.trial_key = t.trial_key
WHERE t.fingerprint_id = (SELECT id FROM fingerprints WHERE sha256 = ?)
"""
INSERT = "INSERT INTO transcripts VALUES ((SELECT id FROM fingerprints WHERE sha256 = ?),?,?,?,?,?,?,?,?,?,?)"
Item = tuple[str, Hypothesis, dict[str, object]]


def items(numbers: range) -> list[Item]:
    """Return made-up answers to the trials with these numbers."""
    rng = random.Random(numbers.start)
    return [(key_of(number), heard(rng), rendering(rng)) for number in numbers]


def key_of(number: int) -> str:
    """Return a trial key as the study makes them."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def heard(rng: random.Random) -> Hypothesis:
    """Return nine words with confidences."""
    text = " ".join(rng.choices(WORDS, k=9))
    return Hypothesis(text, Status.OK, "", rng.random(), -rng.random(), rng.random(), 1.0 + rng.random(), 14)


def rendering(rng: random.Random) -> dict[str, object]:
    """Return what a rendering with noise and a codec comes out as."""
    steps = '[{"kind": "add_noise", "snr_db": 10.0, "gain_db": -3.217}, {"kind": "codec", "delay_s": 0.005}]'
    levels: dict[str, object] = {name: -30.0 * rng.random() for name in LEVELS}
    audio = {"samples": 48_000, "audio_sha256": f"{rng.getrandbits(256):064x}", "steps": steps}
    return levels | dict.fromkeys(ABSENT) | audio


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes; what it returns is let go outside of that."""
    start_s = time.perf_counter()
    made = work()
    took_s = time.perf_counter() - start_s
    del made
    return took_s


def paired(name: str, ours: Callable[[], object], bare: Callable[[], object]) -> None:
    """Print medians of both, run in turn, and the median of their ratios."""
    pairs = [(seconds(bare), seconds(ours)) for _ in range(REPEATS)]
    ratio = median(own / base for base, own in pairs)
    bare_s, ours_s = (median(times) for times in zip(*pairs, strict=True))
    print(f"{name}: ours {ours_s:.2f} s, bare SQLite {bare_s:.2f} s, ratio {ratio:.2f}", flush=True)


def put_bare(connection: sqlite3.Connection, batches: list[list[Item]]) -> None:
    """Write as little as SQLite can of the same rows, as durably."""
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        rows = [
            (PRINT, key, h.text, "ok", "", h.decode_s, h.avg_logprob, None, None, None, None) for key, h, _ in batch
        ]
        connection.executemany(INSERT, rows)
        connection.executemany("INSERT INTO renderings VALUES (?, ?)", [(key, str(made)) for key, _, made in batch])
        connection.execute("COMMIT")


def put_ours(store: TranscriptStore, batches: list[list[Item]]) -> None:
    """Write the batches as a study does."""
    for batch in batches:
        store.put(batch, PRINT, FINGERPRINT)


def new_batches(turn: int) -> list[list[Item]]:
    """Return batches that nobody has written yet."""
    first = ROWS + turn * BATCH * BATCHES
    return [items(range(start, start + BATCH)) for start in range(first, first + BATCH * BATCHES, BATCH)]


def fill(store: TranscriptStore) -> None:
    """Write all rows, in large batches."""
    for first in range(0, ROWS, FILLED_AT_ONCE):
        store.put(items(range(first, min(ROWS, first + FILLED_AT_ONCE))), PRINT, FINGERPRINT)


def peak_gb() -> float:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def reading(store: TranscriptStore, connection: sqlite3.Connection) -> None:
    """Print what it costs to find all keys, some keys, and to take apart what was found."""
    keys = [key_of(number) for number in range(ROWS)]
    some = keys[: max(1, ROWS // 20)]
    before_gb = peak_gb()
    took_s = seconds(lambda: store.get(keys, PRINT))
    print(f"get of all keys: {took_s:.2f} s; peak {peak_gb():.2f} GB of memory, {before_gb:.2f} GB before")
    paired("get of all keys", lambda: store.get(keys, PRINT), lambda: connection.execute(BARE, (PRINT,)).fetchall())
    some_s = median(seconds(lambda: store.get(some, PRINT)) for _ in range(REPEATS))
    print(f"get of {len(some)} of them: {some_s:.3f} s")
    found = list(store.get(keys, PRINT).values())
    hypotheses_s = seconds(lambda: [one.hypothesis for one in found])
    renderings_s = seconds(lambda: sum(one.rendering is not None for one in found))
    print(f"taken apart: hypotheses {hypotheses_s:.2f} s, renderings {renderings_s:.2f} s, let go one by one")


def writing(store: TranscriptStore, connection: sqlite3.Connection) -> None:
    """Print what it costs to remember batches as a study does."""
    ours, bare = (iter([new_batches(2 * turn + odd) for turn in range(REPEATS)]) for odd in (0, 1))
    paired(
        f"put of {BATCHES} batches of {BATCH}",
        lambda: put_ours(store, next(ours)),
        lambda: put_bare(connection, next(bare)),
    )


with tempfile.TemporaryDirectory(dir=FOLDER) as place:
    path = Path(place) / "transcripts.sqlite"
    with TranscriptStore(path) as made, closing(sqlite3.connect(path, isolation_level=None)) as direct:
        direct.execute("PRAGMA synchronous = FULL")
        fill(made)
        print(f"{ROWS} rows, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        reading(made, direct)
        writing(made, direct)
