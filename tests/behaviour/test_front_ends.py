"""What stands between callers and Lambda: which status the caller sees (worked examples T114, T116, T117)."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest

from lambdasim.api import Result, simulate
from tests.behaviour.timeline import abandonments, attempt_times, invocations, throttles
from tests.builders import ONLY_THE_QUOTA, PLAIN_FUNCTION, run, trace

FRONT_ENDS = ["function-url", "api-gateway-rest", "api-gateway-http", "alb"]


def result(rows: list[Any], via: Any, function: dict[str, Any] | None = None, **parts: Any) -> Result:
    """A run of one function behind a front end."""
    client = parts.pop("client", {})
    return simulate(
        {
            "duration": "1000s",
            "region": {**ONLY_THE_QUOTA, **parts.pop("region", {})},
            "functions": {"f": {**PLAIN_FUNCTION, **(function or {})}},
            "traffic": {
                "t": {"function": "f", "trace": trace(rows), **({"via": via} if via else {}), "client": client}
            },
            **parts,
        },
        seed=1,
    )


def statuses(made: Result) -> list[int]:
    """What the caller of each request saw in the end; -1 without an answer."""
    return made.requests["status"].tolist()


class TestStatus:
    """The answers of each front end."""

    @pytest.mark.parametrize(
        ("via", "throttle", "error"),
        [
            ("function-url", 429, 502),
            ("api-gateway-rest", 500, 502),
            ("api-gateway-http", 500, 502),
            ("alb", 502, 502),
        ],
    )
    def test_throttle_and_error(self, via: str, throttle: int, error: int) -> None:
        """Quota 1: request 0 works in [0, 1], request 1 is refused; all that is accepted fails when told to."""
        rows = [0, 0.5, 2]
        assert statuses(result(rows, via, region={"concurrency_quota": 1})) == [200, throttle, 200]
        failing = result(rows, via, {"errors": {"rate": "100%"}}, region={"concurrency_quota": 1})
        assert statuses(failing) == [error, throttle, error]
        counts = Counter([error, throttle, error])
        assert failing.summary["responses"] == {str(status): counts[status] for status in sorted(counts)} | {"none": 0}

    @pytest.mark.parametrize("via", FRONT_ENDS)
    def test_the_functions_own_timeout_is_an_error(self, via: str) -> None:
        """5 s of work, 2 s of timeout: 502, after 2 s."""
        made = result([(0, 5)], via, {"timeout": "2s"})
        assert statuses(made) == [502]
        assert made.requests["latency_s"].tolist() == [2]

    def test_a_direct_call_has_status_200_for_a_function_error(self) -> None:
        """As AWS's API answers, with FunctionError; without a front end the tables have no column for it."""
        made = result([0, 0.5], None, {"errors": {"rate": "100%"}}, region={"concurrency_quota": 1})
        assert made.summary["responses"] == {"200": 1, "429": 1, "none": 0}
        assert "status" not in (made.requests.dtype.names or ())

    def test_the_answer_to_a_throttle_may_be_set(self) -> None:
        """Some users report 503 from an HTTP API."""
        via = {"front_end": "api-gateway-http", "throttle_status": 503}
        assert statuses(result([0, 0.5], via, region={"concurrency_quota": 1})) == [200, 503]

    def test_each_attempt_has_its_own(self) -> None:
        """Refused at 0.5 and at 0.7 s, accepted at 1.5 s."""
        made = result(
            [0, 0.5], "alb", region={"concurrency_quota": 1}, client={"retry": {"delays": ["200ms", "800ms"]}}
        )
        assert made.attempts["status"].tolist() == [200, 502, 502, 200]
        assert statuses(made) == [200, 200]


