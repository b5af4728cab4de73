"""The bar of a notebook, and Interrupt: the run ends with what there is. In a real kernel: ``test_kernel``."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lambdasim as ls
from lambdasim import api, level_runs
from lambdasim.api import simulate_scenario
from lambdasim.engine.base import Interrupt
from lambdasim.notebook import compare, progress
from lambdasim.notebook.progress import Bar, bar_html, far_text, in_notebook, watched
from lambdasim.scenario.schema import Scenario
from lambdasim.signals import interruptible
from lambdasim.units import NS_PER_S
from tests.notebook.house import house

ROOT = Path(__file__).parents[2]


class Clock:
    """Real time that a test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bar_appears_after_a_second_and_goes_away() -> None:
    """Not before; then at most four times a second; in the end nothing is left."""
    shown: list[str] = []
    clock = Clock()
    bar = Bar("spike", 60 * NS_PER_S, shown.append, clock)
    for now_s, calls in ((100.9, 0), (101.0, 1), (101.2, 1), (101.25, 2), (101.3, 2), (105, 3)):
        clock.now_s = now_s
        bar.on_progress(30 * NS_PER_S, 1_000)
        assert len(shown) == calls, now_s
    bar.close()
    assert shown[-1] == ""


def test_a_short_run_shows_nothing() -> None:
    """Not even an empty place."""
    shown: list[str] = []
    bar = Bar("spike", 60 * NS_PER_S, shown.append, Clock())
    bar.on_progress(30 * NS_PER_S, 1_000)
    bar.close()
    assert shown == []


def test_what_the_bar_says() -> None:
    """A quarter in 2 s leaves 6 s; past the end of the traffic the bar is full; names are escaped."""
    html = bar_html("a<b", 15 * NS_PER_S, 60 * NS_PER_S, 1_000, 2.0)
    assert 'value="0.2500"' in html
    assert "a&lt;b: 0:15 of 1:00 simulated, 1,000 requests, about 6s left" in html
    assert "about" not in bar_html("a", 0, 60 * NS_PER_S, 1, 2.0)
    assert "<i>Interrupt</i> stops the cell and keeps what there is" in html
    drained = bar_html("a", 90 * NS_PER_S, 60 * NS_PER_S, 1, 2.0)
    assert 'value="1.0000"' in drained
    assert "a: draining, 0:30 after the end of the traffic, 1 request; <i>Interrupt</i>" in drained


def test_how_far_a_run_had_come() -> None:
    """As the bar had it."""
    assert far_text(2594 * NS_PER_S, 3600 * NS_PER_S) == "at 43:14 of 1:00:00 simulated"
    assert far_text(5400 * NS_PER_S, 3600 * NS_PER_S) == "while draining, 30:00 after the end of the traffic"


def test_outside_of_notebooks_nothing_is_watched() -> None:
    """A script keeps its own Ctrl-C."""
    assert not in_notebook()
    with watched("a", NS_PER_S) as (on_progress, interrupt):
        assert (on_progress, interrupt) == (None, None)


def test_every_kind_of_run_shows_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs, variants and levels, each with its name; and each bar goes away."""
    shown: list[str] = []
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "html_display", lambda: shown.append)
    monkeypatch.setattr(progress, "_PATIENCE_S", 0.0)
    ls.simulate(house())
    ls.compare({"a": {}}, scenario=house())
    ls.frontier(house(), levels=[0, 1])
    names = [html.split("</progress> ")[1].split(":")[0] for html in shown if html]
    assert list(dict.fromkeys(names)) == ["house", "house, a", "house, 0 provisioned", "house, 1 provisioned"]
    assert shown.count("") == 4


def test_what_the_caller_has_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a notebook: whoever brings an interrupt has plans for it."""
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    own = Interrupt()
    with watched("a", NS_PER_S, None, own) as (on_progress, interrupt):
        assert on_progress is None
        assert interrupt is own


