"""SQS queues, and the event source mappings through which Lambda polls them for a function.

Sources of ranges and defaults: botocore's service models of SQS and Lambda (read 2026-08), the SQS pages
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html and services-sqs-scaling.html (read 2026).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, StrictBool, Tag, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import (
    Duration,
    Model,
    PositiveCount,
    PositiveDuration,
    Ratio,
    SizeBytes,
    between,
    share_left,
    text_or_value,
)
from lambdasim.units import NS_PER_S, format_duration

_DAY_NS = 86_400 * NS_PER_S

# AWS's limits of a queue and of its mapping.
MOST_BATCH, MOST_FIFO_BATCH, MOST_BATCH_WITHOUT_WINDOW = 10_000, 10, 10
MOST_PAYLOAD_BYTES = 6 * 2**20  # of one synchronous invocation, and so of a batch
MOST_MESSAGE_BYTES = 2**20  # 256 KB until August 2025
CONCURRENCY_PER_POLLER = 10
MOST_REDRIVE_PER_S = 500


# Bounds of what-ifs, so that a level fits 64 bits.
MOST_PLACES = 100_000
_LONGEST_GROWTH_NS = _DAY_NS


def _growth_interval(value: int) -> int:
    if value > _LONGEST_GROWTH_NS:
        raise RuleViolation(f"must be at most {format_duration(_LONGEST_GROWTH_NS)}", "")
    return value


class PollerScaling(Model):
    """How many batches a mapping may have with the function at once: ``start``, and more while all are busy."""

    start: Annotated[int, Field(ge=1, le=MOST_PLACES, strict=True)]
    rate: Annotated[int, Field(ge=1, le=MOST_PLACES, strict=True)]
    per: Annotated[PositiveDuration, AfterValidator(_growth_interval)]
    max: Annotated[int, Field(ge=1, le=MOST_PLACES, strict=True)]

    @model_validator(mode="after")
    def _starts_below_the_maximum(self) -> PollerScaling:
        if self.start > self.max:
            raise RuleViolation(f"must have a start of at most its max, {self.max}, got {self.start}", "")
        return self


class PollerBackOff(Model):
    """How a mapping backs off after function errors and throttles.

    MODEL: AWS says that the mapping reduces its concurrency, not by how much. Here each leaves it ``share`` of what it
    may have, at most once in every ``interval``.
    """

    share: Annotated[Ratio, AfterValidator(share_left)] = 0.7
    interval: PositiveDuration = 10 * NS_PER_S


class PollerRetry(Model):
    """How a mapping tries a throttled batch again: after a share of min(cap, base x 2^(k-1)) that depends on jitter.

    MODEL: AWS says that it goes on trying, not when.
    """

    base: PositiveDuration = NS_PER_S
    cap: PositiveDuration = 20 * NS_PER_S
    jitter: Literal["full", "equal", "none"] = "full"


class ProvisionedPollers(Model):
    """Pollers that are kept ready, each for 10 batches at once; AWS has them since 2025-11-14."""

    minimum: Annotated[int, Field(ge=2, le=200, strict=True)] = 2
    maximum: Annotated[int, Field(ge=2, le=2_000, strict=True)] = 200

    @model_validator(mode="after")
    def _in_order(self) -> ProvisionedPollers:
        if self.minimum > self.maximum:
            raise RuleViolation(f"must have a minimum of at most its maximum, {self.maximum}, got {self.minimum}", "")
        return self


class QueueMapping(Model):
    """An event source mapping: Lambda polls the queue and invokes the function with batches of messages."""

    function: str
    batch_size: Annotated[int, Field(ge=1, le=MOST_BATCH, strict=True)] = 10
    batch_window: Annotated[Duration, AfterValidator(between(0, 300 * NS_PER_S))] = 0
    maximum_concurrency: Annotated[int, Field(ge=2, le=1_000, strict=True)] | None = None
    partial_batch_failures: StrictBool = False
    duration_per: Literal["batch", "message"] = "batch"
    scaling: Annotated[
        Annotated[Literal["unlimited"], Tag("text")] | Annotated[PollerScaling, Tag("value")],
        Discriminator(text_or_value),
    ]
    scale_in: Ratio = 0.1
    back_off: Annotated[
        Annotated[Literal["none"], Tag("text")] | Annotated[PollerBackOff, Tag("value")], Discriminator(text_or_value)
    ] = PollerBackOff()
    throttle_retry: PollerRetry = PollerRetry()
    provisioned_pollers: ProvisionedPollers | None = None

    @model_validator(mode="after")
    def _one_way_to_scale(self) -> QueueMapping:
        if self.provisioned_pollers is not None and self.maximum_concurrency is not None:
            rule = "must not have both provisioned_pollers and maximum_concurrency, as AWS demands"
            raise RuleViolation(rule, "provisioned_pollers.maximum limits the concurrency, 10 for each poller")
        return self


class Fifo(Model):
    """A FIFO queue: messages of one group are in order, and only one batch has messages of a group at a time."""

    message_groups: PositiveCount


class Queue(Model):
    """An SQS queue: what becomes of a message that was received and not deleted, and who polls it."""

    visibility_timeout: Annotated[Duration, AfterValidator(between(0, 12 * 3_600 * NS_PER_S))] = 30 * NS_PER_S
    retention: Annotated[Duration, AfterValidator(between(60 * NS_PER_S, 14 * _DAY_NS))] = 4 * _DAY_NS
    delay: Annotated[Duration, AfterValidator(between(0, 900 * NS_PER_S))] = 0
    max_receive_count: Annotated[int, Field(ge=1, le=1_000, strict=True)] | None = None
    dead_letter: str | None = None
    fifo: Fifo | None = None
    message_size: Annotated[SizeBytes, AfterValidator(between(1, MOST_MESSAGE_BYTES, unit="B"))] = 1_024
    event_source_mapping: QueueMapping | None = None

    @model_validator(mode="after")
    def _redrive_policy_is_whole(self) -> Queue:
        if (self.max_receive_count is None) != (self.dead_letter is None):
            given, missing = ("dead_letter", "max_receive_count")
            if self.dead_letter is None:
                given, missing = missing, given
            hint = "for example max_receive_count: 5" if missing == "max_receive_count" else "the name of a queue"
            raise RuleViolation(f"must have {missing} beside {given}", hint)
        return self

    @model_validator(mode="after")
    def _mapping_fits(self) -> Queue:
        mapping = self.event_source_mapping
        if mapping is None:
            return self
        if self.fifo is not None and mapping.batch_window:
            # AWS's own words.
            raise RuleViolation("must have no batch_window: Batching window is not supported for FIFO queues", "")
        if self.fifo is not None and mapping.batch_size > MOST_FIFO_BATCH:
            raise RuleViolation(f"must have a batch_size of at most {MOST_FIFO_BATCH} of a FIFO queue", "")
        if mapping.batch_size > MOST_BATCH_WITHOUT_WINDOW and mapping.batch_window < NS_PER_S:
            # AWS's own words.
            rule = (
                "must have a batch_window of at least 1s: Maximum batch window in seconds must be greater than 0 if"
                " maximum batch size is greater than 10"
            )
            raise RuleViolation(rule, "for example batch_window: 1s")
        return self
