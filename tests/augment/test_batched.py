"""The batched path against the reference path: within one 16-bit step, whatever is in the batch."""

import dataclasses
import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augment.batched import BatchedRenderer
from augment.chain import PlanInput, Source
from augment.errors import ConditionError, NoActiveSpeechError
from augment.level import WEIGHTINGS, active_mask, active_speech_level, gain_to_level, weight
from augment.rendering import Rendering

torch = pytest.importorskip("torch")

FS = 16_000
COVERED = (
    *("clean", "quiet_room_20", "babble_10", "babble_5", "street_5", "machine_tonal_5", "mains_hum_10", "reverb_room"),
    *("far_field", "handset_pool", "band_8k", "landline_g711", "clipping_6"),
)
# further noises, which take time to make and go the same way as babble_10
SLOW = {
    name: pytest.param(name, marks=pytest.mark.slow)
    for name in ("quiet_room_20", "babble_5", "street_5", "machine_tonal_5", "mains_hum_10")
}
NOT_COVERED = ("mobile_amr122", "mobile_amr59_loss3", "gsm_fr", "voip_opus16_loss10", "silence_pad", "street_call")

ROOM = {"kind": "reverb", "room": {"kind": "synthetic", "rt60_s": 0.3, "drr_db": 3}}
PINK = {"kind": "add_noise", "source": {"kind": "pink"}, "snr_db": 15}
LOSS = {"rate": 0.2, "mean_burst": 2}
OTHERS = {
    "level": [ROOM, {"kind": "level", "target_dbov": -30}],
    "noise after noise": [PINK, PINK | {"role": "microphone", "snr_db": 30}],
    "noise through a telephone": [PINK, {"kind": "handset", "curve": "irs_send"}, {"kind": "clip", "headroom_db": 9}],
    "filter": [{"kind": "filter", "high_pass_hz": 300, "low_pass_hz": 3400}],
    "gain": [{"kind": "gain", "gain_db": -6}],
    "quantize": [{"kind": "quantize", "bits": 9}],
    "nothing": [{"kind": "gain", "gain_db": 0}, {"kind": "resample", "rate_hz": 16000}],
    "holes": [{"kind": "loss", "conceal": "zero", **LOSS}],
    "repeats": [PINK, {"kind": "loss", "conceal": "repeat", "packet_ms": 10, **LOSS}],
    "mu-law": [{"kind": "codec", "name": "g711", "law": "mu"}],
    "a line with repeats": [ROOM, {"kind": "codec", "name": "g711", "loss": {"conceal": "repeat", **LOSS}}],
    "a line with holes": [PINK, {"kind": "codec", "name": "g711", "loss": {"conceal": "zero", **LOSS}}],
}
LENGTHS_S = (0.5, 1.0, 1.2, 1.20004, 2.1, 2.9)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Let torch compute in one thread: the tests already run in as many processes as there are cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def renderer(shared_resources):
    return BatchedRenderer("cpu", shared_resources)


@pytest.fixture
def utterances(speechlike):
    return spoken(speechlike)


@cache
def spoken(speechlike):
    return [Source(speechlike(seed, duration_s)) for seed, duration_s in enumerate(LENGTHS_S)]


@pytest.fixture
def condition(shipped, build):
    """Return a condition by its name, whether shipped or one of the others."""
    return lambda name: build("other", {"steps": OTHERS[name]}) if name in OTHERS else shipped(name)


def planned(condition, sources, resources):
    inputs = [PlanInput(f"u{number}", "stranger", source.samples.size) for number, source in enumerate(sources)]
    return [condition.plan(one, number % resources.slots, resources) for number, one in enumerate(inputs)]


def apart(one: Rendering, other: Rendering) -> int:
    """Return how many 16-bit steps two renderings differ at most."""
    assert one.samples.dtype == other.samples.dtype == np.int16
    assert one.samples.shape == other.samples.shape
    return int(np.max(np.abs(one.samples.astype(int) - other.samples)))


def assert_realised_alike(one: Rendering, other: Rendering) -> None:
    ours, theirs = dataclasses.asdict(one.realised), dataclasses.asdict(other.realised)
    steps, its_steps = json.loads(ours.pop("steps")), json.loads(theirs.pop("steps"))
    for mine, its in [(ours, theirs), *zip(steps, its_steps, strict=True)]:
        assert list(mine) == list(its)
        for name in mine.keys() - {"audio_sha256"}:
            if isinstance(its[name], float):
                assert mine[name] == pytest.approx(its[name], rel=0, abs=1e-6), name
            else:
                assert mine[name] == its[name], name


