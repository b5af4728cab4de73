"""The outcome of a request is the fate of its last attempt."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.outcomes import NONE, Outcome, abandoned_rows, request_outcomes
from lambdasim.platform.concurrency import ThrottleReason
from tests.builders import run, trace

ONE_UNIT = {"concurrency_quota": 1}


def fates(**parts: Any) -> list[tuple[str, int, int, float | None]]:
    """(outcome, attempts, throttles, time of settlement in seconds) of each request."""
    found = request_outcomes(run(**parts))
    return [
        (Outcome(outcome).key, attempts, throttles, None if settled == NOT_YET else settled / 1e9)
        for outcome, attempts, throttles, settled in zip(
            found.outcome.tolist(),
            found.attempts.tolist(),
            found.throttles.tolist(),
            found.settled_ns.tolist(),
            strict=True,
        )
    ]


class TestFates:
    """One scenario for each way to end."""

    def test_completed_failed_and_timed_out(self) -> None:
        """Function errors and timeouts of the function are failed; the caller does not try again."""
        client = {"retry": {"delays": ["1s"]}}
        assert fates(rows=[0], client=client) == [("completed", 1, 0, 1.0)]
        assert fates(rows=[0], client=client, functions={"f": {"errors": {"rate": "100%"}}}) == [("failed", 1, 0, 1.0)]
        assert fates(rows=[0], client=client, functions={"f": {"errors": {"crash": "100%"}}}) == [("failed", 1, 0, 1.0)]
        slow = {"f": {"duration": "5s", "timeout": "2s"}}
        assert fates(rows=[0], client=client, functions=slow) == [("failed", 1, 0, 2.0)]

    def test_throttled_is_settled_at_its_last_attempt(self) -> None:
        """Without a retry at once, with two of them after both."""
        busy = {"rows": [0, 1], "region": ONE_UNIT, "functions": {"f": {"duration": "9s"}}}
        assert fates(**busy)[1] == ("throttled", 1, 1, 1.0)
        assert fates(**busy, client={"retry": {"delays": ["1s", "2s"]}})[1] == ("throttled", 3, 3, 4.0)

    def test_throttled_first_and_completed_later(self) -> None:
        """A refusal that a retry has cured leaves its count behind."""
        found = fates(rows=[0, 0.5], region=ONE_UNIT, client={"retry": {"delays": ["1s"]}})
        assert found == [("completed", 1, 0, 1.0), ("completed", 2, 1, 2.5)]

    def test_caller_stopped_waiting(self) -> None:
        """Settled when its last attempt timed out, though the invocation goes on and ends well."""
        client = {"timeout": "1s"}
        assert fates(rows=[0], client=client, functions={"f": {"duration": "3s"}}) == [("timed_out_client", 1, 0, 1.0)]

    def test_caller_stopped_waiting_and_tried_again(self) -> None:
        """Only the last attempt decides: it completes here, because its environment is warm."""
        client = {"timeout": "2s", "retry": {"delays": ["3s"]}}
        found = fates(rows=[0], client=client, functions={"f": {"init": "1500ms", "duration": "1s"}})
        assert found == [("completed", 2, 0, 6.0)]

    def test_running_at_the_end(self) -> None:
        """Accepted, not over: in flight, without a time."""
        assert fates(rows=[9], duration="10s", drain="0s", functions={"f": {"duration": "5s"}}) == [
            ("in_flight", 1, 0, None)
        ]

    @pytest.mark.parametrize(("drain", "fate"), [("0s", ("in_flight", 1, 1, None)), ("1h", ("completed", 2, 1, 15.0))])
    def test_retry_that_is_still_to_come(self, drain: str, fate: tuple[Any, ...]) -> None:
        """Refused, but not given up: in flight, until the drain lets the retry happen."""
        found = fates(
            rows=[9, 9.5],
            duration="10s",
            drain=drain,
            region=ONE_UNIT,
            client={"retry": {"delays": ["4500ms"]}},
        )
        assert found[1] == fate

    def test_retry_after_a_client_timeout_that_is_still_to_come(self) -> None:
        """The abandoned invocation does not settle the request."""
        client = {"timeout": "1s", "retry": {"delays": ["1h"]}}
        parts: dict[str, Any] = {"rows": [0], "duration": "10s", "drain": "0s", "client": client}
        assert fates(**parts, functions={"f": {"duration": "3s"}}) == [("in_flight", 1, 0, None)]


class TestRows:
    """What else is known of a request."""

    def test_first_reason_and_last_invocation(self) -> None:
        """The reason of the first refusal, and the row of the last accepted attempt."""
        log = run(
            rows=[0, 0, 0.5],
            functions={"f": {"reserved_concurrency": 2}},
            region={"scaling": {"burst": 1, "rate": 1, "per": "1s"}},
            client={"retry": {"delays": ["250ms", "250ms", "1s"]}},
        )
        found = request_outcomes(log)
        first = [None if reason == NONE else ThrottleReason(reason).key for reason in found.first_throttle_reason]
        assert first[:2] == [None, "scaling_rate"]
        assert [log.invocations.request[row] for row in found.last_invocation if row != NONE] == [0, 1, 2]
        assert [log.invocations.attempt[row] for row in found.last_invocation] == found.attempts.tolist()

    def test_first_of_two_reasons(self) -> None:
        """Refused for the quota, then for the scaling rate: the first one is kept."""
        rows = trace([(0, 0.2, None, "f"), (0.3, 1, None, "g"), (0.5, 1, None, "f")])
        log = run(
            functions={"f": {"idle_timeout": "50ms", "scaling": {"burst": 1, "rate": 1, "per": "1h"}}, "g": {}},
            traffic={"t": {"function": "f", "trace": rows, "client": {"retry": {"delays": ["1s"]}}}},
            region=ONE_UNIT,
        )
        assert [ThrottleReason(reason).key for reason in log.throttles.reason] == [
            "account_concurrency",
            "scaling_rate",
        ]
        assert request_outcomes(log).first_throttle_reason.tolist() == [NONE, NONE, ThrottleReason.ACCOUNT_CONCURRENCY]

    def test_abandoned_invocations(self) -> None:
        """Both attempts of requests 0 and 2, which wait 3 s each time; request 1 is answered after 1 s."""
        log = run(
            rows=[(0, 10), (1, 1), (2, 5)],
            functions={"f": {"timeout": "20s"}},
            client={"timeout": "3s", "retry": {"delays": ["1s"]}},
        )
        invocations, rows = log.invocations, abandoned_rows(log)
        assert invocations.request[rows].tolist() == log.abandonments.request.tolist() == [0, 0, 2, 2]
        assert invocations.attempt[rows].tolist() == log.abandonments.attempt.tolist() == [1, 2, 1, 2]
        assert rows.tolist() == [0, 1, 3, 4]
        assert abandoned_rows(run(rows=[0])).tolist() == []

    def test_never_accepted(self) -> None:
        """There is no last invocation."""
        found = request_outcomes(run(rows=[0], functions={"f": {"reserved_concurrency": 0}}))
        assert found.last_invocation.tolist() == [NONE]
        assert found.first_throttle_reason.tolist() == [ThrottleReason.RESERVED_CONCURRENCY]

    def test_outcomes_are_named_as_in_the_files(self) -> None:
        """In the order of summary.json."""
        assert [outcome.key for outcome in Outcome] == [
            "completed",
            "failed",
            "throttled",
            "timed_out_client",
            "dropped",
            "in_flight",
        ]
