"""The JSON Schema says of each text what the loader says of it, and editors understand it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from lambdasim.errors import ScenarioError
from lambdasim.scenario.json_schema import scenario_schema
from lambdasim.scenario.load import load
from lambdasim.scenario.yaml_reader import read_text
from lambdasim.units import parse_duration

SCHEMA = scenario_schema()
VALIDATOR = Draft7Validator(SCHEMA)
ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
REFUSED = sorted((ROOT / "scenarios" / "refused").glob("*.yaml"))

# Scenarios that are right, but for what stands in place of <>.
TOP = "duration: 1m\n<>\nfunctions: {api: {duration: 1s, init: 0}}\ntraffic: {web: {function: api, rate: 1/s}}\n"
FUNCTION = "duration: 1m\nfunctions: {api: {init: 0, <>}}\ntraffic: {web: {function: api, rate: 1/s}}\n"
BARE = FUNCTION.replace("init: 0, <>", "<>")
TRAFFIC = "duration: 1m\nfunctions: {api: {duration: 1s, init: 0}}\ntraffic: {web: {function: api, <>}}\n"

# The same for a queue q and its mapping, for a stream s and its mapping.
QUEUE = (
    "duration: 1m\nfunctions: {api: {duration: 1s, init: 0, timeout: 5s}}\n"
    "queues: {q: {event_source_mapping: {function: api}, <>}, d: {}, f: {fifo: {message_groups: 3}}}\n"
    "traffic: {web: {invoke: sqs, queue: q, rate: 1/s}}\n"
)
MAPPING = QUEUE.replace("function: api}, <>", "function: api, <>}")
STREAM = (
    "duration: 1m\nfunctions: {api: {duration: 1s, init: 0}}\nqueues: {d: {}}\n"
    "streams: {s: {event_source_mapping: {function: api}, <>}}\n"
    "traffic: {web: {invoke: stream, stream: s, rate: 1/s}}\n"
)
STREAM_MAPPING = STREAM.replace("function: api}, <>", "function: api, <>}")
SENDER = QUEUE.replace(", <>", "").replace("invoke: sqs, queue: q, rate: 1/s", "<>")

GOOD: list[Any] = [
    (TOP, ""),
    (TOP, "name: a.b-c_1\ndescription: ''\nseed: 9007199254740991\ndrain: 0"),
    (TOP, "profile: legacy-2023\nregion: {name: eu-west-1, concurrency_quota: new-account, min_unreserved: 0}"),
    (TOP, "region: {scaling: legacy, request_rate_ramp: unlimited, requests_per_concurrency: unlimited}"),
    (TOP, "region: {scaling: {burst: 1e3, rate: 10, per: 10s}, request_rate_ramp: {start: 600/min, step: 1e3/s}}"),
    (TOP, "region: {scaling: {burst: 1, rate: 1, per: 1m30s, scope: region}}\nseed:"),
    (FUNCTION, "duration: 200ms"),
    (FUNCTION, "duration: ' 1 m 30 s ', max_age: 0, errors: {}"),
    (FUNCTION, "duration: {constant: 5µs}, idle_timeout: unlimited, max_age: unlimited"),
    (FUNCTION, "duration: {exponential: {mean: 1.5e-3s}}, errors: {poison: 0, crash: 100.0%}"),
    (FUNCTION, "duration: {lognormal: {p50: 1ms, p99: 1s}}, max_age: {lognormal: {mean: 1h, sigma: 0.5}}"),
    (FUNCTION, "duration: {lognormal: {p50: 1ms, sigma: 1}}, idle_timeout: {gamma: {mean: 5m, cv: 2}}"),
    (FUNCTION, "duration: {uniform: [0, 7m]}, timeout: 900s, memory: 2GB, runtime: python3.13"),
    (FUNCTION, "duration: {empirical: [80ms, 95ms]}, reserved_concurrency: 0, architecture: arm64"),
    (FUNCTION, "duration: {empirical: samples.csv}, runtime: , reserved_concurrency: "),
    (FUNCTION, "duration: {quantiles: {p0: 0, p50: 80ms, p99.9: 1s, p100: 2s}}, assignment: bound, reuse: lru"),
    (FUNCTION, "duration: {mixture: [{weight: 0.9, exponential: {mean: 1s}}, {constant: 1s, weight: 1}]}"),
    (FUNCTION, "duration: {mixture: [{weight: 1, mixture: [{weight: 2, uniform: [1s, 2s]}]}]}, scaling: unlimited"),
    (FUNCTION, "duration: 1s, scaling: {burst: 5, rate: 1, per: 1s}"),
    (FUNCTION, "duration: 1s, timeout: 14m60s, memory: 0.125GB, code_size: 250MB, versions: 7"),
    (FUNCTION, "duration: 1s, timeout: 1000ms, memory: 10240MB, code_size: "),
    (BARE, "duration: 1s, runtime: python3.13"),
    (BARE, "duration: 1s, runtime: java21, architecture: arm64, package: zip, init: "),
    (BARE, "duration: 1s, runtime: go, package: image, sandbox: 0"),
    (BARE, "duration: 1s, runtime: python3.9, init: 400ms, sandbox: {uniform: [0, 1s]}"),
    (BARE, "duration: 1s, runtime: java11, snapstart: true"),
    (BARE, "duration: 1s, runtime: java11, snapstart: {restore: {lognormal: {p50: 1s, p99: 2s}}, billed: 16%}"),
    (FUNCTION, "duration: 1s, runtime: nodejs22.x, snapstart: false"),
    (FUNCTION, "duration: 1s, snapstart: "),
    (FUNCTION, "duration: {cpu: 80ms}"),
    (FUNCTION, "duration: {cpu: {exponential: {mean: 80ms}}, io: 0, threads: 6}, memory: 10GB"),
    (TOP, "changes: [{at: 5s, functions: {api: {duration: {cpu: 80ms, io: 1s}}}}]"),
    (FUNCTION, "duration: 1s, provisioned_concurrency: 0, provisioned_allocation: unlimited"),
    (FUNCTION, "duration: 1s, provisioned_allocation: {prepare: {uniform: [1m, 2m]}, rate: 6000, per: 1m}"),
    (FUNCTION, "duration: 1s, provisioned_allocation: {rate: 600}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 0, max_capacity: 9, target: 72.5%, statistic: maximum}"),
    (
        FUNCTION,
        "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2, scheduled_actions: [{at: 10s, max_capacity: 5},"
        " {schedule: 'cron(50 8 ? * MON-FRI *)', starts: monday 08:00, min_capacity: 2, max_capacity: 2}]}",
    ),
    (TOP, "changes: [{at: 30s, functions: {api: {provisioned_concurrency: 5}}}]"),
    (TOP, "changes: [{at: 30s, functions: {api: {provisioned_concurrency: none}}}]"),
    (TOP, "region: {code_storage: 1TB}"),
    (TOP, "region: {code_storage: unlimited}"),
    (TOP, "slo: {p50: 1s, p999: , max: 1h, mean: 0.5s, throttled: 0, failed: 0.1%, timed_out_client: 100%, cold: 1%}"),
    (TOP, "slo:"),
    (TRAFFIC, "rate: 600/min, arrivals: uniform, invoke: sync, client: {}"),
    (TRAFFIC, "start_rate: 0, stages: [{duration: 0, target: 0/s}, {duration: 1m, target: 5/s, name: up}]"),
    (TRAFFIC, "stages: [{duration: 1m, target: 5/h}], rate: "),
    (TRAFFIC, "shape: {spike: {baseline: 5/s, peak: 300/s, at: 10s, ramp: 5s, hold: 20s}}"),
    (TRAFFIC, "trace: trace.csv, client: {timeout: 29s, retry: none}"),
    (TRAFFIC, "shape: {ramp: {target: 500/s, ramp: 20s}}"),
    (TRAFFIC, "shape: {steps: {start: 0, step: 10/s, steps: 9, every: 1s}}"),
    (
        TRAFFIC,
        "shape: {diurnal: {trough: 20/s, peak: 300/s, peak_at: 9h30m, weekend: 60%, starts: Sat 08:30, day: 1m}}",
    ),
    (TRAFFIC, "shape: {diurnal: {trough: 0, peak: 300/s, peak_at: 0, starts: SUNDAY}}"),
    (TRAFFIC, "shape: {burst: {baseline: 1/s, peak: 200/s, every: 5m, length: 10s, at: 0s}}"),
    (TRAFFIC, "shape: {cron: {schedule: '*/5 * * * *', requests: 500, over: 1m, starts: monday 0:00}}"),
    (TRAFFIC, "shape: {spike: , burst: {peak: 2/s, every: 1s, length: 1s}}"),
    (TRAFFIC, "rate: 1/s, arrivals: {gamma: {cv: 0.5}}"),
    (TRAFFIC, "rate: 1/s, arrivals: {mmpp: {ratio: 10, quiet: 50s, busy: 10s}}"),
    (TRAFFIC, "k6: {executor: constant-arrival-rate, rate: 30, timeUnit: 1m, duration: 30000, preAllocatedVUs: 2}"),
    (TRAFFIC, "k6: {executor: ramping-arrival-rate, startRate: 3, stages: [{target: 5, duration: '0'}], env: {A: b}}"),
    (TRAFFIC, "k6: {executor: constant-vus, vus: 10, duration: 1m30s, startTime: 500}, think_time: 1s"),
    (TRAFFIC, "k6: {stages: [{target: 5, duration: 10s}]}, think_time: {exponential: {mean: 1s}}"),
    (TRAFFIC, "k6: {vus: 5, duration: 10s, gracefulStop: 0s}, think_time: 1s"),
    (TRAFFIC, "artillery: [{duration: 60, arrivalRate: 5, rampTo: 7.5, name: up}, {pause: 5m}], arrivals: poisson"),
    (TRAFFIC, "artillery: {phases: [{duration: '60', arrivalCount: 5, maxVusers: 3}]}"),
    (TRAFFIC, "rate: 1/s, client: {timeout: unlimited, retry: {max_attempts: unlimited, base: 1s}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: 4, base: 0, cap: 20s, jitter: equal}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: 4, base: 1s, cap: unlimited, jitter: none}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {delays: [200ms, 0]}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: 3, delay: {exponential: {mean: 1s}}}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: boto3-standard}"),
    (TRAFFIC, "rate: 1/s, client: {retry: js-v3-2026, count: 40, timeout: 60s}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {preset: boto3-adaptive, max_attempts: 10}, count: 2}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {preset: boto3-legacy}}"),
    (TRAFFIC, "rate: 1/s, via: api-gateway-rest"),
    (TRAFFIC, "rate: 1/s, via: {front_end: alb, timeout: unlimited, throttle_status: 503}"),
    (TRAFFIC, "rate: 1/s, via:"),
    (TRAFFIC, "virtual_users: 50, think_time: 5s"),
    (TRAFFIC, "warmer: {every: 5m}"),
    (TRAFFIC, "warmer: {every: 5m, concurrency: 3, duration: 50ms, starts: 0s, stagger: 10ms}, client: {timeout: 1s}"),
    (TRAFFIC, "warmer: {every: 5m, duration: {uniform: [1ms, 9ms]}}, invoke: async, rate:"),
    (TRAFFIC, "warmer: {every: 5m}, via: function-url"),
    (TRAFFIC, "rate: 1/s, invoke: async"),
    (TRAFFIC, "rate: 1/s, invoke: async, client: {}, via:"),
    (
        FUNCTION,
        "duration: 1s, async: {maximum_event_age: 1h, maximum_retry_attempts: 0, jitter: none, slow_down: none}",
    ),
    (FUNCTION, "duration: 1s, async: {dispatch_delay: 0s, slow_down: {share: 25%}}"),
    (FUNCTION, "duration: 1s, async: {}"),
    (
        TRAFFIC,
        "virtual_users: {start: 1, stages: [{duration: 0, target: 5, name: up}]}, think_time: {uniform: [1s, 9s]}",
    ),
    (TOP, "region: {api_gateway: unlimited}"),
    (TOP, "region: {api_gateway: {rate: 2500/s, burst: 1250}}"),
    (TOP, "queues: {}\nstreams: {}"),
    (QUEUE, "visibility_timeout: 12h, retention: 14d, delay: 15m, message_size: 1MB"),
    (QUEUE, "visibility_timeout: 5s, retention: 60s, delay: 0, message_size: 1B"),
    (QUEUE, "max_receive_count: 3, dead_letter: d, fifo: "),
    (QUEUE, "max_receive_count: 3, dead_letter: f, fifo: {message_groups: 1}"),
    (MAPPING, "batch_size: 10000, batch_window: 29s, duration_per: message, partial_batch_failures: true"),
    (MAPPING, "maximum_concurrency: 1000, scale_in: 0, back_off: none, throttle_retry: {jitter: none}"),
    (MAPPING, "scaling: unlimited, back_off: {share: 50%}, throttle_retry: {base: 1s, cap: 5s, jitter: equal}"),
    (MAPPING, "scaling: {start: 5, rate: 60, per: 1m, max: 1000}, provisioned_pollers: {minimum: 200, maximum: 2000}"),
    (MAPPING, "provisioned_pollers: {}, maximum_concurrency: "),
    (STREAM, "kind: dynamodb, shards: 3, retention: 1d, partition_keys: 100, record_size: 10MB"),
    (STREAM, "retention: 365d, partition_keys: "),
    (
        STREAM_MAPPING,
        "batch_size: 10000, batch_window: 300s, parallelization_factor: 10, maximum_retry_attempts: 10000",
    ),
    (STREAM_MAPPING, "maximum_retry_attempts: -1, maximum_record_age: -1"),
    (STREAM_MAPPING, "maximum_retry_attempts: 0, maximum_record_age: 7d, bisect_on_error: true, on_failure: d"),
    (STREAM_MAPPING, "maximum_retry_attempts: unlimited, maximum_record_age: unlimited, duration_per: record"),
    (STREAM_MAPPING, "poll_interval: 200ms, retry: {base: 100ms, cap: 1s}, partial_batch_failures: false"),
    (SENDER, "invoke: sqs, queue: q, function: api, rate: 1/s, client: {}"),
    (SENDER, "invoke: sqs, function: api, rate: 1/s"),
    (
        FUNCTION.replace("traffic:", "queues: {d: {}, e: {}}\ntraffic:"),
        "duration: 1s, async: {on_success: d, on_failure: e}",
    ),
    (FUNCTION.replace("traffic:", "queues: {d: {}}\ntraffic:"), "duration: 1s, async: {dead_letter: d}"),
    (QUEUE.replace("<>", "max_receive_count: 5, dead_letter: d") + "<>", "changes: [{at: 1s, redrive: d}]"),
    (
        QUEUE.replace("<>", "max_receive_count: 5, dead_letter: d") + "<>",
        "changes: [{at: 1s, redrive: {queue: d, rate: 60/min}}]",
    ),
]

BAD: list[Any] = [
    (TOP, "name: a b"),
    (TOP, "name: '..'"),
    (TOP, "seed: -1"),
    (TOP, "seed: '7'"),
    (TOP, "drain: 90"),
    (TOP, "drain: 1:30"),
    (TOP, "drain: 5 parsecs"),
    (TOP, "profile: 2026"),
    (TOP, "profile: '2019'"),
    (TOP, "region:"),
    (TOP, "region: {name: US}"),
    (TOP, "region: {concurrency_quota: 0}"),
    (TOP, "region: {concurrency_quota: old-account}"),
    (TOP, "region: {scaling: {burst: 1}}"),
    (TOP, "region: {scaling: fast}"),
    (TOP, "region: {request_rate_ramp: {start: 1.5/s, step: 1/s}}"),
    (TOP, "region: {code_storage: 300}"),
    (TOP, "region: {code_storage: 0GB}"),
    (TOP, "region: {code_storage: none}"),
    (TOP, "slo: {}"),
    (TOP, "slo: {p99: }"),
    (TOP, "slo: {p99: 1}"),
    (TOP, "slo: {p99: 0s}"),
    (TOP, "slo: {p98: 1s}"),
    (TOP, "slo: {throttled: 0.001}"),
    (FUNCTION, "duration: 0s"),
    (FUNCTION, "duration: {constant: 0}"),
    (FUNCTION, "duration: 200"),
    (FUNCTION, "duration: unlimited"),
    (FUNCTION, "memory: 512MB"),
    (FUNCTION, "duration: 1s, memory: 512"),
    (FUNCTION, "duration: 1s, memory: 127MB"),
    (FUNCTION, "duration: 1s, memory: 10241MB"),
    (FUNCTION, "duration: 1s, memory: 11GB"),
    (FUNCTION, "duration: 1s, timeout: 999ms"),
    (FUNCTION, "duration: 1s, timeout: 901s"),
    (FUNCTION, "duration: 1s, timeout: 1m 16m"),
    (FUNCTION, "duration: 1s, code_size: 0MB"),
    (FUNCTION, "duration: 1s, code_size: 251MB"),
    (FUNCTION, "duration: 1s, code_size: 1MB, versions: 0"),
    (FUNCTION, "duration: 1s, timeout: 0"),
    (FUNCTION, "duration: 1s, idle_timeout: 0"),
    (FUNCTION, "duration: 1s, errors: {rate: 0.1}"),
    (FUNCTION, "duration: 1s, errors: {rate: 101%}"),
    (BARE, "duration: 1s"),
    (BARE, "duration: 1s, init: "),
    (BARE, "duration: 1s, runtime: "),
    (BARE, "duration: 1s, runtime: python3.9"),
    (BARE, "duration: 1s, runtime: ruby3.4, architecture: arm64"),
    (BARE, "duration: 1s, runtime: ruby3.4, package: image"),
    (BARE, "duration: 1s, snapstart: false"),
    (FUNCTION, "duration: 1s, sandbox: 5"),
    (FUNCTION, "duration: 1s, sandbox: unlimited"),
    (FUNCTION, "duration: 1s, package: jar"),
    (FUNCTION, "duration: 1s, runtime: java21, snapstart: {restore: unlimited}"),
    (FUNCTION, "duration: 1s, runtime: java21, snapstart: {billed: 0.45}"),
    (FUNCTION, "duration: 1s, runtime: java21, snapstart: 'yes'"),
    (FUNCTION, "duration: {io: 80ms}"),
    (FUNCTION, "duration: {cpu: 80}"),
    (FUNCTION, "duration: {cpu: 80ms, threads: 7}"),
    (FUNCTION, "duration: {cpu: 80ms, constant: 1s}"),
    (FUNCTION, "duration: 1s, provisioned_concurrency: -1"),
    (FUNCTION, "duration: 1s, provisioned_concurrency: 1.5"),
    (FUNCTION, "duration: 1s, provisioned_allocation: slow"),
    (FUNCTION, "duration: 1s, provisioned_allocation: {prepare: 1m, rate: 0, per: 1m}"),
    (FUNCTION, "duration: 1s, autoscaling: {}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2, target: 5%}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2, target: 95%}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2, scheduled_actions: []}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2, scheduled_actions: [{at: 1m}]}"),
    (FUNCTION, "duration: 1s, autoscaling: {min_capacity: 1, max_capacity: 2, scheduled_actions: [{min_capacity: 1}]}"),
    (FUNCTION, "duration: 1s, scaling: {burst: 1, rate: 1, per: 1s, scope: region}"),
    (FUNCTION, "duration: {lognormal: {p50: 1s}}"),
    (FUNCTION, "duration: {lognormal: {p50: 1s, p99: 2s, sigma: 1}}"),
    (FUNCTION, "duration: {gamma: {mean: 1s, cv: 0}}"),
    (FUNCTION, "duration: {uniform: [1s]}"),
    (FUNCTION, "duration: {empirical: []}"),
    (FUNCTION, "duration: {quantiles: {p0: 1s, p101: 2s, p100: 2s}}"),
    (FUNCTION, "duration: {quantiles: {p50: 1s}}"),
    (FUNCTION, "duration: {mixture: [{exponential: {mean: 1s}}]}"),
    (FUNCTION, "duration: {mixture: [{weight: 0, exponential: {mean: 1s}}]}"),
    (FUNCTION, "duration: {uniform: [1s, 2s], constant: 1s}"),
    (FUNCTION, "duration: {weibull: {mean: 1s}}"),
    (TRAFFIC, ""),
    (TRAFFIC, "rate: 0/s"),
    (TRAFFIC, "rate: 5"),
    (TRAFFIC, "rate: 5/w"),
    (TRAFFIC, "rate: 1/s, stages: [{duration: 1m, target: 5/s}]"),
    (TRAFFIC, "rate: 1/s, start_rate: 1/s"),
    (TRAFFIC, "stages: []"),
    (TRAFFIC, "stages: [{target: 5/s}]"),
    (TRAFFIC, "shape: {ramp: {}}"),
    (TRAFFIC, "shape: {}"),
    (TRAFFIC, "shape: {spike: }"),
    (TRAFFIC, "shape: {ramp: {target: 5/s, ramp: 1s}, burst: {peak: 2/s, every: 1s, length: 1s}}"),
    (TRAFFIC, "shape: {steps: {start: 0, step: 10/s, steps: 0, every: 1s}}"),
    (TRAFFIC, "shape: {steps: {start: 0, step: 0, steps: 1, every: 1s}}"),
    (TRAFFIC, "shape: {diurnal: {trough: 20/s, peak: 300/s, starts: someday}}"),
    (TRAFFIC, "shape: {diurnal: {trough: 20/s, peak: 300/s, starts: 8:30}}"),
    (TRAFFIC, "shape: {diurnal: {trough: 20/s, peak: 300/s, starts: mon 8:60}}"),
    (TRAFFIC, "shape: {diurnal: {trough: 20/s, peak: 300/s, day: 0s}}"),
    (TRAFFIC, "shape: {diurnal: {trough: 20/s, peak: 300/s, weekend: 0.6}}"),
    (TRAFFIC, "shape: {burst: {peak: 200/s, every: 0s, length: 10s}}"),
    (TRAFFIC, "shape: {cron: {schedule: '* * * * *', requests: 0}}"),
    (TRAFFIC, "shape: {cron: {requests: 5}}"),
    (TRAFFIC, "rate: 1/s, arrivals: gamma"),
    (TRAFFIC, "rate: 1/s, arrivals: {gamma: {cv: 0}}"),
    (TRAFFIC, "rate: 1/s, arrivals: {gamma: {cv: 1}, mmpp: {ratio: 2, quiet: 1s, busy: 1s}}"),
    (TRAFFIC, "rate: 1/s, arrivals: {mmpp: {ratio: 1, quiet: 1s, busy: 1s}}"),
    (TRAFFIC, "rate: 1/s, arrivals: {mmpp: {ratio: 2, quiet: 0s, busy: 1s}}"),
    (TRAFFIC, "k6: {}"),
    (TRAFFIC, "k6: {executor: shared-iterations, vus: 3}"),
    (TRAFFIC, "k6: {executor: constant-arrival-rate, rate: 5/s, duration: 1m}"),
    (TRAFFIC, "k6: {executor: constant-arrival-rate, rate: 5, duration: 0}"),
    (TRAFFIC, "k6: {executor: constant-arrival-rate, rate: 5, duration: 1m, stages: []}"),
    (TRAFFIC, "k6: {executor: constant-arrival-rate, rate: 5, duration: 1m}, think_time: 1s"),
    (TRAFFIC, "k6: {executor: constant-arrival-rate, rate: 5, duration: 1m}, rate: 1/s"),
    (TRAFFIC, "k6: {executor: constant-vus, vus: 5, duration: 1m}"),
    (TRAFFIC, "k6: {vus: 5, duration: 1m}, think_time: 1s, arrivals: poisson"),
    (TRAFFIC, "k6: {vus: 0, duration: 1m}, think_time: 1s"),
    (TRAFFIC, "artillery: []"),
    (TRAFFIC, "artillery: [{duration: 60}]"),
    (TRAFFIC, "artillery: [{arrivalRate: 5}]"),
    (TRAFFIC, "artillery: [{duration: 60, arrivalRate: 5, arrivalCount: 5}]"),
    (TRAFFIC, "artillery: [{duration: 60, arrivalCount: 5, rampTo: 5}]"),
    (TRAFFIC, "artillery: [{duration: 60, pause: 5}]"),
    (TRAFFIC, "artillery: [{duration: 60, rampTo: 5}]"),
    (TRAFFIC, "artillery: {phases: [{duration: 60s, arrivalRate: 5/s}]}"),
    (TRAFFIC, "artillery: {phase: [{duration: 60s, arrivalRate: 5}]}"),
    (TRAFFIC, "trace: trace.csv, arrivals: poisson"),
    (TRAFFIC, "rate: 1/s, invoke: http"),
    (TRAFFIC, "rate: 1/s, invoke: async, via: alb"),
    (TRAFFIC, "rate: 1/s, invoke: async, client: {timeout: 3s}"),
    (TRAFFIC, "rate: 1/s, invoke: async, client: {retry: {delays: [1s]}}"),
    (TRAFFIC, "virtual_users: 3, think_time: 1s, invoke: async"),
    (FUNCTION, "duration: 1s, async: {maximum_retry_attempts: 3}"),
    (FUNCTION, "duration: 1s, async: {jitter: half}"),
    (FUNCTION, "duration: 1s, async: {slow_down: off}"),
    (FUNCTION, "duration: 1s, async: {slow_down: {share: 2}}"),
    (FUNCTION, "duration: 1s, async: {dispatch_delay: 5}"),
    (FUNCTION, "duration: 1s, async: {retries: 1}"),
    (TRAFFIC, "rate: 1/s, client: {timeout: 0}"),
    (TRAFFIC, "rate: 1/s, client: {retry: boto3}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {preset: js}}"),
    (TRAFFIC, "rate: 1/s, client: {count: 2}"),
    (TRAFFIC, "rate: 1/s, client: {retry: none, count: 2}"),
    (TRAFFIC, "rate: 1/s, client: {retry: boto3-legacy, count: 2}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {preset: boto3-legacy}, count: 2}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: 3, base: 1s}, count: 2}"),
    (TRAFFIC, "rate: 1/s, client: {retry: js-v3, count: 0}"),
    (TRAFFIC, "rate: 1/s, via: cloudfront"),
    (TRAFFIC, "rate: 1/s, via: {timeout: 3s}"),
    (TRAFFIC, "rate: 1/s, via: {front_end: alb, throttle_status: 200}"),
    (TRAFFIC, "virtual_users: 5"),
    (TRAFFIC, "virtual_users: 0, think_time: 1s"),
    (TRAFFIC, "virtual_users: 2000000, think_time: 1s"),
    (TRAFFIC, "virtual_users: 5, think_time: 1s, rate: 1/s"),
    (TRAFFIC, "virtual_users: 5, think_time: 1s, arrivals: uniform"),
    (TRAFFIC, "warmer: {}"),
    (TRAFFIC, "warmer: 5m"),
    (TRAFFIC, "warmer: {every: 0s}"),
    (TRAFFIC, "warmer: {every: 5m, concurrency: 0}"),
    (TRAFFIC, "warmer: {every: 5m, duration: 0s}"),
    (TRAFFIC, "warmer: {every: 5m, start: 1m}"),
    (TRAFFIC, "warmer: {every: 5m}, rate: 1/s"),
    (TRAFFIC, "warmer: {every: 5m}, arrivals: uniform"),
    (TRAFFIC, "warmer: {every: 5m}, think_time: 1s"),
    (SENDER, "warmer: {every: 5m}, invoke: sqs, queue: q"),
    (TRAFFIC, "rate: 1/s, think_time: 1s"),
    (TOP, "region: {api_gateway: {rate: 1.5/s, burst: 1}}"),
    (TOP, "region: {api_gateway: fast}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: 0, base: 1s}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: unlimited, base: 0}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {max_attempts: unlimited, delay: 0s}}"),
    (TRAFFIC, "rate: 1/s, client: {retry: {delays: [1s], max_attempts: 2}}"),
    (TOP, "queues: []"),
    (TOP, "streams: {s: {shards: 2}}"),
    (QUEUE, "visibility_timeout: 30"),
    (QUEUE, "retention: 345600"),
    (QUEUE, "max_receive_count: 0, dead_letter: d"),
    (QUEUE, "max_receive_count: 1001, dead_letter: d"),
    (QUEUE, "fifo: true"),
    (QUEUE, "fifo: {}"),
    (QUEUE, "message_size: 300"),
    (QUEUE, "message_size: 0"),
    (QUEUE, "message_size: 0KB"),
    (QUEUE, "event_source: {}"),
    (MAPPING, "batch_size: 0"),
    (MAPPING, "batch_size: 10001, batch_window: 5s"),
    (MAPPING, "batch_window: 5"),
    (MAPPING, "maximum_concurrency: 1"),
    (MAPPING, "maximum_concurrency: 1001"),
    (MAPPING, "duration_per: record"),
    (MAPPING, "scaling: off"),
    (MAPPING, "scaling: {start: 5, rate: 60, per: 1m}"),
    (MAPPING, "scaling: {start: 100001, rate: 1, per: 1m, max: 100001}"),
    (MAPPING, "scale_in: 0.1"),
    (MAPPING, "back_off: 70%"),
    (MAPPING, "back_off: "),
    (MAPPING, "partial_batch_failures: yes"),
    (STREAM_MAPPING, "bisect_on_error: 1"),
    (MAPPING, "throttle_retry: {jitter: some}"),
    (MAPPING, "provisioned_pollers: 5"),
    (MAPPING, "provisioned_pollers: {minimum: 1}"),
    (MAPPING, "provisioned_pollers: {maximum: 2001}"),
    (MAPPING.replace("function: api, ", ""), "batch_size: 5"),
    (STREAM, "kind: kafka"),
    (STREAM, "shards: 0"),
    (STREAM, "partition_keys: 0"),
    (STREAM, "record_size: 5"),
    (STREAM_MAPPING, "parallelization_factor: 11"),
    (STREAM_MAPPING, "maximum_retry_attempts: -2"),
    (STREAM_MAPPING, "maximum_retry_attempts: forever"),
    (STREAM_MAPPING, "duration_per: message"),
    (STREAM_MAPPING, "poll_interval: 0s"),
    (STREAM_MAPPING, "maximum_concurrency: 5"),
    (SENDER, "invoke: sqs, rate: 1/s"),
    (SENDER, "queue: q, rate: 1/s"),
    (SENDER, "invoke: sqs, queue: q, rate: 1/s, via: alb"),
    (SENDER, "invoke: sqs, queue: q, rate: 1/s, client: {timeout: 1s}"),
    (SENDER, "invoke: sqs, queue: q, virtual_users: 3, think_time: 1s"),
    (QUEUE.replace("<>", "") + "<>", "changes: [{at: 1s, redrive: {rate: 5/s}}]"),
    (QUEUE.replace("<>", "") + "<>", "changes: [{at: 1s, redrive: [d]}]"),
    ("functions: {'a b': {duration: 1s, init: 0}}\nduration: 1m\n<>", "traffic: {web: {function: a b, rate: 1/s}}"),
    ("functions: {}\nduration: 1m\n<>", "traffic: {}"),
    ("functions: {api: {duration: 1s, init: 0}}\n<>", "traffic: {web: {function: api, rate: 1/s}}"),
]

# What draft-07 knows. Words beside these are names of keys of a scenario, which the walk does not visit.
DRAFT_07 = {
    "$schema", "$ref", "title", "description", "default", "examples", "definitions", "type", "enum", "const",
    "properties", "required", "additionalProperties", "propertyNames", "minProperties",
    "items", "minItems", "maxItems", "pattern", "minLength", "maxLength",
    "minimum", "maximum", "exclusiveMinimum", "anyOf", "oneOf", "allOf", "not", "if", "then",
}  # fmt: skip


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a schema, itself included."""
    if not isinstance(schema, dict):
        return
    yield schema
    for word in ("properties", "definitions"):
        for part in schema.get(word, {}).values():
            yield from nodes(part)
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, []):
            yield from nodes(part)
    for word in ("items", "not", "if", "then", "additionalProperties", "propertyNames"):
        yield from nodes(schema.get(word))


