"""Small scenarios as plain integers: every time is a number of ticks, so that ties are common and time can be scaled.

A plan can be turned into a scenario (``build``), and the brute-force simulator reads it as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdasim.scenario.schema import Scenario
from tests.builders import scenario, trace

TICK_MS = 250


@dataclass(frozen=True)
class BucketPlan:
    """``burst`` environments at once, then ``rate`` more in every ``per`` ticks."""

    burst: int
    rate: int
    per: int


@dataclass(frozen=True)
class EventsPlan:
    """What becomes of the events of one function. The delays between tries are AWS's, not ticks."""

    max_age: int = 60  # AWS's least is 60 s
    retries: int = 2
    jitter: str = "none"
    dispatch: int | tuple[int, ...] = 0  # or one of several, drawn for each event
    slow_down: tuple[int, int] | None = None  # share left and recovery per second, in percent
    on_success: int | None = None  # the number of a queue
    on_failure: int | None = None
    is_dead_letter: bool = False  # the queue for failures is the older kind of the two


@dataclass(frozen=True)
class PollingPlan:
    """``start`` batches at once, and while all are busy ``rate`` more in every ``per`` ticks, to ``most``."""

    start: int
    rate: int
    per: int
    most: int


@dataclass(frozen=True)
class MappingPlan:
    """How Lambda polls one queue for a function."""

    function: int
    batch_size: int = 10
    window: int = 0
    most_at_once: int | None = None  # maximum_concurrency, 2 at least
    is_partial: bool = False
    adds_up: bool = False  # durations of the messages of a batch
    scaling: PollingPlan | None = None  # None: unlimited
    scale_in: int = 10  # percent
    back_off: tuple[int, int] | None = (70, 10)  # percent left, and ticks between two cuts
    retry: tuple[int, int] = (1, 20)  # ticks of base and cap
    jitter: str = "none"


@dataclass(frozen=True)
class QueuePlan:
    """One SQS queue."""

    visibility: int = 30
    retention: int = 1_000  # AWS's least is 60 s
    delay: int = 0
    most_receives: int | None = None
    dead_letter: int | None = None  # the number of a queue
    groups: int | None = None  # message groups of a FIFO queue
    message_kb: int = 1
    mapping: MappingPlan | None = None


@dataclass(frozen=True)
class AllocationPlan:
    """``prepare`` ticks, then ``rate`` environments in every ``per`` ticks."""

    prepare: int | tuple[int, ...]  # or one of several, drawn for each request
    rate: int
    per: int


@dataclass(frozen=True)
class ScheduledPlan:
    """Other bounds of an autoscaling from some tick on."""

    at: int
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class AutoscalingPlan:
    """Bounds of provisioned concurrency, and what target tracking goes by; points are minutes."""

    least: int
    most: int
    target: int | None = 70  # percent; None: scheduled actions only
    is_maximum: bool = False
    actions: tuple[ScheduledPlan, ...] = ()
    delay: int = 0
    out_points: int = 3
    in_points: int = 15
    in_percent: int = 90  # of the target
    step_percent: int = 10
    out_cooldown: int = 0
    in_cooldown: int = 0

    @property
    def most_ever(self) -> int:
        """The highest upper bound that it has at any time."""
        return max(self.most, *(action.most or 0 for action in self.actions), 0)


@dataclass(frozen=True)
class FunctionPlan:
    """One function; None stands for no limit, or for nothing of its own."""

    duration: int | tuple[int, ...] = 4  # or one of several, drawn for each request
    init: int | tuple[int, ...] = 0  # or one of several, drawn for each environment
    sandbox: int = 0  # ticks before the init
    idle_timeout: int | tuple[int, int] | None = None  # constant, uniform between two, or never
    max_age: int | None = None
    timeout: int | None = None
    reserved: int | None = None
    is_eager: bool = True
    is_mru: bool = True
    error_percent: int = 0
    crash_percent: int = 0
    poison_percent: int = 0
    scaling: BucketPlan | None = None
    events: EventsPlan | None = None  # AWS's defaults
    provisioned: int | None = None  # None: the key is left out
    allocation: AllocationPlan | None = None  # None: at once
    autoscaling: AutoscalingPlan | None = None

    @property
    def can_be_provisioned(self) -> bool:
        """Whether it has provisioned concurrency, or may get some."""
        return self.provisioned is not None or self.autoscaling is not None

    @property
    def provisioned_at_most(self) -> int:
        """Units that must fit into the pool, without changes."""
        return self.autoscaling.most_ever if self.autoscaling is not None else self.provisioned or 0


@dataclass(frozen=True)
class Delays:
    """Retry after exactly these delays, then give up."""

    delays: tuple[int, ...]

    @property
    def max_attempts(self) -> int | None:
        """The first attempt and one for each delay."""
        return 1 + len(self.delays)

    def delay(self, retry: int) -> int:
        """Ticks before retry k = 1, 2, ..."""
        return self.delays[retry - 1]


