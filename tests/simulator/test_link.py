"""An agent's socket hears what is numbered, passes over what is of the moment, and never waits for ever."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from workers.local.simulator.agents.act import Act
from workers.local.simulator.agents.link import MESSAGES_WAITING_MAX, LinkLostError, open_link

SAID: tuple[dict[str, object], ...] = (
    {"event": "ready", "id": "1", "data": {}},
    {"event": "looking", "data": {"conversation": "c", "agents": ["lan"]}},
    {"event": "token_ends", "data": {"at": "2026-11-22T08:00:00.000Z"}},
    {"event": "refused", "data": {"do": "look", "status": 429}},
    *[
        dict[str, object](event="message", id=str(number), data={})
        for number in range(2, 3 * MESSAGES_WAITING_MAX)
    ],
)


async def gateway(socket: ServerConnection) -> None:
    """Says all it has to say when somebody has signed in, and is gone with the first call."""
    await socket.recv()
    for one in SAID:
        await socket.send(orjson.dumps(one).decode())
    await socket.recv()


def url_of(server: Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"


async def test_what_has_no_number_is_passed_over_and_a_lost_call_is_told() -> None:
    heard: list[str] = []
    async with serve(gateway, "127.0.0.1", 0) as server, open_link(url_of(server)) as link:
        await link.sign_in("token")
        listening = link.listen(lambda _, id_, __: heard.append(id_))
        async with asyncio.TaskGroup() as beside:
            beside.create_task(listening)
            with pytest.raises(LinkLostError):
                await link.call(Act("claim", "c", {}), "k1", timeout_s=30)
    assert heard == [str(one["id"]) for one in SAID if "id" in one]
