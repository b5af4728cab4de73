"""The widget of ``explore``: sliders, a picture and a table that follow them. Needs ipywidgets.

A move first shows what the formulas say, then simulates and shows what came out, with what was there before in grey.
Picture, table, ``settings``, ``scenario`` and ``result`` are always those of one run, the last that came to its end.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, Text, VBox

from lambdasim.api import Result, check_size, simulate_scenario
from lambdasim.engine.base import Interrupt
from lambdasim.errors import LambdasimError, RunInterrupted, ScenarioError, UsageError
from lambdasim.notebook.control_widgets import held, widgets_of
from lambdasim.notebook.controls import Control
from lambdasim.notebook.explorer_picture import BesideFormula, other_picture
from lambdasim.notebook.explorer_table import figures_table, shown_table
from lambdasim.notebook.forecast import forecast
from lambdasim.notebook.moves import Moves
from lambdasim.notebook.scenario_file import write_scenario
from lambdasim.report.by_formula import ByFormula, by_formula
from lambdasim.report.html_table import html_block
from lambdasim.report.wording import clock_text, counted, share_text
from lambdasim.scenario.load import load
from lambdasim.scenario.schema import Scenario
from lambdasim.signals import interruptible

# A run that is forecast to take longer is announced as such.
_LONG_S = 1.5
# Progress is told after so long, and so often.
_PATIENCE_S, _EVERY_S = 1.0, 0.25
# The picture that has the curve by formula.
_BESIDE_FORMULA = "concurrency"
_INTERRUPTED = "Interrupted. The sliders are back at what the picture and the table show."


def check_picture(name: object) -> None:
    """Raises UsageError where there is no such picture."""
    from lambdasim.report.pictures import PICTURES

    if not isinstance(name, str) or name not in PICTURES:
        raise UsageError(f"picture: must be one of {', '.join(PICTURES)}, got {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A run that came to its end, and what the page says of it."""

    values: dict[str, Any]  # of the sliders
    settings: dict[str, Any]
    scenario: Scenario
    result: Result
    image: str
    table: str
    sentence: str


