"""Queues of messages in the second simulator: SQS, the mappings that poll it, and where messages go on.

Written from the rules of the model, not from the engine. Every search is a scan of all messages that ever were in a
queue. Delays, visibility timeouts, retention, windows, tries and redrives are events of the one heap; only when a
mapping looks at its queue is worked out anew at every step, from what can be received at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from lambdasim.platform.polling import PollerLimits, backed_off, grown, ns_until_allowed, scaled_in
from lambdasim.workload.workload import Workload
from tests.properties.brute_parts import CRASH, ERROR, MINUTE, OK, QUEUED, SECOND, Invocation, Request
from tests.properties.plans import MappingPlan, Plan, QueuePlan, function_name, source_name

(
    DELETED,
    DEAD_LETTERED,
    EXPIRED,
    VISIBLE,
    IN_FLIGHT,
    DELAYED,
    REDRIVEN,
    STOPPED,
) = range(8)

UNSETTLED = (VISIBLE, IN_FLIGHT, DELAYED)

# The order of what is due for one message at one instant.
DELAY_END, RECEIVE_END, RETENTION_END, WINDOW_END, TRY, MOVE_BACK, LOOK = range(7)

MOST_HOPS = 16
PAYLOAD_KB = 6 * 1024
NO_LIMIT = 1_000_000_000


class Region(Protocol):
    """What a queue needs of the rest of the second simulator."""

    plan: Plan
    workload: Workload
    now: int
    tick: int

    def later(self, time: int, kind: int, index: tuple[int, ...], subject: object) -> None:
        """Put something into the heap."""

    def invoke(self, invocation: Invocation) -> int | None:
        """The reason of a refusal, or None."""


@dataclass(eq=False)
class Stay:
    """One stay of a message in one queue."""

    row: int
    request: Request
    queue: int
    sent: int
    kept_from: int
    function: int | None  # that the queue invokes
    duration: int  # in that function
    init: int | None  # of the environment that it starts, where the trace says so
    hops: int = 0
    came_from: Stay | None = None
    outcome: int = VISIBLE
    seen: int = 0  # the how-maniest time in this run that a message became visible: its place in a standard queue
    receives: int = 0
    first_receive: int = -1
    settled: int = -1
    is_executed: bool = False


@dataclass(eq=False)
class Receive:
    """Messages that were received together, each for the how-maniest time, and how long others do not see them."""

    batch: Batch
    stays: list[Stay]
    counts: list[int]
    expires: int


@dataclass(eq=False)
class Batch:
    """What the function is invoked with."""

    queue: BruteQueue
    number: int
    receives: list[Receive] = field(default_factory=list)
    is_gathering: bool = False
    is_accepted: bool = False
    tries: int = 0
    first_attempt: int = 0
    failed: list[Stay] = field(default_factory=list)  # named by a partial response

    @property
    def stays(self) -> list[Stay]:
        """All messages; one that came back while the batch was gathered may be in it twice."""
        return [stay for receive in self.receives for stay in receive.stays]

    @property
    def head(self) -> Stay:
        """Its first message."""
        return self.receives[0].stays[0]

    @property
    def others(self) -> list[Stay]:
        """The messages beside the first, each once."""
        return [stay for stay in dict.fromkeys(self.stays) if stay is not self.head]


@dataclass(eq=False)
class Redrive:
    """Messages that go back one by one."""

    stays: list[Stay]
    gap: int


def limits_of(mapping: MappingPlan, tick: int) -> PollerLimits:
    """Growth and bounds of a mapping."""
    grows = mapping.scaling
    start, rate, per, most = (NO_LIMIT, 1, 1, NO_LIMIT) if grows is None else (grows.start, grows.rate, 0, grows.most)
    if grows is not None:
        per = grows.per * tick
    if mapping.most_at_once is not None:
        start, most = min(start, mapping.most_at_once), min(most, mapping.most_at_once)
    return PollerLimits(
        start=start,
        rate=rate,
        per_ns=per,
        most=most,
        least=start,
        least_when_idle=start if mapping.most_at_once is not None else min(2, start),
        scale_in=0.0 if grows is None else mapping.scale_in / 100,
    )


@dataclass(eq=False)
class BruteQueue:
    """One queue and, where it has one, its mapping."""

    plan: QueuePlan
    number: int
    tick: int
    group_of: Callable[[Request], int]
    stays: list[Stay] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)  # that hold a place
    level: int = 0
    most_busy: int = 0  # in this minute
    last_busy: int = 0
    cut: int | None = None

    def __post_init__(self) -> None:
        self.limits = None if self.plan.mapping is None else limits_of(self.plan.mapping, self.tick)
        if self.limits is not None:
            self.level = self.limits.start * self.limits.per_ns

    @property
    def visible(self) -> list[Stay]:
        """What could be received, but for messages of FIFO groups that are hidden."""
        return [stay for stay in self.stays if stay.outcome == VISIBLE]

    def next(self, group: int | None = None) -> Stay | None:
        """The message that would be received next; a FIFO queue goes on with the group of the one before, if it can."""
        if self.plan.groups is None:
            return min(self.visible, key=lambda stay: stay.seen, default=None)
        hidden = {self.group_of(stay.request) for stay in self.stays if stay.outcome == IN_FLIGHT}
        same = [stay for stay in self.visible if self.group_of(stay.request) == group]
        free = [stay for stay in self.visible if self.group_of(stay.request) not in hidden]
        return min(same or free, key=lambda stay: stay.row, default=None)

    @property
    def busy(self) -> int:
        """Batches that hold a place."""
        return len(self.batches)

    @property
    def gathering(self) -> Batch | None:
        """The batch that takes messages as they become visible."""
        return next((batch for batch in self.batches if batch.is_gathering), None)

    @property
    def has_place(self) -> bool:
        """Whether one more batch may begin."""
        return self.limits is not None and self.busy < self.level // self.limits.per_ns

    @property
    def is_short(self) -> bool:
        """Whether all places are busy and a message could be received."""
        may_take = self.has_place or self.gathering is not None
        return self.limits is not None and not may_take and self.next() is not None

    def looks_at(self, now: int) -> int | None:
        """When the mapping takes the next message, if nothing happens before."""
        if self.limits is None or self.next() is None:
            return None
        if self.has_place or self.gathering is not None:
            return now
        wait = ns_until_allowed(self.level, self.busy + 1, self.limits)
        return None if wait is None else now + wait

    def pass_time(self, now: int, then: int) -> None:
        """Nothing happens from ``now`` to ``then`` but that levels grow, and shrink at whole minutes."""
        limits, is_short, busy = self.limits, self.is_short, self.busy
        if limits is None:
            return
        for minute in range((now // MINUTE + 1) * MINUTE, then + 1, MINUTE):
            now = self._grow(now, minute, is_short=is_short)
            if not is_short:
                is_idle = not busy and minute - self.last_busy >= 15 * MINUTE
                least = limits.least_when_idle if is_idle else limits.least
                self.level = scaled_in(self.level, self.most_busy, least, limits)
            self.most_busy = busy
        self._grow(now, then, is_short=is_short)

    def _grow(self, now: int, then: int, *, is_short: bool) -> int:
        if is_short and self.limits is not None:
            self.level = grown(self.level, then - now, self.limits)
        if self.busy:
            self.last_busy = then
        return then

    def back_off(self, now: int) -> None:
        """After an error or a throttle."""
        assert self.plan.mapping is not None
        assert self.limits is not None
        if self.plan.mapping.back_off is not None:
            percent, interval = self.plan.mapping.back_off
            if self.cut is None or now - self.cut >= interval * self.tick:
                self.cut, self.level = now, backed_off(self.level, percent / 100, self.limits)


@dataclass(eq=False)
class Queues:
    """All queues of a run. A row of ``stays`` is a row of the log's messages."""

    region: Region
    stays: list[Stay] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    deliveries: list[tuple[int, int, int]] = field(default_factory=list)
    throttles: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    redrives: list[Redrive] = field(default_factory=list)
    seen: int = 0

    def __post_init__(self) -> None:
        self.all = [
            BruteQueue(plan, number, self.region.tick, self._group_of(plan))
            for number, plan in enumerate(self.region.plan.queues)
        ]

    def _group_of(self, plan: QueuePlan) -> Callable[[Request], int]:
        def group(request: Request) -> int:
            assert plan.groups is not None
            name = source_name(request.source)
            return self.region.workload.draws.message_group(name, request.ordinal, plan.groups)

        return group

    @property
    def is_done(self) -> bool:
        """Whether no message is left that somebody will receive or move."""
        waiting = (
            queue.plan.mapping is not None and any(stay.outcome in UNSETTLED for stay in queue.stays)
            for queue in self.all
        )
        return not any(waiting) and not any(redrive.stays for redrive in self.redrives)

    def pass_time(self, now: int, then: int) -> None:
        """Let the levels of all mappings change."""
        for queue in self.all:
            queue.pass_time(now, then)

    def looks(self) -> Iterator[tuple[int, int, tuple[int, ...], BruteQueue]]:
        """(time, kind, index, queue) of the next look at each queue."""
        for queue in self.all:
            time, stay = queue.looks_at(self.region.now), queue.next()
            if time is not None and stay is not None:
                yield time, QUEUED, (stay.request.index, LOOK), queue

    # Coming in.

    def send(self, request: Request, number: int) -> None:
        """A traffic source sends a message."""
        self._put(request, number, function=request.function, duration=request.duration, init=request.init)

    def send_record(self, request: Request, number: int) -> None:
        """A record of an asynchronous event."""
        self._put_elsewhere(request, number, hops=1, kept_from=self.region.now, came_from=None)

    def _put_elsewhere(
        self, request: Request, number: int, *, hops: int, kept_from: int, came_from: Stay | None
    ) -> None:
        """A message that was somewhere else before: another function works on it for another time."""
        mapping = self.all[number].plan.mapping
        function = None if mapping is None else mapping.function
        duration = 0
        if came_from is not None and function == came_from.function:
            duration = came_from.duration
        elif function is not None:
            names = source_name(request.source), function_name(function)
            duration = self.region.workload.draws.duration_after_hops(*names, request.arrival, hops, request.ordinal)
        self._put(
            request,
            number,
            function=function,
            duration=duration,
            init=None,
            hops=hops,
            kept_from=kept_from,
            came_from=came_from,
        )

    def _put(
        self,
        request: Request,
        number: int,
        *,
        function: int | None,
        duration: int,
        init: int | None,
        hops: int = 0,
        kept_from: int | None = None,
        came_from: Stay | None = None,
    ) -> None:
        queue, now = self.all[number], self.region.now
        kept_from = now if kept_from is None else kept_from
        row = len(self.stays)
        stay = Stay(row, request, number, now, kept_from, function, duration, init, hops, came_from, DELAYED)
        self.stays.append(stay)
        queue.stays.append(stay)
        tick = self.region.tick
        gone = max(now, kept_from + queue.plan.retention * tick)
        self._later(gone, stay, RETENTION_END, lambda: self._retention_over(stay))
        if queue.plan.delay:
            self._later(now + queue.plan.delay * tick, stay, DELAY_END, lambda: self._delay_over(stay))
        else:
            self._show(stay)

    def _later(self, time: int, stay: Stay, what: int, work: Callable[[], None]) -> None:
        self.region.later(time, QUEUED, (stay.request.index, what), work)

    def _show(self, stay: Stay) -> None:
        stay.outcome = VISIBLE
        self.seen += 1
        stay.seen = self.seen

    def _delay_over(self, stay: Stay) -> None:
        """Messages of one queue become visible in the order of sending, also those of one instant."""
        queue = self.all[stay.queue]
        delayed = [one for one in queue.stays if one.outcome == DELAYED]
        if delayed and delayed[0] is stay:
            self._show(stay)
            if delayed[1:] and delayed[1].sent == stay.sent:
                self._later(self.region.now, delayed[1], DELAY_END, lambda: self._delay_over(delayed[1]))

    def _retention_over(self, stay: Stay) -> None:
        if stay.outcome in (VISIBLE, DELAYED):
            self._settle(stay, EXPIRED)

    def _is_too_old(self, stay: Stay) -> bool:
        return self.region.now >= stay.kept_from + self.all[stay.queue].plan.retention * self.region.tick

    def _settle(self, stay: Stay, outcome: int) -> None:
        stay.outcome, stay.settled = outcome, self.region.now

    # Receiving.

    def look(self, queue: BruteQueue) -> None:
        """Receive what fits into one batch, the one that is being gathered or another one."""
        mapping, batch = queue.plan.mapping, queue.gathering
        assert mapping is not None
        fits = max(1, min(mapping.batch_size, PAYLOAD_KB // queue.plan.message_kb))
        stays = self._received(queue, fits - (len(batch.stays) if batch else 0))
        if not stays:
            return
        if batch is None:
            batch = Batch(queue, len(self.batches))
            self.batches.append(batch)
            queue.batches.append(batch)
            queue.most_busy = max(queue.most_busy, queue.busy)
            if mapping.window and len(stays) < fits:
                batch.is_gathering = True
                closes = self.region.now + mapping.window * self.region.tick
                made = batch
                self._later(closes, stays[0], WINDOW_END, lambda: self._window_over(made))
        expires = self.region.now + queue.plan.visibility * self.region.tick
        receive = Receive(batch, stays, [stay.receives for stay in stays], expires)
        batch.receives.append(receive)
        self.deliveries += [(stay.row, batch.number, self.region.now) for stay in stays]
        self._later(expires, stays[0], RECEIVE_END, lambda: self._receive_over(receive))
        if not batch.is_gathering or len(batch.stays) == fits:
            batch.is_gathering = False
            self._try(batch)

    def _received(self, queue: BruteQueue, most: int) -> list[Stay]:
        taken: list[Stay] = []
        group, now = None, self.region.now
        while len(taken) < most:
            stay = queue.next(group)
            if stay is None:
                break
            if queue.plan.groups is not None:
                group = queue.group_of(stay.request)
            if self._is_too_old(stay):
                self._settle(stay, EXPIRED)
            elif queue.plan.most_receives is not None and stay.receives == queue.plan.most_receives:
                self._give_up(queue, stay)
            else:
                stay.outcome = IN_FLIGHT
                stay.receives += 1
                if stay.receives == 1:
                    stay.first_receive = now
                taken.append(stay)
        return taken

    def _give_up(self, queue: BruteQueue, stay: Stay) -> None:
        assert queue.plan.dead_letter is not None
        if stay.hops + 1 >= MOST_HOPS:
            self._settle(stay, STOPPED)
            return
        self._settle(stay, DEAD_LETTERED)
        kept_from = stay.kept_from if queue.plan.groups is None else self.region.now
        self._put_elsewhere(
            stay.request, queue.plan.dead_letter, hops=stay.hops + 1, kept_from=kept_from, came_from=stay
        )

    def _receive_over(self, receive: Receive) -> None:
        for stay, count in zip(receive.stays, receive.counts, strict=True):
            if stay.outcome == IN_FLIGHT and stay.receives == count:
                if self._is_too_old(stay):
                    self._settle(stay, EXPIRED)
                else:
                    self._show(stay)
        batch = receive.batch
        if receive is batch.receives[0] and batch.tries and not batch.is_accepted and batch in batch.queue.batches:
            self._give_place_up(batch)

    def _give_place_up(self, batch: Batch) -> None:
        batch.queue.batches.remove(batch)
        for stay in batch.others:
            stay.request.attempts += batch.tries

    # Invoking.

    def _window_over(self, batch: Batch) -> None:
        if batch.is_gathering:
            batch.is_gathering = False
            self._try(batch)

    def _try(self, batch: Batch) -> None:
        queue, head, now = batch.queue, batch.head, self.region.now
        mapping = queue.plan.mapping
        assert mapping is not None
        batch.tries += 1
        head.request.attempts += 1
        if batch.tries == 1:
            batch.first_attempt = head.request.attempts
        duration = sum(stay.duration for stay in batch.stays) if mapping.adds_up else head.duration
        request, draws = head.request, self.region.workload.draws
        names = source_name(request.source), function_name(mapping.function)
        invocation = Invocation(
            request,
            request.attempts,
            now,
            function=mapping.function,
            duration=duration,
            init=head.init,
            fate=self._fate(batch, mapping),
            idle_timeout=draws.idle_timeout(*names, request.accepted + 1, request.ordinal),
            batch=batch,
        )
        reason = self.region.invoke(invocation)
        if reason is None:
            batch.is_accepted = True
            for stay in batch.others:
                stay.request.attempts += batch.tries
            for stay in dict.fromkeys(batch.stays):
                stay.request.accepted += 1
                stay.is_executed = True
            return
        self.throttles.append((request.index, mapping.function, request.attempts, now, reason))
        queue.back_off(now)
        share = draws.poller_share(source_name(request.source), queue.number, request.attempts, request.ordinal)
        base, cap = mapping.retry
        delay = max(1, round(min(cap, base * 2 ** (batch.tries - 1)) * self.region.tick * share))
        expires = batch.receives[0].expires
        if now + delay < expires:
            self._later(now + delay, head, TRY, lambda: self._try_again(batch))
        elif expires <= now:
            self._give_place_up(batch)

    def _try_again(self, batch: Batch) -> None:
        if batch in batch.queue.batches:
            self._try(batch)

    def _fate(self, batch: Batch, mapping: MappingPlan) -> int:
        """How the code ends; ``failed`` is what a partial response names."""
        fates = [self._fate_of(stay, mapping.function) for stay in batch.stays]
        batch.failed = []
        if CRASH in fates or ERROR not in fates or not mapping.is_partial:
            return max(fates)
        if batch.queue.plan.groups is None:
            batch.failed = [stay for stay, fate in zip(batch.stays, fates, strict=True) if fate == ERROR]
        else:
            batch.failed = batch.stays[fates.index(ERROR) :]
        return OK

    def _fate_of(self, stay: Stay, function: int) -> int:
        request = stay.request
        names = source_name(request.source), function_name(function)
        accepted = request.accepted + 1
        times = request.arrival, self.region.now
        return self.region.workload.draws.fate_after_waiting(*names, *times, accepted, request.ordinal)

    def ended(self, batch: Batch, result: int) -> None:
        """The invocation with a batch ended."""
        batch.queue.batches.remove(batch)
        if result == OK:
            for receive in batch.receives:
                for stay, count in zip(receive.stays, receive.counts, strict=True):
                    is_latest = stay.receives == count and stay.outcome in UNSETTLED
                    if is_latest and stay not in batch.failed:
                        self._settle(stay, DELETED)
        elif not (batch.queue.plan.mapping and batch.queue.plan.mapping.is_partial):
            batch.queue.back_off(self.region.now)

    # Going back.

    def redrive(self, number: int, per_second: int) -> None:
        """What is in a dead-letter queue goes back."""
        waiting = [stay for stay in self.all[number].stays if stay.came_from and stay.outcome in UNSETTLED]
        redrive = Redrive(waiting, round(SECOND / per_second))
        self.redrives.append(redrive)
        self._next_back(redrive, 0)

    def _next_back(self, redrive: Redrive, wait: int) -> None:
        if redrive.stays:
            self._later(self.region.now + wait, redrive.stays[0], MOVE_BACK, lambda: self._back(redrive))

    def _back(self, redrive: Redrive) -> None:
        stay = redrive.stays.pop(0)
        if stay.outcome != VISIBLE:
            self._next_back(redrive, 0)
            return
        before = stay.came_from
        assert before is not None
        self._settle(stay, REDRIVEN)
        self._put(stay.request, before.queue, function=before.function, duration=before.duration, init=before.init)
        self._next_back(redrive, redrive.gap)

    @property
    def message_rows(self) -> list[tuple[object, ...]]:
        """Rows of the log."""
        return [
            (
                stay.request.index,
                stay.queue,
                stay.sent,
                stay.receives,
                stay.first_receive,
                stay.outcome,
                stay.settled,
                stay.is_executed,
            )
            for stay in self.stays
        ]

    @property
    def batch_rows(self) -> list[tuple[object, ...]]:
        """Rows of the log."""
        return [
            (batch.queue.number, batch.head.request.index, batch.first_attempt, batch.tries, batch.is_accepted)
            for batch in self.batches
        ]
