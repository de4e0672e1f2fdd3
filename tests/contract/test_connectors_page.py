"""docs/connectors.md: its programs run as they stand there, against a real Kafka and real workers."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2

from config.settings import Settings
from schemas.commands import Configure
from schemas.definitions import Agent, Page, Rule
from schemas.envelope import Kind, read_kind
from schemas.ids import conversation_id
from schemas.inbound import Message
from tests.contract.switchboard import DEADLINE_S, running, switchboard
from tests.gateway.ground import SHOP, gateway, publish, shop, sign_in
from tests.waiting import until
from workers.channels.delivery.handler import DeliveryHandler
from workers.channels.topic_reader import open_reader
from workers.cli import connector_answers
from workers.conformance.carrying import check_carrying

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "workers" / "local" / "sample.yaml"
CONNECTOR, CARRIER, CONSUMER = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(NODE,) = re.findall(r"```javascript\n(.*?)```", PAGE, re.DOTALL)
KEY = "messenger:104857600012345:7482910385512345"
TELEGRAM = "telegram:hoasen_bot"


def _here(program: str, settings: Settings) -> str:
    """The program for this test's Kafka: other addresses and names, nothing else."""
    kafka = settings.kafka
    program = program.replace("127.0.0.1:9092", kafka.bootstrap_servers)
    program = re.sub(r"my-(crm|telegram)", f"mine-{uuid4().hex}", program)
    return re.sub(r"tongdai\.(\w+)\.v1\"", rf'{kafka.topic_prefix}.\1.v1"', program)


