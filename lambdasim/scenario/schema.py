"""The scenario: what the user asked for, as frozen models. Loading is in ``load``, rules across keys in ``rules``.

A scenario made here has every default filled in from its profile, so that later stages never ask where a value
comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, PrivateAttr, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.rng import MAX_SEED
from lambdasim.scenario import profiles
from lambdasim.scenario.async_invocation import AsyncInvocation
from lambdasim.scenario.changes import Change, LimitsInForce, limits_over_time
from lambdasim.scenario.distributions import Constant, Distribution, DistributionOrUnlimited
from lambdasim.scenario.failure import Errors
from lambdasim.scenario.fields import (
    ConcurrencyQuota,
    CountLimit,
    Duration,
    Model,
    PositiveCount,
    PositiveDuration,
    SizeLimit,
    SizeMb,
    WholeRate,
    text_or_value,
)
from lambdasim.scenario.pricing import Pricing
from lambdasim.scenario.provisioned import Autoscaling, ProvisionedAllocation, Units
from lambdasim.scenario.queues import Queue
from lambdasim.scenario.rate_function import RateFunction
from lambdasim.scenario.runtimes import with_runtime
from lambdasim.scenario.slo import Slo
from lambdasim.scenario.snapstart import SnapStartSwitch
from lambdasim.scenario.streams import Stream
from lambdasim.scenario.traffic import TrafficSource
from lambdasim.scenario.work import HandlerDuration
from lambdasim.units import parse_duration


def _function_timeout(value: int) -> int:
    if not 10**9 <= value <= profiles.TIMEOUT_S_MAX.value * 10**9:
        raise RuleViolation(f"must be between 1s and {profiles.TIMEOUT_S_MAX.value}s, as AWS demands", "")
    return value


def _memory(value: int) -> int:
    low, high = profiles.MEMORY_MB_MIN.value, profiles.MEMORY_MB_MAX.value
    if not low <= value <= high:
        raise RuleViolation(f"must be between {low}MB and {high}MB, as AWS demands", "")
    return value


def _ephemeral_storage(value: int) -> int:
    low, high = profiles.EPHEMERAL_MB_MIN.value, profiles.EPHEMERAL_MB_MAX.value
    if not low <= value <= high:
        raise RuleViolation(f"must be between {low}MB and {high}MB, as AWS demands", "")
    return value


def _code_size(value: int) -> int:
    if not 1 <= value <= profiles.CODE_SIZE_MB_MAX.value:
        rule = f"must be between 1MB and {profiles.CODE_SIZE_MB_MAX.value}MB, as AWS demands of a .zip package"
        raise RuleViolation(rule, "")
    return value


class FunctionScaling(Model):
    """Token bucket of new execution environments: ``burst`` at once, then ``rate`` more in every ``per``."""

    burst: PositiveCount
    rate: PositiveCount
    per: PositiveDuration


class RegionScaling(FunctionScaling):
    """The same bucket, one for each function or one for the whole region."""

    scope: Literal["function", "region"] = "function"


class RequestRateRamp(Model):
    """How fast the accepted request rate of one function may grow beyond ``start``."""

    start: WholeRate
    step: WholeRate


class ApiGatewayLimit(Model):
    """Token bucket of requests through any API Gateway of the account: ``burst`` at once, then ``rate``."""

    rate: WholeRate
    burst: PositiveCount


class Region(Model):
    """The account's limits in one region, shared by its functions."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    concurrency_quota: ConcurrencyQuota
    min_unreserved: Annotated[int, Field(ge=0, strict=True)] | None = None
    scaling: Annotated[
        Annotated[Literal["legacy", "unlimited"], Tag("text")] | Annotated[RegionScaling, Tag("value")],
        Discriminator(text_or_value),
    ]
    request_rate_ramp: Annotated[
        Annotated[Literal["unlimited"], Tag("text")] | Annotated[RequestRateRamp, Tag("value")],
        Discriminator(text_or_value),
    ]
    requests_per_concurrency: CountLimit
    code_storage: SizeLimit
    api_gateway: Annotated[
        Annotated[Literal["unlimited"], Tag("text")] | Annotated[ApiGatewayLimit, Tag("value")],
        Discriminator(text_or_value),
    ]

    @property
    def least_unreserved(self) -> int:
        """Units that must stay unreserved: as stated, else AWS's 100, or the whole of a smaller quota."""
        if self.min_unreserved is not None:
            return self.min_unreserved
        return min(profiles.MIN_UNRESERVED.value, self.concurrency_quota)


def least_unreserved(region: Region, quota: int) -> int:
    """Units that must stay unreserved under another quota; never more than that quota."""
    return min(region.model_copy(update={"concurrency_quota": quota}).least_unreserved, quota)


