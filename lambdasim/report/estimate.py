"""``estimate``: what can be said about one function without simulating, and what that leaves out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lambdasim.errors import RuleViolation, UsageError
from lambdasim.report.wording import count_text, share_text, time_text
from lambdasim.scenario import profiles
from lambdasim.theory import concurrency_percentile, erlang_b, max_request_rate, mean_in_system, servers_for_blocking
from lambdasim.units import NS_PER_S, parse_duration, parse_rate

_REQUESTS_PER_CONCURRENCY: int = profiles.defaults(profiles.DEFAULT_PROFILE, "region")["requests_per_concurrency"]
_MAX_LOAD = 10_000_000
_TARGET_RATIO = 0.001


Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Mean rate and duration of one function's requests, and the quota they have to themselves."""

    rate_per_s: float
    duration_ns: int
    quota: int

    @property
    def offered_load(self) -> float:
        """Mean number in flight if nothing is refused: Little's law."""
        return mean_in_system(self.rate_per_s, self.duration_ns / NS_PER_S)


def parse_estimate(*, rate: str, duration: str, quota: int) -> Question:
    """The question of a command line. Raises UsageError with the option, the rule and what was got."""
    question = Question(
        rate_per_s=_parsed("--rate", rate, parse_rate),
        duration_ns=_parsed("--duration", duration, parse_duration),
        quota=quota,
    )
    if quota < 1:
        raise UsageError(f"--quota: must be at least 1, got {quota}")
    if question.offered_load > _MAX_LOAD:
        raise UsageError(
            f"--rate and --duration: must give a concurrency of at most {_MAX_LOAD:,}, got {question.offered_load:,.0f}"
        )
    return question


def _parsed(option: str, text: str, parse: Callable[[object], Number]) -> Number:
    try:
        value = parse(text)
    except RuleViolation as violation:
        hint = f"; {violation.hint}" if violation.hint else ""
        raise UsageError(f"{option}: {violation.rule}, got {text}{hint}") from None
    if value <= 0:
        raise UsageError(f"{option}: must be above 0, got {text}")
    return value


def estimate_lines(question: Question) -> list[str]:
    """The answer, line by line."""
    load, quota = question.offered_load, question.quota
    duration_s = question.duration_ns / NS_PER_S
    rate, duration = f"{count_text(question.rate_per_s)}/s", time_text(question.duration_ns)
    ceiling = max_request_rate(quota, duration_s, _REQUESTS_PER_CONCURRENCY)
    half, p99, p999 = (concurrency_percentile(load, share) for share in (0.5, 0.99, 0.999))
    binding = "the request-rate limit" if duration_s < 1 / _REQUESTS_PER_CONCURRENCY else "the concurrency"
    refused = max(erlang_b(quota, load), 1 - ceiling / question.rate_per_s)
    return [
        f"Little's law: {rate} x {duration} = {count_text(load)} requests in flight on average.",
        f"With random (Poisson) arrivals it moves around that: at most {half:,} half of the time, {p99:,} for 99% and"
        f" {p999:,} for 99.9% of it.",
        f"A quota of {quota:,} takes at most {count_text(ceiling)} requests/s of {duration}: {binding} binds first.",
        f"On a quota of {quota:,} about {share_text(refused, 1)} of the attempts would be throttled for good"
        " (Erlang B: any duration law, no retries, steady traffic).",
        f"To keep that at {share_text(_TARGET_RATIO, 1)} it takes a concurrency of {_needed(question):,}.",
        "",
        "What this leaves out, and a simulation does not:",
        "  · the init of a cold start, during which a request is in flight too;",
        "  · traffic that changes: limits see the peak, Little's law sees the average;",
        "  · the scaling rate: at most 1,000 new environments at once, then 1,000 every 10 s for each function;",
        "  · retries, which turn one refusal into more traffic;",
        "  · other functions in the same account and region, which share the quota.",
    ]


def _needed(question: Question) -> int:
    """Least concurrency at which neither limit refuses more than the target."""
    by_rate = math.ceil(question.rate_per_s * (1 - _TARGET_RATIO) / _REQUESTS_PER_CONCURRENCY)
    return max(servers_for_blocking(question.offered_load, _TARGET_RATIO), by_rate)
