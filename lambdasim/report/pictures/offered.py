"""Picture: what the traffic sources of a scenario offer over time, before anything is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from lambdasim.report.offered import arrivals_text, rate_text
from lambdasim.report.pictures.style import (
    FUNCTION_COLOURS,
    OTHERS_COLOUR,
    Colour,
    Header,
    counted,
    legend,
    open_axes,
    png,
    shortened,
    style,
    time_text,
)
from lambdasim.report.pictures.time_axis import set_time_axis
from lambdasim.report.wording import subtitle
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.offered import OfferedSource, offered_sources, total_profile
from lambdasim.workload.rate import FloatArray, RateProfile

# Parts of the time axis in which a rate that changes more often is drawn as a band.
PIXELS = 700


def offered(scenario: Scenario, seed: int, ax: Axes | None = None) -> Axes:
    """The rate of each source, and of all together; virtual users on a scale of their own; traces and warmers as bars.

    ``seed`` matters only where a rate is modulated at random: what it is in that run lies behind the stated rate.
    """
    sources = offered_sources(scenario, seed)
    rates = [one for one in sources if not one.has_users]
    users = [one for one in sources if one.has_users]
    with style():
        axes = open_axes(ax, _header(scenario, seed, sources), right_px=280 if rates and users else 220)
        colours = {one.name: _colour(number) for number, one in enumerate(sources)}
        entries = [entry for one in rates for entry in _draw_rate(axes, one, colours[one.name], fill=len(rates) == 1)]
        if len(rates) > 1:
            total = total_profile([one.profile for one in rates])
            look: dict[str, Any] = {"color": Colour.EVERYTHING.value, "linewidth": 1.2}
            _draw_line(axes, total, band=False, label="all rates", zorder=1.9, **look)
            entries.append((Line2D([], [], **look), f"all rates together\n{_in_words(total, '/s')}"))
        user_axes = axes.twinx() if rates and users else axes
        entries += [entry for one in users for entry in _draw_users(user_axes, one, colours[one.name])]
        if users:
            _finish_scale(user_axes, "virtual users")
        if rates:
            _finish_scale(axes, "requests per second")
        if rates and users:
            user_axes.spines["right"].set_visible(True)
        set_time_axis(axes, scenario.duration / 1e9)
        axes.grid(True, axis="y")
        legend(axes, entries)
        made = axes.get_legend()
        if made is not None and rates and users:
            made.set_bbox_to_anchor((1.1, 1.0))
    return axes


def write_offered(scenario: Scenario, seed: int, path: Path) -> None:
    """Draw the picture into a PNG file; the same scenario and seed give the same bytes."""
    figure = offered(scenario, seed).get_figure(root=True)
    assert isinstance(figure, Figure)
    path.write_bytes(png(figure))


def _header(scenario: Scenario, seed: int, sources: list[OfferedSource]) -> Header:
    expected = round(sum(one.profile.expected_requests for one in sources if not one.has_users))
    facts = []
    if not all(one.has_users for one in sources):
        facts.append(f"{counted(expected, 'request')} expected in {time_text(scenario.duration)}")
    if any(one.has_users for one in sources):
        facts.append("how much virtual users send depends on the answers")
    if any(one.realised is not None for one in sources):
        facts.append(f"thin lines: the modulated rate with seed {seed}")
    if any(is_dense(profile) for one in sources for profile in (one.profile, one.realised) if profile is not None):
        width = time_text(scenario.duration // PIXELS)
        facts.append(f"bands: lowest to highest in {width}, lines: mean")
    return Header(title=f"{scenario.name}: what is offered", description=subtitle(scenario), facts=" · ".join(facts))


def _colour(number: int) -> str:
    return FUNCTION_COLOURS[number] if number < len(FUNCTION_COLOURS) else OTHERS_COLOUR


def _draw_rate(ax: Axes, one: OfferedSource, colour: str, *, fill: bool) -> list[tuple[Artist, str]]:
    if one.realised is not None:
        label = f"{one.name}, realised"
        _draw_line(ax, one.realised, color=colour, linewidth=0.9, alpha=0.8, zorder=1.8, label=label)
    if one.has_bars or (fill and one.realised is None and not is_dense(one.profile)):
        alpha = 0.45 if one.has_bars else 0.15
        ax.fill_between(*corners(one.profile), color=colour, alpha=alpha, linewidth=0, zorder=1.5, label=one.name)
    if not one.has_bars:
        _draw_line(ax, one.profile, color=colour, linewidth=1.8, label=one.name)
    handle = Patch(color=colour, alpha=0.45) if one.has_bars else Line2D([], [], color=colour, linewidth=1.8)
    return [(handle, f"{shortened(one.name)} ({arrivals_text(one)})\n{_in_words(one.profile, '/s')}")]


def _draw_users(ax: Axes, one: OfferedSource, colour: str) -> list[tuple[Artist, str]]:
    look: dict[str, Any] = {"color": colour, "linewidth": 1.8, "linestyle": (0, (4, 2))}
    _draw_line(ax, one.profile, label=one.name, **look)
    return [(Line2D([], [], **look), f"{shortened(one.name)} (virtual users)\n{_in_words(one.profile, ' users')}")]


def _in_words(profile: RateProfile, unit: str) -> str:
    peak, _ = profile.peak()
    return f"mean {rate_text(profile.mean, unit)},\npeak {rate_text(peak, unit)}"


def _finish_scale(ax: Axes, label: str) -> None:
    ax.set_ylim(0, max(ax.dataLim.ymax, 1e-9) * 1.06)
    ax.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.4g}"))
    ax.set_ylabel(label)


def _draw_line(ax: Axes, profile: RateProfile, *, band: bool = True, **look: Any) -> None:
    """The line of a profile; of one that goes up and down too often, the mean, and a band from lowest to highest."""
    if not is_dense(profile):
        ax.plot(*corners(profile), **look)
        return
    edges_s, low, high, mean = levels(profile)
    if band:
        ax.fill_between(edges_s, low, high, step="post", color=look["color"], alpha=0.3, linewidth=0, zorder=1.6)
    ax.plot(edges_s, mean, drawstyle="steps-post", **look)


def corners(profile: RateProfile) -> tuple[FloatArray, FloatArray]:
    """Times in seconds and values at the ends of each segment: the line of a profile, jumps upright."""
    time_s = np.stack((profile.start_ns, profile.end_ns), axis=1).ravel() / 1e9
    return time_s, np.stack((profile.start_rate, profile.end_rate), axis=1).ravel()


def is_dense(profile: RateProfile) -> bool:
    """Whether a profile has more segments than a picture can tell apart."""
    return len(profile.start_ns) > 3 * PIXELS


def levels(profile: RateProfile) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Edges in seconds of PIXELS parts of equal length, and the lowest, highest and mean value in the part from each.

    The last value of each is repeated at the last edge. Shapes (PIXELS + 1,).
    """
    edges_ns = np.linspace(0, profile.end_ns[-1], PIXELS + 1).astype(np.int64)
    parted = profile.split(edges_ns)
    first = np.searchsorted(parted.start_ns, edges_ns[:-1])
    low = np.minimum.reduceat(np.minimum(parted.start_rate, parted.end_rate), first)
    high = np.maximum.reduceat(np.maximum(parted.start_rate, parted.end_rate), first)
    mean = np.diff(profile.integral(edges_ns)) / (np.diff(edges_ns) / 1e9)
    low, high, mean = (np.append(values, values[-1]) for values in (low, high, mean))
    return edges_ns / 1e9, low, high, mean
