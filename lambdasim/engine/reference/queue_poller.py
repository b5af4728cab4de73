"""An event source mapping of a queue: Lambda's pollers, and the batches with which they invoke the function.

The rules are those of ``platform.polling``. A batch holds one of the places that the mapping has at once, from its
first message until its invocation has ended, or until it was given up: also while it is throttled and tried again.
"""

from __future__ import annotations

from lambdasim.engine.ordering import QueuedStep, queued_rank
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.messages import Messages
from lambdasim.engine.reference.recurring import Alarm, Callbacks, Clock, Recurring
from lambdasim.engine.reference.sqs_queue import Receipt, SqsQueue
from lambdasim.eventlog.log import Result
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.event_sources import QueueMappingSpec
from lambdasim.platform.polling import (
    IDLE_AFTER_NS,
    SCALE_IN_INTERVAL_NS,
    PollerLimits,
    backed_off,
    grown,
    ns_until_allowed,
    scaled_in,
)
from lambdasim.platform.retry import backoff_ns
from lambdasim.workload.draws import Fate

_OK = int(Result.OK)
_NOTHING: frozenset[int] = frozenset()
_FATE_OK, _FATE_ERROR = int(Fate.OK), int(Fate.ERROR)


class Places:
    """How many batches a mapping may have at once, as it goes up, down and back."""

    def __init__(self, limits: PollerLimits, back_off: tuple[float, int] | None) -> None:
        self._limits = limits
        self._back_off = back_off
        self._level = limits.start * limits.per_ns
        self._most = limits.most * limits.per_ns
        self._at_ns = 0
        self._minute_end_ns = SCALE_IN_INTERVAL_NS
        self._most_busy = 0  # in the minute that ends at ``_minute_end_ns``
        self._last_busy_ns = 0
        self._cut_ns: int | None = None
        self.allowed = limits.start  # batches that may be under way, as of the last ``settle``
        self.busy = 0
        self.is_short = False  # all are busy, and messages are left

    def settle(self, now_ns: int) -> None:
        """Count what has come and gone until now."""
        if self._minute_end_ns <= now_ns:
            self._close_minutes(now_ns)
        self._grow(now_ns)

    def _close_minutes(self, now_ns: int) -> None:
        limits = self._limits
        while self._minute_end_ns <= now_ns:
            self._grow(self._minute_end_ns)
            if not self.is_short:
                is_idle = not self.busy and self._minute_end_ns - self._last_busy_ns >= IDLE_AFTER_NS
                least = limits.least_when_idle if is_idle else limits.least
                self._set_level(scaled_in(self._level, self._most_busy, least, limits))
            self._most_busy = self.busy
            self._minute_end_ns += SCALE_IN_INTERVAL_NS

    def _grow(self, until_ns: int) -> None:
        if self.is_short and self._level < self._most:
            self._set_level(grown(self._level, until_ns - self._at_ns, self._limits))
        self._at_ns = until_ns
        if self.busy:
            self._last_busy_ns = until_ns

    def _set_level(self, level: int) -> None:
        self._level = level
        self.allowed = level // self._limits.per_ns

    def take(self) -> None:
        """One more batch, just after ``settle``."""
        self.busy += 1
        if self.busy > self._most_busy:
            self._most_busy = self.busy

    def give_back(self) -> None:
        """One batch fewer, just after ``settle``."""
        self.busy -= 1

    def errors_or_throttled(self, now_ns: int) -> None:
        """An invocation failed or was refused, just after ``settle``."""
        if self._back_off is None:
            return
        share, interval_ns = self._back_off
        if self._cut_ns is None or now_ns - self._cut_ns >= interval_ns:
            self._cut_ns = now_ns
            self._set_level(backed_off(self._level, share, self._limits))

    def ns_until_one_more(self) -> int | None:
        """How long until one more batch is allowed, just after ``settle``, if none ends before; None: never."""
        return ns_until_allowed(self._level, self.busy + 1, self._limits)


class Batch:
    """Messages with which the function is invoked."""

    __slots__ = ("_poller", "failed", "is_accepted", "is_over", "number", "receipts", "rows", "tries")

    def __init__(self, poller: QueuePoller) -> None:
        self._poller = poller
        self.number = -1  # row in the log, once it has messages
        self.receipts: list[Receipt] = []
        self.rows: list[int] = []
        self.tries = 0
        self.is_accepted = False
        self.is_over = False
        self.failed = _NOTHING  # rows that a partial response names

    def answered(self, attempt: int, result: int) -> None:
        """Its invocation ended."""
        self._poller.ended(self, result)

    def receipt_expired(self) -> None:
        """Messages of it are visible again."""
        self._poller.expired(self)


