"""The summary for people says what summary.json says, and names the limit that bound."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import AWS_REASON, ThrottleReason
from lambdasim.report.text import print_summary
from lambdasim.report.wording import meaning_of
from tests.builders import trace
from tests.metrics.runs import by_hand, run_of

# A small scenario for each reason. A refusal at 0.2 s or 0.5 s.
CAUSES: dict[ThrottleReason, dict[str, Any]] = {
    ThrottleReason.ACCOUNT_CONCURRENCY: {"rows": [0, 0.5], "region": {"concurrency_quota": 1}},
    ThrottleReason.ACCOUNT_RATE: {
        "rows": [0, 0.2],
        "region": {"concurrency_quota": 1, "requests_per_concurrency": 1},
        "functions": {"f": {"duration": "100ms"}},
    },
    ThrottleReason.RESERVED_CONCURRENCY: {"rows": [0, 0.5], "functions": {"f": {"reserved_concurrency": 1}}},
    ThrottleReason.RESERVED_RATE: {
        "rows": [0, 0.2],
        "region": {"requests_per_concurrency": 1},
        "functions": {"f": {"duration": "100ms", "reserved_concurrency": 1}},
    },
    ThrottleReason.SCALING_REQUEST_RATE: {
        "rows": [0, 0.2],
        "region": {"request_rate_ramp": {"start": "1/s", "step": "1/s"}},
        "functions": {"f": {"duration": "100ms"}},
    },
    ThrottleReason.SCALING_RATE: {"rows": [0, 0.5], "region": {"scaling": {"burst": 1, "rate": 1, "per": "10s"}}},
    ThrottleReason.API_GATEWAY_RATE: {
        "traffic": {"t": {"function": "f", "trace": trace([0, 0.5]), "via": "api-gateway-rest"}},
        "region": {"api_gateway": {"rate": "1/s", "burst": 1}},
    },
}


def text_of(run: Run, directory: Path | None = None) -> str:
    """The summary with its line breaks undone, so that a sentence can be looked for."""
    out = io.StringIO()
    print_summary(run, out, directory)
    return re.sub(r"\s+", " ", out.getvalue())


class TestFigures:
    """The figures of BY_HAND, each with its word."""

    def test_what_summary_json_says(self) -> None:
        """Requests, outcomes, attempts, cold starts, concurrency, environments."""
        text = text_of(by_hand())
        expected = [
            "test seed 1, profile 2026",
            "4 requests in 10s: 0.4/s on average, 1/s in the busiest second (at 0:00)",
            "With 2 retries that makes 6 attempts, 1.5 for each request",
            "completed 2 50.0%",
            "throttled 1 25.0%",
            "in_flight 1 25.0%",
            "account_concurrency 3 50.0%",
            "3 of 6 attempts refused (50.0%)",
            "account_concurrency, at 0:01, for f",
            "2 of 3 invocations (66.7%)",
            "500ms (median), 500ms at most",
            "2 environments were started, at most 1 were alive at once, and 1 reaped",
            "0.35 of 0.9 were idle",
            "cold 1 2.5s 2.5s 2.5s 2.5s",
            "retried 1 3s 3s 3s 3s",
            "Peak 1 of 1 (100% of the quota), 0.55 on average",
        ]
        assert [words for words in expected if words not in text] == []

    def test_changes_of_a_scenario_in_place_of_its_description(self) -> None:
        """Which may be false by then."""
        made = by_hand(description="As it was.")
        assert "profile 2026 As it was. What" in text_of(made)
        changed = replace(made, scenario=made.scenario.replace({"functions.f.timeout": "9s"}))
        assert "profile 2026 changed: functions.f.timeout = 9s What" in text_of(changed)

    def test_what_was_settled_in_the_drain(self) -> None:
        """When the last request was settled, where that is after the traffic; what was not settled has no such time."""
        text = text_of(by_hand(drain="1h"))
        assert "settled at 0:11" in text
        assert "2.5s after" in text
        text = text_of(by_hand())
        assert "settled at" not in text
        assert "not settled when the run ended" in text

    def test_fits_a_narrow_terminal(self) -> None:
        """No line is longer than 100 characters, so that it can be pasted anywhere."""
        out = io.StringIO()
        print_summary(by_hand(), out, Path("out/test"))
        assert max(map(len, out.getvalue().splitlines())) <= 100

    def test_folder(self) -> None:
        """Where the files are, where there are any."""
        assert "out/test (start with" in text_of(by_hand(), Path("out/test"))
        assert "Files" not in text_of(by_hand())

    def test_functions_side_by_side(self) -> None:
        """A table with a line for each function, as soon as there are two."""
        rows = trace([0, (1, None, None, "g"), (1.5, None, None, "g")])
        run = run_of(
            functions={"f": {}, "g": {"reserved_concurrency": 1}}, traffic={"t": {"function": "f", "trace": rows}}
        )
        text = text_of(run)
        assert "g 2 50.0% 100% 1s 1 1" in text
        assert "f 1 0% 100% 1s 1 –" in text

    def test_nothing_happened(self) -> None:
        """A run without a request is described, not divided by zero."""
        text = text_of(run_of(rows=[], duration="10s"))
        assert "0 requests in 10s" in text
        assert "nan" not in text
        assert "None" not in text

    def test_description(self) -> None:
        """What the author of the scenario wants to be seen, stands at the top."""
        assert "test seed 1, profile 2026 Watch the peak" in text_of(by_hand(description="Watch the peak"))


class TestFrontEnds:
    """What callers behind a front end saw."""

    def test_statuses_and_their_meaning(self) -> None:
        """Quota 1: one answer, one refusal that API Gateway turns into a 500, one by the gateway itself."""
        source = {"function": "f", "trace": trace([0, 0.5, 0.5]), "via": "api-gateway-http"}
        run = run_of(traffic={"t": source}, region={"concurrency_quota": 1, "api_gateway": {"rate": "1/s", "burst": 2}})
        text = text_of(run)
        for words in (
            "200 1 33.3% answered",
            "429 1 33.3% refused by API Gateway, before Lambda",
            "500 1 33.3% refused by Lambda",
            "ConcurrentInvocationLimitExceeded (HTTP 429; behind their front end callers see 500)",
            "API Gateway would say Too Many Requests (HTTP 429)",
        ):
            assert words in text

    def test_direct_callers_need_no_table(self) -> None:
        """The outcomes say it."""
        assert "What callers saw" not in text_of(run_of(rows=[0, 0.5], region={"concurrency_quota": 1}))


class TestRetryQuota:
    """Requests that an SDK gave up early."""

    def test_says_so_where_the_quota_was_used_up(self) -> None:
        """200 refused requests, 500 tokens: 100 retries, so that 50 requests at least have fewer than 3 attempts."""
        stopped = {"f": {"reserved_concurrency": 0}}
        run = run_of(functions=stopped, rows=[0] * 200, client={"retry": "js-v3"})
        early = int((run.outcomes.attempts < 3).sum())
        assert early >= 150
        assert f"{early} requests of t were given up before their last attempt" in text_of(run)

    def test_says_nothing_where_it_was_not(self) -> None:
        """Ten requests have all their attempts; a direct caller's function error is no failure."""
        stopped = {"f": {"reserved_concurrency": 0}}
        failing = {"f": {"errors": {"rate": "100%"}}}
        for functions in (stopped, failing):
            run = run_of(functions=functions, rows=[0] * 10, client={"retry": "js-v3"})
            assert "given up before" not in text_of(run)


