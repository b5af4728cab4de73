"""Every message for a wrong shape, wrong arrivals, or a pasted load test that does not fit, word for word."""

# ruff: noqa: E501 - the table holds one case a line, however long its messages
# fmt: off

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.test_load_errors import TRAFFIC, messages

CASES: list[tuple[str, list[str]]] = [
    ("shape: {spike: {peak: 1/s, at: 0s, hold: 1s}, steps: {start: 1/s, step: 1/s, steps: 1, every: 1s}}", ["s.yaml:3:39 traffic.web.shape: must name exactly one shape; it names spike and steps (one of spike, ramp, steps, diurnal, burst, cron)"]),
    ("shape: {wave: 1}", ["s.yaml:3:40 traffic.web.shape.wave: is not a known key (the keys here are spike, ramp, steps, diurnal, burst, cron)"]),
    ("shape: {}", ["s.yaml:3:39 traffic.web.shape: must name exactly one shape; it names none (one of spike, ramp, steps, diurnal, burst, cron)"]),
    ("shape: 5", ["s.yaml:3:39 traffic.web.shape: must be a mapping, got 5"]),
    ("shape: {ramp: {baseline: 5}}", ["s.yaml:3:46 traffic.web.shape.ramp.target: is required", "s.yaml:3:46 traffic.web.shape.ramp.ramp: is required", "s.yaml:3:57 traffic.web.shape.ramp.baseline: must be a rate with its unit, got 5 (write 5/s or 5/min)"]),
    ("shape: {steps: {start: 10/s, step: 0/s, steps: 0, every: 0s}}", ["s.yaml:3:67 traffic.web.shape.steps.step: must be above 0/s, got 0/s (leave the traffic source out if it sends nothing)", "s.yaml:3:79 traffic.web.shape.steps.steps: must be at least 1, got 0", "s.yaml:3:89 traffic.web.shape.steps.every: must be at least 1ns, got 0s"]),
    ("shape: {steps: {start: 1e9/s, step: 1/s, steps: 1, every: 1s}}", ["s.yaml:3:47 traffic.web.shape.steps: must have a last step of at most 1e9/s"]),
    ("shape: {diurnal: {trough: 20/s, peak: 3/s}}", ["s.yaml:3:49 traffic.web.shape.diurnal: must have a trough of at most its peak (swap the two)"]),
    ("shape: {diurnal: {trough: 20/s, peak: 300/s, starts: 08:30}}", ["s.yaml:3:85 traffic.web.shape.diurnal.starts: must be a day of the week and a time, got 08:30 (for example monday 08:30)"]),
    ("shape: {diurnal: {trough: 20/s, peak: 300/s, starts: mon 24:30}}", ["s.yaml:3:85 traffic.web.shape.diurnal.starts: must have a time between 00:00 and 23:59 (for example monday 08:30)"]),
    ("shape: {diurnal: {trough: 20/s, peak: 300/s, starts: funday 10:00}}", ["s.yaml:3:85 traffic.web.shape.diurnal.starts: must begin with a day of the week (one of monday, tuesday, wednesday, thursday, friday, saturday, sunday)"]),
    ("shape: {diurnal: {trough: 20/s, peak: 300/s, peak_at: 25h, weekend: 0.6, day: 48h}}", ["s.yaml:3:86 traffic.web.shape.diurnal.peak_at: must be a time of day, at most 24h, got 25h (for example 15h or 9h30m)", "s.yaml:3:100 traffic.web.shape.diurnal.weekend: must be a percentage with its sign, got 0.6 (write 60% if you mean the ratio 0.6)", "s.yaml:3:110 traffic.web.shape.diurnal.day: must be between 1s and 24h, got 48h (a shorter day shows a week in minutes)"]),
    ("shape: {burst: {peak: 200/s, every: 5s, length: 10s}}", ["s.yaml:3:47 traffic.web.shape.burst: must have a length of at most every (bursts do not overlap)"]),
    ("shape: {burst: {peak: 200/s, every: 10us, length: 1us}}", ["s.yaml:3:47 traffic.web.shape.burst: must have at most 1,000,000 bursts within the duration of 1m"]),
    ("shape: {diurnal: {trough: 0, peak: 2/s, day: 1ms}}", ["s.yaml:3:77 traffic.web.shape.diurnal.day: must be between 1s and 24h, got 1ms (a shorter day shows a week in minutes)"]),
    ("shape: {cron: {schedule: rate(5 minute), requests: 500}}", ["s.yaml:3:57 traffic.web.shape.cron.schedule: must have a singular unit for 1 and a plural one else, as AWS demands (write minutes)"]),
    ("shape: {cron: {schedule: rate(5 minutes), requests: 500, starts: monday}}", ["s.yaml:3:46 traffic.web.shape.cron: must not have starts beside rate( ) (a period begins with the run)"]),
    ("shape: {cron: {schedule: \"cron(0 10 * * * *)\", requests: 500}}", ["s.yaml:3:57 traffic.web.shape.cron.schedule: must have ? as the day of the month or as the weekday, but not as both, as AWS demands (for example cron(0 10 ? * MON-FRI *))"]),
    ("shape: {cron: {schedule: \"0 10 1 * *\", requests: 500}}", ["s.yaml:3:57 traffic.web.shape.cron.schedule: must have * or ? as its day of the month; a run has a weekday and a time, but no date"]),
    ("shape: {cron: {schedule: \"61 10 * * *\", requests: 0}}", ["s.yaml:3:57 traffic.web.shape.cron.schedule: must be a schedule; its minute is wrong (for example \"*/5 * * * *\", rate(5 minutes) or \"cron(0 10 ? * MON-FRI *)\")", "s.yaml:3:82 traffic.web.shape.cron.requests: must be at least 1, got 0"]),
    ("shape: {cron: {schedule: \"1 10 * *\", requests: 500}}", ["s.yaml:3:57 traffic.web.shape.cron.schedule: must have 5 fields in Unix cron; it has 4 (for example \"*/5 * * * *\", rate(5 minutes) or \"cron(0 10 ? * MON-FRI *)\")"]),
    ("shape: {cron: {schedule: \"* * * * *\", requests: 10000000, over: 1ms}}", ["s.yaml:3:46 traffic.web.shape.cron: must spread its requests at 1e9/s or less (write a longer over)"]),
    ("shape: {cron: {schedule: 5, requests: 1}}", ["s.yaml:3:57 traffic.web.shape.cron.schedule: must be text, got 5 (write it in quotes, \"5\")"]),
    ("rate: 1/s, arrivals: poison", ["s.yaml:3:53 traffic.web.arrivals: must be poisson, uniform or a mapping, got poison (did you mean poisson?)"]),
    ("rate: 1/s, arrivals: gamma", ["s.yaml:3:53 traffic.web.arrivals: must be a mapping where it is gamma, got gamma (for example {gamma: {cv: 2}})"]),
    ("rate: 1/s, arrivals: {gamma: {cv: 0}}", ["s.yaml:3:66 traffic.web.arrivals.gamma.cv: must be above 0, got 0"]),
    ("rate: 1/s, arrivals: {gamma: {}}", ["s.yaml:3:61 traffic.web.arrivals.gamma.cv: is required"]),
    ("rate: 1/s, arrivals: {gama: {cv: 2}}", ["s.yaml:3:53 traffic.web.arrivals: must be a known kind of arrivals, got a mapping (poisson, uniform, {gamma: {cv: 2}} or {mmpp: {ratio: 10, quiet: 50s, busy: 10s}})"]),
    ("rate: 1/s, arrivals: 5", ["s.yaml:3:53 traffic.web.arrivals: must be a known kind of arrivals, got 5 (poisson, uniform, {gamma: {cv: 2}} or {mmpp: {ratio: 10, quiet: 50s, busy: 10s}})"]),
    ("rate: 1/s, arrivals: {mmpp: {ratio: 1, quiet: 0s, bussy: 10}}", ["s.yaml:3:60 traffic.web.arrivals.mmpp.busy: is required", "s.yaml:3:68 traffic.web.arrivals.mmpp.ratio: must be above 1, got 1", "s.yaml:3:78 traffic.web.arrivals.mmpp.quiet: must be at least 1ns, got 0s", "s.yaml:3:82 traffic.web.arrivals.mmpp.bussy: is not a known key (did you mean busy?)"]),
    ("rate: 1/s, arrivals: {mmpp: {ratio: 10, quiet: 1us, busy: 1us}}", ["s.yaml:3:60 traffic.web.arrivals.mmpp: must change between quiet and busy at most 10,000,000 times within the duration of 1m; it would about 60,000,000 times"]),
    ("k6: 5", ["s.yaml:3:36 traffic.web.k6: must be a mapping, got 5 (one object out of k6's options.scenarios)"]),
    ("k6: {vus: 10}", ["s.yaml:3:36 traffic.web.k6: must have an executor, stages or a duration (one object out of k6's options.scenarios)"]),
    ("k6: {executor: shared-iterations, vus: 10}", ["s.yaml:3:36 traffic.web.k6: must have an executor that lambdasim knows; shared-iterations is none (one of constant-arrival-rate, ramping-arrival-rate, constant-vus, ramping-vus)"]),
    ("k6: {executor: constant-arrival-rate, rate: 30/s, duration: 0}", ["s.yaml:3:76 traffic.web.k6.rate: must be a whole number, got 30/s", "s.yaml:3:92 traffic.web.k6.duration: must be above 0, got 0"]),
    ("k6: {executor: constant-arrival-rate, rte: 30, duration: 30000}", ["s.yaml:3:36 traffic.web.k6.rate: is required", "s.yaml:3:70 traffic.web.k6.rte: is not a known key (did you mean rate?)"]),
    ("k6: {executor: constant-arrival-rate, rate: 1000000, timeUnit: 1us, duration: 1m}", ["s.yaml:3:36 traffic.web.k6: must have at most 1e9 iterations per second (is timeUnit right?)"]),
    ("k6: {executor: ramping-vus, startVUs: 0, stages: [{duration: 1m, target: 0}]}, think_time: 1s", ["s.yaml:3:36 traffic.web.k6: must have at least one virtual user at some time"]),
    ("k6: {executor: ramping-vus, stages: [{duration: 1m, target: 2000000}]}, think_time: 1s", ["s.yaml:3:36 traffic.web.k6: must have targets of at most 1,000,000 virtual users"]),
    ("k6: {executor: constant-vus, vus: 10, duration: '30s'}", ["s.yaml:3:16 traffic.web: must have a think_time beside the virtual users of k6 (how long a user waits after an answer, for example think_time: 5s)"]),
    ("k6: {stages: [{duration: 10s, target: 5}]}, think_time: 1s, arrivals: poisson", ["s.yaml:3:16 traffic.web: must not have arrivals beside the virtual users of k6 (answers say when each request comes)"]),
    ("k6: {vus: 10, duration: 30s, stages: [{duration: 10s, target: 5}]}, think_time: 1s", ["s.yaml:3:46 traffic.web.k6.duration: must not stand beside vus and stages"]),
    ("k6: {executor: constant-arrival-rate, rate: 30, duration: 30s}, rate: 5/s", ["s.yaml:3:16 traffic.web: must have exactly one of rate, stages, shape, trace, virtual_users, k6, artillery or warmer; it has rate and k6"]),
    ("k6: {executor: constant-arrival-rate, rate: 30, duration: 30s}, think_time: 5s", ["s.yaml:3:16 traffic.web: must not have think_time without virtual_users"]),
    ("artillery: 5", ["s.yaml:3:43 traffic.web.artillery: must be a list of phases, got 5 (for example [{duration: 60, arrivalRate: 5}])"]),
    ("artillery: []", ["s.yaml:3:43 traffic.web.artillery: must have at least 1 item, got an empty list"]),
    ("artillery: {phases: [{duration: 60, arrivalRte: 5}]}", ["s.yaml:3:68 traffic.web.artillery.phases.0.arrivalRte: is not a known key (did you mean arrivalRate?)"]),
    ("artillery: {phase: []}", ["s.yaml:3:43 traffic.web.artillery.phases: is required", "s.yaml:3:44 traffic.web.artillery.phase: is not a known key (did you mean phases?)"]),
    ("artillery: [{duration: 60, arrivalRate: 5, rampto: 50}]", ["s.yaml:3:75 traffic.web.artillery.0.rampto: is not a known key (did you mean rampTo?)"]),
    ("artillery: [{arrivalRate: 5}, {duration: 5}, {pause: 5, duration: 10}, {duration: 5, rampTo: 5}, {duration: 5, arrivalCount: 5, rampTo: 3}]", ["s.yaml:3:44 traffic.web.artillery.0: must have a duration (for example duration: 60)", "s.yaml:3:62 traffic.web.artillery.1: must have exactly one of arrivalRate, arrivalCount and pause; it has none of them", "s.yaml:3:77 traffic.web.artillery.2: must not have a duration beside a pause", "s.yaml:3:103 traffic.web.artillery.3: must have exactly one of arrivalRate, arrivalCount and pause; it has none of them (write arrivalRate: 0)", "s.yaml:3:129 traffic.web.artillery.4: must not have rampTo without arrivalRate"]),
    ("artillery: [{duration: 0, arrivalRate: 5s}]", ["s.yaml:3:55 traffic.web.artillery.0.duration: must be above 0, got 0", "s.yaml:3:71 traffic.web.artillery.0.arrivalRate: must be a number, got 5s"]),
    ("warmer: 5m", ["s.yaml:3:40 traffic.web.warmer: must be a mapping, got 5m (for example {every: 5m})"]),
    ("warmer: {concurrency: 0, duration: fast}", ["s.yaml:3:40 traffic.web.warmer.every: is required (for example every: 5m)", "s.yaml:3:54 traffic.web.warmer.concurrency: must be at least 1, got 0", "s.yaml:3:67 traffic.web.warmer.duration: must be a time such as 90s, 250ms or 5m, got fast (the units are ns, us, ms, s, m, h and d)"]),
    ("warmer: {every: 0s, start: 5m}", ["s.yaml:3:48 traffic.web.warmer.every: must be at least 1ns, got 0s", "s.yaml:3:52 traffic.web.warmer.start: is not a known key (did you mean starts?)"]),
    ("warmer: {every: 10s, concurrency: 2, stagger: 10s}", ["s.yaml:3:40 traffic.web.warmer: must have (concurrency - 1) x stagger below every: a round of pings ends before the next one begins"]),
    ("warmer: {every: 5m}, rate: 1/s", ["s.yaml:3:16 traffic.web: must have exactly one of rate, stages, shape, trace, virtual_users, k6, artillery or warmer; it has rate and warmer"]),
    ("warmer: {every: 5m}, arrivals: uniform", ["s.yaml:3:16 traffic.web: must not have arrivals beside a warmer (the warmer says when each ping comes)"]),
    ("warmer: {every: 5m}, think_time: 1s", ["s.yaml:3:16 traffic.web: must not have think_time without virtual_users"]),
    ("warmer: {every: 5m}, invoke: sqs, queue: q", ["s.yaml:3:16 traffic.web: must not have a warmer beside invoke: sqs (a ping calls the function itself; write invoke: sync or async)"]),
    ("artillery: [{duration: 1ms, arrivalCount: 1000000000}]", ["s.yaml:3:44 traffic.web.artillery.0: must have at most 1e9 arrivals per second"]),
]


@pytest.mark.parametrize(("part", "expected"), CASES)
def test_message(part: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake gives its lines: FILE:LINE:COLUMN PATH: rule, got value (hint)."""
    assert messages(TRAFFIC.replace("<>", part), tmp_path, monkeypatch) == expected
