"""The block ``provisioned``, what came of requests for more, and the tables, against figures computed by hand.

f has 2 units, works for 4 s after an init of 1 s, and gets more 5 s and then 1 s for each unit after it asked.

    0     f   three requests: two on provisioned environments until 4, one spills over, is cold, and works from 1 to 5
    5     f   on a provisioned environment until 9
    6         3 units instead of 2: ready at 6 + 5 + 1 = 12
    20        end
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lambdasim as ls
from lambdasim.metrics.provisioned import first_spillover, increases, spilled_rows
from lambdasim.metrics.run import Run
from lambdasim.metrics.tables import attempts_table, provisioned_table, structured
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.builders import trace
from tests.metrics.runs import run_of

F = {"duration": "4s", "init": "1s", "provisioned_concurrency": 2, "provisioned_allocation": ONE_A_SECOND}
BY_HAND: dict[str, Any] = {"functions": {"f": F}, "rows": [0, 0, 0, 5], "duration": "20s", "changes": [to(6, 3)]}
G = {"provisioned_concurrency": 1, "provisioned_allocation": ONE_A_SECOND}


def by_hand(**changes: Any) -> Run:
    """The run of the module's docstring, with other parts."""
    return run_of(**{**BY_HAND, **changes})


def with_changes(*changes: dict[str, Any], **function: Any) -> Run:
    """A run of 1,000 s without requests in which only the capacity of f changes."""
    return run_of(functions={"f": {**F, **function}}, rows=[], changes=list(changes))


def more(run: Run) -> list[tuple[float, int, int, float | None]]:
    """(asked, before, units, ready) of every request for more, in seconds."""
    return [
        (one.asked_ns / 1e9, one.before, one.units, None if one.ready_ns is None else one.ready_ns / 1e9)
        for one in increases(run.log, 0)
    ]


class TestBlock:
    """``provisioned`` in summary.json."""

    def test_every_figure_by_hand(self) -> None:
        """Busy 3 x 4 s of 20; ready 2 x 12 s + 3 x 8 s = 48 of 20. Three invocations ran on it, one of four did not."""
        assert by_hand().summary["provisioned"] == {
            "initial": 2,
            "peak_requested": 3,
            "peak_allocated": 3,
            "mean_allocated": 2.4,
            "peak_busy": 2,
            "mean_busy": 0.6,
            "utilization": 0.25,
            "invocations": 3,
            "spillovers": 1,
            "spillover_ratio": 0.25,
            "spillovers_by_reason": {"concurrency": 1, "request_rate": 0, "not_ready": 0},
            "spillover_cold_starts": 1,
            "longest_wait_for_ready_s": 6.0,
        }

    def test_of_one_function_it_is_the_same_and_stands_before_the_functions(self) -> None:
        """In the whole and in the block of f."""
        summary = by_hand().summary
        assert summary["functions"]["f"]["provisioned"] == summary["provisioned"]
        keys = list(summary)
        assert keys.index("responses") < keys.index("provisioned") < keys.index("functions")

    def test_all_functions_together(self) -> None:
        """Beside f an idle g with one unit: 3 units at the start, 3.4 ready on average, of which 0.6 busy."""
        summary = by_hand(functions={"f": F, "g": G, "h": {}}).summary
        whole = summary["provisioned"]
        assert (whole["initial"], whole["peak_requested"], whole["peak_busy"]) == (3, 4, 2)
        assert whole["mean_allocated"] == pytest.approx(3.4)
        assert whole["utilization"] == pytest.approx(0.6 / 3.4)
        idle = summary["functions"]["g"]["provisioned"]
        assert (idle["utilization"], idle["spillover_ratio"], idle["longest_wait_for_ready_s"]) == (0.0, None, None)
        assert "provisioned" not in summary["functions"]["h"]

    def test_what_changes_at_one_instant_is_one_change(self) -> None:
        """At 6 g gives its unit back and f asks for one: never more than 3, whichever comes first in the file."""
        for changes in ([to(6, 3), to(6, "none", "g")], [to(6, "none", "g"), to(6, 3)]):
            run = by_hand(functions={"f": F, "g": G}, changes=changes)
            assert run.summary["provisioned"]["peak_requested"] == 3

    def test_a_change_at_0_comes_after_the_start(self) -> None:
        """2 units are there when the run begins; at 0 a third is asked for, which is there at 6."""
        block = with_changes(to(0, 3)).summary["provisioned"]
        assert (block["initial"], block["peak_requested"], block["longest_wait_for_ready_s"]) == (2, 3, 6.0)

    def test_a_run_without_has_no_block(self) -> None:
        """Nor has one whose functions have none, in so many words."""
        for function in ({}, {"provisioned_concurrency": 0}):
            summary = run_of(functions={"f": function}, rows=[0]).summary
            assert "provisioned" not in summary
            assert "provisioned" not in summary["functions"]["f"]

    def test_what_is_never_ready_counts_as_spillover(self) -> None:
        """1 unit is asked for at 1, to be ready at 7; of requests at 0 and 2 the second is a spillover, and is warm."""
        function = {**F, "duration": "1s", "init": "0s", "provisioned_concurrency": 0}
        block = by_hand(functions={"f": function}, rows=[0, 2], duration="5s", changes=[to(1, 1)]).summary[
            "provisioned"
        ]
        assert (block["initial"], block["peak_requested"], block["peak_allocated"]) == (0, 1, 0)
        assert block["spillovers_by_reason"] == {"concurrency": 0, "request_rate": 0, "not_ready": 1}
        assert (block["invocations"], block["spillover_ratio"], block["spillover_cold_starts"]) == (0, 1.0, 0)
        assert (block["utilization"], block["longest_wait_for_ready_s"]) == (None, None)


