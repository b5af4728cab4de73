"""One guess of one figure: how it is read, and what is said of one that cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from lambdasim.errors import RuleViolation, UsageError
from lambdasim.metrics.run import Run
from lambdasim.notebook.figures import FIGURES, Figure, Unit
from lambdasim.units import NS_PER_S, parse_duration, parse_ratio

_THOUSANDS = r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?"  # 1,103 and 1,200.50, but neither 0,079 nor 5,0
_THOUSANDS_WITH_POINTS = r"[1-9]\d{0,2}(\.\d{3})+"  # 1.103, as half of the world writes 1,103
_RANGE = r".*\d.*(?:(?<!e)-|–|\.\.|\bto\b)\s*\$?\.?\d.*"
_SHOWN = 60  # letters of what somebody wrote
_SHORTEST = 3  # letters of a part of a name that says which one is meant

# What a figure is guessed as, by its unit.
_NOUN = {Unit.COUNT: "number", Unit.SECONDS: "time", Unit.DOLLARS: "sum"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One figure as it was guessed: a value in its unit, or a share in [0, 1] of the whole that it belongs to."""

    figure: Figure
    value: float
    is_share: bool
    text: str  # as it was written

    def whole_in(self, run: Run) -> float:
        """What a share is of, in a run."""
        assert self.figure.whole is not None, "checked when the guess was read"
        return self.figure.whole(run)

    def value_in(self, run: Run) -> float | None:
        """The guess in the unit of the figure, for a run; None where a share is of nothing."""
        if not self.is_share:
            return self.value
        whole = self.whole_in(run)
        return self.value * whole if whole else None


def read_guess(name: str, value: object) -> Guess | None:
    """The guess of a figure; None for three dots. Raises UsageError."""
    figure = FIGURES.get(name)
    if figure is None:
        raise UsageError(f"{name}: is not a figure that can be guessed ({_names_meant(name)})")
    if value is ...:
        return None
    try:
        return _read(figure, value)
    except RuleViolation as violation:
        hint = _hint(figure, value, violation.hint)
        raise UsageError(f"{name}: {violation.rule}, got {_shown(value)}{f' ({hint})' if hint else ''}") from None


def _read(figure: Figure, value: object) -> Guess:
    text = value.strip() if isinstance(value, str) else None
    if text is not None and text.endswith("%"):
        if figure.whole is None:
            raise RuleViolation(f"must not be a share, since {figure.label} is not a part of a whole")
        return Guess(figure=figure, value=parse_ratio(text), is_share=True, text=text)
    number = _value(figure, value)
    return Guess(figure=figure, value=number, is_share=False, text=figure.text(number) if text is None else text)


def _value(figure: Figure, value: object) -> float:
    if figure.unit == Unit.SECONDS:
        return parse_duration(value) / NS_PER_S
    if figure.unit == Unit.DOLLARS:
        number = _number(value.strip().removeprefix("$") if isinstance(value, str) else value)
        rule, hint = "must be a sum in US dollars of at least 0", 'for example 0.05 or "$0.05"'
    else:
        number = _whole_number(value)
        share = ', or a share such as "10%"' if figure.whole else ""
        rule, hint = "must be a whole number of at least 0", f'for example 1200 or "1,200"{share}'
    if number is None:
        raise RuleViolation(rule, hint)
    return number


def _number(value: object) -> float | None:
    """A number of at least 0; a text may have commas between thousands. None where it is something else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(_THOUSANDS, value.strip()):
        value = value.replace(",", "")
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None


def _whole_number(value: object) -> float | None:
    """The same where it is whole, but for the rounding of whoever computed it."""
    number = _number(value)
    if number is None or abs(number - round(number)) > 1e-9 * number:
        return None
    return float(round(number))


def _hint(figure: Figure, value: object, usual: str) -> str:
    """What to write instead, for the usual slips; else ``usual``."""
    if isinstance(value, list | tuple | range | set):
        return f"one {_NOUN[figure.unit]}, no range"
    if isinstance(value, float) and figure.unit == Unit.COUNT:
        return _hint_of_number(figure, value) or usual
    if figure.unit == Unit.SECONDS and not isinstance(value, str):
        return _in_quotes(usual) + (", with the quotes" if usual.startswith("write ") else "")
    if not isinstance(value, str):
        return usual
    text = value.strip()
    if re.fullmatch("[A-Za-z]", text):
        return f"write the {_NOUN[figure.unit]} of the answer, not its letter"
    if figure.unit == Unit.COUNT and re.fullmatch(_THOUSANDS_WITH_POINTS, text):
        return f"write {text.replace('.', '')} or {text.replace('.', ',')}"
    if re.fullmatch(_RANGE, text):
        return f"one {_NOUN[figure.unit]}, no range"
    if text.count(",") == 1 and _is_readable(figure, point := text.replace(",", ".")):
        return f"write {point}"
    return _in_quotes(usual) if figure.unit == Unit.SECONDS else usual


def _hint_of_number(figure: Figure, number: float) -> str:
    if 0 < number < 1 and figure.whole is not None:
        return f'write "{100 * number:.6g}%" if you mean a share'
    if re.fullmatch(_THOUSANDS_WITH_POINTS, str(number)):
        return f"write {str(number).replace('.', '')}"
    return ""


def _in_quotes(hint: str) -> str:
    """Times in a hint as Python takes them."""
    return re.sub(r"\b\d[\w.]*", r'"\g<0>"', hint)


def _is_readable(figure: Figure, text: str) -> bool:
    try:
        _read(figure, text)
    except RuleViolation:
        return False
    return True


def _shown(value: object) -> str:
    try:
        text = str(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number with thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _names_meant(name: str) -> str:
    """Which figures somebody may have meant by a name that is none."""
    columns = {figure.column: key for key, figure in FIGURES.items()}
    near = [columns[name]] if name in columns else []
    if not near and len(name) >= _SHORTEST:
        near = [key for key, figure in FIGURES.items() if name in f"{key} {figure.column}"]
    near = near or [key for key in FIGURES if len(key) >= _SHORTEST and name.startswith(key)]
    near = near or get_close_matches(name, FIGURES, n=1)
    if not near:
        return f"one of {', '.join(FIGURES)}"
    *others, last = near
    return f"did you mean {' or '.join([', '.join(others), last] if others else [last])}?"
