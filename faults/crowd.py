"""The agents of a run: they work through several gateways, and settle in the end what stayed open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from faults.book import Book
from faults.town import AGENTS, COMPANY, PASSWORD, WORKSPACE
from workers.gateway.positions import decode
from workers.local.simulator.agents.account import Account
from workers.local.simulator.agents.act import Act, Answer
from workers.local.simulator.agents.doors import Doors
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.ledger import Attempt
from workers.local.simulator.agents.link import LinkLostError, open_link
from workers.local.simulator.agents.staff import Staff

HABITS = Habits(pause_s=0.4, patience_s=4.0, shift_s=20.0, home_s=3.0, lost=0.03, again=0.05, claim=0.7)
"""Busy people with bad networks: when a gateway says nothing they soon go to another."""
BEGIN_S, FINISH_S, LOOK_S = 120.0, 150.0, 30.0
AGAIN_S = 0.2


class Crowd:
    """Everybody who works in the town.

    Args:
        urls: of the gateways.
        folder: for the history of what they do.
        seed: of what they do.
    """

    def __init__(self, urls: Sequence[str], folder: Path, seed: int) -> None:
        self.book = Book(folder / "agents.jsonl")
        self.remarks: list[str] = []
        self._staff = Staff(
            urls,
            WORKSPACE,
            AGENTS,
            PASSWORD,
            COMPANY,
            self.remarks.append,
            seed=seed,
            run=str(seed),
            habits=HABITS,
            ledger=self.book,
        )
        self._working: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Have them come; returns when all are there."""
        self._working = asyncio.create_task(self._staff.run())
        begun = asyncio.create_task(self._staff.begun.wait())
        await asyncio.wait((begun, self._working), timeout=BEGIN_S, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done() or self.remarks:
            raise TimeoutError(f"not all agents have come: {self.remarks}")

    async def finish(self) -> None:
        """Let them finish what is under way and go."""
        assert self._working is not None
        self._staff.stop()
        await asyncio.wait_for(self._working, FINISH_S)


async def settle(urls: Sequence[str], agents: Sequence[str], book: Book, ends: Sequence[int]) -> None:
    """Each asks what became of what he was never told, and sees what came while he was away.

    That is all that stands before `ends`, one offset for each partition of notifications. Raises
    TimeoutError.
    """
    async with asyncio.timeout(FINISH_S), httpx.AsyncClient(timeout=LOOK_S, trust_env=False) as http:
        accounts = [Account(http, Doors(urls), WORKSPACE, agent, PASSWORD) for agent in agents]
        await asyncio.gather(*(_settle(account, book, ends) for account in accounts))
    book.close()


async def _settle(account: Account, book: Book, ends: Sequence[int]) -> None:
    for attempt in book.unsettled():
        if attempt.actor == account.actor:
            await _look_up(account, book, attempt.key)
    await see_all(account, book, ends)


async def _look_up(account: Account, book: Book, key: str) -> None:
    attempt = Attempt(account.actor, key, Act("outcome", "", {}), account.doors.url)
    book.asks(attempt)
    answer: Answer | None = None
    with suppress(httpx.TransportError):
        answer = await account.outcome(key)
    book.hears(attempt, answer)


async def see_all(account: Account, book: Book, ends: Sequence[int]) -> None:
    """Come back until everything before `ends` was seen: a gateway may be behind. Raises TimeoutError."""
    async with asyncio.timeout(LOOK_S):
        while True:
            with suppress(
                OSError, WebSocketException, LinkLostError
            ):  # a gateway that has only just come back
                if await _look(account, book, ends):
                    return
            await asyncio.sleep(AGAIN_S)


async def _look(account: Account, book: Book, ends: Sequence[int]) -> bool:
    """Be connected until the gateway has told all that it knows; whether that is all before `ends`."""
    stands: asyncio.Future[Sequence[int]] = asyncio.get_running_loop().create_future()

    def hear(event: str, id_: str, data: Mapping[str, Any]) -> None:
        book.sees(account.actor, event, id_, data)
        if event in {"ready", "reset"} and not stands.done():
            stands.set_result(decode(id_))

    async with open_link(account.doors.url) as link:
        await link.sign_in(await account.token(), book.last_event.get(account.actor))
        listening = asyncio.create_task(link.listen(hear))
        await asyncio.wait((stands, listening), return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return stands.done() and all(at >= end for at, end in zip(stands.result(), ends, strict=True))
