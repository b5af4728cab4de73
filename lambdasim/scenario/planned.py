"""What the scenario format defines and this version does not do yet, so that it is refused by name.

A key of a later version must never look like a spelling mistake, and must never be ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]

# Keys by where they stand ("*" is any name), with what they are for.
PLANNED_KEYS: dict[tuple[str, ...], str] = {
    ("queues",): "SQS queues that invoke functions",
    ("streams",): "Kinesis and DynamoDB streams that invoke functions",
    ("functions", "*", "provisioned_concurrency"): "execution environments that are kept initialised",
    ("functions", "*", "async", "on_failure"): "where events that were given up go",
    ("functions", "*", "async", "on_success"): "where events that were completed go",
    ("functions", "*", "async", "dead_letter"): "a queue for events that were given up",
    ("functions", "*", "snapstart"): "restoring environments from a snapshot",
    ("functions", "*", "autoscaling"): "provisioned concurrency that follows the load",
}

# Values of a key, with what they are for. A mapping is known by its one key.
PLANNED_VALUES: dict[tuple[str, ...], dict[str, str]] = {
    ("traffic", "*", "invoke"): {
        "sqs": "messages of an SQS queue",
        "stream": "records of a stream",
    },
}


def _matches(pattern: Sequence[str], path: Path) -> bool:
    return len(pattern) == len(path) and all(
        part in ("*", element) for part, element in zip(pattern, path, strict=True)
    )


def planned_key(path: Path) -> str | None:
    """What the key at ``path`` is for, if a later version supports it."""
    return next((purpose for pattern, purpose in PLANNED_KEYS.items() if _matches(pattern, path)), None)


def planned_value(path: Path, value: Any) -> tuple[str, str] | None:
    """(name, what it is for) of a value of the key at ``path`` that a later version supports."""
    name = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else value
    for pattern, values in PLANNED_VALUES.items():
        if _matches(pattern, path) and isinstance(name, str) and name in values:
            return name, values[name]
    return None
