"""The request-rate ramp of a function, second by second (MODEL.md section 4).

An allowed rate A starts at ``start``. After each whole second in which more than 0.9 A attempts were accepted it rises
by ``step``, otherwise it falls by ``step``, to no less than ``start``. A bucket of A tokens, refilled at A/s, is asked.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from lambdasim.eventlog.log import EventLog
from tests.behaviour.timeline import accepted, invocations, refusals, throttles
from tests.builders import run

TEN_BY_FIVE = {"start": "10/s", "step": "5/s"}


def offered(counts: dict[float, int], **parts: Any) -> EventLog:
    """A run in which ``counts[t]`` requests of 1 ns arrive at each t, under a ramp from 10/s in steps of 5/s."""
    region = {"concurrency_quota": 10_000, "request_rate_ramp": TEN_BY_FIVE, **parts.pop("region", {})}
    functions = parts.pop("functions", {"f": {"duration": "1ns"}})
    rows = [time for time, count in counts.items() for _ in range(count)]
    return run(functions=functions, region=region, rows=rows, **parts)


def accepted_at(log: EventLog) -> dict[float, int]:
    """How many attempts were accepted at each time."""
    return dict(Counter(row.admitted for row in invocations(log)))


def test_the_bucket_is_full_at_the_start() -> None:
    """Ten at once at 0, and the eleventh is refused."""
    log = offered({0: 11})
    assert accepted_at(log) == {0: 10}
    assert refusals(log) == [(0, "scaling_request_rate")]


def test_the_bucket_is_refilled_continuously_within_a_second() -> None:
    """Empty at 0, A = 10: 2.5 tokens at 1/4 s, and the half is kept: 0.5 + 2.5 = 3 at 1/2 s."""
    log = offered({0: 10, 0.25: 5, 0.5: 5})
    assert accepted_at(log) == {0: 10, 0.25: 2, 0.5: 3}


def test_the_allowed_rate_rises_after_a_second_of_more_than_nine_tenths() -> None:
    """10 > 9 in [0, 1): A = 15 from 1. The level is 10 at 1, so 15 at 1.5 and not 10."""
    log = offered({0: 10, 1.5: 20})
    assert accepted_at(log) == {0: 10, 1.5: 15}


def test_the_allowed_rate_does_not_rise_after_exactly_nine_tenths() -> None:
    """9 accepted in [0, 1) are not more than 9: A = 10, and no more than 10 go at 1.5."""
    log = offered({0: 9, 1.5: 20})
    assert accepted_at(log) == {0: 9, 1.5: 10}


def test_the_level_stays_when_the_allowed_rate_rises() -> None:
    """Empty at 0, 10 at 1: A becomes 15 there, but no token is given for it."""
    log = offered({0: 10, 1: 20})
    assert accepted_at(log) == {0: 10, 1: 10}


def test_the_level_is_clamped_when_the_allowed_rate_falls() -> None:
    """A = 15 in [1, 2) with 5 accepted: level 10 - 5 + 15 = 15 (full) at 2, where A and the level fall to 10."""
    log = offered({0: 10, 1: 5, 2: 20})
    assert accepted_at(log) == {0: 10, 1: 5, 2: 10}


def test_the_level_stays_when_the_allowed_rate_falls_and_the_bucket_is_not_full() -> None:
    """A = 15 in [1, 2): 10 at 1, none left; 7.5 at 1.5, one taken at 1.5 leaves 6.5; at 1.75 10.25.

    Of 13 offered at 1.5 only 1 is sent, 3 at 1.75: 7.25 left, 11 at 2. 14 in the second is more than 13.5, so A = 20.
    """
    log = offered({0: 10, 1: 10, 1.5: 1, 1.75: 3, 2: 30})
    assert accepted_at(log) == {0: 10, 1: 10, 1.5: 1, 1.75: 3, 2: 11}


def test_the_refill_follows_the_allowed_rate() -> None:
    """A = 15 from 1, empty at 1: 7.5 tokens at 1.5 (with A = 10 it were 5), then 0.5 + 3.75 = 4.25 at 1.75."""
    log = offered({0: 10, 1: 10, 1.5: 9, 1.75: 9})
    assert accepted_at(log) == {0: 10, 1: 10, 1.5: 7, 1.75: 4}


def test_the_allowed_rate_rises_second_by_second() -> None:
    """Everything offered at the start of each second: 10, 10, 15, 20, 25, as A = 10, 15, 20, 25, 30.

    The level at the start of a second is what the second before refilled: its A.
    """
    log = offered(dict.fromkeys(range(5), 100))
    assert accepted_at(log) == {0: 10, 1: 10, 2: 10, 3: 10, 4: 10}


def test_the_allowed_rate_climbs_while_the_load_follows_it() -> None:
    """100 offered at every tenth: the first second accepts 10 + 9 x 1 = 19 > 9, the second 10 x 1.5, and so on.

    A = 10: ten at 0, then one each tenth until 0.9. A = 15 in [1, 2): 1 at 1.0 (refilled at 10/s), then 1.5 a tenth
    over nine tenths = 13.5, of which 13 go by 1.9: 14 > 13.5. A = 20 in [2, 3): 0.5 + 1.5 = 2 at 2.0, then 2 a tenth.
    """
    tenths = {number / 10: 100 for number in range(30)}
    taken = accepted_at(offered(tenths))
    seconds = [sum(count for time, count in taken.items() if int(time) == second) for second in range(3)]
    assert seconds == [19, 14, 20]


def test_a_second_of_less_than_nine_tenths_takes_one_step_back() -> None:
    """Up to 15 at 1 and to 20 at 2 (17 > 13.5), back to 15 at 3 after a quiet second: 15 of 20 go at 3.5."""
    log = offered({0: 10, 1: 10, 1.5: 10, 3.5: 20})
    assert accepted_at(log) == {0: 10, 1: 10, 1.5: 7, 3.5: 15}


def test_a_slow_second_takes_one_step_back_as_a_quiet_one_does() -> None:
    """As before, but with one request at 2.5, which is less than 0.9 x 20: A = 15 from 3."""
    log = offered({0: 10, 1: 10, 1.5: 10, 2.5: 1, 3.5: 20})
    assert accepted_at(log) == {0: 10, 1: 10, 1.5: 7, 2.5: 1, 3.5: 15}


def test_each_quiet_second_takes_one_step_back() -> None:
    """As before, but two quiet seconds: A = 10 from 4."""
    log = offered({0: 10, 1: 10, 1.5: 10, 4.5: 20})
    assert accepted_at(log) == {0: 10, 1: 10, 1.5: 7, 4.5: 10}


def test_the_allowed_rate_never_falls_below_its_start() -> None:
    """After 100 quiet seconds A is still 10."""
    log = offered({100: 20})
    assert accepted_at(log) == {100: 10}


def test_a_step_back_beyond_the_start_ends_at_the_start() -> None:
    """Start 10, step 20: A = 30 from 1; a quiet second brings 10, not -10 and not 30."""
    log = offered({0: 10, 2.5: 40}, region={"request_rate_ramp": {"start": "10/s", "step": "20/s"}})
    assert accepted_at(log) == {0: 10, 2.5: 10}


def test_an_attempt_at_the_turn_of_a_second_belongs_to_the_new_one() -> None:
    """9 at 0 and one at 1: the first second had 9, so A stays 10 in [1, 2), and 10 go at 1.5 + 0.25."""
    log = offered({0: 9, 1: 1, 1.75: 20})
    assert accepted_at(log) == {0: 9, 1: 1, 1.75: 10}


def test_refused_attempts_do_not_make_the_allowed_rate_rise() -> None:
    """Quota 9: of 20 at 0 nine are accepted, so A stays 10: 10 - 9 = 1 left at 1.5, and 2 at 1.6 (A = 15: 7.5)."""
    log = offered({0: 20, 1.5: 9, 1.6: 9}, region={"concurrency_quota": 9})
    assert accepted_at(log) == {0: 9, 1.5: 9, 1.6: 2}


def test_attempts_that_the_scaling_rate_refuses_do_not_count() -> None:
    """Nine environments may start: of 100 at 0 nine are accepted, so A is still 10 at 1.5, where 12 want more."""
    few = {"duration": "1ns", "scaling": {"burst": 9, "rate": 1_000, "per": "1s"}}
    log = offered({0: 100, 1.5: 12}, functions={"f": few})
    assert accepted_at(log) == {0: 9, 1.5: 10}
    assert [row.reason for row in throttles(log) if row.time == 1.5] == ["scaling_request_rate"] * 2


def test_each_function_has_a_ramp_of_its_own() -> None:
    """f uses up its ten; g has ten of its own."""
    log = run(
        functions={"f": {"duration": "1ns"}, "g": {"duration": "1ns"}},
        region={"request_rate_ramp": TEN_BY_FIVE},
        rows=[0] * 11 + [(0, None, None, "g")] * 11,
    )
    assert [row.request for row in throttles(log)] == [10, 21]


def test_the_ramp_holds_for_a_function_with_reserved_concurrency() -> None:
    """It is a limit of every function, whichever pool admits it."""
    log = offered({0: 12}, functions={"f": {"duration": "1ns", "reserved_concurrency": 100}})
    assert accepted(log) == list(range(10))
    assert refusals(log) == [(0, "scaling_request_rate")] * 2


def test_an_unlimited_ramp_refuses_nothing() -> None:
    """Switched off, 1,000 at once go."""
    log = offered({0: 1_000}, region={"request_rate_ramp": "unlimited"})
    assert len(accepted(log)) == 1_000


def test_the_published_ramp_is_ten_thousand_requests_at_once() -> None:
    """By default 10,000/s: of 10,001 at 0 the last is refused."""
    log = offered(
        {0: 10_001},
        region={"concurrency_quota": 20_000, "request_rate_ramp": {"start": "10000/s", "step": "1000/s"}},
    )
    assert refusals(log) == [(0, "scaling_request_rate")]
    assert throttles(log)[0].request == 10_000
