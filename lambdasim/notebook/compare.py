"""Variants of a scenario on the same requests: a table of figures with what changed, and overlaid pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lambdasim.api import Result, ScenarioSource, load, simulate_scenario
from lambdasim.errors import Problem, ScenarioError, UsageError
from lambdasim.extras import load_extra
from lambdasim.notebook.figures import FIGURES, REASONS, Figure, Unit
from lambdasim.notebook.interrupted import interrupted
from lambdasim.notebook.progress import watched
from lambdasim.report.html_table import html_block, html_paragraph, html_table
from lambdasim.report.wording import counted
from lambdasim.rng import fresh_seed
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.memory import check_memory
from lambdasim.workload.workload import build_workload

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


_REASON_KEYS = tuple(figure.key for figure in REASONS)

# Shown even where every variant has none: the questions that a comparison is for.
_ALWAYS = ("requests", "completed", "throttled", "cold_starts", "p50", "p99", "peak_concurrency", "cost")
# Shown where some variant has any.
_WHERE_THERE_ARE = ("failed", "timed_out_client", "dropped", "dead_lettered", "in_flight", "throttles", "environments")
_OF_QUEUES = ("dead_lettered",)
# These are left out where they say the same as the other one.
_SAY_MORE_THAN = {"throttles": "throttled", "environments": "cold_starts"}

# Times and costs that differ by less than this share are not said to differ.
_NOISE = 0.005

# Where these are further apart, a picture of latencies shows it.
_TELLING_LATENCIES = ("latency_p50_s", "latency_p90_s", "latency_p99_s")


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
        """All figures; those of queues only where a variant has any, reasons of refusals only where they occur."""
        has_queues = any(result.scenario.queues for result in self.results.values())
        figures = [figure for figure in FIGURES.values() if has_queues or figure.key not in _OF_QUEUES]
        after = 1 + next(place for place, figure in enumerate(figures) if figure.key == "throttles")
        summaries = [result.summary for result in self.results.values()]
        return [
            *figures[:after],
            *(reason for reason in REASONS if any(map(reason.of, summaries))),
            *figures[after:],
        ]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame, variants as its index; needs pandas."""
        pd = load_extra("pandas", "to_frame")
        columns = [figure.column for figure in self._figures]
        return pd.DataFrame(list(self.rows), columns=["variant", *columns]).set_index("variant")

    def plot(self, picture: str | None = None, ax: Axes | None = None) -> Axes:
        """All variants in one picture, as matplotlib Axes.

        ``throttles``: refused attempts per second; ``latency``: share of completed requests that took at most so long;
        ``concurrency``: requests in flight over time. Without a name the first of these in which the variants differ:
        ``throttles`` where another number of attempts was refused, ``latency`` where the 50th, 90th or 99th percentile
        is more than 5 % apart, else ``concurrency``. Raises UsageError for another name, or where there is no run.
        """
        from lambdasim.report.pictures.comparison import COMPARISONS

        if not self.results:
            raise UsageError("plot: there is no run to show")
        if picture is None:
            picture = self.telling_picture
        if picture not in COMPARISONS:
            raise UsageError(f"picture: must be one of {', '.join(COMPARISONS)}, got {picture!r}")
        return COMPARISONS[picture](self.results, self.heading, ax)

    @cached_property
    def telling_picture(self) -> str:
        """The picture that ``plot`` shows without a name."""
        from lambdasim.report.pictures.comparison import ALIKE

        if len({row["throttles"] for row in self.rows}) > 1:
            return "throttles"
        for column in _TELLING_LATENCIES:
            known = [row[column] for row in self.rows if row[column] is not None]
            if known and (len(known) < len(self.rows) or max(known) > ALIKE * min(known)):
                return "latency"
        return "concurrency"

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
        if partial := [name for name, result in self.results.items() if result.log.is_partial]:
            text += f"; not a whole run: {', '.join(partial)}"
        return text + ("; interrupted, the rest is missing" if self.is_partial else "")

    @cached_property
    def has_same_requests(self) -> bool:
        """Whether every variant had the same arrivals. What virtual users send depends on the answers."""
        logs = [result.log for result in self.results.values()]
        return all(
            logs[0].source_names == log.source_names
            and np.array_equal(logs[0].requests.arrival_ns, log.requests.arrival_ns)
            and np.array_equal(logs[0].requests.source, log.requests.source)
            for log in logs[1:]
        )

    def __str__(self) -> str:
        if not self.results:
            return self.heading
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
        return html_block(*_html(self))


def compare(
    variants: Mapping[str, Any], *, scenario: ScenarioSource | None = None, seed: int | None = None
) -> Comparison:
    """Run variants with the same seed, and so on the same requests (virtual users apart, who send by the answers).

    ``compare({"today": {}, "quota 3000": {"region.concurrency_quota": 3000}}, scenario="spike.yaml")``: each variant
    is a mapping of settings of ``scenario``. Without ``scenario`` each is a scenario of its own (a file, a mapping, a
    Scenario), or a Result, which is taken as it is. All variants share one seed: ``seed``, else that of ``scenario``,
    else that of the first Result, else the one that the variants have, else a new one. Every run stays in memory.

    Raises UsageError where an argument is wrong or where variants have seeds of their own, ScenarioError with the name
    of the variant where a scenario is wrong, and where all runs together would not fit in memory.
    """
    if not isinstance(variants, Mapping) or not variants:
        raise UsageError("variants: must be a mapping with at least one variant, such as {'today': {}}")
    plan = _plan(_named(variants), scenario, seed)
    _check_memory(plan)
    results: dict[str, Result] = {}
    for name, planned in plan.items():
        result = planned if isinstance(planned, Result) else _run(planned, name)
        if result.log.is_partial and not isinstance(planned, Result):
            partial = Comparison(results=results, is_partial=True)
            raise interrupted(partial, f"after {len(results)} of {counted(len(plan), 'variant')}")
        results[name] = result
    return Comparison(results=results)


