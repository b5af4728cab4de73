"""A function with provisioned concurrency while it runs: what it serves on ready units, and what spills over.

The rules are those of ``platform.provisioned``. Units come from ``provisioned_capacity``; on-demand environments are
those of ``function``. A provisioned environment never serves a request that waits for an init.
"""

from __future__ import annotations

from lambdasim.engine.reference.function import ACCEPTED, Answered, FunctionState
from lambdasim.engine.reference.provisioned_capacity import SERVED, ProvisionedCapacity, ProvisionedEnvironment
from lambdasim.engine.reference.recurring import Callbacks
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.token_bucket import NO_TOKEN, debt_after_token
from lambdasim.workload.workload import Request

# Plain integers for the path of every request.
_RESERVED_CONCURRENCY = int(ThrottleReason.RESERVED_CONCURRENCY)
_RESERVED_RATE = int(ThrottleReason.RESERVED_RATE)


class ProvisionedFunction(FunctionState):
    """Admission and environments of a function that has provisioned concurrency, now or later in the run."""

    capacity: ProvisionedCapacity

    def provide(self, capacity: ProvisionedCapacity) -> None:
        """Its provisioned concurrency; before anything else."""
        self.capacity = capacity
        self._provisioned_ended: Callbacks = [self._on_provisioned_end]

    def admit(self, now_ns: int, attempt: int, request: Request, call: Answered | None) -> int:
        """As for any function; a free provisioned environment comes first, within a reservation."""
        reason = self._reservation_refuses(now_ns, is_limited_by_rate=True)
        if reason != ACCEPTED:
            return reason
        spilled = self._serve_provisioned(now_ns, attempt, request, call, is_limited_by_rate=True)
        if spilled == SERVED:
            return ACCEPTED
        return self._spilled(now_ns, attempt, request, spilled, super().admit(now_ns, attempt, request, call))

    def admit_event(self, now_ns: int, attempt: int, request: Request, call: Answered) -> int:
        """As ``admit``, for an event of the asynchronous queue, to which no request-rate limit applies."""
        reason = self._reservation_refuses(now_ns, is_limited_by_rate=False)
        if reason != ACCEPTED:
            return reason
        spilled = self._serve_provisioned(now_ns, attempt, request, call, is_limited_by_rate=False)
        if spilled == SERVED:
            return ACCEPTED
        return self._spilled(now_ns, attempt, request, spilled, super().admit_event(now_ns, attempt, request, call))

    def deploy(self, now_ns: int) -> None:
        """New code, on demand and provisioned."""
        super().deploy(now_ns)
        self.capacity.deploy(now_ns)

    def _reservation_refuses(self, now_ns: int, *, is_limited_by_rate: bool) -> int:
        """The reason of a reservation that is used up, provisioned invocations included; else ACCEPTED."""
        pool = self.pool
        if pool.concurrency_reason != _RESERVED_CONCURRENCY:
            return ACCEPTED
        if pool.in_flight + self.capacity.pool.in_flight >= pool.size:
            return _RESERVED_CONCURRENCY
        if is_limited_by_rate:
            rate = pool.rate
            if debt_after_token(rate.debt, now_ns - rate.last_ns, rate.limits) == NO_TOKEN:
                return _RESERVED_RATE
        return ACCEPTED

    def _serve_provisioned(
        self, now_ns: int, attempt: int, request: Request, call: Answered | None, *, is_limited_by_rate: bool
    ) -> int:
        """Dispatch to a free provisioned environment: SERVED, or why there is none."""
        capacity = self.capacity
        spilled = capacity.spillover(now_ns, is_limited_by_rate=is_limited_by_rate)
        if spilled == SERVED:
            environment = capacity.take()
            capacity.pool.in_flight += 1
            self._dispatch(environment, now_ns, attempt, now_ns, capacity.pool, request, call)
            environment.callbacks = self._provisioned_ended
            capacity.counted(now_ns)
        return spilled

    def _spilled(self, now_ns: int, attempt: int, request: Request, reason: int, admitted: int) -> int:
        """Passes on how the attempt fared on demand; an accepted one has spilled over."""
        if admitted == ACCEPTED and self.capacity.requested:
            self.capacity.spilled(now_ns, attempt, request, reason)
        return admitted

    def _on_provisioned_end(self, environment: ProvisionedEnvironment) -> None:
        now_ns = environment.ends_ns
        capacity = self.capacity
        capacity.pool.in_flight -= 1
        call, attempt, result = environment.call, environment.attempt, environment.result
        capacity.released(environment, now_ns)
        capacity.tell_meter(now_ns)
        if capacity.pool.in_flight >= capacity.requested:
            capacity.give_back()
        if call is not None:
            call.answered(attempt, result)
        if capacity.pool.in_flight == 0:
            self._on_idle_pool()
