"""Whole small runs whose bill a reader can do by hand. Functions have 1 GB, so that seconds are GB-seconds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lambdasim.cost.bill import PARTS
from lambdasim.metrics.run import Run
from tests.builders import trace
from tests.metrics.queues import queue_run
from tests.metrics.runs import run_of

REQUEST, GB_S = Decimal("0.0000002"), Decimal("0.0000166667")
CAPACITY, PROVISIONED_GB_S = Decimal("0.0000041667"), Decimal("0.0000097222")


def cost_of(run: Run, function: str | None = None) -> dict[str, Decimal]:
    """The block ``cost_usd``, as Decimal."""
    block = run.summary if function is None else run.summary["functions"][function]
    return {key: Decimal(repr(usd)) for key, usd in block["cost_usd"].items() if usd is not None}


def bill(**parts: Decimal) -> dict[str, Decimal]:
    """All parts of a cost as they are written, those that are not named 0."""
    return {part: Decimal(parts.get(part, 0)).quantize(Decimal("1e-10")) for part in PARTS}


def parts_of(run: Run, function: str | None = None) -> dict[str, Decimal]:
    """The parts of the cost of a run, which add up to its total."""
    cost = cost_of(run, function)
    parts = {part: cost[part].quantize(Decimal("1e-10")) for part in PARTS}
    assert sum(parts.values()) == cost["total"]
    return parts


def one_run(rows: list[Any], function: dict[str, Any] | None = None, **parts: Any) -> Run:
    """A run of one function of 1 GB with these requests."""
    parts = {"duration": "100s", **parts}
    return run_of(rows=rows, functions={"f": {"memory": "1GB", **(function or {})}}, **parts)


@pytest.mark.parametrize(("profile", "init_ms"), [("2026", 100), ("2025-08", 100), ("2024", 0), ("legacy-2023", 0)])
def test_a_cold_start_before_and_after_august_2025(profile: str, init_ms: int) -> None:
    """AWS's own example: duration 250.06 ms and init 100.77 ms are billed 351 ms; before, 251 ms."""
    run = one_run([0], {"duration": "250060us", "init": "100770us"}, profile=profile)
    assert parts_of(run) == bill(request=REQUEST, compute=GB_S * 251 / 1_000, init=GB_S * init_ms / 1_000)


@pytest.mark.parametrize("function", [{"package": "image"}, {"runtime": "provided.al2023"}])
def test_other_inits_were_always_billed(function: dict[str, Any]) -> None:
    """Container images and custom runtimes: a second of init in any profile."""
    for profile in ("2024", "2026"):
        run = one_run([0], {"init": "1s", **function}, profile=profile)
        assert parts_of(run) == bill(request=REQUEST, compute=GB_S, init=GB_S)


def test_the_rule_can_be_set() -> None:
    """Whatever the profile says."""
    run = one_run([0], {"init": "1s"}, pricing={"init": "free-for-managed-zip"})
    assert parts_of(run)["init"] == 0


def test_warm_invocations_have_no_init() -> None:
    """Three seconds of work, of which one began with an init of two."""
    run = one_run([0, 10, 20], {"init": "2s"})
    assert parts_of(run) == bill(request=3 * REQUEST, compute=3 * GB_S, init=2 * GB_S)


def test_memory_and_architecture() -> None:
    """512 MB on arm64: half as many GB-seconds, at its own price."""
    run = one_run([0], {"memory": "512MB", "architecture": "arm64"})
    assert parts_of(run)["compute"] == Decimal("0.0000066667")


def test_the_sandbox_is_not_billed() -> None:
    """Five seconds before the init cost nothing."""
    assert parts_of(one_run([0], {"init": "1s", "sandbox": "5s"}))["init"] == GB_S.quantize(Decimal("1e-10"))


def test_throttles_are_free() -> None:
    """Of two requests at once one is refused."""
    run = one_run([0, 0], region={"concurrency_quota": 1})
    assert run.summary["attempts"]["throttles"] == 1
    assert parts_of(run) == bill(request=REQUEST, compute=GB_S)


def test_an_init_that_nobody_used() -> None:
    """Request 1 starts an environment at 4 and is taken at 5 by the first one; the init goes on to 14 for nobody."""
    rows, function = [0, 4], {"duration": "5s", "init": "0s"}
    # The environment of request 0 is busy from 0 to 5; that of request 1 has an init of 10 s.
    rows = [(0, 5, 0), (4, 1, 10)]
    assert parts_of(one_run(rows, function)) == bill(request=2 * REQUEST, compute=6 * GB_S, init=10 * GB_S)
    free = one_run(rows, function, pricing={"unused_init": "free"})
    assert parts_of(free) == bill(request=2 * REQUEST, compute=6 * GB_S)


