"""How many batches an event source mapping of a queue may have with its function at once. Times in ns.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html (read 2026): 5 at first, and up to 300
more a minute while messages remain, to 1,250; in provisioned mode 10 for each poller, and up to 1,000 more a minute.
A level is that number in units of 1/``per_ns``, so that growth is exact in integers.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdasim.units import NS_PER_S

# MODEL: how often a mapping looks whether it has more than it needs.
SCALE_IN_INTERVAL_NS = 60 * NS_PER_S
# MODEL: AWS says that a mapping with little traffic may go down to 2, not when.
IDLE_AFTER_NS = 900 * NS_PER_S
LEAST_WHEN_IDLE = 2
# MODEL: nor how far it backs off.
LEAST_AFTER_ERRORS = 2

# AWS stops a loop of functions and queues after about 16 invocations.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html (read 2026). MODEL: here also where
# dead-letter queues make the loop, of which that page does not speak.
MOST_HOPS = 16

# More batches than any run has: a mapping whose scaling is unlimited.
NO_LIMIT = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PollerLimits:
    """Growth and bounds of what a mapping may have at once, in batches."""

    start: int
    rate: int  # batches more in every ``per_ns``
    per_ns: int
    most: int
    least: int  # that scaling in leaves
    least_when_idle: int
    scale_in: float  # share of what is not used that goes every minute


def grown(level: int, elapsed_ns: int, limits: PollerLimits) -> int:
    """The level after so long with all batches busy and messages left."""
    most = limits.most * limits.per_ns
    return min(max(most, level), level + limits.rate * elapsed_ns)


def ns_until_allowed(level: int, batches: int, limits: PollerLimits) -> int | None:
    """How long until the level allows so many batches while it grows; None: never."""
    if batches > limits.most:
        return None
    return max(0, -((level - batches * limits.per_ns) // limits.rate))


def scaled_in(level: int, used: int, least: int, limits: PollerLimits) -> int:
    """The level after a minute in which at most ``used`` batches were busy at once."""
    unused = level - used * limits.per_ns
    if unused <= 0:
        return level
    return max(min(level, least * limits.per_ns), level - _share(unused, limits.scale_in))


def backed_off(level: int, share: float, limits: PollerLimits) -> int:
    """The level after a function error or a throttle."""
    least = min(LEAST_AFTER_ERRORS, limits.most)
    return min(level, max(least * limits.per_ns, _share(level, share)))


def _share(level: int, share: float) -> int:
    """A share of a level, in integers: a level can be more than a float holds exactly."""
    return level * round(share * 1_000_000) // 1_000_000
