"""Codecs, rooms and conditions are tried; what cannot be made here fails where the study needs it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from augment.codecs.step import OneCodec
from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor import acoustics, needs
from pipeline.stages.doctor.children import Answer, Children

OK, NOTE, FAIL = Verdict.OK, Verdict.NOTE, Verdict.FAIL
Fake = Callable[[str, str], None]
Made = Callable[..., Study]


def one(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def acoustic(chosen: Study, name: str) -> Answer:
    with Children() as children:
        return children.ask(name, acoustics.told(chosen)[name]).result()


def test_every_codec_that_a_condition_can_name_is_tried() -> None:
    assert set(acoustics.CODECS) == {get_args(one.model_fields["name"].annotation)[0] for one in get_args(OneCodec)}


def test_the_codecs_of_the_extra_work_here(study: Made) -> None:
    pytest.importorskip("av")
    checks = list(acoustics.codecs(acoustic(study("asr=scripted"), "codecs"), {}))
    assert FAIL not in {check.verdict for check in checks}
    for name in set(acoustics.CODECS) - {"amr_wb"}:
        assert name in checks[0].found


def test_a_codec_without_its_library_fails_where_a_condition_uses_it_and_is_a_note_elsewhere(
    study: Made, fake: Fake
) -> None:
    fake("av", "raise ImportError('no av here')")
    using = study("asr=scripted", "conditions=[clean,mobile_amr122]")
    answer = acoustic(using, "codecs")
    working, aside = acoustics.codecs(answer, {"g711": "landline_g711"})
    assert working.found.endswith("with g711, gsm_fr")
    assert aside.verdict is NOTE
    _, lacking = acoustics.codecs(answer, needs.codecs(using))
    assert lacking.verdict is FAIL
    assert "no av here" in lacking.found
    assert "amr_nb in mobile_amr122" in lacking.advice
    good, bad = acoustics.conditions(acoustic(using, "conditions"))
    assert good.found == "1 condition can be made here: clean"
    assert (bad.name, bad.verdict) == ("condition mobile_amr122", FAIL)
    assert "'~conditions.mobile_amr122'" in bad.advice


def test_codecs_whose_library_crashes_fail(study: Made, fake: Fake) -> None:
    fake("av", "import os; os.abort()")
    check = one(acoustics.codecs(acoustic(study("asr=scripted"), "codecs"), {}))
    assert check.verdict is FAIL
    assert "SIGABRT" in check.found


def test_a_condition_of_noise_that_is_not_there_fails_and_babble_does_not(study: Made, tmp_path: Path) -> None:
    ward = "{version: 1, family: noise, description: a ward, sources: [], steps: [{kind: add_noise, snr_db: 5, source: "
    ward += f"{{kind: folder, path: {tmp_path / 'nowhere'}}}}}]}}"
    chosen = study("asr=scripted", "conditions=[clean,babble_10]", f"+conditions.ward={ward}")
    good, bad = acoustics.conditions(acoustic(chosen, "conditions"))
    assert "babble_10" in good.found
    assert bad.name == "condition ward"
    assert "no such folder" in bad.found


def test_a_room_can_be_simulated_with_the_extra(study: Made) -> None:
    pytest.importorskip("pyroomacoustics")
    assert one(acoustics.room(acoustic(study("asr=scripted"), "room"), None)).verdict is OK


def test_without_the_rooms_extra_only_a_study_with_simulated_rooms_fails() -> None:
    assert one(acoustics.room(None, None)).verdict is NOTE
    needed = one(acoustics.room(None, "the condition hall"))
    assert needed.verdict is FAIL
    assert "pip install -e '.[rooms]'" in needed.advice
