"""Answers on channels to which we do not send: a connector carries them, and tells how they fare.

It has read the answer on outbound and tells on receipts: of two topics nobody says which is read here first.
So what it tells is put on outbound, behind the answer, and counts from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.base import OUR_CHANNELS
from schemas.envelope import Kind, moment
from schemas.ids import channel_of, conversation_id
from schemas.outbound import Carried
from schemas.receipts import Carried as Told
from schemas.writing import written
from workers.runtime.batch import Batch, Record
from workers.runtime.handler import Connection
from workers.runtime.refusal import RefusedError

CARRIED = Kind("outbound", "carried")

OWNERS = "SELECT page_id, workspace_id FROM page_registry WHERE page_id = ANY($1::text[])"
# The furthest counts; what is told again changes nothing. Of who is kept out no agent learns what he reads.
TELL = """
WITH asked AS (
    SELECT d.workspace_id, d.message_id, CASE
        WHEN $4 IN ('delivered', 'read') AND EXISTS (
            SELECT FROM conversation c
            WHERE c.workspace_id = d.workspace_id AND c.conversation_id = d.conversation_id AND c.blocked)
        THEN 'sent' ELSE $4 END AS state
    FROM delivery d WHERE d.workspace_id = $1 AND d.message_id = $2 AND d.conversation_id = $3
), told AS (
    UPDATE delivery d SET state = asked.state, reason = $5, attempted_at = coalesce(d.attempted_at, $7),
        ids = CASE WHEN asked.state = 'failed' OR cardinality(d.ids) > 0 THEN d.ids ELSE ARRAY[$6] END,
        version = d.version + 1, told = false, changed_at = now()
    FROM asked WHERE d.workspace_id = asked.workspace_id AND d.message_id = asked.message_id
        AND ((d.state = 'queued' AND asked.state = 'failed')
            OR array_position(ARRAY['queued', 'sent', 'delivered', 'read'], d.state)
                < array_position(ARRAY['queued', 'sent', 'delivered', 'read'], asked.state))
)
SELECT count(*) FROM asked
"""


def is_carried(page: str) -> bool:
    """Whether a connector carries what is said for this page."""
    return channel_of(page) not in OUR_CHANNELS


async def put_behind(connection: Connection, batch: Batch, told: Sequence[tuple[Record, Told]]) -> None:
    """Put what connectors tell of their pages behind the answers; what is not theirs to tell is refused."""
    if not told:
        return
    pages = sorted({value.page for _, value in told})
    owners = dict(await connection.fetch(OWNERS, pages))
    for record, value in told:
        try:
            workspace = _owner(owners, value)
        except RefusedError as refusal:
            batch.reject(record, refusal.reason, refusal.detail)
            continue
        behind = _behind(record, value, workspace)
        batch.emit(record, CARRIED, key=record.key, value=written(behind), at_ms=record.timestamp_ms)


async def tell(connection: Connection, carried: Carried) -> None:
    """Write down how the answer fares. Raises RefusedError when nobody has asked for it there."""
    reason = (carried.reason or "rejected") if carried.state == "failed" else None
    place = carried.workspace, carried.message, carried.conversation
    id_, at = carried.channel_message_id, carried.at
    if not await connection.fetchval(TELL, *place, carried.state, reason, id_, at):
        raise RefusedError("unknown_message", "no such answer was asked for in this conversation")


def _owner(owners: Mapping[str, str], value: Told) -> str:
    workspace = owners.get(value.page)
    if workspace is None:
        raise RefusedError("unknown_page", f"no workspace has connected the page {value.page}")
    if value.workspace not in (None, workspace):
        problem = f"the page {value.page} does not belong to the workspace {value.workspace}"
        raise RefusedError("wrong_workspace", problem)
    return workspace


def _behind(record: Record, value: Told, workspace: str) -> Carried:
    at_ms = record.timestamp_ms if value.sent_at_ms is None else min(value.sent_at_ms, record.timestamp_ms)
    return Carried(
        workspace=workspace,
        conversation=conversation_id(value.key),
        key=value.key,
        message=value.message,
        state=value.state,
        reason=value.reason,
        channel_message_id=value.channel_message_id or str(value.message),
        at=moment(at_ms),
    )
