"""The queue of asynchronous events of one function: its reader, its retries, and the events that it gives up.

The caller of an event has its 202 as soon as the event is in the queue. From then on Lambda itself tries, until the
function succeeds or the event is dropped. The rules are those of ``platform.async_retry``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heappop, heappush

from lambdasim.engine.ordering import QueuedStep, queued_rank
from lambdasim.engine.reference.event_sources import EventSources
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.eventlog.log import Result
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.async_retry import DropReason, error_delay_ns, is_too_old, throttle_delay_ns
from lambdasim.platform.region import EventSpec
from lambdasim.units import NS_PER_S
from lambdasim.workload.draws import Draws
from lambdasim.workload.workload import Request

_OK = int(Result.OK)

# A reader is slowed down at most so often, or the many throttles of one instant would stop it.
_BETWEEN_CUTS_NS = NS_PER_S


class QueuedEvent(Recurring):
    """One asynchronous event; also the SimPy event of its next try."""

    def __init__(self, clock: Clock, queue: AsyncQueue, request: Request) -> None:
        super().__init__(clock)
        self._queue = queue
        self.request = request
        self.index = request[0]
        self.arrival_ns = request[1]
        self.attempts = 0
        self.accepted = 0
        self.throttles = 0  # in a row
        self.errors = 0

    def answered(self, attempt: int, result: int) -> None:
        """Its invocation ended; an event has one at a time."""
        self._queue.ended(self, result)


class Reader:
    """How many events the reader of a queue works on at once: as many as it likes, or fewer after throttles."""

    def __init__(self, slow_down: tuple[float, float] | None) -> None:
        self._slow_down = slow_down
        self._allowed: float | None = None  # at ``_since_ns``; None: as many as it likes
        self._since_ns = 0
        self._cut_ns = -_BETWEEN_CUTS_NS

    def may_read(self, now_ns: int, under_way: int) -> bool:
        """Whether it takes another event when so many are under way."""
        return self._allowed is None or under_way + 1 <= self._grown(now_ns)

    def reads_after_ns(self, now_ns: int, under_way: int) -> int:
        """How long until it takes another event, if none ends before."""
        assert self._slow_down is not None, "a reader that is not slowed down never waits"
        grown = self._grown(now_ns)
        seconds = math.log((under_way + 1) / grown) / math.log1p(self._slow_down[1])
        return max(1, math.ceil(seconds * NS_PER_S))

    def throttled(self, now_ns: int, under_way: int) -> None:
        """An event was refused."""
        if self._slow_down is None or now_ns - self._cut_ns < _BETWEEN_CUTS_NS:
            return
        self._allowed = max(1.0, under_way * self._slow_down[0])
        self._since_ns = self._cut_ns = now_ns

    def emptied(self) -> None:
        """Nothing is left in the queue."""
        self._allowed = None

    def _grown(self, now_ns: int) -> float:
        assert self._allowed is not None
        assert self._slow_down is not None
        # Capped: a reader that was slowed down for long grows beyond what a float holds.
        seconds = min((now_ns - self._since_ns) / NS_PER_S, 10_000.0)
        return min(self._allowed * math.exp(seconds * math.log1p(self._slow_down[1])), 1e12)


class AsyncQueue:
    """The events of one function that were queued and not settled."""

    def __init__(
        self,
        clock: Clock,
        *,
        function: FunctionState,
        function_name: str,
        spec: EventSpec,
        source_names: tuple[str, ...],
        draws: Draws,
        recorder: Recorder,
        event_sources: EventSources,
        on_settled: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._function = function
        self._function_name = function_name
        self._spec = spec
        self._source_names = source_names
        self._draws = draws
        self._errors_change = draws.errors_change(function_name)
        self._log_throttle = recorder.throttles.add
        self._log_drop = recorder.drops.append
        self._log_delivery_failure = recorder.delivery_failures.append
        self._event_sources = event_sources
        self._on_settled = on_settled
        self._reader = Reader(spec.slow_down)
        # Due, but the reader takes no more for now; a heap by index, for the oldest event is read first.
        self._ready: list[tuple[int, QueuedEvent]] = []
        self._under_way = 0  # invocations that were accepted and have not ended
        self._due: Callbacks = [self._on_due]
        self._next_look: tuple[int, int] | None = None  # time, and the event whose turn at that instant it is
        self.pending: set[int] = set()  # requests of events that wait

    def send(self, now_ns: int, request: Request) -> None:
        """A new event; its caller does not wait."""
        event = QueuedEvent(self._clock, self, request)
        source = self._source_names[request[2]]
        self._try_after(event, self._draws.dispatch_delay(source, self._function_name, request[3]))

    def ended(self, event: QueuedEvent, result: int) -> None:
        """An invocation of an event ended: it is done, or tried again after an error, or given up."""
        now_ns = self._clock.now_ns
        self._under_way -= 1
        if self._ready:
            self._look_at(now_ns, now_ns)
        if result == _OK:
            self._deliver(now_ns, event, self._spec.on_success)
            self._settled()
            return
        event.errors += 1
        event.throttles = 0
        if event.errors > self._spec.maximum_retries:
            self._drop(now_ns, event, DropReason.RETRIES_EXHAUSTED)
        else:
            self._try_again(now_ns, event, error_delay_ns(event.errors))

    def _try_after(self, event: QueuedEvent, delay_ns: int) -> None:
        self.pending.add(event.index)
        event.callbacks = self._due
        self._clock.schedule_in(event, queued_rank(event.index, QueuedStep.TRY), delay_ns)

    def _try_again(self, now_ns: int, event: QueuedEvent, delay_ns: int) -> None:
        """Wait for the next try; an event that would be too old then is given up at once."""
        if is_too_old(event.arrival_ns, now_ns + delay_ns, self._spec.maximum_age_ns):
            self._drop(now_ns, event, DropReason.EVENT_AGE_EXCEEDED)
        else:
            self._try_after(event, delay_ns)

    def _on_due(self, event: QueuedEvent) -> None:
        now_ns = self._clock.now_ns
        if self._ready or not self._reader.may_read(now_ns, self._under_way):
            heappush(self._ready, (event.index, event))
            if self._ready[0][1] is event:  # else the look that is due for an older one comes in time
                self._look_when_due(now_ns)
            return
        self._try(now_ns, event)

    def _try(self, now_ns: int, event: QueuedEvent) -> None:
        self.pending.discard(event.index)
        if is_too_old(event.arrival_ns, now_ns, self._spec.maximum_age_ns):
            self._drop(now_ns, event, DropReason.EVENT_AGE_EXCEEDED)
            return
        if self._function.is_stopped:
            self._drop(now_ns, event, DropReason.ZERO_RESERVED_CONCURRENCY)
            return
        event.attempts += 1
        if event.accepted or self._errors_change:
            event.request = self._redrawn(now_ns, event)
        reason = self._function.admit_event(now_ns, event.attempts, event.request, event)
        if reason == ACCEPTED:
            event.accepted += 1
            self._under_way += 1
            return
        self._log_throttle(event.index, event.request[4], event.attempts, now_ns, reason)
        self._reader.throttled(now_ns, self._under_way)
        event.throttles += 1
        source = self._source_names[event.request[2]]
        share = self._draws.event_share(source, self._function_name, event.attempts, event.request[3])
        self._try_again(now_ns, event, round(throttle_delay_ns(event.throttles) * share))

    def _redrawn(self, now_ns: int, event: QueuedEvent) -> Request:
        """The request with the fate and idle timeout of its next accepted invocation now; its duration stays."""
        index, arrival_ns, source, ordinal, function, duration_ns, _, _, init_ns = event.request
        source_name, invocation = self._source_names[source], event.accepted + 1
        names = source_name, self._function_name
        fate = self._draws.fate_after_waiting(*names, arrival_ns, now_ns, invocation, ordinal)
        idle_timeout_ns = self._draws.idle_timeout(source_name, self._function_name, invocation, ordinal)
        return index, arrival_ns, source, ordinal, function, duration_ns, fate, idle_timeout_ns, init_ns

    def _drop(self, now_ns: int, event: QueuedEvent, reason: DropReason) -> None:
        self._log_drop(event.index, event.attempts, now_ns, int(reason))
        self._deliver(now_ns, event, self._spec.on_failure)
        self._settled()

    def _deliver(self, now_ns: int, event: QueuedEvent, queue: int | None) -> None:
        """Send a record of the event to its destination, if it has one.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html (read 2026): a FIFO
        queue is no destination; what goes there is lost, and counted. MODEL: other deliveries succeed, and at once.
        """
        if queue is None:
            return
        if not self._event_sources.take_event(queue, now_ns, event.request, event.attempts, event.accepted):
            self._log_delivery_failure(event.index, event.attempts, now_ns)

    def _settled(self) -> None:
        if not self.pending and not self._under_way:
            self._reader.emptied()
        self._on_settled()

    def _look_when_due(self, now_ns: int) -> None:
        """Look at the ready events when the reader takes one more, or the oldest is too old, whichever is first."""
        oldest = self._ready[0][1]
        reads_ns = now_ns
        if not self._reader.may_read(now_ns, self._under_way):
            reads_ns += self._reader.reads_after_ns(now_ns, self._under_way)
        self._look_at(now_ns, max(now_ns, min(reads_ns, oldest.arrival_ns + self._spec.maximum_age_ns + 1)))

    def _look_at(self, now_ns: int, due_ns: int) -> None:
        key = due_ns, self._ready[0][0]
        if self._next_look is not None and self._next_look <= key:
            return  # that look comes in time, and finds out when to look again
        self._next_look = key
        look = Recurring(self._clock)
        look.callbacks = [lambda _: self._look(key)]
        self._clock.schedule_in(look, queued_rank(key[1], QueuedStep.TRY), due_ns - now_ns)

    def _look(self, key: tuple[int, int]) -> None:
        """Try one event; the next has its own turn, for at one instant another function's event may come between."""
        if key != self._next_look:
            return  # an earlier one has taken its place
        self._next_look, now_ns = None, key[0]
        if self._reader.may_read(now_ns, self._under_way) or self._is_too_old(now_ns):
            self._try(now_ns, heappop(self._ready)[1])
        if self._ready:
            self._look_when_due(now_ns)

    def _is_too_old(self, now_ns: int) -> bool:
        """Whether the oldest of the ready events is past its maximum age."""
        return is_too_old(self._ready[0][1].arrival_ns, now_ns, self._spec.maximum_age_ns)


class EventSource:
    """A traffic source whose requests are events: each goes to the queue of its function."""

    def __init__(self, queues: list[AsyncQueue]) -> None:
        self._queues = queues

    def send(self, now_ns: int, request: Request) -> None:
        """A new event."""
        self._queues[request[4]].send(now_ns, request)
