"""Messages on their way, over HTTP to played platforms: each outcome, in order, pages apart."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from schemas.base import rfc3339
from schemas.messages import MessageAttachment
from schemas.outbound import EchoTimer
from schemas.receipts import PageStands
from tests.delivery.ground import OA, ONE, TWO, ground
from tests.waiting import eventually
from workers.channels.delivery import connecting, lost, message_rows, unanswered
from workers.channels.delivery.claims import take
from workers.channels.delivery.handler import DeliveryHandler
from workers.channels.delivery.marker import marker
from workers.channels.delivery.progress import Step

pytestmark = pytest.mark.servers
KNOWN = """
INSERT INTO conversation (workspace_id, conversation_id, desk_id, lane, key, page_id, position, seq,
    epoch, standing, route_unanswered, session, session_open, session_customer_messages,
    session_agent_messages, last_at)
VALUES ('acme', $1, 'main', 0, 'key', 'page', 2, 1, 1, 'idle', false, 1, true, 1, 1, now())
"""
DAY_S = 24 * 60 * 60.0


async def test_what_agents_say_arrives_in_order_and_its_fate_is_told(database: str) -> None:
    async with ground(database) as field:
        long = "Dạ chào chị. " * 300
        image = MessageAttachment(type="image", url="https://cdn.example/a.jpg")
        messages = [
            await field.say(ONE, "an", "một", reply_to="m_customer"),
            await field.say(ONE, "an", long, attachments=(image,)),
            await field.say(ONE, "an", "ba"),
            await field.say(OA, "chi", "xin chào"),
            await field.say(OA, "chi", None, attachments=(image,)),
        ]
        assert await field.told() != [], "that they wait is told"
        async with field.delivering(workers=2):
            rows = [await field.until(message, "sent") for message in messages]
        said = [each for each in field.one.said if each.user == "an"]
        assert [each.text for each in said if each.text in {"một", "ba"}] == ["một", "ba"]
        assert "".join((each.text or "") for each in said[1:-2]).replace(" ", "") == long.replace(" ", "")
        assert (said[-2].attachment, said[0].reply_to, said[1].reply_to) == ("image", "m_customer", None)
        assert [each.marker for each in said[1:-1]] == [
            marker(messages[1], part) for part in range(rows[1]["parts"])
        ]
        assert list(rows[1]["ids"]) == [each.id for each in said[1:-1]]
        assert [(each.text, each.attachment) for each in field.oa.said] == [
            ("xin chào", None),
            (None, "image"),
        ]
        assert {row["content"] for row in rows} == {None}, "texts are not kept twice"
        told = {each.message: each for each in await field.told()}
        assert {message: told[message].state for message in messages} == dict.fromkeys(messages, "sent")
        assert told[messages[1]].channel_message_ids == tuple(rows[1]["ids"])
        assert await field.told() == [], "and told once"


async def test_what_the_channel_tells_moves_a_message_on_and_never_back(database: str) -> None:
    async with ground(database) as field:
        first, second = await field.say(ONE, "an", "một"), await field.say(ONE, "an", "hai")
        async with field.delivering():
            ids = (await field.until(first, "sent"))["ids"]
            await field.until(second, "sent")
        await field.handle(field.arrival(ONE, "an", "delivered", channel_message_ids=tuple(ids)))
        assert [(await field.row(each))["state"] for each in (first, second)] == ["delivered", "sent"]
        later_ms = int((datetime.now(UTC) + timedelta(seconds=1)).timestamp() * 1000)
        await field.handle(field.arrival(ONE, "an", "read", until_ms=later_ms))
        await field.handle(field.arrival(ONE, "an", "delivered", until_ms=later_ms))
        assert [(await field.row(each))["state"] for each in (first, second)] == ["read", "read"]
        assert {each.state for each in await field.told()} == {"read"}


async def test_what_somebody_who_is_kept_out_reads_is_not_told_until_he_is_let_in(database: str) -> None:
    async with ground(database) as field:
        message = await field.say(ONE, "an", "một")
        async with field.delivering():
            ids = (await field.until(message, "sent"))["ids"]
        read = field.arrival(ONE, "an", "read", channel_message_ids=tuple(ids))
        await field.database.execute(KNOWN, (await field.row(message))["conversation_id"])
        for is_blocked, state in ((True, "sent"), (False, "read")):
            await field.database.execute("UPDATE conversation SET blocked = $1", is_blocked)
            await field.handle(read)
            assert (await field.row(message))["state"] == state


async def test_a_message_that_the_channel_refuses_fails_with_its_reason_and_the_next_goes(
    database: str,
) -> None:
    async with ground(database) as field:
        field.one.heard("late", 8 * DAY_S)
        field.one.faults.append({"message": "no", "code": 551, "error_subcode": 1545041})
        gone = await field.say(ONE, "an", "một")
        after = await field.say(ONE, "an", "hai")
        late = await field.say(ONE, "late", "muộn", silent_s=2 * DAY_S)
        paid = await field.say(OA, "chi", "muộn", silent_s=3 * DAY_S)
        nothing = await field.say(ONE, "an", "  ")
        place = MessageAttachment(type="location", latitude=1.0, longitude=2.0)
        unsupported = await field.say(ONE, "binh", None, attachments=(place,))
        calls = field.one.calls
        async with field.delivering():
            await field.until(gone, "failed", "unreachable")
            await field.until(after, "sent")
            await field.until(late, "failed", "window_closed")
            await field.until(paid, "failed", "window_paid")
            await field.until(nothing, "failed", "rejected")
            await field.until(unsupported, "failed", "unsupported")
        assert (field.one.calls - calls, field.oa.calls) == (2, 0), "the channel is not asked in vain"


async def test_a_page_may_be_set_to_answer_late_to_pay_and_to_refuse_what_is_too_long(database: str) -> None:
    async with ground(database) as field:
        for page in (ONE, OA):
            await connecting.set_page(field.database, page, too_long="refuse", human_agent=True, pays=True)
        tagged = await field.say(ONE, "an", "muộn", silent_s=2 * DAY_S)
        by_bot = await field.say(ONE, "binh", "muộn", silent_s=2 * DAY_S, sender="service:bot")
        paid = await field.say(OA, "chi", "muộn", silent_s=3 * DAY_S)
        long = await field.say(ONE, "chi", "dài " * 1_000)
        async with field.delivering():
            await field.until(tagged, "sent")
            await field.until(by_bot, "failed", "window_closed")
            await field.until(paid, "sent")
            await field.until(long, "failed", "too_long")
        assert [each.tag for each in field.one.said] == ["HUMAN_AGENT"]


async def test_a_fault_of_the_moment_delays_and_is_given_up_after_some_tries(database: str) -> None:
    async with ground(database) as field:
        field.one.faults.extend([{"message": "again", "code": 2}] * 2)
        message = await field.say(ONE, "an", "một")
        async with field.delivering():
            await field.until(message, "sent")
            field.one.faults.extend([{"message": "again", "code": 2}] * 4)
            lost = await field.say(ONE, "an", "hai")
            row = await field.until(lost, "failed", "channel_down")
            assert row["attempts"] == 4
            await field.until(await field.say(ONE, "an", "ba"), "sent")
        assert field.one.texts("an") == ["một", "ba"]


async def test_a_broken_token_pauses_its_page_alone_and_another_one_mends_it(database: str) -> None:
    async with ground(database) as field:
        field.one.token = "another since yesterday"
        stuck = [await field.say(ONE, user, "một") for user in ("an", "binh", "chi")]
        async with field.delivering(workers=2):
            for number in range(5):
                await field.until(await field.say(TWO, f"u{number}", "đi"), "sent")
            for message in stuck:
                await field.until(message, "queued", "token_broken")
            page = await field.page(ONE)
            assert (page["paused"], field.one.said) == ("token_broken", [])
            late = await field.say(ONE, "dung", "cũng chờ")
            assert (await field.row(late))["reason"] == "token_broken", "who writes now is told at once"
            calls = field.one.calls
            await field.until(await field.say(TWO, "an", "đi"), "sent")
            assert field.one.calls == calls, "a paused page is left alone"
            (paused,) = await field.page_news()
            assert (paused.page, paused.paused) == (ONE, "token_broken")
            assert rfc3339(paused.at) == rfc3339(page["paused_at"])
            assert paused.key in {f"{ONE}:{user}" for user in ("an", "binh", "chi")}
            assert await field.page_news() == [], "once is enough"
            await field.connect(ONE, field.one)
            for message in (*stuck, late):
                await field.until(message, "sent")
        assert (await field.page(ONE))["paused"] is None
        (resumed,) = await field.page_news()
        assert (resumed.page, resumed.paused) == (ONE, None)
        assert await field.page_news() == []
        told = {each.message: each.state for each in await field.told()}
        assert {told[message] for message in stuck} == {"sent"}


async def test_a_page_that_nobody_has_connected_is_told_of_with_its_first_answer(database: str) -> None:
    async with ground(database) as field:
        await field.database.execute("DELETE FROM delivery_page WHERE page_id = $1", ONE)
        sends = [field.send(ONE, user, "một") for user in ("an", "binh")]
        await field.handle(*sends)
        handler = DeliveryHandler(field.settings.delivery, field.settings.mail, field.settings.phone)
        assert await handler.due_timers(field.database, range(64), 0, 0) == []
        *messages, page = await handler.due_timers(field.database, range(64), 0, 100)
        assert ([one.kind.what for one in messages], page.kind.what) == (["delivery"] * 2, "page_stands")
        told = PageStands.model_validate_json(page.value)
        assert (page.lane, page.key) == (3, told.key.encode())
        assert told.key in {send.key for send in sends}
        assert (told.page, told.paused) == (ONE, "not_connected")
        await field.connect(ONE, field.one)
        assert [(one.page, one.paused) for one in await field.page_news()] == [(ONE, None)]
        async with field.delivering():
            await field.until(sends[0].message, "sent")
        assert await field.page_news() == []


async def test_a_page_that_was_stopped_is_tried_with_one_message_and_resumes_by_itself(database: str) -> None:
    async with ground(database) as field:
        field.one.faults.append({"message": "restricted", "code": 10, "error_subcode": 1893063})
        messages = [await field.say(ONE, f"u{number}", "một") for number in range(4)]
        async with field.delivering(pause_retry_s=0.5, page_parallel_max=1):
            await field.until(messages[0], "sent")
            for message in messages:
                await field.until(message, "sent")
        assert (await field.page(ONE))["paused"] is None


async def test_pages_keep_to_their_rate_whoever_sends(database: str) -> None:
    async with ground(database, messenger_page_rate_per_s=10.0) as field:
        messages = [await field.say(ONE, f"u{number}", "một") for number in range(25)]
        begun = datetime.now(UTC)
        async with field.delivering(workers=3):
            for message in messages:
                await field.until(message, "sent")
        assert (datetime.now(UTC) - begun).total_seconds() > 1.3, "ten at once, then ten a second"


async def test_who_is_told_to_slow_down_waits_and_loses_nothing(database: str) -> None:
    async with ground(database) as field:
        field.oa.faults.append({"error": -32, "message": "limit"})
        messages = [await field.say(OA, f"u{number}", "một") for number in range(3)]
        async with field.delivering():
            for message in messages:
                await field.until(message, "sent")
        assert len(field.oa.said) == 3
        assert (await field.row(messages[0]))["failures"] == 0


@pytest.mark.parametrize(("loss", "page"), [("lose", ONE), ("hang", ONE), ("lose", OA)])
async def test_without_an_answer_the_echo_tells_and_nothing_is_sent_twice(
    database: str, loss: str, page: str
) -> None:
    async with ground(database, echo_wait_s=20.0, request_timeout_s=5.0 if loss == "lose" else 2.0) as field:
        account = {ONE: field.one, OA: field.oa}[page]
        account.faults.append(loss)  # type: ignore[arg-type]
        message = await field.say(page, "an", "một")
        after = await field.say(page, "an", "hai")
        async with field.delivering():

            async def is_unknown() -> bool:
                return bool((await field.row(message))["state"] == "unknown")

            await eventually(is_unknown, "the outcome is unknown")
            assert (await field.row(after))["attempts"] == 0, "the next one waits for it"
            await field.handle(field.echo(f"{page}:an", message, 0, account.said[0].id))
            await field.until(message, "sent")
            await field.until(after, "sent")
        assert account.texts("an") == ["một", "hai"]
        await field.handle(field.echo(f"{page}:an", message, 0, account.said[0].id))
        assert list((await field.row(message))["ids"]) == [account.said[0].id], (
            "a repeated echo changes nothing"
        )


@pytest.mark.parametrize(
    ("unanswered", "texts"), [("mark", ["một", "hai"]), ("resend", ["một", "một", "hai"])]
)
async def test_without_an_echo_the_operators_rule_holds(
    database: str, unanswered: str, texts: list[str]
) -> None:
    async with ground(database, unanswered=unanswered) as field:
        field.one.faults.append("lose")
        message = await field.say(ONE, "an", "một")
        after = await field.say(ONE, "an", "hai")
        async with field.delivering():
            if unanswered == "mark":
                await field.until(message, "unknown", "no_answer")
            else:
                await field.until(message, "sent")
            await field.until(after, "sent")
        assert field.one.texts("an") == texts
        if unanswered == "mark":
            await field.handle(field.echo(f"{ONE}:an", message, 0, field.one.said[0].id))
            assert (await field.row(message))["state"] == "sent", "a late echo still tells"


async def test_what_is_never_answered_is_given_once_more_and_no_oftener(database: str) -> None:
    async with ground(database, unanswered="resend") as field:
        field.one.faults.extend(["lose", "lose"])
        message = await field.say(ONE, "an", "một")
        after = await field.say(ONE, "an", "hai")
        async with field.delivering():
            await field.until(message, "unknown", "no_answer")
            await field.until(after, "sent")
        assert field.one.texts("an") == ["một", "một", "hai"]


async def test_each_part_of_a_message_may_be_given_once_more(database: str) -> None:
    async with ground(database, unanswered="resend") as field, field.database.acquire() as connection:
        image = MessageAttachment(type="image", url="https://cdn.example/a.jpg")
        message = await field.say(ONE, "an", "một", attachments=(image,) * 2)
        for taken in ((), ("m1",), ("m1", "m2")):
            await take(connection, ONE, 5, field.settings.delivery)
            await connection.execute("UPDATE delivery SET state = 'unknown', due_at = now()")
            (timer,) = await unanswered.due(connection, [3], 10)
            await field.handle(EchoTimer.model_validate_json(timer.value))
            row = await field.row(message)
            assert (row["state"], row["due_at"] is None, tuple(row["ids"])) == ("queued", False, taken)
            again = await take(connection, ONE, 5, field.settings.delivery)
            assert again is not None
            if len(taken) == 1:
                await field.handle(field.echo(f"{ONE}:an", message, 1, "m2"))
            else:
                step = Step("queued", (*taken, f"m{len(taken) + 1}"), due_s=0.0)
                assert await message_rows.go_on(connection, again.claimed[0], step)


async def test_what_the_channel_tells_before_our_own_record_is_kept_until_then(database: str) -> None:
    """A worker is killed with the channel's answer; receipts come before the echo, on its longer way."""
    async with ground(database, echo_wait_s=60.0) as field, field.database.acquire() as connection:
        own = field.settings.delivery
        messages = [await field.say(page, "an", "một") for page in (ONE, TWO, OA)]
        claimed = []
        for page in (ONE, TWO, OA):
            taking = await take(connection, page, 5, own)
            assert taking is not None
            claimed += taking.claimed
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        read = field.arrival(ONE, "an", "read", until_ms=now_ms)
        await field.handle(field.arrival(ONE, "an", "delivered", channel_message_ids=("m1",)), read)
        early = field.arrival(TWO, "an", "read", until_ms=now_ms - 60_000)
        await field.handle(early, field.arrival(TWO, "an", "delivered", channel_message_ids=("m2",)))
        seen = field.arrival(OA, "an", "read", channel_message_ids=("z3",))
        others = [field.arrival(OA, "an", "read", channel_message_ids=(f"z{n}",)) for n in range(4, 11)]
        await field.handle(seen, *others)
        assert {(await field.row(each))["state"] for each in messages} == {"sending"}
        await connection.execute("UPDATE delivery SET state = 'unknown' WHERE message_id = $1", messages[0])
        await field.handle(field.echo(f"{ONE}:an", messages[0], 0, "m1"))
        for each, id_ in zip(claimed[1:], ("m2", "z3"), strict=True):
            assert await message_rows.go_on(connection, each, Step("sent", (id_,)))
        rows = [await field.row(each) for each in messages]
        assert [row["state"] for row in rows] == ["read", "delivered", "read"]
        assert [row["heard"] for row in rows] == [[], [], []]


