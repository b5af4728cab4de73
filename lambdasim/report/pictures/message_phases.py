"""What each message of a queue, or record of a stream, is at any time: visible, held, being worked on, hidden.

Knows nothing of matplotlib. Neighbours: ``batch_times`` (the same of batches).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.metrics.message_history import deliveries_of
from lambdasim.report.pictures.batch_times import NEVER_NS, BatchTimes

IntArray = npt.NDArray[np.int64]


class Phase(IntEnum):
    """What a message is; in the order in which the phases are stacked, from the bottom."""

    WORKED_ON = 0
    RECEIVED_AGAIN = 1  # it is worked on, and was received again meanwhile
    THROTTLED = 2  # a poller holds it, and tries its batch again and again
    HIDDEN = 3  # its batch failed or was given up, and its visibility timeout is not over
    GATHERED = 4  # a poller holds it until its batch is full, or the batch window over
    VISIBLE = 5
    DELAYED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """One row for each phase of each message. Together they cover its stay, without overlap. Shape (n_phases,)."""

    message: IntArray  # row in ``MessageColumns``
    start_ns: IntArray
    end_ns: IntArray  # NOT_YET where it lasted when the run ended
    kind: IntArray  # ``Phase``

    def span_of(self, kind: Phase) -> tuple[IntArray, IntArray]:
        """Starts and ends of one kind."""
        mine = self.kind == kind
        return self.start_ns[mine], self.end_ns[mine]


def message_phases(
    log: EventLog,
    times: BatchTimes,
    queue: int,
    *,
    visibility_ns: int,
    delay_ns: int = 0,
    only: IntArray | None = None,
) -> Phases:
    """The phases of all messages of one queue or stream, or only of those in these rows."""
    messages = log.messages
    stays = np.flatnonzero(messages.queue == queue) if only is None else only
    until_ns = np.where(messages.settled_ns == NOT_YET, log.end_ns, messages.settled_ns)
    sent_ns, first_ns = messages.sent_ns[stays], messages.first_receive_ns[stays]
    first_ns = np.where(first_ns == NOT_YET, until_ns[stays], first_ns)
    shown_ns = np.minimum(sent_ns + delay_ns, first_ns)
    parts = [(Phase.DELAYED, stays, sent_ns, shown_ns), (Phase.VISIBLE, stays, shown_ns, first_ns)]

    deliveries = deliveries_of(log, queue)
    if only is not None:
        deliveries = deliveries[np.isin(log.deliveries.message[deliveries], only)]
    deliveries = deliveries[np.argsort(log.deliveries.message[deliveries], kind="stable")]
    message, batch = log.deliveries.message[deliveries].astype(np.int64), log.deliveries.batch[deliveries]
    received = log.deliveries.received_ns[deliveries]
    is_followed = np.append(message[1:] == message[:-1], np.zeros(min(1, len(message)), dtype=np.bool_))
    # Each delivery is what counts until the next one of its message.
    until = until_ns[message]
    until[is_followed] = received[np.flatnonzero(is_followed) + 1]
    shown = np.minimum(received + visibility_ns, NEVER_NS)
    tried, accepted, over = times.tried_ns[batch], times.accepted_ns[batch], times.over_ns[batch]
    was_accepted = accepted != NEVER_NS

    # But an invocation of an earlier delivery may still be at work.
    earlier = _latest_before(message, np.where(was_accepted, np.minimum(over, log.end_ns), 0))
    since = np.maximum(received, np.minimum(earlier, until))
    after = np.where(was_accepted, np.maximum(shown, over), NEVER_NS)
    for kind, begin, end in (
        (Phase.GATHERED, received, np.minimum(tried, shown)),
        (Phase.THROTTLED, tried, np.minimum(np.minimum(accepted, over), shown)),
        (Phase.VISIBLE, shown, accepted),
        (Phase.WORKED_ON, accepted, np.where(was_accepted, over, NEVER_NS)),
        (Phase.HIDDEN, over, shown),
        (Phase.VISIBLE, after, until),
    ):
        parts.append((kind, message, np.maximum(begin, since), np.minimum(end, until)))
    parts.append((Phase.RECEIVED_AGAIN, message, received, since))

    lasting = [(kind, rows[end > begin], begin[end > begin], end[end > begin]) for kind, rows, begin, end in parts]
    of = np.concatenate([rows for _, rows, _, _ in lasting])
    ends = np.concatenate([end for _, _, _, end in lasting])
    is_open = (messages.settled_ns[of] == NOT_YET) & (ends == log.end_ns)
    return Phases(
        message=of,
        start_ns=np.concatenate([begin for _, _, begin, _ in lasting]),
        end_ns=np.where(is_open, NOT_YET, ends),
        kind=np.concatenate([np.full(len(rows), kind) for kind, rows, _, _ in lasting]),
    )


def _latest_before(group: IntArray, values: IntArray) -> IntArray:
    """The largest of the values, at least 0, before each row among the rows of its group; groups are in order."""
    if not len(values):
        return values
    levels, rank = np.unique(np.append(0, values), return_inverse=True)
    rank = rank[1:]
    is_first = np.diff(group, prepend=-1) != 0
    # In a running maximum each group must start above all that came before.
    base = np.cumsum(is_first) * len(levels)
    highest = np.maximum.accumulate(base + rank)
    before = np.append(0, highest[:-1]) - base
    before[is_first] = 0
    return np.asarray(levels[before])
