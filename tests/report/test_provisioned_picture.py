"""The picture of provisioned concurrency: units, what spills over and why, the request rate, marks; by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lambdasim.metrics.run import Run
from lambdasim.platform.provisioned import CapacityCause, SpilloverReason
from lambdasim.report.pictures import Pictures, pictures_of, save_all
from lambdasim.report.pictures.capacity_course import busy_spans, capacity_marks, invocation_bins, mean_units
from lambdasim.report.pictures.provisioned import MOST_FUNCTIONS
from lambdasim.report.pictures.style import SPILLOVER_COLOURS, Colour, png
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.builders import trace
from tests.report.runs import area_of, labelled, run_of, texts_of

S = 10**9
TEN_A_SECOND = {"requests_per_concurrency": 10}


def provisioned_run(units: int, rows: Any = (), function: dict[str, Any] | None = None, **parts: Any) -> Run:
    """A run of function ``f``, a second of work, with so many units from the start."""
    function = {"provisioned_concurrency": units, **(function or {})}
    return run_of(functions={"f": function}, rows=rows, **{"duration": "10s", **parts})


def all_busy() -> Run:
    """Three requests at 0 for two units: the third spills over. One more at 5 s. Units busy 3 of 20 unit-seconds."""
    return provisioned_run(2, [0, 0, 0, 5])


def too_fast() -> Run:
    """One unit, 1 ms of work, 12 requests within 55 ms: it takes ten, half a token comes back. One more at 3 s."""
    rows = [(0.005 * number, 0.001) for number in range(12)]
    return provisioned_run(1, [*rows, (3, 0.001)], region=TEN_A_SECOND)


def not_ready() -> Run:
    """Two units asked for at 10 s, ready at 17 s. Requests before that, meanwhile and afterwards."""
    function = {"provisioned_allocation": ONE_A_SECOND}
    return provisioned_run(0, [5, 12, 20], function, duration="30s", changes=[to(10, 2)])


def stopped_at_once(run: Run) -> Run:
    """The same, interrupted before anything came."""
    return replace(run, log=replace(run.log, end_ns=0, is_partial=True))


def panels(ax: Axes) -> list[Axes]:
    """The panels of a picture, from the top."""
    return [panel for panel in ax.child_axes if isinstance(panel, Axes)]


def all_texts(ax: Axes) -> list[str]:
    """Every text of a picture and its panels."""
    return [text for axes in (ax, *panels(ax)) for text in texts_of(axes)]


def band(ax: Axes, label: str) -> tuple[float, float]:
    """The lowest and the highest point of a filled area."""
    _, below, above = area_of(ax, label)
    return float(below.min()), float(above.max())


def steps(ax: Axes, label: str) -> list[tuple[float, float]]:
    """(time, value) of a line of steps."""
    line = labelled(ax, label)
    return list(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))


class TestFiles:
    """Only runs in which a function asks for provisioned concurrency have the picture."""

    def test_only_where_units_are_asked_for(self, spike: Run, tmp_path: Path) -> None:
        """Not without, nor with 0 units."""
        assert "provisioned" not in pictures_of(spike)
        assert "provisioned" not in pictures_of(provisioned_run(0, [0]))
        assert "provisioned.png" in {path.name for path in save_all(all_busy(), tmp_path)}

    def test_a_sentence_stands_in(self, spike: Run) -> None:
        """In runs without."""
        assert "No function asked for provisioned concurrency." in texts_of(Pictures(spike).provisioned())

    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(all_busy, id="all busy"),
            pytest.param(too_fast, id="too fast"),
            pytest.param(not_ready, id="not ready"),
            pytest.param(lambda: provisioned_run(3), id="nobody"),
            pytest.param(lambda: provisioned_run(1, [0], duration="1ns", drain="0s"), id="a nanosecond"),
            pytest.param(lambda: provisioned_run(1, [0], duration="87600h"), id="ten years"),
            pytest.param(lambda: stopped_at_once(provisioned_run(1)), id="stopped at once"),
            pytest.param(lambda: provisioned_run(900, [0]), id="far more units than work"),
            pytest.param(lambda: provisioned_run(1, [0, 0], {"init": "60s"}, drain="0s"), id="cut off"),
        ],
    )
    def test_every_run_has_its_picture(self, make: Any) -> None:
        """Edges; alone and on the caller's axes; the same bytes every time, 1,000 pixels wide."""
        run = make()
        first, second = (png(Pictures(run).provisioned().figure) for _ in range(2))  # type: ignore[arg-type]
        assert first == second
        assert int.from_bytes(first[16:20], "big") == 1_000
        figure = Figure(figsize=(14, 8), layout="constrained")
        given = figure.subplots(2, 2)[0, 1]
        assert Pictures(run).provisioned(given) is given
        figure.canvas.draw()