def test_other_threads_get_no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python lets only the main thread have handlers; a run in another one goes on unwatched."""
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    seen: list[Any] = []

    def run() -> None:
        with watched("a", NS_PER_S) as pair:
            seen.append(pair)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(None, None)]


def test_importing_lambdasim_loads_nothing_of_notebooks() -> None:
    """In a fresh interpreter."""
    code = "import sys, lambdasim; print([name for name in ('pandas', 'ipywidgets', 'IPython') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_interrupt_of_ours_ends_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an exception, so that a loop ends and the next cell does not run; what there is, is kept for later."""
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "html_display", lambda: lambda _: None)
    monkeypatch.setattr(api, "simulate_scenario", lambda *_, interrupt, **__: cut_off(interrupt, end_s=5))
    ls.predict(requests=4)
    with pytest.raises(ls.RunInterrupted) as raised:
        ls.simulate(house())
    assert str(raised.value) == "Interrupted at 0:05 of 0:20 simulated. What there is until then: ls.last_interrupted()"
    part = ls.last_interrupted()
    assert isinstance(part, ls.Result)
    assert part.log.is_partial
    assert part.prediction is None


def test_an_interrupt_that_comes_too_late_ends_the_cell_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """When all is simulated, but the result is not there yet."""
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "html_display", lambda: lambda _: None)

    def simulate(scenario: Scenario, *, interrupt: Interrupt, **_: Any) -> ls.Result:
        whole = simulate_scenario(scenario)
        interrupt.request()
        return whole

    monkeypatch.setattr(api, "simulate_scenario", simulate)
    with pytest.raises(ls.RunInterrupted, match=r"^Interrupted at 0:20 of 0:20 simulated\. "):
        ls.simulate(house())
    assert not ls.last_interrupted().log.is_partial  # type: ignore[union-attr]


def cut_off(interrupt: Interrupt, *, end_s: int) -> ls.Result:
    """The house as Interrupt leaves it at some time."""
    interrupt.request()
    whole = simulate_scenario(house())
    return replace(whole, log=replace(whole.log, end_ns=end_s * NS_PER_S, is_partial=True))


def test_an_interrupt_of_the_callers_returns_what_there_is() -> None:
    """Programs and the command line go on with the part; nothing is kept."""
    own = Interrupt()
    own.request()
    assert ls.simulate(house(), interrupt=own).log.is_partial
    with pytest.raises(ls.UsageError) as raised:
        ls.last_interrupted()
    assert str(raised.value) == "last_interrupted: no run was interrupted here"


def test_comparisons_and_levels_keep_what_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variants and the levels that had come to their end."""
    runs: list[Scenario] = []

    def simulate(scenario: Scenario, **_: Any) -> ls.Result:
        runs.append(scenario)
        return simulate_scenario(scenario) if len(runs) == 1 else cut_off(Interrupt(), end_s=5)

    then = "What there is until then: ls.last_interrupted()"
    monkeypatch.setattr(compare, "simulate_scenario", simulate)
    with pytest.raises(ls.RunInterrupted) as raised:
        ls.compare({"a": {}, "b": {}, "c": {}}, scenario=house())
    assert str(raised.value) == f"Interrupted after 1 of 3 variants. {then}"
    compared = ls.last_interrupted()
    assert isinstance(compared, ls.Comparison)
    assert list(compared.results) == ["a"]
    assert compared.is_partial

    runs.clear()
    monkeypatch.setattr(level_runs, "simulate_scenario", simulate)
    with pytest.raises(ls.RunInterrupted) as raised:
        ls.frontier(house(), levels=[0, 1, 2])
    assert str(raised.value) == f"Interrupted after 1 level. {then}"
    table = ls.last_interrupted()
    assert isinstance(table, ls.Frontier)
    assert [row.level for row in table.rows] == [0]
    assert table.is_partial


def test_the_first_signal_asks_and_the_second_one_raises() -> None:
    """And afterwards signals go where they went before."""
    before = signal.getsignal(signal.SIGINT)
    with interruptible() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise KeyboardInterrupt
    assert signal.getsignal(signal.SIGINT) is before
