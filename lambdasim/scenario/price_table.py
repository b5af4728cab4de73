"""A table of prices: what it may hold, and how a scenario's own one is read.

The package's table (``cost/prices.yaml``) and a user's (``pricing.table``) have this form. A user's table states only
what differs. Prices are Decimal from their first digit on; nothing here knows what is bought.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from lambdasim.errors import RuleViolation, ScenarioError
from lambdasim.scenario.data_files import BadDataFile, DataFile, RowProblem, read_regular_file, shown
from lambdasim.scenario.fields import Model
from lambdasim.scenario.yaml_reader import MAX_FILE_BYTES, Document, YamlPath, path_text, read_text

_MOST_USD = 1_000_000
_MOST_UNITS = 10**18
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,18})?")


def _usd(value: Any) -> Decimal:
    """US dollars, exactly as written; a bare number is taken by its shortest digits, which are those in the file."""
    if isinstance(value, Decimal):
        return value
    text = f"{Decimal(repr(value)):f}" if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or _DECIMAL.fullmatch(text) is None or Decimal(text) > _MOST_USD:
        raise RuleViolation("must be a price in US dollars", 'a plain decimal, for example "0.0000166667"')
    return Decimal(text)


def _whole(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_UNITS:
        raise RuleViolation("must be a whole number, 0 or more", "")
    return value


def _day(value: str) -> str:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?", value) is None:
        raise RuleViolation("must be a date", "for example 2026-11-01")
    return value


Usd = Annotated[Decimal, BeforeValidator(_usd)]
Units = Annotated[int, BeforeValidator(_whole)]


class Tier(Model):
    """A price for the units of a month up to and including ``up_to``, beyond those of the tier before."""

    up_to: Units | None = None  # the last tier has no end
    usd: Usd


def _as_tiers(value: Any) -> Any:
    """One price alone is one tier."""
    if isinstance(value, dict):
        raise RuleViolation("must be a price or a list of tiers", 'for example "0.20" or [{up_to: 100, usd: "0.20"}]')
    return value if isinstance(value, list | tuple) else ({"usd": value},)


def _rising(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    ends = [tier.up_to for tier in tiers[:-1]]
    if not tiers or tiers[-1].up_to is not None or None in ends:
        raise RuleViolation("must have an up_to in each of its tiers but the last")
    bounds = [0, *(end for end in ends if end is not None)]
    if any(low >= high for low, high in pairwise(bounds)):
        raise RuleViolation("must have tiers whose up_to rises")
    return tiers


Tiers = Annotated[tuple[Tier, ...], BeforeValidator(_as_tiers), AfterValidator(_rising)]


class ByArchitecture(Model):
    """A price for each instruction set."""

    x86_64: Tiers | None = None
    arm64: Tiers | None = None


class RegionPrices(Model):
    """What things cost in one region, in US dollars a unit. What is not stated is None."""

    source: str | None = None
    read: str | None = None  # the date of the source, or when it was read
    requests: Tiers | None = None  # of Lambda, each
    duration: ByArchitecture | None = None  # on demand, GB-second
    provisioned_duration: ByArchitecture | None = None  # GB-second
    provisioned_capacity: ByArchitecture | None = None  # GB-second
    ephemeral_storage: Tiers | None = None  # GB-second above 512 MB
    snapstart_cache: Tiers | None = None  # GB-second
    snapstart_restore: Tiers | None = None  # GB
    sqs_standard: Tiers | None = None  # request
    sqs_fifo: Tiers | None = None
    api_gateway_rest: Tiers | None = None  # request
    api_gateway_http: Tiers | None = None

    def stated(self) -> Mapping[str, tuple[Tier, ...]]:
        """The prices that are stated, by name: ``requests``, ``duration.x86_64``."""
        prices: dict[str, tuple[Tier, ...]] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, tuple):
                prices[name] = value
            elif isinstance(value, ByArchitecture):
                for architecture in ByArchitecture.model_fields:
                    tiers = getattr(value, architecture)
                    if tiers is not None:
                        prices[f"{name}.{architecture}"] = tiers
        return prices


class FreeTier(Model):
    """What costs nothing each month, over both architectures and all regions."""

    source: str | None = None
    read: str | None = None
    requests: Units | None = None  # of Lambda
    gb_seconds: Units | None = None  # of duration on demand
    sqs_requests: Units | None = None


class PriceTable(Model):
    """Prices by region, and what is free."""

    date: Annotated[str, AfterValidator(_day)] | None = None  # of the newest price in it
    regions: dict[str, RegionPrices] = Field(default_factory=dict)
    free_tier: FreeTier = FreeTier()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile(DataFile):
    """A table of prices that a scenario names."""

    table: PriceTable = field(repr=False)


def read_price_table(value: Any, info: ValidationInfo) -> Any:
    """The prices in a YAML file, relative to the scenario; a PriceFile is kept. Raises RuleViolation, BadDataFile."""
    if isinstance(value, PriceFile):
        return value
    name = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(name, str) or not name.strip():
        raise RuleViolation("must be the name of a YAML file", "for example prices.yaml")
    path = (info.context or {}).get("base", Path()) / name
    content = read_regular_file(path, MAX_FILE_BYTES)
    table = _parsed(content, str(path))
    return PriceFile(path=name, sha256=hashlib.sha256(content).hexdigest(), table=table)


def _parsed(content: bytes, place: str) -> PriceTable:
    try:
        document = read_text(content.decode("utf-8-sig"), place)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadDataFile((RowProblem(f"{place}:{line}", "must be text in UTF-8"),)) from None
    except ScenarioError as error:
        raise BadDataFile(tuple(RowProblem(problem.place, problem.message) for problem in error.problems)) from None
    if not isinstance(document.data, dict):
        raise BadDataFile((RowProblem(place, "must hold prices, for example regions: {us-east-1: ...}"),))
    problems = [RowProblem(problem.place, problem.message) for _, problem in document.problems]
    try:
        table = PriceTable.model_validate(document.data)
    except ValidationError as error:
        problems += [_problem(one, document) for one in error.errors(include_url=False)]
    if problems:
        raise BadDataFile(tuple(problems))
    return table


def _problem(error: ErrorDetails, document: Document) -> RowProblem:
    """One of pydantic's errors in plain words, at its line."""
    path: YamlPath = tuple(error["loc"])
    spot = document.keys.get(path) if error["type"] == "extra_forbidden" else None
    spot = spot or document.values[_there(path, document)]
    if error["type"] not in ("missing", "extra_forbidden"):
        path = _there(path, document)
    return RowProblem(f"{document.name}:{spot.line}:{spot.column}", f"{path_text(path)}: {_sentence(error, path)}")


def _there(path: YamlPath, document: Document) -> YamlPath:
    """As much of a path as the document has: a price alone is a tier only in the models."""
    return next(path[:length] for length in range(len(path), -1, -1) if path[:length] in document.values)


def _sentence(error: ErrorDetails, path: YamlPath) -> str:
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, RuleViolation):
        got = f", got {shown(str(error['input']))}" if cause.rule.startswith("must be ") else ""
        return f"{cause.rule}{got} ({cause.hint})" if cause.hint else f"{cause.rule}{got}"
    if error["type"] == "extra_forbidden":
        known = list(_known_keys(path[:-1]))
        near = get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
        return f"is not a known key ({hint})"
    if error["type"] == "missing":
        return "is required"
    kind = "text" if error["type"] == "string_type" else "a mapping"
    return f"must be {kind}, got {shown(str(error['input']))}"


def _known_keys(path: YamlPath) -> Iterator[str]:
    """The keys of the mapping at a path of a table."""
    models: dict[int, type[Model]] = {0: PriceTable, 1: FreeTier, 2: RegionPrices, 3: ByArchitecture}
    yield from (Tier if isinstance(path[-1] if path else None, int) else models[min(len(path), 3)]).model_fields
