"""Synchronous callers that do more than wait: they stop waiting after a while, and they try again.

A retry follows a throttle or a client timeout, never a function error: AWS answers that with status 200. An abandoned
invocation goes on and keeps its concurrency.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from lambdasim.engine.ordering import EventKind, priority
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.region import WITHOUT_LIMIT, ClientSpec
from lambdasim.workload.draws import Draws
from lambdasim.workload.workload import Request


class Call(Recurring):
    """One request of a caller who may give up or try again; also the event of its next retry."""

    def __init__(self, clock: Clock, request: Request) -> None:
        super().__init__(clock)
        self.request = request
        self.index = request[0]
        self.attempts = 0  # sent so far
        self.accepted = 0
        self.is_waiting = False  # for the answer to its last attempt

    def answered(self, attempt: int) -> None:
        """An invocation of this request ended; the answer to an attempt that was given up comes too late."""
        if attempt == self.attempts:
            self.is_waiting = False


class Clients:
    """The callers of one traffic source."""

    def __init__(
        self,
        clock: Clock,
        *,
        name: str,
        spec: ClientSpec,
        functions: Sequence[FunctionState],
        function_names: Sequence[str],
        draws: Draws,
        recorder: Recorder,
        on_settled: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._name = name
        self._spec = spec
        self._functions = functions
        self._function_names = function_names
        self._draws = draws
        self._log_throttle = recorder.throttles.append
        self._log_abandonment = recorder.abandonments.append
        self._on_settled = on_settled
        self._has_timeout = spec.timeout_ns < WITHOUT_LIMIT
        self._retries: Callbacks = [self._on_retry]
        # The timeout is the same for every attempt of a source, so deadlines come in the order of sending, and one
        # timer for the earliest is enough.
        self._deadlines: deque[tuple[int, int, Call]] = deque()
        self._timer = Recurring(clock)
        self._timer_due: Callbacks = [self._on_deadline]
        self.pending: set[int] = set()  # requests whose retry is still to come

    def send(self, now_ns: int, request: Request) -> None:
        """A new request: its first attempt."""
        if self._has_timeout:
            self._attempt(now_ns, Call(self._clock, request))
            return
        # A caller who waits for ever needs no state until a refusal.
        reason = self._functions[request[4]].admit(now_ns, 1, request, None)
        if reason != ACCEPTED:
            call = Call(self._clock, request)
            call.attempts = 1
            self._refused(now_ns, call, reason)

    def _attempt(self, now_ns: int, call: Call) -> None:
        call.attempts += 1
        request = call.request
        reason = self._functions[request[4]].admit(now_ns, call.attempts, request, call)
        if reason != ACCEPTED:
            self._refused(now_ns, call, reason)
            return
        call.accepted += 1
        if self._has_timeout:
            call.is_waiting = True
            self._deadlines.append((now_ns + self._spec.timeout_ns, call.attempts, call))
            if len(self._deadlines) == 1:
                self._set_timer(now_ns)

    def _refused(self, now_ns: int, call: Call, reason: int) -> None:
        self._log_throttle(call.index, call.attempts, now_ns, reason)
        self._try_again(now_ns, call)

    def _try_again(self, now_ns: int, call: Call) -> None:
        """Schedule the next attempt, or give up after the last."""
        if call.attempts >= self._spec.max_attempts:
            self._on_settled()
            return
        ordinal = call.request[3]
        delay_ns = self._draws.retry_delay(self._name, call.attempts, ordinal)
        self.pending.add(call.index)
        call.callbacks = self._retries
        self._clock.schedule_in(call, priority(EventKind.RETRY, call.index), delay_ns)

    def _on_retry(self, call: Call) -> None:
        self.pending.discard(call.index)
        if call.accepted:
            call.request = self._redrawn(call)
        self._attempt(self._clock.now_ns, call)

    def _redrawn(self, call: Call) -> Request:
        """The request with the fate and idle timeout of its next accepted invocation; its duration stays."""
        index, arrival_ns, source, ordinal, function, duration_ns, _, _, init_ns = call.request
        name, invocation = self._function_names[function], call.accepted + 1
        fate = self._draws.fate(self._name, name, arrival_ns, invocation, ordinal)
        idle_timeout_ns = self._draws.idle_timeout(self._name, name, invocation, ordinal)
        return index, arrival_ns, source, ordinal, function, duration_ns, fate, idle_timeout_ns, init_ns

    def _set_timer(self, now_ns: int) -> None:
        due_ns, _, call = self._deadlines[0]
        self._timer.callbacks = self._timer_due
        self._clock.schedule_in(self._timer, priority(EventKind.CLIENT_TIMEOUT, call.index), due_ns - now_ns)

    def _on_deadline(self, _: Recurring) -> None:
        now_ns = self._clock.now_ns
        due_ns, attempt, call = self._deadlines.popleft()
        deadlines = self._deadlines
        # Answered or superseded attempts need no timer of their own.
        while deadlines and not (deadlines[0][2].is_waiting and deadlines[0][1] == deadlines[0][2].attempts):
            deadlines.popleft()
        if deadlines:
            self._set_timer(now_ns)
        if call.is_waiting and call.attempts == attempt:
            call.is_waiting = False
            self._log_abandonment(call.index, attempt, due_ns)
            self._try_again(now_ns, call)
