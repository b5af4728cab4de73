"""The summary that the command line prints: what was offered, what became of it, why, and what to look at next."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from textwrap import fill
from typing import IO, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lambdasim.metrics.highlights import (
    MINUTE_NS,
    busiest_second,
    coldest,
    failed_restores,
    held_back_ns,
    last_throttle_ns,
    latency_rows,
    most_throttled,
    telling_period_ns,
    waited_without_cold_start,
)
from lambdasim.metrics.outcomes import Outcome
from lambdasim.metrics.provisioned_demand import demands
from lambdasim.metrics.run import Run
from lambdasim.platform.callers import client_spec
from lambdasim.platform.concurrency import AWS_REASON, ThrottleReason
from lambdasim.report.advice import (
    first_limit_sentence,
    first_pictures,
    for_nobody_sentences,
    littles_law_sentences,
    next_steps,
)
from lambdasim.report.text_cost import (
    COST_HEADINGS,
    FUNCTION_COST_HEADINGS,
    cost_rows,
    cost_sentences,
    function_cost_rows,
    total_sentence,
)
from lambdasim.report.text_provisioned import provisioned_lines, units_text
from lambdasim.report.text_sources import SOURCE_HEADINGS, ping_sentences, source_rows
from lambdasim.report.text_waiting_work import waiting_work
from lambdasim.report.wording import (
    UNAWAITED,
    change_text,
    clock_text,
    count_text,
    counted,
    meaning_of,
    only_reservation,
    seconds_value,
    share_text,
    start_word,
    status_meanings,
    subtitle,
    target_texts,
    time_text,
    were,
)
from lambdasim.scenario.changes import in_time_order
from lambdasim.scenario.front_end import TOO_MANY_REQUESTS
from lambdasim.scenario.profiles import RESTORE_LIMIT_S
from lambdasim.units import NS_PER_S

_WIDTH = 100
_MAX_ROWS = 20  # of a table of functions or sources

_BEHIND_A_FRONT_END = "the caller, or a gateway for it, stopped waiting"
_FATE = {
    Outcome.COMPLETED: "got an answer",
    Outcome.FAILED: "ended in a function error or timeout",
    Outcome.THROTTLED: "refused, and the caller gave up",
    Outcome.TIMED_OUT_CLIENT: "the caller stopped waiting",
    Outcome.DROPPED: "given up by a queue or a stream",
    Outcome.IN_FLIGHT: "not settled when the run ended",
}


class _Console(Console):
    """A console that leaves a broken pipe to its caller; rich would end the program with status 1."""

    def on_broken_pipe(self) -> None:
        """Called while the BrokenPipeError is handled."""
        raise


def print_summary(run: Run, out: IO[str], directory: Path | None) -> None:
    """Print the summary of a run; ``directory`` is where its files are, None if there are none."""
    terminal = out.isatty()
    console = _Console(file=out, highlight=False, width=None if terminal else _WIDTH)
    if terminal and console.width > _WIDTH:
        console = _Console(file=out, highlight=False, width=_WIDTH)
    _title(console, run)
    _offered(console, run)
    _changes(console, run)
    _fates(console, run)
    for heading, lines in waiting_work(run):
        _paragraphs(console, heading, lines)
    _responses(console, run)
    _throttles(console, run)
    _cold_starts(console, run)
    wanted = demands(run.log, run.scenario)
    if provisioned := provisioned_lines(run, wanted):
        _paragraphs(console, "Provisioned concurrency", provisioned)
    _latency(console, run)
    _concurrency(console, run)
    _sources(console, run)
    _functions(console, run)
    _cost(console, run)
    _promises(console, run)
    _paragraphs(console, "What to look at next", next_steps(run, wanted), bullet="· ")
    if directory is not None:
        one, other = first_pictures(run)
        _paragraphs(console, "Files", [f"{directory} (start with {one}.png and {other}.png)"])


def _title(console: Console, run: Run) -> None:
    scenario = run.summary["scenario"]
    console.print(
        Text.assemble((run.scenario.name, "bold"), (f"   seed {run.seed}, profile {scenario['profile']}", "dim"))
    )
    if below := subtitle(run.scenario):
        console.print(Text(below, style="italic"))
    if run.log.is_partial:
        stopped = clock_text(run.log.end_ns)
        console.print(
            Text(f"Interrupted at {stopped} of simulated time: everything below is partial.", style="bold red")
        )


def _offered(console: Console, run: Run) -> None:
    summary = run.summary
    total = summary["requests"]["total"]
    length, simulated = summary["scenario"]["duration_s"], summary["scenario"]["simulated_s"]
    of_all = f" (of {seconds_value(length)})" if simulated < length else ""
    lines = [f"{count_text(total)} requests in {seconds_value(min(length, simulated))}{of_all}"]
    busiest = busiest_second(run.log)
    if busiest is not None:
        interval_s = min(summary["scenario"]["duration_s"], summary["scenario"]["simulated_s"]) or 1
        second, count = busiest
        lines[0] += (
            f": {count_text(total / interval_s)}/s on average, {count_text(count)}/s in the busiest second"
            f" (at {clock_text(second * NS_PER_S)})."
        )
    retries, attempts = summary["attempts"]["retries"], summary["attempts"]["total"]
    if retries and len(run.log.batches):
        lines.append(
            f"Pollers and callers made {count_text(attempts)} attempts, a batch being one; {count_text(retries)} of"
            " them were retries."
        )
    elif retries:
        each = f", {count_text(attempts / total)} for each request" if attempts > 1.01 * total else ""
        lines.append(f"With {count_text(retries)} retries that makes {count_text(attempts)} attempts{each}.")
    if total and (last_ns := int(run.outcomes.settled_ns.max())) > run.scenario.duration + NS_PER_S // 2:
        late_ns = last_ns - int(run.log.requests.arrival_ns[-1])
        lines.append(f"The last was settled at {clock_text(last_ns)}, {time_text(late_ns)} after the last one came.")
    _paragraphs(console, "What was offered", lines)


def _changes(console: Console, run: Run) -> None:
    lines = [
        f"{clock_text(change.at)}  {change_text(change)}"
        for _, change in in_time_order(run.scenario.changes)
        if change.at <= run.log.end_ns
    ]
    if lines:
        _paragraphs(console, "What changed on the way", lines)


def _fates(console: Console, run: Run) -> None:
    requests, fate = run.summary["requests"], _FATE
    if any(source.via is not None for source in run.scenario.traffic.values()):
        fate = fate | {Outcome.TIMED_OUT_CLIENT: _BEHIND_A_FRONT_END}
    if any(source.invoke in ("sqs", "stream") for source in run.scenario.traffic.values()):
        fate = fate | {Outcome.COMPLETED: "got an answer; a message or record: processed"}
    table = _table("", "requests", "", "")
    for outcome in Outcome:
        count = requests[outcome.key]
        if count or outcome == Outcome.COMPLETED:
            table.add_row(outcome.key, count_text(count), share_text(count, requests["total"]), fate[outcome])
    _section(console, "What became of them", table)


def _responses(console: Console, run: Run) -> None:
    """The status codes behind a front end, where they say more than the outcomes."""
    if run.shown_responses is None:
        return
    seen = {status: count for status, count in run.summary["responses"].items() if count}
    meanings = status_meanings(run.scenario.traffic.values())
    table = _table("", "requests", "", "")
    for status, count in seen.items():
        share = share_text(count, run.summary["requests"]["total"])
        table.add_row(status, count_text(count), share, meanings[status])
    _section(console, "What callers saw in the end (HTTP status)", table)


def _throttles(console: Console, run: Run) -> None:
    attempts = run.summary["attempts"]
    if not attempts["throttles"]:
        _paragraphs(console, "Which limit bound first", [first_limit_sentence(run)])
        return
    table = _table("", "attempts", "", "", "")
    for reason in ThrottleReason:
        count = attempts["throttles_by_reason"][reason.key]
        if count:
            table.add_row(
                reason.key,
                count_text(count),
                share_text(count, attempts["total"]),
                meaning_of(reason, run.scenario),
            )
    _section(console, "Why attempts were throttled", table)
    seen = [reason for reason in ThrottleReason if attempts["throttles_by_reason"][reason.key]]
    by_lambda = dict.fromkeys(AWS_REASON[reason] for reason in seen if reason != ThrottleReason.API_GATEWAY_RATE)
    lines = []
    if by_lambda:
        lines.append(f"AWS would say {' or '.join(by_lambda)} (HTTP 429{_behind_front_ends(run)}).")
    if ThrottleReason.API_GATEWAY_RATE in seen:
        lines.append(f"API Gateway would say {AWS_REASON[ThrottleReason.API_GATEWAY_RATE]} (HTTP 429).")
    length_ns = _period_ns(run)
    worst = most_throttled(run.log, length_ns)
    lines.append(
        f"Worst {_period_name(length_ns)}: {clock_text(worst.start_ns)} to {clock_text(worst.start_ns + length_ns)},"
        f" {count_text(worst.throttles)} of {count_text(worst.attempts)} attempts refused"
        f" ({share_text(worst.throttles, worst.attempts)})."
    )
    last = last_throttle_ns(run.log)
    if last is not None:
        lines.append(f"The last refusal was at {clock_text(last)}.")
    _body(console, lines)
    _paragraphs(console, "Which limit bound first", [first_limit_sentence(run)])


def _behind_front_ends(run: Run) -> str:
    """What becomes of Lambda's 429 on its way to callers that do not call it directly."""
    others = {source.via.status_of_throttle for source in run.scenario.traffic.values() if source.via is not None}
    statuses = " or ".join(str(status) for status in sorted(others - {TOO_MANY_REQUESTS}))
    return f"; behind their front end callers see {statuses}" if statuses else ""