def _run(scenario: Scenario, variant: str) -> Result:
    with watched(f"{scenario.name}, {variant}", scenario.duration) as (on_progress, interrupt):
        return simulate_scenario(scenario, on_progress=on_progress, interrupt=interrupt)


def _named(variants: Mapping[Any, Any]) -> dict[str, Any]:
    """The variants by their names as text. Raises UsageError for names that tables cannot show or tell apart."""
    named: dict[str, Any] = {}
    for key, variant in variants.items():
        name = str(key)
        if not name.strip() or not name.isprintable():
            raise UsageError(f"variants: a name must be one line of text and not empty, got {key!r}")
        if name in named:
            other = next(other for other in variants if str(other) == name)
            raise UsageError(f"variants: {other!r} and {key!r} read the same; give each variant a name of its own")
        named[name] = variant
    return named


def _check_memory(plan: Mapping[str, Scenario | Result]) -> None:
    """Raises ScenarioError where the runs to come do not fit in memory together."""
    workloads = [build_workload(one, one.seed or 0) for one in plan.values() if isinstance(one, Scenario)]
    if len(workloads) < 2:
        return  # one alone is checked where it runs, and a Result has its memory already
    try:
        check_memory(
            sum(workload.expected_requests() for workload in workloads),
            {invoke for workload in workloads for invoke in workload.source_invokes},
        )
    except ScenarioError as error:
        place = f"{len(workloads)} variants together"
        raise ScenarioError([replace(problem, place=place) for problem in error.problems]) from None


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
    # What ran already cannot be changed.
    in_order = sorted(loaded.values(), key=lambda one: not isinstance(one, Result))
    common = next((one for one in (seed, *(one.seed for one in in_order)) if one is not None), None)
    if common is None:
        common = fresh_seed()
    for name, one in loaded.items():
        if isinstance(one, Scenario) and one.seed not in (None, common):
            raise UsageError(_own_seed(f"{name} has seed {one.seed}", common))
    return {
        name: one if isinstance(one, Result) else one.model_copy(update={"seed": common})
        for name, one in loaded.items()
    }


def _plan_of_settings(
    variants: Mapping[str, Any], source: ScenarioSource, seed: int | None
) -> dict[str, Scenario | Result]:
    """The same, for settings of one scenario."""
    base = load(source, seed=seed)
    common = fresh_seed() if base.seed is None else base.seed
    for name, settings in variants.items():
        if not isinstance(settings, Mapping):
            raise UsageError(
                f"variants: {name} must be a mapping of settings of the scenario, got {type(settings).__name__}"
            )
        if "seed" in settings:
            raise UsageError(_own_seed(f"{name} sets seed", common))
    return {name: _loaded(name, base, common, settings) for name, settings in variants.items()}


def _own_seed(finding: str, common: int) -> str:
    """Why a variant cannot have another seed, and what to do."""
    return (
        f"variants: {finding}, but all share one; give compare(..., seed={common}), or, to compare seeds, results of"
        " simulate"
    )


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
    rows, figures = comparison.rows, comparison._figures
    reasons = [figure.key for figure in figures if figure.key in _REASON_KEYS]
    left_out = {one for one, other in _SAY_MORE_THAN.items() if all(row[one] == row[other] for row in rows)}
    if comparison.has_same_requests:
        left_out.add("requests")  # the heading has them
    if len(reasons) > 1:
        left_out.add("throttles")  # the reasons are its parts
    else:
        left_out.update(reasons)
    possible = (*_ALWAYS, *_WHERE_THERE_ARE, *reasons)
    return [
        figure
        for figure in figures
        if figure.key in possible
        and figure.key not in left_out
        and (figure.key in _ALWAYS or any(row[figure.column] for row in rows))
    ]


def _cells(comparison: Comparison, figures: list[Figure]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(name, [(value, difference to the first)]) of each variant; the first has no differences."""
    first = comparison.rows[0]
    for row in comparison.rows:
        texts = [figure.text(row[figure.column]) for figure in figures]
        changes = ["" if row is first else _change(figure, row, first) for figure in figures]
        yield row["variant"], list(zip(texts, changes, strict=True))


def _change(figure: Figure, row: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    """How a variant differs from the first: ``same`` where both read the same.

    Of times and costs nothing below half a percent: that is noise, however many requests there are.
    """
    value, other = row[figure.column], first[figure.column]
    if figure.text(value) == figure.text(other):
        return "same"
    is_measured = figure.unit != Unit.COUNT and value is not None and other is not None
    if is_measured and abs(value - other) < _NOISE * abs(other):
        return ""
    return figure.difference_text(value, other)


def _pictures_sentence(comparison: Comparison) -> str:
    """Which pictures there are, that of ``plot()`` first."""
    from lambdasim.report.pictures.comparison import COMPARISONS

    telling = comparison.telling_picture
    others = ", ".join(f'.plot("{name}")' for name in COMPARISONS if name != telling)
    return f'Pictures: .plot("{telling}"), which is what .plot() shows here; {others}'


def _html(comparison: Comparison) -> Iterator[str]:
    yield html_paragraph(comparison.heading)
    if not comparison.results:
        return
    figures = _shown(comparison)
    yield html_table(
        ((name, *cells) for name, cells in _cells(comparison, figures)),
        align="l" + "r" * len(figures),
        head=["", *(figure.label for figure in figures)],
    )
    yield html_paragraph(_pictures_sentence(comparison))
