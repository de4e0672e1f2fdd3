"""Each channel's sender before its platform, played as strictly as its documents: no server, no database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import httpx
from starlette.applications import Starlette

from config.settings import Settings
from schemas.base import OUR_CHANNELS, Channel
from tests.channels.webhooks import APPS
from workers.channels.delivery.parts import Part, is_too_long, parts_of
from workers.channels.delivery.result import Result, Taken
from workers.channels.delivery.sender import Call, Enclosed, Sender
from workers.channels.delivery.senders import open_senders
from workers.local.simulator.platform.account import Account, Said
from workers.local.simulator.platform.fchat_platform import FchatPlatform
from workers.local.simulator.platform.messenger_platform import MessengerPlatform
from workers.local.simulator.platform.teller import Teller
from workers.local.simulator.platform.zalo_platform import ZaloPlatform

USER, TOKEN = "an", "token"
MESSAGE = UUID(int=7)
NO_FILES: Mapping[int, Enclosed] = {}


class Given(NamedTuple):
    """What became of a message: its parts as the platform has them, or why the next was not taken."""

    said: tuple[Said, ...]
    stopped: Result | str | None = None
    """A result of the platform's; a reason of ours, by which no call was made; none: all is sent."""


class Played:
    """One channel, its page and its sender."""

    def __init__(
        self, channel: Channel, settings: Settings, client: httpx.AsyncClient, account: Account
    ) -> None:
        self.channel = channel
        self.account = account
        self.settings = settings.delivery
        self.sender: Sender = open_senders(dict.fromkeys(OUR_CHANNELS, client), settings)[channel]

    async def give(
        self,
        content: Mapping[str, Any],
        enclosed: Mapping[int, Enclosed] = NO_FILES,
        *,
        splits: bool = True,
        **terms: Any,  # noqa: ANN401 - of Call
    ) -> Given:
        """Give a message to the platform, part by part, as a courier does; `enclosed`: its files, by part."""
        before = len(self.account.said)
        if not splits and is_too_long(content, self.sender.text_max):
            return Given((), "too_long")
        for part in parts_of(content, self.sender.text_max):
            stopped = await self._give(part, enclosed.get(part.number), terms)
            if stopped is not None:
                return Given(tuple(self.account.said[before:]), stopped)
        return Given(tuple(self.account.said[before:]))

    async def fails(self, fault: dict[str, Any] | str) -> Result:
        """The platform has an error, or is lost on the way."""
        self.account.faults.append(fault)  # type: ignore[arg-type]
        return await self.send(Part(0, "Dạ"))

    async def send(self, part: Part, token: str = TOKEN, **terms: Any) -> Result:  # noqa: ANN401 - of Call
        """One call."""
        return await self.sender.send(Call(self.account.id, token, None, USER, MESSAGE, part, **terms))

    async def _give(
        self, part: Part, enclosed: Enclosed | None, terms: dict[str, Any]
    ) -> Result | str | None:
        if part.attachment is not None:
            enclosed = enclosed or Enclosed(part.attachment)
            refusal = self.sender.refusal(enclosed)
            if refusal is not None:
                return refusal
        result = await self.send(part, enclosed=enclosed, **terms)
        return None if isinstance(result, Taken) else result


@asynccontextmanager
async def playing(
    channel: Channel, silent_s: float = 5.0, *, timeout_s: float = 30.0
) -> AsyncIterator[Played]:
    """The channel, where the customer wrote so long ago; its answers are waited for that long."""
    urls = {"messenger_url": "http://facebook/v26.0", "zalo_url": "http://zalo", "fchat_url": "http://fchat"}
    delivery = {**urls, "request_timeout_s": timeout_s}
    settings = Settings.model_validate({"ingress": APPS, "delivery": delivery})
    account = Account("100", TOKEN, rate_per_s=1_000)
    account.heard(USER, silent_s)
    transport = httpx.ASGITransport(_platform(channel, settings, account))
    async with httpx.AsyncClient(transport=transport) as client:
        yield Played(channel, settings, client, account)


def _platform(channel: Channel, settings: Settings, account: Account) -> Starlette:
    match channel:
        case "messenger":
            app = settings.ingress.messenger_apps[0]
            return MessengerPlatform(app, [account], Teller(None), human_agent=True).asgi
        case "zalo":
            return ZaloPlatform(settings.ingress.zalo_apps[0], [account], Teller(None)).asgi
    return FchatPlatform([account]).asgi
