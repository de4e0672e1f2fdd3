"""What became of giving an e-mail, an SMS or a call to who carries it on."""

from __future__ import annotations

from typing import NamedTuple

from schemas.receipts import DeliveryReason


class Given(NamedTuple):
    """It has it; under this id, if it says one."""

    id: str | None = None


class NotGiven(NamedTuple):
    """It has not taken it, or has not said so. `again`: the same may succeed later."""

    reason: DeliveryReason
    again: bool
    detail: str = ""
    """Its own words, for operators."""
    retry_after_s: float = 0.0
    """How long it wants to be left alone, if it says so."""


class Unanswered(NamedTuple):
    """It may have it: it has not said so in time, and giving it again may be once too often."""

    detail: str = ""


Result = Given | NotGiven | Unanswered
