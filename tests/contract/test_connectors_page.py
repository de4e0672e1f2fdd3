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
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2

from config.settings import Settings
from schemas.envelope import Kind, read_kind
from schemas.inbound import Message
from tests.contract.switchboard import DEADLINE_S, running, switchboard

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "workers" / "local" / "sample.yaml"
CONNECTOR, CONSUMER = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(NODE,) = re.findall(r"```javascript\n(.*?)```", PAGE, re.DOTALL)
KEY = "messenger:104857600012345:7482910385512345"


def _here(program: str, settings: Settings) -> str:
    """The program for this test's Kafka: other addresses and names, nothing else."""
    kafka = settings.kafka
    program = program.replace("127.0.0.1:9092", kafka.bootstrap_servers)
    program = program.replace("my-crm", f"crm-{uuid4().hex}")
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


@pytest.mark.parametrize("program", [CONNECTOR, CONSUMER])
def test_the_programs_are_short(program: str) -> None:
    assert len([line for line in program.splitlines() if line.strip()]) <= 20


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
