"""A Python function as a rate: ``{"rate": lambda t_s: 20 + 10 * math.sin(t_s / 60)}``. Only through the Python API.

The function is asked once, when the scenario is loaded, on a grid of times; what comes after sees the samples only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, SerializationInfo

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import positive_rate
from lambdasim.scenario.kept import Kept, written
from lambdasim.scenario.rate_course import FloatArray, IntArray, RateCourse
from lambdasim.units import NS_PER_S, format_rate

# MODEL: a sample every second, but never fewer samples than the first number, nor more than the second; straight
# lines between. So the steps are finer than a second in runs under 1,000 s and coarser in runs over 100,000 s.
_LEAST_STEPS, _MOST_STEPS = 1_000, 100_000

# As in ``units.parse_rate``.
_HIGHEST_RATE = 1e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RateFunction(Kept):
    """A function from seconds since the start to requests per second, with its samples over the duration of a run.

    ``duration_ns`` is None, and ``rates`` empty, for as long as nobody knows how long the run is.
    """

    function: Callable[[float], float]
    duration_ns: int | None = None
    rates: FloatArray = field(default_factory=lambda: np.empty(0), repr=False)
    sha256: str = ""

    def over(self, duration_ns: int | None) -> RateFunction:
        """The same function for a run of this duration, to be sampled anew where that is another one."""
        if duration_ns == self.duration_ns:
            return self
        return RateFunction(function=self.function, duration_ns=duration_ns)

    def sampled(self) -> RateFunction:
        """The function with its samples. Raises RuleViolation with the time at which it gave no rate."""
        if self.duration_ns is None or len(self.rates):
            return self
        rates = np.array([self._rate_at(time_s) for time_s in _asked_s(self.duration_ns)], dtype=np.float64)
        digest = hashlib.sha256(self.duration_ns.to_bytes(8, "big") + rates.astype(">f8").tobytes()).hexdigest()
        return RateFunction(function=self.function, duration_ns=self.duration_ns, rates=rates, sha256=digest)

    def course(self) -> RateCourse:
        """The rate over the run: straight lines between the samples."""
        assert self.duration_ns is not None
        return RateCourse(time_ns=grid_ns(self.duration_ns), rate=self.rates)

    def text(self) -> str:
        return f"the Python function {getattr(self.function, '__qualname__', type(self.function).__name__)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RateFunction) and (self.function, self.sha256) == (other.function, other.sha256)

    def __hash__(self) -> int:
        return hash((self.function, self.sha256))

    def _rate_at(self, time_s: float) -> float:
        at = f"must give a rate at all times; at t = {time_s:g} s it"
        try:
            value: Any = self.function(time_s)
        except Exception as error:
            said = f": {error}" if str(error) else ""
            raise RuleViolation(f"{at} raised {type(error).__name__}{said}") from None
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise RuleViolation(f"{at} returned {value!r:.60}", "a number of requests per second")
        rate = float(value)
        if not (math.isfinite(rate) and 0 <= rate <= _HIGHEST_RATE):
            raise RuleViolation(f"{at} returned {rate:g}", "requests per second, from 0 to 1e9")
        return rate


def grid_ns(duration_ns: int) -> IntArray:
    """The times of the samples, from 0 to the duration."""
    steps = min(max(-(-duration_ns // NS_PER_S), _LEAST_STEPS), _MOST_STEPS, duration_ns)
    whole, rest = divmod(duration_ns, steps)
    number = np.arange(steps + 1, dtype=np.int64)
    return number * whole + number * rest // steps


def _asked_s(duration_ns: int) -> list[float]:
    """What the function is asked for: the last time is just before the end, so that it never sees the end itself."""
    times_s: list[float] = (grid_ns(duration_ns) / NS_PER_S).tolist()
    return [*times_s[:-1], math.nextafter(times_s[-1], 0)]


def _rate_or_function(value: Any) -> float | RateFunction:
    """A rate above 0 in requests per second, or a sampled function."""
    if isinstance(value, RateFunction):
        return value.sampled()
    if callable(value):
        return RateFunction(function=value)
    return positive_rate(value)


def _write_rate(value: float | RateFunction, info: SerializationInfo) -> str:
    """The text of a rate, or what stands for a function."""
    return written(value, info) if isinstance(value, RateFunction) else format_rate(value)


# Requests per second, above 0, or a function that gives them.
RateOrFunction = Annotated[
    float | RateFunction, BeforeValidator(_rate_or_function), PlainSerializer(_write_rate, return_type=str)
]
