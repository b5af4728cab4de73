"""Queues, streams, destinations and redrives: what is refused, what is warned of, and what follows from what."""

# ruff: noqa: E501 - the tables hold one case a line, however long its messages
# fmt: off

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lambdasim.errors import ScenarioError
from lambdasim.scenario.load import as_written, fingerprint, load
from lambdasim.scenario.schema import Scenario
from tests.scenario.test_load_errors import messages

# Scenarios that are right, but for what stands in place of <>: keys of a queue, of its mapping, its source; likewise of
# a stream. In each, d is a standard queue and f a FIFO queue.
HEAD = "duration: 1m\nfunctions: {api: {duration: 1s, init: 0, timeout: 5s}, bulk: {duration: 1s, init: 0}}\n"
OTHERS = "d: {}, f: {fifo: {message_groups: 9}}"
QUEUE = HEAD + f"queues: {{q: {{event_source_mapping: {{function: api}}, <>}}, {OTHERS}}}\ntraffic: {{web: {{queue: q, invoke: sqs, rate: 1/s}}}}\n"
MAPPING = QUEUE.replace("function: api}, <>", "function: api, <>}")
SENDER = QUEUE.replace(", <>", "").replace("queue: q, invoke: sqs, rate: 1/s", "<>")
STREAM = HEAD + f"queues: {{{OTHERS}}}\nstreams: {{s: {{event_source_mapping: {{function: api}}, <>}}}}\ntraffic: {{web: {{stream: s, invoke: stream, rate: 1/s}}}}\n"
STREAM_MAPPING = STREAM.replace("function: api}, <>", "function: api, <>}")
READER = STREAM.replace(", <>", "").replace("stream: s, invoke: stream, rate: 1/s", "<>")
EVENTS = HEAD.replace("timeout: 5s", "timeout: 5s, async: {<>}") + f"queues: {{{OTHERS}}}\ntraffic: {{web: {{function: api, invoke: async, rate: 1/s}}}}\n"
CHANGE = QUEUE.replace("<>", "max_receive_count: 5, dead_letter: d") + "changes: [{at: 1s, redrive: <>}]\n"