@dataclass(frozen=True)
class Doubling:
    """Exponential back-off without jitter."""

    max_attempts: int | None
    base: int
    cap: int | None

    def delay(self, retry: int) -> int:
        """Ticks before retry k = 1, 2, ..."""
        doubled: int = self.base * 2 ** (retry - 1)
        return doubled if self.cap is None else min(self.cap, doubled)


@dataclass(frozen=True)
class Always:
    """The same delay before every retry."""

    max_attempts: int | None
    ticks: int

    def delay(self, retry: int) -> int:
        """Ticks before retry k = 1, 2, ..."""
        return self.ticks


@dataclass(frozen=True)
class Sdk:
    """As one of AWS's SDKs: delays are drawn, and a quota of each of the ``clients`` pays for the retries."""

    preset: str
    max_attempts: int
    clients: int = 1


RetryPlan = Delays | Doubling | Always | Sdk


@dataclass(frozen=True)
class FrontEndPlan:
    """What stands between the callers and Lambda; ``throttle_status`` None is the usual one."""

    name: str
    timeout: int | None
    throttle_status: int | None = None

    @property
    def is_api_gateway(self) -> bool:
        """Whether requests pass the bucket that all API Gateways of the account share."""
        return self.name.startswith("api-gateway")


@dataclass(frozen=True)
class UsersPlan:
    """Virtual users: how many at the start, then (duration, target) of each stage; think times are drawn from some."""

    start: int
    stages: tuple[tuple[int, int], ...]
    think: tuple[int, ...]

    @property
    def most(self) -> int:
        """The most users at any time."""
        return max(self.start, *(target for _, target in self.stages), 0)


@dataclass(frozen=True)
class Row:
    """One recorded request; None takes the function's or the source's own."""

    time: int
    duration: int | None = None
    init: int | None = None
    function: int | None = None


@dataclass(frozen=True)
class SourcePlan:
    """One trace and its callers; or virtual users, who have no rows; or events and messages, for which nobody waits."""

    function: int
    rows: tuple[Row, ...]
    timeout: int | None = None
    retry: RetryPlan | None = None
    via: FrontEndPlan | None = None
    users: UsersPlan | None = None
    is_async: bool = False
    queue: int | None = None  # to which its messages go


@dataclass(frozen=True)
class ChangePlan:
    """What changes at one instant, by number of the function or source."""

    at: int
    quota: int | None = None
    reserved: tuple[tuple[int, int | None], ...] = ()  # None gives the reservation back
    deploy: int | None = None
    durations: tuple[tuple[int, int], ...] = ()
    error_percents: tuple[tuple[int, int], ...] = ()
    traffic: tuple[tuple[int, bool], ...] = ()
    redrive: tuple[int, int] | None = None  # number of the queue, and messages per second
    provisioned: tuple[tuple[int, int], ...] = ()  # by number of the function; 0 stands in the file as none


@dataclass(frozen=True)
class Plan:
    """A whole scenario in ticks. The quota is ``shared`` plus everything reserved."""

    functions: tuple[FunctionPlan, ...]
    sources: tuple[SourcePlan, ...]
    queues: tuple[QueuePlan, ...] = ()
    shared: int = 3
    scaling: BucketPlan | None = None
    is_scaling_region_wide: bool = False
    requests_per_concurrency: int | None = None
    ramp: tuple[int, int] | None = None  # start and step, requests per second
    gateway: tuple[int, int] | None = None  # burst of all API Gateways, and requests per second
    changes: tuple[ChangePlan, ...] = ()  # in the order of the file
    sdk_tokens: int = 500  # of each SDK client; AWS's number is too large for a small plan
    duration: int = 40
    drain: int = 400
    tick_ms: int = TICK_MS

    @property
    def tick_ns(self) -> int:
        """One tick."""
        return self.tick_ms * 10**6

    @property
    def quota(self) -> int:
        """The region's concurrency quota, at the start."""
        return self.shared + sum(function.reserved or 0 for function in self.functions)

    @property
    def changes_in_time(self) -> list[tuple[int, ChangePlan]]:
        """(number in the file, change) by time; those of one instant in file order."""
        return sorted(enumerate(self.changes), key=lambda numbered: numbered[1].at)


def function_name(index: int) -> str:
    """The name of a function of a plan."""
    return f"f{index}"


def source_name(index: int) -> str:
    """The name of a traffic source of a plan."""
    return f"s{index}"


def queue_name(index: int) -> str:
    """The name of a queue of a plan."""
    return f"q{index}"


