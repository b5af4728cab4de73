"""Callers that wait for an answer and think before they send again: the closed model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim.eventlog.log import EventLog
from lambdasim.scenario.virtual_users import VirtualUsers
from lambdasim.workload.virtual_users import ordinal, user_activity
from tests.behaviour.timeline import end_s, invocations, refusals, throttles
from tests.builders import run, trace

S = 10**9


def users(count: Any, think: Any = "3s", **parts: Any) -> EventLog:
    """A run of one function with virtual users."""
    source = {"function": "f", "virtual_users": count, "think_time": think, **parts.pop("source", {})}
    return run(traffic={"t": source}, duration=parts.pop("duration", "10s"), **parts)


def arrivals(log: EventLog) -> list[float]:
    """When each request came, in seconds."""
    return (log.requests.arrival_ns / S).tolist()


class TestOneUser:
    """Work of 1 s, think time 3 s."""

    def test_works_and_thinks_in_turn(self) -> None:
        """At 0, 4 and 8; the next would come at 12, after the end."""
        log = users(1)
        assert arrivals(log) == [0, 4, 8]
        assert end_s(log) == 10

    def test_a_slow_answer_slows_the_caller_down(self) -> None:
        """3 s of work: at 0 and 6, although the rate was never set lower."""
        assert arrivals(users(1, functions={"f": {"duration": "3s"}})) == [0, 6]

    def test_a_refused_user_thinks_and_tries_again(self) -> None:
        """Nothing is accepted: a new request every 3 s."""
        log = users(1, functions={"f": {"reserved_concurrency": 0}})
        assert arrivals(log) == [0, 3, 6, 9]
        assert len(throttles(log)) == 4

    def test_retries_come_before_thinking(self) -> None:
        """Refused at 0, 1 and 2, then 3 s of thinking: the next request at 5."""
        log = users(
            1, functions={"f": {"reserved_concurrency": 0}}, source={"client": {"retry": {"delays": ["1s", "1s"]}}}
        )
        assert arrivals(log) == [0, 5]
        assert [time for time, _ in refusals(log)] == [0, 1, 2, 5, 6, 7]

    def test_a_user_who_gives_up_waiting_thinks(self) -> None:
        """Work of 5 s, patience of 2 s: at 0, 5 and so on; the abandoned work goes on."""
        log = users(1, functions={"f": {"duration": "5s"}}, source={"client": {"timeout": "2s"}})
        assert arrivals(log) == [0, 5]
        assert [row.end for row in invocations(log)] == [5, 10]

    def test_the_first_request_waits_for_the_init(self) -> None:
        """2 s of init, 1 s of work, 3 s of thinking: at 0 and 6."""
        assert arrivals(users(1, functions={"f": {"init": "2s"}})) == [0, 6]

    def test_what_is_under_way_at_the_end_is_finished(self) -> None:
        """Sent at 8, answered at 13, after the last arrivals at 10."""
        log = users(1, functions={"f": {"duration": "5s"}})
        assert (arrivals(log), end_s(log)) == ([0, 8], 13)

    def test_a_function_error_is_an_answer(self) -> None:
        """The user goes on."""
        assert arrivals(users(1, functions={"f": {"errors": {"rate": "100%"}}})) == [0, 4, 8]


class TestSeveral:
    """More users than units."""

    def test_users_of_one_instant_are_in_order(self) -> None:
        """Three users, quota 2: the third is refused at 0, thinks until 3, and finds room."""
        log = users(3, region={"concurrency_quota": 2}, duration="4s")
        assert arrivals(log) == [0, 0, 0, 3]
        assert [row.request for row in throttles(log)] == [2]

    def test_sources_of_one_instant_go_by_the_file(self) -> None:
        """Requests of the first source come before users, and users before requests of a later one."""
        traffic = {
            "a": {"function": "f", "trace": trace([0])},
            "b": {"function": "f", "virtual_users": 2, "think_time": "3s"},
            "c": {"function": "f", "trace": trace([0, 4])},
        }
        log = run(traffic=traffic, duration="5s")
        assert log.requests.source.tolist() == [0, 1, 1, 2, 1, 1, 2]
        assert arrivals(log) == [0, 0, 0, 0, 4, 4, 4]

    def test_users_and_a_rate_share_the_quota(self) -> None:
        """The rate keeps one unit busy: one of two users is refused at 0."""
        traffic = {
            "a": {"function": "f", "trace": trace([(0, 900)])},
            "b": {"function": "f", "virtual_users": 2, "think_time": "3s"},
        }
        log = run(traffic=traffic, duration="2s", region={"concurrency_quota": 2})
        assert [row.request for row in throttles(log)] == [2]


class TestStages:
    """The number of users changes."""

    def test_a_ramp_brings_them_one_by_one(self) -> None:
        """From 0 to 4 over 4 s: the first at 1 s, the second at 2 s; each sends for the first time when it comes."""
        log = users({"stages": [{"duration": "4s", "target": 4}]}, think="100s")
        assert arrivals(log) == [1, 2, 3, 4]

    def test_a_jump(self) -> None:
        """Two at 0, three more at 5 s."""
        stages = [{"duration": "5s", "target": 2}, {"duration": "0s", "target": 5}]
        assert arrivals(users({"start": 2, "stages": stages}, think="100s")) == [0, 0, 5, 5, 5]

    def test_who_goes_finishes_first(self) -> None:
        """Two until 5 s, then one: the second one's request of 4 s is answered at 5 s, and it does not come again."""
        stages = [{"duration": "5s", "target": 2}, {"duration": "0s", "target": 1}]
        log = users({"start": 2, "stages": stages})
        assert arrivals(log) == [0, 0, 4, 4, 8]
        assert [row.end for row in invocations(log)] == [1, 1, 5, 5, 9]

    def test_who_comes_back_goes_on(self) -> None:
        """None from 2 to 6 s: the user that would send at 4 s sends at 6 s."""
        stages = [
            {"duration": "2s", "target": 1},
            {"duration": "0s", "target": 0},
            {"duration": "4s", "target": 0},
            {"duration": "0s", "target": 1},
        ]
        assert arrivals(users({"start": 1, "stages": stages})) == [0, 6]

    def test_a_source_that_is_off_has_no_users(self) -> None:
        """Off from 3 to 5 s: what would come at 4 s comes at 5 s."""
        changes = [{"at": "3s", "traffic": {"t": "off"}}, {"at": "5s", "traffic": {"t": "on"}}]
        assert arrivals(users(1, changes=changes)) == [0, 5, 9]

    def test_a_stage_is_cut_by_the_end_but_keeps_its_slope(self) -> None:
        """From 0 to 100 over 100 s: after 10 s only the ninth has come; the tenth would come at the end."""
        assert len(arrivals(users({"stages": [{"duration": "100s", "target": 100}]}, think="900s"))) == 9

    @pytest.mark.parametrize(
        ("stages", "user", "from_s", "expected_s"),
        [
            ([("4s", 4)], 0, 0, 1),
            ([("4s", 4)], 3, 0, 4),
            ([("4s", 4)], 4, 0, None),
            ([("4s", 4), ("4s", 0)], 1, 0, 2),
            ([("4s", 4), ("4s", 0)], 1, 6, 6),
            ([("4s", 4), ("4s", 0)], 1, 6.5, None),
            ([("0s", 3)], 2, 0, 0),
            ([("3s", 1)], 0, 0, 3),
        ],
    )
    def test_activity_by_hand(
        self, stages: list[tuple[str, int]], user: int, from_s: float, expected_s: float | None
    ) -> None:
        """User u is there while there are at least u + 1."""
        made = VirtualUsers.model_validate(
            {"start": 0, "stages": [{"duration": duration, "target": target} for duration, target in stages]}
        )
        found = user_activity(made, 10 * S).next_ns(user, round(from_s * S))
        assert found == (None if expected_s is None else expected_s * S)

    def test_the_integral_of_users(self) -> None:
        """From 0 to 4 over 4 s are 8 user seconds, then 4 for 6 s are 24."""
        made = VirtualUsers.model_validate({"stages": [{"duration": "4s", "target": 4}]})
        assert user_activity(made, 10 * S).user_ns == pytest.approx(32 * S)
        assert user_activity(made, 2 * S).user_ns == pytest.approx(2 * S)