class TestChangedLimits:
    """What to try next, where the limit that refused was set by a change."""

    def test_names_the_change(self) -> None:
        """Stopped at 5 s by the change: its key is named, not one at the start that would do harm."""
        change = {"at": "5s", "functions": {"f": {"reserved_concurrency": 2}}}
        run = run_of(rows=[1, 6, 6, 6], functions={"f": {"duration": "3s"}}, changes=[change])
        assert "try --set changes.0.functions.f.reserved_concurrency=4" in text_of(run)

    def test_names_the_change_that_set_it(self) -> None:
        """Not the one after it, which asks for a provisioned environment."""
        changes: list[dict[str, Any]] = [
            {"at": "5s", "region": {"concurrency_quota": 2}},
            {"at": "6s", "functions": {"f": {"provisioned_concurrency": 1}}},
        ]
        run = run_of(rows=[7, 7, 7], functions={"f": {"duration": "3s"}}, changes=changes)
        assert "try --set changes.0.region.concurrency_quota=4" in text_of(run)

    def test_names_the_start_where_that_holds(self) -> None:
        """A change of something else leaves it there."""
        change = {"at": "5s", "deploy": "f"}
        run = run_of(rows=[6, 6], functions={"f": {"reserved_concurrency": 1, "duration": "3s"}}, changes=[change])
        assert "try --set functions.f.reserved_concurrency=2" in text_of(run)


