"""Callers that retry as AWS's SDKs do: attempts, greatest delays, quotas (worked examples T110 to T112)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from lambdasim.scenario.sdk_retries import SDK_RETRIES
from tests.behaviour.timeline import abandonments, attempt_times, invocations, throttles
from tests.builders import run, trace

# Greatest delay (s) before each retry: after throttles, and after anything else.
GREATEST = {
    "boto3-legacy": ([1, 2, 4, 8], [1, 2, 4, 8]),
    "boto3-standard": ([1, 2], [1, 2]),
    "boto3-adaptive": ([1, 2], [1, 2]),
    "js-v3": ([0.5, 1], [0.1, 0.2]),
    "boto3-standard-2026": ([1, 2], [0.05, 0.1]),
    "boto3-adaptive-2026": ([1, 2], [0.05, 0.1]),
    "js-v3-2026": ([1, 2], [0.05, 0.1]),
}
WITHOUT_LIMITER = [name for name in GREATEST if "adaptive" not in name]


def refused(retry: Any, requests: int = 60, **client: Any) -> EventLog:
    """Requests at 0 to a function that refuses everything."""
    # One client object for each request, so that no quota binds.
    count = {} if retry == "boto3-legacy" else {"count": requests}
    return run(
        functions={"f": {"reserved_concurrency": 0}},
        rows=[0] * requests,
        client={"retry": retry, **count, **client},
    )


def delays(log: EventLog, request: int) -> list[float]:
    """Seconds from each attempt of a request to the next."""
    return [round(later - earlier, 9) for earlier, later in pairwise(attempt_times(log, request))]


def test_the_table_has_every_preset() -> None:
    """A preset without an expectation here would be unchecked."""
    assert GREATEST.keys() == SDK_RETRIES.keys()


@pytest.mark.parametrize("preset", WITHOUT_LIMITER)
def test_delays_after_throttles(preset: str) -> None:
    """So many attempts, and no delay beyond its ceiling; of 60 requests some come near both ends."""
    log, greatest = refused(preset), GREATEST[preset][0]
    drawn = [delays(log, request) for request in range(60)]
    assert {len(of_request) for of_request in drawn} == {len(greatest)}
    for number, ceiling in enumerate(greatest):
        shares = [of_request[number] / ceiling for of_request in drawn]
        assert 0 <= min(shares) < 0.1
        assert 0.9 < max(shares) < 1


@pytest.mark.parametrize("preset", WITHOUT_LIMITER)
def test_delays_after_the_callers_timeout(preset: str) -> None:
    """The caller waits for 2 s of 900; then the base of the back-off is that of other failures."""
    greatest = GREATEST[preset][1]
    count = {} if preset == "boto3-legacy" else {"count": 60}
    log = run(
        rows=[(0, 900)] * 60, region={"concurrency_quota": 900}, client={"retry": preset, "timeout": "2s", **count}
    )
    drawn = [[delay - 2 for delay in delays(log, request)] for request in range(60)]
    assert {len(of_request) for of_request in drawn} == {len(greatest)}
    for number, ceiling in enumerate(greatest):
        shares = [of_request[number] / ceiling for of_request in drawn]
        assert -1e-6 <= min(shares) < 0.1
        assert 0.9 < max(shares) < 1


def test_javascript_waits_whole_milliseconds() -> None:
    """Math.floor of milliseconds; botocore does not round."""
    for preset, is_whole in (("js-v3", True), ("js-v3-2026", True), ("boto3-standard", False)):
        log = refused(preset)
        times_ms = [1000 * delay for request in range(60) for delay in delays(log, request)]
        assert all(abs(time - round(time)) < 1e-6 for time in times_ms) is is_whole


def test_attempts_may_be_set() -> None:
    """``Config(retries={"mode": "standard", "total_max_attempts": 5})``."""
    log = refused({"preset": "boto3-standard", "max_attempts": 5}, requests=3)
    assert [len(attempt_times(log, request)) for request in range(3)] == [5, 5, 5]
    assert all(delay <= ceiling for delay, ceiling in zip(delays(log, 0), (1, 2, 4, 8), strict=True))


class TestQuota:
    """500 tokens of each client object pay for the retries."""

    @pytest.mark.parametrize(
        ("preset", "retries"),
        [("boto3-standard", 100), ("js-v3", 100), ("boto3-standard-2026", 100), ("js-v3-2026", 100)],
    )
    def test_throttles_cost_5(self, preset: str, retries: int) -> None:
        """500 / 5 = 100 retries in all, then every throttle is final."""
        log = run(functions={"f": {"reserved_concurrency": 0}}, rows=[0] * 200, client={"retry": preset})
        assert len(throttles(log)) == 200 + retries

    @pytest.mark.parametrize(
        ("preset", "retries"),
        [("boto3-standard", 50), ("js-v3", 50), ("boto3-standard-2026", 35), ("js-v3-2026", 35)],
    )
    def test_timeouts_cost_10_or_14(self, preset: str, retries: int) -> None:
        """500 / 10 = 50 retries; in the new behaviour 500 / 14 = 35."""
        log = run(region={"concurrency_quota": 900}, rows=[(0, 900)] * 200, client={"retry": preset, "timeout": "1s"})
        assert len(invocations(log)) == 200 + retries

    @pytest.mark.parametrize(
        ("preset", "retries"),
        [("boto3-standard", 100), ("js-v3", 50), ("boto3-standard-2026", 35), ("js-v3-2026", 35)],
    )
    def test_server_errors_cost_what_the_sdk_says(self, preset: str, retries: int) -> None:
        """Behind API Gateway a throttle is a 500: botocore takes 5 as for any status, JavaScript 10 as transient."""
        traffic = {
            "t": {
                "function": "f",
                "trace": trace([0] * 200),
                "via": "api-gateway-rest",
                "client": {"retry": preset},
            }
        }
        log = run(functions={"f": {"reserved_concurrency": 0}}, traffic=traffic)
        assert len(throttles(log)) == 200 + retries

    def test_legacy_has_none(self) -> None:
        """Five attempts of each."""
        log = run(functions={"f": {"reserved_concurrency": 0}}, rows=[0] * 200, client={"retry": "boto3-legacy"})
        assert len(throttles(log)) == 1_000

    def test_clients_have_one_each_and_take_turns(self) -> None:
        """Two clients: requests 0, 2, 4, ... and 1, 3, 5, ...: 100 retries each."""
        log = run(
            functions={"f": {"reserved_concurrency": 0}},
            rows=[0] * 600,
            client={"retry": "boto3-standard", "count": 2},
        )
        retried = [row.request for row in throttles(log) if row.attempt > 1]
        assert len(retried) == 200
        assert sum(request % 2 for request in retried) == 100

    def test_a_plain_success_gives_1_back(self) -> None:
        """The retries of 100 refusals at 0 take all 500 tokens; 4 successes buy nothing, a fifth one retry.

        f is stopped until 10 s and from 90 s on; with max_attempts 2 each refused request has one retry.
        """
        for successes, retries in ((4, 0), (5, 1), (9, 1), (10, 2)):
            on, off = (
                {"at": at, "functions": {"f": {"reserved_concurrency": units}}}
                for at, units in (("10s", 9), ("90s", 0))
            )
            log = run(
                functions={"f": {"reserved_concurrency": 0}},
                rows=[*[0] * 100, *[20 + number for number in range(successes)], *[100] * 5],
                client={"retry": {"preset": "boto3-standard", "max_attempts": 2}},
                changes=[on, off],
            )
            late = [row for row in throttles(log) if row.request >= 100 + successes]
            assert len(late) == 5 + retries

    def test_a_success_after_retries_gives_back_what_the_last_one_cost(self) -> None:
        """The retries of 100 refusals at 0 take all 500 tokens. Five successes at 20 to 24 s give 1 back each.

        Request 105 is refused at 39.999 s, takes these 5 for its retry, and succeeds: 5 come back. So of two requests
        that are refused at 70 s one is tried again; had only 1 come back, none would be.
        """
        open_, stop, reopen, stop_again = (
            {"at": at, "functions": {"f": {"reserved_concurrency": units}}}
            for at, units in (("10s", 9), ("30s", 0), ("40s", 9), ("60s", 0))
        )
        rows = [*[0] * 100, 20, 21, 22, 23, 24, 39.999, 70, 70]
        log = run(
            functions={"f": {"reserved_concurrency": 0}},
            rows=rows,
            client={"retry": {"preset": "boto3-standard", "max_attempts": 2}},
            changes=[open_, stop, reopen, stop_again],
            seed=3,
        )
        assert [row.attempt for row in invocations(log) if row.request == 105] == [2]
        assert len([row for row in throttles(log) if row.request >= 106]) == 3

    def test_a_function_error_of_a_direct_call_is_a_success(self) -> None:
        """Status 200: no retry, and the token comes back."""
        on, off = (
            {"at": at, "functions": {"f": {"reserved_concurrency": units}}} for at, units in (("10s", 9), ("90s", 0))
        )
        log = run(
            functions={"f": {"reserved_concurrency": 0, "errors": {"rate": "100%"}}},
            rows=[*[0] * 100, *[20 + number for number in range(5)], *[100] * 5],
            client={"retry": {"preset": "js-v3", "max_attempts": 2}},
            changes=[on, off],
        )
        assert len(invocations(log)) == 5
        assert len([row for row in throttles(log) if row.request >= 105]) == 6


def test_a_read_timeout_leads_to_a_second_execution() -> None:
    """The function takes 70 s, boto3 waits for 60: two executions overlap, and neither answer comes in time."""
    log = run(rows=[(0, 70)], client={"timeout": "60s", "retry": {"preset": "boto3-standard", "max_attempts": 2}})
    first, second = invocations(log)
    assert (first.admitted, first.end) == (0, 70)
    assert 60 <= second.admitted < 61
    assert second.end == pytest.approx(second.admitted + 70)
    assert [row.attempt for row in abandonments(log)] == [1, 2]


class TestErrorsOfInput:
    """What a scenario may not say."""

    @pytest.mark.parametrize("retry", ["none", "boto3-legacy", {"max_attempts": 3, "base": "1s"}])
    def test_count_needs_a_quota(self, retry: Any) -> None:
        """A number of clients without a quota would change nothing."""
        with pytest.raises(ValueError, match="count"):
            run(rows=[0], client={"retry": retry, "count": 2})
