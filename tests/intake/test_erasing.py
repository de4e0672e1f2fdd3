"""A customer who is erased: nothing of his words is left in any table or file, and what happened stays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from config.settings import Settings
from schemas.asks import LinkOrder
from schemas.envelope import time_text
from schemas.ids import conversation_id
from tests.intake.chat import held
from tests.intake.columns import ERASED, IDS, LISTED, PASSING, decided
from tests.intake.conftest import Run
from tests.intake.log import PAGE, WORKSPACE, Log, key_of, published
from tests.intake.tables import state, transcript
from workers.channels.delivery import erasing as at_delivery
from workers.channels.fetching.fetcher import Fetcher
from workers.files.file import key_of as storage_key
from workers.files.files import open_files
from workers.files.storage import open_storage
from workers.routing.intake import erasing
from workers.routing.intake.erasing import Erasures
from workers.routing.intake.handler import IntakeHandler
from workers.routing.intake.transcript import TOMBSTONE
from workers.runtime.handler import Connection
from workers.runtime.identity import ORIGINAL_TIMESTAMP, REPLAYED

pytestmark = pytest.mark.servers

SECRETS = (
    *("Hoàng Diệu", "0987654321", "ngõ Gạch", "dieu@example", "1987-06-05", "female", "203.0.113.77"),
    *("giấu kín", "chữa lành", "vip-kim", "bi-mat"),
)
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
USER = "u1"
ORDERED = f"""
INSERT INTO desk_conversation (workspace_id, conversation_id, desk_id, key, page_id, seq, last_event_id,
    epoch, round, care, standing, session, session_open, after_position, orders)
VALUES ('{WORKSPACE}', $1, 'main', $2, $3, 1, gen_random_uuid(), 0, 1, 'new', 'idle', 1, true, 1,
    '[["DH-1", "new"], ["DH-\\"2", "done"]]')
"""
CUSTOMER = conversation_id(key_of(USER))
HELD = UUID(int=9)
FILE = "ab" * 16
# What other workers keep of him.
ELSEWHERE = f"""
UPDATE customer SET verified_phone = '0987654321', suggested_phone = '0987654321', groups = ARRAY['bi-mat']
    WHERE customer_id = '{CUSTOMER}';
INSERT INTO message_mark VALUES ('{WORKSPACE}', '{CUSTOMER}', 'm1', 'edit', 'giấu kín', 1, $now);
UPDATE ticket SET fields = '{{"dia-chi": "ngõ Gạch"}}', changed_at = now()
    WHERE conversation_id = '{CUSTOMER}';
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, content, parts, state, due_at, changed_at)
SELECT '{WORKSPACE}', gen_random_uuid(), 'main', 0, '{CUSTOMER}', '{PAGE}:{USER}', '{PAGE}', 1,
    'agent:acme/lan', '{{"text": "giấu kín"}}', 1, state, now(), now()
FROM (VALUES ('queued'), ('sending'), ('unknown')) AS stood (state);
INSERT INTO outreach (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, ticket, ticket_id, means, number, content, state, due_at, written_at, changed_at)
SELECT '{WORKSPACE}', gen_random_uuid(), 'main', 0, '{CUSTOMER}', '{PAGE}:{USER}', '{PAGE}', 1,
    'agent:acme/lan', 1, '{CUSTOMER}', 'sms', '+840987654321', content::jsonb, state, now(), now(), now()
FROM (VALUES ('queued', '{{"to": "dieu@example"}}'), ('sent', NULL)) AS stood (state, content);
INSERT INTO delivery_errand
    (workspace_id, page_id, user_id, what, state, place, due_at, asked_at, changed_at)
VALUES
    ('{WORKSPACE}', '{PAGE}', '{USER}', 'profile', 'done', '{{}}', $now, $now, $now),
    ('{WORKSPACE}', '{PAGE}', '', 'history', 'failed',
        '{{"threads": [["t1", "{USER}", "Hoàng Diệu"], ["t2", "u2", "Lan"]]}}', $now, $now, $now);
