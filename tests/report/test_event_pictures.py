"""The pictures of asynchronous events: attempts, waits, ladders, backlog, age and drops, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.run import Run
from lambdasim.report.pictures import PICTURES, Pictures, pictures_of, save_all
from lambdasim.report.pictures.ages import least_between
from lambdasim.report.pictures.backlog import oldest_age, queue_levels
from lambdasim.report.pictures.event_waits import Ended, WaitFor, event_attempts, event_waits
from lambdasim.report.pictures.retry_ladder import MOST_EVENTS, evenly_picked, needed_retry, was_read_slowly
from lambdasim.report.pictures.style import DROP_COLOURS, Colour, png
from tests.builders import trace
from tests.report.runs import MOST_POINTS, area_of, labelled, points_drawn, run_of, texts_of

S = 10**9
# Exact delays, no slow-down, tried at once.
TEXTBOOK = {"jitter": "none", "slow_down": "none", "dispatch_delay": "0s"}
FAILING = {"errors": {"rate": "100%"}}
EVENTS = {"retry_ladder", "backlog"}
OTHERS = {"provisioned", "receives", "queues", "streams"}  # of work and capacity that these runs do not have


def event_run(rows: list[Any], function: dict[str, Any] | None = None, **parts: Any) -> Run:
    """A run whose requests are events of one function that works for a second, in the textbook's way."""
    own = dict(function or {})
    own["async"] = {**TEXTBOOK, **own.get("async", {})}
    source = {"function": "f", "invoke": "async", "trace": trace(rows)}
    return run_of(functions={"f": own}, traffic={"t": source, **parts.pop("traffic", {})}, **parts)


def two_of_one_unit(**parts: Any) -> Run:
    """A: works from 0 to 2 s. B: comes at 0 too, is throttled at 0 and at 1 s, and works from 3 to 5 s."""
    return event_run([(0, 2), (0, 2)], region={"concurrency_quota": 1}, duration="5s", **parts)


def panels(ax: Axes) -> list[Axes]:
    """The panels of a picture, from the top."""
    return [panel for panel in ax.child_axes if isinstance(panel, Axes)]


def spans_of(ax: Axes, label: str) -> list[tuple[float, float, float]]:
    """(row, from, to) of each segment of a picture of ladders."""
    return [(y[0], x[0], x[1]) for x, y in (segment.T for segment in labelled(ax, label).get_segments())]


def marks_of(ax: Axes, label: str) -> list[tuple[float, float]]:
    """(row, time) of each mark."""
    line = labelled(ax, label)
    return list(zip(line.get_ydata(), line.get_xdata(), strict=True))


class TestFiles:
    """Only runs with events have these pictures."""

    def test_a_run_without_events_has_the_five_pictures(self, spike: Run, tmp_path: Path) -> None:
        """And nothing else."""
        assert EVENTS.isdisjoint(pictures_of(spike))
        assert {path.stem for path in save_all(spike, tmp_path)} == set(PICTURES) - EVENTS - OTHERS

    def test_a_run_with_events_has_them_all(self, tmp_path: Path) -> None:
        """A source that sends events is enough, though none came."""
        assert {path.stem for path in save_all(two_of_one_unit(), tmp_path)} == set(PICTURES) - OTHERS
        assert pictures_of(event_run([])) == [name for name in PICTURES if name not in OTHERS]

    @pytest.mark.parametrize("name", sorted(EVENTS))
    def test_a_sentence_stands_in_for_events(self, spike: Run, name: str) -> None:
        """In runs without."""
        for run in (spike, event_run([])):
            assert "There were no asynchronous events." in texts_of(PICTURES[name](run))

    @pytest.mark.parametrize("name", sorted(EVENTS))
    @pytest.mark.parametrize(
        "run",
        [
            pytest.param(lambda: event_run([0], duration="1ns"), id="one event"),
            pytest.param(lambda: event_run([0], {"duration": "1ns"}, duration="1ns"), id="a nanosecond"),
            pytest.param(lambda: event_run([0, 1], FAILING, duration="2s", drain="0s"), id="cut off"),
            pytest.param(lambda: event_run([3], {"reserved_concurrency": 0}), id="stopped"),
            pytest.param(lambda: event_run([0], {**FAILING, "async": {"maximum_retry_attempts": 0}}), id="no retry"),
            pytest.param(lambda: event_run([0], FAILING, duration="87600h"), id="ten years"),
            pytest.param(two_of_one_unit, id="a throttle"),
        ],
    )
    def test_every_run_has_its_pictures(self, run: Any, name: str) -> None:
        """Edges; on axes of the caller's as well, among other requests or alone."""
        made = run()
        assert png(PICTURES[name](made).figure)  # type: ignore[arg-type]
        figure = Figure(figsize=(14, 8), layout="constrained")
        given = figure.subplots(2, 2)[0, 1]
        assert getattr(Pictures(made), name)(given) is given
        figure.canvas.draw()

    def test_the_same_run_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """As with the other pictures."""
        for name in EVENTS:
            first, second = (png(PICTURES[name](two_of_one_unit()).figure) for _ in range(2))  # type: ignore[arg-type]
            assert first == second