def assert_equal_to_the_reference(renderer, one, sources, resources, monkeypatch, probe="speech"):
    # a failing batch must not hide behind the reference path that it falls back to
    monkeypatch.setattr(renderer, "_alone", lambda *_: pytest.fail("given up"))
    plans = planned(one, sources, resources)
    assert renderer.covers(one)
    batch = renderer.render(one, sources, plans, probe=probe)
    for source, plan, made in zip(sources, plans, batch, strict=True):
        reference = one.render(source, plan, resources, probe=probe)
        assert apart(made, reference) <= 1
        assert_realised_alike(made, reference)


@pytest.mark.parametrize("name", [SLOW.get(name, name) for name in (*COVERED, *OTHERS)])
def test_a_batch_equals_the_reference_within_one_step(
    name, condition, renderer, utterances, shared_resources, monkeypatch
):
    assert_equal_to_the_reference(renderer, condition(name), utterances, shared_resources, monkeypatch)


@pytest.mark.parametrize("name", ["clean", "far_field", "landline_g711", "noise through a telephone", "repeats"])
def test_a_batch_without_its_talkers_equals_the_reference_within_one_step(
    name, condition, renderer, utterances, shared_resources, monkeypatch
):
    assert_equal_to_the_reference(
        renderer, condition(name), utterances, shared_resources, monkeypatch, probe="noise_only"
    )


def test_every_shipped_condition_is_either_covered_or_known_not_to_be(renderer, every_shipped):
    steps_of_ladders = {f"{kind}_{snr_db}" for kind in ("babble", "street") for snr_db in (0, 5, 10, 15, 20)}
    found = {one.name for one in every_shipped if renderer.covers(one)}
    assert found == {*COVERED, *steps_of_ladders, "as_transcribed"}
    assert {one.name for one in every_shipped} - found == set(NOT_COVERED)


@pytest.mark.parametrize("name", NOT_COVERED)
def test_what_only_the_reference_path_can_do_is_not_covered(name, renderer, shipped, utterances):
    assert not renderer.covers(shipped(name))
    with pytest.raises(ConditionError, match=rf"conditions\.{name}: .*render\.device"):
        renderer.render(shipped(name), utterances, [{}] * len(utterances))


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "resample", "rate_hz": 11025},
        {"kind": "loss", "conceal": "pitch", **LOSS},
        {"kind": "codec", "name": "g711", "loss": {"conceal": "pitch", **LOSS}},
        {"kind": "codec", "name": "g722"},
    ],
    ids=str,
)
def test_settings_without_a_batched_form_are_not_covered(step, renderer, build):
    assert not renderer.covers(build("other", {"steps": [step]}))


def test_a_step_of_someone_elses_is_not_taken_for_the_one_that_it_derives_from(renderer, build):
    one = build("other", {"steps": OTHERS["gain"]})
    derived = type("Louder", (type(one.steps[0]),), {})
    step = derived(derived.Settings(gain_db=-6))
    assert not renderer.covers(dataclasses.replace(one, steps=(step,)))


