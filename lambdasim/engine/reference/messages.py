"""Messages and records that wait, as columns: a backlog of a million costs no object for each of them.

A row is one stay of a message in one queue. It knows which request it carries, so that an invocation can be made of it,
however often it was received, and in whichever queue it is.
"""

from __future__ import annotations

import struct
from array import array

from lambdasim.eventlog.log import MessageOutcome
from lambdasim.eventlog.recorder import ROWS_AT_ONCE, Recorder
from lambdasim.workload.draws import Draws
from lambdasim.workload.workload import OWN_INIT, Request

DELETED = int(MessageOutcome.DELETED)
VISIBLE = int(MessageOutcome.VISIBLE)
IN_FLIGHT = int(MessageOutcome.IN_FLIGHT)

# No function: nobody polls the queue.
NOWHERE = -1


# What a message carries, as it is kept: a ``Request``, whose fate and idle timeout are those of its first invocation.
_CARRIED = struct.Struct("<qqhqhqbqq")
_NOUGHTS = array("i", [0]) * ROWS_AT_ONCE


class Messages:
    """All rows of a run, by number. The columns that are logged belong to the recorder."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        draws: Draws,
        source_names: tuple[str, ...],
        function_names: tuple[str, ...],
    ) -> None:
        logged = recorder.messages
        self._append = logged.append
        self.request = logged.request
        self.queue = logged.queue
        self.sent_ns = logged.sent_ns
        self.receives = logged.receives
        self.first_receive_ns = logged.first_receive_ns
        self.outcome = logged.outcome
        self.settled_ns = logged.settled_ns
        self.executed = logged.executed
        self.attempts = array("i")  # of the request so far, in whichever queue
        self._accepted = array("i")  # invocations so far, in whichever queue
        self._carried_bytes = bytearray()
        # Of the few that came from another queue or from Lambda: queues before this one, row in the queue that gave it
        # up, and from when on its retention counts.
        self._hops: dict[int, int] = {}
        self._origin: dict[int, int] = {}
        self._kept_from_ns: dict[int, int] = {}
        self._draws = draws
        self._source_names = source_names
        self._function_names = function_names
        self._errors_change = [draws.errors_change(name) for name in function_names]

    def add(self, queue: int, now_ns: int, request: Request) -> int:
        """A message that a traffic source sends; returns its row."""
        row = self._append(request[0], queue, now_ns)
        if row == len(self.attempts):
            self.attempts.extend(_NOUGHTS)
            self._accepted.extend(_NOUGHTS)
        self._carried_bytes.extend(_CARRIED.pack(*request))
        return row

    def add_event(
        self, queue: int, now_ns: int, request: Request, *, function: int, attempts: int, accepted: int, hops: int
    ) -> int:
        """A record of an asynchronous event that goes to a queue; returns its row."""
        row = self.add(queue, now_ns, self._for_function(request, function, hops))
        self.attempts[row] = attempts
        self._accepted[row] = accepted
        self._hops[row] = hops
        return row

    def move(self, row: int, queue: int, now_ns: int, *, function: int, kept_from_ns: int) -> int:
        """The message of this row goes on in another queue, maybe to another function; returns its row there."""
        # The init that a trace gives is that of an environment for its first queue.
        request, hops = (*self._carried(row)[:8], OWN_INIT), self.hops(row) + 1
        if function != request[4]:
            request = self._for_function(request, function, hops)
        moved = self._continued(row, queue, now_ns, request)
        self._hops[moved] = hops
        self._origin[moved] = row
        self._kept_from_ns[moved] = kept_from_ns
        return moved

    def note(self, row: int, queue: int, now_ns: int, *, function: int) -> int:
        """A note on the record of this row goes to a queue, from which it cannot go back; returns its row there."""
        moved = self.move(row, queue, now_ns, function=function, kept_from_ns=now_ns)
        del self._origin[moved]
        return moved

    def move_back(self, row: int, now_ns: int) -> int:
        """The message of this row goes back to the queue that gave it up, as it was there; returns its new row."""
        origin = self._origin[row]
        return self._continued(row, self.queue[origin], now_ns, self._carried(origin))

    def _continued(self, row: int, queue: int, now_ns: int, request: Request) -> int:
        moved = self.add(queue, now_ns, request)
        self.attempts[moved] = self.attempts[row]
        self._accepted[moved] = self._accepted[row]
        return moved

    def hops(self, row: int) -> int:
        """How many queues, or the queue of events, the message has passed before this one."""
        return self._hops.get(row, 0)

    def has_origin(self, row: int) -> bool:
        """Whether the message came from a queue that gave it up, to which it can go back."""
        return row in self._origin

    def kept_from_ns(self, row: int) -> int:
        """From when on the retention of the message counts."""
        return self._kept_from_ns.get(row, self.sent_ns[row])

    def fate_of_next(self, row: int, now_ns: int) -> int:
        """How the code that is in force now ends for this message, in its next accepted invocation."""
        carried, accepted = self._carried(row), self._accepted[row]
        if accepted == 0 and not self._errors_change[carried[4]]:
            return carried[6]
        names = self._source_names[carried[2]], self._function_names[carried[4]]
        return self._draws.fate_after_waiting(*names, carried[1], now_ns, accepted + 1, carried[3])

    def duration_ns(self, row: int) -> int:
        """How long the function works on this message."""
        return self._carried(row)[5]

    def group(self, row: int, groups: int) -> int:
        """The message group of a message, one of so many."""
        carried = self._carried(row)
        return self._draws.message_group(self._source_names[carried[2]], carried[3], groups)

    def partition(self, row: int) -> float:
        """Where the partition key of a record lies among all of them, in [0, 1)."""
        carried = self._carried(row)
        return self._draws.partition(self._source_names[carried[2]], carried[3])

    def invocation(self, row: int, fate: int, duration_ns: int | None = None) -> Request:
        """What the function is invoked with for a batch that this message leads; its own duration unless stated."""
        carried, accepted = self._carried(row), self._accepted[row]
        if not accepted and duration_ns is None and fate == carried[6]:
            return carried
        index, arrival_ns, source, ordinal, function, own_ns, _, idle_timeout_ns, init_ns = carried
        if accepted:
            names = self._source_names[source], self._function_names[function]
            idle_timeout_ns = self._draws.idle_timeout(*names, accepted + 1, ordinal)
        works_ns = own_ns if duration_ns is None else duration_ns
        return index, arrival_ns, source, ordinal, function, works_ns, fate, idle_timeout_ns, init_ns

    def retry_share(self, row: int) -> float:
        """Share of the longest delay that a batch that this message leads waits after its latest attempt."""
        carried = self._carried(row)
        return self._draws.poller_share(self._source_names[carried[2]], self.queue[row], self.attempts[row], carried[3])

    def were_accepted(self, rows: list[int]) -> None:
        """An invocation with these messages was accepted."""
        for row in rows:
            self._accepted[row] += 1
            self.executed[row] = 1

    def settle(self, row: int, now_ns: int, outcome: int) -> None:
        """Nothing more happens to the message in this queue."""
        self.outcome[row] = outcome
        self.settled_ns[row] = now_ns

    def release(self) -> None:
        """Let go of what only a next invocation would need: the log of a long run is made of the rest."""
        self._carried_bytes = bytearray()
        self.attempts, self._accepted = array("i"), array("i")

    def _carried(self, row: int) -> Request:
        return _CARRIED.unpack_from(self._carried_bytes, row * _CARRIED.size)

    def _for_function(self, request: Request, function: int, hops: int) -> Request:
        """The request as another function meets it: its duration there is another draw."""
        index, arrival_ns, source, ordinal, _, _, fate, idle_timeout_ns, _ = request
        duration_ns = 0
        if function != NOWHERE:
            names = self._source_names[source], self._function_names[function]
            duration_ns = self._draws.duration_after_hops(*names, arrival_ns, hops, ordinal)
            fate = self._draws.fate(*names, arrival_ns, 1, ordinal)
            idle_timeout_ns = self._draws.idle_timeout(*names, 1, ordinal)
        return index, arrival_ns, source, ordinal, function, duration_ns, fate, idle_timeout_ns, OWN_INIT
