"""An SQS queue: which messages are visible, which are hidden from receivers, and which have been there too long.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/ (visibility timeout, dead-letter
queues, FIFO delivery logic; read 2026).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import takewhile
from typing import Protocol

from lambdasim.engine.ordering import QueuedStep, queued_rank
from lambdasim.engine.reference.message_order import GroupOrder, StandardOrder
from lambdasim.engine.reference.messages import DELETED, IN_FLIGHT, NOWHERE, VISIBLE, Messages
from lambdasim.engine.reference.recurring import Alarm, Clock
from lambdasim.eventlog.log import MessageOutcome
from lambdasim.platform.event_sources import QueueSpec
from lambdasim.platform.polling import MOST_HOPS

_DEAD_LETTERED = int(MessageOutcome.DEAD_LETTERED)
_EXPIRED = int(MessageOutcome.EXPIRED)
_DELAYED = int(MessageOutcome.DELAYED)
_STOPPED = int(MessageOutcome.STOPPED)
_REDRIVEN = int(MessageOutcome.REDRIVEN)


class Receiver(Protocol):
    """Whoever received messages."""

    def receipt_expired(self) -> None:
        """The visibility timeout of some of them is over: they are visible again, unless they were deleted."""


class Receipt:
    """Messages that were received together, until their visibility timeout."""

    __slots__ = ("expires_ns", "numbers", "receiver", "rows")

    def __init__(self, rows: list[int], numbers: list[int], expires_ns: int, receiver: Receiver) -> None:
        self.rows = rows
        self.numbers = numbers  # how often each had been received by then: a later receive makes this one worthless
        self.expires_ns = expires_ns
        self.receiver = receiver


class SqsQueue:
    """One queue. Whoever polls it is told when there may be something to receive."""

    def __init__(
        self,
        clock: Clock,
        *,
        index: int,
        spec: QueueSpec,
        messages: Messages,
        run_end_ns: int,
        on_settled: Callable[[], None],
    ) -> None:
        self.index = index
        self.spec = spec
        self._messages = messages
        self._on_settled = on_settled
        self.on_visible: Callable[[int], None] = _nobody_polls
        self.on_arrival: Callable[[int], None] = _nobody_polls
        self.peers: list[SqsQueue] = []  # all queues, by index; set when they are made
        groups = spec.message_groups
        self._order = StandardOrder(messages) if groups is None else GroupOrder(messages, groups)
        self._delayed: deque[int] = deque()
        # Receipts that still mean something, by expiry, whose order is that of receiving.
        self._receipts: OrderedDict[Receipt, None] = OrderedDict()
        self._kept: list[tuple[int, int, int]] = []  # (end of its retention, rank, message): a heap
        self._can_expire = spec.retention_ns <= run_end_ns
        self._shows_delayed = Alarm(clock, self._show_delayed)
        self._ends_receipt = Alarm(clock, self._end_receipt)
        self._ends_retention = Alarm(clock, self._end_retention)
        self.unsettled = 0

    @property
    def function(self) -> int:
        """The function that is invoked with its messages, or NOWHERE."""
        return NOWHERE if self.spec.mapping is None else self.spec.mapping.function

    def arrive(self, now_ns: int, row: int) -> None:
        """A message arrives from a traffic source."""
        self._put(now_ns, row, self.on_arrival)

    def put(self, now_ns: int, row: int) -> None:
        """A message comes in from another queue, or from Lambda."""
        self._put(now_ns, row, self.on_visible)

    def _put(self, now_ns: int, row: int, on_visible: Callable[[int], None]) -> None:
        self.unsettled += 1
        if self._can_expire:
            ends_ns = self._messages.kept_from_ns(row) + self.spec.retention_ns
            heappush(self._kept, (max(now_ns, ends_ns), self._rank(row, QueuedStep.RETENTION_OVER), row))
            self._watch_retention(now_ns)
        if self.spec.delay_ns:
            self._messages.outcome[row] = _DELAYED
            self._delayed.append(row)
            if len(self._delayed) == 1:
                self._shows_delayed.set(now_ns, now_ns + self.spec.delay_ns, self._rank(row, QueuedStep.DELAY_OVER))
            return
        self._order.show([row])
        on_visible(now_ns)

    def first(self) -> int | None:
        """The message that would be received next."""
        return self._order.first()

    def receive(self, now_ns: int, limit: int, receiver: Receiver) -> Receipt | None:
        """Take up to so many visible messages, which are hidden for the visibility timeout; None where there are none.

        A message that was received too often goes to the dead-letter queue instead.
        """
        messages, most, can_expire = self._messages, self.spec.most_receives, self._can_expire
        outcome, receives = messages.outcome, messages.receives
        pop = self._order.pop
        rows: list[int] = []
        numbers: list[int] = []
        while len(rows) < limit and (row := pop()) is not None:
            count = receives[row]
            if can_expire and self._is_expired(now_ns, row):
                self._settle(row, now_ns, _EXPIRED)
            elif most is not None and count >= most:
                self._dead_letter(now_ns, row)
            else:
                outcome[row] = IN_FLIGHT
                receives[row] = count = count + 1
                if count == 1:
                    messages.first_receive_ns[row] = now_ns
                rows.append(row)
                numbers.append(count)
        self._order.hide(rows)
        if not rows:
            return None
        receipt = Receipt(rows, numbers, now_ns + self.spec.visibility_ns, receiver)
        receipts = self._receipts
        receipts[receipt] = None
        if next(iter(receipts)).expires_ns == receipt.expires_ns:
            self._ends_receipt.set(now_ns, receipt.expires_ns, self._rank(rows[0], QueuedStep.RECEIPT_OVER))
        return receipt

    def delete(self, now_ns: int, receipt: Receipt, failed: frozenset[int]) -> None:
        """The receiver is done with its messages but those that failed, which come back when the receipt expires.

        MODEL: a receipt that is not the latest of a message deletes nothing; for a standard queue AWS says only that
        the message might not be deleted.
        """
        messages = self._messages
        outcome, receives, settled_ns = messages.outcome, messages.receives, messages.settled_ns
        for row, number in zip(receipt.rows, receipt.numbers, strict=True):
            state = outcome[row]
            if row in failed or receives[row] != number or state not in (IN_FLIGHT, VISIBLE):
                continue
            outcome[row] = DELETED
            settled_ns[row] = now_ns
            self.unsettled -= 1
            if state == IN_FLIGHT:
                self._order.settled(row)
        if not failed:
            self._receipts.pop(receipt, None)  # nothing is left for its expiry to do
        if not self.unsettled:
            self._on_settled()

    def redrive(self, now_ns: int, row: int) -> bool:
        """Move a message back to the queue that it came from; False where it is not visible any more."""
        messages = self._messages
        if messages.outcome[row] != VISIBLE:
            return False
        if self._is_expired(now_ns, row):
            self._settle(row, now_ns, _EXPIRED)
            return False
        # Source: the SQS guide on redriving (read 2026): redriven messages are new, with a new time of enqueueing.
        moved = messages.move_back(row, now_ns)
        self.peers[messages.queue[moved]].put(now_ns, moved)
        self._settle(row, now_ns, _REDRIVEN)
        self.on_visible(now_ns)  # there is less to receive
        return True

    def _dead_letter(self, now_ns: int, row: int) -> None:
        number, messages = self.spec.dead_letter, self._messages
        assert number is not None, "a queue with a maximum receive count has a dead-letter queue"
        target = self.peers[number]
        if messages.hops(row) + 1 >= MOST_HOPS:
            self._settle(row, now_ns, _STOPPED)
            return
        # Source: the SQS guide on dead-letter queues (read 2026): retention goes on from the first enqueueing, but in a
        # FIFO queue it starts again.
        kept_from_ns = messages.kept_from_ns(row) if self.spec.message_groups is None else now_ns
        moved = messages.move(row, target.index, now_ns, function=target.function, kept_from_ns=kept_from_ns)
        target.put(now_ns, moved)
        self._settle(row, now_ns, _DEAD_LETTERED)

    def _is_expired(self, now_ns: int, row: int) -> bool:
        """Whether the queue keeps a message no longer."""
        return self._can_expire and now_ns - self._messages.kept_from_ns(row) >= self.spec.retention_ns

    def _settle(self, row: int, now_ns: int, outcome: int) -> None:
        self._messages.settle(row, now_ns, outcome)
        self.unsettled -= 1
        if not self.unsettled:
            self._on_settled()

    def _rank(self, row: int, step: QueuedStep) -> int:
        return queued_rank(self._messages.request[row], step)

    def _show_delayed(self, now_ns: int) -> None:
        row = self._delayed.popleft()
        if self._messages.outcome[row] == _DELAYED:
            self._messages.outcome[row] = VISIBLE
            self._order.show([row])
            self.on_visible(now_ns)
        if self._delayed:
            following = self._delayed[0]
            due_ns = self._messages.sent_ns[following] + self.spec.delay_ns
            self._shows_delayed.set(now_ns, due_ns, self._rank(following, QueuedStep.DELAY_OVER))

    def _end_receipt(self, now_ns: int) -> None:
        """One of the oldest receipts is over, if it still means something; each has its turn by its first message."""
        receipt = self._next_receipt()
        if receipt is None:
            return
        if receipt.expires_ns <= now_ns and self._rank_of(receipt) == self._ends_receipt.rank:
            del self._receipts[receipt]
            self._show_again(now_ns, receipt)
            receipt = self._next_receipt()
        if receipt is not None:
            self._ends_receipt.set(now_ns, receipt.expires_ns, self._rank_of(receipt))

    def _next_receipt(self) -> Receipt | None:
        """Of the receipts that expire first the one whose first message comes first."""
        if not self._receipts:
            return None
        expires_ns = next(iter(self._receipts)).expires_ns
        oldest = takewhile(lambda receipt: receipt.expires_ns == expires_ns, self._receipts)
        return min(oldest, key=self._rank_of)

    def _rank_of(self, receipt: Receipt) -> int:
        return self._rank(receipt.rows[0], QueuedStep.RECEIPT_OVER)

    def _show_again(self, now_ns: int, receipt: Receipt) -> None:
        messages = self._messages
        back = []
        for row, number in zip(receipt.rows, receipt.numbers, strict=True):
            if messages.outcome[row] != IN_FLIGHT or messages.receives[row] != number:
                continue
            if self._is_expired(now_ns, row):
                self._settle(row, now_ns, _EXPIRED)
                self._order.settled(row)
            else:
                messages.outcome[row] = VISIBLE
                back.append(row)
        if back:
            self._order.show(back)
        receipt.receiver.receipt_expired()
        self.on_visible(now_ns)  # also where all have expired: in a FIFO queue their groups are free

    def _watch_retention(self, now_ns: int) -> None:
        if self._kept:
            ends_ns, rank, _ = self._kept[0]
            self._ends_retention.set(now_ns, ends_ns, rank)

    def _end_retention(self, now_ns: int) -> None:
        ends_ns, rank, row = self._kept[0]
        if ends_ns <= now_ns and rank == self._ends_retention.rank:
            heappop(self._kept)
            # MODEL: one that is being worked on stays until it is back, so that it can still be deleted.
            if self._messages.outcome[row] in (VISIBLE, _DELAYED):
                self._settle(row, now_ns, _EXPIRED)
                self.on_visible(now_ns)  # there is less to receive
        self._watch_retention(now_ns)


def _nobody_polls(now_ns: int) -> None:
    """A queue without an event source mapping."""
