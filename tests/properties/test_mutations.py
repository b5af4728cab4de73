"""The comparison with the second simulator can fail: each fault that is put into the engine on purpose is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, settings

from lambdasim.engine.ordering import EventKind, arrival_rank, priority
from lambdasim.engine.reference import clients, simulation, virtual_users
from lambdasim.engine.reference.clients import Call, Clients
from lambdasim.engine.reference.function import ACCEPTED, FunctionState
from lambdasim.engine.reference.limits import Pool
from lambdasim.engine.reference.sdk_client import QuotaLeft
from lambdasim.engine.reference.simulation import _Simulation
from lambdasim.platform import callers, region
from lambdasim.platform.callers import client_spec
from lambdasim.platform.token_bucket import debt_after_token
from lambdasim.workload.virtual_users import UserActivity, ordinal
from tests.properties.brute_force import columns
from tests.properties.engine_runs import TICK_NS, run_on_engine
from tests.properties.plans import Plan
from tests.properties.test_brute_force import rows_of
from tests.strategies import modern_plans, returned_reservations

FRONT_ENDS = modern_plans(has_sdks=False, has_changes=False, has_users=False)
SDKS = modern_plans(has_changes=False, has_users=False)
CHANGES = modern_plans(has_front_ends=False, has_sdks=False, has_users=False) | returned_reservations()
USERS = modern_plans(has_front_ends=False, has_sdks=False, has_changes=False)

Patch = pytest.MonkeyPatch


def gateways_never_give_up_first(patch: Patch) -> None:
    """Only the caller's own timeout ends the wait."""
    patch.setattr(callers, "gives_up_first", lambda front_end, client: False)


def errors_behind_front_ends_are_final(patch: Patch) -> None:
    """As if every caller called Lambda's API."""
    patch.setattr(region, "client_spec", lambda source: replace(client_spec(source), is_error_seen=False))


def errors_of_direct_calls_are_tried_again(patch: Patch) -> None:
    """As if every caller stood behind a front end."""
    patch.setattr(region, "client_spec", lambda source: replace(client_spec(source), is_error_seen=True))


def the_gateways_bucket_never_refills(patch: Patch) -> None:
    """The burst is all that there is."""
    patch.setattr(clients, "debt_after_token", lambda debt, elapsed, limits: debt_after_token(debt, 0, limits))


def lambdas_refusals_take_no_gateway_token(patch: Patch) -> None:
    """The gateway gives its token back."""
    offer = Clients._offer

    def generous(self: Clients, *attempt: Any) -> int:
        bucket = self._api_gateway
        before = (bucket.debt, bucket.last_ns) if bucket else None
        reason = offer(self, *attempt)
        if bucket and reason != ACCEPTED:
            bucket.debt, bucket.last_ns = before
        return reason

    patch.setattr(Clients, "_offer", generous)


def each_source_has_a_gateway_of_its_own(patch: Patch) -> None:
    """A bucket for each source."""
    make = Clients.__init__

    def alone(self: Clients, *positional: Any, api_gateway: Any, **named: Any) -> None:
        make(self, *positional, api_gateway=type(api_gateway)(api_gateway.limits), **named)

    patch.setattr(Clients, "__init__", alone)


def every_success_gives_1_back(patch: Patch) -> None:
    """A success after a retry as well."""
    succeeded = QuotaLeft.succeeded
    patch.setattr(QuotaLeft, "succeeded", lambda self, paid: succeeded(self, 0))


def every_retry_costs_what_a_throttle_costs(patch: Patch) -> None:
    """Whatever the failure."""
    pay = QuotaLeft.pay
    patch.setattr(QuotaLeft, "pay", lambda self, failure: pay(self, 0))


def one_client_sends_everything(patch: Patch) -> None:
    """All but one quota stay full."""
    patch.setattr(Clients, "_call", lambda self, request, turn: Call(self._clock, self, request, 0))