INSERT INTO file (workspace_id, file_id, conversation_id, message_id, state, name, size_bytes, created_at)
    SELECT '{WORKSPACE}', '{FILE}', '{CUSTOMER}', message_id, 'stored', 'bi-mat.png', 6, now()
    FROM message WHERE conversation_id = '{CUSTOMER}' AND position = 1;
INSERT INTO visitor_address VALUES ('{WORKSPACE}', '{CUSTOMER}', '203.0.113.77', '{PAGE}', now());
INSERT INTO address_block
    (workspace_id, block_id, page_id, network, reason, conversation_id, blocked_by, blocked_at)
    VALUES ('{WORKSPACE}', '{HELD}', '{PAGE}', '198.51.100.0/24', 'giấu kín', '{CUSTOMER}', 'lan', $now);
INSERT INTO held_reply VALUES ('{WORKSPACE}', '{CUSTOMER}', '{HELD}', 1, 'reply/x', $reply, NULL);
UPDATE conversation SET replies = 1 WHERE conversation_id = '{CUSTOMER}';
"""


async def found(connection: Connection) -> set[tuple[str, str]]:
    """Table and column of whatever says one of the secrets, of all tables as the catalogue has them."""
    hidden = {secret for word in SECRETS for secret in (word, word.encode().hex())}
    places = set()
    for (table,) in await connection.fetch(TABLES):
        for (row,) in await connection.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" AS t'):
            for column, content in orjson.loads(row).items():
                text = content if isinstance(content, str) else orjson.dumps(content).decode()
                if any(secret in text for secret in hidden):
                    places.add((table, column))
    return places


async def written(connection: Connection, log: Log, run: Run) -> None:
    """A customer who has left traces wherever intake keeps any."""
    picture = {"type": "image", "url": "https://bi-mat/1", "name": "bi-mat.png"}
    log.say(
        USER,
        "m1",
        text="giấu kín, gọi 0987654321",
        attachments=[picture],
        customer_name="Hoàng Diệu",
        customer_picture="https://bi-mat/a.png",
    )
    await run(log.batch())
    log.decide(USER, 1, "assigned")
    log.act(
        USER, "set_profile", name="Hoàng Diệu", phone="0987654321", address="12 ngõ Gạch", gender="female"
    )
    log.act(USER, "set_profile", email="dieu@example.com", birthday="1987-06-05")
    log.act(USER, "set_labels", add_tags=["vip-kim"])
    log.act(USER, "say", text="chữa lành", attachments=[{"type": "image", "url": "https://bi-mat/2"}])
    log.act(USER, "write_note", text="giấu kín")
    log.act(USER, "open_ticket", subject="giấu kín")
    log.say(USER, "m2", what="postback", text="giấu kín", payload="bi-mat", referral={"ref": "bi-mat"})
    await run(log.batch())


async def written_elsewhere(connection: Connection, log: Log) -> None:
    """And wherever other workers do."""
    now = f"'{time_text(log.now_ms)}'"
    reply = {
        "workspace": WORKSPACE,
        "conversation": str(CUSTOMER),
        "key": key_of(USER),
        "actor": "agent:acme/lan",
        "idempotency_key": "waits",
        "by": "lan",
        "text": "giấu kín",
    }
    said = "'" + orjson.dumps(reply).decode() + "'"
    await connection.execute(ELSEWHERE.replace("$now", now).replace("$reply", said))


async def test_every_column_is_decided_on(connection: Connection) -> None:
    listed = Counter(tuple(row) for row in await connection.fetch(LISTED))
    assert Counter(decided()) == Counter(one for one in listed if one[1] not in IDS)


async def test_nothing_is_left_in_any_column_or_file_and_what_happened_stays(
    connection: Connection,
    log: Log,
    run: Run,
    handler: IntakeHandler,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    settings = Settings.model_validate({"attachments": {"folder": tmp_path / "files", "keys": "k" * 32}})
    files = open_files(settings)
    assert files is not None
    (tmp_path / "here").write_bytes(b"bi-mat")
    for key in (storage_key(WORKSPACE, FILE), storage_key(WORKSPACE, FILE) + ".thumbnail"):
        await open_storage(settings.attachments).keep(key, tmp_path / "here")
    await written(connection, log, run)
    await written_elsewhere(connection, log)
    handler.forget()
    erasable = {(table, column) for table, columns in ERASED.items() for column in columns}
    own_id = {("delivery_errand", "user_id")}  # is searched for by itself
    assert erasable - own_id <= await found(connection)
    log.say("u2", "m3", text="chữa lành cho người khác")
    log.wait(seconds=1)
    log.act(USER, "erase", authority="admin")
    batch = await run(log.batch())
    outcomes = {value["idempotency_key"]: value for _, value in published(batch, "outcomes")}
    assert outcomes.pop("waits")["code"] == "erased"
    [outcome] = outcomes.values()
    assert outcome["result"] == {"position": 5}
    monkeypatch.setattr(erasing, "ROWS_MAX", 1)  # as of a long transcript
    erasures = Erasures()
    for _ in range(2):
        await erasures.step(connection)
        await at_delivery.take_away(connection)
        await Fetcher(settings, files)._tidy(connection)
    assert await connection.fetchval("SELECT done_at FROM erasure") is None, "one answer is on its way yet"
    await connection.execute("UPDATE delivery SET state = 'queued' WHERE state = 'sending'")
    assert await at_delivery.take_away(connection) == 1
    assert await erasures.step(connection) == 1
    assert await erasures.step(connection) == 0
    await connection.execute("DELETE FROM message WHERE conversation_id = $1", conversation_id(key_of("u2")))
    passing = {(table, column) for table, columns in PASSING.items() for column in columns}
    assert await found(connection) - passing == set()
    assert await connection.fetchval("SELECT count(*) FROM delivery_errand WHERE user_id = $1", USER) == 0
    errand = await connection.fetchrow("SELECT place, attempt FROM delivery_errand")
    assert tuple(errand) == ('{"threads": [["t2", "u2", "Lan"]]}', 1), "who reads on does not store it"
    states = await connection.fetch("SELECT state, reason, content, told FROM delivery")
    assert [tuple(row) for row in states] == [("failed", "erased", None, False)] * 3
    assert [each for each in (tmp_path / "files").rglob("*") if each.is_file()] == []
    lines = await transcript(connection, USER)
    assert [line["position"] for line in lines] == [1, 2, 3, 4, 5]
    assert {line["code"] for line in lines} == {TOMBSTONE, "assigned"}
    assert (await state(connection, USER))["session_open"] is False


async def test_the_desk_is_asked_to_let_go_of_his_orders_in_the_erasers_name(
    connection: Connection, log: Log, run: Run
) -> None:
    log.say(USER, "m1", text="a")
    log.say("u2", "m2", text="b")
    await run(log.batch())
    for user in (USER, "u2"):
        await connection.execute(ORDERED, conversation_id(key_of(user)), key_of(user), PAGE)
    log.act(USER, "erase", authority="admin", actor="service:crm", by=None, idempotency_key="gone")
    batch = await run(log.batch())
    asked = [
        LinkOrder.model_validate(value)
        for what, value in published(batch, "commands")
        if what == "link_order"
    ]
    assert [(one.conversation, one.order, one.status) for one in asked] == [
        (CUSTOMER, "DH-1", None),
        (CUSTOMER, 'DH-"2', None),
    ]
    assert {(one.actor, one.authority, one.workspace) for one in asked} == {
        ("service:crm", "admin", WORKSPACE)
    }
    assert len({one.idempotency_key for one in asked}) == 2


OTHERS = f"""
INSERT INTO erasure (workspace_id, conversation_id, position, asked_at, asked_by)
SELECT '{WORKSPACE}', gen_random_uuid(), 9, '2025-01-01T00:00:00Z', 'agent:acme/lan'
FROM generate_series(1, 5);
INSERT INTO delivery (workspace_id, message_id, desk_id, lane, conversation_id, key, page_id, position,
    sender, content, parts, state, due_at, changed_at)
