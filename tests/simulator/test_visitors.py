"""Invented visitors of a website say everything until it is taken, and notice what they are shown wrong."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import jwt
import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.idle_time import in_idle_time
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.visitors import visitors as module
from workers.local.simulator.visitors.habits import Habits
from workers.local.simulator.visitors.tab import Place
from workers.local.simulator.visitors.visitors import Visitors

ORIGIN = "https://shop.example"
SECRET = "k" * 32
HABITS = Habits(new=0.3, picture=0, lost=0.2, leaves=0.3)
MESSAGES = 60
LOST = 2
"""A position."""


class Ingress:
    """Tells visitors of their transcripts as the website's ingress does, or with a fault."""

    def __init__(self, *, loses: bool = False, doubles: bool = False) -> None:
        self._loses = loses
        self._times = 2 if doubles else 1
        self.transcripts: list[dict[str, int]] = []
        """Positions by ids; of each visitor."""
        self.enough = asyncio.Event()

    async def talk(self, socket: ServerConnection) -> None:
        """Answer one socket until it ends."""
        assert socket.request is not None
        assert socket.request.headers["origin"] == ORIGIN
        start = orjson.loads(await socket.recv())
        if start["token"] is None:
            self.transcripts.append({})
        number = self._number(start["token"]) if start["token"] else len(self.transcripts) - 1
        own, after = self.transcripts[number], start.get("after", 0)
        token = jwt.encode({"sub": f"a.{number}"}, SECRET, algorithm="HS256")
        lines = [{"position": each} for each in own.values() if each > after]
        rest = {"quick_replies": ["Giá?"], "file_bytes_max": None}
        await _tell(socket, "started", token=token, messages=[] if after else lines, **rest)
        if after:
            await self._show(socket, lines)
        async for text in socket:
            await self._answer(socket, own, orjson.loads(text))

    async def _answer(self, socket: ServerConnection, own: dict[str, int], said: dict[str, Any]) -> None:
        if said["do"] not in {"say", "press"}:
            return
        is_new = said["id"] not in own
        position = own.setdefault(said["id"], len(own) + 1)
        await _tell(socket, "taken", id=said["id"])
        if is_new:
            await self._show(socket, [{"position": position}] * self._times)
        if sum(map(len, self.transcripts)) >= MESSAGES:
            self.enough.set()

    async def _show(self, socket: ServerConnection, lines: list[dict[str, int]]) -> None:
        shown = [line for line in lines if not (self._loses and line["position"] == LOST)]
        await _tell(socket, "messages", messages=shown)

    def _number(self, token: str) -> int:
        return int(jwt.decode(token, SECRET, algorithms=["HS256"])["sub"].removeprefix("a."))


async def _tell(socket: ServerConnection, event: str, **words: object) -> None:
    await socket.send(orjson.dumps({"event": event, **words}).decode())


async def played(ingress: Ingress) -> tuple[Ledger, Visitors]:
    """What visitors have been through once they have said enough."""
    async with serve(ingress.talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        place, ledger = Place(f"http://127.0.0.1:{port}", "shop", ORIGIN, [("/", "Shop")]), Ledger()
        async with aclosing(Visitors(place, ledger, rate_per_s=500, run="one", habits=HABITS)) as visitors:
            running = asyncio.create_task(visitors.run())
            await asyncio.wait_for(ingress.enough.wait(), 90)
            visitors.stop()
            await running
            await visitors.compare()
        return ledger, visitors


@in_idle_time
async def test_visitors_come_write_leave_and_return_and_say_everything_until_it_is_taken() -> None:
    ingress = Ingress()
    ledger, visitors = await played(ingress)
    said = {f"a.{n}/{id_}" for n, own in enumerate(ingress.transcripts) for id_ in own}
    assert {sent.id for sent in ledger.accepted["web:shop"]} == said
    assert ledger.count_accepted() == ledger.count_posted() == len(said) >= MESSAGES
    assert visitors.ledger.came == len(ingress.transcripts) == len(visitors.ledger.conversations)
    assert min(visitors.ledger.returned, visitors.ledger.cut) > 0
    assert (visitors.ledger.misshown, visitors.ledger.online, ledger.given_up) == (0, 0, 0)


@in_idle_time
async def test_what_visitors_are_shown_wrong_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPARE_DEADLINE_S", 0.3)
    _, doubled = await played(Ingress(doubles=True))
    assert doubled.ledger.misshown > 0
    losing = Ingress(loses=True)
    _, lost = await played(losing)
    assert lost.ledger.misshown == sum(len(own) >= LOST for own in losing.transcripts) > 0
