"""How long the report page takes to open and to filter in a real browser; numbers are printed, none is a test.

    python tests/bench/bench_report_page.py [utterances] [conditions]

A study of so many utterances (2,000, under 4 conditions) by 100 speakers of 5 groups, its transcripts made up here with
an error in about every seventh word, is run whole; then its page is opened from its file. Opening is from the start of
the navigation until every rendering is counted and the first rows are laid out; filtering is from the change of a field
until the next frame is drawn.
"""

import csv
import hashlib
import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from playwright.sync_api import Page, sync_playwright

from pipeline.config import build
from pipeline.run import Outcome, run

ROOT = Path(__file__).resolve().parents[2]
GROUPS, SPEAKERS, TIMES = 5, 100, 7
CONDITIONS = ("as_transcribed", "clean", "babble_10", "landline_g711", "machine_tonal_5", "far_field", "street_10")
SAID = "the boat left the harbor before sunrise and we counted seven ducks beside the frozen pond every other evening"
OPENED = """() => {
  const counted = document.getElementById("count")?.textContent ?? "";  // the page may still be read
  return counted !== "" && document.querySelectorAll("#trials tbody tr").length > 0;
}"""
FILTERED = """([name, value]) => new Promise((done) => {
  const field = document.getElementById("filters").elements.namedItem(name);
  const start = performance.now();
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const script = performance.now() - start;
  requestAnimationFrame(() => requestAnimationFrame(() => done([script, performance.now() - start])));
})"""


def chance(*key: object) -> float:
    """Return a number in [0, 1) that hangs on the key alone."""
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "big") / 2**64


def heard(words: list[str], *key: object) -> str:
    """Return a hypothesis: words replaced, left out and put in."""
    found: list[str] = []
    for at, word in enumerate(words):
        drawn = chance(at, *key)
        found += [] if drawn < 0.04 else ["other"] if drawn < 0.11 else [word]
        found += ["more"] if chance("in", at, *key) < 0.03 else []
    return " ".join(found)


def studied(folder: Path, utterances: int, conditions: tuple[str, ...]) -> Outcome:
    """Write the study's texts and run it."""
    words = SAID.split()
    lines = []
    with (folder / "texts.csv").open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["utterance_id", "accent", "speaker_id", "reference"])
        for n in range(utterances):
            speaker, said = n % SPEAKERS, words[: 8 + n % 12]
            table.writerow([f"u{n:05}", f"group {speaker % GROUPS}", f"s{speaker:03}", " ".join(said)])
            lines += [{"utterance_id": f"u{n:05}", "condition": c, "hypothesis": heard(said, n, c)} for c in conditions]
    (folder / "heard.jsonl").write_text("\n".join(map(json.dumps, lines)))
    given = [
        "corpus=transcripts_only", f"corpus.path={folder / 'texts.csv'}", "corpus.public=true", "asr=transcripts",
        "corpus.redistribute_text=true", f"asr.path={folder / 'heard.jsonl'}", f"conditions=[{','.join(conditions)}]",
        f"results_dir={folder}", "run_name=page", "stats.permutations=99", "stats.bootstrap=0",
    ]  # fmt: skip
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        composed: Any = OmegaConf.to_container(compose("config", given), resolve=True)
    return run(build(composed), store_path=folder / "store.db", overrides=[])


def opened(page: Page, address: str) -> float:
    """Open the page anew and return the milliseconds until its rows stand."""
    page.goto("about:blank")
    page.goto(address, wait_until="commit")
    page.wait_for_function(OPENED, polling="raf")
    return float(page.evaluate("performance.now()"))


def spread(name: str, values: list[float]) -> str:
    """Return the median and the extremes of some milliseconds."""
    return f"{name}: median {statistics.median(values):.0f} ms ({min(values):.0f} to {max(values):.0f})"


def main() -> None:
    """Measure and print."""
    utterances = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    conditions = CONDITIONS[: int(sys.argv[2]) if len(sys.argv) > 2 else 4]
    chromium = os.environ.get("STUDY_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium on this machine: apt-get install chromium, or name one with STUDY_CHROMIUM")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        file = studied(Path(place), utterances, conditions).folder / "card.html"
        print(f"{utterances:,} utterances x {len(conditions)} conditions; page {file.stat().st_size / 1e6:.2f} MB")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        opening = [opened(page, file.as_uri()) for _ in range(TIMES)]
        print(page.locator("#count").inner_text(), f"on Chromium {browser.version}, {os.cpu_count()} cores")
        print(spread("opening", opening))
        for field, values in {
            "accent": ["group 1", ""],
            "words": ["ducks", "other", ""],
            "normalizer": ["verbatim"],
        }.items():
            taken = [page.evaluate(FILTERED, [field, value]) for _ in range(TIMES) for value in values]
            print(spread(f"filter by {field}, until drawn", [drawn for _, drawn in taken]))
            print(spread(f"filter by {field}, its script alone", [script for script, _ in taken]))
        browser.close()


if __name__ == "__main__":
    main()
