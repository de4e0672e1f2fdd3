"""One agent whom a test leads: he stays connected whatever dies, and does what he is told to do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from faults.book import Book
from faults.town import PASSWORD, WORKSPACE
from workers.local.simulator.agents.account import Account
from workers.local.simulator.agents.act import Act, Answer
from workers.local.simulator.agents.doors import Doors
from workers.local.simulator.agents.errand import Errands
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.link import LinkLostError, open_link

HABITS = Habits(patience_s=4.0, again=0.3)
RECONNECT_S = 0.2
OUTCOME_S = 150.0


class Player:
    """Connected as long as `playing` lasts; what he does and sees is in the book."""

    def __init__(self, http: httpx.AsyncClient, urls: Sequence[str], agent: str, book: Book) -> None:
        self.agent = agent
        self.connections = 0
        self._book = book
        self._account = Account(http, Doors(urls), WORKSPACE, agent, PASSWORD)
        self._errands = Errands(self._account, book, HABITS, Random(agent), f"flow-{agent}")
        self._seen: defaultdict[tuple[str, str], asyncio.Event] = defaultdict(asyncio.Event)

    async def ask(self, call: str, conversation: str, **body: object) -> Answer:
        """Do something until its outcome is known."""
        async with asyncio.timeout(OUTCOME_S):
            answer = await self._errands.run(Act(call, conversation, body))
        assert answer is not None, f"{self.agent} never learned what became of {call}"
        return answer

    async def until(self, event: str, conversation: str) -> None:
        """Wait until his socket has told him this."""
        async with asyncio.timeout(OUTCOME_S):
            await self._seen[event, conversation].wait()

    async def play(self) -> None:
        """Be connected until cancelled, through another gateway whenever one fails him."""
        while True:
            url = self._account.doors.url
            with suppress(OSError, TimeoutError, WebSocketException, LinkLostError):
                await self._be_connected(url)
            self._errands.link = None
            self._account.doors.leave(url)
            await asyncio.sleep(RECONNECT_S)

    async def _be_connected(self, url: str) -> None:
        token = await self._account.token()
        async with open_link(url) as link:
            await link.sign_in(token, self._book.last_event.get(self._account.actor))
            self._errands.link = link
            self.connections += 1
            await link.listen(self._hear)

    def _hear(self, event: str, id_: str, data: Mapping[str, Any]) -> None:
        self._book.sees(self._account.actor, event, id_, data)
        self._seen[event, str(data.get("conversation", ""))].set()


@asynccontextmanager
async def playing(urls: Sequence[str], agents: Sequence[str], book: Book) -> AsyncIterator[list[Player]]:
    """Agents who are connected, or soon will be."""
    async with httpx.AsyncClient(timeout=HABITS.patience_s, trust_env=False) as http:
        players = [Player(http, urls, agent, book) for agent in agents]
        tasks = [asyncio.create_task(player.play()) for player in players]
        try:
            yield players
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended  # nobody has gone before
