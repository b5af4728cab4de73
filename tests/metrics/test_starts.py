"""What the figures and sentences say of sandboxes, restores, and restores that failed."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.metrics.highlights import failed_restores, waited_without_cold_start
from lambdasim.metrics.run import Run
from lambdasim.metrics.tables import environments_table, requests_table
from tests.builders import trace
from tests.metrics.runs import run_of
from tests.metrics.test_text_summary import text_of

SNAPSTART = {"runtime": "java21", "snapstart": {"restore": "500ms"}}

# Environments of 11, 5 and 12 s from 0, 1 and 2. At 6 environment 1 takes request 0, until 36. Environment 0 fails at
# 10 with request 1, environment 2 at 12 with request 2.
TWO_FAIL = {"functions": {"f": SNAPSTART}, "rows": [(0, 30, 11), (1, 1, 5), (2, 1, 12)], "duration": "40s"}


def column(run: Run, name: str, table: Any = requests_table) -> list[Any]:
    """One column of a table of a run."""
    made = table(run.log) if table is environments_table else table(run.log, run.outcomes, 0, len(run.log.requests))
    (found,) = [column for column in made if column.name == name]
    return found.natural().tolist()


class TestSandbox:
    """It is no part of an init, and an environment is not idle in it."""

    def test_figures(self) -> None:
        """Of 10 s environment 0 is placed for 3 s, initialises for 2 s, works for 1 s, and is idle for 4 s."""
        run = run_of(functions={"f": {"sandbox": "3s", "init": "2s"}}, rows=[0], duration="10s")
        assert run.summary["init_s"]["max"] == 2.0
        assert run.summary["environments"]["mean"] == 1.0
        assert run.summary["environments"]["mean_idle"] == pytest.approx(0.4)
        assert run.summary["concurrency"]["mean"] == pytest.approx(0.6)

    def test_tables(self) -> None:
        """The caller waits for 5 s, of which 2 s are the init; the environment is busy for 6 s."""
        run = run_of(functions={"f": {"sandbox": "3s", "init": "2s"}}, rows=[0], duration="10s")
        assert (column(run, "init_s"), column(run, "wait_s"), column(run, "latency_s")) == ([2.0], [5.0], [6.0])
        assert column(run, "ready_s", environments_table) == [5.0]
        assert column(run, "busy_s", environments_table) == [6.0]


class TestRestores:
    """Where an init would be, with its own word."""

    def test_figures(self) -> None:
        """A cold start with 0.5 s."""
        run = run_of(functions={"f": SNAPSTART}, rows=[0, 5], duration="10s")
        assert run.summary["invocations"]["cold_starts"] == 1
        assert run.summary["init_s"]["max"] == 0.5
        assert column(run, "init_s")[0] == 0.5

    def test_the_word(self) -> None:
        """Restore with SnapStart, init without, both where functions differ."""
        restored = text_of(run_of(functions={"f": SNAPSTART}, rows=[0]))
        assert "their restore took 500ms (median), 500ms at most" in restored
        assert "their init took 500ms (median)" in text_of(run_of(functions={"f": {"init": "500ms"}}, rows=[0]))
        both = {"f": SNAPSTART, "g": {"init": "500ms"}}
        traffic = {name: {"function": name, "trace": trace([0])} for name in both}
        assert "their init or restore took 500ms (median)" in text_of(run_of(functions=both, traffic=traffic))

    def test_the_word_for_many(self) -> None:
        """At 3 the environment that request 1 started takes request 0, which is cold; the others are not."""
        both = {"f": SNAPSTART, "g": {"init": "500ms"}}
        traffic = {"t": {"function": "f", "trace": trace([(0, 1, 9), (1, 1, 2), (2, 1, 5)])}}
        text = text_of(run_of(functions=both, traffic=traffic))
        assert "quick inits or restores are met more often" not in text  # the cold one is the only one: no spread
        traffic["u"] = {"function": "g", "trace": trace([0])}
        assert "so quick inits or restores are met more often." in text_of(run_of(functions=both, traffic=traffic))

    def test_what_to_try(self) -> None:
        """Two of two in flight wait for a restore when request 2 is refused: half of it can be tried."""
        parts = {"functions": {"f": SNAPSTART}, "region": {"concurrency_quota": 2}, "rows": [0, 0.1, 0.2]}
        text = text_of(run_of(**parts))
        assert "At the first refusal 2 of 2 in flight waited for a restore." in text
        assert "try --set 'functions.f.snapstart={restore: 250ms}'" in text
        half = {"f": {**SNAPSTART, "snapstart": {"restore": "250ms"}}}
        assert run_of(**{**parts, "functions": half}).summary["init_s"]["max"] == 0.25


class TestFailedRestores:
    """Invocations that end with the restore of their environment."""

    def test_they_are_failed_requests(self) -> None:
        """Two timeouts, which are errors, without a cold start and without a latency."""
        summary = run_of(**TWO_FAIL).summary
        assert (summary["requests"]["completed"], summary["requests"]["failed"]) == (1, 2)
        assert summary["invocations"]["timeouts"] == 2
        assert summary["invocations"]["errors"] == 2
        assert summary["invocations"]["cold_starts"] == 1
        assert summary["latency_s"]["count"] == 1

    def test_they_are_told_apart(self) -> None:
        """Nobody was served late by a freed environment; a timeout of the handler is another thing."""
        log = run_of(**TWO_FAIL).log
        assert failed_restores(log) == 2
        assert waited_without_cold_start(log) == 0
        timed_out = run_of(functions={"f": {"init": "1s", "timeout": "1s", "duration": "2s"}}, rows=[0]).log
        assert failed_restores(timed_out) == 0

    def test_a_request_that_waits_at_the_end_has_not_failed(self) -> None:
        """It has neither a start nor an end."""
        waiting = run_of(functions={"f": {**SNAPSTART, "snapstart": {"restore": "11s"}}}, rows=[0], drain="0s")
        assert failed_restores(waiting.log) == 1  # 1,000 s are enough
        waiting = run_of(
            functions={"f": {**SNAPSTART, "snapstart": {"restore": "11s"}}}, rows=[0], duration="5s", drain="1s"
        )
        assert failed_restores(waiting.log) == 0

    def test_they_are_named(self) -> None:
        """With AWS's exception."""
        sentence = "2 invocations were given up after a restore of 10 s, without any work (SnapStartTimeoutException"
        assert sentence in text_of(run_of(**TWO_FAIL))
        assert "given up after a restore" not in text_of(run_of(functions={"f": SNAPSTART}, rows=[0]))
