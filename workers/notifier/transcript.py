"""Reads the customer's side of transcripts, in one statement for a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from schemas.messages import MessageAttachment
from schemas.notifications import NoticeMessage
from workers.notifier.carried import Carried
from workers.notifier.conversation import ConversationRef
from workers.runtime.handler import Connection

# No time bounds the search: partitions of months without the conversation cost one probe of an index each.
# The session's first position does, so that a transcript of years costs no more than its last session.
# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the tables' sizes.
CARRIED = """
SELECT b.read_to,
       (SELECT array_agg(m.position ORDER BY m.position) FROM message m
        WHERE m.workspace_id = e.workspace_id AND m.conversation_id = e.conversation_id
          AND m.position > b.read_to AND m.position <= e.upto
          AND m.session >= e.session AND m.sender = 'customer' AND NOT (m.history OR m.blocked)) AS positions,
       l.position, l.sender, l.kind, l.body, l.attachments, l.stored_at
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[])
     WITH ORDINALITY AS e (workspace_id, conversation_id, agent_id, session, read_to, after_position, upto,
                           ordinal)
LEFT JOIN LATERAL (
    SELECT first_position FROM session
    WHERE workspace_id = e.workspace_id AND conversation_id = e.conversation_id AND session = e.session
    LIMIT 1
) s ON true
LEFT JOIN LATERAL (
    SELECT read_to FROM inbox
    WHERE workspace_id = e.workspace_id AND agent_id = e.agent_id AND conversation_id = e.conversation_id
    LIMIT 1
) i ON true
CROSS JOIN LATERAL (
    SELECT greatest(e.read_to, coalesce(i.read_to, 0), coalesce(s.first_position - 1, 0)) AS read_to
) b
LEFT JOIN LATERAL (
    SELECT m.position, m.sender, m.kind, m.body, m.attachments, m.stored_at
    FROM message m
    WHERE m.workspace_id = e.workspace_id AND m.conversation_id = e.conversation_id
      AND m.position <= e.after_position AND m.sender = 'customer' AND NOT (m.history OR m.blocked)
    ORDER BY m.position DESC
    LIMIT 1
) l ON true
ORDER BY e.ordinal
"""


class Question(NamedTuple):
    """What `agent` has not read of one conversation.

    `session`: what is before it need not be read; 0: says nothing. `read_to`: he has read so far at least.
    `after_position`: the customer's latest message up to there is wanted, too; 0: none. `upto`: the last
    position that may be counted.
    """

    ref: ConversationRef
    agent: str
    session: int
    read_to: int
    after_position: int
    upto: int


async def read_carried(connection: Connection, questions: Sequence[Question]) -> list[Carried]:
    """One answer per question, in their order."""
    if not questions:
        return []
    workspaces, conversations = zip(*(question.ref for question in questions), strict=True)
    others = zip(*(question[1:] for question in questions), strict=True)
    rows = await connection.fetch(CARRIED, workspaces, conversations, *others)
    return [Carried(_message(row), row["read_to"], tuple(row["positions"] or ())) for row in rows]


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
