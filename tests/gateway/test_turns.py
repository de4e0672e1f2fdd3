"""Nobody's reads, or questions of what would be, take what others read by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from workers.gateway.foresight import Foresight
from workers.gateway.identity import Identity
from workers.gateway.leave_routes import preview_leave
from workers.gateway.problem import ApiError
from workers.gateway.queries import turns as module
from workers.gateway.queries.turns import Turns

LAN, HA = Identity("shop", "agent", "lan", "lan"), Identity("shop", "agent", "ha", "ha")


class Under:
    """Things that are under way until they are let go; how many there were at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.go = asyncio.Event()

    async def one(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1


async def settled() -> None:
    """Everything has come as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_two_reads_of_one_actor_are_under_way_and_the_others_of_his_alone_wait() -> None:
    turns, lans, has = Turns(2), Under(), Under()

    async def read(actor: str, under: Under) -> None:
        async with turns.one(actor):
            await under.one()

    tasks = [asyncio.create_task(read("lan", lans)) for _ in range(5)]
    tasks.append(asyncio.create_task(read("ha", has)))
    await settled()
    assert (lans.now, has.now, len(turns)) == (2, 1, 2)
    lans.go.set()
    has.go.set()
    await asyncio.gather(*tasks)
    assert (lans.most, len(turns)) == (2, 0)


async def test_who_waits_too_long_for_his_own_reads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.01)
    turns = Turns(1)
    async with turns.one("lan"):
        with pytest.raises(ApiError) as refused:
            async with turns.one("lan"):
                pass
        assert (refused.value.status, refused.value.code) == (429, "rate_limited")
    assert len(turns) == 0


async def test_what_would_be_is_asked_without_a_connection_until_it_is_one_s_turn() -> None:
    """One is thought through, one waits, the next is told to come again: reading goes on beside them."""
    foresight, connections = Foresight(), Under()

    @asynccontextmanager
    async def view(_: Identity) -> AsyncIterator[Any]:
        await connections.one()
        yield SimpleNamespace(roster=SimpleNamespace(desk_of={}))

    gateway = SimpleNamespace(foresight=foresight, queries=SimpleNamespace(view=view))
    request: Any = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(gateway=gateway)))
    asked = [asyncio.create_task(preview_leave(request, "lan", one)) for one in (LAN, LAN, HA)]
    asked += [
        asyncio.create_task(preview_leave(request, "lan", Identity("shop", "agent", f"a{number}", "a")))
        for number in range(20)
    ]
    await settled()
    assert connections.now == 1
    connections.go.set()
    found = [one.code for one in await asyncio.gather(*asked, return_exceptions=True)]  # type: ignore[union-attr]
    assert found == ["unknown_agent", "rate_limited", "unknown_agent", *["busy"] * 20]
    assert connections.most == 1
