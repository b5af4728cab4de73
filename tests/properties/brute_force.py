"""A second simulator, written from MODEL.md sections 3 and 4 and not from the engine, to compare the engine with.

It is slow and plain on purpose: every expiry is a real event, every search a scan of a list, every token bucket a
fraction, and the order of simultaneous events is the tuple (time, kind, index) in a heap. It shares no code with the
engine but the random draws, which are input to both.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count

from lambdasim.workload.workload import Workload
from tests.properties.plans import BucketPlan, FunctionPlan, Plan, function_name

SECOND = 10**9
INIT_LIMIT = 10 * SECOND
NEVER = 10**30
BLOCK = 256  # rare draws come in blocks of this size

END, INIT_END, CLIENT_TIMEOUT, _CHANGE, EXPIRY, _QUEUED, RETRY, ARRIVAL = range(1, 9)
OK, ERROR, CRASH, TIMEOUT, RUNNING = range(5)
ACCOUNT_CONCURRENCY, ACCOUNT_RATE, RESERVED_CONCURRENCY, RESERVED_RATE, SCALING_REQUEST_RATE, SCALING_RATE = range(6)


@dataclass(eq=False)
class Tokens:
    """A token bucket in fractions."""

    depth: Fraction
    per_ns: Fraction
    level: Fraction
    at: int = 0

    def settle(self, now: int) -> Fraction:
        """The level at ``now``."""
        self.level = min(self.depth, self.level + (now - self.at) * self.per_ns)
        self.at = now
        return self.level


def full(tokens: int, per_ns: Fraction) -> Tokens:
    """A full bucket."""
    return Tokens(Fraction(tokens), per_ns, Fraction(tokens))


@dataclass(eq=False)
class Ramp:
    """The request-rate ramp of one function, second by second."""

    start: int
    step: int
    allowed: int
    bucket: Tokens
    second: int = 0  # the whole second that is counted now
    accepted: int = 0

    def advance(self, now: int) -> None:
        """Close every second that is over at ``now``."""
        while (self.second + 1) * SECOND <= now:
            self.second += 1
            self.bucket.settle(self.second * SECOND)
            if Fraction(self.accepted) > Fraction(9, 10) * self.allowed:
                self.allowed += self.step
            else:
                self.allowed = max(self.start, self.allowed - self.step)
            self.bucket.depth = Fraction(self.allowed)
            self.bucket.per_ns = Fraction(self.allowed, SECOND)
            self.bucket.level = min(self.bucket.level, self.bucket.depth)
            self.accepted = 0


@dataclass(eq=False)
class Request:
    """One request and what its caller knows."""

    index: int
    arrival: int
    source: int
    ordinal: int
    function: int
    duration: int
    init: int | None
    attempts: int = 0
    accepted: int = 0
    is_waiting: bool = False
    is_pending: bool = False


@dataclass(eq=False)
class Invocation:
    """One accepted attempt."""

    request: Request
    attempt: int
    number: int  # the how-maniest accepted one of its request
    admitted: int
    handler: int = -1
    end: int = -1
    work: int = 0  # what it would take without a timeout
    environment: int = -1
    result: int = RUNNING
    is_cold: bool = False


@dataclass(eq=False)
class Sandbox:
    """One execution environment."""

    birth: int
    number: int  # among those of its function
    function: int
    created: int
    init: int
    max_age: int
    reaped: int = -1
    bound: Invocation | None = None
    must_redo_init: bool = False
    idle_periods: int = 0


@dataclass(eq=False)
class BruteForce:
    """One run. ``columns`` are the same as those of the event log."""

    plan: Plan
    workload: Workload
    tick: int
    now: int = 0
    serial: Iterator[int] = field(default_factory=count)  # only so that subjects are never compared
    heap: list[tuple[int, int, tuple[int, ...], int, object]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    throttles: list[tuple[int, int, int, int]] = field(default_factory=list)
    abandonments: list[tuple[int, int, int]] = field(default_factory=list)
    sandboxes: list[Sandbox] = field(default_factory=list)
    idle: list[Sandbox] = field(default_factory=list)  # in the order in which they fell idle
    waiting: list[Invocation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._arrivals()
        rpc, region = self.plan.requests_per_concurrency, None
        if self.plan.scaling is not None and self.plan.is_scaling_region_wide:
            region = self._scaling_bucket(self.plan.scaling)
        self.account_rate = (
            None if rpc is None else full(self.plan.quota * rpc, Fraction(self.plan.quota * rpc, SECOND))
        )
        self.reserved_rate: list[Tokens | None] = []
        self.scaling: list[Tokens | None] = []
        self.ramps: list[Ramp | None] = []
        for function in self.plan.functions:
            units = function.reserved
            has_rate = rpc is not None and units is not None
            self.reserved_rate.append(full(units * rpc, Fraction(units * rpc, SECOND)) if has_rate else None)
            own = function.scaling or (None if region is not None else self.plan.scaling)
            self.scaling.append(region if own is None else self._scaling_bucket(own))
            ramp = None
            if self.plan.ramp is not None:
                start, step = self.plan.ramp
                ramp = Ramp(start, step, start, full(start, Fraction(start, SECOND)))
            self.ramps.append(ramp)

    def run(self) -> int:
        """Run to the end; returns the instant of the end."""
        end = (self.plan.duration + self.plan.drain) * self.tick
        is_over = False
        while True:
            next_time = self.heap[0][0] if self.heap else NEVER
            if not is_over and next_time > self.now and self._is_done():
                is_over, end = True, min(end, max(self.now, self.plan.duration * self.tick))
            if next_time > end:
                return end
            self.now, kind, _, _, subject = heapq.heappop(self.heap)
            self._handle(kind, subject)

    def _handle(self, kind: int, subject: object) -> None:
        if kind in (ARRIVAL, RETRY):
            assert isinstance(subject, Request)
            subject.is_pending = False
            self._attempt(subject)
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
                self._retry(request)

    def _is_done(self) -> bool:
        return (
            not any(kind == ARRIVAL for _, kind, _, _, _ in self.heap)
            and not any(request.is_pending for request in self.requests)
            and not any(self._is_in_flight(invocation) for invocation in self.invocations)
        )

    def _is_in_flight(self, invocation: Invocation) -> bool:
        """Ended at this instant counts as ended once the end was handled: the result says so."""
        return invocation.result == RUNNING

    def _in_flight(self, functions: list[int]) -> int:
        return sum(1 for one in self.invocations if self._is_in_flight(one) and one.request.function in functions)

    def _attempt(self, request: Request) -> None:
        request.attempts += 1
        refusal, takes = self._refusal(request.function)
        if refusal is not None:
            self.throttles.append((request.index, request.attempts, self.now, refusal))
            self._retry(request)
            return
        for bucket in takes:
            bucket.level -= 1
        ramp = self.ramps[request.function]
        if ramp is not None:
            ramp.accepted += 1
        request.accepted += 1
        invocation = Invocation(request, request.attempts, request.accepted, self.now)
        self.invocations.append(invocation)
        timeout = self.plan.sources[request.source].timeout
        if timeout is not None:
            request.is_waiting = True
            self._at(self.now + timeout * self.tick, CLIENT_TIMEOUT, (request.index,), (request, request.attempts))
        mine = [sandbox for sandbox in self.idle if sandbox.function == request.function]
        if mine:
            chosen = mine[-1] if self._of(request.function).is_mru else mine[0]
            self.idle.remove(chosen)
            self._start(chosen, invocation)
        else:
            self._create(invocation)

    def _refusal(self, function: int) -> tuple[int | None, list[Tokens]]:
        """The first reason to refuse, or None with the buckets that an accepted attempt takes a token of."""
        takes: list[Tokens] = []
        reserved = self._of(function).reserved
        if reserved is not None:
            if self._in_flight([function]) >= reserved:
                return RESERVED_CONCURRENCY, []
            rate, reason = self.reserved_rate[function], RESERVED_RATE
        else:
            sharing = [index for index, other in enumerate(self.plan.functions) if other.reserved is None]
            if self._in_flight(sharing) >= self.plan.shared:
                return ACCOUNT_CONCURRENCY, []
            rate, reason = self.account_rate, ACCOUNT_RATE
        if rate is not None:
            if rate.settle(self.now) < 1:
                return reason, []
            takes.append(rate)
        ramp = self.ramps[function]
        if ramp is not None:
            ramp.advance(self.now)
            if ramp.bucket.settle(self.now) < 1:
                return SCALING_REQUEST_RATE, []
            takes.append(ramp.bucket)
        scaling = self.scaling[function]
        if scaling is not None and not any(sandbox.function == function for sandbox in self.idle):
            if scaling.settle(self.now) < 1:
                return SCALING_RATE, []
            takes.append(scaling)
        return None, takes

    def _create(self, invocation: Invocation) -> None:
        function = invocation.request.function
        number = sum(1 for sandbox in self.sandboxes if sandbox.function == function)
        made = self._of(function)
        init = made.init * self.tick if invocation.request.init is None else invocation.request.init
        max_age = NEVER if made.max_age is None else made.max_age * self.tick
        sandbox = Sandbox(len(self.sandboxes), number, function, self.now, init, max_age)
        sandbox.must_redo_init = init > INIT_LIMIT
        self.sandboxes.append(sandbox)
        if made.is_eager:
            self.waiting.append(invocation)
        else:
            sandbox.bound = invocation
            invocation.environment = sandbox.birth
        self._at(self.now + min(init, INIT_LIMIT), INIT_END, (function, sandbox.birth), sandbox)

    def _start(self, sandbox: Sandbox, invocation: Invocation) -> None:
        made = self._of(sandbox.function)
        timeout = NEVER if made.timeout is None else made.timeout * self.tick
        invocation.work = invocation.request.duration + (sandbox.init if sandbox.must_redo_init else 0)
        sandbox.must_redo_init = False
        invocation.handler = self.now
        invocation.environment = sandbox.birth
        invocation.is_cold = self.now == sandbox.created + min(sandbox.init, INIT_LIMIT)
        invocation.end = self.now + min(invocation.work, timeout)
        self._at(invocation.end, END, (sandbox.function, sandbox.birth), invocation)

    def _ended(self, invocation: Invocation) -> None:
        request, sandbox = invocation.request, self.sandboxes[invocation.environment]
        made = self._of(sandbox.function)
        is_timeout = made.timeout is not None and invocation.work > made.timeout * self.tick
        invocation.result = TIMEOUT if is_timeout else self._fate(invocation)
        if invocation.result in (CRASH, TIMEOUT):
            sandbox.must_redo_init = True
        if request.attempts == invocation.attempt:
            request.is_waiting = False
        queue = [one for one in self.waiting if one.request.function == sandbox.function]
        if self.now - sandbox.created > sandbox.max_age:
            sandbox.reaped = self.now
        elif queue:
            self.waiting.remove(queue[0])
            self._start(sandbox, queue[0])
        else:
            self._fall_idle(sandbox, self._idle_timeout(invocation))

    def _initialised(self, sandbox: Sandbox) -> None:
        queue = [one for one in self.waiting if one.request.function == sandbox.function]
        if sandbox.bound is not None:
            bound, sandbox.bound = sandbox.bound, None
            self._start(sandbox, bound)
        elif queue:
            self.waiting.remove(queue[0])
            self._start(sandbox, queue[0])
        elif self.now - sandbox.created > sandbox.max_age:
            sandbox.reaped = self.now
        else:
            drawn = self.workload.draws.unused_idle_timeouts(function_name(sandbox.function), sandbox.number // BLOCK)
            self._fall_idle(sandbox, drawn[sandbox.number % BLOCK])

    def _fall_idle(self, sandbox: Sandbox, timeout: int) -> None:
        self.idle.append(sandbox)
        sandbox.idle_periods += 1
        if self._of(sandbox.function).idle_timeout is not None:
            subject = (sandbox, sandbox.idle_periods)
            self._at(self.now + timeout, EXPIRY, (sandbox.function, sandbox.birth), subject)

    def _retry(self, request: Request) -> None:
        policy = self.plan.sources[request.source].retry
        if policy is None or (policy.max_attempts is not None and request.attempts >= policy.max_attempts):
            return
        request.is_pending = True
        self._at(self.now + policy.delay(request.attempts) * self.tick, RETRY, (request.index,), request)

    def _fate(self, invocation: Invocation) -> int:
        request, draws = invocation.request, self.workload.draws
        name, function = f"s{request.source}", function_name(request.function)
        if invocation.number == 1:
            return int(draws.fates(name, function, 0, 1, 0, 4096)[request.ordinal])
        return draws.fate(name, function, request.arrival, invocation.number, request.ordinal)

    def _idle_timeout(self, invocation: Invocation) -> int:
        request, draws = invocation.request, self.workload.draws
        name, function = f"s{request.source}", function_name(request.function)
        if invocation.number == 1:
            return int(draws.idle_timeouts(name, function, 1, 0, 4096)[request.ordinal])
        return draws.idle_timeout(name, function, invocation.number, request.ordinal)

    def _arrivals(self) -> None:
        offered = [
            (row.time, source, ordinal)
            for source, made in enumerate(self.plan.sources)
            for ordinal, row in enumerate(made.rows)
            if row.time < self.plan.duration
        ]
        for index, (time, source, ordinal) in enumerate(sorted(offered)):
            row = self.plan.sources[source].rows[ordinal]
            function = self.plan.sources[source].function if row.function is None else row.function
            duration = self._of(function).duration if row.duration is None else row.duration
            init = None if row.init is None else row.init * self.tick
            request = Request(index, time * self.tick, source, ordinal, function, duration * self.tick, init)
            self.requests.append(request)
            self._at(request.arrival, ARRIVAL, (index,), request)

    def _scaling_bucket(self, limits: BucketPlan) -> Tokens:
        return full(limits.burst, Fraction(limits.rate, limits.per * self.tick))

    def _of(self, function: int) -> FunctionPlan:
        return self.plan.functions[function]

    def _at(self, time: int, kind: int, index: tuple[int, ...], subject: object) -> None:
        heapq.heappush(self.heap, (time, kind, index, next(self.serial), subject))


def columns(plan: Plan, workload: Workload, tick: int) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the log of a plan, table by table."""
    made = BruteForce(plan, workload, tick)
    end = made.run()
    invocations = sorted(made.invocations, key=lambda one: (one.request.index, one.attempt))
    arrived = [one for one in made.requests if one.arrival <= end]
    return {
        "end": [(end,)],
        "requests": [(one.arrival, one.source, one.function, one.is_pending) for one in arrived],
        "invocations": [
            (
                one.request.index,
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
        "throttles": sorted(made.throttles),
        "abandonments": sorted(made.abandonments),
        "environments": [(one.function, one.created, min(one.init, INIT_LIMIT), one.reaped) for one in made.sandboxes],
    }
