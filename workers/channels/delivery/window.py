"""How long after a customer last wrote his channel takes an answer. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from schemas.base import Channel
from schemas.receipts import DeliveryReason

HOUR_S = 60 * 60.0
DAY_S = 24 * HOUR_S
LATE_DAYS = 7
LIMITED = frozenset(("messenger", "fchat", "zalo"))
"""Channels that take answers for a time alone."""


class Terms(NamedTuple):
    """On what terms a message may be sent now; with a reason it may not."""

    tag: Literal["HUMAN_AGENT"] | None = None
    reason: DeliveryReason | None = None


OPEN = Terms()
CLOSED = Terms(reason="window_closed")


def terms(
    channel: Channel,
    silent_s: float | None,
    *,
    by_person: bool,
    human_agent: bool,
    pays: bool,
    by_ad: bool = False,
) -> Terms:
    """The terms of an answer.

    Args:
        channel: of the page.
        silent_s: seconds since the customer last wrote, or did what his channel counts as that; none: never.
        by_person: a human wrote it, not a bot.
        human_agent: Messenger has allowed the page its tag.
        pays: the page lets Zalo charge for an answer.
        by_ad: he came to Messenger by an advertisement, and its longer time is not over.
    """
    if channel not in LIMITED or (channel == "messenger" and by_ad):
        return OPEN
    if silent_s is None or silent_s > LATE_DAYS * DAY_S:
        return CLOSED
    if channel in {
        "messenger",
        "fchat",
    }:  # FChat sends on Messenger, and knows none of the tags that are left
        if silent_s <= DAY_S:
            return OPEN
        may_be_late = channel == "messenger" and human_agent and by_person
        return Terms(tag="HUMAN_AGENT") if may_be_late else CLOSED
    return OPEN if silent_s <= 2 * DAY_S or pays else Terms(reason="window_paid")
