"""The readers of all channels that have one: a new one is a line here."""

from __future__ import annotations

import httpx

from config.settings import Settings
from schemas.base import Channel
from workers.channels.reading.messenger_reader import MessengerReader
from workers.channels.reading.reader import Reader
from workers.channels.reading.zalo_reader import ZaloReader

CHANNELS: tuple[Channel, ...] = (MessengerReader.channel, ZaloReader.channel)

Readers = dict[Channel, Reader]


def open_readers(client: httpx.AsyncClient, settings: Settings) -> Readers:
    """Every channel's reader, over one client."""
    return {
        "messenger": MessengerReader(client, settings.delivery, settings.ingress.messenger_apps),
        "zalo": ZaloReader(client, settings.delivery),
    }