async def test_a_reading_counts_though_the_channels_clock_is_a_little_late(database: str) -> None:
    async with ground(database) as field:
        message = await field.say(ONE, "an", "một")
        async with field.delivering():
            await field.until(message, "sent")
        at_ms = int((await field.row(message))["attempted_at"].timestamp() * 1000)
        for late_ms, state in ((5_000, "sent"), (300, "read")):
            await field.handle(field.arrival(ONE, "an", "read", until_ms=at_ms - late_ms))
            assert (await field.row(message))["state"] == state
        last = field.arrival(ONE, "an", "read", until_ms=253_402_300_799_999)
        await field.handle(last)


async def test_too_many_answers_in_one_conversation_fail_instead_of_waiting(database: str) -> None:
    async with ground(database, waiting_max=3) as field:
        sends = [field.send(ONE, "an", str(number)) for number in range(5)]
        await field.handle(*sends)
        states = [(await field.row(send.message))["reason"] for send in sends]
        assert states == [None, None, None, "too_many", "too_many"]


async def test_the_same_record_twice_is_one_message(database: str) -> None:
    async with ground(database) as field:
        send = field.send(ONE, "an", "một")
        await field.handle(send, send)
        await field.handle(send)
        async with field.delivering(workers=2):
            await field.until(send.message, "sent")
        assert field.one.texts("an") == ["một"]


