"""Histories on servers: their transcript in Postgres, their records, and what lists and notices must say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from schemas.envelope import Kind, headers
from schemas.notifications import AssignedNotice, MessageNotice
from tests.notifier.history import BEGIN, WORKSPACE, History, Notified, Step
from workers.notifier.conversation import Heard
from workers.runtime.batch import Record
from workers.runtime.handler import Connection

LANES = 2
SNAKE = {"SessionOpened": "session_opened", "SessionClosed": "session_closed"}


def lane_of(conversation: UUID) -> int:
    """Where a test without Kafka puts a conversation."""
    return conversation.int % LANES


def record(each: Step | Heard, offset: int) -> Record:
    """The record of one line of a history, in the lane of its conversation if there are `LANES`."""
    value = each.event if isinstance(each, Step) else each.message
    topic = "assignments" if isinstance(each, Step) else "messages"
    what = type(value).__name__
    kind = Kind(topic, SNAKE.get(what, what.lower()))
    return Record(
        topic=topic,
        lane=lane_of(value.conversation),
        offset=offset,
        timestamp_ms=1_000 + offset,
        key=value.key.encode(),
        value=value.model_dump_json().encode(),
        headers=headers(kind, id_=each.id, source="test", subject=value.key, time="2026-11-02T08:00:00.000Z"),
    )


async def store_transcript(connection: Connection, history: History) -> None:
    """What intake has stored before anything of it is published."""
    await connection.executemany(
        """INSERT INTO session (workspace_id, conversation_id, session, opened_at, first_position)
           VALUES ($1, $2, $3, $4, $5)""",
        [
            (WORKSPACE, history.conversation, number, BEGIN, first)
            for number, first in enumerate(history.sessions, 1)
        ],
    )
    columns = [
        *("workspace_id", "conversation_id", "position", "message_id", "session", "sender", "kind"),
        *("body", "page_id", "clock_ahead", "stored_at", "seq"),
    ]
    rows = [
        (
            *(WORKSPACE, m.conversation, m.position, m.message, m.session, m.sender, m.kind),
            *(m.text, m.page, False, m.stored_at, m.seq),
        )
        for m in (heard.message for heard in history.messages)
    ]
    await connection.copy_records_to_table("message", columns=columns, records=rows)


def notified(what: str, key: bytes, value: bytes) -> Notified:
    """What a published notice says, once it is of its model, and its key is its agent."""
    model = AssignedNotice if what == "tongdai.notifications.assigned.v1" else MessageNotice
    notice = model.model_validate_json(value)
    assert key == f"agent:{WORKSPACE}/{notice.agent}".encode()
    position = notice.message.position if notice.message else 0
    return Notified(notice.notice, notice.agent, notice.seq, notice.epoch, position)


async def stored_notices(connection: Connection) -> list[Notified]:
    rows = await connection.fetch("SELECT notice_id, agent_id, seq, epoch, position FROM notice")
    return [Notified(*row) for row in rows]


async def assert_lists_are_right(
    connection: Connection, histories: Sequence[History], lane_of: Callable[[UUID], int] = lane_of
) -> None:
    """Each agent's list says what the histories say, and the counters are the sums over it."""
    expected = {}
    for history in histories:
        holder, unread = history.expected_unread()
        for agent in history.expected_agents():
            holds = agent == holder
            expected[agent, history.conversation] = (holds, unread if holds else 0)
    rows = await connection.fetch("SELECT agent_id, conversation_id, holds, unread FROM inbox")
    assert {(row[0], row[1]): (row[2], row[3]) for row in rows} == expected

    sums: Counter[tuple[str, int, str]] = Counter()
    for (agent, conversation), (holds, unread) in expected.items():
        sums[agent, lane_of(conversation), "conversations"] += holds
        sums[agent, lane_of(conversation), "unread"] += unread
    counters: Counter[tuple[str, int, str]] = Counter()
    for row in await connection.fetch("SELECT agent_id, lane, conversations, unread FROM inbox_counter"):
        counters[row[0], row[1], "conversations"] = row[2]
        counters[row[0], row[1], "unread"] = row[3]
    assert +counters == +sums
    assert min(counters.values(), default=0) >= 0