class TestRowsOfTheLog:
    """Which invocations ran where."""

    def test_on_provisioned(self) -> None:
        """The third of the four did not."""
        assert by_hand().log.is_on_provisioned.tolist() == [True, True, False, True]

    def test_one_that_waits_at_the_end_has_no_environment_yet(self) -> None:
        """It is on demand: its init of 9 s is not over when the run ends."""
        run = by_hand(functions={"f": {**F, "init": "9s"}}, duration="2s", drain="0s", rows=[0, 0, 0], changes=[])
        assert run.log.invocations.environment.tolist() == [1, 0, -1]  # the last born first
        assert run.log.is_on_provisioned.tolist() == [True, True, False]

    def test_spillovers_find_their_invocations(self) -> None:
        """Requests with retries: the attempts that were accepted are found by request and attempt."""
        run = by_hand(
            rows=[i / 10 for i in range(60)],
            region={"concurrency_quota": 5},
            client={"retry": {"delays": ["1s", "3s"]}},
        )
        log, rows = run.log, spilled_rows(run.log)
        assert len(rows) > 5
        assert np.any(log.spillovers.attempt > 1)
        assert np.array_equal(log.invocations.request[rows], log.spillovers.request)
        assert np.array_equal(log.invocations.attempt[rows], log.spillovers.attempt)
        assert np.array_equal(log.invocations.admitted_ns[rows], log.spillovers.time_ns)

    def test_provisioned_and_spilled_are_all_invocations(self) -> None:
        """While a function has some."""
        run = by_hand(rows=[i / 10 for i in range(60)])
        block = run.summary["provisioned"]
        assert block["invocations"] + block["spillovers"] == run.summary["invocations"]["total"] == 60

    def test_the_first_spillover(self) -> None:
        """At 0, of f; none where nothing spilled over."""
        assert first_spillover(by_hand().log) == (0, "f")
        assert first_spillover(by_hand(rows=[0]).log) is None


class TestIncreases:
    """Requests for more, and what came of each. The k-th unit asked for at t is ready at t + 5 + k."""

    def test_ready_when_all_of_it_is(self) -> None:
        """Three more at 10: at 10 + 5 + 3."""
        assert more(with_changes(to(10, 5))) == [(10, 2, 5, 18)]

    def test_one_upon_the_other(self) -> None:
        """One more at 10, ready at 16; two more at 11, ready at 18."""
        assert more(with_changes(to(10, 3), to(11, 5))) == [(10, 2, 3, 16), (11, 3, 5, 18)]

    def test_given_up_in_part(self) -> None:
        """Of three asked for at 10 one is given up at 12: the other two are ready at 17."""
        assert more(with_changes(to(10, 5), to(12, 4))) == [(10, 2, 4, 17)]

    def test_given_up_as_a_whole(self) -> None:
        """Back to 2, or below, while it is prepared: nothing came of it."""
        assert more(with_changes(to(10, 5), to(12, 2))) == []
        assert more(with_changes(to(10, 5), to(12, 1))) == []

    def test_not_ready_when_the_run_ends(self) -> None:
        """Asked for at 998 of 1,000 s."""
        assert more(with_changes(to(998, 3))) == [(998, 2, 3, None)]

    def test_failed(self) -> None:
        """An init of 140 s may take 130: what was asked for at 10 fails at 140, and what came after it adds to less."""
        slow = {"init": "140s", "timeout": "1s"}
        found = increases(with_changes(to(10, 5), **slow).log, 0)
        assert [(one.has_failed, one.ready_ns) for one in found] == [(True, None)]
        both = increases(with_changes(to(10, 5), to(20, 6), **slow).log, 0)
        assert [(one.before, one.units, one.has_failed) for one in both] == [(2, 5, True), (2, 3, True)]

    def test_what_there_was_before_the_run_is_no_request(self) -> None:
        """Configured with 2."""
        assert more(with_changes()) == []


