"""The client-side rate limiter of the SDKs' adaptive retry mode: how fast a client lets itself send.

After a throttle the rate drops; after each other answer it grows again along a cubic curve that is flat near the rate
at which the throttle came (CUBIC, RFC 8312). Rates are per second, times in seconds.
Source: github.com/boto/botocore, botocore/retries/adaptive.py, throttling.py and bucket.py, read 2026-08-07.
"""

from __future__ import annotations

_BETA = 0.7  # share of the rate that is left after a throttle
_SCALE = 0.4  # of the cubic curve
_SMOOTHING = 0.8  # weight of the newest measurement
_MOST_GROWTH = 2.0  # the rate never exceeds this many times what was measured
_LEAST_FILL_RATE = 0.5
_LEAST_CAPACITY = 1.0

# Answers are counted in stretches of half a second.
MEASURING_NS = 500_000_000


def flat_after(rate_at_throttle: float) -> float:
    """Seconds after a throttle at which the cubic curve is back at the rate of that throttle."""
    return float((rate_at_throttle * (1 - _BETA) / _SCALE) ** (1 / 3))


def rate_after_success(rate_at_throttle: float, flat_after_s: float, since_throttle_s: float) -> float:
    """The rate on the cubic curve, so long after the last throttle; ``flat_after_s`` is that of this rate."""
    distance_s = since_throttle_s - flat_after_s
    return _SCALE * distance_s * distance_s * distance_s + rate_at_throttle


def rate_after_throttle(rate_at_throttle: float) -> float:
    """The rate just after a throttle."""
    return rate_at_throttle * _BETA


def measured_rate(before: float, answers: int, span_s: float) -> float:
    """Exponentially smoothed rate of answers, after ``answers`` of them in a stretch of ``span_s``."""
    return answers / span_s * _SMOOTHING + before * (1 - _SMOOTHING)


def bounded(rate: float, measured: float) -> float:
    """The rate, but no more than twice what was measured."""
    return min(rate, _MOST_GROWTH * measured)


def fill_rate(rate: float) -> float:
    """Tokens a second of the client's bucket; never less than one in two seconds."""
    return max(rate, _LEAST_FILL_RATE)


def capacity(rate: float) -> float:
    """Tokens that the client's bucket holds: one second's worth, at least one."""
    return max(rate, _LEAST_CAPACITY)
