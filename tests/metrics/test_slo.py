"""Targets against the figures of BY_HAND: met is actual <= target, or no data."""

from __future__ import annotations

from typing import Any

import pytest

from lambdasim.metrics.slo import missed
from lambdasim.report.wording import target_texts
from lambdasim.scenario.load import fingerprint, load
from tests.metrics.runs import by_hand, run_of
from tests.metrics.test_text_summary import text_of


def block_of(**slo: str) -> dict[str, Any]:
    """The block of BY_HAND: latencies 2.5 s and 3 s, 4 requests of which one is throttled, 2 of 3 invocations cold."""
    block: dict[str, Any] = by_hand(slo=slo).summary["slo"]
    return block


class TestBlock:
    """The block of ``summary.json``."""

    def test_without_targets_it_is_empty(self) -> None:
        """And nothing is missed."""
        assert by_hand().summary["slo"] == {}
        assert missed(by_hand().summary) == []

    @pytest.mark.parametrize(
        ("name", "target", "promised", "actual", "met"),
        [
            ("p50", "2.5s", 2.5, 2.5, True),
            ("p50", "2499999999ns", 2.499999999, 2.5, False),
            ("p90", "3s", 3.0, 3.0, True),
            ("p95", "1m", 60.0, 3.0, True),
            ("p99", "2999ms", 2.999, 3.0, False),
            ("p999", "3s", 3.0, 3.0, True),
            ("max", "2s", 2.0, 3.0, False),
            ("mean", "2750ms", 2.75, 2.75, True),
            ("mean", "2749ms", 2.749, 2.75, False),
            ("throttled", "25%", 0.25, 0.25, True),
            ("throttled", "24.9%", 0.249, 0.25, False),
            ("failed", "0%", 0.0, 0.0, True),
            ("timed_out_client", "0%", 0.0, 0.0, True),
            ("cold", "66.7%", 0.667, 2 / 3, True),
            ("cold", "66.6%", 0.666, 2 / 3, False),
        ],
    )
    def test_each_target(self, name: str, target: str, promised: float, actual: float, met: bool) -> None:
        """Seconds and ratios; on both sides of the figure, and on it."""
        assert block_of(**{name: target}) == {name: {"target": promised, "actual": actual, "met": met}}

    def test_ratios_compare_as_they_are_written(self) -> None:
        """One of a thousand is 0.1 %, not a hair more."""
        parts: dict[str, Any] = {"region": {"concurrency_quota": 1}, "functions": {"f": {"duration": "900ms"}}}
        made = run_of(rows=[0, 0.5, *range(1, 999)], slo={"throttled": "0.1%"}, **parts)
        assert (made.summary["requests"]["throttled"], made.summary["requests"]["total"]) == (1, 1_000)
        assert made.summary["slo"]["throttled"]["met"]

    def test_failures_and_callers_who_leave(self) -> None:
        """Each has its share of the requests."""
        functions = {"f": {"duration": "2s", "errors": {"rate": "100%"}}}
        failed = run_of(rows=[0, 9], functions=functions, slo={"failed": "99%"})
        assert failed.summary["slo"]["failed"] == {"target": 0.99, "actual": 1.0, "met": False}
        left = run_of(rows=[0], functions=functions, client={"timeout": "1s"}, slo={"timed_out_client": "1%"})
        assert left.summary["slo"]["timed_out_client"]["actual"] == 1.0

    def test_no_data_is_met(self) -> None:
        """As in CI: a run in which nothing happened breaks no promise."""
        block = run_of(rows=[], duration="1s", slo={"p99": "1s", "throttled": "0%", "cold": "0%"}).summary["slo"]
        assert list(block.values()) == [{"target": target, "actual": None, "met": True} for target in (1.0, 0.0, 0.0)]

    def test_order_of_the_file(self) -> None:
        """Also after the scenario was changed, or loaded again."""
        slo = {"throttled": "1%", "p99": "1s", "cold": "5%", "p50": "1s"}
        made = by_hand(slo=slo)
        assert list(made.summary["slo"]) == list(slo)
        again = load(made.scenario.replace({"name": "other"}))
        assert again.slo is not None
        assert list(again.slo.targets) == list(slo)
        assert fingerprint(load(again)) == fingerprint(again)
        assert list(by_hand(slo=again.slo).summary["slo"]) == list(slo)


class TestText:
    """What the terminal says of it."""

    def test_section(self) -> None:
        """Target, actual and verdict; nothing without targets."""
        text = text_of(by_hand(slo={"p99": "4s", "throttled": "1%", "cold": "100%"}))
        for words in ("What was promised", "p99 4s 3s met", "throttled 1.0% 25.0% missed", "cold 100% 66.7% met"):
            assert words in text
        assert "What was promised" not in text_of(by_hand())

    def test_no_data(self) -> None:
        """It says why a target without a figure is met."""
        text = text_of(run_of(rows=[], duration="1s", slo={"p99": "1s", "cold": "1%"}))
        assert "p99 1s – met cold 1.0% – met Without data a target counts as met." in text

    @pytest.mark.parametrize(
        ("name", "promised", "actual", "texts"),
        [
            ("p99", 1.0, 1.000000001, ("1.s", "1.000000001s")),
            ("p99", 0.5, 0.5004, ("0.5s", "0.5004s")),
            ("p99", 0.5, 0.6, ("500ms", "600ms")),
            ("cold", 0.01, 0.010001, ("1%", "1.0001%")),
        ],
    )
    def test_a_narrow_miss_is_seen(self, name: str, promised: float, actual: float, texts: tuple[str, str]) -> None:
        """Equal rounded figures would look like a mistake of the program."""
        assert target_texts(name, {"target": promised, "actual": actual, "met": False}) == texts
