"""Idle execution environments: which one serves, and when one is gone (MODEL.md sections 3 and 4)."""

from __future__ import annotations

import pytest

from lambdasim.workload.draws import Draws
from tests.behaviour.timeline import COLD, WARM, cold, end_s, environments, used
from tests.builders import run, scenario, workload_of

# Environments 0, 1 and 2 fall idle at 3, 1 and 2.
THREE = [(0, 3), (0, 1), (0, 2)]

DRAWN = {"uniform": ["100s", "200s"]}


def test_mru_takes_the_environment_that_fell_idle_last() -> None:
    """Environment 0 fell idle at 3, after 2 and 1: three requests at 5 take them in the order 0, 2, 1."""
    log = run(functions={"f": {"reuse": "mru"}}, rows=[*THREE, 5, 5, 5])
    assert used(log)[3:] == [0, 2, 1]


def test_lru_takes_the_environment_that_fell_idle_first() -> None:
    """Environment 1 fell idle at 1, before 2 and 0: three requests at 5 take them in the order 1, 2, 0."""
    log = run(functions={"f": {"reuse": "lru"}}, rows=[*THREE, 5, 5, 5])
    assert used(log)[3:] == [1, 2, 0]


def test_the_default_is_mru() -> None:
    """What an idle function that is called now and then does: the same environment each time."""
    log = run(rows=[*THREE, 5, 7, 9])
    assert used(log)[3:] == [0, 0, 0]


def test_lru_goes_round() -> None:
    """Each call takes the environment that has been idle for longest."""
    log = run(functions={"f": {"reuse": "lru"}}, rows=[*THREE, 5, 7, 9, 11])
    assert used(log)[3:] == [1, 2, 0, 1]


def test_the_idle_timeout_starts_anew_with_each_idle_period() -> None:
    """Idle timeout 5 s, a call each 5 s (4 s idle): never reaped, until nobody calls any more."""
    log = run(functions={"f": {"idle_timeout": "5s"}}, rows=[0, 5, 10, 15])
    assert used(log) == [0, 0, 0, 0]
    assert environments(log) == [("f", 0, 0, 21)]


def test_mru_lets_the_environments_that_are_not_needed_expire() -> None:
    """Two at 0, then one each 4 s: environment 1 serves them all (it fell idle last at 1), environment 0 goes at 11."""
    log = run(functions={"f": {"idle_timeout": "10s"}}, rows=[0, 0, 4, 8, 12, 16])
    assert used(log) == [0, 1, 1, 1, 1, 1]
    assert [row.reaped for row in environments(log)] == [11, 27]


def test_lru_keeps_all_environments_alive() -> None:
    """The same calls alternate: each environment is idle for 7 s at most."""
    log = run(functions={"f": {"idle_timeout": "10s", "reuse": "lru"}}, rows=[0, 0, 4, 8, 12, 16])
    assert used(log) == [0, 1, 0, 1, 0, 1]
    assert [row.reaped for row in environments(log)] == [23, 27]


@pytest.mark.parametrize("reuse", ["mru", "lru"])
def test_an_expired_environment_serves_nobody(reuse: str) -> None:
    """Idle from 1 for 2 s: a request at 10 starts a new one, and the old one was reaped at 3."""
    log = run(functions={"f": {"idle_timeout": "2s", "reuse": reuse}}, rows=[0, 10])
    assert used(log) == [0, 1]
    assert cold(log) == [COLD, COLD]
    assert environments(log)[0].reaped == 3


@pytest.mark.parametrize("reuse", ["mru", "lru"])
def test_expired_environments_are_passed_over(reuse: str) -> None:
    """Idle timeout 2 s: at 4 environment 1 (idle since 1) is gone, 2 (since 2) just now, and 0 (since 3) serves."""
    log = run(functions={"f": {"idle_timeout": "2s", "reuse": reuse}}, rows=[*THREE, 4])
    assert used(log)[3] == 0
    assert [row.reaped for row in environments(log)] == [7, 3, 4]


def test_an_environment_that_outlives_the_run_is_not_reaped() -> None:
    """Idle from 1 for 10 s, but the run ends at 10."""
    log = run(functions={"f": {"idle_timeout": "10s"}}, rows=[0], duration="10s")
    assert environments(log) == [("f", 0, 0, None)]


def test_an_environment_that_expires_as_the_run_ends_is_reaped() -> None:
    """Everything at the last instant is included: idle from 1 for 9 s, and the run ends at 10."""
    log = run(functions={"f": {"idle_timeout": "9s"}}, rows=[0], duration="10s")
    assert end_s(log) == 10
    assert environments(log) == [("f", 0, 0, 10)]


def test_an_unlimited_idle_timeout_keeps_an_environment_for_ever() -> None:
    """A request after 900 s is warm."""
    log = run(functions={"f": {"idle_timeout": "unlimited"}}, rows=[0, 900])
    assert cold(log) == [COLD, WARM]


class TestDrawnIdleTimeout:
    """An idle timeout is drawn for each idle period, by the key of the invocation before it."""

    def draws(self) -> Draws:
        """The draws of the scenario; they do not depend on its rows."""
        return workload_of(scenario(functions={"f": {"idle_timeout": DRAWN}})).draws

    def test_each_idle_period_has_an_idle_timeout_of_its_own(self) -> None:
        """Requests at 0 and 10 keep the environment; after the second it lives as long as that request's draw says."""
        log = run(functions={"f": {"idle_timeout": DRAWN}}, rows=[0, 10])
        first, second = (int(value) for value in self.draws().idle_timeouts("t", "f", 1, 0)[:2])
        assert log.environments.reaped_ns.tolist() == [11 * 10**9 + second]
        assert first != second

    def test_the_second_accepted_invocation_of_a_request_has_its_own_draw(self) -> None:
        """Given up at 1 and tried again in a second environment, which is idle from 4 by the second draw."""
        log = run(
            functions={"f": {"idle_timeout": DRAWN, "duration": "3s"}},
            rows=[0],
            client={"timeout": "1s", "retry": {"delays": ["0s"]}},
        )
        draws = self.draws()
        first, second = draws.idle_timeout("t", "f", 1, 0), draws.idle_timeout("t", "f", 2, 0)
        assert log.environments.reaped_ns.tolist() == [3 * 10**9 + first, 4 * 10**9 + second]
        assert first != second

    def test_a_throttled_attempt_uses_up_no_draw(self) -> None:
        """Refused at 1, accepted at 2: the draw is that of the first accepted invocation."""
        log = run(
            functions={"f": {"idle_timeout": DRAWN}},
            region={"concurrency_quota": 1},
            rows=[(0, 2), 1],
            client={"retry": {"delays": ["1s"]}},
        )
        draw = self.draws().idle_timeout("t", "f", 1, 1)
        assert log.environments.reaped_ns.tolist() == [3 * 10**9 + draw]
