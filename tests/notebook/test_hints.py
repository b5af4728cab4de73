"""Where to look when a guess was off: the reason, with figures of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.notebook.figures import FIGURES, drops
from lambdasim.notebook.hints import where_to_look
from lambdasim.scenario.schema import Scenario
from tests.notebook.house import COST, house
from tests.notebook.test_display import DEAD_LETTERS

ROOT = Path(__file__).parents[2]

ROOMY = house(region={"concurrency_quota": 9})
PATIENT = house(client={"retry": {"delays": ["2s"]}})
HASTY = house(rows=[0, 10], client={"timeout": "1200ms"})
BROKEN = house(functions={"f": {"duration": "1s", "errors": {"rate": "100%"}}}, rows=[0, 10])
SLOW = house(functions={"f": {"duration": "9s", "timeout": "2s"}}, rows=[0])
LONG = house(functions={"f": {"duration": "1m", "timeout": "2m"}}, rows=[0], drain="1s")
EVENTS = house(
    functions={"f": {"duration": "1s", "errors": {"rate": "100%"}, "async": {"maximum_retry_attempts": 0}}},
    traffic={"t": {"function": "f", "invoke": "async", "rate": "1/s", "arrivals": "uniform"}},
    duration="1s",
)
NOTHING = house(rows=[])


def hint(figure: str, scenario: Scenario, *, was_low: bool = True) -> str:
    """What is said of a figure of a run."""
    text = where_to_look(FIGURES[figure], was_low=was_low, run=ls.simulate(scenario))
    assert text.startswith("Worth a look: ")
    return text.removeprefix("Worth a look: ")


def test_of_refusals() -> None:
    """The reason, in words; and when nothing was refused, how far the quota was."""
    assert hint("throttled", house()) == (
        "100% of the refusals are account_concurrency: as many requests in flight as the quota allows."
        " result.plot.concurrency() marks each."
    )
    assert hint("throttled", ROOMY) == (
        "nothing was refused, as at most 3 were in flight at once, of 9 that the quota allows."
    )


def test_of_refusals_where_the_quota_changes() -> None:
    """By the quota that was in force at the peak."""
    raised = house(rows=[0, 6, 6, 6], changes=[{"at": "5s", "region": {"concurrency_quota": 9}}])
    assert "at most 3 were in flight at once, of 9 that" in hint("throttled", raised)


@pytest.mark.filterwarnings("ignore:functions.g. has no traffic:lambdasim.ScenarioWarning")
def test_of_refusals_beside_a_reservation() -> None:
    """Then the pool is what nobody reserved."""
    functions = {"f": {"duration": "1s"}, "g": {"reserved_concurrency": 1}}
    text = hint("throttled", house(functions=functions, region={"concurrency_quota": 3, "min_unreserved": 0}))
    assert "as many requests in flight as the unreserved part of the quota allows." in text


def test_refused_attempts_are_told_from_throttled_requests() -> None:
    """One attempt of two was refused, and nobody in the end; of attempts that needs no word."""
    assert hint("throttled", PATIENT).startswith(
        "1 attempt was refused, and tried again or not; 0 is how many requests had no attempt left. 100% of"
    )
    assert hint("throttles", PATIENT).startswith("100% of the refusals")


def test_of_retries() -> None:
    """How many attempts there were; that nobody tries again; that nobody had to."""
    assert hint("retries", PATIENT) == "4 requests made 5 attempts, 1.25 each on average."
    assert hint("retries", house()) == "1 attempt was refused, and these callers do not try again."
    assert hint("retries", ROOMY) == "nothing was refused, so that there was little reason to try again."


def test_of_starts() -> None:
    """Why there are so many, or so few."""
    for figure in ("cold_starts", "environments"):
        assert "so that requests at once cost one start each" in hint(figure, house())
        assert "so that 2 did for 3 invocations. result.plot.lifelines()" in hint(figure, house(), was_low=False)


def test_of_latency() -> None:
    """With a p99 where it is no other word for the slowest."""
    few = "half of the requests took at most 1.5s, the slowest 1.5s. result.plot.latency() shows who the slow ones are."
    assert hint("p99", house()) == hint("max", house()) == few
    many = house(rows=range(0, 200, 2), duration="4m")
    assert hint("p99", many).startswith("half of the requests took at most 1s, 99 of 100 at most 1s, the slowest 1.5s.")


def test_of_concurrency() -> None:
    """2 x 1.5 s + 1 s in flight, over 20 s."""
    assert hint("peak_concurrency", house()).startswith("0.2 were in flight on average, 2 at the peak, and limits see")


def test_of_cost() -> None:
    """3 of 4 GB-s are compute; the requests are 0.0000006 of 0.0000673 dollars; without requests there is no cost."""
    share = f"{100 * 3 * 0.0000166667 / COST:.1f}%"
    assert hint("cost", house()) == f"the largest part is compute, $0.0000500 ({share})."
    assert hint("cost", NOTHING) == "this run costs nothing."


@pytest.mark.filterwarnings(r"ignore:queues\.jobs:lambdasim.ScenarioWarning")
def test_of_dead_letters() -> None:
    """Two of three messages were never tried; with success, none is moved away."""
    assert hint("dead_lettered", house(**DEAD_LETTERS)) == (
        "2 of them met no execution at all, as each receive counts, throttled or not."
        " result.plot.receives() shows some of them."
    )
    fine: dict[str, Any] = DEAD_LETTERS | {"functions": {"f": {"timeout": "10s"}}, "region": {"concurrency_quota": 9}}
    assert hint("dead_lettered", house(**fine)) == (
        "every message was deleted in time, or its queue has no dead-letter queue."
    )


def test_of_drops() -> None:
    """The reason with the most."""
    meaning = "events that failed in their last try (RetriesExhausted)"
    assert hint("dropped", EVENTS) == f"all were {meaning}. result.plot.outcomes() shows when."
    assert hint("dropped", house()) == "no queue and no stream gave anything up."
    assert [(drop.reason, drop.place, drop.count) for drop in drops(ls.simulate(EVENTS).summary)] == [
        ("retries_exhausted", "", 1)
    ]


@pytest.mark.filterwarnings("ignore::lambdasim.ScenarioWarning")
def test_of_drops_of_queues_and_streams() -> None:
    """Messages by queue; records of a stream, and the reason with the most of them."""
    (found,) = drops(ls.simulate(house(**DEAD_LETTERS)).summary)
    assert (found.reason, found.place, found.count) == ("dead_lettered", "jobs", 3)
    assert found.meaning == "messages that were moved to a dead-letter queue"
    run = ls.simulate(ROOT / "scenarios" / "stream-blocked-shard.yaml")
    assert [(drop.reason, drop.place, drop.count) for drop in drops(run.summary)] == [
        ("expired", "as-it-comes", 6),
        ("discarded", "with-care", 1),
    ]
    assert where_to_look(FIGURES["dropped"], was_low=True, run=run) == (
        "Worth a look: most of them, 6, were records that the stream no longer kept. result.plot.outcomes() shows when."
    )


def test_of_failures() -> None:
    """Errors and timeouts of the function."""
    text = "a caller that tries again may have its answer all the same. result.plot.outcomes() shows when."
    assert hint("failed", BROKEN) == (
        f"2 invocations were in vain, 2 by an error and 0 by the function's timeout; {text}"
    )
    assert hint("failed", SLOW) == f"1 invocation was in vain, 0 by an error and 1 by the function's timeout; {text}"
    assert hint("failed", house()) == "no invocation failed."


def test_of_callers_that_gave_up() -> None:
    """How long the others waited."""
    assert hint("timed_out_client", HASTY) == (
        "these callers stopped waiting before they had an answer; of the others the slowest was answered after 1s."
        " result.plot.outcomes() shows when."
    )
    assert hint("timed_out_client", house()) == "nobody gave up: the slowest was answered after 1.5s."
    assert hint("timed_out_client", NOTHING) == "nobody gave up: none had one."


def test_of_what_is_under_way() -> None:
    """When the run ended."""
    assert hint("in_flight", LONG).startswith("the run ended at 21s, whatever was under way then; a longer drain")
    assert hint("in_flight", house()) == "all requests were settled when the run ended."


def test_of_the_requests() -> None:
    """Little's law begins with their rate."""
    assert hint("requests", house()) == "they came in 20s, 0.2/s on average."


def test_of_completions() -> None:
    """Where the rest went."""
    assert hint("completed", house()) == "3 completed, 1 throttled. result.plot.outcomes() shows when."
    assert hint("completed", HASTY) == "1 completed, 1 caller gave up waiting. result.plot.outcomes() shows when."
    assert hint("completed", ROOMY) == "all requests were completed."
