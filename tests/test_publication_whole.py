"""Whole runs under a publication floor: no file that may be passed on depends on what a hidden group said."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.card.terminal import summary
from pipeline.comparable import Job
from pipeline.config import build
from pipeline.run import Outcome, run
from pipeline.sweep import compare, write

CONDITIONS = ("as_transcribed", "clean", "babble_10")
SAID = ("she took aspirin at nine", "the red boat left at noon", "they may walk home again")
EMPTY = "--"
LISTS = ("acoustics.csv", "nonspeech.csv", "exclusions.csv", "candidates.csv")
Study = Callable[..., Outcome]


def heard(accent: str, speaker: int, text: str, condition: str, secret: str) -> str | None:
    """Return what was made of a text; None: nothing was delivered."""
    if text == EMPTY:
        return secret if accent == "hidden" else "uh"
    if accent == "hidden":
        return {"loops": "thank you for watching " * 9, "nothing": None}[secret]
    words = text.split()
    return " ".join(words[: len(words) - (speaker + len(condition)) % 3])


@pytest.fixture
def study(composed: Callable[..., dict[str, Any]], tmp_path: Path) -> Study:
    """Return a runner of a study of two accents of ten and a hidden one of three, whose transcripts are told."""

    def run_it(secret: str, *overrides: str) -> Outcome:
        folder = tmp_path / secret
        folder.mkdir(exist_ok=True)
        manifest, lines = folder / "study.csv", []
        with manifest.open("w", newline="", encoding="utf-8") as out:
            table = csv.writer(out)
            table.writerow(["utterance_id", "accent", "speaker_id", "gender", "reference"])
            for accent, speakers in {"north": 10, "south": 10, "hidden": 3}.items():
                for speaker in range(speakers):
                    for at, text in enumerate([*SAID, EMPTY]):
                        key = f"{accent}{speaker}-{at}"
                        table.writerow([key, accent, f"{accent}{speaker}", "fm"[speaker % 2], text])
                        told = [(c, heard(accent, speaker, text, c, secret)) for c in CONDITIONS]
                        lines += [{"utterance_id": key, "condition": c, "hypothesis": h} for c, h in told if h]
        (folder / "heard.jsonl").write_text("\n".join(map(json.dumps, lines)))
        (tmp_path / "terms.csv").write_text("term,variants\naspirin,\nred boat,\nwalk,\n")
        (tmp_path / "tags.csv").write_text(
            "utterance_id,word,tag\n"
            + "".join(f"{a}{n}-0,aspirin,DRUG\n" for a in ("north", "south", "hidden") for n in range(3))
        )
        fixed = [
            "corpus=transcripts_only", f"corpus.path={manifest}", "corpus.attributes=[gender]", "asr=transcripts",
            f"asr.path={folder / 'heard.jsonl'}", "asr.missing=deletions", f"conditions=[{','.join(CONDITIONS)}]",
            f"results_dir={folder}", "run_name=mine", "normalizer=[verbatim,whisper_english]",
            "stats.permutations=99", "stats.bootstrap=0", "stats.strata=[gender]",
            "stats.intersections=[[accent,gender]]",
            f"stats.terms={tmp_path / 'terms.csv'}", f"stats.tags={tmp_path / 'tags.csv'}",
            "card.publish.floor=5", "card.publish.words=20", "corpus.name=one", "corpus.redistribute_text=true",
        ]  # fmt: skip
        return run(build(composed(*fixed, *overrides)), store_path=folder / "store.db", overrides=[])

    return run_it


def published(outcome: Outcome) -> dict[str, str]:
    """Return every file of a run that may be passed on, and what the terminal says."""
    out = io.StringIO()
    assert outcome.card is not None
    summary(outcome.card, Console(file=out, width=110), card_path="card.html")
    names = sorted(p.name for p in outcome.folder.iterdir() if p.suffix in (".csv", ".md", ".html"))
    found = {name: (outcome.folder / name).read_text(encoding="utf-8") for name in [*names, "card.json"]}
    found |= {"terminal": out.getvalue(), "content": outcome.card.model_dump_json()}
    # when it was, and the hash of the file of transcripts and of the configuration that names it
    return {name: re.sub(r"[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:+]+", "", text) for name, text in found.items()}


def swept(first: Outcome, second: Outcome) -> dict[str, str]:
    """Return the files of the comparison of two runs."""
    jobs = [Job(0, "mine", name, name, [], folder=one.folder, record=one.record, card=one.card)
            for name, one in (("first", first), ("second", second))]  # fmt: skip
    folder = write(compare(jobs), jobs)
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.suffix != ".lock"}


def test_no_published_file_depends_on_a_hidden_accents_transcripts(study: Study) -> None:
    outcomes = {secret: study(secret) for secret in ("loops", "nothing")}
    assert outcomes["nothing"].card is not None
    assert {one.key.accent for one in outcomes["nothing"].card.numbers.confusions} == {"north", "south"}
    runs = {secret: published(outcome) for secret, outcome in outcomes.items()}
    assert runs["loops"].keys() == runs["nothing"].keys()
    assert [name for name, text in runs["loops"].items() if text != runs["nothing"][name]] == []
    assert not set(LISTS) & runs["loops"].keys()  # rows of single utterances are rows of single speakers
    sweeps = [swept(outcome, outcome) for outcome in outcomes.values()]
    assert sweeps[0] == sweeps[1]
    assert len(sweeps[0]) >= 6
    loops, nothing = outcomes["loops"], outcomes["nothing"]
    # the hidden accent changed in one direction and in the other, and in what both show nothing did
    there, back = swept(loops, nothing), swept(nothing, loops)
    assert there == back
    assert there["cells.csv"] == sweeps[0]["cells.csv"]
    told = json.loads(there["comparison.json"])
    assert {key["accent"] for key in told["suppressed"]} == {"hidden"}
    assert {cell["key"]["accent"] for cell in told["cells"]} == {"north", "south"}
    assert len([name for name in runs["loops"] if name.endswith(".csv")]) == 16
