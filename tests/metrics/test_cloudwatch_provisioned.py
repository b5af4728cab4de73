"""CloudWatch's metrics of provisioned concurrency, by hand; worked examples T20, T21 and T27 of the AWS pages."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from lambdasim.engine.reference.utilisation import UtilisationMeter
from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.metric_rows import MetricRow
from lambdasim.metrics.provisioned import capacity_of
from lambdasim.metrics.run import Run
from lambdasim.metrics.shared_pool import limits_over_run, most_concurrency, peak_claimed, shared_pool
from lambdasim.metrics.utilisation import utilisation_points
from lambdasim.platform.autoscaling import TrackingSpec
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.builders import trace
from tests.metrics.runs import run_of

S = 10**9
MINUTE = 60 * S


def rows_of(run: Run, period_ns: int = MINUTE) -> list[MetricRow]:
    """All rows of a run."""
    return cloudwatch_metrics(run.log, period_ns, run.scenario.limits_in_force())


def highest(run: Run, metric: str, period_ns: int = MINUTE, function: str = "f") -> list[tuple[float, float]]:
    """(start of the period in seconds, maximum) of a metric."""
    found = [row for row in rows_of(run, period_ns) if (row.metric, row.function) == (metric, function)]
    return [(row.period_start_ns / S, row.maximum) for row in found]


def sums(run: Run, metric: str, function: str = "f") -> list[tuple[float, float]]:
    """(start of the minute in seconds, sum) of a metric."""
    found = [row for row in rows_of(run) if (row.metric, row.function) == (metric, function)]
    return [(row.period_start_ns / S, row.sum) for row in found]


def claimed(run: Run) -> list[tuple[float, float]]:
    """The maximum of ClaimedAccountConcurrency in each minute."""
    return highest(run, "ClaimedAccountConcurrency", function="")


def unreserved(run: Run) -> list[tuple[float, float]]:
    """The maximum of UnreservedConcurrentExecutions in each minute."""
    return highest(run, "UnreservedConcurrentExecutions", function="")


class TestUtilisation:
    """Busy of allocated: 4 units; busy 10 to 50, 50 to 80 and 100 to 101."""

    FOUR: ClassVar[dict[str, Any]] = {
        "functions": {"f": {"provisioned_concurrency": 4}},
        "rows": [(10, 40), (50, 30), (100, 1)],
    }

    def test_t27(self) -> None:
        """AWS: of 100 allocated at most 60 are busy in a minute: 60, and 0.6. On average 60 x 30 s of 100 x 60 s."""
        run = run_of(functions={"f": {"provisioned_concurrency": 100}}, rows=[(0, 30)] * 60 + [90], duration="120s")
        assert highest(run, "ProvisionedConcurrentExecutions") == [(0, 60), (60, 1)]
        assert highest(run, "ProvisionedConcurrencyUtilization") == [(0, 0.6), (60, 0.01)]
        (first, _) = [row for row in rows_of(run) if row.metric == "ProvisionedConcurrencyUtilization"]
        assert (first.unit, first.sample_count, first.average, first.sum) == ("None", 1, 0.3, 0.3)

    def test_average_over_the_minute_and_highest_at_an_admission(self) -> None:
        """50 and 21 s of 4 x 60 s; one of four at each admission. Nothing is invoked in the third minute."""
        points = utilisation_points(run_of(**self.FOUR).log, 0, MINUTE)
        assert points.start_ns.tolist() == [0, MINUTE]
        assert points.average.tolist() == [50 / 240, 21 / 240]
        assert points.maximum.tolist() == [0.25, 0.25]

    def test_of_several_minutes_it_is_over_their_points(self) -> None:
        """In five minutes two points: the mean of both, the smaller, and the highest of both maxima."""
        run = run_of(functions={"f": {"provisioned_concurrency": 4}}, rows=[(10, 40), (50, 30), (100, 1), (100, 1)])
        (row,) = [row for row in rows_of(run, 5 * MINUTE) if row.metric == "ProvisionedConcurrencyUtilization"]
        assert (row.sample_count, row.maximum) == (2, 0.5)
        assert row.average == pytest.approx((50 / 240 + 22 / 240) / 2)
        assert (row.minimum, row.p50, row.p99) == (22 / 240, 22 / 240, 50 / 240)

    def test_in_shorter_periods_a_point_is_a_period(self) -> None:
        """10 s each: the first is busy in all of its 10 s; the others, where nothing begins, have none."""
        run = run_of(**self.FOUR)
        found = [row for row in rows_of(run, 10 * S) if row.metric == "ProvisionedConcurrencyUtilization"]
        assert [(row.period_start_ns // S, row.average) for row in found] == [(10, 0.25), (50, 0.25), (100, 1 / 40)]

    def test_the_last_point_ends_with_the_run(self) -> None:
        """At 62 s: 1 s of 2 x 2 s."""
        run = run_of(functions={"f": {"provisioned_concurrency": 2}}, rows=[60], duration="62s")
        assert utilisation_points(run.log, 0, MINUTE).average.tolist() == [0.25]

    def test_what_spills_over_is_an_invocation_as_well(self) -> None:
        """The unit is busy from 10 to 100: in the second minute only a spillover begins, and finds it busy."""
        run = run_of(functions={"f": {"provisioned_concurrency": 1}}, rows=[(10, 90), 70])
        points = utilisation_points(run.log, 0, MINUTE)
        assert points.average.tolist() == [50 / 60, 40 / 60]
        assert points.maximum.tolist() == [1, 1]

    def test_without_capacity_there_is_no_point(self) -> None:
        """1 unit is asked for at 61 and ready at 67: of requests at 62 and 130 only the second has a point."""
        run = run_of(functions={"f": {"provisioned_allocation": ONE_A_SECOND}}, rows=[1, 62, 130], changes=[to(61, 1)])
        assert utilisation_points(run.log, 0, MINUTE).start_ns.tolist() == [2 * MINUTE]

    def test_capacity_that_changes_within_a_minute(self) -> None:
        """1 unit, and 3 from 31 + 5 + 2 = 38 on: 1 x 38 + 3 x 22 = 104 s ready, of which 2 are busy."""
        function = {"provisioned_concurrency": 1, "provisioned_allocation": ONE_A_SECOND}
        run = run_of(functions={"f": function}, rows=[0, 40], changes=[to(31, 3)])
        points = utilisation_points(run.log, 0, MINUTE)
        assert points.average.tolist() == [2 / 104]
        assert points.maximum.tolist() == [1.0]

    @pytest.mark.parametrize("seed", range(3))
    def test_points_are_those_of_the_autoscaler(self, seed: int) -> None:
        """The meter of target tracking, fed with the events of a run, finds the same minutes, averages and maxima."""
        run = run_of(
            functions={
                "f": {
                    "duration": {"exponential": {"mean": "3s"}},
                    "provisioned_concurrency": 3,
                    "provisioned_allocation": ONE_A_SECOND,
                }
            },
            traffic={
                "t": {
                    "function": "f",
                    "trace": trace(sorted(np.random.default_rng(seed).uniform(0, 600, 400).tolist())),
                }
            },
            changes=[to(100, 6), to(200, 1), to(300, 0), to(430, 5)],
            duration="600s",
        )
        log = run.log
        for uses_maximum in (False, True):
            found = utilisation_points(log, 0, MINUTE)
            values = found.maximum if uses_maximum else found.average
            expected = _metered(run, uses_maximum=uses_maximum)
            known = found.start_ns < 9 * MINUTE  # the meter has closed these
            assert [number for number, _ in expected] == (found.start_ns[known] // MINUTE).tolist()
            assert [value for _, value in expected] == pytest.approx(values[known].tolist(), rel=1e-12)


def _metered(run: Run, *, uses_maximum: bool) -> list[tuple[int, float]]:
    """(minute, utilisation) of the first nine minutes by the meter of the engine."""
    log = run.log
    spec = TrackingSpec(
        target=700,
        uses_maximum=uses_maximum,
        out_points=3,
        in_points=30,
        in_below=1,
        in_step=1,
        delay_ns=0,
        out_cooldown_ns=0,
        in_cooldown_ns=0,
    )
    meter, capacity, busy = UtilisationMeter(spec), capacity_of(log, 0), 0
    served = log.is_on_provisioned
    events = [(int(at), 0, 0) for at in log.invocations.end_ns[served]]
    events += [(int(at), 1, int(units)) for at, units in zip(capacity.at_ns, capacity.allocated, strict=True)]
    events += [(int(at), 2, int(one)) for at, one in zip(log.invocations.admitted_ns, served, strict=True)]
    allocated = 0
    for at_ns, kind, value in sorted(events):
        busy += -1 if kind == 0 else value if kind == 2 else 0
        allocated = value if kind == 1 else allocated
        meter.becomes(at_ns, busy, allocated)
        if kind == 2:
            meter.admitted(at_ns)
    meter.advance(9 * MINUTE)
    points = meter.known_points()[:9]
    return [(number, one.busy / one.capacity) for number, one in enumerate(points) if one is not None]


class TestCounts:
    """Invocations on provisioned concurrency, and those that spilled over."""

    def test_by_the_time_of_admission(self) -> None:
        """One unit, busy from 59 to 61: the request at 59.5 spills over in the first minute, the one at 61 does not."""
        run = run_of(functions={"f": {"provisioned_concurrency": 1}}, rows=[(59, 2), 59.5, 61])
        assert sums(run, "ProvisionedConcurrencyInvocations") == [(0, 1), (60, 1)]
        assert sums(run, "ProvisionedConcurrencySpilloverInvocations") == [(0, 1)]
        assert highest(run, "ProvisionedConcurrentExecutions") == [(0, 1), (60, 1)]

    def test_both_are_all_invocations(self) -> None:
        """In every minute of a function that has some throughout."""
        rows = sorted(np.random.default_rng(1).uniform(0, 300, 200).tolist())
        run = run_of(functions={"f": {"duration": "4s", "provisioned_concurrency": 2}}, rows=rows)
        together = dict(sums(run, "ProvisionedConcurrencyInvocations"))
        for minute, count in sums(run, "ProvisionedConcurrencySpilloverInvocations"):
            together[minute] = together.get(minute, 0) + count
        assert list(together.items()) == sums(run, "Invocations")

    def test_no_metric_without_provisioned_concurrency(self) -> None:
        """Neither for another function nor for the region."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 1}, "g": {}},
            traffic={"t": {"function": "f", "trace": trace([(0, None, None, "f"), (0, None, None, "g")])}},
        )
        assert {row.function for row in rows_of(run) if row.metric.startswith("Provisioned")} == {"f"}

    def test_a_busy_environment_is_seen_in_every_minute(self) -> None:
        """From 10 to 130: carried over two boundaries."""
        run = run_of(functions={"f": {"provisioned_concurrency": 2}}, rows=[(10, 120)])
        assert highest(run, "ProvisionedConcurrentExecutions") == [(0, 1), (60, 1), (120, 1)]


