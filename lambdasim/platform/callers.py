"""What an engine needs to know of the callers of one traffic source, and of the front end between them and Lambda."""

from __future__ import annotations

from dataclasses import dataclass

from lambdasim.scenario.clients import Backoff, Client, FixedDelays, RandomDelays, SdkPreset
from lambdasim.scenario.fields import UNLIMITED
from lambdasim.scenario.front_end import TOO_MANY_REQUESTS, FrontEnd
from lambdasim.scenario.sdk_retries import Failure, RetryQuota
from lambdasim.scenario.traffic import TrafficSource

# As a number of attempts or a time that is never reached.
WITHOUT_LIMIT = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """What the callers of one traffic source do; ``WITHOUT_LIMIT`` where they wait or try for ever.

    ``timeout_ns`` is until whoever called the function stops waiting: the caller, or the gateway before it does.
    """

    timeout_ns: int
    max_attempts: int
    quota: RetryQuota | None = None
    limits_its_rate: bool = False
    clients: int = 1  # client objects that send the requests in turn
    through_api_gateway: bool = False
    throttle: Failure = Failure.THROTTLED  # what the caller sees of a throttle
    timeout: Failure = Failure.NO_ANSWER  # and at the end of ``timeout_ns``
    is_error_seen: bool = False  # a function error is a failure for the caller; a direct call has status 200

    @property
    def needs_answers(self) -> bool:
        """Whether what a caller does next depends on the answer to an accepted attempt."""
        is_tried_again = self.max_attempts > 1 and (self.is_error_seen or self.quota is not None)
        return self.timeout_ns < WITHOUT_LIMIT or self.limits_its_rate or is_tried_again

    @property
    def is_patient(self) -> bool:
        """Whether callers send each request once, straight to Lambda, and wait for its answer however long it takes."""
        return self.max_attempts == 1 and not self.needs_answers and not self.through_api_gateway


def client_spec(source: TrafficSource) -> ClientSpec:
    """The callers of a traffic source."""
    client, front_end = source.client, source.via
    sdk = client.retry.sdk if isinstance(client.retry, SdkPreset) else None
    timeout_ns = WITHOUT_LIMIT if client.timeout == UNLIMITED else int(client.timeout)
    is_gateway_first = front_end is not None and gives_up_first(front_end, client)
    if front_end is not None and is_gateway_first:
        timeout_ns = front_end.timeout_ns or timeout_ns
    sees_429 = front_end is None or front_end.status_of_throttle == TOO_MANY_REQUESTS
    return ClientSpec(
        timeout_ns=timeout_ns,
        max_attempts=_max_attempts(client),
        quota=None if sdk is None else sdk.quota,
        limits_its_rate=sdk is not None and sdk.limits_its_rate,
        clients=client.count,
        through_api_gateway=front_end is not None and front_end.usual.is_api_gateway,
        throttle=Failure.THROTTLED if sees_429 else Failure.SERVER_ERROR,
        timeout=Failure.SERVER_ERROR if is_gateway_first else Failure.NO_ANSWER,
        is_error_seen=front_end is not None,
    )


def gives_up_first(front_end: FrontEnd, client: Client) -> bool:
    """Whether the front end stops waiting before its caller does; at one instant its answer still counts."""
    if front_end.timeout_ns is None:
        return False
    return client.timeout == UNLIMITED or front_end.timeout_ns <= int(client.timeout)


def _max_attempts(client: Client) -> int:
    match client.retry:
        case FixedDelays(delays=delays):
            return 1 + len(delays)
        case Backoff(max_attempts=limit) | RandomDelays(max_attempts=limit):
            return WITHOUT_LIMIT if limit == UNLIMITED else int(limit)
        case SdkPreset():
            return client.retry.sdk.max_attempts
        case _:
            return 1
