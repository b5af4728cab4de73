"""What an engine needs to know of queues and streams: plain numbers, resolved from a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambdasim.platform.polling import LEAST_WHEN_IDLE, NO_LIMIT, PollerLimits
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.queues import CONCURRENCY_PER_POLLER, MOST_PAYLOAD_BYTES, Queue, QueueMapping
from lambdasim.scenario.schema import Scenario
from lambdasim.scenario.streams import POLL_INTERVAL_NS, Stream
from lambdasim.units import NS_PER_S

# What provisioned pollers add at most; source: AWS News Blog of 2025-11-14 on provisioned mode for SQS mappings.
_PROVISIONED_PER_MINUTE = 1_000
_MINUTE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMappingSpec:
    """How Lambda polls one queue."""

    function: int
    batch_size: int  # what fits into one payload
    window_ns: int
    pollers: PollerLimits
    are_failures_partial: bool
    adds_up: bool  # an invocation works as long as its messages together, else as long as the first of them
    back_off: tuple[float, int] | None  # share that an error or a throttle leaves, and the time between two of them
    retry_base_ns: int
    retry_cap_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSpec:
    """One SQS queue. Queues by index."""

    name: str
    visibility_ns: int
    retention_ns: int
    delay_ns: int
    most_receives: int | None
    dead_letter: int | None
    message_groups: int | None  # None: a standard queue
    mapping: QueueMappingSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """One stream and how Lambda reads it."""

    name: str
    function: int
    shards: int
    lanes: int  # batches of one shard at once: the parallelization factor
    partition_keys: int | None  # None: every record has a key of its own
    batch_size: int
    window_ns: int
    poll_ns: int
    retention_ns: int
    most_retries: int | None
    most_age_ns: int | None
    bisects: bool
    are_failures_partial: bool
    adds_up: bool
    on_failure: int | None  # queue
    retry_base_ns: int
    retry_cap_ns: int


def queue_specs(scenario: Scenario) -> Iterator[QueueSpec]:
    """The queues of a scenario, in file order."""
    names = tuple(scenario.queues)
    for name, queue in scenario.queues.items():
        mapping = queue.event_source_mapping
        yield QueueSpec(
            name=name,
            visibility_ns=queue.visibility_timeout,
            retention_ns=queue.retention,
            delay_ns=queue.delay,
            most_receives=queue.max_receive_count,
            dead_letter=None if queue.dead_letter is None else names.index(queue.dead_letter),
            message_groups=None if queue.fifo is None else queue.fifo.message_groups,
            mapping=None if mapping is None else _mapping(queue, mapping, tuple(scenario.functions)),
        )


def _mapping(queue: Queue, mapping: QueueMapping, functions: tuple[str, ...]) -> QueueMappingSpec:
    back_off = mapping.back_off
    return QueueMappingSpec(
        function=functions.index(mapping.function),
        batch_size=_fitting(mapping.batch_size, queue.message_size),
        window_ns=mapping.batch_window,
        pollers=poller_limits(mapping),
        are_failures_partial=mapping.partial_batch_failures,
        adds_up=mapping.duration_per == "message",
        back_off=None if isinstance(back_off, str) else (back_off.share, back_off.interval),
        retry_base_ns=mapping.throttle_retry.base,
        retry_cap_ns=mapping.throttle_retry.cap,
    )


def _fitting(batch_size: int, size: int) -> int:
    """As many as fit into the payload of one invocation, but at least one."""
    return max(1, min(batch_size, MOST_PAYLOAD_BYTES // size))


def poller_limits(mapping: QueueMapping) -> PollerLimits:
    """What a mapping may have at once: as it scales by itself, within its maximum concurrency, or provisioned."""
    pollers, most = mapping.provisioned_pollers, mapping.maximum_concurrency
    if pollers is not None:
        return PollerLimits(
            start=pollers.minimum * CONCURRENCY_PER_POLLER,
            rate=_PROVISIONED_PER_MINUTE,
            per_ns=_MINUTE_NS,
            most=pollers.maximum * CONCURRENCY_PER_POLLER,
            least=pollers.minimum * CONCURRENCY_PER_POLLER,
            least_when_idle=pollers.minimum * CONCURRENCY_PER_POLLER,
            scale_in=mapping.scale_in,
        )
    scaling = mapping.scaling
    if isinstance(scaling, str):
        everything = NO_LIMIT if most is None else most
        return PollerLimits(
            start=everything,
            rate=1,
            per_ns=1,
            most=everything,
            least=everything,
            least_when_idle=min(everything, LEAST_WHEN_IDLE),
            scale_in=0.0,
        )
    limit = scaling.max if most is None else min(scaling.max, most)
    start = min(scaling.start, limit)
    return PollerLimits(
        start=start,
        rate=scaling.rate,
        per_ns=scaling.per,
        most=limit,
        least=start,
        # AWS: it does not go below its start where a maximum concurrency is set.
        least_when_idle=min(start, LEAST_WHEN_IDLE) if most is None else start,
        scale_in=mapping.scale_in,
    )


def stream_specs(scenario: Scenario) -> Iterator[StreamSpec]:
    """The streams of a scenario, in file order."""
    functions, queues = tuple(scenario.functions), tuple(scenario.queues)
    for name, stream in scenario.streams.items():
        yield _stream(name, stream, functions, queues)


def _stream(name: str, stream: Stream, functions: tuple[str, ...], queues: tuple[str, ...]) -> StreamSpec:
    mapping = stream.event_source_mapping
    retries, age = mapping.maximum_retry_attempts, mapping.maximum_record_age
    return StreamSpec(
        name=name,
        function=functions.index(mapping.function),
        shards=stream.shards,
        lanes=mapping.parallelization_factor,
        partition_keys=stream.partition_keys,
        batch_size=_fitting(mapping.batch_size, stream.record_size),
        window_ns=mapping.batch_window,
        poll_ns=POLL_INTERVAL_NS[stream.kind] if mapping.poll_interval is None else mapping.poll_interval,
        retention_ns=stream.retention,
        most_retries=None if retries == UNLIMITED else int(retries),
        most_age_ns=None if age == UNLIMITED else int(age),
        bisects=mapping.bisect_on_error,
        are_failures_partial=mapping.partial_batch_failures,
        adds_up=mapping.duration_per == "record",
        on_failure=None if mapping.on_failure is None else queues.index(mapping.on_failure),
        retry_base_ns=mapping.retry.base,
        retry_cap_ns=mapping.retry.cap,
    )


def queue_names(scenario: Scenario) -> tuple[str, ...]:
    """Queues, then streams: what messages and records wait in, by the index that the event log has."""
    return (*scenario.queues, *scenario.streams)


def source_queues(scenario: Scenario) -> Iterator[int]:
    """Index of the queue or stream that each traffic source sends to; -1 for those that invoke the function."""
    names = queue_names(scenario)
    for source in scenario.traffic.values():
        yield -1 if source.target is None else names.index(source.target)
