"""A stream, and the event source mapping through which Lambda reads it: in order, one batch at a time in each lane.

A lane is a shard, or one of the batches at once that a shard has with a parallelization factor. What fails blocks its
lane until it succeeds, or until it is given up. Sources: the Lambda pages on Kinesis (with-kinesis.html,
services-kinesis-parameters.html, read 2026).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from lambdasim.engine.ordering import QueuedStep, queued_rank
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.messages import IN_FLIGHT, VISIBLE, Messages
from lambdasim.engine.reference.recurring import Alarm, Callbacks, Clock, Recurring
from lambdasim.eventlog.log import MessageOutcome, Result
from lambdasim.eventlog.recorder import Recorder
from lambdasim.platform.async_retry import is_too_old
from lambdasim.platform.event_sources import StreamSpec
from lambdasim.platform.retry import backoff_ns
from lambdasim.platform.sharding import place_of
from lambdasim.workload.draws import Fate

_OK = int(Result.OK)
_FATE_OK, _FATE_ERROR = int(Fate.OK), int(Fate.ERROR)
_PROCESSED = int(MessageOutcome.PROCESSED)
_DISCARDED = int(MessageOutcome.DISCARDED)
_EXPIRED = int(MessageOutcome.EXPIRED)


class RecordBatch(Recurring):
    """Records of one lane with which the function is invoked; also the SimPy event of its next try."""

    def __init__(self, clock: Clock, lane: Lane, rows: list[int], *, failed: int, refused_or_failed: int) -> None:
        super().__init__(clock)
        self.lane = lane
        self.rows = rows
        self.failed = failed  # invocations that failed because of its first record; a split does not count
        self.refused_or_failed = refused_or_failed  # in a row: what the back-off goes by
        self.number = -1  # row in the log, once it is tried
        self.tries = 0
        self.logged = 0  # records under that number
        self.first_failed: int | None = None  # position of the first record that a partial response names

    def answered(self, attempt: int, result: int) -> None:
        """Its invocation ended."""
        self.lane.ended(self, result)


class Lane:
    """The records of one shard, or of some of its partition keys: in order, one batch at a time."""

    def __init__(self, clock: Clock, reader: StreamReader) -> None:
        self._clock = clock
        self._reader = reader
        self._unread: deque[int] = deque()
        self._gathered: list[int] = []  # read, in the batch window
        self._window_ends_ns = 0
        self._split: list[RecordBatch] = []  # later parts of a batch that failed; the next one is the last
        self._current: RecordBatch | None = None
        self._is_behind = False  # the last read left records behind
        self._reads_at_ns = -1
        self._read_due: tuple[int, int] | None = None  # time and rank of the read, or of the end of the window, to come
        self._reads = Alarm(clock, self._on_read)
        self._due: Callbacks = [self._on_due]

    def put(self, now_ns: int, row: int) -> None:
        """A record comes in; a poll at this very instant has been made already."""
        self._unread.append(row)
        if self._current is None:
            self._read_by(now_ns, self._next_poll_ns(now_ns))

    def _next_poll_ns(self, now_ns: int) -> int:
        """The first poll after an instant."""
        poll_ns = self._reader.spec.poll_ns
        return (now_ns // poll_ns + 1) * poll_ns

    def _read_by(self, now_ns: int, due_ns: int) -> None:
        """Read at ``due_ns``; the batch window may close before that."""
        self._reads_at_ns = due_ns
        first = self._gathered[0] if self._gathered else self._unread[0]
        if self._gathered:
            due_ns = min(due_ns, self._window_ends_ns)
        self._read_due = due_ns, self._reader.rank(first, QueuedStep.LOOK)
        self._reads.set(now_ns, *self._read_due)

    def _on_read(self, now_ns: int) -> None:
        if self._read_due is None or self._current is not None:
            return
        if self._read_due != (now_ns, self._reads.rank):  # this call was asked for by a read that has been made
            self._reads.set(now_ns, *self._read_due)
            return
        self._read_due = None
        self._read(now_ns)

    def _read(self, now_ns: int) -> None:
        """Read what fits into a batch, and invoke with it unless it may still wait for more."""
        spec, gathered = self._reader.spec, self._gathered
        if now_ns == self._reads_at_ns:  # else only the window closes
            self._gather(now_ns)
        if not gathered:
            return
        if len(gathered) < spec.batch_size and now_ns < self._window_ends_ns:
            self._read_by(now_ns, self._window_ends_ns if not self._unread else self._next_poll_ns(now_ns))
            return
        self._gathered = []
        self._try(now_ns, RecordBatch(self._clock, self, gathered, failed=0, refused_or_failed=0))

    def _gather(self, now_ns: int) -> None:
        unread, gathered = self._unread, self._gathered
        while unread and len(gathered) < self._reader.spec.batch_size:
            row = unread.popleft()
            if self._reader.is_gone(row, now_ns):
                continue
            if not gathered:
                self._window_ends_ns = now_ns + self._reader.spec.window_ns
            self._reader.was_read(now_ns, row)
            gathered.append(row)
        self._is_behind = bool(unread)

    def _on_due(self, batch: RecordBatch) -> None:
        self._try(self._clock.now_ns, batch)

    def _try(self, now_ns: int, batch: RecordBatch) -> None:
        self._current = batch
        if self._reader.give_up_old(now_ns, batch):
            self._reader.invoke(now_ns, batch)
        else:
            self._go_on(now_ns)

    def try_later(self, batch: RecordBatch) -> None:
        """After an error or a throttle; the lane waits."""
        spec = self._reader.spec
        self._current = batch
        batch.callbacks = self._due
        now_ns = self._clock.now_ns
        due_ns = now_ns + backoff_ns(spec.retry_base_ns, spec.retry_cap_ns, batch.refused_or_failed)
        # A batch that the stream forgets meanwhile holds nothing up any longer.
        due_ns = min(due_ns, max(map(self._reader.gone_ns, batch.rows)))
        self._clock.schedule_in(batch, self._reader.rank(batch.rows[0], QueuedStep.TRY), max(0, due_ns - now_ns))

    def ended(self, batch: RecordBatch, result: int) -> None:
        """The invocation of a batch ended: go on with the next one, or try what failed again."""
        now_ns, spec, reader = self._clock.now_ns, self._reader.spec, self._reader
        done = 0
        if result == _OK:
            done = len(batch.rows) if batch.first_failed is None else batch.first_failed
            reader.settle(now_ns, batch.rows[:done], _PROCESSED)
        rest = [row for row in batch.rows[done:] if not reader.is_gone(row, now_ns)]
        if not rest:
            self._go_on(now_ns)
            return
        # Retries are counted for the first record: the one that holds up the others.
        failed = batch.failed + 1 if done == 0 else 1
        in_a_row = batch.refused_or_failed + 1 if done == 0 else 1
        if result != _OK and spec.bisects and len(rest) > 1:
            half = (len(rest) + 1) // 2
            self._split.append(RecordBatch(self._clock, self, rest[half:], failed=0, refused_or_failed=0))
            first = RecordBatch(self._clock, self, rest[:half], failed=0, refused_or_failed=in_a_row)
            self.try_later(first)
            first.refused_or_failed = 0  # a batch of its own
            return
        if spec.most_retries is not None and failed > spec.most_retries:
            reader.give_up(now_ns, rest)
            self._go_on(now_ns)
            return
        self.try_later(RecordBatch(self._clock, self, rest, failed=failed, refused_or_failed=in_a_row))

    def _go_on(self, now_ns: int) -> None:
        """With the next part of what was split, or with what comes next in the stream."""
        self._current = None
        if self._split:
            batch = self._split.pop()
            self._current = batch
            batch.callbacks = self._due
            self._clock.schedule_in(batch, self._reader.rank(batch.rows[0], QueuedStep.TRY), 0)
        elif self._unread:
            # A poll at this very instant comes after the end of the invocation.
            self._read_by(now_ns, now_ns if self._is_behind else self._next_poll_ns(now_ns - 1))


class StreamReader:
    """One stream: its lanes, and the invocations with their records."""

    def __init__(
        self,
        clock: Clock,
        *,
        index: int,
        spec: StreamSpec,
        function: FunctionState,
        messages: Messages,
        recorder: Recorder,
        may_fail: bool,
        send_on: Callable[[int, int, int], None],
        on_settled: Callable[[], None],
    ) -> None:
        self.index = index
        self.spec = spec
        self._function = function
        self._messages = messages
        self._log_throttle = recorder.throttles.add
        self._batches = recorder.batches
        self._may_fail = may_fail
        self._send_on = send_on
        self._on_settled = on_settled
        self._lanes = [[Lane(clock, self) for _ in range(spec.lanes)] for _ in range(spec.shards)]
        self.unsettled = 0

    def arrive(self, now_ns: int, row: int) -> None:
        """A record arrives from a traffic source."""
        self.unsettled += 1
        spec = self.spec
        shard, lane = place_of(self._messages.partition(row), spec.partition_keys, spec.shards, spec.lanes)
        self._lanes[shard][lane].put(now_ns, row)

    def rank(self, row: int, step: QueuedStep) -> int:
        """When a step of the work on a batch that this record leads comes at one instant."""
        return queued_rank(self._messages.request[row], step)

    def was_read(self, now_ns: int, row: int) -> None:
        """A record goes into a batch."""
        self._messages.outcome[row] = IN_FLIGHT
        self._messages.first_receive_ns[row] = now_ns

    def is_gone(self, row: int, now_ns: int) -> bool:
        """Whether the stream no longer has a record; if so, it is settled as of when that happened."""
        gone_ns = self.gone_ns(row)
        if now_ns < gone_ns:
            return False
        self.settle(gone_ns, [row], _EXPIRED)
        return True

    def gone_ns(self, row: int) -> int:
        """When the stream has a record no longer."""
        return self._messages.kept_from_ns(row) + self.spec.retention_ns

    def give_up_old(self, now_ns: int, batch: RecordBatch) -> bool:
        """Leave out of a batch what is too old by now; whether anything is left."""
        batch.rows = [row for row in batch.rows if not self.is_gone(row, now_ns)]
        most_ns = self.spec.most_age_ns
        if most_ns is not None:
            sent_ns = self._messages.sent_ns
            old = [row for row in batch.rows if is_too_old(sent_ns[row], now_ns, most_ns)]
            if old:
                self.give_up(now_ns, old)
                batch.rows = [row for row in batch.rows if not is_too_old(sent_ns[row], now_ns, most_ns)]
        return bool(batch.rows)

    def give_up(self, now_ns: int, rows: list[int]) -> None:
        """These records are not tried again; a note on them goes to the destination."""
        if self.spec.on_failure is not None:
            self._send_on(self.spec.on_failure, now_ns, rows[0])
        self.settle(now_ns, rows, _DISCARDED)

    def settle(self, now_ns: int, rows: list[int], outcome: int) -> None:
        """Nothing more happens to these records."""
        for row in rows:
            self._messages.settle(row, now_ns, outcome)
        self.unsettled -= len(rows)
        if not self.unsettled:
            self._on_settled()

    def invoke(self, now_ns: int, batch: RecordBatch) -> None:
        """Invoke the function with a batch; after a throttle it is tried again, which is no retry."""
        messages, head = self._messages, batch.rows[0]
        if not batch.tries or self._has_shrunk(batch):
            self._log_batch(now_ns, batch)
        batch.tries += 1
        messages.attempts[head] += 1
        if batch.tries == 1:
            self._batches.first_attempt[batch.number] = messages.attempts[head]
        self._batches.attempts[batch.number] = batch.tries
        duration_ns = sum(map(messages.duration_ns, batch.rows)) if self.spec.adds_up else None
        request = messages.invocation(head, self._fate(now_ns, batch), duration_ns)
        reason = self._function.admit(now_ns, messages.attempts[head], request, batch)
        for row in batch.rows[1:]:
            messages.attempts[row] += 1
        if reason == ACCEPTED:
            self._batches.accepted[batch.number] = 1
            messages.were_accepted(batch.rows)
            return
        self._log_throttle(request[0], request[4], messages.attempts[head], now_ns, reason)
        batch.refused_or_failed += 1
        batch.lane.try_later(batch)

    def _has_shrunk(self, batch: RecordBatch) -> bool:
        """Whether records have become too old since the batch was tried first."""
        return len(batch.rows) != batch.logged

    def _log_batch(self, now_ns: int, batch: RecordBatch) -> None:
        messages = self._messages
        batch.number = self._batches.append(self.index, messages.request[batch.rows[0]])
        batch.tries, batch.logged = 0, len(batch.rows)
        for row in batch.rows:
            messages.receives[row] += 1
            # A record that was read may have waited for others; one that is tried again is read again.
            read_ns = messages.first_receive_ns[row] if messages.receives[row] == 1 else now_ns
            self._batches.deliver([row], batch.number, read_ns)

    def _fate(self, now_ns: int, batch: RecordBatch) -> int:
        """How the code ends: as for the worst of the records; in a partial response the first error is named."""
        batch.first_failed = None
        if not self._may_fail:
            return _FATE_OK
        fates = [self._messages.fate_of_next(row, now_ns) for row in batch.rows]
        worst = max(fates)
        if worst != _FATE_ERROR or not self.spec.are_failures_partial:
            return worst
        batch.first_failed = fates.index(_FATE_ERROR)
        return _FATE_OK

    def finish(self, end_ns: int) -> None:
        """Write down what the end of the run leaves: records that the stream no longer had, and nobody read."""
        if self.spec.retention_ns > end_ns:
            return
        for row in range(len(self._messages.request)):
            if self._messages.queue[row] == self.index and self._messages.outcome[row] == VISIBLE:
                self.is_gone(row, end_ns)
