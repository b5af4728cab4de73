"""The paragraphs of the summary on work that waits: asynchronous events, messages in queues, records in streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lambdasim.metrics.run import Run
from lambdasim.platform.async_retry import DropReason
from lambdasim.platform.polling import MOST_HOPS
from lambdasim.report.wording import DROP_MEANING, FLOOR_WORTH_A_WORD, count_text, counted, seconds_value, were
from lambdasim.scenario.queues import Queue
from lambdasim.units import format_duration

# Longer lists are in summary.json.
_MOST_SHOWN = 10
Paragraph = tuple[str, list[str]]
Block = dict[str, Any]


def waiting_work(run: Run) -> Iterator[Paragraph]:
    """(heading, lines) of each kind of waiting work that came at all: events, then queues, then streams."""
    events = run.summary.get("async")
    if events and events["received"]:
        yield "Asynchronous events", _event_lines(events)
    shown = [
        (f"Queue {name}", _queue_lines(block, run.scenario.queues[name]))
        for name, block in run.summary.get("queues", {}).items()
        if block["received"]
    ]
    shown += [
        (f"Stream {name}", _stream_lines(block, run.scenario.streams[name].event_source_mapping.on_failure))
        for name, block in run.summary.get("streams", {}).items()
        if block["received"]
    ]
    yield from shown[:_MOST_SHOWN]
    if len(shown) > _MOST_SHOWN:
        yield "More queues and streams", [f"{len(shown) - _MOST_SHOWN} more in summary.json"]


def _event_lines(events: Block) -> list[str]:
    """What was given up and why, how old events got, when the queue was empty."""
    lines = [
        f"{count_text(events['received'])} events received; their callers got 202 at once, whatever came after."
        f" {count_text(events['completed'])} completed, {count_text(events['dropped'])} dropped."
    ]
    lines += [
        f"Dropped: {count_text(count)} {DROP_MEANING[reason]}."
        for reason in DropReason
        if (count := events["dropped_by_reason"][reason.key])
    ]
    if events["delivery_failures"]:
        lines.append(
            f"{were(events['delivery_failures'], 'record')} lost on the way to a destination that is a FIFO queue:"
            " Lambda does not deliver there."
        )
    age = events["age_s"]
    if age["max"] is not None:
        lines.append(
            f"Age when invoked, retries included: {seconds_value(age['p50'])} (median), {seconds_value(age['p99'])}"
            f" (p99), {seconds_value(age['max'])} at most. The oldest event was not settled for"
            f" {seconds_value(events['oldest_age_s'])}."
        )
    if events["in_flight"]:
        lines.append(f"{count_text(events['in_flight'])} were still in the queue or running when the run ended.")
    elif events["drain_s"] is not None:
        floor = events["drain_floor_s"]
        at_least = f"; at full concurrency it could have been {seconds_value(floor)}" if floor else ""
        lines.append(f"The queue was empty {seconds_value(events['drain_s'])} after the last event came{at_least}.")
    return lines


def _queue_lines(block: Block, queue: Queue) -> list[str]:
    """What became of the messages of one queue, most alarming first."""
    ends, unexecuted = block["messages"], block["dead_lettered_without_execution"]
    lines = [f"{counted(block['received'], 'message')} came."]
    if queue.event_source_mapping is not None:
        lines[0] = f"{lines[0][:-1]}; {count_text(block['completed'])} deleted after success."
    if ends["dead_lettered"]:
        assert queue.max_receive_count is not None, "without it nothing is dead-lettered"
        lines[0] += (
            f" {count_text(ends['dead_lettered'])} went to the dead-letter queue {queue.dead_letter}, having been"
            f" received {counted(queue.max_receive_count, 'time')} and not deleted in time."
        )
    if unexecuted:
        lines.append(
            f"{counted(unexecuted, 'message')} reached the dead-letter queue WITHOUT your code ever running: every time"
            " they were received, the batch was throttled until their visibility timeout"
            f" ({format_duration(queue.visibility_timeout)}) was over."
        )
    if ends["expired"]:
        lines.append(
            f"{counted(ends['expired'], 'message')} expired, unread or not: the queue keeps them for"
            f" {format_duration(queue.retention)}."
        )
    if ends["stopped"]:
        lines.append(
            f"{were(ends['stopped'], 'message')} stopped by Lambda, which takes about {MOST_HOPS} rounds through queues"
            " and functions for an endless loop."
        )
    if ends["redriven"]:
        lines.append(f"{were(ends['redriven'], 'message')} moved back to the queue that they came from.")
    if block["in_flight"]:
        states = [
            f"{count_text(ends[key])} {meaning}"
            for key, meaning in (
                ("visible", "waiting to be received"),
                ("in_flight", "received and hidden"),
                ("delayed", "delayed"),
            )
            if ends[key]
        ]
        reader = (
            "" if queue.event_source_mapping is not None else "; it has no event source mapping, so nobody reads it"
        )
        lines.append(f"Still there when the run ended: {', '.join(states)}{reader}.")
    if block["age_s"]["max"] is not None:
        lines.append(f"Age when the function was invoked: {_age_text(block, 'message')}")
    if block["batches"]:
        lines.append(
            f"{counted(block['batches'], 'batch', 'batches')} with {_mean(block['receives'], block['batches'])} on"
            f" average; {_times_received(block)} At most {count_text(block['most_waiting'])} were in the queue at once."
        )
    return lines + _drain_lines(block, "message")


def _times_received(block: Block) -> str:
    each = block["receives"] / block["received"]
    if each == 1:
        return "each message was received once."
    return f"each was received {count_text(each)} times." if each >= 1.01 else "nearly every message was received once."


def _stream_lines(block: Block, on_failure: str | None) -> list[str]:
    """What became of the records of one stream."""
    reasons = block["dropped_by_reason"]
    lines = [f"{counted(block['received'], 'record')} came; {count_text(block['completed'])} processed."]
    if reasons["discarded"]:
        note = "" if on_failure is None else f"; notes on them went to {on_failure}"
        lines.append(
            f"{were(reasons['discarded'], 'record')} discarded by the mapping, too old or out of retries{note}."
        )
    if reasons["expired"]:
        lines.append(f"{counted(reasons['expired'], 'record')} expired: the stream keeps them no longer.")
    if block["in_flight"]:
        lines.append(f"{count_text(block['in_flight'])} still waited or were under way when the run ended.")
    if block["age_s"]["max"] is not None:
        lines.append(f"Iterator age when the function was invoked: {_age_text(block, 'record')}")
    if block["batches"]:
        lines.append(
            f"{counted(block['batches'], 'batch', 'batches')}; at most {count_text(block['most_waiting'])} records"
            " waited or were under way at once."
        )
    return lines + _drain_lines(block, "record")


def _age_text(block: Block, thing: str) -> str:
    age = block["age_s"]
    return (
        f"{seconds_value(age['p50'])} (median), {seconds_value(age['p99'])} (p99), {seconds_value(age['max'])} at"
        f" most. The oldest {thing} was there for {seconds_value(block['oldest_age_s'])}."
    )


def _mean(things: int, groups: int) -> str:
    mean = things / groups
    return "1 message" if mean == 1 else f"{count_text(mean)} messages"


def _drain_lines(block: Block, thing: str) -> list[str]:
    """When it was empty, beside what that takes at least."""
    if block["drain_s"] is None:
        return []
    floor = block["drain_floor_s"] or 0
    is_telling = floor >= FLOOR_WORTH_A_WORD * block["drain_s"] > 0
    at_least = f"; at full concurrency the rest of the work takes {seconds_value(floor)}" if is_telling else ""
    return [f"It was empty {seconds_value(block['drain_s'])} after the last {thing} came{at_least}."]
