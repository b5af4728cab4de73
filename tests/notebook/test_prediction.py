"""``predict``: the guess is kept until a result has answered it, and shown beside what came out."""

from __future__ import annotations

import re
from typing import Any

import pytest

import lambdasim as ls
from lambdasim.engine.base import Interrupt
from lambdasim.notebook.figures import FIGURES
from lambdasim.notebook.prediction import CheckedGuess, CheckedPrediction
from lambdasim.scenario.schema import Scenario
from lambdasim.units import NS_PER_S
from tests.notebook.house import house


def said_by(result: ls.Result) -> list[str]:
    """The guesses that a result answers, as they were written."""
    return [] if result.prediction is None else [row.guess_text for row in result.prediction.rows]


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


def test_without_a_guess_there_is_no_answer() -> None:
    """And a guess that comes after the run is none."""
    result = ls.simulate(house())
    ls.predict(throttled=1)
    assert result.prediction is None


def test_runs_of_which_only_a_picture_is_looked_at_do_not_use_it_up() -> None:
    """The first result that is shown answers it, whichever was run first."""
    ls.predict(throttled=7)
    other = ls.simulate(house(region={"concurrency_quota": 9}))
    other.plot.concurrency()
    assert said_by(ls.simulate(house())) == ["7"]
    assert said_by(other) == []


@pytest.mark.parametrize("look", [str, ls.Result._repr_html_, ls.Result.prediction.func])
def test_to_show_a_result_is_to_answer(look: Any) -> None:
    """As HTML, printed, or asked for."""
    ls.predict(throttled=7)
    look(ls.simulate(house()))
    assert said_by(ls.simulate(house(region={"concurrency_quota": 9}))) == []


def test_the_same_run_again_shows_it_again() -> None:
    """Cells are run twice. With another seed or another setting it is another run."""
    ls.predict(throttled=7)
    for _ in range(2):
        assert said_by(ls.simulate(house())) == ["7"]
        assert said_by(ls.simulate(house(), seed=4)) == []
        assert said_by(ls.simulate(house(), set={"functions.f.init": "1s"})) == []


def test_without_a_seed_it_is_the_scenario_that_counts() -> None:
    """Every run of it has a seed of its own."""
    ls.predict(throttled=7)
    anew = house(seed=None)
    first, second = ls.simulate(anew), ls.simulate(anew)
    assert first.seed != second.seed
    assert said_by(first) == said_by(second) == ["7"]


def test_an_answer_stays_with_its_result() -> None:
    """What a cell shows does not change when it is shown again later."""
    ls.predict(throttled=7)
    result = ls.simulate(house())
    ls.predict(throttled=1)
    assert said_by(result) == ["7"]
    assert said_by(ls.simulate(house())) == ["1"]


def test_a_scenario_that_is_wrong_answers_nothing() -> None:
    """The guess waits for the next run that comes to its end."""
    ls.predict(throttled=1)
    with pytest.raises(ls.ScenarioError):
        ls.simulate(house(), set={"region.concurrency_quota": -1})
    assert str(ls.simulate(house()).prediction) == "Throttled: you said 1, it was 1. Exactly."


def test_an_interrupted_run_answers_nothing() -> None:
    """Its figures are of a part; by hand they can be compared, and that is said."""
    interrupt = Interrupt()
    interrupt.request()
    guess = ls.predict(requests=4)
    part = ls.simulate(house(), interrupt=interrupt)
    assert part.log.end_ns < 20 * NS_PER_S
    assert part.prediction is None
    checked = guess.check(part)
    assert str(checked).endswith("The run was interrupted: these figures are of a part of it.")
    assert "interrupted" in checked._repr_html_()
    assert said_by(ls.simulate(house())) == ["4"]


def test_comparisons_and_levels_leave_the_guess_alone() -> None:
    """Which of the runs would it be of?"""
    ls.predict(throttled=0)
    compared = ls.compare({"a": {}}, scenario=house())
    ls.frontier(house(), levels=[0])
    assert compared.results["a"].prediction is None
    assert said_by(ls.simulate(house())) == ["0"]


def test_a_new_guess_takes_the_place_of_the_last() -> None:
    """Cells are run again and again."""
    ls.predict(throttled=0)
    ls.predict(cold_starts=1)
    prediction = ls.simulate(house()).prediction
    assert prediction is not None
    assert [row.figure.key for row in prediction.rows] == ["cold_starts"]


