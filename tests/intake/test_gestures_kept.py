"""Gestures in Postgres: kept once, read with the transcript and the profile, whoever holds the lane next."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson
import pytest

from schemas.envelope import Kind
from schemas.ids import conversation_id
from tests.intake.conftest import Run
from tests.intake.log import PAGE, PARTITIONS, WORKSPACE, Log, key_of, published
from workers.gateway.queries import detail, transcript
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.where import Where
from workers.routing.intake.customer import HAS_PHONE
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers
CHANNEL, _, ACCOUNT = PAGE.partition(":")
CONVERSATION = conversation_id(key_of("an"))
_ANSWER = """
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, parts, state, ids, changed_at)
VALUES ('acme', $1, 'main', 0, $2, $3, $4, 9, 'agent:acme/lan', 2, 'sent', '{a1,a2}', now())
"""
_LINE = """
INSERT INTO message (workspace_id, conversation_id, position, message_id, session, sender, kind, body,
    page_id, clock_ahead, stored_at, seq)
VALUES ('acme', $2, 9, $1, 1, 'agent', 'text', 'Dạ còn ạ', $3, false, now(), 0)
"""


async def test_gestures_are_kept_and_read_with_what_they_are_about(
    connection: Connection, run: Run, log: Log
) -> None:
    answer = uuid4()
    _make(log, "profile", user="an", phone="84911111111", customer_name="An", follows=True)
    log.say("an", "m1", text="gọi số 0912 345 678", referral={"source": "ADS", "ref": "hoa"})
    await run(log.batch())
    await connection.execute(_LINE, answer, CONVERSATION, PAGE)
    await connection.execute(_ANSWER, answer, CONVERSATION, key_of("an"), PAGE)
    _make(log, "reaction", of="a2", emoji="❤️")
    _make(log, "reaction", of="m1", by="page", emoji="👍")
    _make(log, "edit", of="m1", text="gọi số 0987 654 321", number=2)
    _make(log, "reaction", of="m1", emoji="😮")
    _make(log, "reaction", of="m1")
    first = await run(log.batch())
    assert [what for what, _ in published(first, "messages")] == ["marked"] * 5
    await _comes_again(connection, log)

    nothing: frozenset[str] = frozenset()
    scope = Scope(WORKSPACE, "lan", "main", nothing, nothing, False, nothing)
    lines = (await _read(connection, scope)).lines
    assert [(line.text, [(each.mark, each.value) for each in line.marks]) for line in lines] == [
        ("gọi số 0912 345 678", [("edit", "gọi số 0987 654 321"), ("page_reaction", "👍")]),
        ("Dạ còn ạ", [("customer_reaction", "❤️")]),
    ]
    assert lines[1].channel_message_ids == ["a1", "a2"]
    row = dict(await connection.fetchrow(detail.PROFILE, WORKSPACE, CONVERSATION))
    assert (row["phone"], row["suggested_phone"], row["channel_name"], row["follows"]) == (
        "0911111111",
        "0912345678",
        "An",
        True,
    )
    assert orjson.loads(row["referral"]) == {"source": "ADS", "ref": "hoa"}
    tags = await connection.fetchval("SELECT tags FROM customer WHERE customer_id = $1", CONVERSATION)
    assert tags == [HAS_PHONE]


async def _comes_again(connection: Connection, log: Log) -> None:
    """The channel tells all of it once more, to another worker: nothing is told, and nothing changes."""
    _make(log, "reaction", of="a2", emoji="❤️")
    _make(log, "edit", of="m1", text="gọi số 0987 654 321", number=2)
    _make(log, "edit", of="m1", text="gọi", number=1)
    _make(log, "profile", user="an", phone="84911111111", customer_name="An", follows=True)
    batch = log.batch()
    async with connection.transaction():
        await IntakeHandler(PARTITIONS).handle(connection, batch)
    assert (batch.rejected, published(batch, "messages")) == (0, [])


async def test_a_gesture_of_a_page_that_nobody_has_connected_is_a_dead_letter(run: Run, log: Log) -> None:
    value = {"channel": CHANNEL, "account": "404", "user": "an", "of": "m1", "emoji": "❤️"}
    log.append(Kind("inbound", "reaction"), f"{CHANNEL}:404:an", value)
    assert (await run(log.batch())).rejected == 1


def _make(log: Log, what: str, user: str = "an", **fields: Any) -> None:  # noqa: ANN401 - of a record
    value = {"channel": CHANNEL, "account": ACCOUNT, "user": user, **fields}
    log.append(Kind("inbound", what), key_of(user), value)


async def _read(connection: Connection, scope: Scope) -> transcript.Transcript:
    wanted = transcript.wanted(None, 0, 50)
    where = Where(connection, scope, CONVERSATION, "main")
    return await transcript.read_transcript(where, wanted, "vi", None)