class TestTimeout:
    """A gateway stops waiting; the function does not stop working."""

    @pytest.mark.parametrize(("via", "waits", "status"), [("api-gateway-rest", 29, 504), ("api-gateway-http", 30, 503)])
    def test_35_seconds_of_work(self, via: str, waits: int, status: int) -> None:
        """One invocation, 35 s of concurrency, and an answer long before its end."""
        made = result([(0, 35)], via)
        assert statuses(made) == [status]
        assert made.requests["end_s"].tolist() == [waits]
        assert made.requests["outcome"].tolist() == ["timed_out_client"]
        assert [row.end for row in invocations(made.log)] == [35]
        assert made.summary["invocations"]["total"] == 1
        assert made.summary["scenario"]["simulated_s"] == 1000

    @pytest.mark.parametrize("via", ["function-url", "alb"])
    def test_the_others_wait(self, via: str) -> None:
        """As long as the function may run."""
        assert statuses(result([(0, 800)], via)) == [200]

    def test_an_answer_at_the_same_instant_wins(self) -> None:
        """29 s of work end just in time."""
        assert statuses(result([(0, 29)], "api-gateway-rest")) == [200]

    def test_a_rest_api_may_wait_longer(self) -> None:
        """Regional APIs on request: 60 s here."""
        made = result([(0, 35), (0, 70)], {"front_end": "api-gateway-rest", "timeout": "60s"})
        assert statuses(made) == [200, 504]

    def test_the_caller_may_be_less_patient_than_the_gateway(self) -> None:
        """After 10 s nobody is there for the gateway's answer."""
        made = result([(0, 35)], "api-gateway-rest", client={"timeout": "10s"})
        assert statuses(made) == [-1]
        assert made.summary["responses"] == {"none": 1}
        assert made.requests["end_s"].tolist() == [10]

    def test_at_one_instant_the_gateways_answer_wins(self) -> None:
        """Both stop at 29 s: the caller has its 504."""
        assert statuses(result([(0, 35)], "api-gateway-rest", client={"timeout": "29s"})) == [504]


class TestRetries:
    """Callers go by what they see."""

    @pytest.mark.parametrize("via", FRONT_ENDS)
    def test_a_function_error_is_tried_again(self, via: str) -> None:
        """A 502: at 0 for 1 s, 2 s later for 1 s, and given up."""
        made = result([0], via, {"errors": {"poison": "100%"}}, client={"retry": {"delays": ["2s"]}})
        assert attempt_times(made.log) == [0, 3]
        assert (statuses(made), made.requests["outcome"].tolist()) == ([502], ["failed"])

    def test_a_direct_caller_does_not_try_again(self) -> None:
        """Status 200."""
        made = result([0], None, {"errors": {"poison": "100%"}}, client={"retry": {"delays": ["2s"]}})
        assert attempt_times(made.log) == [0]

    def test_a_second_execution_while_the_first_still_runs(self) -> None:
        """REST: given up at 29 s, tried again at 30 s: two of 35 s overlap in [30, 35]."""
        made = result([(0, 35)], "api-gateway-rest", client={"retry": {"delays": ["1s"]}})
        assert [(row.admitted, row.end) for row in invocations(made.log)] == [(0, 35), (30, 65)]
        assert [row.time for row in abandonments(made.log)] == [29, 59]
        assert made.summary["concurrency"]["peak"] == 2

    def test_a_success_after_an_error_is_completed(self) -> None:
        """The error rate is drawn anew for each invocation: with 50 % some of 40 requests need a second one."""
        made = result([0] * 40, "alb", {"errors": {"rate": "50%"}}, client={"retry": {"delays": ["2s"]}})
        attempts, outcome = made.requests["attempts"], made.requests["outcome"]
        assert set(attempts.tolist()) == {1, 2}
        assert (outcome[attempts == 1] == "completed").all()
        assert set(outcome[attempts == 2].tolist()) == {"completed", "failed"}


