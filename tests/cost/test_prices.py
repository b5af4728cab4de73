"""The table of prices, and which of them hold where."""

from __future__ import annotations

from decimal import Decimal
from importlib.resources import files

import pytest

from lambdasim.cost.prices import FALLBACK_REGION, FreeUnits, Prices, prices_of, shipped_table
from lambdasim.scenario.price_table import PriceTable, Tier

BILLION = 10**9


def table(**regions: dict[str, object]) -> PriceTable:
    """A table of somebody's own."""
    return PriceTable.model_validate({"regions": {name.replace("_", "-"): prices for name, prices in regions.items()}})


@pytest.mark.parametrize(
    ("gb_seconds", "usd"),
    [
        (0, "0"),
        (1, "0.0000166667"),
        (6 * BILLION, "100000.2"),
        # one more is the first of the second tier
        (6 * BILLION + 1, "100000.200015"),
        # 6 B x 0.0000166667 + 9 B x 0.000015
        (15 * BILLION, "235000.2"),
        # + 5 B x 0.0000133334
        (20 * BILLION, "301667.2"),
    ],
)
def test_tiers_of_duration(gb_seconds: int, usd: str) -> None:
    """Each price is for the units of its tier only."""
    assert prices_of("us-east-1").cost("duration.x86_64", Decimal(gb_seconds)) == Decimal(usd)


def test_tiers_differ_by_architecture() -> None:
    """7.5 B x 0.0000133334 + 0.5 B x 0.0000120001 = 100,000.5 + 6,000.05."""
    assert prices_of("us-east-1").cost("duration.arm64", Decimal(8 * BILLION)) == Decimal("106000.55")


def test_the_prices_of_the_facts() -> None:
    """us-east-1, as AWS's price list had them in 2025-10 and in 2026-09."""
    prices = prices_of("us-east-1")
    expected = {
        "requests": "0.0000002",
        "provisioned_capacity.x86_64": "0.0000041667",
        "provisioned_capacity.arm64": "0.0000033334",
        "provisioned_duration.x86_64": "0.0000097222",
        "provisioned_duration.arm64": "0.0000077778",
        "ephemeral_storage": "0.0000000309",
        "snapstart_cache": "0.0000015046",
        "snapstart_restore": "0.0001397998",
        "sqs_standard": "0.0000004",
        "sqs_fifo": "0.0000005",
        "api_gateway_rest": "0.0000035",
        "api_gateway_http": "0.000001",
    }
    assert {name: prices.first_tier(name) for name in expected} == {
        name: Decimal(usd) for name, usd in expected.items()
    }
    assert prices.free == FreeUnits(requests=1_000_000, gb_seconds=400_000, sqs_requests=1_000_000)


def test_every_region_has_a_source_and_a_date() -> None:
    """And no price is far from us-east-1's: a slip of a digit would be."""
    regions = shipped_table().regions
    home = regions[FALLBACK_REGION].stated()
    assert len(regions) >= 8
    for name, region in regions.items():
        assert region.source, name
        assert region.read, name
        for price, tiers in region.stated().items():
            assert home[price][0].usd * Decimal("0.5") < tiers[0].usd < home[price][0].usd * 2, (name, price)
            assert [tier.usd for tier in tiers] == sorted((tier.usd for tier in tiers), reverse=True), (name, price)


def test_prices_are_text_in_the_file() -> None:
    """So that no digit is lost on the way to Decimal."""
    lines = files("lambdasim.cost").joinpath("prices.yaml").read_text(encoding="utf-8").splitlines()
    priced = [line for line in lines if "0.0" in line and not line.lstrip().startswith(("#", "http", "AWS"))]
    assert len(priced) > 100
    assert all('"0.0' in line and ": 0." not in line for line in priced)


def test_a_region_without_prices_has_those_of_us_east_1() -> None:
    """And says whose they are."""
    prices, home = prices_of("mx-central-1"), prices_of("us-east-1")
    assert prices.region == "us-east-1"
    assert prices.tiers == home.tiers
    assert prices.borrowed == frozenset()


def test_what_a_region_lacks_is_borrowed() -> None:
    """Frankfurt has its own capacity price for x86_64, and none for arm64 in the table."""
    prices = prices_of("eu-central-1")
    assert prices.region == "eu-central-1"
    assert prices.first_tier("provisioned_capacity.x86_64") == Decimal("0.0000050147")
    assert prices.first_tier("provisioned_capacity.arm64") == Decimal("0.0000033334")
    assert "provisioned_capacity.arm64" in prices.borrowed
    assert "provisioned_capacity.x86_64" not in prices.borrowed


def test_own_prices_go_first() -> None:
    """One price is changed, the rest of the region stays; the free tier too, but for what is stated."""
    own = PriceTable.model_validate(
        {
            "date": "2027-01-01",
            "regions": {"eu-central-1": {"requests": "0.0000001", "duration": {"x86_64": "0.00001"}}},
            "free_tier": {"requests": 5},
        }
    )
    prices = prices_of("eu-central-1", own)
    assert prices.first_tier("requests") == Decimal("0.0000001")
    assert prices.first_tier("duration.x86_64") == Decimal("0.00001")
    assert prices.first_tier("duration.arm64") == Decimal("0.0000133334")
    assert prices.date == "2027-01-01"
    assert prices.free == FreeUnits(requests=5, gb_seconds=400_000, sqs_requests=1_000_000)
    assert prices_of("eu-west-1", own).first_tier("requests") == Decimal("0.0000002")


def test_a_new_region_of_ones_own() -> None:
    """It is that region's; what it lacks is us-east-1's, one's own first."""
    own = table(mx_central_1={"requests": "0.0000003"}, us_east_1={"snapstart_cache": "0.000009"})
    prices = prices_of("mx-central-1", own)
    assert prices.region == "mx-central-1"
    assert prices.first_tier("requests") == Decimal("0.0000003")
    assert prices.first_tier("snapstart_cache") == Decimal("0.000009")
    assert "snapstart_cache" in prices.borrowed


def test_long_products_keep_every_digit() -> None:
    """More digits than Decimal has by default."""
    usd = Decimal("0.123456789012345678")
    prices = Prices(region="r", date="", tiers={"requests": (Tier(usd=usd),)}, borrowed=frozenset(), free=FreeUnits())
    # 10**15 + 1
    assert prices.cost("requests", Decimal(10**15 + 1)) == Decimal("123456789012345.801456789012345678")
