"""What a run says of provisioned concurrency is explained on the page of the files."""

from __future__ import annotations

import re

from lambdasim.metrics.cloudwatch import cloudwatch_metrics
from lambdasim.metrics.tables import attempts_table, provisioned_table
from lambdasim.platform.provisioned import CapacityCause, CapacityStatus, SpilloverReason
from tests.docs.pages import code_words, text_of
from tests.metrics.runs import run_of

RUN = run_of(functions={"f": {"provisioned_concurrency": 1}}, rows=[0, 0], duration="5s")


def words_of(section: str) -> set[str]:
    """The code words of one section of files.md."""
    text = text_of("files.md").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"`([\w.]+)`", text))


def test_the_table() -> None:
    """Every column of provisioned.csv, every status and every cause."""
    words = words_of("provisioned.csv")
    assert {column.name for column in provisioned_table(RUN.log)} <= words
    assert {status.name.lower() for status in CapacityStatus} <= words
    assert {cause.key for cause in CapacityCause} <= words


def test_the_column_of_attempts() -> None:
    """It and its reasons."""
    words = words_of("attempts.csv")
    assert {column.name for column in attempts_table(RUN.log, 0, 2)} <= words
    assert {reason.key for reason in SpilloverReason} <= words


def test_the_block() -> None:
    """Every key of ``provisioned`` in summary.json."""
    assert {f"provisioned.{key}" for key in RUN.summary["provisioned"]} <= code_words("files.md")


def test_the_metrics() -> None:
    """Every metric of a function with provisioned concurrency, and every unit."""
    rows = cloudwatch_metrics(RUN.log, 10**9, RUN.scenario.limits_in_force())
    words = words_of("metrics.csv")
    assert {row.metric for row in rows} <= words
    assert {row.unit for row in rows} <= words
