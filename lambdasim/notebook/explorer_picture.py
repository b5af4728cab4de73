"""The picture of ``explore`` as HTML, with its words for who does not see it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from lambdasim.api import Result
from lambdasim.eventlog.log import NOT_YET
from lambdasim.metrics.run import Run
from lambdasim.report.by_formula import ByFormula
from lambdasim.scenario.overrides import value_text
from lambdasim.scenario.schema import Scenario

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BesideFormula:
    """The picture that has simulation and formula, drawn on one figure again and again."""

    def __init__(self) -> None:
        self._figure: Figure | None = None

    def html(self, scenario: Scenario, formula: ByFormula | str, now: Run | None, before: Run | None) -> str:
        """The picture of a move; ``now`` is None before anything is simulated."""
        from lambdasim.report.pictures.beside_formula import beside_formula, course_of, in_words
        from lambdasim.report.pictures.style import png

        length_ns = max([scenario.duration, *(_work_until_ns(run) for run in (now, before) if run is not None)])
        quotas: list[tuple[float, int]] = []
        for state in scenario.limits_in_force():
            if not quotas or quotas[-1][1] != state.quota:
                quotas.append((state.at_ns / 1e9, state.quota))
        parts: dict[str, Any] = {
            "quotas": quotas,
            "formula": None if isinstance(formula, str) else formula,
            "now": None if now is None else course_of(now, length_ns),
            "before": None if before is None else course_of(before, length_ns),
        }
        self._figure = beside_formula(length_s=length_ns / 1e9, figure=self._figure, **parts)
        return _img(png(self._figure), in_words(**parts))


def _work_until_ns(run: Run) -> int:
    """Until when something happened: the end of the last invocation, or of the run where one goes on, or a refusal."""
    log = run.log
    if (log.invocations.end_ns == NOT_YET).any():
        return log.end_ns
    return max(int(log.invocations.end_ns.max(initial=0)), int(log.throttles.time_ns.max(initial=0)))


def other_picture(result: Result, picture: str, settings: Mapping[str, Any]) -> str:
    """The HTML of another picture."""
    from lambdasim.report.pictures.style import png

    draw: Callable[[], Any] = getattr(result.plot, picture)
    said = ", ".join(f"{path} = {value_text(value)}" for path, value in settings.items())
    return _img(png(draw().get_figure(root=True)), f"{picture} of {result.scenario.name}, {said or 'as written'}")


def _img(picture: bytes, alt: str) -> str:
    """A picture as HTML, with room for it before it is there, so that nothing jumps."""
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))  # of the header of a PNG
    return (
        f'<img alt="{escape(alt)}" src="data:image/png;base64,{b64encode(picture).decode()}" width="{width}"'
        f' height="{height}" style="max-width: 100%; height: auto; background: white">'
    )
