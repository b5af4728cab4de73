"""What to try next where messages were given up unread, or came back while they were still worked on.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html and services-sqs-scaling.html (read
2026): a visibility timeout of six times the function's timeout plus the batch window, a maximum receive count of at
least 5, and a maximum concurrency of at most what the function has reserved.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lambdasim.eventlog.log import MessageOutcome
from lambdasim.metrics.batches import batch_rows
from lambdasim.metrics.message_history import is_back_while_running, is_without_execution
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import most_concurrency
from lambdasim.platform.event_sources import poller_limits
from lambdasim.report.wording import counted, seconds_value, were
from lambdasim.scenario.queues import CONCURRENCY_PER_POLLER, Queue, QueueMapping
from lambdasim.units import NS_PER_S, format_duration

_ADVISED_RECEIVES, _MOST_RECEIVES = 5, 1_000
_ADVISED_TIMEOUTS = 6
_MOST_VISIBILITY_NS = 12 * 3_600 * NS_PER_S
# So many times the least time is worth a word.
_WORTH_A_RAMP = 1.5
_LEAST_CONCURRENCY, _MOST_CONCURRENCY = 2, 1_000  # that AWS takes as maximum_concurrency


def queue_steps(run: Run) -> Iterator[str]:
    """A step for each queue that gave messages up unread, then for each whose messages came back while under way."""
    log = run.log
    if not run.scenario.queues:
        return
    unread = is_without_execution(log) & (log.messages.outcome == MessageOutcome.DEAD_LETTERED)
    twice = is_back_while_running(log, batch_rows(log))
    queues = list(run.scenario.queues.items())
    for number, (name, queue) in enumerate(queues):
        count = int(np.count_nonzero(unread & (log.messages.queue == number)))
        if count and queue.event_source_mapping is not None and not _was_stopped(run, queue.event_source_mapping):
            yield _unread_step(run, name, queue, queue.event_source_mapping, count)
    for number, (name, queue) in enumerate(queues):
        count = int(np.count_nonzero(twice & (log.messages.queue == number)))
        if count and queue.event_source_mapping is not None:
            yield _twice_step(run, name, queue, queue.event_source_mapping, count)
    for name, queue in queues:
        if queue.event_source_mapping is not None and queue.event_source_mapping.provisioned_pollers is None:
            yield from _ramp_steps(run, name, queue.event_source_mapping)


def _was_stopped(run: Run, mapping: QueueMapping) -> bool:
    """Whether the function had a reservation of 0 for a time: no number of batches would have been few enough."""
    return any(state.reserved.get(mapping.function) == 0 for state in run.scenario.limits_in_force())


def _ramp_steps(run: Run, name: str, mapping: QueueMapping) -> Iterator[str]:
    """A step where a backlog took much longer than the function needed, and nothing was refused."""
    block, limit = run.summary["queues"][name], most_concurrency(run.limits, mapping.function, 0)
    drain_s, floor_s = block["drain_s"], block["drain_floor_s"]
    throttles = run.summary["functions"][mapping.function]["attempts"]["throttles"]
    if not drain_s or not floor_s or throttles or drain_s < _WORTH_A_RAMP * floor_s or floor_s < 1:
        return
    pollers = max(2, min(200, -(-limit // CONCURRENCY_PER_POLLER)))
    yield (
        f"{name} was empty {seconds_value(drain_s)} after the last message, where {mapping.function} needed"
        f" {seconds_value(floor_s)}: its mapping adds batches step by step. Pollers that are kept ready start at once:"
        f" --set 'queues.{name}.event_source_mapping.provisioned_pollers={{minimum: {pollers}, maximum: {pollers}}}'."
    )


def _unread_step(run: Run, name: str, queue: Queue, mapping: QueueMapping, count: int) -> str:
    """Fewer batches at once, so that none is received only to be throttled; or more chances for each message."""
    ways = [way for way in (_fewer_batches(run, name, mapping), _more_receives(name, queue)) if way]
    found = (
        f"{were(count, 'message')} dead-lettered by {name} though the code never ran: its mapping receives more than"
        f" {mapping.function} may work on."
    )
    return f"{found} Try to {', or to '.join(ways)}." if ways else found


def _fewer_batches(run: Run, name: str, mapping: QueueMapping) -> str | None:
    limit = most_concurrency(run.limits, mapping.function, 0)
    mappings = [queue.event_source_mapping for queue in run.scenario.queues.values()]
    sharing = sum(other is not None and other.function == mapping.function for other in mappings)
    share = max(_LEAST_CONCURRENCY, min(limit // sharing, _MOST_CONCURRENCY))
    if not limit or poller_limits(mapping).most <= share:
        return None
    keys = f"--set queues.{name}.event_source_mapping.maximum_concurrency={share}"
    if mapping.provisioned_pollers is not None:
        keys = f"--set queues.{name}.event_source_mapping.provisioned_pollers=null {keys}"
    enough = share * sharing
    if limit < enough:
        keys += f" --set functions.{mapping.function}.reserved_concurrency={enough}"
        return (
            f"let it have as many batches at once as the function may run, of which AWS takes no fewer than 2 ({keys})"
        )
    return f"let it have no more batches at once than the function may run ({keys})"


def _more_receives(name: str, queue: Queue) -> str | None:
    receives = queue.max_receive_count or 0
    more = min(max(_ADVISED_RECEIVES, 2 * receives), _MOST_RECEIVES)
    if more <= receives:
        return None
    return f"let them be received more often (--set queues.{name}.max_receive_count={more})"


def _twice_step(run: Run, name: str, queue: Queue, mapping: QueueMapping, count: int) -> str:
    """A longer visibility timeout: it counts from the receive, a batch that is throttled first starts late."""
    advised_ns = _ADVISED_TIMEOUTS * run.scenario.functions[mapping.function].timeout + mapping.batch_window
    longer_ns = min(_MOST_VISIBILITY_NS, max(advised_ns, 2 * queue.visibility_timeout))
    them = "it" if count == 1 else "them"
    found = (
        f"{counted(count, 'message')} of {name} came back while an invocation with {them} still ran, to be received"
        " again (the same message twice at once) or dead-lettered. The visibility timeout counts from the receive, and"
        " a batch that is throttled first starts late"
    )
    return f"{found}: try --set queues.{name}.visibility_timeout={format_duration(longer_ns)}."
