"""Named handsets against the tables of ITU-T P.48 and P.830, and against responses measured by others."""

from importlib.resources import files

import numpy as np
import pytest

from augment.handset.curves import curve_response, table

FS = 16_000

# Hz: ITU-T P.48 Table 1 (sending); ITU-T P.830 Annex D (modified IRS, sending)
NOMINAL = {
    100: (-45.8, -31.7),
    125: (-36.1, -24.7),
    160: (-25.6, -17.2),
    200: (-19.2, -13.3),
    250: (-14.3, -10.3),
    300: (-11.3, -8.5),
    315: (-10.8, -8.3),
    400: (-8.4, -7.0),
    500: (-6.9, -6.3),
    600: (-6.3, -6.0),
    630: (-6.1, -5.9),
    800: (-4.9, -4.9),
    1000: (-3.7, -3.7),
    1250: (-2.3, -2.3),
    1600: (-0.6, -0.5),
    2000: (0.3, 0.1),
    2500: (1.8, 1.3),
    3000: (1.5, 2.0),
    3150: (1.8, 2.1),
    3500: (-7.3, -0.3),
    4000: (-37.2, -3.5),
    5000: (-52.2, -9.0),
    6300: (-73.6, -23),
    8000: (-90.0, -40),
}

# measured with single tones through the filters of ITU-T G.191: P.48 at 8 kHz; modified IRS, MSIN, P.341 at 16 kHz
MEASURED = {
    50: (-63.3, -49.3, -25.1, -2.7),
    80: (-55.7, -38.5, -17.0, 0.1),
    100: (-45.8, -31.8, -13.1, -0.1),
    125: (-36.1, -24.7, -9.4, 0.1),
    160: (-25.9, -17.2, -5.6, 0.1),
    200: (-19.5, -13.3, -2.7, -0.1),
    250: (-14.5, -10.3, -0.8, -0.1),
    300: (-11.2, -8.5, -0.1, -0.1),
    400: (-8.1, -7.0, 0.0, -0.1),
    500: (-6.7, -6.3, 0.0, 0.0),
    800: (-5.1, -4.9, 0.0, 0.0),
    1000: (-4.0, -3.7, 0.0, -0.1),
    1600: (-0.4, -0.5, 0.0, -0.1),
    2000: (0.4, -0.1, 0.0, 0.1),
    2500: (1.5, 1.3, 0.0, 0.1),
    3000: (1.8, 2.0, 0.0, -0.1),
    3400: (-2.3, 0.6, 0.0, 0.0),
    3600: (-13.3, -1.1, 0.0, -0.1),
    3800: (-25.2, -2.4, 0.0, 0.1),
    4000: (None, -3.5, 0.0, 0.0),
    5000: (None, -9.0, 0.0, 0.0),
    6300: (None, -23.7, 0.0, 0.1),
    7000: (None, -33.2, 0.0, -3.3),
    7500: (None, -38.1, 0.0, -62.3),
}
CURVES = ("irs_send", "mirs_send", "msin", "p341")


def worst_db(gains_db, curve, expected, from_hz, to_hz):
    """The largest deviation from values in dB that are set to 0 dB at 1 kHz."""
    wanted = {hz: db - expected[1000] for hz, db in expected.items() if from_hz <= hz <= to_hz}
    return np.max(np.abs(gains_db(list(wanted), curve=curve) - np.array(list(wanted.values()))))


@pytest.mark.parametrize("number", [0, 1])
def test_a_telephone_follows_its_recommendation_within_half_a_decibel_in_the_telephone_band(number, gains_db):
    nominal = {hz: row[number] for hz, row in NOMINAL.items()}
    assert worst_db(gains_db, CURVES[number], nominal, 200, 3400) < 0.5
    assert worst_db(gains_db, CURVES[number], nominal, 125, 6300) < 1.0
    assert worst_db(gains_db, CURVES[number], nominal, 100, 100) < 3.0  # 42 dB down for P.48


@pytest.mark.parametrize(
    ("curve", "from_hz", "to_hz", "tolerance_db"),
    [
        # two realizations of one table, each allowed half a decibel
        ("irs_send", 200, 3000, 1.0),
        ("irs_send", 3400, 3800, 3.0),  # 13 dB per 200 Hz
        ("mirs_send", 125, 5000, 0.5),
        ("mirs_send", 6300, 6300, 1.0),
        ("mirs_send", 7000, 7500, 3.0),  # between two estimates that are not in the Recommendation
        ("msin", 80, 7500, 0.3),
        ("msin", 50, 50, 2.0),
        ("p341", 100, 6300, 0.1),
        ("p341", 50, 7500, 0.7),  # its edges, 59 dB between 7000 and 7500 Hz
    ],
)
def test_a_curve_agrees_with_what_others_measured(curve, from_hz, to_hz, tolerance_db, gains_db):
    column = CURVES.index(curve)
    measured = {hz: row[column] for hz, row in MEASURED.items() if row[column] is not None}
    assert worst_db(gains_db, curve, measured, from_hz, to_hz) < tolerance_db


def test_a_telephone_of_p48_is_steep_at_the_edges_of_its_band(gains_db):
    at_3400, at_100, at_60, at_4000 = gains_db([3400, 100, 60, 4000], curve="irs_send")
    assert at_3400 == pytest.approx(-4.8 + 3.7, abs=0.5)  # between 3150 and 3500 Hz
    assert at_100 < -38
    assert at_60 < -38
    assert at_4000 < -32


def test_the_filter_of_irs_send_is_the_one_that_published_numbers_were_made_with():
    taps = curve_response("irs_send").taps
    assert taps.size == 801
    assert taps[400] == pytest.approx(0.5596136576161056, rel=1e-9)
    assert taps[[399, 401]] == pytest.approx(0.3550604247988045, rel=1e-9)
    assert taps[[380, 420]] == pytest.approx(0.006181239225159569, rel=1e-9)


def test_the_tables_of_the_recommendations_are_complete():
    for number, curve in enumerate(["irs_send", "mirs_send"]):
        known_hz, known_db = table(curve)
        assert dict(zip(known_hz, known_db, strict=True)) == {hz: row[number] for hz, row in NOMINAL.items()}


@pytest.mark.parametrize("curve", CURVES)
def test_every_table_ascends_in_frequency_and_the_data_name_their_sources(curve):
    known_hz, known_db = table(curve)
    assert np.all(np.diff(known_hz) > 0)
    assert known_hz[0] > 0
    assert known_hz.size == known_db.size
    for data in files("augment").joinpath("data").iterdir():
        assert data.read_text(encoding="utf-8").startswith("# source: "), data.name


@pytest.mark.parametrize("curve", CURVES)
def test_beyond_its_table_a_curve_stays_at_the_last_value(curve, gains_db):
    known_hz, known_db = table(curve)
    nominal_db = dict(zip(known_hz, known_db, strict=True))
    at_30, at_7900 = gains_db([30, 7900], curve=curve) + (nominal_db.get(1000, 0.0))
    assert at_30 == pytest.approx(known_db[0], abs=3.5)
    if known_hz[-1] < 7900:
        assert at_7900 == pytest.approx(known_db[-1], abs=0.5)
