"""The block ``sources`` and what the printed summary says of sources and pings, against figures computed by hand."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lambdasim.metrics.run import Run
from lambdasim.metrics.sources import warmed_functions
from lambdasim.report.text import print_summary
from tests.behaviour.queue_timeline import EXACT
from tests.builders import trace
from tests.metrics.runs import by_hand, run_of
from tests.metrics.test_text_summary import text_of

# Quota 2. Two pings at 0 wait for inits of 0.5 s and work for 1 s, until 1.5. At 1 two requests of web are refused; at
# 5 one is taken, warm, until 7. At 10 two pings more, warm, until 11.
PINGED: dict[str, Any] = {
    "region": {"concurrency_quota": 2},
    "functions": {"f": {"duration": "2s", "init": "500ms"}},
    "traffic": {
        "web": {"function": "f", "trace": trace([1, 1, 5])},
        "warm": {"function": "f", "warmer": {"every": "10s", "concurrency": 2, "duration": "1s"}},
    },
    "duration": "20s",
}
NOTHING = {"completed": 0, "failed": 0, "throttled": 0, "timed_out_client": 0, "dropped": 0, "in_flight": 0}
SHARES = ("p50", "p90", "p95", "p99", "p999", "max")


def pinged(**changes: Any) -> Run:
    """The run of PINGED, with other parts."""
    return run_of(**{**PINGED, **changes})


class TestBlock:
    """``sources`` in summary.json."""

    def test_every_figure_by_hand(self) -> None:
        """Latencies of the pings: 1.5, 1.5, 1, 1 s; the median is the second smallest."""
        web, warm = pinged().summary["sources"].values()
        assert web == {
            "requests": {"total": 3, **NOTHING, "completed": 1, "throttled": 2},
            "throttles": 2,
            "invocations": 1,
            "cold_starts": 0,
            "cold_start_ratio": 0.0,
            "latency_s": {"count": 1, "mean": 2.0, **dict.fromkeys(SHARES, 2.0)},
        }
        assert warm == {
            "requests": {"total": 4, **NOTHING, "completed": 4},
            "throttles": 0,
            "invocations": 4,
            "cold_starts": 2,
            "cold_start_ratio": 0.5,
            "latency_s": {"count": 4, "mean": 1.25, **dict.fromkeys(SHARES, 1.5), "p50": 1.0},
        }

    def test_retries_count_as_throttles(self) -> None:
        """Each of the two requests at 1 is refused again at 1.25: four refusals, two requests."""
        traffic = {**PINGED["traffic"]}
        traffic["web"] = {**traffic["web"], "client": {"retry": {"delays": ["250ms"]}}}
        web = pinged(traffic=traffic).summary["sources"]["web"]
        assert (web["throttles"], web["requests"]["throttled"], web["invocations"]) == (4, 2, 1)

    def test_where_it_stands(self) -> None:
        """Behind the blocks of the whole, before the functions."""
        keys = list(pinged().summary)
        assert keys.index("responses") < keys.index("sources") < keys.index("functions")

    def test_one_source_needs_none(self) -> None:
        """The figures of all together are its figures; but a warmer by itself is worth saying."""
        assert "sources" not in by_hand().summary
        only = {"warm": PINGED["traffic"]["warm"]}
        assert list(pinged(traffic=only).summary["sources"]) == ["warm"]

    def test_a_source_without_data(self) -> None:
        """Counts are 0, ratios and times None."""
        traffic = {"none": {"function": "f", "trace": trace([])}, "web": {"function": "f", "trace": trace([1])}}
        none = pinged(traffic=traffic).summary["sources"]["none"]
        assert none["requests"] == {"total": 0, **NOTHING}
        assert none["cold_start_ratio"] is None
        assert none["latency_s"] == {"count": 0, "mean": None, **dict.fromkeys(SHARES)}

    def test_a_batch_counts_for_the_source_of_its_first_message(self) -> None:
        """Two messages of two senders at one instant, in one batch: one cold invocation, of the sender that leads."""
        mapping = {"function": "f", "batch_size": 10, "batch_window": "1s", **EXACT}
        run = run_of(
            functions={"f": {"timeout": "5s"}},
            queues={"q": {"visibility_timeout": "30s", "event_source_mapping": mapping}},
            traffic={
                name: {"invoke": "sqs", "function": "f", "queue": "q", "trace": trace([0])}
                for name in ("first", "second")
            },
            duration="10s",
        )
        sources = run.summary["sources"]
        assert [(one["invocations"], one["cold_starts"]) for one in sources.values()] == [(1, 1), (0, 0)]
        assert [one["requests"]["completed"] for one in sources.values()] == [1, 1]


class TestText:
    """The summary for people."""

    def test_source_by_source(self) -> None:
        """A row for each, in file order: requests, throttled, cold, p50, p99."""
        text = text_of(pinged())
        assert "Source by source requests throttled cold p50 p99 web 3 66.7% 0% 2s 2s warm 4 0% 50.0% 1s 1.5s" in text

    def test_pings_are_told_from_users(self) -> None:
        """4 of 7 requests; of the users' one invocation none was cold. Two pings at work at once, one request."""
        text = text_of(pinged())
        assert "4 of the 7 requests were pings (warm); without pings 0 of 1 invocation (0%) were cold." in text
        assert (
            "Up to 2 pings were at work in f at once, which keeps no more than 2 environments warm; the others had up"
            " to 1 request in flight there at once." in text
        )

    def test_the_share_of_the_users(self) -> None:
        """Three requests at 5, two warm environments: the third is cold, whatever the pings were."""
        traffic = {**PINGED["traffic"], "web": {"function": "f", "trace": trace([5, 5, 5])}}
        text = text_of(pinged(traffic=traffic, region={"concurrency_quota": 9}))
        assert "4 of the 7 requests were pings (warm); without pings 1 of 3 invocations (33.3%) was cold." in text
        assert "the others had up to 3 requests in flight there at once." in text

    def test_nobody_but_a_warmer(self) -> None:
        """No table, and a sentence that says so."""
        text = text_of(pinged(traffic={"warm": PINGED["traffic"]["warm"]}))
        assert "All 4 requests came from a warmer; nobody else sent any." in text
        assert "Source by source" not in text

    def test_sources_without_a_warmer(self) -> None:
        """The table only."""
        traffic = {name: {"function": "f", "trace": trace([number])} for number, name in enumerate("ab")}
        text = text_of(pinged(traffic=traffic))
        assert "Source by source" in text
        assert "ping" not in text

    def test_a_warmer_that_is_off(self) -> None:
        """No pings, no sentence."""
        assert "ping" not in text_of(pinged(changes=[{"at": "0s", "traffic": {"warm": "off"}}]))

    def test_many_sources(self) -> None:
        """The twenty with the most requests; the rest is in the file."""
        traffic = {f"t{n:02}": {"function": "f", "trace": trace([1.0] * (n + 1))} for n in range(22)}
        text = text_of(pinged(traffic=traffic, region={"concurrency_quota": 1_000}))
        assert " t21 22 " in text
        assert " t02 3 " in text
        assert " t01 2 " not in text
        assert "and 2 more in summary.json" in text

    def test_fits_a_narrow_terminal(self) -> None:
        """As everything else."""
        out = io.StringIO()
        print_summary(pinged(), out, None)
        assert max(map(len, out.getvalue().splitlines())) <= 100


