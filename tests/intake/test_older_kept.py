"""Older messages in Postgres: once, however long ago they were kept; our own answers are known in them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from schemas.ids import conversation_id
from tests.intake.conftest import Became, Run
from tests.intake.log import BEGIN_MS, PAGE, PARTITIONS, Log, key_of, published
from tests.intake.tables import transcript
from workers.notifier.transcript import Question, read_carried
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers
DAY_MS = 24 * 60 * 60 * 1000
ID = conversation_id(key_of("an"))
_ANSWER = """
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, content, parts, state, attempts, due_at, ids, changed_at)
VALUES ('acme', $1, 'main', 0, $2, $3, $4, $5, 'agent:acme/lan', $6, 1, $7, 1, now(), $8, now())
"""


def older(log: Log, mid: str, days: int, **fields: Any) -> None:  # noqa: ANN401 - of a record
    log.say("an", mid, history=True, sent_at_ms=BEGIN_MS - days * DAY_MS, **fields)


async def test_older_messages_are_kept_once_and_count_for_nobody(
    connection: Connection, run: Run, log: Log, became: Became
) -> None:
    log.say("an", "m1")
    await run(log.batch())
    # So long ago that its id is not remembered any more.
    await connection.execute("DELETE FROM message_seen")
    older(log, "m1", 0)
    older(log, "h2", 2)
    older(log, "h1", 1, what="echo", author="human")
    first = await run(log.batch())
    assert [what for what, _ in published(first, "commands")] == ["history_kept"]
    older(log, "h2", 2)
    log.say("an", "h2")
    log.say("an", "m2")
    await run(log.batch())
    assert became("duplicate") == 3
    lines = await transcript(connection, "an")
    told = [
        (line["channel_message_id"], line["position"], line["session"], line["history"]) for line in lines
    ]
    assert told == [("m1", 1, 1, False), ("h2", 2, 0, True), ("h1", 3, 0, True), ("m2", 4, 1, False)]
    assert lines[1]["sent_at"] < lines[2]["sent_at"] < lines[0]["stored_at"]
    questions = [Question(("acme", ID), "lan", session, 0, 3, 4) for session in (0, 1)]
    carried = await read_carried(connection, questions)
    assert [tuple(one.positions) for one in carried] == [(1, 4), (1, 4)], "none of them is unread"
    assert {one.message.position for one in carried if one.message} == {1}, "nor the latest"
    # Whoever has the lane next knows as much: what a human has said before is not told again.
    handler = IntakeHandler(PARTITIONS)
    older(log, "h3", 3, what="echo", author="human")
    batch = log.batch()
    async with connection.transaction():
        await handler.handle(connection, batch)
    assert published(batch, "commands") == []


async def test_our_own_answers_are_known_in_them_by_their_ids_or_their_text(
    connection: Connection, run: Run, log: Log, became: Became
) -> None:
    log.say("an", "m1")
    await run(log.batch())
    for position in range(2, 104):  # more than are looked at for what comes soon
        sent = uuid4(), ID, key_of("an"), PAGE, position, None, "sent", [f"ours-{position}"]
        await connection.execute(_ANSWER, *sent)
    content = '{"text": "Dạ còn ạ", "attachments": []}'
    under_way: tuple[Any, ...] = uuid4(), ID, key_of("an"), PAGE, 200, content, "unknown", []
    await connection.execute(_ANSWER, *under_way)
    older(log, "ours-2", 9, what="echo", author="human")
    older(log, "new", 1, what="echo", author="human", text="Dạ còn ạ")
    older(log, "theirs", 1, what="echo", author="human", text="Shop đây ạ")
    batch = await run(log.batch())
    assert became("own_echo") == 2
    ((what, echoed),) = published(batch, "outbound")
    assert (what, echoed["message"], echoed["channel_message_id"]) == ("echoed", str(under_way[0]), "new")
    said = [line["channel_message_id"] for line in await transcript(connection, "an")]
    assert said == ["m1", "theirs"]
