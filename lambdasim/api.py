"""The Python interface: load, simulate, and a result that holds everything that is known of a run."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from lambdasim.engine.base import Interrupt, OnProgress
from lambdasim.engine.reference import SimpyEngine
from lambdasim.errors import UsageError
from lambdasim.extras import load_extra
from lambdasim.metrics.run import Run
from lambdasim.metrics.tables import (
    attempts_table,
    environments_table,
    messages_table,
    provisioned_table,
    requests_table,
    structured,
)
from lambdasim.notebook.interrupted import interrupted
from lambdasim.notebook.prediction import CheckedPrediction, Prediction, last_prediction
from lambdasim.notebook.progress import far_text, watched
from lambdasim.platform.region import build_platform
from lambdasim.rng import fresh_seed
from lambdasim.scenario.load import load as load_scenario
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.memory import check_memory
from lambdasim.workload.workload import build_workload

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes

    from lambdasim.notebook.animation import AnimationHtml
    from lambdasim.report.pictures import Pictures

ScenarioSource = str | os.PathLike[str] | Mapping[str, Any] | Scenario
TableName = Literal["requests", "attempts", "environments", "messages", "provisioned"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result(Run):
    """A finished run: summary, tables and pictures, all derived from ``log``."""

    guess: Prediction | None = None  # the last one that was made before this run came to its end

    @cached_property
    def prediction(self) -> CheckedPrediction | None:
        """The guess of ``predict`` beside what came out; None where nobody guessed, or another run has answered it."""
        return None if self.guess is None else self.guess.answer(self)

    @cached_property
    def requests(self) -> npt.NDArray[np.void]:
        """One row for each request, with the columns of ``requests.csv``; times in seconds, nan where there is none."""
        return structured(requests_table(self.log, self.outcomes, 0, len(self.log.requests), self.shown_responses))

    @cached_property
    def attempts(self) -> npt.NDArray[np.void]:
        """One row for each attempt, with the columns of ``attempts.csv``."""
        return structured(attempts_table(self.log, 0, len(self.log.requests), self.shown_responses))

    @cached_property
    def environments(self) -> npt.NDArray[np.void]:
        """One row for each execution environment, with the columns of ``environments.csv``."""
        return structured(environments_table(self.log))

    @cached_property
    def messages(self) -> npt.NDArray[np.void]:
        """One row for each stay of a message in a queue or of a record in a stream, as in ``messages.csv``."""
        return structured(messages_table(self.log, 0, len(self.log.messages)))

    @cached_property
    def provisioned(self) -> npt.NDArray[np.void]:
        """One row for each change of provisioned concurrency, as in ``provisioned.csv``."""
        return structured(provisioned_table(self.log))

    def to_frame(self, table: TableName = "requests") -> pd.DataFrame:
        """A table as a pandas DataFrame; needs pandas."""
        *names, last = get_args(TableName)
        if table not in (*names, last):
            raise UsageError(f"table: must be {', '.join(names)} or {last}, got {table!r}")
        pd = load_extra("pandas", "to_frame")
        rows: npt.NDArray[np.void] = getattr(self, table)
        return pd.DataFrame({name: rows[name] for name in rows.dtype.names or ()})

    @property
    def plot(self) -> Pictures:
        """The pictures, one method each: ``result.plot.concurrency()`` returns matplotlib Axes."""
        from lambdasim.report.pictures import Pictures

        return Pictures(self)

    def animation(
        self, start: str = "0s", end: str | None = None, *, seconds: float = 12, fps: float = 15, ax: Axes | None = None
    ) -> FuncAnimation:
        """The execution environments at work, as a matplotlib animation; ``animate`` shows the same in a notebook.

        ``start`` and ``end`` are times of the run, ``seconds`` the length of the film. Raises UsageError where one of
        them is wrong.
        """
        from lambdasim.notebook.animation import animation_of, film_of

        return animation_of(self, film_of(self, start, end, seconds, fps), ax)

    def animate(
        self, start: str = "0s", end: str | None = None, *, seconds: float = 12, fps: float = 15
    ) -> AnimationHtml:
        """The same with a player, as the last line of a notebook cell: boxes are environments, dots are requests.

        Needs no network; about 3 MB for 12 seconds, and as long to make.
        """
        from lambdasim.notebook.animation import film_of, html_of

        return html_of(self, film_of(self, start, end, seconds, fps))

    def save_animation(
        self,
        path: str | os.PathLike[str],
        start: str = "0s",
        end: str | None = None,
        *,
        seconds: float = 12,
        fps: float = 15,
    ) -> None:
        """Write what ``animate`` shows as an HTML file. Raises OutputError where it cannot be written."""
        self.animate(start, end, seconds=seconds, fps=fps).save(path)

    def save(self, directory: str | os.PathLike[str], *, period: str = "1m") -> None:
        """Write summary, tables and pictures into a folder, each file whole or not at all."""
        from lambdasim.report.save import save_run
        from lambdasim.units import parse_duration

        save_run(self, Path(directory), parse_duration(period))

    def _repr_html_(self) -> str:
        from lambdasim.notebook.display import result_html

        return result_html(self)

    def __str__(self) -> str:
        from lambdasim.notebook.display import result_text

        return result_text(self)

    def __repr__(self) -> str:
        requests = self.summary["requests"]
        fates = ", ".join(f"{count:,} {name}" for name, count in requests.items() if count and name != "total")
        return f"<Result {self.scenario.name}: {requests['total']:,} requests, {fates or 'none settled'}>"


def load(source: ScenarioSource, *, seed: int | None = None, set: Mapping[str, object] | None = None) -> Scenario:
    """The scenario of a YAML file, a mapping or another scenario, with the values of ``set`` by path.

    Raises ScenarioError, which lists everything that is wrong.
    """
    return load_scenario(source, seed=seed, overrides=set)


def simulate(
    source: ScenarioSource,
    *,
    seed: int | None = None,
    set: Mapping[str, object] | None = None,
    on_progress: OnProgress | None = None,
    interrupt: Interrupt | None = None,
) -> Result:
    """Run a scenario: ``simulate("scenarios/spike.yaml", seed=7, set={"region.concurrency_quota": 500})``.

    Without a seed anywhere, one is made and stands in the result. ``on_progress`` is called now and then with the
    simulated time in ns and the number of requests so far; ``interrupt`` ends the run early, with what there is. A
    guess that ``predict`` kept is answered by the result: ``result.prediction``.

    In a notebook, and without either of these two, a run of more than a second shows a bar, and *Interrupt* ends it.
    The cell fails then, so that what comes after it does not go on with a part of a run, and ``last_interrupted()``
    returns what there is.

    Raises ScenarioError where the scenario is wrong or would not fit in memory, RunInterrupted as said.
    """
    scenario = load(source, seed=seed, set=set)
    with watched(scenario.name, scenario.duration, on_progress, interrupt) as (report, stop):
        result = simulate_scenario(scenario, on_progress=report, interrupt=stop)
    if not result.log.is_partial:
        result = replace(result, guess=last_prediction())
    if interrupt is None and stop is not None and stop.requested:
        raise interrupted(result, far_text(result.log.end_ns, scenario.duration))
    return result


def check_size(scenario: Scenario) -> None:
    """Raises ScenarioError where the run would not fit in memory; draws nothing."""
    workload = build_workload(scenario, scenario.seed or 0)
    check_memory(workload.expected_requests(), workload.source_invokes)


def simulate_scenario(
    scenario: Scenario, *, on_progress: OnProgress | None = None, interrupt: Interrupt | None = None
) -> Result:
    """Run a scenario that was loaded and checked."""
    check_size(scenario)
    seed = fresh_seed() if scenario.seed is None else scenario.seed
    workload = build_workload(scenario, seed)
    engine = SimpyEngine()
    started = time.perf_counter()
    log = engine.run(workload, build_platform(scenario), on_progress=on_progress, interrupt=interrupt)
    wall_s = time.perf_counter() - started
    return Result(scenario=scenario, seed=seed, engine=engine.name, log=log, wall_s=wall_s)
