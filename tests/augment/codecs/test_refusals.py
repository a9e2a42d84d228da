"""What a codec's settings refuse, and what a machine that lacks one is told: before any audio is rendered."""

import subprocess
import sys
from typing import get_args

import pytest

from augment.codecs import Codec, vo_amrwbenc
from augment.codecs.pyav import PyavCoder
from augment.codecs.step import CodecSettings, OneCodec
from augment.errors import ConditionError
from augment.step import Law, Stage

HINT = r'pip install "asr-accent-study\[codecs\]"'
THROUGH_PYAV = [
    {"name": "g722"},
    {"name": "g726"},
    {"name": "amr_nb", "bitrate": 5_900},
    {"name": "amr_wb", "bitrate": 12_650},
    {"name": "opus", "bitrate": 16_000},
    {"name": "mp3", "bitrate": 32_000},
    {"name": "aac", "bitrate": 32_000},
]
BAD = [
    ({"name": "g711", "law": "mue"}, r"steps\.0\.law: .*'a' or 'mu'"),
    ({"name": "g711", "bitrate": 64_000}, r"steps\.0\.bitrate: unknown key"),
    ({"name": "amr"}, r"steps\.0\.name: unknown name 'amr'\..*amr_nb, amr_wb"),
    ({"name": "ambr_nb"}, r"Did you mean 'amr_nb'\?"),
    ({"law": "a"}, r"steps\.0\.name: this key is missing"),
    ({"name": "amr_nb"}, r"steps\.0\.bitrate: this key is missing"),
    (
        {"name": "amr_nb", "bitrate": 6_000},
        r"steps\.0\.bitrate: .*4750, 5150, 5900, 6700, 7400, 7950, 10200 or 12200 \(got 6000\)",
    ),
    ({"name": "amr_nb", "bitrate": 5.9}, r"steps\.0\.bitrate: .*got 5\.9"),
    ({"name": "amr_nb", "bitrate": "5900"}, r"steps\.0\.bitrate: .*got '5900'"),
    ({"name": "amr_wb", "bitrate": 12_000}, r"6600, 8850, 12650, 14250, 15850, 18250, 19850, 23050 or 23850"),
    ({"name": "g726", "bitrate": 64_000}, r"16000, 24000, 32000 or 40000"),
    ({"name": "opus", "bitrate": 5_000}, r"greater than or equal to 6000 \(got 5000\)"),
    ({"name": "opus", "bitrate": 16_000, "complexity": 11}, r"complexity: .*less than or equal to 10"),
    ({"name": "opus", "bitrate": 16_000, "bitrat": 1}, r"Did you mean 'bitrate'\?"),
    ({"name": "mp3", "bitrate": 20_000}, r"bitrate: .*16000, 24000, 32000"),
    ({"name": "aac", "bitrate": 128_000}, r"less than or equal to 96000"),
    ({"name": "g711", "loss": {"rate": 0.03, "conceal": "codec"}}, r"steps\.0\.loss: .*pitch, repeat or zero"),
    ({"name": "g711", "loss": {"rate": 0.03, "packet_ms": 30}}, r"steps\.0\.loss: .*leave packet_ms out"),
    ({"name": "g711", "loss": {"rat": 0.03}}, r"steps\.0\.loss\.rat: unknown key\. Did you mean 'rate'\?"),
    ({"name": "amr_nb", "bitrate": 5_900, "loss": {"rate": 2.0}}, r"steps\.0\.loss\.rate: "),
]


def step(**settings):
    return Codec(CodecSettings.model_validate(settings))


@pytest.mark.parametrize(("codec", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_codec_is_refused_with_where_and_what_is_known(codec, message, build):
    with pytest.raises(ConditionError, match=rf"conditions\.ward7\.(.|\n)*{message}"):
        build("ward7", {"steps": [{"kind": "codec"} | codec]})


def test_the_definition_of_a_condition_holds_the_codecs_settings(build):
    (written,) = build("ward7", {"steps": [{"kind": "codec", "name": "opus", "bitrate": 16_000}]}).definition["steps"]
    assert written == {"kind": "codec", "name": "opus", "bitrate": 16_000, "complexity": 5, "loss": None}


@pytest.mark.parametrize("settings", get_args(OneCodec), ids=lambda settings: settings.__name__)
def test_a_coder_has_the_rate_and_packets_that_the_step_counts_on(settings):
    bitrate = settings.model_fields.get("bitrate")
    values = {"name": get_args(settings.model_fields["name"].annotation)[0]}
    values |= {"bitrate": (get_args(bitrate.annotation) or (32_000,))[0]} if bitrate else {}
    coder = settings.model_validate(values).coder()
    assert coder.rate_hz in (8_000, 16_000)
    assert 0 <= coder.delay_samples <= 0.07 * coder.rate_hz


def test_a_codec_stands_behind_everything_but_loss():
    made = step(name="g711")
    assert (made.stage, made.law, made.needs_speech_level) == (Stage.CODEC, Law.NONLINEAR, False)
    assert made.length_out(801) == 801


@pytest.mark.parametrize("codec", THROUGH_PYAV, ids=lambda codec: codec["name"])
def test_without_pyav_the_step_is_refused_with_what_to_install(codec, monkeypatch, resources):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConditionError, match=rf"codec {codec['name']} cannot be encoded on this machine: .*{HINT}"):
        step(**codec).check(resources)


@pytest.mark.parametrize("codec", [{"name": "g711"}, {"name": "gsm_fr"}])
def test_what_needs_no_pyav_works_without_it(codec, monkeypatch, resources):
    monkeypatch.setitem(sys.modules, "av", None)
    step(**codec).check(resources)


def test_a_libsndfile_without_gsm_is_refused(monkeypatch, resources):
    monkeypatch.setattr("soundfile.check_format", lambda *_: False)
    with pytest.raises(ConditionError, match=r"codec gsm_fr .* built without GSM610: run pip install soundfile"):
        step(name="gsm_fr").check(resources)


def test_without_the_system_library_wideband_names_its_package(monkeypatch, resources):
    pytest.importorskip("av")
    monkeypatch.setattr(vo_amrwbenc, "_FILE", "libno-such-thing.so.0")
    vo_amrwbenc._library.cache_clear()
    with pytest.raises(ConditionError, match=r"codec amr_wb .*apt-get install libvo-amrwbenc0"):
        step(name="amr_wb", bitrate=12_650).check(resources)
    vo_amrwbenc._library.cache_clear()


@pytest.mark.parametrize(
    ("encoder", "decoder", "bitrate", "what"),
    [
        ("no_such_encoder", "mp3float", 32_000, "no encoder no_such_encoder"),
        ("libmp3lame", "no_such_decoder", 32_000, "no decoder no_such_decoder"),
        # found out only by opening it: the name is known
        ("libopus", "libopus", 10**9, "no encoder libopus"),
    ],
)
def test_an_ffmpeg_that_lacks_a_part_is_found_out_by_opening_it(encoder, decoder, bitrate, what):
    pytest.importorskip("av")
    missing = PyavCoder(encoder, decoder, 16_000, bitrate, frame=320).missing()
    assert missing is not None
    assert what in missing
    assert "asr-accent-study[codecs]" in missing


def test_what_can_be_encoded_passes_the_check(codec, resources):
    codec("opus", bitrate=16_000).check(resources)


def test_importing_the_codecs_does_not_import_pyav():
    code = "import sys; import augment.codecs; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
