"""What the summary for people says of money."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.metrics.run import Run
from lambdasim.report.text_cost import cost_rows, cost_sentences, function_cost_rows, money_text, total_sentence
from tests.behaviour.capacity_timeline import ONE_A_SECOND, to
from tests.metrics.runs import run_of
from tests.metrics.test_text_summary import text_of


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "–"),
        (0, "$0"),
        (12_345.6, "$12,346"),
        (9_999.49, "$9,999.49"),
        (12.345, "$12.35"),
        (1, "$1.00"),
        (0.996, "$1.00"),
        (0.5, "$0.500"),
        (0.0036130043, "$0.00361"),
        (0.0000000001, "$0.00000000"),
        (0.000000123, "$0.00000012"),
    ],
)
def test_an_amount(usd: float | None, text: str) -> None:
    """Three digits that count; cents from a dollar on."""
    assert money_text(usd) == text


def costing(function: dict[str, Any] | None = None, rows: Any = (0, 10, 20, 30), **parts: Any) -> Run:
    """A run of one function of 1 GB."""
    return run_of(rows=list(rows), functions={"f": {"memory": "1GB", **(function or {})}}, duration="100s", **parts)


def test_the_total() -> None:
    """Four seconds: 0.0000674668; 16.87 for a million; 1.77 for 26,280 times as much."""
    assert total_sentence(costing()) == (
        "$0.0000675 for this run, $16.87 for a million such requests, $1.77 for a month of this load: us-east-1,"
        " without the free tier, prices of 2026-10."
    )


def test_a_free_run() -> None:
    """No table of nothing."""
    run = costing(pricing={"free_tier": True})
    assert total_sentence(run).startswith("$0 for this run, $0 for a million")
    assert "with the free tier" in total_sentence(run)
    assert list(cost_rows(run)) == []


def test_the_parts() -> None:
    """Amounts with as many decimals as the total, so that one can add them up; parts of 0 are left out."""
    run = costing({"init": "1s", "provisioned_concurrency": 1}, rows=[0, 0])
    # 1 s provisioned, 1 s on demand and 1 s of init; 100 s of capacity, of which 1 s was busy: 0.0004601256 in all
    assert [row[:3] for row in cost_rows(run)] == [
        ("request", "<0.000001", "0.087%"),  # 0.0000004
        ("compute", "0.000026", "5.7%"),  # 0.0000097222 + 0.0000166667
        ("init", "0.000017", "3.6%"),
        ("provisioned_busy", "0.000004", "0.91%"),
        ("provisioned_idle", "0.000413", "89.7%"),  # 99 x 0.0000041667
    ]


def test_what_was_thrown_away() -> None:
    """A caller who gives up twice: all of it, half of it twice."""
    run = costing(rows=[(0, 5)], client={"timeout": "2s", "retry": {"delays": ["0s"]}})
    (sentence,) = cost_sentences(run)
    assert sentence == (
        "Thrown away: $0.0000835 (50.0%) on retries, and $0.000167 (100%) on invocations that timed out or that nobody"
        " waited for any more; a retry that did so is in both."
    )


def test_capacity_that_does_not_pay() -> None:
    """Busy for 1 s of 100 s."""
    (sentence,) = cost_sentences(costing({"provisioned_concurrency": 1}, rows=[0]))
    assert sentence == (
        "Provisioned concurrency was busy 1.0% of the time that is paid for. Below 60.0% it costs more than the same"
        " work on demand: that is the price of having no cold starts."
    )


def test_capacity_that_pays() -> None:
    """Busy for 70 s of 100 s."""
    (sentence,) = cost_sentences(costing({"provisioned_concurrency": 1, "duration": "70s"}, rows=[0]))
    assert sentence == (
        "Provisioned concurrency was busy 70.0% of the time that is paid for. From 60.0% on it costs less than the"
        " same work on demand."
    )


def test_capacity_that_spills_over_cold() -> None:
    """Of two at once the second is cold: there are fewer cold starts, not none."""
    *_, sentence = cost_sentences(costing({"provisioned_concurrency": 1}, rows=[0, 0]))
    assert sentence.endswith("that is the price of having fewer cold starts.")


def test_capacity_that_is_paid_for_before_it_is_ready() -> None:
    """Three from 10 on, ready 8 s later, one of them busy for 50 s: 50 of 270 s paid for, 50 of 246 s ready."""
    function = {"provisioned_allocation": ONE_A_SECOND, "duration": "50s"}
    run = costing(function, rows=[20], changes=[to(10, 3)])
    assert run.summary["provisioned"]["utilization"] == pytest.approx(50 / 3 / 82)
    *_, sentence = cost_sentences(run)
    assert sentence.startswith(
        "Provisioned concurrency was busy 18.5% of the time that is paid for, which begins before it is ready."
    )


def test_the_free_tier() -> None:
    """It is taken off twice, for the run and for the month."""
    (sentence,) = cost_sentences(costing(pricing={"free_tier": True}))
    assert sentence == (
        "The free tier is taken off the run as if nothing else came in its month, and off the month once: the month is"
        " no multiple of the run."
    )


def test_capacity_that_never_pays(tmp_path: Path) -> None:
    """Where its duration costs as much as that on demand."""
    (tmp_path / "p.yaml").write_text("regions: {us-east-1: {provisioned_duration: {x86_64: '0.0000166667'}}}\n")
    (tmp_path / "s.yaml").write_text(
        "duration: 10s\npricing: {table: p.yaml}\n"
        "functions: {f: {duration: 1s, init: 0s, provisioned_concurrency: 1}}\n"
        "traffic: {t: {function: f, rate: 1/s, arrivals: uniform}}\n"
    )
    run = ls.simulate(tmp_path / "s.yaml", seed=1)
    assert run.summary["provisioned_break_even"]["break_even"] is None
    assert "at these prices it never costs less than running on demand." in " ".join(cost_sentences(run))


def test_capacity_that_does_not_pay_even_when_it_is_always_busy() -> None:
    """eu-central-1: 0.0000050147 / (0.0000166667 - 0.0000117011) = 1.01 of the time."""
    run = costing({"provisioned_concurrency": 1}, region={"name": "eu-central-1"})
    assert run.summary["provisioned_break_even"]["break_even"] is None
    assert "at these prices it never costs less than running on demand." in " ".join(cost_sentences(run))


def test_prices_of_another_region() -> None:
    """Of a region without any, and of one without some."""
    assert list(cost_sentences(costing(region={"name": "mx-central-1"}))) == [
        "lambdasim has no prices of mx-central-1: these are those of us-east-1."
    ]
    assert list(cost_sentences(costing(region={"name": "eu-west1"}))) == [
        "lambdasim has no prices of eu-west1 (did you mean eu-west-1?): these are those of us-east-1."
    ]
    run = costing({"architecture": "arm64", "provisioned_concurrency": 1}, rows=[], region={"name": "eu-central-1"})
    assert list(cost_sentences(run))[-1] == (
        "lambdasim has no prices of eu-central-1 for provisioned_capacity.arm64: those of us-east-1 were taken."
        " pricing.table takes your own."
    )
    assert "Below 60.0% (by prices of us-east-1 for it) it costs more" in next(iter(cost_sentences(run)))


def test_function_by_function() -> None:
    """Each with what a million of its own requests would cost; a single one is not told from the whole."""
    run = run_of(
        rows=[(0, 1, None, "f"), (0, 3, None, "g")],
        functions={"f": {"memory": "1GB"}, "g": {"memory": "2GB"}},
        duration="100s",
    )
    # 1 GB-s at 0.0000166667 and 6 GB-s, and 0.0000002 for each request; a month has 26,280 times 100 s
    assert list(function_cost_rows(run, ["f", "g"])) == [
        ("f", "$0.0000169", "$16.87", "$0.443"),
        ("g", "$0.000100", "$100.20", "$2.63"),
    ]
    assert "this run a million requests a month f $0.0000169 $16.87 $0.443 g $0.000100" in text_of(run)
    assert "a million requests a month" not in text_of(costing())


def test_the_section_in_the_summary() -> None:
    """A heading, the total, a table of more than one part."""
    text = text_of(costing())
    assert "What it costs $0.0000675 for this run, $16.87" in text
    assert "compute 0.0000667 98.8% memory x time of the handlers" in text
    assert "for each invocation" not in text_of(costing(rows=[]))
