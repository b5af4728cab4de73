"""The cost of any run is the sum over its invocations, capacity and unused inits, counted one by one in Decimal.

Nothing of ``lambdasim.cost`` or ``platform.billing`` is used to count here: rows of the log and prices only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdasim.cost.bill import PARTS
from lambdasim.cost.run_cost import RunCost
from lambdasim.eventlog.log import NOT_YET, EventLog, MessageOutcome
from lambdasim.metrics.thrown_away import thrown_away
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.scenario.pricing import Pricing
from lambdasim.scenario.schema import Scenario
from tests.builders import log_of, scenario, trace
from tests.properties.engine_runs import run_on_engine
from tests.properties.plans import Plan
from tests.strategies import autoscaling_plans, event_plans, modern_plans, provisioned, queue_plans

USD = {
    name: Decimal(usd)
    for name, usd in {
        "requests": "0.0000002",
        "duration.x86_64": "0.0000166667",
        "duration.arm64": "0.0000133334",
        "provisioned_duration.x86_64": "0.0000097222",
        "provisioned_duration.arm64": "0.0000077778",
        "provisioned_capacity.x86_64": "0.0000041667",
        "provisioned_capacity.arm64": "0.0000033334",
        "ephemeral_storage": "0.0000000309",
        "snapstart_cache": "0.0000015046",
        "snapstart_restore": "0.0001397998",
        "sqs_standard": "0.0000004",
        "sqs_fifo": "0.0000005",
        "api_gateway_rest": "0.0000035",
        "api_gateway_http": "0.000001",
    }.items()
}
S, MS = 10**9, 10**6


def up(value: Decimal) -> Decimal:
    """The next whole number."""
    return value.to_integral_value(rounding=ROUND_CEILING)


def rows_of(columns: Any) -> list[dict[str, Any]]:
    """The rows of a table of the log."""
    lists = {name: getattr(columns, name).tolist() for name in type(columns).__dataclass_fields__}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def init_in_bill(log: EventLog, made: Scenario, environment: dict[str, Any]) -> Decimal:
    """Nanoseconds of the init of an environment that are billed, until the end of the run."""
    function = made.functions[log.function_names[environment["function"]]]
    began = environment["created_ns"] + environment["sandbox_ns"]
    took = Decimal(max(0, min(environment["init_ns"], log.end_ns - began)))
    if environment["is_provisioned"]:
        return took
    if function.snapstart is not None:
        return up(took * Decimal(str(function.snapstart.billed)) / MS) * MS
    is_managed = function.package == "zip" and not (function.runtime or "").startswith("provided")
    return Decimal(0) if made.pricing.init == "free-for-managed-zip" and is_managed else took


def slow_bill(log: EventLog, made: Scenario) -> dict[str, Decimal]:
    """Every part of the cost of the run, counted one by one."""
    cost: dict[str, Decimal] = defaultdict(Decimal)
    environments, invocations = rows_of(log.environments), rows_of(log.invocations)
    used: set[int] = set()

    def pay(part: str, number: int, time_ms: Decimal, *, provisioned: bool) -> None:
        function = made.functions[log.function_names[number]]
        price = USD[f"{'provisioned_' if provisioned else ''}duration.{function.architecture}"]
        cost[part] += time_ms / 1_000 * function.memory / 1_024 * price
        more = Decimal(function.ephemeral_storage - 512) / 1_024
        cost["ephemeral_storage"] += time_ms / 1_000 * more * USD["ephemeral_storage"]

    for invocation in invocations:
        cost["request"] += USD["requests"]
        if invocation["handler_ns"] == NOT_YET:
            continue
        end = log.end_ns if invocation["end_ns"] == NOT_YET else invocation["end_ns"]
        work, number = Decimal(end - invocation["handler_ns"]), invocation["function"]
        environment = environments[invocation["environment"]]
        provisioned_ = environment["is_provisioned"]
        billed = up(work / MS)
        pay("compute", number, billed, provisioned=provisioned_)
        if invocation["is_cold"]:
            used.add(invocation["environment"])
            whole = up((work + init_in_bill(log, made, environment)) / MS)
            pay("init", number, whole - billed, provisioned=provisioned_)
    for birth, environment in enumerate(environments):
        alone = birth not in used and (environment["is_provisioned"] or made.pricing.unused_init == "billed")
        if alone:
            time_ms = up(init_in_bill(log, made, environment) / MS)
            pay("init", environment["function"], time_ms, provisioned=environment["is_provisioned"])
    until = min(made.duration, log.end_ns)
    for number, name in enumerate(log.function_names):
        function = made.functions[name]
        pay_capacity(cost, log, made, number, until)
        if function.snapstart is not None and not (function.runtime or "").startswith("java"):
            memory = Decimal(function.memory) / 1_024
            restores = sum(environment["function"] == number for environment in environments)
            cost["snapstart"] += memory * until / S * USD["snapstart_cache"]
            cost["snapstart"] += memory * restores * USD["snapstart_restore"]
    cost["queues"] = slow_queues(log, made, until)
    cost["api_gateway"] = slow_gateways(log, made)
    return {part: cost[part].quantize(Decimal("1e-10")) for part in PARTS}


def pay_capacity(cost: dict[str, Decimal], log: EventLog, made: Scenario, number: int, until: int) -> None:
    """Change by change; what is billed is kept as one entry for each unit x time."""
    function = made.functions[log.function_names[number]]
    changes = [
        (row["time_ns"], row["requested"])
        for row in rows_of(log.capacity)
        if row["function"] == number and row["time_ns"] < until
    ]
    asked = rounding = Decimal(0)
    enabled = None
    before = 0
    for (at, units), (then, _) in pairwise([*changes, (until, 0)]):
        if units and enabled is None:
            enabled = at
        if not units and enabled is not None:
            period = Decimal(at - enabled) / (300 * S)
            rounding += before * (up(period) - period) * 300
            enabled = None
        asked += units * Decimal(then - at) / S
        before = units
    busy = Decimal(0)
    for row in rows_of(log.invocations):
        if row["function"] != number or row["handler_ns"] == NOT_YET:
            continue
        if log.environments.is_provisioned[row["environment"]]:
            end = log.end_ns if row["end_ns"] == NOT_YET else row["end_ns"]
            busy += Decimal(max(0, min(end, until) - min(row["handler_ns"], until))) / S
    gb_price = USD[f"provisioned_capacity.{function.architecture}"] * function.memory / 1_024
    cost["provisioned_busy"] += min(busy, asked) * gb_price
    cost["provisioned_idle"] += (asked - min(busy, asked) + rounding) * gb_price


def chunks(size: int) -> int:
    """Requests of 64 KB."""
    return int(up(Decimal(size) / 65_536))


def slow_queues(log: EventLog, made: Scenario, until: int) -> Decimal:
    """Message by message and batch by batch."""
    total = Decimal(0)
    messages, deliveries = rows_of(log.messages), rows_of(log.deliveries)
    for number, queue in enumerate(made.queues.values()):
        units = 0
        previous: dict[int, int] = {}
        for message in messages:
            moved = previous.get(message["request"]) in (MessageOutcome.DEAD_LETTERED, MessageOutcome.REDRIVEN)
            if message["queue"] == number and not moved:
                units += chunks(queue.message_size)
            previous[message["request"]] = message["outcome"]
        received: Counter[tuple[int, int]] = Counter()
        deleting: dict[int, int] = {}
        for delivery in deliveries:
            if messages[delivery["message"]]["queue"] == number:
                received[delivery["batch"], delivery["received_ns"]] += 1
                deleting[delivery["message"]] = delivery["batch"]
        for count in received.values():
            while count:  # no more than ten at a time
                units += chunks(min(count, 10) * queue.message_size)
                count -= min(count, 10)
        done = Counter(batch for row, batch in deleting.items() if messages[row]["outcome"] == MessageOutcome.DELETED)
        units += sum(-(-count // 10) for count in done.values())
        if queue.event_source_mapping is not None:
            units += idle_s(log, messages, number, until) // 4
        total += units * USD["sqs_standard" if queue.fifo is None else "sqs_fifo"]
    return total


def idle_s(log: EventLog, messages: list[dict[str, Any]], number: int, until: int) -> int:
    """Seconds without a message in the queue, instant by instant."""
    stays = [
        (message["sent_ns"], log.end_ns if message["settled_ns"] == NOT_YET else message["settled_ns"])
        for message in messages
        if message["queue"] == number
    ]
    instants = sorted({0, until} | {at for stay in stays for at in stay if at < until})
    idle = 0
    for begin, end in pairwise(instants):
        if not any(sent <= begin and end <= settled for sent, settled in stays):
            idle += end - begin
    return idle // S


def slow_gateways(log: EventLog, made: Scenario) -> Decimal:
    """Attempt by attempt."""
    total = Decimal(0)
    sources = list(made.traffic.values())
    prices = {"api-gateway-rest": USD["api_gateway_rest"], "api-gateway-http": USD["api_gateway_http"]}
    reached = [row["request"] for row in rows_of(log.invocations)]
    reached += [row["request"] for row in rows_of(log.throttles) if row["reason"] != ThrottleReason.API_GATEWAY_RATE]
    for request in reached:
        front_end = sources[log.requests.source[request]].via
        if front_end is not None:
            total += prices.get(front_end.front_end, Decimal(0))
    return total


def check(log: EventLog, made: Scenario) -> None:
    """The program's bill is the slow one, to the last of ten decimals; functions add up, but for unread queues."""
    cost = RunCost(log, made, thrown_away(log))
    block = cost.blocks()["cost_usd"]
    slow = slow_bill(log, made)
    assert {part: Decimal(repr(block[part])) for part in PARTS} == slow
    assert Decimal(repr(block["total"])) == sum(slow.values())
    each = [cost.blocks(name)["cost_usd"] for name in log.function_names]
    for part in PARTS:
        if part != "queues":
            assert sum(one[part] for one in each) == pytest.approx(block[part], abs=1e-9), part
    for wasted in ("retries", "timeouts"):
        assert 0 <= block[wasted] <= block["total"] + 1e-9


