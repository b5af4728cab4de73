"""The distributions of a scenario: what the user writes. How they are sampled is in ``workload.sampling``.

Every form is a mapping with one key that names it, ``{lognormal: {p50: 80ms, p99: 400ms}}``; a bare time is a
constant. All times are integer nanoseconds.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from lambdasim import units
from lambdasim.errors import RuleViolation
from lambdasim.scenario.data_files import SampleFile, read_sample_file
from lambdasim.scenario.fields import UNLIMITED, Duration, Model, PositiveDuration

FORMS = ("constant", "exponential", "lognormal", "gamma", "uniform", "empirical", "quantiles", "mixture")


class Constant(Model):
    """Always the same time."""

    constant: Duration


class ExponentialParameters(Model):
    """Mean of an exponential distribution."""

    mean: PositiveDuration


class Exponential(Model):
    """Memoryless times, the M of queueing theory."""

    exponential: ExponentialParameters


class LognormalParameters(Model):
    """A median with a 99th percentile or a sigma, or a mean with a sigma. Sigma belongs to the logarithm."""

    p50: PositiveDuration | None = None
    p99: PositiveDuration | None = None
    mean: PositiveDuration | None = None
    sigma: Annotated[float, Field(ge=0, le=10, strict=True)] | None = None

    @model_validator(mode="after")
    def _one_of_three_forms(self) -> LognormalParameters:
        given = {name for name in ("p50", "p99", "mean", "sigma") if getattr(self, name) is not None}
        if given not in ({"p50", "p99"}, {"p50", "sigma"}, {"mean", "sigma"}):
            raise RuleViolation("must have p50 and p99, p50 and sigma, or mean and sigma", "")
        if self.p50 is not None and self.p99 is not None and self.p99 < self.p50:
            raise RuleViolation("must have p99 at least p50", "")
        return self

    @property
    def is_constant(self) -> bool:
        """Whether there is no spread at all: a sigma of 0, or a p99 that equals the median."""
        return self.sigma == 0 or (self.p50 is not None and self.p50 == self.p99)


class Lognormal(Model):
    """Right-skewed times, the usual shape of handler and init durations."""

    lognormal: LognormalParameters


class GammaParameters(Model):
    """Mean and coefficient of variation (standard deviation / mean; 1 is exponential)."""

    mean: PositiveDuration
    cv: Annotated[float, Field(gt=0, le=100, strict=True)]


class Gamma(Model):
    """Times with a chosen mean and variability."""

    gamma: GammaParameters


def _ends(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 2:
        return tuple(value)
    raise RuleViolation("must be a list of two times, the least and the greatest", "for example [5m, 7m]")


class Uniform(Model):
    """Any time between two ends, equally likely."""

    uniform: Annotated[
        tuple[Duration, Duration],
        BeforeValidator(_ends),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Uniform:
        if self.uniform[0] > self.uniform[1]:
            raise RuleViolation("must name the least time first", "swap the two")
        return self


def _empirical_form(value: Any) -> str:
    return "values" if isinstance(value, list | tuple) else "file"


class Empirical(Model):
    """Measured times, drawn with replacement: a list, or a CSV file with the one column ``duration_s``."""

    empirical: Annotated[
        Annotated[tuple[Duration, ...], Field(min_length=1), Tag("values")]
        | Annotated[SampleFile, BeforeValidator(read_sample_file), Tag("file")],
        Discriminator(_empirical_form),
    ]

    @property
    def samples_ns(self) -> tuple[int, ...]:
        """The measured times in nanoseconds, in the order given."""
        return self.empirical.samples_ns if isinstance(self.empirical, SampleFile) else self.empirical


def _check_quantile_keys(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            match = re.fullmatch(r"p(\d{1,3}(?:\.\d+)?)", str(key))
            if match is None or float(match.group(1)) > 100:
                raise RuleViolation(f"must have keys from p0 to p100, such as p50 or p99.9; {key} is none", "")
    return value


class Quantiles(Model):
    """Percentiles read off a dashboard: linear in log time between them, plainly linear from a p0 of 0."""

    quantiles: Annotated[dict[str, Duration], BeforeValidator(_check_quantile_keys)]

    @model_validator(mode="after")
    def _complete_and_rising(self) -> Quantiles:
        points = self.points
        if not points or points[0][0] != 0.0 or points[-1][0] != 1.0:
            raise RuleViolation("must have p0 and p100", "they bound what can be drawn")
        if any(later[1] < earlier[1] for earlier, later in pairwise(points)):
            raise RuleViolation("must not fall from one percentile to the next", "")
        return self

    @property
    def points(self) -> tuple[tuple[float, int], ...]:
        """(cumulative probability, time in ns), in rising order."""
        return tuple(sorted((float(key[1:]) / 100, value) for key, value in self.quantiles.items()))


def _split_weight(value: Any) -> Any:
    """``{weight: 0.9, exponential: {...}}`` as the model has it: the weight beside the distribution."""
    if isinstance(value, dict):
        rest = {key: item for key, item in value.items() if key != "weight"}
        return {**({"weight": value["weight"]} if "weight" in value else {}), "distribution": rest}
    return value


class MixturePart(Model):
    """One component of a mixture and its relative weight."""

    weight: Annotated[float, Field(gt=0, strict=True)]
    distribution: Distribution

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The weight beside the distribution, as in a scenario file."""
        written: dict[str, Any] = dict(handler(self))
        # pydantic wraps a recursive model twice when it stands inside another one; then this is done already.
        distribution: dict[str, Any] = written.pop("distribution", {})
        return {**written, **distribution}


