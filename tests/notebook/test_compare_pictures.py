"""The pictures of ``compare``: one line for each variant, which are told apart; which picture comes without a name."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import lambdasim as ls
from lambdasim.report.pictures import comparison
from lambdasim.report.pictures.style import Colour
from tests.notebook.house import house
from tests.report.runs import refused_run, texts_of


@pytest.fixture(scope="module")
def compared() -> ls.Comparison:
    """The house on a quota of 2 and of 3."""
    return ls.compare({"two": {}, "three": {"region.concurrency_quota": 3}}, scenario=house())


def sweep(count: int) -> ls.Comparison:
    """So many variants, which differ in nothing that shows."""
    return ls.compare({f"quota {n + 10}": {"region.concurrency_quota": n + 10} for n in range(count)}, scenario=house())


def lines_of(ax: Axes) -> Mapping[str, Any]:
    """Lines of a picture by the name of their variant."""
    return {str(line.get_label()): line for line in ax.get_lines()}


def test_picture_of_concurrency(compared: ls.Comparison) -> None:
    """Two at once on the quota of 2, three on that of 3, until 1.5 s; one from 10 to 11 s. Both quotas are drawn."""
    ax = compared.plot("concurrency")
    for name, most in (("two", 2), ("three", 3)):
        line = lines_of(ax)[name]
        assert list(zip(line.get_xdata(), line.get_ydata(), strict=True))[:4] == [(0, most), (1.5, 0), (10, 1), (11, 0)]
    assert sorted(max(line.get_ydata()) for line in ax.get_lines() if line.get_label() == "quota") == [2, 3]
    assert "two\npeak 2" in texts_of(ax)
    assert "2 variants, the same 4 requests for each (seed 3)" in texts_of(ax)


def test_picture_of_latency(compared: ls.Comparison) -> None:
    """A third of the completed took 1 s and the rest 1.5 s; a quarter with one more at 1.5 s."""
    ax = compared.plot("latency")
    two = lines_of(ax)["two"]
    assert two.get_ydata()[1:4] == pytest.approx([1 / 3, 2 / 3, 1])
    assert two.get_xdata()[1:4].tolist() == [1e9, 1.5e9, 1.5e9]
    assert lines_of(ax)["three"].get_ydata()[1] == 0.25
    assert "three\n4 completed\np50 1.5 s, p99 1.5 s" in texts_of(ax)


def test_picture_of_throttles(compared: ls.Comparison) -> None:
    """One refusal at 0: in bins of 0.2 s, 120 of which would do, that is 5 per second in the first."""
    ax = compared.plot("throttles")
    stairs = {patch.get_label(): patch.get_data() for patch in ax.patches}
    edges = stairs["two"].edges
    assert edges[1] == pytest.approx(0.2)
    assert stairs["two"].values[0] == pytest.approx(5)
    assert stairs["two"].values[1:].sum() == stairs["three"].values.sum() == 0


def test_pictures_draw_on_axes_that_are_brought(compared: ls.Comparison) -> None:
    """And return them."""
    ax = Figure().subplots()
    assert compared.plot("latency", ax) is ax


def test_pictures_without_data_say_so() -> None:
    """A stopped function answers nobody, and without traffic nobody is refused."""
    stopped = ls.compare({"a": house(functions={"f": {"reserved_concurrency": 0}})})
    assert "No request completed, so there is no latency to show." in texts_of(stopped.plot("latency"))
    assert "No request was accepted." in texts_of(stopped.plot("concurrency"))
    idle = ls.compare({"a": {}}, scenario=house(rows=[]))
    assert "No attempt was refused." in texts_of(idle.plot("throttles"))
    assert idle._repr_html_().count("–") >= 2  # no latency


def test_the_title_names_the_scenario_that_all_have(compared: ls.Comparison) -> None:
    """Where there are several it names none."""
    assert texts_of(compared.plot("concurrency"))[0] == "house: requests in flight, variant by variant"
    others = ls.compare({"a": house(), "b": house(name="barn")})
    assert texts_of(others.plot("throttles"))[0] == "refused attempts, variant by variant"


def test_an_unknown_picture_is_named(compared: ls.Comparison) -> None:
    """With those that there are."""
    with pytest.raises(ls.UsageError, match=r"^picture: must be one of latency, concurrency, throttles, got 'lat'$"):
        compared.plot("lat")


def test_a_busy_run_is_thinned_to_its_highest() -> None:
    """With more changes than pixels the line shows the peak of each pixel: no spike is lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        busy = house(
            rows=[i / 1000 for i in range(4000)],
            functions={"f": {"duration": "5ms"}},
            region={"concurrency_quota": 100},
        )
        compared = ls.compare({"a": busy})
    line = lines_of(compared.plot("concurrency"))["a"]
    assert len(line.get_xdata()) < 1000
    # A request each millisecond that takes five: five at once
    assert max(line.get_ydata()) == compared.rows[0]["peak_concurrency"] == 5


