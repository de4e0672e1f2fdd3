"""Erasing a customer: what was written and known of him goes, up to a place in the log; what happened stays.

The record on actions blanks at once what is known of him and remembers how far the transcript had come; the
texts go a little later, a few rows at a time, by whichever worker comes first. What belongs to delivery, what
waits to be sent and the bytes of files, is taken away there; an erasure is done when nothing is left there,
and no other waits for that. A replay reads the record at the same place and erases the same again. What he
writes afterwards begins afresh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import orjson

from schemas.actions import Erase
from schemas.envelope import time_text
from workers.files.rows import ERASED
from workers.routing.intake.act import Act, Answer
from workers.routing.intake.customer import Customer
from workers.routing.intake.labelling import keep
from workers.routing.intake.linked_orders import let_go
from workers.routing.intake.replies import give_back
from workers.routing.intake.sessions import end_session
from workers.routing.intake.transcript import TOMBSTONE
from workers.routing.intake.work import Erasing, Work
from workers.routing.outcomes import Refusal
from workers.runtime.handler import Connection
from workers.runtime.upkeep import Chore

INTERVAL_S = 5.0
ROWS_MAX = 500
"""In one statement, which is a transaction of its own."""
ERASURES_MAX = 100
"""In one go; the others wait for the next."""
GONE = Refusal("erased", "the customer was erased: your message was not sent")

REMEMBER = """
INSERT INTO erasure (workspace_id, conversation_id, position, asked_at, asked_by)
SELECT workspace_id, conversation_id, position, asked_at, asked_by
FROM json_to_recordset($1::json) AS asked (
    workspace_id text, conversation_id uuid, position int, asked_at timestamptz, asked_by text)
ON CONFLICT (workspace_id, conversation_id) DO UPDATE SET
    position = excluded.position, asked_at = excluded.asked_at, asked_by = excluded.asked_by, gone_at = NULL,
    done_at = NULL
"""
OPEN = """
SELECT workspace_id, conversation_id, position, asked_at FROM erasure
WHERE gone_at IS NULL ORDER BY asked_at LIMIT $1
"""
TAKEN = """
UPDATE erasure SET gone_at = now()
WHERE workspace_id = $1 AND conversation_id = $2 AND position = $3 AND asked_at = $4
"""
# Those that wait for others, behind a place ($2 to $4) of the way round them.
WAITING = """
SELECT workspace_id, conversation_id, position, asked_at FROM erasure
WHERE done_at IS NULL AND gone_at IS NOT NULL AND (asked_at, workspace_id, conversation_id) > ($2, $3, $4)
ORDER BY asked_at, workspace_id, conversation_id LIMIT $1
"""
START = (datetime.min.replace(tzinfo=UTC), "", UUID(int=0))
DONE = f"""
UPDATE erasure SET done_at = now()
WHERE workspace_id = $1 AND conversation_id = $2 AND position = $3 AND asked_at = $4 AND done_at IS NULL
    AND NOT EXISTS (SELECT FROM delivery WHERE workspace_id = $1 AND conversation_id = $2
        AND position <= $3 AND (content IS NOT NULL OR state = 'queued'))
    AND NOT EXISTS (SELECT FROM outreach WHERE workspace_id = $1 AND conversation_id = $2
        AND position <= $3 AND (content IS NOT NULL OR number IS NOT NULL))
    AND NOT EXISTS (SELECT FROM file WHERE workspace_id = $1 AND conversation_id = $2
        AND reason = '{ERASED}')
    AND NOT EXISTS (SELECT FROM delivery_errand errand JOIN customer c USING (workspace_id, page_id)
        WHERE workspace_id = $1 AND c.customer_id = $2 AND errand.asked_at <= $4 AND (
            errand.user_id = c.user_id OR errand.place @>
                jsonb_build_object('threads', jsonb_build_array(jsonb_build_array(c.user_id)))))
"""  # noqa: S608 - a constant

# By their message, for a row is made when intake comes to it; what no message has named, by its own moment.
_OF_LINES = """
workspace_id = $1 AND conversation_id = $2 AND (
    message_id IN (
        SELECT message_id FROM message WHERE workspace_id = $1 AND conversation_id = $2 AND position <= $3)
    OR (message_id IS NULL AND created_at <= $4)
    OR (message_id = $2 AND NOT EXISTS (  -- his picture, unless it was told since
        SELECT FROM customer c WHERE c.workspace_id = $1 AND c.customer_id = $2 AND c.picture = file.url)))
