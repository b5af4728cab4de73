"""One scenario at several levels of provisioned concurrency, with the same requests: what each costs, what it buys."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lambdasim.api import Result, ScenarioSource, load, simulate_scenario
from lambdasim.errors import Problem, ScenarioError, UsageError
from lambdasim.extras import load_extra
from lambdasim.metrics.frontier import FrontierTable, frontier_row
from lambdasim.metrics.provisioned_demand import demand_for
from lambdasim.notebook.interrupted import interrupted
from lambdasim.notebook.progress import watched
from lambdasim.report.wording import counted
from lambdasim.rng import fresh_seed
from lambdasim.scenario.load import as_written
from lambdasim.scenario.load import load as load_quietly
from lambdasim.scenario.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Simulates a scenario at a level; whoever waits for it may want to see how it gets on.
Simulate = Callable[[Scenario, int], Result]

# Without levels of the caller's, these percentages of what the function needs without provisioned concurrency.
_PERCENTAGES = (0, 25, 50, 75, 100, 110)
_MOST_UNITS = 10_000_000


class Frontier(FrontierTable):
    """Cost and latency of several levels of provisioned concurrency: rows, a table, a picture."""

    @property
    def sentence(self) -> str:
        """What the levels come to."""
        from lambdasim.report.frontier import best_sentence

        return best_sentence(self)

    def to_frame(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame, with the columns of ``frontier.csv``; needs pandas."""
        return load_extra("pandas", "to_frame").DataFrame(self.records())

    def plot(self, ax: Axes | None = None) -> Axes:
        """The picture: cost and p99 of each level, and its share of cold starts."""
        from lambdasim.report.pictures.frontier import frontier as draw

        return draw(self, ax)

    def save(self, directory: str | os.PathLike[str]) -> None:
        """Write ``frontier.csv`` and ``frontier.png`` into a folder, each whole or not at all."""
        from lambdasim.report.files import OutputDirectory

        with OutputDirectory(Path(directory)) as output:
            self.write(output.draft)

    def write(self, directory: Path) -> None:
        """Write both files into an existing folder."""
        from lambdasim.report.frontier import write_frontier
        from lambdasim.report.pictures.frontier import write_picture

        write_frontier(self, directory / "frontier.csv")
        write_picture(self, directory / "frontier.png")

    def _repr_html_(self) -> str:
        from lambdasim.report.frontier import frontier_html

        return frontier_html(self)

    def __repr__(self) -> str:
        levels = ", ".join(str(row.level) for row in self.rows)
        return f"<Frontier {self.scenario.name}: {self.function} with {levels or 'no'} provisioned>"


def frontier(
    source: ScenarioSource,
    *,
    function: str | None = None,
    levels: Iterable[int] | None = None,
    seed: int | None = None,
    set: Mapping[str, object] | None = None,
) -> Frontier:
    """Run a scenario once for each level: ``frontier("api.yaml", function="api", levels=[0, 10, 20])``.

    Every run has the same seed, and so the same requests (virtual users apart, who send by the answers). A level is the
    provisioned concurrency of ``function`` from the start to the end of the run; it takes the place of autoscaling and
    of changes during the run. Without ``function`` it is the only one, or the only one that has some. Without
    ``levels`` these are 0 and 25 %, 50 %, 75 %, 100 % and 110 % of what it needs: its peak concurrency if nobody
    waited for an init, or a tenth of the requests of its busiest second.

    Raises ScenarioError where the scenario is wrong or AWS refuses a level, UsageError where an argument is wrong.
    """
    found = frontier_of(load(source, seed=seed, set=set), function=function, levels=levels, simulate=_watched)
    if found.is_partial:
        raise interrupted(found, f"after {counted(len(found.rows), 'level')}")
    return found


def _watched(scenario: Scenario, level: int) -> Result:
    """A run that a notebook shows as it goes on, and can interrupt."""
    with watched(f"{scenario.name}, {level:,} provisioned", scenario.duration) as (on_progress, interrupt):
        return simulate_scenario(scenario, on_progress=on_progress, interrupt=interrupt)


