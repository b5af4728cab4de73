"""The widget of ``explore``: sliders, a picture and a table that follow them. Needs ipywidgets.

A move first shows what the formulas say, then simulates and shows what came out, with what was there before in grey.
"""

from __future__ import annotations

import html
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipywidgets import (
    HTML,
    Button,
    Dropdown,
    FloatSlider,
    HBox,
    Image,
    IntSlider,
    Layout,
    SelectionSlider,
    Text,
    ToggleButtons,
    VBox,
    Widget,
)

from lambdasim.api import Result, simulate_scenario
from lambdasim.errors import LambdasimError, ScenarioError, UsageError
from lambdasim.notebook.controls import Control
from lambdasim.notebook.figures import FIGURES
from lambdasim.notebook.scenario_file import write_scenario
from lambdasim.report.by_formula import ByFormula, by_formula
from lambdasim.report.wording import share_text
from lambdasim.scenario.load import load
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.workload import build_workload

# A move with more requests than this takes so long that people should know it beforehand.
_MANY_REQUESTS = 100_000
_REQUESTS_PER_S = 60_000  # about, on a laptop
_MOST_BUTTONS = 5

_SHOWN = ("requests", "completed", "throttled", "cold_starts", "p50", "p99", "peak_concurrency", "environments", "cost")
_CELL = "padding: 2px 14px 2px 0; text-align: right"


def check_picture(name: str) -> None:
    """Raises UsageError where there is no such picture."""
    from lambdasim.report.pictures import PICTURES

    if name not in PICTURES:
        raise UsageError(f"picture: must be one of {', '.join(PICTURES)}, got {name}")


