"""What a scenario offers: the table in words and the picture, before anything is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lambdasim.report.offered import offered_lines, rate_text
from lambdasim.report.pictures.offered import levels, offered, write_offered
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.offered import offered_sources
from lambdasim.workload.rate import rate_profile
from tests.builders import scenario, trace
from tests.report.runs import texts_of

STEPS = {"function": "f", "shape": {"steps": {"start": "10/s", "step": "10/s", "steps": 2, "every": "10s"}}}
BURST = {"function": "f", "shape": {"burst": {"peak": "40/s", "every": "10s", "length": "1s"}}}
USERS = {
    "function": "f",
    "virtual_users": {"start": 2, "stages": [{"duration": "30s", "target": 8}]},
    "think_time": "1s",
}
MMPP = {"function": "f", "rate": "5/s", "arrivals": {"mmpp": {"ratio": 10, "quiet": "5s", "busy": "1s"}}}
ROWS = {"function": "f", "trace": trace([0.5, 0.6, 0.7, 29.0])}
PINGS = {"function": "f", "warmer": {"every": "10s", "concurrency": 3}}


def made(duration: str = "30s", **traffic: Any) -> Scenario:
    """A scenario with these sources."""
    return scenario(traffic=traffic, duration=duration, description="What to watch for.")


def cells(lines: list[str], name: str) -> list[str]:
    """The cells of one row of the table."""
    row = next(line for line in lines if line.startswith(name))
    return [cell for cell in row.split("  ") if cell]


def stripped(row: list[str]) -> list[str]:
    """Without the blanks that align them."""
    return [cell.strip() for cell in row]


def line_named(ax: Axes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a line."""
    (line,) = [line for line in ax.lines if line.get_label() == name]
    x, y = line.get_data()
    return np.asarray(x), np.asarray(y)


class TestLines:
    """Mean, peak, when, and how many requests to expect."""

    def test_of_a_staircase(self) -> None:
        """10, 20 and 30 requests per second for ten seconds each: 600 requests."""
        lines = offered_lines(made(web=STEPS), 1)
        assert lines[0] == "test: offered in 30s"
        assert stripped(cells(lines, "web")) == ["web", "poisson", "20/s", "30/s", "0:20", "600"]
        assert "all rates" not in "\n".join(lines)

    def test_of_several_sources(self) -> None:
        """The peak of all together is when a burst meets the highest step."""
        lines = offered_lines(made(web=STEPS, pulse={**BURST, "arrivals": "uniform"}, log=ROWS), 1)
        assert stripped(cells(lines, "pulse")) == ["pulse", "uniform", "4/s", "40/s", "0:00", "120"]
        assert stripped(cells(lines, "log"))[1:] == ["trace", "0.133/s", "12/s", "0:00", "4"]
        assert stripped(cells(lines, "all rates")) == ["all rates", "24.1/s", "70/s", "0:20", "724"]

    def test_of_virtual_users(self) -> None:
        """Their number; how many requests they send depends on the answers."""
        lines = offered_lines(made(people=USERS, web=STEPS), 1)
        expected = ["people", "virtual users", "5 users", "8 users", "0:30", "by the answers"]
        assert stripped(cells(lines, "people")) == expected
        assert "all rates" not in "\n".join(lines)

    def test_of_a_source_that_is_switched_off(self) -> None:
        """From 10 s to 20 s nothing is offered."""
        off = [{"at": "10s", "traffic": {"web": "off"}}, {"at": "20s", "traffic": {"web": "on"}}]
        lines = offered_lines(scenario(traffic={"web": STEPS}, duration="30s", changes=off), 1)
        assert stripped(cells(lines, "web")) == ["web", "poisson", "13.3/s", "30/s", "0:20", "400"]

    def test_of_rows_that_are_switched_off(self) -> None:
        """Rows of a trace within the pause do not count."""
        off = [{"at": "20s", "traffic": {"log": "off"}}]
        lines = offered_lines(scenario(traffic={"log": ROWS}, duration="30s", changes=off), 1)
        assert stripped(cells(lines, "log"))[-1] == "3"

    def test_of_a_warmer(self) -> None:
        """Three pings at 0, 10 and 20 s: nine in 30 s, and three in a quarter of a second at most."""
        lines = offered_lines(made(warm=PINGS), 1)
        assert stripped(cells(lines, "warm")) == ["warm", "warmer", "0.3/s", "12/s", "0:00", "9"]

    def test_of_a_warmer_that_is_switched_off(self) -> None:
        """Without the second round."""
        off = [{"at": "9s", "traffic": {"warm": "off"}}, {"at": "11s", "traffic": {"warm": "on"}}]
        lines = offered_lines(scenario(traffic={"warm": PINGS}, duration="30s", changes=off), 1)
        assert stripped(cells(lines, "warm"))[-1] == "6"

    @pytest.mark.parametrize(
        ("law", "words"),
        [({"gamma": {"cv": 1.5}}, "gamma, cv 1.5"), (MMPP["arrivals"], "mmpp, x10"), ("uniform", "uniform")],
    )
    def test_arrivals_in_words(self, law: Any, words: str) -> None:
        """Whatever the law."""
        assert stripped(cells(offered_lines(made(web={**STEPS, "arrivals": law}), 1), "web"))[1] == words

    @pytest.mark.parametrize(
        ("rate", "text"),
        [(0, "0/s"), (1 / 12, "0.0833/s"), (12.345, "12.3/s"), (999.6, "1,000/s"), (1234567, "1,234,567/s")],
    )
    def test_rates_have_three_digits(self, rate: float, text: str) -> None:
        """Or all of them above a thousand."""
        assert rate_text(rate) == text


