"""At the end of a run everybody sees everything that he was told, however far behind his gateway is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection, serve

from faults.book import Book
from faults.crowd import see_all
from workers.gateway.positions import encode

ACTOR = "agent:town/agent-01"
Pushes = Sequence[tuple[str, Sequence[int], dict[str, str]]]
"""Event, position and data of each."""


class Gateway:
    """Tells each who comes the next of `tellings`, and hangs up; keeps with which event he came back."""

    def __init__(self, *tellings: Pushes) -> None:
        self._tellings = iter(tellings)
        self.came_with: list[str | None] = []

    async def serve(self, socket: ServerConnection) -> None:
        self.came_with.append(orjson.loads(await socket.recv())["last_event_id"])
        for event, position, data in next(self._tellings):
            await socket.send(orjson.dumps({"event": event, "id": encode(position), "data": data}).decode())


async def seen_by(gateway: Gateway, ends: Sequence[int], folder: Path) -> list[Any]:
    """The notices in the agent's book, once he has seen everything before `ends`."""
    book = Book(folder / "agents.jsonl")
    async with serve(gateway.serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        await see_all(account(url), book, ends)
    book.close()
    lines = (folder / "agents.jsonl").read_bytes().splitlines()
    return [orjson.loads(line)["notice"] for line in lines]


def account(url: str) -> Any:  # noqa: ANN401 - what is asked of an Account, without signing in
    async def token() -> str:
        return "a token"

    return SimpleNamespace(actor=ACTOR, doors=SimpleNamespace(url=url), token=token)


async def test_who_comes_to_a_gateway_that_is_behind_comes_again_until_it_is_not(tmp_path: Path) -> None:
    gateway = Gateway(
        [("assigned", (4, 7), {"notice": "first"}), ("ready", (4, 7), {})],
        [("ready", (4, 8), {})],
        [("message", (5, 8), {"notice": "last"}), ("ready", (5, 8), {})],
    )
    assert await seen_by(gateway, (5, 8), tmp_path) == ["first", "last"]
    assert gateway.came_with == [None, encode((4, 7)), encode((4, 8))]


async def test_who_is_turned_away_comes_again(tmp_path: Path) -> None:
    gateway = Gateway([], [("message", (5, 8), {"notice": "last"}), ("ready", (5, 8), {})])
    assert await seen_by(gateway, (5, 8), tmp_path) == ["last"]
