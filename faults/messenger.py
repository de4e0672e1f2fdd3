"""Facebook's part in a run: it takes agents' answers, and tells the ingress what became of them.

It is strict and counts: what it was given is compared with what the tables say.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import orjson
from pydantic import SecretStr

from config.ingress import MessengerApp
from faults.outcome import outcome
from faults.town import PAGES
from schemas.ids import account_of, message_id_text
from workers.channels.delivery.connecting import Tokens, connect_page
from workers.channels.delivery.marker import read_marker
from workers.channels.delivery.vault import Vault
from workers.local.crew.beside import beside
from workers.local.ports import LOOPBACK, free_port
from workers.local.simulator.delivery import Delivery
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.messenger_platform import MessengerPlatform
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.webhook import Webhook

GONE_EACH = 13
"""One in so many customers has deleted his account: nobody can answer him any more."""
ANSWER_S = 5.0
AGAIN_S = (0.5,) * 600
"""Messenger posts again for hours what was not taken; here it is minutes."""
SETTLED_S, LOOK_S = 90.0, 0.5
_ANSWERS = """
SELECT m.message_id, d.state, coalesce(d.open, true) AS open, d.reason FROM message m
LEFT JOIN delivery d ON d.workspace_id = m.workspace_id AND d.message_id = m.message_id
WHERE m.sender = 'agent' AND m.kind = 'text' AND m.channel_message_id IS NULL AND m.conversation_id IN (
    SELECT conversation_id FROM conversation WHERE page_id = ANY($1::text[]))
"""
_ARRIVED = ("sent", "delivered", "read")


class Customers(dict[str, float]):
    """All have just written, but for those who are gone."""

    def get(self, user: object, _: object = None) -> Any:  # noqa: ANN401 - as dict has it
        """When this one wrote, in seconds; none when he has an account no more."""
        return None if is_gone(str(user)) else time.time()


def is_gone(user: str) -> bool:
    """By the number behind the `u` of those of the stream."""
    return user[1:].isdecimal() and int(user[1:]) % GONE_EACH == 0


class Messenger:
    """The town's pages on Messenger. `accounts` are by page."""

    def __init__(self) -> None:
        self._ingress_port = free_port()
        self.accounts = {
            page: Account(account_of(page), secrets.token_urlsafe(24), 10_000, heard_at_s=Customers())
            for page in PAGES
            if page.startswith("messenger:")
        }
        self._port = free_port()
        self._key = secrets.token_urlsafe(48)
        self._app = MessengerApp(app_secret=SecretStr("of the town"), verify_token=SecretStr("of the town"))
        self._ledger = Ledger()
        self._teller = Teller(self._post)
        self._posting: Delivery | None = None

    @property
    def asked(self) -> int:
        """How often something was asked of it."""
        return sum(account.calls for account in self.accounts.values())

    @property
    def answered(self) -> int:
        """How often the ingress answered, or did not."""
        return self._ledger.answers.total()

    def environment(self) -> dict[str, str]:
        """What the workers that speak with it are told."""
        app = {"app_secret": "of the town", "verify_token": "of the town"}
        return {
            "TONGDAI_INGRESS_PORT": str(self._ingress_port),
            "TONGDAI_INGRESS_MESSENGER_APPS": orjson.dumps([app]).decode(),
            "TONGDAI_DELIVERY_KEYS": self._key,
            "TONGDAI_DELIVERY_MESSENGER_URL": f"http://{LOOPBACK}:{self._port}/v26.0",
            "TONGDAI_DELIVERY_ECHO_WAIT_S": "3",
            "TONGDAI_DELIVERY_RETRY_FIRST_S": "0.2",
            "TONGDAI_DELIVERY_RETRY_LAST_S": "2",
        }

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Be there."""
        ingress = f"http://{LOOPBACK}:{self._ingress_port}"
        platform = MessengerPlatform(self._app, list(self.accounts.values()), self._teller)
        async with (
            httpx.AsyncClient(base_url=ingress, trust_env=False) as http,
            serving(platform.asgi, self._port),
        ):
            self._posting = Delivery(http, self._ledger, 1, AGAIN_S)
            async with beside(self._teller.run()):
                yield

    async def connect(self, connection: asyncpg.Connection) -> None:
        """Give the pages their tokens."""
        for page, account in self.accounts.items():
            await connect_page(connection, Vault([self._key]), page, Tokens(account.token))

    async def settled(self, connection: asyncpg.Connection) -> None:
        """Wait until it is known how all answers stand, and the ingress was told. Raises TimeoutError."""
        async with asyncio.timeout(SETTLED_S):
            while any(row["open"] for row in await self._answers(connection)):
                await asyncio.sleep(LOOK_S)
            await self._teller.told()

    def echoes(self) -> list[tuple[str, str]]:
        """Key and id of the records that the ingress may have made of what was said."""
        return [
            (f"{page}:{said.user}", message_id_text(page, said.id))
            for page, account in self.accounts.items()
            for said in account.said
        ]

    async def check(self, connection: asyncpg.Connection) -> dict[str, Any]:
        """What must hold of the answers, as the checker says it."""
        return self.once(await self._answers(connection))

    def once(self, rows: Sequence[asyncpg.Record]) -> dict[str, Any]:
        """Whether each answer, of these rows, was given once, or is known not to have been."""
        given: Counter[str] = Counter()
        for account in self.accounts.values():
            for said in account.said:
                marked = read_marker(said.marker)
                given[str(marked.message) if marked else "unmarked"] += 1
        wrong = []
        for row in rows:
            times = given.pop(str(row["message_id"]), 0)
            may = (1,) if row["state"] in _ARRIVED else (0, 1) if row["state"] == "unknown" else (0,)
            if row["open"] or times not in may:
                wrong.append(f"{row['message_id']}: {row['state']} ({row['reason']}), given {times} times")
        wrong += [f"{message}: nobody said it, given {times} times" for message, times in given.items()]
        states = Counter(str(row["state"]) for row in rows)
        title = "each answer is once on its platform, or known not to be"
        return outcome(1, title, len(rows), wrong, states=dict(states))

    async def _answers(self, connection: asyncpg.Connection) -> list[asyncpg.Record]:
        """What agents have said on these pages, and how it stands."""
        rows: list[asyncpg.Record] = await connection.fetch(_ANSWERS, list(self.accounts))
        return rows

    async def _post(self, webhook: Webhook) -> bool:
        assert self._posting is not None
        return await self._posting.deliver(webhook, ANSWER_S)