"""
# Each takes away a few rows' words and finds none of them again. By position ($3) and moment ($4) they lay
# before the record: what came after it stays.
STATEMENTS = (
    f"""
    UPDATE message SET body = NULL, attachments = NULL, params = NULL, code = '{TOMBSTONE}'
    WHERE (workspace_id, conversation_id, position, stored_at) IN (
        SELECT workspace_id, conversation_id, position, stored_at FROM message
        WHERE workspace_id = $1 AND conversation_id = $2 AND position <= $3 AND kind <> 'log'
            AND code IS DISTINCT FROM '{TOMBSTONE}' AND $4::timestamptz IS NOT NULL
        LIMIT $5)
    """,  # noqa: S608 - a constant
    """
    DELETE FROM message_mark WHERE (workspace_id, conversation_id, channel_message_id, mark) IN (
        SELECT workspace_id, conversation_id, channel_message_id, mark FROM message_mark
        WHERE workspace_id = $1 AND conversation_id = $2 AND marked_at <= $4 AND $3::int IS NOT NULL
        LIMIT $5)
    """,
    """
    UPDATE ticket SET subject = '', fields = '{}' WHERE (workspace_id, conversation_id, number) IN (
        SELECT workspace_id, conversation_id, number FROM ticket
        WHERE workspace_id = $1 AND conversation_id = $2 AND first_position <= $3 AND created_at <= $4
            AND (subject <> '' OR fields <> '{}')
        LIMIT $5)
    """,
    # Nobody has begun to fetch these: there are no bytes of them.
    f"""
    DELETE FROM file WHERE (workspace_id, file_id) IN (
        SELECT workspace_id, file_id FROM file
        WHERE {_OF_LINES} AND state = 'wanted' AND attempts = 0
        LIMIT $5 FOR UPDATE)
    """,  # noqa: S608 - a condition of this module
    # Nothing names them any more; the delivery worker takes their bytes away, and then the row: not before
    # `due_at`, until when somebody may be bringing one.
    f"""
    UPDATE file SET url = NULL, name = NULL, message_id = NULL, state = 'failed', reason = '{ERASED}'
    WHERE (workspace_id, file_id) IN (
        SELECT workspace_id, file_id FROM file
        WHERE {_OF_LINES} AND reason IS DISTINCT FROM '{ERASED}'
        LIMIT $5)
    """,  # noqa: S608 - a condition of this module
    """
    DELETE FROM visitor_address WHERE (workspace_id, conversation_id, network) IN (
        SELECT workspace_id, conversation_id, network FROM visitor_address
        WHERE workspace_id = $1 AND conversation_id = $2 AND $3::int IS NOT NULL
            AND $4::timestamptz IS NOT NULL
        LIMIT $5)
    """,
    # The block stays, for whoever made it meant the network; from whom it was learnt does not.
    """
    UPDATE address_block SET conversation_id = NULL, reason = NULL WHERE (workspace_id, block_id) IN (
        SELECT workspace_id, block_id FROM address_block
        WHERE workspace_id = $1 AND conversation_id = $2 AND blocked_at <= $4 AND $3::int IS NOT NULL
        LIMIT $5)
    """,
)


def erase(act: Act[Erase]) -> Answer:
    """Forget who he is, end his session, let go of his orders, and remember what is to be taken away."""
    work, conversation, cause, at_ms, action, given = act
    if action.authority != "admin" and action.by is not None:
        return Refusal("forbidden", "only an admin may erase a customer")
    give_back(work, conversation, cause, at_ms, GONE)
    if conversation.session_open:
        end_session(work, conversation, cause, at_ms, "agent")
    keep(work, conversation, cause, at_ms, given, Customer(), by=action.by or action.actor)
    conversation.customer_name = None
    work.customers[conversation.id] = (conversation, at_ms)
    work.erasings.append(Erasing(conversation, conversation.position, at_ms, action.actor))
    given.erased[conversation.id] = at_ms
    let_go(work, conversation, cause, at_ms, action, given.orders.get(conversation.id, ()))
    work.change(conversation)
    return {"position": conversation.position}


async def remember(connection: Connection, work: Work) -> None:
    """Write down what is to be taken away; who is asked for twice in a batch, as asked last."""
    last = {(one.conversation.workspace, one.conversation.id): one for one in work.erasings}
    rows = [
        {
            "workspace_id": one.conversation.workspace,
            "conversation_id": one.conversation.id,
            "position": one.position,
            "asked_at": time_text(one.at_ms),
            "asked_by": one.by,
        }
        for one in last.values()
    ]
    if rows:
        await connection.execute(REMEMBER, orjson.dumps(rows).decode())


@dataclass(slots=True)
class Erasures:
    """One worker's way round them: it begins what was not begun, and looks which of the others are done."""

    at: tuple[datetime, str, UUID] = START
    """Behind which of those that wait for others it looks next."""

    async def step(self, connection: Connection) -> int:
        """Take away what intake keeps, of those asked for longest ago; how many erasures came on."""
        asked = await connection.fetch(OPEN, ERASURES_MAX)
        for one in asked:
            await _take_away(connection, *one)
        return len(asked) + await self._look(connection)

    async def _look(self, connection: Connection) -> int:
        """Look whether the next of those that wait are done; how many are."""
        waiting = await connection.fetch(WAITING, ERASURES_MAX, *self.at)
        statuses = [await connection.execute(DONE, *one) for one in waiting]
        self.at = START
        if len(waiting) == ERASURES_MAX:
            workspace, conversation, _, asked_at = waiting[-1]
            self.at = (asked_at, workspace, conversation)
        return statuses.count("UPDATE 1")


def erasing_chore() -> Chore:
    """To be done all the time, by every worker: two of them take away the same, which does no harm."""
    return Chore("erasing", INTERVAL_S, Erasures().step)


async def _take_away(connection: Connection, *of: object) -> None:
    for statement in STATEMENTS:
        while (await connection.execute(statement, *of, ROWS_MAX)).rsplit(" ", 1)[-1] != "0":
            continue
    await connection.execute(TAKEN, *of)
