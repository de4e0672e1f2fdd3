"""The ingress over real HTTP, in front of a real Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from config.settings import Settings
from schemas.catalogue import RECORDS
from schemas.envelope import header, read_kind
from schemas.ids import message_id
from tests.channels.conftest import Reader, running, until_ready, with_ingress
from tests.channels.webhooks import (
    FCHAT_TOKEN,
    OA,
    PAGE,
    Signed,
    from_user,
    messenger,
    said,
    sign_messenger,
    sign_zalo,
    zalo,
    zalo_event,
)
from workers.channels import body

pytestmark = pytest.mark.servers

MESSENGER = "/v1/webhooks/messenger"
FCHAT = f"/v1/webhooks/fchat/{FCHAT_TOKEN}"
ZALO = "/v1/webhooks/zalo"


async def post(client: httpx.AsyncClient, path: str, signed: Signed) -> httpx.Response:
    return await client.post(path, content=signed.body, headers=signed.headers)


def assert_problem(response: httpx.Response, status: int, slug: str) -> str:
    """The one shape of all errors. Returns the sentence."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (problem["type"], problem["status"]) == (f"urn:tongdai:problem:{slug}", status)
    return str(problem["detail"])


async def first_line(client: httpx.AsyncClient, head: bytes) -> bytes:
    """The status line that the ingress answers to a request's head alone."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    try:
        writer.write(head)
        return await asyncio.wait_for(reader.readline(), 90)
    finally:
        writer.close()
        await writer.wait_closed()


async def metric(client: httpx.AsyncClient, sample: str) -> float:
    """The value of one sample, such as `name{label="x"}`; 0 when it is not there."""
    lines = (await client.get("/metrics")).text.splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(sample + " ")), 0.0)


async def test_a_message_is_on_inbound_once_it_is_answered(ingress: httpx.AsyncClient, read: Reader) -> None:
    response = await post(ingress, MESSENGER, messenger(said(text="xin chào")))
    assert (response.status_code, response.text) == (200, "EVENT_RECEIVED")
    (record,) = await read("inbound")
    assert record.key == b"messenger:1:U"
    kind = read_kind(record.headers, "inbound")
    message = RECORDS[kind].model_validate_json(record.value)
    assert message.model_dump(exclude_none=True, exclude={"raw"}) == {
        "channel": "messenger",
        "account": PAGE,
        "user": "U",
        "sent_at_ms": 1458692752478,
        "channel_message_id": "m_1",
        "text": "xin chào",
        "attachments": (),
        "standby": False,
        "history": False,
    }
    assert orjson.loads(record.value)["raw"] == said(text="xin chào")
    assert header(record.headers, "ce_type") == b"tongdai.inbound.message.v1"
    assert header(record.headers, "ce_source") == b"tongdai/ingress/messenger"
    assert header(record.headers, "ce_id") == str(message_id("messenger:1", "m_1")).encode()
    assert header(record.headers, "ce_time") == b"2016-03-23T00:25:52.478Z"
    assert header(record.headers, "ce_subject") == record.key


async def test_a_call_of_fchats_is_on_inbound_and_answered_with_a_flat_object(
    ingress: httpx.AsyncClient, read: Reader
) -> None:
    said = {"user_id": "u1", "text": "Còn hàng không?", "name": "Lan", "phone": "0912345678"}
    answers = [
        await ingress.post(FCHAT, json=said),
        await ingress.post(FCHAT, data=said),
        await ingress.get(FCHAT, params=said),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["content-type"] == "application/json"
    records = await read("inbound")
    assert {record.key for record in records} == {b"fchat:hoa-sen:u1"}
    kinds = [read_kind(record.headers, "inbound").what for record in records]
    assert kinds == ["message", "profile"] * 3
    assert {orjson.loads(record.value).get("text", "Còn hàng không?") for record in records} == {said["text"]}
    assert (await ingress.head(FCHAT)).status_code == 200
    for path in (FCHAT + "x", "/v1/webhooks/fchat/guess"):
        detail = assert_problem(await ingress.post(path, json=said), 403, "wrong_token")
        assert FCHAT_TOKEN not in detail
    assert_problem(await ingress.get("/v1/webhooks/fchat/guess", params=said), 403, "wrong_token")
    assert len(await read("inbound")) == 6


async def test_all_events_of_one_webhook_are_kept_in_their_order(
    ingress: httpx.AsyncClient, read: Reader
) -> None:
    events = [said(f"m_{number}", str(number)) for number in range(300)]
    assert (await post(ingress, MESSENGER, messenger(*events))).status_code == 200
    records = await read("inbound")
    assert [orjson.loads(record.value)["text"] for record in records] == [str(each) for each in range(300)]


async def test_duplicates_share_their_id(ingress: httpx.AsyncClient, read: Reader) -> None:
    for signed in (
        messenger(said()),
        messenger(said()),
        messenger(from_user(read={"watermark": 1})),
        messenger(from_user(read={"watermark": 1})),
        messenger(from_user(read={"watermark": 2})),
    ):
        assert (await post(ingress, MESSENGER, signed)).status_code == 200
    found = [*await read("inbound"), *await read("receipts")]
    ids = [header(record.headers, "ce_id") for record in found]
    assert (ids[0] == ids[1], ids[2] == ids[3]) == (True, True)
    assert len(set(ids)) == 3


async def test_zalo_is_taken_too(ingress: httpx.AsyncClient, read: Reader) -> None:
    event = zalo_event(message={"msg_id": "z1", "text": "xin chào"})
    assert (await post(ingress, ZALO, zalo(event))).status_code == 200
    (record,) = await read("inbound")
    assert record.key == f"zalo:{OA}:246845883529197922".encode()
    assert orjson.loads(record.value)["raw"] == event
    assert (await ingress.get(ZALO)).status_code == 200


async def test_what_cannot_be_a_record_is_deadlettered_and_answered_200(
    ingress: httpx.AsyncClient, read: Reader
) -> None:
    signed = messenger(said("m_1"), from_user(teleport={}), said("m_2", text="x" * 20_001), said("m_3"))
    assert (await post(ingress, MESSENGER, signed)).status_code == 200
    assert (await post(ingress, ZALO, zalo(zalo_event("user_teleport")))).status_code == 200
    assert [orjson.loads(each.value)["channel_message_id"] for each in await read("inbound")] == [
        "m_1",
        "m_3",
    ]
    letters = sorted(await read("deadletter"), key=lambda each: (each.key, each.offset))
    found = [
        (each.key, *(header(each.headers, f"deadletter_{name}") for name in ("reason", "topic", "worker")))
        for each in letters
    ]
    assert found == [
        (b"messenger:1:U", b"unknown_event", b"ingress/messenger", b"ingress"),
        (b"messenger:1:U", b"unreadable", b"ingress/messenger", b"ingress"),
        (f"zalo:{OA}:246845883529197922".encode(), b"unknown_event", b"ingress/zalo", b"ingress"),
    ]
    detail = header(letters[1].headers, "deadletter_detail")
    assert detail == b"text: String should have at most 20000 characters"
    assert header(letters[1].headers, "deadletter_partition") == b"-1"
    again = sign_messenger(letters[1].value.replace(b"x" * 20_001, b"short"))
    assert (await post(ingress, MESSENGER, again)).status_code == 200
    assert "short" in [orjson.loads(each.value)["text"] for each in await read("inbound")]
    assert (
        await metric(ingress, 'tongdai_ingress_deadlettered_total{channel="zalo",reason="unknown_event"}')
        == 1
    )


async def test_a_record_larger_than_its_topic_takes_is_deadlettered(
    ingress: httpx.AsyncClient, read: Reader
) -> None:
    # Numbers that JSON writes longer than they came: the record grows beyond what the body was.
    body = messenger(said(numbers=[0])).body.replace(b"[0]", b"[" + b",".join([b"1e15"] * 180_000) + b"]")
    assert len(body) < 960_000
    assert (await post(ingress, MESSENGER, sign_messenger(body))).status_code == 200
    assert await read("inbound") == []
    (letter,) = await read("deadletter")
    assert header(letter.headers, "deadletter_reason") == b"too_large"
    assert letter.value == body
    longest = said(text="x" * 20_001, filler="y" * 950_000)
    assert (await post(ingress, MESSENGER, messenger(longest))).status_code == 200
    assert len(await read("deadletter")) == 2


async def test_a_dashboards_test_call_is_answered_and_counted(
    ingress: httpx.AsyncClient, read: Reader
) -> None:
    changes = [{"field": "messages", "value": {"page_id": "1"}}]
    body = {"entry": [{"changes": changes, "id": "0", "time": 1508962606}], "object": "page"}
    assert (await post(ingress, MESSENGER, sign_messenger(orjson.dumps(body)))).status_code == 200
    assert await read("inbound") == []
    assert await read("deadletter") == []
    assert await metric(ingress, 'tongdai_ingress_skipped_total{channel="messenger",event="changes"}') == 1


async def test_the_challenge_is_answered_as_plain_text(kafkaless: httpx.AsyncClient) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "mytoken", "hub.challenge": "<b>115"}
    response = await kafkaless.get(MESSENGER, params=query)
    assert (response.status_code, response.text) == (200, "<b>115")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert_problem(
        await kafkaless.get(MESSENGER, params=query | {"hub.verify_token": "x"}), 403, "wrong_token"
    )


async def test_wrong_signatures_are_refused_and_counted(ingress: httpx.AsyncClient, read: Reader) -> None:
    body = messenger(said()).body
    assert_problem(await post(ingress, MESSENGER, sign_messenger(body, "guess")), 403, "wrong_signature")
    assert_problem(await post(ingress, MESSENGER, Signed(body, {})), 403, "wrong_signature")
    event = orjson.dumps(zalo_event(message={"msg_id": "z1", "text": "x"}))
    assert_problem(await post(ingress, ZALO, sign_zalo(event, "1", "guess")), 403, "wrong_signature")
    assert await read("inbound") == []
    sample = 'tongdai_ingress_refused_total{channel="messenger",reason="wrong_signature"}'
    assert await metric(ingress, sample) == 2


async def test_a_signature_is_over_the_raw_bytes(ingress: httpx.AsyncClient) -> None:
    escaped = messenger(said(text="xin chao")).body.replace(b"chao", rb"ch\u00e0o")
    assert (await post(ingress, MESSENGER, sign_messenger(escaped))).status_code == 200
    unescaped = escaped.replace(rb"\u00e0", "à".encode())
    response = await post(ingress, MESSENGER, Signed(unescaped, sign_messenger(escaped).headers))
    assert_problem(response, 403, "wrong_signature")


async def test_a_malformed_body_is_refused(kafkaless: httpx.AsyncClient) -> None:
    for malformed in (b"{no json", b"", b"[" * 5_000 + b"]" * 5_000, b'{"object":NaN}'):
        assert_problem(await post(kafkaless, MESSENGER, sign_messenger(malformed)), 400, "malformed")
        assert_problem(await post(kafkaless, ZALO, sign_zalo(malformed, "")), 400, "malformed")


async def test_only_pages_are_taken(kafkaless: httpx.AsyncClient) -> None:
    instagram = sign_messenger(b'{"object":"instagram","entry":[]}')
    assert_problem(await post(kafkaless, MESSENGER, instagram), 404, "wrong_object")


async def test_unknown_paths_and_methods_have_the_same_shape(kafkaless: httpx.AsyncClient) -> None:
    assert_problem(await kafkaless.get("/v1/webhooks/telegram"), 404, "not_found")
    response = await kafkaless.put(MESSENGER)
    assert_problem(response, 405, "method_not_allowed")
    assert "POST" in response.headers["allow"]


async def test_a_body_beyond_the_limit_is_refused_declared_or_streamed(
    kafka_settings: Settings, led_topics: dict[str, str]
) -> None:
    del led_topics

    async def undeclared(chunks: int) -> AsyncIterator[bytes]:
        for _ in range(chunks):
            yield b" " * 1_024

    async with running(with_ingress(kafka_settings, body_limit_bytes=2_048)) as client:
        await until_ready(client)
        exact = messenger(said(text="")).body
        exact = exact.replace(b'"text":""', b'"text":"' + b"x" * (2_048 - len(exact)) + b'"')
        assert (await post(client, MESSENGER, sign_messenger(exact))).status_code == 200
        assert_problem(await post(client, MESSENGER, sign_messenger(exact + b" ")), 413, "too_large")
        assert_problem(await client.post(MESSENGER, content=undeclared(100)), 413, "too_large")
        assert_problem(await client.post(MESSENGER, content=b" " * 200_000), 413, "too_large")
        with pytest.raises(httpx.TransportError):
            await client.post(MESSENGER, content=undeclared(1_000_000))
        head = b"POST /v1/webhooks/messenger HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n"
        assert b" 413 " in await first_line(client, head)
        assert await metric(client, "tongdai_ingress_waiting") == 0


async def test_an_address_that_sends_too_much_is_told_when_to_come_back(
    kafka_settings: Settings, led_topics: dict[str, str]
) -> None:
    del led_topics
    async with running(with_ingress(kafka_settings, rate_per_s=0.01, rate_burst=3)) as client:
        await until_ready(client)
        for number in range(3):
            assert (await post(client, MESSENGER, messenger(said(f"m_{number}")))).status_code == 200
        response = await post(client, MESSENGER, messenger(said("m_4")))
        assert_problem(response, 429, "rate_limited")
        assert 90 <= int(response.headers["retry-after"]) <= 100
        assert (await client.get("/healthz")).status_code == 200


async def test_a_page_that_is_flooded_comes_again_and_the_others_are_taken(
    kafka_settings: Settings, led_topics: dict[str, str]
) -> None:
    del led_topics
    async with running(with_ingress(kafka_settings, page_rate_per_s=0.01, page_rate_burst=2)) as client:
        await until_ready(client)
        for number in range(2):
            assert (await post(client, MESSENGER, messenger(said(f"m_{number}")))).status_code == 200
        response = await post(client, MESSENGER, messenger(said("m_3")))
        assert_problem(response, 503, "page_flooded")
        assert 90 <= int(response.headers["retry-after"]) <= 100
        assert (await post(client, ZALO, zalo(zalo_event()))).status_code == 200


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_DEADLINE_S", 0.2)


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_does_not_come_is_not_waited_for(kafkaless: httpx.AsyncClient) -> None:
    head = b"POST /v1/webhooks/zalo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345"
    assert b" 408 " in await first_line(kafkaless, head)
    assert await metric(kafkaless, "tongdai_ingress_waiting") == 0


async def test_a_platform_that_hangs_up_is_counted(kafkaless: httpx.AsyncClient) -> None:
    _, writer = await asyncio.open_connection(kafkaless.base_url.host, kafkaless.base_url.port)
    writer.write(b"POST /v1/webhooks/zalo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n12345")
    async with asyncio.timeout(90):
        while await metric(kafkaless, "tongdai_ingress_waiting") == 0:
            pass
        writer.close()
        await writer.wait_closed()
        while await metric(kafkaless, 'tongdai_ingress_requests_total{channel="zalo",status="499"}') == 0:
            pass
    assert await metric(kafkaless, "tongdai_ingress_waiting") == 0


async def test_many_at_once_are_all_kept(ingress: httpx.AsyncClient, read: Reader) -> None:
    webhooks = [messenger(said(f"m_{number}", user=f"U{number % 7}")) for number in range(200)]
    await asyncio.gather(*(until_taken(ingress, signed) for signed in webhooks))
    ids = {orjson.loads(record.value)["channel_message_id"] for record in await read("inbound")}
    assert ids == {f"m_{number}" for number in range(200)}


async def until_taken(ingress: httpx.AsyncClient, signed: Signed) -> None:
    """As a platform does: what a busy machine sends away at its head comes again."""
    async with asyncio.timeout(90):
        while (answer := await post(ingress, MESSENGER, signed)).status_code != 200:
            assert_problem(answer, 503, "overloaded")
            await asyncio.sleep(0.1)
