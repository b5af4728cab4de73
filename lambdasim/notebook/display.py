"""A result as a notebook shows it: the figures that matter, the two pictures to start with, the guess if there was one.

Everything is in the HTML itself, pictures included, so that a saved notebook shows it anywhere and without network.
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
from lambdasim.platform.concurrency import ThrottleReason
from lambdasim.report.advice import first_pictures
from lambdasim.report.pictures import PICTURES
from lambdasim.report.pictures.style import png
from lambdasim.report.text_cost import money_text
from lambdasim.report.wording import MEANING, clock_text, count_text, seconds_value, share_text, target_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours of a picture in a notebook. A third of the bytes; rare colours keep their shade, since they mean something.
_COLOURS, _METHOD = 256, Image.Quantize.MAXCOVERAGE

_LEFT = "text-align:left;padding:1px 8px"
_RIGHT = "text-align:right;padding:1px 8px"

Row = tuple[str, str, str]  # name, value, remark


def result_html(result: Result) -> str:
    """The HTML of a result."""
    return "".join(_parts(result))


def _parts(result: Result) -> Iterator[str]:
    scenario = result.scenario
    yield f"<p><b>{escape(scenario.name)}</b> (seed {result.seed}, profile {escape(scenario.profile)})"
    if scenario.description:
        yield f"<br><i>{escape(scenario.description)}</i>"
    if result.log.is_partial:
        yield f"<br><b>Interrupted at {clock_text(result.log.end_ns)} of simulated time: all of this is partial.</b>"
    yield "</p><table><tbody>"
    for name, value, remark in result_rows(result):
        yield f'<tr><th style="{_LEFT}">{escape(name)}</th><td style="{_RIGHT}">{escape(value)}</td>'
        yield f'<td style="{_LEFT}">{escape(remark)}</td></tr>'
    yield '</tbody></table><div style="display:flex;flex-wrap:wrap;gap:8px">'
    for picture in first_pictures(result):
        figure = PICTURES[picture](result).get_figure(root=True)
        assert figure is not None
        yield f'<img alt="{picture} of {escape(scenario.name)}" src="{_inline(figure)}"'
        yield ' style="flex:1 1 640px;min-width:0;max-width:1000px;height:auto;align-self:flex-start">'
    yield "</div>"
    if result.prediction is not None:
        yield "<p><b>Your guess, and what came out</b></p>" + result.prediction._repr_html_()


def result_rows(result: Result) -> Iterator[Row]:
    """The figures that matter: what was offered, what became of it and why, cold starts, latency, peak, cost."""
    summary = result.summary
    requests, invocations = summary["requests"], summary["invocations"]
    length_s = min(summary["scenario"]["duration_s"], summary["scenario"]["simulated_s"])
    rate = f", {count_text(requests['total'] / length_s)}/s on average" if length_s else ""
    yield "requests", count_text(requests["total"]), f"offered in {seconds_value(length_s)}{rate}"
    for outcome in Outcome:
        count = requests[outcome.key]
        if count or outcome == Outcome.COMPLETED:
            yield outcome.key, count_text(count), share_text(count, requests["total"])
    yield from _refusals(result)
    for name, block in summary.get("queues", {}).items():
        if dead := block["messages"]["dead_lettered"]:
            without = count_text(block["dead_lettered_without_execution"])
            yield f"dead-lettered, {name}", count_text(dead), f"{without} of them without any execution"
    cold, total = invocations["cold_starts"], invocations["total"]
    yield "cold starts", count_text(cold), f"{share_text(cold, total)} of the invocations" if total else ""
    latency = summary["latency_s"]
    if latency["count"]:
        longest = f"the longest {seconds_value(latency['max'])}"
        yield "latency p50", seconds_value(latency["p50"]), "of the completed requests"
        yield "latency p99", seconds_value(latency["p99"]), longest
    concurrency = summary["concurrency"]
    quotas = dict.fromkeys(s.quota for s in result.scenario.limits_in_force() if s.at_ns <= result.log.end_ns)
    of_quota = f"of a quota of {', then '.join(map(count_text, quotas))}; {count_text(concurrency['mean'])} on average"
    yield "peak concurrency", count_text(concurrency["peak"]), of_quota
    yield from _provisioned(result)
    cost = summary["cost_usd"]
    month = "" if cost["per_month"] is None else f"{money_text(cost['per_month'])} for a month of this load"
    yield "cost", money_text(cost["total"]), month
    for name, target in summary["slo"].items():
        promised, actual = target_texts(name, target)
        yield f"promised {name}", actual, f"{'met' if target['met'] else 'missed'}: at most {promised}"


def _refusals(result: Result) -> Iterator[Row]:
    """Refused attempts by reason, where there are any."""
    attempts = result.summary["attempts"]
    for reason in ThrottleReason:
        if count := attempts["throttles_by_reason"][reason.key]:
            share = share_text(count, attempts["total"])
            yield f"refused: {reason.key}", count_text(count), f"{share} of the attempts: {MEANING[reason]}"


def _provisioned(result: Result) -> Iterator[Row]:
    block = result.summary.get("provisioned")
    if block is None:
        return
    busy = "" if block["utilization"] is None else f"busy {share_text(block['utilization'], 1)} of the time"
    yield "provisioned", count_text(block["peak_requested"]), busy
    if spilled := block["spillovers"]:
        yield "spilled over", count_text(spilled), "invocations that ran on demand all the same"


def _inline(figure: Figure) -> str:
    """A picture as a data URI, with few colours, so that notebooks stay small."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png(figure))) as image:
        few = image.convert("RGB").quantize(_COLOURS, _METHOD, dither=Image.Dither.NONE)
        few.save(buffer, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
