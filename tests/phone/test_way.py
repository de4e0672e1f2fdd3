"""The whole way of SMS and calls: asked for in a ticket, made by a provider over HTTP, and told back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest

from config.errors import UsageError
from config.phone import PhoneAccount, PhoneSettings
from schemas.envelope import Kind
from schemas.ids import conversation_id
from tests.intake.conftest import Run
from tests.intake.log import PAGE, WORKSPACE, Log, key_of
from tests.mail.way import Way
from workers.channels import records
from workers.channels.channel import Item, Refused, Skipped
from workers.channels.phone import page_rows
from workers.channels.phone.caller import Caller
from workers.channels.phone.door import PhoneDoor
from workers.channels.phone.signature import AGE_MAX_S, SIGNATURE, signature
from workers.channels.problem import MalformedError, WrongSignatureError
from workers.channels.records import Outgoing
from workers.gateway.queries import transcript
from workers.gateway.queries.scope import Scope
from workers.gateway.queries.where import Where
from workers.local.simulator.platform.phone_platform import TALKED_S, PhonePlatform, Refusal
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.webhook import Webhook
from workers.runtime.handler import Connection

pytestmark = pytest.mark.servers
KEY, CONVERSATION = key_of("an"), conversation_id(key_of("an"))
OURS, HERS, MINE = "+842838231234", "+84912345678", "+84987654321"
CALLBACK_KEY = "a key of the tests for callbacks"
NOTHING: frozenset[str] = frozenset()
SCOPE = Scope(WORKSPACE, "lan", "main", NOTHING, NOTHING, False, NOTHING)


class Ground(NamedTuple):
    """A way, the provider at its end, and the door by which the provider comes back."""

    way: Way
    platform: PhonePlatform
    told: list[Webhook]
    """Callbacks that nobody has taken yet."""
    door: PhoneDoor
    caller: Caller

    async def sms(self, text: str, ticket: int = 1) -> UUID:
        return await self.way.reach("send_sms", ticket=ticket, text=text)

    async def call(self) -> UUID:
        return await self.way.reach("start_call", ticket=1, agent_phone=MINE)

    async def become(self, message: UUID, state: str, reason: str | None = None) -> None:
        """Send what waits until it stands so."""
        async with self.way.running(self.caller):
            await self.way.until(message, state, reason)

    async def hear(self) -> list[Item]:
        """All that was called back is taken, in its order."""
        items = []
        while self.told:
            webhook = self.told.pop(0)
            items += await self.posted(webhook)
        for item in items:
            if not isinstance(item, Refused | Skipped):
                await self._take(records.outgoing(records.Webhook("phone", b"", 0), item))
        return items

    async def posted(self, webhook: Webhook) -> list[Item]:
        """What the ingress makes of a callback."""
        channel = self.door.at(webhook.token)
        document = channel.open(webhook.headers, webhook.body)
        return list(channel.items(await channel.complete(document)))

    async def _take(self, record: Outgoing) -> None:
        assert record.key is not None
        if record.topic == "receipts":
            await self.way.handle([(record.key, record.value, record.headers)], "receipts")
            return
        self.way.log.append(Kind("inbound", record.what), record.key.decode(), orjson.loads(record.value))
        await self.way.settle()


@asynccontextmanager
async def ground(database: str, inputs: Log, intake: Run, **limits: Any) -> AsyncIterator[Ground]:  # noqa: ANN401 - settings
    """A customer with a number and two tickets, of a page with a provider."""
    secrets = {"token": "a token of the tests", "callback_key": CALLBACK_KEY}
    told: list[Webhook] = []
    known = PhoneAccount.model_validate({"name": "main", "url": "http://unused", **secrets})
    teller = Teller(None)
    teller.tell = told.append  # type: ignore[assignment,method-assign]
    platform = PhonePlatform(known, {OURS}, teller)
    async with (
        asyncpg.create_pool(database, min_size=1, max_size=4) as pool,
        serving(platform.asgi) as url,
        httpx.AsyncClient() as client,
    ):
        account = {"name": "main", "url": url, **secrets}
        quick = {"retry_first_s": 0.1, "retry_last_s": 0.1, "request_timeout_s": 5.0, "attempts_max": 4}
        phone = PhoneSettings.model_validate({"accounts": [account], **quick, **limits})
        inputs.now_ms = time.time_ns() // 1_000_000
        way = Way(pool, database, inputs, intake, phone=phone)
        inputs.say("an", "m1")
        await way.settle()
        await way.act("set_profile", phone="0912 345 678")
        await way.act("open_ticket", subject="Giao hàng")
        await way.act("open_ticket", subject="Đổi hàng")
        yield Ground(way, platform, told, PhoneDoor(phone, pool), Caller(phone, client))


async def test_sms_and_calls_go_out_fare_as_they_fare_and_come_back(
    database: str, connection: Connection, run: Run, log: Log
) -> None:
    async with ground(database, log, run) as here:
        unset = await here.sms("chưa cài đặt")
        await here.way.until(unset, "failed", "phone_not_set")
        await page_rows.set_page(here.way.pool, PAGE, page_rows.phone_of("main", "028 3823 1234"))
        await _once_and_in_order(here)
        await _as_the_provider_tells(here)
        await _refused(here)
        await _and_back(here)
        await _only_from_the_provider(here)
        found = await transcript.read_exchange(
            Where(connection, SCOPE, CONVERSATION, "main"), 1, None, 50, "vi"
        )
        shown = [(line.kind, line.delivery) for line in found.lines if line.delivery]
        assert shown[0][1].state == "failed"
        talked = [one for kind, one in shown if kind == "call" and one.state == "ended"]
        assert (talked[0].duration_s, talked[0].text) == (TALKED_S, "Đã gọi xong")
        missed = next(one for kind, one in shown if one.reason == "call_no_answer")
        assert missed.text == "Không gọi được: khách không nghe máy"
        assert missed.advice
        assert found.lines[-1].params["from"] == HERS


async def _once_and_in_order(here: Ground) -> None:
    """Lost with a worker, taken though a proxy answered, wanted later: each SMS once, in order."""
    here.platform.faults.extend(
        ["lose", Refusal(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited"), Refusal(HTTPStatus.BAD_GATEWAY, "")]
    )
    sent = [await here.sms(text) for text in ("một", "hai", "ba")]
    beside = await here.sms("khác", ticket=2)
    # Its worker was killed after the provider had been asked, before that was stored.
    await here.become(sent[-1], "sent")
    await here.way.pool.execute(
        "UPDATE outreach SET state = 'sending', attempted_at = now() - interval '1 hour', content = $2 "
        "WHERE message_id = $1",
        sent[-1],
        orjson.dumps({"to": HERS, "text": "ba"}).decode(),
    )
    await here.become(sent[-1], "sent")
    await here.become(beside, "sent")
    texts = [one.said["text"] for one in here.platform.taken]
    assert sorted(texts) == ["ba", "hai", "khác", "một"]
    assert [text for text in texts if text != "khác"] == ["một", "hai", "ba"]
    assert here.platform.requests > len(texts)
    assert {one.said["to"] for one in here.platform.taken} == {HERS}
    await here.hear()
    for message in (*sent, beside):
        await here.way.until(message, "delivered")
    told = [(one.message, one.state) for one in await here.way.told()]
    assert {(message, "delivered") for message in (*sent, beside)} <= set(told)
    left = "SELECT count(*) FROM outreach WHERE content IS NOT NULL"
    assert await here.way.pool.fetchval(left) == 0


async def _as_the_provider_tells(here: Ground) -> None:
    """What is told before the answer is stored, late, twice or in another order leaves what is furthest."""
    here.platform.fates.extend([("ringing_agent", "ringing", "answered"), ("ringing_agent", "no_answer")])
    talked, missed = await here.call(), await here.call()
    await here.become(missed, "sent")
    await here.hear()
    await here.way.until(talked, "answered")
    await here.way.until(missed, "failed", "call_no_answer")
    asked = here.platform.taken[-2]
    assert asked.said["agent"] == MINE
    here.platform.tell(asked, "ended", "ringing", "answered", "ended")
    await here.hear()
    await here.way.until(talked, "ended")
    seconds = "SELECT duration_s FROM outreach WHERE message_id = $1"
    assert await here.way.pool.fetchval(seconds, talked) == TALKED_S
    failed = {one.message: one.reason for one in await here.way.told() if one.state == "failed"}
    assert failed[missed] == "call_no_answer"


async def _refused(here: Ground) -> None:
    """For good at once, after a few times, or because it is too late to ring anybody."""
    here.platform.faults.append(Refusal(HTTPStatus.BAD_REQUEST, "invalid_number"))
    await here.become(await here.sms("số lạ"), "failed", "phone_number")
    here.platform.faults.extend([Refusal(HTTPStatus.PAYMENT_REQUIRED, "no_credit")] * 4)
    poor = await here.sms("hết tiền")
    await here.become(poor, "failed", "phone_balance")
    late = await here.call()
    await here.way.pool.execute(
        "UPDATE outreach SET written_at = now() - interval '1 hour' WHERE message_id = $1", late
    )
    requests = here.platform.requests
    await here.become(late, "failed", "phone_late")
    assert here.platform.requests == requests
    # The provider had taken it after all: it knows more than we do.
    row = await here.way.pool.fetchrow(
        "SELECT workspace_id, message_id FROM outreach WHERE message_id = $1", late
    )
    asked = here.platform.taken[-1]._replace(path="/calls", said={"reference": f"{row[0]}.{row[1].hex}"})
    here.platform.tell(asked, "answered")
    await here.hear()
    await here.way.until(late, "answered")


async def _and_back(here: Ground) -> None:
    await here.way.act("edit_ticket", ticket=1, status="closed")
    for _ in range(2):
        here.platform.customer_writes(HERS, OURS, "Chị nhận được rồi", "in-1")
    items = await here.hear()
    assert [type(item).__name__ for item in items] == ["Sms", "Sms"]
    lines = await here.way.pool.fetch("SELECT body FROM message WHERE kind = 'sms' AND sender = 'customer'")
    assert [row["body"] for row in lines] == ["Chị nhận được rồi"]
    # The last that was written to this number was of the first ticket, which is open again.
    status = "SELECT status FROM ticket WHERE number = 1"
    assert await here.way.pool.fetchval(status) == "open"
    for stranger, ours in (("+84356789012", OURS), (HERS, "+842899999999")):
        await _answers_nothing(here, stranger, ours)
    # Set before that was refused: nobody knows any more whom of both she answers.
    other = "INSERT INTO phone_page VALUES ('messenger:999', 'globex', 'main', $1)"
    await here.way.pool.execute(other, OURS)
    await _answers_nothing(here, HERS, OURS)
    await here.way.pool.execute("DELETE FROM phone_page WHERE workspace_id = 'globex'")


async def _answers_nothing(here: Ground, sender: str, ours: str) -> None:
    here.platform.customer_writes(sender, ours, "ai đó")
    (refused,) = await here.hear()
    assert isinstance(refused, Refused)
    assert refused.reason == "not_a_reply"


async def test_two_workspaces_have_two_numbers(database: str) -> None:
    connection = await asyncpg.connect(database)
    for page, workspace in (("web:a", "acme"), ("web:b", "acme"), ("web:c", "globex")):
        await connection.execute("INSERT INTO page_registry VALUES ($1, $2, 'main')", page, workspace)
    phone = page_rows.phone_of("main", OURS)
    for page in ("web:a", "web:b", "web:a"):  # of one, which may share it
        await page_rows.set_page(connection, page, phone)
    with pytest.raises(UsageError, match=r"is the number of web:[ab], a page of another workspace"):
        await page_rows.set_page(connection, "web:c", phone)
    assert await page_rows.read_page(connection, "web:c") is None
    await page_rows.set_page(connection, "web:c", page_rows.phone_of("other", OURS))
    await connection.close()


async def _only_from_the_provider(here: Ground) -> None:
    asked = here.platform.taken[0]
    here.platform.tell(asked, "undelivered")
    (told,) = here.told
    here.told.clear()
    old = {SIGNATURE: signature(CALLBACK_KEY, told.body, int(time.time()) - AGE_MAX_S - 5)}
    forged = {SIGNATURE: signature("another key of the tests, no less", told.body, int(time.time()))}
    for caller, said in (("main", {}), ("main", old), ("main", forged), ("other", told.headers)):
        with pytest.raises(WrongSignatureError):
            here.door.at(caller).open(said, told.body)

    async def became(document: object) -> list[Item]:
        body = orjson.dumps(document)
        headers = {SIGNATURE: signature(CALLBACK_KEY, body, int(time.time()))}
        return await here.posted(Webhook("receipt", "phone:main", body, headers, (), "main"))

    strange = {"reference": f"{WORKSPACE}.{'0' * 32}", "status": "ended", "type": "call.status"}
    assert await became(strange) == [Skipped("not_ours")]
    assert await became({"type": "fax.received"}) == [Skipped("unknown_callback")]
    (unreadable,) = await became(strange | {"status": "lost"})
    assert isinstance(unreadable, Refused)
    with pytest.raises(MalformedError):
        await became([])
    # Another account of the same installation does not speak of this page's.
    await page_rows.set_page(here.way.pool, PAGE, page_rows.phone_of("other", OURS))
    assert await here.posted(told) == [Skipped("not_ours")]


async def test_who_asks_for_too_much_within_an_hour_is_stopped(database: str, run: Run, log: Log) -> None:
    async with ground(database, log, run, agent_hourly_max=3, page_hourly_max=4) as here:
        await page_rows.set_page(here.way.pool, PAGE, page_rows.phone_of("main", OURS))
        sent = [await here.sms(f"tin {number}") for number in range(4)]
        await here.way.until(sent[2], "queued")
        await here.way.until(sent[3], "failed", "phone_limit")
        chu = {"actor": "agent:acme/chu", "by": "chu"}
        others = [await here.way.reach("send_sms", ticket=1, text="khác", **chu) for _ in range(2)]
        await here.way.until(others[0], "queued")
        await here.way.until(others[1], "failed", "phone_limit")
