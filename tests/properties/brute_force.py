"""A second simulator, written from MODEL.md sections 3 and 4 and not from the engine, to compare the engine with.

It is slow and plain on purpose: every expiry is a real event, every search a scan of a list, every token bucket a
fraction, and the order of simultaneous events is the tuple (time, kind, index) in a heap. It shares no code with the
engine but the random draws, which are input to both. What callers do and see is in ``brute_callers``, the rules of
asynchronous events in ``brute_events``, queues of messages in ``brute_queues``, provisioned concurrency in
``brute_provisioned`` and ``brute_autoscaling``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import Any

from lambdasim.scenario.sdk_retries import Failure
from lambdasim.workload.virtual_users import ordinal
from lambdasim.workload.workload import Workload
from tests.properties.brute_autoscaling import Autoscaling
from tests.properties.brute_callers import (
    NEVER,
    SERVER_ERROR,
    THROTTLED,
    Presence,
    Quotas,
    is_on,
    patience,
    seen_of_throttle,
)
from tests.properties.brute_events import (
    ERROR_DELAYS,
    NO_RETRY_LEFT,
    STOPPED,
    TOO_OLD,
    Queue,
    delay_after_throttle,
)
from tests.properties.brute_parts import (
    ACCOUNT_CONCURRENCY,
    ACCOUNT_RATE,
    API_GATEWAY_RATE,
    ARRIVAL,
    BLOCK,
    CHANGE,
    CLIENT_TIMEOUT,
    CRASH,
    END,
    EXPIRY,
    INIT_END,
    INIT_LIMIT,
    OK,
    QUEUED,
    RESERVED_CONCURRENCY,
    RESERVED_RATE,
    RETRY,
    RUNNING,
    SCALING_RATE,
    SCALING_REQUEST_RATE,
    SECOND,
    SHARED,
    TIMEOUT,
    Invocation,
    Ramp,
    Request,
    Sandbox,
    Tokens,
    full,
)
from tests.properties.brute_provisioned import CHANGED, Capacity
from tests.properties.brute_queues import BruteQueue, Queues
from tests.properties.plans import (
    BucketPlan,
    ChangePlan,
    EventsPlan,
    FunctionPlan,
    Plan,
    Sdk,
    SourcePlan,
    function_name,
    source_name,
)


@dataclass(frozen=True)
class Admission:
    """What becomes of an attempt: the first reason to refuse it, or where it goes and what it takes a token of."""

    refusal: int | None = None
    takes: tuple[Tokens, ...] = ()
    is_provisioned: bool = False
    spillover: int | None = None  # why it is not, where its function has provisioned concurrency
    counts_in: Ramp | None = None


@dataclass(eq=False)
class BruteForce:
    """One run. ``columns`` are the same as those of the event log."""

    plan: Plan
    workload: Workload
    now: int = 0
    serial: Iterator[int] = field(default_factory=count)  # only so that subjects are never compared
    heap: list[tuple[int, int, tuple[int, ...], int, object]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)  # that have arrived, by index
    invocations: list[Invocation] = field(default_factory=list)
    throttles: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    abandonments: list[tuple[int, int, int]] = field(default_factory=list)
    drops: list[tuple[int, int, int, int]] = field(default_factory=list)
    sandboxes: list[Sandbox] = field(default_factory=list)
    idle: list[Sandbox] = field(default_factory=list)  # in the order in which they fell idle
    waiting: list[Invocation] = field(default_factory=list)
    spillovers: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tick = self.plan.tick_ns
        self.quota = self.plan.quota
        self.reserved = [function.reserved for function in self.plan.functions]
        self.sdk_quotas = Quotas(self.plan)
        self.presence = {
            index: Presence(self.plan, index, self.tick)
            for index, made in enumerate(self.plan.sources)
            if made.users is not None
        }
        self.queues = [Queue(made.events or EventsPlan()) for made in self.plan.functions]
        self.messages = Queues(self)
        self._provision()
        self._fill_buckets()
        self._schedule_arrivals()
        for number, change in enumerate(self.plan.changes):
            self.later(change.at * self.tick, CHANGE, (number,), change)

    def _provision(self) -> None:
        self.capacity_rows: list[tuple[object, ...]] = []
        self.capacities = [Capacity(self, number, self.capacity_rows) for number in range(len(self.plan.functions))]
        self.autoscalings: dict[int, Autoscaling] = {}
        for number, function in enumerate(self.plan.functions):
            units = function.provisioned or 0
            if function.autoscaling is not None:
                self.autoscalings[number] = Autoscaling(self.capacities[number], function.autoscaling)
                units = self.autoscalings[number].begins_with
            self.capacities[number].begin(units)

    def _fill_buckets(self) -> None:
        region = None
        if self.plan.scaling is not None and self.plan.is_scaling_region_wide:
            region = self._scaling_bucket(self.plan.scaling)
        gateway = self.plan.gateway
        self.gateway = None if gateway is None else full(gateway[0], Fraction(gateway[1], SECOND))
        self.account_rate = self._rate_bucket(self.quota)
        self.reserved_rate = [None if units is None else self._rate_bucket(units) for units in self.reserved]
        self.scaling: list[Tokens | None] = []
        self.ramps: list[Ramp | None] = []
        for function in self.plan.functions:
            own = function.scaling or (None if region is not None else self.plan.scaling)
            self.scaling.append(region if own is None else self._scaling_bucket(own))
            ramp = None
            if self.plan.ramp is not None:
                start, step = self.plan.ramp
                ramp = Ramp(start, step, start, full(start, Fraction(start, SECOND)))
            self.ramps.append(ramp)

    def _schedule_arrivals(self) -> None:
        for source, made in enumerate(self.plan.sources):
            if made.users is not None:
                for user in range(made.users.most):
                    self._come(source, user, 0, 0)
            for number, row in enumerate(made.rows):
                time = row.time * self.tick
                if row.time < self.plan.duration and is_on(self.plan, source, time, self.tick):
                    function = made.function if row.function is None else row.function
                    duration = self._duration(source, number, function, time)
                    if row.duration is not None:
                        duration = row.duration * self.tick
                    init = None if row.init is None else row.init * self.tick
                    request = Request(time, source, number, function, duration, init)
                    self.later(time, ARRIVAL, (source, number), request)

    def _come(self, source: int, user: int, round_: int, time: int) -> None:
        """A virtual user sends its next request as soon as it is there."""
        arrival = self.presence[source].next_visit(user, time)
        if arrival is not None:
            function, number = self.plan.sources[source].function, ordinal(user, round_)
            duration = self._duration(source, number, function, arrival)
            request = Request(arrival, source, number, function, duration, user=user, round=round_)
            self.later(arrival, ARRIVAL, (source, user), request)

    def _duration(self, source: int, number: int, function: int, arrival: int) -> int:
        """By the code that was in force when the request arrived."""
        ticks = self._of(function).duration
        for _, change in self.plan.changes_in_time:
            if change.at * self.tick <= arrival:
                ticks = dict(change.durations).get(function, ticks)
        if isinstance(ticks, int):
            return ticks * self.tick
        return self.workload.draws.duration(source_name(source), function_name(function), arrival, number)

    def run(self) -> int:
        """Run to the end; returns the instant of the end."""
        duration, last = self.plan.duration * self.tick, (self.plan.duration + self.plan.drain) * self.tick
        while True:
            time, look = self._next()
            if time > self.now and self._is_done() and (self.now >= duration or time > duration):
                return min(last, max(self.now, duration))
            if time > last:
                return last
            self.messages.pass_time(self.now, time)
            for autoscaling in self.autoscalings.values():
                autoscaling.pass_time(self.now, time)
            self.now = time
            if look is not None:
                self.messages.look(look)
            else:
                _, kind, _, _, subject = heapq.heappop(self.heap)
                self._handle(kind, subject)

    def _next(self) -> tuple[int, BruteQueue | None]:
        """When something happens next, and whether it is a look at a queue; else it is the first in the heap.

        Of equals what stands in the heap is first.
        """
        least = self.heap[0][:3] if self.heap else (NEVER, 0, ())
        look = min(self.messages.looks(), key=lambda made: made[:3], default=None)
        return (least[0], None) if look is None or least <= look[:3] else (look[0], look[3])

    def _handle(self, kind: int, subject: Any) -> None:
        if callable(subject):
            subject()
        elif kind == ARRIVAL:
            assert isinstance(subject, Request)
            subject.index = len(self.requests)
            self.requests.append(subject)
            if self._source(subject).is_async:
                name, function = source_name(subject.source), function_name(subject.function)
                self._queue_for(subject, self.workload.draws.dispatch_delay(name, function, subject.ordinal))
            elif (queue := self._source(subject).queue) is not None:
                self.messages.send(subject, queue)
            else:
                self._attempt(subject)
        elif kind == QUEUED:
            if isinstance(subject, Request):
                self._queue_of(subject).due.append(subject)
                self._look(self._queue_of(subject))
            else:
                self._read(*subject)
        elif kind == RETRY:
            assert isinstance(subject, Request)
            subject.is_pending = False
            self._attempt(subject)
        elif kind == CHANGE:
            assert isinstance(subject, ChangePlan)
            self._change(subject)
        elif kind == END:
            assert isinstance(subject, Invocation)
            self._ended(subject)
        elif kind == INIT_END:
            assert isinstance(subject, Sandbox)
            self._initialised(subject)
        elif kind == EXPIRY:
            sandbox, period = subject
            if sandbox in self.idle and sandbox.idle_periods == period:
                self.idle.remove(sandbox)
                sandbox.reaped = self.now
        else:
            request, attempt = subject
            if request.is_waiting and request.attempts == attempt:
                request.is_waiting = False
                self.abandonments.append((request.index, attempt, self.now))
                self._failed(request, patience(self._source(request))[1])

    def _is_done(self) -> bool:
        return (
            not any(kind == ARRIVAL for _, kind, _, _, _ in self.heap)
            and not any(request.is_pending for request in self.requests)
            and not any(invocation.is_in_flight for invocation in self.invocations)
            and self.messages.is_done
        )

    def _on_demand(self, pool: int) -> int:
        """In flight in one pool: what runs on provisioned environments is in none."""
        return sum(1 for one in self.invocations if one.is_in_flight and not one.is_provisioned and one.pool == pool)

    def _change(self, change: ChangePlan) -> None:
        """Other limits, other code; durations, errors and traffic are looked up when a request arrives."""
        rpc = self.plan.requests_per_concurrency
        for function, units in change.reserved:
            rate = self.reserved_rate[function]
            if units is None or self.reserved[function] is None:
                self.reserved_rate[function] = None if units is None else self._rate_bucket(units)
            elif rate is not None and rpc is not None:
                rate.resize(self.now, units * rpc, Fraction(units * rpc, SECOND))
            self.reserved[function] = units
        if change.quota is not None:
            self.quota = change.quota
            if self.account_rate is not None and rpc is not None:
                self.account_rate.resize(self.now, self.quota * rpc, Fraction(self.quota * rpc, SECOND))
        for function, units in change.provisioned:
            self.capacities[function].request(units, CHANGED)
        if change.deploy is not None:
            for sandbox in self.sandboxes:
                if sandbox.function == change.deploy and not sandbox.is_provisioned:
                    sandbox.is_obsolete = True
                    if sandbox in self.idle:
                        self.idle.remove(sandbox)
                        sandbox.reaped = self.now
            self.capacities[change.deploy].deploy()
        if change.redrive is not None:
            self.messages.redrive(*change.redrive)

    def _attempt(self, request: Request) -> None:
        request.attempts += 1
        source = self._source(request)
        if source.via is not None and source.via.is_api_gateway and self.gateway is not None:
            if self.gateway.settle(self.now) < 1:
                self._note_throttle(request, API_GATEWAY_RATE)
                self._failed(request, THROTTLED)
                return
            self.gateway.level -= 1
        refusal = self.invoke(self._invocation_of(request))
        if refusal is not None:
            self._note_throttle(request, refusal)
            self._failed(request, seen_of_throttle(source))
            return
        request.accepted += 1
        request.is_waiting = True
        timeout = patience(source)[0]
        if timeout is not None:
            self.later(self.now + timeout * self.tick, CLIENT_TIMEOUT, (request.index,), (request, request.attempts))

    def _note_throttle(self, request: Request, reason: int) -> None:
        self.throttles.append((request.index, request.function, request.attempts, self.now, reason))

    def _invocation_of(self, request: Request, *, is_event: bool = False) -> Invocation:
        name, function = source_name(request.source), function_name(request.function)
        draws, number = self.workload.draws, request.accepted + 1
        # An event meets the errors that are in force when it is tried, a call those of its arrival.
        now = self.now if is_event else request.arrival
        return Invocation(
            request,
            request.attempts,
            self.now,
            function=request.function,
            duration=request.duration,
            init=request.init,
            fate=draws.fate_after_waiting(name, function, request.arrival, now, number, request.ordinal),
            idle_timeout=draws.idle_timeout(name, function, number, request.ordinal),
        )

    def invoke(self, invocation: Invocation) -> int | None:
        """Offer a synchronous attempt to its function: the reason of a refusal, or None."""
        admission = self._admission(invocation.function)
        if admission.refusal is None:
            self._accept(invocation, admission)
        return admission.refusal

    def _accept(self, invocation: Invocation, admission: Admission) -> None:
        for bucket in admission.takes:
            bucket.level -= 1
        if admission.counts_in is not None:
            admission.counts_in.accepted += 1
        function = invocation.function
        invocation.pool = SHARED if self.reserved[function] is None else function
        invocation.is_provisioned = admission.is_provisioned
        self.invocations.append(invocation)
        if admission.spillover is not None:
            row = (invocation.request.index, function, invocation.attempt, self.now, admission.spillover)
            self.spillovers.append(row)
        if function in self.autoscalings and (admission.is_provisioned or admission.spillover is not None):
            self.autoscalings[function].admitted()
        mine = self._idle_of(function)
        if admission.is_provisioned:
            self._start(self.capacities[function].take(), invocation)
        elif mine:
            chosen = mine[-1] if self._of(function).is_mru else mine[0]
            self.idle.remove(chosen)
            self._start(chosen, invocation)
        else:
            self._create(invocation)

    def _admission(self, function: int, *, is_event: bool = False) -> Admission:
        """First within what is reserved, then onto provisioned environments, then on demand.

        No request rate limits events.
        """
        own, capacity, spillover = self.reserved[function], self.capacities[function], None
        if own is not None:
            if self._on_demand(function) + capacity.busy >= own:
                return Admission(RESERVED_CONCURRENCY)
            own_rate = self.reserved_rate[function]
            if own_rate is not None and not is_event and own_rate.settle(self.now) < 1:
                return Admission(RESERVED_RATE)
        if capacity.requested > 0:
            spillover = capacity.spillover(has_rate=not is_event)
            if spillover is None:
                takes = () if is_event or capacity.bucket is None else (capacity.bucket,)
                return Admission(None, takes, is_provisioned=True)
        return self._on_demand_admission(function, spillover, is_event=is_event)

    def _on_demand_admission(self, function: int, spillover: int | None, *, is_event: bool) -> Admission:
        takes: list[Tokens] = []
        own = self.reserved[function]
        if own is not None:
            if self._on_demand(function) >= own - self.capacities[function].claimed:
                return Admission(RESERVED_CONCURRENCY)
            rate, reason = self.reserved_rate[function], RESERVED_RATE
        else:
            if self._on_demand(SHARED) >= self._shared_limit:
                return Admission(ACCOUNT_CONCURRENCY)
            rate, reason = self.account_rate, ACCOUNT_RATE
        if rate is not None and not is_event:
            if rate.settle(self.now) < 1:
                return Admission(reason)
            takes.append(rate)
        ramp = None if is_event else self.ramps[function]
        if ramp is not None:
            ramp.advance(self.now)
            if ramp.bucket.settle(self.now) < 1:
                return Admission(SCALING_REQUEST_RATE)
            takes.append(ramp.bucket)
        scaling = self.scaling[function]
        if scaling is not None and not self._idle_of(function):
            if scaling.settle(self.now) < 1:
                return Admission(SCALING_RATE)
            takes.append(scaling)
        return Admission(None, tuple(takes), spillover=spillover, counts_in=ramp)

    @property
    def _shared_limit(self) -> int:
        """What is not reserved, and not provisioned for functions without a reservation."""
        free = self.quota - sum(units or 0 for units in self.reserved)
        return free - sum(
            capacity.claimed for capacity, own in zip(self.capacities, self.reserved, strict=True) if own is None
        )

    def _idle_of(self, function: int) -> list[Sandbox]:
        """Idle ones on demand."""
        return [one for one in self.idle if one.function == function and not one.is_provisioned]

    def _create(self, invocation: Invocation) -> None:
        function = invocation.function
        number = sum(1 for one in self.sandboxes if one.function == function and not one.is_provisioned)
        made = self._of(function)
        init = self._init(function, number) if invocation.init is None else invocation.init
        max_age = NEVER if made.max_age is None else made.max_age * self.tick
        before = made.sandbox * self.tick
        sandbox = Sandbox(len(self.sandboxes), number, function, self.now, init, max_age, before)
        sandbox.must_redo_init = init > INIT_LIMIT
        sandbox.logged_init = min(init, INIT_LIMIT)
        self.sandboxes.append(sandbox)
        if made.is_eager:
            self.waiting.append(invocation)
        else:
            sandbox.bound = invocation
            invocation.environment = sandbox.birth
        self.later(sandbox.init_end, INIT_END, (function, sandbox.birth), sandbox)

    def _init(self, function: int, number: int) -> int:
        ticks = self._of(function).init
        if isinstance(ticks, int):
            return ticks * self.tick
        return int(self.workload.draws.inits(function_name(function), number // BLOCK)[number % BLOCK])

    def _start(self, sandbox: Sandbox, invocation: Invocation) -> None:
        made = self._of(sandbox.function)
        timeout = NEVER if made.timeout is None else made.timeout * self.tick
        invocation.work = invocation.duration + (sandbox.init if sandbox.must_redo_init else 0)
        sandbox.must_redo_init = False
        invocation.handler = self.now
        invocation.environment = sandbox.birth
        invocation.is_cold = self.now == sandbox.init_end and not sandbox.is_provisioned
        invocation.end = self.now + min(invocation.work, timeout)
        self.later(invocation.end, END, (sandbox.function, sandbox.birth), invocation)

    def _ended(self, invocation: Invocation) -> None:
        request, sandbox = invocation.request, self.sandboxes[invocation.environment]
        made = self._of(sandbox.function)
        is_timeout = made.timeout is not None and invocation.work > made.timeout * self.tick
        invocation.result = TIMEOUT if is_timeout else invocation.fate
        if invocation.result in (CRASH, TIMEOUT):
            sandbox.must_redo_init = True
        if invocation.batch is not None:
            self.messages.ended(invocation.batch, invocation.result)
        elif self._source(request).is_async:
            self._event_ended(request, invocation.result)
        elif request.is_waiting and request.attempts == invocation.attempt:
            self._answered(request, invocation.result)
        queue = [one for one in self.waiting if one.function == sandbox.function]
        if sandbox.is_provisioned:
            self.capacities[sandbox.function].give_back(sandbox)
        elif self.now - sandbox.created > sandbox.max_age or sandbox.is_obsolete:
            sandbox.reaped = self.now
        elif queue:
            self.waiting.remove(queue[0])
            self._start(sandbox, queue[0])
        else:
            self._fall_idle(sandbox, invocation.idle_timeout)

    def _initialised(self, sandbox: Sandbox) -> None:
        queue = [one for one in self.waiting if one.function == sandbox.function]
        if sandbox.bound is not None:
            bound, sandbox.bound = sandbox.bound, None
            self._start(sandbox, bound)
        elif queue:
            self.waiting.remove(queue[0])
            self._start(sandbox, queue[0])
        elif self.now - sandbox.created > sandbox.max_age or sandbox.is_obsolete:
            sandbox.reaped = self.now
        else:
            drawn = self.workload.draws.unused_idle_timeouts(function_name(sandbox.function), sandbox.number // BLOCK)
            self._fall_idle(sandbox, drawn[sandbox.number % BLOCK])

    def _fall_idle(self, sandbox: Sandbox, timeout: int) -> None:
        self.idle.append(sandbox)
        sandbox.idle_periods += 1
        if self._of(sandbox.function).idle_timeout is not None:
            subject = (sandbox, sandbox.idle_periods)
            self.later(self.now + timeout, EXPIRY, (sandbox.function, sandbox.birth), subject)

    def _answered(self, request: Request, result: int) -> None:
        """The caller of a front end sees a function error as a 502; Lambda's own API answers with 200."""
        request.is_waiting = False
        if result != OK and self._source(request).via is not None:
            self._failed(request, SERVER_ERROR)
        else:
            self.sdk_quotas.give_back(request.source, request.turn, request.paid)
            self._settled(request)

    def _failed(self, request: Request, failure: int) -> None:
        policy = self._source(request).retry
        if policy is None or (policy.max_attempts is not None and request.attempts >= policy.max_attempts):
            self._settled(request)
            return
        paid = self.sdk_quotas.pay(request.source, request.turn, failure)
        if paid is None:
            self._settled(request)
            return
        request.paid = paid
        if isinstance(policy, Sdk):
            name, number = source_name(request.source), request.ordinal
            delay = self.workload.draws.retry_delay(name, request.attempts, number, Failure(failure))
        else:
            delay = policy.delay(request.attempts) * self.tick
        request.is_pending = True
        self.later(self.now + delay, RETRY, (request.index,), request)

    def _settled(self, request: Request) -> None:
        """A virtual user thinks, then it sends its next request."""
        if request.user >= 0:
            think = self.workload.draws.think_time(source_name(request.source), request.ordinal)
            self._come(request.source, request.user, request.round + 1, self.now + think)

    def _queue_for(self, request: Request, delay: int) -> None:
        """In the queue, and due after a delay."""
        request.is_pending = True
        self.later(self.now + delay, QUEUED, (request.index,), request)

    def _look(self, queue: Queue) -> None:
        """Look at the oldest of what is due when the reader takes one more, or when it is too old."""
        oldest = queue.oldest
        if oldest is not None:
            reads_at = queue.reads_at(self.now, self._under_way(queue))
            too_old_at = oldest.arrival + queue.plan.max_age * self.tick + 1
            self.later(max(self.now, min(reads_at, too_old_at)), QUEUED, (oldest.index,), (queue, oldest))

    def _read(self, queue: Queue, oldest: Request) -> None:
        """Try it, if it still is the oldest and nothing has made the reader slower; then look at the next one."""
        if oldest is queue.oldest:
            if queue.may_read(self.now, self._under_way(queue)) or self._is_too_old(oldest, self.now):
                queue.due.remove(oldest)
                self._try(queue, oldest)
            self._look(queue)

    def _try(self, queue: Queue, request: Request) -> None:
        request.is_pending = False
        if self._is_too_old(request, self.now):
            self._drop(request, TOO_OLD)
            return
        if self.reserved[request.function] == 0:
            self._drop(request, STOPPED)
            return
        request.attempts += 1
        admission = self._admission(request.function, is_event=True)
        if admission.refusal is None:
            self._accept(self._invocation_of(request, is_event=True), admission)
            request.accepted += 1
            return
        self._note_throttle(request, admission.refusal)
        queue.throttled(self.now, self._under_way(queue))
        request.throttles += 1
        name, function = source_name(request.source), function_name(request.function)
        share = self.workload.draws.event_share(name, function, request.attempts, request.ordinal)
        self._try_again(request, delay_after_throttle(request.throttles, share))

    def _event_ended(self, request: Request, result: int) -> None:
        queue = self._queue_of(request)
        self._look(queue)
        request.throttles = 0
        request.errors += result != OK
        if result == OK:
            self._send_record(request, queue.plan.on_success)
            self._event_settled(queue)
        elif request.errors > queue.plan.retries:
            self._drop(request, NO_RETRY_LEFT)
        else:
            self._try_again(request, ERROR_DELAYS[request.errors - 1])

    def _try_again(self, request: Request, delay: int) -> None:
        if self._is_too_old(request, self.now + delay):
            self._drop(request, TOO_OLD)
        else:
            self._queue_for(request, delay)

    def _is_too_old(self, request: Request, time: int) -> bool:
        return time - request.arrival > self._queue_of(request).plan.max_age * self.tick

    def _drop(self, request: Request, reason: int) -> None:
        self.drops.append((request.index, request.attempts, self.now, reason))
        self._send_record(request, self._queue_of(request).plan.on_failure)
        self._event_settled(self._queue_of(request))

    def _send_record(self, request: Request, destination: int | None) -> None:
        if destination is not None:
            self.messages.send_record(request, destination)

    def _event_settled(self, queue: Queue) -> None:
        """An empty queue lets its reader read as much as it likes."""
        if not self._under_way(queue) and not any(one.is_pending for one in self.requests if self._is_in(queue, one)):
            queue.allowed = None

    def _under_way(self, queue: Queue) -> int:
        mine = [one.request for one in self.invocations if one.is_in_flight and one.batch is None]
        return sum(1 for request in mine if self._is_in(queue, request))

    def _is_in(self, queue: Queue, request: Request) -> bool:
        return self._source(request).is_async and self._queue_of(request) is queue

    def _queue_of(self, request: Request) -> Queue:
        return self.queues[request.function]

    def _rate_bucket(self, units: int) -> Tokens | None:
        rpc = self.plan.requests_per_concurrency
        return None if rpc is None else full(units * rpc, Fraction(units * rpc, SECOND), self.now)

    def _scaling_bucket(self, limits: BucketPlan) -> Tokens:
        return full(limits.burst, Fraction(limits.rate, limits.per * self.tick))

    def _of(self, function: int) -> FunctionPlan:
        return self.plan.functions[function]

    def _source(self, request: Request) -> SourcePlan:
        return self.plan.sources[request.source]

    def later(self, time: int, kind: int, index: tuple[int, ...], subject: object) -> None:
        """Put something into the heap."""
        heapq.heappush(self.heap, (time, kind, index, next(self.serial), subject))