ERRORS: list[tuple[str, str, list[str]]] = [
    # a queue
    (QUEUE, "visibility_timeout: 13h", ["s.yaml:3:73 queues.q.visibility_timeout: must be between 0s and 12h, as AWS demands, got 13h"]),
    (QUEUE, "visibility_timeout: 30", ["s.yaml:3:73 queues.q.visibility_timeout: must be a time with its unit, got 30 (write 30s or 30ms)"]),
    (QUEUE, "delay: 20m", ["s.yaml:3:60 queues.q.delay: must be between 0s and 15m, as AWS demands, got 20m"]),
    (QUEUE, "message_size: 300", ["s.yaml:3:67 queues.q.message_size: must be a size with its unit, got 300 (write 300B or 300KB)"]),
    (QUEUE, "message_size: 2MB", ["s.yaml:3:67 queues.q.message_size: must be between 1B and 1MB, as AWS demands, got 2MB"]),
    (QUEUE, "message_size: 0", ["s.yaml:3:67 queues.q.message_size: must be between 1B and 1MB, as AWS demands, got 0"]),
    (QUEUE, "max_receive_count: 0, dead_letter: d", ["s.yaml:3:72 queues.q.max_receive_count: must be at least 1, got 0"]),
    (QUEUE, "max_receive_count: 1001, dead_letter: d", ["s.yaml:3:72 queues.q.max_receive_count: must be at most 1000, got 1001"]),
    (QUEUE, "dead_letter: d", ["s.yaml:3:13 queues.q: must have max_receive_count beside dead_letter (for example max_receive_count: 5)"]),
    (QUEUE, "max_receive_count: 5", ["s.yaml:3:13 queues.q: must have dead_letter beside max_receive_count (the name of a queue)"]),
    (QUEUE, "max_receive_count: 5, dead_letter: dd", ["s.yaml:3:88 queues.q.dead_letter: must be the name of a queue, got dd (did you mean d?)"]),
    (QUEUE, "max_receive_count: 5, dead_letter: x", ["s.yaml:3:88 queues.q.dead_letter: must be the name of a queue, got x (the queues are q, d, f)"]),
    (QUEUE, "max_receive_count: 5, dead_letter: q", ["s.yaml:3:88 queues.q.dead_letter: must be another queue"]),
    (QUEUE, "max_receive_count: 5, dead_letter: f", ["s.yaml:3:88 queues.q.dead_letter: must be a standard queue as q is, as AWS demands"]),
    (QUEUE, "max_receive_count: 5, dead_letter: d, fifo: {message_groups: 3}", ["s.yaml:3:88 queues.q.dead_letter: must be a FIFO queue as q is, as AWS demands"]),
    (QUEUE, "fifo: true", ["s.yaml:3:59 queues.q.fifo: must be a mapping, got true"]),
    (QUEUE, "fifo: {}", ["s.yaml:3:59 queues.q.fifo.message_groups: is required"]),
    (QUEUE, "fifo: {message_groups: 0}", ["s.yaml:3:76 queues.q.fifo.message_groups: must be at least 1, got 0"]),
    (QUEUE, "visibilitytimeout: 30s", ["s.yaml:3:53 queues.q.visibilitytimeout: is not a known key (did you mean visibility_timeout?)"]),
    (QUEUE.replace("<>", "delay: 0").replace("q: {event", "q q: {event").replace("queue: q", "queue: q q"), "", ["s.yaml:3:10 queues.q q: must have a name of at most 64 letters, digits, dots, hyphens and underscores"]),
    # AWS's own sentences, whole
    (QUEUE, "visibility_timeout: 4s", ["s.yaml:3:73 queues.q.visibility_timeout: must be at least the timeout of api: Queue visibility timeout: 4 seconds is less than Function timeout: 5 seconds (set functions.api.timeout; Lambda's own default is 3s, lambdasim's 15m)"]),
    (MAPPING, "batch_size: 11", ["s.yaml:3:13 queues.q: must have a batch_window of at least 1s: Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10 (for example batch_window: 1s)"]),
    (MAPPING.replace("<>}", "<>}, fifo: {message_groups: 3}"), "batch_window: 1s", ["s.yaml:3:13 queues.q: must have no batch_window: Batching window is not supported for FIFO queues"]),
    # its mapping
    (MAPPING.replace("<>}", "<>}, fifo: {message_groups: 3}"), "batch_size: 11", ["s.yaml:3:13 queues.q: must have a batch_size of at most 10 of a FIFO queue"]),
    (MAPPING, "batch_size: 0", ["s.yaml:3:64 queues.q.event_source_mapping.batch_size: must be at least 1, got 0"]),
    (MAPPING, "batch_size: 10001, batch_window: 1s", ["s.yaml:3:64 queues.q.event_source_mapping.batch_size: must be at most 10000, got 10001"]),
    (MAPPING, "batch_window: 10m", ["s.yaml:3:66 queues.q.event_source_mapping.batch_window: must be between 0s and 5m, as AWS demands, got 10m"]),
    (MAPPING, "batch_window: 30s", ["s.yaml:3:66 queues.q.event_source_mapping.batch_window: must be below the visibility timeout of q, 30s, got 30s: messages would be back in the queue before their batch is sent"]),
    (MAPPING, "scaling: {start: 100001, rate: 1, per: 25h, max: 100001}", ["s.yaml:3:69 queues.q.event_source_mapping.scaling.start: must be at most 100000, got 100001", "s.yaml:3:91 queues.q.event_source_mapping.scaling.per: must be at most 24h, got 25h", "s.yaml:3:101 queues.q.event_source_mapping.scaling.max: must be at most 100000, got 100001"]),
    (MAPPING, "maximum_concurrency: 1", ["s.yaml:3:73 queues.q.event_source_mapping.maximum_concurrency: must be at least 2, got 1"]),
    (MAPPING, "maximum_concurrency: 1001", ["s.yaml:3:73 queues.q.event_source_mapping.maximum_concurrency: must be at most 1000, got 1001"]),
    (MAPPING, "provisioned_pollers: {minimum: 1, maximum: 2001}", ["s.yaml:3:83 queues.q.event_source_mapping.provisioned_pollers.minimum: must be at least 2, got 1", "s.yaml:3:95 queues.q.event_source_mapping.provisioned_pollers.maximum: must be at most 2000, got 2001"]),
    (MAPPING, "provisioned_pollers: {minimum: 20, maximum: 2}", ["s.yaml:3:73 queues.q.event_source_mapping.provisioned_pollers: must have a minimum of at most its maximum, 2, got 20"]),
    (MAPPING, "provisioned_pollers: {}, maximum_concurrency: 20", ["s.yaml:3:36 queues.q.event_source_mapping: must not have both provisioned_pollers and maximum_concurrency, as AWS demands (provisioned_pollers.maximum limits the concurrency, 10 for each poller)"]),
    (MAPPING, "provisioned_pollers: 5", ["s.yaml:3:73 queues.q.event_source_mapping.provisioned_pollers: must be a mapping, got 5"]),
    (MAPPING, "scaling: {start: 10, rate: 1, per: 1m, max: 5}", ["s.yaml:3:61 queues.q.event_source_mapping.scaling: must have a start of at most its max, 5, got 10"]),
    (MAPPING, "scaling: {start: 5}", ["s.yaml:3:61 queues.q.event_source_mapping.scaling.rate: is required", "s.yaml:3:61 queues.q.event_source_mapping.scaling.per: is required", "s.yaml:3:61 queues.q.event_source_mapping.scaling.max: is required"]),
    (MAPPING, "scaling: fast", ["s.yaml:3:61 queues.q.event_source_mapping.scaling: must be unlimited or a mapping, got fast"]),
    (MAPPING, "scale_in: 0.1", ["s.yaml:3:62 queues.q.event_source_mapping.scale_in: must be a percentage with its sign, got 0.1 (write 10% if you mean the ratio 0.1)"]),
    (MAPPING, "back_off: 70%", ["s.yaml:3:62 queues.q.event_source_mapping.back_off: must be none or a mapping, got 70%"]),
    (MAPPING, "back_off: {share: 100%, interval: 0s}", ["s.yaml:3:70 queues.q.event_source_mapping.back_off.share: must be above 0% and below 100%, got 100%", "s.yaml:3:86 queues.q.event_source_mapping.back_off.interval: must be at least 1ns, got 0s"]),
    (MAPPING, "throttle_retry: {base: 1, jitter: half}", ["s.yaml:3:75 queues.q.event_source_mapping.throttle_retry.base: must be a time with its unit, got 1 (write 1s or 1ms)", "s.yaml:3:86 queues.q.event_source_mapping.throttle_retry.jitter: must be full, equal or none, got half"]),
    (MAPPING, "duration_per: record", ["s.yaml:3:66 queues.q.event_source_mapping.duration_per: must be batch or message, got record"]),
    (MAPPING, "BatchSize: 5", ["s.yaml:3:52 queues.q.event_source_mapping.BatchSize: is not a known key (did you mean batch_size?)"]),
    (MAPPING.replace("function: api, ", ""), "batch_size: 5", ["s.yaml:3:36 queues.q.event_source_mapping.function: is required"]),
    # who sends to it
    (SENDER, "queue: x, invoke: sqs, rate: 1/s", ["s.yaml:4:24 traffic.web.queue: must be the name of a queue, got x (the queues are q, d, f)"]),
    (SENDER, "queue: d, invoke: sqs, rate: 1/s", ["s.yaml:4:24 traffic.web.queue: must be a queue that invokes a function; d has no event_source_mapping"]),
    (SENDER, "queue: q, function: bulk, invoke: sqs, rate: 1/s", ["s.yaml:4:37 traffic.web.function: must be api, which q invokes; or leave it out"]),
    (SENDER, "function: api, invoke: sync, queue: q, rate: 1/s", ["s.yaml:4:16 traffic.web: must not have queue beside invoke: sync (write invoke: sqs)"]),
    (SENDER, "queue: q, invoke: sqs, rate: 1/s, via: alb", ["s.yaml:4:16 traffic.web: must not have via beside invoke: sqs (the sender of a message is done once the queue has it; the queue says more)"]),
    (SENDER, "queue: q, invoke: sqs, rate: 1/s, client: {timeout: 1s}", ["s.yaml:4:16 traffic.web: must not have client beside invoke: sqs (the sender of a message is done once the queue has it; the queue says more)"]),
    (SENDER, "queue: q, invoke: sqs, virtual_users: 3, think_time: 1s", ["s.yaml:4:16 traffic.web: must not have virtual_users beside invoke: sqs (the sender of a message is done once the queue has it; the queue says more)"]),
    # a stream
    (STREAM, "kind: kafka", ["s.yaml:4:60 streams.s.kind: must be kinesis or dynamodb, got kafka"]),
    (STREAM, "kind: dynamodb, retention: 48h", ["s.yaml:4:14 streams.s: must have a retention of 24h: DynamoDB Streams keep records for no other time"]),
    (STREAM, "shards: 0, partition_keys: 0", ["s.yaml:4:62 streams.s.shards: must be at least 1, got 0", "s.yaml:4:81 streams.s.partition_keys: must be at least 1, got 0"]),
    (STREAM, "record_size: 20MB", ["s.yaml:4:67 streams.s.record_size: must be between 1B and 10MB, as AWS demands, got 20MB"]),
    (STREAM.replace("event_source_mapping: {function: api}, ", ""), "shards: 2", ["s.yaml:4:14 streams.s.event_source_mapping: is required"]),
    (STREAM.replace("s: {event", "d: {event").replace("stream: s", "stream: d"), "shards: 1", ["s.yaml:4:11 streams.d: must not have the name of a queue"]),
    (STREAM_MAPPING, "parallelization_factor: 11", ["s.yaml:4:77 streams.s.event_source_mapping.parallelization_factor: must be at most 10, got 11"]),
    (STREAM_MAPPING, "maximum_record_age: -1s", ["s.yaml:4:73 streams.s.event_source_mapping.maximum_record_age: must be a time and not negative, got -1s (for example 90s, 250ms or 5m)"]),
    (STREAM_MAPPING, "on_failure: x", ["s.yaml:4:65 streams.s.event_source_mapping.on_failure: must be the name of a queue, got x (the queues are d, f)"]),
    (STREAM_MAPPING, "on_failure: f", ["s.yaml:4:65 streams.s.event_source_mapping.on_failure: must be a standard queue, as AWS demands; f is a FIFO queue"]),
    (STREAM_MAPPING, "poll_interval: 0s", ["s.yaml:4:68 streams.s.event_source_mapping.poll_interval: must be at least 1ns, got 0s"]),
    (STREAM_MAPPING, "retry: {base: 1, cap: 0s}", ["s.yaml:4:67 streams.s.event_source_mapping.retry.base: must be a time with its unit, got 1 (write 1s or 1ms)", "s.yaml:4:75 streams.s.event_source_mapping.retry.cap: must be at least 1ns, got 0s"]),
    (READER, "stream: x, invoke: stream, rate: 1/s", ["s.yaml:5:25 traffic.web.stream: must be the name of a stream, got x (the streams are s)"]),
    (READER, "stream: s, function: bulk, invoke: stream, rate: 1/s", ["s.yaml:5:38 traffic.web.function: must be api, which s invokes; or leave it out"]),
    (READER, "stream: s, invoke: stream, rate: 1/s, via: alb", ["s.yaml:5:16 traffic.web: must not have via beside invoke: stream (the sender of a record is done once the stream has it; the stream says more)"]),
    # destinations
    (EVENTS, "on_success: x", ["s.yaml:2:75 functions.api.async.on_success: must be the name of a queue, got x (the queues are d, f)"]),
    (EVENTS, "dead_letter: f", ["s.yaml:2:76 functions.api.async.dead_letter: must be a standard queue, as AWS demands; f is a FIFO queue"]),
    (EVENTS, "on_failure: d, dead_letter: d", ["s.yaml:2:62 functions.api.async: must not have both on_failure and dead_letter (AWS advises on_failure, which is the newer of the two)"]),
    # redrives
    (CHANGE, "x", ["s.yaml:5:29 changes.0.redrive: must be the name of a queue, got x (the queues are q, d, f)"]),
    (CHANGE, "q", ["s.yaml:5:29 changes.0.redrive: must be the dead_letter of a queue: q is that of none, so its messages came from no queue"]),
    (CHANGE, "{queue: d, rate: 501/s}", ["s.yaml:5:46 changes.0.redrive.rate: must be at most 500/s, as AWS demands, got 501/s"]),
    (CHANGE, "{rate: 5/s}", ["s.yaml:5:29 changes.0.redrive.queue: is required"]),
    (QUEUE, "batch_size: 5", ["s.yaml:3:53 queues.q.batch_size: is not a known key here (it belongs under event_source_mapping)"]),
    (CHANGE, "[d]", ["s.yaml:5:29 changes.0.redrive: must be a mapping, got a list"]),
    (MAPPING.replace("function: api", "function: apo"), "batch_size: 5", ["s.yaml:3:47 queues.q.event_source_mapping.function: must be the name of a function, got apo (did you mean api?)"]),
    (SENDER, "invoke: sqs, rate: 1/s", ["s.yaml:4:16 traffic.web: must have a queue beside invoke: sqs (the name of one under queues)"]),
    (SENDER, "queue: q, rate: 1/s", ["s.yaml:4:16 traffic.web: must not have queue beside invoke: sync (write invoke: sqs)"]),
    (SENDER, "queue: q, invoke: SQS, rate: 1/s", ["s.yaml:4:35 traffic.web.invoke: must be sync, async, sqs or stream, got SQS (did you mean sqs?)"]),
    (SENDER, "queue: q, function: apo, invoke: sqs, rate: 1/s", ["s.yaml:4:37 traffic.web.function: must be the name of a function, got apo (did you mean api?)"]),
    (QUEUE, "retention: 15d", ["s.yaml:3:64 queues.q.retention: must be between 1m and 14d, as AWS demands, got 15d"]),
    (STREAM, "retention: 1h", ["s.yaml:4:65 streams.s.retention: must be between 24h and 365d, as AWS demands, got 1h"]),
    (STREAM_MAPPING, "maximum_record_age: 30s", ["s.yaml:4:73 streams.s.event_source_mapping.maximum_record_age: must be between 1m and 7d, as AWS demands, got 30s"]),
    (STREAM_MAPPING, "maximum_retry_attempts: -2", ["s.yaml:4:77 streams.s.event_source_mapping.maximum_retry_attempts: must be at least 0, got -2"]),
    (STREAM_MAPPING, "maximum_retry_attempts: all", ["s.yaml:4:77 streams.s.event_source_mapping.maximum_retry_attempts: must be unlimited or a whole number, got all"]),
    (MAPPING, "partial_batch_failures: yes", ["s.yaml:3:76 queues.q.event_source_mapping.partial_batch_failures: must be true or false, got yes"]),
    (MAPPING, "back_off: ", ["s.yaml:3:61 queues.q.event_source_mapping.back_off: must be a mapping or none, got nothing"]),
    (CHANGE, "{queue: d, rate: 0}", ["s.yaml:5:46 changes.0.redrive.rate: must be above 0/s, got 0"]),
]

