"""How much provisioned concurrency a run would have used, by hand; each request works for one second after its init."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from lambdasim.metrics import provisioned_demand
from lambdasim.metrics.provisioned_demand import Demand, demand_for, demands
from lambdasim.metrics.utilisation import UtilisationPoints
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.metrics.runs import run_of
from tests.metrics.test_text_summary import text_of
from tests.report.test_text_provisioned import tracked

NOTHING = Demand(
    most_in_flight=0,
    most_at_work=0,
    most_in_a_second=0,
    late_spillovers=0,
    first_late_spillover_ns=None,
    minutes_above_target=frozenset(),
)
S = 10**9


def demand_of(**parts: Any) -> Demand:
    """The demand of the function f in a run."""
    return demand_for(run_of(**parts).log, 0)


class TestWhatCounts:
    """Only while some was asked for; of a function that never asked for any, all."""

    ROWS = (0, 0, 0, 10, 10, 30)

    def test_without_any_all_of_the_run_counts(self) -> None:
        """Three at once at 0."""
        found = demand_of(rows=self.ROWS)
        assert found == replace(NOTHING, most_in_flight=3, most_at_work=3, most_in_a_second=3)

    def test_only_while_it_asked_for_some(self) -> None:
        """Asked for from 5 s on, and given up at 20 s: the two at 10 s."""
        function = {"provisioned_allocation": ONE_A_SECOND}
        found = demand_of(functions={"f": function}, rows=self.ROWS, changes=[to(5, 1), to(20, 0)])
        assert (found.most_in_flight, found.most_at_work, found.most_in_a_second) == (2, 2, 2)

    def test_nothing_happened(self) -> None:
        """With and without units."""
        assert demand_of(rows=[]) == demand_of(functions={"f": {"provisioned_concurrency": 2}}, rows=[]) == NOTHING

    def test_who_waits_for_an_init_is_in_flight_but_would_not_be_at_work(self) -> None:
        """One at 0 and one at 5, each of one second, with an init of 10 s: both in flight at 5, never both at work."""
        found = demand_of(functions={"f": {"init": "10s"}}, rows=[0, 5])
        assert (found.most_in_flight, found.most_at_work) == (2, 1)

    def test_what_still_runs_at_the_end_is_at_work(self) -> None:
        """Two of ten seconds, in a run that ends after five."""
        found = demand_of(functions={"f": {"duration": "10s"}}, rows=[0, 1], duration="5s", drain="0s")
        assert (found.most_in_flight, found.most_at_work) == (2, 2)

    def test_late_spillovers(self) -> None:
        """A unit asked for at 5 s is ready 6 s later: those at 7 and 8 s come too early, that at 20 s does not."""
        function = {"provisioned_allocation": ONE_A_SECOND}
        found = demand_of(functions={"f": function}, rows=[1, 7, 8, 20], changes=[to(5, 1)])
        assert (found.late_spillovers, found.first_late_spillover_ns) == (2, 7 * S)


class TestUnits:
    """By concurrency, and by the requests that a unit lets in each second."""

    @pytest.mark.parametrize(
        ("at_work", "in_a_second", "per_unit", "for_rate", "needed"),
        [(3, 40, 10, 4, 4), (3, 41, 10, 5, 5), (7, 40, 10, 4, 7), (3, 400, "unlimited", 0, 3), (0, 0, 10, 0, 0)],
    )
    def test_needed(self, at_work: int, in_a_second: int, per_unit: int | str, for_rate: int, needed: int) -> None:
        """The larger of the two; 41 requests take 5 units of 10 a second."""
        wanted = replace(NOTHING, most_at_work=at_work, most_in_a_second=in_a_second)
        assert (wanted.units_for_rate(per_unit), wanted.units_needed(per_unit)) == (for_rate, needed)


class TestOfARun:
    """Each function that ever asked for some."""

    def test_by_function(self) -> None:
        """Not g, which never did."""
        functions = {"f": {"provisioned_concurrency": 1}, "g": {}, "h": {"provisioned_concurrency": 2}}
        made = run_of(functions=functions, rows=[0, 0])
        found = demands(made.log, made.scenario)
        assert list(found) == ["f", "h"]
        assert (found["f"].most_in_flight, found["h"].most_in_flight) == (2, 0)

    def test_the_printed_summary_computes_it_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though the section on provisioned concurrency and the advice both need it: one look at the utilisation."""
        asked: list[int] = []
        rule = provisioned_demand.utilisation_points

        def counting(log: EventLog, function: int, point_ns: int) -> UtilisationPoints:
            asked.append(function)
            return rule(log, function, point_ns)

        monkeypatch.setattr(provisioned_demand, "utilisation_points", counting)
        text = text_of(tracked())
        assert "target tracking asked for 6 instead of 4, as utilisation had been above 70% since 5:00" in text
        assert "Target tracking comes after the load: f asked 4m after the rise" in text
        assert asked == [0]
