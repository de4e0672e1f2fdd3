"""outcomes: one per idempotency key of an agent, a service or the CLI. Key: its sender, e.g. `cli:<id>`."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, Field, StringConstraints

from schemas.base import InsideModel, Moment, Slug


class Outcome(InsideModel):
    """What became of a command."""

    workspace: Slug
    desk: Slug
    actor: str
    idempotency_key: str
    command: str
    """What was asked, e.g. `configure`."""
    request_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of what was asked: the same key with another command or body is another request, and is refused."""
    at: Moment
    conversation: UUID | None = None
    """What was asked about one conversation: which. Who erases a customer finds by it what is kept of him."""


class Done(Outcome):
    """It was carried out."""

    result: dict[str, Any] = Field(default_factory=dict)


class Refused(Outcome):
    """It was not, and why."""

    code: str
    sentence: str
    allowed: tuple[str, ...] = ()
    """What would be allowed instead, in words of the API: care statuses, agents, commands."""
    details: dict[str, Any] = Field(default_factory=dict)
    """What programs show, e.g. of `taken`: `winner`, `earlier_ms`."""


def written_outcome(outcome: Outcome) -> dict[str, Any]:
    """What tables keep of it, as orjson writes it."""
    return {"kind": type(outcome).__name__.lower(), **vars(outcome)}


def read_outcome(text: str) -> Done | Refused:
    """The outcome that a table has kept."""
    fields = orjson.loads(text)
    return (Refused if fields["kind"] == "refused" else Done).model_validate(fields)


def request_sha256(asked: BaseModel) -> str:
    """The digest of a command or action and its body: equal for equal ones, however their JSON was spaced.

    Who sends and who decides take it alike, so that a sender knows whether an outcome is that of his request.
    """
    return sha256(f"{type(asked).__name__}\n{asked.model_dump_json()}".encode()).hexdigest()