def test_an_init_under_way_at_the_end_is_billed_up_to_it() -> None:
    """The run ends at 6, when request 1 is done: two of the ten seconds of the other init."""
    run = one_run([(0, 5, 0), (4, 1, 10)], duration="5s", drain="100s")
    assert run.log.end_ns == 6 * 10**9
    assert parts_of(run)["init"] == (2 * GB_S).quantize(Decimal("1e-10"))


def test_the_sandbox_of_an_init_under_way_is_not_billed() -> None:
    """A second of it each: request 0 works from 1 to 6, then request 1 to 7. The other init has gone on since 5."""
    run = one_run([(0, 5, 0), (4, 1, 10)], {"sandbox": "1s"}, duration="5s", drain="100s")
    assert run.log.end_ns == 7 * 10**9
    assert parts_of(run)["init"] == (2 * GB_S).quantize(Decimal("1e-10"))


def test_an_invocation_under_way_at_the_end_is_billed_up_to_it() -> None:
    """It works from 1 to 31, and the run ends at 12: 11 seconds. One that waits for its init costs its request."""
    run = one_run([(0, 30, 1), (5, 1, 100)], duration="10s", drain="2s")
    assert run.log.end_ns == 12 * 10**9
    # The init of the second is cut at 10 s, so that 7 s of it are over.
    assert parts_of(run) == bill(request=2 * REQUEST, compute=11 * GB_S, init=(1 + 7) * GB_S)


def test_an_init_over_the_limit_is_billed_and_runs_again() -> None:
    """12 s of init, 1 s of work, 30 s of timeout: 10 s as the init, then 12 + 1 s in the invocation."""
    run = one_run([0], {"init": "12s", "timeout": "30s"})
    assert parts_of(run) == bill(request=REQUEST, compute=13 * GB_S, init=10 * GB_S)


def test_a_timeout_is_billed_up_to_it_and_the_next_init_with_it() -> None:
    """5 s of work in 3 s, after an init of 1 s; the next invocation pays the init inside its duration."""
    run = one_run([(0, 5), (50, 1)], {"init": "1s", "timeout": "3s"})
    assert parts_of(run) == bill(request=2 * REQUEST, compute=(3 + 2) * GB_S, init=GB_S)
    # What ended in a timeout: its request, 3 s and its init of 1 s.
    assert cost_of(run)["timeouts"] == (REQUEST + 4 * GB_S).quantize(Decimal("1e-10"))
    assert cost_of(run)["retries"] == 0


def test_what_callers_no_longer_wait_for() -> None:
    """A caller waits 2 s for 5 s of work and tries again at once: both work on to their end, for nobody.

    All 10 s and both requests are timeouts; the second of each is a retry.
    """
    client = {"timeout": "2s", "retry": {"delays": ["0s"]}}
    run = one_run([(0, 5)], client=client)
    assert parts_of(run) == bill(request=2 * REQUEST, compute=10 * GB_S)
    assert cost_of(run)["timeouts"] == (2 * REQUEST + 10 * GB_S).quantize(Decimal("1e-10"))
    assert cost_of(run)["retries"] == (REQUEST + 5 * GB_S).quantize(Decimal("1e-10"))


def test_a_retry_after_a_throttle_is_no_waste() -> None:
    """The first accepted attempt is the second one, and the only one that costs anything."""
    run = one_run([0, 0], region={"concurrency_quota": 1}, client={"retry": {"delays": ["5s"]}})
    assert run.summary["attempts"]["retries"] == 1
    assert parts_of(run) == bill(request=2 * REQUEST, compute=2 * GB_S)
    assert cost_of(run)["retries"] == 0


def test_retries_of_events() -> None:
    """An event that always fails is tried three times: two thirds of it are retries."""
    run = run_of(
        functions={"f": {"memory": "1GB", "errors": {"poison": "100%"}}},
        traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0])}},
        duration="10s",
    )
    assert parts_of(run) == bill(request=3 * REQUEST, compute=3 * GB_S)
    assert cost_of(run)["retries"] == (2 * REQUEST + 2 * GB_S).quantize(Decimal("1e-10"))


