"""What the two pictures of requests show: how long they took and what became of them."""

from __future__ import annotations

import numpy as np
import pytest

from lambdasim.metrics.run import Run
from lambdasim.report.pictures import Pictures
from lambdasim.report.pictures.fates import Fate, request_fates
from lambdasim.report.pictures.latency import ecdf, limits_of, ticks_of
from lambdasim.report.pictures.outcomes import measure_of, outcome_bins, rate_unit
from lambdasim.report.pictures.style import (
    time_text,
)
from tests.builders import trace
from tests.report.runs import RETRYING, labelled, run_of, texts_of


class TestLatency:
    """The distribution functions by fate."""

    def test_ecdf_values(self) -> None:
        """Three values: a third, two thirds, all."""
        curve = ecdf(np.array([30, 10, 20]))
        assert curve.latency_ns.tolist() == [10, 20, 30]
        assert curve.share.tolist() == pytest.approx([1 / 3, 2 / 3, 1])

    def test_thinned_ecdf_stays_on_the_curve_and_keeps_its_ends(self) -> None:
        """At most 2,000 points; each is a value with its own rank."""
        values = np.random.default_rng(1).permutation(50_000)
        curve = ecdf(values)
        assert len(curve.share) <= 2_000
        assert (curve.latency_ns[0], curve.latency_ns[-1], curve.share[-1]) == (0, 49_999, 1)
        assert np.array_equal(curve.share, (curve.latency_ns + 1) / 50_000)

    def test_curves_by_fate_with_counts(self, spike: Run) -> None:
        """Warm, cold and retried requests are apart and add up to all that completed."""
        counts = np.bincount(request_fates(spike), minlength=len(Fate))
        completed = counts[: Fate.RETRIED + 1]
        assert completed.all()
        assert completed.sum() == spike.summary["requests"]["completed"]
        legend = [
            text for text in texts_of(Pictures(spike).latency()) if text.startswith(("all completed", "completed"))
        ]
        assert [int(text.split("\n")[-1].split(" ")[0].replace(",", "")) for text in legend] == [
            completed.sum(),
            *completed,
        ]

    def test_percentiles_are_those_of_the_summary(self, spike: Run) -> None:
        """The marks and their labels give p50 and p99 of all completed requests."""
        ax = Pictures(spike).latency()
        for name in ("p50", "p99"):
            value_ns = round(spike.summary["latency_s"][name] * 1e9)
            assert f"{name} of completed: {time_text(value_ns)}" in texts_of(ax)
            assert any(value_ns in line.get_xdata() for line in ax.lines if line.get_marker() == "o")

    def test_the_slowest_of_few_is_no_percentile(self) -> None:
        """Of 99 the slowest is marked, of 100 p99."""
        for count, name in ((99, "slowest"), (100, "p99")):
            rows = [(10 * number, 1 if number else 3) for number in range(count)]
            texts = texts_of(Pictures(run_of(rows=rows)).latency())
            value = "3 s" if name == "slowest" else "1 s"
            assert f"{name} of completed: {value}" in texts
            assert [text for text in texts if text.startswith(("p99", "slowest"))] == [f"{name} of completed: {value}"]

    def test_targets_are_lines(self) -> None:
        """Each percentile that is promised, where it is near the data; with its verdict in the legend."""
        slo = {"p99": "2s", "p50": "500ms", "p999": "1h", "mean": "1s"}
        ax = Pictures(run_of(rows=[0, 5], duration="9s", slo=slo)).latency()
        for name, time_ns in (("p99", 2 * 10**9), ("p50", 5 * 10**8)):
            assert labelled(ax, f"target {name}").get_xdata() == [time_ns, time_ns]
            assert f"{name} target" in texts_of(ax)
        assert {"target: p99 at most\n2 s: met", "target: p50 at most\n500 ms: missed"} <= set(texts_of(ax))
        assert not [text for text in texts_of(ax) if "p999" in text or "mean" in text]
        low, high = ax.get_xlim()
        assert low < 5 * 10**8 < 2 * 10**9 < high

    def test_those_who_gave_up_have_a_curve_of_their_own(self) -> None:
        """Answered after 2 s, given up after 3 s: within the axis, and apart from what completed."""
        ax = Pictures(run_of(rows=[(0, 2), (0, 9)], functions={"f": {"timeout": "15s"}}, client={"timeout": "3s"}))
        ax = ax.latency()
        (curve,) = [line for line in ax.lines if line.get_color() == Fate.TIMED_OUT_CLIENT.colour]
        assert curve.get_xdata()[:2].tolist() == [3 * 10**9, 3 * 10**9]
        low, high = ax.get_xlim()
        assert low < 2 * 10**9 < 3 * 10**9 < high
        texts = texts_of(ax)
        assert {"all completed\n1 (100 %)", "gave up waiting\n(caller or gateway)\n1, not completed"} <= set(texts)
        assert "1 of 2 requests completed, 1 gave up waiting · seed 1" in texts
        assert "latency from the request to its answer, or to giving up, retries included (log scale)" in texts

    @pytest.mark.parametrize(
        ("low", "high", "limits"),
        [(100, 100, (90.91, 110)), (100, 110, (90.91, 121)), (100, 256, (79.06, 323.8)), (100, 400, (90, 500))],
    )
    def test_the_axis_fits_the_data(self, low: float, high: float, limits: tuple[float, float]) -> None:
        """A factor of 1.1 on either side, or 2.56 to the power of a quarter = 1.265; from 4 times on a wide axis."""
        assert limits_of(low, high) == pytest.approx(limits, rel=1e-3)

    def test_ticks_of_a_narrow_axis_are_evenly_spaced(self) -> None:
        """Round times by 1, 2, 5 where there are three of them; else steps of 20 ms from 460 to 540 ms."""
        ms = 10**6
        assert ticks_of(90 * ms, 600 * ms) == [100 * ms, 200 * ms, 500 * ms]
        assert ticks_of(455 * ms, 550 * ms) == [460 * ms, 480 * ms, 500 * ms, 520 * ms, 540 * ms]

    def test_the_axis_begins_with_the_request(self) -> None:
        """Not with the first attempt, which the rate limiter of a client may hold back."""
        assert "latency from the request to its answer" in Pictures(run_of(rows=[0])).latency().get_xlabel()

    def test_nobody_waits_for_the_answer_to_an_event(self) -> None:
        """Its caller has a 202 at once; what the picture shows is when the work was done."""
        event = {"function": "f", "invoke": "async", "trace": trace([0])}
        message = {"function": "f", "invoke": "sqs", "queue": "q", "trace": trace([0])}
        caller = {"function": "f", "trace": trace([0])}
        queues = {"q": {"event_source_mapping": {"function": "f"}}}
        for traffic, label in (
            ({"a": message}, "from the request to its completion, retries"),
            ({"a": event, "m": message, "b": caller}, "its answer (of events and messages: their completion), retries"),
            ({"a": event}, "from the request to its completion, retries"),
            ({"a": event, "b": caller}, "from the request to its answer (of events: their completion), retries"),
        ):
            assert label in Pictures(run_of(traffic=traffic, queues=queues)).latency().get_xlabel()

    def test_retried_means_a_second_attempt_completed(self) -> None:
        """Refused at 0.5 s, accepted at its retry at 1.5 s: retried, and 2 s of latency."""
        run = run_of(rows=[0, 0.5], region={"concurrency_quota": 1}, client=RETRYING, duration="9s")
        assert request_fates(run).tolist() == [Fate.COLD, Fate.RETRIED]


