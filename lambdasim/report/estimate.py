"""``estimate``: what can be said about one function without simulating, and what that leaves out.

The cold start assumes traffic that is there at once, evenly spaced, with constant durations: a bound in round numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from lambdasim.errors import RuleViolation, UsageError
from lambdasim.report.wording import count_text, share_text, time_text
from lambdasim.scenario import profiles
from lambdasim.theory import concurrency_percentile, erlang_b, max_request_rate, mean_in_system, servers_for_blocking
from lambdasim.units import NS_PER_S, parse_duration, parse_rate, parse_ratio

_REGION: dict[str, Any] = profiles.defaults(profiles.DEFAULT_PROFILE, "region")
_REQUESTS_PER_CONCURRENCY: int = _REGION["requests_per_concurrency"]
_BURST: int = _REGION["scaling"]["burst"]
_STARTS_PER_S: float = _REGION["scaling"]["rate"] / (parse_duration(_REGION["scaling"]["per"]) / NS_PER_S)
_MOST = 10_000_000


Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Rate, mean duration and perhaps init of one function's requests, the quota they have alone, and a goal."""

    rate_per_s: float
    duration_ns: int
    quota: int
    init_ns: int | None = None
    target: float = 0.001  # share of attempts that may be throttled

    @property
    def offered_load(self) -> float:
        """Mean number in flight if nothing is refused: Little's law."""
        return mean_in_system(self.rate_per_s, self.duration_ns / NS_PER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdStart:
    """Traffic that is there at once, on a function without environments.

    Until the first answer, after init + duration, every request needs an environment of its own.
    """

    rate_per_s: float
    first_answer_s: float
    quota: int

    @property
    def wanted(self) -> int:
        """Environments wanted until the first answer: one for each request."""
        return math.ceil(round(self.rate_per_s * self.first_answer_s, 6))

    @property
    def by_scaling_rate(self) -> int:
        """How many of them the scaling rate alone lets start."""
        return min(self.wanted, math.floor(_BURST + _STARTS_PER_S * self.first_answer_s))

    @property
    def by_quota(self) -> int:
        """How many of them the quota alone lets start."""
        return min(self.wanted, self.quota)

    @property
    def full_after_s(self) -> float:
        """When the quota is reached, if the scaling rate does not bind before."""
        return self.quota / self.rate_per_s

    @property
    def empty_after_s(self) -> float:
        """When the bucket of the scaling rate is empty, if the quota does not bind before; inf if never."""
        return math.inf if self.rate_per_s <= _STARTS_PER_S else _BURST / (self.rate_per_s - _STARTS_PER_S)


def time_until_s(environments: float) -> float:
    """Time from which the scaling rate allows so many environments of one function: at once, or so many seconds."""
    return max(0.0, (environments - _BURST) / _STARTS_PER_S)


def needed_for_target(question: Question) -> tuple[int, int]:
    """Least concurrency for the target throttle ratio: (by Erlang B inverted, by the request-rate limit)."""
    by_rate = math.ceil(round(question.rate_per_s * (1 - question.target) / _REQUESTS_PER_CONCURRENCY, 6))
    return servers_for_blocking(question.offered_load, question.target), by_rate


def parse_estimate(*, rate: str, duration: str, quota: int, init: str | None = None, target: str = "0.1%") -> Question:
    """The question of a command line. Raises UsageError with the option, the rule and what was got."""
    question = Question(
        rate_per_s=_positive("--rate", rate, parse_rate),
        duration_ns=_positive("--duration", duration, parse_duration),
        quota=quota,
        init_ns=None if init is None else _parsed("--init", init, parse_duration),
        target=_positive("--target", target, parse_ratio),
    )
    if question.target >= 1:
        raise UsageError(f"--target: must be below 100%, got {target}")
    if quota < 1:
        raise UsageError(f"--quota: must be at least 1, got {quota}")
    if quota > _MOST:
        raise UsageError(f"--quota: must be at most {_MOST:,}, got {quota}")
    seconds = (question.duration_ns + (question.init_ns or 0)) / NS_PER_S
    if question.rate_per_s * seconds > _MOST:
        options = "--rate and --duration" if question.init_ns is None else "--rate, --duration and --init"
        raise UsageError(
            f"{options}: must give a concurrency of at most {_MOST:,}, got {question.rate_per_s * seconds:,.0f}"
        )
    return question


def _parsed(option: str, text: str, parse: Callable[[object], Number]) -> Number:
    try:
        return parse(text)
    except RuleViolation as violation:
        hint = f"; {violation.hint}" if violation.hint else ""
        raise UsageError(f"{option}: {violation.rule}, got {text}{hint}") from None


def _positive(option: str, text: str, parse: Callable[[object], Number]) -> Number:
    value = _parsed(option, text, parse)
    if value <= 0:
        raise UsageError(f"{option}: must be above 0, got {text}")
    return value


def estimate_lines(question: Question) -> list[str]:
    """The answer, line by line."""
    lines = [*_steady_lines(question)]
    if question.init_ns is not None:
        lines += ["", *_cold_start_lines(question, question.init_ns)]
    left_out = [
        "traffic that changes: limits see the peak, Little's law sees the average;",
        "retries, which turn one refusal into more traffic;",
        "other functions in the same account and region, which share the quota.",
    ]
    if question.init_ns is None:
        left_out.insert(0, "the init of a cold start, during which a request is in flight too (add --init TIME);")
        left_out.insert(2, f"the scaling rate: at most {_BURST:,} new environments at once, then 1,000 every 10 s;")
    return [*lines, "", "What this leaves out, and a simulation does not:", *(f"  · {line}" for line in left_out)]


def _steady_lines(question: Question) -> list[str]:
    """Little's law, the limits, and what a target takes."""
    load, quota = question.offered_load, question.quota
    duration_s = question.duration_ns / NS_PER_S
    rate, duration = f"{count_text(question.rate_per_s)}/s", time_text(question.duration_ns)
    ceiling = max_request_rate(quota, duration_s, _REQUESTS_PER_CONCURRENCY)
    half, p99, p999 = (concurrency_percentile(load, share) for share in (0.5, 0.99, 0.999))
    binding = "the request-rate limit" if duration_s < 1 / _REQUESTS_PER_CONCURRENCY else "the concurrency"
    by_concurrency, beyond_rate = erlang_b(quota, load), 1 - ceiling / question.rate_per_s
    refused = max(by_concurrency, beyond_rate)
    reason = "Erlang B: any duration law, no retries, steady traffic"
    if duration_s < 1 / _REQUESTS_PER_CONCURRENCY and beyond_rate > by_concurrency:
        reason = f"the request-rate limit takes {count_text(ceiling)} of {rate}"
    by_erlang, by_rate = needed_for_target(question)
    return [
        f"Little's law: {rate} x {duration} = {count_text(load)} requests in flight on average.",
        f"With random (Poisson) arrivals it moves around that: at most {half:,} half of the time, {p99:,} for 99% and"
        f" {p999:,} for 99.9% of it.",
        f"A quota of {quota:,} takes at most {count_text(ceiling)} requests/s of {duration}: {binding} binds first.",
        f"On a quota of {quota:,} about {share_text(refused, 1)} of the attempts would be throttled for good"
        f" ({reason}).",
        f"To keep that at {share_text(question.target, 1)} it takes a concurrency of {max(by_erlang, by_rate):,}."
        f" (For the requests in flight {by_erlang:,}, by Erlang B; for their rate {by_rate:,}, at"
        f" {_REQUESTS_PER_CONCURRENCY} requests/s for each unit.)",
    ]


def _cold_start_lines(question: Question, init_ns: int) -> list[str]:
    """What happens if all of this traffic begins at once on a function without environments."""
    first_ns = init_ns + question.duration_ns
    cold = ColdStart(rate_per_s=question.rate_per_s, first_answer_s=first_ns / NS_PER_S, quota=question.quota)
    rate, first, wanted = f"{count_text(question.rate_per_s)}/s", time_text(first_ns), f"{cold.wanted:,}"
    lines = [
        f"If this traffic begins at once, the first answer comes after {time_text(init_ns)} +"
        f" {time_text(question.duration_ns)} = {first}. Until then every request needs an environment of its own:"
        f" {rate} x {first} = {wanted}.",
        f"Lambda starts {_BURST:,} environments of a function at once, then {_STARTS_PER_S:g} more per second:"
        f" {_reached(cold.wanted)}.",
    ]
    held_back = cold.wanted - cold.by_scaling_rate
    if cold.by_quota < cold.wanted and cold.full_after_s <= cold.empty_after_s:
        lines.append(
            f"The quota of {question.quota:,} is reached after {time_text(cold.full_after_s * NS_PER_S)} and refuses"
            f" about {cold.wanted - cold.by_quota:,} of the first {wanted} requests."
        )
        if held_back:
            lines.append(f"With a larger quota the scaling rate would refuse about {held_back:,} of them.")
    elif held_back:
        by_both = min(cold.by_scaling_rate, cold.by_quota)
        also = f", from {question.quota:,} on together with the quota" if cold.by_quota == by_both else ""
        lines.append(
            f"The scaling rate begins to refuse after {time_text(cold.empty_after_s * NS_PER_S)}: about"
            f" {cold.wanted - by_both:,} of the first {wanted} requests{also}."
        )
    else:
        lines.append("Neither the scaling rate nor the quota refuses any of them, as long as they come evenly.")
    if held_back:
        warm = math.ceil(round(question.offered_load, 6))
        lines.append(f"As soon as environments are warm, {warm:,} are enough: {_reached(warm)}.")
    return lines


def _reached(environments: int) -> str:
    """When the scaling rate allows so many environments."""
    if environments <= _BURST:
        return f"{environments:,} can start at once"
    return f"{environments:,} can exist after {time_text(time_until_s(environments) * NS_PER_S)}"