async def _assigned(process: Process) -> list[str]:
    """The lines that a consumer prints, up to the first assignment."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        while not lines or ".assigned." not in lines[-1]:
            line = (await process.stdout.readline()).decode()
            assert line, "the consumer ended"
            lines.append(line.strip())
    return lines


@pytest.mark.parametrize(("program", "lines"), [(CONNECTOR, 20), (CARRIER, 40), (CONSUMER, 20)])
def test_the_programs_are_short(program: str, lines: int) -> None:
    assert len([line for line in program.splitlines() if line.strip()]) <= lines


@pytest.mark.servers
async def test_the_connector_publishes_what_the_contract_says(
    kafka_settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    command = [sys.executable, "-W", "error", "-c", _here(CONNECTOR, kafka_settings)]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    consumer = AIOKafkaConsumer(
        topics["inbound"], **kafka_settings.kafka.client_options(), auto_offset_reset="earliest"
    )
    async with consumer, asyncio.timeout(DEADLINE_S):
        record = await consumer.getone()
    assert read_kind(record.headers, "inbound") == Kind("inbound", "message")
    assert record.value is not None
    message = Message.model_validate_json(record.value)
    assert record.key == message.key.encode() == KEY.encode()
    partitions = kafka_settings.kafka.conversation_partitions
    assert record.partition == (murmur2(KEY.encode()) & 0x7FFFFFFF) % partitions


@pytest.mark.servers
async def test_a_message_of_the_connector_comes_to_the_consumer_as_an_assignment(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    environment = dict(os.environ)
    connector, consumer = _here(CONNECTOR, settings), _here(CONSUMER, settings)
    async with switchboard(settings, tmp_path, SAMPLE):
        async with running(sys.executable, "-c", connector, folder=tmp_path, environment=environment) as sent:
            assert await asyncio.wait_for(sent.wait(), DEADLINE_S) == 0
        async with running(
            sys.executable, "-c", consumer, folder=tmp_path, environment=environment, output=PIPE
        ) as following:
            assert await _assigned(following) == [
                f"tongdai.assignments.session_opened.v1 {KEY} 1 idle None",
                f"tongdai.assignments.assigned.v1 {KEY} 2 held lan",
            ]


def _telegram() -> Configure:
    """A shop on a channel that nobody here knows."""
    page = Page(id=TELEGRAM, name="Hoa Sen", admins=("lan",))
    rule = Rule(id="all", name="all", owner="lan", channels=("telegram",), agents=("lan",))
    lan = Agent(id="lan", name="Lan", channel_capacity={"telegram": 5})
    who = {"actor": f"cli:{uuid4()}", "idempotency_key": str(uuid4())}
    return Configure(
        workspace=SHOP, desk="main", agents=(lan,), departments=(), pages=(page,), rules=(rule,), **who
    )


@pytest.mark.servers
async def test_a_channel_of_ones_own_is_answered_and_its_connector_tells_how_answers_fare(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    key, user = f"{TELEGRAM}:7482910385512345", "7482910385512345"
    connector = _here(CONNECTOR, settings).replace(
        '"messenger", "104857600012345"', '"telegram", "hoasen_bot"'
    )
    place = f"conversations/{conversation_id(key)}/messages"
    programs: dict[str, Any] = {"folder": tmp_path, "environment": dict(os.environ)}
    delivery = DeliveryHandler(settings.delivery, settings.mail, settings.phone)
    stands = "SELECT FROM delivery WHERE message_id = $1 AND state = $2"

    async def tell(message: str, *states: str, **fields: str) -> None:
        value = {"channel": "telegram", "account": "hoasen_bot", "user": user, "message": message}
        told = [(Kind("receipts", "carried"), key, {**value, "state": state, **fields}) for state in states]
        await publish(settings, topics["receipts"], told)

    async with (
        shop(settings, _telegram(), [delivery]) as database,
        gateway(settings) as http,
        running(sys.executable, "-c", _here(CARRIER, settings), **programs, output=PIPE) as carrying,
    ):
        lan = await sign_in(http, "lan")
        async with running(sys.executable, "-c", connector, **programs) as sent:
            assert await asyncio.wait_for(sent.wait(), DEADLINE_S) == 0
        await until(database, "SELECT FROM conversation WHERE key = $1 AND holder = 'lan'", key)
        said = await lan.ask(place, {"text": "Dạ còn ạ", "reply_to": 1})
        assert said.status_code == httpx.codes.OK, said.text
        message = said.json()["result"]["message"]
        assert carrying.stdout is not None
        line = await asyncio.wait_for(carrying.stdout.readline(), DEADLINE_S)
        assert line.decode() == f"{user}: Dạ còn ạ\n"
        await until(database, stands, UUID(message), "sent")
        await tell(str(uuid4()), "sent")
        await tell(message, "sent", "delivered", "read", "read", "delivered")
        await tell(message, "read", workspace="other")
        await until(database, stands, UUID(message), "read")
        lines = (await lan.get(place)).json()["lines"]
        assert [each["delivery"]["state"] for each in lines if each["delivery"]] == ["read"]
        async with open_reader(settings, connector_answers.topics(settings)) as out:
            found = await connector_answers.gather(out, await out.begins(), TELEGRAM, 100, DEADLINE_S)
        assert found is not None
        assert [each.message for each in found.asked] == [message]
        assert {each.state for each in check_carrying(found)} == {"passed"}
        refused = AIOKafkaConsumer(
            topics["deadletter"], **settings.kafka.client_options(), auto_offset_reset="earliest"
        )
        async with refused, asyncio.timeout(DEADLINE_S):
            letters = [dict((await refused.getone()).headers)["deadletter_reason"] for _ in range(2)]
        assert sorted(letters) == [b"unknown_message", b"wrong_workspace"]


def _node_modules() -> str | None:
    """The folder of Node's packages in which kafkajs is, when Node and kafkajs are there at all."""
    folder = os.environ.get("NODE_PATH", "")
    return folder if shutil.which("node") and folder and (Path(folder) / "kafkajs").is_dir() else None


@pytest.mark.servers
@pytest.mark.skipif(_node_modules() is None, reason="needs node, and NODE_PATH with kafkajs")
async def test_a_connector_in_node_sees_its_assignment(
    settings: Settings, topics: dict[str, str], tmp_path: Path
) -> None:
    del topics
    program = tmp_path / "connector.js"
    program.write_text(_here(NODE, settings), encoding="utf-8")
    async with (
        switchboard(settings, tmp_path, SAMPLE),
        running("node", str(program), folder=tmp_path, environment=os.environ, output=PIPE) as node,
    ):
        assert (await _assigned(node))[-1] == f"tongdai.assignments.assigned.v1 {KEY} 2 held lan"
