"""PocketSphinx: words that depend on nothing heard before, and a sentence for every damaged file."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from pipeline.asr.base import Backend
from pipeline.asr.pocketsphinx import PocketSphinx
from pipeline.asr.pocketsphinx_options import PocketSphinxSettings, SearchOptions
from pipeline.errors import BackendError, MissingPrerequisite
from pipeline.records import Status

engine = pytest.importorskip("pocketsphinx")

CONF = Path(__file__).resolve().parents[3] / "conf" / "asr"
WHEEL = Path(engine.get_model_path("en-us"))
NARROW = {"beam": 1e-15, "pbeam": 1e-15, "wbeam": 1e-10, "maxhmmpf": 500, "fwdflat": False, "bestpath": False}
"""Fast, and good enough where the words do not matter."""
WIDER = NARROW | {"beam": 1e-30, "pbeam": 1e-30, "wbeam": 1e-15, "maxhmmpf": 2000}
"""Still fast, and it finds some of the words."""


def names_in(text):
    return set(text.split())


LEFT_TO_THE_MODEL = names_in("""
    agc agcthresh alpha ceplen cmn cmninit dither doublebw feat frate lda ldadim lifter logspec lowerf ncep nfft
    nfilt remove_dc remove_noise round_filters smoothspec svspec transform unit_area upperf varnorm warp_params
    warp_type wlen
""")
"""What the acoustic model's own feat.params says of the signal."""
FILES = names_in("""
    dict fdict featparams hmm lm lmctl lmname mdef mean mixw mllr mmap sendump senmgau tmat var
""")
OTHER_SEARCHES = names_in("""
    allphone allphone_ci fsg fsgusealtpron fsgusefiller jsgf keyphrase kws kws_delay kws_plp kws_threshold toprule
""")
NOT_THE_SEARCH = names_in("""
    input_endian logfn loglevel mfclogdir rawlogdir samprate seed senlogdir verbose
""")


@pytest.fixture(scope="module")
def loaded():
    backend = PocketSphinx(PocketSphinxSettings())
    backend.prepare()
    backend.load()
    yield backend
    backend.close()


def opened(decoding):
    backend = PocketSphinx(PocketSphinxSettings(decoding=decoding))
    backend.prepare()
    backend.load()
    return backend


def own_model(tmp_path, *, cut="", to_bytes=1000):
    """Return settings for a copy of the wheel's model, one of whose files is cut off."""
    folder = shutil.copytree(WHEEL, tmp_path / "model")
    if cut:
        whole = next(path for path in folder.rglob(cut) if path.is_file())
        whole.write_bytes(whole.read_bytes()[:to_bytes])
    return {
        "acoustic_model": str(folder / "en-us"),
        "language_model": str(folder / "en-us.lm.bin"),
        "dictionary": str(folder / "cmudict-en-us.dict"),
    }


def speechlike(duration_s, seed):
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(duration_s * 16_000)) / 16_000
    return (0.2 * np.sin(2 * np.pi * 3 * time_s) ** 2 * rng.standard_normal(len(time_s))).astype(np.float32)


# ---- options -----------------------------------------------------------------------------------------------------


def test_every_option_of_the_search_is_stated_with_the_engines_default():
    engines = {option.name: option for option in engine.Config().describe()}
    elsewhere = LEFT_TO_THE_MODEL | FILES | OTHER_SEARCHES | NOT_THE_SEARCH
    assert set(SearchOptions.model_fields) == set(engines) - elsewhere
    for name, value in SearchOptions().model_dump().items():
        default = engines[name].default
        stated = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        assert stated == (default if isinstance(stated, str) else float(default)), name


def test_the_yaml_states_every_setting_with_the_default_of_the_code():
    stated = yaml.safe_load((CONF / "pocketsphinx.yaml").read_text(encoding="utf-8"))
    assert stated.pop("kind") == "pocketsphinx"
    assert set(stated) == set(PocketSphinxSettings.model_fields)
    assert set(stated["decoding"]) == set(SearchOptions.model_fields)
    assert PocketSphinxSettings(**stated) == PocketSphinxSettings()