async def test_an_attempt_without_a_worker_is_found_and_a_late_one_changes_nothing(database: str) -> None:
    async with ground(database, unanswered="resend") as field, field.database.acquire() as connection:
        message = await field.say(ONE, "an", "một")
        own = field.settings.delivery
        taken = await take(connection, ONE, 5, own)
        assert taken is not None
        again = await take(connection, ONE, 5, own)
        assert (len(taken.claimed), again and again.claimed) == (1, []), "taken by one"
        await connection.execute("UPDATE delivery SET attempted_at = now() - interval '1 hour'")
        assert await lost.find_lost(connection, own) == 1
        await connection.execute("UPDATE delivery SET due_at = now()")
        (timer,) = await unanswered.due(connection, [3], 10)
        assert await unanswered.due(connection, [3], 10) == [], "proposed once"
        undecided = await take(connection, ONE, 5, own)
        assert undecided is not None
        assert undecided.claimed == [], "nothing is decided yet"
        await field.handle(EchoTimer.model_validate_json(timer.value))
        second = await take(connection, ONE, 5, own)
        assert second is not None
        assert [each.attempt for each in second.claimed] == [2]
        late, now = Step("failed", (), "rejected"), Step("sent", ("m1",))
        assert not await message_rows.go_on(connection, taken.claimed[0], late)
        assert await message_rows.go_on(connection, second.claimed[0], now)
        assert (await field.row(message))["state"] == "sent"