signals = st.builds(
    lambda seed, length, level, silent: (
        level * np.random.RandomState(seed).randn(length) * (np.arange(length) % 9000 > silent)
    ),
    st.integers(0, 2**31),
    st.integers(FS // 20, 3 * FS),
    st.sampled_from([1e-6, 0.001, 0.1, 3.0, 1e6]),
    st.integers(0, 8000),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(signals, min_size=1, max_size=5), name=st.sampled_from([*COVERED, *OTHERS]))
def test_any_signals_of_any_lengths_come_out_alike_or_are_refused_alike(
    batch, name, condition, renderer, shared_resources
):
    one, sources = condition(name), [Source(signal) for signal in batch]
    plans = planned(one, sources, shared_resources)
    for source, plan, made in zip(sources, plans, renderer.render(one, sources, plans), strict=True):
        if isinstance(made, ConditionError):
            with pytest.raises(type(made)) as caught:
                one.render(source, plan, shared_resources)
            assert str(caught.value) == str(made)
        else:
            assert apart(made, one.render(source, plan, shared_resources)) <= 1


def test_a_failure_of_one_utterance_is_not_a_failure_of_the_batch(renderer, shipped, utterances, shared_resources):
    one = shipped("handset_pool")
    sources = [utterances[3], Source(np.zeros(FS)), utterances[5], utterances[4]]
    plans = planned(one, sources, shared_resources)
    plans[2] = {}
    good, silent, unplanned, fine = renderer.render(one, sources, plans)
    assert isinstance(silent, NoActiveSpeechError)
    assert "no active speech by ITU-T P.56 in 1.00 s" in str(silent)
    assert isinstance(unplanned, ConditionError)
    assert "conditions.handset_pool.steps.0 (handset): the plan has handset: None" in str(unplanned)
    for made, row in ((good, 0), (fine, 3)):
        assert apart(made, one.render(sources[row], plans[row], shared_resources)) <= 1


def test_a_batch_without_any_speech_fails_one_by_one(renderer, shipped):
    failed = renderer.render(shipped("clean"), [Source(np.zeros(FS)), Source(np.zeros(99))], [{}, {}])
    assert [type(one) for one in failed] == [NoActiveSpeechError] * 2
    assert renderer.render(shipped("clean"), [], []) == []


def test_a_rendering_outside_its_tolerance_is_refused_with_the_references_sentence(renderer, build, speechlike):
    one = build("loud", {"steps": [{"kind": "gain", "gain_db": 40}]})
    (refused,) = renderer.render(one, [Source(speechlike(1))], [{}])
    assert isinstance(refused, ConditionError)
    assert "conditions.loud: " in str(refused)
    assert "beyond full scale" in str(refused)


@pytest.mark.parametrize("name", ["far_field", "landline_g711", "handset_pool"])
def test_a_rendering_does_not_depend_on_its_batch(name, renderer, shipped, utterances, shared_resources):
    one = shipped(name)
    plans = planned(one, utterances, shared_resources)
    together = renderer.render(one, utterances, plans)
    order = np.random.RandomState(0).permutation(len(utterances))
    shuffled = renderer.render(one, [utterances[row] for row in order], [plans[row] for row in order])
    for row, made in zip(order, shuffled, strict=True):
        (alone,) = renderer.render(one, [utterances[row]], [plans[row]])
        for other in (made, alone):
            assert np.array_equal(other.samples, together[row].samples)
            assert other.realised.peak == pytest.approx(together[row].realised.peak, abs=1e-12)
            assert_realised_alike(other, together[row])


def test_neighbors_and_padding_change_a_sample_by_less_than_1e_12(utterances):
    from augment.batched.levels import weighted
    from augment.batched.resampling import doubled, halved
    from augment.batched.rows import Rows

    signals = [source.samples for source in utterances]
    together = Rows.of(signals, torch.device("cpu"))
    for change in (lambda rows: doubled(halved(rows), rows), lambda rows: weighted(rows, FS, "a")):
        batch = change(together).samples.numpy()
        for row, signal in zip(batch, signals, strict=True):
            alone = change(Rows.of([signal], torch.device("cpu"))).samples[0].numpy()
            assert np.max(np.abs(row[: signal.size] - alone)) < 1e-12
            assert not np.any(row[signal.size :])


# as in test_level: what the ITU-T G.191 reference program reports, in dBov
def tone(fs):
    return 0.5 * np.sin(2 * np.pi * 1000 * np.arange(8 * fs) / fs)


def pulsed(fs, period_s, on_s):
    return tone(fs) * ((np.arange(8 * fs) / fs) % period_s < on_s)


def hiss(fs):
    return 0.05 * np.random.RandomState(4).randn(8 * fs) * (np.arange(8 * fs) >= 2 * fs)


GOLDEN = {
    8000: [(tone(8000), -9.018), (pulsed(8000, 2, 1), -10.076), (pulsed(8000, 2, 0.4), -11.341)],
    16000: [
        *[(tone(16000), -9.018), (pulsed(16000, 2, 1), -10.083), (pulsed(16000, 2, 0.4), -11.354)],
        *[(pulsed(16000, 1, 0.05), -17.546), (hiss(16000), -25.992), (np.zeros(FS), None)],
        (1e-4 * np.random.RandomState(3).randn(8 * FS), None),
    ],
    48000: [(tone(48000), -9.018)],
}


@pytest.mark.parametrize("fs", GOLDEN)
def test_the_active_level_is_the_reference_programs_and_exactly_numpys(fs):
    from augment.batched.levels import Measurement
    from augment.batched.rows import Rows

    signals = [np.clip(np.round(32768 * x), -32768, 32767) / 32768 for x, _ in GOLDEN[fs]]
    measurement = Measurement(Rows.of(signals, torch.device("cpu")), fs)
    found = list(zip(signals, GOLDEN[fs], measurement.levels(), measurement.gains_to(-26.0), strict=True))
    for x, (_, level_dbov), level, gain in found:
        if level_dbov is None:
            assert level is None
            assert gain is None
            continue
        assert level.level_dbov == pytest.approx(level_dbov, abs=0.05)
        exact = active_speech_level(x, fs)
        assert level.level_dbov == pytest.approx(exact.level_dbov, abs=1e-6)
        assert level.rms_dbov == pytest.approx(exact.rms_dbov, abs=1e-6)
        assert level.activity == pytest.approx(exact.activity, abs=1e-9)
        assert gain == pytest.approx(gain_to_level(x, fs, target_dbov=-26.0)[0], rel=1e-9)


def test_levels_under_every_weighting_and_activity_equal_numpys_also_beyond_full_scale(utterances):
    from augment.batched.rows import Rows
    from augment.batched.speech import SpeechRows

    signals = [source.samples * scale for source, scale in zip(utterances, (1, 100, 0.01, 1e7, 1, 3), strict=True)]
    speech = SpeechRows(lambda: Rows.of(signals, torch.device("cpu")))
    for weighting in WEIGHTINGS:
        for signal, level in zip(signals, speech.levels(weighting), strict=True):
            exact = active_speech_level(weight(signal, FS, weighting), FS)
            assert level.level_dbov == pytest.approx(exact.level_dbov, abs=1e-6)
    for signal, mask in zip(signals, speech.activity_masks, strict=True):
        assert np.array_equal(mask, active_mask(signal, FS, active_speech_level(signal, FS)))


@pytest.mark.parametrize("length", [1, 2, 3, 757, 758, 759, 1516, 1517, 2048, 16001, 40000])
def test_resampling_by_two_is_soxrs_to_the_rounding_of_float64_edges_included(length):
    from augment.batched.resampling import doubled, halved
    from augment.batched.rows import Rows
    from augment.resample import fitted, resampled

    x = np.random.RandomState(length).uniform(-1, 1, length)
    rows = Rows.of([x], torch.device("cpu"))
    narrow = halved(rows)
    expected = resampled(x, FS, 8000)
    assert narrow.samples.shape[1] == expected.size
    assert np.max(np.abs(narrow.samples[0].numpy() - expected)) < 1e-12
    wide = doubled(narrow, rows).samples[0].numpy()
    assert np.max(np.abs(wide - fitted(resampled(expected, 8000, FS), length))) < 1e-12


def test_the_kaiser_kernel_of_torchaudio_is_hundreds_of_steps_from_the_reference():
    # why resampling is not left to it: "Kaiser best" as librosa once had it is 4 dB off at 3800 Hz
    functional = pytest.importorskip("torchaudio").functional
    from augment.resample import resampled

    x = 0.5 * np.sin(2 * np.pi * 3800 * np.arange(FS) / FS)
    kaiser = {"lowpass_filter_width": 64, "rolloff": 0.9475937167399596, "beta": 14.769656459379492}
    theirs = functional.resample(torch.from_numpy(x), FS, 8000, resampling_method="sinc_interp_kaiser", **kaiser)
    off = np.max(np.abs(theirs.numpy() - resampled(x, FS, 8000))) * 32768
    assert off > 100


def test_the_batched_path_refuses_a_soxr_that_it_does_not_know(monkeypatch, shared_resources):
    from augment.batched import resampling

    monkeypatch.setattr(resampling, "resampled", lambda x, from_hz, to_hz: np.zeros(-(-x.size * to_hz // from_hz)))
    with pytest.raises(ConditionError, match=r"the soxr library .* set render\.device to null"):
        BatchedRenderer("cpu", shared_resources)


@pytest.mark.parametrize("device", ["tpu", "cuda:7", ""])
def test_an_unknown_device_is_refused(device, shared_resources):
    with pytest.raises(ConditionError, match=r"render\.device: there is no device .* cpu, cuda or null"):
        BatchedRenderer(device, shared_resources)


def test_a_missing_card_is_one_sentence(monkeypatch, shared_resources):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConditionError, match=r"render\.device cuda: .*asr-accent-study\[gpu\].* set it to cpu or null"):
        BatchedRenderer("cuda", shared_resources)


def test_missing_torch_is_one_sentence_with_the_install_hint(monkeypatch, shared_resources):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConditionError, match=r'torch is not installed\. pip install "asr-accent-study\[gpu\]"'):
        BatchedRenderer("cpu", shared_resources)


def test_the_package_imports_without_torch():
    code = "import sys, augment.batched; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_nothing_global_is_touched(renderer, shipped, utterances, shared_resources):
    one = shipped("far_field")
    plans = planned(one, utterances, shared_resources)
    before = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype(), np.random.get_state()[1].copy()
    renderer.render(one, utterances, plans)
    after = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype(), np.random.get_state()[1]
    assert torch.equal(before[0], after[0])
    assert before[1:3] == after[1:3]
    assert np.array_equal(before[3], after[3])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no graphics card")
def test_a_card_equals_the_reference_within_one_step(condition, utterances, shared_resources, monkeypatch):
    renderer = BatchedRenderer("cuda", shared_resources)
    for name in [*COVERED, *OTHERS]:
        assert_equal_to_the_reference(renderer, condition(name), utterances, shared_resources, monkeypatch)
