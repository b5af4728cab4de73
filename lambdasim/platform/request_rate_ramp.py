"""How fast the accepted request rate of one function may grow.

AWS: a function gets 10,000 additional requests per second every 10 s (scaling-behavior page, read 2026).
MODEL: how that is metered is not published. Here an allowed rate A starts at 10,000/s; after each whole second in
which more than 0.9 A attempts were accepted it rises by 1,000/s, else it falls back towards its start; a bucket of A
tokens refilled at A/s is checked on every synchronous attempt.
"""

from __future__ import annotations


def next_allowed_per_s(allowed_per_s: int, accepted: int, start_per_s: int, step_per_s: int) -> int:
    """Allowed rate of the next second, after a second in which ``accepted`` attempts were accepted."""
    if 10 * accepted > 9 * allowed_per_s:
        return allowed_per_s + step_per_s
    return max(start_per_s, allowed_per_s - step_per_s)


def allowed_after_quiet(allowed_per_s: int, quiet_seconds: int, start_per_s: int, step_per_s: int) -> int:
    """Allowed rate after whole seconds in which nothing was accepted."""
    return max(start_per_s, allowed_per_s - quiet_seconds * step_per_s)
