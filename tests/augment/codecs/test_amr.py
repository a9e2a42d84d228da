"""AMR against the frame formats of 3GPP TS 26.101 and TS 26.201, and its decoders where frames are missing."""

import numpy as np
import pytest

from augment.codecs.amr import NO_DATA

# bits of speech in a frame of each mode, from the specifications; a mode's number is its place
NARROWBAND_BITS = {4_750: 95, 5_150: 103, 5_900: 118, 6_700: 134, 7_400: 148, 7_950: 159, 10_200: 204, 12_200: 244}
NARROWBAND_TYPE_BYTES = [0x04, 0x0C, 0x14, 0x1C, 0x24, 0x2C, 0x34, 0x3C]
WIDEBAND_BITS = {6_600: 132, 8_850: 177, 12_650: 253, 14_250: 285, 15_850: 317, 18_250: 365, 19_850: 397}
WIDEBAND_BITS |= {23_050: 461, 23_850: 477}
EACH = [("amr_nb", 5_900), ("amr_nb", 12_200), ("amr_wb", 12_650)]


def pcm(x, rate_hz):
    return np.rint(32_768 * x[:: 16_000 // rate_hz]).astype(np.int16)


def rms(x):
    return float(np.sqrt(np.mean(np.square(x.astype(float)))))


@pytest.mark.parametrize(("number", "bitrate"), list(enumerate(NARROWBAND_BITS)))
def test_each_narrowband_rate_is_its_own_mode(number, bitrate, coder, spoken):
    frames = coder("amr_nb", bitrate=bitrate).frames(pcm(spoken(1, 0.5), 8_000))
    assert {frame[0] for frame in frames} == {NARROWBAND_TYPE_BYTES[number]} == {number << 3 | 4}
    assert {len(frame) for frame in frames} == {1 + -(-NARROWBAND_BITS[bitrate] // 8)}


@pytest.mark.parametrize(("number", "bitrate"), list(enumerate(WIDEBAND_BITS)))
def test_each_wideband_rate_is_its_own_mode(number, bitrate, coder, spoken):
    frames = coder("amr_wb", bitrate=bitrate).frames(pcm(spoken(1, 0.5), 16_000))
    assert {frame[0] for frame in frames} == {number << 3 | 4}
    assert {len(frame) for frame in frames} == {1 + -(-WIDEBAND_BITS[bitrate] // 8)}


@pytest.mark.parametrize(("name", "bitrate"), EACH)
def test_silence_is_encoded_like_speech_because_nothing_switches_the_sender_off(name, bitrate, coder):
    made = coder(name, bitrate=bitrate)
    assert len({frame[0] for frame in made.frames(np.zeros(made.rate_hz, dtype=np.int16))}) == 1


def test_a_frame_without_data_has_type_15():
    assert len(NO_DATA) == 1
    assert (NO_DATA[0] >> 3) & 0x0F == 15


def losing(made, sent, lost):
    """Return what is decoded with and without some frames, and where in it the last of them lies."""
    mask = np.zeros(-(-sent.size * 50 // made.rate_hz), dtype=bool)
    mask[lost] = True
    frame = made.rate_hz // 50
    start = (lost.stop - 1) * frame - made.delay_samples
    return made.round_trip(sent, mask), made.round_trip(sent), slice(start, start + frame)


@pytest.mark.parametrize(("name", "bitrate"), EACH)
def test_the_decoder_bridges_one_lost_frame(name, bitrate, coder, spoken):
    made = coder(name, bitrate=bitrate)
    shares = []
    for lost in range(20, 90, 10):
        heard, whole, hole = losing(made, pcm(spoken(2, 2.0), made.rate_hz), slice(lost, lost + 1))
        assert heard.size == whole.size
        assert np.array_equal(heard[: hole.start], whole[: hole.start])
        assert not np.array_equal(heard[hole], whole[hole])
        shares.append(rms(heard[hole]) / rms(whole[hole]))
    # a hole would be 0; the wideband decoder turns down at the first loss already
    assert (0.3 if name == "amr_nb" else 0.05) < np.median(shares) < 1.5


@pytest.mark.parametrize(("name", "bitrate"), EACH)
def test_the_decoder_falls_silent_over_many_lost_frames_and_comes_back(name, bitrate, coder, spoken):
    made = coder(name, bitrate=bitrate)
    heard, whole, last = losing(made, pcm(spoken(2, 2.0), made.rate_hz), slice(40, 70))
    assert rms(heard[last]) < 0.05 * rms(whole)
    after = slice(last.stop + made.rate_hz // 4, whole.size)
    assert rms(heard[after]) == pytest.approx(rms(whole[after]), rel=0.3)


@pytest.mark.parametrize(("name", "bitrate"), EACH)
def test_it_decodes_where_the_first_or_every_frame_is_lost(name, bitrate, coder, spoken):
    made = coder(name, bitrate=bitrate)
    sent = pcm(spoken(3, 1.0), made.rate_hz)
    first = made.round_trip(sent, np.arange(50) < 3)
    assert first.size == sent.size
    assert rms(first[made.rate_hz // 2 :]) > 0.5 * rms(sent[made.rate_hz // 2 :])
    assert rms(made.round_trip(sent, np.ones(50, dtype=bool))) < 0.1 * rms(sent)
    none = made.round_trip(sent, np.zeros(50, dtype=bool))
    assert np.array_equal(none, made.round_trip(sent))