class TestUnits:
    """The upper panel: busy and idle units, what runs on demand, what was asked for."""

    def test_layers_by_hand(self) -> None:
        """At most 2 of 2 are busy, and one on demand above them: 3."""
        upper, _ = panels(Pictures(all_busy()).provisioned())
        assert band(upper, "busy") == (0, 2)
        assert band(upper, "idle") == (0, 2)
        assert band(upper, "on demand") == (2, 3)
        assert steps(upper, "requested") == [(0, 2), (10, 2)]
        legend = "\n".join(texts_of(upper))
        assert "busy units\nat most 2" in legend
        assert "on demand\nat most 1" in legend
        assert "idle, of 2 ready" in legend

    def test_spans_by_hand(self) -> None:
        """Provisioned 0-1, 0-1 and 5-6 s; on demand 0-1 s."""
        busy, on_demand = busy_spans(all_busy().log, 0)
        assert [(times / S).tolist() for times in busy] == [[0, 0, 5], [1, 1, 6]]
        assert [(times / S).tolist() for times in on_demand] == [[0], [1]]

    def test_asked_for_long_before_it_is_ready(self) -> None:
        """From 10 s on 2 are asked for; idle ones are there from 17 s on, less the one at work at 20 s."""
        upper, _ = panels(Pictures(not_ready()).provisioned())
        assert steps(upper, "requested") == [(0, 0), (10, 2), (17, 2), (30, 2)]
        edges, _, ready = area_of(upper, "idle")
        assert (edges[:-1][ready == 2].min(), edges[1:][ready == 2].max()) == (17, 30)
        assert "idle, of 0 to 2 ready" in texts_of(upper)
        assert "requested, and paid for\n0 to 2" in texts_of(upper)

    def test_means_of_units(self) -> None:
        """2 until 15 s, then 4: the mean from 10 to 20 s is 3. None before the first instant."""
        at_ns, units = np.array([0, 15]), np.array([2, 4])
        assert mean_units(at_ns, units, np.array([0, 10, 20, 30])).tolist() == [2, 3, 4, 4]
        assert mean_units(np.array([15]), np.array([4]), np.array([0, 10, 20])).tolist() == [0, 2, 2]

    def test_many_changes_are_means_with_the_highest_as_a_line(self) -> None:
        """1 ms of work a hundred times a second: about a tenth of a unit is busy on average, one at a time at most."""
        rows = [(number / 100, 0.001) for number in range(3_000)]
        upper, lower = panels(Pictures(provisioned_run(5, rows, duration="30s")).provisioned())
        assert band(upper, "busy")[1] == pytest.approx(0.1, abs=0.06)
        assert set(labelled(upper, "highest").get_ydata()) <= {0, 1}
        assert any("areas: mean over it" in text.replace("\n", " ") for text in texts_of(upper))
        assert labelled(lower, "on provisioned environments").get_data().values.tolist() == [100] * 30