@pytest.mark.parametrize(
    "wrong",
    [{"samprate": 8000}, {"decoding": {"beam": 0}}, {"decoding": {"beam": 2.0}}, {"hmm": "x"}, {"batch_size": 0}],
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        PocketSphinxSettings(**wrong)


def test_nothing_is_done_before_prepare():
    backend: Backend = PocketSphinx(PocketSphinxSettings(acoustic_model="/nowhere/french"))
    assert (backend.name, backend.device) == ("pocketsphinx:french", "cpu")
    for step in (backend.fingerprint, backend.load, lambda: backend.transcribe([])):
        with pytest.raises(RuntimeError):
            step()
    backend.close()


# ---- what is heard -----------------------------------------------------------------------------------------------


@pytest.mark.recognizer
def test_it_hears_some_of_the_words_that_were_synthesized(loaded, clips, request_of):
    texts = list(clips)[:2]
    heard = loaded.transcribe([request_of(text, samples=clips[text]) for text in texts])
    said = {word.strip(".").lower() for text in texts for word in text.split()}
    understood = {word for hypothesis in heard for word in hypothesis.text.split()}
    assert all(hypothesis.status is Status.OK and hypothesis.decode_s > 0 for hypothesis in heard)
    assert len(said & understood) >= 4


@pytest.mark.recognizer
def test_words_do_not_depend_on_what_was_heard_before(clips, request_of):
    backend = opened(WIDER)
    wanted = [request_of(text, samples=clip) for text, clip in list(clips.items())[:3]]
    noise = request_of("noise", samples=speechlike(3.0, 1) * 4)
    forward = [hypothesis.text for hypothesis in backend.transcribe(wanted)]
    backward = [hypothesis.text for hypothesis in backend.transcribe([noise, *reversed(wanted)])][:0:-1]
    (alone,) = opened(WIDER).transcribe(wanted[2:])
    assert forward == backward
    assert alone.text == forward[2]
    assert any(forward)


@pytest.mark.long
@pytest.mark.recognizer
def test_a_clip_of_three_minutes_is_heard_to_its_end(clips, request_of):
    backend = opened(WIDER)
    early, late = clips["The boat left the harbor before sunrise."], clips["He forgot to lock the window last night."]
    pause = np.random.default_rng(0).normal(0, 1e-4, 16_000 * 180).astype(np.float32)
    (heard,) = backend.transcribe([request_of(samples=np.concatenate([early, pause, late]))])
    assert heard.status is Status.OK
    assert "window" in heard.text.split()


def test_bad_clips_fail_with_a_sentence_and_the_next_is_heard_as_ever(request_of):
    backend = opened(NARROW)
    clip = speechlike(1.0, 5)
    (expected,) = backend.transcribe([request_of("u", samples=clip)])
    empty, broken, tick, silence, after = backend.transcribe(
        [
            request_of("empty", samples=np.zeros(0, dtype=np.float32)),
            request_of("nan", samples=np.array([0.0, np.nan], dtype=np.float32)),
            request_of("tick", samples=np.full(160, 1e-3, dtype=np.float32)),
            request_of("silence", samples=np.zeros(16_000, dtype=np.float32)),
            request_of("after", samples=clip),
        ]
    )
    assert (empty.status, empty.detail) == (Status.FAILED, "the clip has no samples")
    assert (broken.status, broken.detail) == (Status.FAILED, "1 of 2 samples are not finite numbers")
    assert (tick.text, tick.status) == ("", Status.OK)
    assert tick.detail == "the clip lasts 0.0100 s, too short to hold a word"
    assert (silence.status, silence.detail) == (Status.OK, "")
    assert len(silence.text.split()) < 2  # what it invents in silence is for the study to count
    assert replace(after, decode_s=None) == replace(expected, decode_s=None)


def test_a_clip_that_breaks_the_engine_fails_alone(request_of, monkeypatch):
    backend = opened(NARROW)
    clip = speechlike(1.0, 5)
    (expected,) = backend.transcribe([request_of("u", samples=clip)])

    class Broken:
        def reinit_feat(self):
            raise RuntimeError("Failed to start utterance processing\nand more")

    backend._decoder = Broken()
    broken, after = backend.transcribe([request_of(name, samples=clip) for name in ("broken", "after")])
    assert broken.detail == "the engine failed on this clip: RuntimeError: Failed to start utterance processing"
    assert (broken.status, after.text) == (Status.FAILED, expected.text)


def test_samples_beyond_full_scale_are_cut_off_and_do_not_wrap_around(request_of):
    backend = opened(NARROW)
    heard = {}
    backend._decoder = type(
        "Recorder",
        (),
        {
            "reinit_feat": lambda self: None,
            "start_utt": lambda self: None,
            "process_raw": lambda self, pcm, **told: heard.update(told, pcm=np.frombuffer(pcm, dtype="<i2").tolist()),
            "end_utt": lambda self: None,
            "hyp": lambda self: None,
        },
    )()
    backend.transcribe([request_of(samples=np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 2.0], dtype=np.float32))])
    assert heard == {"pcm": [-32768, -32768, 0, 16384, 32767, 32767], "no_search": False, "full_utt": True}


