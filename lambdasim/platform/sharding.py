"""Which shard of a stream a record goes to, and which of the shard's batches at once it joins.

Source: https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html (read 2026): Kinesis maps the MD5 of the
partition key, a 128-bit number, to shards, whose ranges here are equally long, as in a new stream. MODEL: AWS does not
publish how it spreads the keys of a shard over the batches of a parallelization factor; another hash does it here.
"""

from __future__ import annotations

import hashlib


def shard_of_key(key: int, shards: int) -> int:
    """The shard of the partition key that has this number."""
    digest = hashlib.md5(str(key).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest, "big") * shards >> 128


def lane_of_key(key: int, lanes: int) -> int:
    """Which of the batches at once of its shard the records of a key are in."""
    digest = hashlib.blake2b(str(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * lanes >> 64


def place_of(partition: float, partition_keys: int | None, shards: int, lanes: int) -> tuple[int, int]:
    """(shard, lane) of a record whose key lies at ``partition``, in [0, 1), among all keys.

    Without a number of keys every record has a key of its own, and so all places are as likely.
    """
    if partition_keys is None:
        return divmod(int(partition * shards * lanes), lanes)
    key = int(partition * partition_keys)
    return shard_of_key(key, shards), lane_of_key(key, lanes)
