"""What an engine needs to know of the platform: plain integers, resolved from a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdasim.platform.callers import ClientSpec, client_spec
from lambdasim.platform.concurrency import ThrottleReason, rate_per_s, shared_pool_limit
from lambdasim.platform.event_sources import QueueSpec, StreamSpec, queue_specs, source_queues, stream_specs
from lambdasim.platform.token_bucket import UNLIMITED_BUCKET, BucketLimits, bucket_limits, per_second_bucket
from lambdasim.scenario import profiles
from lambdasim.scenario.changes import Redrive, in_time_order
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.schema import Function, FunctionScaling, Region, RegionScaling, Scenario
from lambdasim.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """Concurrency and request rate that one function owns (reserved) or several share."""

    limit: int
    rate: BucketLimits
    concurrency_reason: ThrottleReason
    rate_reason: ThrottleReason


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """What becomes of the asynchronous events of one function."""

    maximum_age_ns: int
    maximum_retries: int
    slow_down: tuple[float, float] | None  # share that a throttle leaves the reader, and its growth per second
    on_success: int | None  # queue for the records of completed events
    on_failure: int | None  # queue for events that were given up: destination or dead-letter queue


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One function as the engine sees it."""

    name: str
    pool: int  # index into ``Platform.pools``
    scaling: int  # index into ``Platform.scaling``
    timeout_ns: int
    is_eager: bool
    reuses_latest: bool  # most recently used first; else least recently used first
    events: EventSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """What changes in the limits, the code and the queues at one instant. Functions and queues by index."""

    at_ns: int
    shared: PoolSpec | None  # the new shared pool, if it changes
    reserved: tuple[tuple[int, PoolSpec | None], ...]  # new reservations; None: back to the shared pool
    deployed: tuple[int, ...]  # functions whose environments become obsolete
    redriven: tuple[int, int] | None  # dead-letter queue whose messages go back, and the time from one to the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Region, functions and callers of one scenario. Pool 0 is the one that functions share."""

    pools: tuple[PoolSpec, ...]
    scaling: tuple[BucketLimits, ...]
    ramp: tuple[int, int] | None  # start and step of the request-rate ramp, requests/s; None: off
    functions: tuple[FunctionSpec, ...]
    clients: tuple[ClientSpec, ...]  # by traffic source
    queues: tuple[QueueSpec, ...]
    streams: tuple[StreamSpec, ...]
    source_queues: tuple[int, ...]  # queue, or stream after the queues, that each traffic source sends to; -1: none
    api_gateway: BucketLimits  # of requests through any API Gateway of the account
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
                events=_events(function, tuple(scenario.queues)),
            )
        )
    ramp = region.request_rate_ramp
    return Platform(
        pools=tuple(pools),
        scaling=tuple(scaling),
        ramp=None if isinstance(ramp, str) else (ramp.start, ramp.step),
        functions=tuple(functions),
        clients=tuple(client_spec(source) for source in scenario.traffic.values()),
        queues=tuple(queue_specs(scenario)),
        streams=tuple(stream_specs(scenario)),
        source_queues=tuple(source_queues(scenario)),
        api_gateway=_api_gateway_bucket(region),
        changes=tuple(_limit_changes(scenario)),
        duration_ns=scenario.duration,
        drain_ns=scenario.drain,
    )


def _events(function: Function, queues: tuple[str, ...]) -> EventSpec:
    events = function.async_invocation
    slow_down = events.slow_down
    failed = events.dead_letter if events.on_failure is None else events.on_failure
    return EventSpec(
        maximum_age_ns=events.maximum_event_age,
        maximum_retries=events.maximum_retry_attempts,
        slow_down=None if isinstance(slow_down, str) else (slow_down.share, slow_down.recovery),
        on_success=None if events.on_success is None else queues.index(events.on_success),
        on_failure=None if failed is None else queues.index(failed),
    )


def _limit_changes(scenario: Scenario) -> Iterator[LimitChange]:
    region, numbers = scenario.region, {name: number for number, name in enumerate(scenario.functions)}
    before, *states = scenario.limits_in_force()
    led_to = {state.change: state for state in states}
    for number, change in in_time_order(scenario.changes):
        after = led_to.get(number, before)
        if after is before and change.deploy is None and change.redrive is None:
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
            redriven=None if change.redrive is None else _redriven(change.redrive, tuple(scenario.queues)),
        )
        before = after


def _redriven(redrive: Redrive, queues: tuple[str, ...]) -> tuple[int, int]:
    return queues.index(redrive.queue), round(NS_PER_S / redrive.rate)


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


def _api_gateway_bucket(region: Region) -> BucketLimits:
    """AWS: a token bucket over all of an account's APIs in a region (API Gateway limits page, read 2026)."""
    limit = region.api_gateway
    if isinstance(limit, str):
        return UNLIMITED_BUCKET
    return bucket_limits(tokens=limit.burst, rate=limit.rate, per_ns=NS_PER_S)


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
