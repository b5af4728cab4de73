"""Which visible message of a queue is received next: in a standard queue, and in a FIFO queue with its message groups.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
(read 2026): with several groups SQS returns as many messages of one group as it can, and none of a group of which
messages are in flight.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from lambdasim.engine.reference.messages import VISIBLE, Messages


class StandardOrder:
    """Which visible message is received next: the one that has been visible for longest.

    MODEL: AWS keeps the order of a standard queue as well as it can.
    """

    def __init__(self, messages: Messages) -> None:
        self._outcome = messages.outcome
        self._visible: deque[int] = deque()

    def show(self, rows: list[int]) -> None:
        """These are visible now."""
        self._visible.extend(rows)

    def hide(self, rows: list[int]) -> None:
        """These were received."""

    def settled(self, row: int) -> None:
        """This one will not come back."""

    def first(self) -> int | None:
        """The message that would be received next."""
        visible = self._visible
        while visible:
            row = visible[0]
            if self._outcome[row] == VISIBLE:
                return row
            visible.popleft()  # deleted, or expired, while it was visible
        return None

    def pop(self) -> int | None:
        """Take the first one."""
        visible = self._visible
        while visible:
            row = visible.popleft()
            if self._outcome[row] == VISIBLE:
                return row
        return None


class GroupOrder:
    """The order of a FIFO queue: that of sending within a group, and no message of a group while others are hidden."""

    def __init__(self, messages: Messages, groups: int) -> None:
        self._messages = messages
        self._groups = groups
        self._visible: dict[int, deque[int]] = {}
        self._hidden: dict[int, int] = {}  # messages of a group that were received and are neither settled nor back
        self._ready: list[tuple[int, int]] = []  # (first message, group) of groups without hidden messages; a heap
        self._latest: int | None = None  # the group of which this receive has messages

    def show(self, rows: list[int]) -> None:
        """These are visible now, at the end of their groups, or, if they were received before, back at the front."""
        for row in reversed(rows):
            group = self._group(row)
            waiting = self._visible.setdefault(group, deque())
            if self._messages.receives[row]:
                waiting.appendleft(row)
                self._unhide(group)
            else:
                waiting.append(row)
            self._make_ready(group)

    def hide(self, rows: list[int]) -> None:
        """These were received."""
        for row in rows:
            group = self._group(row)
            self._hidden[group] = self._hidden.get(group, 0) + 1
        self._latest = None

    def settled(self, row: int) -> None:
        """This one will not come back."""
        group = self._group(row)
        self._unhide(group)
        self._make_ready(group)

    def first(self) -> int | None:
        """The message that would be received next: one of the same group as the last of this receive, as AWS does it.

        Else the oldest of the groups without hidden messages.
        """
        if self._latest is not None and (following := self._visible_of(self._latest)) is not None:
            return following
        while self._ready:
            row, group = self._ready[0]
            if not self._hidden.get(group) and self._visible_of(group) == row:
                return row
            heappop(self._ready)
            if not self._hidden.get(group) and self._visible[group] and self._visible[group][0] > row:
                self._make_ready(group)  # its first one was deleted, or has expired
        return None

    def pop(self) -> int | None:
        """Take the first one; the next of its group comes next."""
        row = self.first()
        if row is None:
            return None
        self._latest = group = self._group(row)
        self._visible[group].popleft()
        self._make_ready(group)
        return row

    def _visible_of(self, group: int) -> int | None:
        """The next message of a group, hidden ones or not."""
        waiting = self._visible[group]
        while waiting and self._messages.outcome[waiting[0]] != VISIBLE:
            waiting.popleft()
        return waiting[0] if waiting else None

    def _group(self, row: int) -> int:
        return self._messages.group(row, self._groups)

    def _unhide(self, group: int) -> None:
        self._hidden[group] -= 1

    def _make_ready(self, group: int) -> None:
        waiting = self._visible.get(group)
        if waiting and not self._hidden.get(group):
            heappush(self._ready, (waiting[0], group))
