"""FChat's calls, as a block of its JSON API makes them: flat attributes; the address tells whose."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import orjson

from config.ingress import FchatBot
from workers.local.simulator.customer import Customer
from workers.local.simulator.ledger import Kind, Sent
from workers.local.simulator.people import invent_text
from workers.local.simulator.play import Event, Fields
from workers.local.simulator.webhook import Webhook


class FchatPlay:
    """Makes the calls of some bots, whose blocks send what messages are called besides."""

    channel = "fchat"
    events_max = 1
    timeout_s = 10.0
    names_page = False

    def __init__(self, bots: Sequence[FchatBot], random: Random) -> None:
        self._tokens = {bot.account: bot.path_token.get_secret_value() for bot in bots}
        self._random = random

    def user_id(self) -> str:
        return str(self._random.randrange(10**15, 10**16))

    def text(self, customer: Customer, id_: str) -> Fields:
        text = invent_text(self._random, customer.name, customer.said)
        return {"message_id": id_, "text": text, "name": customer.name}

    def attachment(self, id_: str) -> Fields:
        return {"message_id": id_, "image": "https://cdn.example/hoa.jpg"}

    def postback(self, id_: str) -> Fields:
        return {"message_id": id_, "text": "Gặp nhân viên", "payload": "AGENT"}

    def unreadable(self, id_: str) -> Fields:
        return {"message_id": id_, "text": "quá dài " * 3_000}

    def receipt(self, now_ms: int) -> Fields:
        """It has none: something else that is no message."""
        return {"picture": f"https://cdn.example/{now_ms}.jpg"}

    def unknown_kind(self, now_ms: int) -> Fields:
        return {"from": "teleporter", "text": str(now_ms)}

    def webhook(self, kind: Kind, customer: Customer, events: list[Event], now_ms: int) -> Webhook:
        (event,) = events
        body = orjson.dumps({"user_id": customer.user, "sent_at": now_ms, **event.fields})
        sent = (Sent(customer.conversation, event.id),)
        headers = {"content-type": "application/json"}
        return Webhook(kind, customer.page, body, headers, sent, self._tokens[customer.account])
