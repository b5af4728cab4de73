"""CloudWatch's metrics over two periods, by hand.

f crashes every time: its first invocation is cold (init 0.5 s, then 1 s), each later one pays the init again inside its
duration. g has one reserved unit and works for 2 s.

    0     f   init to 0.5, works to 1.5
    59    g   works to 61
    59.5  f   works to 61 (1 s and a suppressed init of 0.5 s)
    59.5  g   refused
    70    f   works to 71.5
"""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.metric_rows import MetricRow
from tests.builders import log_of, scenario, trace

MINUTE_NS = 60 * 10**9
ROWS = [(0,), (59, None, None, "g"), (59.5,), (59.5, None, None, "g"), (70,)]
FUNCTIONS = {
    "f": {"duration": "1s", "init": "500ms", "errors": {"crash": "100%"}},
    "g": {"duration": "2s", "reserved_concurrency": 1},
}


def rows(period_ns: int = MINUTE_NS, **parts: Any) -> list[MetricRow]:
    """The metrics of the run above, or of another one."""
    traffic = {"t": {"function": "f", "trace": trace(ROWS)}}
    made = scenario(**{"functions": FUNCTIONS, "traffic": traffic, "duration": "100s", **parts})
    return cloudwatch_metrics(log_of(made), period_ns, made.limits_in_force())


def figures(found: list[MetricRow], period_s: int, function: str) -> dict[str, tuple[float, ...]]:
    """(sample count, sum, minimum, maximum, p50, p99) of each metric of a function in a period."""
    return {
        row.metric: (row.sample_count, row.sum, row.minimum, row.maximum, row.p50, row.p99)
        for row in found
        if (row.period_start_ns, row.function) == (period_s * 10**9, function)
    }


class TestByHand:
    """The run of the module's docstring, by minute."""

    def test_region_in_the_first_minute(self) -> None:
        """Counts are sums of ones; a duration belongs to the minute in which its invocation started.

        Claimed are the one unit of g, at 0 before anything starts, and with f's invocation at 0 and at 59.5 two units.
        """
        assert figures(rows(), 0, "") == {
            "Invocations": (3, 3, 1, 1, 1, 1),
            "Errors": (2, 2, 1, 1, 1, 1),
            "Throttles": (1, 1, 1, 1, 1, 1),
            "Duration": (3, 4_500, 1_000, 2_000, 1_500, 2_000),
            "ConcurrentExecutions": (3, 4, 1, 2, 1, 2),
            "UnreservedConcurrentExecutions": (2, 2, 1, 1, 1, 1),
            "ClaimedAccountConcurrency": (3, 5, 1, 2, 2, 2),
        }

    def test_region_in_the_second_minute(self) -> None:
        """Two invocations were carried over the boundary: the maximum is theirs, though only one starts here."""
        assert figures(rows(), 60, "") == {
            "Invocations": (1, 1, 1, 1, 1, 1),
            "Errors": (1, 1, 1, 1, 1, 1),
            "Duration": (1, 1_500, 1_500, 1_500, 1_500, 1_500),
            "ConcurrentExecutions": (2, 3, 1, 2, 1, 2),
            "UnreservedConcurrentExecutions": (2, 2, 1, 1, 1, 1),
            "ClaimedAccountConcurrency": (2, 4, 2, 2, 2, 2),
        }

    def test_function_with_suppressed_inits(self) -> None:
        """Duration leaves an init out and a suppressed init in."""
        assert figures(rows(), 0, "f") == {
            "Invocations": (2, 2, 1, 1, 1, 1),
            "Errors": (2, 2, 1, 1, 1, 1),
            "Duration": (2, 2_500, 1_000, 1_500, 1_000, 1_500),
            "ConcurrentExecutions": (2, 2, 1, 1, 1, 1),
        }

    def test_reserved_function(self) -> None:
        """It is absent from UnreservedConcurrentExecutions and has no row of that name itself."""
        found = rows()
        assert figures(found, 0, "g") == {
            "Invocations": (1, 1, 1, 1, 1, 1),
            "Throttles": (1, 1, 1, 1, 1, 1),
            "Duration": (1, 2_000, 2_000, 2_000, 2_000, 2_000),
            "ConcurrentExecutions": (1, 1, 1, 1, 1, 1),
        }
        assert figures(found, 60, "g") == {"ConcurrentExecutions": (1, 1, 1, 1, 1, 1)}

    def test_order_of_the_rows(self) -> None:
        """By period, then the region before the functions in file order, then by metric."""
        found = rows()
        places = [(row.period_start_ns, ["", "f", "g"].index(row.function)) for row in found]
        assert places == sorted(places)
        metrics = [
            "Invocations",
            "Errors",
            "Throttles",
            "Duration",
            "ConcurrentExecutions",
            "UnreservedConcurrentExecutions",
            "ClaimedAccountConcurrency",
        ]
        assert [row.metric for row in found if places[0] == (row.period_start_ns, 0) and not row.function] == metrics

    def test_units_and_averages(self) -> None:
        """Durations are milliseconds, the rest are counts; the average is sum / sample count."""
        for row in rows():
            assert row.unit == ("Milliseconds" if row.metric == "Duration" else "Count")
            assert row.average == pytest.approx(row.sum / row.sample_count)


