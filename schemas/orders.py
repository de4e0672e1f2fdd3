"""Orders of a customer, as other systems tell them: only their ids and how they stand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

ORDERS_MAX = 100
"""Of one conversation."""

OrderId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
"""The other system's own."""
OrderStatus = Literal["draft", "new", "confirmed", "shipping", "done", "returned", "cancelled"]
UNCONFIRMED: tuple[OrderStatus, ...] = ("draft", "new")
CONFIRMED: tuple[OrderStatus, ...] = ("confirmed", "shipping", "done")
OVER: tuple[OrderStatus, ...] = ("done", "returned", "cancelled")
"""Forgotten when the next round begins."""
