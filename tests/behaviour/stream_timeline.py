"""Scenarios with streams, in which no record may be lost or doubled. What became of records: ``queue_timeline``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.batches import batch_rows
from lambdasim.metrics.message_history import iterator_ages_ns
from lambdasim.platform.sharding import place_of
from lambdasim.scenario.schema import Scenario
from tests.behaviour.queue_timeline import S, batches, fates
from tests.builders import log_of, scenario, trace, workload_of

_OPEN = (MessageOutcome.VISIBLE, MessageOutcome.IN_FLIGHT)
_OF_RECORDS = (MessageOutcome.PROCESSED, MessageOutcome.DISCARDED, MessageOutcome.EXPIRED, *_OPEN)

ALWAYS_FAILING = {"errors": {"rate": "100%"}}
# A second after each error and each throttle: the number of tries alone, without the back-off.
EVERY_SECOND = {"retry": {"base": "1s", "cap": "1s"}}


def with_stream(
    rows: Iterable[Any] = (),
    *,
    stream: dict[str, Any] | None = None,
    mapping: dict[str, Any] | None = None,
    function: dict[str, Any] | None = None,
    streams: dict[str, Any] | None = None,
    functions: dict[str, Any] | None = None,
    queues: dict[str, Any] | None = None,
    traffic: dict[str, Any] | None = None,
    **parts: Any,
) -> Scenario:
    """Records at ``rows`` go from source ``t`` to stream ``s`` of one shard, which invokes ``f``.

    A queue of ``on_failure`` that is not described is a plain one that nobody polls.
    """
    mapped = {"function": "f", **(mapping or {})}
    named = dict(queues or {})
    if mapped.get("on_failure") is not None:
        named.setdefault(mapped["on_failure"], {})
    return scenario(
        functions={"f": {**(function or {})}, **(functions or {})},
        queues=named,
        streams={"s": {**(stream or {}), "event_source_mapping": mapped}, **(streams or {})},
        traffic={"t": {"invoke": "stream", "stream": "s", "trace": trace(rows)}, **(traffic or {})},
        **parts,
    )


def streamed(rows: Iterable[Any] = (), *, seed: int = 1, **parts: Any) -> EventLog:
    """The event log of ``with_stream(rows, **parts)``, in which no record was lost or doubled."""
    log = log_of(with_stream(rows, **parts), seed)
    check_records(log)
    return log


def check_records(log: EventLog) -> None:
    """Each record has one row in its stream and one end; what was processed was executed."""
    records = log.messages
    of_stream = [n for n, invokes in enumerate(log.source_invokes) if invokes == "stream"]
    streams = {log.source_queues[source] for source in of_stream}
    rows = np.flatnonzero(np.isin(records.queue, list(streams)))
    sent = np.flatnonzero(np.isin(log.requests.source, of_stream))
    assert sorted(records.request[rows].tolist()) == sent.tolist()
    assert (records.sent_ns[rows] == log.requests.arrival_ns[records.request[rows]]).all()
    outcome = records.outcome[rows]
    assert set(outcome.tolist()) <= set(map(int, _OF_RECORDS))
    is_open = np.isin(outcome, _OPEN)
    assert (records.settled_ns[rows][is_open] == NOT_YET).all()
    assert (records.settled_ns[rows][~is_open] >= records.sent_ns[rows][~is_open]).all()
    assert (records.settled_ns <= log.end_ns).all()
    assert records.is_executed[rows][outcome == MessageOutcome.PROCESSED].all()


def records(log: EventLog) -> list[tuple[int, str, float | None]]:
    """(request, outcome, when) of each record of stream ``s``."""
    return fates(log, "s")


def worked_on(log: EventLog, stream: str = "s") -> list[tuple[list[int], list[float]]]:
    """(records, times of the tries) of each batch."""
    return [(batch.requests, batch.tried) for batch in batches(log, stream)]


def places(made: Scenario, count: int, seed: int = 1) -> list[tuple[int, int]]:
    """(shard, lane) of each record of source ``t`` in stream ``s``."""
    stream = made.streams["s"]
    lanes = stream.event_source_mapping.parallelization_factor
    draws = workload_of(made, seed).draws
    return [
        place_of(draws.partition("t", ordinal), stream.partition_keys, stream.shards, lanes) for ordinal in range(count)
    ]


def iterator_ages(log: EventLog, stream: str = "s") -> list[tuple[float, float]]:
    """(time, age of the last record) of each accepted batch."""
    admitted, age = iterator_ages_ns(log, batch_rows(log), log.queue_names.index(stream))
    return sorted(zip((admitted / S).tolist(), (age / S).tolist(), strict=True))