def frontier_of(
    scenario: Scenario,
    *,
    function: str | None = None,
    levels: Iterable[int] | None = None,
    simulate: Simulate = lambda scenario, _: simulate_scenario(scenario),
) -> Frontier:
    """As ``frontier``, for a scenario that was loaded; ``simulate`` runs it at a level."""
    plan = plan_levels(scenario, function=function, levels=levels)
    rows = []
    is_partial = False
    pending = list(plan.levels)
    notes = list(plan.notes)
    while pending:
        level = pending.pop(0)
        result = simulate(plan.at(level), level)
        is_partial = result.log.is_partial
        if is_partial:
            break
        rows.append(frontier_row(result, level, plan.function))
        if plan.follows_from_first and len(rows) == 1:
            demand = demand_for(result.log, result.log.function_names.index(plan.function))
            pending, note = plan.levels_for(demand.units_needed(result.scenario.region.requests_per_concurrency))
            notes += note
    return Frontier(
        scenario=plan.scenario,
        function=plan.function,
        seed=plan.seed,
        rows=tuple(rows),
        notes=tuple(notes),
        is_partial=is_partial,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPlan:
    """What will be run. Without levels of the caller's it begins with 0, from which the others follow."""

    scenario: Scenario
    function: str
    seed: int
    levels: tuple[int, ...]
    follows_from_first: bool
    notes: tuple[str, ...]

    def at(self, level: int) -> Scenario:
        """The scenario with a constant level. Raises ScenarioError where AWS refuses it."""
        try:
            return load_quietly(
                self.scenario,
                seed=self.seed,
                overrides={
                    f"functions.{self.function}.provisioned_concurrency": level or None,
                    f"functions.{self.function}.autoscaling": None,
                    "changes": other_changes(self.scenario, self.function),
                },
                on_warning=lambda _: None,
            )
        except ScenarioError as error:
            place = f"{self.function} with {level} provisioned"
            reasons = [_whole_sentence(problem) for problem in _once_each(error.problems)]
            raise ScenarioError([Problem(place=place, path="", message=reason) for reason in reasons]) from None

    def levels_for(self, needed: int) -> tuple[list[int], list[str]]:
        """The levels above 0 for what a function needs, and a note where AWS refuses some: then up to its limit."""
        wanted = sorted({math.ceil(needed * percentage / 100) for percentage in _PERCENTAGES} - {0})
        refusal = self._refusal(wanted[-1]) if wanted else None
        if refusal is None:
            return wanted, []
        low, high = 0, wanted[-1]  # accepted, refused
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._refusal(middle) is None else (low, middle)
        return sorted({min(level, low) for level in wanted} - {0}), [f"Above {low} AWS refuses: {refusal}"]

    def _refusal(self, level: int) -> str | None:
        try:
            self.at(level)
        except ScenarioError as error:
            return error.problems[0].message
        return None


def _once_each(problems: Iterable[Problem]) -> list[Problem]:
    """Each reason once, with the figures of the first state of the limits that has it: the level stays, they change.

    The reason is AWS's own sentence, up to its full stop; the figures of the state come after it.
    """
    first: dict[str, Problem] = {}
    for problem in problems:
        first.setdefault(problem.message.partition(". ")[0], problem)
    return list(first.values())


def _whole_sentence(problem: Problem) -> str:
    """AWS's own sentence stands alone; a rule of ours needs the name of what it is about."""
    return f"{problem.path} {problem.message}" if problem.message.startswith("must ") else problem.message


def plan_levels(scenario: Scenario, *, function: str | None, levels: Iterable[int] | None) -> LevelPlan:
    """Checks function and levels. Raises UsageError, or ScenarioError for a level that AWS refuses."""
    name = _chosen_function(scenario, function)
    plan = LevelPlan(
        scenario=scenario,
        function=name,
        seed=fresh_seed() if scenario.seed is None else scenario.seed,
        levels=(0,) if levels is None else _checked_levels(levels),
        follows_from_first=levels is None,
        notes=(*_replaced(scenario, name), *_on_the_free_tier(scenario)),
    )
    for level in plan.levels:
        plan.at(level)
    return plan


def _chosen_function(scenario: Scenario, function: str | None) -> str:
    names = list(scenario.functions)
    if function is not None:
        if function not in names:
            raise UsageError(f"function: must be a function of the scenario ({', '.join(names)}), got {function}")
        return function
    provisioned = {name for state in scenario.limits_in_force() for name, units in state.provisioned.items() if units}
    for candidates in (names, sorted(provisioned)):
        if len(candidates) == 1:
            return candidates[0]
    raise UsageError(f"function: must be named where there are several ({', '.join(names)})")


def _checked_levels(levels: Iterable[int]) -> tuple[int, ...]:
    given = list(levels)
    for level in given:
        if isinstance(level, bool) or not isinstance(level, int | np.integer) or not 0 <= level <= _MOST_UNITS:
            raise UsageError(f"levels: must be whole numbers from 0 to {_MOST_UNITS:,}, got {level}")
    if not given:
        raise UsageError("levels: must hold at least one level, got none")
    return tuple(sorted({int(level) for level in given}))


def _replaced(scenario: Scenario, function: str) -> list[str]:
    """What the levels take the place of."""
    notes = []
    if scenario.functions[function].autoscaling is not None:
        notes.append(f"Each level is constant: autoscaling of {function} is left out.")
    if any(
        name == function and changed.provisioned_concurrency is not None
        for change in scenario.changes
        for name, changed in (change.functions or {}).items()
    ):
        notes.append(f"Each level is constant: changes of the provisioned concurrency of {function} are left out.")
    return notes


def _on_the_free_tier(scenario: Scenario) -> list[str]:
    """Why the columns of cost do not go together where it is taken off."""
    if not scenario.pricing.free_tier:
        return []
    return [
        "The free tier is taken off each run as if nothing else came in its month, and off the month once: compare by"
        " the month."
    ]


def other_changes(scenario: Scenario, function: str) -> list[dict[str, Any]]:
    """The changes of a scenario as written, without those of the provisioned concurrency of a function."""
    kept = []
    for change in as_written(scenario).get("changes", []):
        functions = dict(change.pop("functions", None) or {})
        if function in functions:
            rest = {key: value for key, value in functions[function].items() if key != "provisioned_concurrency"}
            functions = {**functions, function: rest} if rest else {k: v for k, v in functions.items() if k != function}
        left = {**change, "functions": functions} if functions else change
        if left.keys() - {"at"}:
            kept.append(left)
    return kept