class TestWaits:
    """Attempts and the stays in the queue between them."""

    def test_attempts_by_hand(self) -> None:
        """A is accepted at 0; B is throttled at 0 and 1, accepted at 3."""
        attempts = event_attempts(two_of_one_unit())
        assert attempts.request.tolist() == [0, 1, 1, 1]
        assert (attempts.time_ns / S).tolist() == [0, 0, 1, 3]
        assert (attempts.end_ns / S).tolist() == [2, 0, 1, 5]
        assert attempts.ended.tolist() == [Ended.OK, Ended.THROTTLED, Ended.THROTTLED, Ended.OK]

    def test_waits_by_hand(self) -> None:
        """Both are tried as they come; B waits from 0 to 1 and from 1 to 3."""
        run = two_of_one_unit()
        waits = event_waits(run, event_attempts(run))
        first = waits.where(waits.kind == WaitFor.FIRST_TRY)
        assert (first.start_ns.tolist(), first.end_ns.tolist()) == ([0, 0], [0, 0])
        again = waits.where(waits.kind == WaitFor.RETRY_AFTER_THROTTLE)
        assert (again.request.tolist(), (again.start_ns / S).tolist()) == ([1, 1], [0, 1])
        assert (again.end_ns / S).tolist() == [1, 3]
        assert again.is_before_attempt.all()
        assert len(waits) == 4

    def test_a_drop_ends_a_wait(self) -> None:
        """Stopped at 5 s: an event of 4 s is given up at 6 s, without an attempt."""
        run = event_run(
            [4],
            {"async": {"dispatch_delay": "2s"}},
            changes=[{"at": "5s", "functions": {"f": {"reserved_concurrency": 0}}}],
            region={"concurrency_quota": 10},
        )
        waits = event_waits(run, event_attempts(run))
        assert (waits.start_ns.tolist(), waits.end_ns.tolist()) == ([4 * S], [6 * S])
        assert not waits.is_before_attempt.any()

    def test_the_end_of_the_run_ends_none(self) -> None:
        """Failed at 1 s, a retry due at 61 s, the run ends at 2 s."""
        run = event_run([0], FAILING, duration="2s", drain="0s")
        waits = event_waits(run, event_attempts(run))
        assert waits.end_ns.tolist() == [0, NOT_YET]
        assert waits.kind.tolist() == [WaitFor.FIRST_TRY, WaitFor.RETRY_AFTER_ERROR]

    def test_requests_that_are_no_events_are_left_out(self) -> None:
        """Though they use the same function."""
        run = two_of_one_unit(traffic={"web": {"function": "f", "trace": trace([1])}})
        attempts = event_attempts(run)
        assert set(run.log.requests.source[attempts.request].tolist()) == {0}
        assert len(run.log.throttles) == (attempts.ended == Ended.THROTTLED).sum() + 1

    def test_every_event_waits_is_under_way_or_is_settled(self, crowd: Run) -> None:
        """At any time; in a run with throttles, errors and drops of all ages."""
        log, settled = crowd.log, crowd.outcomes.settled_ns
        waits = event_waits(crowd, event_attempts(crowd))
        for at in np.linspace(0, log.end_ns, 50).astype(np.int64):
            here = (waits.start_ns <= at) & ((waits.end_ns > at) | (waits.end_ns == NOT_YET))
            works = (log.invocations.admitted_ns <= at) & (
                (log.invocations.end_ns > at) | (log.invocations.end_ns == NOT_YET)
            )
            open_events = (log.requests.arrival_ns <= at) & ((settled > at) | (settled == NOT_YET))
            assert here.sum() + works.sum() == open_events.sum()
            assert len(set(waits.request[here].tolist())) == here.sum()

    def test_least_value_of_intervals(self) -> None:
        """Against the definition."""
        rng = np.random.default_rng(1)
        for cells in (1, 2, 7, 64):
            first, last = np.sort(rng.integers(0, cells + 1, (2, 20)), axis=0)
            values = rng.integers(0, 100, 20)
            expected = [min(values[(first <= c) & (c < last)], default=999) for c in range(cells)]
            assert least_between(values, first, last, cells=cells, missing=999).tolist() == expected