class Retry(Recurring):
    """The next try of a throttled batch."""

    def __init__(self, clock: Clock, batch: Batch) -> None:
        super().__init__(clock)
        self.batch = batch


class QueuePoller:
    """The event source mapping between one queue and its function."""

    def __init__(
        self,
        clock: Clock,
        *,
        queue: SqsQueue,
        spec: QueueMappingSpec,
        function: FunctionState,
        messages: Messages,
        recorder: Recorder,
        may_fail: bool,
    ) -> None:
        self._clock = clock
        self._queue = queue
        self._spec = spec
        self._function = function
        self._messages = messages
        self._log_throttle = recorder.throttles.add
        self._batches = recorder.batches
        self._may_fail = may_fail
        self._places = Places(spec.pollers, spec.back_off)
        self._gathering: Batch | None = None  # not full yet, in its batch window
        self._looks = Alarm(clock, self._on_look)
        self._closes_window = Alarm(clock, self._close_window)
        self._window_ends_ns = 0
        self._retry_due: Callbacks = [self._on_retry]
        queue.on_visible = self.wake
        queue.on_arrival = self._arrived

    def wake(self, now_ns: int) -> None:
        """Something changed: look at the queue now, or when one more batch is allowed."""
        if self._has_turn(now_ns):
            self._look_in_turn(now_ns)

    def _arrived(self, now_ns: int) -> None:
        """A message has arrived. While all places are taken it changes nothing."""
        if not self._places.is_short:
            self._look_while_nothing_else_is_due(now_ns)

    def _look_while_nothing_else_is_due(self, now_ns: int) -> None:
        """As ``wake``, without an event where the look would be the next event anyway."""
        while self._has_turn(now_ns):
            if self._clock.peek() <= now_ns:
                self._look_in_turn(now_ns)
                return
            self._look(now_ns)

    def _look_in_turn(self, now_ns: int) -> None:
        row = self._queue.first()
        assert row is not None, "there is something to look at"
        self._looks.set(now_ns, now_ns, self._rank(row, QueuedStep.LOOK))

    def _has_turn(self, now_ns: int) -> bool:
        """Whether a message can be received now; if only a place is missing, look again when one more is allowed."""
        places, row = self._places, self._queue.first()
        places.settle(now_ns)
        if row is None:
            places.is_short = False
            return False
        if places.busy < places.allowed or self._gathering is not None:
            places.is_short = False
            return True
        places.is_short = True
        wait_ns = places.ns_until_one_more()
        if wait_ns is not None:
            self._looks.set(now_ns, now_ns + wait_ns, self._rank(row, QueuedStep.LOOK))
        return False

    def _rank(self, row: int, step: QueuedStep) -> int:
        """When a step of the work on a batch that this message leads comes at one instant."""
        return queued_rank(self._messages.request[row], step)

    def ended(self, batch: Batch, result: int) -> None:
        """The invocation of a batch ended: what succeeded is deleted, the rest comes back when it is visible again."""
        now_ns = self._clock.now_ns
        places = self._places
        places.settle(now_ns)
        places.give_back()
        batch.is_over = True
        if result == _OK:
            for receipt in batch.receipts:
                self._queue.delete(now_ns, receipt, batch.failed)
        elif not self._spec.are_failures_partial:
            places.errors_or_throttled(now_ns)
        batch.receipts = []  # they know their batch: without this both would wait for the garbage collector
        self._look_while_nothing_else_is_due(now_ns)

    def expired(self, batch: Batch) -> None:
        """Messages of a batch are visible again: where it is tried again and again, it is given up."""
        if batch.tries and not batch.is_accepted and not batch.is_over:
            batch.is_over = True
            batch.receipts = []
            places = self._places
            places.settle(self._clock.now_ns)
            places.give_back()
            self._count_attempts(batch)
            self.wake(self._clock.now_ns)

    def _on_look(self, now_ns: int) -> None:
        row = self._queue.first()
        if row is None or self._rank(row, QueuedStep.LOOK) != self._looks.rank:
            self.wake(now_ns)  # another message has come before the one for which this look was due
        elif self._has_turn(now_ns):
            self._look(now_ns)
            self._look_while_nothing_else_is_due(now_ns)

    def _look(self, now_ns: int) -> None:
        """Receive messages for one batch, just after ``_has_turn``; another batch has its own turn."""
        batch = self._gathering
        if batch is None:
            self._start_batch(now_ns)
            return
        self._receive(now_ns, batch)
        if len(batch.rows) == self._spec.batch_size:
            self._invoke_gathered(now_ns)

    def _start_batch(self, now_ns: int) -> None:
        batch = Batch(self)
        if not self._receive(now_ns, batch):
            return
        self._places.take()
        if self._spec.window_ns and len(batch.rows) < self._spec.batch_size:
            self._gathering = batch
            self._window_ends_ns = now_ns + self._spec.window_ns
            self._closes_window.set(now_ns, self._window_ends_ns, self._rank(batch.rows[0], QueuedStep.WINDOW_OVER))
        else:
            self._invoke(now_ns, batch)

    def _receive(self, now_ns: int, batch: Batch) -> bool:
        receipt = self._queue.receive(now_ns, self._spec.batch_size - len(batch.rows), batch)
        if receipt is None:
            return False
        if batch.rows:
            batch.rows = batch.rows + receipt.rows
        else:
            batch.rows = receipt.rows
            batch.number = self._batches.append(self._queue.index, self._messages.request[batch.rows[0]])
        self._batches.deliver(receipt.rows, batch.number, now_ns)
        batch.receipts.append(receipt)
        return True

    def _close_window(self, now_ns: int) -> None:
        if self._gathering is None:
            return
        rank = self._rank(self._gathering.rows[0], QueuedStep.WINDOW_OVER)
        if self._window_ends_ns <= now_ns and rank == self._closes_window.rank:
            self._invoke_gathered(now_ns)
            self.wake(now_ns)
        else:
            self._closes_window.set(now_ns, self._window_ends_ns, rank)

    def _invoke_gathered(self, now_ns: int) -> None:
        batch, self._gathering = self._gathering, None
        assert batch is not None, "there is a batch to invoke with"
        self._invoke(now_ns, batch)

    def _on_retry(self, retry: Retry) -> None:
        if not retry.batch.is_over:
            self._invoke(self._clock.now_ns, retry.batch)

    def _invoke(self, now_ns: int, batch: Batch) -> None:
        messages, spec, head = self._messages, self._spec, batch.rows[0]
        batch.tries += 1
        messages.attempts[head] += 1
        if batch.tries == 1:
            self._batches.first_attempt[batch.number] = messages.attempts[head]
        self._batches.attempts[batch.number] = batch.tries
        fate = self._fate(now_ns, batch)
        duration_ns = sum(map(messages.duration_ns, batch.rows)) if spec.adds_up else None
        request = messages.invocation(head, fate, duration_ns)
        reason = self._function.admit(now_ns, messages.attempts[head], request, batch)
        if reason == ACCEPTED:
            batch.is_accepted = True
            self._batches.accepted[batch.number] = 1
            if len(batch.rows) > 1:
                self._count_attempts(batch)
            messages.were_accepted(batch.rows)
            return
        self._log_throttle(request[0], request[4], messages.attempts[head], now_ns, reason)
        self._places.settle(now_ns)
        self._places.errors_or_throttled(now_ns)
        share = messages.retry_share(head)
        delay_ns = max(1, round(backoff_ns(spec.retry_base_ns, spec.retry_cap_ns, batch.tries) * share))
        if now_ns + delay_ns < batch.receipts[0].expires_ns:  # else it is given up then
            retry = Retry(self._clock, batch)
            retry.callbacks = self._retry_due
            self._clock.schedule_in(retry, self._rank(head, QueuedStep.TRY), delay_ns)

    def _count_attempts(self, batch: Batch) -> None:
        """Every message of a batch takes part in its attempts; those of the first are counted as they are made."""
        for row in batch.rows[1:]:
            self._messages.attempts[row] += batch.tries

    def _fate(self, now_ns: int, batch: Batch) -> int:
        """How the code ends: as for the worst of the messages; in a partial response errors are named, not raised.

        In a FIFO queue the code stops at the first message that fails, so that the order is kept.
        """
        if not self._may_fail:
            return _FATE_OK
        batch.failed = _NOTHING  # an earlier try, which was refused, may have been under other errors
        fates = [self._messages.fate_of_next(row, now_ns) for row in batch.rows]
        worst = max(fates)
        if worst != _FATE_ERROR or not self._spec.are_failures_partial:
            return worst
        if self._queue.spec.message_groups is None:
            failed = [row for row, fate in zip(batch.rows, fates, strict=True) if fate != _FATE_OK]
        else:
            failed = batch.rows[fates.index(_FATE_ERROR) :]
        batch.failed = frozenset(failed)
        return _FATE_OK
