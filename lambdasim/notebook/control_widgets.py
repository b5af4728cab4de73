"""How a control of ``explore`` looks: a slider, buttons or a menu. Needs ipywidgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipywidgets import (
    Dropdown,
    FloatSlider,
    IntSlider,
    Layout,
    SelectionSlider,
    ToggleButtons,
    Widget,
)
from traitlets import TraitError, validate

from lambdasim.errors import UsageError
from lambdasim.notebook.controls import AS_WRITTEN, NONE, Control, Unsaid, is_same

# Buttons as long as all of them fit in one line.
_MOST_LETTERS_ON_BUTTONS = 48
_MOST_LETTERS_OF_A_NAME = 44
_MOST_NAMED = 8  # values in a message


class _OneOf:
    """A widget over listed values, which says what they are where a program sets another one."""

    @validate("value")
    def _validate_value(self, proposal: Any) -> Any:
        try:
            return super()._validate_value(proposal)  # type: ignore[misc]
        except TraitError:
            labels = [str(label) for label, _ in self.options]  # type: ignore[attr-defined]
            some = labels if len(labels) <= _MOST_NAMED else [*labels[: _MOST_NAMED - 2], "…", labels[-1]]
            name = self.tooltip  # type: ignore[attr-defined]
            raise UsageError(f"controls {name}: must be one of {', '.join(some)}, got {proposal.value!r}") from None


class _Stops(_OneOf, SelectionSlider):  # type: ignore[misc]
    pass


class _Buttons(_OneOf, ToggleButtons):  # type: ignore[misc]
    pass


class _Menu(_OneOf, Dropdown):  # type: ignore[misc]
    pass


def widgets_of(controls: Sequence[Control]) -> dict[str, Any]:
    """A widget for each control, by its name; their names take one column."""
    letters = max((len(_shown_name(control)) for control in controls), default=0)
    return {control.name: _widget_of(control, letters) for control in controls}


def _shown_name(control: Control) -> str:
    """The path, of a long one its end, and how many others move with it."""
    name = control.paths[0]
    if len(name) > _MOST_LETTERS_OF_A_NAME:
        name = "…" + name[-_MOST_LETTERS_OF_A_NAME + 1 :]
    return name if len(control.paths) == 1 else f"{name} +{len(control.paths) - 1}"


def _widget_of(control: Control, letters: int) -> Widget:
    style = {"description_width": f"{letters * 0.62:.0f}em"}
    how: dict[str, Any] = {
        "description": _shown_name(control),
        "tooltip": control.name,
        "style": style,
        "layout": Layout(width="min(100%, 62em)"),
    }
    values = [stop.value for stop in control.stops]
    if not control.is_choice and (step := _even_step(values)) is not None:
        kind = IntSlider if all(isinstance(value, int) for value in values) else FloatSlider
        numbers = {"min": values[0], "max": values[-1], "step": step, "value": control.value}
        return kind(continuous_update=False, **numbers, **how)
    how |= {"options": _options(control), "value": control.value, "equals": _equality(values)}
    if not control.is_choice:
        return _Stops(continuous_update=False, **how)
    if sum(len(stop.label) + 3 for stop in control.stops) > _MOST_LETTERS_ON_BUTTONS:
        return _Menu(**how)
    style["button_width"] = "auto"
    return _Buttons(**how)


def _options(control: Control) -> list[tuple[str, Any]]:
    """(label, value), no label twice: widgets look for the first one that reads so."""
    options: list[tuple[str, Any]] = []
    for stop in control.stops:
        label, taken = stop.label, {other for other, _ in options}
        options.append((label if label not in taken else f"{label} ({stop.value!r})", stop.value))
    return options


def _equality(values: Sequence[Any]) -> Callable[[Any, Any], bool]:
    """Whether a value that somebody sets means an option: ``2s`` the one of 2000ms, the word none the one without."""
    words = {value for value in values if isinstance(value, str)}

    def is_chosen(option: Any, value: Any) -> bool:
        if isinstance(option, Unsaid):
            is_its_word = isinstance(value, str) and value == option.value and value not in words
            return option is value or is_its_word
        return not isinstance(value, Unsaid) and is_same(option, value)

    return is_chosen


def _even_step(values: Sequence[Any]) -> int | float | None:
    """The step of a slider of numbers that are evenly spaced; None where they are not."""
    if len(values) < 2 or any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return None
    step = values[1] - values[0]
    is_even = all(abs(value - values[0] - number * step) < 1e-9 * step for number, value in enumerate(values))
    return (step if isinstance(step, int) else float(f"{step:.12g}")) if is_even else None


def held(control: Control, widget: Any) -> Any:
    """The value that a widget holds. None, which is nothing chosen for a widget, means the one without a value."""
    if widget.value is not None:
        return widget.value
    return next((stop.value for stop in control.stops if stop.value is NONE), AS_WRITTEN)
