"""What comes next: a customer and the webhook of what he does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple

from workers.local.simulator.crowd import Crowd
from workers.local.simulator.customer import Customer
from workers.local.simulator.ledger import Kind
from workers.local.simulator.mix import Mix
from workers.local.simulator.play import Event, Fields, Play
from workers.local.simulator.webhook import Webhook

ODD_KINDS: tuple[Kind, ...] = ("receipt", "unreadable", "unknown_page", "unknown_kind")


class Scene(NamedTuple):
    """A webhook, the customer who waits until it is taken, and his platform."""

    customer: Customer
    play: Play
    webhook: Webhook


class Scenes:
    """Draws what happens next by the shares of a mix."""

    def __init__(self, crowd: Crowd, plays: Mapping[str, Play], mix: Mix, run: str, random: Random) -> None:
        self._crowd = crowd
        self._plays = plays
        self._mix = mix
        self._run = run
        self._random = random
        self._ids = 0

    def next(self) -> Iterator[Scene]:
        """A message of somebody, and now and then something odd of somebody else."""
        customer = self._crowd.next(self._mix.new_customer)
        play = self._plays[customer.channel]
        events = [self._message(customer, play)]
        if play.events_max > 1 and self.happens("pair"):
            events.append(self._message(customer, play))
        yield Scene(customer, play, play.webhook("message", customer, events, _now_ms()))
        for kind in ODD_KINDS:
            if self.happens(kind):
                yield self._odd(kind)

    def happens(self, what: str) -> bool:
        """Whether it happens this time, by its share of the mix."""
        share: float = getattr(self._mix, what)
        return self._random.random() < share

    def _message(self, customer: Customer, play: Play) -> Event:
        id_ = self._next_id()
        if self.happens("attachment"):
            fields = play.attachment(id_)
        elif self.happens("postback"):
            fields = play.postback(id_)
        else:
            fields = play.text(customer, id_)
        customer.said += 1
        return Event(id_, fields)

    def _odd(self, kind: Kind) -> Scene:
        customer = self._crowd.stranger() if kind == "unknown_page" else self._crowd.next(0)
        play, id_, now_ms = self._plays[customer.channel], self._next_id(), _now_ms()
        events = [Event(id_, _odd_fields(kind, play, customer, id_, now_ms))]
        return Scene(customer, play, play.webhook(kind, customer, events, now_ms))

    def _next_id(self) -> str:
        self._ids += 1
        return f"m_{self._run}_{self._ids}"


def _odd_fields(kind: Kind, play: Play, customer: Customer, id_: str, now_ms: int) -> Fields:
    match kind:
        case "receipt":
            return play.receipt(now_ms)
        case "unreadable":
            return play.unreadable(id_)
        case "unknown_kind":
            return play.unknown_kind(now_ms)
        case "unknown_page" | "message":
            return play.text(customer, id_)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
