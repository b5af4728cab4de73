"""Application Auto Scaling of provisioned concurrency, minute by minute (T29 to T32).

Minute m is [60 m, 60 m + 60) s. Its point is known 60 s after its end, so it is looked at from 60 (m + 2) s on. A load
of n is made by n requests of exactly 60 s at the start of the minute: n are busy all the time, and the next ones come
when these end. So the average of minute m is n / capacity, to the nanosecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from lambdasim.eventlog.log import EventLog
from tests.behaviour.capacity_timeline import (
    ALLOCATED,
    CONFIGURED,
    IN_PROGRESS,
    READY,
    SCHEDULED,
    TRACKED,
    capacity,
    levels,
    on_provisioned,
    requested,
    spilled,
)
from tests.behaviour.timeline import end_s, refusals
from tests.builders import run

AT_ONCE = "unlimited"


def loads(*runs: tuple[int, int]) -> list[tuple[float, float]]:
    """Requests of 60 s that keep ``load`` busy for ``minutes`` minutes, one (minutes, load) after the other."""
    rows: list[tuple[float, float]] = []
    minute = 0
    for minutes, load in runs:
        for _ in range(minutes):
            rows += [(60 * minute, 60)] * load
            minute += 1
    return rows


def scaled(
    rows: Sequence[Any],
    *,
    units: int | None = 10,
    bounds: tuple[int, int] = (1, 100),
    allocation: Any = AT_ONCE,
    function: Mapping[str, Any] | None = None,
    duration: str = "1200s",
    others: Mapping[str, Any] | None = None,
    region: Mapping[str, Any] | None = None,
    **autoscaling: Any,
) -> EventLog:
    """A run of f under target tracking of 70 %, from ``units`` on within ``bounds``; new units come at once."""
    own: dict[str, Any] = {
        "provisioned_allocation": allocation,
        "autoscaling": {"min_capacity": bounds[0], "max_capacity": bounds[1], "target": "70%", **autoscaling},
        **(function or {}),
    }
    if units is not None:
        own["provisioned_concurrency"] = units
    return run(functions={"f": own, **(others or {})}, rows=rows, duration=duration, region=region)


class TestScaleOut:
    """Three points in a row above the target."""

    def test_minute_by_minute(self) -> None:
        """From 10 units; 57 s of preparation, one a second. Points, and what is done when they are looked at:

        | minute | load | capacity | point | looked at | over 70 %: last three | wanted        | requested |
        |---|---|---|---|---|---|---|---|
        | 0      | 9    | 10       | 0.900 | 120       |                       |               | 10        |
        | 1      | 9    | 10       | 0.900 | 180       |                       |               | 10        |
        | 2      | 9    | 10       | 0.900 | 240       | yes                   | 9/0.7 -> 13   | 13        |
        | 3      | 9    | 10       | 0.900 | 300       | yes                   | 13            | 13        |
        | 4      | 9    | 10       | 0.900 | 360       | yes                   | 13            | 13        |
        | 5      | 9    | 13       | 0.692 | 420       | no                    |               | 13        |
        | 6      | 12   | 13       | 0.923 | 480       | no                    |               | 13        |
        | 7      | 12   | 13       | 0.923 | 540       | no                    |               | 13        |
        | 8      | 12   | 13       | 0.923 | 600       | yes                   | 12/0.7 -> 18  | 18        |
        | 9      | 12   | 13       | 0.923 | 660       | yes                   | 18            | 18        |
        | 10     | 12   | 13       | 0.923 | 720       | yes                   | 18            | 18        |
        | 11     | 12   | 13, 18   | 0.673 | 780       | no                    |               | 18        |

        3 more take 57 + 3 s, from 240 to 300; 5 more 57 + 5 s, from 600 to 662. 720 of 2 x 13 + 58 x 18 = 1,070.
        """
        log = scaled(loads((6, 9), (10, 12)), allocation={"prepare": "57s", "rate": 1, "per": "1s"})
        assert capacity(log) == [
            (0, 10, 10, READY, CONFIGURED),
            (240, 13, 10, IN_PROGRESS, TRACKED),
            (300, 13, 13, READY, ALLOCATED),
            (600, 18, 13, IN_PROGRESS, TRACKED),
            (662, 18, 18, READY, ALLOCATED),
        ]
        assert spilled(log) == []

    def test_a_tenth_of_load_more_is_a_tenth_of_capacity_more(self) -> None:
        """T30: 10 units at 0.9 for three minutes: ceil(10 x 0.9 / 0.7) = 13."""
        assert requested(scaled(loads((3, 9)), duration="300s")) == [(0, 10), (240, 13)]

    def test_two_points_are_not_enough(self) -> None:
        """0.9, 0.9, 0.7, 0.9, 0.9, 0.7: 7 of 10 are the target, and not above it."""
        assert requested(scaled(loads((2, 9), (1, 7), (2, 9), (1, 7)))) == [(0, 10)]

    @pytest.mark.parametrize(("load", "expected"), [(70, [(0, 100)]), (71, [(0, 100), (240, 102)])])
    def test_exactly_the_target_is_not_above_it(self, load: int, expected: list[tuple[float, int]]) -> None:
        """T29: 70 of 100 are 0.70 exactly. 71 want ceil(71 / 0.7) = ceil(101.4) = 102."""
        assert requested(scaled(loads((5, load)), units=100, bounds=(1, 200))) == expected

    def test_a_wish_that_is_whole_is_not_rounded_up(self) -> None:
        """14 / 0.7 is 20, in integers."""
        assert requested(scaled(loads((4, 14)), units=15)) == [(0, 15), (240, 20)]

    @pytest.mark.parametrize(("target", "expected"), [("10%", 90), ("50%", 18), ("90%", 10)])
    def test_other_targets(self, target: str, expected: int) -> None:
        """9 busy: 9 / target. At 90 % of 10 nothing happens."""
        assert requested(scaled(loads((3, 9)), target=target, duration="300s"))[-1][1] == expected

    def test_not_beyond_the_maximum(self) -> None:
        """13 are wanted, 12 allowed: 12, and no more requests when the points stay above."""
        assert requested(scaled(loads((8, 9)), bounds=(1, 12))) == [(0, 10), (240, 12)]

    def test_at_the_maximum_nothing_happens(self) -> None:
        """10 of 10."""
        assert len(capacity(scaled(loads((8, 10)), bounds=(1, 10)))) == 1

    def test_what_is_under_way_is_not_asked_for_again(self) -> None:
        """5 minutes of preparation: the points stay at 0.9 until then, and nothing but 13 is ever asked for."""
        log = scaled(loads((14, 9)), allocation={"prepare": "5m", "rate": 6000, "per": "1m"})
        assert requested(log) == [(0, 10), (240, 13)]

    def test_a_growing_load_asks_for_more_meanwhile(self) -> None:
        """10 units for a load of 8, 8, 8, 9, 10: 12 at 240, 13 (9 / 0.7) at 300, 15 (10 / 0.7 = 14.3) at 360.

        Preparation takes 5 minutes: until then the three points are above 0.7 of the 10 that are ready.
        """
        log = scaled(loads((3, 8), (1, 9), (4, 10)), allocation={"prepare": "5m", "rate": 6000, "per": "1m"})
        assert requested(log)[:4] == [(0, 10), (240, 12), (300, 13), (360, 15)]

    @pytest.mark.parametrize(("delay", "at"), [("0s", 180), ("30s", 210), ("1m", 240), ("2m", 300)])
    def test_the_metric_comes_late(self, delay: str, at: int) -> None:
        """The third minute ends at 180."""
        assert requested(scaled(loads((3, 9)), metric_delay=delay, duration="310s")) == [(0, 10), (at, 13)]

    @pytest.mark.parametrize(("points", "at"), [(1, 120), (2, 180), (5, 360)])
    def test_another_number_of_points(self, points: int, at: int) -> None:
        """The last of them ends a minute before."""
        assert requested(scaled(loads((6, 9)), scale_out_points=points, duration="400s")) == [(0, 10), (at, 13)]

    def test_it_comes_before_the_arrivals_of_its_instant(self) -> None:
        """13 arrive at 240, when 10 become 13 at once: none spills over; without the fourth of scaling 3 do."""
        rows = [*loads((4, 9)), *[(240, 60)] * 13]
        assert spilled(scaled(rows)) == []
        assert len(spilled(scaled(rows, scale_out_points=4))) == 3

    def test_the_load_is_what_the_units_did_and_not_what_spilled_over(self) -> None:
        """30 requests on 10 units: 10 busy, 20 on demand. Wanted: 10 / 0.7 -> 15, then 15 / 0.7 -> 22, and so on.

        From 240 on 15 are busy, known at 360 (minute 4); the points before are above the target as well. From 360 on
        22: known at 480, when 32 (22 / 0.7 = 31.4) are wanted. From 480 on 30 of 32 are busy: 43 (42.9) at 600.
        """
        log = scaled(loads((12, 30)), duration="730s")
        assert requested(log) == [(0, 10), (240, 15), (360, 22), (480, 32), (600, 43)]

    def test_invocations_that_last_longer_than_a_minute(self) -> None:
        """9 of 200 s, and a short request at the start of each minute, without which there were no points.

        The short one, of a nanosecond, makes the load a trifle more than 9, which is 13 all the same.
        """
        rows = [(0, 200)] * 9 + [(60 * minute, 1e-9) for minute in (1, 2)]
        assert requested(scaled(rows, duration="300s")) == [(0, 10), (240, 13)]

    def test_a_minute_without_an_admission_has_no_point(self) -> None:
        """The same without the short ones: busy all the time, but only minute 0 has a point."""
        assert requested(scaled([(0, 200)] * 9, duration="300s")) == [(0, 10)]

    def test_a_missing_minute_begins_the_count_again(self) -> None:
        """Minutes 0, 1, 3 and 4 have points, and 2 has none: nothing at 360. 5 as well: at 420."""
        rows = [row for row in loads((6, 9)) if row[0] != 120]
        assert requested(scaled(rows)) == [(0, 10), (420, 13)]

    def test_an_admission_that_spilled_over_makes_a_point(self) -> None:
        """A unit busy for 200 s, and one request on demand each minute: 1 of 1 busy three times, 1 / 0.7 -> 2."""
        rows = [(0, 200), *[(60 * minute + 1, 1e-9) for minute in range(3)]]
        log = scaled(rows, units=1, duration="300s")
        assert spilled(log) == [(1, "concurrency"), (2, "concurrency"), (3, "concurrency")]
        assert requested(log) == [(0, 1), (240, 2)]

    def test_the_capacity_that_counts_is_what_was_ready(self) -> None:
        """10 ready and 3 under way from 240 on for 30 s: minute 4 has 30 s of 10 and 30 s of 13, 690 in all.

        A load of 8 there are 480 of 690, 0.696: below the target, though 8 of 10 are not. Minutes 5 and 6 have 12 of
        13: above, but only two points; the third, minute 7, at 540: 12 / 0.7 -> 18.
        """
        log = scaled(loads((4, 9), (1, 8), (4, 12)), allocation={"prepare": "27s", "rate": 1, "per": "1s"},
                     duration="545s")  # fmt: skip
        assert requested(log) == [(0, 10), (240, 13), (540, 18)]

    def test_two_functions_by_themselves(self) -> None:
        """f is busy, g is not."""
        g = {"autoscaling": {"min_capacity": 3, "max_capacity": 9, "target": "70%"}}
        log = scaled(loads((3, 9)), duration="300s", others={"g": g})
        assert requested(log) == [(0, 10), (240, 13)]
        assert requested(log, "g") == [(0, 3)]

    def test_two_functions_at_one_instant(self) -> None:
        """Both ask for more at 240, in the order of the file."""
        slow = {"prepare": "1m", "rate": 6000, "per": "1m"}
        g = {"autoscaling": {"min_capacity": 10, "max_capacity": 99, "target": "70%"}, "provisioned_allocation": slow}
        rows = [(*row, None, name) for row in loads((3, 9)) for name in ("g", "f")]
        log = scaled(rows, duration="250s", allocation=slow, others={"g": g})
        at_240 = log.capacity.time_ns == 240 * 10**9
        assert log.capacity.function[at_240].tolist() == [0, 1]
        assert log.capacity.requested[at_240].tolist() == [13, 13]

    def test_the_pool_shrinks_with_what_is_asked_for(self) -> None:
        """Quota 14, 10 and then 13 for f: g has 4 until 240, and 1 from then on."""
        ask = [(239, 1, None, "g")] * 5 + [(240, 1, None, "g")] * 2
        log = scaled(
            [*loads((3, 9)), *ask],
            bounds=(1, 14),
            duration="300s",
            others={"g": {}},
            region={"concurrency_quota": 14},
        )
        assert refusals(log) == [(239, "account_concurrency"), (240, "account_concurrency")]


class TestScaleIn:
    """Fifteen points in a row below nine tenths of the target, and a tenth of the capacity at most at a time."""

    def test_minute_by_minute(self) -> None:
        """Target 50 %, so below 45 %; a load of 4 from 20 units on, wanted 4 / 0.5 = 8; 10 % of less than 20 is 1.

        Minute 14 is looked at at 960: 20 - 2 = 18. Then one less a minute, as the points stay below: the last minute
        that does is 25, with 9 units (0.444), which at 1560 have become 8, which is wanted: 0.5 is not below 0.45.
        """
        log = scaled(loads((30, 4)), units=20, target="50%", duration="1800s")
        steps = [(960, 18), *((960 + 60 * k, 18 - k) for k in range(1, 11))]
        assert steps[-1] == (1560, 8)
        assert requested(log) == [(0, 20), *steps]
        assert levels(log)[-1] == (1560, 8, 8, READY)
        assert {row.cause for row in capacity(log)[1:]} == {TRACKED}

    def test_not_below_the_minimum(self) -> None:
        """The same with at least 12."""
        log = scaled(loads((30, 4)), units=20, bounds=(12, 100), target="50%", duration="1800s")
        assert requested(log)[-1] == (1320, 12)

    def test_not_below_what_the_load_wants(self) -> None:
        """T29: 62 of 100 are below 0.63. Wanted 62 / 0.7 -> 89: a step to 90, then 89; 62 / 90 is not below."""
        log = scaled(loads((20, 62)), units=100, duration="1260s")
        assert requested(log) == [(0, 100), (960, 90), (1020, 89)]

    def test_exactly_nine_tenths_of_the_target_is_not_below(self) -> None:
        """T29: 63 of 100."""
        assert requested(scaled(loads((20, 63)), units=100, duration="1260s")) == [(0, 100)]

    def test_fourteen_points_are_not_enough(self) -> None:
        """14 minutes of 4 in 20, one of 13 (0.65 of 0.70, above 0.63), 14 of 4."""
        assert requested(scaled(loads((14, 4), (1, 13), (14, 4)), units=20, duration="1860s")) == [(0, 20)]

    def test_no_data_no_scale_in(self) -> None:
        """T31: one request a minute on 50 units, then nothing for hours: nothing is taken away any more.

        Ten minutes are too few; 16 are enough for two steps, of 5 at 960 and of 4 at 1020. Wanted is 1.
        """
        for minutes, expected in ((10, [(0, 50)]), (16, [(0, 50), (960, 45), (1020, 41)])):
            log = scaled([(60 * minute, 1) for minute in range(minutes)], units=50, duration="3h")
            assert requested(log) == expected
            assert end_s(log) == 10_800

    def test_a_minute_without_data_begins_the_count_again(self) -> None:
        """Minutes 0 to 22 but for 7: 8 to 22 are fifteen, looked at at 60 x 24 = 1440."""
        rows = [row for row in loads((23, 4)) if row[0] != 420]
        log = scaled(rows, units=20, duration="1441s")
        assert requested(log) == [(0, 20), (1440, 18)]

    def test_no_traffic_from_the_start(self) -> None:
        """Nothing at all."""
        assert requested(scaled([], units=20, duration="1800s")) == [(0, 20)]

    @pytest.mark.parametrize(("points", "at"), [(1, 120), (5, 360)])
    def test_another_number_of_points(self, points: int, at: int) -> None:
        """The last of them ends a minute before."""
        log = scaled(loads((points, 4)), units=20, scale_in_points=points, duration=f"{at + 1}s")
        assert requested(log) == [(0, 20), (at, 18)]

    @pytest.mark.parametrize(("step", "units"), [("10%", 18), ("5%", 19), ("1%", 19), ("25%", 15), ("50%", 10)])
    def test_another_step(self, step: str, units: int) -> None:
        """A share of 20, rounded down, but at least one."""
        log = scaled(loads((1, 4)), units=20, scale_in_points=1, scale_in_step=step, duration="150s")
        assert requested(log) == [(0, 20), (120, units)]

    def test_the_step_is_rounded_down(self) -> None:
        """10 % of 29 are 2.9: 27."""
        log = scaled(loads((1, 4)), units=29, scale_in_points=1, duration="150s")
        assert requested(log) == [(0, 29), (120, 27)]

    @pytest.mark.parametrize(("threshold", "expected"), [("50%", [(0, 20)]), ("51%", [(0, 20), (120, 18)])])
    def test_another_threshold(self, threshold: str, expected: list[tuple[float, int]]) -> None:
        """7 of 20 are 0.35: 50 % of 0.7 exactly, so not below; 51 % is 0.357."""
        log = scaled(loads((1, 7)), units=20, scale_in_points=1, scale_in_threshold=threshold, duration="150s")
        assert requested(log) == expected

    def test_between_the_two_alarms_nothing_happens(self) -> None:
        """13 of 20 are 0.65, for half an hour."""
        assert requested(scaled(loads((30, 13)), units=20, duration="1800s")) == [(0, 20)]

    def test_what_is_under_way_is_given_up_first(self) -> None:
        """One point is enough. 10 to 13 at 120, ready 5 minutes later. A load of 2 in minute 1: 12 at 180.

        It is one of the three that are being prepared; the ten that are ready stay.
        """
        log = scaled(loads((1, 9), (1, 2)), scale_out_points=1, scale_in_points=1, duration="200s",
                     allocation={"prepare": "5m", "rate": 6000, "per": "1m"})  # fmt: skip
        assert levels(log) == [(0, 10, 10, READY), (120, 13, 10, IN_PROGRESS), (180, 12, 10, IN_PROGRESS)]
        assert (log.environments.reaped_ns == -1).all()

    def test_busy_units_finish(self) -> None:
        """All 20 busy at 120 with requests of 800 s, while 4 were busy in minute 0: two go when their work ends."""
        log = scaled([*loads((1, 4)), *[(60, 800)] * 20], units=20, scale_in_points=1, scale_out_points=60,
                     duration="900s")  # fmt: skip
        assert requested(log) == [(0, 20), (120, 18)]
        assert on_provisioned(log) == list(range(24))
        reaped = log.environments.reaped_ns[log.environments.is_provisioned]
        assert reaped[reaped != -1].tolist() == [860 * 10**9] * 2


class TestStatistic:
    """Average, or the highest of the minute."""

    # Ten seconds of 8 at once in each minute: 80 of 600 are 0.133 on average, and 0.8 at most.
    ROWS = tuple((60 * minute, 10) for minute in range(4) for _ in range(8))

    def test_average_sees_no_short_burst(self) -> None:
        """Not above 0.7."""
        assert requested(scaled(self.ROWS, duration="300s")) == [(0, 10)]

    def test_maximum_does(self) -> None:
        """8 / 0.7 = 11.4: 12."""
        assert requested(scaled(self.ROWS, statistic="maximum", duration="300s")) == [(0, 10), (240, 12)]

    @pytest.mark.parametrize(("statistic", "expected"), [("average", [(0, 4)]), ("maximum", [(0, 4), (240, 6)])])
    def test_bursts_of_five_seconds(self, statistic: str, expected: list[tuple[float, int]]) -> None:
        """T32: at three times the 4 units for 5 s of each minute, 100 ms each: 12 every 0.1 s, 8 of which spill over.

        Average: 4 x 5 s of 4 x 60 s, 0.083. Maximum: 1, so 4 / 0.7 -> 6.
        """
        rows = [(60 * minute + tick / 10, 0.1) for minute in range(3) for tick in range(50) for _ in range(12)]
        log = scaled(rows, units=4, statistic=statistic, duration="300s")
        assert requested(log) == expected
        assert len(spilled(log)) == 3 * 50 * 8

    def test_maximum_is_taken_at_admissions(self) -> None:
        """9 busy from 0 to 130: at the admission at 60.5 ten are, at that at 125 ten; so 10 in minutes 0 to 2.

        10 / 0.7 -> 15. (Minute 0: the tenth is admitted at 1.)
        """
        rows = [(0, 130)] * 9 + [(1, 0.1), (60.5, 0.1), (125, 0.1)]
        assert requested(scaled(rows, statistic="maximum", duration="300s")) == [(0, 10), (240, 15)]

    def test_maximum_needs_an_admission_too(self) -> None:
        """Busy throughout, but admitted in minute 0 only."""
        assert requested(scaled([(0, 300)] * 10, statistic="maximum", duration="300s")) == [(0, 10)]

    def test_maximum_scales_in_by_the_highest(self) -> None:
        """4 of 20 at most: 0.2, below 0.63: 18, then 17; towards 4 / 0.7 -> 6."""
        rows = [(60 * minute, 1) for minute in range(3) for _ in range(4)]
        log = scaled(rows, units=20, statistic="maximum", scale_in_points=1, duration="200s")
        assert requested(log) == [(0, 20), (120, 18), (180, 17)]


class TestCooldown:
    """No other step for a while."""

    # 9 and 13 busy. One point is enough, units come at once: 13 at 120, for minute 0. In minute 2 all 13 are busy.
    ROWS = tuple(loads((2, 9), (4, 13)))

    def test_none(self) -> None:
        """Minute 2 (13 of 13) is looked at at 240: 13 / 0.7 = 18.6, 19."""
        log = scaled(self.ROWS, scale_out_points=1, duration="340s")
        assert requested(log) == [(0, 10), (120, 13), (240, 19)]

    def test_after_a_scale_out(self) -> None:
        """150 s from 120 on: not at 240, but at 300."""
        log = scaled(self.ROWS, scale_out_points=1, scale_out_cooldown="150s", duration="340s")
        assert requested(log) == [(0, 10), (120, 13), (300, 19)]

    def test_an_evaluation_without_a_step_begins_no_cooldown(self) -> None:
        """At 180 nothing is asked for (13 are there): 110 s from 120 on are over at 240."""
        log = scaled(self.ROWS, scale_out_points=1, scale_out_cooldown="110s", duration="340s")
        assert requested(log) == [(0, 10), (120, 13), (240, 19)]

    def test_after_a_scale_in(self) -> None:
        """90 s: at 120 (20 to 18), not at 180, at 240 (17), not at 300, at 360 (16)."""
        log = scaled(loads((6, 4)), units=20, scale_in_points=1, scale_in_cooldown="90s", duration="400s")
        assert requested(log) == [(0, 20), (120, 18), (240, 17), (360, 16)]

    def test_a_scale_in_cooldown_follows_a_scale_out_too(self) -> None:
        """Out at 120 (10 to 13), then a load of 1 from minute 1 on: in at 180 (12), or not before 300 with 150 s."""
        log = scaled(loads((1, 9), (1, 1)), scale_out_points=1, scale_in_points=1, duration="200s")
        assert requested(log) == [(0, 10), (120, 13), (180, 12)]
        log = scaled(loads((1, 9), (3, 1)), scale_out_points=1, scale_in_points=1, scale_in_cooldown="150s",
                     duration="310s")  # fmt: skip
        assert requested(log) == [(0, 10), (120, 13), (300, 12)]

    def test_a_scale_in_does_not_delay_a_scale_out(self) -> None:
        """In at 120 (20 to 18), then 18 of 18 busy in minute 2: 18 / 0.7 -> 26 at 240, whatever the cooldowns."""
        rows = loads((2, 4), (2, 18))
        log = scaled(rows, units=20, scale_out_points=1, scale_in_points=1, scale_in_cooldown="10m",
                     scale_out_cooldown="10m", duration="250s")  # fmt: skip
        assert requested(log) == [(0, 20), (120, 18), (240, 26)]


class TestScheduledActions:
    """Other bounds at an instant, and what they do to the capacity at once."""

    def actions(self, *actions: dict[str, Any], units: int | None = None, bounds: tuple[int, int] = (2, 20),
                rows: Sequence[Any] = (), **more: Any) -> EventLog:  # fmt: skip
        """A run without a target unless given."""
        return scaled(rows, units=units, bounds=bounds, scheduled_actions=list(actions), **{"target": None, **more})

    def test_a_higher_minimum_is_asked_for_at_once(self) -> None:
        """2 until 120, then 5, which takes 5 s and 1 s for each."""
        log = self.actions({"at": "2m", "min_capacity": 5}, allocation={"prepare": "5s", "rate": 1, "per": "1s"})
        assert capacity(log) == [
            (0, 2, 2, READY, CONFIGURED),
            (120, 5, 2, IN_PROGRESS, SCHEDULED),
            (128, 5, 5, READY, ALLOCATED),
        ]

    def test_a_lower_maximum_takes_the_rest_away_at_once(self) -> None:
        """10 until 120, then 4."""
        log = self.actions({"at": "2m", "max_capacity": 4}, units=10)
        assert capacity(log) == [(0, 10, 10, READY, CONFIGURED), (120, 4, 4, READY, SCHEDULED)]

    def test_within_the_new_bounds_nothing_happens(self) -> None:
        """7 are within 5 and 9."""
        assert len(capacity(self.actions({"at": "2m", "min_capacity": 5, "max_capacity": 9}, units=7))) == 1

    def test_a_lower_minimum_alone_takes_nothing_away(self) -> None:
        """Up to 8 at 60; from 120 on 2 would be enough, but only tracking or a maximum brings it down."""
        log = self.actions({"at": "1m", "min_capacity": 8}, {"at": "2m", "min_capacity": 2})
        assert requested(log) == [(0, 2), (60, 8)]

    def test_up_and_down_by_a_schedule(self) -> None:
        """At two and at five minutes past midnight, which is when the run begins."""
        up = {"schedule": "2 0 * * *", "min_capacity": 6, "max_capacity": 20}
        down = {"schedule": "cron(5 0 ? * * *)", "min_capacity": 1, "max_capacity": 3}
        assert requested(self.actions(up, down)) == [(0, 2), (120, 6), (300, 3)]

    def test_a_rate(self) -> None:
        """Every 4 minutes from 0 on at least 5; 3 at most from 120 on; 5 again at 240. Both bounds each time."""
        up = {"schedule": "rate(4 minutes)", "min_capacity": 5, "max_capacity": 20}
        down = {"at": "2m", "min_capacity": 2, "max_capacity": 3}
        log = self.actions(up, down, duration="300s")
        assert requested(log)[-3:] == [(0, 5), (120, 3), (240, 5)]

    def test_it_comes_before_the_arrivals_of_its_instant(self) -> None:
        """5 arrive at 120: all have a unit."""
        assert spilled(self.actions({"at": "2m", "min_capacity": 5}, rows=[120] * 5)) == []

    def test_a_new_maximum_binds_target_tracking(self) -> None:
        """13 are wanted at 240; 11 are allowed since 100, or since 240, for the action comes first."""
        for at in ("100s", "240s"):
            log = self.actions({"at": at, "max_capacity": 11}, units=10, rows=loads((3, 9)), target="70%",
                               duration="300s")  # fmt: skip
            assert requested(log) == [(0, 10), (240, 11)]

    def test_a_new_minimum_binds_scale_in(self) -> None:
        """A load of 4 in 20, down from 120 on: not below 17, set at 60."""
        log = self.actions({"at": "60s", "min_capacity": 17}, units=20, bounds=(1, 50), rows=loads((5, 4)),
                           target="70%", scale_in_points=1, duration="400s")  # fmt: skip
        assert requested(log) == [(0, 20), (120, 18), (180, 17)]

    def test_a_scheduled_action_knows_no_cooldown(self) -> None:
        """Out at 120 for minute 0; 10 minutes of cooldown; up to 16 at 150 all the same."""
        log = self.actions({"at": "150s", "min_capacity": 16}, units=10, rows=loads((1, 9)), target="70%",
                           scale_out_points=1, scale_out_cooldown="10m", duration="200s")  # fmt: skip
        assert requested(log) == [(0, 10), (120, 13), (150, 16)]


class TestBeginning:
    """What a function with autoscaling begins with."""

    @pytest.mark.parametrize(("units", "expected"), [(None, 3), (5, 5), (1, 3), (30, 20), (0, 3)])
    def test_units(self, units: int | None, expected: int) -> None:
        """The minimum, or what is stated, within 3 and 20."""
        assert capacity(scaled([], units=units, bounds=(3, 20))) == [(0, expected, expected, READY, CONFIGURED)]


class TestEnd:
    """Evaluations keep no run going."""

    def test_the_run_ends_with_its_work(self) -> None:
        """At the duration of 200 s: the step of 240 is never made."""
        log = scaled(loads((3, 9)), duration="200s")
        assert end_s(log) == 200
        assert requested(log) == [(0, 10)]

    def test_work_after_the_duration_is_still_scaled_for(self) -> None:
        """One request goes on until 400: the evaluation at 240 takes place."""
        log = scaled([*loads((3, 9)), (179, 221)], duration="200s")
        assert end_s(log) == 400
        assert requested(log)[-1][0] == 240