def _cold_starts(console: Console, run: Run) -> None:
    invocations, init = run.summary["invocations"], run.summary["init_s"]
    cold, total = invocations["cold_starts"], invocations["total"]
    lines = [f"{count_text(cold)} of {count_text(total)} invocations ({share_text(cold, total)})"]
    if cold:
        median, longest = seconds_value(init["p50"]), seconds_value(init["max"])
        lines[0] += f"; their {start_word(run.scenario)} took {median} (median), {longest} at most."
    else:
        lines[0] += "."
    lines += ping_sentences(run)
    freed = waited_without_cold_start(run.log)
    if freed:
        lines.append(
            f"{count_text(freed)} more waited for a new environment until another one became free: not cold, but late."
        )
        if cold and init["p50"] < init["max"]:
            lines.append(
                "Whichever environment is ready first serves whoever waits longest, so quick"
                f" {start_word(run.scenario, plural=True)} are met more often."
            )
    failed = failed_restores(run.log)
    if failed:
        lines.append(
            f"{were(failed, 'invocation')} given up after a restore of {RESTORE_LIMIT_S.value} s, without any work"
            " (SnapStartTimeoutException, HTTP 408)."
        )
    length_ns = _period_ns(run)
    worst = coldest(run.log, length_ns)
    if worst.cold_starts > 1 and run.log.end_ns > length_ns:
        lines.append(
            f"Worst {_period_name(length_ns)}: {clock_text(worst.start_ns)} to"
            f" {clock_text(worst.start_ns + length_ns)}, {counted(worst.cold_starts, 'cold start')}"
            f" ({share_text(worst.cold_starts, worst.attempts - worst.throttles)} of its invocations)."
        )
    environments = run.summary["environments"]
    lines.append(
        f"{were(environments['created'], 'environment')} started, at most {count_text(environments['peak'])} were alive"
        f" at once, and {count_text(environments['reaped'])} reaped; on average"
        f" {count_text(environments['mean_idle'])} of {count_text(environments['mean'])} were idle."
    )
    _paragraphs(console, "Cold starts", lines)


