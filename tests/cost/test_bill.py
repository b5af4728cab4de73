"""AWS's worked examples to the cent, tiers and free tier over several functions, and sums that add up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lambdasim.cost.bill import PARTS, Bill, Line, parts_of, rounded
from lambdasim.cost.capacity import CapacityUse
from lambdasim.cost.lines import capacity_lines, use_lines
from lambdasim.cost.prices import prices_of
from lambdasim.cost.usage import FunctionUse, InvocationUse
from lambdasim.scenario.profiles import defaults
from lambdasim.scenario.schema import Function

HOUR_NS = 3_600 * 10**9
NOTHING = InvocationUse(invocations=0, on_demand_ms=0, provisioned_ms=0)


def function(memory: str = "1GB", architecture: str = "x86_64", **more: object) -> Function:
    """A function of which only the size matters."""
    given = defaults("2026", "functions.*")
    return Function.model_validate(
        {**given, "duration": "1s", "init": "0s", "memory": memory, "architecture": architecture, **more}
    )


def use(invocations: int = 0, on_demand_ms: int = 0, provisioned_ms: int = 0, **inits: int) -> FunctionUse:
    """What it used."""
    return FunctionUse(
        invocations=invocations,
        on_demand_ms=on_demand_ms,
        on_demand_init_ms=inits.get("on_demand_init_ms", 0),
        provisioned_ms=provisioned_ms,
        provisioned_init_ms=inits.get("provisioned_init_ms", 0),
        restores=0,
        retried=NOTHING,
        timed_out=NOTHING,
    )


def cents(amount: Decimal) -> str:
    """As a bill is written."""
    return f"{amount:.2f}"


def parts(lines: list[Line], *, free_tier: bool, region: str = "us-east-1") -> dict[str, Decimal]:
    """The parts of what the lines come to."""
    return parts_of(Bill(prices_of(region), lines, free_tier=free_tier), lines)


def test_aws_example_three_million_requests() -> None:
    """3 M x 120 ms x 1,536 MB = 540,000 GB-s. Free: 400,000 GB-s and 1 M requests. $2.33 + $0.40 = $2.73."""
    cost = parts([*use_lines(function("1536MB"), use(3_000_000, 3_000_000 * 120))], free_tier=True)
    # 140,000 x 0.0000166667 = 2.333338; 2 M x 0.0000002 = 0.4
    assert (cost["compute"], cost["request"]) == (Decimal("2.333338"), Decimal("0.4"))
    assert cents(cost["total"]) == "2.73"


def test_aws_example_without_the_free_tier() -> None:
    """7.44 M x 2 s x 1,024 MB: $1.49 + $248.00 = $249.49."""
    cost = parts([*use_lines(function(), use(7_440_000, 7_440_000 * 2_000))], free_tier=False)
    assert (cents(cost["request"]), cents(cost["compute"]), cents(cost["total"])) == ("1.49", "248.00", "249.49")


def test_aws_example_of_provisioned_concurrency() -> None:
    """100 units x 1,536 MB for 8 h: $18.00. On them 500,000 x 100 ms, on demand 2.5 M x 120 ms.

    $18 + $0.40 + $0.73 + $0.83 = $19.96: of the free tier the requests count for both, the GB-seconds only on demand.
    """
    busy = 500_000 * 100 * 10**6
    capacity = CapacityUse(requested=100 * 8 * HOUR_NS, rounded_up=0, busy=busy)
    one = function("1536MB")
    used = use(3_000_000, on_demand_ms=2_500_000 * 120, provisioned_ms=500_000 * 100)
    cost = parts([*use_lines(one, used), *capacity_lines(one, capacity)], free_tier=True)
    assert cents(cost["provisioned_busy"] + cost["provisioned_idle"]) == "18.00"
    assert cents(cost["request"]) == "0.40"
    # 75,000 GB-s x 0.0000097222 = 0.729165; 450,000 - 400,000 GB-s x 0.0000166667 = 0.833335
    assert cost["compute"] == Decimal("0.729165") + Decimal("0.833335")
    assert cents(cost["total"]) == "19.96"
    # Busy for 50,000 s of 2,880,000 s.
    assert cost["provisioned_busy"] == rounded(Decimal("0.0000041667") * 75_000)


def test_break_even_by_hand() -> None:
    """An hour of 1 GB costs 0.01500012 to be there; each busy hour saves 0.06000012 - 0.03499992 = 0.0250002.

    0.01500012 / 0.0250002 = 0.6: a unit that is busy for 60 % of the time costs the same either way.
    """
    one, prices = function(), prices_of("us-east-1")
    hour_ms = 3_600_000
    for share, cheaper in ((Decimal("0.59"), "on demand"), (Decimal("0.61"), "provisioned")):
        busy_ms = int(hour_ms * share)
        on_demand = [*use_lines(one, use(0, on_demand_ms=busy_ms))]
        capacity = CapacityUse(requested=HOUR_NS, rounded_up=0, busy=busy_ms * 10**6)
        kept = [*use_lines(one, use(0, provisioned_ms=busy_ms)), *capacity_lines(one, capacity)]
        amounts = [Bill(prices, lines, free_tier=False).amount(lines) for lines in (on_demand, kept)]
        assert (amounts[0] < amounts[1]) is (cheaper == "on demand")


def test_the_free_tier_serves_both_architectures() -> None:
    """300,000 GB-s on each: of the 400,000 free ones each has its half, and pays for 100,000."""
    lines = [
        *use_lines(function(architecture="x86_64"), use(0, 300_000_000)),
        *use_lines(function(architecture="arm64"), use(0, 300_000_000)),
    ]
    assert parts(lines, free_tier=True)["total"] == Decimal("1.66667") + Decimal("1.33334")


def test_the_free_tier_never_pays_out() -> None:
    """Less than what is free costs nothing."""
    assert parts([*use_lines(function(), use(999_999, 399_999_000))], free_tier=True)["total"] == 0


def test_inits_and_handlers_share_the_free_tier() -> None:
    """Both are duration: 600,000 and 200,000 GB-s, half of which is free."""
    cost = parts([*use_lines(function(), use(0, 600_000_000, on_demand_init_ms=200_000_000))], free_tier=True)
    assert (cost["compute"], cost["init"]) == (Decimal("5.00001"), Decimal("1.66667"))


def test_capacity_and_its_duration_have_no_free_tier() -> None:
    """A GB-second of each."""
    one = function()
    capacity = CapacityUse(requested=10**9, rounded_up=0, busy=0)
    cost = parts([*use_lines(one, use(0, provisioned_ms=1_000)), *capacity_lines(one, capacity)], free_tier=True)
    assert (cost["compute"], cost["provisioned_idle"]) == (Decimal("0.0000097222"), Decimal("0.0000041667"))


def test_tiers_are_shared_by_usage() -> None:
    """8 B GB-s: 6 B x 0.0000166667 + 2 B x 0.000015 = 130,000.2. Who used a quarter pays a quarter."""
    small = [*use_lines(function(), use(0, 2 * 10**12))]
    large = [*use_lines(function(), use(0, 6 * 10**12))]
    bill = Bill(prices_of("us-east-1"), small + large, free_tier=False)
    assert bill.amount(small) == Decimal("32500.05")
    assert bill.amount(large) == Decimal("97500.15")


def test_a_month_is_priced_with_its_own_tiers() -> None:
    """1 M requests in a run, 730 such runs: 730 M - 1 M free ones at 0.0000002."""
    lines = [*use_lines(function(), use(1_000_000))]
    bill = Bill(prices_of("us-east-1"), lines, free_tier=True, months=Decimal(730))
    assert bill.amount(lines) == Decimal("145.8")


def test_ephemeral_storage_is_billed_for_what_is_above_512_mb() -> None:
    """1,536 MB - 512 MB = 1 GB, for 3 s of handlers, 2 s of inits and 5 s on provisioned environments: 10 GB-s."""
    one = function("128MB", ephemeral_storage="1536MB")
    used = use(0, 3_000, 5_000, on_demand_init_ms=1_500, provisioned_init_ms=500)
    assert parts([*use_lines(one, used)], free_tier=False)["ephemeral_storage"] == Decimal("0.000000309")
    assert parts([*use_lines(function("128MB"), used)], free_tier=False)["ephemeral_storage"] == 0


@pytest.mark.parametrize("free_tier", [False, True])
def test_parts_add_up_to_the_total_exactly(free_tier: bool) -> None:
    """Though each is rounded to ten decimals."""
    one = function("333MB", "arm64", ephemeral_storage="777MB")
    capacity = CapacityUse(requested=7_777_777_777_777, rounded_up=333, busy=1_234_567_891)
    used = use(1_234_567, 777_777_777_777, 333_333_333, on_demand_init_ms=12_347, provisioned_init_ms=11)
    cost = parts([*use_lines(one, used), *capacity_lines(one, capacity)], free_tier=free_tier)
    assert cost["total"] == sum(cost[part] for part in PARTS)
    assert all(amount == amount.quantize(Decimal("1e-10")) for amount in cost.values())
    assert all(float(amount) >= 0 for amount in cost.values())


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0.00000000005", "0"),
        ("0.00000000015", "2e-10"),
        ("0.000000000051", "1e-10"),
        ("1.00000000025", "1.0000000002"),
    ],
)
def test_amounts_are_rounded_half_even(amount: str, written: str) -> None:
    """To ten decimals."""
    assert rounded(Decimal(amount)) == Decimal(written)
