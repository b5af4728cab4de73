"""What a scenario offers, in words: the mean rate, the peak and the expected requests of each traffic source."""

from __future__ import annotations

from collections.abc import Sequence

from lambdasim.report.wording import clock_text, count_text, time_text
from lambdasim.scenario.arrival_laws import ArrivalLaw, GammaArrivals, MmppArrivals
from lambdasim.scenario.schema import Scenario
from lambdasim.workload.offered import OfferedSource, offered_sources, total_profile
from lambdasim.workload.rate import RateProfile

_HEADINGS = ("source", "arrivals", "mean", "peak", "at", "expected requests")


def offered_lines(scenario: Scenario, seed: int) -> list[str]:
    """A heading and a table, one line for each source and one for all rates together where there are several."""
    sources = offered_sources(scenario, seed)
    rows = [_row(one) for one in sources]
    rates = [one.profile for one in sources if not one.has_users]
    if len(rates) > 1:
        total = total_profile(rates)
        rows.append(("all rates", "", *_figures(total, "/s"), count_text(round(total.expected_requests))))
    return [f"{scenario.name}: offered in {time_text(scenario.duration)}", "", *_aligned([_HEADINGS, *rows])]


def _row(one: OfferedSource) -> tuple[str, ...]:
    if one.has_users:
        return one.name, "virtual users", *_figures(one.profile, " users"), "by the answers"
    return one.name, arrivals_text(one), *_figures(one.profile, "/s"), count_text(round(one.profile.expected_requests))


def _figures(profile: RateProfile, unit: str) -> tuple[str, str, str]:
    """Mean, peak, and when the peak is reached first."""
    peak, at_ns = profile.peak()
    return rate_text(profile.mean, unit), rate_text(peak, unit), clock_text(at_ns)


def rate_text(rate: float, unit: str = "/s") -> str:
    """A rate for people, three digits: ``0.0833/s``, ``12.5/s``, ``1,234/s``."""
    number = f"{rate:,.0f}" if rate >= 999.5 else f"{rate:.3g}"
    return number + unit


def arrivals_text(one: OfferedSource) -> str:
    """How the requests of a source come, in a word or two: recorded, as pings, or by a law of arrivals."""
    if one.has_bars:
        return "trace" if one.source.warmer is None else "warmer"
    return law_text(one.source.arrival_law)


def law_text(law: ArrivalLaw) -> str:
    """The arrivals of a source, in a word or two."""
    if isinstance(law, GammaArrivals):
        return f"gamma, cv {law.gamma.cv:g}"
    if isinstance(law, MmppArrivals):
        return f"mmpp, x{law.mmpp.ratio:g}"
    return law


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
