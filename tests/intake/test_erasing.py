"""A customer who is erased: nothing of his words is left in any table, and what happened stays."""

from __future__ import annotations

import orjson
import pytest

from schemas.ids import conversation_id
from tests.intake.chat import held
from tests.intake.conftest import Run
from tests.intake.log import Log, key_of, published
from tests.intake.tables import state, transcript
from workers.routing.intake import erasing
from workers.routing.intake.erasing import TOMBSTONE, take_away
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers

SECRETS = (
    *("Hoàng Diệu", "0987654321", "ngõ Gạch", "dieu@example"),
    *("giấu kín", "chữa lành", "vip-kim", "bi-mat"),
)
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""


async def found(connection: Connection) -> set[str]:
    """Every column of every table, as the catalogue has them, in which one of the secrets stands."""
    hidden = {secret for word in SECRETS for secret in (word, word.encode().hex())}
    places = set()
    for (table,) in await connection.fetch(TABLES):
        for (row,) in await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" AS t'):
            for column, content in orjson.loads(row).items():
                text = content if isinstance(content, str) else orjson.dumps(content).decode()
                if any(secret in text for secret in hidden):
                    places.add(f"{table}.{column}")
    return places


async def written(connection: Connection, log: Log, run: Run) -> None:
    """A customer who has left traces wherever intake keeps any."""
    log.say("u1", "m1", text="giấu kín, gọi 0987654321", customer_name="Hoàng Diệu")
    await run(log.batch())
    log.decide("u1", 1, "assigned")
    log.act("u1", "set_profile", name="Hoàng Diệu", phone="0987654321", address="12 ngõ Gạch")
    log.act("u1", "set_profile", email="dieu@example.com")
    log.act("u1", "set_labels", add_tags=["vip-kim"])
    log.act("u1", "say", text="chữa lành", attachments=[{"type": "image", "url": "https://bi-mat/2"}])
    log.act("u1", "write_note", text="giấu kín")
    log.act("u1", "open_ticket", subject="giấu kín")
    await run(log.batch())


async def test_nothing_is_left_in_any_column_and_what_happened_stays(
    connection: Connection, log: Log, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(connection, log, run)
    before = await found(connection)
    assert {"message.body", "message.attachments", "customer.name", "customer.words"} <= before
    assert {"customer.phone", "customer.tags", "customer.channel_name", "ticket.subject"} <= before
    log.say("u2", "m2", text="chữa lành cho người khác")
    log.wait(seconds=1)
    log.act("u1", "erase", authority="admin")
    batch = await run(log.batch())
    [outcome] = [value for _, value in published(batch, "outcomes")]
    assert outcome["result"] == {"position": 4}
    monkeypatch.setattr(erasing, "ROWS_MAX", 1)  # as of a long transcript
    assert await take_away(connection) == 1
    assert await take_away(connection) == 0
    await connection.execute("DELETE FROM message WHERE conversation_id = $1", conversation_id(key_of("u2")))
    # An outcome names what was set, and is kept for a day.
    assert await found(connection) - {"intake_outcome.outcome"} == set()
    lines = await transcript(connection, "u1")
    assert [line["position"] for line in lines] == [1, 2, 3, 4]
    assert [line["code"] for line in lines] == [TOMBSTONE, "assigned", TOMBSTONE, TOMBSTONE]
    assert (await state(connection, "u1"))["session_open"] is False


async def test_who_writes_again_begins_afresh_and_is_kept(connection: Connection, log: Log, run: Run) -> None:
    await written(connection, log, run)
    log.wait(seconds=1)
    log.act("u1", "erase", authority="admin")
    log.act("u1", "erase", authority="admin")  # asked twice
    await run(log.batch())
    log.wait(seconds=1)
    log.say("u1", "m9", text="xin chào lại", customer_name="Mới")
    await run(log.batch())
    await take_away(connection)
    lines = await transcript(connection, "u1")
    assert [line["body"] for line in lines] == [None, None, None, None, "xin chào lại"]
    customer = await connection.fetchrow(
        "SELECT * FROM customer WHERE customer_id = $1", conversation_id(key_of("u1"))
    )
    assert (customer["channel_name"], customer["name"], customer["tags"]) == ("Mới", None, [])
    assert (await state(connection, "u1"))["session"] == 2


def test_an_agent_who_is_no_admin_may_not() -> None:
    chat = held()
    became, outcome = chat.act("erase")
    assert (became, outcome["code"]) == ("refused", "forbidden")
    assert chat.act("erase", authority="admin")[0] == "done"