def test_what_a_dead_letter_queue_leads_to_is_no_retry() -> None:
    """The event fails once in f; g, which the queue invokes, works on it for the first time."""
    run = run_of(
        functions={
            "f": {
                "memory": "1GB",
                "errors": {"poison": "100%"},
                "async": {"dead_letter": "x", "maximum_retry_attempts": 0},
            },
            "g": {"memory": "1GB"},
        },
        queues={"x": {"event_source_mapping": {"function": "g", "batch_size": 1}}},
        traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0])}},
        duration="10s",
    )
    assert [cost_of(run, name)["request"] for name in "fg"] == [REQUEST, REQUEST]
    assert cost_of(run)["retries"] == 0


def test_a_batch_is_a_retry_where_all_its_messages_are() -> None:
    """Message 0 fails at first, alone, and is back at 5; message 1 comes at 5: a batch of both is no retry."""
    alone = queue_run([0], function={"memory": "1GB", "errors": {"poison": "100%"}}, duration="9s", drain="0s")
    assert cost_of(alone)["request"] == 2 * REQUEST
    assert cost_of(alone)["retries"] == (REQUEST + GB_S).quantize(Decimal("1e-10"))
    together = queue_run(
        [0, 4],
        mapping={"batch_size": 2, "batch_window": "3s"},
        function={"memory": "1GB", "errors": {"poison": "100%"}},
        duration="9s",
        drain="0s",
    )
    # Batches: message 0 from 0, tried at 3; messages 1 (received at 4) and 0 (back at 5), tried together at 5.
    assert cost_of(together)["request"] == 2 * REQUEST
    assert cost_of(together)["retries"] == 0


def test_provisioned_concurrency() -> None:
    """Two units of 1 GB for 100 s; three requests of 10 s at once, of which one spills over with an init of 1 s."""
    run = one_run([0, 0, 0], {"duration": "10s", "init": "1s", "provisioned_concurrency": 2})
    assert parts_of(run) == bill(
        request=3 * REQUEST,
        compute=20 * PROVISIONED_GB_S + 10 * GB_S,
        init=GB_S,
        provisioned_busy=20 * CAPACITY,
        provisioned_idle=180 * CAPACITY,
    )
    # Busy for 20 of 200 s; 0.0000041667 / (0.0000166667 - 0.0000097222) = 0.6
    assert run.summary["provisioned_break_even"] == {"utilization": 0.1, "break_even": pytest.approx(0.6, abs=1e-4)}
    assert run.summary["functions"]["f"]["provisioned_break_even"] == run.summary["provisioned_break_even"]


def test_work_after_the_duration_is_billed_but_capacity_counts_within_it() -> None:
    """A unit for 10 s; from 5 to 25 it works: 5 s of the 10 were busy, all 20 are duration."""
    run = one_run([(5, 20)], {"provisioned_concurrency": 1}, duration="10s")
    assert parts_of(run) == bill(
        request=REQUEST, compute=20 * PROVISIONED_GB_S, provisioned_busy=5 * CAPACITY, provisioned_idle=5 * CAPACITY
    )


def test_capacity_that_is_disabled_is_rounded_up_to_five_minutes() -> None:
    """A unit for the first 100 s of 1,000 costs 300 s."""
    run = one_run(
        [],
        {"provisioned_concurrency": 1},
        duration="1000s",
        changes=[{"at": "100s", "functions": {"f": {"provisioned_concurrency": "none"}}}],
    )
    assert parts_of(run) == bill(provisioned_idle=300 * CAPACITY)


def test_environments_that_outlive_a_reduction_are_busy_beyond_what_was_asked_for() -> None:
    """Two units until 10, when both work until 50. Asked for: 20 s, rounded up to 600 s; all 20 were busy."""
    run = one_run(
        [(0, 50), (0, 50)],
        {"provisioned_concurrency": 2},
        changes=[{"at": "10s", "functions": {"f": {"provisioned_concurrency": "none"}}}],
    )
    assert parts_of(run) == bill(
        request=2 * REQUEST,
        compute=100 * PROVISIONED_GB_S,
        provisioned_busy=20 * CAPACITY,
        provisioned_idle=580 * CAPACITY,
    )
    assert run.summary["provisioned_break_even"]["utilization"] == 1


