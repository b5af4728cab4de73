"""Targets that a run must meet, as a scenario states them. Whether they are met is in ``metrics.slo``."""

from __future__ import annotations

from typing import Any

from pydantic import (
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import Model, PositiveDuration, Ratio
from lambdasim.units import to_seconds

LATENCY_TARGETS = ("p50", "p90", "p95", "p99", "p999", "max", "mean")
SHARE_TARGETS = ("throttled", "failed", "timed_out_client", "cold")


class Slo(Model):
    """Targets that a run must meet: latencies of the completed requests as times, shares in percent."""

    p50: PositiveDuration | None = None
    p90: PositiveDuration | None = None
    p95: PositiveDuration | None = None
    p99: PositiveDuration | None = None
    p999: PositiveDuration | None = None
    max: PositiveDuration | None = None
    mean: PositiveDuration | None = None
    throttled: Ratio | None = None
    failed: Ratio | None = None
    timed_out_client: Ratio | None = None
    cold: Ratio | None = None

    _order: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _at_least_one(cls, data: Any, handler: ModelWrapValidatorHandler[Slo]) -> Slo:
        slo = handler(data)
        if isinstance(data, Slo):
            return slo  # it keeps its own order
        written = data if isinstance(data, dict) else cls.model_fields
        order = tuple(key for key in written if getattr(slo, key) is not None)
        if not order:
            raise RuleViolation(f"must name at least one of {', '.join(cls.model_fields)}", "for example p99: 1s")
        slo._order = order
        return slo

    @model_serializer(mode="wrap")
    def _in_order(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = handler(self)
        return {key: written[key] for key in self._order if key in written}

    @property
    def targets(self) -> dict[str, float]:
        """Each target as stated, in the order of the file: latencies in seconds, shares in [0, 1]."""
        return {
            key: to_seconds(getattr(self, key)) if key in LATENCY_TARGETS else getattr(self, key) for key in self._order
        }