@st.composite
def pricings(draw: st.DrawFn) -> Pricing:
    """Every rule."""
    return Pricing(
        init=draw(st.sampled_from(("billed", "free-for-managed-zip"))),
        unused_init=draw(st.sampled_from(("billed", "free"))),
    )


@st.composite
def sizes(draw: st.DrawFn) -> dict[str, Any]:
    """What only the bill depends on."""
    return {
        "memory": draw(st.integers(128, 10_240)),
        "architecture": draw(st.sampled_from(("x86_64", "arm64"))),
        "ephemeral_storage": draw(st.integers(512, 10_240)),
        "package": draw(st.sampled_from(("zip", "image"))),
    }


ANY_PLAN = st.one_of(modern_plans(), event_plans(), queue_plans(), provisioned(modern_plans()), autoscaling_plans())


@settings(max_examples=150)
@given(ANY_PLAN, st.data())
def test_the_bill_of_any_run(plan: Plan, data: st.DataObject) -> None:
    """Whatever happened in it, whatever the functions' sizes are."""
    done = run_on_engine(plan)
    functions = {
        name: function.model_copy(update=data.draw(sizes())) for name, function in done.scenario.functions.items()
    }
    made = done.scenario.model_copy(update={"functions": functions, "pricing": data.draw(pricings())})
    check(done.log, made)