class TestInvocations:
    """The lower panel: where invocations ran, and the request rate that the units take."""

    def test_too_fast(self) -> None:
        """Ten in the first second on the unit, two beside it, though it is idle for 999 of 1,000 ms."""
        run = too_fast()
        bins = invocation_bins(run.log, 0)
        assert bins.width_ns == S
        assert bins.provisioned.tolist() == [10, 0, 0, 1, *[0] * 6]
        assert {reason: counts.tolist() for reason, counts in bins.spilled.items()} == {
            SpilloverReason.REQUEST_RATE: [2, *[0] * 9]
        }
        assert bins.on_demand.sum() == 0
        _, lower = panels(Pictures(run).provisioned())
        assert steps(lower, "ceiling") == [(0, 10), (10, 10)]
        stack = labelled(lower, "spilled over: too fast for the units")
        assert (stack.get_data().baseline[0], stack.get_data().values[0]) == (10, 12)
        assert "most that the units take: 10 a second each, 10/s" in texts_of(lower)
        assert lower.get_ylabel() == "invocations\nper second"

    def test_all_busy(self) -> None:
        """One of three; without a limit on the rate there is no line."""
        bins = invocation_bins(all_busy().log, 0)
        assert bins.spilled[SpilloverReason.CONCURRENCY].tolist() == [1, *[0] * 9]
        assert bins.provisioned.tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 0]
        _, lower = panels(Pictures(all_busy()).provisioned())
        assert "ceiling" not in [line.get_label() for line in lower.lines]

    def test_not_ready(self) -> None:
        """At 5 s nothing is asked for, which is no spillover; at 12 s it is one; at 20 s there is a unit."""
        bins = invocation_bins(not_ready().log, 0)
        assert np.flatnonzero(bins.on_demand).tolist() == [5]
        assert np.flatnonzero(bins.spilled[SpilloverReason.NOT_READY]).tolist() == [12]
        assert np.flatnonzero(bins.provisioned).tolist() == [20]
        assert list(bins.spilled) == [SpilloverReason.NOT_READY]

    def test_highest_second_of_wider_bins(self) -> None:
        """400 s in bins of 5 s: three requests in one second and one in another of the first bin."""
        run = provisioned_run(5, [0, 0.1, 0.2, 3, 7], duration="400s")
        bins = invocation_bins(run.log, 0)
        assert bins.width_ns == 5 * S
        assert bins.total[:3].tolist() == [4, 1, 0]
        assert bins.highest[:3].tolist() == [3, 1, 0]

    def test_a_rate_far_above_is_said_not_drawn(self) -> None:
        """50 units take 500 requests a second; three come."""
        _, lower = panels(Pictures(provisioned_run(50, [0, 0, 0], region=TEN_A_SECOND)).provisioned())
        assert "↑ most that the units take: 10 a second each, 500/s, far above" in texts_of(lower)
        assert lower.get_ylim()[1] < 4

    def test_a_rate_that_changes_is_said_at_the_top(self) -> None:
        """One unit takes 10 a second, and 50 units from 5 s on take 500: too far above for a line."""
        function = {"provisioned_allocation": "unlimited", "init": "0s"}
        run = provisioned_run(1, [0] * 6, function, region=TEN_A_SECOND, changes=[to(5, 50)])
        _, lower = panels(Pictures(run).provisioned())
        words = "most that the units take: 10 a second each, 10 to 500/s; no line where far above"
        (text,) = [text for text in lower.texts if text.get_text() == words]
        assert text.xy == (0, 1)
        drawn = [rate for _, rate in steps(lower, "ceiling")]
        assert drawn[0] == 10
        assert np.isnan(drawn[-1])

    def test_rates_of_a_minute(self) -> None:
        """A request every ten seconds or so is 6 a minute; a unit takes 600."""
        run = provisioned_run(1, [10 * number for number in range(60)], duration="600s", region=TEN_A_SECOND)
        _, lower = panels(Pictures(run).provisioned())
        assert lower.get_ylabel() == "invocations\nper minute"
        assert any("10 a second each, 600/minute, far above" in text for text in texts_of(lower))


def test_bursts_thinner_than_a_pixel_are_all_there() -> None:
    """Six bursts of 4 s in an hour: an hour is some 670 pixels wide, so that 4 s are three quarters of one."""
    starts_s = [270 + 600 * number for number in range(6)]
    run = provisioned_run(8, [(at_s, 4) for at_s in starts_s for _ in range(8)], duration="1h")
    upper, _ = panels(Pictures(run).provisioned())
    figure = upper.get_figure(root=True)
    assert figure is not None
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba()).astype(int)
    row = pixels[pixels.shape[0] - round(upper.bbox.y0 + upper.bbox.height / 2)]
    bluer = row[:, 2] - row[:, 0]  # than red; grey is neither
    for at_s in starts_s:
        x = round(upper.transData.transform((at_s + 2, 0))[0])
        assert bluer[x - 2 : x + 3].sum() > 50, f"the burst at {at_s} s is not drawn"
    assert bluer[round(upper.transData.transform((600, 0))[0])] == 0