class TestSdkClients:
    """Retry quotas of callers who think."""

    @pytest.mark.parametrize(("count", "retries"), [(1, 100), (2, 200), (3, 300), (16, 400)])
    def test_each_client_object_serves_some_users(self, count: int, retries: int) -> None:
        """400 refused users with one retry each; 100 retries for each client object, as long as its users are more."""
        client = {"retry": {"preset": "boto3-standard", "max_attempts": 2}, "count": count}
        stopped = {"f": {"reserved_concurrency": 0}}
        log = users(400, "1000s", functions=stopped, source={"client": client})
        assert len(throttles(log)) == 400 + retries


class TestDraws:
    """Keys of draws do not depend on the run."""

    def test_keys_are_all_different(self) -> None:
        """For all users and rounds of a range that crosses several blocks."""
        keys = {ordinal(user, round_) for user in range(70) for round_ in range(70)}
        assert len(keys) == 70 * 70

    def test_a_user_has_the_same_durations_whatever_the_others_do(self) -> None:
        """The first user's work with 1 user, with 40, and with a limit that refuses some of the 40."""
        work = {"f": {"duration": {"exponential": {"mean": "2s"}}}}
        alone, crowd = (users(count, functions=work, duration="60s") for count in (1, 40))
        lengths = [
            (log.invocations.end_ns - log.invocations.handler_ns)[log.requests.arrival_ns[log.invocations.request] == 0]
            for log in (alone, crowd)
        ]
        assert lengths[0][0] == lengths[1][0]
        assert len(set(lengths[1].tolist())) == 40

    def test_another_limit_leaves_the_first_requests_as_they_are(self) -> None:
        """Common random numbers: until the first refusal both runs are the same."""
        work = {"f": {"duration": {"exponential": {"mean": "2s"}}}}
        think = {"exponential": {"mean": "3s"}}
        ramp = {"stages": [{"duration": "20s", "target": 10}]}
        free, tight = (
            users(ramp, think, functions=work, duration="60s", region={"concurrency_quota": quota}) for quota in (99, 4)
        )
        first_ns = tight.throttles.time_ns.min()
        before = [log.requests.arrival_ns[log.requests.arrival_ns < first_ns] for log in (free, tight)]
        np.testing.assert_array_equal(before[0], before[1])
        assert len(before[0]) > 5


class TestErrorsOfInput:
    """What a scenario may not say."""

    @pytest.mark.parametrize(
        ("source", "match"),
        [
            ({"virtual_users": 1}, "think_time"),
            ({"rate": "1/s", "think_time": "1s"}, "think_time without virtual_users"),
            ({"virtual_users": 1, "think_time": "1s", "rate": "1/s"}, "exactly one of"),
            ({"virtual_users": 0, "think_time": "1s"}, "at least one user"),
            ({"virtual_users": 1, "think_time": "1s", "arrivals": "uniform"}, "arrivals beside virtual_users"),
            ({"virtual_users": 2_000_000, "think_time": "1s"}, "less than or equal"),
        ],
    )
    def test_refused(self, source: dict[str, Any], match: str) -> None:
        """One sentence."""
        with pytest.raises(ValueError, match=match):
            run(traffic={"t": {"function": "f", **source}})
