"""What the conditions do, told from their settings; a condition that cannot be made here is told too."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from augment.level import active_speech_level
from pipeline.card.described import Descriptions
from pipeline.config import build
from pipeline.single import run_single
from pipeline.stages.describe import describe

Described = Callable[..., Descriptions]


@pytest.fixture
def described(composed: Callable[..., dict[str, Any]]) -> Described:
    def tell(*overrides: str) -> Descriptions:
        study = build(composed("stages=[describe]", *overrides))
        return describe(study.conditions, acoustics=study.acoustics, seed=study.settings.seed)

    return tell


@pytest.fixture
def printed(composed: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    def tell(*overrides: str) -> str:
        report = run_single(build(composed("stages=[describe]", *overrides)))
        assert report.n_failed == 0
        output = io.StringIO()
        report.show(Console(file=output, width=100))
        return output.getvalue()

    return tell


def test_every_step_is_told_with_its_numbers_and_units(described: Described) -> None:
    told = {one.name: one for one in described("conditions=[clean,far_field,silence_pad,landline_g711]").conditions}
    assert told["clean"].steps == ()
    room, noise = told["far_field"].steps
    assert "RT60 0.8 s" in room
    assert "DRR -6 dB" in room
    assert "SNR 15 dB" in noise
    assert told["landline_g711"].steps[0] == "speak through a handset: curve irs_send"
    assert {one.name: one.added_s for one in told.values()} == {
        "clean": 0.0,
        "far_field": 0.0,
        "silence_pad": 8.0,
        "landline_g711": 0.0,
    }
    assert all(one.problem is None and one.cpu_ms is not None and one.cpu_ms > 0 for one in told.values())
    assert told["far_field"].sources
    assert told["far_field"].family == "room"


def test_a_condition_that_cannot_be_made_here_says_why_and_the_others_are_still_told(
    described: Described, printed: Callable[..., str], tmp_path: Path
) -> None:
    ward = "{version: 1, family: noise, description: a ward, sources: [], steps: [{kind: add_noise, snr_db: 5, source: "
    ward += f"{{kind: folder, path: {tmp_path / 'nowhere'}}}}}]}}"
    chosen = ["conditions=[clean]", f"+conditions.ward7={ward}"]
    clean, ward7 = described(*chosen).conditions
    assert clean.problem is None
    assert ward7.cpu_ms is None
    assert ward7.problem is not None
    assert "no such folder" in ward7.problem
    text = printed(*chosen)
    assert "Cannot be made here" in text
    assert "1 condition of 2 can be made here" in text


def test_even_the_largest_babble_finds_enough_made_up_talkers(described: Described) -> None:
    chosen = ["conditions=[babble_10]", "conditions.babble_10.steps.0.source.talkers=64"]
    assert described(*chosen).conditions[0].problem is None


def test_the_print_fits_a_hundred_columns_and_a_pipe(printed: Callable[..., str]) -> None:
    text = printed("conditions=[clean,machine_tonal_5,voip_opus16_loss10]")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert all(line == line.rstrip() for line in lines)
    assert "\x1b" not in text
    for words in ("machine_tonal_5  version 1, noise", "f0 523 Hz", "-26 dBov", "A-weighted", "IEC 60601-1-8", "ms"):
        assert words in text


def test_words_of_a_stranger_cannot_steer_the_terminal(printed: Callable[..., str]) -> None:
    text = printed("conditions=[clean]", 'conditions.clean.description="[red]x[/red] \x1b[2J"')
    assert "\x1b" not in text
    assert "[red]x[/red] (U+001B)" in text


def test_the_made_up_talker_is_speech_to_the_meter(described: Described) -> None:
    from pipeline.stages.describe import made_up_voice

    level = active_speech_level(made_up_voice(0, 8.0), 16_000)
    assert 0.5 < level.activity < 0.95
