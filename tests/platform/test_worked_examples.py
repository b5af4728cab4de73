"""The worked examples of AWS's documentation (T1 to T15) and of its scaling rate (T40 to T49).

Evenly spaced arrivals or traces, so that every number can be computed by hand. Sources: "AWS" examples are those of the
pages lambda-concurrency, configuration-concurrency, scaling-behavior and urls-configuration, of the operator guide
and of the announcement of 2023-11-26; the others follow from the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import NOT_YET, EventLog
from lambdasim.platform.concurrency import AWS_REASON, ThrottleReason
from lambdasim.platform.region import build_platform
from lambdasim.scenario import profiles
from tests.builders import run, scenario

SECOND = 10**9

CURRENT_SCALING = profiles.defaults("2026", "region")["scaling"]
LEGACY_SCALING = profiles.defaults("legacy-2023", "region")["scaling"]


def even(rate: int, duration: str, function: str = "f") -> dict[str, Any]:
    """Evenly spaced requests at a constant rate; ``duration`` is that of the function."""
    return {
        "functions": {function: {"duration": duration}},
        "traffic": {"t": {"function": function, "rate": f"{rate}/s", "arrivals": "uniform"}},
    }


def concurrency_at(log: EventLog, times_s: list[float]) -> list[int]:
    """In flight at each time."""
    times = np.array(times_s) * SECOND
    admitted, ended = np.sort(log.invocations.admitted_ns), np.sort(log.clipped_end_ns)
    levels = np.searchsorted(admitted, times, side="right") - np.searchsorted(ended, times, side="right")
    return [int(level) for level in levels]


def accepted_in_second(log: EventLog, second: int) -> int:
    """Invocations admitted in one whole second."""
    admitted = log.invocations.admitted_ns
    return int(((admitted >= second * SECOND) & (admitted < (second + 1) * SECOND)).sum())


def reasons(log: EventLog) -> set[ThrottleReason]:
    """Why attempts were refused."""
    return {ThrottleReason(reason) for reason in log.throttles.reason.tolist()}


class TestConcurrencyIsRateTimesDuration:
    """T1 to T3 (AWS)."""

    @pytest.mark.parametrize(
        ("rate", "duration", "expected"),
        [(100, "1s", 100), (100, "500ms", 50), (200, "250ms", 50), (5_000, "200ms", 1_000)],
    )
    def test_concurrency(self, rate: int, duration: str, expected: int) -> None:
        """In steady state exactly the product, and with that quota nothing is throttled."""
        log = run(**even(rate, duration), region={"concurrency_quota": expected}, duration="2s")
        assert len(log.throttles) == 0
        assert concurrency_at(log, [1.001, 1.5, 1.999]) == [expected] * 3

    def test_a_smaller_quota_is_not_enough(self) -> None:
        """T1 with one unit less: a request is throttled as soon as the hundredth comes."""
        log = run(**even(100, "1s"), region={"concurrency_quota": 99}, duration="2s")
        assert log.throttles.time_ns[0] == 995_000_000
        assert reasons(log) == {ThrottleReason.ACCOUNT_CONCURRENCY}


class TestRequestsPerSecond:
    """Ten requests per second for each unit of concurrency (T4, T7, T14)."""

    def test_short_requests_are_bound_by_the_request_rate(self) -> None:
        """T4 (AWS): quota 1,000 and 20,000 requests/s of 50 ms. Only 10,000/s are served once the bucket is empty.

        The bucket holds 10,000 and gets 9,999.5 back from the first request to the last one of the first second.
        """
        log = run(
            **even(20_000, "50ms"),
            region={"concurrency_quota": 1_000, "requests_per_concurrency": 10},
            duration="3s",
        )
        assert [accepted_in_second(log, second) for second in (0, 1, 2)] == [19_999, 10_000, 10_000]
        assert reasons(log) == {ThrottleReason.ACCOUNT_RATE}
        assert AWS_REASON[ThrottleReason.ACCOUNT_RATE] == "FunctionInvocationRateLimitExceeded"

    def test_twice_the_quota_serves_them_all(self) -> None:
        """T4 (AWS): with a quota of 2,000 there is no throttle."""
        log = run(
            **even(20_000, "50ms"),
            region={"concurrency_quota": 2_000, "requests_per_concurrency": 10},
            duration="2s",
        )
        assert len(log.throttles) == 0

    def test_reserved_concurrency_of_100_serves_1000_requests_per_second(self) -> None:
        """T7 (AWS): more than that is answered with 429."""
        parts = even(2_000, "10ms")
        parts["functions"]["f"]["reserved_concurrency"] = 100
        log = run(**parts, region={"concurrency_quota": 1_000, "requests_per_concurrency": 10}, duration="4s")
        assert [accepted_in_second(log, second) for second in (1, 2, 3)] == [1_000] * 3
        assert reasons(log) == {ThrottleReason.RESERVED_RATE}

    def test_at_100_ms_both_limits_bind_at_the_same_point(self) -> None:
        """T14: 10,000 requests/s pass a quota of 1,000 under both limits, and under each alone no more than that."""
        quota = {"concurrency_quota": 1_000}
        both = run(**even(10_000, "100ms"), region={**quota, "requests_per_concurrency": 10}, duration="2s")
        assert len(both.throttles) == 0
        concurrency = run(**even(20_000, "100ms"), region=quota, duration="3s")
        assert accepted_in_second(concurrency, 2) == 10_000
        assert reasons(concurrency) == {ThrottleReason.ACCOUNT_CONCURRENCY}
        rate = run(
            **even(20_000, "99ms"),
            region={"concurrency_quota": 10_000, "requests_per_concurrency": 1},
            duration="3s",
        )
        assert accepted_in_second(rate, 2) == 10_000
        assert reasons(rate) == {ThrottleReason.ACCOUNT_RATE}
        assert theory.max_request_rate(1_000, 0.1, 10) == 10_000


class TestReservedConcurrency:
    """T11 and T12 (AWS)."""

    def test_other_functions_share_what_is_not_reserved(self) -> None:
        """T11: 100 of 1,000 are reserved for a; b gets 900 although a is idle."""
        log = run(
            functions={"a": {"reserved_concurrency": 100}, "b": {}},
            traffic={"t": {"function": "b", "rate": "10000/s", "arrivals": "uniform"}},
            region={"concurrency_quota": 1_000},
            duration="200ms",
        )
        assert len(log.invocations) == 900
        assert len(log.throttles) == 1_100
        assert reasons(log) == {ThrottleReason.ACCOUNT_CONCURRENCY}

    def test_a_reserved_concurrency_of_0_throttles_everything(self) -> None:
        """T12, its synchronous part: 50 calls, 50 times 429, no invocation."""
        log = run(functions={"f": {"reserved_concurrency": 0}}, rows=range(50))
        assert len(log.invocations) == 0
        assert len(log.throttles) == 50
        assert reasons(log) == {ThrottleReason.RESERVED_CONCURRENCY}


# (arrival, end) of the requests of T15, and the environment that AWS's table gives each.
TABLE = [
    (0.0, 4.5, "A"),
    (1.0, 5.5, "B"),
    (2.0, 6.5, "C"),
    (3.0, 8.0, "D"),
    (4.0, 10.0, "E"),
    (5.0, 10.0, "A"),
    (6.0, 11.0, "B"),
    (7.0, 12.0, "C"),
    (7.5, 12.0, "F"),
    (8.5, 13.0, "D"),
]
COLD = [True, True, True, True, True, False, False, False, True, False]


class TestTenRequests:
    """T15 (AWS's table of ten requests, times invented): six environments, four of them used twice."""

    @pytest.fixture(params=["mru", "lru"])
    def log(self, request: pytest.FixtureRequest) -> EventLog:
        """Init 0.1 s, which the times of cold requests include. Exactly one environment is idle at each reuse."""
        rows = [
            (arrival, round(end - arrival - (0.1 if is_cold else 0.0), 6))
            for (arrival, end, _), is_cold in zip(TABLE, COLD, strict=True)
        ]
        function = {"init": "100ms", "assignment": "bound", "reuse": request.param}
        return run(functions={"f": function}, rows=rows)

    def test_environments(self, log: EventLog) -> None:
        """A, B, C, D, E, A, B, C, F, D, under both orders of reuse."""
        assert "".join("ABCDEF"[environment] for environment in log.invocations.environment) == "ABCDEABCFD"

    def test_ends(self, log: EventLog) -> None:
        """The times of the table."""
        assert (log.invocations.end_ns / SECOND).tolist() == [end for _, end, _ in TABLE]

    def test_cold_starts(self, log: EventLog) -> None:
        """Six cold starts, four warm requests."""
        assert log.invocations.is_cold.tolist() == COLD

    def test_peak_concurrency(self, log: EventLog) -> None:
        """Six, from 8.5 s on: the request at 7.5 s is still busy, and so are the five others."""
        assert max(concurrency_at(log, [arrival for arrival, _, _ in TABLE])) == 6
        assert concurrency_at(log, [8.5]) == [6]


def burst(
    functions: Mapping[str, int], scaling: Any, *, at_s: float = 0.0, region: str = "us-east-1", duration: str = "100s"
) -> EventLog:
    """Requests of 15 min for each function at one instant; who is refused tries again every ten seconds."""
    return run(
        functions={name: {"duration": "15m"} for name in functions},
        traffic={
            name: {
                "function": name,
                "start_rate": "0/s",
                "stages": [
                    {"duration": f"{at_s}s", "target": "0/s"},
                    {"duration": "0s", "target": f"{count * 1000}/s"},
                    {"duration": "1ms", "target": f"{count * 1000}/s"},
                    {"duration": "0s", "target": "0/s"},
                ],
                "arrivals": "uniform",
                "client": {"retry": {"max_attempts": "unlimited", "delay": "10s"}},
            }
            for name, count in functions.items()
        },
        region={"name": region, "concurrency_quota": 10_000, "scaling": scaling},
        duration=duration,
        drain="0s",
    )


def environments_at(log: EventLog, times_s: list[float], function: int = 0) -> list[int]:
    """Environments of a function started so far."""
    created = log.environments.created_ns[log.environments.function == function]
    return [int((created <= time * SECOND).sum()) for time in times_s]


class TestCurrentScalingRate:
    """T40 to T42: 1,000 environments at once and 1,000 more every ten seconds, for each function."""

    def test_ten_thousand_at_once(self) -> None:
        """T40: 1,000 in the first instant, then 1,000 more every ten seconds, 10,000 after 90 s (within 1 %)."""
        log = burst({"f": 10_000}, CURRENT_SCALING)
        times = [10.0 * step + 0.001 for step in range(10)]  # the burst lasts a millisecond
        expected = [1_000 * (step + 1) for step in range(10)]
        assert environments_at(log, times) == pytest.approx(expected, rel=0.01)
        assert reasons(log) == {ThrottleReason.SCALING_RATE}

    def test_unused_rate_does_not_add_up(self) -> None:
        """T41 (AWS): after 60 idle seconds it is still only 1,000 at once."""
        log = burst({"f": 10_000}, CURRENT_SCALING, at_s=60)
        assert environments_at(log, [59.0, 60.001, 70.001]) == [0, 1_000, 2_000]

    def test_functions_scale_independently(self) -> None:
        """T42 (AWS): two functions with 5,000 requests each both have 5,000 environments after 40 s."""
        log = burst({"a": 5_000, "b": 5_000}, CURRENT_SCALING, duration="50s")
        for function in (0, 1):
            assert environments_at(log, [0.001, 40.001], function) == [1_000, 5_000]


class TestLegacyScalingRate:
    """T43, T46, T48 and T49: one bucket for the whole region, 500 more a minute."""

    @pytest.mark.parametrize(("region", "served"), [("us-east-1", 3_000), ("eu-central-1", 1_000), ("sa-east-1", 500)])
    def test_ten_thousand_at_once(self, region: str, served: int) -> None:
        """T43 (AWS): 3,000 served and 7,000 throttled in us-east-1, less elsewhere."""
        log = run(
            functions={"f": {"duration": "50s"}},
            rows=[0] * 10_000,
            region={"name": region, "concurrency_quota": 10_000, "scaling": LEGACY_SCALING},
            duration="1s",
        )
        assert (len(log.invocations), len(log.throttles)) == (served, 10_000 - served)

    @pytest.mark.parametrize(
        ("region", "expected"), [("us-east-1", [3_500, 4_000, 5_500]), ("eu-central-1", [1_500, 2_000, 3_500])]
    )
    def test_500_more_every_minute(self, region: str, expected: list[int]) -> None:
        """The ramp of a demand of 10,000 after 1, 2 and 5 minutes."""
        log = burst({"f": 10_000}, LEGACY_SCALING, region=region, duration="301s")
        assert environments_at(log, [60.001, 120.001, 300.001]) == pytest.approx(expected, abs=1)

    def test_2500_a_minute_are_never_throttled(self) -> None:
        """T46 (AWS): 2,500 in each of four minutes: all cold in the first, reuse from then on."""
        log = run(
            functions={"f": {"duration": "30s"}},
            rows=[60 * minute for minute in range(4) for _ in range(2_500)],
            region={"concurrency_quota": 10_000, "scaling": LEGACY_SCALING},
        )
        assert len(log.throttles) == 0
        assert log.invocations.is_cold.reshape(4, 2_500).sum(axis=1).tolist() == [2_500, 0, 0, 0]

    def test_the_burst_is_shared_by_the_region(self) -> None:
        """T48 (AWS): burst 500, two functions that want 400 each: 500 in total."""
        log = burst({"a": 400, "b": 400}, LEGACY_SCALING, region="sa-east-1", duration="1s")
        assert len(log.environments) == 500
        assert (log.invocations.end_ns == NOT_YET).sum() == 500

    def test_the_current_rate_is_twelve_times_the_legacy_one(self) -> None:
        """T49 (AWS: "12 times faster"): 6,000 against 500 environments a minute."""

        def per_minute(scaling: Any) -> Fraction:
            limits = build_platform(scenario(rows=[0], region={"scaling": scaling})).scaling[0]
            return Fraction(limits.speed * 60 * SECOND, limits.cost)

        assert (per_minute(CURRENT_SCALING), per_minute(LEGACY_SCALING)) == (6_000, 500)
