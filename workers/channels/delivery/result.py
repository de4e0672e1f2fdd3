"""What became of giving one part of a message to its channel."""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.receipts import DeliveryReason

Means = Literal["again", "slow_down", "token", "stop", "refused"]
"""What a channel's error means: `again`, a fault of the moment; `slow_down`, too much at once; `token`, it is
not valid; `stop`, nothing can be sent for this page; `refused`, this message is not taken."""


class Taken(NamedTuple):
    """The channel has it, under this id."""

    id: str


class Unanswered(NamedTuple):
    """It was sent, and whether the channel has it is unknown."""

    why: str


class NotBegun(NamedTuple):
    """It has not left: no connection was free here, which says nothing of the channel."""


class Failed(NamedTuple):
    """The channel does not have it."""

    means: Means
    reason: DeliveryReason
    detail: str = ""
    """The channel's own words, for operators."""
    of_app: bool = False
    """Whether it concerns all pages of the app."""
    retry_after_s: float | None = None
    """How long the channel wants to be left alone, if it says so."""


Result = Taken | Unanswered | NotBegun | Failed
"""All that can become of it."""