# ---- the model ---------------------------------------------------------------------------------------------------


def test_fingerprint_names_model_options_and_version_but_no_place(tmp_path):
    def of(**changes):
        backend = PocketSphinx(PocketSphinxSettings(**changes))
        backend.prepare()
        return backend.fingerprint()

    built_in = of()
    assert built_in["version.pocketsphinx"]
    assert {"sha256.acoustic_model.means", "sha256.language_model", "sha256.dictionary"} <= set(built_in)
    assert of(batch_size=3, **own_model(tmp_path)) == built_in
    assert not any(str(WHEEL) in value for value in built_in.values())
    assert of(decoding={"lw": 7.0}) != built_in


@pytest.mark.parametrize("cut", ["en-us.lm.bin", "mdef", "means"])
def test_a_truncated_model_gets_a_sentence(tmp_path, cut):
    backend = PocketSphinx(PocketSphinxSettings(**own_model(tmp_path, cut=cut)))
    backend.prepare()
    with pytest.raises(BackendError, match=r"pocketsphinx cannot use .*damaged, or they do not belong to each other"):
        backend.load()


def test_a_file_of_the_wheel_that_was_changed_is_refused(tmp_path, monkeypatch):
    from pipeline.asr import pocketsphinx_model

    whole = pocketsphinx_model._recorded()
    weights = (WHEEL / "en-us" / "sendump").resolve()
    assert weights in whole
    monkeypatch.setattr(pocketsphinx_model, "_recorded", lambda: whole | {weights: "0" * 64})
    with pytest.raises(BackendError, match="sendump is not what the package pocketsphinx installed"):
        PocketSphinx(PocketSphinxSettings()).prepare()


def test_a_model_that_is_not_there_gets_a_sentence(tmp_path):
    own = own_model(tmp_path)
    (tmp_path / "model" / "en-us" / "mdef").unlink()
    (tmp_path / "binary").write_bytes(b"\x00\xff\xfe")
    (tmp_path / "words").write_text("hello\n", encoding="utf-8")
    for wrong, said in (
        (own, r"asr\.acoustic_model: .* lacks mdef"),
        ({"acoustic_model": "/nowhere"}, "/nowhere is not a folder"),
        ({"language_model": "/nowhere.lm"}, r"asr\.language_model: /nowhere\.lm is not a file"),
        ({"dictionary": str(tmp_path / "binary")}, r"asr\.dictionary: .* is not UTF-8"),
        ({"dictionary": str(tmp_path / "words")}, "no line with a word and its phones"),
        ({"language": "fr"}, "knows English only, not 'fr'"),
    ):
        with pytest.raises(BackendError, match=said):
            PocketSphinx(PocketSphinxSettings(**wrong)).prepare()


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(MissingPrerequisite, match=r"pip install -e '\.\[pocketsphinx\]'"):
        PocketSphinx(PocketSphinxSettings()).prepare()
