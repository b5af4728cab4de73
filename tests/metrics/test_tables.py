"""The tables of a run as Python sees them: the columns of the CSV files, with nan or nothing where there is nothing."""

from __future__ import annotations

import math

import numpy as np

from lambdasim.metrics.tables import MISSING, Column, attempts_table, environments_table, requests_table, structured
from tests.metrics.runs import by_hand

RUN = by_hand()
COUNT = len(RUN.log.requests)


class TestNatural:
    """Integers inside, seconds, text and flags outside."""

    def test_each_kind(self) -> None:
        """A missing time is nan, a missing label is empty, a missing flag is no."""
        values = np.array([1, MISSING, 0])
        assert Column(name="n", kind="number", values=values).natural().tolist() == [1, -1, 0]
        assert Column(name="f", kind="flag", values=values).natural().tolist() == [True, False, False]
        assert Column(name="l", kind="label", values=values, labels=("a", "b")).natural().tolist() == ["b", "", "a"]
        times = Column(name="t", kind="time", values=values * 1_500_000_000).natural().tolist()
        assert times[0] == 1.5
        assert Column(name="t", kind="time", values=values).natural()[2] == 0.0
        assert math.isnan(Column(name="t", kind="time", values=values).natural()[1])


class TestRequests:
    """One row for each request."""

    def test_as_a_structured_array(self) -> None:
        """The figures of BY_HAND."""
        table = structured(requests_table(RUN.log, RUN.outcomes, 0, COUNT))
        assert table["outcome"].tolist() == ["completed", "throttled", "completed", "in_flight"]
        assert table["first_throttle_reason"].tolist() == ["", "account_concurrency", "account_concurrency", ""]
        assert table["cold"].tolist() == [True, False, False, True]
        np.testing.assert_array_equal(table["latency_s"], [2.5, 1.0, 3.0, np.nan])
        np.testing.assert_array_equal(table["start_s"], [0.0, np.nan, 3.0, 9.0])
        np.testing.assert_array_equal(table["wait_s"], [0.5, np.nan, 0.0, 0.5])
        np.testing.assert_array_equal(table["init_s"], [0.5, np.nan, np.nan, 0.5])

    def test_a_range_of_rows(self) -> None:
        """A part of the table is the same rows of the whole, with their own numbers."""
        whole = structured(requests_table(RUN.log, RUN.outcomes, 0, COUNT))
        part = structured(requests_table(RUN.log, RUN.outcomes, 1, 3))
        assert part["request"].tolist() == [1, 2]
        assert [repr(row) for row in part.tolist()] == [repr(row) for row in whole.tolist()[1:3]]


class TestAttempts:
    """One row for each attempt, accepted or not."""

    def test_by_request_and_attempt(self) -> None:
        """Refused and accepted attempts stand in one order."""
        table = structured(attempts_table(RUN.log, 0, COUNT))
        assert list(
            zip(table["request"].tolist(), table["attempt"].tolist(), table["result"].tolist(), strict=True)
        ) == [
            (0, 1, "ok"),
            (1, 1, "throttled"),
            (1, 2, "throttled"),
            (2, 1, "throttled"),
            (2, 2, "ok"),
            (3, 1, "running"),
        ]

    def test_waiting_at_the_end_is_not_cold_yet(self) -> None:
        """Whether it will have been a cold start is not known: no start of the handler, no init, no flag."""
        run = by_hand(rows=[9.8], drain="0s")
        columns = {column.name: column.values.tolist() for column in attempts_table(run.log, 0, 1)}
        unknown = [columns[name] for name in ("cold", "init_s", "handler_s", "end_s")]
        assert unknown == [[MISSING]] * 4

    def test_words_of_every_result(self) -> None:
        """ok, error, timeout and crash."""
        words = []
        for function in (
            {},
            {"errors": {"rate": "100%"}},
            {"errors": {"crash": "100%"}},
            {"duration": "2s", "timeout": "1s"},
        ):
            log = by_hand(rows=[0], functions={"f": function}).log
            words += structured(attempts_table(log, 0, 1))["result"].tolist()
        assert words == ["ok", "error", "crash", "timeout"]


class TestEnvironments:
    """One row for each execution environment."""

    def test_busy_time_is_init_and_work(self) -> None:
        """Up to the end of the run; the one that was not reaped has no time for that."""
        table = structured(environments_table(RUN.log))
        np.testing.assert_array_equal(table["busy_s"], [4.5, 2.0])
        np.testing.assert_array_equal(table["reaped_s"], [8.0, np.nan])
        assert table["invocations"].tolist() == [2, 1]

    def test_unfinished_init(self) -> None:
        """An environment whose init the run did not see the end of is busy so far, and not ready."""
        run = by_hand(rows=[9.8], drain="0s")
        table = structured(environments_table(run.log))
        np.testing.assert_allclose(table["busy_s"], [0.2])
        assert np.isnan(table["ready_s"]).all()
        assert table["invocations"].tolist() == [0]

    def test_busy_time_agrees_with_the_summary(self) -> None:
        """Idle time of the summary = life - busy time, where the run has no drain."""
        run = by_hand(drain="0s")
        table = structured(environments_table(run.log))
        ends = np.where(np.isnan(table["reaped_s"]), 10.0, table["reaped_s"])
        idle = float(np.sum(ends - table["created_s"] - table["busy_s"]))
        np.testing.assert_allclose(run.summary["environments"]["mean_idle"], idle / 10)
