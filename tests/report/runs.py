"""Runs for the tests of reports, and ways to read what a picture shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, PathCollection
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lambdasim.metrics.run import Run
from tests.builders import log_of, scenario

# A picture of any run has so few points that drawing it takes about a second at most.
MOST_POINTS = 60_000

RETRYING = {"timeout": "3s", "retry": {"max_attempts": 4, "base": "1s", "jitter": "none"}}


def run_of(seed: int = 1, **parts: Any) -> Run:
    """A run of ``scenario(**parts)``."""
    made = scenario(**parts)
    return Run(scenario=made, seed=seed, engine="simpy", log=log_of(made, seed), wall_s=1.0)


def refused_run(times_s: list[float], *, end_s: float = 10, is_partial: bool = False, **parts: Any) -> Run:
    """A run of one function whose requests come at these times and are all refused; none at all is allowed."""
    log = log_of(scenario(rows=times_s, functions={"f": {"reserved_concurrency": 0}}))
    no_reason_in_particular = np.zeros_like(log.throttles.reason)
    log = replace(
        log,
        end_ns=round(end_s * 1e9),
        is_partial=is_partial,
        throttles=replace(log.throttles, reason=no_reason_in_particular),
    )
    return Run(scenario=scenario(rows=times_s, **parts), seed=1, engine="simpy", log=log, wall_s=1.0)


def one_request(*, duration: str = "5s", duration_of_f: str = "1s", init: str = "0s", **parts: Any) -> Run:
    """A run with a single request at the start."""
    return run_of(rows=[0], duration=duration, functions={"f": {"duration": duration_of_f, "init": init}}, **parts)


def functions(count: int, **first: Any) -> Run:
    """A run of so many functions, each with a request a second; the later ones work for longer."""
    names = [f"_fn_{number:03d}" for number in range(count)]
    return run_of(
        functions={name: {"duration": f"{100 + 10 * i}ms"} for i, name in enumerate(names)} | {names[0]: first},
        traffic={f"t{i}": {"function": name, "rate": "1/s", "arrivals": "uniform"} for i, name in enumerate(names)},
        duration="10s",
    )


def points_drawn(figure: Figure | SubFigure | None) -> int:
    """How many points all lines, areas and markers of a picture have: what drawing it costs."""
    assert figure is not None
    lines = sum(len(line.get_xdata()) for line in figure.findobj(Line2D))
    areas = sum(len(path.vertices) for group in figure.findobj(Collection) for path in group.get_paths())
    steps = sum(len(patch.get_path().vertices) for patch in figure.findobj(Patch))
    return lines + areas + steps + sum(len(group.get_offsets()) for group in figure.findobj(PathCollection))


def texts_of(ax: Axes) -> list[str]:
    """Every text on the axes: title, header, labels, legend."""
    legend = ax.get_legend()
    entries = [text.get_text() for text in legend.get_texts()] if legend else []
    return [ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel(), *(t.get_text() for t in ax.texts), *entries]


def labelled(ax: Axes, label: str) -> Any:
    """The artist with this label."""
    (artist,) = [artist for artist in ax.get_children() if artist.get_label() == label]
    return artist


def area_of(ax: Axes, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(edges, lower levels, upper levels) of a filled area; there are as many edges as levels, and one more."""
    above, edges, below = labelled(ax, label).get_data()
    return np.asarray(edges), np.broadcast_to(below, above.shape), np.asarray(above)


def two_functions() -> Run:
    """Function a has two requests at once, b has one between them."""
    return run_of(
        functions={"a": {}, "b": {}},
        traffic={
            "a": {"function": "a", "rate": "2/s", "arrivals": "uniform"},
            "b": {"function": "b", "rate": "1/s", "arrivals": "uniform"},
        },
        duration="1s",
    )