@pytest.fixture(scope="module")
def crowd() -> Run:
    """Ten events a second for a function that manages five and fails often, in the default way."""
    return run_of(
        functions={"f": {"reserved_concurrency": 5, "errors": {"rate": "20%"}, "async": {"maximum_event_age": "90s"}}},
        traffic={"t": {"function": "f", "invoke": "async", "rate": "10/s"}},
        duration="3m",
    )


class TestRetryLadder:
    """Ladders of single events above, the waits of all below."""

    def test_a_ladder_of_throttles(self) -> None:
        """B's: throttled at 0 and 1 s, at work from 3 to 5 s."""
        upper, lower = panels(Pictures(two_of_one_unit()).retry_ladder())
        assert spans_of(upper, "RETRY_AFTER_THROTTLE") == [(0, 0, 1), (0, 1, 3)]
        assert spans_of(upper, "work") == [(0, 3, 5)]
        assert marks_of(upper, "THROTTLED") == [(0, 0), (0, 1)]
        assert marks_of(upper, "OK") == [(0, 5)]
        assert labelled(lower, "retried after a throttle").get_data().values.sum() == 2

    def test_a_ladder_of_errors(self) -> None:
        """0 to 1 s, 61 to 62, 182 to 183 s, and given up there."""
        upper, lower = panels(Pictures(event_run([7], FAILING)).retry_ladder())
        assert spans_of(upper, "RETRY_AFTER_ERROR") == [(0, 1, 61), (0, 62, 182)]
        assert spans_of(upper, "work") == [(0, 0, 1), (0, 61, 62), (0, 182, 183)]
        assert marks_of(upper, "FAILED") == [(0, 1), (0, 62), (0, 183)]
        assert marks_of(upper, "given up") == [(0, 183)]
        assert upper.get_yticklabels()[0].get_text() == "0:07"
        counts = labelled(lower, "retried after an error").get_data()
        inside = [counts.edges[i] for i in np.flatnonzero(counts.values)]
        assert counts.values.sum() == 2
        np.testing.assert_allclose(inside, [60, 120], rtol=0.05)

    def test_an_event_that_is_open_at_the_end(self) -> None:
        """It waits until there."""
        (upper, lower) = panels(Pictures(event_run([0], FAILING, duration="10s", drain="0s")).retry_ladder())
        assert spans_of(upper, "RETRY_AFTER_ERROR") == [(0, 1, 10)]
        assert marks_of(upper, "not settled at the end") == [(0, 10)]
        assert "Nothing was tried again." in texts_of(lower)

    def test_colours_are_those_of_all_pictures(self) -> None:
        """Of throttles and failures, marks and segments alike."""
        upper, _ = panels(Pictures(two_of_one_unit()).retry_ladder())
        assert to_hex(labelled(upper, "RETRY_AFTER_THROTTLE").get_color()[0]).upper() == Colour.THROTTLED
        assert labelled(upper, "THROTTLED").get_color() == Colour.THROTTLED
        assert labelled(upper, "OK").get_color() == Colour.WARM

    def test_only_events_that_were_not_done_at_the_first_try(self) -> None:
        """A was; a run in which all were has a sentence."""
        run = two_of_one_unit()
        assert needed_retry(event_attempts(run)).tolist() == [1]
        assert any(
            "1 of 2 events was not done at the first try" in text for text in texts_of(Pictures(run).retry_ladder())
        )
        sentence = "No event failed or was throttled, so there is no retry to show."
        assert sentence in texts_of(Pictures(event_run([0])).retry_ladder())

    def test_events_given_up_untried_are_told(self) -> None:
        """They have no ladder: one fails before the function is stopped, two come after."""
        run = event_run(
            [0, 5, 6],
            FAILING,
            changes=[{"at": "3s", "functions": {"f": {"reserved_concurrency": 0}}}],
        )
        assert any(
            "1 of 3 events was not done" in t and "2 given up untried" in t
            for t in texts_of(Pictures(run).retry_ladder())
        )

    def test_many_events_are_thinned_out_evenly(self) -> None:
        """The first and the last stay; the header says how many there are."""
        assert evenly_picked(np.arange(5), 5).tolist() == [0, 1, 2, 3, 4]
        assert evenly_picked(np.arange(9), 3).tolist() == [0, 4, 8]
        ax = Pictures(event_run([0] * 100, FAILING)).retry_ladder()
        assert len(spans_of(panels(ax)[0], "work")) == 3 * MOST_EVENTS
        assert any(f"100 of 100 events were not done at the first try ({MOST_EVENTS}," in text for text in texts_of(ax))
        assert labelled(panels(ax)[1], "retried after an error").get_data().values.sum() == 200

    def test_all_rungs_up_to_five_minutes(self) -> None:
        """Nothing is free for an hour: waits of 1, 2, 4 ... 256 s, then of 300 s."""
        held = {"hold": {"function": "f", "trace": trace([(0, 5_000)])}}
        run = event_run([1e-9], {"timeout": "900s"}, traffic=held, region={"concurrency_quota": 1}, duration="20m")
        upper, lower = panels(Pictures(run).retry_ladder())
        lengths = [end - begin for _, begin, end in spans_of(upper, "RETRY_AFTER_THROTTLE")]
        np.testing.assert_allclose(lengths[:9], [2**n for n in range(9)])
        ticks = [label.get_text() for label in lower.get_xticklabels()]
        assert {"0 s", "1 s", "2 s", "4 s", "8 s", "1 min", "5 min"} <= set(ticks)
        assert upper.get_xticklabels()[0].get_text() == "first try"

    def test_a_slow_reader_is_told(self, crowd: Run) -> None:
        """Where retries came later than Lambda's delays."""
        run = two_of_one_unit()
        assert not was_read_slowly(event_waits(run, event_attempts(run)))
        assert was_read_slowly(event_waits(crowd, event_attempts(crowd)))
        assert "the queue was read slowly" in panels(Pictures(crowd).retry_ladder())[1].get_xlabel()


