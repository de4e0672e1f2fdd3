"""Restarts, rollbacks and the size of batches leave no trace: on a real Postgres.

Two pages get the same invented traffic. One page's records are applied by one handler that is never
disturbed. The other's fall into batches of any size; some are rolled back and tried again, handlers are
replaced and forget. Both pages' tables and events must be the same but for their names.
"""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from schemas import envelope
from schemas.envelope import Kind, moment
from schemas.ids import conversation_id
from tests.intake.conftest import SILENCE_S, register
from tests.intake.log import PARTITIONS, WORKSPACE, Log, key_of
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch, Record
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers

CALM, STORMY = "zalo:1", "zalo:2"
USERS = [f"u{number}" for number in range(8)]


class OutageError(Exception):
    """What the storm does."""


ACTIONS: dict[str, dict[str, Any]] = {
    "say": {"text": "Dạ"},
    "write_note": {"text": "khách quen", "mentions": ["hoa"]},
    "mark_read": {"position": 1},
    "end_session": {},
    "set_labels": {"add_tags": ["vip"]},
    "set_profile": {"name": "Chị An"},
}


def traffic(page: str, seed: int, count: int = 400) -> list[Record]:
    """The same acts for every page, in the log's order."""
    chance = random.Random(seed)
    log = Log()
    chains = dict.fromkeys(USERS, 0)
    for _ in range(count):
        log.wait(seconds=chance.choice([0, 0.25, 7, SILENCE_S / 3]))
        user = chance.choice(USERS)
        act = chance.random()
        mid = f"{user}-{chance.randrange(60)}"
        if act < 0.6 or not chains[user]:
            chains[user] = chains[user] or 1
            log.say(user, mid, page=page, customer_name=chance.choice(["An", "Bình"]))
        elif act < 0.65:
            log.say(user, mid, page=page, what="echo", author=chance.choice(["bot", "human"]))
        elif act < 0.8:
            what = chance.choice(["assigned", "queued", "offered", "offered", "session_opened"])
            fields: dict[str, Any] = {"offered": {"rule": "sales", "rule_version": 1}}.get(what, {})
            if what == "assigned":
                fields = {"holder": chance.choice(["lan", "minh"])}
            log.decide(user, chains[user], what, page=page, session=chance.randrange(1, 4), **fields)
            chains[user] += 1
        elif act < 0.95:
            what = chance.choice(["say", *ACTIONS])
            key = f"{page} {user} {chance.randrange(12)}"
            by = chance.choice(["lan", "minh", None])
            log.act(user, what, page=page, by=by, idempotency_key=key, **ACTIONS[what])
        else:
            key = key_of(user, page)
            timer = {
                "workspace": WORKSPACE,
                "conversation": str(conversation_id(key)),
                "session": chance.randrange(1, 4),
                "due_at": moment(log.now_ms + chance.choice([-1000, 1000])).isoformat(),
            }
            log.append(Kind("actions", "session_timer"), key, timer)
    return log.take()


async def apply(connection: Connection, handler: IntakeHandler, records: list[Record], outage: bool) -> Batch:
    """Apply records in one transaction; an outage ends it before it is committed."""
    batch = Batch("intake", records, [record.timestamp_ms for record in records])
    async with connection.transaction():
        await handler.handle(connection, batch)
        if outage:
            raise OutageError
    return batch


async def calm(connection: Connection, records: list[Record]) -> list[Batch]:
    handler = IntakeHandler(PARTITIONS, silence_s=SILENCE_S)
    return [await apply(connection, handler, [record], outage=False) for record in records]


async def stormy(connection: Connection, records: list[Record], chance: random.Random) -> list[Batch]:
    handler = IntakeHandler(PARTITIONS, silence_s=SILENCE_S, cached_conversations=3)
    batches = []
    while records:
        size = chance.choice([1, 3, 20, 60])
        if chance.random() < 0.4:
            with pytest.raises(OutageError):
                await apply(connection, handler, records[:size], outage=True)
            handler.forget()
        if chance.random() < 0.2:
            handler = IntakeHandler(PARTITIONS, silence_s=SILENCE_S, cached_conversations=3)
        batches.append(await apply(connection, handler, records[:size], outage=False))
        records = records[size:]
    return batches


async def rows(connection: Connection, page: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the tables hold of a page, without ids."""
    statements = {
        "messages": """
            SELECT user_id, position, session, sender, kind, body, code, params, channel_message_id, sent_at,
                stored_at, seq
            FROM message JOIN customer ON customer_id = conversation_id
            WHERE customer.page_id = $1 ORDER BY 1, 2""",
        "conversations": """
            SELECT user_id, position, seq, epoch, standing, holder, route_unanswered, session, session_open,
                session_customer_messages, session_agent_messages, last_at, timer_at, answered_at, touched_at,
                replies, channel_name, created_at, name, tags
            FROM conversation JOIN customer ON customer_id = conversation_id
            WHERE customer.page_id = $1 ORDER BY 1""",
        "sessions": """
            SELECT user_id, session, opened_at, first_position, ended_at, ended_by
            FROM session JOIN customer ON customer_id = conversation_id
            WHERE customer.page_id = $1 ORDER BY 1, 2""",
    }
    return {
        name: [tuple(row) for row in await connection.fetch(statement, page)]
        for name, statement in statements.items()
    }


def told(batches: list[Batch], page: str) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """What was published of each customer, in order, without ids and the page's name."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {user: [] for user in USERS}
    for batch in batches:
        for event in (event for events in batch.events.values() for event in events):
            value = orjson.loads(event.value)
            user = _user(value, page)
            for name in (
                "key",
                "conversation",
                "message",
                "page",
                "idempotency_key",
                "request_sha256",
                "sentence",
            ):
                value.pop(name, None)
            value.get("result", {}).pop("message", None)
            what = envelope.read_kind(event.headers, event.topic).what
            found[user].append((what, value))
    return found


def _user(value: dict[str, Any], page: str) -> str:
    """Whom an event concerns; an outcome says so by its idempotency key."""
    if "key" in value:
        return str(value["key"]).removeprefix(f"{page}:")
    return str(value["idempotency_key"]).split(" ")[1]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_storm_leaves_the_same_as_a_calm(connection: Connection, seed: int) -> None:
    await register(connection, CALM, WORKSPACE)
    await register(connection, STORMY, WORKSPACE)
    await connection.execute(
        "INSERT INTO desk_rule VALUES ('acme', 'main', 'sales', $1, 1, true, 0, '{}')",
        '{"reply_claims": true}',
    )
    quiet = await calm(connection, traffic(CALM, seed))
    wild = await stormy(connection, traffic(STORMY, seed), random.Random(seed))
    found = await rows(connection, CALM)
    assert found == await rows(connection, STORMY)
    assert told(quiet, CALM) == told(wild, STORMY)
    assert {row[4] for row in found["sessions"]} > {None}, "no session ended: the traffic proves too little"
    became = {(what, value.get("code")) for events in told(quiet, CALM).values() for what, value in events}
    assert became >= {("reply_claim", None), ("send", None), ("refused", "key_reused")}
    held = "SELECT count(*) FROM held_reply JOIN customer ON customer_id = conversation_id WHERE page_id = $1"
    assert await connection.fetchval(held, CALM) == await connection.fetchval(held, STORMY)
