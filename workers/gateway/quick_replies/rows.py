"""Rows of `quick_reply`, which the gateway alone writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Connection

from workers.gateway.quick_replies.quick_reply import QUICK_REPLIES_MAX, QuickReply, QuickReplyBody
from workers.gateway.quick_replies.variables import Known

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('quick replies of ' || $1, 0))"
OTHERS = "SELECT count(*) FROM quick_reply WHERE workspace_id = $1 AND reply_id <> $2"
PUT = """
INSERT INTO quick_reply AS stored (workspace_id, reply_id, type, description, body, attachments, desk_id,
    department_id, ticket, changed_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (workspace_id, reply_id) DO UPDATE SET
    type = excluded.type, description = excluded.description, body = excluded.body,
    attachments = excluded.attachments, desk_id = excluded.desk_id, department_id = excluded.department_id,
    ticket = excluded.ticket, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""
REMOVE = "DELETE FROM quick_reply WHERE workspace_id = $1 AND reply_id = $2 RETURNING true"
_COLUMNS = (
    "reply_id, type, description, body, attachments, desk_id, department_id, ticket, changed_by, changed_at"
)
READ = f"SELECT {_COLUMNS} FROM quick_reply WHERE workspace_id = $1 AND reply_id = $2"  # noqa: S608  own columns
# A workspace has a thousand at most.
LIST = f"""
SELECT {_COLUMNS} FROM quick_reply
WHERE workspace_id = $1 AND reply_id > $2
    AND ($3 OR department_id IS NULL OR (desk_id || '/' || department_id) = ANY ($4::text[]))
ORDER BY reply_id LIMIT $5
"""  # noqa: S608  own columns
KNOWN = """
SELECT page.definition ->> 'name' AS page_name, agent.definition ->> 'name' AS agent_name,
    k.page_id AS page, k.name, k.channel_name, k.phone, k.email, k.address, k.birthday
FROM customer k
LEFT JOIN desk_page page ON page.workspace_id = $1 AND page.desk_id = $4 AND page.page_id = k.page_id
LEFT JOIN desk_agent agent ON agent.workspace_id = $1 AND agent.desk_id = $5 AND agent.agent_id = $3
WHERE k.workspace_id = $1 AND k.customer_id = $2
"""

Place = tuple[str, str]
"""Of a department: its desk, and its id there."""


async def put(connection: Connection, workspace: str, id_: str, body: QuickReplyBody, by: str) -> bool:
    """Write it, new or instead of what it was; false: the workspace has as many as it may."""
    async with connection.transaction():
        await connection.execute(LOCK, workspace)
        if await connection.fetchval(OTHERS, workspace, id_) >= QUICK_REPLIES_MAX:
            return False
        attachments = [one.model_dump(exclude_none=True) for one in body.attachments]
        department = body.department
        await connection.execute(
            PUT,
            workspace,
            id_,
            body.type,
            body.description,
            body.body,
            orjson.dumps(attachments).decode(),
            department and department.desk,
            department and department.id,
            body.ticket and body.ticket.model_dump_json(),
            by,
        )
    return True


async def remove(connection: Connection, workspace: str, id_: str) -> bool:
    """Forget it; false: there is none."""
    return bool(await connection.fetchval(REMOVE, workspace, id_))


async def read(connection: Connection, workspace: str, id_: str) -> QuickReply | None:
    """One of them, whoever may use it."""
    row = await connection.fetchrow(READ, workspace, id_)
    return row and _of(row)


async def read_list(
    connection: Connection, workspace: str, after: str, departments: Collection[Place] | None, limit: int
) -> list[QuickReply]:
    """Those behind `after` for everybody, and for these departments; none: for all of them."""
    named = [f"{desk}/{department}" for desk, department in departments or ()]
    rows = await connection.fetch(LIST, workspace, after, departments is None, named, limit)
    return [_of(row) for row in rows]


async def read_known(
    connection: Connection, workspace: str, conversation: UUID, desk: str, agent: str, agent_desk: str
) -> Known | None:
    """What is known of a conversation's customer, and of who writes to him."""
    row = await connection.fetchrow(KNOWN, workspace, conversation, agent, desk, agent_desk)
    if row is None:
        return None
    said = dict(row)
    return Known(**{**said, "page_name": said["page_name"] or "", "agent_name": said["agent_name"] or ""})


def _of(row: Mapping[str, Any]) -> QuickReply:
    said = dict(row)
    id_, desk, department = said.pop("reply_id"), said.pop("desk_id"), said.pop("department_id")
    said["attachments"] = orjson.loads(said["attachments"])
    said["ticket"] = said["ticket"] and orjson.loads(said["ticket"])
    said["department"] = department and {"id": department, "desk": desk}
    return QuickReply.model_validate({"id": id_, **said})
