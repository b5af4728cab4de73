"""A guess before the run, and the result beside it: ``predict(throttled=0, p99="1.2s")``, then ``simulate(...)``.

Guessing first makes a run memorable; so that it stays a pleasure, a wrong guess is answered kindly, and with the place
where the reason is to be seen. Which run answers a guess stands at ``predict``; how a guess is read, in ``guess``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType

from lambdasim.errors import UsageError
from lambdasim.metrics.run import Run
from lambdasim.notebook.figures import Figure, Unit
from lambdasim.notebook.guess import Guess, read_guess
from lambdasim.notebook.hints import where_to_look
from lambdasim.report.html_table import html_block, html_paragraph, html_table
from lambdasim.report.wording import share_text
from lambdasim.scenario.load import fingerprint

# Within this share of the result a guess is close; up to this factor it is not far off.
_CLOSE = 0.1
_NOT_FAR_OFF = 2.0
# A share must also be within so much of the whole.
_FEW_POINTS = 0.1
# Of fewer than this, another number is another answer: it is exact, close or wrong.
_MANY = 20
# So that a tenth is a tenth in binary too.
_ROUNDING = 1 + 1e-9

Value = float | str | EllipsisType | None


@dataclass(kw_only=True, eq=False, repr=False)
class Prediction:
    """Guesses by the name of the figure; none where all values were ``...``.

    ``check(result)`` shows them beside the result of any run.
    """

    guesses: dict[str, Guess]
    _answered_by: str | None = field(default=None, init=False)  # the fingerprint of a scenario, its seed included

    def check(self, result: Run) -> CheckedPrediction:
        """Guess and result side by side."""
        rows = tuple(_checked(guess, result) for guess in self.guesses.values())
        return CheckedPrediction(rows=rows, is_partial=result.log.is_partial)

    def answer(self, result: Run) -> CheckedPrediction | None:
        """The same for the first run that asks, and whenever its scenario is run again; None for another one."""
        asking = fingerprint(result.scenario)
        if self._answered_by is None:
            self._answered_by = asking
        return self.check(result) if asking == self._answered_by else None

    def __str__(self) -> str:
        if not self.guesses:
            return "No guess yet: put yours in place of the dots, and the result will stand beside it."
        said = ", ".join(f"{guess.figure.label} {guess.text}" for guess in self.guesses.values())
        then = "The next result shows it beside what came out." if self._answered_by is None else "It has its answer."
        return f"Your guess: {said}. {then}"

    def __repr__(self) -> str:
        return f"<Prediction {', '.join(f'{key}={guess.text}' for key, guess in self.guesses.items()) or 'of nothing'}>"

    def _repr_html_(self) -> str:
        return html_block(html_paragraph(str(self)))


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
    is_partial: bool = False  # the run was interrupted

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the run before comparing."""
        return ("The run was interrupted: these figures are of a part of it.",) if self.is_partial else ()

    def __str__(self) -> str:
        return "\n".join([*(row.sentence for row in self.rows), *self.notes])

    def __repr__(self) -> str:
        pairs = (f"{row.figure.key}: said {row.guess_text}, was {row.result_text}" for row in self.rows)
        return f"<CheckedPrediction {'; '.join(pairs)}>"

    def _repr_html_(self) -> str:
        rows = [(row.figure.label, row.guess_text, row.result_text, row.remark) for row in self.rows]
        table = html_table(rows, head=("", "you\u00a0said", "it\u00a0was", ""), align="lrrl")
        return html_block(table, *map(html_paragraph, self.notes))