class Function(Model):
    """One Lambda function: how long it works, how its environments live, and what is reserved for it."""

    memory: Annotated[SizeMb, AfterValidator(_memory)] = 128
    runtime: str | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    package: Literal["zip", "image"] = "zip"
    duration: HandlerDuration
    init: Distribution
    sandbox: Distribution = Constant(constant=0)
    snapstart: SnapStartSwitch = None
    idle_timeout: DistributionOrUnlimited
    max_age: DistributionOrUnlimited
    timeout: Annotated[Duration, AfterValidator(_function_timeout)]
    errors: Errors = Errors()
    reserved_concurrency: Units | None = None
    provisioned_concurrency: Units | None = None
    provisioned_allocation: Annotated[
        Annotated[Literal["unlimited"], Tag("text")] | Annotated[ProvisionedAllocation, Tag("value")],
        Discriminator(text_or_value),
    ]
    autoscaling: Autoscaling | None = None
    ephemeral_storage: Annotated[SizeMb, AfterValidator(_ephemeral_storage)] = profiles.EPHEMERAL_MB_MIN.value
    code_size: Annotated[SizeMb, AfterValidator(_code_size)] | None = None
    versions: PositiveCount = 1
    assignment: Literal["eager", "bound"]
    reuse: Literal["mru", "lru"]
    scaling: (
        Annotated[
            Annotated[Literal["unlimited"], Tag("text")] | Annotated[FunctionScaling, Tag("value")],
            Discriminator(text_or_value),
        ]
        | None
    ) = None
    # "async" is a word of Python, so that this field cannot be written as the others are.
    __annotations__["async"] = "AsyncInvocation"
    vars()["async"] = AsyncInvocation()

    @model_validator(mode="before")
    @classmethod
    def _given_by_runtime(cls, data: Any) -> Any:
        return with_runtime(data) if isinstance(data, dict) else data

    @property
    def start(self) -> Distribution:
        """How long a new environment takes from its sandbox to its first invocation: init, or restore."""
        return self.init if self.snapstart is None else self.snapstart.restore

    @property
    def initial_provisioned(self) -> int:
        """Provisioned environments that are ready when the run starts."""
        if self.autoscaling is None:
            return self.provisioned_concurrency or 0
        return self.autoscaling.initial(self.provisioned_concurrency)

    def most_provisioned(self, duration_ns: int) -> int:
        """The most provisioned concurrency that its own settings lead to; changes of the run apart."""
        if self.autoscaling is None:
            return self.provisioned_concurrency or 0
        return max(high for _, _, high in self.autoscaling.bounds_over_time(duration_ns))

    @property
    def async_invocation(self) -> AsyncInvocation:
        """What becomes of its asynchronous events: the key ``async``."""
        events: AsyncInvocation = getattr(self, "async")
        return events


# Mappings of a function whose keys have defaults of their own, so that some of them may be stated alone.
_PARTS_OF_FUNCTIONS = ("provisioned_allocation", "autoscaling")


def with_profile_defaults(data: Any) -> Any:
    """A raw scenario in which each key that it leaves out has its profile's value. Malformed parts stay as they are."""
    if not isinstance(data, dict):
        return data
    profile = data.get("profile", profiles.DEFAULT_PROFILE)
    if profile not in profiles.PROFILE_NAMES:
        profile = profiles.DEFAULT_PROFILE
    filled = dict(data)
    region = data.get("region", {})
    if isinstance(region, dict):
        given = profiles.defaults(profile, "region")
        if region.get("name") in profiles.REGIONS_WITH_LESS_API_GATEWAY:
            given["api_gateway"] = profiles.LESS_API_GATEWAY
        filled["region"] = {**given, **region}
    functions = data.get("functions")
    if isinstance(functions, dict):
        defaults = profiles.defaults(profile, "functions.*")
        parts = {key: profiles.defaults(profile, f"functions.*.{key}") for key in _PARTS_OF_FUNCTIONS}
        filled["functions"] = {
            name: _with_parts_defaults({**defaults, **function}, parts) if isinstance(function, dict) else function
            for name, function in functions.items()
        }
    pricing = data.get("pricing", {})
    if isinstance(pricing, dict):
        filled["pricing"] = {**profiles.defaults(profile, "pricing"), **pricing}
    queues = data.get("queues")
    if isinstance(queues, dict):
        mapped = profiles.defaults(profile, "queues.*.event_source_mapping")
        filled["queues"] = {
            name: _with_part_defaults(queue, "event_source_mapping", mapped) if isinstance(queue, dict) else queue
            for name, queue in queues.items()
        }
    traffic = data.get("traffic")
    if isinstance(traffic, dict):
        filled["traffic"] = {
            name: _told_the_duration(_sent_through(source, data), data.get("duration"))
            for name, source in traffic.items()
        }
    return filled