def test_a_refusal_at_the_very_end_is_in_the_last_bin() -> None:
    """The run ends with it, at 10 s: the bin from 8 to 10 s has one in 2 s."""
    edges_s, rate = comparison.refused_per_second(refused_run([10], end_s=10), 2 * 10**9)
    assert edges_s.tolist() == [0, 2, 4, 6, 8, 10]
    assert rate.tolist() == [0, 0, 0, 0, 0.5]


class TestWithoutAName:
    """``plot()`` shows the first picture in which the variants differ."""

    busy = house(region={"concurrency_quota": 10})

    def test_refused_attempts(self, compared: ls.Comparison) -> None:
        """One is refused on the quota of 2, none on that of 3."""
        assert compared.telling_picture == "throttles"
        assert "refused attempts" in texts_of(compared.plot())[0]

    @pytest.mark.parametrize(("duration", "picture"), [("1.2s", "latency"), ("1.04s", "concurrency")])
    def test_latency(self, duration: str, picture: str) -> None:
        """1.7 s against 1.5 s is more than 5 % apart, 1.54 s is not."""
        compared = ls.compare({"a": {}, "b": {"functions.f.duration": duration}}, scenario=self.busy)
        assert compared.telling_picture == picture

    def test_only_some_have_a_latency(self) -> None:
        """Nobody asks in one of them."""
        none = ls.compare({"a": house(rows=[]), "b": house(rows=[0])})
        assert none.telling_picture == "latency"

    def test_nothing_differs(self) -> None:
        """Not even whether there is a latency."""
        assert ls.compare({"a": house(rows=[]), "b": house(rows=[])}).telling_picture == "concurrency"


