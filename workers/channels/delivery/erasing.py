"""What delivery has of customers who are erased: what waits to be sent, and what is read of their channel.

Whoever asked for it wrote it on actions; intake keeps the list. What is being given to the channel at this
moment is looked at again until it has come to its end.
"""

from __future__ import annotations

from workers.runtime.handler import Connection
from workers.runtime.upkeep import Chore

INTERVAL_S = 5.0
OPEN = "SELECT workspace_id, conversation_id, position, asked_at FROM erasure WHERE done_at IS NULL"

# What a connector carries waits without content.
_WAITING = """
SET state = 'failed', reason = 'erased', content = NULL, due_at = NULL, version = version + 1, told = false,
    changed_at = now()
WHERE workspace_id = $1 AND conversation_id = $2 AND position <= $3 AND $4::timestamptz IS NOT NULL
    AND (content IS NOT NULL OR state = 'queued') AND state <> 'sending'
"""
# What was asked of the channel lately: of him alone, and of a page, in whose list he stands by id and name.
# Who reads on by the list with him has a number of the past.
_USER = "substr(c.key, length(c.page_id) + 2)"
_HIS = """
conversation c
WHERE c.workspace_id = $1 AND c.conversation_id = $2 AND errand.workspace_id = $1
    AND errand.page_id = c.page_id AND errand.asked_at <= $4 AND $3::int IS NOT NULL
"""
STATEMENTS = (
    f"UPDATE delivery {_WAITING}",
    f"UPDATE outreach {_WAITING}",
    """
    UPDATE outreach SET number = NULL
    WHERE workspace_id = $1 AND conversation_id = $2 AND position <= $3 AND $4::timestamptz IS NOT NULL
        AND number IS NOT NULL AND NOT open
    """,
    f"DELETE FROM delivery_errand errand USING {_HIS} AND errand.user_id = {_USER}",  # noqa: S608
    f"""
    UPDATE delivery_errand errand SET attempt = attempt + 1, place = jsonb_set(errand.place, '{{threads}}', (
        SELECT coalesce(jsonb_agg(thread), '[]')
        FROM jsonb_array_elements(errand.place -> 'threads') AS thread WHERE thread ->> 1 <> {_USER}))
    FROM {_HIS} AND errand.place @>
        jsonb_build_object('threads', jsonb_build_array(jsonb_build_array({_USER})))
    """,  # noqa: S608  conditions of this module
)


def erasing_chore() -> Chore:
    """To be done all the time, by every delivery worker: two of them do no harm."""
    return Chore("erasing at delivery", INTERVAL_S, take_away)


async def take_away(connection: Connection) -> int:
    """Take away what may go now; how many rows."""
    count = 0
    for one in await connection.fetch(OPEN):
        for statement in STATEMENTS:
            status = await connection.execute(statement, *one.values())
            count += int(status.rsplit(" ", 1)[-1])
    return count