# fmt: on


@pytest.mark.parametrize(("frame", "part", "expected"), ERRORS)
def test_message(frame: str, part: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake gives its lines: FILE:LINE:COLUMN PATH: rule, got value (hint)."""
    assert messages(frame.replace("<>", part), tmp_path, monkeypatch) == expected


def scenario(
    *,
    function: dict[str, Any] | None = None,
    queue: dict[str, Any] | None = None,
    mapping: dict[str, Any] | None = None,
    **top: Any,
) -> dict[str, Any]:
    """Messages to a queue q that invokes f; keys of the function, of the queue and of the mapping."""
    return {
        "duration": "1m",
        "functions": {"f": {"duration": "1s", "init": 0, "timeout": "5s", **(function or {})}},
        "queues": {"q": {"event_source_mapping": {"function": "f", **(mapping or {})}, **(queue or {})}},
        "traffic": {"t": {"invoke": "sqs", "queue": "q", "rate": "1/s"}},
        **top,
    }


def warned(data: Any) -> list[str]:
    """Every warning of a scenario that runs."""
    heard: list[str] = []
    load(data, on_warning=heard.append)
    return heard


def problems(data: Any) -> list[str]:
    """Every problem of a scenario that is wrong."""
    with pytest.raises(ScenarioError) as caught:
        load(data)
    return [str(problem) for problem in caught.value.problems]


class TestVisibilityTimeout:
    """At least the timeout of the function, as AWS demands; six times that and the window, as it advises."""

    @pytest.mark.parametrize(("timeout", "visibility"), [("60s", "60s"), ("1s", "1s"), ("15m", "12h")])
    def test_allowed(self, timeout: str, visibility: str) -> None:
        """Equal is enough."""
        data = scenario(function={"timeout": timeout}, queue={"visibility_timeout": visibility})
        assert load(data, on_warning=lambda _: None).queues["q"].event_source_mapping is not None

    def test_refused(self) -> None:
        """AWS's own sentence, with a timeout of a minute and the default visibility timeout."""
        assert problems(scenario(function={"timeout": "60s"})) == [
            "queues.q.visibility_timeout: must be at least the timeout of f: Queue visibility timeout: 30 seconds is"
            " less than Function timeout: 60 seconds (set functions.f.timeout; Lambda's own default is 3s,"
            " lambdasim's 15m)"
        ]

    def test_the_default_timeout_is_above_the_default_visibility_timeout(self) -> None:
        """So that nobody simulates 15 minutes without knowing it."""
        data = scenario()
        del data["functions"]["f"]["timeout"]
        (problem,) = problems(data)
        assert "30 seconds is less than Function timeout: 900 seconds" in problem

    @pytest.mark.parametrize(
        ("visibility", "window", "said"),
        [
            ("190s", "10s", None),
            ("189s", "10s", "is 189s; AWS advises at least 190s (6 x the timeout of f + 10s)"),
            ("180s", "0s", None),
            ("3m", "1s", "is 3m; AWS advises at least 181s (6 x the timeout of f + 1s)"),
            ("30s", "0s", "is 30s; AWS advises at least 3m (6 x the timeout of f)"),
        ],
    )
    def test_advice(self, visibility: str, window: str, said: str | None) -> None:
        """With a timeout of 30 s and a window of 10 s at least 190 s."""
        data = scenario(
            function={"timeout": "30s"}, queue={"visibility_timeout": visibility}, mapping={"batch_window": window}
        )
        tail = ", or a batch that is throttled for long comes back while it runs"
        assert warned(data) == ([] if said is None else [f"queues.q.visibility_timeout: {said}{tail}"])


class TestWarnings:
    """What AWS allows and advises against, and what nothing comes into."""

    @pytest.mark.parametrize(("count", "warns"), [(4, True), (5, False)])
    def test_receive_count(self, count: int, warns: bool) -> None:
        """At least 5."""
        data = scenario(queue={"max_receive_count": count, "dead_letter": "d"})
        data["queues"]["d"] = {}
        message = (
            f"queues.q.max_receive_count: is {count}; AWS advises at least 5, or throttles alone can send a message to"
            " the dead-letter queue"
        )
        assert warned(data) == ([message] if warns else [])

    @pytest.mark.parametrize("key", ["on_success", "on_failure"])
    def test_a_fifo_queue_as_destination(self, key: str) -> None:
        """AWS takes it, and delivers nothing."""
        data = scenario(function={"async": {key: "o"}})
        data["queues"]["o"] = {"fifo": {"message_groups": 1}}
        message = f"functions.f.async.{key}: is a FIFO queue, o, which Lambda does not deliver to: every record is lost"
        assert warned(data) == [message]
        data["queues"]["o"] = {}
        assert warned(data) == []

    @pytest.mark.parametrize(("reserved", "warns"), [(4, True), (0, True), (5, False), (None, False)])
    def test_reserved_concurrency(self, reserved: int | None, warns: bool) -> None:
        """At least 5 units."""
        message = (
            f"functions.f.reserved_concurrency: is {reserved}; AWS advises at least 5 for a function that a queue"
            " invokes"
        )
        assert warned(scenario(function={"reserved_concurrency": reserved})) == ([message] if warns else [])

    @pytest.mark.parametrize(("most", "warns"), [(11, True), (10, False)])
    def test_maximum_concurrency(self, most: int, warns: bool) -> None:
        """Not above what is reserved."""
        data = scenario(function={"reserved_concurrency": 10}, mapping={"maximum_concurrency": most})
        message = (
            f"queues.q.event_source_mapping.maximum_concurrency: is {most}, more than the 10 units reserved for f; AWS"
            " advises at most these, or messages are received only to be throttled"
        )
        assert warned(data) == ([message] if warns else [])

    def test_what_gets_nothing(self) -> None:
        """A queue or a stream that no source, no queue, no stream and no function names."""
        data = scenario(
            streams={"s": {"event_source_mapping": {"function": "f", "on_failure": "b"}}},
            function={"async": {"on_success": "c", "dead_letter": "e"}},
        )
        data["queues"] |= {name: {} for name in "abce"}
        assert warned(data) == [
            "queues.a: gets nothing: no source and no queue names it",
            "streams.s: gets nothing: no source and no queue names it",
        ]

    def test_a_function_that_only_a_queue_invokes_has_traffic(self) -> None:
        """One that is fed by a dead-letter queue."""
        data = scenario(queue={"max_receive_count": 5, "dead_letter": "d"})
        data["functions"]["g"] = data["functions"]["f"]
        data["queues"]["d"] = {"event_source_mapping": {"function": "g"}}
        assert warned(data) == []


class TestWhatFollows:
    """The function of a source follows from its queue or stream, and the other way round."""

    def test_function_of_a_queue(self) -> None:
        """The source says the queue only."""
        assert load(scenario()).traffic["t"].function == "f"

    def test_queue_of_a_function(self) -> None:
        """The source says the function only, which one queue invokes."""
        data = scenario(traffic={"t": {"invoke": "sqs", "function": "f", "rate": "1/s"}})
        assert load(data).traffic["t"].queue == "q"

    def test_two_queues_of_one_function(self) -> None:
        """Then the source has to say which."""
        data = scenario(traffic={"t": {"invoke": "sqs", "function": "f", "rate": "1/s"}})
        data["queues"]["p"] = data["queues"]["q"]
        assert problems(data)[0].startswith("traffic.t: must have a queue beside invoke: sqs")

    def test_both(self) -> None:
        """They may say the same."""
        data = scenario(traffic={"t": {"invoke": "sqs", "function": "f", "queue": "q", "rate": "1/s"}})
        assert load(data).traffic["t"].target == "q"

    def test_stream(self) -> None:
        """Of a stream as of a queue."""
        data = scenario(
            queues={},
            streams={"s": {"event_source_mapping": {"function": "f"}}},
            traffic={
                "a": {"invoke": "stream", "stream": "s", "rate": "1/s"},
                "b": {"invoke": "stream", "function": "f", "rate": "1/s"},
            },
        )
        loaded = load(data)
        assert [(source.function, source.target) for source in loaded.traffic.values()] == [("f", "s")] * 2

    def test_a_trace_with_functions(self, tmp_path: Path) -> None:
        """Rows must not name functions: the queue says which one it is."""
        (tmp_path / "t.csv").write_text("time_s,function\n0,f\n")
        data = scenario(traffic={"t": {"invoke": "sqs", "queue": "q", "trace": tmp_path / "t.csv"}})
        assert problems(data) == ["traffic.t.trace: must have no column function: q says which function is invoked"]

    def test_no_retries_is_unlimited_as_aws_writes_it(self) -> None:
        """-1 of MaximumRetryAttempts."""
        mapping = {"function": "f", "maximum_retry_attempts": -1}
        data = scenario(
            queues={},
            streams={"s": {"event_source_mapping": mapping}},
            traffic={"t": {"invoke": "stream", "stream": "s", "rate": "1/s"}},
        )
        assert load(data).streams["s"].event_source_mapping.maximum_retry_attempts == "unlimited"

    def test_redrive_by_name(self) -> None:
        """A name alone stands for the queue, at 500 messages a second."""
        data = scenario(
            queue={"max_receive_count": 5, "dead_letter": "d"},
            changes=[{"at": "1s", "redrive": "d"}, {"at": "2s", "redrive": {"queue": "d", "rate": "600/min"}}],
        )
        data["queues"]["d"] = {}
        first, second = (change.redrive for change in load(data).changes)
        assert first is not None
        assert second is not None
        assert (first.queue, first.rate, second.rate) == ("d", 500.0, 10.0)


class TestProfiles:
    """What AWS's pollers did at each date."""

    @pytest.mark.parametrize(("profile", "rate"), [("legacy-2023", 60), ("2024", 300), ("2025-08", 300), ("2026", 300)])
    def test_growth(self, profile: str, rate: int) -> None:
        """60 more a minute until November 2023, then 300."""
        mapping = load(scenario(profile=profile)).queues["q"].event_source_mapping
        assert mapping is not None
        assert mapping.scaling.model_dump()["rate"] == rate  # type: ignore[union-attr]

    @pytest.mark.parametrize("profile", ["legacy-2023", "2024", "2025-08"])
    def test_provisioned_pollers_are_new(self, profile: str) -> None:
        """AWS has them since 2025-11-14."""
        assert load(scenario(mapping={"provisioned_pollers": {}})).profile == "2026"
        assert problems(scenario(mapping={"provisioned_pollers": {}}, profile=profile)) == [
            f"queues.q.event_source_mapping.provisioned_pollers: must not be there in profile {profile}: AWS has"
            " provisioned pollers since 2025-11-14"
        ]


RICH = """
duration: 5m
functions:
  f: {duration: 1s, init: 0, timeout: 5s, async: {on_success: d, on_failure: d}}
queues:
  q:
    delay: 3s
    retention: 14d
    message_size: 2KB
    max_receive_count: 5
    dead_letter: d
    event_source_mapping: {function: f, batch_size: 5, back_off: {share: 50%}, provisioned_pollers: {minimum: 3}}
  p: {event_source_mapping: {function: f, scaling: unlimited, back_off: none, throttle_retry: {jitter: none}}}
  o: {fifo: {message_groups: 7}, event_source_mapping: {function: f, maximum_concurrency: 3, scale_in: 0}}
  d: {}
streams:
  s:
    shards: 3
    partition_keys: 50
    record_size: 1.5KB
    event_source_mapping: {function: f, maximum_retry_attempts: -1, maximum_record_age: 1h, on_failure: d}
  n: {kind: dynamodb, event_source_mapping: {function: f, retry: {base: 2s}, bisect_on_error: true}}
traffic:
  a: {invoke: sqs, queue: q, rate: 1/s}
  b: {invoke: sqs, queue: p, rate: 1/s}
  c: {invoke: stream, stream: s, rate: 1/s}
  e: {invoke: async, function: f, rate: 1/s}
  g: {invoke: sqs, queue: o, rate: 1/s}
  h: {invoke: stream, stream: n, rate: 1/s}
changes:
  - {at: 1m, redrive: d}
  - {at: 2m, redrive: {queue: d, rate: 10/s}}
"""


class TestReload:
    """A scenario with queues and streams is data that load takes again."""

    @pytest.fixture
    def rich(self, tmp_path: Path) -> Scenario:
        """Every kind of queue, stream, destination and redrive."""
        (tmp_path / "rich.yaml").write_text(RICH)
        heard: list[str] = []
        loaded = load(tmp_path / "rich.yaml", on_warning=heard.append)
        assert heard == []
        return loaded

    def test_equal(self, rich: Scenario) -> None:
        """Loaded again, and again from what is written, it is the same, down to its fingerprint."""
        assert load(load(rich)) == rich
        assert load(as_written(rich)) == rich
        assert fingerprint(load(as_written(rich))) == fingerprint(rich)

    def test_written_without_the_profile(self, rich: Scenario) -> None:
        """What only the profile says is left out, so that another profile brings its own."""
        written = as_written(rich)["queues"]
        assert "scaling" not in written["q"]["event_source_mapping"]
        assert written["p"]["event_source_mapping"]["scaling"] == "unlimited"

    def test_replace(self, rich: Scenario) -> None:
        """One value below a mapping; the others stay."""
        changed = rich.replace({"queues.q.event_source_mapping.batch_size": 7, "streams.s.shards": 4})
        before, after = (made.queues["q"].event_source_mapping for made in (rich, changed))
        assert before is not None
        assert after is not None
        assert after == before.model_copy(update={"batch_size": 7})
        assert changed.streams["s"] == rich.streams["s"].model_copy(update={"shards": 4})
        assert fingerprint(changed) != fingerprint(rich)

    def test_profile(self, rich: Scenario) -> None:
        """Another profile brings its scaling, but not over what the scenario says."""
        path = "queues.q.event_source_mapping.provisioned_pollers"
        changed = rich.replace({"profile": "legacy-2023", path: None})
        rates = [
            changed.queues[name].event_source_mapping.model_dump()["scaling"]  # type: ignore[union-attr]
            for name in ("q", "p")
        ]
        assert rates == [{"start": 5, "rate": 60, "per": "1m", "max": 1250}, "unlimited"]

    def test_below_a_default(self, rich: Scenario) -> None:
        """One number of a profile's mapping can be changed alone."""
        mapping = rich.replace({"queues.o.event_source_mapping.scaling.rate": 7}).queues["o"].event_source_mapping
        assert mapping is not None
        assert mapping.scaling.model_dump() == {"start": 5, "rate": 7, "per": "1m", "max": 1250}  # type: ignore[union-attr]

    def test_checked(self, rich: Scenario) -> None:
        """The result is checked as a whole."""
        with pytest.raises(ScenarioError, match="Queue visibility timeout: 30 seconds is less than Function timeout"):
            rich.replace({"functions.f.timeout": "31s"})
