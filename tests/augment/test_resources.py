"""The caches: bounded, and each value built once however many threads ask for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from augment.resources import Resources


def test_threads_that_want_one_track_build_it_once():
    resources, built = Resources(1, 8), []

    def build():
        built.append(threading.get_ident())
        time.sleep(0.05)
        return np.ones(10)

    with ThreadPoolExecutor(8) as pool:
        tracks = list(pool.map(lambda _: resources.track("key", build), range(8)))
    assert len(built) == 1
    assert all(track is tracks[0] for track in tracks)


def test_two_tracks_are_built_at_the_same_time():
    resources, both = Resources(1, 8), threading.Barrier(2, timeout=5)

    def build():
        both.wait()  # breaks unless the other build is under way too
        return np.ones(10)

    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(lambda key: resources.track(key, build), "ab"))) == 2


def test_the_least_recently_used_track_leaves_when_memory_runs_out():
    resources, built = Resources(1, 8), []
    resources._tracks._capacity = 3 * 40

    def track(key):
        return resources.track(key, lambda: built.append(key) or np.ones(10))

    for key in "abcabad":
        track(key)
    assert built == list("abcd")
    track("a")
    track("c")
    assert built == list("abcdc")
    assert resources._tracks._used == 3 * 40


def test_a_track_cannot_be_changed_by_who_uses_it():
    track = Resources(1, 8).track("key", lambda: np.ones(10))
    with pytest.raises(ValueError, match="read-only"):
        track[0] = 2.0


def test_a_build_that_fails_is_tried_again():
    resources, attempts = Resources(1, 8), []

    def build():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("not this time")
        return np.ones(3)

    with pytest.raises(ValueError, match="not this time"):
        resources.track("key", build)
    assert resources.track("key", build).size == 3


def test_a_level_is_measured_once_for_equal_content(speechlike, monkeypatch):
    resources, calls = Resources(1, 8), []
    from augment import resources as module

    real = module.active_speech_level
    monkeypatch.setattr(module, "active_speech_level", lambda *args: calls.append(1) or real(*args))
    x = speechlike(1).astype(float)
    assert resources.active_levels(x, ("none", "a")) == resources.active_levels(x.copy(), ("a", "none"))
    assert len(calls) == 2
    assert set(resources.active_levels(np.zeros(16000), ("none", "a"))) == set()
