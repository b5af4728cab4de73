"""Runs that take long in a notebook: a bar after the first second, and Interrupt ends the run with what there is.

The bar is the browser's own, sent as HTML and replaced as the run goes on: it needs no widget, no extension and no
network, leaves nothing to see behind, and shows in every kind of notebook. Outside of notebooks nothing is shown or
caught.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import Any

from lambdasim.engine.base import Interrupt, OnProgress
from lambdasim.report.wording import clock_text, counted, seconds_value
from lambdasim.signals import interruptible

# Shorter runs show no bar; a bar that is shown moves at most so often.
_PATIENCE_S = 1.0
_EVERY_S = 0.25


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; a terminal, IPython's too, is none."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def watched(
    name: str, duration_ns: int, on_progress: OnProgress | None = None, interrupt: Interrupt | None = None
) -> Iterator[tuple[OnProgress | None, Interrupt | None]]:
    """What to give an engine so that a run can be watched and stopped in a notebook.

    What the caller has of its own is passed on, and nothing of ours is added; so it is outside of notebooks.
    """
    is_ours = on_progress is None and interrupt is None and in_notebook()
    if not is_ours or threading.current_thread() is not threading.main_thread():
        yield on_progress, interrupt
        return
    bar = Bar(name, duration_ns, html_display())
    with interruptible() as ours:
        try:
            yield bar.on_progress, ours
        finally:
            bar.close()


def html_display() -> Callable[[str], None]:
    """Shows HTML below the cell, in the place of what it showed before. For the kernel of a notebook.

    It has no text for who cannot show HTML: that would stay in the notebook when the bar has gone.
    """
    ipython: Any = import_module("IPython.display")  # without types of its own
    handle: list[Any] = []

    def show(html: str) -> None:
        data = {"text/html": html, "text/plain": ""}
        if handle:
            handle[0].update(data, raw=True)
        else:
            handle.append(ipython.display(data, raw=True, display_id=True))

    return show


class Bar:
    """Simulated time against the length of the run. ``show`` gets HTML, first when a run takes longer than a second."""

    def __init__(
        self, name: str, duration_ns: int, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name, self._duration_ns, self._show, self._clock = name, duration_ns, show, clock
        self._started_s = clock()
        self._next_s = self._started_s + _PATIENCE_S
        self._is_shown = False

    def on_progress(self, now_ns: int, requests: int) -> None:
        """As engines call it: simulated time, and requests so far."""
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _EVERY_S
        self._is_shown = True
        self._show(bar_html(self._name, now_ns, self._duration_ns, requests, now_s - self._started_s))

    def close(self) -> None:
        """Takes the bar away."""
        if self._is_shown:
            self._show("")


def bar_html(name: str, now_ns: int, duration_ns: int, requests: int, elapsed_s: float) -> str:
    """The bar, and how far the run is in words."""
    share = min(now_ns / duration_ns, 1.0) if duration_ns else 1.0
    words = f"{clock_text(now_ns)} of {clock_text(duration_ns)} simulated"
    if now_ns > duration_ns:
        words = f"draining, {clock_text(now_ns - duration_ns)} after the end of the traffic"
    words += f", {counted(requests, 'request')}"
    if 0.02 < share < 1:
        words += f", about {seconds_value(float(round(elapsed_s * (1 - share) / share) or 1))} left"
    return (
        f'<div><progress max="1" value="{share:.4f}" style="width:20em"></progress>'
        f" {escape(name)}: {words}; <i>Interrupt</i> stops the cell and keeps what there is</div>"
    )


def far_text(end_ns: int, duration_ns: int) -> str:
    """How far a run had come when it ended: ``at 43:14 of 1:00:00 simulated``."""
    if end_ns > duration_ns:
        return f"while draining, {clock_text(end_ns - duration_ns)} after the end of the traffic"
    return f"at {clock_text(end_ns)} of {clock_text(duration_ns)} simulated"