class Mixture(Model):
    """One of several distributions, chosen by weight for each draw; weights need not add up to 1."""

    mixture: Annotated[tuple[Annotated[MixturePart, BeforeValidator(_split_weight)], ...], Field(min_length=1)]


def _as_form(value: Any) -> Any:
    """A bare time is a constant; anything else must be a mapping with the name of one form."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return {"constant": units.format_duration(units.parse_duration(value))}
    if isinstance(value, Model):
        return value
    if not isinstance(value, dict):
        raise RuleViolation(
            "must be a time or a distribution", "for example 200ms or {lognormal: {p50: 80ms, p99: 400ms}}"
        )
    if len(value) != 1:
        named = f"it names {' and '.join(map(str, value))}" if value else "it names none"
        raise RuleViolation(f"must name exactly one distribution; {named}", f"one of {', '.join(FORMS)}")
    (form,) = value
    if form not in FORMS:
        near = get_close_matches(str(form), FORMS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the distributions are {', '.join(FORMS)}"
        raise RuleViolation(f"must name a known distribution; {form} is none", hint)
    return value


def _form_of(value: Any) -> str:
    if isinstance(value, Model):
        return next(iter(type(value).model_fields))
    return str(next(iter(value)))


Distribution = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Gamma, Tag("gamma")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Empirical, Tag("empirical")]
    | Annotated[Quantiles, Tag("quantiles")]
    | Annotated[Mixture, Tag("mixture")],
    Discriminator(_form_of),
    BeforeValidator(_as_form),
]

MixturePart.model_rebuild()

# A distribution, or the text "unlimited" for a time that never comes.
DistributionOrUnlimited = Annotated[
    Annotated[Literal["unlimited"], Tag("unlimited")] | Annotated[Distribution, Tag("distribution")],
    Discriminator(lambda value: "unlimited" if value == UNLIMITED else "distribution"),
]


def least_ns(distribution: Distribution) -> int:
    """The least time that the distribution can give, in ns; 0 where it comes arbitrarily near to 0."""
    match distribution:
        case Constant(constant=value):
            return value
        case Lognormal(lognormal=parameters) if parameters.is_constant:
            return parameters.p50 or parameters.mean or 0
        case Uniform(uniform=(low, _)):
            return low
        case Empirical():
            return min(distribution.samples_ns)
        case Quantiles():
            return distribution.points[0][1]
        case Mixture(mixture=parts):
            return min(least_ns(part.distribution) for part in parts)
        case _:
            return 0


def greatest_ns(distribution: Distribution) -> int | None:
    """The greatest time that the distribution can give, in ns; None where it has no bound."""
    match distribution:
        case Constant(constant=value):
            return value
        case Lognormal(lognormal=parameters) if parameters.is_constant:
            return parameters.p50 or parameters.mean
        case Uniform(uniform=(_, high)):
            return high
        case Empirical():
            return max(distribution.samples_ns)
        case Quantiles():
            return distribution.points[-1][1]
        case Mixture(mixture=parts):
            bounds = [greatest_ns(part.distribution) for part in parts]
            return None if None in bounds else max(bound for bound in bounds if bound is not None)
        case _:
            return None
