"""The senders of all channels that have one: a new one is a line here."""

from __future__ import annotations

import httpx

from config.settings import Settings
from schemas.base import Channel
from workers.channels.delivery.fchat_sender import FchatSender
from workers.channels.delivery.messenger_sender import MessengerSender
from workers.channels.delivery.sender import Sender
from workers.channels.delivery.zalo_sender import ZaloSender

_ALL = (MessengerSender, ZaloSender, FchatSender)
_TEXT_MAX: dict[Channel, int] = {each.channel: each.text_max for each in _ALL}
TEXT_MAX_OF_OTHERS = 2_000
TAKING_LITTLE: frozenset[Channel] = frozenset({"zalo"})
"""Agents' pictures for these have smaller copies."""

Senders = dict[Channel, Sender]


def open_senders(client: httpx.AsyncClient, settings: Settings) -> Senders:
    """Every channel's sender, over one client."""
    delivery = settings.delivery
    return {
        "messenger": MessengerSender(client, delivery, settings.ingress.messenger_apps),
        "zalo": ZaloSender(client, delivery),
        "fchat": FchatSender(client, delivery),
    }


def text_max(channel: Channel) -> int:
    """Characters that the channel takes at once."""
    return _TEXT_MAX.get(channel, TEXT_MAX_OF_OTHERS)