class TestReasons:
    """Why attempts were refused, in our words and in AWS's."""

    @pytest.mark.parametrize("reason", ThrottleReason)
    def test_each_reason_is_explained(self, reason: ThrottleReason) -> None:
        """Its name, its meaning, AWS's Reason, and a next step."""
        run = run_of(**CAUSES[reason])
        assert run.summary["attempts"]["throttles_by_reason"][reason.key] == run.summary["attempts"]["throttles"] == 1
        text = text_of(run)
        meaning = meaning_of(reason, run.scenario)
        for words in (f"{reason.key} 1 50.0%", AWS_REASON[reason], f"{reason.key}, at 0:00, for f: {meaning}."):
            assert words in text
        assert text.count(meaning) == 2
        assert "What to look at next" in text
        assert "{" not in text.replace("{max_attempts: 4, base: 200ms, cap: 5s, jitter: full}", "")

    @pytest.mark.parametrize(
        ("other", "words"),
        [
            ({}, "as the quota allows"),
            ({"reserved_concurrency": 0}, "as the quota allows"),
            ({"reserved_concurrency": 1}, "as the unreserved part of the quota allows"),
            ({"provisioned_concurrency": 1}, "as the unreserved part of the quota allows"),
        ],
    )
    def test_reservations_are_spoken_of_where_there_are_some(self, other: dict[str, Any], words: str) -> None:
        """Another function that holds a unit of the quota, or none, or takes nothing from it."""
        run = run_of(rows=[0, 0.1, 0.2], functions={"f": {}, "g": other}, region={"concurrency_quota": 2})
        assert f"account_concurrency, at 0:00, for f: as many requests in flight {words}." in text_of(run)

    def test_no_refusal(self) -> None:
        """How far the nearest limit was."""
        assert "No limit was reached. The peak of 1 is 10.0% of the quota of 10." in text_of(
            run_of(rows=[0], region={"concurrency_quota": 10})
        )

    def test_the_limit_of_the_only_function(self) -> None:
        """What it has reserved, and not the quota that it cannot use."""
        text = text_of(run_of(rows=[0], functions={"f": {"reserved_concurrency": 4}}))
        assert "No limit was reached. The peak of 1 is 25.0% of the reserved concurrency of 4." in text
        assert "Peak 1 of 4 reserved (25.0%), " in text
        changes = [{"at": "5s", "functions": {"f": {"reserved_concurrency": 2}}}]
        text = text_of(run_of(rows=[0], functions={"f": {"reserved_concurrency": 4}}, changes=changes))
        assert "Peak 1 of 4, then 2 reserved, " in text
        text = text_of(run_of(rows=[0], functions={"f": {}, "g": {"reserved_concurrency": 4}}))
        assert "Peak 1 of 1,000 (0.1% of the quota), " in text

    @pytest.mark.parametrize(
        ("rows", "sentence"),
        [
            ([0, 6, 6, 6, 6, 6], "The peak of 5 is 50.0% of the quota of 10."),
            ([0, 0, 0, 6], "The peak of 3 is 75.0% of the quota of 4."),
            ([0, 0, 6, 6], "The peak of 2 is 50.0% of the quota of 4."),
            ([], "The peak of 0 is 0% of the quota of 4."),
        ],
    )
    def test_no_refusal_where_the_quota_changes(self, rows: list[float], sentence: str) -> None:
        """Of the quota that was in force at the peak, the first time: 4, from 5 s on 10."""
        change = {"at": "5s", "region": {"concurrency_quota": 10}}
        run = run_of(rows=rows, region={"concurrency_quota": 4}, changes=[change])
        assert f"No limit was reached. {sentence}" in text_of(run)

    def test_what_was_claimed_where_the_quota_changes(self) -> None:
        """3 provisioned of a quota of 4; from 5 s on 10, of which 5 on demand are claimed as well."""
        run = run_of(
            rows=[6] * 8,
            functions={"f": {"duration": "1s", "provisioned_concurrency": 3}},
            region={"concurrency_quota": 4, "min_unreserved": 0},
            changes=[{"at": "5s", "region": {"concurrency_quota": 10}}],
        )
        assert "At most 8 of the quota of 10 were claimed (80.0%), idle provisioned concurrency included" in text_of(
            run
        )


# 10 s of work in 20 s, for a caller who waits for 4 s: 0.5 in flight on average, 0.3 of it for nobody.
IN_VAIN: dict[str, Any] = {
    "rows": [0],
    "duration": "20s",
    "functions": {"f": {"duration": "10s", "timeout": "15s"}},
    "client": {"timeout": "4s"},
}


def behind(front_end: object, **parts: Any) -> Run:
    """The run of IN_VAIN behind a front end, with other parts."""
    traffic = {"t": {"function": "f", "trace": trace([0]), "via": front_end}}
    return run_of(**{"functions": IN_VAIN["functions"], "duration": IN_VAIN["duration"], "traffic": traffic, **parts})