def data_of(frame: str, part: str) -> Any:
    """The data of a scenario, as an editor sees them."""
    return read_text(frame.replace("<>", part), "").data


def loads(text: str, folder: Path) -> bool:
    """Whether the loader accepts a scenario."""
    (folder / "trace.csv").write_text("time_s\n1\n")
    (folder / "samples.csv").write_text("duration_s\n1\n")
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    try:
        load(folder / "s.yaml", on_warning=lambda _: None)
    except ScenarioError:
        return False
    return True


@pytest.mark.parametrize(("frame", "part"), GOOD)
def test_accepts_what_the_loader_accepts(frame: str, part: str, tmp_path: Path) -> None:
    """A scenario that runs has no red line in an editor."""
    text = frame.replace("<>", part)
    assert loads(text, tmp_path)
    assert [error.message for error in VALIDATOR.iter_errors(read_text(text, "").data)] == []


@pytest.mark.parametrize(("frame", "part"), BAD)
def test_refuses_what_the_loader_refuses(frame: str, part: str, tmp_path: Path) -> None:
    """An editor shows the mistake before the run does."""
    text = frame.replace("<>", part)
    assert not loads(text, tmp_path)
    assert not VALIDATOR.is_valid(read_text(text, "").data)


@pytest.mark.parametrize("path", [*SCENARIOS, *REFUSED], ids=lambda path: path.stem)
def test_accepts_the_shipped_scenarios(path: Path) -> None:
    """Every scenario of the project fits its own schema."""
    data = read_text(path.read_text(encoding="utf-8"), path.name).data
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


