"""What the scenario format defines and this version does not do yet, so that it is refused by name.

A key of a later version must never look like a spelling mistake, and must never be ignored.
"""

from __future__ import annotations

from collections.abc import Sequence

Path = tuple[str | int, ...]

# Keys by where they stand ("*" is any name), with what they are for.
PLANNED_KEYS: dict[tuple[str, ...], str] = {
    ("functions", "*", "provisioned_concurrency"): "execution environments that are kept initialised",
    ("functions", "*", "snapstart"): "restoring environments from a snapshot",
    ("functions", "*", "autoscaling"): "provisioned concurrency that follows the load",
}


def _matches(pattern: Sequence[str], path: Path) -> bool:
    return len(pattern) == len(path) and all(
        part in ("*", element) for part, element in zip(pattern, path, strict=True)
    )


def planned_key(path: Path) -> str | None:
    """What the key at ``path`` is for, if a later version supports it."""
    return next((purpose for pattern, purpose in PLANNED_KEYS.items() if _matches(pattern, path)), None)