class TestWorkForNobody:
    """Work that goes on when its caller has gone: how much, and what to do about it."""

    def test_share_of_the_concurrency(self) -> None:
        """From 4 s to 10 s of 20 s."""
        text = text_of(run_of(**IN_VAIN))
        assert "On average 0.3 of 0.5 in flight (60.0%) worked for callers that had stopped waiting." in text
        assert "timed_out_client 1 100% the caller stopped waiting" in text
        assert "gave up waiting 1 4s 4s 4s 4s" in text

    def test_only_what_lies_in_the_interval_of_the_mean(self) -> None:
        """The traffic ends after 8 s: 1 in flight on average, half of it for nobody."""
        assert "On average 0.5 of 1 in flight (50.0%) worked" in text_of(run_of(**{**IN_VAIN, "duration": "8s"}))

    def test_two_ways_out(self) -> None:
        """A timeout of the function like that of the caller, or a caller who waits for 15 s and an init of 10 s."""
        text = text_of(run_of(**IN_VAIN))
        assert (
            "100% of the requests got no answer in time, and 60.0% of what was in flight worked on for callers that had"
            " stopped waiting. Try to end the work when the waiting ends (--set functions.f.timeout=4s), or to wait"
            " until the function must have ended (--set traffic.t.client.timeout=25s)."
        ) in text
        assert "Nothing was refused" not in text

    def test_no_function_ends_within_a_second(self) -> None:
        """AWS's shortest timeout is 1 s, so a caller who waits for less can only wait longer."""
        text = text_of(run_of(**{**IN_VAIN, "client": {"timeout": "500ms"}}))
        assert "Try to wait until the function must have ended (--set traffic.t.client.timeout=25s)." in text

    def test_the_gateway_that_stops_first_is_named(self) -> None:
        """A REST API may wait longer, an HTTP API for 30 s; then the answer has to come another way."""
        text = text_of(behind({"front_end": "api-gateway-rest", "timeout": "4s", "throttle_status": 418}))
        assert "timed_out_client 1 100% the caller, or a gateway for it, stopped waiting" in text
        assert "(--set functions.f.timeout=4s), or to let the gateway wait longer" in text
        assert "--set 'traffic.t.via={front_end: api-gateway-rest, timeout: 25s, throttle_status: 418}'" in text
        http = {"front_end": "api-gateway-http", "timeout": "4s"}
        slow = {"f": {"duration": "60s", "timeout": "2m"}}
        assert "via={front_end: api-gateway-http, timeout: 30s}'" in text_of(behind(http, functions=slow))
        text = text_of(behind("api-gateway-http", functions=slow, duration="100s"))
        assert "callers ask for the result later: api-gateway-http waits no longer" in text

    def test_what_it_suggests_is_valid_and_helps(self) -> None:
        """Both settings, given to the same scenario: nobody works in vain any longer."""
        for changed in (
            behind({"front_end": "api-gateway-rest", "timeout": "25s", "throttle_status": 418}),
            run_of(**{**IN_VAIN, "client": {"timeout": "25s"}}),
            run_of(**{**IN_VAIN, "functions": {"f": {"duration": "10s", "timeout": "4s"}}}),
        ):
            assert "stopped waiting" not in text_of(changed)

    def test_the_source_with_the_most_of_it_is_named(self) -> None:
        """Source b leaves 6 s of work on g behind, source a 1 s of work on f."""
        waiting = {"client": {"timeout": "4s"}}
        run = run_of(
            duration="20s",
            functions={name: {"duration": "10s", "timeout": "15s"} for name in "fg"},
            traffic={
                "a": {"function": "f", "trace": trace([(0, 5), (9, 1)]), **waiting},
                "b": {"function": "g", "trace": trace([0]), **waiting},
            },
        )
        assert "--set functions.g.timeout=4s" in text_of(run)

    def test_before_or_after_the_limit(self) -> None:
        """First comes what hits the larger share: 60 % of the work, then 50 % or 75 % of the attempts."""
        for refused, is_first in ((1, True), (3, False)):
            rows = [0, *[1] * refused]
            text = text_of(run_of(**{**IN_VAIN, "rows": rows, "region": {"concurrency_quota": 1}}))
            assert (text.index("got no answer in time") < text.index("The quota is reached")) == is_first

    def test_a_little_is_no_reason(self) -> None:
        """One of 40 callers goes after 4.9 of 5 s: 2.5 % of the requests, 0.1 of 44 s of work."""
        run = run_of(rows=[(0, 5), *[1] * 39], functions={"f": {"timeout": "15s"}}, client={"timeout": "4900ms"})
        text = text_of(run)
        assert "in flight (0.23%) worked for callers" in text
        assert "got no answer in time" not in text
        assert "Nothing was refused." in text

    def test_nobody_gave_up(self) -> None:
        """Then there is no word of it."""
        text = text_of(run_of(rows=[0]))
        assert "stopped waiting" not in text
        assert "gave up waiting" not in text