class TestAtWork:
    """How many pings hold an environment at once: the handler counts, not the wait for an init."""

    @pytest.mark.parametrize(("duration", "at_work"), [("1s", 1), ("2s", 2), ("3s", 3)])
    def test_staggered_pings(self, duration: str, at_work: int) -> None:
        """At 0, 1 and 2 s; all of them are in flight while the first init of 5 s lasts."""
        warmer = {"every": "60s", "concurrency": 3, "stagger": "1s", "duration": duration}
        traffic = {
            "warm": {"function": "f", "warmer": warmer},
            "web": {"function": "f", "trace": trace([(70, 1), (70, 1), (70, 1), (70, 1)])},
        }
        functions = {"f": {"init": "5s", "assignment": "bound"}}
        run = run_of(traffic=traffic, functions=functions, duration="100s")
        (found,) = warmed_functions(run.log, run.scenario.traffic)
        assert (found.name, found.pings_at_work, found.users_in_flight) == ("f", at_work, 4)

    def test_a_ping_whose_handler_never_began(self) -> None:
        """The first one works from 5 to 6 s and its environment is gone at 10; the second waits when the run ends."""
        traffic = {
            "warm": {"function": "f", "warmer": {"every": "10s", "duration": "1s"}},
            "web": {"function": "f", "trace": trace([(7, 1)])},
        }
        functions = {"f": {"init": "5s", "idle_timeout": "2s"}}
        run = run_of(traffic=traffic, functions=functions, duration="12s", drain="0s")
        (found,) = warmed_functions(run.log, run.scenario.traffic)
        assert (found.pings_at_work, found.users_in_flight) == (1, 1)

    def test_functions_without_both(self) -> None:
        """One that only users call, and one that is only pinged, have nothing to compare."""
        traffic = {
            "warm": {"function": "f", "warmer": {"every": "10s"}},
            "web": {"function": "g", "trace": trace([1])},
        }
        run = run_of(traffic=traffic, functions={"f": {}, "g": {}}, duration="20s")
        assert warmed_functions(run.log, run.scenario.traffic) == []
        assert "2 of the 3 requests were pings (warm)" in text_of(run)