def build(plan: Plan, tick_ms: int | None = None) -> Scenario:
    """The scenario of a plan; rates fall as ticks grow, so that a greater tick is the same scenario in slow motion."""
    tick_ms = tick_ms or plan.tick_ms

    def time(ticks: int | None) -> str:
        return "unlimited" if ticks is None else f"{ticks * tick_ms}ms"

    def bucket(limits: BucketPlan | None) -> Any:
        return "unlimited" if limits is None else {"burst": limits.burst, "rate": limits.rate, "per": time(limits.per)}

    def one_of(ticks: int | tuple[int, ...]) -> Any:
        return {"empirical": [time(one) for one in ticks]} if isinstance(ticks, tuple) else time(ticks)

    def events(made: EventsPlan) -> dict[str, Any]:
        slow_down = made.slow_down
        failed = "dead_letter" if made.is_dead_letter else "on_failure"
        return {
            "maximum_event_age": time(made.max_age),
            "maximum_retry_attempts": made.retries,
            "jitter": made.jitter,
            "dispatch_delay": one_of(made.dispatch),
            "slow_down": {"share": f"{slow_down[0]}%", "recovery": f"{slow_down[1]}%"} if slow_down else "none",
            **({} if made.on_success is None else {"on_success": queue_name(made.on_success)}),
            **({} if made.on_failure is None else {failed: queue_name(made.on_failure)}),
        }

    def mapping(made: MappingPlan) -> dict[str, Any]:
        scaling: Any = "unlimited"
        if made.scaling is not None:
            grows = made.scaling
            scaling = {"start": grows.start, "rate": grows.rate, "per": time(grows.per), "max": grows.most}
        back_off = made.back_off
        return {
            "function": function_name(made.function),
            "batch_size": made.batch_size,
            "batch_window": time(made.window),
            "partial_batch_failures": made.is_partial,
            "duration_per": "message" if made.adds_up else "batch",
            "scaling": scaling,
            "scale_in": f"{made.scale_in}%",
            "back_off": {"share": f"{back_off[0]}%", "interval": time(back_off[1])} if back_off else "none",
            "throttle_retry": {"base": time(made.retry[0]), "cap": time(made.retry[1]), "jitter": made.jitter},
            **({} if made.most_at_once is None else {"maximum_concurrency": made.most_at_once}),
        }

    def queue(made: QueuePlan) -> dict[str, Any]:
        return {
            "visibility_timeout": time(made.visibility),
            "retention": time(made.retention),
            "delay": time(made.delay),
            "message_size": f"{made.message_kb}KB",
            **({} if made.most_receives is None else {"max_receive_count": made.most_receives}),
            **({} if made.dead_letter is None else {"dead_letter": queue_name(made.dead_letter)}),
            **({} if made.groups is None else {"fifo": {"message_groups": made.groups}}),
            **({} if made.mapping is None else {"event_source_mapping": mapping(made.mapping)}),
        }

    def allocation(made: AllocationPlan | None) -> dict[str, Any]:
        if made is None:
            return {"provisioned_allocation": "unlimited"}
        limits = {"prepare": one_of(made.prepare), "rate": made.rate, "per": time(made.per)}
        return {"provisioned_allocation": limits}

    def bounds(least: int | None, most: int | None) -> dict[str, int]:
        named = {"min_capacity": least, "max_capacity": most}
        return {name: units for name, units in named.items() if units is not None}

    def autoscaling(made: AutoscalingPlan) -> dict[str, Any]:
        built: dict[str, Any] = bounds(made.least, made.most)
        if made.actions:
            built["scheduled_actions"] = [{"at": time(one.at), **bounds(one.least, one.most)} for one in made.actions]
        if made.target is None:
            return built
        return built | {
            "target": f"{made.target}%",
            "statistic": "maximum" if made.is_maximum else "average",
            "metric_delay": time(made.delay),
            "scale_out_points": made.out_points,
            "scale_in_points": made.in_points,
            "scale_in_threshold": f"{made.in_percent}%",
            "scale_in_step": f"{made.step_percent}%",
            "scale_out_cooldown": time(made.out_cooldown),
            "scale_in_cooldown": time(made.in_cooldown),
        }

    def function(made: FunctionPlan) -> dict[str, Any]:
        idle = made.idle_timeout
        return {
            "duration": one_of(made.duration),
            "init": one_of(made.init),
            "sandbox": time(made.sandbox),
            "idle_timeout": {"uniform": [time(idle[0]), time(idle[1])]} if isinstance(idle, tuple) else time(idle),
            "max_age": time(made.max_age),
            "assignment": "eager" if made.is_eager else "bound",
            "reuse": "mru" if made.is_mru else "lru",
            "errors": {
                "rate": f"{made.error_percent}%",
                "poison": f"{made.poison_percent}%",
                "crash": f"{made.crash_percent}%",
            },
            **({} if made.timeout is None else {"timeout": time(made.timeout)}),
            **({} if made.reserved is None else {"reserved_concurrency": made.reserved}),
            **({} if made.scaling is None else {"scaling": bucket(made.scaling)}),
            **({} if made.events is None else {"async": events(made.events)}),
            **({} if made.provisioned is None else {"provisioned_concurrency": made.provisioned}),
            **(allocation(made.allocation) if made.can_be_provisioned else {}),
            **({} if made.autoscaling is None else {"autoscaling": autoscaling(made.autoscaling)}),
        }

    def retry(made: RetryPlan | None) -> Any:
        if made is None:
            return "none"
        if isinstance(made, Sdk):
            return {"preset": made.preset, "max_attempts": made.max_attempts}
        if isinstance(made, Delays):
            return {"delays": [time(ticks) for ticks in made.delays]}
        attempts = "unlimited" if made.max_attempts is None else made.max_attempts
        if isinstance(made, Doubling):
            return {"max_attempts": attempts, "base": time(made.base), "cap": time(made.cap), "jitter": "none"}
        return {"max_attempts": attempts, "delay": time(made.ticks)}

    def seconds(ticks: int | None) -> float | None:
        return None if ticks is None else ticks * tick_ms / 1000

    def source(made: SourcePlan) -> dict[str, Any]:
        client = {"timeout": time(made.timeout), "retry": retry(made.retry)}
        if isinstance(made.retry, Sdk) and made.retry.preset != "boto3-legacy":
            client["count"] = made.retry.clients
        built: dict[str, Any] = {"function": function_name(made.function), "client": client}
        if made.via is not None:
            built["via"] = {"front_end": made.via.name, "timeout": time(made.via.timeout)}
            if made.via.throttle_status is not None:
                built["via"]["throttle_status"] = made.via.throttle_status
        if made.users is not None:
            stages = [{"duration": time(ticks), "target": target} for ticks, target in made.users.stages]
            return built | {
                "virtual_users": {"start": made.users.start, "stages": stages},
                "think_time": one_of(made.users.think),
            }
        rows = [
            (
                seconds(row.time),
                seconds(row.duration),
                seconds(row.init),
                None if row.function is None else function_name(row.function),
            )
            for row in made.rows
        ]
        if made.is_async:
            return {"function": built["function"], "invoke": "async", "trace": trace(rows)}
        if made.queue is not None:
            return {"invoke": "sqs", "queue": queue_name(made.queue), "trace": trace(rows)}
        return built | {"trace": trace(rows)}

    def change(made: ChangePlan) -> dict[str, Any]:
        built: dict[str, Any] = {"at": time(made.at), "functions": {}}
        for index, units in made.reserved:
            built["functions"][function_name(index)] = {"reserved_concurrency": "none" if units is None else units}
        for index, ticks in made.durations:
            built["functions"].setdefault(function_name(index), {})["duration"] = time(ticks)
        for index, percent in made.error_percents:
            built["functions"].setdefault(function_name(index), {})["errors"] = {"rate": f"{percent}%"}
        for index, units in made.provisioned:
            of_function = built["functions"].setdefault(function_name(index), {})
            of_function["provisioned_concurrency"] = units or "none"
        if made.quota is not None:
            built["region"] = {"concurrency_quota": made.quota}
        if made.deploy is not None:
            built["deploy"] = function_name(made.deploy)
        if made.redrive is not None:
            built["redrive"] = {"queue": queue_name(made.redrive[0]), "rate": f"{made.redrive[1]}/s"}
        if made.traffic:
            built["traffic"] = {source_name(index): "on" if is_on else "off" for index, is_on in made.traffic}
        return built

    region: dict[str, Any] = {"concurrency_quota": plan.quota}
    if plan.scaling is not None:
        scope = "region" if plan.is_scaling_region_wide else "function"
        region["scaling"] = {**bucket(plan.scaling), "scope": scope}
    if plan.requests_per_concurrency is not None:
        region["requests_per_concurrency"] = plan.requests_per_concurrency
    if plan.ramp is not None:
        region["request_rate_ramp"] = {"start": f"{plan.ramp[0]}/s", "step": f"{plan.ramp[1]}/s"}
    if plan.gateway is not None:
        region["api_gateway"] = {"burst": plan.gateway[0], "rate": f"{plan.gateway[1]}/s"}
    return scenario(
        functions={function_name(index): function(made) for index, made in enumerate(plan.functions)},
        traffic={source_name(index): source(made) for index, made in enumerate(plan.sources)},
        queues={queue_name(index): queue(made) for index, made in enumerate(plan.queues)},
        region=region,
        changes=[change(made) for made in plan.changes],
        duration=time(plan.duration),
        drain=time(plan.drain),
    )
