"""The customers: some are new, others go on; each waits until his last message was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from workers.local.simulator.customer import Customer
from workers.local.simulator.people import invent_name
from workers.local.simulator.play import Play

IDLE_MAX = 5_000
"""Customers who may write again; beyond that somebody has left for good."""


class Crowd:
    """Customers of some pages (`channel:account`)."""

    def __init__(self, pages: Sequence[str], plays: Mapping[str, Play], random: Random) -> None:
        self._pages = [page.partition(":") for page in pages]
        self._plays = plays
        self._random = random
        self._idle: list[Customer] = []

    def next(self, new_customer: float) -> Customer:
        """Who writes now: somebody new with that probability, or when everybody else is waiting."""
        if not self._idle or self._random.random() < new_customer:
            return self._invent()
        return self._take_idle()

    def back(self, customer: Customer) -> None:
        """This customer's last message was taken: he may write again."""
        self._idle.append(customer)
        if len(self._idle) > IDLE_MAX:
            self._take_idle()

    def stranger(self) -> Customer:
        """A customer of a page that nobody has connected, and that his webhook names."""
        customer = self._invent(is_named=True)
        customer.account = "404" + customer.account[::-1]
        return customer

    def _take_idle(self) -> Customer:
        chosen = self._random.randrange(len(self._idle))
        self._idle[chosen], self._idle[-1] = self._idle[-1], self._idle[chosen]
        return self._idle.pop()

    def _invent(self, *, is_named: bool = False) -> Customer:
        named = [page for page in self._pages if self._plays[page[0]].names_page]
        channel, _, account = self._random.choice(named if is_named else self._pages)
        return Customer(channel, account, self._plays[channel].user_id(), invent_name(self._random))