TIGHT = {"concurrency_quota": 30, "scaling": {"burst": 5, "rate": 5, "per": "10s"}}


@pytest.mark.parametrize(
    "parts",
    [
        # random times, so that nothing is a whole number of milliseconds
        {
            "functions": {
                "a": {
                    "memory": "333MB",
                    "architecture": "arm64",
                    "duration": {"lognormal": {"p50": "80ms", "p99": "900ms"}},
                    "init": {"lognormal": {"p50": "300ms", "p99": "2s"}},
                    "sandbox": "100ms",
                    "idle_timeout": "20s",
                    "ephemeral_storage": "1GB",
                    "errors": {"crash": "5%"},
                    "timeout": "1s",
                },
                "b": {"provisioned_concurrency": 3, "memory": "2GB", "init": "700ms", "reserved_concurrency": 10},
            },
            "traffic": {
                "web": {
                    "function": "a",
                    "rate": "20/s",
                    "via": "api-gateway-http",
                    "client": {"timeout": "500ms", "retry": "boto3-standard"},
                },
                "rest": {"function": "b", "rate": "4/s", "via": "api-gateway-rest"},
            },
            "region": TIGHT,
            "changes": [
                {"at": "20s", "functions": {"b": {"provisioned_concurrency": "none"}}},
                {"at": "25s", "functions": {"b": {"provisioned_concurrency": 2}}},
                {"at": "30s", "deploy": "a"},
            ],
            "duration": "60s",
            "drain": "1s",
        },
        {
            "functions": {
                "a": {"runtime": "python3.13", "snapstart": {"billed": "33%"}, "init": "1s", "idle_timeout": "3s"},
                "b": {"runtime": "java21", "snapstart": True, "init": "1s"},
                "c": {"runtime": "provided.al2023", "package": "zip", "init": "333us"},
            },
            "traffic": {name: {"function": name, "rate": "2/s"} for name in "abc"},
            "profile": "2024",
            "duration": "60s",
        },
        {
            "functions": {"a": {"errors": {"rate": "30%"}, "memory": "1GB", "init": "200ms"}, "b": {}},
            "queues": {
                "q": {
                    "max_receive_count": 2,
                    "dead_letter": "dead",
                    "visibility_timeout": "10s",
                    "event_source_mapping": {"function": "a", "batch_size": 25, "batch_window": "2s"},
                },
                "dead": {"event_source_mapping": {"function": "b", "batch_size": 1}},
            },
            "traffic": {
                "m": {"invoke": "sqs", "queue": "q", "rate": "6/s"},
                "e": {"function": "b", "invoke": "async", "rate": "1/s"},
                "t": {"function": "a", "trace": trace([0, 0, 0])},
            },
            "duration": "40s",
        },
    ],
    ids=["callers", "snapstart", "queues"],
)
def test_the_bill_of_a_scenario(parts: dict[str, Any]) -> None:
    """With random times."""
    made = scenario(**parts)
    check(log_of(made, seed=7), made)
