"""The summary for people says what summary.json says, and names the limit that bound."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from lambdasim.metrics.run import Run
from lambdasim.platform.concurrency import AWS_REASON, ThrottleReason
from lambdasim.report.text import print_summary
from lambdasim.report.wording import MEANING
from tests.builders import trace
from tests.metrics.runs import by_hand, run_of

# A small scenario for each reason. A refusal at 0.2 s or 0.5 s.
CAUSES: dict[ThrottleReason, dict[str, Any]] = {
    ThrottleReason.ACCOUNT_CONCURRENCY: {"rows": [0, 0.5], "region": {"concurrency_quota": 1}},
    ThrottleReason.ACCOUNT_RATE: {
        "rows": [0, 0.2],
        "region": {"concurrency_quota": 1, "requests_per_concurrency": 1},
        "functions": {"f": {"duration": "100ms"}},
    },
    ThrottleReason.RESERVED_CONCURRENCY: {"rows": [0, 0.5], "functions": {"f": {"reserved_concurrency": 1}}},
    ThrottleReason.RESERVED_RATE: {
        "rows": [0, 0.2],
        "region": {"requests_per_concurrency": 1},
        "functions": {"f": {"duration": "100ms", "reserved_concurrency": 1}},
    },
    ThrottleReason.SCALING_REQUEST_RATE: {
        "rows": [0, 0.2],
        "region": {"request_rate_ramp": {"start": "1/s", "step": "1/s"}},
        "functions": {"f": {"duration": "100ms"}},
    },
    ThrottleReason.SCALING_RATE: {"rows": [0, 0.5], "region": {"scaling": {"burst": 1, "rate": 1, "per": "10s"}}},
}


def text_of(run: Run, directory: Path | None = None) -> str:
    """The summary with its line breaks undone, so that a sentence can be looked for."""
    out = io.StringIO()
    print_summary(run, out, directory)
    return re.sub(r"\s+", " ", out.getvalue())


class TestFigures:
    """The figures of BY_HAND, each with its word."""

    def test_what_summary_json_says(self) -> None:
        """Requests, outcomes, attempts, cold starts, concurrency, environments."""
        text = text_of(by_hand())
        expected = [
            "test seed 1, profile 2026",
            "4 requests in 10s: 0.4/s on average, 1/s in the busiest second (at 0:00)",
            "With 2 retries that makes 6 attempts, 1.5 for each request",
            "completed 2 50.0%",
            "throttled 1 25.0%",
            "in_flight 1 25.0%",
            "account_concurrency 3 50.0%",
            "3 of 6 attempts refused (50.0%)",
            "account_concurrency, at 0:01, for f",
            "2 of 3 invocations (66.7%)",
            "500ms (median), 500ms at most",
            "2 environments were started, at most 1 were alive at once, and 1 reaped",
            "0.35 of 0.9 were idle",
            "cold 1 2.5s 2.5s 2.5s 2.5s",
            "retried 1 3s 3s 3s 3s",
            "Peak 1 of 1 (100% of the quota), 0.55 on average",
        ]
        assert [words for words in expected if words not in text] == []

    def test_what_was_settled_in_the_drain(self) -> None:
        """When the last request was settled, where that is after the traffic; what was not settled has no such time."""
        text = text_of(by_hand(drain="1h"))
        assert "settled at 0:11" in text
        assert "2.5s after" in text
        text = text_of(by_hand())
        assert "settled at" not in text
        assert "not settled when the run ended" in text

    def test_fits_a_narrow_terminal(self) -> None:
        """No line is longer than 100 characters, so that it can be pasted anywhere."""
        out = io.StringIO()
        print_summary(by_hand(), out, Path("out/test"))
        assert max(map(len, out.getvalue().splitlines())) <= 100

    def test_folder(self) -> None:
        """Where the files are, where there are any."""
        assert "out/test (start with" in text_of(by_hand(), Path("out/test"))
        assert "Files" not in text_of(by_hand())

    def test_functions_side_by_side(self) -> None:
        """A table with a line for each function, as soon as there are two."""
        rows = trace([0, (1, None, None, "g"), (1.5, None, None, "g")])
        run = run_of(
            functions={"f": {}, "g": {"reserved_concurrency": 1}}, traffic={"t": {"function": "f", "trace": rows}}
        )
        text = text_of(run)
        assert "g 2 50.0% 100% 1s 1 1" in text
        assert "f 1 0% 100% 1s 1 –" in text

    def test_nothing_happened(self) -> None:
        """A run without a request is described, not divided by zero."""
        text = text_of(run_of(rows=[], duration="10s"))
        assert "0 requests in 10s" in text
        assert "nan" not in text
        assert "None" not in text

    def test_description(self) -> None:
        """What the author of the scenario wants to be seen, stands at the top."""
        assert "test seed 1, profile 2026 Watch the peak" in text_of(by_hand(description="Watch the peak"))


class TestReasons:
    """Why attempts were refused, in our words and in AWS's."""

    @pytest.mark.parametrize("reason", ThrottleReason)
    def test_each_reason_is_explained(self, reason: ThrottleReason) -> None:
        """Its name, its meaning, AWS's Reason, and a next step."""
        run = run_of(**CAUSES[reason])
        assert run.summary["attempts"]["throttles_by_reason"][reason.key] == run.summary["attempts"]["throttles"] == 1
        text = text_of(run)
        for words in (f"{reason.key} 1 50.0%", MEANING[reason], AWS_REASON[reason], f"{reason.key}, at 0:00, for f"):
            assert words in text
        assert "What to look at next" in text
        assert "{" not in text.replace("{max_attempts: 4, base: 200ms, cap: 5s, jitter: full}", "")

    def test_no_refusal(self) -> None:
        """How far the nearest limit was."""
        assert "No limit was reached. The peak of 1 is 10.0% of the quota of 10." in text_of(
            run_of(rows=[0], region={"concurrency_quota": 10})
        )
