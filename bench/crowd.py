"""Customers who write at a steady rate; a new one with every tenth message."""

from __future__ import annotations

from random import Random
from time import time

from bench.workload import NEW_EVERY, Customer, Said, new_customer, said
from workers.local.simulator.people import invent_text

TEXT_END = " #"
"""Stands before a message's number at the end of its text, by which its notice is known."""


class Crowd:
    """Says what is next; only customers who have an agent write again."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311  invented people
        self._held: list[Customer] = []
        self._waiting: dict[str, Customer] = {}
        self.count = 0

    def next(self) -> tuple[int, Said]:
        """The next message and its number."""
        number = self.count
        self.count += 1
        opens = number % NEW_EVERY == 0 or not self._held
        customer = self._newcomer(number) if opens else self._random.choice(self._held)
        text = f"{invent_text(self._random, customer.name, number % 7)}{TEXT_END}{number}"
        return number, said(customer, f"latency-{number}", text, int(time() * 1000), opens=opens)

    def has_agent(self, key: str) -> None:
        """The customer with this conversation key may write again."""
        customer = self._waiting.pop(key, None)
        if customer is not None:
            self._held.append(customer)

    def _newcomer(self, number: int) -> Customer:
        customer = new_customer(self._random, number)
        self._waiting[customer.key] = customer
        return customer


def number_of(text: str) -> int:
    """The number of the message with this text. Raises ValueError when it is none of the crowd's."""
    return int(text.rpartition(TEXT_END)[2])