def _period_ns(run: Run) -> int:
    """The period of which the worst is named."""
    return telling_period_ns(min(run.scenario.duration, run.log.end_ns))


def _period_name(length_ns: int) -> str:
    return "minute" if length_ns == MINUTE_NS else "hour"


def _latency(console: Console, run: Run) -> None:
    rows = latency_rows(run.log, run.outcomes)
    if not any(row.count for row in rows):
        return
    table = _table("", "requests", "p50", "p95", "p99", "max")
    for row in rows:
        if row.count:
            times = (row.p50_ns, row.p95_ns, row.p99_ns, row.max_ns)
            table.add_row(row.label, count_text(row.count), *map(time_text, times))
    _section(console, _latency_heading({source.invoke for source in run.scenario.traffic.values()}), table)
    cold = next((row for row in rows if row.label == "cold" and row.count), None)
    init_s = run.summary["init_s"]["p50"]
    if cold is not None and init_s is not None and cold.p50_ns < init_s * NS_PER_S:
        word = start_word(run.scenario)
        _body(console, [f"A cold start can take less than its {word}: another request had begun that {word} before."])
    held_back = held_back_ns(run.log, [client_spec(source).limits_its_rate for source in run.scenario.traffic.values()])
    if len(held_back):
        were_held_back = f"{were(len(held_back), 'call')} held back by the rate limiter of their own client"
        _body(console, [f"{were_held_back}, for {time_text(float(held_back.mean()))} on average."])


def _latency_heading(invokes: Container[str]) -> str:
    names = [name for invoke, name in UNAWAITED.items() if invoke in invokes]
    if "sync" not in invokes and names:
        return f"From the {' or '.join(names)} to its completion"
    of_others = f" (of {' and '.join(f'{name}s' for name in names)}: until they are completed)" if names else ""
    return "Latency as the caller sees it" + of_others


def _concurrency(console: Console, run: Run) -> None:
    lines = [
        f"{_peak_text(run)}, {count_text(run.summary['concurrency']['mean'])} on average.",
        *littles_law_sentences(run),
        *for_nobody_sentences(run),
    ]
    _paragraphs(console, "Concurrency, and Little's law", lines)