class TestClaimed:
    """ClaimedAccountConcurrency = UnreservedConcurrentExecutions + reserved + provisioned of those without."""

    ORANGE: ClassVar[dict[str, Any]] = {
        "orange": {"duration": "9s", "provisioned_concurrency": 400},
        "blue": {"duration": "9s"},
    }

    def run(self, orange: int, blue: int) -> Run:
        """So many at 0 and 1; 600 are left for all that runs on demand."""
        rows = [(0, None, None, "orange")] * orange + [(1, None, None, "blue")] * blue
        return run_of(
            functions=self.ORANGE,
            region={"concurrency_quota": 1_000},
            traffic={"t": {"function": "orange", "trace": trace(rows)}},
        )

    def test_t20(self) -> None:
        """AWS: of 500 in orange 400 run on provisioned concurrency and 100 on unreserved: 500 are claimed."""
        run = self.run(500, 0)
        block = run.summary["functions"]["orange"]["provisioned"]
        assert (block["invocations"], block["spillovers"]) == (400, 100)
        assert unreserved(run) == [(0, 100)]
        assert claimed(run)[0] == (0, 500)
        assert run.summary["attempts"]["throttles"] == 0

    def test_t21(self) -> None:
        """Throttling begins when 1,000 are claimed: 100 of orange and 500 of blue fill the 600, one more is refused."""
        assert claimed(self.run(500, 499))[0] == (0, 999)
        full = self.run(500, 500)
        assert (claimed(full)[0], full.summary["attempts"]["throttles"]) == ((0, 1_000), 0)
        beyond = self.run(500, 501)
        assert (claimed(beyond)[0], beyond.summary["attempts"]["throttles"]) == ((0, 1_000), 1)
        assert unreserved(beyond) == [(0, 600)]
        assert peak_claimed(beyond.log, beyond.scenario.limits_in_force()) == (1_000, 1_000)

    def test_idle_units_are_claimed_in_every_minute(self) -> None:
        """400 without a single request."""
        assert {units for _, units in claimed(self.run(0, 0))} == {400}

    def test_with_a_reservation_only_that_is_claimed(self) -> None:
        """50 reserved, 30 of them provisioned."""
        run = run_of(functions={"f": {"reserved_concurrency": 50, "provisioned_concurrency": 30}}, rows=[0])
        assert claimed(run)[0] == (0, 50)
        assert unreserved(run) == []

    def test_from_the_request_on(self) -> None:
        """5 more at 70 though none is ready before 80; at 130 all are given back."""
        function = {"provisioned_concurrency": 2, "provisioned_allocation": ONE_A_SECOND}
        run = run_of(functions={"f": function}, rows=[], changes=[to(70, 7), to(130, 0)], duration="150s")
        assert claimed(run) == [(0, 2), (60, 7), (120, 7)]

    def test_a_scaled_function_claims_what_it_asked_for(self) -> None:
        """Between 2 and 90 it has 2, whatever it may have, and 5 from 100 on, by a scheduled action."""
        scaled = {
            "min_capacity": 2,
            "max_capacity": 90,
            "scheduled_actions": [{"at": "100s", "min_capacity": 5}],
        }
        run = run_of(
            functions={"f": {"autoscaling": scaled}, "g": {}},
            rows=[],
            region={"concurrency_quota": 100},
            duration="170s",
        )
        assert claimed(run) == [(0, 2), (60, 5), (120, 5)]
        assert [(state.at_ns // S, shared_pool(state)) for state in run.limits] == [(0, 98), (100, 95)]
        assert [most_concurrency(run.limits, "f", at * S) for at in (0, 120)] == [100, 100]
        assert [most_concurrency(run.limits, "g", at * S) for at in (0, 120)] == [98, 95]

    def test_units_that_are_in_use_can_be_claimed_twice(self) -> None:
        """7 of g run on demand until 30; at 20 f asks for 6 more: 7 + 9 of a quota of 10 are claimed until 30."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 3}, "g": {"duration": "30s"}},
            traffic={"t": {"function": "g", "trace": trace([0] * 7)}},
            region={"concurrency_quota": 10},
            changes=[to(20, 9)],
            duration="60s",
        )
        found = highest(run, "ClaimedAccountConcurrency", 10 * S, function="")
        assert found == [(0, 10), (10, 10), (20, 16), (30, 9), (40, 9), (50, 9), (60, 9)]

    def test_units_that_are_given_up_while_they_work(self) -> None:
        """2 of 3 units work until 30 and 50. At 5 all are given up: 2 are claimed until 30, one until 50, then none.

        With a reservation of 4 these 4 are claimed all the time, whatever works.
        """
        parts: dict[str, Any] = {"rows": [(0, 30), (0, 50)], "changes": [to(5, 0)], "duration": "60s"}
        run = run_of(functions={"f": {"provisioned_concurrency": 3}}, **parts)
        found = highest(run, "ClaimedAccountConcurrency", 10 * S, function="")
        assert found == [(0, 3), (10, 2), (20, 2), (30, 1), (40, 1)]
        reserved = run_of(functions={"f": {"provisioned_concurrency": 3, "reserved_concurrency": 4}}, **parts)
        assert {units for _, units in highest(reserved, "ClaimedAccountConcurrency", 10 * S, function="")} == {4}

    def test_the_pool_is_what_aws_computes_it_from(self) -> None:
        """AWS: quota - claimed + unreserved is left for what runs on demand; when one is refused all of it is used."""
        function = {"duration": "5s", "provisioned_concurrency": 3}
        rows = sorted(np.random.default_rng(1).uniform(0, 100, 400).tolist())
        run = run_of(
            functions={"f": function, "g": {"reserved_concurrency": 4}}, rows=rows, region={"concurrency_quota": 20}
        )
        (first, *_) = [row for row in rows_of(run, 1_000 * S) if row.metric == "ClaimedAccountConcurrency"]
        (other, *_) = [row for row in rows_of(run, 1_000 * S) if row.metric == "UnreservedConcurrentExecutions"]
        assert (first.maximum, other.maximum) == (20, 13)
        assert [shared_pool(state) for state in limits_over_run(run.log, run.scenario.limits_in_force())] == [13]
        assert len(run.log.throttles) > 0
