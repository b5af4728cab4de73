"""How long a run will take, from what the formulas say of it: for a word beforehand, and so that sliders stay quick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lambdasim.platform.callers import client_spec
from lambdasim.report.by_formula import ByFormula
from lambdasim.scenario.clients import Backoff, FixedDelays, RandomDelays, SdkPreset
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.units import NS_PER_S
from lambdasim.workload.draws import LEAST_SHARE
from lambdasim.workload.means import mean_ns
from lambdasim.workload.workload import build_workload

# Attempts that are simulated and drawn in a second on a laptop, retries and starts of environments among them. The
# engine alone is three to four times as fast where nothing is refused (README, "How fast").
_ATTEMPTS_PER_S = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How many requests to expect, and how many attempts in all."""

    requests: float
    attempts: float

    @property
    def seconds(self) -> float:
        """About how long a run takes, with its picture."""
        return self.attempts / _ATTEMPTS_PER_S


def may_retry(scenario: Scenario) -> bool:
    """Whether any caller tries again after a refusal."""
    return any(client_spec(source).max_attempts > 1 for source in _callers(scenario))


def forecast(scenario: Scenario, formula: ByFormula | str) -> Forecast:
    """Every request once, and as often as the callers try again whom the limits keep waiting.

    As a fluid: work that is more than the highest concurrency by formula, or the quota, piles up, and who waits tries
    once in a mean delay; but no more often than callers try at most. Without a formula it is as if nobody waited.
    """
    requests = build_workload(scenario, scenario.seed or 0).expected_requests()
    if isinstance(formula, str) or not requests or not may_retry(scenario):
        return Forecast(requests=requests, attempts=requests)
    callers = _callers(scenario)
    most = max(client_spec(source).max_attempts for source in callers) - 1
    share = 1.0 if formula.refused_share is None else formula.refused_share
    waiting_s = _waiting_s(formula, requests, scenario.region.concurrency_quota)
    delay_s = min(_mean_delay_ns(source) for source in callers if client_spec(source).max_attempts > 1) / NS_PER_S
    again = min(waiting_s / max(delay_s, 1e-3), requests * share * most)
    return Forecast(requests=requests, attempts=requests + again)


def _callers(scenario: Scenario) -> list[TrafficSource]:
    return [source for source in scenario.traffic.values() if source.invoke == "sync"]


def _waiting_s(formula: ByFormula, requests: float, quota: int) -> float:
    """The time that all callers wait together, were each served in the end."""
    length_s = np.diff(formula.times_s)
    capacity = quota if formula.carried is None else float(formula.carried.max())
    work = (formula.wanted[1:] + formula.wanted[:-1]) / 2 * length_s
    # Work in concurrency x seconds that has come and is not done: never below 0, so that idle time is lost.
    piled_up = np.cumsum(work - capacity * length_s)
    behind = piled_up - np.minimum.accumulate(np.minimum(piled_up, 0))
    after_the_end = behind[-1] ** 2 / (2 * max(capacity, 1e-9))
    return float(((behind * length_s).sum() + after_the_end) / (work.sum() / requests)) if work.any() else 0.0


def _mean_delay_ns(source: TrafficSource) -> float:
    """Between two attempts of a caller who has been refused for some time."""
    match source.client.retry:
        case FixedDelays(delays=delays):
            return sum(delays) / max(len(delays), 1)
        case RandomDelays(delay=distribution):
            return mean_ns(distribution)
        case Backoff() as policy:
            longest = policy.base * 2**4 if policy.cap == UNLIMITED else int(policy.cap)
            return longest * (1 + LEAST_SHARE[policy.jitter]) / 2
        case SdkPreset(sdk=sdk):
            return float(sdk.throttle_base_ns)  # who tries three times at most stops sooner than this matters
        case _:
            return 0.0