class Explorer(VBox):  # type: ignore[misc]
    """Sliders on a scenario. ``settings``, ``scenario`` and ``result`` are those of the last run that ended."""

    def __init__(self, scenario: Scenario, controls: tuple[Control, ...], picture: str, base: Path) -> None:
        self._written, self._specs, self._picture, self._base = scenario, controls, picture, base
        self._first: _Shown | None = None
        self._last: _Shown | None = None
        self._refusal = ""  # of what the sliders hold
        self._is_setting = False
        self._moves = Moves(self._run)
        self._beside_formula = BesideFormula()
        self.controls: dict[str, Any] = widgets_of(controls)
        self.image, self.status = HTML(), HTML()
        self.table = HTML(layout=Layout(max_width="100%", overflow="auto hidden"))
        name = scenario.name if scenario.name.startswith("my-") else f"my-{scenario.name}"
        self.file_name = Text(value=f"{name}.yaml", description="save as", layout=Layout(width="22em"))
        self.save_button = Button(description="Save", tooltip="Write what the picture shows as a scenario file")
        self.reset_button = Button(description="Reset", tooltip="Back to the scenario as it is written")
        for widget in self.controls.values():
            widget.observe(self._moved, names="value")
        self.save_button.on_click(lambda _: self._save_clicked())
        self.reset_button.on_click(lambda _: self.reset())
        below = HBox([self.reset_button, self.file_name, self.save_button])
        super().__init__([*self.controls.values(), self.status, self.image, self.table, below])
        self._simulate()

    @property
    def settings(self) -> dict[str, Any]:
        """What the sliders held, by path, without those that leave the scenario as it is written."""
        return {} if self._last is None else self._last.settings

    @property
    def scenario(self) -> Scenario:
        """The scenario with these settings."""
        return self._written if self._last is None else self._last.scenario

    @property
    def result(self) -> Result | None:
        """The run of it."""
        return None if self._last is None else self._last.result

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the scenario with what the sliders hold; it loads and runs as it does here.

        A file that is there already is kept unless ``overwrite`` says so; what was saved here before, in this session,
        is written again. Raises OutputError where the file cannot be written, UsageError where a file cannot hold the
        scenario, or where what the sliders hold was refused.
        """
        if self._refusal:
            raise UsageError(f"{path}: not saved, as what the sliders hold is refused: {self._refusal}")
        write_scenario(self.scenario, Path(path), base=self._base, settings=self.settings, overwrite=overwrite)

    def reset(self) -> None:
        """Back to the scenario as it is written, in one run."""
        self._put({spec.name: spec.value for spec in self._specs})
        self._moves.request()

    def _moved(self, _: Any) -> None:
        if not self._is_setting:
            self._moves.request()

    def _put(self, values: dict[str, Any]) -> None:
        """Move sliders without a run."""
        self._is_setting = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._is_setting = False

    def _run(self, is_by_hand: bool) -> None:
        """Simulate what the sliders hold. A program is interrupted as well; what a hand started has none around it."""
        try:
            self._simulate()
        except RunInterrupted:
            if not is_by_hand:
                raise

    def _simulate(self) -> None:
        """By formula at once, then simulated. What cannot be run is said, and the page stays that of the last run.

        Raises RunInterrupted where it was interrupted, and, as long as there is no run, what was refused.
        """
        try:
            values, settings = self._held()
            warnings: list[str] = []
            scenario = load(self._written, overrides=settings, on_warning=warnings.append)
            check_size(scenario)
            with _stoppable() as stop:
                shown = self._show(values, settings, scenario, stop)
                if stop is not None and stop.requested:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            if self._last is None:
                raise RunInterrupted("Interrupted before there was anything to show.") from None
            self._put(self._last.values)
            self._go_back(_INTERRUPTED, refusal="")
            raise RunInterrupted(_INTERRUPTED) from None
        except LambdasimError as error:
            refusal = _in_words(error)
            self._go_back(f"Refused: {refusal}", refusal=refusal)
            if self._last is None:
                raise
        except Exception as error:
            refusal = f"{type(error).__name__}: {error}"
            self._go_back(f"Failed: {refusal}", refusal=refusal)
            raise
        else:
            self._refusal = ""
            self._first, self._last = self._first or shown, shown
            self.image.value, self.table.value = shown.image, shown_table(shown.table)
            self._say(" ".join([shown.sentence, *(f"Warning: {text}." for text in warnings)]))

    def _held(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the sliders hold, by name, and what that sets, by path."""
        values = {spec.name: held(spec, self.controls[spec.name]) for spec in self._specs}
        settings: dict[str, Any] = {}
        for spec in self._specs:
            settings |= spec.settings(values[spec.name])
        return values, settings

    def _show(
        self, values: dict[str, Any], settings: dict[str, Any], scenario: Scenario, stop: Interrupt | None
    ) -> _Shown:
        """The run of these settings. Meanwhile the picture is that of the formula, and the table is pale."""
        before, first = self.result, self._first
        formula = by_formula(scenario, scenario.seed or 0)
        self.table.value = shown_table("" if self._last is None else self._last.table, is_stale=True)
        self._say(_announced(scenario, formula), is_busy=True)
        has_formula = self._picture == _BESIDE_FORMULA
        if has_formula and not isinstance(formula, str):
            self.image.value = self._beside_formula.html(scenario, formula, None, before)
        started = time.perf_counter()
        result = simulate_scenario(scenario, on_progress=self._teller(scenario), interrupt=stop)
        sentences = [f"Simulated in {time.perf_counter() - started:.2f} s."]
        if has_formula:
            sentences.append(_formula_sentence(formula))
            image = self._beside_formula.html(scenario, formula, result, before)
        else:
            image = other_picture(result, self._picture, settings)
        return _Shown(
            values=values,
            settings=settings,
            scenario=scenario,
            result=result,
            image=image,
            table=figures_table(
                settings,
                result.summary,
                None if before is None else before.summary,
                None if first is None or first.settings == settings else first.result.summary,
            ),
            sentence=" ".join(sentences),
        )

    def _teller(self, scenario: Scenario) -> Callable[[int, int], None]:
        """Tells how far a run is that takes long."""
        next_s = time.monotonic() + _PATIENCE_S

        def tell(now_ns: int, requests: int) -> None:
            nonlocal next_s
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + _EVERY_S
                far = f"{clock_text(now_ns)} of {clock_text(scenario.duration)}, {counted(requests, 'request')}"
                self._say(f"Simulating: {far}. Interrupt goes back to what was there before.", is_busy=True)

        return tell

    def _go_back(self, sentence: str, *, refusal: str) -> None:
        """The page as it was after the last run, and why."""
        self._refusal = refusal
        if self._last is not None:
            self.image.value, self.table.value = self._last.image, shown_table(self._last.table)
        self._say(sentence, is_wrong=True)

    def _save_clicked(self) -> None:
        name = self.file_name.value
        try:
            self.save(name)
        except LambdasimError as error:
            self._say(_in_words(error), is_wrong=True)
        else:
            self._say(f"Saved what the picture shows as {name}. In a terminal: python -m lambdasim {name}")

    def _say(self, text: str, *, is_busy: bool = False, is_wrong: bool = False) -> None:
        """A sentence above the picture, in the colour of the theme; screen readers say it as well."""
        marked = "border-left: 4px solid #C7522A; padding-left: 8px; " if is_wrong else ""
        how = f"{marked}line-height: 1.4; opacity: {0.7 if is_busy else 1}"
        role = "alert" if is_wrong else "status"
        self.status.value = html_block(f'<div role="{role}" style="{how}">{escape(text)}</div>')


@contextmanager
def _stoppable() -> Iterator[Interrupt | None]:
    """What ends a run early where somebody interrupts it; only the main thread can know."""
    if threading.current_thread() is threading.main_thread():
        with interruptible() as stop:
            yield stop
    else:
        yield None


def _in_words(error: LambdasimError) -> str:
    """What is wrong, each problem with its path, without the word for a setting that nobody wrote."""
    if not isinstance(error, ScenarioError):
        return str(error)
    return " ".join(
        f"{problem.path or problem.place.rpartition(' ')[2]}: {problem.message}".removeprefix(": ")
        for problem in error.problems
    )


def _announced(scenario: Scenario, formula: ByFormula | str) -> str:
    expected = forecast(scenario, formula)
    if expected.seconds <= _LONG_S:
        return "Simulating …"
    what = counted(round(expected.attempts), "attempt")
    return (
        f"Simulating about {what}, which takes some {expected.seconds:,.0f} s. A shorter duration makes sliders quick."
    )


def _formula_sentence(formula: ByFormula | str) -> str:
    if isinstance(formula, str):
        return formula
    wanted = f"{formula.most_wanted:,.0f} in flight at the busiest time"
    if formula.refused_share is None:
        return f"By formula, without inits: {wanted}. What is refused has no formula here: {formula.unknown}."
    refused = f"{share_text(formula.refused_share, 1)} refused"
    return f"By formula, without inits, scaling rate and retries: {wanted}, {refused}."
