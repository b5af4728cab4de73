"""A guess before the run, and the result beside it: ``predict(throttled=0, p99="1.2s")``, then ``simulate(...)``.

Guessing first makes a run memorable; so that it stays a pleasure, a wrong guess is answered kindly, and with the place
where the reason is to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from html import escape
from typing import Any

from lambdasim.errors import RuleViolation, UsageError
from lambdasim.metrics.run import Run
from lambdasim.notebook.figures import FIGURES, Figure, Unit
from lambdasim.notebook.hints import where_to_look
from lambdasim.report.wording import share_text
from lambdasim.units import NS_PER_S, parse_duration, parse_ratio

# Within this share of the result a guess is close; up to this factor it is of the right order.
_CLOSE = 0.1
_RIGHT_ORDER = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """One figure as it was guessed: a value in its unit, or a share in [0, 1] of the whole that it belongs to."""

    figure: Figure
    value: float
    is_share: bool
    text: str  # as it was written

    def value_in(self, summary: Mapping[str, Any]) -> float | None:
        """The guess in the unit of the figure, for a run; None where a share is of nothing."""
        if not self.is_share:
            return self.value
        assert self.figure.whole is not None, "checked when the guess was read"
        whole = self.figure.whole(summary)
        return None if whole is None else self.value * whole


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Guesses by the name of the figure. ``check(result)`` shows them beside the result of a run."""

    guesses: dict[str, Guess]

    def check(self, result: Run) -> CheckedPrediction:
        """Guess and result side by side."""
        rows = tuple(_checked(guess, result.summary) for guess in self.guesses.values())
        return CheckedPrediction(rows=rows, is_partial=result.log.is_partial)

    def __str__(self) -> str:
        said = ", ".join(f"{guess.figure.label} {guess.text}" for guess in self.guesses.values())
        return f"Your guess: {said}. It is kept for the next run."

    def __repr__(self) -> str:
        return f"<Prediction {', '.join(f'{key}={guess.text}' for key, guess in self.guesses.items())}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedGuess:
    """A guess beside the result, both in the unit of the figure; None where there is no data."""

    figure: Figure
    guess: float | None
    result: float | None
    guess_text: str
    result_text: str
    remark: str

    @property
    def sentence(self) -> str:
        """``Throttled: you said 0, it was 1,103. ...``"""
        label = self.figure.label
        name = label if label[1].isdigit() else label[0].upper() + label[1:]  # p99 is no P99
        return f"{name}: you said {self.guess_text}, it was {self.result_text}. {self.remark}"