class TestCallers:
    """Retries by function, and calls that wait in their client."""

    def test_attempts_each(self) -> None:
        """The second request to f is refused once; g has no retry. Without any there is no such column."""
        parts: dict[str, Any] = {
            "functions": {"f": {"reserved_concurrency": 1}, "g": {}},
            "traffic": {
                "a": {"function": "f", "trace": trace([0, 0.5]), "client": {"retry": {"delays": ["1s"]}}},
                "b": {"function": "g", "trace": trace([0])},
            },
        }
        text = text_of(run_of(**parts))
        assert "requests attempts each throttled cold p99 peak reserved f 2 1.5 0% 50.0%" in text
        assert "g 1 1 0% 100%" in text
        parts["traffic"]["a"].pop("client")
        assert "attempts each" not in text_of(run_of(**parts))

    def test_functions_in_file_order(self) -> None:
        """The last of two has the most requests. Of 21, those with the most are shown, and the busiest first."""
        for count, order in ((2, ["f00 1", "f01 2"]), (21, ["f20 2", "f00 1"])):
            names = [f"f{number:02d}" for number in range(count)]
            rows = {name: trace([0, 5] if name == names[-1] else [0]) for name in names}
            text = text_of(
                run_of(
                    functions={name: {} for name in names},
                    traffic={name: {"function": name, "trace": rows[name]} for name in names},
                )
            )
            first, second = (text.index(words) for words in order)
            assert first < second
            assert ("and 1 more in summary.json" in text) == (count == 21)

    def test_calls_held_back_by_their_client(self) -> None:
        """As in ``test_rate_limiter``: for 0.3571 and 1.2727 s, so 815 ms on average."""
        client = {"retry": {"preset": "boto3-adaptive", "max_attempts": 1}}
        run = run_of(region={"concurrency_quota": 1}, rows=[(0, 900), 0.6, 0.6, 0.96], client=client)
        assert "2 calls were held back by the rate limiter of their own client, for 815ms on average." in text_of(run)
        assert "held back by the rate limiter" not in text_of(by_hand())


class TestWorstPeriod:
    """The minute or hour with the most refusals, and that with the most cold starts."""

    def test_a_minute_in_short_runs(self) -> None:
        """Three cold starts of four invocations in the second minute, one refusal of three attempts in the third."""
        text = text_of(run_of(rows=[0, 70, 70, 70, 70], duration="150s"))
        assert "Worst minute: 1:00 to 2:00, 3 cold starts (75.0% of its invocations)." in text
        text = text_of(run_of(rows=[0, 125, 126, 126], duration="150s", region={"concurrency_quota": 1}))
        assert "Worst minute: 2:00 to 3:00, 1 of 3 attempts refused (33.3%)." in text

    def test_an_hour_in_long_ones(self) -> None:
        """Two cold starts in the third hour of four, an hour apart from the first."""
        functions = {"f": {"idle_timeout": "10m"}}
        text = text_of(run_of(rows=[0, 7_300, 9_000, 9_010], duration="4h", functions=functions))
        assert "Worst hour: 2:00:00 to 3:00:00, 2 cold starts (66.7% of its invocations)." in text

    def test_cold_in_less_than_an_init(self) -> None:
        """Inits of 10 s. Request 1 asks for a second one at 20, and is served by the first at 25. Request 2 comes at
        28 and is the first of the second environment at 30: cold, after 2 s and not 10.
        """
        text = text_of(run_of(functions={"f": {"init": "10s"}}, rows=[(0, 15), (20, 10), (28, 1)], duration="60s"))
        assert "cold 2 3s 25s 25s 25s" in text
        sentence = "A cold start can take less than its init: another request had begun that init before."
        assert sentence in text
        assert sentence not in text_of(by_hand())

    def test_one_cold_start_has_no_worst_period(self) -> None:
        """Nor has a run of a single period."""
        assert "Worst" not in text_of(run_of(rows=[0], duration="150s"))
        assert "Worst" not in text_of(run_of(rows=[0, 0], duration="50s"))
