"""Synchronous callers that do more than wait: they stop waiting after a while, and they try again.

A retry follows a throttle or a client timeout. It does not follow a function error, which AWS answers with status 200,
except behind a front end, where that is a 502. An abandoned invocation goes on and keeps its concurrency.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from lambdasim.engine.ordering import EventKind, priority
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.limits import Bucket
from lambdasim.engine.reference.recurring import Callbacks, Clock, Recurring
from lambdasim.engine.reference.sdk_client import PacedCalls, QuotaLeft
from lambdasim.eventlog.log import Result
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.callers import WITHOUT_LIMIT, ClientSpec
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.token_bucket import NO_TOKEN, debt_after_token
from lambdasim.scenario.sdk_retries import Failure
from lambdasim.workload.draws import Draws
from lambdasim.workload.workload import Request

# Plain integers: an enum hashes itself in Python, once for each retry.
_OK = int(Result.OK)
_GATEWAY_REFUSES = int(ThrottleReason.API_GATEWAY_RATE)
_THROTTLED = int(Failure.THROTTLED)
_SERVER_ERROR = int(Failure.SERVER_ERROR)

# Deadlines of answered attempts that are not worth looking for.
_DEADLINES_KEPT = 1_000


class Call(Recurring):
    """One request of a caller who may give up or try again; also the event of its next retry."""

    def __init__(self, clock: Clock, callers: Clients, request: Request, sdk_client: int) -> None:
        super().__init__(clock)
        self._callers = callers
        self.sdk_client = sdk_client  # number of the client object that sends it
        self.request = request
        self.index = request[0]
        self.attempts = 0  # sent so far
        self.accepted = 0
        self.is_waiting = False  # for the answer to its last attempt
        self.paid = 0  # what its last retry took from the quota of its SDK client

    def answered(self, attempt: int, result: int) -> None:
        """An invocation of this request ended; the answer to an attempt that was given up comes too late."""
        if attempt == self.attempts and self.is_waiting:
            self.is_waiting = False
            self._callers.answered(self, result)


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
        api_gateway: Bucket,
        on_settled: Callable[[Call], None],
    ) -> None:
        self._clock = clock
        self._name = name
        self._spec = spec
        self._admit = [function.admit for function in functions]
        self._function_names = function_names
        self._draws = draws
        self._log_throttle = recorder.throttles.add
        self._log_abandonment = recorder.abandonments.append
        self._api_gateway = api_gateway if spec.through_api_gateway else None
        self._on_settled = on_settled
        self._has_timeout = spec.timeout_ns < WITHOUT_LIMIT
        self._max_attempts = spec.max_attempts
        self._throttle, self._timeout = int(spec.throttle), int(spec.timeout)  # each a Failure
        # Of each client object of the SDK, by number.
        self._quota = spec.quota
        self._quotas = [] if spec.quota is None else [QuotaLeft(spec.quota) for _ in range(spec.clients)]
        self._paced = [PacedCalls(clock, self._send_paced) for _ in range(spec.clients if spec.limits_its_rate else 0)]
        self._retries: Callbacks = [self._on_retry]
        # The timeout is the same for every attempt of a source, so deadlines come in the order of sending, and one
        # timer for the earliest is enough.
        self._deadlines: deque[tuple[int, int, Call]] = deque()
        self._timer = Recurring(clock)
        self._timer_due: Callbacks = [self._on_timer]
        self._timer_for: tuple[int, int, Call] | None = None
        self._settled_deadlines = 0  # of attempts that were answered, about
        self.pending: set[int] = set()  # requests whose next attempt is still to come

    def send(self, now_ns: int, request: Request) -> None:
        """A new request: its first attempt."""
        if self._spec.needs_answers:
            self.begin(now_ns, request, request[3])
            return
        # A caller who waits for ever needs no state until a refusal.
        reason = self._offer(now_ns, 1, request, None)
        if reason != ACCEPTED:
            call = self._call(request, request[3])
            call.attempts = 1
            self._refused(now_ns, call, reason)

    def begin(self, now_ns: int, request: Request, turn: int) -> None:
        """A new request whose caller goes by the answer: its first attempt. Client objects take turns."""
        self._attempt(now_ns, self._call(request, turn))

    def _call(self, request: Request, turn: int) -> Call:
        return Call(self._clock, self, request, turn % self._spec.clients)

    def answered(self, call: Call, result: int) -> None:
        """The answer to the last attempt of a call."""
        now_ns = self._clock.now_ns
        if self._has_timeout:
            self._forget_deadline()
        if result != _OK and self._spec.is_error_seen:
            self._failed(now_ns, call, _SERVER_ERROR)
            return
        if self._paced:
            self._paced[call.sdk_client].answered(now_ns, is_throttle=False)
        if self._quota is not None:
            self._quotas[call.sdk_client].succeeded(call.paid)
        self._on_settled(call)

    def _attempt(self, now_ns: int, call: Call) -> None:
        """Send the next attempt, once the rate limiter of its SDK client lets it."""
        if not self._paced:
            self._send(now_ns, call)
        elif not self._paced[call.sdk_client].submit(now_ns, call):
            self.pending.add(call.index)

    def _send_paced(self, now_ns: int, call: Call) -> None:
        self.pending.discard(call.index)
        self._send(now_ns, call)

    def _send(self, now_ns: int, call: Call) -> None:
        call.attempts += 1
        reason = self._offer(now_ns, call.attempts, call.request, call)
        if reason != ACCEPTED:
            self._refused(now_ns, call, reason)
            return
        call.accepted += 1
        call.is_waiting = True
        if self._has_timeout:
            self._deadlines.append((now_ns + self._spec.timeout_ns, call.attempts, call))
            if self._timer_for is None:
                self._set_timer(now_ns)

    def _offer(self, now_ns: int, attempt: int, request: Request, call: Call | None) -> int:
        """Through the gateway, if there is one, to the function: ACCEPTED or the reason of the first refusal."""
        if self._api_gateway is not None and not self._passes(now_ns, self._api_gateway):
            return _GATEWAY_REFUSES
        return self._admit[request[4]](now_ns, attempt, request, call)

    def _passes(self, now_ns: int, gateway: Bucket) -> bool:
        """Whether the gateway has a token, which is taken then."""
        debt = debt_after_token(gateway.debt, now_ns - gateway.last_ns, gateway.limits)
        if debt == NO_TOKEN:
            return False
        gateway.debt, gateway.last_ns = debt, now_ns
        return True

    def _refused(self, now_ns: int, call: Call, reason: int) -> None:
        self._log_throttle(call.index, call.request[4], call.attempts, now_ns, reason)
        # The gateway's own refusal is a 429; that of Lambda looks as the front end makes it look.
        self._failed(now_ns, call, _THROTTLED if reason == _GATEWAY_REFUSES else self._throttle)

    def _failed(self, now_ns: int, call: Call, failure: int) -> None:
        """Schedule the next attempt; or give up, after the last one or where the retry quota is used up."""
        if self._paced:
            self._paced[call.sdk_client].answered(now_ns, is_throttle=failure == _THROTTLED)
        if call.attempts >= self._max_attempts or not (self._quota is None or self._pay(call, failure)):
            self._on_settled(call)
            return
        delay_ns = self._draws.retry_delay(self._name, call.attempts, call.request[3], failure)
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

    def _pay(self, call: Call, failure: int) -> bool:
        """Whether the retry quota of the client object holds the price of a retry, which is taken then."""
        paid = self._quotas[call.sdk_client].pay(failure)
        if paid is None:
            return False
        call.paid = paid
        return True

    def _forget_deadline(self) -> None:
        """One more deadline does not matter; when most do not, they are let go, with the requests that they hold."""
        self._settled_deadlines += 1
        if self._settled_deadlines > _DEADLINES_KEPT and 2 * self._settled_deadlines > len(self._deadlines):
            self._deadlines = deque(filter(_is_awaited, self._deadlines))
            self._settled_deadlines = 0

    def _set_timer(self, now_ns: int) -> None:
        self._timer_for = due_ns, _, call = self._deadlines[0]
        self._timer.callbacks = self._timer_due
        self._clock.schedule_in(self._timer, priority(EventKind.CLIENT_TIMEOUT, call.index), due_ns - now_ns)

    def _on_timer(self, _: Recurring) -> None:
        now_ns, deadlines = self._clock.now_ns, self._deadlines
        is_due = bool(deadlines) and deadlines[0] is self._timer_for
        due = deadlines.popleft() if is_due else None
        # Answered or superseded attempts need no timer of their own.
        while deadlines and not _is_awaited(deadlines[0]):
            deadlines.popleft()
        self._timer_for = None
        if deadlines:
            self._set_timer(now_ns)
        if due is not None and _is_awaited(due):
            due_ns, attempt, call = due
            call.is_waiting = False
            self._log_abandonment(call.index, attempt, due_ns)
            self._failed(now_ns, call, self._timeout)


def _is_awaited(deadline: tuple[int, int, Call]) -> bool:
    """Whether somebody still waits for the attempt that a deadline belongs to."""
    _, attempt, call = deadline
    return call.is_waiting and call.attempts == attempt
