"""Which shard and which lane a record goes to: the MD5 of its partition key by hand, and every place as likely."""

from __future__ import annotations

from collections import Counter
from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdasim.platform.sharding import lane_of_key, place_of, shard_of_key

ALMOST_1 = nextafter(1, 0)
COUNTS = st.integers(1, 10_000)
# More than five standard deviations away by chance: once in a million.
FAR = 5


@pytest.mark.parametrize(
    ("key", "first_byte", "shards", "shard"),
    [
        # md5("0") = cf..., md5("1") = c4..., and so on: RFC 1321 by any tool. floor(first byte / 256 x shards).
        (0, 0xCF, 2, 1),
        (0, 0xCF, 4, 3),
        (0, 0xCF, 8, 6),
        (1, 0xC4, 4, 3),
        (4, 0xA8, 4, 2),
        (4, 0xA8, 3, 1),
        (6, 0x16, 4, 0),
        (6, 0x16, 16, 1),
        (7, 0x8F, 2, 1),
        (7, 0x8F, 4, 2),
        (9, 0x45, 2, 0),
        (9, 0x45, 4, 1),
        (9, 0x45, 256, 0x45),
        (0, 0xCF, 256, 0xCF),
    ],
)
def test_the_shard_of_a_key(key: int, first_byte: int, shards: int, shard: int) -> None:
    """Ranges of 128-bit numbers, equally long: the first byte says enough here."""
    assert shard == first_byte * shards // 256
    assert shard_of_key(key, shards) == shard


def test_a_shard_by_all_sixteen_bytes() -> None:
    """md5("9") = 45c48cce2e2d7fbdea1afc51c7c6ad26, of 2^128 shards each number is one."""
    assert shard_of_key(9, 2**128) == 0x45C48CCE2E2D7FBDEA1AFC51C7C6AD26


@given(key=st.integers(0, 10_000_000), shards=COUNTS, lanes=st.integers(1, 10))
def test_there_is_such_a_shard_and_such_a_lane(key: int, shards: int, lanes: int) -> None:
    """Numbered from 0; with one of them it is that."""
    assert 0 <= shard_of_key(key, shards) < shards
    assert 0 <= lane_of_key(key, lanes) < lanes
    assert shard_of_key(key, 1) == lane_of_key(key, 1) == 0


@given(key=st.integers(0, 10_000_000), shards=COUNTS)
def test_twice_the_shards_split_each_in_two(key: int, shards: int) -> None:
    """Ranges that are halved: the records of shard i go to 2i and 2i + 1."""
    assert shard_of_key(key, 2 * shards) // 2 == shard_of_key(key, shards)


@given(
    partition=st.floats(0, 1, exclude_max=True) | st.just(ALMOST_1),
    keys=st.none() | st.integers(1, 10_000_000),
    shards=COUNTS | st.integers(1, 10_000_000),
    lanes=st.integers(1, 10),
)
def test_there_is_such_a_place(partition: float, keys: int | None, shards: int, lanes: int) -> None:
    """Also for the largest draw."""
    shard, lane = place_of(partition, keys, shards, lanes)
    assert 0 <= shard < shards
    assert 0 <= lane < lanes


@given(
    keys=st.integers(1, 100), shards=st.integers(1, 20), lanes=st.integers(1, 10), shares=st.lists(st.floats(0.1, 0.9))
)
def test_one_key_has_one_place(keys: int, shards: int, lanes: int, shares: list[float]) -> None:
    """Wherever in its part of [0, 1) the draw lies: that of its hashes."""
    for key in range(keys):
        expected = shard_of_key(key, shards), lane_of_key(key, lanes)
        assert {place_of((key + share) / keys, keys, shards, lanes) for share in (0.5, *shares)} == {expected}


def test_each_key_is_as_likely() -> None:
    """Four keys: a quarter of [0, 1) each."""
    quarters = [0, 0.249, 0.25, 0.499, 0.5, 0.749, 0.75, ALMOST_1]
    expected = [shard_of_key(key, 1_000) for key in (0, 0, 1, 1, 2, 2, 3, 3)]
    assert [place_of(partition, 4, 1_000, 1)[0] for partition in quarters] == expected


def test_the_shard_of_a_key_does_not_depend_on_the_lanes() -> None:
    """Nor its lane on the shards: a parallelization factor moves nothing between shards."""
    for key in range(50):
        partition = (key + 0.5) / 50
        assert len({place_of(partition, 50, 7, lanes)[0] for lanes in range(1, 11)}) == 1
        assert len({place_of(partition, 50, shards, 4)[1] for shards in range(1, 30)}) == 1


@given(shards=st.integers(1, 30), lanes=st.integers(1, 10))
def test_without_keys_each_place_is_as_likely(shards: int, lanes: int) -> None:
    """In the middle of each of equally long parts of [0, 1) there is another place."""
    count = shards * lanes
    made = [place_of((number + 0.5) / count, None, shards, lanes) for number in range(count)]
    assert sorted(made) == [(shard, lane) for shard in range(shards) for lane in range(lanes)]


@pytest.mark.parametrize(("shards", "lanes"), [(4, 3), (10, 10), (7, 2), (16, 4)])
def test_many_keys_fill_shards_and_lanes_evenly(shards: int, lanes: int) -> None:
    """The lanes within each shard too: the two hashes have nothing to do with each other."""
    keys = 40_000
    counts = Counter((shard_of_key(key, shards), lane_of_key(key, lanes)) for key in range(keys))
    share = 1 / (shards * lanes)
    spread = (keys * share * (1 - share)) ** 0.5
    assert len(counts) == shards * lanes
    assert all(abs(count - keys * share) < FAR * spread for count in counts.values())
