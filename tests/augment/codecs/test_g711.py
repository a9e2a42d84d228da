"""G.711 against check sums of the ITU-T reference program's output over the 16-bit ramp."""

import zlib

import numpy as np
import pytest

from augment.codecs.g711 import decode, encode, round_trip

RAMP = np.arange(-32768, 32768).astype(np.int16)


@pytest.mark.parametrize(
    ("law", "linear_crc", "code_crc", "levels", "largest"),
    [("mu", 0x63641C01, 0x6399D432, 255, 32124), ("a", 0xABCEAA69, 0x9133796E, 256, 32256)],
)
def test_all_65536_samples_come_out_as_the_reference_program_gives_them(law, linear_crc, code_crc, levels, largest):
    out = round_trip(RAMP, law)
    assert zlib.crc32(out.astype("<i2").tobytes()) == linear_crc
    assert zlib.crc32(encode(RAMP, law).tobytes()) == code_crc
    assert len(np.unique(out)) == levels
    assert (out.min(), out.max()) == (-largest, largest)


@pytest.mark.parametrize("law", ["a", "mu"])
def test_a_second_trip_changes_nothing(law):
    once = round_trip(RAMP, law)
    assert np.array_equal(round_trip(once, law), once)
    assert np.array_equal(decode(encode(RAMP, law), law), once)


@pytest.mark.parametrize("law", ["a", "mu"])
def test_the_law_keeps_order_and_a_relative_error_of_a_sixteenth(law):
    out = round_trip(RAMP, law).astype(int)
    assert np.all(np.diff(out) >= 0)
    loud = np.abs(RAMP.astype(int)) > 1024
    assert np.max(np.abs(out[loud] - RAMP[loud]) / np.abs(RAMP[loud].astype(int))) < 1 / 16
