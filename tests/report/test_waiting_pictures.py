"""The pictures of queues and streams: phases, batches, ladders, ages, blocked shards and dead letters, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.batches import batch_rows
from lambdasim.metrics.levels import peak
from lambdasim.metrics.run import Run
from lambdasim.platform.event_sources import queue_specs
from lambdasim.report.pictures import PICTURES, Pictures, pictures_of, save_all
from lambdasim.report.pictures.ages import age_of_oldest
from lambdasim.report.pictures.batch_times import NEVER_NS, NO_TIMEOUT_NS, batch_times, batch_tries
from lambdasim.report.pictures.blocked import blocked_spans
from lambdasim.report.pictures.deliveries import DeliveryEnd, deliveries
from lambdasim.report.pictures.event_waits import Ended, WaitFor
from lambdasim.report.pictures.message_phases import Phase, message_phases
from lambdasim.report.pictures.queues import MOST_QUEUES, ramp
from lambdasim.report.pictures.receive_ladders import receive_ladders
from lambdasim.report.pictures.receives import MOST_MESSAGES, tries_over_time
from lambdasim.report.pictures.streams import highest_in_pixels
from lambdasim.report.pictures.style import EXECUTED_COLOUR, UNEXECUTED_COLOUR, Colour, png
from lambdasim.report.pictures.waiting_work import busiest, outcome_text
from lambdasim.scenario.schema import Scenario
from tests.behaviour.queue_timeline import EXACT, ONE_PLACE, failing, seed_where, with_queues
from tests.builders import log_of, scenario, trace
from tests.report.runs import MOST_POINTS, area_of, labelled, points_drawn, run_of, texts_of

S = 10**9
OF_QUEUES, OF_STREAMS = ["receives", "queues"], ["streams"]
POISON = {"errors": {"poison": "100%"}}
STOPPED = {"reserved_concurrency": 0}
TWICE = {"max_receive_count": 2, "dead_letter": "dlq"}

Spans = dict[Phase, list[tuple[int, float, float | None]]]


def as_run(made: Scenario, seed: int = 1) -> Run:
    """A run of a scenario."""
    return Run(scenario=made, seed=seed, engine="simpy", log=log_of(made, seed), wall_s=1.0)


def queue_run(rows: Any = (), **parts: Any) -> Run:
    """A run of ``with_queues``."""
    return as_run(with_queues(rows, **parts))


def stream_scenario(rows: Any = (), *, mapping: Any = None, function: Any = None, **stream: Any) -> Scenario:
    """Records at ``rows`` go to a stream that is polled every second and invokes ``f``; a retry comes after 1, 2, 4 s.

    One second of work.
    """
    parts = {name: stream.pop(name) for name in ("duration", "drain") if name in stream}
    mapped = {"function": "f", "batch_size": 10, "retry": {"base": "1s", "cap": "60s"}, **(mapping or {})}
    return scenario(
        functions={"f": {"timeout": "30s", **(function or {})}},
        streams={"s": {"event_source_mapping": mapped, **stream}},
        traffic={"t": {"invoke": "stream", "stream": "s", "trace": trace(rows)}},
        **parts,
    )


def failing_once() -> Run:
    """Worked on from 0 to 1 and from 30 to 31 s, failed twice, dead-lettered at 60 s. The run ends at 100 s."""
    return queue_run([0], queue=TWICE, function=POISON, duration="100s")


def throttled_away() -> Run:
    """Tried at 0, 1, 3, 7 and 15 s and refused, given up and dead-lettered at 30 s. The run ends at 100 s."""
    return queue_run([0], queue={"max_receive_count": 1, "dead_letter": "dlq"}, function=STOPPED, duration="100s")


def received_again() -> Run:
    """Gathered 0-5 s, worked on 5-32; visible and received again at 30, gathered until 35, worked on until the end."""
    window = {"batch_size": 2, "batch_window": "5s"}
    return queue_run([(0, 27)], mapping=window, duration="50s", drain="0s")


def phases_of(run: Run, queue: int = 0) -> Spans:
    """(message, from, to) of each phase in s, by kind."""
    spec = list(queue_specs(run.scenario))[queue]
    times = batch_times(run.log, batch_rows(run.log), queue, spec.visibility_ns)
    made = message_phases(run.log, times, queue, visibility_ns=spec.visibility_ns, delay_ns=spec.delay_ns)
    found: Spans = {}
    for kind, message, start, end in sorted(
        zip(made.kind.tolist(), made.message.tolist(), made.start_ns.tolist(), made.end_ns.tolist(), strict=True)
    ):
        found.setdefault(Phase(kind), []).append((message, start / S, None if end == NOT_YET else end / S))
    return found


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


def all_texts(ax: Axes) -> list[str]:
    """Every text of a picture and its panels."""
    return [text for axes in (ax, *panels(ax)) for text in texts_of(axes)]


def height_of(ax: Axes, label: str) -> float:
    """The highest point of a filled area."""
    return float(area_of(ax, label)[2].max())


@pytest.fixture(scope="module")
def crowd() -> Run:
    """Throttles, errors, batch windows that outlast what is left of the visibility timeout, and dead letters."""
    return run_of(
        functions={"f": {"reserved_concurrency": 2, "errors": {"rate": "20%"}, "duration": "12s", "timeout": "30s"}},
        queues={
            "q": {
                "visibility_timeout": "30s",
                "delay": "3s",
                "retention": "150s",
                "max_receive_count": 3,
                "dead_letter": "dlq",
                "event_source_mapping": {"function": "f", "batch_size": 5, "batch_window": "20s"},
            },
            "dlq": {"event_source_mapping": {"function": "f", "batch_size": 1}},
        },
        traffic={"t": {"invoke": "sqs", "queue": "q", "rate": "3/s"}},
        duration="3m",
    )


class TestPhases:
    """What a message is at any time."""

    def test_failed_messages_are_hidden(self) -> None:
        """Until 30 and 60 s; the dead-letter queue has the message as row 1, until the end."""
        run = failing_once()
        assert phases_of(run) == {Phase.WORKED_ON: [(0, 0, 1), (0, 30, 31)], Phase.HIDDEN: [(0, 1, 30), (0, 31, 60)]}
        assert phases_of(run, 1) == {Phase.VISIBLE: [(1, 60, None)]}

    def test_throttled_messages_are_held(self) -> None:
        """From the first try until their batch is given up."""
        assert phases_of(throttled_away()) == {Phase.THROTTLED: [(0, 0, 30)]}

    def test_throttled_and_then_accepted(self) -> None:
        """B is refused at 0 and 1 s, and worked on from 3 s."""
        run = queue_run([(0, 2), (0, 2)], region={"concurrency_quota": 1})
        assert phases_of(run) == {Phase.THROTTLED: [(1, 0, 3)], Phase.WORKED_ON: [(0, 0, 2), (1, 3, 5)]}

    def test_delayed_then_visible(self) -> None:
        """One place: B waits for A."""
        run = queue_run([0, 0], queue={"delay": "2s"}, mapping=ONE_PLACE)
        assert phases_of(run) == {
            Phase.DELAYED: [(0, 0, 2), (1, 0, 2)],
            Phase.VISIBLE: [(1, 2, 3)],
            Phase.WORKED_ON: [(0, 2, 3), (1, 3, 4)],
        }

    def test_received_again_while_worked_on(self) -> None:
        """From 30 s, when it was received again, until the older invocation ended at 32 s."""
        assert phases_of(received_again()) == {
            Phase.GATHERED: [(0, 0, 5), (0, 32, 35)],
            Phase.WORKED_ON: [(0, 5, 30), (0, 35, None)],
            Phase.RECEIVED_AGAIN: [(0, 30, 32)],
        }

    def test_the_rest_of_a_given_up_batch_stays_hidden(self) -> None:
        """Received at 4 s into the batch of a message of 0 s; given up with it at 30 s, visible again at 34 s."""
        run = queue_run(
            [0, 4], mapping={"batch_size": 2, "batch_window": "9s"}, function=STOPPED, duration="40s", drain="0s"
        )
        found = phases_of(run)
        assert found[Phase.GATHERED][0] == (0, 0, 4)
        assert next(span for span in found[Phase.THROTTLED] if span[0] == 1) == (1, 4, 30)
        assert found[Phase.HIDDEN] == [(1, 30, 34)]

    def test_phases_cover_each_stay_once(self, crowd: Run) -> None:
        """Without gap or overlap, in a run with everything."""
        log, rows = crowd.log, batch_rows(crowd.log)
        seen: set[int] = set()
        for queue, spec in enumerate(queue_specs(crowd.scenario)):
            times = batch_times(log, rows, queue, spec.visibility_ns)
            made = message_phases(log, times, queue, visibility_ns=spec.visibility_ns, delay_ns=spec.delay_ns)
            seen |= set(made.kind.tolist())
            end = np.where(made.end_ns == NOT_YET, log.end_ns, made.end_ns)
            order = np.lexsort((made.start_ns, made.message))
            message, start, end = made.message[order], made.start_ns[order], end[order]
            follows = message[1:] == message[:-1]
            assert (start[1:][follows] == end[:-1][follows]).all()
            first, last = np.append(True, ~follows), np.append(~follows, True)
            until = np.where(log.messages.settled_ns == NOT_YET, log.end_ns, log.messages.settled_ns)
            stays = np.flatnonzero((log.messages.queue == queue) & (until > log.messages.sent_ns))
            assert message[first].tolist() == stays.tolist()
            assert (start[first] == log.messages.sent_ns[stays]).all()
            assert (end[last] == until[stays]).all()
        assert seen == set(Phase)

    def test_only_some(self, crowd: Run) -> None:
        """The phases of the messages that are asked for are those that they have among all."""
        spec = next(queue_specs(crowd.scenario))
        times = batch_times(crowd.log, batch_rows(crowd.log), 0, spec.visibility_ns)
        look: dict[str, Any] = {"visibility_ns": spec.visibility_ns, "delay_ns": spec.delay_ns}
        every = message_phases(crowd.log, times, 0, **look)
        one = message_phases(crowd.log, times, 0, **look, only=np.array([40]))
        assert sorted(one.start_ns) == sorted(every.start_ns[every.message == 40])
        assert len(one.kind) > 1


class TestBatches:
    """When batches are made, tried and over, and how deliveries end."""

    def test_times_by_hand(self) -> None:
        """Of the batches of one message: from receiving to failing, and to being given up."""
        for run, tried, over in ((failing_once(), [0, 30], [1, 31]), (throttled_away(), [0], [30])):
            times = batch_times(run.log, batch_rows(run.log), 0, 30 * S)
            assert (times.start_ns / S).tolist() == (times.tried_ns / S).tolist() == tried
            assert (times.over_ns / S).tolist() == over
        assert times.accepted_ns.tolist() == [NEVER_NS]

    def test_gathered_for_longer_than_hidden(self) -> None:
        """Its first try, at the end of the window of 40 s, is refused: it is given up there and then."""
        run = queue_run([0], mapping={"batch_window": "40s", "batch_size": 3}, function=STOPPED, duration="45s")
        times = batch_times(run.log, batch_rows(run.log), 0, 30 * S)
        assert (times.tried_ns[0], times.over_ns[0]) == (40 * S, 40 * S)

    def test_tries_by_hand(self) -> None:
        """Refused at 0, 1, 3, 7 and 15 s; failed twice."""
        tries = batch_tries(throttled_away().log, batch_rows(throttled_away().log), 0)
        assert (tries.time_ns / S).tolist() == [0, 1, 3, 7, 15]
        assert set(tries.ended.tolist()) == {Ended.THROTTLED}
        run = failing_once()
        tries = batch_tries(run.log, batch_rows(run.log), 0)
        assert (tries.time_ns.tolist(), tries.ended.tolist()) == ([0, 30 * S], [Ended.FAILED] * 2)

    @pytest.mark.parametrize(
        ("make", "ends"),
        [
            (failing_once, [(DeliveryEnd.FAILED, 1), (DeliveryEnd.FAILED, 31)]),
            (throttled_away, [(DeliveryEnd.WITHOUT_EXECUTION, 30)]),
            (received_again, [(DeliveryEnd.IN_VAIN, 32), (DeliveryEnd.OPEN, None)]),
            (lambda: queue_run([0]), [(DeliveryEnd.DONE, 1)]),
        ],
    )
    def test_ends_of_deliveries(self, make: Any, ends: list[tuple[DeliveryEnd, float | None]]) -> None:
        """Done, failed, never executed, or too late."""
        log = make().log
        rows = batch_rows(log)
        made = deliveries(log, rows, batch_times(log, rows, 0, 30 * S), 0)
        found = zip(made.ended.tolist(), made.end_ns.tolist(), strict=True)
        assert [(end, None if at == NOT_YET else at / S) for end, at in found] == ends

    def test_dead_lettered_while_worked_on_is_too_late(self) -> None:
        """Received once, at 0; visible and dead-lettered at 30 s, though its invocation succeeds at 32 s."""
        run = queue_run(
            [(0, 27)],
            queue={"max_receive_count": 1, "dead_letter": "dlq"},
            mapping={"batch_size": 2, "batch_window": "5s"},
        )
        rows = batch_rows(run.log)
        made = deliveries(run.log, rows, batch_times(run.log, rows, 0, 30 * S), 0)
        assert (made.ended.tolist(), made.end_ns.tolist()) == ([DeliveryEnd.IN_VAIN], [32 * S])

    def test_partial_failures_are_failures(self) -> None:
        """The invocation succeeded, and its response names the message."""
        run = queue_run([0], queue=TWICE, mapping={"partial_batch_failures": True}, function=POISON)
        rows = batch_rows(run.log)
        made = deliveries(run.log, rows, batch_times(run.log, rows, 0, 30 * S), 0)
        assert made.ended.tolist() == [DeliveryEnd.FAILED] * 2


class TestReceives:
    """Ladders of single messages above, all attempts below."""

    def test_a_ladder_of_throttles(self) -> None:
        """Held for 30 s, tried five times, given up and dead-lettered without execution."""
        upper, lower = panels(Pictures(throttled_away()).receives())
        assert spans_of(upper, "THROTTLED_SPAN") == [(0, 0, 30)]
        assert marks_of(upper, "THROTTLED") == [(0, 0), (0, 1), (0, 3), (0, 7), (0, 15)]
        assert marks_of(upper, "WITHOUT_EXECUTION") == [(0, 30)]
        assert marks_of(upper, "dead-lettered without any execution") == [(0, 30)]
        assert labelled(upper, "dead-lettered without any execution").get_color() == UNEXECUTED_COLOUR
        assert labelled(lower, "THROTTLED").get_data().values.sum() == 5
        assert labelled(lower, "given up").get_data().values.sum() == 1

    def test_a_ladder_of_failures(self) -> None:
        """Worked on twice, hidden twice, dead-lettered after executions."""
        upper, lower = panels(Pictures(failing_once()).receives())
        assert spans_of(upper, "work") == [(0, 0, 1), (0, 30, 31)]
        assert spans_of(upper, "HIDDEN") == [(0, 1, 30), (0, 31, 60)]
        assert marks_of(upper, "FAILED") == [(0, 1), (0, 31)]
        assert marks_of(upper, "dead-lettered after executions") == [(0, 60)]
        assert labelled(upper, "dead-lettered after executions").get_color() == EXECUTED_COLOUR
        assert labelled(lower, "FAILED").get_data().values.sum() == 2

    def test_received_again_is_seen(self) -> None:
        """Both invocations, the two seconds in which it was received again, and the success that came too late."""
        upper, _ = panels(Pictures(received_again()).receives())
        assert spans_of(upper, "work") == [(0, 5, 32), (0, 35, 50)]
        assert spans_of(upper, "received again") == [(0, 30, 32)]
        assert marks_of(upper, "IN_VAIN") == [(0, 32)]
        assert marks_of(upper, "still open") == [(0, 50)]

    def test_work_on_a_message_that_has_left_goes_on(self) -> None:
        """Dead-lettered at 30 s, worked on until 32 s."""
        run = queue_run(
            [(0, 27)],
            queue={"max_receive_count": 1, "dead_letter": "dlq"},
            mapping={"batch_size": 2, "batch_window": "5s"},
        )
        upper, _ = panels(Pictures(run).receives())
        assert spans_of(upper, "work") == [(0, 5, 32)]
        assert marks_of(upper, "dead-lettered after executions") == [(0, 30)]

    def test_every_message_of_a_batch_has_its_tries(self) -> None:
        """Two messages in one batch."""
        run = queue_run(
            [0, 0], mapping={"batch_size": 2, "batch_window": "1s"}, function=STOPPED, duration="20s", drain="0s"
        )
        upper, _ = panels(Pictures(run).receives())
        assert marks_of(upper, "THROTTLED") == [(row, at) for row in (0, 1) for at in (0, 1, 3, 7, 15)]

    def test_only_messages_in_trouble(self) -> None:
        """A is done at once; B was throttled first."""
        run = queue_run([(0, 2), (0, 2)], region={"concurrency_quota": 1})
        made, total = receive_ladders(run.log, batch_rows(run.log), 0, next(queue_specs(run.scenario)), 30)
        assert (made.messages.tolist(), total) == ([1], 1)
        texts = texts_of(Pictures(run).receives())
        assert any("1 of 2 messages was throttled, failed or received more than once" in text for text in texts)

    def test_a_ladder_begins_with_the_first_receive(self) -> None:
        """What B waited before, delayed and behind A, is not on it. A is received at 2 and 32 s, B at 3 and 33 s."""
        run = queue_run([(0, 1), (0, 29)], queue={**TWICE, "delay": "2s"}, mapping=ONE_PLACE, function=POISON)
        upper, _ = panels(Pictures(run).receives())
        assert sorted(spans_of(upper, "work")) == [(0, 0, 1), (0, 30, 31), (1, 0, 29), (1, 30, 59)]
        assert [artist for artist in upper.get_children() if artist.get_label() == "VISIBLE"] == []

    def test_many_messages_are_thinned_out(self) -> None:
        """The first and the last stay; all attempts are counted."""
        run = queue_run([0] * 100, queue=TWICE, function=POISON)
        ax = Pictures(run).receives()
        upper, lower = panels(ax)
        assert len(spans_of(upper, "work")) == 2 * MOST_MESSAGES
        assert any(f"({MOST_MESSAGES}, evenly picked, are shown)" in text for text in texts_of(ax))
        assert labelled(lower, "FAILED").get_data().values.sum() == 200

    def test_rows_have_the_numbers_of_their_messages(self) -> None:
        """As in the tables; when they were sent is said once."""
        run = queue_run([0, 0, 0, 70], queue=TWICE, function=POISON)
        upper, _ = panels(Pictures(run).receives())
        assert [label.get_text() for label in upper.get_yticklabels()] == [f"message {number}" for number in range(4)]
        assert upper.get_ylabel() == "sent from 0:00 to 1:10"
        some, _ = panels(Pictures(queue_run([0] * 100, queue=TWICE, function=POISON)).receives())
        words = [label.get_text() for label in some.get_yticklabels()]
        assert (words[0], words[-1], len(words), len(set(words))) == ("message 0", "message 99", 10, 10)
        assert some.get_ylabel() == "sent at 0:00"

    def test_legends_do_not_overlap(self, crowd: Run) -> None:
        """However many kinds of things there are: that of the ladders ends above that of the attempts."""
        for run in (crowd, throttled_away(), failing_once(), received_again()):
            ax = Pictures(run).receives()
            figure = ax.get_figure(root=True)
            assert isinstance(figure, Figure)
            figure.canvas.draw()
            upper, lower = (panel.get_legend().get_window_extent() for panel in panels(ax))
            assert upper.y0 > lower.y1
            assert lower.y0 > 0
        assert len(panels(Pictures(crowd).receives())[0].get_legend().get_texts()) >= 8

    def test_queues_share_the_rows(self) -> None:
        """Each of two has its half, named."""
        other = {"visibility_timeout": "30s", **TWICE, "event_source_mapping": {"function": "f", "batch_size": 1}}
        run = queue_run(
            [0] * 20,
            queue=TWICE,
            function=POISON,
            queues={"other": other},
            traffic={"u": {"invoke": "sqs", "queue": "other", "trace": trace([0] * 20)}},
        )
        upper, _ = panels(Pictures(run).receives())
        rows = {row for row, _, _ in spans_of(upper, "work")}
        assert rows == set(range(MOST_MESSAGES))
        names = [label.get_text().split()[0] for label in upper.get_yticklabels()]
        assert names == sorted(names, reverse=True)
        assert set(names) == {"q", "other"}

    def test_attempts_by_hand(self) -> None:
        """Over 100 s in bins of a second; given up at 30 s."""
        run = throttled_away()
        width, counts, given_up = tries_over_time(run.log, batch_rows(run.log), list(queue_specs(run.scenario)), [0])
        assert width == S
        assert np.flatnonzero(counts[Ended.THROTTLED]).tolist() == [0, 1, 3, 7, 15]
        assert np.flatnonzero(given_up).tolist() == [min(30, len(given_up) - 1)]

    def test_nothing_to_show(self) -> None:
        """A sentence above, and the attempts all the same."""
        ax = Pictures(queue_run([0])).receives()
        assert "No message failed or was throttled, so there is no retry to show." in all_texts(ax)
        assert labelled(panels(ax)[1], "OK").get_data().values.sum() == 1


class TestQueues:
    """Numbers, age, batches and dead letters over time."""

    def test_drawn_levels(self) -> None:
        """A hundred messages for one place: 99 wait at first; one is worked on."""
        ax = Pictures(queue_run([0] * 100, mapping=ONE_PLACE, duration="150s")).queues()
        counts, _, batches = panels(ax)
        texts = texts_of(counts)
        assert "visible: waiting to be\nreceived\nat most 99" in texts
        assert "being worked on\nat most 1" in texts
        assert height_of(counts, "visible: waiting to be received") == 100
        assert height_of(batches, "WORKED_ON") == 1

    def test_all_phases_have_labels(self, crowd: Run) -> None:
        """In the legend, with their highest numbers."""
        text = " ".join(" ".join(texts_of(panels(Pictures(crowd).queues())[0])).split())
        for words in ("delayed", "visible: waiting", "gathered", "hidden until", "held by a poller", "received again"):
            assert words in text

    def test_colours_are_those_of_all_pictures(self) -> None:
        """Throttles and failures."""
        counts = panels(Pictures(throttled_away()).queues())[0]
        assert to_hex(labelled(counts, "held by a poller, throttled").get_facecolor()).upper() == Colour.THROTTLED
        counts = panels(Pictures(failing_once()).queues())[0]
        hidden = labelled(counts, "failed: hidden until the visibility timeout (30 s)")
        assert to_hex(hidden.get_facecolor()).upper() == Colour.FAILED

    def test_age_of_the_oldest(self) -> None:
        """It grows for 60 s; in the dead-letter queue it begins again. The visibility timeout is no limit of it."""
        ages, dead = (panels(Pictures(failing_once()).queues())[number] for number in (1, 5))
        line = labelled(ages, "age of the oldest message")
        assert line.get_ydata().max() == 60
        assert not any("visibility timeout" in str(artist.get_label()) for artist in ages.get_children())
        assert not any("visibility timeout" in text for text in texts_of(ages))
        assert labelled(dead, "age of the oldest message").get_ydata().max() == 40

    def test_retention_where_it_is_near(self) -> None:
        """Expired after a minute; four days are not told."""
        run = queue_run([0], queue={"retention": "60s", "delay": "59s"}, function=STOPPED, duration="120s")
        ages = panels(Pictures(run).queues())[1]
        assert labelled(ages, "retention").get_ydata() == [60, 60]
        assert not any("retention" in text for text in all_texts(Pictures(failing_once()).queues()))

    def test_oldest_by_hand(self) -> None:
        """There from 0 to 3 and from 2 to 5 s, of a run of 6 s."""
        starts, stops = np.array([0, 2]) * S, np.array([3, 5]) * S
        times, ages = age_of_oldest(starts, starts, stops, 6 * S)
        assert (times / S).tolist() == [0, 2, 2, 3, 3, 5, 5, 6]
        assert (ages / S).tolist() == [0, 2, 2, 3, 1, 3, 0, 0]

    def test_dead_letters_by_execution(self) -> None:
        """One failed, one was never executed: throttled by the one that works until 29 s."""
        run = queue_run(
            [(0, 1), (1.5, 29), (1.6, 1)],
            queue={"max_receive_count": 1, "dead_letter": "dlq"},
            function=POISON,
            region={"concurrency_quota": 1},
        )
        ax = Pictures(run).queues()
        given_up = panels(ax)[3]
        assert height_of(given_up, "dead-lettered without any execution") == 1
        assert height_of(given_up, "dead-lettered after executions") == 3
        assert any("1 given up without any execution" in text for text in texts_of(ax))
        assert "q (invokes f) · 3 messages: 3 dead-lettered" in all_texts(ax)

    def test_drain_is_marked_with_its_floor(self) -> None:
        """Ten messages of 10 s at 0, one place: 100 s, and no faster way."""
        run = queue_run([(0, 10)] * 10, mapping=ONE_PLACE, duration="200s")
        counts = panels(Pictures(run).queues())[0]
        label = "drained 1 min 40 s after the last message; at full concurrency 1 min 40 s"
        assert labelled(counts, label).get_xdata() == [100, 100]
        assert labelled(counts, "last message").get_xdata() == [0, 0]

    def test_what_is_left_is_told(self) -> None:
        """In the dead-letter queue that nobody polls."""
        ax = Pictures(failing_once()).queues()
        assert "1 message left at the end" in all_texts(ax)
        assert "dlq (nobody polls it) · 1 message: 1 left at the end" in all_texts(ax)
        assert not any("visibility timeout" in text for text in texts_of(panels(ax)[5]))

    def test_the_ramp(self) -> None:
        """5 at first, 300 more a minute, 1,250 after 249 s; from the first message on."""
        run = queue_run([10], mapping={"scaling": {"start": 5, "rate": 300, "per": "60s", "max": 1_250}})
        mapping = next(queue_specs(run.scenario)).mapping
        assert mapping is not None
        times, level = ramp(mapping, 10 * S, 1_000 * S)
        assert (times / S).tolist() == [10, 259, 1_000]
        assert level.tolist() == [5, 1_250, 1_250]
        times, level = ramp(mapping, 10 * S, 22 * S)
        assert (times[-1], level[-1]) == (22 * S, 65)

    def test_the_ramp_is_drawn_where_it_is_used(self) -> None:
        """A batch at a time needs none; six do, of 5 that may be under way at first."""
        scaling = {"scaling": {"start": 5, "rate": 300, "per": "60s", "max": 1_250}}
        for count, is_drawn in ((1, False), (5, False), (60, True)):
            batches = panels(Pictures(queue_run([(0, 20)] * count, mapping=scaling)).queues())[2]
            assert any(line.get_label() == "ramp" for line in batches.lines) == is_drawn

    def test_the_limit_of_the_mapping(self) -> None:
        """A maximum concurrency of 3."""
        run = queue_run([(0, 20)] * 9, mapping={"maximum_concurrency": 3, "scaling": "unlimited"})
        batches = panels(Pictures(run).queues())[2]
        assert labelled(batches, "most batches").get_ydata() == [3, 3]
        assert "at most 3 at once" in texts_of(batches)

    def test_the_busiest_are_shown(self) -> None:
        """In file order; those without messages are not."""
        names = [f"q{number}" for number in range(6)]
        run = run_of(
            queues={**{name: {} for name in names}, "empty": {}},
            traffic={
                name: {"invoke": "sqs", "queue": name, "trace": trace([1] * (1 + (number + 3) % 6))}
                for number, name in enumerate(names)
            },
            duration="5s",
        )
        assert busiest(run.log, range(7), 2) == [1, 2]
        assert busiest(run.log, range(7), 10) == [0, 1, 2, 3, 4, 5]
        ax = Pictures(run).queues()
        assert any(f"the {MOST_QUEUES} busiest of 6 queues are shown" in text for text in texts_of(ax))
        headings = [text.split()[0] for text in all_texts(ax) if "nobody polls it" in text]
        assert headings == ["q0", "q1", "q2", "q5"]

    def test_what_became_of_them(self) -> None:
        """In a few words."""
        log = failing_once().log
        assert outcome_text(log, log.messages.queue == 0, "message") == "1 message: 1 dead-lettered"

    def test_means_are_told(self) -> None:
        """Where there are more changes than pixels."""
        run = queue_run(list(np.arange(0, 300, 0.1)), duration="300s")
        assert "numbers: mean over" in panels(Pictures(run).queues())[-1].get_xlabel()
        assert "mean" not in panels(Pictures(failing_once()).queues())[-1].get_xlabel()

    def test_changes_are_marked(self) -> None:
        """As in the other pictures over time."""
        run = queue_run([0], changes=[{"at": "2s", "deploy": "f"}], duration="5s")
        assert "deploy f" in texts_of(panels(Pictures(run).queues())[0])


class TestStreams:
    """Records, age, blocked shards, records given up."""

    def test_blocked_after_an_error(self) -> None:
        """Read at 1, failed at 2, tried from 3 to 4 s, then discarded."""
        run = as_run(stream_scenario([0.5], mapping={"maximum_retry_attempts": 1}, function=POISON))
        spans = blocked_spans(run.log, batch_times(run.log, batch_rows(run.log), 0, NO_TIMEOUT_NS), 0)
        starts, ends = spans[WaitFor.RETRY_AFTER_ERROR]
        assert (starts.tolist(), ends.tolist()) == ([2 * S], [3 * S])
        assert len(spans[WaitFor.RETRY_AFTER_THROTTLE][0]) == 0

    def test_blocked_after_throttles(self) -> None:
        """Tried at 1, 2, 4 ... 32 s; at 64 s it is older than a minute."""
        run = as_run(stream_scenario([0.5], mapping={"maximum_record_age": "60s"}, function=STOPPED))
        spans = blocked_spans(run.log, batch_times(run.log, batch_rows(run.log), 0, NO_TIMEOUT_NS), 0)
        starts, ends = spans[WaitFor.RETRY_AFTER_THROTTLE]
        assert (starts.tolist(), ends.tolist()) == ([1 * S], [64 * S])
        *_, blocked, given_up = panels(Pictures(run).streams())
        assert "waiting for a retry: at most 1 of 1 shard" in texts_of(blocked)
        assert height_of(given_up, "discarded without any execution") == 1

    def test_what_a_partial_response_leaves_blocks(self) -> None:
        """The second of two fails: it waits from 2 to 3 s, the first is done."""
        made = stream_scenario(
            [0.5, 0.5],
            mapping={"maximum_retry_attempts": 1, "partial_batch_failures": True},
            function={"errors": {"poison": "50%"}},
        )
        run = as_run(made, seed_where(made, lambda workload: failing(workload, 2) == [False, True]))
        spans = blocked_spans(run.log, batch_times(run.log, batch_rows(run.log), 0, NO_TIMEOUT_NS), 0)
        starts, ends = spans[WaitFor.RETRY_AFTER_ERROR]
        assert (starts.tolist(), ends.tolist()) == ([2 * S], [3 * S])

    @pytest.mark.parametrize("bisects", [False, True])
    def test_no_more_shards_are_blocked_than_there_are(self, bisects: bool) -> None:
        """In a run with errors and throttles; though a batch that is split is waited for in parts."""
        run = run_of(
            functions={"f": {"reserved_concurrency": 1, "errors": {"rate": "5%"}}},
            streams={"s": {"shards": 2, "event_source_mapping": {"function": "f", "bisect_on_error": bisects}}},
            traffic={"t": {"invoke": "stream", "stream": "s", "rate": "10/s"}},
            duration="2m",
        )
        spans = blocked_spans(run.log, batch_times(run.log, batch_rows(run.log), 0, NO_TIMEOUT_NS), 0)
        assert all(len(starts) for starts, _ in spans.values()), [len(starts) for starts, _ in spans.values()]
        starts, ends = (np.concatenate(parts) for parts in zip(*spans.values(), strict=True))
        assert peak(starts, ends) == 2

    def test_phases_of_records(self) -> None:
        """Not read until 1 s, failed at 2, tried again from 3 to 4 s; the age is 3.5 s then."""
        run = as_run(stream_scenario([0.5], mapping={"maximum_retry_attempts": 1}, function=POISON, duration="10s"))
        times = batch_times(run.log, batch_rows(run.log), 0, NO_TIMEOUT_NS)
        made = message_phases(run.log, times, 0, visibility_ns=NO_TIMEOUT_NS)
        found = sorted(zip((made.start_ns / S).tolist(), (made.end_ns / S).tolist(), made.kind.tolist(), strict=True))
        assert found == [
            (0.5, 1, Phase.VISIBLE),
            (1, 2, Phase.WORKED_ON),
            (2, 3, Phase.HIDDEN),
            (3, 4, Phase.WORKED_ON),
        ]
        ages = panels(Pictures(run).streams())[1]
        assert labelled(ages, "oldest record of all shards, not done yet").get_ydata().max() == 3.5
        points = labelled(ages, "IteratorAge")
        assert (points.get_xdata().tolist(), points.get_ydata().tolist()) == ([1, 3], [0.5, 2.5])

    def test_maximum_age_is_a_line(self) -> None:
        """Where it is near."""
        run = as_run(stream_scenario([0.5], mapping={"maximum_record_age": "60s"}, function=STOPPED))
        ages = panels(Pictures(run).streams())[1]
        assert labelled(ages, "maximum record age").get_ydata() == [60, 60]

    def test_points_are_thinned_out(self) -> None:
        """To the highest of each pixel; a few stay as they are."""
        times = np.arange(10_000)
        values = (times * 7_919) % 10_007
        at, highest = highest_in_pixels(times, values, 10_000)
        assert len(at) <= 680
        assert highest.max() == values.max()
        assert (values[at] == highest).all()
        pixel = times * 680 // 10_000
        assert all(highest[number] == values[pixel == pixel[at[number]]].max() for number in range(0, len(at), 50))
        assert highest_in_pixels(times[:3], values[:3], 10)[0].tolist() == [0, 1, 2]

    def test_places_of_a_shard(self) -> None:
        """With a parallelization factor a shard has several batches at once."""
        run = as_run(stream_scenario([0.5] * 9, mapping={"parallelization_factor": 3}, function=POISON, duration="9s"))
        ax = Pictures(run).streams()
        assert any("of 3 batches at once" in text for text in texts_of(panels(ax)[2]))
        assert "blocked\nplaces" in all_texts(ax)


class TestFiles:
    """Only runs with queues or streams have these pictures."""

    def test_which_pictures_a_run_has(self, tmp_path: Path) -> None:
        """By what its scenario has, messages or none."""
        cases = {
            "queues": (queue_run(), OF_QUEUES),
            "streams": (as_run(stream_scenario([0])), OF_STREAMS),
            "neither": (run_of(rows=[0], duration="2s"), []),
        }
        for name, (run, expected) in cases.items():
            saved = {path.stem for path in save_all(run, tmp_path / name)}
            assert saved & {*OF_QUEUES, *OF_STREAMS} == set(expected)

    def test_all_kinds_of_work_in_one_run(self) -> None:
        """Requests, events, messages and records, and provisioned concurrency: every picture there is."""
        run = run_of(
            functions={"f": {"provisioned_concurrency": 1}},
            queues={"q": {"event_source_mapping": {"function": "f"}}},
            streams={"s": {"event_source_mapping": {"function": "f"}}},
            traffic={
                "r": {"function": "f", "trace": trace([0])},
                "e": {"function": "f", "invoke": "async", "trace": trace([0, 1])},
                "m": {"invoke": "sqs", "queue": "q", "trace": trace([0, 1, 2])},
                "k": {"invoke": "stream", "stream": "s", "trace": trace([0, 1, 2, 3])},
            },
            duration="10s",
        )
        assert pictures_of(run) == list(PICTURES)
        assert any("2 events" in text for text in texts_of(Pictures(run).backlog()))
        assert any(text.startswith("3 messages") for text in texts_of(Pictures(run).queues()))
        assert any(text.startswith("4 records") for text in texts_of(Pictures(run).streams()))

    def test_sentences_stand_in(self, spike: Run) -> None:
        """Without queues or streams, and without messages or records."""
        assert "There are no queues." in texts_of(Pictures(spike).queues())
        assert "There are no queues." in texts_of(Pictures(spike).receives())
        assert "There are no streams." in texts_of(Pictures(spike).streams())
        assert "No message came to a queue." in texts_of(Pictures(queue_run()).queues())
        assert "No message was received." in texts_of(Pictures(queue_run()).receives())
        assert "No record came to a stream." in texts_of(Pictures(as_run(stream_scenario())).streams())

    @pytest.mark.parametrize("name", [*OF_QUEUES, *OF_STREAMS])
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(failing_once, id="failures"),
            pytest.param(throttled_away, id="throttles"),
            pytest.param(received_again, id="cut off"),
            pytest.param(lambda: queue_run([0], duration="1ns", drain="0s"), id="a nanosecond"),
            pytest.param(lambda: queue_run([0], duration="87600h"), id="ten years"),
            pytest.param(lambda: as_run(stream_scenario([0], function=POISON, duration="5s")), id="a stream"),
            pytest.param(
                lambda: replace(failing_once(), log=replace(failing_once().log, is_partial=True)), id="partial"
            ),
        ],
    )
    def test_every_run_has_its_pictures(self, make: Any, name: str) -> None:
        """Edges; alone and on the caller's axes; the same bytes every time."""
        made = make()
        assert png(PICTURES[name](made).figure) == png(PICTURES[name](made).figure)  # type: ignore[arg-type]
        figure = Figure(figsize=(14, 8), layout="constrained")
        given = figure.subplots(2, 2)[0, 1]
        assert getattr(Pictures(made), name)(given) is given
        figure.canvas.draw()

    def test_many_messages_are_not_more_to_draw(self) -> None:
        """10,000 messages, most of which come back several times."""
        run = queue_run(
            list(np.arange(10_000) / 100),
            queue={"max_receive_count": 3, "dead_letter": "dlq"},
            mapping={"batch_size": 10, "scaling": "unlimited", **EXACT},
            function={"reserved_concurrency": 2},
            duration="100s",
        )
        assert len(run.log.deliveries) > 20_000
        for name in OF_QUEUES:
            assert points_drawn(PICTURES[name](run).figure) < MOST_POINTS
