"""Histories on servers: their transcript in Postgres, their records, and what lists and notices must say."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from pydantic import BaseModel

from schemas.assignments import ChainEvent
from schemas.catalogue import RECORDS
from schemas.envelope import Kind, headers
from schemas.messages import Read, Stored
from schemas.notifications import AudienceNotice, Notice, ReadNotice
from tests.notifier.history import AGENTS, BEGIN, WORKSPACE, History, Notified, Step
from workers.gateway.queries.counts import read_sums
from workers.notifier.conversation import Heard, Marked
from workers.notifier.places import Viewer, add_up, bucket
from workers.runtime.batch import Record
from workers.runtime.handler import Connection

LANES = 2
KINDS = {model: kind for kind, model in RECORDS.items()}
Line = Step | Heard | Marked


def lane_of(conversation: UUID) -> int:
    """Where a test without Kafka puts a conversation."""
    return conversation.int % LANES


def record(each: Line, offset: int) -> Record:
    """The record of one line of a history, in the lane of its conversation if there are `LANES`."""
    value: BaseModel = each[1]
    kind = KINDS[type(value)]
    assert isinstance(value, (ChainEvent, Stored, Read))
    return Record(
        topic=kind.topic,
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
        *("body", "page_id", "clock_ahead", "blocked", "stored_at", "seq"),
    ]
    rows = [
        (
            *(WORKSPACE, m.conversation, m.position, m.message, m.session, m.sender, m.kind),
            *(m.text, m.page, False, m.blocked, m.stored_at, m.seq),
        )
        for m in (heard.message for heard in history.messages)
    ]
    await connection.copy_records_to_table("message", columns=columns, records=rows)


def notified(what: str, key: bytes, value: bytes) -> Notified | None:
    """What a published notice says, once it is of its model, and its key is its recipient; none: no row."""
    notice = RECORDS[Kind("notifications", what)].model_validate_json(value)
    if isinstance(notice, AudienceNotice):
        assert key == f"audience:{notice.workspace}/{notice.audience}".encode()
        return None
    assert isinstance(notice, Notice)
    assert key == f"agent:{WORKSPACE}/{notice.agent}".encode()
    message = getattr(notice, "message", None)
    position = message.position if message else getattr(notice, "position", 0)
    if isinstance(notice, ReadNotice):
        return None
    return Notified(what, notice.notice, notice.agent, notice.seq, notice.epoch, position)


async def stored_notices(connection: Connection) -> list[Notified]:
    rows = await connection.fetch("SELECT kind, notice_id, agent_id, seq, epoch, position FROM notice")
    return [Notified(*row) for row in rows]


async def assert_lists_are_right(
    connection: Connection, histories: Sequence[History], lane_of: Callable[[UUID], int] = lane_of
) -> None:
    """Each agent's list says what the histories say, and the counters are the sums over conversations."""
    expected = {}
    sums: Counter[tuple[str, int, str]] = Counter()
    for history in histories:
        last = history.steps[-1].event if history.steps else None
        circle = history.circle(len(history.steps))
        for agent in history.expected_live():
            holds, follows = last is not None and agent == last.holder, agent in circle.followers
            unread = history.expected_unread(agent)
            expected[agent, history.conversation] = holds, follows, agent in circle.muted, unread
        places, unread = history.expected_count() or ((), 0)
        for place in places:
            sums[place, lane_of(history.conversation), "conversations"] += 1
            sums[place, lane_of(history.conversation), "unread"] += unread
    rows = await connection.fetch(
        "SELECT agent_id, conversation_id, holds, follows, muted, unread FROM inbox"
    )
    assert {tuple(row)[:2]: tuple(row)[2:] for row in rows if row["holds"] or row["follows"]} == expected
    assert not any(row["unread"] for row in rows if not (row["holds"] or row["follows"]))

    counters: Counter[tuple[str, int, str]] = Counter()
    for row in await connection.fetch("SELECT place, lane, conversations, unread FROM inbox_counter"):
        counters[row[0], row[1], "conversations"] = row[2]
        counters[row[0], row[1], "unread"] = row[3]
    assert +counters == +sums
    assert min(counters.values(), default=0) >= 0
    await _assert_numbers_are_right(connection, histories)


async def _assert_numbers_are_right(connection: Connection, histories: Sequence[History]) -> None:
    """What each agent sees as numbers is what he would count himself, as an admin of the page and without."""
    page = "messenger:page-1"
    for agent, pages in itertools.product((*AGENTS, "dung"), (frozenset[str](), frozenset({page}))):
        viewer = Viewer(agent, pages, frozenset({"rule:r/0", f"page:{page}"}))
        expected: Counter[tuple[str, str]] = Counter()
        for history in histories:
            _, unread = history.expected_count() or ((), 0)
            holder = history.steps[-1].event.holder if history.steps else None
            name = bucket(holder, history.circle(len(history.steps)).audience, page, viewer)
            if history.steps and name is not None:
                expected[name, "conversations"] += 1
                expected[name, "unread"] += unread
        found: Counter[tuple[str, str]] = Counter()
        sums = await read_sums(connection, WORKSPACE, viewer)
        for name, (conversations, unread) in add_up(sums, viewer).items():
            found[name, "conversations"] += conversations
            found[name, "unread"] += unread
        assert +found == +expected
