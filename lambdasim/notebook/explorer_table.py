"""The table below the picture of ``explore``: figures of a run, and how they differ from those of other settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdasim.notebook.figures import FIGURES, REASONS, Figure, Summary
from lambdasim.report.html_table import html_block, html_paragraph, html_table
from lambdasim.scenario.overrides import value_text

_SHOWN = ("requests", "completed", "throttled", "cold_starts", "p50", "p99", "peak_concurrency", "environments", "cost")


def figures_table(settings: Mapping[str, Any], now: Summary, before: Summary | None, as_written: Summary | None) -> str:
    """What a run with these settings comes to, against the settings before and the scenario as it is written.

    Either of these is None where it is the run itself, or the other one. Refused attempts have a column for each reason
    where there is more than one.
    """
    others = {"against as written": as_written, "against before": before}
    if before is as_written and before is not None:
        others = {"against before, as written": before}
    shown = _figures([now, *(other for other in others.values() if other is not None)])
    rows = [("now", *(figure.text(figure.of(now)) for figure in shown))]
    for name, other in others.items():
        if other is not None:
            rows.append((name, *(figure.difference_text(figure.of(now), figure.of(other)) for figure in shown)))
    said = ", ".join(f"{path} = {value_text(value)}" for path, value in settings.items())
    return html_paragraph(f"Now: {said or 'as written'}") + html_table(
        rows, align="l" + "r" * len(shown), head=["", *(figure.label for figure in shown)]
    )


def _figures(summaries: Sequence[Summary]) -> list[Figure]:
    reasons = [reason for reason in REASONS if any(map(reason.of, summaries))]
    after = _SHOWN.index("throttled") + 1
    figures = [FIGURES[key] for key in _SHOWN]
    return [*figures[:after], *(reasons if len(reasons) > 1 else []), *figures[after:]]


def shown_table(table: str, *, is_stale: bool = False) -> str:
    """The HTML of the table; while other settings are simulated it is pale, and says so."""
    if not table:
        return ""
    remark = "<em>Of the settings before, until the simulation is done</em>" if is_stale else ""
    # Widgets have lines as high as buttons are.
    style = f"line-height:1.3;font-size:90%;opacity:{0.45 if is_stale else 1}"
    return html_block(f'<div aria-busy="{str(is_stale).lower()}" style="{style}">{remark}{table}</div>')
