"""The caches: bounded, and each value built once however many threads ask for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from augment.noise.track import TRACK_SAMPLES, noise_track
from augment.resources import Resources

CYCLE = np.ones(TRACK_SAMPLES)
SIZE = noise_track(CYCLE).samples.nbytes + noise_track(CYCLE).energies.nbytes


def test_threads_that_want_one_track_build_it_once():
    resources, built = Resources(1, 8), []

    def build():
        built.append(threading.get_ident())
        time.sleep(0.05)
        return CYCLE

    with ThreadPoolExecutor(8) as pool:
        tracks = list(pool.map(lambda _: resources.track("key", build), range(8)))
    assert len(built) == 1
    assert all(track is tracks[0] for track in tracks)


def test_two_tracks_are_built_at_the_same_time():
    resources, both = Resources(1, 8), threading.Barrier(2, timeout=5)

    def build():
        both.wait()  # breaks unless the other build is under way too
        return CYCLE

    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(lambda key: resources.track(key, build), "ab"))) == 2


def test_the_least_recently_used_track_leaves_when_memory_runs_out():
    resources, built = Resources(1, 8), []
    resources._tracks._capacity = 3 * SIZE

    def track(key):
        return resources.track(key, lambda: built.append(key) or CYCLE)

    for key in "abcabad":
        track(key)
    assert built == list("abcd")
    track("a")
    track("c")
    assert built == list("abcdc")
    assert resources._tracks._used == 3 * SIZE


def test_a_track_cannot_be_changed_by_who_uses_it():
    track = Resources(1, 8).track("key", lambda: CYCLE)
    with pytest.raises(ValueError, match="read-only"):
        track.samples[0] = 2.0


def test_a_build_that_fails_is_tried_again():
    resources, attempts = Resources(1, 8), []

    def build():
        attempts.append(1)
        if len(attempts) == 1:
            raise ValueError("not this time")
        return CYCLE

    with pytest.raises(ValueError, match="not this time"):
        resources.track("key", build)
    assert resources.track("key", build).samples.size == CYCLE.size


def test_processes_share_what_one_of_them_has_built_on_the_shelf(tmp_path):
    noise = np.random.RandomState(0).randn(TRACK_SAMPLES)
    built = []
    here, there = (Resources(1, 8, shelf=tmp_path) for _ in range(2))
    alone = Resources(1, 8).track("key", lambda: noise)
    for resources in (here, there, here):
        track = resources.track("key", lambda: built.append(1) or noise)
        assert np.array_equal(track.samples, alone.samples)
        assert np.array_equal(track.energies, alone.energies)
    assert len(built) == 1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_shelf_keeps_tracks_of_another_seed_and_key_apart(tmp_path):
    tracks = [
        Resources(seed, 8, shelf=tmp_path).track(key, lambda level=level: np.full(TRACK_SAMPLES, float(level)))
        for level, (seed, key) in enumerate([(1, "a"), (2, "a"), (1, "b")], start=1)
    ]
    assert [float(track.samples[0]) for track in tracks] == [1.0, 2.0, 3.0]
