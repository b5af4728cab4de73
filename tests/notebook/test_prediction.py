"""``predict``: the guess is kept for the next run, and shown beside what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.engine.base import Interrupt
from lambdasim.notebook.figures import FIGURES
from lambdasim.notebook.prediction import take_prediction
from lambdasim.units import NS_PER_S
from tests.notebook.house import COST, house


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """No guess of one test is answered in another."""
    take_prediction()
    yield
    take_prediction()


def test_the_next_run_answers_the_guess() -> None:
    """Guess and result side by side: 1 of 4 was refused, 2 cold starts, latencies 1, 1.5 and 1.5 s, peak 2."""
    ls.predict(throttled=0, cold_starts=2, p99="1.5s", peak_concurrency=4, completed=3)
    result = ls.simulate(house())
    assert result.prediction is not None
    sides = {row.figure.key: (row.guess, row.result) for row in result.prediction.rows}
    assert sides == {
        "throttled": (0, 1),
        "cold_starts": (2, 2),
        "p99": (1.5, 1.5),
        "peak_concurrency": (4, 2),
        "completed": (3, 3),
    }


def test_a_guess_is_answered_once() -> None:
    """The run after that has none, and so does one without a guess."""
    assert ls.simulate(house()).prediction is None
    ls.predict(throttled=0)
    assert ls.simulate(house()).prediction is not None
    assert ls.simulate(house()).prediction is None


def test_a_scenario_that_is_wrong_answers_nothing() -> None:
    """The guess waits for the next run that comes to its end."""
    ls.predict(throttled=1)
    with pytest.raises(ls.ScenarioError):
        ls.simulate(house(), set={"region.concurrency_quota": -1})
    prediction = ls.simulate(house()).prediction
    assert prediction is not None
    assert str(prediction) == "Throttled: you said 1, it was 1. Exactly."


def test_comparisons_leave_the_guess_alone() -> None:
    """Which of the variants would it be of?"""
    ls.predict(throttled=0)
    ls.compare({"a": {}}, scenario=house())
    assert ls.simulate(house()).prediction is not None


def test_a_new_guess_takes_the_place_of_the_last() -> None:
    """Cells are run again and again."""
    ls.predict(throttled=0)
    ls.predict(cold_starts=1)
    prediction = ls.simulate(house()).prediction
    assert prediction is not None
    assert [row.figure.key for row in prediction.rows] == ["cold_starts"]


def test_check_by_hand() -> None:
    """Any guess with any result."""
    guess = ls.predict(throttled=1)
    take_prediction()
    result = ls.simulate(house())
    assert result.prediction is None
    assert [row.result for row in guess.check(result).rows] == [1]


def test_shares_are_of_what_they_are_of() -> None:
    """Of 4 requests, 3 invocations and a quota of 2."""
    ls.predict(throttled="25%", cold_starts="10%", peak_concurrency="100%")
    prediction = ls.simulate(house()).prediction
    assert prediction is not None
    throttled, cold, peak = prediction.rows
    assert (throttled.guess, throttled.guess_text, throttled.result_text) == (1, "25% (1)", "25.0% (1)")
    assert cold.guess == pytest.approx(0.3)
    assert cold.result_text == "66.7% (2)"
    assert peak.guess == 2
    assert throttled.remark == peak.remark == "Exactly."


@pytest.mark.parametrize(
    ("value", "guess"),
    [(1103, 1103), ("1,103", 1103), (" 7 ", 7), (0, 0), (2.5, 2.5)],
)
def test_counts_are_read(value: Any, guess: float) -> None:
    """As numbers, or as people write them."""
    assert ls.predict(throttled=value).guesses["throttled"].value == guess


@pytest.mark.parametrize(("value", "guess"), [("1.2s", 1.2), ("350ms", 0.35), ("1m30s", 90), (0, 0)])
def test_times_are_read(value: Any, guess: float) -> None:
    """With their units, as in a scenario."""
    assert ls.predict(p99=value).guesses["p99"].value == guess


def test_money_is_read() -> None:
    """With a dollar sign or without."""
    assert ls.predict(cost="$1,200.50").guesses["cost"].value == 1200.5
    assert ls.predict(cost=0.05).guesses["cost"].value == 0.05


@pytest.mark.parametrize(
    ("guesses", "message"),
    [
        ({}, "predict: must have at least one guess, for example predict(throttled=0)"),
        ({"throttled": None}, "predict: must have at least one guess, for example predict(throttled=0)"),
        ({"p99": 1.2}, "p99: must be a time with its unit, got 1.2 (write 1.2s or 1.2ms)"),
        ({"p99": "10%"}, "p99: must not be a share, since p99 latency is no part of a whole, got 10%"),
        ({"throttled": "110%"}, "throttled: must be between 0% and 100%, got 110%"),
        (
            {"throttled": "many"},
            "throttled: must be a number of at least 0, got many"
            ' (for example 1200 or "1,200", or a share such as "10%")',
        ),
        (
            {"environments": -1},
            'environments: must be a number of at least 0, got -1 (for example 1200 or "1,200")',
        ),
        (
            {"cost": True},
            'cost: must be a sum in US dollars of at least 0, got True (for example 0.05 or "$0.05")',
        ),
        ({"throtled": 1}, "throtled: is not a figure that can be guessed (did you mean throttled?)"),
        (
            {"xyz": 1},
            f"xyz: is not a figure that can be guessed (one of {', '.join(FIGURES)})",
        ),
    ],
)
def test_wrong_guesses(guesses: dict[str, Any], message: str) -> None:
    """One sentence, and what was kept stays."""
    kept = ls.predict(completed=3)
    with pytest.raises(ls.UsageError) as raised:
        ls.predict(**guesses)
    assert str(raised.value) == message
    assert take_prediction() is kept


@pytest.mark.parametrize(
    ("guess", "remark"),
    [
        (4, "Exactly."),
        (40, "Worth a look: "),
        (8, "The right order of magnitude."),
        (2, "The right order of magnitude."),
        (1, "Worth a look: "),
        (0, "Worth a look: "),
        (4.4, "Very close."),
        (3.6, "Very close."),
        (4.5, "The right order of magnitude."),
    ],
)
def test_remarks_go_by_how_far_off_the_guess_was(guess: float, remark: str) -> None:
    """4 requests: within a tenth is close, within a factor of two the right order."""
    (row,) = ls.predict(requests=guess).check(ls.simulate(house())).rows
    assert row.remark.startswith(remark)


def test_half_of_a_share_is_far_off() -> None:
    """75 % were completed: all of them would be no right order of magnitude."""
    (row,) = ls.predict(completed="100%").check(ls.simulate(house())).rows
    assert row.remark.startswith("Worth a look: ")
    (row,) = ls.predict(completed="70%").check(ls.simulate(house())).rows
    assert row.remark == "Very close."


def remark_of(scenario: Any, **guess: Any) -> str:
    """What is said of a guess that was far off."""
    (row,) = ls.predict(**guess).check(ls.simulate(scenario)).rows
    return row.remark


def test_where_to_look_for_refusals() -> None:
    """The reason, in words; and when nothing was refused, how far the quota was."""
    assert remark_of(house(), throttled=0) == (
        "Worth a look: 100% of the refusals are account_concurrency: as many requests in flight as the unreserved part"
        " of the quota allows. result.plot.concurrency() marks each."
    )
    assert remark_of(house(region={"concurrency_quota": 9}), throttled=3) == (
        "Worth a look: nothing was refused, as at most 3 were in flight at once, of 9 that the quota allows."
    )


def test_throttled_requests_are_told_from_refused_attempts() -> None:
    """One attempt of two was refused, and nobody in the end."""
    patient = house(client={"retry": {"delays": ["2s"]}})
    assert remark_of(patient, throttled=1).startswith(
        "Worth a look: 1 attempt was refused, and tried again or not; 0 is how many requests had no attempt left."
    )


def test_where_to_look_for_the_others() -> None:
    """Each with figures of the run."""
    assert "so that requests at once cost one start each" in remark_of(house(), cold_starts=0)
    assert "so that 2 did for 3 invocations" in remark_of(house(), cold_starts=90)
    assert "half of the requests took at most 1.5s, 99 of 100 at most 1.5s" in remark_of(house(), p99="9s")
    # 2 x 1.5 s + 1 s in flight, over 20 s
    assert "0.2 were in flight on average, 2 at the peak" in remark_of(house(), peak_concurrency=90)
    # 3 of 4 GB-s are compute; the requests are 0.0000006 of 0.0000673 dollars
    assert f"the largest part is compute, $0.0000500 ({100 * 3 * 0.0000166667 / COST:.1f}%)" in remark_of(
        house(), cost=9
    )
    assert "result.plot.outcomes()" in remark_of(house(), completed=0)


def test_a_figure_without_data_is_nobodys_fault() -> None:
    """No queue, so no dead letters; nothing completed, so no latency."""
    assert remark_of(house(), dead_lettered=3) == "This run has no such figure, so nobody was wrong."
    stopped = house(functions={"f": {"reserved_concurrency": 0}})
    (row,) = ls.predict(p99="1s").check(ls.simulate(stopped)).rows
    assert (row.result, row.result_text) == (None, "–")


def test_what_is_printed_and_shown() -> None:
    """As text and as HTML, the guess alone and beside the result."""
    guess = ls.predict(throttled="10%", p99="1.2s", cost="$0.05")
    assert str(guess) == ("Your guess: throttled 10%, p99 latency 1.2s, cost $0.05. It is kept for the next run.")
    assert guess._repr_html_() == f"<p>{guess}</p>"
    checked = ls.simulate(house()).prediction
    assert checked is not None
    lines = str(checked).splitlines()
    assert lines[0].startswith("Throttled: you said 10% (0), it was 25.0% (1). Worth a look: ")
    assert lines[1] == "p99 latency: you said 1.2s, it was 1.5s. The right order of magnitude."
    assert lines[2].startswith("Cost: you said $0.05, it was $0.0000673. Worth a look: ")
    html = checked._repr_html_()
    assert "<tr><th>p99 latency</th><td>1.2s</td><td>1.5s</td>" in html


def test_a_guess_is_escaped() -> None:
    """It is text of the user's."""
    with pytest.raises(ls.UsageError):
        ls.predict(throttled="<b>")
    assert "<b>" not in ls.predict(p99=" 1s ")._repr_html_()