class TestRanges:
    """What AWS allows of a time or a size, where a pattern can tell."""

    @pytest.mark.parametrize(
        ("key", "texts"),
        [
            (
                "timeout",
                [
                    f"{value}{unit}"
                    for unit in ("ns", "us", "ms", "s", "m", "min", "h", "d")
                    for value in (
                        0,
                        "0.5",
                        1,
                        2,
                        14,
                        15,
                        "015",
                        "15.0",
                        16,
                        99,
                        899,
                        900,
                        "900.5",
                        901,
                        999,
                        1000,
                        "1000.",
                        9999,
                        10**6 - 1,
                        10**9 - 1,
                    )
                ],
            ),
            (
                "memory",
                [
                    f"{value} {unit}"
                    for unit in ("MB", "MiB", "GB", "TB")
                    for value in (
                        1,
                        9,
                        10,
                        11,
                        99,
                        127,
                        "0127",
                        128,
                        "128.0",
                        129,
                        512,
                        1024,
                        10239,
                        10240,
                        10241,
                        10250,
                        10300,
                        11000,
                        20000,
                        100000,
                    )
                ],
            ),
            (
                "code_size",
                [f"{value}{unit}" for unit in ("MB", "GB") for value in (0, 1, 9, 249, 250, 251, 260, 300, 1000)],
            ),
        ],
    )
    def test_single_numbers_are_told_as_the_loader_tells_them(self, key: str, texts: list[str], tmp_path: Path) -> None:
        """On both sides of each bound, with every unit; fractions and long numbers are missed."""
        told = {text: VALIDATOR.is_valid(data_of(FUNCTION, f"duration: 1s, {key}: {text}")) for text in texts}
        loaded = {text: loads(FUNCTION.replace("<>", f"duration: 1s, {key}: {text}"), tmp_path) for text in texts}
        wrong = {text for text in texts if told[text] != loaded[text]}
        assert {text for text in wrong if not told[text]} == set()
        assert wrong <= {"999999ms", "999999999us", "900.5s", "0.5h", "0.5d"}

    @given(
        parts=st.lists(
            st.tuples(st.integers(0, 1200), st.sampled_from(["ms", "s", "m", "min", "h"])), min_size=1, max_size=3
        )
    )
    def test_no_time_that_the_loader_takes_is_refused(self, parts: list[tuple[int, str]]) -> None:
        """Whatever it is made of."""
        text = " ".join(f"{number}{unit}" for number, unit in parts)
        if 10**9 <= parse_duration(text) <= 900 * 10**9:
            assert VALIDATOR.is_valid(data_of(FUNCTION, f"duration: 1s, timeout: {text}"))


