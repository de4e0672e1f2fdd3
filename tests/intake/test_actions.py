"""Actions on a real Postgres: what they leave in the tables, and that restarts and other lanes make no
difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import asyncpg
import orjson
import pytest

from schemas.actions import SilenceTimer
from schemas.definitions import KeywordList, Policy
from schemas.ids import conversation_id
from schemas.tickets import TicketField
from tests.intake.conftest import SILENCE_S, Run
from tests.intake.log import PARTITIONS, WORKSPACE, Log, key_of, published
from tests.intake.tables import state, transcript
from workers.routing.intake import outcome_rows
from workers.routing.intake.handler import IntakeHandler
from workers.runtime.batch import Batch
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers


async def customer_of(connection: Connection, user: str) -> dict[str, Any]:
    row = await connection.fetchrow(
        "SELECT * FROM customer WHERE customer_id = $1", conversation_id(key_of(user))
    )
    return dict(row)


async def set_rules(connection: Connection, policy: Policy) -> None:
    """The desk's policy, and a rule under which a reply claims."""
    await connection.execute(
        "INSERT INTO desk_policy VALUES ($1, 'main', $2, 1)", WORKSPACE, policy.model_dump_json()
    )
    await connection.execute(
        """
        INSERT INTO desk_rule VALUES ($1, 'main', 'sales', '{"reply_claims": true}', 1, true, 0, '{}')
        """,
        WORKSPACE,
    )


def became(batch: Batch) -> list[tuple[str, str | None]]:
    return [
        (value["actor"].partition("/")[2], value.get("code")) for _, value in published(batch, "outcomes")
    ]


async def test_each_kind_leaves_its_trace_and_its_outcome(connection: Connection, log: Log, run: Run) -> None:
    log.say("u1", "m1", customer_name="An Trần")
    await run(log.batch())
    log.decide("u1", 1, "assigned")
    log.act("u1", "say", text="Dạ còn", reply_to=1, attachments=[{"type": "image", "url": "https://x/1"}])
    log.act("u1", "write_note", text="khách quen", mentions=["minh"])
    log.act("u1", "mark_read", position=1)
    log.act("u1", "set_labels", add_tags=["vip", "nợ"], add_groups=["sỉ"])
    log.act("u1", "set_profile", name="Chị An", birthday="1990-02-28", gender="female", phone="0901")
    log.act("u1", "set_profile", phone="")
    log.act("u1", "end_session")
    log.act("u1", "say", text="của minh", by="minh")
    log.act("u2", "say", text="ai đó")
    batch = await run(log.batch())

    refused = [pair for pair in became(batch) if pair[1]]
    assert sorted(refused) == [("lan", "unknown_conversation"), ("minh", "not_holder")]
    assert len(became(batch)) == 9
    lines = await transcript(connection, "u1")
    assert [(line["sender"], line["kind"], line["body"]) for line in lines[2:]] == [
        ("agent", "text", "Dạ còn"),
        ("agent", "note", "khách quen"),
    ]
    assert orjson.loads(lines[3]["params"]) == {"mentions": ["minh"]}
    ((_, sent),) = published(batch, "outbound")
    assert (sent["reply_to"], sent["message"]) == ("m1", str(lines[2]["message_id"]))
    customer = await customer_of(connection, "u1")
    assert (customer["name"], customer["channel_name"], customer["phone"]) == ("Chị An", "An Trần", None)
    assert (str(customer["birthday"]), customer["gender"]) == ("1990-02-28", "female")
    assert (customer["tags"], customer["groups"]) == (["vip", "nợ"], ["sỉ"])
    assert await connection.fetchval("SELECT ended_by FROM session") == "agent"
    found = await state(connection, "u1")
    assert (found["session_open"], found["timer_at"], found["session_agent_messages"]) == (False, None, 1)
    kept = await connection.fetch("SELECT outcome FROM intake_outcome ORDER BY outcome->>'kind'")
    kinds = [orjson.loads(outcome)["kind"] for (outcome,) in kept]
    assert kinds == ["done"] * 7 + ["refused"] * 2

    log.say("u1", "m2")
    ((_, route),) = published(await run(log.batch()), "commands")
    assert (route["tags"], route["opens_session"]) == (["vip", "nợ"], True)


