"""The senders of all channels that have one: a new one is a line here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx

from config.delivery import DeliverySettings
from config.settings import Settings
from schemas.base import Channel
from workers.channels.delivery.fchat_sender import FchatSender
from workers.channels.delivery.messenger_sender import MessengerSender
from workers.channels.delivery.posting import open_client
from workers.channels.delivery.sender import Sender
from workers.channels.delivery.zalo_sender import ZaloSender
from workers.files.file import File

_ALL = (MessengerSender, ZaloSender, FchatSender)
_OF_CHANNEL: Mapping[Channel, type[MessengerSender | ZaloSender | FchatSender]] = {
    each.channel: each for each in _ALL
}
_TEXT_MAX: dict[Channel, int] = {each.channel: each.text_max for each in _ALL}
TEXT_MAX_OF_OTHERS = 2_000
TAKING_LITTLE: frozenset[Channel] = frozenset({"zalo"})
"""Agents' pictures for these have smaller copies."""

Senders = dict[Channel, Sender]


@asynccontextmanager
async def open_clients(settings: DeliverySettings) -> AsyncIterator[dict[Channel, httpx.AsyncClient]]:
    """A client for each channel: one that does not answer takes no connections from the others."""
    async with AsyncExitStack() as stack:
        yield {each.channel: await stack.enter_async_context(open_client(settings)) for each in _ALL}


def open_senders(clients: Mapping[Channel, httpx.AsyncClient], settings: Settings) -> Senders:
    """Every channel's sender, over its client."""
    delivery = settings.delivery
    return {
        "messenger": MessengerSender(clients["messenger"], delivery, settings.ingress.messenger_apps),
        "zalo": ZaloSender(clients["zalo"], delivery),
        "fchat": FchatSender(clients["fchat"], delivery),
    }


def untaken(channel: Channel, file: File) -> str | None:
    """Which files the channel takes, for people, when this one of ours is none of them; none: it may go.

    Websites show everything, and what a connector takes only it knows.
    """
    sender = _OF_CHANNEL.get(channel)
    return None if sender is None or sender.takes(file) else sender.taken


def text_max(channel: Channel) -> int:
    """Characters that the channel takes at once."""
    return _TEXT_MAX.get(channel, TEXT_MAX_OF_OTHERS)
