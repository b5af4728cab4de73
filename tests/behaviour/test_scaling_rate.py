"""The scaling rate: how many execution environments may start (MODEL.md section 4, point 6)."""

from __future__ import annotations

import pytest

from tests.behaviour.timeline import accepted, environments, refusals, throttles
from tests.builders import run

LONG = {"duration": "900s"}  # no environment is ever reused
ONE_EACH_5S = {"burst": 3, "rate": 2, "per": "10s"}


def of(function: str, *times: float) -> list[tuple[float, None, None, str]]:
    """Rows of a trace for one function."""
    return [(time, None, None, function) for time in times]


def test_the_bucket_is_full_at_the_start() -> None:
    """Burst 3: of four requests at 0 the last finds no token."""
    log = run(functions={"f": LONG}, region={"scaling": ONE_EACH_5S}, rows=[0, 0, 0, 0])
    assert accepted(log) == [0, 1, 2]
    assert refusals(log) == [(0, "scaling_rate")]


def test_the_bucket_is_refilled_continuously() -> None:
    """Two tokens in 10 s are one each 5 s: none at 4, one at 5, none at 9, one at 10."""
    log = run(functions={"f": LONG}, region={"scaling": ONE_EACH_5S}, rows=[0, 0, 0, 4, 5, 9, 10])
    assert accepted(log) == [0, 1, 2, 4, 6]
    assert refusals(log) == [(4, "scaling_rate"), (9, "scaling_rate")]


def test_a_token_is_whole_at_its_nanosecond_and_not_before() -> None:
    """Rate 3 in 10 s, empty at 0: the first token is whole 10/3 s later, at 3.333333334 s when rounded up."""
    scaling = {"burst": 1, "rate": 3, "per": "10s"}
    early = run(functions={"f": LONG}, region={"scaling": scaling}, rows=[0, 3.333333333])
    due = run(functions={"f": LONG}, region={"scaling": scaling}, rows=[0, 3.333333334])
    assert accepted(early) == [0]
    assert accepted(due) == [0, 1]


def test_part_of_a_token_is_kept() -> None:
    """Burst 2 used up at 0, then 0.3 a second: 1.2 - 1 = 0.2 at 4, 1.1 - 1 = 0.1 at 7, and exactly 1 at 10."""
    log = run(
        functions={"f": LONG},
        region={"scaling": {"burst": 2, "rate": 3, "per": "10s"}},
        rows=[0, 0, 4, 7, 10],
    )
    assert accepted(log) == [0, 1, 2, 3, 4]


def test_the_bucket_never_holds_more_than_the_burst() -> None:
    """After 100 s there are 3 tokens, not 23."""
    log = run(functions={"f": LONG}, region={"scaling": ONE_EACH_5S}, rows=[100, 100, 100, 100])
    assert accepted(log) == [0, 1, 2]


def test_unused_rate_does_not_add_up_beyond_the_burst_between_requests() -> None:
    """One of three used at 0, back at 5; at 14 there are three, not 4.8."""
    log = run(functions={"f": LONG}, region={"scaling": ONE_EACH_5S}, rows=[0, 14, 14, 14, 14])
    assert accepted(log) == [0, 1, 2, 3]


def test_each_start_takes_exactly_one_token() -> None:
    """Burst 3 spread over time, before any refill: 3 starts, no more."""
    log = run(functions={"f": LONG}, region={"scaling": {"burst": 3, "rate": 1, "per": "900s"}}, rows=[0, 1, 2, 3, 4])
    assert accepted(log) == [0, 1, 2]


def test_reuse_takes_no_token() -> None:
    """Two environments may start: one serves a request each second, so at 3 the second can start, but no third."""
    log = run(region={"scaling": {"burst": 2, "rate": 1, "per": "900s"}}, rows=[0, 1, 2, 3, 3, 3])
    assert accepted(log) == [0, 1, 2, 3, 4]
    assert refusals(log) == [(3, "scaling_rate")]


def test_a_request_that_will_be_served_by_a_freed_environment_takes_a_token_all_the_same() -> None:
    """Every request that finds no idle environment starts one: the waiting request at 1 uses up the second token."""
    log = run(
        functions={"f": {"init": "5s"}},
        region={"scaling": {"burst": 2, "rate": 1, "per": "900s"}},
        rows=[(0, 2, 0), 1, 1],
    )
    assert accepted(log) == [0, 1]
    assert refusals(log) == [(1, "scaling_rate")]
    assert len(environments(log)) == 2


def test_each_function_has_a_bucket_of_its_own() -> None:
    """Scope function, the default: f empties its bucket, g has its own."""
    log = run(
        functions={"f": LONG, "g": LONG},
        region={"scaling": {"burst": 2, "rate": 1, "per": "900s"}},
        rows=[0, 0, 0, *of("g", 0, 0, 0)],
    )
    assert accepted(log) == [0, 1, 3, 4]