class TestPeriods:
    """Rows appear for periods with data only."""

    def test_ten_second_periods(self) -> None:
        """Quiet periods have no row; a busy boundary has one, though nothing starts there.

        Only the unit that g reserves is claimed in all of them, to the end of the run at 100 s.
        """
        found = [row for row in rows(10 * 10**9) if not row.function]
        is_claimed = [row.metric == "ClaimedAccountConcurrency" for row in found]
        starts = dict.fromkeys(
            row.period_start_ns // 10**9 for row, claimed in zip(found, is_claimed, strict=True) if not claimed
        )
        assert list(starts) == [0, 50, 60, 70]
        assert sum(is_claimed) == 11

    def test_sums_do_not_depend_on_the_period(self) -> None:
        """Invocations, errors, throttles and durations are only cut differently."""
        sums = []
        for period_s in (1, 7, 60, 3_600):
            total: dict[tuple[str, str], float] = {}
            for row in rows(period_s * 10**9):
                if "Concurren" not in row.metric:
                    key = (row.function, row.metric)
                    total[key] = total.get(key, 0) + row.sum
            sums.append(total)
        assert sums[1:] == sums[:-1]
        assert sums[0]["", "Duration"] == 6_000

    def test_long_invocation_is_seen_in_every_period(self) -> None:
        """One invocation of 3 minutes: ConcurrentExecutions is 1 in each of them."""
        found = rows(functions={"f": {"duration": "170s"}}, traffic={"t": {"function": "f", "trace": trace([10])}})
        concurrent = [row for row in found if row.metric == "ConcurrentExecutions" and not row.function]
        assert [(row.period_start_ns // 10**9, row.maximum) for row in concurrent] == [(0, 1), (60, 1), (120, 1)]

    def test_what_ends_at_a_boundary_is_not_carried(self) -> None:
        """At one instant ends come first: an invocation that ends at 60 s is no part of the next minute."""
        found = rows(functions={"f": {"duration": "50s"}}, traffic={"t": {"function": "f", "trace": trace([10])}})
        assert {row.period_start_ns for row in found} == {0}

    def test_running_invocation_has_no_duration_yet(self) -> None:
        """What had not ended when the run did counts as an invocation, not under Duration."""
        traffic = {"t": {"function": "f", "trace": trace([99])}}
        found = rows(functions={"f": {"duration": "50s"}}, traffic=traffic, drain="1s")
        assert set(figures(found, 60, "f")) == {"Invocations", "ConcurrentExecutions"}


def test_unreserved_is_what_the_shared_pool_admitted_whatever_the_limits_are_later() -> None:
    """g gives its unit back at 65 s: the first of its invocations was admitted by it, the second by the pool."""
    found = rows(
        traffic={"t": {"function": "g", "trace": trace([1, 70])}},
        changes=[{"at": "65s", "functions": {"g": {"reserved_concurrency": "none"}}}],
    )
    seen = [(row.period_start_ns // 10**9, row.maximum) for row in found if row.metric.startswith("Unreserved")]
    assert seen == [(60, 1.0)]
