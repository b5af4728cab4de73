"""Request-rate buckets: ten requests per second for each unit of concurrency, one second deep (MODEL.md section 4)."""

from __future__ import annotations

from tests.behaviour.timeline import accepted, refusals
from tests.builders import run

SHORT = {"duration": "125ms"}  # 1/8 s


def of(function: str, *times: float) -> list[tuple[float, None, None, str]]:
    """Rows of a trace for one function."""
    return [(time, None, None, function) for time in times]


def test_the_account_accepts_ten_requests_per_second_for_each_unit_of_quota() -> None:
    """Quota 1, requests of 1 ms one after the other: 10 tokens go in 10 ms, and a tenth of a token is back by then."""
    log = run(
        functions={"f": {"duration": "1ms"}},
        region={"concurrency_quota": 1, "requests_per_concurrency": 10},
        rows=[number / 1_000 for number in range(11)],
    )
    assert accepted(log) == list(range(10))
    assert refusals(log) == [(0.01, "account_rate")]


def test_the_reserved_rate_is_ten_times_the_reserved_units() -> None:
    """The same with one reserved unit in a large account."""
    log = run(
        functions={"f": {"duration": "1ms", "reserved_concurrency": 1}},
        region={"requests_per_concurrency": 10},
        rows=[number / 1_000 for number in range(11)],
    )
    assert accepted(log) == list(range(10))
    assert refusals(log) == [(0.01, "reserved_rate")]


def test_the_rate_grows_with_the_quota() -> None:
    """Quota 3 at two requests per unit: 6 tokens, so of 4 + 3 short requests within 1 ns the last is refused."""
    log = run(
        functions={"f": {"duration": "1ns"}},
        region={"concurrency_quota": 3, "requests_per_concurrency": 2},
        rows=[0, 0, 0, 1e-9, 1e-9, 1e-9, 2e-9],
    )
    assert accepted(log) == [0, 1, 2, 3, 4, 5]
    assert refusals(log) == [(2e-9, "account_rate")]


def test_the_bucket_refills_continuously() -> None:
    """Two tokens at 2/s. 2 - 1 = 1; 1.25 - 1 = 0.25 at 1/8; 0.5 at 1/4: refused; 1 at 1/2; 0.75 at 7/8: refused."""
    log = run(
        functions={"f": SHORT},
        region={"concurrency_quota": 1, "requests_per_concurrency": 2},
        rows=[0, 0.125, 0.25, 0.5, 0.875, 1],
    )
    assert accepted(log) == [0, 1, 3, 5]
    assert refusals(log) == [(0.25, "account_rate"), (0.875, "account_rate")]


def test_a_whole_token_is_enough_and_a_nanosecond_earlier_is_not() -> None:
    """One token at 1/s, used at 0: it is back at 1 exactly."""
    region = {"concurrency_quota": 1, "requests_per_concurrency": 1}
    assert accepted(run(functions={"f": SHORT}, region=region, rows=[0, 1])) == [0, 1]
    assert accepted(run(functions={"f": SHORT}, region=region, rows=[0, 0.999999999])) == [0]


def test_the_bucket_never_holds_more_than_one_second() -> None:
    """After 100 quiet seconds there are 2 tokens, not 200: the third request in a row is refused."""
    log = run(
        functions={"f": SHORT},
        region={"concurrency_quota": 1, "requests_per_concurrency": 2},
        rows=[100, 100.125, 100.25],
    )
    assert accepted(log) == [0, 1]
    assert refusals(log) == [(100.25, "account_rate")]


def test_the_bucket_refills_to_its_depth_and_no_further_between_requests() -> None:
    """Used at 0 (1 left), full at 1/2. 2 - 1 = 1 at 6/8 (not 2.5 - 1), 1.25 - 1 = 0.25 at 7/8, 0.5 at 1: refused."""
    log = run(
        functions={"f": SHORT},
        region={"concurrency_quota": 1, "requests_per_concurrency": 2},
        rows=[0, 0.75, 0.875, 1],
    )
    assert accepted(log) == [0, 1, 2]


def test_functions_in_the_shared_pool_share_its_rate() -> None:
    """Two tokens: one for f, one for g, none for h."""
    log = run(
        functions={"f": SHORT, "g": SHORT, "h": SHORT},
        region={"concurrency_quota": 2, "requests_per_concurrency": 1},
        rows=[0, *of("g", 0), *of("h", 0.25)],
    )
    assert accepted(log) == [0, 1]
    assert refusals(log) == [(0.25, "account_rate")]


def test_a_function_with_reserved_concurrency_takes_no_token_of_the_account() -> None:
    """Three tokens of the account: f, on a reserved unit, leaves all three to g."""
    log = run(
        functions={"f": {**SHORT, "reserved_concurrency": 1}, "g": {"duration": "1ns"}},
        region={"concurrency_quota": 3, "requests_per_concurrency": 1},
        rows=[0, *of("g", 0, 0, 1e-9, 2e-9)],
    )
    assert accepted(log) == [0, 1, 2, 3]
    assert refusals(log) == [(2e-9, "account_rate")]


def test_the_shared_pool_takes_no_reserved_token() -> None:
    """g empties the account's bucket; f still has its own."""
    log = run(
        functions={"f": {**SHORT, "reserved_concurrency": 1}, "g": {"duration": "1ns"}},
        region={"concurrency_quota": 2, "requests_per_concurrency": 1},
        rows=[*of("g", 0, 1e-9, 2e-9), 0.125],
    )
    assert accepted(log) == [0, 1, 3]
    assert refusals(log) == [(2e-9, "account_rate")]


def test_requests_per_concurrency_unlimited_switches_the_rates_off() -> None:
    """A hundred requests of 1 ns, one after the other on one unit, in a tenth of a microsecond."""
    log = run(
        functions={"f": {"duration": "1ns"}},
        region={"concurrency_quota": 1, "requests_per_concurrency": "unlimited"},
        rows=[number * 1e-9 for number in range(100)],
    )
    assert accepted(log) == list(range(100))


def test_a_long_request_takes_one_token_as_well() -> None:
    """Tokens are taken by admission, not by time: a request of 100 s leaves the rate alone after its start."""
    log = run(
        functions={"f": {}},
        region={"concurrency_quota": 2, "requests_per_concurrency": 1},
        rows=[(0, 100), (0, 0.25), (0.5, 0.25), (0.75, 0.25)],
    )
    assert accepted(log) == [0, 1, 2]
    assert refusals(log) == [(0.75, "account_rate")]
