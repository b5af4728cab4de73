"""The pictures of a run, drawn from its log with matplotlib.

``Pictures`` is for people who look at a run in Python, ``save_all`` for the folder of results. Importing this package
imports matplotlib, importing ``lambdasim`` does not. Each picture is a module; what they share is in ``style``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lambdasim.metrics.provisioned import has_provisioned
from lambdasim.metrics.run import Run
from lambdasim.report.pictures.backlog import backlog
from lambdasim.report.pictures.cloudwatch import cloudwatch
from lambdasim.report.pictures.concurrency import concurrency
from lambdasim.report.pictures.latency import latency
from lambdasim.report.pictures.lifelines import lifelines
from lambdasim.report.pictures.outcomes import outcomes
from lambdasim.report.pictures.provisioned import provisioned
from lambdasim.report.pictures.queues import queues
from lambdasim.report.pictures.receives import receives
from lambdasim.report.pictures.retry_ladder import retry_ladder
from lambdasim.report.pictures.streams import streams
from lambdasim.report.pictures.style import png

__all__ = ["PICTURES", "Pictures", "pictures_of", "save_all"]

# By the name of the file, in the order in which they are written.
PICTURES: dict[str, Callable[[Run], Axes]] = {
    "lifelines": lifelines,
    "concurrency": concurrency,
    "latency": latency,
    "outcomes": outcomes,
    "cloudwatch": cloudwatch,
    "provisioned": provisioned,
    "retry_ladder": retry_ladder,
    "backlog": backlog,
    "receives": receives,
    "queues": queues,
    "streams": streams,
}

_OF_CAPACITY = ("provisioned",)  # only of runs in which a function asks for provisioned concurrency
_OF_EVENTS = ("retry_ladder", "backlog")  # only of runs that have asynchronous events
_OF_QUEUES = ("queues",)  # only of scenarios that have queues
_OF_MAPPINGS = ("receives",)  # only where somebody polls one of them
_OF_STREAMS = ("streams",)  # and of those that have streams


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one run; each method returns the matplotlib Axes.

    Without ``ax`` a picture has a figure of its own, 1000 px wide, apart from pyplot: the Axes, and their figure, show
    themselves as the last line of a notebook cell (``display(axes)`` elsewhere), and ``axes.figure.savefig(...)`` saves
    them. With ``ax``, made by ``plt.subplots(layout="constrained")`` for instance, it is pyplot that shows the figure.
    """

    run: Run

    def lifelines(self, ax: Axes | None = None) -> Axes:
        """The life of every execution environment: initialising, busy, idle."""
        return lifelines(self.run, ax)

    def concurrency(self, ax: Axes | None = None) -> Axes:
        """Requests in flight by function, with quota, reservations and throttled attempts."""
        return concurrency(self.run, ax)

    def latency(self, ax: Axes | None = None) -> Axes:
        """The distribution of latency, for warm, cold and retried requests, and for those who gave up waiting."""
        return latency(self.run, ax)

    def outcomes(self, ax: Axes | None = None) -> Axes:
        """What became of the requests over time, against the offered rate; per second, minute or hour."""
        return outcomes(self.run, ax)

    def cloudwatch(self, ax: Axes | None = None) -> Axes:
        """Concurrency as it was and as CloudWatch shows it, with Invocations and Throttles; its panels lie inside."""
        return cloudwatch(self.run, ax)

    def provisioned(self, ax: Axes | None = None) -> Axes:
        """Provisioned concurrency: what is asked for, ready and busy; which invocations spilled over, and why."""
        return provisioned(self.run, ax)

    def retry_ladder(self, ax: Axes | None = None) -> Axes:
        """Some asynchronous events that were tried again, attempt by attempt; how long all waited for a retry."""
        return retry_ladder(self.run, ax)

    def backlog(self, ax: Axes | None = None) -> Axes:
        """The queue of asynchronous events: how many wait, how old the oldest is, how many are given up."""
        return backlog(self.run, ax)

    def receives(self, ax: Axes | None = None) -> Axes:
        """Some SQS messages that were not done at once, receive by receive; all attempts with batches over time."""
        return receives(self.run, ax)

    def queues(self, ax: Axes | None = None) -> Axes:
        """SQS queues: what their messages are at any time, the age of the oldest, batches under way, dead letters."""
        return queues(self.run, ax)

    def streams(self, ax: Axes | None = None) -> Axes:
        """Streams: what their records are at any time, iterator age, blocked shards, records given up."""
        return streams(self.run, ax)


def pictures_of(run: Run) -> list[str]:
    """Names of the pictures that a run has: those of events only where a source sends events, and so on."""
    left_out: set[str] = set()
    for names, has_work in (
        (_OF_CAPACITY, has_provisioned(run.log)),
        (_OF_EVENTS, "async" in run.log.source_invokes),
        (_OF_QUEUES, bool(run.scenario.queues)),
        (_OF_MAPPINGS, any(queue.event_source_mapping is not None for queue in run.scenario.queues.values())),
        (_OF_STREAMS, bool(run.scenario.streams)),
    ):
        if not has_work:
            left_out.update(names)
    return [name for name in PICTURES if name not in left_out]


def save_all(run: Run, directory: Path) -> list[Path]:
    """Writes every picture of the run as PNG, 1000 px wide, whole or not at all; the same run gives the same bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in pictures_of(run):
        figure = PICTURES[name](run).get_figure(root=True)
        assert isinstance(figure, Figure)
        path = directory / f"{name}.png"
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_bytes(png(figure))
        unfinished.replace(path)
        paths.append(path)
    return paths
