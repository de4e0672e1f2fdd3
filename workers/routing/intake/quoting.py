"""Messages that an answer quotes: by their place in the transcript, as the channel calls them."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.actions import Say
from workers.runtime.handler import Connection

# What is not said to the customer, or by him, cannot be quoted.
LOAD = """
SELECT wanted.conversation_id, wanted.position, found.channel_message_id
FROM unnest($1::text[], $2::uuid[], $3::int[]) AS wanted (workspace_id, conversation_id, position)
CROSS JOIN LATERAL (
    SELECT channel_message_id FROM message
    WHERE workspace_id = wanted.workspace_id AND conversation_id = wanted.conversation_id
        AND position = wanted.position AND kind NOT IN ('log', 'note')
    LIMIT 1
) AS found
"""

Quoted = dict[tuple[str, int], str | None]
"""By conversation and position: the channel's id of a message that can be quoted, if it has told one."""


async def load(connection: Connection, answers: Iterable[Say]) -> Quoted:
    """What `answers` quote."""
    wanted = {
        (answer.workspace, answer.conversation, answer.reply_to)
        for answer in answers
        if answer.reply_to is not None
    }
    if not wanted:
        return {}
    rows = await connection.fetch(LOAD, *map(list, zip(*wanted, strict=True)))
    return {(str(conversation), position): id_ for conversation, position, id_ in rows}