@dataclass(frozen=True, kw_only=True)
class CheckedPrediction:
    """Every guess beside its result, in the order in which they were made."""

    rows: tuple[CheckedGuess, ...]
    is_partial: bool = field(default=False)  # the run was interrupted

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the run before comparing."""
        return ("The run was interrupted: these figures are of a part of it.",) if self.is_partial else ()

    def __str__(self) -> str:
        return "\n".join([*(row.sentence for row in self.rows), *self.notes])

    def __repr__(self) -> str:
        return f"<CheckedPrediction {'; '.join(_pair(row) for row in self.rows)}>"

    def _repr_html_(self) -> str:
        return "".join(_html(self))


def _pair(row: CheckedGuess) -> str:
    return f"{row.figure.key}: said {row.guess_text}, was {row.result_text}"


def _html(checked: CheckedPrediction) -> Iterator[str]:
    yield "<table><thead><tr><th></th><th>you said</th><th>it was</th><th></th></tr></thead><tbody>"
    for row in checked.rows:
        cells = (row.guess_text, row.result_text)
        yield f"<tr><th>{escape(row.figure.label)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        yield f'<td style="text-align:left">{escape(row.remark)}</td></tr>'
    yield "</tbody></table>"
    yield from (f"<p>{escape(note)}</p>" for note in checked.notes)


def predict(
    throttled: float | str | None = None,
    cold_starts: float | str | None = None,
    p99: float | str | None = None,
    peak_concurrency: float | str | None = None,
    completed: float | str | None = None,
    cost: float | str | None = None,
    **others: float | str | None,
) -> Prediction:
    """Guess before running: ``predict(throttled=0, cold_starts="5%", p99="1.2s", cost="$0.05")``.

    The guess is kept, and the result of the next ``simulate`` shows it beside what came out. A count is a number or a
    share such as ``"10%"`` (of the requests; of the invocations for ``cold_starts``, of the quota for
    ``peak_concurrency``), a time has its unit, ``cost`` is in US dollars. ``others`` are further figures by their name,
    such as ``failed``, ``throttles`` (refused attempts), ``p50`` or ``dead_lettered``. A new guess takes the place of
    one that no run has answered.

    Raises UsageError where a figure is unknown or its guess cannot be read, and then keeps what it had.
    """
    global _kept
    named = {
        "throttled": throttled,
        "cold_starts": cold_starts,
        "p99": p99,
        "peak_concurrency": peak_concurrency,
        "completed": completed,
        "cost": cost,
    }
    _kept = read_prediction(named | others)
    return _kept


# The guess that the next run answers. One for the process: there is one person at the keyboard.
_kept: Prediction | None = None


def take_prediction() -> Prediction | None:
    """The guess that was kept, for the run that has come to its end; from then on there is none."""
    global _kept
    taken, _kept = _kept, None
    return taken


def read_prediction(named: Mapping[str, float | str | None]) -> Prediction:
    """Guesses by the name of a figure; None is no guess. Raises UsageError."""
    guesses = {name: _guess(name, value) for name, value in named.items() if value is not None}
    if not guesses:
        raise UsageError("predict: must have at least one guess, for example predict(throttled=0)")
    return Prediction(guesses=guesses)


def _guess(name: str, value: object) -> Guess:
    figure = FIGURES.get(name)
    if figure is None:
        near = get_close_matches(name, FIGURES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(FIGURES)}"
        raise UsageError(f"{name}: is not a figure that can be guessed ({hint})")
    try:
        if isinstance(value, str) and value.strip().endswith("%"):
            if figure.whole is None:
                raise RuleViolation(f"must not be a share, since {figure.label} is no part of a whole", "")
            return Guess(figure=figure, value=parse_ratio(value), is_share=True, text=value.strip())
        number = _value(figure, value)
        text = value.strip() if isinstance(value, str) else figure.text(number)
        return Guess(figure=figure, value=number, is_share=False, text=text)
    except RuleViolation as violation:
        hint = f" ({violation.hint})" if violation.hint else ""
        raise UsageError(f"{name}: {violation.rule}, got {value}{hint}") from None


def _value(figure: Figure, value: object) -> float:
    match figure.unit:
        case Unit.SECONDS:
            return parse_duration(value) / NS_PER_S
        case Unit.DOLLARS:
            return _number(value, "a sum in US dollars", '0.05 or "$0.05"')
        case Unit.COUNT:
            example = '1200 or "1,200"' + (', or a share such as "10%"' if figure.whole else "")
            return _number(value, "a number", example)


def _number(value: object, what: str, example: str) -> float:
    """A number of at least 0; texts may have a dollar sign and commas between thousands."""
    text = value.strip().removeprefix("$").replace(",", "") if isinstance(value, str) else value
    try:
        number = float("nan") if isinstance(text, bool) else float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 <= number < float("inf"):
        raise RuleViolation(f"must be {what} of at least 0", f"for example {example}")
    return number


def _checked(guess: Guess, summary: Mapping[str, Any]) -> CheckedGuess:
    figure, said, result = guess.figure, guess.value_in(summary), guess.figure.of(summary)
    guess_text, result_text = guess.text, figure.text(result)
    if guess.is_share and figure.whole is not None:
        whole = figure.whole(summary)
        guess_text += f" ({figure.text(None if said is None else round(said))})"
        if result is not None and whole:
            result_text = f"{share_text(result, whole)} ({result_text})"
    return CheckedGuess(
        figure=figure,
        guess=said,
        result=result,
        guess_text=guess_text,
        result_text=result_text,
        remark=_remark(guess, said, result, summary),
    )


def _remark(guess: Guess, said: float | None, result: float | None, summary: Mapping[str, Any]) -> str:
    if said is None or result is None:
        return "This run has no such figure, so nobody was wrong."
    if said == result or guess.text == guess.figure.text(result):
        return "Exactly."
    if abs(said - result) <= _CLOSE * result * (1 + 1e-9):  # 4.4 is a tenth from 4, in binary too
        return "Very close."
    low, high = sorted((said, result))
    if low and high / low <= _RIGHT_ORDER and not guess.is_share:  # half of a share is far off
        return "The right order of magnitude."
    return where_to_look(guess.figure, was_low=said < result, summary=summary)
