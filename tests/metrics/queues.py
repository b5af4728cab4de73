"""Runs with a queue or a stream that can be followed by hand. Times in seconds."""

from __future__ import annotations

from typing import Any

from lambdasim.metrics.run import Run
from tests.builders import trace
from tests.metrics.runs import run_of

# A throttled batch is tried again after 1, 2, 4 ... s, and nothing else depends on chance or on earlier throttles.
PLAIN_MAPPING = {
    "function": "f",
    "batch_size": 1,
    "throttle_retry": {"base": "1s", "cap": "20s", "jitter": "none"},
    "back_off": "none",
}


def queue_run(
    rows: list[Any],
    *,
    queue: dict[str, Any] | None = None,
    mapping: dict[str, Any] | None = None,
    function: dict[str, Any] | None = None,
    others: dict[str, Any] | None = None,
    **parts: Any,
) -> Run:
    """Messages into a queue ``o`` that invokes ``f``, by their times; ``others`` are more queues."""
    own = {"visibility_timeout": "5s", "event_source_mapping": {**PLAIN_MAPPING, **(mapping or {})}, **(queue or {})}
    return run_of(
        functions={"f": {"timeout": "5s", **(function or {})}},
        queues={"o": own, **(others or {})},
        traffic={"t": {"invoke": "sqs", "queue": "o", "trace": trace(rows)}},
        **parts,
    )


def three_messages() -> Run:
    """One unit of concurrency, 4 s of work, one receive for each message, 5 s of visibility; 10 s in all.

    Message 0 comes at 0 and runs from 0 to 4. Message 1 comes at 1.5, is throttled then and at 2.5, is accepted at 4.5
    and runs to 8.5; but at 6.5 it is visible again, and as one receive is all it has, goes to ``x``. Message 2 comes at
    2, is throttled then, at 3 and at 5, and at 7 goes to ``x`` without ever having run. Nobody reads ``x``.
    """
    return queue_run(
        [0, 1.5, 2],
        queue={"max_receive_count": 1, "dead_letter": "x"},
        function={"duration": "4s", "reserved_concurrency": 1},
        others={"x": {}},
        duration="10s",
        drain="0s",
    )


def stream_run(
    rows: list[Any],
    *,
    mapping: dict[str, Any] | None = None,
    function: dict[str, Any] | None = None,
    **parts: Any,
) -> Run:
    """Records into a stream ``k`` of one shard that invokes ``f`` with up to two of them, by their times."""
    own = {"function": "f", "batch_size": 2, "retry": {"base": "1s", "cap": "1s"}, **(mapping or {})}
    return run_of(
        functions={"f": {"timeout": "5s", **(function or {})}},
        streams={"k": {"event_source_mapping": own}},
        traffic={"t": {"invoke": "stream", "stream": "k", "trace": trace(rows)}},
        **parts,
    )
