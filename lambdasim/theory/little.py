"""Little's law, and the request rate that a concurrency can carry by it.

Belongs here: identities between means, true for any arrivals and any service. Not here: anything that needs a law of
arrivals (``erlang``, ``infinite_server``). Stands beside the flow: used by tests, reports and planning.

Source: Little, A proof for the queuing formula L = lambda W, Operations Research 9 (1961).
"""

from __future__ import annotations

import math

from lambdasim.theory._arguments import require_count, require_not_negative, require_positive


def mean_in_system(arrival_rate: float, mean_time_in_system_s: float) -> float:
    """Mean number in the system: L = lambda W; of an execution environment pool, the mean concurrency.

    ``arrival_rate`` is per second and counts only what enters the system. Raises ValueError if either is negative, nan
    or infinite.
    """
    require_not_negative("arrival_rate", arrival_rate)
    require_not_negative("mean_time_in_system_s", mean_time_in_system_s)
    return arrival_rate * mean_time_in_system_s


def arrival_rate_for(mean_in_system: float, mean_time_in_system_s: float) -> float:
    """Arrival rate per second that keeps ``mean_in_system`` in the system: lambda = L / W.

    Raises ValueError if the mean is negative or the time not positive, or if either is nan or infinite.
    """
    require_not_negative("mean_in_system", mean_in_system)
    require_positive("mean_time_in_system_s", mean_time_in_system_s)
    return mean_in_system / mean_time_in_system_s


def max_request_rate(concurrency: int, mean_duration_s: float, requests_per_concurrency: float) -> float:
    """Greatest sustainable rate of requests per second: ``min(requests_per_concurrency, 1 / duration) * concurrency``.

    ``requests_per_concurrency`` is per second and 10 on AWS, where the request rate is therefore the binding limit for
    durations under 100 ms and the concurrency above; ``math.inf`` means that there is no such limit. An upper bound:
    random arrivals are throttled well before it (``erlang_b`` says how much).

    Raises ValueError if ``concurrency`` is negative or not whole, or one of the others is not positive or is nan.
    Source: AWS Compute Blog, 2023-07-07, "Understanding AWS Lambda's invoke throttling limits",
    https://aws.amazon.com/blogs/compute/understanding-aws-lambdas-invoke-throttle-limits/
    """
    require_count("concurrency", concurrency)
    require_positive("mean_duration_s", mean_duration_s)
    if requests_per_concurrency != math.inf:
        require_positive("requests_per_concurrency", requests_per_concurrency)
    return concurrency * min(requests_per_concurrency, 1.0 / mean_duration_s)
