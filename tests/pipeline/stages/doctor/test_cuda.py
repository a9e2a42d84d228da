"""What the engines see of graphics cards, against what the study asks for; no card is needed here."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from pipeline.card.doctor import Check, Verdict
from pipeline.config import Study
from pipeline.stages.doctor import cuda, cuda_libraries, needs
from pipeline.stages.doctor.children import Answer, Children

OK, NOTE, FAIL = Verdict.OK, Verdict.NOTE, Verdict.FAIL
Fake = Callable[[str, str], None]
Made = Callable[..., Study]


def one(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def done(answer: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future


def seen(
    torch: int = 0,
    ctranslate2: int = 0,
    *,
    lacking: tuple[str, ...] = (),
    built_for: str | None = "13.0",
    driver: str | None = None,
) -> dict[str, Future[Answer]]:
    cards = {
        "torch": {"count": torch, "names": ["H100 (80 GiB)"] * torch, "built_for": built_for, "driver": driver},
        "ctranslate2": {"count": ctranslate2, "lacking": list(lacking), "driver": driver},
    }
    return {name: done(Answer(found={"took_s": 1.0, "cards": told})) for name, told in cards.items()}


def test_a_machine_without_cards_is_well_where_none_is_asked_for(study: Made) -> None:
    chosen = study("asr=faster_whisper", "asr.device=auto")
    checks = list(cuda.checks(seen(), needs.cards(chosen), needs.engines(chosen)))
    assert [check.verdict for check in checks] == [OK, OK]


def test_a_card_that_is_asked_for_and_not_seen_fails_and_says_how_to_do_without(
    study: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    chosen = study("asr=faster_whisper", "asr.device=cuda", "render.device=cuda")
    checks = {check.name: check for check in cuda.checks(seen(), needs.cards(chosen), needs.engines(chosen))}
    for name, instead in (("asr.device=cuda", "asr.device=cpu"), ("render.device=cuda", "render.device=null")):
        assert checks[name].verdict is FAIL
        assert "CUDA_VISIBLE_DEVICES='7'" in checks[name].found
        assert instead in checks[name].advice


def test_a_card_beyond_the_last_one_fails_and_the_last_one_is_named() -> None:
    asked = [needs.Asked("asr.device=cuda:3", "torch", 3), needs.Asked("asr.device=cuda:1", "torch", 1)]
    beyond, last = list(cuda.checks(seen(2, 2, driver="13.0"), asked, {"torch"}))[-2:]
    assert beyond.verdict is FAIL
    assert "cuda:1" in beyond.advice
    assert last.verdict is OK


def test_the_engine_that_computes_is_the_one_that_must_see_the_card() -> None:
    asked = [needs.Asked("asr.device=cuda", "ctranslate2", 0)]
    checks = {check.name: check for check in cuda.checks(seen(1, 0, driver="13.0"), asked, {"ctranslate2"})}
    assert checks["CUDA, both"].verdict is NOTE
    assert "torch sees 1 card; ctranslate2 sees 0 cards" in checks["CUDA, both"].found
    assert checks["asr.device=cuda"].verdict is FAIL


@pytest.mark.parametrize(("chosen", "verdict"), [("asr.device=auto", FAIL), ("asr.device=cpu", NOTE)])
def test_a_missing_cublas_fails_a_study_that_would_compute_with_it(study: Made, chosen: str, verdict: Verdict) -> None:
    asked = study("asr=faster_whisper", chosen)
    told = seen(1, 1, lacking=("libcublas.so.12",), driver="13.0")
    checks = {check.name: check for check in cuda.checks(told, needs.cards(asked), needs.engines(asked))}
    check = checks["CUDA in ctranslate2"]
    assert check.verdict is verdict
    assert "libcublas.so.12" in check.found
    assert "pip install nvidia-cublas-cu12" in check.advice


def test_a_torch_for_processors_beside_a_driver_is_noted() -> None:
    checks = {check.name: check for check in cuda.checks(seen(built_for=None, driver="12.4"), [], set())}
    check = checks["CUDA in torch"]
    assert check.verdict is NOTE
    assert "for processors only" in check.found
    assert "CUDA up to 12.4" in check.found


def test_without_either_engine_that_is_said() -> None:
    assert one(cuda.checks({}, [], set())).verdict is NOTE
    broken = {"torch": done(Answer(problem="OSError: no"))}
    assert one(cuda.checks(broken, [], set())).verdict is NOTE


def test_the_process_that_imports_torch_tells_its_cards(fake: Fake) -> None:
    fake(
        "torch",
        "from types import SimpleNamespace as N\n"
        "card = N(name='Card', total_memory=80 * 2**30)\n"
        "cuda = N(is_available=lambda: True, device_count=lambda: 2, get_device_properties=lambda index: card)\n"
        "version = N(cuda='13.0')\n",
    )
    with Children() as children:
        answer = children.ask("import", {"module": "torch", "parts": []})
        checks = list(cuda.checks({"torch": answer}, [], set()))
    assert "2 cards: Card (80 GiB), Card (80 GiB)" in one(iter(checks)).found


def test_the_cublas_that_a_build_wants_is_read_from_its_library(tmp_path: Path) -> None:
    package = tmp_path / "ctranslate2"
    (tmp_path / "ctranslate2.libs").mkdir()
    package.mkdir()
    (package / "ctranslate2_empty.so").touch()
    (tmp_path / "ctranslate2.libs" / "libctranslate2-1.so.4").write_bytes(b"\0libcublas.so.99\0libcublas.so.99\0")
    assert cuda_libraries.lacking(str(package / "__init__.py")) == ["libcublas.so.99"]


def test_the_devices_that_copies_of_a_recognizer_work_on_are_asked_for_in_its_place(study: Made) -> None:
    chosen = study("asr=faster_whisper", "devices=[cuda:0,cuda:2]")
    assert needs.cards(chosen) == [
        needs.Asked("devices=cuda:0", "ctranslate2", 0),
        needs.Asked("devices=cuda:2", "ctranslate2", 2),
    ]
    assert needs.engines(chosen) == {"ctranslate2"}
