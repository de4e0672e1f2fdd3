"""The door of a real ingress, and the command that a mail server runs for each reply."""

from __future__ import annotations

import asyncio
from io import BytesIO, TextIOWrapper
from pathlib import Path

import httpx
import pytest
import typer

from config.errors import UsageError
from config.settings import Settings
from tests.channels.conftest import running, with_ingress
from tests.mail.letters import DOOR_KEY, KEY
from workers.channels.mail.signature import SIGNATURE, signature
from workers.cli.mail_command import mail
from workers.local.ports import free_port

MAIL = b"From: an@example.com\r\nTo: reply@mail.example.com\r\nSubject: x\r\n\r\nxin ch\xc3\xa0o"
MAIL_SETTINGS = {"reply_address": "reply@mail.example.com", "keys": KEY, "door_key": DOOR_KEY}
PATH = "/v1/webhooks/mail"


def kafkaless(**mail: object) -> Settings:
    kafka = {"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    return with_ingress(Settings.model_validate({"kafka": kafka, "mail": mail}))


async def test_only_what_the_mail_server_has_signed_is_taken(tmp_path: Path) -> None:
    right, wrong = tmp_path / "door.key", tmp_path / "other.key"
    right.write_text(DOOR_KEY)
    wrong.write_text(KEY)
    async with running(kafkaless(**MAIL_SETTINGS, body_limit_bytes=65_536)) as client:
        url = str(client.base_url.join(PATH))
        signed = {SIGNATURE: signature(DOOR_KEY, MAIL)}
        for headers in ({}, {SIGNATURE: signature(KEY, MAIL)}, {SIGNATURE: "sha256=0"}):
            refused = await client.post(PATH, content=MAIL, headers=headers)
            assert refused.status_code == httpx.codes.FORBIDDEN
        assert (await client.get(PATH)).status_code == httpx.codes.METHOD_NOT_ALLOWED
        # Kafka is away: it is to be sent again.
        taken = await client.post(PATH, content=MAIL, headers=signed)
        assert taken.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert await _pushed(url, MAIL, f"file:{right}") == 75
        assert await _pushed(url, MAIL, f"file:{wrong}") == 75
        assert await _pushed(url, b"x" * 70_000, f"file:{right}") == 65
        assert await _pushed(url, b"", f"file:{right}") == 65
    assert await _pushed(url, MAIL, f"file:{right}") == 75


async def test_without_a_key_there_is_no_door() -> None:
    async with running(kafkaless()) as client:
        assert (await client.post(PATH, content=MAIL)).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("key", ["the key itself", "env:NOT_SET"])
def test_the_key_is_named_and_not_given(key: str) -> None:
    with pytest.raises(UsageError, match="the key"):
        mail("http://127.0.0.1:9/", key)


async def _pushed(url: str, body: bytes, key: str) -> int:
    """The exit code of the mail server's command."""

    def push() -> int:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("sys.stdin", TextIOWrapper(BytesIO(body)))
            with pytest.raises(typer.Exit) as ended:
                mail(url, key)
        return ended.value.exit_code

    return await asyncio.to_thread(push)