class Explorer(VBox):  # type: ignore[misc]
    """Sliders on a scenario. ``settings``, ``scenario`` and ``result`` are those of the last move that ran."""

    def __init__(self, scenario: Scenario, controls: tuple[Control, ...], picture: str, base: Path) -> None:
        self._written, self._specs, self._picture, self._base = scenario, controls, picture, base
        self.scenario = scenario
        self.settings: dict[str, Any] = {}
        self.result: Result | None = None
        self._formula: ByFormula | str = ""
        self.controls: dict[str, Any] = {spec.name: _widget_of(spec) for spec in controls}
        self.image = Image(format="png", layout=Layout(max_width="100%", object_fit="contain"))
        self.table, self.status = HTML(), HTML()
        self.file_name = Text(value=f"my-{scenario.name}.yaml", description="save as", layout=Layout(width="22em"))
        self.save_button = Button(description="Save", tooltip="Write what the sliders hold as a scenario file")
        self.reset_button = Button(description="Reset", tooltip="Back to the scenario as it is written")
        self._is_resetting = False
        for widget in self.controls.values():
            widget.observe(self._moved, names="value")
        self.save_button.on_click(lambda _: self._save_clicked())
        self.reset_button.on_click(lambda _: self.reset())
        below = HBox([self.reset_button, self.file_name, self.save_button])
        super().__init__([*self.controls.values(), self.status, self.image, self.table, below])
        self._run()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the scenario with what the sliders hold; it loads and runs as it does here.

        Raises OutputError where the file cannot be written, UsageError where a file cannot hold the scenario.
        """
        write_scenario(self.scenario, Path(path), base=self._base, settings=self.settings)

    def reset(self) -> None:
        """Back to the scenario as it is written, in one run."""
        self._is_resetting = True
        try:
            for spec in self._specs:
                self.controls[spec.name].value = spec.value
        finally:
            self._is_resetting = False
        self._run()

    def _moved(self, _: Any) -> None:
        if not self._is_resetting:
            self._run()

    def _held(self) -> dict[str, Any]:
        """What the sliders hold, by path."""
        held: dict[str, Any] = {}
        for spec in self._specs:
            held |= spec.settings(self.controls[spec.name].value)
        return held

    def _run(self) -> None:
        """By formula at once, then simulated. What AWS would refuse is said, and the last picture stays."""
        settings = self._held()
        try:
            scenario = load(self._written, overrides=settings, on_warning=lambda _: None)
            before = self.result
            formula = by_formula(scenario, scenario.seed or 0)
            self._say(_announced(scenario), busy=True)
            if self._picture == "concurrency":
                self.image.value = self._concurrency(scenario, formula, None, before)
            started = time.perf_counter()
            result = simulate_scenario(scenario)
            if self._picture == "concurrency":
                self.image.value = self._concurrency(scenario, formula, result, before)
            else:
                self.image.value = _png_of(result, self._picture)
        except ScenarioError as error:
            self._say(" ".join(_without_place(problem) for problem in str(error).splitlines()), wrong=True)
            return
        self.scenario, self.settings, self.result, self._formula = scenario, settings, result, formula
        self.table.value = _table(result, before)
        self._say(f"Simulated in {time.perf_counter() - started:.2f} s. {_by_formula_sentence(formula)}")

    def _concurrency(
        self, scenario: Scenario, formula: ByFormula | str, now: Result | None, before: Result | None
    ) -> bytes:
        from lambdasim.report.pictures.explored import course_of, explored
        from lambdasim.report.pictures.style import png

        length_ns = max([scenario.duration, *(_work_until_ns(run) for run in (now, before) if run is not None)])
        quotas: list[tuple[float, int]] = []
        for state in scenario.limits_in_force():
            if not quotas or quotas[-1][1] != state.quota:
                quotas.append((state.at_ns / 1e9, state.quota))
        return png(
            explored(
                length_s=length_ns / 1e9,
                quotas=quotas,
                formula=None if isinstance(formula, str) else formula,
                now=None if now is None else course_of(now, length_ns),
                before=None if before is None else course_of(before, length_ns),
            )
        )

    def _save_clicked(self) -> None:
        try:
            self.save(self.file_name.value)
        except LambdasimError as error:
            self._say(str(error), wrong=True)
        else:
            self._say(f"Saved as {self.file_name.value}: python -m lambdasim {self.file_name.value}")

    def _say(self, text: str, *, busy: bool = False, wrong: bool = False) -> None:
        colour = "#A33B00" if wrong else "#777" if busy else "#222"
        self.status.value = f'<span style="color: {colour}">{html.escape(text)}</span>'


def _widget_of(spec: Control) -> Widget:
    """The slider, the buttons or the menu of a control."""
    how: dict[str, Any] = {
        "description": spec.name if len(spec.paths) == 1 else f"{spec.paths[0]} …",
        "tooltip": spec.name,
        "style": {"description_width": "24em"},
        "layout": Layout(width="min(100%, 56em)"),
    }
    if spec.step is not None:
        numbers = (spec.value, spec.low, spec.high, spec.step)
        kind = IntSlider if all(isinstance(number, int) for number in numbers) else FloatSlider
        how |= {"min": spec.low, "max": spec.high, "step": spec.step}
        return kind(value=spec.value, continuous_update=False, **how)
    options = [("none" if option is None else str(option), option) for option in spec.options]
    if not spec.is_choice:
        return SelectionSlider(options=options, value=spec.value, continuous_update=False, **how)
    kind = ToggleButtons if len(options) <= _MOST_BUTTONS else Dropdown
    return kind(options=options, value=spec.value, **how)


def _work_until_ns(result: Result) -> int:
    """Until when something happened: the end of the last invocation or refusal."""
    log = result.log
    return int(max(log.invocations.end_ns.max(initial=0), log.throttles.time_ns.max(initial=0)))


def _png_of(result: Result, picture: str) -> bytes:
    from lambdasim.report.pictures.style import png

    draw: Callable[[], Any] = getattr(result.plot, picture)
    return png(draw().get_figure(root=True))


def _announced(scenario: Scenario) -> str:
    expected = build_workload(scenario, scenario.seed or 0).expected_requests()
    if expected <= _MANY_REQUESTS:
        return "Simulating …"
    seconds = expected / _REQUESTS_PER_S
    return (
        f"Simulating about {expected:,.0f} requests, which takes some {seconds:,.0f} s. A shorter duration makes"
        " sliders quick."
    )


def _without_place(problem: str) -> str:
    return problem.removeprefix("--set ")


def _by_formula_sentence(formula: ByFormula | str) -> str:
    if isinstance(formula, str):
        return formula
    return (
        f"By formula, without inits, retries and scaling rate: {formula.most_wanted:,.0f} in flight at the busiest"
        f" time, {share_text(formula.refused_share, 1)} refused."
    )


def _table(now: Result, before: Result | None) -> str:
    """The figures of this move, and how they differ from those of the last."""
    figures = [FIGURES[key] for key in _SHOWN]
    values = [figure.of(now.summary) for figure in figures]
    lines = [
        ("", [figure.label for figure in figures]),
        ("now", [figure.text(value) for figure, value in zip(figures, values, strict=True)]),
    ]
    if before is not None:
        changes = [
            figure.difference_text(value, figure.of(before.summary))
            for figure, value in zip(figures, values, strict=True)
        ]
        lines.append(("change", changes))
    rows = [
        f'<tr><th style="{_CELL}">{name}</th>'
        + "".join(f'<td style="{_CELL}">{html.escape(cell)}</td>' for cell in cells)
        + "</tr>"
        for name, cells in lines
    ]
    return f'<table style="font-size: 90%; line-height: 1.25">{"".join(rows)}</table>'
