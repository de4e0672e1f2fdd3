"""docs/webhooks.md: its receiver runs as it stands there, and knows what is ours from what is forged."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import httpx
import pytest

from config.settings import Settings
from tests.webhooks.ground import DEADLINE_S, add, publish, with_webhooks, working
from workers.local.ports import free_port
from workers.webhooks.selection import TOPICS

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
(RECEIVER,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_receiver_is_short() -> None:
    assert len([line for line in RECEIVER.splitlines() if line.strip()]) <= 20


def test_the_page_names_what_can_be_chosen() -> None:
    assert re.findall(r"^\| `([a-z]+)` \| ", PAGE, re.MULTILINE) == list(TOPICS)


@pytest.mark.servers
async def test_the_receiver_takes_what_is_ours_and_refuses_what_is_forged(
    settings: Settings, topics: dict[str, str]
) -> None:
    quick, port = with_webhooks(settings), free_port()
    url = f"http://127.0.0.1:{port}/hook"
    secret = await add(quick, "crm", url)
    await publish(quick, topics["assignments"], range(2))
    receiver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-c", RECEIVER.replace("8000", str(port))),
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert receiver.stdout is not None
    lines: list[str] = []
    try:
        async with working(quick), asyncio.timeout(DEADLINE_S):
            while len(lines) < 2:
                line = (await receiver.stdout.readline()).decode()
                assert line, "the receiver ended"
                lines += [line.strip()] if line.startswith("tongdai.") else []
        forged = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        async with httpx.AsyncClient() as client:
            assert (await client.post(url, content=b"{}", headers=forged)).status_code == 401
            assert (await client.post(url, content=b"{}")).status_code == 401
    finally:
        receiver.kill()
        await receiver.wait()
    assert lines == [
        f"tongdai.assignments.assigned.v1 {{'workspace': 'shop', 'n': {number}}}" for number in (0, 1)
    ]
