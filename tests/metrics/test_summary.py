"""summary.json against figures computed by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdasim.cost.prices import shipped_table
from lambdasim.metrics.summary import Summary
from lambdasim.report.files import summary_text
from lambdasim.scenario.load import fingerprint
from lambdasim.version import __version__
from tests.builders import trace
from tests.metrics.runs import by_hand, run_of

REASONS = (
    "account_concurrency",
    "account_rate",
    "reserved_concurrency",
    "reserved_rate",
    "scaling_request_rate",
    "scaling_rate",
    "api_gateway_rate",
)
NO_REASON = dict.fromkeys(REASONS, 0)


def items(value: Any) -> Any:
    """Mappings as lists of pairs, so that the order of keys counts in a comparison."""
    return [(key, items(item)) for key, item in value.items()] if isinstance(value, dict) else value


def approx(block: dict[str, Any]) -> dict[str, Any]:
    """Figures that are sums of floats, compared to a few parts in 10^12."""
    return {key: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value for key, value in block.items()}


class TestByHand:
    """Every key of a run that can be simulated by hand (``runs.BY_HAND``)."""

    def test_every_key_in_order(self) -> None:
        """The blocks and keys of MODEL.md section 7, in its order."""
        run = by_hand()
        whole = {
            "requests": {
                "total": 4,
                "completed": 2,
                "failed": 0,
                "throttled": 1,
                "timed_out_client": 0,
                "dropped": 0,
                "in_flight": 1,
            },
            "attempts": {
                "total": 6,
                "throttles": 3,
                "retries": 2,
                "throttles_by_reason": {**NO_REASON, "account_concurrency": 3},
            },
            "invocations": {"total": 3, "cold_starts": 2, "cold_start_ratio": 2 / 3, "errors": 0, "timeouts": 0},
            # In flight over [0, 10): 2.5 + 2 + 1 s. Littles's law takes all of the 2 s of the last one.
            "concurrency": {"quota": 1, "peak": 1, "mean": 0.55, "littles_law": 0.65},
            # Alive 8 + 1 s, of them 2 x 0.5 s initialising and 2 + 2 + 0.5 s working.
            "environments": {"created": 2, "reaped": 1, "peak": 1, "mean": 0.9, "mean_idle": 0.35},
            "latency_s": {
                "count": 2,
                "mean": 2.75,
                "p50": 2.5,
                "p90": 3.0,
                "p95": 3.0,
                "p99": 3.0,
                "p999": 3.0,
                "max": 3.0,
            },
            "init_s": {"mean": 0.5, "p50": 0.5, "p99": 0.5, "max": 0.5},
            "responses": {"200": 2, "429": 1, "none": 0},
        }
        # An eighth of a GB for 2 + 2 + 1.5 s of work and 2 x 0.5 s of init, at 0.0000166667 for a GB-second.
        cost = {
            "cost_usd": {
                "total": 0.0000141417,
                "per_million_requests": 3.535425,
                "per_month": 3.7164371175,  # 262,800 x 0.00001414169375, before it is rounded
                "request": 0.0000006,
                "compute": 0.0000114584,
                "init": 0.0000020833,
                "provisioned_busy": 0.0,
                "provisioned_idle": 0.0,
                "snapstart": 0.0,
                "ephemeral_storage": 0.0,
                "queues": 0.0,
                "api_gateway": 0.0,
                "retries": 0.0,
                "timeouts": 0.0,
            }
        }
        pricing = {
            "region": "us-east-1",
            "date": shipped_table().date,
            "free_tier": False,
            "init": "billed",
            "table": None,
            "borrowed": [],
        }
        expected = {
            "scenario": {
                "name": "test",
                "sha256": fingerprint(run.scenario.model_copy(update={"seed": 1})),
                "seed": 1,
                "profile": "2026",
                "engine": "simpy",
                "version": __version__,
                "duration_s": 10.0,
                "simulated_s": 11.0,
                "partial": False,
            },
            **whole,
            **cost,
            "pricing": pricing,
            "functions": {"f": {**whole, "concurrency": {**whole["concurrency"], "quota": None}, **cost}},
            "slo": {},
            "performance": {"wall_s": 2.0, "requests_per_s": 2.0},
        }
        assert items(run.summary) == items(expected)

    def test_longer_handlers_meet_the_interval(self) -> None:
        """Means are over [0, duration): what happens in the drain counts for the peak, not for the mean."""
        run = by_hand(rows=[0, 9], drain="1h", functions={"f": {"duration": "4s"}})
        summary = run.summary
        assert summary["scenario"]["simulated_s"] == 13.0
        assert approx(summary["concurrency"]) == {"quota": 1, "peak": 1, "mean": 0.5, "littles_law": 0.8}
        assert approx(summary["environments"]) == {
            "created": 1,
            "reaped": 0,
            "peak": 1,
            "mean": 1.0,
            "mean_idle": 0.5,
        }

    def test_littles_law_leaves_out_what_is_admitted_at_the_end_of_the_interval(self) -> None:
        """[0, duration) does not hold the duration: a retry that is accepted at 10 s counts for the peak only."""
        summary = by_hand(rows=[5, 9], drain="1h", functions={"f": {"duration": "4500ms"}}).summary
        assert summary["invocations"]["total"] == 2
        assert approx(summary["concurrency"]) == {"quota": 1, "peak": 1, "mean": 0.45, "littles_law": 0.45}


class TestWithoutData:
    """Ratios and means without data are null; counts are 0."""

    def test_no_request(self) -> None:
        """A trace without rows."""
        summary = run_of(rows=[], duration="10s").summary
        nothing = dict.fromkeys(("mean", "p50", "p99", "max"))
        assert summary["requests"] == dict.fromkeys(summary["requests"], 0)
        assert summary["attempts"] == {"total": 0, "throttles": 0, "retries": 0, "throttles_by_reason": NO_REASON}
        assert summary["invocations"]["cold_start_ratio"] is None
        assert summary["init_s"] == nothing
        assert summary["latency_s"] == {"count": 0, **nothing, "p90": None, "p95": None, "p999": None}
        assert summary["concurrency"] == {"quota": 1_000, "peak": 0, "mean": 0.0, "littles_law": 0.0}

    def test_all_refused(self) -> None:
        """Throttles alone make no invocation, and no latency."""
        summary = run_of(rows=[0, 1], functions={"f": {"reserved_concurrency": 0}}).summary
        assert summary["invocations"] == {
            "total": 0,
            "cold_starts": 0,
            "cold_start_ratio": None,
            "errors": 0,
            "timeouts": 0,
        }
        assert summary["attempts"]["throttles_by_reason"] == {**NO_REASON, "reserved_concurrency": 2}
        assert summary["functions"]["f"]["concurrency"]["quota"] == 0
        assert summary["latency_s"]["count"] == 0

    def test_is_json_without_nan(self) -> None:
        """Every reader of JSON can read it."""
        text = summary_text(run_of(rows=[], duration="10s").summary)
        assert "NaN" not in text
        assert "Infinity" not in text
        assert text.endswith("}\n")
        assert json.loads(text, parse_constant=lambda word: pytest.fail(word))["requests"]["total"] == 0


class TestFailures:
    """Errors, crashes and timeouts, as CloudWatch counts them."""

    def test_errors_include_timeouts(self) -> None:
        """One timeout and two handled errors are three errors; latency knows completed requests only."""
        functions = {
            "slow": {"duration": "5s", "timeout": "2s"},
            "bad": {"errors": {"rate": "100%"}},
            "good": {},
        }
        rows = trace([(0, None, None, "slow"), (1, None, None, "bad"), (3, None, None, "bad"), (5, None, None, "good")])
        summary = run_of(functions=functions, traffic={"t": {"function": "good", "trace": rows}}).summary
        assert (summary["invocations"]["errors"], summary["invocations"]["timeouts"]) == (3, 1)
        assert (summary["requests"]["failed"], summary["requests"]["completed"]) == (3, 1)
        assert summary["latency_s"]["count"] == 1
        by_function = {name: block["invocations"]["errors"] for name, block in summary["functions"].items()}
        assert by_function == {"slow": 1, "bad": 2, "good": 0}


class TestFunctions:
    """The blocks of the functions add up to those of the region, where they can."""

    def test_counts_add_up_and_quotas_are_reservations(self) -> None:
        """Three functions, one of them reserved and one without traffic."""
        rows = [(0, 3, None, "a"), (0, 1, None, "b"), (1, 1, None, "b"), (1.5, 1, None, "b"), (2, 1, None, "a")]
        run = run_of(
            functions={"a": {}, "b": {"reserved_concurrency": 1}, "c": {}},
            traffic={"t": {"function": "a", "trace": trace(rows)}},
        )
        functions = run.summary["functions"]
        assert list(functions) == ["a", "b", "c"]
        assert {name: block["concurrency"]["quota"] for name, block in functions.items()} == {
            "a": None,
            "b": 1,
            "c": None,
        }
        for path in (
            ("requests", "total"),
            ("attempts", "throttles"),
            ("invocations", "total"),
            ("environments", "created"),
        ):
            block, key = path
            assert run.summary[block][key] == sum(part[block][key] for part in functions.values())
        assert functions["b"]["attempts"]["throttles_by_reason"] == {**NO_REASON, "reserved_concurrency": 1}
        assert functions["a"]["concurrency"]["peak"] == 2
        assert functions["c"]["requests"]["total"] == 0
        assert all(list(block["attempts"]["throttles_by_reason"]) == list(REASONS) for block in functions.values())

    def test_a_function_reads_as_if_it_were_alone(self) -> None:
        """Its block has the figures of a run without the other, but for the quota."""
        both = run_of(
            functions={"f": {"init": "1s"}, "g": {}},
            traffic={"t": {"function": "f", "trace": trace([0, (2, None, None, "g"), 5, 5.5])}},
        )
        alone = run_of(functions={"f": {"init": "1s"}}, rows=[0, 5, 5.5])
        assert both.summary["functions"]["f"] == alone.summary["functions"]["f"]


def test_a_notebook_shows_the_summary_as_a_table() -> None:
    """One row for each figure, named by its path, with markup in names escaped."""
    html = Summary({"requests": {"total": 5}, "a<b": {"mean": None}})._repr_html_()
    assert "<tr><td>requests.total</td><td>5</td></tr>" in html
    assert "<tr><td>a&lt;b.mean</td><td></td></tr>" in html