class TestPicture:
    """Lines of rates, bars of traces, a second scale for users."""

    def test_the_line_is_the_rate(self) -> None:
        """Every corner of the staircase, jumps upright."""
        axes = offered(made(web=STEPS), 1)
        x, y = line_named(axes, "web")
        assert x.tolist() == [0, 10, 10, 20, 20, 30]
        assert y.tolist() == [10, 10, 20, 20, 30, 30]
        assert axes.get_ylabel() == "requests per second"
        assert axes.get_xlim() == (0, 30)

    def test_all_rates_together(self) -> None:
        """A line of its own where there are several."""
        axes = offered(made(web=STEPS, pulse=BURST), 1)
        x, y = line_named(axes, "all rates")
        assert y.max() == 70
        assert x[y.argmax()] == 20
        assert "all rates" not in [line.get_label() for line in offered(made(web=STEPS), 1).lines]

    @pytest.mark.parametrize("source", [ROWS, PINGS])
    def test_traces_and_warmers_are_bars(self, source: Any) -> None:
        """An area as high as the rate in each of 120 parts: three requests in a quarter of a second."""
        axes = offered(made(log=source), 1)
        (bars,) = [area for area in axes.collections if area.get_label() == "log"]
        corners = bars.get_paths()[0].vertices
        assert corners[:, 1].max() == pytest.approx(3 / 0.25)
        assert not axes.lines

    def test_users_have_a_scale_of_their_own(self) -> None:
        """To the right, where there are rates; else the only one."""
        both = offered(made(web=STEPS, people=USERS), 1)
        figure = both.get_figure(root=True)
        assert isinstance(figure, Figure)
        assert [ax.get_ylabel() for ax in figure.axes] == ["requests per second", "virtual users"]
        x, y = line_named(figure.axes[1], "people")
        assert (x.tolist(), y.tolist()) == ([0, 30], [2, 8])
        alone = offered(made(people=USERS), 1)
        assert alone.get_ylabel() == "virtual users"
        assert len(alone.get_figure().axes) == 1  # type: ignore[union-attr]

    def test_a_modulated_rate_shows_what_it_is_in_this_run(self) -> None:
        """Behind the stated one, by the seed."""
        one, other = (offered(made(web=MMPP), seed) for seed in (1, 2))
        assert set(line_named(one, "web")[1]) == {5.0}
        assert set(line_named(one, "web, realised")[1].round(9)) == {2.0, 20.0}
        assert len(line_named(one, "web, realised")[0]) != len(line_named(other, "web, realised")[0])
        assert any("thin lines: the modulated rate with seed 1" in text for text in texts_of(one))

    def test_the_header_says_how_many_requests(self) -> None:
        """And what the reader should watch for."""
        texts = texts_of(offered(made(web=STEPS), 1))
        assert texts[0] == "test: what is offered"
        assert "What to watch for." in texts
        assert "600 requests expected in 30 s" in texts

    def test_a_rate_that_changes_too_often_is_a_band(self) -> None:
        """From the lowest to the highest, with the mean: bursts of a second every ten, for a day."""
        axes = offered(made("1d", pulse=BURST), 1)
        assert len(line_named(axes, "pulse")[0]) == 701
        assert line_named(axes, "pulse")[1].mean() == pytest.approx(4, rel=0.01)
        assert any("bands: lowest to highest in 2 min 3 s" in text for text in texts_of(axes))
        band = axes.collections[0].get_paths()[0].vertices
        assert (band[:, 1].min(), band[:, 1].max()) == (0, 40)

    def test_levels(self) -> None:
        """Lowest, highest and mean of each of 700 parts: on a staircase of ten levels, those of its own level."""
        shape = {"steps": {"start": "1/s", "step": "1/s", "steps": 9, "every": "70s"}}
        source = made("700s", web={"function": "f", "shape": shape}).traffic["web"]
        edges_s, low, high, mean = levels(rate_profile(source, 700 * 10**9))
        expected = np.repeat(np.arange(1, 11), 70)
        assert edges_s.tolist() == list(range(701))
        for values in (low, high, mean):
            assert values[:-1] == pytest.approx(expected)

    def test_the_file_is_the_same_each_time(self, tmp_path: Path) -> None:
        """1,000 pixels wide, byte by byte."""
        for name in ("a.png", "b.png"):
            write_offered(made(web=STEPS, people=USERS, more=MMPP), 7, tmp_path / name)
        first = (tmp_path / "a.png").read_bytes()
        assert first == (tmp_path / "b.png").read_bytes()
        assert int.from_bytes(first[16:20], "big") == 1_000


def test_a_source_that_is_switched_off_offers_nothing() -> None:
    """Users are away and rates are 0, a modulated one too."""
    off = [{"at": "10s", "traffic": dict.fromkeys(("web", "people", "more"), "off")}]
    all_off = scenario(traffic={"web": STEPS, "people": USERS, "more": MMPP}, duration="30s", changes=off)
    for one in offered_sources(all_off, 1):
        for profile in (one.profile, one.realised or one.profile):
            assert profile.integral(np.array([10, 30]) * 10**9)[0] == profile.expected_requests > 0