def test_check_by_hand() -> None:
    """Any guess with any result, as often as you like."""
    guess = ls.predict(throttled=1)
    for quota, refused in ((2, 1), (9, 0)):
        result = ls.simulate(house(region={"concurrency_quota": quota}))
        assert [row.result for row in guess.check(result).rows] == [refused]


def test_dots_are_no_guess_yet() -> None:
    """Lessons are full of them: whoever runs all cells is told so kindly, and nothing is answered."""
    ls.predict(throttled=1)
    guess = ls.predict(throttled=..., p99=...)
    assert str(guess) == "No guess yet: put yours in place of the dots, and the result will stand beside it."
    assert guess._repr_html_().count(str(guess)) == 1
    assert repr(guess) == "<Prediction of nothing>"
    assert said_by(ls.simulate(house())) == []
    assert str(guess.check(ls.simulate(house()))) == ""


def test_some_dots_are_left_out() -> None:
    """What was guessed is kept."""
    ls.predict(throttled=7, p99=..., completed=None)
    assert said_by(ls.simulate(house())) == ["7"]


def test_shares_are_of_what_they_are_of() -> None:
    """Of 4 requests, 3 invocations, a quota of 2, and 4 attempts."""
    ls.predict(throttled="25%", cold_starts="10%", peak_concurrency="100%", throttles="50%")
    prediction = ls.simulate(house()).prediction
    assert prediction is not None
    throttled, cold, peak, refused = prediction.rows
    assert (throttled.guess, throttled.guess_text, throttled.result_text) == (1, "25% (1)", "25.0% (1)")
    assert cold.guess == pytest.approx(0.3)
    assert cold.result_text == "66.7% (2)"
    assert peak.guess == 2
    assert refused.guess == 2
    assert throttled.remark == peak.remark == "Exactly."


def test_a_share_of_the_quota_is_of_that_at_the_peak() -> None:
    """3 in flight after it was raised from 2 to 10; none was ever, of the first one."""
    raised = house(rows=[0, 6, 6, 6], changes=[{"at": "5s", "region": {"concurrency_quota": 10}}])
    (row,) = ls.predict(peak_concurrency="90%").check(ls.simulate(raised)).rows
    assert (row.guess, row.result_text) == (9, "30.0% (3)")
    (row,) = ls.predict(peak_concurrency="50%").check(ls.simulate(house(rows=[]))).rows
    assert (row.guess, row.result_text) == (1, "0% (0)")


def test_a_share_of_nothing() -> None:
    """Without requests nobody was refused, whatever the share."""
    (row,) = ls.predict(throttled="50%").check(ls.simulate(house(rows=[]))).rows
    assert (row.guess, row.guess_text, row.result_text) == (None, "50% (–)", "0")
    assert row.remark == "This run has no such figure, so nobody was wrong."


EXACTLY, CLOSE = "Exactly.", "Very close."
NOT_FAR_OFF, FAR_OFF = "Not far off. Worth a look: ", "Worth a look: "


def remark(scenario: Scenario, **guess: Any) -> str:
    """How what is said of a guess begins."""
    (row,) = ls.predict(**guess).check(ls.simulate(scenario)).rows
    return next(words for words in (EXACTLY, CLOSE, NOT_FAR_OFF, FAR_OFF) if row.remark.startswith(words))


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        (40, EXACTLY),
        (44, CLOSE),
        (36, CLOSE),
        (45, NOT_FAR_OFF),
        (35, NOT_FAR_OFF),
        (80, NOT_FAR_OFF),
        (20, NOT_FAR_OFF),
        (81, FAR_OFF),
        (19, FAR_OFF),
        (0, FAR_OFF),
    ],
)
def test_remarks_go_by_how_far_off_a_guess_was(guess: int, words: str) -> None:
    """40 requests: within a tenth is close, within a factor of two not far off, and then the reason is told too."""
    assert remark(house(rows=range(40), duration="1m"), requests=guess) == words


@pytest.mark.parametrize(("guess", "words"), [(19, EXACTLY), (18, CLOSE), (16, FAR_OFF), (30, FAR_OFF), (38, FAR_OFF)])
def test_small_counts_are_close_or_wrong(guess: int, words: str) -> None:
    """1, 2 and 4 are the answers A, B and C of a question, no orders of magnitude; from 20 on they are."""
    assert remark(house(rows=range(19), duration="1m"), requests=guess) == words


