"""Provisioned concurrency of one function while it runs: units that are asked for, prepared, ready and given up.

The rules are those of ``platform.provisioned``. What is ready is handed out here; how an invocation is admitted and
served on it stands in ``provisioned_function``. Provisioned environments have no idle timeout and are never cold.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from lambdasim.engine.ordering import EventKind, environment_index, priority
from lambdasim.engine.reference.function import ExecutionEnvironment
from lambdasim.engine.reference.limits import Bucket, Pool
from lambdasim.engine.reference.recurring import Alarm, Clock, Recurring
from lambdasim.engine.reference.utilisation import UtilisationMeter
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.lifecycle import is_past_max_age
from lambdasim.platform.provisioned import CapacityCause, CapacityStatus, SpilloverReason, ready_after_ns
from lambdasim.platform.region import PoolSpec, ProvisionedSpec
from lambdasim.platform.token_bucket import (
    NO_TOKEN,
    UNLIMITED_BUCKET,
    BucketLimits,
    debt_after_token,
    per_second_bucket,
)
from lambdasim.workload.draws import RARE_BLOCK, Draws
from lambdasim.workload.workload import Request

# What ``spillover`` answers: no reason to spill over, or one of these, as plain integers for the path of every request.
SERVED = -1
_ALL_BUSY = int(SpilloverReason.CONCURRENCY)
_TOO_FAST = int(SpilloverReason.REQUEST_RATE)
_NOT_READY = int(SpilloverReason.NOT_READY)

# When the init of a provisioned environment ended, for whoever asks whether an invocation starts at that very instant.
_NEVER_COLD = -1

# What provisioned invocations count in. It refuses nothing itself: whether one is free is asked before.
_COUNTER = PoolSpec(
    limit=0,
    rate=UNLIMITED_BUCKET,
    concurrency_reason=ThrottleReason.ACCOUNT_CONCURRENCY,
    rate_reason=ThrottleReason.ACCOUNT_RATE,
)


class ProvisionedEnvironment(ExecutionEnvironment):
    """One that is kept initialised. ``generation`` counts the deployments before it became ready."""

    generation = 0


class _Planned:
    """One environment of a batch: when it is created, and when its init is over or has failed."""

    __slots__ = ("birth", "created_ns", "fails", "init_ns", "max_age_ns", "over_ns", "phase_ns", "sandbox_ns")

    def __init__(
        self, due_ns: int, now_ns: int, init_ns: int, sandbox_ns: int, max_age_ns: int, init_limit_ns: int
    ) -> None:
        self.init_ns = init_ns
        self.sandbox_ns = sandbox_ns
        self.max_age_ns = max_age_ns
        self.fails = init_ns > init_limit_ns
        self.phase_ns = min(init_ns, init_limit_ns)
        self.created_ns = max(now_ns, due_ns - sandbox_ns - init_ns)
        self.over_ns = self.created_ns + sandbox_ns + self.phase_ns
        self.birth = -1  # until it is created


class _Batch:
    """The environments of one request for more: all of them serve, or none yet."""

    def __init__(self, planned: list[_Planned]) -> None:
        self.planned = planned  # by k
        self.to_create = deque(sorted(planned, key=lambda one: one.created_ns))  # stable: of one instant, by k
        self.decisive = _decisive(planned)
        self.over: Recurring | None = None  # what ends it, once the decisive one is created

    def shrink(self, count: int) -> list[_Planned]:
        """Without its last environments, which are returned. Something else decides then, if anything is left."""
        gone = self.planned[-count:]
        del self.planned[-count:]
        dropped = set(gone)
        self.to_create = deque(one for one in self.to_create if one not in dropped)
        self.over = None
        if self.planned:
            self.decisive = _decisive(self.planned)
        return gone


def _decisive(planned: list[_Planned]) -> _Planned:
    """The one with whose init a batch ends: the first that fails, else the last. Of one instant, by birth."""

    def end(one: _Planned) -> tuple[int, int]:
        return one.over_ns, one.created_ns  # births go by creation, then by k

    failing = [one for one in planned if one.fails]
    return min(failing, key=end) if failing else max(reversed(planned), key=end)


class ProvisionedCapacity:
    """The provisioned environments of one function: ready ones, and those under preparation."""

    def __init__(
        self,
        clock: Clock,
        *,
        index: int,
        name: str,
        spec: ProvisionedSpec,
        reuses_latest: bool,
        draws: Draws,
        recorder: Recorder,
        meter: UtilisationMeter | None,
        on_requested: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._index = index
        self._name = name
        self._spec = spec
        self._draws = draws
        self._environments = recorder.environments
        self._reaped_ns = recorder.environments.reaped_ns
        self._note_capacity = recorder.capacity.append
        self._log_spillover = recorder.spillovers.add
        self.meter = meter
        self._on_requested = on_requested
        self._end_rank = priority(EventKind.INVOCATION_END, environment_index(index, 0))
        self._init_rank = priority(EventKind.INIT_END, environment_index(index, 0))
        self._creation_rank = priority(EventKind.CHANGE, index)  # before the changes of the file
        self.pool = Pool(_COUNTER)
        self.rate = Bucket(self._rate_limits(0))
        self.requested = 0
        self.allocated = 0
        self._alive = 0  # idle or busy
        self._generation = 0  # of the code
        self._has_failed = False
        self._batches: list[_Batch] = []
        self._creations = Alarm(clock, self._create_due)
        self._batch_count = 0
        self._numbered = 0  # environments that have draws
        self._idle: deque[ProvisionedEnvironment] = deque()  # in the order in which they fell idle
        self.take = self._idle.pop if reuses_latest else self._idle.popleft

    @property
    def claimed(self) -> int:
        """Units that it takes from a reservation or from the shared pool.

        MODEL: those that are not asked for any more come back when they are free, so that the quota holds.
        """
        return max(self.requested, self.pool.in_flight)

    def begin(self) -> None:
        """Ready when the run starts: configured, and initialised, before."""
        units = self._spec.initial
        for _ in range(units):
            _, init_ns, max_age_ns = self._drawn()
            self._idle.append(self._born(0, 0, 0, init_ns, max_age_ns))
        self.requested = units
        self._alive = units
        self._allocate(0, units)
        if units:
            self._on_requested()
            self._note(0, CapacityCause.CONFIGURED)

    def spillover(self, now_ns: int, *, is_limited_by_rate: bool) -> int:
        """Why an attempt cannot run on provisioned concurrency, or SERVED; then it has its token."""
        if not self.allocated:
            return _NOT_READY
        if self.pool.in_flight >= self.allocated:
            return _ALL_BUSY
        if is_limited_by_rate:
            rate = self.rate
            debt = debt_after_token(rate.debt, now_ns - rate.last_ns, rate.limits)
            if debt == NO_TOKEN:
                return _TOO_FAST
            rate.debt, rate.last_ns = debt, now_ns
        return SERVED

    def released(self, environment: ProvisionedEnvironment, now_ns: int) -> None:
        """An invocation ended: the environment is idle, or given up, or replaced by a fresh one."""
        if self._alive > self.allocated:
            self._reaped_ns[environment.birth] = now_ns
            self._alive -= 1
        elif environment.generation < self._generation or is_past_max_age(
            environment.created_ns, now_ns, environment.max_age_ns
        ):
            self._reaped_ns[environment.birth] = now_ns
            self._idle.append(self._replacement(now_ns))
        else:
            self._idle.append(environment)

    def deploy(self, now_ns: int) -> None:
        """New code, whose environments were prepared before: idle ones are replaced now, busy ones when they end.

        MODEL: AWS advises to allocate for the new version first, and to move the alias then.
        """
        self._generation += 1
        for _ in range(len(self._idle)):
            self._reaped_ns[self._idle.popleft().birth] = now_ns
            self._idle.append(self._replacement(now_ns))

    def request(self, now_ns: int, units: int, cause: int) -> None:
        """Ask for so many units; more are prepared, of fewer the rest is given up."""
        had_failed, self._has_failed = self._has_failed, False  # until the next request, whatever that asks for
        if units == self.requested:
            if had_failed and not self._batches:
                self._note(now_ns, cause)
            return
        more = units - self.requested
        if more > 0:
            self._prepare(now_ns, more)
        else:
            self._give_up(now_ns, -more)
        self.requested = units
        self._on_requested()
        self._note(now_ns, cause)

    def _prepare(self, now_ns: int, count: int) -> None:
        """A batch of so many, each due at its time."""
        spec = self._spec
        prepare_ns = self._draws.preparation(self._name, self._batch_count)
        self._batch_count += 1
        planned = []
        for k in range(1, count + 1):
            due_ns = now_ns + ready_after_ns(k, prepare_ns, spec.environments, spec.per_ns)
            sandbox_ns, init_ns, max_age_ns = self._drawn()
            planned.append(_Planned(due_ns, now_ns, init_ns, sandbox_ns, max_age_ns, spec.init_limit_ns))
        self._batches.append(_Batch(planned))
        self._create_due(now_ns)

    def _create_due(self, now_ns: int) -> None:
        """Create what is due of all batches, the earlier request first, and come back for what is due next."""
        for batch in self._batches:
            self._create(batch, now_ns)
        due_ns = [batch.to_create[0].created_ns for batch in self._batches if batch.to_create]
        if due_ns:
            self._creations.set(now_ns, min(due_ns), self._creation_rank)

    def _create(self, batch: _Batch, now_ns: int) -> None:
        """Create what is due of a batch, and look for its end once that is certain."""
        waiting = batch.to_create
        while waiting and waiting[0].created_ns <= now_ns:
            one = waiting.popleft()
            one.birth = self._environments.append(
                self._index, one.created_ns, one.phase_ns, one.sandbox_ns, is_provisioned=True
            )
        if batch.over is None:
            self._await_end(batch, now_ns)

    def _await_end(self, batch: _Batch, now_ns: int) -> None:
        """Schedule the end of a batch, once the environment that decides it is created."""
        last = batch.decisive
        if last.birth < 0:
            return
        over = Recurring(self._clock)
        over.callbacks = [lambda event: self._on_over(batch, event)]
        batch.over = over
        self._clock.schedule_in(over, self._init_rank + last.birth, max(last.over_ns - now_ns, 0))

    def _on_over(self, batch: _Batch, event: Recurring) -> None:
        """All environments of a batch are ready; or one of them has failed, and with it all."""
        if event is not batch.over or batch not in self._batches:
            return  # the batch has shrunk since, or is gone
        now_ns = self._clock.now_ns
        self._batches.remove(batch)
        if batch.decisive.fails:
            self.requested -= len(batch.planned)
            self._drop(now_ns, batch, len(batch.planned))
            self._has_failed = True
            self._on_requested()
            self._note(now_ns, CapacityCause.INIT_FAILED)
            return
        for one in sorted(batch.planned, key=lambda one: one.birth):
            self._idle.append(self._environment(one.birth, one.created_ns, one.init_ns, one.max_age_ns))
        self._alive += len(batch.planned)
        # MODEL: what was under preparation when new code came has the new one.
        self._allocate(now_ns, self.allocated + len(batch.planned))
        self._note(now_ns, CapacityCause.ALLOCATED)

    def _give_up(self, now_ns: int, count: int) -> None:
        """Fewer: of what is under preparation the latest first, then of what is ready, idle ones first.

        MODEL: AWS does not say which go, nor what becomes of a request that is under way.
        """
        while count and self._batches:
            batch = self._batches[-1]
            dropped = min(count, len(batch.planned))
            count -= dropped
            self._drop(now_ns, batch, dropped)
            if batch.planned:
                self._await_end(batch, now_ns)
            else:
                self._batches.pop()
        if not count:
            return
        self._allocate(now_ns, self.allocated - count)
        for _ in range(min(self._alive - self.allocated, len(self._idle))):
            self._reaped_ns[self._idle.popleft().birth] = now_ns
            self._alive -= 1

    def _drop(self, now_ns: int, batch: _Batch, count: int) -> None:
        """The last environments of a batch are not wanted any more."""
        for one in batch.shrink(count):
            if one.birth >= 0:
                self._environments.stop_init(one.birth, now_ns)

    def _allocate(self, now_ns: int, units: int) -> None:
        """So many units are ready; their request rate goes with them."""
        limits = self._rate_limits(units)
        if self.allocated:
            self.rate.settle(now_ns)
            self.rate.become(limits)
        else:
            self.rate = Bucket(limits)
            self.rate.last_ns = now_ns
        self.allocated = units
        self.tell_meter(now_ns)

    def counted(self, now_ns: int) -> None:
        """One more is busy, with an invocation that was just admitted."""
        if self.meter is not None:
            self.meter.becomes(now_ns, self.pool.in_flight, self.allocated)
            self.meter.admitted(now_ns)

    def spilled(self, now_ns: int, attempt: int, request: Request, reason: int) -> None:
        """An attempt was accepted on demand, for a ``SpilloverReason``."""
        self._log_spillover(request[0], self._index, attempt, now_ns, reason)
        if self.meter is not None:
            self.meter.admitted(now_ns)

    def give_back(self) -> None:
        """One that was not asked for any more has ended."""
        self._on_requested()

    def tell_meter(self, now_ns: int) -> None:
        """Busy or allocated ones have changed."""
        if self.meter is not None:
            self.meter.becomes(now_ns, self.pool.in_flight, self.allocated)

    def _rate_limits(self, units: int) -> BucketLimits:
        per_unit = self._spec.requests_per_unit
        return UNLIMITED_BUCKET if per_unit is None else per_second_bucket(units * per_unit)

    def _note(self, now_ns: int, cause: int) -> None:
        status = CapacityStatus.READY
        if self._batches:
            status = CapacityStatus.IN_PROGRESS
        elif self._has_failed:
            status = CapacityStatus.FAILED
        self._note_capacity(now_ns, self._index, self.requested, self.allocated, status, cause)

    def _drawn(self) -> tuple[int, int, int]:
        """Sandbox time, init and maximum age of the next environment."""
        block, number = divmod(self._numbered, RARE_BLOCK)
        self._numbered += 1
        return self._draws.provisioned_environment(self._name, block, number)

    def _replacement(self, now_ns: int) -> ProvisionedEnvironment:
        """A fresh environment that was prepared in the background, and is ready now."""
        sandbox_ns, init_ns, max_age_ns = self._drawn()
        phase_ns = min(init_ns, self._spec.init_limit_ns, now_ns)
        sandbox_ns = min(sandbox_ns, now_ns - phase_ns)
        created_ns = now_ns - phase_ns - sandbox_ns
        return self._born(created_ns, phase_ns, sandbox_ns, init_ns, max_age_ns)

    def _born(
        self, created_ns: int, phase_ns: int, sandbox_ns: int, init_ns: int, max_age_ns: int
    ) -> ProvisionedEnvironment:
        birth = self._environments.append(self._index, created_ns, phase_ns, sandbox_ns, is_provisioned=True)
        return self._environment(birth, created_ns, init_ns, max_age_ns)

    def _environment(self, birth: int, created_ns: int, init_ns: int, max_age_ns: int) -> ProvisionedEnvironment:
        environment = ProvisionedEnvironment(
            self._clock,
            self.pool,
            self._end_rank + birth,
            birth,
            created_ns,
            _NEVER_COLD,
            init_ns,
            max_age_ns,
            0,
        )
        environment.needs_init = False  # the limit of on-demand inits does not apply
        environment.generation = self._generation
        return environment
