"""Plans on the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from math import floor
from unittest.mock import patch

from lambdasim.engine.reference import SimpyEngine
from lambdasim.eventlog.log import EventLog
from lambdasim.metrics.run import Run
from lambdasim.platform.region import build_platform
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.sdk_retries import SDK_RETRIES, Failure, RetryQuota
from lambdasim.workload.workload import Workload, build_workload
from tests.properties.plans import Plan, build


@dataclass(frozen=True)
class EngineRun:
    """A plan as the engine ran it."""

    scenario: Scenario
    workload: Workload
    log: EventLog

    @cached_property
    def run(self) -> Run:
        """The run with everything that is derived from its log."""
        return Run(scenario=self.scenario, seed=1, engine="simpy", log=self.log, wall_s=1.0)


def run_on_engine(plan: Plan) -> EngineRun:
    """One plan. SDKs have small quotas; their delays are cut to ticks, jitter to quarters, so that ties are common."""
    made = build(plan)
    with _sdk_quotas_of(plan.sdk_tokens):
        workload = build_workload(made, seed=1)
        _cut_retry_delays_to_ticks(workload, plan.tick_ns)
        _cut_event_shares_to_quarters(workload)
        _cut_poller_shares_to_quarters(workload)
        log = SimpyEngine().run(workload, build_platform(made))
        return EngineRun(made, workload, log)


@contextmanager
def _sdk_quotas_of(tokens: int) -> Iterator[None]:
    """So many tokens in the retry quota of every SDK that has one; prices stay."""
    small = {
        name: replace(sdk, quota=RetryQuota(tokens=tokens, costs=sdk.quota.costs))
        for name, sdk in SDK_RETRIES.items()
        if sdk.quota is not None
    }
    with patch.dict(SDK_RETRIES, small):
        yield


def _cut_retry_delays_to_ticks(workload: Workload, tick_ns: int) -> None:
    drawn = workload.draws.retry_delay

    def cut(source: str, retry: int, ordinal: int, failure: Failure = Failure.THROTTLED) -> int:
        delay = drawn(source, retry, ordinal, failure)
        return delay - delay % tick_ns

    workload.draws.retry_delay = cut  # type: ignore[method-assign]


def _cut_event_shares_to_quarters(workload: Workload) -> None:
    drawn = workload.draws.event_share

    def cut(source: str, function: str, attempt: int, ordinal: int) -> float:
        return floor(4 * drawn(source, function, attempt, ordinal)) / 4

    workload.draws.event_share = cut  # type: ignore[method-assign]


def _cut_poller_shares_to_quarters(workload: Workload) -> None:
    drawn = workload.draws.poller_share

    def cut(source: str, queue: int, attempt: int, ordinal: int) -> float:
        return floor(4 * drawn(source, queue, attempt, ordinal)) / 4

    workload.draws.poller_share = cut  # type: ignore[method-assign]
