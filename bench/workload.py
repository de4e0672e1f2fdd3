"""The messages that every contestant drains: the same ones in every run, from one seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

import orjson

from schemas import envelope
from schemas.envelope import Headers, Kind, time_text
from schemas.ids import conversation_key
from workers.local.simulator.people import invent_name, invent_text

SEED = 20_261_122
NEW_EVERY = 10
"""One new conversation in this many messages."""
ACTIVE_MAX = 2_000
"""The customers who came last; the other messages are theirs."""
SENT_AT_MS = 1_767_225_600_000
"""The channels' own clock at the first message: data, so any moment will do."""
PAGES = ("messenger:100200300400501", "messenger:100200300400502", "zalo:600700800900123")

MESSAGE = Kind("inbound", "message")
_SOURCE = "tongdai/bench"


class Said(NamedTuple):
    """One record of inbound. `opens`: it is its conversation's first."""

    key: bytes
    value: bytes
    headers: Headers
    opens: bool


class Customer(NamedTuple):
    """An invented person on one page, `channel:account`."""

    page: str
    user: str
    name: str

    @property
    def key(self) -> str:
        channel, _, account = self.page.partition(":")
        return conversation_key(channel, account, self.user)


def messages(count: int, seed: int = SEED, returning: Sequence[Customer] = ()) -> Iterator[Said]:
    """`count` messages: each tenth is a new customer's first, the others come from recent customers.

    With `returning`, who have not written for long, each second newcomer is the next of them instead.
    """
    random = Random(seed)  # noqa: S311  invented people
    recent: deque[Customer] = deque(maxlen=ACTIVE_MAX)
    back = iter(returning)
    for number in range(count):
        comes, begins = number % NEW_EVERY == 0, number % (2 * NEW_EVERY) == 0
        if comes:
            recent.append(new_customer(random, number) if begins or not returning else next(back))
        customer = recent[-1] if comes else recent[random.randrange(len(recent))]
        text = invent_text(random, customer.name, 0 if comes else 1 + number % 7)
        opens = begins if returning else comes
        yield said(customer, f"m{seed}-{number}", text, SENT_AT_MS + number, opens=opens)


def conversations(count: int, *, returning: bool = False) -> int:
    """How many conversations `count` messages begin."""
    return -(-count // (2 * NEW_EVERY if returning else NEW_EVERY))


def new_customer(random: Random, number: int) -> Customer:
    """Somebody whom nobody knows yet; `number` makes the id his own."""
    user = f"{random.randrange(10**9)}{number:08}"
    return Customer(random.choice(PAGES), user, invent_name(random))


def said(customer: Customer, id_: str, text: str, sent_at_ms: int, *, opens: bool = False) -> Said:
    """The record of one text message, with the channel's own event in it as our connectors leave it."""
    channel, _, account = customer.page.partition(":")
    ends = {"sender": {"id": customer.user}, "recipient": {"id": account}, "timestamp": sent_at_ms}
    value = {
        "channel": channel,
        "account": account,
        "user": customer.user,
        "channel_message_id": id_,
        "sent_at_ms": sent_at_ms,
        "text": text,
        "customer_name": customer.name,
        "raw": {**ends, "message": {"mid": id_, "text": text}},
    }
    time = time_text(sent_at_ms)
    headers = envelope.headers(MESSAGE, id_=id_, source=_SOURCE, subject=customer.key, time=time)
    return Said(customer.key.encode(), orjson.dumps(value), headers, opens)
