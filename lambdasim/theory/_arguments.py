"""The ranges that arguments of the closed forms must keep, each with one clear sentence when broken.

Belongs here: checks that two modules of ``theory/`` share. Not here: any formula.
"""

from __future__ import annotations

import math


def require_not_negative(name: str, value: float) -> None:
    """Raise ValueError unless ``value`` is finite and >= 0."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number >= 0, got {value!r}")


def require_positive(name: str, value: float) -> None:
    """Raise ValueError unless ``value`` is finite and > 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a finite number > 0, got {value!r}")


def require_count(name: str, value: int, at_least: int = 0) -> None:
    """Raise ValueError unless ``value`` is a whole number >= ``at_least``; 10.0 passes."""
    if not (math.isfinite(value) and value == int(value) and value >= at_least):
        raise ValueError(f"{name} must be a whole number >= {at_least}, got {value!r}")


def require_between_0_and_1(name: str, value: float) -> None:
    """Raise ValueError unless 0 < ``value`` < 1."""
    if not 0 < value < 1:
        hint = " (is it in percent?)" if 1 < value < 100 else ""
        raise ValueError(f"{name} must lie strictly between 0 and 1, got {value!r}{hint}")
