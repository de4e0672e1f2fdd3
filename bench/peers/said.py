"""Facts from a record of inbound, checked by our schema as a team would check its own."""

from __future__ import annotations

from bench.peers.values import Facts
from schemas.inbound import Message


def facts_of(said: Message, at_ms: int, lane: int) -> Facts:
    """What a peer needs of a message; the log took it into partition `lane` at `at_ms`, ms since 1970."""
    return Facts(
        key=said.key,
        page=said.page,
        channel=said.channel,
        user=said.user,
        name=said.customer_name,
        text=said.text,
        channel_message_id=said.channel_message_id,
        sent_at_ms=at_ms if said.sent_at_ms is None else said.sent_at_ms,
        at_ms=at_ms,
        lane=lane,
    )