async def test_what_was_killed_again_and_again_is_given_again(database: str) -> None:
    async with ground(database, unanswered="resend") as field, field.database.acquire() as connection:
        own = field.settings.delivery
        message = await field.say(ONE, "an", "một")
        for attempt in (1, 2, 3):
            taken = await take(connection, ONE, 5, own)
            assert taken is not None
            assert [each.attempt for each in taken.claimed] == [attempt]
            await connection.execute("UPDATE delivery SET attempted_at = now() - interval '1 hour'")
            assert await lost.find_lost(connection, own) == 1
            await connection.execute("UPDATE delivery SET due_at = now()")
            (timer,) = await unanswered.due(connection, [3], 10)
            await field.handle(EchoTimer.model_validate_json(timer.value))
        assert (await field.row(message))["state"] == "queued"


async def test_an_echo_that_was_read_before_its_timer_leaves_nothing_to_decide(database: str) -> None:
    async with ground(database, unanswered="resend") as field, field.database.acquire() as connection:
        message = await field.say(ONE, "an", "một")
        await take(connection, ONE, 5, field.settings.delivery)
        await connection.execute("UPDATE delivery SET state = 'unknown', due_at = now()")
        (timer,) = await unanswered.due(connection, [3], 10)
        await field.handle(
            field.echo(f"{ONE}:an", message, 0, "m1"), EchoTimer.model_validate_json(timer.value)
        )
        assert (await field.row(message))["state"] == "sent"


