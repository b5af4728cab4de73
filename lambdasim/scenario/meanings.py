"""What each key of a scenario means, and its unit: for editors (``json_schema``) and for the reference.

A key is named by its model. "Without it, ..." at the end tells the default in words.
"""

from __future__ import annotations

from lambdasim.scenario.provisioned_meanings import PROVISIONED_MEANINGS
from lambdasim.scenario.traffic_meanings import TRAFFIC_MEANINGS
from lambdasim.scenario.waiting_work_meanings import WAITING_WORK_MEANINGS

_SLO_MEANINGS = {
    **{
        key: f"The {name} of the latency of completed requests must be at most this. A time."
        for key, name in (
            ("p50", "median"),
            *(
                (key, f"{digits}th percentile")
                for key, digits in (("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9))
            ),
            ("max", "maximum"),
            ("mean", "mean"),
        )
    },
    "throttled": "At most this share of the requests may be refused for good. In percent.",
    "failed": "At most this share of the requests may end in a function error or timeout. In percent.",
    "timed_out_client": "At most this share of the requests may be left by callers who wait no longer. In percent.",
    "cold": "At most this share of the invocations may be cold starts. In percent.",
}

# What each key means, and its unit. The forms of distributions speak for themselves, through their models.
MEANINGS: dict[str, str] = {
    "Scenario.name": "Name of the scenario and of its folder of results. Without it, the name of the file.",
    "Scenario.description": "What the reader of the results should watch for.",
    "Scenario.seed": "Seed of all random draws; the same seed gives the same results. Without it, one is made.",
    "Scenario.duration": "How long requests are sent: arrivals are offered in [0, duration). A time, such as 15m.",
    "Scenario.drain": "How long to simulate on after the duration, until nothing accepted or retried is left. A time.",
    "Scenario.profile": "What AWS's limits and defaults were at this date. It fills in the keys that are left out.",
    "Scenario.region": "The account's limits in one region.",
    "Scenario.functions": "The Lambda functions, by name.",
    "Scenario.changes": "What-ifs during the run: limits, deployments, incidents, traffic switched on and off.",
    "Change.at": "When: after what ends at this instant, before what begins at it. A time.",
    "Change.region": "Other limits of the account from then on; nothing that was accepted is stopped.",
    "Change.deploy": "A function whose environments all become obsolete: idle ones are gone, the others retire.",
    "Change.functions": "Other settings of functions from then on, by name.",
    "Change.traffic": "Traffic sources switched on or off, by name.",
    "RegionChange.concurrency_quota": "The new quota, or new-account (10).",
    "FunctionChange.reserved_concurrency": "The new reservation; 0 stops the function, none gives the units back.",
    "FunctionChange.provisioned_concurrency": "Provisioned environments asked for from then on; 0 or none gives them"
    " back.",
    "FunctionChange.duration": "Duration of the requests that arrive from then on. A time, a distribution, or cpu"
    " and io.",
    "FunctionChange.errors": "Failures of the requests that arrive from then on; rate and crash also of what waits in a"
    " queue then.",
    "Scenario.traffic": "Who sends requests: each name is one source of traffic.",
    "Region.name": "AWS region, such as us-east-1. It matters for what AWS gives by region: prices, the burst of"
    " scaling: legacy, and the default of api_gateway.",
    "Region.concurrency_quota": "Requests that may be in flight at once over all functions of the account: the account"
    " concurrency limit. A whole number, or new-account (10).",
    "Region.min_unreserved": "Units of concurrency that reserving must leave over. AWS demands 100; a smaller number,"
    " even 0, helps to teach on small quotas. Without it: 100, or the whole quota where that is less.",
    "Region.scaling": "How fast functions may get new execution environments: a bucket, legacy (as before November"
    " 2023) or unlimited.",
    "Region.request_rate_ramp": "How fast the accepted request rate of one function may grow, or unlimited.",
    "Region.requests_per_concurrency": "Requests per second that each unit of concurrency lets in, or unlimited.",
    "FunctionScaling.burst": "New execution environments that can start at once: the depth of the bucket.",
    "FunctionScaling.rate": "How many more can start in each interval, whose length is per, once the burst is used up.",
    "FunctionScaling.per": "The length of the interval in which as many as rate says can start, such as 10s.",
    "Region.code_storage": "What the code of all functions and versions may take together, such as 300GB, or"
    " unlimited.",
    "Region.api_gateway": "Requests that all API Gateways of the account let through together, or unlimited. Fewer in"
    " some regions.",
    "ApiGatewayLimit.rate": "Requests per second, such as 10000/s; a whole number.",
    "ApiGatewayLimit.burst": "Requests that can come at once: the depth of the bucket.",
    "RegionScaling.scope": "Whether each function has a bucket of its own, or all share the region's.",
    "RequestRateRamp.start": "Requests per second that a function may have at once, such as 10000/s; a whole number.",
    "RequestRateRamp.step": "Requests per second that are added after each second near the limit; a whole number.",
    "Errors.rate": "Share of the invocations that end in a handled function error; the environment stays. In percent.",
    "Errors.poison": "Share of the requests that fail in every invocation. In percent.",
    "Errors.crash": "Share of the invocations that crash; the environment is reset. In percent.",
    "Function.memory": "Memory size, 128MB to 10240MB. It scales the cpu part of a duration, and the cost.",
    "Function.runtime": "Runtime as AWS writes it, such as python3.13, or go, rust, dotnet10-aot. It gives the init"
    " where none is stated.",
    "Function.architecture": "Instruction set: the init of the runtime, and the price, go by it.",
    "Function.package": "Kind of deployment package: the init of the runtime goes by it.",
    "Function.duration": "How long the handler works on one request, without the init. A time, a distribution, or the"
    " cpu and the io that it needs.",
    "Function.init": "How long a new execution environment initialises; 0 is allowed. Without it, what the runtime"
    " gives.",
    "Function.sandbox": "How long it takes to place an execution environment and to load its code, before its init. Not"
    " billed. Without it, 0s beside a stated init, else {lognormal: {p50: 100ms, p99: 400ms}}.",
    "Function.snapstart": "New execution environments are restored from a snapshot instead of initialised. true, or a"
    " mapping.",
    "SnapStart.restore": "How long a restore takes, after-restore hooks included. A time, or a distribution. Without"
    " it, lognormal with a median of 620ms and a sigma of 12%.",
    "SnapStart.billed": "Share of the restore that is billed: loading the runtime, and the hooks. In percent.",
    "Work.cpu": "Time that the work takes on one full vCPU, which 1769MB give. A time, or a distribution.",
    "Work.io": "Time spent waiting, which no memory shortens. A time, or a distribution. Without it, 0s.",
    "Work.threads": "How many vCPUs the work can use at once. A whole number, 1 to 6.",
    "Function.idle_timeout": "How long an idle execution environment is kept until it is reaped. A time, a"
    " distribution, or unlimited.",
    "Function.max_age": "Age at which an execution environment is retired when it falls idle. A time, a distribution,"
    " or unlimited.",
    "Function.timeout": "How long an invocation may last, 1s to 15m; the runtime is stopped then. A time.",
    "Function.errors": "How often invocations fail, and how.",
    "Function.reserved_concurrency": "Units of concurrency that only this function can use, and its maximum. A whole"
    " number; 0 stops the function.",
    **PROVISIONED_MEANINGS,
    "Function.ephemeral_storage": "Size of /tmp, 512MB to 10240MB; what is above 512MB costs something.",
    "Function.code_size": "Size of each version of the deployment package, 1MB to 250MB. Without it none is stored.",
    "Function.versions": "How many versions of the code are stored, the newest one included. A whole number.",
    "Function.assignment": "Who serves a request that found no idle environment: eager, whichever is free first; bound,"
    " the new environment that it started.",
    "Function.reuse": "Which idle environment serves next: the one that fell idle last (mru) or first (lru).",
    "Function.async": "What becomes of the asynchronous events of this function.",
    "AsyncInvocation.maximum_event_age": "How long Lambda keeps an event, from its arrival. A time, 60s to 6h.",
    "AsyncInvocation.maximum_retry_attempts": "Tries after a function error or timeout; throttles do not count. A whole"
    " number, 0 to 2.",
    "AsyncInvocation.jitter": "What is waited after a throttle: equal, half to all of the delay; full, 0 to all of it;"
    " none, all of it.",
    "AsyncInvocation.slow_down": "How the reader of the queue slows down after throttles, or none.",
    "AsyncInvocation.dispatch_delay": "How long an event is in the queue until its first try. A time, or a"
    " distribution. Without it, {lognormal: {p50: 50ms, p99: 500ms}}.",
    "SlowDown.share": "What a throttle leaves the reader of the events that it works on at once. In percent.",
    "SlowDown.recovery": "How much that grows every second. In percent.",
    "Function.scaling": "How fast this function may get new execution environments. Without it, the region's rule.",
    "Scenario.pricing": "What is billed, and at which prices.",
    "Pricing.init": "Whose inits on demand are billed: billed, all; free-for-managed-zip, as until August 2025, only"
    " those of container images and of custom runtimes.",
    "Pricing.unused_init": "Whether an init on demand is billed though no request came for its environment: billed or"
    " free.",
    "Pricing.free_tier": "Whether AWS's monthly free tier is taken off: from the run as if it were all of its month,"
    " and from the month.",
    "Pricing.table": "YAML file with prices of your own, relative to this file; what it does not state stays.",
    "Scenario.slo": "Targets that a run must meet; if one is missed, the exit status of the command line is 1.",
    **{f"Slo.{key}": meaning for key, meaning in _SLO_MEANINGS.items()},
    "TrafficSource.function": "The function that this source invokes; without it, the one that its queue or stream"
    " invokes.",
    "TrafficSource.invoke": "How the function is invoked: sync, the caller waits for the answer; async, Lambda queues"
    " the event; sqs, messages go to a queue; stream, records go to a stream.",
    **TRAFFIC_MEANINGS,
    **WAITING_WORK_MEANINGS,
    "TrafficSource.rate": "A constant rate, such as 20/s. In Python also a function of the time in seconds.",
    "TrafficSource.start_rate": "The rate at the start of the first stage, such as 20/s. Without it, 0/s.",
    "TrafficSource.stages": "Linear changes of the rate, one after the other; after the last one the rate stays.",
    "TrafficSource.shape": "A named course of the rate, instead of rate, stages and trace.",
    "TrafficSource.trace": "CSV file of recorded requests with the columns time_s [, function] [, duration_s]"
    " [, init_s], relative to this file.",
    "TrafficSource.virtual_users": "Callers that wait for an answer and think before they send again, instead of a"
    " rate: how many, a whole number or stages.",
    "TrafficSource.think_time": "How long a virtual user waits after an answer. A time, or a distribution.",
    "TrafficSource.via": "What stands between callers and function: function-url, api-gateway-rest, api-gateway-http,"
    " alb. Without it, callers call Lambda's API.",
    "TrafficSource.client": "What the callers do when they wait or are refused.",
    "VirtualUsers.start": "Users at the start. A whole number.",
    "VirtualUsers.stages": "Linear changes of the number of users, one after the other; after the last one it stays.",
    "UserStage.duration": "How long the number of users takes to get to the target; 0s is a jump.",
    "UserStage.target": "Users at the end of this stage. A whole number.",
    "UserStage.name": "A name for the reader.",
    "FrontEnd.front_end": "function-url, api-gateway-rest, api-gateway-http or alb.",
    "FrontEnd.timeout": "How long it waits for the function, or unlimited. Without it: 29s for a REST API, 30s for an"
    " HTTP API, as long as the function may run for the others.",
    "FrontEnd.throttle_status": "The status that callers see when Lambda refuses, 400 to 599. Without it: 429 from a"
    " function URL, 500 from API Gateway, 502 from a load balancer.",
    "Stage.duration": "How long the rate takes to get from its last value to the target; 0s is a jump.",
    "Stage.target": "The rate at the end of this stage, such as 400/s.",
    "Stage.name": "A name for the reader.",
    "Spike.baseline": "The rate before and after the peak, such as 5/s.",
    "Spike.peak": "The highest rate, such as 300/s.",
    "Spike.at": "When the rate begins to rise, as a time from the start.",
    "Spike.ramp": "How long the rate takes to rise, and to fall again; 0s is a jump.",
    "Spike.hold": "How long the rate stays at its peak.",
    "Client.timeout": "How long a caller waits for one attempt, or unlimited. The invocation goes on without it.",
    "Client.retry": "What a caller does after a throttle or its own timeout: none, an SDK's retries, back-off, fixed"
    " or random delays.",
    "Client.count": "SDK clients that send the requests in turn, each with a retry quota and a rate limiter of its own."
    " A whole number.",
    "SdkPreset.preset": "The SDK and its mode, as in its source.",
    "SdkPreset.max_attempts": "Attempts in all, the first one included. Without it, those of the SDK.",
    "Backoff.max_attempts": "Attempts in all, the first one included, or unlimited.",
    "Backoff.base": "The delay before retry k comes from min(cap, base x 2^(k-1)). A time.",
    "Backoff.cap": "The longest delay, or unlimited.",
    "Backoff.jitter": "What is waited: full, 0 to all of the delay; equal, half to all of it; none, all of it.",
    "FixedDelays.delays": "One delay before each retry; then the caller gives up.",
    "RandomDelays.max_attempts": "Attempts in all, the first one included, or unlimited.",
    "RandomDelays.delay": "The delay before each retry. A time, or a distribution.",
    "ExponentialParameters.mean": "Mean. A time.",
    "LognormalParameters.p50": "Median. A time.",
    "LognormalParameters.p99": "99th percentile. A time.",
    "LognormalParameters.mean": "Mean. A time.",
    "LognormalParameters.sigma": "Standard deviation of the logarithm. A plain number, 0 to 10.",
    "GammaParameters.mean": "Mean. A time.",
    "GammaParameters.cv": "Standard deviation divided by the mean. A plain number; 1 is exponential.",
    "MixturePart.weight": "How often this part is drawn, relative to the other weights. A plain number above 0.",
}