def test_inits_of_provisioned_environments_are_billed_in_any_profile() -> None:
    """Asked for at 10, two environments with an init of 3 s each; those of the start had theirs before the run."""
    for profile in ("2024", "2026"):
        run = one_run(
            [],
            {"init": "3s", "provisioned_concurrency": 1, "provisioned_allocation": "unlimited"},
            profile=profile,
            pricing={"unused_init": "free"},
            changes=[{"at": "10s", "functions": {"f": {"provisioned_concurrency": 3}}}],
        )
        assert parts_of(run) == bill(init=2 * 3 * PROVISIONED_GB_S, provisioned_idle=(10 + 3 * 90) * CAPACITY)


def test_without_provisioned_concurrency_there_is_no_break_even() -> None:
    """And nothing to say about it."""
    run = one_run([0])
    assert "provisioned_break_even" not in run.summary
    assert "provisioned_break_even" not in run.summary["functions"]["f"]


def snapstart_run(runtime: str, **more: Any) -> Run:
    """Two restores of 400 ms, of which 25 % are billed, in 100 s."""
    function = {"runtime": runtime, "init": "1s", "snapstart": {"restore": "400ms", "billed": "25%"}, **more}
    return one_run([0, 0], function)


def test_snapstart_of_java_costs_nothing_of_its_own() -> None:
    """Of each restore 100 ms are billed as duration, before August 2025 as well."""
    assert parts_of(snapstart_run("java21")) == bill(request=2 * REQUEST, compute=2 * GB_S, init=GB_S * 200 / 1_000)


def test_snapstart_of_others_has_a_cache_and_restores() -> None:
    """1 GB for 100 s in the cache, 1 GB for each of two restores."""
    snapstart = Decimal("0.0000015046") * 100 + Decimal("0.0001397998") * 2
    assert parts_of(snapstart_run("python3.13")) == bill(
        request=2 * REQUEST, compute=2 * GB_S, init=GB_S * 200 / 1_000, snapstart=snapstart
    )


def test_a_restore_is_billed_whatever_the_rule_on_inits() -> None:
    """The billed restore has its own line in AWS's log, and is older than the change of August 2025."""
    run = run_of(
        rows=[0],
        duration="100s",
        profile="2024",
        functions={
            "f": {
                "memory": "1GB",
                "runtime": "java21",
                "snapstart": {"restore": "400ms", "billed": "25%"},
                "init": "1s",
            }
        },
    )
    assert parts_of(run)["init"] == (GB_S / 10).quantize(Decimal("1e-10"))


def test_queues_and_gateways_are_charged_to_the_functions() -> None:
    """A queue to the function that it invokes; one that nobody reads to the whole alone."""
    run = queue_run(
        [0, 0],
        queue={"max_receive_count": 1, "dead_letter": "x"},
        function={"memory": "1GB", "reserved_concurrency": 0},
        others={"x": {}, "y": {"fifo": {"message_groups": 1}}},
        duration="7s",
        drain="0s",
    )
    # Sent, received, and given up at 5: 4 requests, and none that finds nothing in the 2 s that are left.
    assert parts_of(run) == parts_of(run, "f") == bill(queues=4 * Decimal("0.0000004"))


def test_events_sent_to_a_queue_that_nobody_reads_are_in_the_whole_alone() -> None:
    """Three sends."""
    run = run_of(
        functions={
            "f": {
                "memory": "1GB",
                "errors": {"poison": "100%"},
                "async": {"dead_letter": "x", "maximum_retry_attempts": 0},
            }
        },
        queues={"x": {}},
        traffic={"t": {"function": "f", "invoke": "async", "trace": trace([0, 0, 0])}},
        duration="10s",
    )
    assert parts_of(run)["queues"] == 3 * Decimal("0.0000004")
    assert parts_of(run, "f")["queues"] == 0
    assert cost_of(run)["total"] == cost_of(run, "f")["total"] + 3 * Decimal("0.0000004")


def test_gateway_requests_cost_by_their_kind() -> None:
    """Two through a REST API, one through an HTTP API."""
    run = run_of(
        functions={"a": {"memory": "1GB"}, "b": {"memory": "1GB"}},
        traffic={
            "a": {"function": "a", "via": "api-gateway-rest", "trace": trace([0, 1])},
            "b": {"function": "b", "via": "api-gateway-http", "trace": trace([0])},
        },
        duration="10s",
    )
    assert parts_of(run, "a") == bill(request=2 * REQUEST, compute=2 * GB_S, api_gateway=Decimal("0.000007"))
    assert parts_of(run, "b") == bill(request=REQUEST, compute=GB_S, api_gateway=Decimal("0.000001"))
    assert parts_of(run)["api_gateway"] == Decimal("0.000008")


