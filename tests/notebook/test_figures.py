"""Figures that people compare and guess: how two values differ, and what is added up over queues."""

from __future__ import annotations

import pytest

import lambdasim as ls
from lambdasim.notebook.figures import FIGURES
from tests.notebook.house import house
from tests.notebook.test_display import DEAD_LETTERS


@pytest.mark.parametrize(
    ("figure", "value", "first", "text"),
    [
        ("throttled", 1_103, 0, "+1,103"),
        ("throttled", 2, 5, "−3"),
        ("throttled", 5, 5, "same"),
        ("p99", 1.5, 2.7, "−1.2s"),
        ("p99", None, 1, "–"),
        ("p99", 1, None, "–"),
        ("p99", None, None, "same"),
        ("cost", 0.0339, 0.00445, "+662%"),
        ("cost", 3, 1, "+200%"),
        ("cost", 1.9995, 1, "+100%"),
        ("cost", 1.289, 1, "+28.9%"),
        ("cost", 0.5, 1, "−50.0%"),
        ("cost", 1, 1.0005, "−0.05%"),
        ("cost", 120, 1, "+11,900%"),
        ("cost", 0, 1, "−100%"),
        ("cost", 1, 0, "+$1.00"),
    ],
)
def test_differences(figure: str, value: float | None, first: float | None, text: str) -> None:
    """In the unit of the figure; of money in percent of the first."""
    assert FIGURES[figure].difference_text(value, first) == text


@pytest.mark.filterwarnings("ignore:queues:lambdasim.ScenarioWarning")
def test_dead_letters_of_all_queues() -> None:
    """Three of one queue and six of another, in 3 s."""
    more = {"queue": "more", "invoke": "sqs", "rate": "2/s", "arrivals": "uniform"}
    parts = DEAD_LETTERS | {
        "queues": DEAD_LETTERS["queues"] | {"more": DEAD_LETTERS["queues"]["jobs"]},
        "traffic": DEAD_LETTERS["traffic"] | {"u": more},
    }
    assert FIGURES["dead_lettered"].of(ls.simulate(house(**parts)).summary) == 9
    assert FIGURES["dead_lettered"].of(ls.simulate(house()).summary) is None
