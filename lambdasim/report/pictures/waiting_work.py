"""What the pictures of queues and streams share: which of them are shown, and when they were drained.

Knows nothing of matplotlib.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.report.pictures.style import counted, time_text
from lambdasim.report.wording import FLOOR_WORTH_A_WORD

# Two marks closer than this share of the run have one label.
_CLOSE = 0.02


def busiest(log: EventLog, candidates: range, most: int) -> list[int]:
    """Those of the queues to which the most messages came, at most so many, in file order; none without messages."""
    came = np.bincount(log.messages.queue, minlength=len(log.queue_names))[candidates.start : candidates.stop]
    order = np.argsort(-came, kind="stable")[:most]
    return sorted(candidates.start + int(number) for number in order if came[number])


def outcome_text(log: EventLog, stays: npt.NDArray[np.bool_], noun: str) -> str:
    """What became of messages in a few words: ``6,000 messages: 5,400 deleted, 600 dead-lettered``."""
    counts = np.bincount(log.messages.outcome[stays], minlength=len(MessageOutcome))
    parts = [f"{int(counts[one]):,} {_WORDS[one]}" for one in _WORDS if counts[one]]
    still = int((log.messages.settled_ns[stays] == NOT_YET).sum())
    if still:
        parts.append(f"{still:,} left at the end")
    return f"{counted(int(counts.sum()), noun)}: {', '.join(parts)}"


_WORDS = {
    MessageOutcome.DELETED: "done",
    MessageOutcome.PROCESSED: "done",
    MessageOutcome.DEAD_LETTERED: "dead-lettered",
    MessageOutcome.DISCARDED: "discarded",
    MessageOutcome.EXPIRED: "expired",
    MessageOutcome.STOPPED: "stopped in a loop",
    MessageOutcome.REDRIVEN: "redriven",
}


def drain_marks(
    log: EventLog, stays: npt.NDArray[np.bool_], block: Mapping[str, Any], noun: str
) -> list[tuple[int, str]]:
    """(time, words) of the last message and of the drained queue; ``block`` is its part of the summary."""
    last_ns = int(log.messages.sent_ns[stays].max())
    settled = log.messages.settled_ns[stays]
    still = int((settled == NOT_YET).sum())
    if still:
        return [(last_ns, f"last {noun}"), (log.end_ns, f"{counted(still, noun)} left at the end")]
    drained_ns = int(settled.max())
    took_ns = max(drained_ns - last_ns, 0)
    floor = block["drain_floor_s"]
    least = ""
    if floor is not None and took_ns > _CLOSE * log.end_ns and floor * 1e9 > FLOOR_WORTH_A_WORD * took_ns:
        least = f"; at full concurrency {time_text(round(floor * 1e9))}"
    if took_ns < _CLOSE * log.end_ns:
        return [(drained_ns, f"last {noun}; drained {time_text(took_ns)} later")]
    return [(last_ns, f"last {noun}"), (drained_ns, f"drained {time_text(took_ns)} after the last {noun}{least}")]
