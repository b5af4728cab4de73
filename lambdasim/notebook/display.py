"""A result as a notebook shows it: the guess if there was one, the figures that matter, the two pictures to start with.

Everything is in the HTML itself, pictures included, so that a saved notebook shows it anywhere and without network.
Printed, it is the same as text, without pictures.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from PIL import Image

from lambdasim.api import Result
from lambdasim.metrics.outcomes import Outcome
from lambdasim.notebook.figures import FIGURES, TOO_FEW_FOR_P99, drops
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.advice import first_pictures
from lambdasim.report.html_table import html_block, html_table
from lambdasim.report.pictures import PICTURES
from lambdasim.report.pictures.style import png
from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import (
    clock_text,
    count_text,
    limit_text,
    meaning_of,
    seconds_value,
    share_text,
    subtitle,
    target_texts,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours of a picture in a notebook. A third of the bytes; rare colours keep their shade, since they mean something.
_COLOURS, _METHOD = 256, Image.Quantize.MAXCOVERAGE

_GUESSED = "Your guess, and what came out"
# What an outcome means, where neither its name nor a row below says it.
_MEANING = {
    Outcome.FAILED: "an error or a timeout of the function",
    Outcome.THROTTLED: "refused, and no attempt left",
    Outcome.TIMED_OUT_CLIENT: "no answer came in time",
    Outcome.IN_FLIGHT: "a longer drain shows what becomes of them",
}

Row = tuple[str, str, str]  # name, value, remark


def result_html(result: Result) -> str:
    """The HTML of a result: heading, guess, figures, pictures."""
    lines = (f"<{tag}>{escape(text)}</{tag}>" for tag, text in _heading(result))
    parts = [f"<p>{'<br>'.join(lines)}</p>"]
    if result.prediction is not None:
        parts += [f"<p><b>{_GUESSED}</b></p>", result.prediction._repr_html_()]
    parts.append(html_table(result_rows(result), align="lrl"))
    parts += _pictures(result)
    return html_block(*parts)


def result_text(result: Result) -> str:
    """The same as text, without pictures."""
    parts = ["\n".join(text for _, text in _heading(result))]
    if result.prediction is not None:
        parts.append(f"{_GUESSED}\n{result.prediction}")
    rows = list(result_rows(result))
    names, values = (max(len(row[column]) for row in rows) for column in (0, 1))
    parts.append("\n".join(f"{name:{names}}  {value:>{values}}  {remark}".rstrip() for name, value, remark in rows))
    return "\n\n".join(parts)


def _heading(result: Result) -> Iterator[tuple[str, str]]:
    """(tag, text) of each line."""
    scenario = result.scenario
    yield "b", f"{scenario.name} (seed {result.seed}, profile {scenario.profile})"
    if below := subtitle(scenario):
        yield "i", below
    if result.log.is_partial:
        yield "b", f"Interrupted at {clock_text(result.log.end_ns)} of simulated time: all of this is partial."


def result_rows(result: Result) -> Iterator[Row]:
    """The figures that matter: what was offered, what became of it and why, starts, latency, peak, cost."""
    summary = result.summary
    requests, invocations, environments = summary["requests"], summary["invocations"], summary["environments"]
    length_s = min(summary["scenario"]["duration_s"], summary["scenario"]["simulated_s"])
    rate = f", {count_text(requests['total'] / length_s)}/s on average" if length_s else ""
    yield _row("requests", result, f"offered in {seconds_value(length_s)}{rate}")
    for outcome in Outcome:
        count = requests[outcome.key]
        if count or outcome == Outcome.COMPLETED:
            meaning = f": {_MEANING[outcome]}" if outcome in _MEANING else ""
            yield _row(outcome.key, result, share_text(count, requests["total"]) + meaning)
    yield from _refusals(result)
    yield from _drops(result)
    cold, total = invocations["cold_starts"], invocations["total"]
    yield _row("cold_starts", result, f"{share_text(cold, total)} of the invocations" if total else "")
    at_once = f"at most {count_text(environments['peak'])} at once"
    if environments["created"] > cold and "provisioned" not in summary:
        at_once += "; who waits takes the first that is free, new or not"
    yield _row("environments", result, at_once)
    latency = summary["latency_s"]
    if latency["count"]:
        yield _row("p50", result, "of the completed requests")
    if latency["count"] >= TOO_FEW_FOR_P99:
        yield _row("p99", result, f"the longest {seconds_value(latency['max'])}")
    elif latency["count"]:
        yield _row("max", result, "")
    limit, mean = limit_text(result.scenario, result.log.end_ns), summary["concurrency"]["mean"]
    yield _row("peak_concurrency", result, f"of {limit}; {count_text(mean)} on average")
    yield from _provisioned(result)
    month_usd = summary["cost_usd"]["per_month"]
    yield _row("cost", result, "" if month_usd is None else f"{money_text(month_usd)} for a month of this load")
    for name, target in summary["slo"].items():
        promised, actual = target_texts(name, target)
        yield f"promised {name}", actual, f"{'met' if target['met'] else 'missed'}: at most {promised}"


def _row(key: str, result: Result, remark: str) -> Row:
    figure = FIGURES[key]
    return figure.label, figure.text(figure.of(result.summary)), remark


def _refusals(result: Result) -> Iterator[Row]:
    """Refused attempts by reason, where there are any."""
    attempts = result.summary["attempts"]
    for reason in ThrottleReason:
        if count := attempts["throttles_by_reason"][reason.key]:
            share, meaning = share_text(count, attempts["total"]), meaning_of(reason, result.scenario)
            yield f"refused: {reason.key}", count_text(count), f"{share} of the attempts: {meaning}"


def _drops(result: Result) -> Iterator[Row]:
    """What queues and streams gave up by reason, where there is anything."""
    for drop in drops(result.summary):
        name, remark = f"dropped: {drop.reason}", drop.meaning
        if drop.reason == "dead_lettered":
            without = result.summary["queues"][drop.place]["dead_lettered_without_execution"]
            name, remark = FIGURES["dead_lettered"].label, f"{count_text(without)} of them without any execution"
        yield f"{name}, {drop.place}" if drop.place else name, count_text(drop.count), remark


def _provisioned(result: Result) -> Iterator[Row]:
    block = result.summary.get("provisioned")
    if block is None:
        return
    busy = "" if block["utilization"] is None else f"busy {share_text(block['utilization'], 1)} of the time"
    yield "provisioned", count_text(block["peak_requested"]), busy
    if spilled := block["spillovers"]:
        yield "spilled over", count_text(spilled), "invocations that ran on demand all the same"


def _pictures(result: Result) -> Iterator[str]:
    """The two to start with, side by side where there is room."""
    name = escape(result.scenario.name)
    yield '<div style="display:flex;flex-wrap:wrap;gap:8px">'
    for picture in first_pictures(result):
        figure = PICTURES[picture](result).get_figure(root=True)
        assert figure is not None
        yield f'<img alt="{picture} of {name}" src="{_inline(figure)}"'
        yield ' style="flex:1 1 640px;min-width:0;max-width:1000px;height:auto;align-self:flex-start">'
    yield "</div>"


def _inline(figure: Figure) -> str:
    """A picture as a data URI, with few colours, so that notebooks stay small."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png(figure))) as image:
        few = image.convert("RGB").quantize(_COLOURS, _METHOD, dither=Image.Dither.NONE)
        few.save(buffer, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