async def test_tickets_are_kept_and_found_again(
    connection: Connection, log: Log, handler: IntakeHandler, run: Run
) -> None:
    field = TicketField(id="gap", name="Gấp", type="yes_no")
    await set_rules(connection, Policy(ticket_fields=(field,)))
    log.say("u1", "m1")
    await run(log.batch())
    log.decide("u1", 1, "assigned")
    await run(log.batch())
    handler.forget()
    log.act("u1", "say", text="Dạ", ticket={"subject": "Hỏi giá", "fields": {"gap": True}})
    log.act("u1", "end_session")
    log.act("u1", "open_ticket", subject="Đổi hàng")
    await run(log.batch())
    handler.forget()
    log.act("u1", "edit_ticket", ticket=1, status="pending", fields={"gap": False})
    log.act("u1", "edit_ticket", ticket=3, status="pending")
    log.say("u1", "m2")
    batch = await run(log.batch())
    assert became(batch) == [("lan", None), ("lan", "unknown_ticket")]
    rows = await connection.fetch("SELECT * FROM ticket ORDER BY number")
    assert [(row["status"], row["subject"], row["session"], row["first_position"]) for row in rows] == [
        ("pending", "Hỏi giá", 1, 1),
        ("open", "Đổi hàng", 1, 4),
        ("draft", "", 2, 4),
    ]
    assert [orjson.loads(row["fields"]) for row in rows] == [{"gap": False}, {}, {}]
    assert [(row["agent_id"], row["changed_by"]) for row in rows] == [("lan", "lan")] * 2 + [("lan", None)]
    assert len({row["ticket_id"] for row in rows}) == 3
    told = [value for what, value in published(batch, "messages") if what == "ticket_changed"]
    assert [(one["former_status"], one["status"]) for one in told] == [("open", "pending")]


async def test_labels_of_a_forgotten_conversation_are_added_to_what_was_there(
    connection: Connection, log: Log, handler: IntakeHandler, run: Run
) -> None:
    log.say("u1", "m1")
    await run(log.batch())
    for tags in (["vip"], ["nợ"]):
        log.act("u1", "set_labels", add_tags=tags)
        await run(log.batch())
        handler.forget()
    assert (await customer_of(connection, "u1"))["tags"] == ["vip", "nợ"]


async def test_answers_wait_over_a_restart_in_their_order(connection: Connection, log: Log, run: Run) -> None:
    await set_rules(connection, Policy())
    log.say("u1", "m1")
    await run(log.batch())
    log.decide("u1", 1, "offered", rule="sales", rule_version=1, unrouted=False)
    texts = [f"câu {number}" for number in range(5)]
    for text in texts[:3]:
        log.act("u1", "say", text=text, reply_to=1)
    log.act("u1", "say", text="của minh", by="minh", idempotency_key="k")
    batch = await run(log.batch())
    (first, _), (second, of_minh) = published(batch, "commands")
    assert first == second == "reply_claim"
    assert (became(batch), published(batch, "outbound")) == ([], [])
    assert await connection.fetchval("SELECT count(*) FROM intake_outcome WHERE outcome IS NULL") == 4

    again = IntakeHandler(PARTITIONS)
    for text in texts[3:]:
        log.act("u1", "say", text=text)
    log.act("u1", "say", text="của minh", by="minh", idempotency_key="k")
    async with connection.transaction():
        await again.handle(connection, batch := log.batch())
    assert (became(batch), published(batch, "commands")) == ([], [])

    last = IntakeHandler(PARTITIONS)
    log.decide("u1", 2, "assigned")
    refusal = {"command": of_minh["idempotency_key"], "code": "taken", "sentence": "lan was first"}
    log.decide("u1", 0, "reply_refused", **refusal)
    async with connection.transaction():
        await last.handle(connection, batch := log.batch())
    assert [sent["text"] for _, sent in published(batch, "outbound")] == texts
    assert published(batch, "outbound")[0][1]["reply_to"] == "m1"
    assert became(batch) == [("lan", None)] * 5 + [("minh", "taken")]
    assert await connection.fetchval("SELECT count(*) FROM held_reply") == 0
    assert (await state(connection, "u1"))["replies"] == 0
    assert await connection.fetchval("SELECT count(*) FROM intake_outcome WHERE outcome IS NULL") == 0


async def test_a_rule_may_be_changed_while_we_run(connection: Connection, log: Log) -> None:
    await set_rules(connection, Policy())
    now_s = 0.0
    handler = IntakeHandler(PARTITIONS, clock_s=lambda: now_s)
    log.say("u1", "m1")
    log.decide("u1", 1, "offered", rule="sales", rule_version=1, unrouted=False)
    log.act("u1", "say", text="một")
    found = [became(await _take(connection, handler, log)) for _ in range(1)]
    await connection.execute("""UPDATE desk_rule SET definition = '{"reply_claims": false}'""")
    now_s = 1.0
    log.act("u1", "say", text="của minh", by="minh")
    found.append(became(await _take(connection, handler, log)))
    assert found == [[], [("minh", "not_holder")]]