class TestWhereLatenciesAreAlike:
    """The axis of shares begins where the distributions part."""

    flat = np.full(1000, 10**9)

    def with_slow(self, count: int) -> np.ndarray:
        """As many of the thousand take twice as long."""
        return np.concatenate((self.flat[count:], np.full(count, 2 * 10**9)))

    @pytest.mark.parametrize(
        ("slow", "bottom"),
        [(20, 900), (99, 900), (101, 500), (450, 500), (550, 0), (1000, 0), (0, 0)],
    )
    def test_bottom(self, slow: int, bottom: int) -> None:
        """The slowest 20 in a thousand are within the last tenth, 101 are not: the 900th differs as well."""
        assert comparison.bottom_permille([self.flat, self.with_slow(slow)]) == bottom

    def test_five_percent(self) -> None:
        """What is closer is alike."""
        assert comparison.bottom_permille([self.flat, self.flat * 104 // 100]) == 0
        assert comparison.bottom_permille([self.flat]) == 0

    def test_picture(self) -> None:
        """One request of a hundred has an init of 400 ms: the picture is of the slowest tenth, from 500 ms on."""
        rows = [float(second) for second in range(100)]
        rare = house(rows=rows, functions={"f": {"duration": "500ms"}}, duration="100s")
        ax = ls.compare({"none": {}, "400 ms": {"functions.f.init": "400ms"}}, scenario=rare).plot("latency")
        assert ax.get_ylim() == pytest.approx((0.9, 1.003))
        assert 0.4e9 < ax.get_xlim()[0] < 0.5e9
        assert any("the fastest 90 % differ by less than 5 %" in text for text in texts_of(ax))

    def test_picture_of_all(self) -> None:
        """Where everybody takes longer there is no share below which nothing differs."""
        ax = ls.compare({"a": {}, "b": {"functions.f.duration": "2s"}}, scenario=house()).plot("latency")
        assert ax.get_ylim() == pytest.approx((0, 1.03))
        assert not any("differ by less" in text for text in texts_of(ax))


def lab(colour: str, matrix: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a colour as somebody sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.clip(matrix @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)
    to_xyz = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]
    xyz = np.array(to_xyz) @ linear / [0.9505, 1, 1.0888]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


# Machado, Oliveira and Fernandes (2009), severity 1.
SIGHTS = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
}


class TestLines:
    """What tells one variant from another."""

    @pytest.mark.parametrize("sight", SIGHTS)
    def test_colours_of_five_differ_for_everybody(self, sight: str) -> None:
        """By 25 in CIE L*a*b*, ten times what is just seen side by side."""
        lines = sweep(5).plot("concurrency").get_lines()[:5]
        seen = [lab(line.get_color(), SIGHTS[sight]) for line in lines]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 25

    def test_28_looks(self) -> None:
        """Colours and dashes: seven of the one, four of the other."""
        looks = {(str(look["color"]), str(look["linestyle"])) for look in itertools.islice(comparison._looks(), 28)}
        assert len(looks) == 28
        assert len({colour for colour, _ in looks}) == 7
        assert len({dashes for _, dashes in looks}) == 4

    def test_the_first_shows_below_the_others(self, compared: ls.Comparison) -> None:
        """It is wider, and drawn before them."""
        first, second = compared.plot("latency").get_lines()
        assert (first.get_label(), second.get_label()) == ("two", "three")
        assert first.get_linewidth() > 2 * second.get_linewidth()


class TestQuotas:
    """Dotted lines, where they tell something."""

    def quotas(self, ax: Axes) -> list[Any]:
        return [line for line in ax.get_lines() if line.get_label() == "quota"]

    def test_one_that_all_have(self) -> None:
        """Drawn once, in grey."""
        ax = ls.compare({"a": {}, "b": {"functions.f.duration": "2s"}}, scenario=house()).plot("concurrency")
        (line,) = self.quotas(ax)
        assert line.get_color() == Colour.CEILING.value
        assert max(line.get_ydata()) == 2
        assert "account quota" in texts_of(ax)

    def test_one_that_all_have_and_nobody_comes_near(self) -> None:
        """Three are in flight at most: a quota of 5 would squash them, one of 4 would not."""
        for quota, drawn in ((5, 0), (4, 1)):
            ax = ls.compare({"a": {}, "b": {}}, scenario=house(region={"concurrency_quota": quota})).plot("concurrency")
            assert len(self.quotas(ax)) == drawn
            assert ("account quota" in texts_of(ax)) == bool(drawn)

    def test_of_their_own_only_those_that_were_reached(self) -> None:
        """Of 1 to 10 the first three are: three is the most in flight. One in flight more is not 1.1 times as many."""
        ax = ls.compare({n: {"region.concurrency_quota": n} for n in range(1, 11)}, scenario=house()).plot(
            "concurrency"
        )
        assert [max(line.get_ydata()) for line in self.quotas(ax)] == [1, 2, 3]
        assert len({line.get_color() for line in self.quotas(ax)}) == 3
        assert "account quotas" in texts_of(ax)

    def test_a_rise_during_the_run(self) -> None:
        """The quota of 2 is drawn until 5 s, where it becomes 100 and leaves the picture."""
        risen = {"changes": [{"at": "5s", "region": {"concurrency_quota": 100}}]}
        ax = ls.compare({"a": {}, "b": risen}, scenario=house()).plot("concurrency")
        line = self.quotas(ax)[1]
        assert line.get_xdata()[:2].tolist() == [0, 5]
        assert line.get_ydata()[0] == 2
        assert np.isnan(line.get_ydata()[1:]).all()

    def test_a_rise_that_was_never_reached(self) -> None:
        """A run that was interrupted at 4 s has the quota of 2 until there, and no other."""
        risen = ls.simulate(house(changes=[{"at": "5s", "region": {"concurrency_quota": 3}}]))
        partial = replace(risen, log=replace(risen.log, end_ns=4 * 10**9, is_partial=True))
        (line,) = self.quotas(ls.compare({"a": partial}).plot("concurrency"))
        assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([0, 4], [2, 2])


class TestLegend:
    """Every variant has its entry within the picture."""

    @pytest.mark.parametrize("picture", ["latency", "concurrency", "throttles"])
    @pytest.mark.parametrize("count", [3, 28])
    def test_fits(self, picture: str, count: int) -> None:
        """With many variants the picture is taller; the header stays above it."""
        low = {"rows": [0] * 30, "region": {"concurrency_quota": 1}}
        variants = {f"w {n} w" * 3: {"region.concurrency_quota": n + 1} for n in range(count)}
        ax = ls.compare(variants, scenario=house(**low)).plot(picture)
        figure, legend = ax.figure, ax.get_legend()
        figure.draw(figure._get_renderer())
        assert legend.get_window_extent().y0 >= ax.bbox.y0 - 1
        assert legend.get_window_extent().y1 <= figure.bbox.height
        assert len(legend.get_texts()) >= count
        assert (figure.bbox.height > 600) == (count == 28)
        assert ax.title.get_window_extent().y1 <= figure.bbox.height

    def test_axes_that_are_brought_keep_their_size(self) -> None:
        """They are somebody's layout."""
        figure = Figure()
        ax = figure.subplots()
        before = ax.get_position().bounds
        sweep(28).plot("concurrency", ax)
        assert ax.get_position().bounds == before
        assert figure.get_size_inches().tolist() == Figure().get_size_inches().tolist()
