"""The refused attempts of a workspace, the latest first."""

from __future__ import annotations

from typing import Annotated

from asyncpg import Connection
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.base import NO_NUL_PATTERN, Moment
from workers.gateway.queries.filters import LIST_MAX, Time

ID_MAX = 2**63 - 1

READ = """
SELECT audit_id AS id, at, actor, address, call, subject, code, times FROM audit
WHERE workspace_id = $1 AND proven = $8 AND audit_id < $2
    AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR address = $4)
    AND ($5::text IS NULL OR code = $5) AND ($6::timestamptz IS NULL OR at >= $6)
ORDER BY audit_id DESC LIMIT $7
"""

Words = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=NO_NUL_PATTERN)]


class Wanted(BaseModel):
    """All that are given must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    actor: Words | None = None
    """`agent:<workspace>/<agent>`, `service:<workspace>/<service>`, `login:<login>`."""
    address: Words | None = None
    code: Words | None = None
    since: Time | None = None
    proven: bool = True
    """Who had proved who he is; false: who only named the workspace, as anybody may."""
    before: Annotated[int, Field(ge=1, le=ID_MAX)] = ID_MAX
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=LIST_MAX)] = 50


class Attempt(BaseModel):
    """Somebody tried what he may not."""

    id: int
    at: Moment
    actor: str
    """As he named himself, or as he had signed in; empty: not known."""
    address: str
    call: str
    subject: str
    """What it was about: a conversation, an agent, a page; or empty."""
    code: str
    """Why: `unauthenticated`, `network`, `reused`, `too_many_attempts`, `forbidden`."""
    times: int
    """So many at once, of which `subject` names the first, or within a minute, up to `at`."""


class Attempts(BaseModel):
    """A page of them."""

    attempts: tuple[Attempt, ...]
    next: int | None


async def read_refusals(connection: Connection, workspace: str, wanted: Wanted) -> Attempts:
    """What is wanted of a workspace's; whether he may read them has been decided."""
    narrowed = wanted.actor, wanted.address, wanted.code, wanted.since
    asked = workspace, wanted.before, *narrowed, wanted.limit + 1, wanted.proven
    rows = await connection.fetch(READ, *asked)
    found = tuple(Attempt(**row) for row in rows[: wanted.limit])
    return Attempts(attempts=found, next=found[-1].id if len(rows) > wanted.limit else None)