class TestFile:
    """The schema that stands in the repository, for editors."""

    def test_is_current(self) -> None:
        """It is what the program prints."""
        stored = (ROOT / "schema" / "lambdasim.schema.json").read_text(encoding="utf-8")
        made = json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"
        assert stored == made, "refresh it: python -m lambdasim schema > schema/lambdasim.schema.json"

    @pytest.mark.parametrize("path", [*SCENARIOS, *REFUSED], ids=lambda path: path.stem)
    def test_is_named_by_every_scenario(self, path: Path) -> None:
        """In the first line, by the path from there."""
        first = path.read_text(encoding="utf-8").splitlines()[0]
        prefix = "# yaml-language-server: $schema="
        assert first.startswith(prefix), f"{path.name}: the first line must be {prefix}../schema/lambdasim.schema.json"
        assert (path.parent / first.removeprefix(prefix)).resolve() == ROOT / "schema" / "lambdasim.schema.json"


class TestForm:
    """What editors need of the schema itself."""

    def test_is_valid_draft_07(self) -> None:
        """The schema names its draft and fits that draft's own schema."""
        assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
        Draft7Validator.check_schema(SCHEMA)

    def test_uses_no_newer_word(self) -> None:
        """Words such as $defs or prefixItems mean nothing to a draft-07 editor."""
        assert {word for node in nodes(SCHEMA) for word in node} <= DRAFT_07

    def test_nothing_stands_beside_a_reference(self) -> None:
        """Draft-07 ignores the neighbours of a $ref, a description too."""
        assert [node for node in nodes(SCHEMA) if "$ref" in node and len(node) > 1] == []

    def test_every_reference_leads_somewhere(self) -> None:
        """Each definition exists, and each one is used."""
        used = {node["$ref"].removeprefix("#/definitions/") for node in nodes(SCHEMA) if "$ref" in node}
        assert used == set(SCHEMA["definitions"])

    def test_every_key_is_described(self) -> None:
        """Editors show help on every key."""
        keys = [
            (name, key)
            for name, node in {"Scenario": SCHEMA, **SCHEMA["definitions"]}.items()
            for inner in nodes(node)
            if "additionalProperties" in inner and "properties" in inner
            for key, value in inner["properties"].items()
            if len(value.get("description", "")) < 5
        ]
        assert keys == []

    def test_no_mapping_takes_unknown_keys(self) -> None:
        """A key that is spelled wrong is marked."""
        described = [node for node in nodes(SCHEMA) if "description" in node and "properties" in node]
        assert len(described) > 20
        assert all(node["additionalProperties"] is False for node in described)

    @pytest.mark.parametrize(
        ("definition", "key", "default"),
        [
            ("Region", "name", "us-east-1"),
            ("Region", "concurrency_quota", 1000),
            ("Region", "scaling", {"burst": 1000, "rate": 1000, "per": "10s", "scope": "function"}),
            ("Function", "idle_timeout", {"uniform": ["5m", "7m"]}),
            ("Function", "timeout", "15m"),
            ("Function", "memory", "128MB"),
            ("Client", "timeout", "unlimited"),
            ("Client", "retry", "none"),
            ("Errors", "rate", "0%"),
            ("TrafficSource", "arrivals", "poisson"),
            ("Queue", "visibility_timeout", "30s"),
            ("QueueMapping", "scaling", {"start": 5, "rate": 300, "per": "1m", "max": 1250}),
            ("QueueMapping", "batch_size", 10),
            ("StreamMapping", "maximum_retry_attempts", "unlimited"),
        ],
    )
    def test_defaults_are_those_of_the_newest_profile(self, definition: str, key: str, default: Any) -> None:
        """What a key means when it is left out."""
        assert SCHEMA["definitions"][definition]["properties"][key]["default"] == default

    def test_defaults_fit_their_own_schema(self) -> None:
        """A default could be written down as it stands."""
        shown = [
            (value, schema["default"])
            for node in nodes(SCHEMA)
            for value in node.get("properties", {}).values()
            if isinstance(schema := value, dict) and "default" in schema
        ]
        assert len(shown) > 15
        for schema, default in shown:
            assert Draft7Validator({**schema, "definitions": SCHEMA["definitions"]}).is_valid(default)