async def test_a_key_has_one_outcome_whatever_lane_it_comes_on(
    connection: Connection, log: Log, handler: IntakeHandler, database: str
) -> None:
    for user in ("u1", "u2"):
        log.say(user, f"m-{user}")
    await _take(connection, handler, log)
    other = await asyncpg.connect(database)
    try:
        for user in ("u1", "u2"):
            log.act(user, "write_note", text="x", idempotency_key="k")
        first, second = log.batch(1), log.batch(1)
        late = IntakeHandler(PARTITIONS)
        early = connection.transaction()
        await early.start()
        await handler.handle(connection, first)
        assert became(first) == [("lan", None)]
        racing = _handle(other, late, second)
        waiting = await _until_it_waits(connection, racing)
        await early.commit()
        with pytest.raises(asyncpg.SerializationError, match="idempotency keys"):
            await waiting
        late.forget()
        again = Batch("intake", second.records, second.at_ms)
        await _handle(other, late, again)
        assert became(again) == [("lan", "key_reused")]
    finally:
        await other.close()
    assert await connection.fetchval("SELECT count(*) FROM intake_outcome") == 1


async def test_outcomes_are_forgotten_after_a_day_but_not_those_that_wait(
    connection: Connection, log: Log, run: Run
) -> None:
    log.say("u1", "m1")
    await run(log.batch())
    log.act("u1", "write_note", text="x", idempotency_key="k")
    await run(log.batch())
    await connection.execute(
        """
        INSERT INTO intake_outcome
        SELECT 'acme', 'agent:acme/lan', 'k' || n, '', CASE WHEN n > 2 THEN '{}'::jsonb END,
            now() - n * interval '12 hours'
        FROM generate_series(1, 5) AS n
        """
    )
    await connection.execute("DELETE FROM intake_outcome WHERE idempotency_key = 'k'")
    assert await outcome_rows.forget(connection) == 3
    assert await connection.fetchval("SELECT count(*) FROM intake_outcome") == 2
    log.wait(hours=24)
    log.act("u1", "write_note", text="khác", idempotency_key="k")
    assert became(await run(log.batch())) == [("lan", None)]


async def test_a_policy_gives_keywords_and_silence(
    connection: Connection, log: Log, handler: IntakeHandler, run: Run
) -> None:
    lists = (KeywordList(id="price", words=("giá",)),)
    await set_rules(connection, Policy(keyword_lists=lists, silent_after_s=30))
    log.say("u1", "m1", text="Gia bao nhieu?")
    ((_, route),) = published(await run(log.batch()), "commands")
    assert route["lists"] == ["price"]
    log.wait(seconds=5)
    log.decide("u1", 1, "assigned", session=1)
    await run(log.batch())
    log.wait(seconds=30)
    async with connection.transaction():
        (due,) = await handler.due_timers(connection, range(PARTITIONS), log.now_ms, 100)
    assert SilenceTimer.model_validate_json(due.value).session == 1
    found = await state(connection, "u1")
    assert (found["silence_at"], found["timer_at"] is None) == (None, False)
    log.deliver(due)
    assert [what for what, _ in published(await run(log.batch()), "commands")] == ["session_silent"]
    assert (await state(connection, "u1"))["silent"]

    handler.forget()
    log.wait(seconds=SILENCE_S - 30)
    log.say("u1", "m2")
    assert [what for what, _ in published(await run(log.batch()), "commands")] == ["touched"]
    async with connection.transaction():
        (due,) = await handler.due_timers(connection, range(PARTITIONS), log.now_ms, 100)
    assert due.kind.what == "session_timer"
    found = await state(connection, "u1")
    assert (found["silent"], found["silence_at"] is None) == (False, False)


async def test_customers_messages_ask_postgres_for_nothing_that_only_actions_need(
    connection: Connection, log: Log
) -> None:
    handler = IntakeHandler(PARTITIONS, clock_s=lambda: 0.0)
    log.say("u1", "m1")
    await _take(connection, handler, log)
    asked: list[str] = []
    log.say("u1", "m2")
    log.say("u2", "m3")
    with connection.query_logger(lambda query: asked.append(query.query)):
        await _take(connection, handler, log)
    for table in ("intake_outcome", "held_reply", "desk_policy", "desk_rule", "UPDATE customer"):
        assert not [query for query in asked if table in query], table
    assert [query for query in asked if "message_seen" in query], "queries are seen"


async def _take(connection: Connection, handler: IntakeHandler, log: Log) -> Batch:
    """Each record in a batch of its own, as they were appended; the last batch."""
    while True:
        batch = log.batch(1)
        await _handle(connection, handler, batch)
        if not log._waiting:
            return batch


async def _handle(connection: Connection, handler: IntakeHandler, batch: Batch) -> None:
    async with connection.transaction():
        await handler.handle(connection, batch)


async def _until_it_waits(connection: Connection, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """`work` as a task, once it waits for a lock that `connection` has."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(90):
        while not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            await asyncio.sleep(0.01)
    return task