class TestTables:
    """provisioned.csv, and the last column of attempts.csv."""

    def test_provisioned(self) -> None:
        """Configured with 2; 3 asked for at 6, ready at 12."""
        rows = structured(provisioned_table(by_hand().log))
        assert rows.dtype.names == ("time_s", "function", "requested", "allocated", "status", "cause")
        assert rows.tolist() == [
            (0.0, "f", 2, 2, "ready", "configured"),
            (6.0, "f", 3, 2, "in_progress", "changed"),
            (12.0, "f", 3, 3, "ready", "allocated"),
        ]

    def test_a_failed_allocation(self) -> None:
        """AWS's word for it."""
        run = with_changes(to(10, 3), init="140s", timeout="1s")
        assert structured(provisioned_table(run.log)).tolist()[-1] == (140.0, "f", 2, 2, "failed", "init_failed")

    def test_why_each_attempt_spilled_over(self) -> None:
        """The last column: a reason for the third, empty for the others and for what was refused."""
        run = by_hand(region={"concurrency_quota": 3}, rows=[0, 0, 0, 0, 5])
        table = structured(attempts_table(run.log, 0, 5))
        assert table.dtype.names is not None
        assert table.dtype.names[-1] == "spillover"
        assert table["spillover"].tolist() == ["", "", "concurrency", "", ""]
        assert table["result"].tolist()[3] == "throttled"

    def test_in_parts_it_is_the_same(self) -> None:
        """However many requests are formatted at a time."""
        run = by_hand(
            rows=[i / 10 for i in range(60)], region={"concurrency_quota": 4}, client={"retry": {"delays": ["1s"]}}
        )
        whole = structured(attempts_table(run.log, 0, 60))["spillover"].tolist()
        parts = [structured(attempts_table(run.log, first, first + 7))["spillover"] for first in range(0, 60, 7)]
        assert np.concatenate(parts).tolist() == whole
        assert len(set(whole)) == 2

    def test_without_provisioned_concurrency_there_is_no_such_column(self) -> None:
        """attempts.csv stays as it is."""
        names = [column.name for column in attempts_table(run_of(rows=[0]).log, 0, 1)]
        assert names[-1] == "end_s"


class TestResult:
    """The Python interface and the files."""

    @staticmethod
    def result(**function: Any) -> ls.Result:
        """The run of the module's docstring, by the front door."""
        return ls.simulate(
            {
                "name": "p",
                "duration": "20s",
                "functions": {"f": {**F, **function}},
                "traffic": {"t": {"function": "f", "trace": trace([0, 0, 0, 5])}},
                "changes": [to(6, 3)],
            },
            seed=1,
        )

    def test_provisioned_is_a_table(self) -> None:
        """As an array and as a frame."""
        result = self.result()
        assert result.provisioned["requested"].tolist() == [2, 3, 3]
        frame = result.to_frame("provisioned")
        assert list(frame.columns) == list(result.provisioned.dtype.names or ())
        assert frame["status"].tolist() == ["ready", "in_progress", "ready"]

    def test_the_file(self, tmp_path: Any) -> None:
        """Written with the others, where there is any."""
        self.result().save(tmp_path / "with")
        text = (tmp_path / "with" / "provisioned.csv").read_text()
        assert text.splitlines()[:3] == [
            "time_s,function,requested,allocated,status,cause",
            "0.000000000,f,2,2,ready,configured",
            "6.000000000,f,3,2,in_progress,changed",
        ]
        assert (tmp_path / "with" / "attempts.csv").read_text().splitlines()[3].endswith(",concurrency")
        ls.simulate(
            {
                "duration": "1s",
                "functions": {"f": {"duration": "1s", "init": "0s"}},
                "traffic": {"t": {"function": "f", "rate": "1/s"}},
            },
            seed=1,
        ).save(tmp_path / "without")
        assert not (tmp_path / "without" / "provisioned.csv").exists()