class TestApiGatewayRate:
    """One token bucket over all of an account's APIs; what it refuses never reaches Lambda."""

    LIMIT: ClassVar = {"api_gateway": {"rate": "1/s", "burst": 2}}

    def test_burst_then_rate(self) -> None:
        """Two at 0 pass, the third does not; one token is back at 1 s, and one more at 2 s."""
        made = result([0, 0, 0, 1, 1, 2], "api-gateway-http", region=self.LIMIT)
        assert [(row.request, row.reason) for row in throttles(made.log)] == [
            (2, "api_gateway_rate"),
            (4, "api_gateway_rate"),
        ]
        assert statuses(made) == [200, 200, 429, 200, 429, 200]

    def test_rest_and_http_share_it(self) -> None:
        """A source of each: the bucket of 2 is empty after one of each. A function URL does not pass it."""
        traffic = {
            name: {"function": "f", "trace": trace([0, 0]), "via": via}
            for name, via in (("a", "api-gateway-rest"), ("b", "api-gateway-http"), ("c", "function-url"))
        }
        traffic["a"]["trace"] = trace([0])
        log = run(traffic=traffic, region=self.LIMIT)
        assert [(row.request, row.reason) for row in throttles(log)] == [(2, "api_gateway_rate")]

    def test_it_is_not_lambdas_throttle(self) -> None:
        """It counts among the refused attempts, and in none of CloudWatch's metrics of Lambda."""
        from lambdasim.metrics.cloudwatch import cloudwatch_metrics

        made = result([0, 0, 0], "api-gateway-rest", region={**self.LIMIT, "concurrency_quota": 1})
        by_reason = made.summary["attempts"]["throttles_by_reason"]
        assert (by_reason["api_gateway_rate"], by_reason["account_concurrency"]) == (1, 1)
        rows = cloudwatch_metrics(made.log, 60 * 10**9, made.scenario.limits_in_force())
        assert [row.sum for row in rows if row.metric == "Throttles" and not row.function] == [1]

    def test_what_lambda_refuses_has_passed_the_gateway(self) -> None:
        """Quota 1 and a bucket of 2: the second attempt takes a token although Lambda refuses it."""
        made = result([0, 0, 0], "api-gateway-rest", region={**self.LIMIT, "concurrency_quota": 1})
        assert [row.reason for row in throttles(made.log)] == ["account_concurrency", "api_gateway_rate"]

    def test_a_retry_passes_it_again(self) -> None:
        """Refused at 0 and at 0.5 s; a token is back at 1 s."""
        made = result([0, 0, 0], "api-gateway-rest", region=self.LIMIT, client={"retry": {"delays": ["500ms"] * 3}})
        assert attempt_times(made.log, 2) == [0, 0.5, 1]
        assert made.attempts["status"].tolist() == [200, 200, 429, 429, 200]

    @pytest.mark.parametrize(("region", "burst"), [("us-east-1", 5_000), ("eu-south-1", 1_250)])
    def test_the_default_goes_by_region(self, region: str, burst: int) -> None:
        """So many at one instant; the request-rate limits of Lambda are off."""
        rows = [(0, 1e-9)] * (burst + 10)
        made = result(rows, "api-gateway-rest", region={"name": region, "concurrency_quota": 10_000})
        assert made.summary["attempts"]["throttles_by_reason"]["api_gateway_rate"] == 10

    def test_unlimited(self) -> None:
        """No bucket."""
        rows = [(0, 1e-9)] * 6_000
        made = result(rows, "api-gateway-rest", region={"api_gateway": "unlimited", "concurrency_quota": 10_000})
        assert made.summary["attempts"]["throttles"] == 0


def test_the_function_url_rate_is_that_of_the_reservation() -> None:
    """10 x 1 requests per second: the eleventh at one instant is refused with 429."""
    made = result(
        [(0.1 + number * 1e-6, 1e-9) for number in range(11)],
        "function-url",
        {"reserved_concurrency": 1},
        region={"requests_per_concurrency": 10, "concurrency_quota": 100},
    )
    assert statuses(made) == [200] * 10 + [429]
    assert [row.reason for row in throttles(made.log)] == ["reserved_rate"]
