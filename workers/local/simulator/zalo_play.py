"""Zalo's webhooks, as its documentation shows them: one event each, all ids and times strings."""

from __future__ import annotations

from random import Random

import orjson

from config.ingress import ZaloApp
from workers.local.simulator.customer import Customer
from workers.local.simulator.ledger import Kind, Sent
from workers.local.simulator.people import invent_text
from workers.local.simulator.play import Event, Fields
from workers.local.simulator.webhook import Webhook, zalo_headers

_ATTACHMENTS: tuple[tuple[str, Fields], ...] = (
    ("image", {"thumbnail": "https://cdn.example/nho.jpg", "url": "https://cdn.example/hoa.jpg"}),
    ("sticker", {"url": "https://cdn.example/sticker.png", "id": "22"}),
    ("location", {"coordinates": {"latitude": "10.7642473", "longitude": "106.6564314"}}),
    ("file", {"url": "https://cdn.example/f", "size": "233947", "name": "thiệp mời.docx", "type": "docx"}),
)


class ZaloPlay:
    """Writes the webhooks of one Zalo app."""

    channel = "zalo"
    events_max = 1
    timeout_s = 2.0
    names_page = True

    def __init__(self, app: ZaloApp, random: Random) -> None:
        self._app = app
        self._random = random

    def user_id(self) -> str:
        return str(self._random.randrange(10**17, 10**18))

    def text(self, customer: Customer, id_: str) -> Fields:
        return self._text(id_, invent_text(self._random, customer.name, customer.said))

    def attachment(self, id_: str) -> Fields:
        kind, payload = self._random.choice(_ATTACHMENTS)
        attachments = [{"type": kind, "payload": payload}]
        return {"event_name": f"user_send_{kind}", "message": {"msg_id": id_, "attachments": attachments}}

    def postback(self, id_: str) -> Fields:
        return self._text(id_, "#banggia")

    def unreadable(self, id_: str) -> Fields:
        return self._text(id_, "quá dài " * 3_000)

    def receipt(self, now_ms: int) -> Fields:
        return {
            "event_name": "user_reacted_message",
            "message": {"msg_id": str(now_ms), "react_icon": "/-heart"},
        }

    def unknown_kind(self, now_ms: int) -> Fields:
        return {"event_name": "user_teleported", "at": str(now_ms)}

    def webhook(self, kind: Kind, customer: Customer, events: list[Event], now_ms: int) -> Webhook:
        (event,) = events
        timestamp = str(now_ms)
        body = orjson.dumps(
            {
                "app_id": self._app.app_id,
                "sender": {"id": customer.user},
                "recipient": {"id": customer.account},
                "timestamp": timestamp,
                **event.fields,
            }
        )
        headers = zalo_headers(self._app, body, timestamp)
        return Webhook(kind, customer.page, body, headers, (Sent(customer.conversation, event.id),))

    def _text(self, id_: str, text: str) -> Fields:
        return {"event_name": "user_send_text", "message": {"msg_id": id_, "text": text}}