class TestOutcomes:
    """Counts by time of settlement."""

    def test_bins_sum_to_the_counts_of_the_summary(self, spike: Run) -> None:
        """No request is lost, those in flight apart."""
        made, requests = outcome_bins(spike), spike.summary["requests"]
        counts = made.counts.sum(axis=1)
        assert counts[: Fate.RETRIED + 1].sum() == requests["completed"]
        for fate in (Fate.FAILED, Fate.THROTTLED, Fate.TIMED_OUT_CLIENT, Fate.DROPPED):
            assert counts[fate] == requests[fate.name.lower()]
        assert made.throttled_attempts.sum() == spike.summary["attempts"]["throttles"]

    def test_a_request_is_counted_when_it_is_settled(self) -> None:
        """Ten seconds, 0.1 s a bin: refused at 0.5 s, the retry of 1.5 s ends at 2.5 s."""
        run = run_of(rows=[0, 0.5], region={"concurrency_quota": 1}, client=RETRYING, duration="10s")
        made = outcome_bins(run)
        assert made.width_ns == 10**8
        assert np.flatnonzero(made.counts[Fate.RETRIED]).tolist() == [25]
        assert "counted when it is settled" in Pictures(run).outcomes().get_xlabel()

    def test_stacked_areas_are_rates_of_the_bins(self, spike: Run) -> None:
        """The top of the stack times the width of a bin gives back the requests that were settled."""
        ax, made = Pictures(spike).outcomes(), outcome_bins(spike)
        tops = [patch.get_data().values for patch in ax.patches if patch.get_label() in {fate.label for fate in Fate}]
        settled = (spike.outcomes.settled_ns >= 0).sum()
        assert tops[-1].sum() * made.width_ns / 1e9 == pytest.approx(settled)

    def test_the_offered_rate_follows_the_profile(self, spike: Run) -> None:
        """Its integral is 20 x 20 + 85 x 10 + 80 x 5 + 10 x 55 requests; a trace counts its arrivals."""
        assert outcome_bins(spike).offered.sum() == pytest.approx(400 + 850 + 400 + 550)
        assert outcome_bins(run_of(rows=[0, 1, 9.99], duration="10s")).offered.sum() == 3

    def test_virtual_users_offer_what_they_sent(self) -> None:
        """One user, 1 s of work and 3 s of thinking: at 0, 4 and 8 s; beside them 2/s for 10 s."""
        traffic = {
            "users": {"function": "f", "virtual_users": 1, "think_time": "3s"},
            "web": {"function": "f", "rate": "2/s"},
        }
        alone, both = (
            outcome_bins(run_of(traffic={name: traffic[name] for name in names}, duration="10s"))
            for names in (["users"], ["users", "web"])
        )
        assert np.flatnonzero(alone.offered).tolist() == [0, 40, 80]
        assert both.offered.sum() == pytest.approx(3 + 20)

    def test_a_warmer_offers_what_it_sent(self) -> None:
        """Three pings at 0 and at 8 s; those at 4 s are switched off."""
        traffic = {"warm": {"function": "f", "warmer": {"every": "4s", "concurrency": 3}}}
        changes = [{"at": "3s", "traffic": {"warm": "off"}}, {"at": "5s", "traffic": {"warm": "on"}}]
        made = outcome_bins(run_of(traffic=traffic, changes=changes, duration="10s"))
        assert np.flatnonzero(made.offered).tolist() == [0, 80]
        assert made.offered.sum() == 6

    @pytest.mark.parametrize(
        ("highest_per_s", "unit"),
        [(0, "second"), (1, "second"), (0.99, "minute"), (1 / 60, "minute"), (0.9 / 60, "hour"), (1e-9, "hour")],
    )
    def test_the_unit_suits_the_rate(self, highest_per_s: float, unit: str) -> None:
        """Per second, where at least one a second came at the peak; else per minute, or per hour."""
        assert rate_unit(highest_per_s) == unit

    def test_few_requests_are_counted(self) -> None:
        """Two at once are two in half a second, not four a second; the axis has whole numbers only."""
        run = run_of(rows=[0, 10, 10], duration="40s")
        ax = Pictures(run).outcomes()
        assert ax.get_ylabel() == "requests per 500 ms"
        assert labelled(ax, "offered").get_data().values[[0, 20]].tolist() == [1, 2]
        assert max(patch.get_data().values.max() for patch in ax.patches) == 2
        low, high = ax.get_ylim()
        assert [tick for tick in ax.get_yticks() if low <= tick <= high] == [0, 1, 2]

    def test_throttled_attempts_of_few_requests_are_counted_too(self) -> None:
        """Refused at 0.5 s of ten seconds: one in the bin of 100 ms, which is none of ten a second."""
        run = run_of(rows=[0, 0.5], region={"concurrency_quota": 1}, client=RETRYING, duration="10s")
        assert labelled(Pictures(run).outcomes(), "throttled attempts").get_data().values.max() == 1

    def test_from_a_hundred_on_they_are_a_rate(self) -> None:
        """99 are counted; without any request the rate that was offered is told."""
        labels = {count: measure_of(outcome_bins(run_of(rows=[1] * count, duration="10s")), count).label
                  for count in (99, 100)}  # fmt: skip
        assert labels == {99: "requests per 100 ms", 100: "requests per second, mean over 100 ms"}
        none = run_of(traffic={"t": {"function": "f", "rate": "1/h"}}, duration="10s")
        assert len(none.log.requests) == 0
        assert Pictures(none).outcomes().get_ylabel() == "requests per hour, mean over 100 ms"

    def test_rates_per_minute(self) -> None:
        """Ten requests in each 30 s of an hour: 20 a minute, in the stack and on the line."""
        run = run_of(rows=[3 * number for number in range(1_200)], duration="1h", functions={"f": {"duration": "1ms"}})
        ax = Pictures(run).outcomes()
        assert ax.get_ylabel() == "requests per minute, mean over 30 s"
        assert labelled(ax, "offered").get_data().values[:120].tolist() == [20] * 120
        assert labelled(ax, Fate.WARM.label).get_data().values[1:120].tolist() == [20] * 119

    def test_what_happens_at_the_very_end_is_in_the_last_bin(self) -> None:
        """A request that is settled at the end of the run is counted."""
        made = outcome_bins(run_of(rows=[9], duration="10s"))
        assert made.counts[Fate.COLD].tolist()[-1] == 1
