"""Steps in words: every number keeps its value and gets the unit of its name."""

import pytest

from pipeline.card.step_words import in_words


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"kind": "resample", "rate_hz": 8000}, "sample at another rate: rate 8000 Hz"),
        ({"kind": "gain", "gain_db": -6.0}, "change the level: gain -6 dB"),
        ({"kind": "level", "target_dbov": -26.5}, "set the level: target -26.5 dBov"),
        ({"kind": "handset", "curve": "msin", "pool": None, "size": 12}, "speak through a handset: curve msin"),
        ({"kind": "handset", "pool": "p", "size": 12}, "speak through a handset: pool p, size 12"),
        (
            {"kind": "add_noise", "source": {"kind": "babble", "talkers": 6}, "snr_db": 10.0, "role": "environment"},
            "add noise: source babble (talkers 6), SNR 10 dB, role environment",
        ),
        (
            {"kind": "add_noise", "source": {"kind": "pink"}, "level": {"speech_dba": 65, "noise_dba": 60.5}},
            "add noise: source pink, level (speech 65 dB(A), noise 60.5 dB(A))",
        ),
        (
            {"kind": "codec", "loss": {"rate": 0.03, "max_burst_ms": 200, "exact": True}, "name": "c", "bitrate": 5900},
            "encode and decode: name c, bit rate 5900 bit/s, "
            "loss (rate 0.03 of all packets, max burst 200 ms, exact yes)",
        ),
        (
            {"kind": "reverb", "room": {"kind": "simulated", "size_m": [5, 4.5, 3], "rt60_s": 0.5}},
            "speak in a room: room simulated (size 5 x 4.5 x 3 m, RT60 0.5 s)",
        ),
        ({"kind": "of_another_package", "odd_name": [3, 2], "s": 1}, "of_another_package: odd name 3 + 2, s 1"),
        ({"kind": "codec", "bitrate": 12_345_678}, "encode and decode: bit rate 12345678 bit/s"),
        ({"kind": "nothing"}, "nothing"),
    ],
)
def test_a_step_reads_as_its_settings(step: dict[str, object], words: str) -> None:
    assert in_words(step) == words


def test_nothing_hides_and_no_machines_folder_is_told() -> None:
    step = {"kind": "k\u202e", "path": "/home/somebody/ward7", "na\x1bme": "a\x07b"}
    assert in_words(step) == "k(U+202E): path ward7, na(U+001B)me a(U+0007)b"
