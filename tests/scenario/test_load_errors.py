"""Every message for a wrong scenario file, word for word: what is written, and the lines that come back."""

# ruff: noqa: E501 - the tables hold one case a line, however long its messages
# fmt: off

from __future__ import annotations

from pathlib import Path

import pytest

from lambdasim.errors import ScenarioError
from lambdasim.scenario.load import load

# A scenario that is right, but for what stands in place of <>.
TOP = "<>\nfunctions: {api: {duration: 1s, init: 0}}\ntraffic: {web: {function: api, rate: 1/s}}\n"
FUNCTION = "duration: 1m\nfunctions: {api: {duration: 1s, init: 0, <>}}\ntraffic: {web: {function: api, rate: 1/s}}\n"
TRAFFIC = "duration: 1m\nfunctions: {api: {duration: 1s, init: 0}}\ntraffic: {web: {function: api, <>}}\n"


def messages(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of the error for a scenario file s.yaml with this text."""
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    with pytest.raises(ScenarioError) as caught:
        load("s.yaml")
    assert [str(problem) for problem in caught.value.problems] == str(caught.value).split("\n")
    return str(caught.value).split("\n")


# the top and the region
TOP_CASES: list[tuple[str, list[str]]] = [
    ("", ["s.yaml:2:1 duration: is required (for example duration: 5m)"]),
    ("duration:", ["s.yaml:1:10 duration: must be a time, got nothing (for example 90s, 250ms or 5m)"]),
    ("duration: 90", ["s.yaml:1:11 duration: must be a time with its unit, got 90 (write 90s or 90ms)"]),
    ("duration: -1s", ["s.yaml:1:11 duration: must be a time and not negative, got -1s (for example 90s, 250ms or 5m)"]),
    ("duration: 0s", ["s.yaml:1:11 duration: must be at least 1ns, got 0s"]),
    ("duration: [1]", ["s.yaml:1:11 duration: must be a time, got a list (for example 90s, 250ms or 5m)"]),
    ("duration: 4000d", ["s.yaml:1:11 duration: must be at most 3650d, got 4000d"]),
    ("duration: 1m\nname: a b", ["s.yaml:2:7 name: must consist of letters, digits, dots, hyphens and underscores, got a b"]),
    ("duration: 1m\nname: ..", ["s.yaml:2:7 name: must hold more than dots"]),
    ("duration: 1m\nname: 5", ["s.yaml:2:7 name: must be text, got 5 (write it in quotes, \"5\")"]),
    ("duration: 1m\nname: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ["s.yaml:2:7 name: must have at most 100 characters, got aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."]),
    ("duration: 1m\nseed: 1.5", ["s.yaml:2:7 seed: must be a whole number, got 1.5"]),
    ("duration: 1m\nseed: -1", ["s.yaml:2:7 seed: must be at least 0, got -1"]),
    ("duration: 1m\nseed: 9007199254740992", ["s.yaml:2:7 seed: must be at most 9007199254740991, got 9007199254740992"]),
    ("duration: 1m\nseed: 007", ["s.yaml:2:7 seed: must be a whole number, got 007 (write 7 without the leading zero)"]),
    ("duration: 1m\nseed: 1_000", ["s.yaml:2:7 seed: must be a whole number, got 1_000 (write 1000)"]),
    ("duration: 1m\nseed: '7'", ["s.yaml:2:7 seed: must be a whole number, got \"7\" (write 7 without quotes)"]),
    ("duration: 1m\nseed: true", ["s.yaml:2:7 seed: must be a whole number, got true"]),
    ("duration: 1m\nprofile: 2026", ["s.yaml:2:10 profile: must be 2026, 2025-08, 2024 or legacy-2023, got 2026 (write it in quotes, \"2026\")"]),
    ("duration: 1m\nprofile: '2025'", ["s.yaml:2:10 profile: must be 2026, 2025-08, 2024 or legacy-2023, got \"2025\" (did you mean 2026?)"]),
    ("duration: 1m\ndescription: 3", ["s.yaml:2:14 description: must be text, got 3 (write it in quotes, \"3\")"]),
    ("duration: 1m\nregion:", ["s.yaml:2:8 region: must be a mapping, got nothing (for example {name: eu-west-1})"]),
    ("duration: 1m\nregion: {name: US}", ["s.yaml:2:16 region.name: must consist of lower-case letters, digits and hyphens, got US"]),
    ("duration: 1m\nregion: {concurrency_quota: 0}", ["s.yaml:2:29 region.concurrency_quota: must be at least 1, got 0"]),
    ("duration: 1m\nregion: {concurrency_quota: 1e9}", ["s.yaml:2:29 region.concurrency_quota: must be at most 10000000, got 1000000000"]),
    ("duration: 1m\nregion: {scaling: {burst: 1}}", ["s.yaml:2:19 region.scaling.rate: is required", "s.yaml:2:19 region.scaling.per: is required"]),
    ("duration: 1m\nregion: {scaling: 5}", ["s.yaml:2:19 region.scaling: must be a mapping or unlimited, got 5"]),
    ("duration: 1m\nregion: {scaling: {burst: 1, rate: 1, per: 1s, scope: account}}", ["s.yaml:2:55 region.scaling.scope: must be function or region, got account"]),
    ("duration: 1m\nregion: {requests_per_concurrency: 0.5}", ["s.yaml:2:36 region.requests_per_concurrency: must be a whole number or unlimited, got 0.5"]),
    ("duration: 1m\nregion: {request_rate_ramp: {start: 1.5/s, step: 5}}", ["s.yaml:2:37 region.request_rate_ramp.start: must be a whole number of requests per second, at least 1/s, got 1.5/s", "s.yaml:2:50 region.request_rate_ramp.step: must be a rate with its unit, got 5 (write 5/s or 5/min)"]),
    ("duration: 1m\nregion: {min_unreserved: 2000}", ["s.yaml:2:26 region.min_unreserved: must be at most the concurrency quota of 1000, got 2000"]),
    ("duration: 1m\nregion: {code_storage: 300}", ["s.yaml:2:24 region.code_storage: must be a size with its unit, got 300 (write 300MB)"]),
    ("duration: 1m\nregion: {code_storage: 0}", ["s.yaml:2:24 region.code_storage: must be at least 1MB, got 0"]),
    ("duration: 1m\nregion: {code_storage: unlimted}", ["s.yaml:2:24 region.code_storage: must be a size such as 512MB or 2GB, got unlimted (did you mean unlimited?)"]),
    ("duration: 1m\nslo: {}", ["s.yaml:2:6 slo: must name at least one of p50, p90, p95, p99, p999, max, mean, throttled, failed, timed_out_client, cold (for example p99: 1s)"]),
    ("duration: 1m\nslo: {p99: }", ["s.yaml:2:6 slo: must name at least one of p50, p90, p95, p99, p999, max, mean, throttled, failed, timed_out_client, cold (for example p99: 1s)"]),
    ("duration: 1m\nslo: 1s", ["s.yaml:2:6 slo: must be a mapping, got 1s"]),
    ("duration: 1m\nslo: {p99: 1, cold: 0.01}", ["s.yaml:2:12 slo.p99: must be a time with its unit, got 1 (write 1s or 1ms)", "s.yaml:2:21 slo.cold: must be a percentage with its sign, got 0.01 (write 1% if you mean the ratio 0.01)"]),
    ("duration: 1m\nslo: {max: 0s, failed: 101%}", ["s.yaml:2:12 slo.max: must be at least 1ns, got 0s", "s.yaml:2:24 slo.failed: must be between 0% and 100%, got 101%"]),
    ("duration: 1m\nslo: {p98: 1s, latency: 1s}", ["s.yaml:2:7 slo.p98: is not a known key (did you mean p99?)", "s.yaml:2:16 slo.latency: is not a known key (the keys here are p50, p90, p95, p99, p999, max, mean, throttled, failed, timed_out_client, cold)"]),
    ("duration: 1m\nqueues: []\nstreams: 5", ["s.yaml:2:9 queues: must be a mapping, got an empty list", "s.yaml:3:10 streams: must be a mapping, got 5"]),
    ("duration: 1m\nzzz: 1", ["s.yaml:2:1 zzz: is not a known key (the keys here are name, description, seed, duration, drain, profile, region, functions, queues, streams, traffic, changes, pricing, slo)"]),
    ("duration: 1m\ndrain: on", ["s.yaml:2:8 drain: must be a time such as 90s, 250ms or 5m, got on (the units are ns, us, ms, s, m, h and d)"]),
    ("duration: 1m\ndrain: yes", ["s.yaml:2:8 drain: must be a time such as 90s, 250ms or 5m, got yes (the units are ns, us, ms, s, m, h and d)"]),
    ("duration: .inf", ["s.yaml:1:11 duration: must be a time such as 90s, 250ms or 5m, got .inf (the units are ns, us, ms, s, m, h and d)"]),
    ("duration: 1m\nregion: {concurrency_quota: .nan}", ["s.yaml:2:29 region.concurrency_quota: must be a whole number or new-account, got .nan"]),
    ("duration: 1m\nname: !foo x", ["s.yaml:2:7 name: must not have a tag, got !foo"]),
    ("duration: 1m\nduration: 2m", ["s.yaml:2:1 duration: must stand only once, is also on line 1"]),
]

# a function
FUNCTION_CASES: list[tuple[str, list[str]]] = [
    ("memory: 64MB", ["s.yaml:2:50 functions.api.memory: must be between 128MB and 10240MB, as AWS demands, got 64MB"]),
    ("memory: 512", ["s.yaml:2:50 functions.api.memory: must be a size with its unit, got 512 (write 512MB)"]),
    ("memory: 1.5MB", ["s.yaml:2:50 functions.api.memory: must be a whole number of megabytes, got 1.5MB"]),
    ("memory: 5kB", ["s.yaml:2:50 functions.api.memory: must be a size such as 512MB or 2GB, got 5kB (the units are MB, GB and TB)"]),
    ("runtime: 3.13", ["s.yaml:2:51 functions.api.runtime: must be text, got 3.13 (write it in quotes, \"3.13\")"]),
    ("architecture: arm", ["s.yaml:2:56 functions.api.architecture: must be x86_64 or arm64, got arm (did you mean arm64?)"]),
    ("timeout: 1000s", ["s.yaml:2:51 functions.api.timeout: must be between 1s and 900s, as AWS demands, got 1000s"]),
    ("errors: {rate: 5}", ["s.yaml:2:57 functions.api.errors.rate: must be a percentage with its sign, got 5 (write 5%)"]),
    ("errors: {rate: 101%}", ["s.yaml:2:57 functions.api.errors.rate: must be between 0% and 100%, got 101%"]),
    ("errors: {rate: 0.1}", ["s.yaml:2:57 functions.api.errors.rate: must be a percentage with its sign, got 0.1 (write 10% if you mean the ratio 0.1)"]),
    ("errors: {rate: 60%, crash: 60%}", ["s.yaml:2:50 functions.api.errors: must have rate and crash add up to at most 100%"]),
    ("reserved_concurrency: -1", ["s.yaml:2:64 functions.api.reserved_concurrency: must be at least 0, got -1"]),
    ("reserved_concurrency: 1.5", ["s.yaml:2:64 functions.api.reserved_concurrency: must be a whole number, got 1.5"]),
    ("reserved_concurrency: all", ["s.yaml:2:64 functions.api.reserved_concurrency: must be a whole number, got all"]),
    ("assignment: Eager", ["s.yaml:2:54 functions.api.assignment: must be eager or bound, got Eager (did you mean eager?)"]),
    ("scaling: {burst: 1, rate: 1, per: 1s, scope: region}", ["s.yaml:2:80 functions.api.scaling.scope: is not a known key (the keys here are burst, rate, per)"]),
    ("idle_timeout: 0s", ["s.yaml:2:56 functions.api.idle_timeout: must be at least 1ns, got 0s"]),
    ("idle_timeout: unlimted", ["s.yaml:2:56 functions.api.idle_timeout: must be a time such as 90s, 250ms or 5m, got unlimted (did you mean unlimited?)"]),
    ("idle_timeout: {uniform: [2s, 1s]}", ["s.yaml:2:66 functions.api.idle_timeout.uniform: must name the least time first (swap the two)"]),
    ("idle_timeout: {uniform: 5m}", ["s.yaml:2:66 functions.api.idle_timeout.uniform: must be a list of two times, the least and the greatest, got 5m (for example [5m, 7m])"]),
    ("max_age: {lognormal: {p50: 1s}}", ["s.yaml:2:63 functions.api.max_age.lognormal: must have p50 and p99, p50 and sigma, or mean and sigma"]),
    ("max_age: {lognormal: {p50: 2s, p99: 1s}}", ["s.yaml:2:63 functions.api.max_age.lognormal: must have p99 at least p50"]),
    ("max_age: {gamma: {mean: 1s, cv: x}}", ["s.yaml:2:74 functions.api.max_age.gamma.cv: must be a number, got x"]),
    ("max_age: {gamma: {mean: 1s, cv: 0}}", ["s.yaml:2:74 functions.api.max_age.gamma.cv: must be above 0, got 0"]),
    ("max_age: {gamma: {mean: 1s, cv: .inf}}", ["s.yaml:2:74 functions.api.max_age.gamma.cv: must be a number, got .inf"]),
    ("max_age: {quantiles: {p50: 1s}}", ["s.yaml:2:63 functions.api.max_age.quantiles: must have p0 and p100 (they bound what can be drawn)"]),
    ("max_age: {quantiles: {p0: 1s, p101: 2s}}", ["s.yaml:2:63 functions.api.max_age.quantiles: must have keys from p0 to p100, such as p50 or p99.9; p101 is none"]),
    ("max_age: {quantiles: {p0: 2s, p100: 1s}}", ["s.yaml:2:63 functions.api.max_age.quantiles: must not fall from one percentile to the next"]),
    ("max_age: {uniform: [1s, 2s], constant: 1s}", ["s.yaml:2:51 functions.api.max_age: must name exactly one distribution; it names uniform and constant (one of constant, exponential, lognormal, gamma, uniform, empirical, quantiles, mixture)"]),
    ("max_age: {}", ["s.yaml:2:51 functions.api.max_age: must name exactly one distribution; it names none (one of constant, exponential, lognormal, gamma, uniform, empirical, quantiles, mixture)"]),
    ("max_age: true", ["s.yaml:2:51 functions.api.max_age: must be a time or a distribution, got true (for example 200ms or {lognormal: {p50: 80ms, p99: 400ms}})"]),
    ("autoscaling: {min: 1, max: 5, TargetValue: 70%}", ["s.yaml:2:55 functions.api.autoscaling.min_capacity: is required (for example min_capacity: 1)", "s.yaml:2:55 functions.api.autoscaling.max_capacity: is required (for example max_capacity: 100)", "s.yaml:2:56 functions.api.autoscaling.min: is not a known key (did you mean min_capacity?)", "s.yaml:2:64 functions.api.autoscaling.max: is not a known key (did you mean max_capacity?)", "s.yaml:2:72 functions.api.autoscaling.TargetValue: is not a known key (did you mean target?)"]),
    ("autoscaling: {min_capacity: 9, max_capacity: 5, target: 70%}", ["s.yaml:2:55 functions.api.autoscaling: must have min_capacity at most max_capacity; they are 9 and 5 (swap the two)"]),
    ("autoscaling: {min_capacity: 1, max_capacity: 5, scheduled_actions: {at: 1m, min_capacity: 2}}", ["s.yaml:2:109 functions.api.autoscaling.scheduled_actions: must be a list, got a mapping (put it in [ ])"]),
    ("snapstart: on", ["s.yaml:2:53 functions.api.snapstart: must be true, false or a mapping, got on (for example true)"]),
    ("autoscaling: 5", ["s.yaml:2:55 functions.api.autoscaling: must be a mapping, got 5 (for example {min_capacity: 1, max_capacity: 100, target: 70%})"]),
    ("max_age: {exponential: 1s}", ["s.yaml:2:65 functions.api.max_age.exponential: must be a mapping, got 1s"]),
    ("max_age: {mixture: 5}", ["s.yaml:2:61 functions.api.max_age.mixture: must be a list, got 5"]),
    ("max_age: {mixture: [{weight: 1}]}", ["s.yaml:2:62 functions.api.max_age.mixture.0: must name exactly one distribution; it names none (one of constant, exponential, lognormal, gamma, uniform, empirical, quantiles, mixture)"]),
    ("max_age: {empirical: nothing.csv}", ["s.yaml:2:63 functions.api.max_age.empirical: must be a file that exists, got nothing.csv"]),
    ("max_age: {empirical: 5}", ["s.yaml:2:63 functions.api.max_age.empirical: must be the name of a CSV file, got 5 (for example requests.csv)"]),
    ("code_size: 300MB, versions: 0", ["s.yaml:2:53 functions.api.code_size: must be between 1MB and 250MB, as AWS demands of a .zip package, got 300MB", "s.yaml:2:70 functions.api.versions: must be at least 1, got 0"]),
    ("code_size: 0.5MB", ["s.yaml:2:53 functions.api.code_size: must be a whole number of megabytes, got 0.5MB"]),
    ("code_size: 200MB, versions: 2000", ["s.yaml:2:53 functions.api.code_size: CodeStorageExceededException: Code storage limit exceeded. The functions store 390.6GB, the quota is 300GB: api 390.6GB (2,000 x 200MB). Delete at least 92,800MB, for example 464 of the 2,000 versions of api"]),
    ("async: {on_failure: q}", ["s.yaml:2:62 functions.api.async.on_failure: must be the name of a queue, got q (the queues are missing)"]),
    ("code_size: 1MB, versions: 3, snapstart: yes please, async: {}", ["s.yaml:2:82 functions.api.snapstart: must be true, false or a mapping, got yes please (for example true)"]),
    ("{a: 1}: 2", ["s.yaml:2:42 functions.api: must have text as its keys, got a list or a mapping"]),
    ("reserved_concurrency: 950", ["s.yaml:2:64 functions.api.reserved_concurrency: Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]. The functions reserve 950 of the quota of 1000; at most 900 can be reserved"]),
    ("idle_timeout: {weibull: {}}", ["s.yaml:2:56 functions.api.idle_timeout: must name a known distribution; weibull is none (the distributions are constant, exponential, lognormal, gamma, uniform, empirical, quantiles, mixture)"]),
    ("max_age: {exponential: {mean:5s}}", ["s.yaml:2:65 functions.api.max_age.exponential.mean: is required", "s.yaml:2:66 functions.api.max_age.exponential.mean:5s: is not a known key (write a space after the colon, mean: 5s)"]),
]

# a traffic source
TRAFFIC_CASES: list[tuple[str, list[str]]] = [
    ("", ["s.yaml:3:16 traffic.web: must have exactly one of rate, stages, shape, trace, virtual_users, k6, artillery or warmer; it has none of them"]),
    ("rate: 0/s", ["s.yaml:3:38 traffic.web.rate: must be above 0/s, got 0/s (leave the traffic source out if it sends nothing)"]),
    ("rate: 5", ["s.yaml:3:38 traffic.web.rate: must be a rate with its unit, got 5 (write 5/s or 5/min)"]),
    ("rate: 5/w", ["s.yaml:3:38 traffic.web.rate: must be a rate such as 20/s or 600/min, got 5/w (the units are /s, /min, /h and /d)"]),
    ("rate: 1/s, stages: []", ["s.yaml:3:51 traffic.web.stages: must have at least 1 item, got an empty list"]),
    ("rate: 1/s, start_rate: 1/s", ["s.yaml:3:16 traffic.web: must not have start_rate without stages (write stages, or drop start_rate)"]),
    ("stages: 5", ["s.yaml:3:40 traffic.web.stages: must be a list, got 5"]),
    ("stages: [5]", ["s.yaml:3:41 traffic.web.stages.0: must be a mapping, got 5"]),
    ("stages: [{duration: 1m, target: 1/s}, {target: 1/s}]", ["s.yaml:3:70 traffic.web.stages.1.duration: is required"]),
    ("trace: none.csv", ["s.yaml:3:39 traffic.web.trace: must be a file that exists, got none.csv"]),
    ("trace: 5", ["s.yaml:3:39 traffic.web.trace: must be the name of a CSV file, got 5 (for example requests.csv)"]),
    ("trace: x.csv, arrivals: poisson", ["s.yaml:3:39 traffic.web.trace: must be a file that exists, got x.csv"]),
    ("rate: 1/s, invoke: sqs", ["s.yaml:3:16 traffic.web: must have a queue beside invoke: sqs (the name of one under queues)"]),
    ("rate: 1/s, invoke: stream", ["s.yaml:3:16 traffic.web: must have a stream beside invoke: stream (the name of one under streams)"]),
    ("rate: 1/s, queue: q", ["s.yaml:3:16 traffic.web: must not have queue beside invoke: sync (write invoke: sqs)"]),
    ("rate: 1/s, invoke: async, stream: s", ["s.yaml:3:16 traffic.web: must not have stream beside invoke: async (write invoke: stream)"]),
    ("rate: 1/s, invoke: http", ["s.yaml:3:51 traffic.web.invoke: must be sync, async, sqs or stream, got http"]),
    ("rate: 1/s, invoke: async, via: alb", ["s.yaml:3:16 traffic.web: must not have via beside invoke: async (the caller of an event gets 202 at once; the function's async says more)"]),
    ("rate: 1/s, via: apigw", ["s.yaml:3:48 traffic.web.via: must be function-url, api-gateway-rest, api-gateway-http or alb, got apigw"]),
    ("rate: 1/s, via: api-gateway-htp", ["s.yaml:3:48 traffic.web.via: must be function-url, api-gateway-rest, api-gateway-http or alb, got api-gateway-htp (did you mean api-gateway-http?)"]),
    ("rate: 1/s, via: 7", ["s.yaml:3:48 traffic.web.via: must be the name of a front end or a mapping, got 7 (one of function-url, api-gateway-rest, api-gateway-http, alb)"]),
    ("rate: 1/s, via: {front_end: api-gateway-http, timeout: 31s}", ["s.yaml:3:48 traffic.web.via: must have a timeout of at most 30s for api-gateway-http (AWS allows no more)"]),
    ("rate: 1/s, via: {front_end: alb, throttle_status: 200}", ["s.yaml:3:82 traffic.web.via.throttle_status: must be at least 400, got 200"]),
    ("virtual_users: many, think_time: 1s", ["s.yaml:3:47 traffic.web.virtual_users: must be a number of users or a mapping, got many (for example 50, or {start: 0, stages: [...]})"]),
    ("virtual_users: 5", ["s.yaml:3:16 traffic.web: must have a think_time beside virtual_users (how long a user waits after an answer, for example think_time: 5s)"]),
    ("virtual_users: 5, think_time: 0s", ["s.yaml:3:62 traffic.web.think_time: must be at least 1ns, got 0s (users who send again at once: write 1ms)"]),
    ("rate: 1/s, think_time: 1s", ["s.yaml:3:16 traffic.web: must not have think_time without virtual_users"]),
    ("virtual_users: {start: 2, stages: [{duration: 1m, target: 5/s}]}, think_time: 1s", ["s.yaml:3:90 traffic.web.virtual_users.stages.0.target: must be a whole number, got 5/s"]),
    ("rate: 1/s, client: {count: 3}", ["s.yaml:3:51 traffic.web.client: must have count only beside an SDK preset that has a retry quota (for example retry: boto3-standard)"]),
    ("rate: 1/s, client: {timeout: 0s}", ["s.yaml:3:61 traffic.web.client.timeout: must be at least 1ns, got 0s"]),
    ("rate: 1/s, client: {retry: {max_attempts: unlimited, base: 0}}", ["s.yaml:3:59 traffic.web.client.retry: must have a base above 0s when max_attempts is unlimited"]),
    ("rate: 1/s, client: {retry: {max_attempts: 0, base: 1s, jiter: full}}", ["s.yaml:3:74 traffic.web.client.retry.max_attempts: must be at least 1, got 0", "s.yaml:3:87 traffic.web.client.retry.jiter: is not a known key (did you mean jitter?)"]),
    ("rate: 1/s, client: {retry: {max_attempts: unlimited, delay: 0s}}", ["s.yaml:3:59 traffic.web.client.retry: must have a delay above 0s when max_attempts is unlimited"]),
    ("rate: 1/s, client: {retry: {delays: 5}}", ["s.yaml:3:68 traffic.web.client.retry.delays: must be a list, got 5"]),
    ("rate: 1/s, client: {retry: {delays: [5], max_attempts: 1}}", ["s.yaml:3:69 traffic.web.client.retry.delays.0: must be a time with its unit, got 5 (write 5s or 5ms)", "s.yaml:3:73 traffic.web.client.retry.max_attempts: must not stand beside delays"]),
    ("rate: 1/s, client: {retry: always}", ["s.yaml:3:59 traffic.web.client.retry: must be none, boto3-legacy, boto3-standard, boto3-adaptive, js-v3, boto3-standard-2026, boto3-adaptive-2026, js-v3-2026 or a mapping, got always"]),
    ("rate: 1/s, client: {retry: boto3-standart}", ["s.yaml:3:59 traffic.web.client.retry: must be none, boto3-legacy, boto3-standard, boto3-adaptive, js-v3, boto3-standard-2026, boto3-adaptive-2026, js-v3-2026 or a mapping, got boto3-standart (did you mean boto3-standard?)"]),
    ("rate: 1/s, client: {retry: 3}", ["s.yaml:3:59 traffic.web.client.retry: must be none, the name of an SDK or a mapping, got 3 (for example boto3-standard or {max_attempts: 3, base: 1s, cap: 20s, jitter: full})"]),
    ("rate: 1/s, client: {retry: {preset: js-v3, base: 1s}}", ["s.yaml:3:75 traffic.web.client.retry.base: must not stand beside preset"]),
]

# YAML itself, and what needs a whole file
WHOLE_CASES: list[tuple[str, list[str]]] = [
    ("a: [1, 2\nb: 3\n", ["s.yaml:2:2: must be valid YAML: a list in [ ] must have commas between its items and a ] at its end"]),
    ("a: {b: 1\nc: 2\n", ["s.yaml:2:2: must be valid YAML: a mapping in { } must have commas between its keys and a } at its end"]),
    ("a:\n\tb: 1\n", ["s.yaml:2:1: must be indented with spaces, not with tabs"]),
    ("a: b: c\n", ["s.yaml:1:5: must be valid YAML: a colon is not allowed here (check the indentation, or put the text in quotes)"]),
    ("a: 'open\n", ["s.yaml:2:1: must be valid YAML: a quoted text must have a quote at its end"]),
    ("a: @x\n", ["s.yaml:1:4: must be valid YAML: a value must not start with this character (put the text in quotes)"]),
    ("a: *nowhere\n", ["s.yaml:1:4: must be valid YAML: an alias must name an anchor that stands above it"]),
    ("a\nb: 1\n", ["s.yaml:2:2: must be valid YAML: a colon is not allowed here (check the indentation, or put the text in quotes)"]),
    ("a: 1\n  b: 2\n", ["s.yaml:2:4: must be valid YAML: a colon is not allowed here (check the indentation, or put the text in quotes)"]),
    ("- 1\n", ["s.yaml:1:1: must be a mapping, got a list"]),
    ("just text\n", ["s.yaml:1:1: must be a mapping, got just text"]),
    ("", ["s.yaml: must hold a scenario; this file is empty"]),
    ("# only a comment\n", ["s.yaml: must hold a scenario; this file is empty"]),
    ("a: 1\n---\nb: 2\n", ["s.yaml:2:1: must hold one YAML document only, got a second one"]),
    ("a: !!python/object:os.system x\n", ["s.yaml:1:1 duration: is required (for example duration: 5m)", "s.yaml:1:1 functions: is required (for example functions: {api: {duration: 200ms, init: 400ms}})", "s.yaml:1:1 traffic: is required (for example traffic: {web: {function: api, rate: 20/s}})", "s.yaml:1:1 a: is not a known key (the keys here are name, description, seed, duration, drain, profile, region, functions, queues, streams, traffic, changes, pricing, slo)", "s.yaml:1:4 a: must not have a tag, got !!python/object:os.system"]),
    ("a: \"\\q\"\n", ["s.yaml:1:6: must be valid YAML: text in double quotes must not hold an unknown escape (use single quotes)"]),
    ("a: &a [*a]\n", ["s.yaml:1:4: must not hold itself through an alias"]),
    ("a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", ["s.yaml:1:53: must not be nested more than 50 deep"]),
    ("a: \u0007\n", ["s.yaml:1:4: must not hold the control character U+0007"]),
    ("functions: {}\ntraffic: []\nduration: 1m\n", ["s.yaml:1:12 functions: must name at least one function, got an empty mapping", "s.yaml:2:10 traffic: must be a mapping, got an empty list"]),
    ("duration: 1m\nfunctions: {'a b': {duration: 1s, init: 0}}\ntraffic: {'x/y': {function: 'a b', rate: 1/s}}\n", ["s.yaml:2:13 functions.a b: must have a name of at most 64 letters, digits, dots, hyphens and underscores", "s.yaml:3:11 traffic.x/y: must have a name of at most 64 letters, digits, dots, hyphens and underscores"]),
    ("duration: 1m\nfunctions: {api: 5}\ntraffic: {web: 5}\n", ["s.yaml:2:18 functions.api: must be a mapping, got 5", "s.yaml:3:16 traffic.web: must be a mapping, got 5"]),
    ("duration: 1m\nfunctions: {api: {duration: 1s}}\ntraffic: {web: {rate: 1/s}}\n", ["s.yaml:2:18 functions.api.init: is required (for example init: 400ms, or runtime: python3.13)", "s.yaml:3:16 traffic.web.function: is required"]),
    ("duration: 1m\nfunctions: {api: {duration: 1s, runtime: python3.9}}\ntraffic: {web: {function: 12, rate: 1/s}}\n", ["s.yaml:2:18 functions.api.init: is required: no init of python3.9 is known (known are python3.12, python3.13, python3.14; or write init: 400ms)", "s.yaml:3:27 traffic.web.function: must be text, got 12 (write it in quotes, \"12\")"]),
    ("duration: 1m\nfunctions: {api: {duration: 1s, init: {mixture: [{weight: 0, exponential: {mean: 5}}, {exponential: {man: 1s}}]}}}\ntraffic: {web: {function: ap, rate: 1/s}}\n", ["s.yaml:2:59 functions.api.init.mixture.0.weight: must be above 0, got 0", "s.yaml:2:82 functions.api.init.mixture.0.exponential.mean: must be a time with its unit, got 5 (write 5s or 5ms)", "s.yaml:2:87 functions.api.init.mixture.1.weight: is required", "s.yaml:2:101 functions.api.init.mixture.1.exponential.mean: is required", "s.yaml:2:102 functions.api.init.mixture.1.exponential.man: is not a known key (did you mean mean?)", "s.yaml:3:27 traffic.web.function: must be the name of a function, got ap (did you mean api?)"]),
]

# fmt: on

CASES = [
    *((TOP.replace("<>", part), lines) for part, lines in TOP_CASES),
    *((FUNCTION.replace("<>", part), lines) for part, lines in FUNCTION_CASES),
    *((TRAFFIC.replace("<>", part), lines) for part, lines in TRAFFIC_CASES),
    *WHOLE_CASES,
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_message(text: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake gives its lines: FILE:LINE:COLUMN PATH: rule, got value (hint)."""
    assert messages(text, tmp_path, monkeypatch) == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_no_word_of_the_libraries_comes_through(
    text: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users never see a class name, a URL or the wording of pydantic."""
    told = "\n".join(messages(text, tmp_path, monkeypatch))
    assert not [word for word in ("pydantic", "://", "Input should", "Value error", "Field required") if word in told]
