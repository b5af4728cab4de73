"""What an engine needs to know of the platform: plain integers, resolved from a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdasim.platform.autoscaling import TrackingSpec
from lambdasim.platform.callers import ClientSpec, client_spec
from lambdasim.platform.concurrency import ThrottleReason, rate_per_s, shared_pool_limit
from lambdasim.platform.event_sources import QueueSpec, StreamSpec, queue_specs, source_queues, stream_specs
from lambdasim.platform.provisioned import init_limit_ns
from lambdasim.platform.token_bucket import UNLIMITED_BUCKET, BucketLimits, bucket_limits, per_second_bucket
from lambdasim.scenario import profiles
from lambdasim.scenario.changes import Change, Redrive, in_time_order
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.provisioned import Autoscaling
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
class AutoscalingSpec:
    """Application Auto Scaling of one function."""

    bounds: tuple[tuple[int, int, int], ...]  # (time, least, most) at the start and after each scheduled action
    tracking: TrackingSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedSpec:
    """Provisioned concurrency of one function that has some, now or later."""

    initial: int  # ready at the start
    environments: int  # that come in each ``per_ns``, after the preparation
    per_ns: int
    init_limit_ns: int
    requests_per_unit: int | None  # a second; None: no limit
    autoscaling: AutoscalingSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One function as the engine sees it."""

    name: str
    pool: int  # index into ``Platform.pools``
    scaling: int  # index into ``Platform.scaling``
    timeout_ns: int
    is_eager: bool
    reuses_latest: bool  # most recently used first; else least recently used first
    restores: bool  # new environments come from a snapshot (SnapStart); else they initialise
    events: EventSpec
    provisioned: ProvisionedSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """What changes in the limits, the code and the queues at one instant. Functions and queues by index."""

    at_ns: int
    shared: PoolSpec | None  # the new shared pool, if it changes
    reserved: tuple[tuple[int, PoolSpec | None], ...]  # new reservations; None: back to the shared pool
    provisioned: tuple[tuple[int, int], ...]  # units of provisioned concurrency asked for
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
                restores=function.snapstart is not None,
                events=_events(function, tuple(scenario.queues)),
                provisioned=_provisioned(scenario, name),
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


def _provisioned(scenario: Scenario, name: str) -> ProvisionedSpec | None:
    function, region = scenario.functions[name], scenario.region
    if not any(state.provisioned.get(name) for state in scenario.limits_in_force()):
        return None
    allocation, per_unit = function.provisioned_allocation, region.requests_per_concurrency
    environments, per_ns = (1, 0) if isinstance(allocation, str) else (allocation.rate, allocation.per)
    return ProvisionedSpec(
        initial=function.initial_provisioned,
        environments=environments,
        per_ns=per_ns,
        init_limit_ns=init_limit_ns(function.timeout),
        requests_per_unit=None if per_unit == UNLIMITED else int(per_unit),
        autoscaling=_autoscaling(function.autoscaling, scenario.duration),
    )


def _autoscaling(autoscaling: Autoscaling | None, duration_ns: int) -> AutoscalingSpec | None:
    if autoscaling is None:
        return None
    return AutoscalingSpec(bounds=tuple(autoscaling.bounds_over_time(duration_ns)), tracking=_tracking(autoscaling))


def _tracking(autoscaling: Autoscaling) -> TrackingSpec | None:
    if autoscaling.target is None:
        return None
    target = round(autoscaling.target * 1_000)
    return TrackingSpec(
        target=target,
        uses_maximum=autoscaling.statistic == "maximum",
        out_points=autoscaling.scale_out_points,
        in_points=autoscaling.scale_in_points,
        in_below=target * round(autoscaling.scale_in_threshold * 1_000),
        in_step=round(autoscaling.scale_in_step * 1_000),
        delay_ns=autoscaling.metric_delay,
        out_cooldown_ns=autoscaling.scale_out_cooldown,
        in_cooldown_ns=autoscaling.scale_in_cooldown,
    )


def _limit_changes(scenario: Scenario) -> Iterator[LimitChange]:
    region, numbers = scenario.region, {name: number for number, name in enumerate(scenario.functions)}
    before, *states = scenario.limits_in_force()
    ever_provisioned = {name for state in (before, *states) for name, units in state.provisioned.items() if units}
    led_to = {state.change: state for state in states}
    for number, change in in_time_order(scenario.changes):
        after = led_to.get(number, before)
        asked = {name: units for name, units in _asked_for(change).items() if name in ever_provisioned}
        if after is before and not asked and change.deploy is None and change.redrive is None:
            continue  # it concerns the workload
        names = [name for name in numbers if before.reserved.get(name) != after.reserved.get(name)]
        yield LimitChange(
            at_ns=change.at,
            shared=None if after is before else _shared_pool(region, after.quota, after.reserved),
            reserved=tuple(
                (numbers[name], _reserved_pool(region, after.reserved[name]) if name in after.reserved else None)
                for name in names
            ),
            # Also what was asked for before: that may have failed.
            provisioned=tuple((numbers[name], units) for name, units in asked.items()),
            deployed=() if change.deploy is None else (numbers[change.deploy],),
            redriven=None if change.redrive is None else _redriven(change.redrive, tuple(scenario.queues)),
        )
        before = after


def _asked_for(change: Change) -> dict[str, int]:
    """Units of provisioned concurrency that a change asks for, by function."""
    asked = {name: function.provisioned_concurrency for name, function in (change.functions or {}).items()}
    return {name: 0 if units == "none" else int(units) for name, units in asked.items() if units is not None}


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
