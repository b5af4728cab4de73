"""Closed-loop callers against Engset: K users, a limit of c, exponential think time; any duration law.

A refused user thinks again. Idealised: no init, no limit but concurrency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lambdasim import theory
from lambdasim.eventlog.log import EventLog
from tests.builders import scenario
from tests.statistical.z_score import AGREES, DIFFERS, replications, z_score

USERS, LIMIT, THINK_S, WORK_S = 20, 8, 2.0, 1.5
WARM_UP_NS, END_NS = 30 * 10**9, 600 * 10**9

LAWS: dict[str, Any] = {
    "exponential": {"exponential": {"mean": "1500ms"}},
    "constant": "1500ms",
    "lognormal": {"lognormal": {"mean": "1500ms", "sigma": 1.0}},
}


def figures(users: int, work: Any, think_ms: int = 2_000) -> np.ndarray:
    """(refused share of the attempts, mean concurrency, attempts per second) by replication."""
    made = scenario(
        functions={"f": {"duration": work}},
        traffic={
            "t": {"function": "f", "virtual_users": users, "think_time": {"exponential": {"mean": f"{think_ms}ms"}}}
        },
        region={"concurrency_quota": LIMIT},
        duration="600s",
    )

    def measure(log: EventLog) -> list[float]:
        counts = log.requests.arrival_ns >= WARM_UP_NS
        admitted, end = log.invocations.admitted_ns, np.minimum(log.clipped_end_ns, END_NS)
        inside = np.clip(end, WARM_UP_NS, END_NS) - np.clip(admitted, WARM_UP_NS, END_NS)
        return [
            counts[log.throttles.request].sum() / counts.sum(),
            inside.sum() / (END_NS - WARM_UP_NS),
            counts.sum() / ((END_NS - WARM_UP_NS) / 1e9),
        ]

    return replications(made, measure, 16)


def expected(users: int = USERS) -> list[float]:
    """What Engset says."""
    times = {"mean_think_s": THINK_S, "mean_service_s": WORK_S}
    return [
        theory.engset_call_congestion(users, LIMIT, **times),
        theory.engset_concurrency(users, LIMIT, **times),
        theory.engset_attempt_rate(users, LIMIT, **times),
    ]


@pytest.mark.parametrize("law", sorted(LAWS))
def test_refusals_are_engset(law: str) -> None:
    """Whatever the law of the work. Mutants: one user more, one fewer, and users that think 5 % longer."""
    ideal, theory_says = figures(USERS, LAWS[law]), expected()
    words = [
        {"what": f"refused share, 20 users on 8 units, {law} work", "unit": "%"},
        {"what": f"requests in flight, mean, {law} work"},
        {"what": f"attempts per second, {law} work", "unit": "/s"},
    ]
    for column, value in enumerate(theory_says):
        assert abs(z_score(ideal[:, column], value, **words[column])) < AGREES
    more, fewer, slower = figures(USERS + 1, LAWS[law]), figures(USERS - 1, LAWS[law]), figures(USERS, LAWS[law], 2_100)
    assert z_score(more[:, 0], theory_says[0], **words[0], mutant="21 users") > DIFFERS
    assert z_score(fewer[:, 1], theory_says[1], **words[1], mutant="19 users") < -DIFFERS
    assert z_score(slower[:, 2], theory_says[2], **words[2], mutant="users think 5 % longer") < -DIFFERS


def test_an_arriving_user_does_not_see_itself() -> None:
    """The refused share is the time congestion with one user fewer, not with all of them; the two are told apart."""
    times = {"mean_think_s": THINK_S, "mean_service_s": WORK_S}
    ideal = figures(USERS, LAWS["exponential"])[:, 0]
    right, wrong = (theory.engset_time_congestion(users, LIMIT, **times) for users in (USERS - 1, USERS))
    what = "refused share, by the share of time in which 19 users fill 8 units"
    assert abs(z_score(ideal, right, what, unit="%")) < AGREES
    assert z_score(ideal, wrong, what, unit="%", mutant="20 users fill them") < -DIFFERS


def test_fewer_users_than_units_are_never_refused() -> None:
    """Closed means that nobody sends a second request before the first is answered."""
    assert (figures(LIMIT, LAWS["exponential"])[:, 0] == 0).all()
