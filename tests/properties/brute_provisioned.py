"""Provisioned concurrency in the second simulator: what is asked for, what is ready, what spills over.

Written from the rules of the model, not from the engine. Every environment is an object with an instant of creation and
one of readiness; who is busy or alive is counted by a scan, and a batch is over when an event of the one heap says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from lambdasim.workload.workload import Workload
from tests.properties.brute_parts import BLOCK, CHANGE, INIT_END, SECOND, Invocation, Sandbox, Tokens, full
from tests.properties.plans import FunctionPlan, Plan, function_name

CONCURRENCY, REQUEST_RATE, NOT_READY = range(3)
READY, IN_PROGRESS, FAILED = range(3)
CONFIGURED, CHANGED, SCHEDULED, TARGET_TRACKING, ALLOCATED, INIT_FAILED = range(6)

DEFAULT_TIMEOUT = 900 * SECOND
INIT_LIMIT = 130 * SECOND


class Region(Protocol):
    """What provisioned concurrency needs of the rest of the second simulator."""

    plan: Plan
    workload: Workload
    now: int
    tick: int
    sandboxes: list[Sandbox]
    idle: list[Sandbox]
    invocations: list[Invocation]

    def later(self, time: int, kind: int, index: tuple[int, ...], subject: object) -> None:
        """Put something into the heap."""


@dataclass(eq=False)
class Planned:
    """One environment that was asked for: its draws, and when it is created."""

    number: int
    sandbox: int
    init: int
    max_age: int
    created: int = -1
    made: Sandbox | None = None


@dataclass(eq=False)
class Batch:
    """Environments that are ready together or not at all; the last ones may be given up."""

    planned: list[Planned]


@dataclass(eq=False)
class Capacity:
    """The provisioned concurrency of one function."""

    region: Region
    function: int
    rows: list[tuple[object, ...]]  # of the log, of all functions
    requested: int = 0
    allocated: int = 0
    has_failed: bool = False
    batches: list[Batch] = field(default_factory=list)  # under preparation
    n_batches: int = 0  # that there ever were
    n_numbered: int = 0  # environments that ever were asked for
    bucket: Tokens | None = None

    # What is there.

    @property
    def plan(self) -> FunctionPlan:
        """As the plan has it."""
        return self.region.plan.functions[self.function]

    @property
    def in_service(self) -> list[Sandbox]:
        """Environments that are ready, whether busy or idle."""
        return [one for one in self._made if one.is_in_service and one.reaped == -1]

    @property
    def busy(self) -> int:
        """Invocations on provisioned environments."""
        return sum(
            1
            for one in self.region.invocations
            if one.is_provisioned and one.function == self.function and one.is_in_flight
        )

    @property
    def claimed(self) -> int:
        """Units that it takes from a reservation or from the shared pool: what was given up, when it has ended."""
        return max(self.requested, self.busy)

    @property
    def status(self) -> int:
        """What AWS would say."""
        if self.batches:
            return IN_PROGRESS
        return FAILED if self.has_failed else READY

    @property
    def pending(self) -> int:
        """Environments under preparation."""
        return sum(len(batch.planned) for batch in self.batches)

    @property
    def _made(self) -> list[Sandbox]:
        return [one for one in self.region.sandboxes if one.is_provisioned and one.function == self.function]

    @property
    def _idle(self) -> list[Sandbox]:
        """Those that have been idle for the longest time first."""
        return [one for one in self.region.idle if one.is_provisioned and one.function == self.function]

    # Who is let in.

    def spillover(self, *, has_rate: bool) -> int | None:
        """Why an attempt does not get a provisioned environment now; None where it does."""
        if self.allocated == 0:
            return NOT_READY
        if self.busy >= self.allocated:
            return CONCURRENCY
        if has_rate and self.bucket is not None and self.bucket.settle(self.region.now) < 1:
            return REQUEST_RATE
        return None

    def take(self) -> Sandbox:
        """The environment that the next invocation gets."""
        chosen = self._idle[-1 if self.plan.is_mru else 0]
        self.region.idle.remove(chosen)
        return chosen

    def give_back(self, sandbox: Sandbox) -> None:
        """An invocation ended on it."""
        now = self.region.now
        if len(self.in_service) > self.allocated:
            sandbox.reaped = now
        elif sandbox.is_obsolete or now - sandbox.created > sandbox.max_age:
            self._recycle(sandbox)
        else:
            self.region.idle.append(sandbox)

    def deploy(self) -> None:
        """New code: idle ones are recycled now, busy ones when they end."""
        for one in self._idle:
            self.region.idle.remove(one)
            self._recycle(one)
        for one in self.in_service:
            one.is_obsolete = one not in self._idle

    def _recycle(self, sandbox: Sandbox) -> None:
        """Another one, prepared in the background, takes its place."""
        sandbox.reaped = now = self.region.now
        planned = self._draw()
        length = min(planned.init, self._init_limit, now)
        planned.sandbox = min(planned.sandbox, now - length)
        planned.created = now - length - planned.sandbox
        self._serve(self._create(planned, length))

    # What is asked for.

    def begin(self, units: int) -> None:
        """Configured long before the run."""
        for _ in range(units):
            planned = self._draw()
            planned.created = planned.sandbox = 0
            self._serve(self._create(planned, 0))
        self.requested = units
        self._allocate(units)
        if units:
            self._note(CONFIGURED, before=(0, 0, READY))

    def request(self, units: int, cause: int) -> None:
        """So many from now on."""
        before = self._state
        self.has_failed = False
        self.requested = units
        more = units - self.allocated - self.pending
        if more > 0:
            self._prepare(more)
        elif more < 0:
            self._give_up(-more)
        self._note(cause, before)

    def _prepare(self, units: int) -> None:
        now, tick, allocation = self.region.now, self.region.tick, self.plan.allocation
        prepare = self.region.workload.draws.preparation(function_name(self.function), self.n_batches)
        self.n_batches += 1
        batch = Batch([])
        self.batches.append(batch)
        for k in range(1, units + 1):
            planned = self._draw()
            due = now if allocation is None else now + prepare + k * allocation.per * tick // allocation.rate
            planned.created = max(now, due - planned.sandbox - planned.init)
            batch.planned.append(planned)
        for planned in list(batch.planned):
            if planned.created == now:
                self._begin_init(batch, planned)
            else:
                self._begin_init_later(batch, planned)

    def _begin_init_later(self, batch: Batch, planned: Planned) -> None:
        """Before the changes of the file that come at that instant, by function."""
        index = (-1, self.function, planned.number)
        self.region.later(planned.created, CHANGE, index, lambda: self._begin_init(batch, planned))

    def _begin_init(self, batch: Batch, planned: Planned) -> None:
        if batch not in self.batches or planned not in batch.planned:
            return
        planned.made = made = self._create(planned, min(planned.init, self._init_limit))
        if planned.init > self._init_limit:
            index = (self.function, made.birth)
            self.region.later(made.init_end, INIT_END, index, lambda: self._failed(batch, planned))
        self._wait_for_the_last(batch)

    def _wait_for_the_last(self, batch: Batch) -> None:
        """Once all have been created it is known when all are ready, if none fails before."""
        made = [one.made for one in batch.planned if one.made is not None]
        if len(made) == len(batch.planned):
            time = max(one.created + one.sandbox + one.init for one in made)
            last, size = max(one.birth for one in made), len(made)
            self.region.later(
                max(time, self.region.now), INIT_END, (self.function, last), lambda: self._ready(batch, size)
            )

    def _ready(self, batch: Batch, size: int) -> None:
        """All environments of a batch that has so many."""
        if batch not in self.batches or len(batch.planned) != size:
            return
        before = self._state
        self.batches.remove(batch)
        self._allocate(self.allocated + size)
        made = [one.made for one in batch.planned if one.made is not None]
        for one in sorted(made, key=lambda one: one.birth):
            self._serve(one)
        self._note(ALLOCATED, before)

    def _failed(self, batch: Batch, planned: Planned) -> None:
        """One environment of a batch: none of them will serve."""
        if batch not in self.batches or planned not in batch.planned:
            return
        before = self._state
        self.has_failed = True
        self.batches.remove(batch)
        self._discard(batch.planned)
        self.requested = self.allocated + self.pending
        self._note(INIT_FAILED, before)

    def _give_up(self, surplus: int) -> None:
        """Of the batches the latest first, from its last environment on; then of those that are ready."""
        for batch in self.batches[::-1]:
            kept = max(0, len(batch.planned) - surplus)
            surplus -= len(batch.planned) - kept
            if kept == len(batch.planned):
                break
            self._discard(batch.planned[kept:])
            del batch.planned[kept:]
            if batch.planned:
                self._wait_for_the_last(batch)
            else:
                self.batches.remove(batch)
        if surplus:
            self._allocate(self.allocated - surplus)
            while self._idle and len(self.in_service) > self.allocated:
                oldest = self._idle[0]
                self.region.idle.remove(oldest)
                oldest.reaped = self.region.now

    def _discard(self, planned: Iterable[Planned]) -> None:
        """An init that is under way ends with its environment."""
        for one in planned:
            if (made := one.made) is not None:
                made.reaped = self.region.now
                made.sandbox = min(made.sandbox, made.reaped - made.created)
                made.logged_init = min(made.logged_init, made.reaped - made.created - made.sandbox)

    # The small print.

    def _draw(self) -> Planned:
        """The next one."""
        number, draws = self.n_numbered, self.region.workload.draws
        self.n_numbered += 1
        drawn = draws.provisioned_environment(function_name(self.function), number // BLOCK, number % BLOCK)
        return Planned(number, *drawn)

    def _create(self, planned: Planned, logged_init: int) -> Sandbox:
        birth, number, created = len(self.region.sandboxes), planned.number, planned.created
        made = Sandbox(birth, number, self.function, created, planned.init, planned.max_age, planned.sandbox)
        made.is_provisioned, made.logged_init = True, logged_init
        self.region.sandboxes.append(made)
        return made

    def _serve(self, sandbox: Sandbox) -> None:
        sandbox.is_in_service = True
        self.region.idle.append(sandbox)

    @property
    def _init_limit(self) -> int:
        timeout = DEFAULT_TIMEOUT if self.plan.timeout is None else self.plan.timeout * self.region.tick
        return max(INIT_LIMIT, timeout)

    def _allocate(self, units: int) -> None:
        """Tokens stay what they are as long as there is room for them; without units before they are all there."""
        rpc = self.region.plan.requests_per_concurrency
        if rpc is not None:
            speed = Fraction(units * rpc, SECOND)
            if self.bucket is not None and self.allocated:
                self.bucket.resize(self.region.now, units * rpc, speed)
            else:
                self.bucket = full(units * rpc, speed, self.region.now)
        self.allocated = units

    @property
    def _state(self) -> tuple[int, int, int]:
        return self.requested, self.allocated, self.status

    def _note(self, cause: int, before: tuple[int, int, int]) -> None:
        if self._state != before:
            self.rows.append((self.region.now, self.function, *self._state, cause))
