"""What must always hold of records in streams, whatever throttles, errors, crashes, deployments and changes do.

And that these properties can fail: faults that are put into the engine on purpose break them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from lambdasim.engine.reference import SimpyEngine, stream_reader
from lambdasim.engine.reference.event_sources import EventSources
from lambdasim.engine.reference.messages import Messages
from lambdasim.engine.reference.stream_reader import Lane, RecordBatch, StreamReader
from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome, Result
from lambdasim.metrics.run import Run
from lambdasim.platform import region
from lambdasim.platform.event_sources import StreamSpec, stream_specs
from lambdasim.platform.region import build_platform
from lambdasim.platform.retry import backoff_ns
from lambdasim.platform.sharding import place_of
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.workload import Workload, build_workload
from tests.builders import scenario, trace

S = 10**9
UNSETTLED = (MessageOutcome.VISIBLE, MessageOutcome.IN_FLIGHT)
ENDS = (MessageOutcome.PROCESSED, MessageOutcome.DISCARDED, MessageOutcome.EXPIRED, *UNSETTLED)

Place = tuple[int, int, int]  # stream, shard, lane


@dataclass(frozen=True)
class Record:
    """One row of the messages that is a record of a stream."""

    row: int
    request: int
    place: Place
    sent: int
    receives: int
    first_receive: int
    outcome: MessageOutcome
    settled: int
    is_executed: bool


@dataclass(frozen=True)
class Batch:
    """One row of the batches; times are NOT_YET where there were none."""

    number: int
    stream: int
    rows: tuple[int, ...]
    throttled: tuple[int, ...]
    admitted: int
    end: int
    result: Result | None

    @property
    def tries(self) -> tuple[int, ...]:
        """When the function was tried with it."""
        return (*self.throttled, *([] if self.admitted == NOT_YET else [self.admitted]))


@dataclass(frozen=True)
class Seen:
    """A run as lists of records and batches."""

    made: Scenario
    workload: Workload
    log: EventLog

    @cached_property
    def specs(self) -> dict[int, StreamSpec]:
        """Streams as the scenario says, by the number that the log has for them."""
        return dict(enumerate(stream_specs(self.made), len(self.made.queues)))

    @cached_property
    def records(self) -> dict[int, Record]:
        """Rows of messages that are in streams."""
        made, found = self.log.messages, {}
        columns = (
            *(made.request, made.queue, made.sent_ns, made.receives, made.first_receive_ns),
            *(made.outcome, made.settled_ns, made.is_executed),
        )
        for row, values in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
            request, queue, sent, receives, first_receive, outcome, settled, is_executed = values
            if queue in self.specs:
                found[row] = Record(
                    *(row, request, self._place(request, queue), sent, receives, first_receive),
                    *(MessageOutcome(outcome), settled, is_executed),
                )
        return found

    def _place(self, request: int, queue: int) -> Place:
        source, spec = self.log.requests.source, self.specs[queue]
        name = self.log.source_names[source[request]]
        ordinal = int((source[:request] == source[request]).sum())
        partition = self.workload.draws.partition(name, ordinal)
        return (queue, *place_of(partition, spec.partition_keys, spec.shards, spec.lanes))

    @cached_property
    def batches(self) -> list[Batch]:
        """Batches of records, in the order of the log, with the attempts whose numbers are theirs."""
        log = self.log
        accepted = _by_attempt(log.invocations.request, log.invocations.attempt)
        refused = _by_attempt(log.throttles.request, log.throttles.attempt)
        rows: list[list[int]] = [[] for _ in range(len(log.batches))]
        for message, number in zip(log.deliveries.message.tolist(), log.deliveries.batch.tolist(), strict=True):
            rows[number].append(message)
        found = []
        for number, of_batch in enumerate(rows):
            if int(log.batches.queue[number]) not in self.specs:
                continue
            request, first = int(log.batches.request[number]), int(log.batches.first_attempt[number])
            numbers = [(request, first + n) for n in range(int(log.batches.attempts[number]))]
            last = accepted.get(numbers[-1]) if numbers else None
            assert bool(log.batches.is_accepted[number]) == (last is not None)
            throttled = numbers if last is None else numbers[:-1]
            found.append(
                Batch(
                    number=number,
                    stream=int(log.batches.queue[number]),
                    rows=tuple(of_batch),
                    throttled=tuple(int(log.throttles.time_ns[refused[one]]) for one in throttled),
                    admitted=NOT_YET if last is None else int(log.invocations.admitted_ns[last]),
                    end=NOT_YET if last is None else int(log.invocations.end_ns[last]),
                    result=None if last is None else Result(int(log.invocations.result[last])),
                )
            )
        return found

    @cached_property
    def lanes(self) -> dict[Place, list[Record]]:
        """Records of each lane, in the order in which they came."""
        found: dict[Place, list[Record]] = {}
        for record in self.records.values():
            found.setdefault(record.place, []).append(record)
        return found

    @cached_property
    def batches_of(self) -> dict[Place, list[Batch]]:
        """Batches of each lane."""
        found: dict[Place, list[Batch]] = {place: [] for place in self.lanes}
        for batch in self.batches:
            found[self.records[batch.rows[0]].place].append(batch)
        return found

    def end_of(self, batch: Batch) -> int:
        """When its invocation ended, or the run."""
        return self.log.end_ns if batch.end == NOT_YET else batch.end


def _by_attempt(request: Any, attempt: Any) -> dict[tuple[int, int], int]:
    numbers = list(zip(request.tolist(), attempt.tolist(), strict=True))
    assert len(set(numbers)) == len(numbers), "no two attempts of a request have one number"
    return {number: row for row, number in enumerate(numbers)}


def run(made: Scenario, seed: int = 1) -> Seen:
    """A scenario on the engine."""
    workload = build_workload(made, seed)
    return Seen(made, workload, SimpyEngine().run(workload, build_platform(made)))


# --- Scenarios. Times are multiples of half a second, so that ties are common. ---


def _seconds(halves: int) -> str:
    return f"{halves * 500}ms"


def _limit(draw: DrawFn, values: list[Any]) -> Any:
    return draw(st.sampled_from(["unlimited", *values]))


@st.composite
def mappings(draw: DrawFn, functions: list[str]) -> dict[str, Any]:
    """How one stream is read."""
    retry = draw(st.sampled_from([(1, 1), (1, 4), (1, 60), (2, 5), (1, 60), (59, 60), (30_000, 40_000)]))
    return {
        "function": draw(st.sampled_from(functions)),
        "batch_size": draw(st.sampled_from([1, 2, 2, 3, 4, 5, 10])),
        "batch_window": _seconds(draw(st.sampled_from([0, 0, 0, 2, 3, 5, 8, 130]))),
        "parallelization_factor": draw(st.sampled_from([1, 1, 2, 3])),
        "maximum_retry_attempts": _limit(draw, [0, 1, 1, 2, 3]),
        "maximum_record_age": _limit(draw, ["60s", "60s", "61s", "75s"]),
        "bisect_on_error": draw(st.booleans()),
        "partial_batch_failures": draw(st.booleans()),
        "on_failure": draw(st.sampled_from([None, "notes", "notes"])),
        "duration_per": draw(st.sampled_from(["batch", "batch", "record"])),
        "poll_interval": draw(st.sampled_from([None, None, None, "2s", "1500ms"])),
        "retry": {"base": f"{retry[0]}s", "cap": f"{retry[1]}s"},
    }


@st.composite
def functions(draw: DrawFn) -> dict[str, Any]:
    """A function that fails in one way or another."""
    errors = st.sampled_from([{}, {"rate": "30%"}, {"rate": "100%"}, {"poison": "40%"}, {"crash": "40%"}])
    drawn = {
        "duration": _seconds(draw(st.sampled_from([1, 2, 2, 3, 9, 20]))),
        "init": _seconds(draw(st.sampled_from([0, 0, 1, 4, 22]))),
        "idle_timeout": draw(st.sampled_from(["unlimited", "1s", "5s"])),
        "errors": draw(errors),
    }
    timeout, reserved = draw(st.sampled_from([None, None, "1s", "4s"])), draw(st.sampled_from([None, None, 0, 1, 2]))
    if timeout is not None:
        drawn["timeout"] = timeout
    if reserved is not None:
        drawn["reserved_concurrency"] = reserved
    return drawn


def rows_of(draw: DrawFn, most: int = 12) -> Any:
    """Records at halves of seconds, some of a duration of their own."""
    row = st.tuples(st.integers(0, 40), st.sampled_from([None, None, 1, 2, 6]))
    drawn = sorted(draw(st.lists(row, min_size=1, max_size=most)), key=lambda one: one[0])
    return trace([(time / 2, None if duration is None else duration / 2) for time, duration in drawn])


@st.composite
def changes(draw: DrawFn, made: dict[str, Any]) -> list[dict[str, Any]]:
    """Deployments, errors that come and go, and reservations."""
    found = []
    for at in sorted(draw(st.lists(st.integers(1, 60), max_size=4))):
        name = draw(st.sampled_from(sorted(made)))
        kinds = ["deploy", "errors", *(["reserved"] if "reserved_concurrency" in made[name] else [])]
        kind = draw(st.sampled_from(kinds))
        change: dict[str, Any] = {"at": _seconds(at)}
        if kind == "deploy":
            change["deploy"] = name
        elif kind == "errors":
            change["functions"] = {name: {"errors": draw(st.sampled_from([{}, {"rate": "50%"}, {"poison": "50%"}]))}}
        else:
            change["functions"] = {name: {"reserved_concurrency": draw(st.integers(0, 2))}}
        found.append(change)
    return found


@st.composite
def stream_scenarios(draw: DrawFn) -> Scenario:
    """One or two streams, one or two functions, notes that a function may work on, callers beside them."""
    named = {name: draw(functions()) for name in draw(st.sampled_from([["f"], ["f"], ["f", "h"]]))}
    streams, traffic = {}, {}
    for number in range(draw(st.sampled_from([1, 1, 2]))):
        kind = draw(st.sampled_from(["kinesis", "kinesis", "dynamodb"]))
        streams[f"s{number}"] = {
            "kind": kind,
            "shards": draw(st.sampled_from([1, 1, 2, 3])),
            "partition_keys": draw(st.sampled_from([None, None, 1, 2, 5])),
            "record_size": draw(st.sampled_from(["1KB", "1KB", "3MB", "10MB"])),
            "event_source_mapping": draw(mappings(sorted(named))),
        }
        traffic[f"t{number}"] = {"invoke": "stream", "stream": f"s{number}", "trace": rows_of(draw)}
    if draw(st.booleans()):
        to = draw(st.sampled_from(sorted(streams)))
        traffic["u"] = {"invoke": "stream", "stream": to, "trace": rows_of(draw, 5)}
    if draw(st.sampled_from([False, False, True])):
        traffic["w"] = {"function": "f", "trace": rows_of(draw, 5)}
    polled = {"event_source_mapping": {"function": "g", "batch_size": 1}}
    notes = draw(st.sampled_from([{}, polled, polled]))
    reserved = sum(function.get("reserved_concurrency", 0) for function in named.values())
    # Changes may raise each reservation to 2.
    room = 2 * len(named) if reserved or any("reserved_concurrency" in one for one in named.values()) else 0
    return scenario(
        functions={**named, "g": {"timeout": "30s"}},
        queues={"notes": notes},
        streams=streams,
        traffic=traffic,
        changes=draw(changes(named)),
        region={"concurrency_quota": max(1, room + draw(st.sampled_from([0, 1, 2, 50])))},
        duration=_seconds(draw(st.sampled_from([1, 10, 41]))),
        drain=f"{draw(st.sampled_from([0, 20, 300, 300, 100_000]))}s",
    )


@st.composite
def healing_scenarios(draw: DrawFn) -> Scenario:
    """Streams that give nothing up, and functions that are repaired some time: enough for every record."""
    made = draw(stream_scenarios())
    init, duration, timeout = draw(st.sampled_from([("0s", "1s", None), ("1s", "1s", "2s"), ("3s", "1s", "3s")]))
    broken = draw(st.sampled_from([{"rate": "100%"}, {"crash": "100%"}, {"rate": "50%", "crash": "20%"}]))
    streams: dict[str, Any] = {}
    traffic: dict[str, Any] = {}
    for name in made.streams:
        mapping = draw(mappings(["f"]))
        mapping |= {"maximum_retry_attempts": -1, "maximum_record_age": -1, "duration_per": "batch"}
        mapping |= {"retry": {"base": "1s", "cap": draw(st.sampled_from(["1s", "5s", "60s"]))}}
        streams[name] = {
            "shards": draw(st.integers(1, 3)),
            "partition_keys": draw(st.sampled_from([None, 1, 2, 5])),
            "event_source_mapping": mapping,
        }
        times = sorted(draw(st.lists(st.integers(0, 40), min_size=1, max_size=12)))
        traffic[f"t-{name}"] = {"invoke": "stream", "stream": name, "trace": trace([time / 2 for time in times])}
    function = {"init": init, "duration": duration, "errors": broken, "reserved_concurrency": draw(st.integers(1, 3))}
    function["idle_timeout"] = draw(st.sampled_from(["unlimited", "2s"]))
    if timeout is not None:
        function["timeout"] = timeout
    fixed = draw(st.integers(1, 200))
    # The fix is a deployment: an environment that was reset has its init within the timeout, a new one before it.
    events: list[tuple[int, dict[str, Any]]] = [(fixed, {"deploy": "f", "functions": {"f": {"errors": {}}}})]
    events += [(at, {"deploy": "f"}) for at in draw(st.lists(st.integers(0, 200), max_size=3))]
    for at in draw(st.lists(st.integers(0, 200), max_size=1)):
        events.append((at, {"functions": {"f": {"reserved_concurrency": 0}}}))
        events.append((at + draw(st.integers(1, 200)), {"functions": {"f": {"reserved_concurrency": 2}}}))
    return scenario(
        functions={"f": function},
        queues={"notes": {}},
        streams=streams,
        traffic=traffic,
        changes=[{"at": f"{at}s", **change} for at, change in sorted(events, key=lambda event: event[0])],
        duration="21s",
        drain="50000s",
    )


# --- Properties. ---


def every_record_has_one_row(seen: Seen) -> None:
    """Of each request of a source that sends to a stream, in that stream, since it arrived."""
    log = seen.log
    expected = [
        (request, log.source_queues[source], int(log.requests.arrival_ns[request]))
        for request, source in enumerate(log.requests.source.tolist())
        if log.source_invokes[source] == "stream"
    ]
    found = [(record.request, record.place[0], record.sent) for record in seen.records.values()]
    assert sorted(found) == expected
    assert len({record.request for record in seen.records.values()}) == len(found)


def every_record_has_one_end(seen: Seen) -> None:
    """And nothing happens to it before it was sent, or after the run."""
    for record in seen.records.values():
        assert record.outcome in ENDS
        assert (record.settled == NOT_YET) == (record.outcome in UNSETTLED)
        happened = [time for time in (record.sent, record.settled, seen.log.end_ns) if time != NOT_YET]
        assert happened == sorted(happened)
        if record.outcome == MessageOutcome.VISIBLE:
            assert record.first_receive == NOT_YET
        if record.outcome in (MessageOutcome.IN_FLIGHT, MessageOutcome.PROCESSED):
            assert record.first_receive != NOT_YET


def the_summary_counts_the_same_ends(seen: Seen) -> None:
    """received = processed + discarded + expired + waiting and in flight."""
    blocks = Run(scenario=seen.made, seed=1, engine="simpy", log=seen.log, wall_s=1.0).summary["streams"]
    for number, spec in seen.specs.items():
        block = blocks[spec.name]
        ends = Counter(record.outcome for record in seen.records.values() if record.place[0] == number)
        assert block["received"] == ends.total()
        assert block["completed"] == ends[MessageOutcome.PROCESSED]
        dropped = {"discarded": ends[MessageOutcome.DISCARDED], "expired": ends[MessageOutcome.EXPIRED]}
        assert block["dropped_by_reason"] == dropped
        assert block["dropped"] == sum(dropped.values())
        assert block["in_flight"] == ends[MessageOutcome.VISIBLE] + ends[MessageOutcome.IN_FLIGHT]


def lanes_are_in_order(seen: Seen) -> None:
    """Batches hold neighbours of one lane; first invocations, ends and what is left are in the order of arrival."""
    for batch in seen.batches:
        place = seen.records[batch.rows[0]].place
        assert place[0] == batch.stream
        of_lane = [record.row for record in seen.lanes[place]]
        assert set(batch.rows) <= set(of_lane)
        assert list(batch.rows) == sorted(batch.rows)
        first, last = (of_lane.index(row) for row in (batch.rows[0], batch.rows[-1]))
        # Records may be missing in it only where they were given up or are gone.
        for row in set(of_lane[first : last + 1]) - set(batch.rows):
            assert seen.records[row].outcome in (MessageOutcome.DISCARDED, MessageOutcome.EXPIRED)
    for place, of_place in seen.lanes.items():
        tried: dict[int, int] = {}
        accepted: dict[int, int] = {}
        for batch in seen.batches_of[place]:
            for row in batch.rows:
                if batch.tries:
                    tried[row] = min(tried.get(row, batch.tries[0]), batch.tries[0])
                if batch.admitted != NOT_YET:
                    accepted[row] = min(accepted.get(row, batch.admitted), batch.admitted)
        for times in (tried, accepted):
            in_order = [times[record.row] for record in of_place if record.row in times]
            assert in_order == sorted(in_order)
        settled = [record.settled for record in of_place]
        ended = [time for time in settled if time != NOT_YET]
        assert settled[: len(ended)] == ended == sorted(ended)
        # A record is tried first when all before it are settled or with it.
        for earlier, later in pairwise(of_place):
            if later.row not in tried or earlier.row not in tried or tried[earlier.row] == tried[later.row]:
                continue
            assert NOT_YET != earlier.settled <= tried[later.row]


def lanes_do_one_thing_at_a_time(seen: Seen) -> None:
    """No try while an invocation is under way, and no new batch while another one is tried."""
    for of_place in seen.batches_of.values():
        tried = sorted((batch for batch in of_place if batch.tries), key=lambda batch: batch.tries[0])
        for earlier, later in pairwise(tried):
            until = earlier.tries[-1] if earlier.admitted == NOT_YET else seen.end_of(earlier)
            assert until <= later.tries[0]
        assert all(batch.tries == tuple(sorted(set(batch.tries))) for batch in tried)


def concurrency_is_limited(seen: Seen) -> None:
    """Of each function: at most shards x factor of its streams, whatever else it does not do for callers."""
    for function in range(len(seen.log.function_names)):
        at_most = sum(spec.shards * spec.lanes for spec in seen.specs.values() if spec.function == function)
        numbers = {number for number, spec in seen.specs.items() if spec.function == function}
        spans = [
            (batch.admitted, seen.end_of(batch))
            for batch in seen.batches
            if batch.stream in numbers and batch.admitted != NOT_YET
        ]
        for time, _ in spans:
            assert sum(start <= time < end for start, end in spans) <= at_most


def batches_are_small(seen: Seen) -> None:
    """batch_size, and no more than 6 MB."""
    for batch in seen.batches:
        stream = seen.made.streams[seen.specs[batch.stream].name]
        fitting = max(1, 6 * 2**20 // stream.record_size)
        assert 1 <= len(batch.rows) <= min(stream.event_source_mapping.batch_size, fitting)


def reads_are_at_polls_or_after_batches(seen: Seen) -> None:
    """After the sending; at a whole multiple of the interval, or when the lane was done with something else."""
    for place, of_place in seen.lanes.items():
        poll = seen.specs[place[0]].poll_ns
        if seen.specs[place[0]].window_ns:
            poll = 1  # reads at the end of a window have a test by hand
        done = {record.settled for record in of_place}
        for record in of_place:
            if record.first_receive == NOT_YET:
                continue
            assert record.sent < record.first_receive
            assert record.first_receive % poll == 0 or record.first_receive in done


def deliveries_are_counted(seen: Seen) -> None:
    """As receives; executed means that a batch with it was accepted."""
    receives = Counter(row for batch in seen.batches for row in batch.rows)
    executed = {row for batch in seen.batches if batch.admitted != NOT_YET for row in batch.rows}
    for record in seen.records.values():
        assert record.receives == receives[record.row]
        assert record.is_executed == (record.row in executed)
        assert record.first_receive != NOT_YET or not receives[record.row]


def what_is_processed_was_in_a_successful_invocation(seen: Seen) -> None:
    """At whose end it was processed; without partial responses that was the only one, and all of it was."""
    done = {(row, batch.end) for batch in seen.batches if batch.result == Result.OK for row in batch.rows}
    for record in seen.records.values():
        assert record.outcome != MessageOutcome.PROCESSED or (record.row, record.settled) in done
    for batch in seen.batches:
        if batch.result == Result.OK and not seen.specs[batch.stream].are_failures_partial:
            ends = {(seen.records[row].outcome, seen.records[row].settled) for row in batch.rows}
            assert ends == {(MessageOutcome.PROCESSED, batch.end)}


def nothing_is_tried_after_its_time(seen: Seen) -> None:
    """Neither what is settled, nor what is too old, nor what the stream no longer has."""
    for batch in seen.batches:
        spec = seen.specs[batch.stream]
        for row in batch.rows:
            record = seen.records[row]
            for time in batch.tries:
                assert record.sent < time < record.sent + spec.retention_ns
                assert spec.most_age_ns is None or time - record.sent <= spec.most_age_ns
                assert record.settled == NOT_YET or time < record.settled


def nothing_is_given_up_without_reason(seen: Seen) -> None:
    """Discarded: no retry left, or too old. Expired: exactly at the end of the retention."""
    failed = {row for batch in seen.batches if batch.result != Result.OK and batch.end != NOT_YET for row in batch.rows}
    for record in seen.records.values():
        spec = seen.specs[record.place[0]]
        if record.outcome == MessageOutcome.EXPIRED:
            assert record.settled == record.sent + spec.retention_ns
        if record.outcome == MessageOutcome.DISCARDED:
            is_old = spec.most_age_ns is not None and record.settled - record.sent > spec.most_age_ns
            is_tried = spec.most_retries is not None and (record.row in failed or spec.are_failures_partial)
            assert is_old or is_tried


def retries_are_limited(seen: Seen) -> None:
    """A record is in one failed invocation more than there are retries, and in one more for each split.

    With partial responses the retries are those of the first record, at each place.
    """
    failures = Counter(
        row
        for batch in seen.batches
        if batch.end != NOT_YET
        for row in batch.rows
        if seen.records[row].settled == NOT_YET or seen.records[row].settled >= batch.end
        if seen.records[row].outcome != MessageOutcome.PROCESSED or seen.records[row].settled > batch.end
    )
    for row, count in failures.items():
        spec = seen.specs[seen.records[row].place[0]]
        if spec.most_retries is None or spec.are_failures_partial:
            continue
        splits = (spec.batch_size - 1).bit_length() if spec.bisects else 0
        assert count <= spec.most_retries + 1 + splits
        record = seen.records[row]
        is_old = spec.most_age_ns is not None and record.settled - record.sent > spec.most_age_ns
        if record.outcome == MessageOutcome.DISCARDED and not is_old:
            assert count >= spec.most_retries + 1


def delays_double(seen: Seen) -> None:
    """Between the throttles of a batch; and no try after an error comes before the least delay."""
    for place, of_place in seen.batches_of.items():
        spec = seen.specs[place[0]]
        delays = {backoff_ns(spec.retry_base_ns, spec.retry_cap_ns, k) for k in range(1, 40)}
        for batch in of_place:
            gaps = [later - earlier for earlier, later in pairwise(batch.tries)]
            assert set(gaps) <= delays
            assert all(later == min(spec.retry_cap_ns, 2 * earlier) for earlier, later in pairwise(gaps))
        for earlier, later in pairwise(batch for batch in of_place if batch.tries):
            is_again = earlier.rows[0] == later.rows[0] and earlier.admitted != NOT_YET
            if is_again:
                assert later.tries[0] - earlier.end in delays


def each_try_comes_after_its_delay(seen: Seen) -> None:
    """min(cap, base x 2^(k-1)) after the k-th throttle or error in a row of a batch that nothing splits."""
    for place, of_place in seen.batches_of.items():
        spec = seen.specs[place[0]]
        if spec.bisects or spec.are_failures_partial:
            continue
        last_row, in_a_row, due = -1, 0, 0
        for batch in of_place:
            if batch.rows[-1] != last_row:  # another batch, not what is left of the one before
                last_row, in_a_row, due = batch.rows[-1], 0, 0
            for time in batch.tries:
                assert due in (0, time)
                in_a_row += 1
                since = batch.end if time == batch.admitted else time
                due = since + backoff_ns(spec.retry_base_ns, spec.retry_cap_ns, in_a_row)


def each_group_that_is_given_up_has_a_note(seen: Seen) -> None:
    """In the queue named, at that instant, for the first record of the group; and nothing else is there."""
    log = seen.log
    notes = Counter(
        (request, sent)
        for request, queue, sent in zip(
            *(column.tolist() for column in (log.messages.request, log.messages.queue, log.messages.sent_ns)),
            strict=True,
        )
        if queue not in seen.specs
    )
    assert all(count == 1 for count in notes.values())
    groups: dict[tuple[Place, int], list[int]] = {}
    for record in seen.records.values():
        if record.outcome == MessageOutcome.DISCARDED and seen.specs[record.place[0]].on_failure is not None:
            groups.setdefault((record.place, record.settled), []).append(record.request)
    assert all((requests[0], time) in notes for (_, time), requests in groups.items())
    assert set(notes) <= {(request, time) for (_, time), requests in groups.items() for request in requests}


def the_run_waits_for_records(seen: Seen) -> None:
    """Before the drain is over it ends with every record settled, and every note worked on that somebody polls."""
    if seen.log.end_ns >= seen.made.duration + seen.made.drain:
        return
    assert all(record.outcome not in UNSETTLED for record in seen.records.values())
    if seen.made.queues["notes"].event_source_mapping is not None:
        of_queue = ~np.isin(seen.log.messages.queue, list(seen.specs))
        assert (seen.log.messages.settled_ns[of_queue] != NOT_YET).all()


PROPERTIES = [
    every_record_has_one_row,
    every_record_has_one_end,
    the_summary_counts_the_same_ends,
    lanes_are_in_order,
    lanes_do_one_thing_at_a_time,
    concurrency_is_limited,
    batches_are_small,
    reads_are_at_polls_or_after_batches,
    deliveries_are_counted,
    what_is_processed_was_in_a_successful_invocation,
    nothing_is_tried_after_its_time,
    nothing_is_given_up_without_reason,
    retries_are_limited,
    delays_double,
    each_try_comes_after_its_delay,
    each_group_that_is_given_up_has_a_note,
    the_run_waits_for_records,
]


@pytest.mark.parametrize("holds", PROPERTIES, ids=[one.__name__ for one in PROPERTIES])
def test_what_always_holds_of_records(holds: Callable[[Seen], None]) -> None:
    """Of every log."""

    @settings(max_examples=150)
    @given(stream_scenarios())
    def check(made: Scenario) -> None:
        holds(run(made))

    check()


@settings(max_examples=60)
@given(healing_scenarios())
def test_no_record_is_lost(made: Scenario) -> None:
    """At least once: a function that is repaired some time works on every record."""
    every_record_is_processed(run(made))


def every_record_is_processed(seen: Seen) -> None:
    """And the log says so in every way."""
    every_record_has_one_row(seen)
    assert {record.outcome for record in seen.records.values()} == {MessageOutcome.PROCESSED}
    lanes_are_in_order(seen)
    what_is_processed_was_in_a_successful_invocation(seen)
    assert len(seen.log.messages) == len(seen.records)  # no note


@settings(max_examples=40)
@given(stream_scenarios())
def test_the_same_seed_gives_the_same_log(made: Scenario) -> None:
    """Column by column."""
    assert columns_of(run(made, seed=7).log) == columns_of(run(made, seed=7).log)


def columns_of(log: EventLog) -> dict[str, Any]:
    """A log as lists."""
    found: dict[str, Any] = {"end_ns": log.end_ns}
    for part in fields(log):
        value = getattr(log, part.name)
        if hasattr(value, "__dataclass_fields__"):
            found |= {f"{part.name}.{one.name}": getattr(value, one.name).tolist() for one in fields(value)}
    return found


# --- Faults that these properties must find. ---

Patch = pytest.MonkeyPatch


def specs_are_made_with(patch: Patch, change: Callable[[StreamSpec], StreamSpec]) -> None:
    """Every stream of the engine is another one than the scenario says."""
    patch.setattr(region, "stream_specs", lambda scenario: map(change, stream_specs(scenario)))


def the_second_half_of_a_bisect_comes_first(patch: Patch) -> None:
    """Order is not kept."""
    try_later = Lane.try_later

    def swapped(self: Lane, batch: RecordBatch) -> None:
        if self._split and self._split[-1].rows[0] == batch.rows[-1] + 1 and not batch.tries and not batch.failed:
            batch.rows, self._split[-1].rows = self._split[-1].rows, batch.rows
        try_later(self, batch)

    patch.setattr(Lane, "try_later", swapped)


def throttles_use_up_retries(patch: Patch) -> None:
    """Each refusal counts as a failure."""
    try_later = Lane.try_later

    def strict(self: Lane, batch: RecordBatch) -> None:
        if batch.tries:
            batch.failed += 1
        try_later(self, batch)

    patch.setattr(Lane, "try_later", strict)


def a_lane_reads_on_while_it_works(patch: Patch) -> None:
    """Two batches of a lane at once."""
    put = Lane.put

    def hasty(self: Lane, now_ns: int, row: int) -> None:
        current, self._current = self._current, None
        put(self, now_ns, row)
        if current is not None and self._read_due is not None:
            self._read_due, self._reads_at_ns = None, now_ns
            self._read(now_ns)
        self._current = self._current or current

    patch.setattr(Lane, "put", hasty)


def the_rest_of_a_partial_response_is_lost(patch: Patch) -> None:
    """Its records are never settled."""
    ended = Lane.ended

    def forgetful(self: Lane, batch: RecordBatch, result: int) -> None:
        if result == Result.OK and batch.first_failed:
            batch.rows, batch.first_failed = batch.rows[: batch.first_failed], None
        ended(self, batch, result)

    patch.setattr(Lane, "ended", forgetful)


def what_is_given_up_is_half_lost(patch: Patch) -> None:
    """Only the first record of a group is settled."""
    give_up = StreamReader.give_up
    patch.setattr(StreamReader, "give_up", lambda self, now_ns, rows: give_up(self, now_ns, rows[:1]))


def a_give_up_needs_no_note(patch: Patch) -> None:
    """Nobody is told of it."""
    patch.setattr(EventSources, "_take_record", lambda self, queue, now_ns, row: None)


def a_note_is_on_the_last_record(patch: Patch) -> None:
    """Of the group, not on its first."""
    give_up = StreamReader.give_up

    def from_behind(self: StreamReader, now_ns: int, rows: list[int]) -> None:
        give_up(self, now_ns, rows[::-1])

    patch.setattr(StreamReader, "give_up", from_behind)


def errors_are_no_errors(patch: Patch) -> None:
    """Records are processed by invocations that failed."""
    ended = Lane.ended
    patch.setattr(Lane, "ended", lambda self, batch, result: ended(self, batch, int(Result.OK)))


def a_bisect_forgets_its_second_half(patch: Patch) -> None:
    """It is never tried."""

    def forgetful(self: Lane, now_ns: int) -> None:
        self._split.clear()
        go_on(self, now_ns)

    go_on = Lane._go_on
    patch.setattr(Lane, "_go_on", forgetful)


def one_retry_more(patch: Patch) -> None:
    """Than the maximum."""
    specs_are_made_with(
        patch, lambda spec: spec if spec.most_retries is None else replace(spec, most_retries=spec.most_retries + 1)
    )


def one_retry_less(patch: Patch) -> None:
    """Than the maximum."""
    specs_are_made_with(
        patch, lambda spec: replace(spec, most_retries=spec.most_retries - 1) if spec.most_retries else spec
    )


def no_record_is_too_old(patch: Patch) -> None:
    """Whatever its age."""
    specs_are_made_with(patch, lambda spec: replace(spec, most_age_ns=None))


def a_record_of_its_maximum_age_is_too_old(patch: Patch) -> None:
    """Older, or as old."""
    patch.setattr(stream_reader, "is_too_old", lambda arrival_ns, now_ns, most_ns: now_ns - arrival_ns >= most_ns)


def records_stay_for_ever(patch: Patch) -> None:
    """Whatever the retention."""
    specs_are_made_with(patch, lambda spec: replace(spec, retention_ns=10**18))


def keys_are_spread_over_lanes(patch: Patch) -> None:
    """Records of one key go where there is room."""
    patch.setattr(
        stream_reader,
        "place_of",
        lambda partition, keys, shards, lanes: place_of(partition, None, shards, lanes),
    )


def there_is_one_lane_more(patch: Patch) -> None:
    """In each shard."""
    specs_are_made_with(patch, lambda spec: replace(spec, lanes=spec.lanes + 1))


def batches_have_no_size_in_bytes(patch: Patch) -> None:
    """Only a number of records."""
    patch.setattr(
        region, "stream_specs", lambda scenario: map(sized, stream_specs(scenario), scenario.streams.values())
    )

    def sized(spec: StreamSpec, stream: Any) -> StreamSpec:
        return replace(spec, batch_size=stream.event_source_mapping.batch_size)


def the_back_off_begins_anew_with_each_throttle(patch: Patch) -> None:
    """1, 1, 1 s."""
    patch.setattr(stream_reader, "backoff_ns", lambda base_ns, cap_ns, k: backoff_ns(base_ns, cap_ns, 1))


def throttles_do_not_lengthen_the_delay(patch: Patch) -> None:
    """After an error that follows."""
    ended = Lane.ended

    def fresh(self: Lane, batch: RecordBatch, result: int) -> None:
        batch.refused_or_failed = batch.failed
        ended(self, batch, result)

    patch.setattr(Lane, "ended", fresh)


def a_record_is_read_when_it_comes(patch: Patch) -> None:
    """Without a poll."""
    specs_are_made_with(patch, lambda spec: replace(spec, poll_ns=1))


def only_the_first_record_is_executed(patch: Patch) -> None:
    """In the log."""
    were_accepted = Messages.were_accepted
    patch.setattr(Messages, "were_accepted", lambda self, rows: were_accepted(self, rows[:1]))


def the_run_does_not_wait_for_records(patch: Patch) -> None:
    """It ends with the last invocation."""
    patch.setattr(EventSources, "is_waiting", False)


FAULTS = [
    (the_second_half_of_a_bisect_comes_first, lanes_are_in_order),
    (throttles_use_up_retries, retries_are_limited),
    (a_lane_reads_on_while_it_works, lanes_do_one_thing_at_a_time),
    (the_rest_of_a_partial_response_is_lost, lanes_are_in_order),
    (what_is_given_up_is_half_lost, lanes_are_in_order),
    (a_give_up_needs_no_note, each_group_that_is_given_up_has_a_note),
    (a_note_is_on_the_last_record, each_group_that_is_given_up_has_a_note),
    (errors_are_no_errors, what_is_processed_was_in_a_successful_invocation),
    (a_bisect_forgets_its_second_half, lanes_are_in_order),
    (one_retry_more, retries_are_limited),
    (one_retry_less, retries_are_limited),
    (no_record_is_too_old, nothing_is_tried_after_its_time),
    (a_record_of_its_maximum_age_is_too_old, nothing_is_given_up_without_reason),
    (records_stay_for_ever, nothing_is_tried_after_its_time),
    (keys_are_spread_over_lanes, lanes_are_in_order),
    (there_is_one_lane_more, concurrency_is_limited),
    (batches_have_no_size_in_bytes, batches_are_small),
    (the_back_off_begins_anew_with_each_throttle, delays_double),
    (throttles_do_not_lengthen_the_delay, each_try_comes_after_its_delay),
    (a_record_is_read_when_it_comes, reads_are_at_polls_or_after_batches),
    (only_the_first_record_is_executed, deliveries_are_counted),
    (the_run_does_not_wait_for_records, the_run_waits_for_records),
]


# Of functions that are repaired some time.
LOSSES = [
    (the_rest_of_a_partial_response_is_lost, every_record_is_processed),
    (a_bisect_forgets_its_second_half, every_record_is_processed),
]
ALL_FAULTS = [(*one, stream_scenarios()) for one in FAULTS] + [(*one, healing_scenarios()) for one in LOSSES]


@pytest.mark.parametrize(
    ("fault", "holds", "scenarios"), ALL_FAULTS, ids=[f"{one[0].__name__}-{one[1].__name__}" for one in ALL_FAULTS]
)
def test_a_fault_of_the_engine_is_found(
    fault: Callable[[Patch], None], holds: Callable[[Seen], None], scenarios: SearchStrategy[Scenario]
) -> None:
    """By the property that is about it, within some hundreds of examples of which it holds without the fault."""

    def is_broken(made: Scenario) -> bool:
        with Patch.context() as patch:
            fault(patch)
            is_found = not is_true_of(holds, made)
        return is_found and is_true_of(holds, made)

    within = settings(max_examples=600, phases=[Phase.generate], database=None)
    assert is_broken(find(scenarios, is_broken, settings=within, random=Random(3)))


def is_true_of(holds: Callable[[Seen], None], made: Scenario) -> bool:
    """Whether a property holds of a run."""
    try:
        holds(run(made))
    except AssertionError:
        return False
    return True
