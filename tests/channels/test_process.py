"""The ingress as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import ExitStack

import httpx
import orjson
import pytest
import uvicorn
import uvloop
from starlette.applications import Starlette

from config.errors import ConfigurationError
from config.settings import Settings
from tests.channels.conftest import Reader, until_ready, with_ingress
from tests.channels.webhooks import APPS, messenger, said
from workers.channels import publisher
from workers.channels.process import serve
from workers.channels.server import TAKEN_AT_ONCE, StoppableServer, listen
from workers.local.ports import free_port

pytestmark = pytest.mark.servers

START_DEADLINE_S = 90.0
STOP_DEADLINE_S = 90.0


async def test_sigterm_stops_it_in_order(
    kafka_settings: Settings, led_topics: dict[str, str], read: Reader
) -> None:
    del led_topics
    port = free_port()
    environment = {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": kafka_settings.kafka.bootstrap_servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": kafka_settings.kafka.topic_prefix,
        "TONGDAI_INGRESS_PORT": str(port),
        "TONGDAI_INGRESS_MESSENGER_APPS": orjson.dumps(APPS["messenger_apps"]).decode(),
        "TONGDAI_LOG_FORMAT": "json",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from workers.cli.main import run; run(['worker', 'ingress'])"),
        env=os.environ | environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        listening = await asyncio.wait_for(_line(process.stderr, "ingress_listening"), START_DEADLINE_S)
        async with httpx.AsyncClient(base_url=listening["url"]) as client:
            await until_ready(client)
            signed = messenger(said())
            answer = await client.post("/v1/webhooks/messenger", content=signed.body, headers=signed.headers)
            assert answer.status_code == 200
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), STOP_DEADLINE_S) == 0
        assert b"ingress_stopped" in await process.stderr.read()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert len(await read("inbound")) == 1


async def _line(stream: asyncio.StreamReader, event: str) -> dict[str, str]:
    """The first log line of this event."""
    while line := await stream.readline():
        fields: dict[str, str] = orjson.loads(line)
        if fields.get("event") == event:
            return fields
    raise AssertionError(f"the process ended without {event}")


async def test_a_lost_background_task_stops_the_process(
    kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(publisher, "start_producer", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        await asyncio.wait_for(serve(with_ingress(kafka_settings), stop=asyncio.Event()), STOP_DEADLINE_S)


async def test_a_cancellation_that_nobody_asked_for_stops_the_process(
    kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cancelled(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(publisher, "start_producer", cancelled)
    with pytest.raises(RuntimeError, match="cancelled by nobody of ours"):
        await asyncio.wait_for(serve(with_ingress(kafka_settings), stop=asyncio.Event()), STOP_DEADLINE_S)


async def test_an_address_in_use_is_said(kafka_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = with_ingress(kafka_settings, port=taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match=r"cannot listen .* TONGDAI_INGRESS_PORT"):
            await serve(settings)


def test_many_connections_are_taken_each_time_round_the_loop() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(_turns_until_taken(2 * TAKEN_AT_ONCE)) < TAKEN_AT_ONCE


async def _turns_until_taken(count: int) -> int:
    """How often the loop goes round before a server has so many connections that came at once."""
    config = uvicorn.Config(Starlette(), lifespan="off", log_config=None)
    listener, stop = listen("ingress", "127.0.0.1", 0), asyncio.Event()
    server = StoppableServer(config, stop)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(START_DEADLINE_S):
        while not server.started:
            await asyncio.sleep(0)
    turns = 0
    with ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        async with asyncio.timeout(START_DEADLINE_S):
            while len(server.server_state.connections) < count:
                await asyncio.sleep(0)
                turns += 1
    stop.set()
    await task
    return turns