def _with_parts_defaults(data: Mapping[str, Any], parts: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """With the defaults of the keys below each of ``parts`` that is there."""
    for key, defaults in parts.items():
        data = _with_part_defaults(data, key, defaults)
    return data


def _with_part_defaults(data: Mapping[str, Any], key: str, defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the defaults of the keys below ``key``, if it is there."""
    part = data.get(key)
    return {**data, key: {**defaults, **part}} if isinstance(part, dict) else data


# The section of what a source sends to, by how it invokes.
_SECTIONS = {"sqs": ("queue", "queues"), "stream": ("stream", "streams")}


def _sent_through(source: Any, data: Mapping[str, Any]) -> Any:
    """A raw source of messages or records: the function follows from the queue or stream, and the other way round."""
    if not isinstance(source, dict):
        return source
    key, section = _SECTIONS.get(str(source.get("invoke")), ("queue" if "queue" in source else "stream", ""))
    if not section and key not in source:
        return source
    functions = {name: mapped_function(part) for name, part in _mapping(data.get(section)).items()}
    if "function" not in source:
        function = functions.get(str(source.get(key)))
        # Where there is none, a rule says what else is wrong; the name of any function keeps it at that.
        return {**source, "function": function or next(iter(_mapping(data.get("functions"))), "")}
    feeding = [name for name, function in functions.items() if function == source["function"]]
    return {**source, key: feeding[0]} if key not in source and len(feeding) == 1 else source


def _mapping(section: Any) -> Mapping[str, Any]:
    return section if isinstance(section, dict) else {}


def mapped_function(part: Any) -> str | None:
    """The function of a raw queue's or stream's event source mapping; None where it is not written."""
    function = _mapping(_mapping(part).get("event_source_mapping")).get("function")
    return function if isinstance(function, str) else None


def _told_the_duration(source: Any, duration: Any) -> Any:
    """A raw traffic source; a function as its rate learns how long the run is, if that is known."""
    rate = source.get("rate") if isinstance(source, dict) else None
    if not isinstance(rate, RateFunction):
        if not callable(rate):
            return source
        rate = RateFunction(function=rate)
    try:
        duration_ns = parse_duration(duration) or None
    except RuleViolation:
        duration_ns = None
    return {**source, "rate": rate.over(duration_ns)}


def _scenario_name(value: str) -> str:
    # Results are written to a folder of this name.
    if set(value) == {"."}:
        raise RuleViolation("must hold more than dots")
    return value


class Scenario(Model):
    """A whole scenario: region, functions, traffic, how long, and the seed."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100), AfterValidator(_scenario_name)]
    description: str = ""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, strict=True)] | None = None
    duration: PositiveDuration
    drain: Duration = 6 * 3_600 * 10**9
    profile: Literal["2026", "2025-08", "2024", "legacy-2023"] = "2026"
    region: Region
    functions: Annotated[dict[str, Function], Field(min_length=1)]
    queues: dict[str, Queue] = Field(default_factory=dict)
    streams: dict[str, Stream] = Field(default_factory=dict)
    traffic: Annotated[dict[str, TrafficSource], Field(min_length=1)]
    changes: tuple[Change, ...] = ()
    pricing: Pricing
    slo: Slo | None = None

    _settings: tuple[tuple[str, str], ...] = PrivateAttr(default=())

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """(path, value) of what was set to something else than the source of this scenario has, for people to read.

        Empty as long as ``description`` speaks of this scenario as it is. No part of what the scenario means: neither
        of its fingerprint nor of ``==``.
        """
        return self._settings

    def remembering(self, settings: tuple[tuple[str, str], ...]) -> Scenario:
        """The same scenario, which remembers these settings instead."""
        made = self.model_copy()
        made._settings = settings
        return made

    def __eq__(self, other: object) -> bool:
        return dict(self) == dict(other) if isinstance(other, Scenario) else NotImplemented

    def limits_in_force(self) -> list[LimitsInForce]:
        """Quota, reservations and provisioned concurrency over the run: the state at the start, then the others.

        Where provisioned concurrency is scaled, the highest that it may have.
        """
        reserved = {
            name: function.reserved_concurrency
            for name, function in self.functions.items()
            if function.reserved_concurrency is not None
        }
        provisioned = {
            name: function.most_provisioned(self.duration)
            for name, function in self.functions.items()
            if function.provisioned_concurrency is not None or function.autoscaling is not None
        }
        return limits_over_time(self.region.concurrency_quota, reserved, provisioned, self.changes)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        return with_profile_defaults(data)

    def replace(self, changes: Mapping[str, object]) -> Scenario:
        """This scenario with other values: ``scenario.replace({"functions.api.init": "2s"})``. Raises ScenarioError."""
        from lambdasim.scenario.load import replace  # the loader imports this module

        return replace(self, changes)