def test_twenty_is_many() -> None:
    """The least count that a guess can be not far off of."""
    assert remark(house(rows=range(20), duration="1m"), requests=30) == NOT_FAR_OFF


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        ("25%", EXACTLY),
        ("24%", CLOSE),
        ("20%", NOT_FAR_OFF),
        ("15%", NOT_FAR_OFF),
        ("14%", FAR_OFF),
        ("35%", NOT_FAR_OFF),
        ("36%", FAR_OFF),
        ("1%", FAR_OFF),
    ],
)
def test_shares_are_not_far_off_within_ten_points(guess: str, words: str) -> None:
    """1 of 4 was throttled: half as much or ten points more is not the same answer any longer."""
    assert remark(house(), throttled=guess) == words


@pytest.mark.parametrize(
    ("guess", "words"), [("6%", NOT_FAR_OFF), ("10%", NOT_FAR_OFF), ("12%", FAR_OFF), ("2%", FAR_OFF)]
)
def test_small_shares_are_not_far_off_within_a_factor_of_two(guess: str, words: str) -> None:
    """5 of 100 were throttled, three of 4 points more or less make another answer."""
    rows = [*range(0, 186, 2)] + [200] * 7
    assert remark(house(rows=rows, duration="5m"), throttled=guess) == words


@pytest.mark.parametrize(("guess", "words"), [("1s", NOT_FAR_OFF), ("3s", NOT_FAR_OFF), ("700ms", FAR_OFF)])
def test_times_and_sums_may_be_small(guess: str, words: str) -> None:
    """The longest of the house took 1.5 s; the run cost $0.0000673."""
    assert remark(house(), max=guess) == words
    assert remark(house(), cost=0.0001) == NOT_FAR_OFF


@pytest.mark.parametrize(
    "guess", [{"p50": "1499.9ms"}, {"p50": "1500ms"}, {"cost": 0.00006727}, {"cold_starts": "66.7%"}]
)
def test_what_reads_the_same_is_exact(guess: dict[str, Any]) -> None:
    """Whatever the last digits: 2 of 3 invocations are 66.7 %."""
    assert remark(house(), **guess) == EXACTLY


def test_a_figure_without_data_is_nobodys_fault() -> None:
    """No queue, so no dead letters; nothing completed, so no latency."""
    (row,) = ls.predict(dead_lettered=3).check(ls.simulate(house())).rows
    assert row.remark == "This run has no such figure, so nobody was wrong."
    stopped = house(functions={"f": {"reserved_concurrency": 0}})
    (row,) = ls.predict(p99="1s").check(ls.simulate(stopped)).rows
    assert (row.result, row.result_text) == (None, "–")


def test_what_is_printed_and_shown() -> None:
    """As text and as HTML, the guess alone and beside the result."""
    guess = ls.predict(throttled="10%", p99="1.2s", cost="$0.05")
    said = "Your guess: throttled 10%, p99 latency 1.2s, cost $0.05."
    assert str(guess) == f"{said} The next result shows it beside what came out."
    assert guess._repr_html_() == f'<div class="mathjax_ignore tex2jax_ignore"><p>{guess}</p></div>'
    checked = ls.simulate(house()).prediction
    assert str(guess) == f"{said} It has its answer."
    assert checked is not None
    lines = str(checked).splitlines()
    assert lines[0].startswith("Throttled: you said 10% (0), it was 25.0% (1). Worth a look: ")
    assert lines[1].startswith("p99 latency: you said 1.2s, it was 1.5s. Not far off. Worth a look: half of")
    assert lines[2].startswith("Cost: you said $0.05, it was $0.0000673. Worth a look: ")
    html = checked._repr_html_()
    assert html.startswith('<div class="mathjax_ignore tex2jax_ignore"><table>')
    assert re.search(r"<th [^>]*>p99 latency</th><td [^>]*>1.2s</td><td [^>]*>1.5s</td><td [^>]*>Not far off", html)


def test_every_text_is_escaped() -> None:
    """Also if one day a guess may hold more than digits and units."""
    row = CheckedGuess(
        figure=FIGURES["p99"], guess=1, result=2, guess_text="<said>", result_text="<was>", remark="<remark>"
    )
    html = CheckedPrediction(rows=(row,))._repr_html_()
    assert "&lt;said&gt;" in html
    assert not re.search("<(said|was|remark)>", html)
