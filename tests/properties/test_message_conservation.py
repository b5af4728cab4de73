"""What must always hold of messages in queues, whatever throttles, errors, crashes, deployments and changes do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from hypothesis import given, settings

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome, Result
from tests.properties.engine_runs import EngineRun, run_on_engine
from tests.properties.plans import Plan, queue_name, source_name
from tests.strategies import healing_queue_plans, patient_queue_plans, queue_plans

UNSETTLED = (MessageOutcome.VISIBLE, MessageOutcome.IN_FLIGHT, MessageOutcome.DELAYED)
ENDS = (
    MessageOutcome.DELETED,
    MessageOutcome.DEAD_LETTERED,
    MessageOutcome.EXPIRED,
    MessageOutcome.STOPPED,
    MessageOutcome.REDRIVEN,
    *UNSETTLED,
)


@dataclass(frozen=True)
class Stay:
    """One row of the messages."""

    row: int
    request: int
    queue: int
    sent: int
    receives: int
    first_receive: int
    outcome: MessageOutcome
    settled: int
    is_executed: bool


@dataclass(frozen=True)
class Batch:
    """One batch with what became of it; times are NOT_YET where there were none."""

    queue: int
    received: tuple[tuple[int, int], ...]  # (row of the message, time)
    admitted: int
    end: int  # of its invocation
    result: Result | None
    last_throttle: int

    @property
    def rows(self) -> set[int]:
        """Its messages."""
        return {row for row, _ in self.received}

    @property
    def begin(self) -> int:
        """When it got its place."""
        return self.received[0][1]


@dataclass(frozen=True)
class Seen:
    """A run as lists of messages and batches."""

    plan: Plan
    made: EngineRun

    @property
    def log(self) -> EventLog:
        """The log of the run."""
        return self.made.log

    @cached_property
    def stays(self) -> list[Stay]:
        """All rows of messages."""
        made = self.log.messages
        columns = (
            *(made.request, made.queue, made.sent_ns, made.receives, made.first_receive_ns),
            *(made.outcome, made.settled_ns, made.is_executed),
        )
        return [
            Stay(row, *values[:5], MessageOutcome(values[5]), *values[6:])
            for row, values in enumerate(zip(*(column.tolist() for column in columns), strict=True))
        ]

    @cached_property
    def batches(self) -> list[Batch]:
        """All batches, with the attempts whose numbers are theirs."""
        log = self.log
        accepted = self._by_attempt(log.invocations.request, log.invocations.attempt)
        refused = self._by_attempt(log.throttles.request, log.throttles.attempt)
        received: list[list[tuple[int, int]]] = [[] for _ in range(len(log.batches))]
        delivered = log.deliveries
        for message, batch, time in zip(
            delivered.message.tolist(), delivered.batch.tolist(), delivered.received_ns.tolist(), strict=True
        ):
            received[batch].append((message, time))
        made = []
        for number, deliveries in enumerate(received):
            request, first = int(log.batches.request[number]), int(log.batches.first_attempt[number])
            numbers = [(request, first + n) for n in range(int(log.batches.attempts[number]))]
            last = accepted.get(numbers[-1]) if numbers else None
            throttled = numbers if last is None else numbers[:-1]
            assert bool(log.batches.is_accepted[number]) == (last is not None)
            assert all(attempt in refused for attempt in throttled)
            made.append(
                Batch(
                    queue=int(log.batches.queue[number]),
                    received=tuple(deliveries),
                    admitted=NOT_YET if last is None else int(log.invocations.admitted_ns[last]),
                    end=NOT_YET if last is None else int(log.invocations.end_ns[last]),
                    result=None if last is None else Result(int(log.invocations.result[last])),
                    last_throttle=max((int(log.throttles.time_ns[refused[one]]) for one in throttled), default=NOT_YET),
                )
            )
        return made

    def _by_attempt(self, request: object, attempt: object) -> dict[tuple[int, int], int]:
        numbers = list(zip(request.tolist(), attempt.tolist(), strict=True))  # type: ignore[attr-defined]
        assert len(set(numbers)) == len(numbers), "no two attempts of a request have one number"
        return {number: row for row, number in enumerate(numbers)}

    def visibility(self, queue: int) -> int:
        """How long a receipt is worth something, in ns."""
        return self.plan.queues[queue].visibility * self.plan.tick_ns

    def group(self, stay: Stay) -> int | None:
        """The message group, where the queue has any."""
        groups = self.plan.queues[stay.queue].groups
        if groups is None:
            return None
        source = source_name(int(self.log.requests.source[stay.request]))
        return self.made.workload.draws.message_group(source, self._ordinal(stay.request), groups)

    def _ordinal(self, request: int) -> int:
        source = self.log.requests.source
        return int((source[:request] == source[request]).sum())


@settings(max_examples=120)
@given(queue_plans())
def test_what_always_holds_of_messages(plan: Plan) -> None:
    """Of every log."""
    seen = Seen(plan, run_on_engine(plan))
    every_message_has_one_end(seen)
    the_summary_counts_the_same_ends(seen)
    what_is_moved_is_in_one_other_queue_at_that_instant(seen)
    receives_are_deliveries(seen)
    what_is_deleted_was_in_a_successful_invocation(seen)
    a_message_is_received_as_often_as_its_queue_allows(seen)
    batches_have_places(seen)
    the_run_waits_for_polled_queues(seen)


@settings(max_examples=60)
@given(healing_queue_plans())
def test_no_message_is_lost(plan: Plan) -> None:
    """At least once: with time enough each message is deleted, by a function that succeeds now and then."""
    seen = Seen(plan, run_on_engine(plan))
    assert {stay.outcome for stay in seen.stays} == {MessageOutcome.DELETED}
    assert len(seen.stays) == len(seen.log.requests)
    assert all(stay.is_executed for stay in seen.stays)


@settings(max_examples=60)
@given(patient_queue_plans())
def test_message_groups_are_in_order_and_one_at_a_time(plan: Plan) -> None:
    """While no invocation lasts longer than its messages are hidden."""
    seen = Seen(plan, run_on_engine(plan))
    if any(is_too_long(seen, batch) for batch in seen.batches):
        return
    for queue in range(len(plan.queues)):
        stays = [stay for stay in seen.stays if stay.queue == queue]
        batches = [batch for batch in seen.batches if batch.queue == queue and batch.admitted != NOT_YET]
        for group in {seen.group(stay) for stay in stays} - {None}:
            rows = [stay.row for stay in stays if seen.group(stay) == group]
            of_group = sorted((batch.admitted, end_of(seen, batch)) for batch in batches if batch.rows & set(rows))
            assert all(end <= start for (_, end), (start, _) in pairwise(of_group))
            admissions = ([batch.admitted for batch in batches if row in batch.rows] for row in rows)
            firsts = [min(of_row) for of_row in admissions if of_row]
            assert firsts == sorted(firsts)


def is_too_long(seen: Seen, batch: Batch) -> bool:
    """Whether it was under way when one of its messages could be seen again."""
    expires = min(time for _, time in batch.received) + seen.visibility(batch.queue)
    return batch.admitted != NOT_YET and end_of(seen, batch) > expires


def end_of(seen: Seen, batch: Batch) -> int:
    """When its invocation ended, or the run."""
    return seen.log.end_ns if batch.end == NOT_YET else batch.end


def every_message_has_one_end(seen: Seen) -> None:
    """sent = deleted + dead-lettered + expired + stopped + redriven + visible + delayed + in flight, queue by queue."""
    for stay in seen.stays:
        assert stay.outcome in ENDS
        assert (stay.settled == NOT_YET) == (stay.outcome in UNSETTLED)
        assert (stay.receives == 0) == (stay.first_receive == NOT_YET)
        assert not stay.is_executed or stay.receives
        times = [stay.sent, stay.first_receive, stay.settled, seen.log.end_ns]
        happened = [time for time in times if time != NOT_YET]
        assert happened == sorted(happened)
        delayed_until = stay.sent + seen.plan.queues[stay.queue].delay * seen.plan.tick_ns
        assert stay.first_receive == NOT_YET or stay.first_receive >= delayed_until
        if stay.outcome == MessageOutcome.DELAYED:
            assert delayed_until > seen.log.end_ns
        if stay.outcome == MessageOutcome.IN_FLIGHT:
            latest = [time for batch in seen.batches for row, time in batch.received if row == stay.row][-1]
            assert latest + seen.visibility(stay.queue) > seen.log.end_ns


def the_summary_counts_the_same_ends(seen: Seen) -> None:
    """Queue by queue; what was sent is the sum of the ends."""
    blocks = seen.made.run.summary["queues"]
    for number in range(len(seen.plan.queues)):
        counted = dict(blocks[queue_name(number)]["messages"])
        ends = Counter(stay.outcome.key for stay in seen.stays if stay.queue == number)
        assert counted.pop("sent") == ends.total() == sum(counted.values())
        assert Counter(counted) == ends


def what_is_moved_is_in_one_other_queue_at_that_instant(seen: Seen) -> None:
    """The rows of one request are one chain: each but the last was moved, to where the next one is."""
    queues = seen.plan.queues
    chains: dict[int, list[Stay]] = {}
    for stay in seen.stays:
        chains.setdefault(stay.request, []).append(stay)
    for chain in chains.values():
        assert chain[-1].outcome not in (MessageOutcome.DEAD_LETTERED, MessageOutcome.REDRIVEN)
        for position, (stay, following) in enumerate(pairwise(chain)):
            assert stay.settled == following.sent
            if stay.outcome == MessageOutcome.DEAD_LETTERED:
                assert following.queue == queues[stay.queue].dead_letter
                assert stay.receives == queues[stay.queue].most_receives
            else:
                assert stay.outcome == MessageOutcome.REDRIVEN
                assert following.queue == chain[position - 1].queue
                assert chain[position - 1].outcome == MessageOutcome.DEAD_LETTERED
        source = int(seen.log.requests.source[chain[0].request])
        if seen.log.source_invokes[source] == "sqs":
            assert chain[0].queue == seen.log.source_queues[source]
            assert chain[0].sent == seen.log.requests.arrival_ns[chain[0].request]
    sent = [row for row, source in enumerate(seen.log.requests.source) if seen.log.source_invokes[source] == "sqs"]
    assert set(sent) <= set(chains)


def receives_are_deliveries(seen: Seen) -> None:
    """Each receive is a delivery to one batch of the queue; executed means that one of them was accepted."""
    times: dict[int, list[int]] = {}
    executed = set()
    for batch in seen.batches:
        for row, time in batch.received:
            assert seen.stays[row].queue == batch.queue
            times.setdefault(row, []).append(time)
        if batch.admitted != NOT_YET:
            executed |= batch.rows
            assert batch.admitted >= batch.received[-1][1]
    for stay in seen.stays:
        received = times.get(stay.row, [])
        assert stay.receives == len(received)
        assert stay.first_receive == min(received, default=NOT_YET)
        # One receipt hides the message from all others until it is over.
        gaps = [later - earlier for earlier, later in pairwise(sorted(received))]
        assert all(gap >= seen.visibility(stay.queue) for gap in gaps)
        assert stay.is_executed == (stay.row in executed)


def what_is_deleted_was_in_a_successful_invocation(seen: Seen) -> None:
    """At whose end it was deleted."""
    done = {(row, batch.end) for batch in seen.batches if batch.result == Result.OK for row in batch.rows}
    for stay in seen.stays:
        assert stay.outcome != MessageOutcome.DELETED or (stay.row, stay.settled) in done


def a_message_is_received_as_often_as_its_queue_allows(seen: Seen) -> None:
    """And not after its retention."""
    for stay in seen.stays:
        most = seen.plan.queues[stay.queue].most_receives
        assert most is None or stay.receives <= most
        kept = seen.plan.queues[stay.queue].retention * seen.plan.tick_ns
        received = [time for batch in seen.batches for row, time in batch.received if row == stay.row]
        assert all(time < stay.sent + kept for time in received)


def batches_have_places(seen: Seen) -> None:
    """Never more at once than a mapping may have in the end, nor more than it could have grown to by then."""
    tick = seen.plan.tick_ns
    for number, queue in enumerate(seen.plan.queues):
        mapping = queue.mapping
        if mapping is None or (mapping.scaling is None and mapping.most_at_once is None):
            continue
        held = [(batch.begin, place_end(seen, batch)) for batch in seen.batches if batch.queue == number]
        for begin, _ in held:
            at_once = sum(start <= begin < end for start, end in held)
            if mapping.most_at_once is not None:
                assert at_once <= mapping.most_at_once
            if mapping.scaling is not None:
                scaling = mapping.scaling
                assert at_once <= scaling.most
                assert at_once <= scaling.start + scaling.rate * begin // (scaling.per * tick)
        if mapping.batch_size == 1 and queue.groups is not None:
            assert all(len(batch.received) == 1 for batch in seen.batches if batch.queue == number)
        assert all(len(batch.received) <= mapping.batch_size for batch in seen.batches if batch.queue == number)


def place_end(seen: Seen, batch: Batch) -> int:
    """When it gave its place back, at the earliest."""
    if batch.admitted != NOT_YET:
        return end_of(seen, batch)
    if batch.last_throttle == NOT_YET:
        return seen.log.end_ns + 1
    return max(batch.begin + seen.visibility(batch.queue), batch.last_throttle)


def the_run_waits_for_polled_queues(seen: Seen) -> None:
    """Before the drain is over it ends only with every message settled that somebody polls."""
    last = (seen.plan.duration + seen.plan.drain) * seen.plan.tick_ns
    if seen.log.end_ns < last:
        polled = [stay for stay in seen.stays if seen.plan.queues[stay.queue].mapping is not None]
        assert all(stay.outcome not in UNSETTLED for stay in polled)
