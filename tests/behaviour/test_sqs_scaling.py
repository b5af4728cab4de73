"""SQS queues: how many batches a mapping has with its function at once, how that grows, shrinks and is backed off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.queue_timeline import always, batches, in_flight, most_in_flight, queued, starts, worked_on
from tests.behaviour.timeline import end_s, refusals
from tests.builders import trace

LARGE = {"concurrency_quota": 2000}
# Hidden for longer than any of these runs.
HIDDEN = {"visibility_timeout": "2h"}
FUNCTION = {"timeout": "15m"}
FAILS = {"errors": {"rate": "100%"}, **FUNCTION}


class TestGrowth:
    """Five places, and one more every 0.2 s while all are busy and messages are left."""

    def test_one_more_every_fifth_of_a_second(self) -> None:
        """Ten messages of 100 s: five at 0, the last at 1.0."""
        log = queued([(0, 100)] * 10, queue=HIDDEN, function=FUNCTION)
        assert starts(log) == [0] * 5 + [0.2, 0.4, 0.6, 0.8, 1.0]

    def test_no_growth_without_messages(self) -> None:
        """The sixth at 0.2, then nothing is left. Two more at 10: all six are busy, so they wait."""
        log = queued([(0, 100)] * 6 + [(10, 100)] * 2, queue=HIDDEN, function=FUNCTION)
        assert starts(log) == [0] * 5 + [0.2, 10.2, 10.4]

    def test_no_growth_while_a_place_is_free(self) -> None:
        """Five messages at 0, of which one is done at 1; one at 10 takes its place, one at 11 waits for 0.2 s."""
        log = queued([(0, 1), *[(0, 100)] * 4, (10, 100), (11, 100)], queue=HIDDEN, function=FUNCTION)
        assert starts(log) == [0] * 5 + [10, 11.2]

    def test_half_of_a_place_is_kept(self) -> None:
        """One place, and one more in a second. Short from 0 to 0.5, when message 0 is done and 1 takes its place.

        Short again from 2 on: the other half of the second place has come at 2.5.
        """
        scaling = {"start": 1, "rate": 60, "per": "1m", "max": 10}
        log = queued([(0, 0.5), (0, 10), (2, 10)], mapping={"scaling": scaling})
        assert starts(log) == [0, 0.5, 2.5]

    def test_a_place_that_is_freed_is_used_before_it_grows(self) -> None:
        """One place and one more in a second: the second message starts at 0.4, when the first is done."""
        scaling = {"start": 1, "rate": 60, "per": "1m", "max": 10}
        assert starts(queued([(0, 0.4), (0, 9)], mapping={"scaling": scaling})) == [0, 0.4]

    def test_a_growth_at_the_instant_of_an_end(self) -> None:
        """Two places at 1: the one that is freed then and the one that has grown by then."""
        scaling = {"start": 1, "rate": 60, "per": "1m", "max": 10}
        assert starts(queued([(0, 1), (0, 9), (0, 9), (0, 9)], mapping={"scaling": scaling})) == [0, 1, 1, 2]

    def test_the_profile_of_2023(self) -> None:
        """60 a minute: one more each second."""
        log = queued([(0, 100)] * 8, queue=HIDDEN, function=FUNCTION, profile="legacy-2023")
        assert starts(log) == [0] * 5 + [1, 2, 3]

    def test_the_start(self) -> None:
        """Eight at once."""
        scaling = {"start": 8, "rate": 60, "per": "1m", "max": 10}
        assert starts(queued([(0, 9)] * 12, mapping={"scaling": scaling})) == [0] * 8 + [1, 2, 9, 9]

    def test_unlimited(self) -> None:
        """200 at once."""
        log = queued([(0, 10)] * 200, mapping={"scaling": "unlimited"})
        assert starts(log) == [0] * 200

    def test_a_batch_that_is_gathered_counts(self) -> None:
        """Batches of 2, window 3 s, one place and one more in a second.

        0 is gathered from 0 and takes 1 at 1: full. The message of 2 finds the place busy and gets the next at 3.
        It is gathered then until 6.
        """
        scaling = {"start": 1, "rate": 60, "per": "1m", "max": 10}
        mapping = {"scaling": scaling, "batch_size": 2, "batch_window": "3s"}
        log = queued([(0, 20), (1, 20), (2, 20)], mapping=mapping)
        assert worked_on(log) == [([0, 1], [1]), ([2], [6])]
        assert batches(log)[1].received == [3]

    @pytest.mark.parametrize(
        ("quota", "expected"), [(2000, [5, 305, 605, 905, 1205, 1250]), (1000, [5, 305, 605, 905, 1000, 1000])]
    )
    def test_a_backlog_of_long_messages(self, quota: int, expected: list[int]) -> None:
        """T60 and T62: 5 + 300 a minute, 1,250 from 4:09 on; with a quota of 1,000 no more than that, and throttles."""
        log = queued([(0, 800)] * 1300, queue=HIDDEN, function=FUNCTION, region={"concurrency_quota": quota})
        assert [in_flight(log, 60 * minute) for minute in range(6)] == expected
        assert most_in_flight(log) == expected[-1]
        assert bool(refusals(log)) == (quota == 1000)

    def test_the_instants_of_the_growth(self) -> None:
        """The n-th place beyond five comes after n / 5 s: the 305th at 60.0 s, the last at 1,245 / 5 = 249 s."""
        log = queued([(0, 800)] * 1300, queue=HIDDEN, function=FUNCTION, region=LARGE)
        assert starts(log)[:1250] == [0] * 4 + [number / 5 for number in range(1246)]

    def test_a_backlog_with_batches_of_a_minute(self) -> None:
        """T60: 60 s of work, batches of 10; places go on to the next batch at each end.

        Batches until 5:00: 5 + 305 + 605 + 905 + 1,205 at the latest ends, 30,250 messages with the growth.
        """
        log = queued(
            [(0, 60)] * 45_000,
            queue={"visibility_timeout": "15m"},
            function=FUNCTION,
            mapping={"batch_size": 10},
            region=LARGE,
            duration="301s",
            drain="0s",
        )
        assert [in_flight(log, 60 * minute) for minute in range(6)] == [5, 305, 605, 905, 1205, 1250]
        assert refusals(log) == []
        assert most_in_flight(log) == 1250


class TestMaximumConcurrency:
    """A bound of the mapping's own."""

    def test_never_above_it_and_no_throttles(self) -> None:
        """T63: 40 messages of 2 s, five at once: eight rounds. The quota is just as large."""
        log = queued([(0, 2)] * 40, mapping={"maximum_concurrency": 5}, region={"concurrency_quota": 5})
        assert starts(log) == [2 * (number // 5) for number in range(40)]
        assert refusals(log) == []
        assert max(batch.end or 0 for batch in batches(log)) == 16

    def test_below_the_start(self) -> None:
        """Two at once from the start."""
        log = queued([(0, 2)] * 6, mapping={"maximum_concurrency": 2})
        assert starts(log) == [0, 0, 2, 2, 4, 4]

    def test_above_the_start(self) -> None:
        """Five, the sixth at 0.2 and the seventh at 0.4; the eighth waits for the first end."""
        log = queued([(0, 10)] * 8, mapping={"maximum_concurrency": 7})
        assert starts(log) == [0] * 5 + [0.2, 0.4, 10]

    def test_with_unlimited_scaling(self) -> None:
        """Ten at once."""
        log = queued([(0, 10)] * 25, mapping={"scaling": "unlimited", "maximum_concurrency": 10})
        assert starts(log) == [0] * 10 + [10] * 10 + [20] * 5

    def test_two_queues_of_one_function(self) -> None:
        """Two at once of one queue and three of the other."""
        other = {"function": "f", "batch_size": 1, "maximum_concurrency": 3}
        log = queued(
            [(0, 10)] * 4,
            mapping={"maximum_concurrency": 2},
            queues={"p": {"event_source_mapping": other}},
            traffic={"u": {"invoke": "sqs", "queue": "p", "trace": trace([(0, 10)] * 6)}},
        )
        assert [len([batch for batch in batches(log, name) if batch.tried == [0]]) for name in ("q", "p")] == [2, 3]
        assert starts(log) == [0] * 5 + [10] * 5


class TestProvisioned:
    """T65: pollers that are kept ready, 10 batches each."""

    def test_start_and_growth(self) -> None:
        """Two pollers: 20 at once, then one more every 60 / 1,000 s."""
        log = queued([(0, 100)] * 23, queue=HIDDEN, function=FUNCTION, mapping={"provisioned_pollers": {"minimum": 2}})
        assert starts(log) == [0] * 20 + [0.06, 0.12, 0.18]

    def test_their_maximum(self) -> None:
        """Three pollers: 30 at once, the last at 0.6 s."""
        log = queued(
            [(0, 100)] * 31,
            queue=HIDDEN,
            function=FUNCTION,
            mapping={"provisioned_pollers": {"minimum": 2, "maximum": 3}},
        )
        assert starts(log) == [0] * 20 + [round(0.06 * number, 2) for number in range(1, 11)] + [100]

    def test_more_than_1250(self) -> None:
        """150 pollers are 1,500 places."""
        pollers = {"minimum": 150, "maximum": 150}
        log = queued([(0, 10)] * 1600, mapping={"provisioned_pollers": pollers}, region=LARGE)
        assert [in_flight(log, time) for time in (0, 9)] == [1500, 1500]

    def test_they_stay(self) -> None:
        """An hour without a message later there are still 20."""
        rows = [(0, 1)] + [(3600, 1)] * 21
        log = queued(rows, mapping={"provisioned_pollers": {"minimum": 2}}, duration="2h")
        assert starts(log) == [0] + [3600] * 20 + [3600.06]


class TestScaleIn:
    """Every minute in which it was not short, a share of the unused places goes."""

    # 25 messages of 30 s at 0: five at once, the last at 4 s. Every one is done at 34 s.
    BUSY = tuple([(0, 30)] * 25)

    def run(self, later: list[Any], **mapping: Any) -> list[float]:
        """When the messages that come after the first 25 start."""
        log = queued([*self.BUSY, *later], queue=HIDDEN, function=FUNCTION, mapping=mapping, duration="2h")
        return starts(log)[25:]

    def test_nothing_goes_before_a_minute_without_use_is_over(self) -> None:
        """At 119 s there are still 25."""
        assert self.run([(119, 9)] * 27) == [119] * 25 + [119.2, 119.4]

    def test_a_tenth_of_25(self) -> None:
        """The second minute saw none of them busy: 22.5 from 120 s on. The half of a place comes after 0.1 s."""
        assert self.run([(125, 9)] * 24) == [125] * 22 + [125.1, 125.3]

    def test_a_tenth_of_what_is_left(self) -> None:
        """22.5 x 0.9 = 20.25 from 180 s on: 20, and the next after 0.75 x 0.2 s."""
        assert self.run([(185, 9)] * 21) == [185] * 20 + [185.15]

    def test_only_of_what_was_not_used(self) -> None:
        """15 of 25 were busy at once in the second minute: 25 - 1 = 24 are left."""
        assert self.run([(70, 2)] * 15 + [(125, 9)] * 25)[15:] == [125] * 24 + [125.2]

    def test_a_share_of_none(self) -> None:
        """scale_in 0: it stays."""
        assert self.run([(605, 9)] * 26, scale_in="0%") == [605] * 25 + [605.2]

    def test_not_below_the_start(self) -> None:
        """Half each minute: 12.5 at 120 s, 6.25 at 180 s, and not 3.1 but 5 from 240 s on."""
        assert self.run([(605, 9)] * 6, scale_in="50%") == [605] * 5 + [605.2]

    def test_idle_for_15_minutes(self) -> None:
        """Idle since 34 s, so for 15 min at 934 s: half of 5 at 960 s, 2 from 1,020 s on."""
        assert self.run([(955, 9)] * 6, scale_in="50%") == [955] * 5 + [955.2]
        assert self.run([(970, 9)] * 3, scale_in="50%") == [970] * 2 + [970.1]
        assert self.run([(2030, 9)] * 3, scale_in="50%") == [2030] * 2 + [2030.2]

    def test_it_grows_again(self) -> None:
        """After an hour of nothing 2, and one more every 0.2 s as before."""
        assert self.run([(4000, 9)] * 6, scale_in="50%") == [4000] * 2 + [4000.2, 4000.4, 4000.6, 4000.8]


class TestBackOff:
    """Errors and throttles leave the mapping 70 % of what it may have, once in 10 s."""

    def counts(self, times: list[float], function: dict[str, Any], **mapping: Any) -> list[int]:
        """Batches at work just after each time: 200 messages of 2 s at 0, with ten places for ever."""
        log = queued(
            [(0, 2)] * 200,
            queue=HIDDEN,
            function=function,
            mapping={**always(10), **mapping},
            duration="60s",
            drain="0s",
        )
        return [in_flight(log, time) for time in times]

    def test_errors(self) -> None:
        """10; at 2 the first errors: 7. Then at most once in 10 s: at 12 it is 4.9, at 22 3.4, at 32 2.4, then 2."""
        times = [0, 2, 4, 10, 12, 20, 22, 30, 32, 40, 42, 52]
        expected = [10, 7, 7, 7, 4, 4, 3, 3, 2, 2, 2, 2]
        back_off = {"share": "70%", "interval": "10s"}
        assert self.counts(times, FAILS, back_off=back_off) == expected

    @pytest.mark.parametrize(
        ("function", "first"), [({"errors": {"crash": "100%"}, "timeout": "15m"}, 2), ({"timeout": "1s"}, 1)]
    )
    def test_crashes_and_timeouts(self, function: dict[str, Any], first: float) -> None:
        """Both are errors: 7 are left after the first ones, at 2 s or after a timeout of 1 s, and 4 after 10 s more."""
        times = [0, first, first + 9.9, first + 10]
        assert self.counts(times, function, back_off={}) == [10, 7, 7, 4]

    @pytest.mark.parametrize("per", ["1m", "1h", "24h"])
    def test_it_is_exact_however_slow_the_growth(self, per: str) -> None:
        """70 % of 10 is 7."""
        log = queued(
            [(0, 2)] * 20,
            queue=HIDDEN,
            function=FAILS,
            mapping={"scaling": {"start": 10, "rate": 1, "per": per, "max": 10}, "back_off": {}},
            duration="3s",
            drain="0s",
        )
        assert in_flight(log, 2) == 7

    def test_switched_off(self) -> None:
        """Ten all along."""
        assert self.counts([0, 2, 12, 22], FAILS, back_off="none") == [10, 10, 10, 10]

    def test_share_and_interval(self) -> None:
        """Half, every 4 s: 10, at 2 it is 5, at 6 2.5, at 10 not 1.25 but 2."""
        back_off = {"share": "50%", "interval": "4s"}
        assert self.counts([0, 2, 4, 6, 8, 10, 14], FAILS, back_off=back_off) == [10, 5, 5, 2, 2, 2, 2]

    def test_success_changes_nothing(self) -> None:
        """Ten all along."""
        assert self.counts([0, 2, 12], {"timeout": "15m"}, back_off={}) == [10, 10, 10]

    def test_throttles(self) -> None:
        """Ten places, two units: the first two are accepted, the third is refused and leaves 7: four more are tried."""
        log = queued(
            [(0, 9)] * 20,
            function={"reserved_concurrency": 2},
            mapping={**always(10), "back_off": {}},
            duration="0.5s",
            drain="0s",
        )
        assert len(batches(log)) == 7
        assert len(refusals(log)) == 5

    def test_without_it_ten_are_tried(self) -> None:
        """The same without back-off: eight are refused."""
        log = queued(
            [(0, 9)] * 20, function={"reserved_concurrency": 2}, mapping=always(10), duration="0.5s", drain="0s"
        )
        assert (len(batches(log)), len(refusals(log))) == (10, 8)

    def test_it_grows_again(self) -> None:
        """Ten places, one more in a second, at most 10. Errors at 2 leave 7; the eighth comes at 3, the ninth at 4."""
        scaling = {"start": 10, "rate": 60, "per": "1m", "max": 10}
        function = {"errors": {"rate": "100%"}, "timeout": "15m"}
        rows = [(0, 2)] * 10 + [(0, 50)] * 30
        log = queued(
            rows, queue=HIDDEN, function=function, mapping={"scaling": scaling, "back_off": {}}, duration="20s"
        )
        assert [in_flight(log, time) for time in (0, 2, 2.9, 3, 3.9, 4, 4.9, 5, 19)] == [10, 7, 7, 8, 8, 9, 9, 10, 10]

    def test_it_does_not_stop_what_is_at_work(self) -> None:
        """Ten at 0 of which one fails at 1: nine are still at work, and the next starts when six of them are, at 9."""
        rows = [(0, 1), *[(0, 9)] * 3, *[(0, 20)] * 6, (0, 20), (0, 20)]
        function = {"errors": {"rate": "100%"}, "timeout": "15m"}
        log = queued(
            rows, queue=HIDDEN, function=function, mapping={**always(10), "back_off": {}}, duration="9.5s", drain="0s"
        )
        assert starts(log) == [0] * 10 + [9]

    def test_the_end_of_a_run_with_all_places_taken(self) -> None:
        """A second after the last message."""
        assert end_s(queued([0] * 25, mapping=always(10), duration="1s")) == 3
