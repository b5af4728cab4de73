"""What the printed summary says of each traffic source, and of pings among the requests."""

from __future__ import annotations

from collections.abc import Iterable

from lambdasim.metrics.run import Run
from lambdasim.metrics.sources import ping_counts, warmed_functions
from lambdasim.report.wording import count_text, counted, seconds_value, share_text, were

# Functions with a warmer of which a sentence each says how many environments it keeps warm.
_MOST_WARMED = 3

SOURCE_HEADINGS = ("", "requests", "throttled", "cold", "p50", "p99")


def source_rows(run: Run, names: Iterable[str]) -> list[tuple[str, ...]]:
    """The cells of the table, one row for each of these sources."""
    rows: list[tuple[str, ...]] = []
    for name in names:
        block = run.summary["sources"][name]
        requests, latency = block["requests"], block["latency_s"]
        rows.append(
            (
                name,
                count_text(requests["total"]),
                share_text(requests["throttled"], requests["total"]),
                share_text(block["cold_starts"], block["invocations"]),
                seconds_value(latency["p50"]),
                seconds_value(latency["p99"]),
            )
        )
    return rows


def ping_sentences(run: Run) -> list[str]:
    """How many of the requests were pings, how cold it was for everybody else, and how many environments pings keep.

    Nothing without pings.
    """
    found = ping_counts(run.scenario.traffic, run.summary.get("sources", {}))
    if found is None or not found.pings:
        return []
    pings, total = found.pings, run.summary["requests"]["total"]
    if not found.user_requests:
        return [f"All {counted(pings, 'request')} came from a warmer; nobody else sent any."]
    cold, invocations = found.user_cold_starts, found.user_invocations
    verb = "was a ping" if pings == 1 else "were pings"
    return [
        f"{count_text(pings)} of the {counted(total, 'request')} {verb} ({', '.join(found.warmers)}); without pings"
        f" {count_text(cold)} of {counted(invocations, 'invocation')} ({share_text(cold, invocations)})"
        f" {'was' if cold == 1 else 'were'} cold.",
        *(
            f"Up to {were(one.pings_at_work, 'ping')} at work in {one.name} at once, which keeps no more than"
            f" {counted(one.pings_at_work, 'environment')} warm; the others had up to"
            f" {counted(one.users_in_flight, 'request')} in flight there at once."
            for one in warmed_functions(run.log, run.scenario.traffic)[:_MOST_WARMED]
        ),
    ]
