"""A few bytes that want to become many, and nesting without end: refused before they cost anything.

Webhooks' bodies: tests/channels/test_document.py; workspace files with aliases and depth: tests/workspace/.
Answers of others' webhooks are not decompressed at all: tests/webhooks/test_sender.py.
"""

from __future__ import annotations

import gzip
import time
import zlib

import httpx
import orjson
import pytest
from pydantic import ValidationError

from config.delivery import DeliverySettings
from config.gateway import GatewaySettings
from config.ingress import MessengerApp
from config.settings import Settings
from schemas.catalogue import RECORDS
from tests.channels.webhooks import APPS, sign_messenger
from workers.channels.delivery.posting import Answer, open_client, post
from workers.channels.messenger import Messenger
from workers.channels.problem import MalformedError
from workers.gateway.app import create_app
from workers.gateway.client_messages import SAID

BOMB = gzip.compress(b" " * 50_000_000)
DEEP = 200_000
SHORT_S = 2.0
"""Of processor time."""


def deep(open_: str, close: str) -> bytes:
    return (open_ * DEEP + close * DEEP).encode()


def test_a_compressed_webhook_is_no_json_however_it_is_signed() -> None:
    apps = [MessengerApp.model_validate(app) for app in APPS["messenger_apps"]]
    assert len(BOMB) < 100_000
    for body in (BOMB, zlib.compress(b" " * 50_000_000)):
        began_s = time.thread_time()
        with pytest.raises(MalformedError):
            Messenger(apps).open(sign_messenger(body).headers | {"content-encoding": "gzip"}, body)
        assert time.thread_time() - began_s < SHORT_S


async def test_the_gateway_decompresses_nothing_and_follows_no_nesting() -> None:
    own = GatewaySettings.model_validate({"signing_key": "k" * 32})
    transport = httpx.ASGITransport(create_app(Settings(gateway=own), lambda _: None))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        for body in (BOMB, deep("[", "]")[:130_000], deep('{"a":', "}")[:130_000], b"9" * 130_000):
            headers = {"content-encoding": "gzip", "content-type": "application/json"}
            began_s = time.thread_time()
            answer = await http.post("/api/v1/sign-in", content=body, headers=headers)
            assert time.thread_time() - began_s < SHORT_S
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    "text", [deep("[", "]"), deep('{"do":', "}"), b"9" * 1_000_000, b'"' + b"\\u0000" * 99_999]
)
def test_sockets_and_records_follow_no_nesting(text: bytes) -> None:
    began_s = time.thread_time()
    with pytest.raises(ValidationError):
        SAID.validate_json(text)
    for model in set(RECORDS.values()):
        with pytest.raises(ValidationError):
            model.model_validate_json(text)
    assert time.thread_time() - began_s < len(RECORDS) * 0.1


async def test_a_platform_s_answer_stays_as_large_as_it_came() -> None:
    asked: list[str] = []

    def platform(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        whole = gzip.compress(orjson.dumps({"message_id": "x" * 50_000_000}))
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(whole))

    async with open_client(DeliverySettings()) as client:
        client._transport = httpx.MockTransport(platform)
        client._mounts = {}
        request = client.build_request("POST", "https://platform.example/send")
        answer = await post(client, 10.0, request)
    assert asked == ["identity"]
    assert isinstance(answer, Answer)
    assert answer.body == {}
