"""docs/front-end.md: its program runs as it stands there, from signing in to an answer that has arrived."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from config.settings import Settings
from schemas.commands import Configure
from schemas.definitions import Agent, Page, Rule
from schemas.envelope import Kind
from schemas.ids import conversation_key
from tests.contract.switchboard import DEADLINE_S, running
from tests.gateway.ground import PASSWORD, SHOP, gateway, publish, shop
from tests.waiting import until
from workers.channels.delivery.handler import DeliveryHandler
from workers.notifier.handler import NotifierHandler
from workers.runtime.handler import Handler

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "front-end.md").read_text(encoding="utf-8")
(PROGRAM,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(OFFERED,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
EXAMPLE = ROOT / "docs" / "contract" / "examples" / "notifications.offered.v1.json"
HERE = {"channel": "telegram", "account": "hoasen_bot", "user": "u1"}
KEY = conversation_key(*HERE.values())


def roster() -> Configure:
    """A page of a channel that its connector carries, and a rule by which lan may claim."""
    page = Page(id="telegram:hoasen_bot", name="Hoa Sen", admins=("ha",))
    rule = Rule(id="all", name="all", owner="ha", pages=(page.id,), agents=("lan",), method="self_claim")
    people = tuple(Agent(id=one, name=one) for one in ("lan", "ha"))
    who = {"actor": f"cli:{uuid4()}", "idempotency_key": str(uuid4())}
    return Configure(
        workspace=SHOP, desk="main", agents=people, departments=(), pages=(page,), rules=(rule,), **who
    )


def test_the_program_is_short_and_the_sample_is_the_contract_s() -> None:
    assert len([line for line in PROGRAM.splitlines() if line.strip()]) <= 40
    told = orjson.loads(OFFERED)
    assert told["event"] == "offered"
    assert told["data"] == orjson.loads(EXAMPLE.read_bytes())["value"]


@pytest.mark.servers
async def test_an_agent_claims_what_waits_answers_and_sees_the_answer_arrive(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    beside: list[Handler] = [
        NotifierHandler(),
        DeliveryHandler(settings.delivery, settings.mail, settings.phone),
    ]
    said = {**HERE, "channel_message_id": "m-1", "text": "Shop ơi, còn hàng không ạ?", "sent_at_ms": 1}
    async with shop(settings, roster(), beside) as database, gateway(settings) as http:
        program = PROGRAM.replace("http://127.0.0.1:8090", str(http.base_url).rstrip("/"))
        program = program.replace("lan@example.com", "lan").replace("hoa-sen", SHOP)
        command: dict[str, Any] = {"folder": tmp_path, "environment": {**os.environ, "PASSWORD": PASSWORD}}
        async with running(sys.executable, "-c", program, **command, output=PIPE) as client:
            await publish(settings, topics["inbound"], [(Kind("inbound", "message"), KEY, said)])
            await until(database, "SELECT FROM delivery WHERE state = 'queued'")
            message = str(await database.fetchval("SELECT message_id FROM delivery"))
            sent = {**HERE, "message": message, "state": "sent", "channel_message_id": "t-1"}
            await publish(settings, topics["receipts"], [(Kind("receipts", "carried"), KEY, sent)])
            out, _ = await asyncio.wait_for(client.communicate(), DEADLINE_S)
            assert client.returncode == 0, out.decode()
    lines = out.decode().splitlines()
    steps = ("ready", "claim: 200", "looking", "say: 200", "delivery")
    assert [line for line in dict.fromkeys(lines) if line in steps] == list(steps), lines
    assert lines[-1] == "delivery"
