"""All agents of the simulated company, beside each other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx

from workers.local.simulator.agents.account import Account, KeptOutError
from workers.local.simulator.agents.agent import Agent
from workers.local.simulator.agents.choice import Company
from workers.local.simulator.agents.doors import Doors
from workers.local.simulator.agents.habits import Habits
from workers.local.simulator.agents.ledger import AgentLedger

CONNECTIONS_MAX = 64
TIMEOUT_S = 15.0


class Staff:
    """Plays agents through a gateway; `ledger` grows while it runs, `begun` is set once all have come.

    Args:
        urls: of the gateways, e.g. `http://127.0.0.1:8090`; who loses one comes through another.
        workspace: whose agents they are.
        agents: ids of those who are played; each has an account of that login.
        password: of all their accounts.
        company: what they know of each other.
        remark: takes what is to be said about them.
        seed: of what they do and when; with the same run and the same events they do the same.
        run: part of every idempotency key; by default the time.
        habits: how often they do what.
        ledger: takes what they are told; by default a new one.
    """

    def __init__(
        self,
        urls: Sequence[str],
        workspace: str,
        agents: Sequence[str],
        password: str,
        company: Company,
        remark: Callable[[str], None],
        *,
        seed: int = 1,
        run: str | None = None,
        habits: Habits | None = None,
        ledger: AgentLedger | None = None,
    ) -> None:
        self.ledger = ledger or AgentLedger()
        self.begun = asyncio.Event()
        self._urls = urls
        self._workspace = workspace
        self.agents = agents
        self._password = password
        self._company = company
        self._remark = remark
        self._seed = f"{seed}/{run or f'{time.time_ns():x}'}"
        self._habits = habits or Habits()
        self._stopping = asyncio.Event()
        self._coming = set(agents)

    def stop(self) -> None:
        """Let nobody begin anything any more; `run` returns once all know what became of what they did."""
        self._stopping.set()

    async def run(self) -> None:
        """Have them work until `stop`; who is kept out is told of and stays at home."""
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX)
        async with (
            httpx.AsyncClient(limits=limits, timeout=TIMEOUT_S, trust_env=False) as http,
            asyncio.TaskGroup() as group,
        ):
            for number, login in enumerate(self.agents):
                doors = Doors(self._urls, number)
                account = Account(http, doors, self._workspace, login, self._password)
                group.create_task(self._play(account))
            self._check_all_came()
            await self._stopping.wait()

    async def _play(self, account: Account) -> None:
        agent = Agent(account, self._company, self._habits, self.ledger, self._seed)
        try:
            await agent.run(self._stopping, lambda: self._came(account.login))
        except KeptOutError as error:
            self._remark(str(error))
            self._came(account.login)

    def _came(self, login: str) -> None:
        """He is here, or never will be."""
        self._coming.discard(login)
        self._check_all_came()

    def _check_all_came(self) -> None:
        if not self._coming:
            self.begun.set()