def columns(plan: Plan, workload: Workload) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the log of a plan, table by table."""
    made = BruteForce(plan, workload)
    end = made.run()
    invocations = sorted(made.invocations, key=lambda one: (one.request.index, one.attempt))
    return {
        "end": [(end,)],
        "requests": [(one.arrival, one.source, one.function, one.is_pending) for one in made.requests],
        "invocations": [
            (
                one.request.index,
                one.function,
                one.attempt,
                one.admitted,
                one.handler,
                -1 if one.result == RUNNING else one.end,
                one.environment,
                one.result,
                one.is_cold,
            )
            for one in invocations
        ],
        "throttles": sorted(made.throttles + made.messages.throttles, key=lambda row: (row[0], row[2])),
        "abandonments": sorted(made.abandonments),
        "drops": sorted(made.drops),
        "messages": made.messages.message_rows,
        "batches": made.messages.batch_rows,
        "deliveries": list(made.messages.deliveries),
        "source_invokes": [
            ("async" if one.is_async else "sync" if one.queue is None else "sqs",) for one in plan.sources
        ],
        "environments": [
            (one.function, one.created, one.sandbox, one.logged_init, one.reaped, one.is_provisioned)
            for one in made.sandboxes
        ],
        "spillovers": sorted(made.spillovers, key=lambda row: (row[0], row[2])),
        "capacity": made.capacity_rows,
    }
