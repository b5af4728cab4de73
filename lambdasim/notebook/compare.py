"""Variants of a scenario on the same requests: a table of figures with what changed, and overlaid pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from lambdasim.api import Result, ScenarioSource, load, simulate_scenario
from lambdasim.errors import Problem, ScenarioError, UsageError
from lambdasim.notebook.figures import FIGURES, Figure
from lambdasim.notebook.progress import watched
from lambdasim.report.wording import counted
from lambdasim.rng import fresh_seed
from lambdasim.scenario.schema import Scenario

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Shown even where every variant has none: the questions that a comparison is for.
_ALWAYS = ("requests", "completed", "throttled", "cold_starts", "p50", "p99", "peak_concurrency", "cost")
# Shown where some variant has any.
_WHERE_THERE_ARE = ("failed", "timed_out_client", "dropped", "dead_lettered", "in_flight", "throttles", "environments")
_OF_QUEUES = ("dead_lettered",)
# These are left out where they say the same as the other one.
_SAY_MORE_THAN = {"throttles": "throttled", "environments": "cold_starts"}
_SHOWN = tuple(key for key in FIGURES if key in _ALWAYS or key in _WHERE_THERE_ARE)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Results of variants by name, in the order in which they were given. Differences are to the first."""

    results: dict[str, Result]
    is_partial: bool = False  # interrupted: later variants are missing

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """One dict for each variant: its name and every figure; times in seconds, None where there is no data."""
        return tuple(
            {"variant": name} | {figure.column: figure.of(result.summary) for figure in self._figures}
            for name, result in self.results.items()
        )

    @property
    def _figures(self) -> list[Figure]:
        """All figures; those of queues only where a variant has any."""
        has_queues = any(result.scenario.queues for result in self.results.values())
        return [figure for figure in FIGURES.values() if has_queues or figure.key not in _OF_QUEUES]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame, variants as its index; needs the extra ``lambdasim[data]``."""
        try:
            import pandas as pd
        except ImportError as error:
            raise UsageError("to_frame needs pandas: pip install 'lambdasim[data]'") from error
        columns = [figure.column for figure in self._figures]
        return pd.DataFrame(list(self.rows), columns=["variant", *columns]).set_index("variant")

    def plot(self, picture: str = "latency", ax: Axes | None = None) -> Axes:
        """All variants in one picture, as matplotlib Axes.

        ``latency``: share of completed requests that took at most so long; ``concurrency``: requests in flight over
        time; ``throttles``: refused attempts per second. Raises UsageError for another name.
        """
        from lambdasim.report.pictures.comparison import COMPARISONS

        if picture not in COMPARISONS:
            raise UsageError(f"picture: must be one of {', '.join(COMPARISONS)}, got {picture!r}")
        return COMPARISONS[picture](self.results, self.heading, ax)

    @property
    def heading(self) -> str:
        """What is compared, and whether the requests are the same."""
        if not self.results:
            return "Interrupted before the first variant had come to its end."
        first = next(iter(self.results.values()))
        text = f"{counted(len(self.results), 'variant')}, "
        if len(self.results) == 1:
            text = f"1 variant, {counted(len(first.log.requests), 'request')}"
        elif self.has_same_requests:
            text += f"the same {counted(len(first.log.requests), 'request')} for each"
        else:
            text += "the requests differ"
        seeds = dict.fromkeys(result.seed for result in self.results.values())
        text += f" (seed {', '.join(map(str, seeds))})"
        return text + ("; interrupted, the rest is missing" if self.is_partial else "")

    @cached_property
    def has_same_requests(self) -> bool:
        """Whether every variant had the same arrivals. What virtual users send depends on the answers."""
        first, *others = (result.log for result in self.results.values())
        return all(
            first.source_names == log.source_names
            and np.array_equal(first.requests.arrival_ns, log.requests.arrival_ns)
            and np.array_equal(first.requests.source, log.requests.source)
            for log in others
        )

    def __str__(self) -> str:
        figures = _shown(self)
        lines = [["", *(figure.label for figure in figures)]]
        for name, cells in _cells(self, figures):
            lines.append([name, *(f"{text} ({change})" if change else text for text, change in cells)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
        ]
        return "\n".join([self.heading, "", *table])

    def __repr__(self) -> str:
        return f"<Comparison {', '.join(self.results) or 'of nothing'}>"

    def _repr_html_(self) -> str:
        return "".join(_html(self))


def compare(
    variants: Mapping[str, Any], *, scenario: ScenarioSource | None = None, seed: int | None = None
) -> Comparison:
    """Run variants with the same seed, and so on the same requests (virtual users apart, who send by the answers).

    ``compare({"today": {}, "quota 3000": {"region.concurrency_quota": 3000}}, scenario="spike.yaml")``: each variant
    is a mapping of settings of ``scenario``. Without ``scenario`` each is a scenario of its own (a file, a mapping, a
    Scenario), or a Result, which is taken as it is. The seed is ``seed``, else that of ``scenario``, else the first
    that a variant has, else a new one.

    Raises UsageError where an argument is wrong, ScenarioError with the name of the variant where a scenario is.
    """
    if not isinstance(variants, Mapping) or not variants:
        raise UsageError("variants: must be a mapping with at least one variant, such as {'today': {}}")
    plan = _plan({str(name): variant for name, variant in variants.items()}, scenario, seed)
    results: dict[str, Result] = {}
    for name, planned in plan.items():
        result = planned if isinstance(planned, Result) else _run(planned, name)
        if result.log.is_partial and not isinstance(planned, Result):
            return Comparison(results=results, is_partial=True)
        results[name] = result
    return Comparison(results=results)


def _run(scenario: Scenario, variant: str) -> Result:
    with watched(f"{scenario.name}, {variant}", scenario.duration) as (on_progress, interrupt):
        return simulate_scenario(scenario, on_progress=on_progress, interrupt=interrupt)


def _plan(variants: Mapping[str, Any], source: ScenarioSource | None, seed: int | None) -> dict[str, Scenario | Result]:
    """What to run, all of it checked before anything runs, with one seed."""
    if source is not None:
        return _plan_of_settings(variants, source, seed)
    for name, variant in variants.items():
        if isinstance(variant, Mapping) and "functions" not in variant:
            raise UsageError(
                f"variants: {name} has no functions, so it is no scenario of its own; name the one that it changes:"
                " compare(..., scenario='spike.yaml')"
            )
    loaded: dict[str, Scenario | Result] = {
        name: variant if isinstance(variant, Result) else _loaded(name, variant, seed, None)
        for name, variant in variants.items()
    }
    seeds = [seed, *(one.seed for one in loaded.values())]
    common = next((one for one in seeds if one is not None), None)
    if common is None:
        common = fresh_seed()
    return {
        name: one if isinstance(one, Result) else one.model_copy(update={"seed": common})
        for name, one in loaded.items()
    }


def _plan_of_settings(
    variants: Mapping[str, Any], source: ScenarioSource, seed: int | None
) -> dict[str, Scenario | Result]:
    """The same, for settings of one scenario."""
    base = load(source, seed=seed)
    for name, settings in variants.items():
        if not isinstance(settings, Mapping):
            raise UsageError(
                f"variants: {name} must be a mapping of settings of the scenario, got {type(settings).__name__}"
            )
    common = fresh_seed() if base.seed is None else base.seed
    return {name: _loaded(name, base, common, settings) for name, settings in variants.items()}


def _loaded(name: str, source: ScenarioSource, seed: int | None, settings: Mapping[str, object] | None) -> Scenario:
    """One variant. Raises ScenarioError with its name before every problem."""
    try:
        return load(source, seed=seed, set=settings)
    except ScenarioError as error:
        raise ScenarioError(
            [
                Problem(
                    place=f"variant {name}: {problem.place}".rstrip(": "), path=problem.path, message=problem.message
                )
                for problem in error.problems
            ]
        ) from None


def _shown(comparison: Comparison) -> list[Figure]:
    """The figures of the table: the usual ones, and others where some variant has any and they say something new."""
    rows = comparison.rows
    shown = [FIGURES[key] for key in _SHOWN if key in _ALWAYS or any(row.get(FIGURES[key].column) for row in rows)]
    if not rows or comparison.has_same_requests:
        shown.remove(FIGURES["requests"])  # the heading has them
    repeated = {one for one, other in _SAY_MORE_THAN.items() if all(row[one] == row[other] for row in rows)}
    return [figure for figure in shown if figure.key not in repeated]


def _cells(comparison: Comparison, figures: list[Figure]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(name, [(value, difference to the first)]) of each variant; the first has no differences."""
    first = comparison.rows[0] if comparison.rows else {}
    for row in comparison.rows:
        yield (
            row["variant"],
            [
                (
                    figure.text(row[figure.column]),
                    "" if row is first else figure.difference_text(row[figure.column], first[figure.column]),
                )
                for figure in figures
            ],
        )


def _html(comparison: Comparison) -> Iterator[str]:
    yield f"<p>{escape(comparison.heading)}</p>"
    if not comparison.results:
        return
    figures = _shown(comparison)
    yield "<table><thead><tr><th></th>"
    yield from (f'<th style="padding:1px 8px">{escape(figure.label)}</th>' for figure in figures)
    yield "</tr></thead><tbody>"
    for name, cells in _cells(comparison, figures):
        yield f'<tr><th style="text-align:left">{escape(name)}</th>'
        for text, change in cells:
            small = f'<br><small style="opacity:0.65">{escape(change)}</small>' if change else ""
            yield f'<td style="text-align:right;vertical-align:top;padding:1px 8px">{escape(text)}{small}</td>'
        yield "</tr>"
    yield "</tbody></table>"
