"""Layers, ceilings and throttle marks of the picture of concurrency."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.platform.token_bucket import NO_TOKEN, bucket_limits, debt_after_token
from lambdasim.report.pictures import Pictures
from lambdasim.report.pictures.ceilings import scaling_ceiling, tokens_left
from lambdasim.report.pictures.stack import concurrency_stack
from lambdasim.report.pictures.style import (
    REASON_COLOURS,
)
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.builders import trace
from tests.report.runs import area_of, functions, labelled, run_of, texts_of


class TestConcurrency:
    """Areas, ceilings and the rug of throttles."""

    def test_exact_areas_sum_to_the_concurrency(self) -> None:
        """Between any two instants the bands add up to the requests in flight, and their phases are right."""
        run = run_of(rows=[0, 0.5, 3, 10], functions={"f": {"init": "2s", "duration": "3s"}}, duration="20s")
        stack = concurrency_stack(run)
        (slot,) = stack.slots
        assert stack.is_exact
        log = run.log.invocations
        for index, time_ns in enumerate(stack.times_ns):
            busy = ((log.handler_ns <= time_ns) & (time_ns < log.end_ns)).sum()
            waiting = ((log.admitted_ns <= time_ns) & (time_ns < log.handler_ns)).sum()
            assert [band.level[index] for band in slot.bands] == [busy, waiting]
            assert slot.peak[index] == busy + waiting

    def test_areas_are_drawn_at_these_heights(self) -> None:
        """One request of a second's init and a second's work makes one band after the other, both of height one."""
        ax = Pictures(run_of(rows=[1], functions={"f": {"init": "1s"}}, duration="5s")).concurrency()
        for label, start in (("waiting for an init", 1), ("busy", 2)):
            edges, below, above = area_of(ax, label)
            assert (np.diff(edges) * (above - below)).sum() == 1
            assert edges[:-1][above > below].tolist() == [start]

    def test_means_keep_the_area_and_the_line_keeps_the_peak(self, spike: Run) -> None:
        """With more changes than pixels, areas hold the request-seconds and the line reaches the highest level."""
        many = run_of(rows=[i / 100 for i in range(5_000)], functions={"f": {"duration": "37ms"}}, duration="60s")
        for run in (many, spike):
            stack = concurrency_stack(run)
            assert not stack.is_exact
            mean = sum(band.level[:-1] for slot in stack.slots for band in slot.bands)
            seconds = (run.log.clipped_end_ns - run.log.invocations.admitted_ns).sum() / 1e9
            assert (mean * np.diff(stack.times_ns)).sum() / 1e9 == pytest.approx(seconds, rel=1e-6)
            assert max(slot.peak.max() for slot in stack.slots) == run.summary["concurrency"]["peak"]
            assert all(len(band.level) <= 2_500 for slot in stack.slots for band in slot.bands)

    def test_the_rug_marks_every_throttle(self) -> None:
        """Marks stand at the times of the refused attempts, coloured by reason, and the legend counts them."""
        run = run_of(
            rows=[0, 1, 2, 3], functions={"f": {"duration": "20s"}}, region={"concurrency_quota": 1}, duration="9s"
        )
        ax = Pictures(run).concurrency()
        marks = labelled(ax, "account_concurrency")
        assert [segment[0][0] for segment in marks.get_segments()] == [1, 2, 3]
        assert to_hex(marks.get_color()[0]).upper() == REASON_COLOURS[ThrottleReason.ACCOUNT_CONCURRENCY]
        assert "throttled 3:\naccount concurrency" in texts_of(ax)

    def test_a_near_quota_is_a_line_and_a_far_one_a_note(self) -> None:
        """A quota of 1,000 over a peak of 1 must not squash the data."""
        near = Pictures(run_of(rows=[1], region={"concurrency_quota": 2}, duration="5s")).concurrency()
        assert set(labelled(near, "account quota").get_ydata()) == {2}
        far = Pictures(run_of(rows=[1], region={"concurrency_quota": 1_000}, duration="5s")).concurrency()
        assert far.get_ylim()[1] < 2
        assert any("account quota: 1,000" in text for text in texts_of(far))

    def test_reserved_units_are_space_that_others_do_not_get(self) -> None:
        """The reserved function lies at the bottom; the others start at its cap, so that the quota is the ceiling."""
        run = functions(2, reserved_concurrency=3)
        reserved, shared = concurrency_stack(run).slots
        assert (reserved.reserved, shared.reserved) == (3, None)
        ax = Pictures(run).concurrency()
        assert set(labelled(ax, "reserved concurrency").get_ydata()) == {3}
        assert area_of(ax, "_fn_001")[1].tolist() == [3] * len(area_of(ax, "_fn_001")[1])

    def test_a_far_reservation_does_not_squash_the_data(self) -> None:
        """It is named in the legend alone."""
        run = functions(2, reserved_concurrency=900)
        assert [slot.reserved for slot in concurrency_stack(run).slots] == [None]
        assert any("reserved: 900" in text for text in texts_of(Pictures(run).concurrency()))

    def test_a_hundred_functions_are_seven_and_the_others(self) -> None:
        """The largest are shown by name, and nothing is lost."""
        run = functions(100)
        (slot,) = concurrency_stack(run).slots
        assert [band.label for band in slot.bands] == [f"_fn_{i:03d}" for i in range(93, 100)] + ["93 other functions"]
        assert slot.peak.max() == run.summary["concurrency"]["peak"]
        assert "_fn_099" in texts_of(Pictures(run).concurrency())

    def test_the_scaling_ceiling_touches_what_it_holds_back(self) -> None:
        """A burst of 2 and one more each second: at 3.5 s four environments are alive, or could be."""
        scaling = {"burst": 2, "rate": 1, "per": "1s"}
        rows = [i / 10 for i in range(50)]
        run = run_of(rows=rows, functions={"f": {"duration": "30s", "scaling": scaling}}, duration="6s")
        line = labelled(Pictures(run).concurrency(), "scaling rate")
        for time_s in (0.0, 0.55, 1.55, 3.55):
            ceiling = np.interp(time_s, *line.get_data())
            assert ceiling == pytest.approx(2 + time_s, abs=0.05)
        assert not any(line.get_label() == "scaling rate" for line in Pictures(functions(2)).concurrency().lines)

    def test_the_scaling_ceiling_is_seen_where_it_bites(self) -> None:
        """An environment of 0 s takes those of 5.5 and 6.5 s, for each of which another one initialises until later.

        So at 7.5 s three are alive and no fourth may start, though at most two requests were ever in flight.
        """
        function = {"init": "5s", "scaling": {"burst": 3, "rate": 1, "per": "1000s"}}
        rows = [(0, 1), (5.5, 1), (6.5, 1), (7.5, 1)]
        run = run_of(rows=rows, functions={"f": function}, region={"concurrency_quota": 9}, duration="30s")
        assert run.log.throttles.reason.tolist() == [ThrottleReason.SCALING_RATE]
        assert run.summary["concurrency"]["peak"] == 2
        ax = Pictures(run).concurrency()
        lines = {label: labelled(ax, label).get_data() for label in ("scaling rate", "environments alive")}
        assert {label: np.interp(7.5, *line) for label, line in lines.items()} == pytest.approx(
            {"scaling rate": 3, "environments alive": 3}, abs=0.02
        )
        assert np.interp(6, *lines["environments alive"]) == 2
        assert ax.get_ylim()[1] > 3
        assert "environments alive:\ninitialising, busy or idle" in texts_of(ax)

    def test_no_environments_where_the_scaling_rate_refused_nothing(self) -> None:
        """They are no part of what the quota limits."""
        ax = Pictures(run_of(rows=[0, 0], region={"concurrency_quota": 1}, duration="5s")).concurrency()
        assert len(ax.collections) == 1  # of the one refused attempt
        assert not [line for line in ax.lines if line.get_label() in ("scaling rate", "environments alive")]

    def test_labels_stay_in_view(self) -> None:
        """The quota of the part that is shown, at its left end; that of another part is not shown."""
        changes = [{"at": "50s", "region": {"concurrency_quota": 3}}]
        run = run_of(rows=[1, 1, 60], region={"concurrency_quota": 2}, changes=changes, duration="100s")
        ax = Pictures(run).concurrency()
        first, second = (text for text in ax.texts if text.get_text() in ("account quota: 2", "3"))
        assert [(text.xy[0], text.get_visible()) for text in (first, second)] == [(0, True), (50, True)]
        ax.set_xlim(20, 40)
        assert [(text.xy[0], text.get_visible()) for text in (first, second)] == [(20, True), (50, False)]
        ax.set_xlim(40, 70)
        assert [(text.xy[0], text.get_visible()) for text in (first, second)] == [(40, True), (50, True)]
        ax.set_xlim(70, 90)
        assert [text.get_visible() for text in (first, second)] == [False, True]
        assert second.xy[0] == 70

    def test_a_note_of_a_far_quota_stays_in_view(self) -> None:
        """As the label of a line does."""
        ax = Pictures(run_of(rows=[1], region={"concurrency_quota": 1_000}, duration="50s")).concurrency()
        ax.set_xlim(20, 30)
        (note,) = (text for text in ax.texts if "account quota" in text.get_text())
        assert (note.xy[0], note.get_visible()) == (20, True)

    def test_the_limit_that_is_meant(self) -> None:
        """What the only function has reserved; of several functions the quota."""
        reserved = run_of(rows=[0, 1], functions={"f": {"reserved_concurrency": 2}}, duration="5s")
        assert any("peak 1 of 2 reserved, 0 attempts" in text for text in texts_of(Pictures(reserved).concurrency()))
        several = texts_of(Pictures(functions(2, reserved_concurrency=3)).concurrency())
        assert any("of a quota of 1,000, 0 attempts" in text for text in several)

    def test_tokens_left_agree_with_the_bucket_of_the_platform(self) -> None:
        """The vectorised recursion gives the levels of the bucket that engines use."""
        bucket = bucket_limits(tokens=5, rate=2, per_ns=7)
        taken, debt, last = [], 0, 0
        for now in np.cumsum(np.random.default_rng(1).integers(0, 6, 200)).tolist():
            after = debt_after_token(debt, now - last, bucket)
            if after == NO_TOKEN:
                continue
            debt, last = after, now
            taken.append(now)
            left = tokens_left(np.array(taken), bucket, np.array([now]))[0]
            assert left == pytest.approx((bucket.depth - debt) / bucket.cost, abs=1e-9)


class TestProvisioned:
    """Provisioned units in the picture: idle ones on top of the stack, and no tokens of the scaling rate."""

    def test_idle_units_lie_above_the_stack(self) -> None:
        """3 units, 5 asked for at 10; one is busy from 2 to 6, two from 20 to 21, and one runs on demand then."""
        function = {"provisioned_concurrency": 3, "provisioned_allocation": ONE_A_SECOND}
        run = run_of(
            functions={"f": function, "g": {}},
            traffic={"t": {"function": "f", "trace": trace([(2, 4), (20, 1), (20, 1), (20, 1, None, "g")])}},
            changes=[to(10, 5)],
            duration="30s",
        )
        stack = concurrency_stack(run)
        assert stack.is_exact
        at = dict(zip((stack.times_ns / 1e9).tolist(), stack.idle_provisioned.tolist(), strict=True))
        assert {time: at[time] for time in (0, 2, 6, 10, 20, 21)} == {0: 3, 2: 2, 6: 3, 10: 5, 20: 3, 21: 5}
        ax = Pictures(run).concurrency()
        assert "provisioned, idle:\nno other gets it" in texts_of(ax)
        assert any("up to 5 units provisioned" in text for text in texts_of(ax))
        assert area_of(ax, "provisioned, idle")[2].max() == 6  # at 20: three in flight below three idle ones

    def test_means_of_idle_units(self) -> None:
        """With more changes than pixels the mean over each interval: 4 units, 100/s x 20 ms = 2 of them busy."""
        run = run_of(
            functions={"f": {"duration": "20ms", "provisioned_concurrency": 4}},
            traffic={"t": {"function": "f", "rate": "100/s", "arrivals": "uniform"}},
            duration="60s",
        )
        stack = concurrency_stack(run)
        assert not stack.is_exact
        assert float(np.median(stack.idle_provisioned)) == pytest.approx(2, abs=0.1)
        mean = (stack.idle_provisioned[:-1] * np.diff(stack.times_ns)).sum() / stack.times_ns[-1]
        assert mean == pytest.approx(2, abs=0.01)

    def test_within_a_reservation_they_are_part_of_it(self) -> None:
        """Its space is drawn already."""
        function = {"reserved_concurrency": 5, "provisioned_concurrency": 3}
        stack = concurrency_stack(run_of(functions={"f": function}, rows=[0], duration="5s"))
        assert not stack.idle_provisioned.any()

    def test_they_take_no_scaling_tokens(self) -> None:
        """A burst of 2 and hardly any refill: 3 units are ready, 2 more may start, and the last of 6 is refused."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 3, "duration": "9s"}},
            rows=[0] * 6,
            region={"scaling": {"burst": 2, "rate": 1, "per": "1000s"}},
            duration="10s",
        )
        assert len(run.log.throttles) == 1
        ceiling = scaling_ceiling(run, (0,), np.array([0, 5 * 10**9]))
        assert ceiling.tolist() == pytest.approx([5, 5.005])