class TestBacklog:
    """Numbers, age and drops over time."""

    def test_levels_by_hand(self) -> None:
        """B waits from 0 to 3 s; one is under way from 0 to 2 and from 3 to 5 s."""
        run = two_of_one_unit()
        queue = queue_levels(run, event_waits(run, event_attempts(run)))
        assert (queue.times_ns / S).tolist() == [0, 1, 2, 3, 5]
        assert queue.waiting[WaitFor.RETRY_AFTER_THROTTLE].tolist() == [1, 1, 1, 0, 0]
        assert queue.under_way.tolist() == [1, 1, 0, 1, 0]
        assert (queue.most_waiting, queue.most_under_way, queue.is_exact) == (1, 1, True)

    def test_drawn_levels(self) -> None:
        """With labels that say how many at most."""
        counts, ages = panels(Pictures(two_of_one_unit()).backlog())
        assert labelled(counts, "under way").get_ydata().tolist() == [1, 1, 0, 1, 0]
        assert {"under way\nat most 1", "throttled, to be retried\nat most 1"} <= set(texts_of(counts))
        assert counts.get_xlim() == ages.get_xlim() == (0, 5)

    def test_age_by_hand(self) -> None:
        """It grows from 0 until B is accepted at 3 s; then nobody waits."""
        run = two_of_one_unit()
        times_ns, ages_ns = oldest_age(run.log, event_waits(run, event_attempts(run)))
        assert (times_ns / S).tolist() == [0, 1, 1, 3, 3, 5]
        assert (ages_ns / S).tolist() == [0, 1, 1, 3, 0, 0]
        _, ages = panels(Pictures(run).backlog())
        assert "f\nat most 3 s" in texts_of(ages)

    def test_the_oldest_of_several(self) -> None:
        """Dispatch delay 4 s, events at 0 and 3 s: 4 s old at most, then 1 s and growing again."""
        run = event_run([0, 3], {"async": {"dispatch_delay": "4s"}}, duration="8s")
        times_ns, ages_ns = oldest_age(run.log, event_waits(run, event_attempts(run)))
        assert (times_ns / S).tolist() == [0, 3, 3, 4, 4, 7, 7, 8]
        assert (ages_ns / S).tolist() == [0, 3, 3, 4, 1, 4, 0, 0]

    def test_the_highest_age_of_each_pixel(self, crowd: Run) -> None:
        """Where there are more waits than pixels: never below what it was at any time in it, and the same at most."""
        waits = event_waits(crowd, event_attempts(crowd))
        times_ns, ages_ns = oldest_age(crowd.log, waits)
        assert len(times_ns) < 1_400
        end_ns = np.where(waits.end_ns == NOT_YET, crowd.log.end_ns, waits.end_ns)
        arrival_ns = crowd.log.requests.arrival_ns[waits.request]
        stays = end_ns > waits.start_ns
        assert ages_ns.max() == (end_ns - arrival_ns)[stays].max()
        for left, right, age in zip(times_ns[::2], times_ns[1::2], ages_ns[::2], strict=True):
            here = stays & (waits.start_ns < right) & (end_ns > left)
            assert age == (np.minimum(end_ns, right) - arrival_ns)[here].max(initial=0)

    def test_last_event_and_drained_are_marked(self) -> None:
        """At 0 and at 5 s; in one label where they are close."""
        counts, ages = panels(Pictures(two_of_one_unit()).backlog())
        assert labelled(counts, "last event").get_xdata() == [0, 0]
        assert labelled(ages, "drained, 5 s after the last event").get_xdata() == [5, 5]
        close = panels(Pictures(event_run([999], duration="1000s")).backlog())[0]
        assert "last event; drained 1 s later" in texts_of(close)

    def test_open_events_are_told(self) -> None:
        """Where the run ended before the queue was empty."""
        counts = panels(Pictures(event_run([0, 0], FAILING, duration="10s", drain="0s")).backlog())[0]
        assert "2 events not settled at the end of the run" in texts_of(counts)

    def test_drops_by_reason(self) -> None:
        """One failed for the last time at 1 s, two met a stopped function at 5 s: 0, 1, 3 so far."""
        run = event_run(
            [0, 5, 5],
            {**FAILING, "async": {"maximum_retry_attempts": 0}},
            changes=[{"at": "3s", "functions": {"f": {"reserved_concurrency": 0}}}],
            duration="8s",
        )
        *_, drops = panels(Pictures(run).backlog())
        assert {"failed in the last try\n1", "the function is stopped\n2"} <= set(texts_of(drops))
        assert area_of(drops, "the function is stopped")[2].max() == 3
        assert len(set(DROP_COLOURS.values())) == 3
        assert len(panels(Pictures(two_of_one_unit()).backlog())) == 2

    def test_maximum_age_is_a_line_where_it_is_near(self, crowd: Run) -> None:
        """90 s of a crowd; 6 h of two events are only told."""
        ages = panels(Pictures(crowd).backlog())[1]
        assert labelled(ages, "maximum event age").get_ydata() == [90, 90]
        assert "maximum event age, 1 min 30 s" in texts_of(ages)
        assert "↑ maximum event age, 6 h: far above" in texts_of(panels(Pictures(two_of_one_unit()).backlog())[1])

    def test_each_function_has_its_line(self) -> None:
        """In its colour in the picture of concurrency, up to seven; the others share one."""
        names = [f"f{number}" for number in range(9)]
        run = run_of(
            functions={name: {"async": {**TEXTBOOK, "dispatch_delay": "1s"}} for name in names},
            traffic={name: {"function": name, "invoke": "async", "trace": trace([1])} for name in names},
            duration="5s",
        )
        ages = panels(Pictures(run).backlog())[1]
        assert "2 other functions\nat most 1 s" in texts_of(ages)
        colours = {to_hex(patch.get_facecolor()) for patch in Pictures(run).concurrency().patches}
        assert labelled(ages, "oldest: f0").get_color().lower() in colours

    def test_changes_are_marked(self) -> None:
        """As in the other pictures over time."""
        run = event_run([0], changes=[{"at": "2s", "deploy": "f"}], duration="5s")
        assert "deploy f" in texts_of(panels(Pictures(run).backlog())[0])

    def test_many_events_are_not_more_to_draw(self) -> None:
        """20,000 events with 200,000 attempts."""
        run = run_of(
            functions={"f": {"reserved_concurrency": 10, "async": {"slow_down": "none"}}},
            traffic={"t": {"function": "f", "invoke": "async", "rate": "50/s"}},
            duration="100s",
            drain="0s",
        )
        for name in EVENTS:
            assert points_drawn(PICTURES[name](run).figure) < MOST_POINTS
