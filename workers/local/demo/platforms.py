"""The platforms' other side: they take what the demo's agents answer, and tell what became of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from config.delivery import DeliverySettings
from config.problem import variable
from config.settings import Settings
from schemas.ids import account_of, channel_of
from workers.channels.delivery.connecting import Tokens, connect_page
from workers.channels.delivery.vault import open_vault
from workers.local.crew.beside import beside
from workers.local.demo.apps import APP
from workers.local.ports import LOOPBACK, free_port
from workers.local.simulator.customer import Customer
from workers.local.simulator.delivery import Delivery
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.platform.account import Account
from workers.local.simulator.platform.fchat_platform import FchatPlatform
from workers.local.simulator.platform.messenger_platform import MessengerPlatform
from workers.local.simulator.platform.past import Person
from workers.local.simulator.platform.serving import serving
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.platform.zalo_platform import ZaloPlatform
from workers.local.simulator.webhook import Webhook
from workers.runtime.postgres import connected

TELL_TIMEOUT_S = 5.0
SETTLE_POLL_S = 0.2
SETTLE_TIMEOUT_S = 30.0
WEBHOOKS_AT_ONCE = 8

OPEN = """
SELECT count(*) FROM message m
LEFT JOIN delivery d ON d.workspace_id = m.workspace_id AND d.message_id = m.message_id
WHERE m.sender = 'agent' AND m.kind IN ('text', 'attachment') AND m.channel_message_id IS NULL
    AND m.stored_at >= $1 AND (d.message_id IS NULL OR d.open)
"""
KNOWN = "SELECT state, ids FROM delivery WHERE changed_at >= $1"
APPS: dict[str, str | None] = {"messenger": APP, "zalo": APP, "fchat": None}
"""To which app a page is connected, by its channel."""
_ARRIVED = {"sent", "delivered", "read"}


class Fates(NamedTuple):
    """What became of the agents' answers."""

    delivered: int
    """Answers that their platform has, as delivery knows."""
    sent_twice: int
    """Messages that a platform has and delivery does not know: it has given them more than once."""


def invent_delivery(settings: Settings) -> DeliverySettings:
    """Settings of a delivery worker that speaks to this demo's platforms; its key is of this run alone."""
    facebook, zalo, fchat = (f"http://{LOOPBACK}:{free_port()}" for _ in range(3))
    own = {
        "keys": (SecretStr(secrets.token_urlsafe(48)),),
        "messenger_url": f"{facebook}/v26.0",
        "zalo_url": zalo,
        "zalo_oauth_url": zalo,
        "fchat_url": fchat,
    }
    return settings.delivery.model_copy(update=own)


def delivery_variables(delivery: DeliverySettings) -> dict[str, str]:
    """Return the environment variables of a delivery worker with these settings."""
    urls = ("messenger_url", "zalo_url", "zalo_oauth_url", "fchat_url")
    told = {name: getattr(delivery, name) for name in urls}
    told["keys"] = ",".join(key.get_secret_value() for key in delivery.keys)
    return {variable("delivery", name): value for name, value in told.items()}


class Platforms:
    """Facebook, Zalo and FChat, for the pages of the sample.

    Args:
        settings: of the demo, with its apps, its ingress and its delivery worker.
        pages: `channel:account` of each.
    """

    def __init__(self, settings: Settings, pages: Sequence[str]) -> None:
        self._settings = settings
        self._accounts = {
            page: Account(account_of(page), secrets.token_urlsafe(24), rate_per_s=300) for page in pages
        }

    def heard(self, customer: Customer) -> None:
        """A customer writes: from now on he may be answered for a while, and his platform says who he is."""
        account = self._accounts.get(customer.page)
        if account is not None:
            account.heard(customer.user)
            account.past.people[customer.user] = Person(customer.name)

    async def connect(self) -> None:
        """Give the pages their tokens. Raises DependencyDownError."""
        vault = open_vault(self._settings)
        async with connected(self._settings, "tongdai demo") as connection:
            for page, account in self._accounts.items():
                await connect_page(connection, vault, page, Tokens(account.token, app=APPS[channel_of(page)]))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Take messages and tell of them, for as long as the block lasts."""
        ingress, delivery = self._settings.ingress, self._settings.delivery
        async with httpx.AsyncClient(
            base_url=f"http://{ingress.host}:{ingress.port}", trust_env=False
        ) as client:
            poster = Delivery(client, Ledger(), WEBHOOKS_AT_ONCE)

            async def post(webhook: Webhook) -> bool:
                return await poster.deliver(webhook, TELL_TIMEOUT_S)

            tellers = Teller(post), Teller(post)
            facebook = MessengerPlatform(ingress.messenger_apps[0], self._of("messenger"), tellers[0])
            zalo = ZaloPlatform(ingress.zalo_apps[0], self._of("zalo"), tellers[1])
            fchat = FchatPlatform(self._of("fchat"))
            async with (
                serving(facebook.asgi, urlsplit(delivery.messenger_url).port or 0),
                serving(zalo.asgi, urlsplit(delivery.zalo_url).port or 0),
                serving(fchat.asgi, urlsplit(delivery.fchat_url).port or 0),
                beside(*(teller.run() for teller in tellers)),
            ):
                yield

    async def settled(self, since: datetime) -> Fates:
        """What became of the answers since then, once all are settled or the time for it is over."""
        async with connected(self._settings, "tongdai demo") as connection:
            for _ in range(int(SETTLE_TIMEOUT_S / SETTLE_POLL_S)):
                if await connection.fetchval(OPEN, since) == 0:
                    break
                await asyncio.sleep(SETTLE_POLL_S)
            rows = await connection.fetch(KNOWN, since)
        known = {id_ for row in rows for id_ in row["ids"]}
        # FChat tells nobody the ids of what it has taken.
        tell = [*self._of("messenger"), *self._of("zalo")]
        said = {each.id for account in tell for each in account.said}
        return Fates(sum(row["state"] in _ARRIVED for row in rows), len(said - known))

    def _of(self, channel: str) -> list[Account]:
        return [account for page, account in self._accounts.items() if channel_of(page) == channel]
