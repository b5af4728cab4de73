"""Requests of SQS and of API Gateway, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.cost.request_counts import SqsRequests, api_gateway_requests, sqs_requests
from lambdasim.metrics.run import Run
from tests.metrics.queues import queue_run, three_messages
from tests.metrics.runs import run_of

S = 10**9


def of_queue(run: Run, name: str = "o", until_s: float = 0) -> SqsRequests:
    """The requests of one queue."""
    number = list(run.scenario.queues).index(name)
    return sqs_requests(run.log, number, run.scenario.queues[name].message_size, round(until_s * S))


def test_a_message_that_fails_and_two_that_do_not_run() -> None:
    """Three are sent and received one by one, one is deleted; SQS itself moves the others to ``x``, which is free."""
    run = three_messages()
    assert of_queue(run) == SqsRequests(sends=3, receives=3, deletes=1, empty_receives=0)
    assert of_queue(run, "x") == SqsRequests(sends=0, receives=0, deletes=0, empty_receives=0)


@pytest.mark.parametrize(("until_s", "empty"), [(7, 0), (10, 0), (11, 1), (27, 5), (1, 0)])
def test_an_empty_queue_is_asked_in_vain(until_s: float, empty: int) -> None:
    """There are messages from 0 to 7; from then on 5 requests come in 20 s."""
    assert of_queue(three_messages(), until_s=until_s).empty_receives == empty


def test_gaps_between_messages_count() -> None:
    """Work from 0 to 2 and from 10 to 12, in 20 s: idle for 16 s, in which 4 receives find nothing."""
    run = queue_run([0, 10], function={"duration": "2s"}, duration="20s", drain="0s")
    assert of_queue(run, until_s=20) == SqsRequests(sends=2, receives=2, deletes=2, empty_receives=4)


def test_overlapping_messages_are_no_gap() -> None:
    """One message from 0 to 10, another from 1 to 2: the queue is empty from 10 to 20 only, 2 receives."""
    run = queue_run([(0, 10), (1, 1)], function={"timeout": "20s"}, queue={"visibility_timeout": "60s"}, duration="20s")
    assert of_queue(run, until_s=20).empty_receives == 2


def batch_run(count: int, batch_size: int, size: str = "1KB", **more: Any) -> Run:
    """Messages that come at one instant and are received together after a window of a second."""
    return queue_run(
        [0] * count,
        queue={"message_size": size},
        mapping={"batch_size": batch_size, "batch_window": "1s"},
        function={"duration": "1s"},
        duration="20s",
        **more,
    )


@pytest.mark.parametrize(
    ("count", "batch_size", "receives", "deletes"),
    # 10 messages fit into one request; 25 in one batch take 3 receives and 3 deletes, in three batches as many
    [(10, 10, 1, 1), (25, 100, 3, 3), (25, 10, 3, 3), (4, 2, 2, 2)],
)
def test_requests_of_batches(count: int, batch_size: int, receives: int, deletes: int) -> None:
    """Each message is sent by itself."""
    run = batch_run(count, batch_size)
    assert of_queue(run) == SqsRequests(sends=count, receives=receives, deletes=deletes, empty_receives=0)


def test_large_messages_are_several_requests() -> None:
    """100 KB are 2 units to send; 12 of them are received as 1,000 KB = 16 units and 200 KB = 4; deleting has none."""
    run = batch_run(12, 12, size="100KB")
    assert of_queue(run) == SqsRequests(sends=24, receives=16 + 4, deletes=2, empty_receives=0)


def test_messages_that_come_back_are_received_again() -> None:
    """A message that fails once, received at 0 and, 5 s later, again: two receives, one send, one delete."""
    run = queue_run(
        [0],
        function={"duration": "1s", "reserved_concurrency": 0},
        duration="4s",
        drain="60s",
        changes=[{"at": "4500ms", "functions": {"f": {"reserved_concurrency": 1}}}],
    )
    assert of_queue(run) == SqsRequests(sends=1, receives=2, deletes=1, empty_receives=0)


def test_what_is_moved_back_is_free() -> None:
    """A message to the dead-letter queue and back: sent once; received twice; deleted in the end."""
    run = queue_run(
        [0],
        queue={"max_receive_count": 1, "dead_letter": "x"},
        function={"duration": "1s", "reserved_concurrency": 0},
        others={"x": {}},
        duration="30s",
        changes=[
            {"at": "10s", "functions": {"f": {"reserved_concurrency": 1}}},
            {"at": "10s", "redrive": "x"},
        ],
    )
    assert of_queue(run) == SqsRequests(sends=1, receives=2, deletes=1, empty_receives=0)
    assert of_queue(run, "x").total == 0


def test_lambda_pays_for_what_it_sends_to_a_dead_letter_queue() -> None:
    """An event that fails three times goes to a queue by a request."""
    run = run_of(
        functions={"f": {"errors": {"poison": "100%"}, "async": {"dead_letter": "x", "maximum_retry_attempts": 0}}},
        queues={"x": {}},
        traffic={"t": {"function": "f", "invoke": "async", "rate": "1/s", "arrivals": "uniform"}},
        duration="3s",
    )
    assert of_queue(run, "x") == SqsRequests(sends=3, receives=0, deletes=0, empty_receives=0)


def gateway_run(via: str, **more: Any) -> Run:
    """Six requests at once through a gateway to a function that takes two of them."""
    return run_of(
        functions={"f": {"reserved_concurrency": 2}, "g": {}},
        traffic={
            "a": {"function": "f", "via": via, "rate": "6/s", "arrivals": "uniform"},
            "b": {"function": "g", "rate": "1/s", "arrivals": "uniform"},
        },
        duration="1s",
        **more,
    )


def test_requests_that_lambda_refuses_reached_the_gateway() -> None:
    """All six count, whatever Lambda said; direct calls do not."""
    run = gateway_run("api-gateway-rest")
    assert run.summary["attempts"]["throttles"] == 4
    assert api_gateway_requests(run.log, run.scenario, "api-gateway-rest") == [6, 0]
    assert api_gateway_requests(run.log, run.scenario, "api-gateway-http") == [0, 0]
    assert api_gateway_requests(gateway_run("alb").log, gateway_run("alb").scenario, "api-gateway-rest") == [0, 0]


def test_requests_that_the_gateway_refuses_are_free() -> None:
    """A burst of 1 and 1 more a second let one or two through."""
    run = gateway_run("api-gateway-http", region={"api_gateway": {"rate": "1/s", "burst": 1}})
    refused = run.summary["attempts"]["throttles_by_reason"]["api_gateway_rate"]
    assert refused == 5
    assert api_gateway_requests(run.log, run.scenario, "api-gateway-http") == [1, 0]
