"""Messenger's webhooks, as its documentation shows them."""

from __future__ import annotations

import json
from random import Random

from config.ingress import MessengerApp
from workers.local.simulator.customer import Customer
from workers.local.simulator.ledger import Kind, Sent
from workers.local.simulator.people import invent_text
from workers.local.simulator.play import Event, Fields
from workers.local.simulator.webhook import Webhook, messenger_headers

_ATTACHMENTS: tuple[Fields, ...] = (
    {"type": "image", "payload": {"url": "https://cdn.example/hoa.jpg"}},
    {"type": "sticker", "payload": {"url": "https://cdn.example/like.png", "sticker_id": 369239263222822}},
    {"type": "location", "payload": {"coordinates": {"lat": 10.7769, "long": 106.7009}}},
    {"type": "audio", "payload": {"url": "https://cdn.example/ghi-am.mp4"}},
)


class MessengerPlay:
    """Writes the webhooks of one Facebook app."""

    channel = "messenger"
    events_max = 2
    timeout_s = 5.0
    names_page = True

    def __init__(self, app: MessengerApp, random: Random) -> None:
        self._app = app
        self._random = random

    def user_id(self) -> str:
        return str(self._random.randrange(10**15, 10**16))

    def text(self, customer: Customer, id_: str) -> Fields:
        return {"message": {"mid": id_, "text": invent_text(self._random, customer.name, customer.said)}}

    def attachment(self, id_: str) -> Fields:
        return {"message": {"mid": id_, "attachments": [self._random.choice(_ATTACHMENTS)]}}

    def postback(self, id_: str) -> Fields:
        return {"postback": {"mid": id_, "title": "Xem bảng giá", "payload": "PRICES"}}

    def unreadable(self, id_: str) -> Fields:
        return {"message": {"mid": id_, "text": "quá dài " * 3_000}}

    def receipt(self, now_ms: int) -> Fields:
        return {self._random.choice(("read", "delivery")): {"watermark": now_ms}}

    def unknown_kind(self, now_ms: int) -> Fields:
        return {"message_teleported": {"watermark": now_ms}}

    def webhook(self, kind: Kind, customer: Customer, events: list[Event], now_ms: int) -> Webhook:
        ends = {"sender": {"id": customer.user}, "recipient": {"id": customer.account}, "timestamp": now_ms}
        messaging = [{**ends, **event.fields} for event in events]
        entry = {"id": customer.account, "time": now_ms, "messaging": messaging}
        # As the platform does: all beyond ASCII is escaped, and the signature is over the escaped bytes.
        body = json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode()
        sent = tuple(Sent(customer.conversation, event.id) for event in events)
        return Webhook(kind, customer.page, body, messenger_headers(self._app, body), sent)
