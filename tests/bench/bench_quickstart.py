"""How long the first command takes after installation, cold and warm, as a ratio to the recognizer alone.

Run by hand: ``python tests/bench/bench_quickstart.py``. Prints seconds; machines differ, ratios less.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd


def timed(folder: Path) -> float:
    """Run the quickstart in ``folder`` with its own cache; return wall seconds."""
    start = time.perf_counter()
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    subprocess.run([sys.executable, "-m", "pipeline"], cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


with tempfile.TemporaryDirectory() as name:
    place = Path(name)
    cold_s, warm_s = timed(place), timed(place)
    run = place / "results" / "quickstart"
    decode_s = pd.read_parquet(run / "transcripts.parquet")["decode_s"].sum()
    trials = json.loads((run / "run.json").read_text())["counts"]["transcribe.in"]
    print(f"cold {cold_s:.1f} s, warm {warm_s:.1f} s, {trials} trials")
    print(f"recognizer alone {decode_s:.1f} s, {decode_s / trials:.3f} s a trial")
    print(f"cold over recognizer {cold_s / decode_s:.2f}, warm over cold {warm_s / cold_s:.2f}")
