"""Named random streams: pinned, so that no later change moves a result unnoticed, and independent of each other."""

from __future__ import annotations

import itertools

import pytest

from lambdasim.rng import MAX_SEED, Purpose, fresh_seed, stream


def test_the_numbers_of_the_purposes_are_pinned() -> None:
    """They are part of the results."""
    assert {purpose.name: int(purpose) for purpose in Purpose} == {
        "ARRIVALS": 1,
        "DURATION": 2,
        "POISON": 3,
        "ERROR": 4,
        "IDLE_TIMEOUT": 5,
        "RETRY_DELAY": 6,
        "INIT": 7,
        "MAX_AGE": 8,
        "UNUSED_IDLE_TIMEOUT": 9,
        "MODULATION": 10,
        "THINK_TIME": 11,
        "DISPATCH_DELAY": 12,
        "EVENT_RETRY_DELAY": 13,
        "POLLER_RETRY_DELAY": 14,
        "MESSAGE_GROUP": 15,
        "PARTITION_KEY": 16,
        "SANDBOX": 17,
        "IO_DURATION": 18,
        "PREPARATION": 19,
    }


PINS = {
    "ARRIVALS": [1711961680, 2927727993, 402637624],
    "DURATION": [1242245366, 2314400278, 3379834782],
    "POISON": [2016497086, 883771519, 3877913271],
    "ERROR": [2618889158, 4184790366, 2197668915],
    "IDLE_TIMEOUT": [219599280, 3555947689, 3426831749],
    "RETRY_DELAY": [2629750993, 2844805919, 1861556150],
    "INIT": [3579307273, 862614788, 275870501],
    "MAX_AGE": [1593253672, 1616609247, 1996875803],
    "UNUSED_IDLE_TIMEOUT": [1890923454, 2632658411, 1660126447],
    "MODULATION": [1424339554, 2145465769, 275422119],
    "THINK_TIME": [3456264882, 2140798625, 3841855689],
    "DISPATCH_DELAY": [2266918237, 2104207455, 702752516],
    "EVENT_RETRY_DELAY": [256615066, 2764672200, 746527847],
    "POLLER_RETRY_DELAY": [973796745, 948687075, 1021681698],
    "MESSAGE_GROUP": [1729009938, 2227791444, 3460094127],
    "PARTITION_KEY": [761790440, 2791966409, 1537806324],
    "SANDBOX": [2628819465, 1213996483, 3048408482],
    "IO_DURATION": [2507840976, 523389064, 3916281894],
    "PREPARATION": [243305408, 2599457584, 695270602],
}


@pytest.mark.parametrize("purpose", list(Purpose), ids=lambda purpose: purpose.name)
def test_the_first_values_of_every_stream_are_pinned(purpose: Purpose) -> None:
    """Pins, not truths: whoever changes them on purpose says so under "Results changed"."""
    assert stream(42, purpose, "web", 1, 3).integers(0, 2**32, 3).tolist() == PINS[purpose.name]


def test_every_part_of_the_key_makes_another_stream() -> None:
    """Seed, purpose, owner, part and block."""
    keys = itertools.product((1, 2), (Purpose.INIT, Purpose.ERROR), ("a", "b", "ab"), (0, 1, 2), (0, 1, 2))
    firsts = [tuple(stream(*key).integers(0, 2**62, 2).tolist()) for key in keys]
    assert len(set(firsts)) == len(firsts) == 2 * 2 * 3 * 3 * 3


def test_the_same_key_gives_the_same_stream() -> None:
    """Streams have no state outside themselves."""
    first, second = (stream(7, Purpose.DURATION, "web", 0, 1).random(10).tolist() for _ in range(2))
    assert first == second


def test_fresh_seeds_are_valid_seeds() -> None:
    """And hardly ever the same."""
    seeds = {fresh_seed() for _ in range(100)}
    assert len(seeds) > 95
    assert all(0 <= seed <= MAX_SEED for seed in seeds)