def a_change_of_size_leaves_the_request_rate(patch: Patch) -> None:
    """Only the concurrency of a pool follows."""
    patch.setattr(Pool, "become", lambda self, spec, now_ns: setattr(self, "limit", spec.limit))


def a_second_reservation_forgets_the_first(patch: Patch) -> None:
    """What the first one admitted counts nowhere."""
    reserve = _Simulation._reserve

    def forgetful(self: _Simulation, index: int, *spec: Any) -> None:
        self._own_pools.pop(index, None)
        reserve(self, index, *spec)

    patch.setattr(_Simulation, "_reserve", forgetful)


def busy_environments_survive_a_deployment(patch: Patch) -> None:
    """Only idle ones go."""
    deploy = FunctionState.deploy

    def lenient(self: FunctionState, now_ns: int) -> None:
        deploy(self, now_ns)
        self._obsolete_before_ns = 0

    patch.setattr(FunctionState, "deploy", lenient)


def changes_come_after_arrivals(patch: Patch) -> None:
    """At one instant."""

    def late(kind: EventKind, index: int) -> int:
        return priority(EventKind.RUN_END, 0) - 10 + index if kind == EventKind.CHANGE else priority(kind, index)

    patch.setattr(simulation, "priority", late)


def users_share_their_draws(patch: Patch) -> None:
    """Keyed by the round alone."""
    patch.setattr(virtual_users, "ordinal", lambda user, round_: ordinal(0, round_))


def the_last_user_comes_first(patch: Patch) -> None:
    """At one instant."""
    patch.setattr(virtual_users, "arrival_rank", lambda source, user: arrival_rank(source, 1_000 - user))


def users_come_before_traces(patch: Patch) -> None:
    """At one instant, whatever the order in the file."""
    patch.setattr(virtual_users, "arrival_rank", lambda source, user: arrival_rank(0, user))


def users_stay_for_ever(patch: Patch) -> None:
    """Whoever has come sends on, whatever the stages say."""
    next_ns = UserActivity.next_ns

    def tireless(self: UserActivity, user: int, from_ns: int) -> int | None:
        return next_ns(self, user, 0) if from_ns == 0 else from_ns if from_ns < self.end_ns else None

    patch.setattr(UserActivity, "next_ns", tireless)


FAULTS = [
    (gateways_never_give_up_first, FRONT_ENDS),
    (errors_behind_front_ends_are_final, FRONT_ENDS),
    (errors_of_direct_calls_are_tried_again, FRONT_ENDS),
    (the_gateways_bucket_never_refills, FRONT_ENDS),
    (lambdas_refusals_take_no_gateway_token, FRONT_ENDS),
    (each_source_has_a_gateway_of_its_own, FRONT_ENDS),
    (every_success_gives_1_back, SDKS),
    (every_retry_costs_what_a_throttle_costs, SDKS),
    (one_client_sends_everything, SDKS),
    (a_change_of_size_leaves_the_request_rate, CHANGES),
    (a_second_reservation_forgets_the_first, CHANGES),
    (busy_environments_survive_a_deployment, CHANGES),
    (changes_come_after_arrivals, CHANGES),
    (users_share_their_draws, USERS),
    (the_last_user_comes_first, USERS),
    (users_come_before_traces, USERS),
    (users_stay_for_ever, USERS),
]


def disagrees(plan: Plan) -> bool:
    """Whether the logs of the engine and of the second simulator differ."""
    made = run_on_engine(plan)
    return rows_of(made.log) != columns(plan, made.workload, TICK_NS)


@pytest.mark.parametrize(("fault", "plans"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_of_the_engine_is_found(fault: Callable[[Patch], None], plans: Any, monkeypatch: Patch) -> None:
    """Within some hundreds of examples; most within twenty."""
    fault(monkeypatch)
    within = settings(max_examples=400, phases=[Phase.generate], database=None)
    find(plans, disagrees, settings=within, random=Random(2))
