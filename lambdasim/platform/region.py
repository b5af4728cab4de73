"""What an engine needs to know of the platform: plain integers, resolved from a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdasim.platform.concurrency import ThrottleReason, rate_per_s, shared_pool_limit
from lambdasim.platform.token_bucket import UNLIMITED_BUCKET, BucketLimits, bucket_limits, per_second_bucket
from lambdasim.scenario import profiles
from lambdasim.scenario.changes import in_time_order
from lambdasim.scenario.clients import Backoff, Client, FixedDelays, RandomDelays
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.schema import Function, FunctionScaling, Region, RegionScaling, Scenario
from lambdasim.units import NS_PER_S

# As a number of attempts or a time that is never reached.
WITHOUT_LIMIT = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """Concurrency and request rate that one function owns (reserved) or several share."""

    limit: int
    rate: BucketLimits
    concurrency_reason: ThrottleReason
    rate_reason: ThrottleReason


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One function as the engine sees it."""

    name: str
    pool: int  # index into ``Platform.pools``
    scaling: int  # index into ``Platform.scaling``
    timeout_ns: int
    is_eager: bool
    reuses_latest: bool  # most recently used first; else least recently used first


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """What the callers of one traffic source do; ``WITHOUT_LIMIT`` where they wait or try for ever."""

    timeout_ns: int
    max_attempts: int

    @property
    def is_patient(self) -> bool:
        """Whether callers send each request once and wait for its answer however long it takes."""
        return self.max_attempts == 1 and self.timeout_ns == WITHOUT_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """What changes in the limits and the code at one instant. Functions by index."""

    at_ns: int
    shared: PoolSpec | None  # the new shared pool, if it changes
    reserved: tuple[tuple[int, PoolSpec | None], ...]  # new reservations; None: back to the shared pool
    deployed: tuple[int, ...]  # functions whose environments become obsolete


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Region, functions and callers of one scenario. Pool 0 is the one that functions share."""

    pools: tuple[PoolSpec, ...]
    scaling: tuple[BucketLimits, ...]
    ramp: tuple[int, int] | None  # start and step of the request-rate ramp, requests/s; None: off
    functions: tuple[FunctionSpec, ...]
    clients: tuple[ClientSpec, ...]  # by traffic source
    changes: tuple[LimitChange, ...]  # by time, then order in the file
    duration_ns: int
    drain_ns: int


def build_platform(scenario: Scenario) -> Platform:
    """The platform that a scenario describes."""
    region = scenario.region
    pools = [_shared_pool(region, region.concurrency_quota, scenario.limits_in_force()[0].reserved)]
    scaling = [_region_bucket(region)] if _is_region_wide(region) else []
    functions = []
    for name, function in scenario.functions.items():
        pool = 0
        if function.reserved_concurrency is not None:
            pool = len(pools)
            pools.append(_reserved_pool(region, function.reserved_concurrency))
        bucket = 0
        if function.scaling is not None or not _is_region_wide(region):
            bucket = len(scaling)
            scaling.append(_function_bucket(region, function))
        functions.append(
            FunctionSpec(
                name=name,
                pool=pool,
                scaling=bucket,
                timeout_ns=function.timeout,
                is_eager=function.assignment == "eager",
                reuses_latest=function.reuse == "mru",
            )
        )
    ramp = region.request_rate_ramp
    return Platform(
        pools=tuple(pools),
        scaling=tuple(scaling),
        ramp=None if isinstance(ramp, str) else (ramp.start, ramp.step),
        functions=tuple(functions),
        clients=tuple(_client(source.client) for source in scenario.traffic.values()),
        changes=tuple(_limit_changes(scenario)),
        duration_ns=scenario.duration,
        drain_ns=scenario.drain,
    )


def _limit_changes(scenario: Scenario) -> Iterator[LimitChange]:
    region, numbers = scenario.region, {name: number for number, name in enumerate(scenario.functions)}
    before, *states = scenario.limits_in_force()
    led_to = {state.change: state for state in states}
    for number, change in in_time_order(scenario.changes):
        after = led_to.get(number, before)
        if after is before and change.deploy is None:
            continue  # it concerns the workload
        names = [name for name in numbers if before.reserved.get(name) != after.reserved.get(name)]
        yield LimitChange(
            at_ns=change.at,
            shared=None if after is before else _shared_pool(region, after.quota, after.reserved),
            reserved=tuple(
                (numbers[name], _reserved_pool(region, after.reserved[name]) if name in after.reserved else None)
                for name in names
            ),
            deployed=() if change.deploy is None else (numbers[change.deploy],),
        )
        before = after


def _shared_pool(region: Region, quota: int, reserved: Mapping[str, int]) -> PoolSpec:
    return PoolSpec(
        limit=shared_pool_limit(quota, list(reserved.values())),
        # MODEL: the account's request rate goes by the whole quota, not by what is left unreserved.
        rate=_rate_bucket(region, quota),
        concurrency_reason=ThrottleReason.ACCOUNT_CONCURRENCY,
        rate_reason=ThrottleReason.ACCOUNT_RATE,
    )


def _reserved_pool(region: Region, reserved: int) -> PoolSpec:
    return PoolSpec(
        limit=reserved,
        rate=_rate_bucket(region, reserved),
        concurrency_reason=ThrottleReason.RESERVED_CONCURRENCY,
        rate_reason=ThrottleReason.RESERVED_RATE,
    )


def _rate_bucket(region: Region, concurrency: int) -> BucketLimits:
    """Request-rate bucket of a pool. MODEL: AWS does not publish its depth; one second's worth of requests."""
    if region.requests_per_concurrency == UNLIMITED:
        return UNLIMITED_BUCKET
    return per_second_bucket(rate_per_s(concurrency, int(region.requests_per_concurrency)))


def _is_region_wide(region: Region) -> bool:
    scaling = region.scaling
    return scaling.scope == "region" if isinstance(scaling, RegionScaling) else scaling == "legacy"


def _region_bucket(region: Region) -> BucketLimits:
    if isinstance(region.scaling, RegionScaling):
        return _scaling_bucket(region.scaling)
    burst = profiles.LEGACY_BURST.get(region.name, profiles.LEGACY_BURST_ELSEWHERE)
    return bucket_limits(tokens=burst.value, rate=profiles.LEGACY_PER_MINUTE.value, per_ns=60 * NS_PER_S)


def _function_bucket(region: Region, function: Function) -> BucketLimits:
    scaling = region.scaling if function.scaling is None else function.scaling
    return UNLIMITED_BUCKET if isinstance(scaling, str) else _scaling_bucket(scaling)


def _scaling_bucket(scaling: FunctionScaling) -> BucketLimits:
    return bucket_limits(tokens=scaling.burst, rate=scaling.rate, per_ns=scaling.per)


def _client(client: Client) -> ClientSpec:
    match client.retry:
        case FixedDelays(delays=delays):
            attempts = 1 + len(delays)
        case Backoff(max_attempts=limit) | RandomDelays(max_attempts=limit):
            attempts = WITHOUT_LIMIT if limit == UNLIMITED else int(limit)
        case _:
            attempts = 1
    return ClientSpec(
        timeout_ns=WITHOUT_LIMIT if client.timeout == UNLIMITED else int(client.timeout), max_attempts=attempts
    )
