"""Reads from the transcript what `assigned` notices carry, in one statement for a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from schemas.assignments import Assigned
from schemas.messages import MessageAttachment
from schemas.notifications import NoticeMessage
from workers.notifier.carried import Carried
from workers.runtime.handler import Connection

# No time bounds the search: partitions of months without the conversation cost one probe of an index each.
# The session's first position does, so that a transcript of years costs no more than its last session.
CARRIED = """
SELECT (SELECT count(*) FROM message m
        WHERE m.workspace_id = e.workspace_id AND m.conversation_id = e.conversation_id
          AND m.position BETWEEN coalesce(s.first_position, 1) AND e.after_position
          AND m.session >= e.session AND m.sender = 'customer') AS known,
       (SELECT array_agg(m.position ORDER BY m.position) FROM message m
        WHERE m.workspace_id = e.workspace_id AND m.conversation_id = e.conversation_id
          AND m.position > e.after_position AND m.position <= e.upto
          AND m.session >= e.session AND m.sender = 'customer') AS beyond,
       l.position, l.sender, l.kind, l.body, l.attachments, l.stored_at
FROM unnest($1::text[], $2::uuid[], $3::int[], $4::int[], $5::int[])
     WITH ORDINALITY AS e (workspace_id, conversation_id, session, after_position, upto, ordinal)
LEFT JOIN session s ON s.workspace_id = e.workspace_id AND s.conversation_id = e.conversation_id
                   AND s.session = e.session
LEFT JOIN LATERAL (
    SELECT m.position, m.sender, m.kind, m.body, m.attachments, m.stored_at
    FROM message m
    WHERE m.workspace_id = e.workspace_id AND m.conversation_id = e.conversation_id
      AND m.position <= e.after_position AND m.sender = 'customer'
    ORDER BY m.position DESC
    LIMIT 1
) l ON true
ORDER BY e.ordinal
"""


class Question(NamedTuple):
    """One `assigned` event, and the last position that may be applied before it is."""

    event: Assigned
    upto: int


async def read_carried(connection: Connection, questions: Sequence[Question]) -> list[Carried]:
    """One answer per question, in their order."""
    if not questions:
        return []
    rows = await connection.fetch(
        CARRIED,
        [event.workspace for event, _ in questions],
        [event.conversation for event, _ in questions],
        [event.session for event, _ in questions],
        [event.after_position for event, _ in questions],
        [upto for _, upto in questions],
    )
    return [Carried(_message(row), row["known"], tuple(row["beyond"] or ())) for row in rows]


def _message(row: Mapping[str, Any]) -> NoticeMessage | None:
    if row["position"] is None:
        return None
    attachments = orjson.loads(row["attachments"]) if row["attachments"] else ()
    return NoticeMessage(
        position=row["position"],
        sender=row["sender"],
        kind=row["kind"],
        text=row["body"],
        attachments=tuple(MessageAttachment.model_validate(attachment) for attachment in attachments),
        stored_at=row["stored_at"],
    )