def test_a_million_requests_and_a_month() -> None:
    """Four requests of 1 s in 100 s: 0.0000674668. A million of them, and 26,280 times the run in 730 hours."""
    cost = cost_of(one_run([0, 10, 20, 30]))
    assert cost["total"] == Decimal("0.0000674668")
    assert cost["per_million_requests"] == Decimal("16.8667")
    assert cost["per_month"] == Decimal("0.0000674668") * 26_280


def test_a_month_is_counted_by_the_duration() -> None:
    """A run that goes on to 50 because of one long invocation, 10 s of traffic: 262,800 times in 730 hours."""
    run = one_run([(0, 50)], duration="10s")
    assert cost_of(run)["per_month"] == (REQUEST + 50 * GB_S) * 262_800


def test_the_free_tier_of_a_run_and_of_a_month() -> None:
    """A small run is free; in its month 262,800 x 10 requests of 1 s pay for what is above the free tier."""
    run = one_run([0] * 10, duration="10s", pricing={"free_tier": True})
    cost = cost_of(run)
    assert cost["total"] == 0
    # 2,628,000 - 1,000,000 requests, 2,628,000 - 400,000 GB-s
    assert cost["per_month"] == 1_628_000 * REQUEST + 2_228_000 * GB_S
    assert run.summary["pricing"]["free_tier"] is True


def test_nothing_happened() -> None:
    """No requests: nothing to pay, and no million of them to compare with."""
    run = one_run([])
    assert parts_of(run) == bill()
    assert run.summary["cost_usd"]["per_million_requests"] is None
    assert run.summary["cost_usd"]["per_month"] == 0


def test_a_run_that_was_interrupted_at_once() -> None:
    """No time, so that nothing can be said of a month."""
    run = one_run([], {"provisioned_concurrency": 1})
    stopped = replace(run, log=replace(run.log, end_ns=0, is_partial=True))
    assert parts_of(stopped) == bill()
    assert stopped.summary["cost_usd"]["per_month"] is None
    assert "provisioned_break_even" not in stopped.summary


def test_functions_add_up_to_the_whole() -> None:
    """Where every queue has a function; each function has its own memory."""
    run = run_of(
        functions={"a": {"memory": "1GB"}, "b": {"memory": "2GB", "provisioned_concurrency": 1}, "c": {}},
        traffic={name: {"function": name, "trace": trace([0, 0, 3])} for name in "ab"},
        duration="10s",
    )
    whole, each = cost_of(run), [cost_of(run, name) for name in "abc"]
    for key in (*PARTS, "total", "per_month", "retries", "timeouts"):
        assert whole[key] == sum(one[key] for one in each), key
    assert each[2]["total"] == 0
    assert run.summary["functions"]["c"]["cost_usd"]["per_million_requests"] is None


def test_whose_prices_were_taken() -> None:
    """The region's own, with what had to be borrowed for this bill; or those of us-east-1."""
    frankfurt = one_run([0], {"architecture": "arm64"}, region={"name": "eu-central-1"})
    assert frankfurt.summary["pricing"]["region"] == "eu-central-1"
    assert frankfurt.summary["pricing"]["borrowed"] == []
    borrowed = one_run(
        [0], {"architecture": "arm64", "provisioned_concurrency": 1}, region={"name": "eu-central-1"}
    ).summary["pricing"]
    assert borrowed["borrowed"] == ["provisioned_capacity.arm64", "provisioned_duration.arm64"]
    elsewhere = one_run([0], region={"name": "mx-central-1"})
    assert elsewhere.summary["pricing"]["region"] == "us-east-1"
    assert parts_of(elsewhere) == bill(request=REQUEST, compute=GB_S)


def test_the_blocks_stand_before_those_of_the_functions() -> None:
    """In this order, and only the whole says whose prices these are."""
    summary = one_run([0], {"provisioned_concurrency": 1}).summary
    keys = list(summary)
    position = keys.index("responses")
    assert [
        key for key in keys[position:] if key in ("cost_usd", "pricing", "provisioned_break_even", "functions")
    ] == [
        "cost_usd",
        "pricing",
        "provisioned_break_even",
        "functions",
    ]
    assert list(summary["cost_usd"]) == [
        "total",
        "per_million_requests",
        "per_month",
        *PARTS,
        "retries",
        "timeouts",
    ]
    assert "pricing" not in summary["functions"]["f"]