def test_scope_region_is_one_bucket_for_all_functions() -> None:
    """Three tokens: two for f, one for g."""
    log = run(
        functions={"f": LONG, "g": LONG},
        region={"scaling": {**ONE_EACH_5S, "scope": "region"}},
        rows=[0, 0, *of("g", 0, 0)],
    )
    assert accepted(log) == [0, 1, 2]
    assert throttles(log) == [(3, 1, 0, "scaling_rate")]


def test_scope_region_holds_for_reserved_concurrency_too() -> None:
    """Reserved units do not bring a scaling bucket of their own."""
    log = run(
        functions={"f": {**LONG, "reserved_concurrency": 5}, "g": LONG},
        region={"scaling": {**ONE_EACH_5S, "scope": "region"}},
        rows=[0, 0, *of("g", 0, 0)],
    )
    assert accepted(log) == [0, 1, 2]


def test_a_functions_own_scaling_replaces_the_regions() -> None:
    """f may start 1, g, as everyone, 3."""
    log = run(
        functions={"f": {**LONG, "scaling": {"burst": 1, "rate": 1, "per": "900s"}}, "g": LONG},
        region={"scaling": ONE_EACH_5S},
        rows=[0, 0, *of("g", 0, 0, 0, 0)],
    )
    assert accepted(log) == [0, 2, 3, 4]


def test_a_functions_own_scaling_takes_no_token_of_a_region_wide_bucket() -> None:
    """f starts two on its own account; g still has the region's three."""
    log = run(
        functions={"f": {**LONG, "scaling": {"burst": 2, "rate": 1, "per": "900s"}}, "g": LONG},
        region={"scaling": {**ONE_EACH_5S, "scope": "region"}},
        rows=[0, 0, 0, *of("g", 0, 0, 0, 0)],
    )
    assert accepted(log) == [0, 1, 3, 4, 5]


def test_a_functions_own_scaling_may_be_unlimited() -> None:
    """f is free of the region's bucket of one."""
    log = run(
        functions={"f": {**LONG, "scaling": "unlimited"}},
        region={"scaling": {"burst": 1, "rate": 1, "per": "900s", "scope": "region"}},
        rows=[0] * 50,
    )
    assert len(accepted(log)) == 50


def test_scaling_unlimited_starts_any_number_at_once() -> None:
    """5,000 at 0 with a quota of 5,000."""
    log = run(functions={"f": LONG}, region={"concurrency_quota": 5_000, "scaling": "unlimited"}, rows=[0] * 5_000)
    assert len(environments(log)) == 5_000


@pytest.mark.parametrize(
    ("region", "burst"),
    [("us-east-1", 3_000), ("us-west-2", 3_000), ("eu-west-1", 3_000), ("eu-central-1", 1_000), ("sa-east-1", 500)],
)
def test_the_legacy_burst_depends_on_the_region(region: str, burst: int) -> None:
    """Until 2023 a region started 3,000, 1,000 or 500 environments at once."""
    log = run(
        functions={"f": LONG},
        region={"name": region, "concurrency_quota": 10_000, "scaling": "legacy"},
        rows=[0] * (burst + 1),
    )
    assert throttles(log) == [(burst, 1, 0, "scaling_rate")]


def test_the_legacy_rate_is_500_environments_a_minute() -> None:
    """500 at 0, then one each 0.12 s: one at 0.12, none at 0.2, and 498 more have come at 59.88 + 0.12."""
    log = run(
        functions={"f": LONG},
        region={"name": "sa-east-1", "concurrency_quota": 10_000, "scaling": "legacy"},
        rows=[0] * 500 + [0.12, 0.2] + [60] * 500,
    )
    assert throttles(log)[0] == (501, 1, 0.2, "scaling_rate")
    assert len(accepted(log)) == 500 + 1 + 499


def test_the_legacy_bucket_is_shared_by_all_functions() -> None:
    """One for the region: 300 for f leave 200 for g."""
    log = run(
        functions={"f": LONG, "g": LONG},
        region={"name": "sa-east-1", "concurrency_quota": 10_000, "scaling": "legacy"},
        rows=[0] * 300 + of("g", *[0] * 201),
    )
    assert throttles(log) == [(500, 1, 0, "scaling_rate")]


def test_the_published_rate_is_1000_at_once_and_100_a_second() -> None:
    """1,000 at 0, the next is refused; 100 more at 1, and the next is refused."""
    log = run(
        functions={"f": LONG},
        region={"concurrency_quota": 5_000, "scaling": {"burst": 1_000, "rate": 1_000, "per": "10s"}},
        rows=[0] * 1_001 + [1] * 101,
    )
    assert throttles(log) == [(1_000, 1, 0, "scaling_rate"), (1_101, 1, 1, "scaling_rate")]