def predict(
    *unnamed: object,
    throttled: Value = None,
    cold_starts: Value = None,
    p99: Value = None,
    peak_concurrency: Value = None,
    completed: Value = None,
    cost: Value = None,
    **others: Value,
) -> Prediction:
    """Guess before running: ``predict(throttled=0, cold_starts="5%", p99="1.2s", cost="$0.05")``.

    The guess is kept, and stands beside what came out in the first result of ``simulate`` that is shown or printed, or
    whose ``prediction`` is read; runs in between of which only a picture is looked at, and those that are interrupted,
    do not use it up. From then on it belongs to that scenario and seed: run again, they show it again, and other
    scenarios do not. A new guess takes the place of the last.

    Every guess has its name. A count is a whole number or a share such as ``"10%"`` (of the requests; of the
    invocations for ``cold_starts``, of the attempts for ``throttles`` and ``retries``, of the quota for
    ``peak_concurrency``), a time has its unit, ``cost`` is in US dollars. ``others`` are further figures by their name,
    such as ``failed``, ``throttles`` (refused attempts), ``p50`` or ``dead_lettered``. Three dots, ``throttled=...``,
    stand for a guess that is still to be made; where there are only such, nothing is kept.

    Raises UsageError where a figure is unknown or its guess cannot be read, and then keeps what it had.
    """
    global _kept
    if unnamed:
        raise UsageError('predict: every guess needs its name, such as predict(throttled=2, p99="3s")')
    named: dict[str, Value] = {
        "throttled": throttled,
        "cold_starts": cold_starts,
        "p99": p99,
        "peak_concurrency": peak_concurrency,
        "completed": completed,
        "cost": cost,
    }
    prediction = Prediction(guesses=_guesses(named | others))
    _kept = prediction if prediction.guesses else None
    return prediction


# The last guess. One for the process: there is one person at the keyboard.
_kept: Prediction | None = None


def last_prediction() -> Prediction | None:
    """The last guess, answered or not, for a run that has come to its end."""
    return _kept


def _guesses(named: Mapping[str, Value]) -> dict[str, Guess]:
    """Guesses by the name of a figure: None is none, three dots are none yet."""
    given = {name: value for name, value in named.items() if value is not None}
    if not given:
        raise UsageError("predict: must have at least one guess, for example predict(throttled=0)")
    read = {name: read_guess(name, value) for name, value in given.items()}
    return {name: guess for name, guess in read.items() if guess is not None}


def _checked(guess: Guess, run: Run) -> CheckedGuess:
    figure, said, result = guess.figure, guess.value_in(run), guess.figure.of(run.summary)
    guess_text, result_text = guess.text, figure.text(result)
    if guess.is_share:
        guess_text += f" ({figure.text(None if said is None else round(said))})"
        if result is not None and (whole := guess.whole_in(run)):
            result_text = f"{share_text(result, whole)} ({result_text})"
    return CheckedGuess(
        figure=figure,
        guess=said,
        result=result,
        guess_text=guess_text,
        result_text=result_text,
        remark=_remark(guess, said, result, run),
    )


def _remark(guess: Guess, said: float | None, result: float | None, run: Run) -> str:
    if said is None or result is None:
        return "This run has no such figure, so nobody was wrong."
    whole = guess.whole_in(run) if guess.is_share else None
    if said == result or _read_the_same(guess.figure, said, result, whole):
        return "Exactly."
    if abs(said - result) <= _CLOSE * result * _ROUNDING:
        return "Very close."
    look = where_to_look(guess.figure, was_low=said < result, run=run)
    return f"Not far off. {look}" if _is_not_far_off(guess.figure, said, result, whole) else look


def _read_the_same(figure: Figure, said: float, result: float, whole: float | None) -> bool:
    if whole:
        return share_text(said, whole) == share_text(result, whole)
    return figure.text(said) == figure.text(result)


def _is_not_far_off(figure: Figure, said: float, result: float, whole: float | None) -> bool:
    low, high = sorted((said, result))
    if not low or high / low > _NOT_FAR_OFF * _ROUNDING:
        return False
    if whole:
        return high - low <= _FEW_POINTS * whole * _ROUNDING
    return figure.unit != Unit.COUNT or result >= _MANY