def _peak_text(run: Run) -> str:
    """``Peak 78 of 1,000 (7.8% of the quota)``; of what the function has reserved, where there is only one."""
    peak, states = run.summary["concurrency"]["peak"], run.scenario.limits_in_force()
    limits = only_reservation(run.scenario, run.log.end_ns)
    kind, of_what = (" reserved", "") if limits else ("", " of the quota")
    limits = limits or list(dict.fromkeys(state.quota for state in states if state.at_ns <= run.log.end_ns))
    share = f" ({share_text(peak, limits[0])}{of_what})" if len(limits) == 1 else ""
    return f"Peak {count_text(peak)} of {', then '.join(map(count_text, limits))}{kind}{share}"


def _sources(console: Console, run: Run) -> None:
    sources = run.summary.get("sources", {})
    if len(sources) < 2:
        return
    table = _table(*SOURCE_HEADINGS)
    shown = _most_asked(sources)
    for row in source_rows(run, shown):
        table.add_row(*row)
    _section(console, "Source by source", table)
    _left_out(console, len(sources) - len(shown))


def _most_asked(blocks: Mapping[str, Any]) -> list[str]:
    """Names in file order; where there are too many for a table, those with the most requests, by their number."""
    if len(blocks) <= _MAX_ROWS:
        return list(blocks)
    return sorted(blocks, key=lambda name: -blocks[name]["requests"]["total"])[:_MAX_ROWS]


def _left_out(console: Console, count: int) -> None:
    if count:
        _body(console, [f"and {count} more in summary.json"])


def _functions(console: Console, run: Run) -> None:
    functions = run.summary["functions"]
    if len(functions) == 1 and all(block["concurrency"]["quota"] is None for block in functions.values()):
        return
    has_retries = run.summary["attempts"]["retries"] > 0
    each = ["attempts each"] if has_retries else []
    kept = ["provisioned"] if any("provisioned" in block for block in functions.values()) else []
    table = _table("", "requests", *each, "throttled", "cold", "p99", "peak", "reserved", *kept)
    shown = _most_asked(functions)
    for name in shown:
        block = functions[name]
        requests, attempts = block["requests"], block["attempts"]["total"]
        table.add_row(
            name,
            count_text(requests["total"]),
            *([count_text(attempts / requests["total"] if requests["total"] else None)] if has_retries else []),
            share_text(requests["throttled"], requests["total"]),
            share_text(block["invocations"]["cold_starts"], block["invocations"]["total"]),
            seconds_value(block["latency_s"]["p99"]),
            count_text(block["concurrency"]["peak"]),
            count_text(block["concurrency"]["quota"]),
            *([units_text(block["provisioned"]) if "provisioned" in block else "–"] if kept else []),
        )
    _section(console, "Function by function", table)
    _left_out(console, len(functions) - len(shown))


def _cost(console: Console, run: Run) -> None:
    _paragraphs(console, "What it costs", [total_sentence(run)])
    table = _table(*COST_HEADINGS)
    for row in cost_rows(run):
        table.add_row(*row)
    if table.row_count > 1:
        console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if len(run.summary["functions"]) > 1:
        _function_costs(console, run)
    _body(console, cost_sentences(run))


def _function_costs(console: Console, run: Run) -> None:
    functions = run.summary["functions"]
    table = _table(*FUNCTION_COST_HEADINGS)
    shown = _most_asked(functions)
    for row in function_cost_rows(run, shown):
        table.add_row(*row)
    console.print()
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    _left_out(console, len(functions) - len(shown))


def _promises(console: Console, run: Run) -> None:
    targets = run.summary["slo"]
    if not targets:
        return
    table = _table("", "target", "actual", "")
    for name, target in targets.items():
        verdict = Text("met") if target["met"] else Text("missed", style="bold red")
        table.add_row(name, *target_texts(name, target), verdict)
    _section(console, "What was promised", table)
    if any(target["actual"] is None for target in targets.values()):
        _body(console, ["Without data a target counts as met. Latencies are those of the completed requests."])


def _table(*headings: str) -> Table:
    """A plain table: names to the left, figures to the right, and a last column without heading for a remark."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for number, heading in enumerate(headings):
        is_figure = bool(heading) or number == 2
        table.add_column(heading, justify="right" if is_figure else "left", no_wrap=is_figure or number == 0)
    return table


def _section(console: Console, heading: str, table: Table) -> None:
    console.print()
    console.print(Text(heading, style="bold"))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def _paragraphs(console: Console, heading: str, lines: Iterable[str], bullet: str = "") -> None:
    console.print()
    console.print(Text(heading, style="bold"))
    _body(console, lines, bullet)


def _body(console: Console, lines: Iterable[str], bullet: str = "") -> None:
    """Indented paragraphs, wrapped by hand: rich would fill the lines with blanks, which copy badly."""
    indent = " " * (2 + len(bullet))
    for line in lines:
        wrapped = fill(
            line, console.width, initial_indent="  " + bullet, subsequent_indent=indent, break_on_hyphens=False
        )
        console.print(Text(wrapped), soft_wrap=True)
