"""What it costs to read, check and plan a manifest of a million rows: ``python -m pipeline 'stages=[plan]'``, whole.

Run by hand: ``python tests/bench/bench_manifests.py [rows]``. It writes a made-up manifest as CSV and as JSONL (20,000
speakers of six accents, nine words an utterance, nearly every text another), and plans a study of each as a manifest
and, of the CSV, as a described corpus; no audio is there to be opened. Prints seconds by the clock, seconds of
processors (on a busy machine only these say much) and the most memory held.
"""

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
LIMIT_S, LIMIT_GB = 60.0, 4.0
ACCENTS = ("scottish", "irish", "welsh", "indian", "nigerian", "us_general")
SYLLABLES = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
WORDS = [one + two for one in SYLLABLES for two in SYLLABLES]
COLUMNS = ("utterance_id", "audio_path", "reference", "speaker_id", "accent", "gender")

DESCRIPTION = """
kind: "described"
name: "made_up"
root: null
strategy: "index"
index_file: "manifest.csv"
columns:
  utterance_id: {source_column: "utterance_id"}
  audio: {source_column: "utterance_id", path_template: "clips/{value}", file_extension: ".mp3"}
  reference: {source_column: "reference"}
  speaker_id: {source_column: "speaker_id"}
  accent: {source_column: "accent"}
attributes:
  gender: {source_column: "gender", optional: true}
speaker: {available: true}
label: {kind: "accent", provenance: "by_construction"}
licence: {id: "none", url: "", gate: ""}
"""


def write(folder: Path) -> None:
    """Write the manifest in both formats, and a description of the CSV."""
    rng = random.Random(0)
    with (folder / "manifest.csv").open("w") as csv, (folder / "manifest.jsonl").open("w") as jsonl:
        csv.write(",".join(COLUMNS) + "\n")
        for number in range(ROWS):
            speaker = rng.randrange(20_000)
            accent, gender = ACCENTS[speaker % len(ACCENTS)], ("female", "male")[speaker // 7 % 2]
            name, text = f"utterance_{number:07d}", " ".join(rng.choices(WORDS, k=9))
            row = (name, f"clips/{name}.mp3", text, f"s{speaker:05d}", accent, gender)
            csv.write(",".join(row) + "\n")
            jsonl.write(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n")
    (folder / "conf" / "corpus").mkdir(parents=True)
    (folder / "conf" / "corpus" / "made_up.yaml").write_text(DESCRIPTION)


def measured(name: str, arguments: list[str], folder: Path) -> bool:
    """Run the command and print what it cost; return whether it kept within the limits."""
    command = [sys.executable, "-m", "pipeline", "stages=[plan]", f"results_dir={folder}/results", *arguments]
    start = time.perf_counter()
    with (folder / "output").open("w") as output:
        child = os.posix_spawn(
            sys.executable,
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, output.fileno(), 2)],
        )
        _, status, used = os.wait4(child, 0)
    wall_s, memory_gb = time.perf_counter() - start, used.ru_maxrss * 1024 / 1e9
    cpu_s = used.ru_utime + used.ru_stime
    print(f"{name:<20}{wall_s:>10.1f}{cpu_s:>14.1f}{memory_gb:>8.2f}", flush=True)
    if os.waitstatus_to_exitcode(status) != 0:
        print((folder / "output").read_text())
        return False
    return wall_s < LIMIT_S and memory_gb < LIMIT_GB


def main() -> int:
    """Measure all three; exit code 1 if one did not keep within the limits."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder)
        print(f"{ROWS:,} rows         seconds  of processors      GB")
        kept = [
            measured(f"manifest {kind}", ["corpus=manifest", f"corpus.path={folder}/manifest.{kind}"], folder)
            for kind in ("csv", "jsonl")
        ]
        described = ["corpus=made_up", f"corpus.root={folder}", "--config-dir", f"{folder}/conf"]
        kept.append(measured("described csv", described, folder))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
