"""What there is of a customer, before it is erased and afterwards, and who asked for it when."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from schemas.base import Moment
from workers.gateway.asking import Who, address_of, gateway_of, refuse
from workers.gateway.problem import refusals
from workers.gateway.rights import may
from workers.runtime.handler import Connection

FIND = """
SELECT c.workspace_id, c.conversation_id, c.key,
    (SELECT count(*) FROM message m WHERE m.workspace_id = c.workspace_id
        AND m.conversation_id = c.conversation_id AND m.kind <> 'log'
        AND m.code IS DISTINCT FROM 'erased') AS lines,
    (SELECT count(*) FROM message_mark k WHERE k.workspace_id = c.workspace_id
        AND k.conversation_id = c.conversation_id) AS marks,
    (SELECT count(*) FROM ticket t WHERE t.workspace_id = c.workspace_id
        AND t.conversation_id = c.conversation_id AND (t.subject <> '' OR t.fields <> '{}')) AS tickets,
    (SELECT count(*) FROM file f WHERE f.workspace_id = c.workspace_id
        AND f.conversation_id = c.conversation_id) AS files,
    (SELECT count(*) FROM delivery d WHERE d.workspace_id = c.workspace_id
        AND d.conversation_id = c.conversation_id AND d.content IS NOT NULL)
    + (SELECT count(*) FROM outreach o WHERE o.workspace_id = c.workspace_id
        AND o.conversation_id = c.conversation_id AND o.content IS NOT NULL) AS waiting,
    (SELECT count(*) FROM visitor_address v WHERE v.workspace_id = c.workspace_id
        AND v.conversation_id = c.conversation_id) AS addresses,
    coalesce((SELECT jsonb_array_length(d.orders) FROM desk_conversation d
        WHERE d.workspace_id = c.workspace_id AND d.conversation_id = c.conversation_id), 0) AS orders,
    e.asked_by, e.asked_at, e.done_at
FROM conversation c LEFT JOIN erasure e USING (workspace_id, conversation_id)
WHERE c.workspace_id = $1 AND (c.key = $2 OR c.conversation_id = $3)
"""

router = APIRouter(tags=["conversations"], responses=refusals(401, 403, 404, 409, 422, 429, 503))


class Found(NamedTuple):
    """A customer by his conversation, how much there is of him, and the last erasure, if there was one."""

    workspace: str
    conversation: UUID
    key: str
    lines: int
    marks: int
    tickets: int
    files: int
    waiting: int
    addresses: int
    orders: int
    asked_by: str | None
    asked_at: datetime | None
    done_at: datetime | None


class Erasable(BaseModel):
    """How much an erasure would take away now, besides the profile, and how the last one stands."""

    lines: int
    """Of the transcript, with words."""
    marks: int
    """Edits and reactions."""
    tickets: int
    """With a subject or fields."""
    files: int
    waiting: int
    """Answers, e-mails and SMS that are not sent yet."""
    addresses: int
    """Networks from which the visitor came."""
    orders: int
    """That other systems have linked."""
    asked_by: str | None
    """Of the last erasure; null: there was none."""
    asked_at: Moment | None
    done_at: Moment | None
    """Null while something is left of what was there then."""


async def find(connection: Connection, workspace: str, key: str, id_: UUID | None) -> Found | None:
    """The customer with this key (`channel:account:user`) or conversation's id; none: there is none."""
    row = await connection.fetchrow(FIND, workspace, key, id_)
    return None if row is None else Found(*row)


@router.get("/conversations/{conversation}/erasure", operation_id="erasure")
async def read_erasure(request: Request, conversation: UUID, identity: Who) -> Erasable:
    """What erasing the customer would take away, and whether the last erasure is done."""
    queries = gateway_of(request).queries
    async with queries.view(identity) as view:
        found = await queries.conversation(view, conversation, address_of(request))
        if not may(identity, frozenset(), "erase"):
            sentence = "Only an admin may erase a customer."
            raise refuse(request, identity, "erase", str(conversation), sentence)
        erasable = await find(view.connection, identity.workspace, found.key, conversation)
    assert erasable is not None  # noqa: S101 - it was found before
    return Erasable(**erasable._asdict())
