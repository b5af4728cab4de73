"""The time axis: ticks at times that people count in, in seconds, minutes or hours by the length of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, Locator

TimeUnit = Literal["s", "m:ss", "h"]

_MINUTES_FROM_S = 180.0
_HOURS_FROM_S = 3 * 3_600.0

# Steps between ticks. Below a second they go by 1, 2, 5, and so do hours above a day's.
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)

_LABELS: dict[TimeUnit, str] = {
    "s": "time since the start (s)",
    "m:ss": "time since the start (minutes:seconds)",
    "h": "time since the start (hours)",
}


def time_unit(length_s: float) -> TimeUnit:
    """Seconds up to three minutes, minutes up to three hours, then hours."""
    if length_s <= _MINUTES_FROM_S:
        return "s"
    return "m:ss" if length_s <= _HOURS_FROM_S else "h"


def step_s(length_s: float, at_most: int) -> float:
    """The least step that people count in with which at most so many steps cover a length of time."""
    needed = length_s / at_most
    for step in _STEPS_S:
        if 1 <= needed <= step:
            return float(step)
    if needed < 1:
        return decimal_step(needed)
    return decimal_step(needed / 86_400) * 86_400


def decimal_step(needed: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below ``needed``."""
    power = 10.0 ** np.floor(np.log10(needed))
    return float(next(power * digit for digit in (1, 2, 5, 10) if power * digit >= needed * (1 - 1e-9)))


class TimeLocator(Locator):
    """About eight ticks at round times, or another number."""

    def __init__(self, at_most: int = 9) -> None:
        self._at_most = at_most

    def __call__(self) -> Sequence[float]:
        assert self.axis is not None
        low, high = self.axis.get_view_interval()
        return self.tick_values(float(low), float(high))

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """Multiples of the step within the view."""
        low, high = min(vmin, vmax), max(vmin, vmax)
        if not high > low:
            return [low]
        step = step_s(high - low, self._at_most)
        first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
        return [float(tick) for tick in np.arange(first, last + 1) * step + 0.0]  # + 0.0 makes -0.0 a zero


def tick_text(time_s: float, unit: TimeUnit) -> str:
    """Label of one tick: ``90``, ``1:30`` or ``1.5``."""
    if unit == "s":
        return f"{time_s:.10g}"
    if unit == "h":
        return f"{time_s / 3_600:.6g}"
    minutes, seconds = divmod(round(time_s, 6), 60)
    return f"{minutes:.0f}:{seconds:02.0f}" if seconds == round(seconds) else f"{minutes:.0f}:{seconds:06.3f}"


def set_time_axis(ax: Axes, end_s: float) -> None:
    """An x axis in seconds from 0 to the end of the run."""
    unit = time_unit(end_s)
    ax.set_xlim(0, end_s if end_s > 0 else 1)
    ax.xaxis.set_major_locator(TimeLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: tick_text(time_s, unit)))
    ax.set_xlabel(_LABELS[unit])
