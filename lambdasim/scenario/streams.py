"""Kinesis and DynamoDB streams, and the event source mappings through which Lambda reads them for a function.

Sources of ranges and defaults: botocore's service model of Lambda (read 2026-08),
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html and with-kinesis.html (read 2026).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, StrictBool, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import (
    UNLIMITED,
    Duration,
    DurationLimit,
    Model,
    PositiveCount,
    PositiveDuration,
    SizeBytes,
    between,
    text_or_value,
)
from lambdasim.units import NS_PER_S

_DAY_NS = 86_400 * NS_PER_S
# How often each shard is polled: Kinesis about once a second, DynamoDB Streams four times.
POLL_INTERVAL_NS = {"kinesis": NS_PER_S, "dynamodb": NS_PER_S // 4}
MOST_RECORD_BYTES = 10 * 2**20


class StreamRetry(Model):
    """How a batch is tried again after an error or a throttle: after min(cap, base x 2^(k-1)).

    MODEL: AWS does not publish the spacing.
    """

    base: PositiveDuration = NS_PER_S
    cap: PositiveDuration = 60 * NS_PER_S


def _or_minus_1(value: object) -> object:
    """AWS writes -1 for unlimited."""
    return UNLIMITED if value == -1 and not isinstance(value, bool) else value


def _record_age(value: int | str) -> int | str:
    if isinstance(value, int):
        between(60 * NS_PER_S, 7 * _DAY_NS)(value)
    return value


class StreamMapping(Model):
    """An event source mapping: Lambda reads each shard in order and invokes the function with batches of records."""

    function: str
    batch_size: Annotated[int, Field(ge=1, le=10_000, strict=True)] = 100
    batch_window: Annotated[Duration, AfterValidator(between(0, 300 * NS_PER_S))] = 0
    parallelization_factor: Annotated[int, Field(ge=1, le=10, strict=True)] = 1
    maximum_retry_attempts: Annotated[
        Annotated[
            Annotated[int, Field(ge=0, le=10_000, strict=True), Tag("value")]
            | Annotated[Literal["unlimited"], Tag("text")],
            Discriminator(text_or_value),
        ],
        BeforeValidator(_or_minus_1),
    ] = UNLIMITED
    maximum_record_age: Annotated[DurationLimit, BeforeValidator(_or_minus_1), AfterValidator(_record_age)] = UNLIMITED
    bisect_on_error: StrictBool = False
    partial_batch_failures: StrictBool = False
    on_failure: str | None = None
    duration_per: Literal["batch", "record"] = "batch"
    poll_interval: PositiveDuration | None = None
    retry: StreamRetry = StreamRetry()


class Stream(Model):
    """A stream of records: in order within a shard, and kept for a time whether they were read or not."""

    kind: Literal["kinesis", "dynamodb"] = "kinesis"
    shards: PositiveCount = 1
    retention: Annotated[Duration, AfterValidator(between(_DAY_NS, 365 * _DAY_NS))] = _DAY_NS
    partition_keys: PositiveCount | None = None
    record_size: Annotated[SizeBytes, AfterValidator(between(1, MOST_RECORD_BYTES, unit="B"))] = 1_024
    event_source_mapping: StreamMapping

    @model_validator(mode="after")
    def _dynamodb_keeps_a_day(self) -> Stream:
        if self.kind == "dynamodb" and self.retention != _DAY_NS:
            raise RuleViolation("must have a retention of 24h: DynamoDB Streams keep records for no other time", "")
        return self