def test_an_interrupted_run_says_so() -> None:
    """Its figures are of a part."""
    interrupt = Interrupt()
    interrupt.request()
    ls.predict(requests=4)
    result = ls.simulate(house(), interrupt=interrupt)
    assert result.log.end_ns < 20 * NS_PER_S
    assert str(result.prediction).endswith("The run was interrupted: these figures are of a part of it.")
    assert result.prediction is not None
    assert "interrupted" in result.prediction._repr_html_()


@pytest.mark.filterwarnings("ignore:queues.jobs.max_receive_count")
def test_dead_letters_of_all_queues() -> None:
    """Three messages that can never be done, each received once and moved away after the 18 s that it is hidden."""
    scenario = house(
        functions={"f": {"errors": {"poison": "100%"}, "timeout": "3s"}},
        queues={
            "jobs": {
                "visibility_timeout": "18s",
                "dead_letter": "dead",
                "max_receive_count": 1,
                "event_source_mapping": {"function": "f", "batch_size": 1},
            },
            "dead": {},
        },
        traffic={"t": {"queue": "jobs", "invoke": "sqs", "rate": "1/s", "arrivals": "uniform"}},
        region={"concurrency_quota": 100},
        duration="3s",
    )
    ls.predict(dead_lettered=3)
    assert str(ls.simulate(scenario).prediction) == "Dead-lettered: you said 3, it was 3. Exactly."
