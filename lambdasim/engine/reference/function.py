"""One function while it runs: admission of attempts, its execution environments, and the requests that wait for one.

The rules are those of ``platform``; ties are settled by ``engine.ordering``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from lambdasim.engine.ordering import EventKind, environment_index, priority
from lambdasim.engine.reference.limits import Bucket, Pool, RequestRateRamp
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.eventlog.log import NOT_YET, Result
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.lifecycle import init_failed, init_phase_ns, is_past_max_age, restore_failed
from lambdasim.platform.region import FunctionSpec
from lambdasim.platform.token_bucket import NO_TOKEN, debt_after_token
from lambdasim.workload.draws import RARE_BLOCK, Draws
from lambdasim.workload.workload import OWN_INIT, Request


class Answered(Protocol):
    """Whoever waits for the end of an invocation: a caller, or a queue."""

    def answered(self, attempt: int, result: int) -> None:
        """The invocation of this attempt ended, with a ``Result``."""


# What ``admit`` returns for an accepted attempt; every refusal is a ThrottleReason, which is 0 or more.
ACCEPTED = -1

# An accepted attempt on its way to a handler: attempt, admitted_ns, the pool that it counts in, the request, who waits
# for it. The pool is the one that admitted it, even if the function has another one by now.
Admitted = tuple[int, int, Pool, Request, "Answered | None"]

# Plain integers for the path of every request: an enum's attribute costs as much as an event.
_TIMEOUT = int(Result.TIMEOUT)
_RESETS_FROM = int(Result.CRASH)  # a crash or a timeout resets the environment
_RUNNING = int(Result.RUNNING)
_RAMP_REFUSES = int(ThrottleReason.SCALING_REQUEST_RATE)
_STOPPED = int(ThrottleReason.RESERVED_CONCURRENCY)
_SCALING_REFUSES = int(ThrottleReason.SCALING_RATE)


class ExecutionEnvironment(Recurring):
    """One execution environment, which is also the event that comes next for it: the end of its init or invocation."""

    def __init__(
        self,
        clock: Clock,
        pool: Pool,
        end_rank: int,
        birth: int,
        created_ns: int,
        ready_ns: int,
        init_ns: int,
        max_age_ns: int,
        unused_idle_timeout_ns: int,
    ) -> None:
        super().__init__(clock)
        self.end_rank = end_rank
        self.birth = birth
        self.created_ns = created_ns
        self.ready_ns = ready_ns
        self.init_ns = init_ns
        self.max_age_ns = max_age_ns
        self.unused_idle_timeout_ns = unused_idle_timeout_ns
        self.needs_init = init_failed(init_ns)  # the next invocation pays for the init
        self.ends_ns = 0  # of its invocation
        self.idle_timeout_ns = 0  # after its invocation
        self.expires_ns = 0  # while idle
        self.pool = pool  # in which its invocation counts
        self.call: Answered | None = None  # whom its invocation answers
        self.attempt = 0
        self.result = 0


class FunctionState:
    """Admission, environments and waiting requests of one function."""

    def __init__(
        self,
        clock: Clock,
        *,
        index: int,
        spec: FunctionSpec,
        pool: Pool,
        scaling: Bucket,
        ramp: RequestRateRamp | None,
        draws: Draws,
        recorder: Recorder,
        on_idle_pool: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._schedule = clock.schedule_in
        self._index = index
        self._name = spec.name
        self._timeout_ns = spec.timeout_ns
        self.pool = pool
        self._obsolete_before_ns = 0  # environments created before the last deployment are retired
        self._scaling = scaling
        self._ramp = ramp
        self._draws = draws
        self._on_idle_pool = on_idle_pool
        self._environments = recorder.environments
        self._pack_invocation, self._write = recorder.invocations.pack, recorder.invocations.write
        self._reaped_ns = recorder.environments.reaped_ns
        # Idle environments in the order in which they fell idle. Some may have expired: nothing reads how many are
        # idle, so an expiry needs no event; it is written down when it is met, or when the run ends.
        self._idle: deque[ExecutionEnvironment] = deque()
        self._take_idle = self._idle.pop if spec.reuses_latest else self._idle.popleft
        self._is_eager = spec.is_eager
        self._waiting: deque[Admitted] = deque()  # eager: for whichever environment is free next
        self._bound: dict[ExecutionEnvironment, Admitted] = {}  # bound: each for its own environment
        self._invocation_ended: Callbacks = [self._on_invocation_end]
        self._init_ended: Callbacks = [self._on_restore_end if spec.restores else self._on_init_end]
        self._first_init_rank = priority(EventKind.INIT_END, environment_index(index, 0))
        self._first_end_rank = priority(EventKind.INVOCATION_END, environment_index(index, 0))
        self._born = 0
        # Of the next environments: init, sandbox, maximum age, idle timeout if nobody uses the init.
        self._drawn = (memoryview(b""),) * 4

    def admit(self, now_ns: int, attempt: int, request: Request, call: Answered | None) -> int:
        """ACCEPTED, or the ThrottleReason of the first limit that refuses. A refused attempt takes no token.

        The order of the limits is part of the model: concurrency, request rate, request-rate ramp, and the scaling
        rate where no idle environment is left.
        """
        pool = self.pool
        if pool.in_flight >= pool.limit:
            return pool.concurrency_reason
        # Both buckets by token_bucket.debt_after_token, in line: every attempt comes through here.
        rate = pool.rate
        limits = rate.limits
        elapsed_ns = now_ns - rate.last_ns
        rate_debt = limits.cost
        if elapsed_ns < limits.fill_ns:
            left = rate.debt - elapsed_ns * limits.speed
            if left > 0:
                rate_debt += left
        if rate_debt > limits.depth:
            return pool.rate_reason
        ramp = self._ramp
        ramp_debt = 0
        if ramp is not None:
            if now_ns >= ramp.second_end_ns:
                ramp.advance(now_ns)
            limits = ramp.limits
            left = ramp.debt - (now_ns - ramp.last_ns) * limits.speed
            ramp_debt = limits.cost + left if left > 0 else limits.cost
            if ramp_debt > limits.depth:
                return _RAMP_REFUSES
        if not self._place(now_ns, attempt, pool, request, call):
            return _SCALING_REFUSES
        pool.in_flight += 1
        rate.debt = rate_debt
        rate.last_ns = now_ns
        if ramp is not None:
            ramp.debt = ramp_debt
            ramp.last_ns = now_ns
            ramp.accepted += 1
        return ACCEPTED

    def admit_event(self, now_ns: int, attempt: int, request: Request, call: Answered) -> int:
        """As ``admit``, for an event of the asynchronous queue, to which no request-rate limit applies."""
        pool = self.pool
        if pool.in_flight >= pool.limit:
            return pool.concurrency_reason
        if not self._place(now_ns, attempt, pool, request, call):
            return _SCALING_REFUSES
        pool.in_flight += 1
        return ACCEPTED

    def _place(self, now_ns: int, attempt: int, pool: Pool, request: Request, call: Answered | None) -> bool:
        """Give the request an idle environment, or start one for it; False where the scaling rate has no token."""
        idle = self._idle
        while idle:
            environment = self._take_idle()
            if environment.expires_ns > now_ns:  # lifecycle.is_expired, in line
                self._dispatch(environment, now_ns, attempt, now_ns, pool, request, call)
                return True
            self._reaped_ns[environment.birth] = environment.expires_ns
        scaling = self._scaling
        scaling_debt = debt_after_token(scaling.debt, now_ns - scaling.last_ns, scaling.limits)
        if scaling_debt == NO_TOKEN:
            return False
        scaling.debt = scaling_debt
        scaling.last_ns = now_ns
        self._start_environment(now_ns, (attempt, now_ns, pool, request, call))
        return True

    @property
    def is_stopped(self) -> bool:
        """Whether a reservation of 0 lets nothing in."""
        return self.pool.size == 0 and self.pool.concurrency_reason == _STOPPED

    def deploy(self, now_ns: int) -> None:
        """New code: idle environments are gone, the others are retired when they fall idle."""
        for environment in self._idle:
            self._reaped_ns[environment.birth] = min(environment.expires_ns, now_ns)
        self._idle.clear()
        self._obsolete_before_ns = now_ns

    def finish(self, end_ns: int) -> None:
        """Write down what the end of the run leaves: expired environments, and accepted requests without a handler."""
        for environment in self._idle:
            if environment.expires_ns <= end_ns:
                self._reaped_ns[environment.birth] = environment.expires_ns
        for attempt, admitted_ns, _, request, _ in self._waiting:
            self._log_unstarted(request[0], attempt, admitted_ns, NOT_YET)
        for environment, (attempt, admitted_ns, _, request, _) in self._bound.items():
            self._log_unstarted(request[0], attempt, admitted_ns, environment.birth)

    def _log_unstarted(self, index: int, attempt: int, admitted_ns: int, birth: int) -> None:
        self._write(
            self._pack_invocation(index, admitted_ns, NOT_YET, NOT_YET, attempt, birth, self._index, _RUNNING, False)
        )

    def _start_environment(self, now_ns: int, admitted: Admitted) -> None:
        """A new environment, and the request that asked for it waits."""
        number = self._born % RARE_BLOCK
        if number == 0:
            name, block, draws = self._name, self._born // RARE_BLOCK, self._draws
            self._drawn = (
                draws.inits(name, block),
                draws.sandboxes(name, block),
                draws.max_ages(name, block),
                draws.unused_idle_timeouts(name, block),
            )
        inits, sandboxes, max_ages, unused_idle_timeouts = self._drawn
        self._born += 1
        init_ns = admitted[3][8]
        if init_ns == OWN_INIT:
            init_ns = inits[number]
        phase_ns = init_phase_ns(init_ns)
        sandbox_ns = sandboxes[number]
        birth = self._environments.append(self._index, now_ns, phase_ns, sandbox_ns)
        wait_ns = sandbox_ns + phase_ns
        environment = ExecutionEnvironment(
            self._clock,
            admitted[2],
            self._first_end_rank + birth,
            birth,
            now_ns,
            now_ns + wait_ns,
            init_ns,
            max_ages[number],
            unused_idle_timeouts[number],
        )
        if self._is_eager:
            self._waiting.append(admitted)
        else:
            self._bound[environment] = admitted
        environment.callbacks = self._init_ended
        self._schedule(environment, self._first_init_rank + birth, wait_ns)

    def _dispatch(
        self,
        environment: ExecutionEnvironment,
        now_ns: int,
        attempt: int,
        admitted_ns: int,
        pool: Pool,
        request: Request,
        call: Answered | None,
    ) -> None:
        """Start the handler. Nothing stops an invocation, so its end and result are known and logged now."""
        # The fate of the code is the result, where no timeout comes first.
        index, _, _, _, _, work_ns, result, environment.idle_timeout_ns, _ = request
        if environment.needs_init:
            work_ns += environment.init_ns
            environment.needs_init = False
        if work_ns > self._timeout_ns:  # lifecycle.is_timeout, in line
            work_ns = self._timeout_ns
            result = _TIMEOUT
        if result >= _RESETS_FROM:
            environment.needs_init = True
        ends_ns = now_ns + work_ns
        # The first invocation, at the very instant at which the init ended, whoever asked for the environment.
        is_cold = now_ns == environment.ready_ns
        self._write(
            self._pack_invocation(
                index, admitted_ns, now_ns, ends_ns, attempt, environment.birth, self._index, result, is_cold
            )
        )
        environment.ends_ns = ends_ns
        environment.pool = pool
        environment.call = call
        environment.attempt = attempt
        environment.result = result
        environment.callbacks = self._invocation_ended
        self._schedule(environment, environment.end_rank, work_ns)

    def _on_invocation_end(self, environment: ExecutionEnvironment) -> None:
        now_ns = environment.ends_ns
        pool = environment.pool
        pool.in_flight -= 1
        call, attempt, result = environment.call, environment.attempt, environment.result
        created_ns = environment.created_ns
        # lifecycle.is_past_max_age, in line; or its code is obsolete
        if now_ns - created_ns > environment.max_age_ns or created_ns < self._obsolete_before_ns:
            self._reaped_ns[environment.birth] = now_ns
        elif self._waiting:
            self._dispatch(environment, now_ns, *self._waiting.popleft())
        else:
            environment.expires_ns = now_ns + environment.idle_timeout_ns
            self._idle.append(environment)
        if call is not None:
            call.answered(attempt, result)
        if pool.in_flight == 0:
            self._on_idle_pool()

    def _on_init_end(self, environment: ExecutionEnvironment) -> None:
        now_ns = self._clock.now_ns
        if not self._is_eager:
            self._dispatch(environment, now_ns, *self._bound.pop(environment))
        elif self._waiting:
            self._dispatch(environment, now_ns, *self._waiting.popleft())
        elif (
            is_past_max_age(environment.created_ns, now_ns, environment.max_age_ns)
            or environment.created_ns < self._obsolete_before_ns
        ):
            self._reaped_ns[environment.birth] = now_ns
        else:
            environment.expires_ns = now_ns + environment.unused_idle_timeout_ns
            self._idle.append(environment)

    def _on_restore_end(self, environment: ExecutionEnvironment) -> None:
        """As ``_on_init_end``, with SnapStart: a restore over the limit ends the environment, and who waits for it."""
        if not restore_failed(environment.init_ns):
            self._on_init_end(environment)
            return
        now_ns = self._clock.now_ns
        self._reaped_ns[environment.birth] = now_ns
        if not self._is_eager:
            attempt, admitted_ns, pool, request, call = self._bound.pop(environment)
        elif self._waiting:
            attempt, admitted_ns, pool, request, call = self._waiting.popleft()
        else:
            return
        # An invocation without a moment of work: nothing of it ran.
        self._write(
            self._pack_invocation(
                request[0], admitted_ns, now_ns, now_ns, attempt, environment.birth, self._index, _TIMEOUT, False
            )
        )
        pool.in_flight -= 1
        if call is not None:
            call.answered(attempt, _TIMEOUT)
        if pool.in_flight == 0:
            self._on_idle_pool()
