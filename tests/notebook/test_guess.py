"""How a guess is read: counts, shares, times and money as people write them, and a hint for the usual slips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lambdasim as ls
from lambdasim.notebook.figures import FIGURES
from lambdasim.notebook.prediction import last_prediction


@pytest.mark.parametrize(
    ("value", "guess"),
    [
        (1103, 1103),
        ("1,103", 1103),
        ("1,234,567", 1_234_567),
        (" 7 ", 7),
        (0, 0),
        (54.0, 54),
        (600 * 1.1 - 60, 600),  # which is 600.0000000000001
        (np.int64(12), 12),
    ],
)
def test_counts_are_read(value: Any, guess: float) -> None:
    """As numbers, or as people write them."""
    assert ls.predict(throttled=value).guesses["throttled"].value == guess


@pytest.mark.parametrize(("value", "guess"), [("1.2s", 1.2), ("350ms", 0.35), ("1m30s", 90), (0, 0)])
def test_times_are_read(value: Any, guess: float) -> None:
    """With their units, as in a scenario."""
    assert ls.predict(p99=value).guesses["p99"].value == guess


@pytest.mark.parametrize(("value", "guess"), [("$1,200.50", 1200.5), (0.05, 0.05), ("0.0794", 0.0794), ("$.5", 0.5)])
def test_money_is_read(value: Any, guess: float) -> None:
    """With a dollar sign or without."""
    assert ls.predict(cost=value).guesses["cost"].value == guess


COUNT = "must be a whole number of at least 0, got"
SHARE = ', or a share such as "10%"'
TIME = "must be a time such as 90s, 250ms or 5m, got"
SUM = "must be a sum in US dollars of at least 0, got"


@pytest.mark.parametrize(
    ("guesses", "message"),
    [
        ({}, "predict: must have at least one guess, for example predict(throttled=0)"),
        ({"throttled": None}, "predict: must have at least one guess, for example predict(throttled=0)"),
        ({"p99": "10%"}, "p99: must not be a share, since p99 latency is not a part of a whole, got 10%"),
        ({"throttled": "110%"}, "throttled: must be between 0% and 100%, got 110%"),
        ({"throttled": "many"}, f'throttled: {COUNT} many (for example 1200 or "1,200"{SHARE})'),
        ({"environments": -1}, f'environments: {COUNT} -1 (for example 1200 or "1,200")'),
        ({"environments": 2.5}, f'environments: {COUNT} 2.5 (for example 1200 or "1,200")'),
        ({"throttled": "$5"}, f'throttled: {COUNT} $5 (for example 1200 or "1,200"{SHARE})'),
        ({"throttled": "1,2,3"}, f'throttled: {COUNT} 1,2,3 (for example 1200 or "1,200"{SHARE})'),
        ({"cost": True}, f'cost: {SUM} True (for example 0.05 or "$0.05")'),
        ({"cost": "$"}, f'cost: {SUM} $ (for example 0.05 or "$0.05")'),
    ],
)
def test_what_cannot_be_read(guesses: dict[str, Any], message: str) -> None:
    """One sentence, and what was kept stays."""
    kept = ls.predict(completed=3)
    with pytest.raises(ls.UsageError) as raised:
        ls.predict(**guesses)
    assert str(raised.value) == message
    assert last_prediction() is kept


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        # A comma for a point, and a point for a comma.
        ("cost", "0,0794", f"{SUM} 0,0794 (write 0.0794)"),
        ("cost", "0,079", f"{SUM} 0,079 (write 0.079)"),
        ("cost", "$5,0", f"{SUM} $5,0 (write $5.0)"),
        ("throttled", "5,0", f"{COUNT} 5,0 (write 5.0)"),
        ("throttled", "3,4%", "must be a percentage such as 0.1%, got 3,4% (write 3.4%)"),
        ("max", "1,5s", f"{TIME} 1,5s (write 1.5s)"),
        ("throttled", "1.103", f"{COUNT} 1.103 (write 1103 or 1,103)"),
        ("throttled", 1.103, f"{COUNT} 1.103 (write 1103)"),
        ("throttled", 0.25, f'{COUNT} 0.25 (write "25%" if you mean a share)'),
        # The letter of an answer.
        ("cold_starts", "B", f"{COUNT} B (write the number of the answer, not its letter)"),
        ("max", "c", f"{TIME} c (write the time of the answer, not its letter)"),
        # A range.
        ("throttled", "10-20", f"{COUNT} 10-20 (one number, no range)"),
        ("throttled", "10 to 20", f"{COUNT} 10 to 20 (one number, no range)"),
        ("throttled", (10, 20), f"{COUNT} (10, 20) (one number, no range)"),
        ("max", "1s – 2s", f"{TIME} 1s – 2s (one time, no range)"),
        ("cost", "$1..$2", f"{SUM} $1..$2 (one sum, no range)"),
        # Units, and the quotes around them.
        ("p99", 1.2, 'must be a time with its unit, got 1.2 (write "1.2s" or "1.2ms", with the quotes)'),
        ("p99", "3", 'must be a time with its unit, got 3 (write "3s" or "3ms")'),
        ("max", "3 sec", f"{TIME} 3 sec (the units are ns, us, ms, s, m, h and d)"),
    ],
)
def test_slips_have_a_hint(name: str, value: Any, message: str) -> None:
    """What to write instead."""
    with pytest.raises(ls.UsageError) as raised:
        ls.predict(**{name: value})
    assert str(raised.value) == f"{name}: {message}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("throtled", "did you mean throttled?"),
        ("cold", "did you mean cold_starts?"),
        ("concurrency", "did you mean peak_concurrency?"),
        ("latency_p99_s", "did you mean p99?"),
        ("cost_usd", "did you mean cost?"),
        ("latency", "did you mean p50, p90, p95, p99, p999 or max?"),
        ("throttled_requests", "did you mean throttled?"),
        ("xyz", f"one of {', '.join(FIGURES)}"),
        ("p", f"one of {', '.join(FIGURES)}"),
    ],
)
def test_unknown_figures_have_a_hint(name: str, hint: str) -> None:
    """By the column of a data frame, by a part of the name, or by what is nearly the name."""
    for value in (3, ...):
        with pytest.raises(ls.UsageError) as raised:
            ls.predict(**{name: value})
        assert str(raised.value) == f"{name}: is not a figure that can be guessed ({hint})"


def test_every_guess_needs_its_name() -> None:
    """The first of two numbers is not what the first question asked."""
    with pytest.raises(ls.UsageError) as raised:
        ls.predict(2, "3s")
    assert str(raised.value) == 'predict: every guess needs its name, such as predict(throttled=2, p99="3s")'


@pytest.mark.parametrize(("digits", "shown"), [(400, f"1{'0' * 59}…"), (5000, "a number with thousands of digits")])
def test_numbers_beyond_all_bounds(digits: int, shown: str) -> None:
    """Too large for a float, and too long to be shown."""
    with pytest.raises(ls.UsageError) as raised:
        ls.predict(environments=10**digits)
    assert str(raised.value) == f'environments: {COUNT} {shown} (for example 1200 or "1,200")'
