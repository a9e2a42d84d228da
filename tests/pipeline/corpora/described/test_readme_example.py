"""The description that conf/README.md shows is one that works."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from pipeline.config import build
from tests.corpora_miniatures.clips import write_clip, write_text

README = Path(__file__).resolve().parents[4] / "conf" / "README.md"


def test_the_worked_example_of_the_readme_reads_its_corpus(
    composed: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    shown = re.search(r"```yaml\n# my_conf/corpus/clinic\.yaml\n(.*?)```", README.read_text(), re.S)
    assert shown
    write_text(tmp_path / "visits.csv", 'file;said;speaker\nr01;"I can\'t, not yet";17\nr02;Better;18\nr03;No;19\n')
    write_text(tmp_path / "people.txt", "ID SEX LANGUAGES\n17 F Twi/Ga\n18 M Twi\n19 X Ga\n")
    for place in ("monday/r01", "monday/r02", "friday/r03"):
        write_clip(tmp_path / "audio" / f"{place}.wav", place, seconds=0.3)
    plain = composed("asr=scripted")
    loaded = build({**plain, "corpus": {**yaml.safe_load(shown.group(1)), "root": str(tmp_path)}}).corpus.load()
    columns = ["utterance_id", "reference", "speaker_id", "accent", "attr_gender", "audio"]
    assert loaded.utterances[columns].to_numpy().tolist() == [
        ["r02", "Better", "clinic-18", "Twi", "male", "audio/monday/r02.wav"],
        ["r03", "No", "clinic-19", "Ga", "X", "audio/friday/r03.wav"],
    ]
    assert [(one.utterance_id, one.reason.value) for one in loaded.exclusions] == [("r01", "several_accents")]
