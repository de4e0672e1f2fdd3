"""outcomes: one per idempotency key of an agent, a service or the CLI. Key: its sender, e.g. `cli:<id>`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from schemas.base import InsideModel, Moment, Slug


class Outcome(InsideModel):
    """What became of a command."""

    workspace: Slug
    desk: Slug
    actor: str
    idempotency_key: str
    command: str
    """What was asked, e.g. `configure`."""
    at: Moment


class Done(Outcome):
    """It was carried out."""

    result: dict[str, Any] = Field(default_factory=dict)


class Refused(Outcome):
    """It was not, and why."""

    code: str
    sentence: str