async def test_many_pages_with_many_customers_each_in_order(database: str) -> None:
    async with ground(database) as field:
        sends = [
            field.send(page, f"u{user}", f"{user}/{number}")
            for number in range(4)
            for user in range(6)
            for page in (ONE, TWO, OA)
        ]
        field.one.faults.extend(["lose", {"message": "again", "code": 1}, "lose"])
        await field.handle(*sends)
        async with field.delivering(workers=2, unanswered="resend"):

            async def all_sent() -> bool:
                left = await field.database.fetchval("SELECT count(*) FROM delivery WHERE state <> 'sent'")
                return bool(left == 0)

            await eventually(all_sent, "all are sent")
        for account in (field.two, field.oa):
            for user in range(6):
                assert account.texts(f"u{user}") == [f"{user}/{number}" for number in range(4)]
        for user in range(6):
            heard = field.one.texts(f"u{user}")
            assert list(dict.fromkeys(heard)) == [f"{user}/{number}" for number in range(4)]
        ids = await field.database.fetchval("SELECT array_agg(DISTINCT message_id) FROM delivery")
        assert {UUID(str(each)) for each in ids} == {send.message for send in sends}


async def test_who_stops_brings_to_its_end_what_is_under_way(database: str) -> None:
    async with ground(database, request_timeout_s=10) as field:
        field.one.faults.append("hold")
        message = await field.say(ONE, "an", "một")
        task = asyncio.create_task(field.dispatcher().run())
        await field.one.held.wait()
        task.cancel()
        field.one.release.set()
        await asyncio.gather(task, return_exceptions=True)
        assert (await field.row(message))["state"] == "sent"
