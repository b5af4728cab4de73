"""Callers that wait for an answer and think before they send again: the closed model, in k6's words.

The open model (a rate) sends whatever becomes of what was sent before; here a slow answer slows the callers down.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from lambdasim.errors import RuleViolation
from lambdasim.scenario.fields import Duration, Model

MOST_USERS = 1_000_000

UserCount = Annotated[int, Field(ge=0, le=MOST_USERS, strict=True)]


class UserStage(Model):
    """A linear change of the number of virtual users to ``target`` over ``duration``; ``0s`` is a jump."""

    duration: Duration
    target: UserCount
    name: str | None = None


class VirtualUsers(Model):
    """How many users there are over time: at first ``start``, then the stages; after the last one they stay."""

    start: UserCount = 0
    stages: tuple[UserStage, ...] = ()

    @model_validator(mode="after")
    def _at_least_one(self) -> VirtualUsers:
        if self.start == 0 and all(stage.target == 0 for stage in self.stages):
            raise RuleViolation("must have at least one user at some time", "for example virtual_users: 50")
        return self

    @property
    def most(self) -> int:
        """The greatest number of users at any time."""
        return max(self.start, *(stage.target for stage in self.stages), 0)


def _as_users(value: Any) -> Any:
    """A bare number is so many users all the time."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"start": value}
    if not isinstance(value, dict | Model):
        raise RuleViolation("must be a number of users or a mapping", "for example 50, or {start: 0, stages: [...]}")
    return value


VirtualUsersOrCount = Annotated[VirtualUsers, BeforeValidator(_as_users)]
