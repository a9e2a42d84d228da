"""The scripted backend plants counts that a minimal alignment finds again, exactly."""

import math

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.asr.base import Backend, Request
from pipeline.asr.scripted import Rates, Scripted, ScriptedSettings
from pipeline.records import ErrorCounts


def request(index, reference, *, condition="clean", accent="a", speaker_id="s1"):
    return Request(f"{index}/{condition}", str(index), condition, accent, speaker_id, reference, None)


def aligned(reference, hypothesis):
    found = jiwer.process_words(reference, hypothesis)
    return ErrorCounts(found.hits, found.substitutions, found.deletions, found.insertions)


@st.composite
def possible_rates(draw):
    substitution = draw(st.floats(0, 0.9))
    deletion = draw(st.floats(0, 1)) * (0.99 - substitution)
    return Rates(substitution=substitution, deletion=deletion, insertion=draw(st.floats(0, 2)))


# few different words, so that repeats (the hard case for an alignment) are common
references = st.lists(st.sampled_from(["a", "b", "the", "zqaaaaa"]), min_size=1, max_size=14).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(rates=possible_rates(), reference=references, seed=st.integers(0, 2**40), sd=st.sampled_from([0.0, 0.7]))
def test_alignment_finds_exactly_the_planted_counts(rates, reference, seed, sd):
    backend = Scripted(ScriptedSettings(rates={"*": {"*": rates}}, seed=seed, speaker_log_sd=sd))
    trial = request(1, reference)
    (said,) = backend.transcribe([trial])
    assert aligned(reference, said.text) == backend.expected_counts(trial)


def test_counts_come_close_to_the_planted_rates_over_many_words():
    rates = Rates(substitution=0.12, deletion=0.05, insertion=0.08)
    backend = Scripted(ScriptedSettings(rates={"*": {"*": rates}}))
    words = "one two three four five six seven eight nine ten"
    counts = sum((backend.expected_counts(request(i, words)) for i in range(3000)), start=ErrorCounts.zero())
    # 30 000 words; deletions and insertions come in one kind an utterance, which widens their spread
    assert counts.substitutions / counts.ref_words == pytest.approx(0.12, abs=4 * math.sqrt(0.12 * 0.88 / 30_000))
    assert counts.deletions / counts.ref_words == pytest.approx(0.05, abs=0.01)
    assert counts.insertions / counts.ref_words == pytest.approx(0.08, abs=0.01)
    assert counts.wer == pytest.approx(rates.wer, abs=0.015)


def test_rates_above_one_are_reached_by_insertions():
    backend = Scripted(ScriptedSettings(rates={"*": {"*": {"substitution": 0.5, "deletion": 0.4, "insertion": 1.5}}}))
    words = "one two three four five six seven eight nine ten"
    counts = sum((backend.expected_counts(request(i, words)) for i in range(2000)), start=ErrorCounts.zero())
    assert counts.wer == pytest.approx(2.4, rel=0.1)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({"substitution": 1.0}, ErrorCounts(0, 3, 0, 0)),
        ({"deletion": 1.0}, ErrorCounts(0, 0, 3, 0)),
        ({"insertion": 1.0}, ErrorCounts(3, 0, 0, 3)),
        ({}, ErrorCounts(3, 0, 0, 0)),
    ],
)
def test_certain_rates_give_certain_counts(rates, expected):
    backend = Scripted(ScriptedSettings(rates={"*": {"*": rates}}))
    assert backend.expected_counts(request(1, "one two three")) == expected


def test_named_rates_come_before_any_other():
    table = {
        "a": {"clean": {"deletion": 0.1}, "*": {"deletion": 0.2}},
        "*": {"clean": {"deletion": 0.3}, "*": {"deletion": 0.4}},
    }
    planted = ScriptedSettings(rates=table)
    found = [planted.rates_of(*key).deletion for key in [("a", "clean"), ("a", "x"), ("b", "clean"), ("b", "x")]]
    assert found == [0.1, 0.2, 0.3, 0.4]
    assert ScriptedSettings(rates={"a": {"clean": {"deletion": 0.1}}}).rates_of("b", "clean") == Rates()


def test_batch_and_order_change_nothing():
    backend = Scripted(ScriptedSettings(rates={"*": {"*": {"substitution": 0.3, "insertion": 0.2}}}))
    trials = [request(i, "one two three four five", condition=c) for i in range(20) for c in ("clean", "noisy")]
    together = dict(zip([t.trial_key for t in trials], backend.transcribe(trials), strict=True))
    alone = {t.trial_key: backend.transcribe([t])[0] for t in reversed(trials)}
    assert together == alone


def test_seed_and_condition_change_the_script():
    def said(seed, condition):
        backend = Scripted(ScriptedSettings(rates={"*": {"*": {"substitution": 0.5}}}, seed=seed))
        return backend.transcribe([request(1, "one two three four five six seven eight", condition=condition)])[0].text

    assert len({said(0, "clean"), said(1, "clean"), said(0, "noisy")}) == 3


def test_speakers_differ_around_the_planted_rate_when_asked():
    plan = {"*": {"*": {"substitution": 0.1}}}
    words = " ".join(["word"] * 200)

    def per_speaker(sd):
        backend = Scripted(ScriptedSettings(rates=plan, speaker_log_sd=sd))
        return [backend.expected_counts(request(i, words, speaker_id=f"s{i}")).wer for i in range(400)]

    alike, apart = per_speaker(0.0), per_speaker(0.5)
    assert max(apart) - min(apart) > 2 * (max(alike) - min(alike))
    # a log-normal of mean 1 and sd(log) 0.5 has sd 0.533: the mean of 400 is within 4 standard errors
    assert sum(apart) / 400 == pytest.approx(0.1, abs=4 * 0.1 * 0.56 / 20)


def test_one_speaker_keeps_the_multiplier_under_every_condition():
    backend = Scripted(ScriptedSettings(rates={"*": {"*": {"substitution": 0.1}}}, speaker_log_sd=1.0))
    words = " ".join(["word"] * 5000)
    rates = [backend.expected_counts(request(1, words, condition=c)).wer for c in ("clean", "noisy")]
    assert rates[0] == pytest.approx(rates[1], rel=0.3)
    assert rates[0] != pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    "rates",
    [
        {"substitution": 0.7, "deletion": 0.5},
        {"substitution": 0.5, "deletion": 0.5, "insertion": 0.1},
        {"deletion": -1},
    ],
)
def test_impossible_rates_are_refused(rates):
    with pytest.raises(ValidationError):
        ScriptedSettings(rates={"*": {"*": rates}})


def test_fingerprint_follows_what_changes_words_and_nothing_else():
    def fingerprint(**changes):
        return Scripted(ScriptedSettings(**({"rates": {"*": {"*": {"deletion": 0.1}}}} | changes))).fingerprint()

    assert fingerprint() == fingerprint(batch_size=3, label="other")
    assert fingerprint() != fingerprint(seed=1)
    assert fingerprint() != fingerprint(rates={"*": {"*": {"deletion": 0.2}}})


def test_it_is_a_backend_that_needs_no_audio():
    backend: Backend = Scripted(ScriptedSettings(rates={"*": {"*": {}}}))
    backend.prepare()
    backend.load()
    backend.close()
    assert (backend.name, backend.device, backend.needs_audio) == ("scripted:planted", "cpu", False)
    assert backend.transcribe([request(1, "")])[0].text == ""