SELECT '{WORKSPACE}', gen_random_uuid(), 'main', 0, conversation_id, 'k', '{PAGE}', 1, 'agent:acme/lan',
    '{{}}', 1, 'sending', now(), now() FROM erasure
"""


async def test_those_that_cannot_be_finished_keep_no_other_from_beginning_or_being_done(
    connection: Connection, log: Log, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "ERASURES_MAX", 2)
    await connection.execute(OTHERS)
    log.say(USER, "m1", text="giấu kín")
    await run(log.batch())
    log.wait(seconds=1)
    log.act(USER, "erase", authority="admin")
    await run(log.batch())
    erasures = Erasures()
    assert sum([await erasures.step(connection) for _ in range(6)]) == 6 + 1, "all begun, and one done"
    assert await found(connection) == set()
    done = await connection.fetch("SELECT conversation_id FROM erasure WHERE done_at IS NOT NULL")
    assert [tuple(row) for row in done] == [(CUSTOMER,)]


async def test_who_writes_again_begins_afresh_and_is_kept(connection: Connection, log: Log, run: Run) -> None:
    await written(connection, log, run)
    log.wait(seconds=1)
    log.act(USER, "erase", authority="admin")
    log.act(USER, "erase", authority="admin")  # asked twice
    await run(log.batch())
    log.wait(seconds=1)
    log.say(USER, "m9", text="xin chào lại", customer_name="Mới")
    await run(log.batch())
    await Erasures().step(connection)
    lines = await transcript(connection, USER)
    assert [line["body"] for line in lines] == [None] * (len(lines) - 1) + ["xin chào lại"]
    customer = await connection.fetchrow("SELECT * FROM customer WHERE customer_id = $1", CUSTOMER)
    assert (customer["channel_name"], customer["name"], customer["tags"]) == ("Mới", None, [])
    assert (await state(connection, USER))["session"] == 2


async def test_what_is_older_and_comes_later_is_not_kept(connection: Connection, log: Log, run: Run) -> None:
    """Dead letters that are replayed, and messages that are fetched from the channel."""
    log.say(USER, "m1", customer_name="Hoàng Diệu")
    await run(log.batch())
    before_ms = log.now_ms
    log.wait(seconds=1)
    log.act(USER, "erase", authority="admin")
    await run(log.batch())
    log.wait(seconds=1)
    replayed = [
        log.say(USER, "m2", text="giấu kín", customer_name="Hoàng Diệu"),
        log.say(USER, "", what="profile", customer_name="Hoàng Diệu"),
        log.act(USER, "set_profile", name="Hoàng Diệu"),
    ]
    for record in replayed:
        record.headers = [*record.headers, (REPLAYED, b"3-1"), (ORIGINAL_TIMESTAMP, str(before_ms).encode())]
    log.say(USER, "m3", text="giấu kín", history=True, sent_at_ms=before_ms)
    log.say(USER, "m4", text="sau đó", history=True, sent_at_ms=log.now_ms)
    batch = await run(log.batch())
    await Erasures().step(connection)
    assert await found(connection) == set()
    assert [(line["body"], line["code"]) for line in await transcript(connection, USER)] == [
        *[(None, TOMBSTONE)] * 3,
        ("sau đó", None),
    ]
    [outcome] = [value for _, value in published(batch, "outcomes")]
    assert outcome["code"] == "erased"
    assert not published(batch, "commands"), "nobody is sought for it"


def test_an_agent_who_is_no_admin_may_not() -> None:
    chat = held()
    became, outcome = chat.act("erase")
    assert (became, outcome["code"]) == ("refused", "forbidden")
    assert chat.act("erase", authority="admin")[0] == "done"