class TestWords:
    """Title, lesson and heading say what was found."""

    def test_of_the_request_rate(self) -> None:
        """2 of 13 = 15.4 %; 11 ms of 10 s are 0.11 %."""
        texts = all_texts(Pictures(too_fast()).provisioned())
        title = "test: 15.4% spilled over from provisioned concurrency, because of the request rate"
        assert texts[0].replace("\n", " ") == title
        assert any("at most 10 requests a second" in text for text in texts)
        assert "f · units busy 0.11% of the time, 2 of 13 invocations spilled over" in texts

    def test_of_busy_units(self) -> None:
        """1 of 4; 3 s of work in 20 s of units."""
        texts = all_texts(Pictures(all_busy()).provisioned())
        title = "test: 25.0% spilled over from provisioned concurrency, because all units were busy"
        assert texts[0].replace("\n", " ") == title
        assert "f · units busy 15.0% of the time, 1 of 4 invocations spilled over" in texts

    def test_of_nothing(self) -> None:
        """And of nobody."""
        texts = all_texts(Pictures(provisioned_run(2, [0])).provisioned())
        assert texts[0] == "test: nothing spilled over from provisioned concurrency"
        assert "f · units busy 5.0% of the time, none of 1 invocation spilled over" in texts
        assert (
            "provisioned concurrency, and nobody invoked it" in texts_of(Pictures(provisioned_run(2)).provisioned())[0]
        )

    def test_of_several_reasons(self) -> None:
        """Two came before anything was ready; then one finds both units busy."""
        function = {"provisioned_allocation": ONE_A_SECOND}
        run = provisioned_run(0, [11, 12, 20, 20, 20], function, duration="30s", changes=[to(10, 2)])
        texts = [text.replace("\n", " ") for text in all_texts(Pictures(run).provisioned())]
        assert texts[0].endswith(
            "60.0% spilled over from provisioned concurrency, mostly because no unit was ready yet"
        )
        assert any(
            text.endswith("3 of 5 invocations spilled over: 2 since no unit was ready yet, 1 since all units were busy")
            for text in texts
        )

    def test_what_ran_before_any_unit_was_asked_for_counts_in_no_share(self) -> None:
        """One before, one while they were prepared, one on a unit: half of two spilled over."""
        texts = all_texts(Pictures(not_ready()).provisioned())
        assert "test: 50.0% spilled over" in texts[0].replace("\n", " ")
        assert any(text.endswith("1 of 2 invocations spilled over") for text in texts)

    def test_of_several_functions(self) -> None:
        """The three with the most spillovers, in file order; those without units count nowhere."""
        counts = {"_a": 0, "b": 3, "c": 2, "d": 1, "plain": 9}
        run = run_of(
            functions={name: {"provisioned_concurrency": 1} if name != "plain" else {} for name in counts},
            traffic={name: {"function": name, "trace": trace([0] * (1 + many))} for name, many in counts.items()},
            duration="10s",
        )
        axes = Pictures(run).provisioned()
        assert len(panels(axes)) == 2 * MOST_FUNCTIONS
        headings = [text for text in all_texts(axes) if " · units busy" in text]
        assert [heading[0] for heading in headings] == ["b", "c", "d"]
        assert headings[0].endswith("3 of 4 invocations spilled over, since all units were busy")
        texts = texts_of(axes)
        assert "60.0% spilled over" in texts[0]  # 6 of 10
        assert "3 of 4 functions are shown, those with the most spillovers" in " ".join(reversed(texts))


class TestMarks:
    """What autoscaling asked for, and what failed."""

    def test_scheduled_action(self) -> None:
        """At 10 s at least 3: asked for then, by the schedule."""
        scaled = {"min_capacity": 0, "max_capacity": 5, "scheduled_actions": [{"at": "10s", "min_capacity": 3}]}
        scaled |= {"scale_out_points": 3, "scale_in_points": 15, "scale_in_threshold": "90%", "scale_in_step": "10%"}
        run = run_of(
            functions={"f": {"autoscaling": scaled, "provisioned_allocation": ONE_A_SECOND}}, rows=[5], duration="30s"
        )
        marks = [(mark.at_ns / S, mark.units, mark.cause) for mark in capacity_marks(run.log, 0)]
        assert marks == [(10, 3, CapacityCause.SCHEDULED)]
        upper, _ = panels(Pictures(run).provisioned())
        assert steps(upper, "scheduled") == [(10, 3)]
        assert "scheduled action" in texts_of(upper)

    def test_failed_allocation(self) -> None:
        """An init of 140 s, asked for at 10 s, fails at its limit of 130 s; nothing is asked for any more."""
        function = {"init": "140s", "timeout": "10s", "provisioned_allocation": ONE_A_SECOND}
        run = provisioned_run(0, [5], function, duration="300s", changes=[to(10, 2)])
        upper, _ = panels(Pictures(run).provisioned())
        assert steps(upper, "init_failed") == [(140, 0)]
        assert "FAILED: an init took too long" in texts_of(upper)

    def test_what_the_scenario_sets_is_no_mark(self) -> None:
        """Changes have a line of their own, as in other pictures."""
        assert capacity_marks(not_ready().log, 0) == []
        upper, _ = panels(Pictures(not_ready()).provisioned())
        assert labelled(upper, "change").get_xdata() == [10, 10]


def test_reasons_have_shades_of_their_own() -> None:
    """No two alike, and none of another meaning."""
    shades = set(SPILLOVER_COLOURS.values())
    assert len(shades) == len(SpilloverReason)
    assert shades.isdisjoint(colour.value for colour in Colour)
