"""Answers that fail on their channel, and pages that are paused, as receipts tells."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from schemas.ids import conversation_id
from schemas.receipts import Delivery, DeliveryReason, PageStands
from tests.notifier.history import BEGIN, WORKSPACE
from workers.notifier.conversation import Failed

KEY = "messenger:page-1:u1"
CONVERSATION = conversation_id(KEY)
ANSWER = uuid5(CONVERSATION, "answer")


def delivery(**changes: Any) -> Delivery:  # noqa: ANN401 - of Delivery
    """An answer of An's that has failed."""
    values: dict[str, Any] = {
        "workspace": WORKSPACE,
        "desk": "main",
        "conversation": CONVERSATION,
        "key": KEY,
        "page": "messenger:page-1",
        "channel": "messenger",
        "message": ANSWER,
        "position": 4,
        "sender": f"agent:{WORKSPACE}/an",
        "state": "failed",
        "reason": "window_closed",
        "parts": 1,
        "version": 2,
        "at": BEGIN,
    }
    return Delivery(**values | changes)


def failure(id_: UUID, **changes: Any) -> Failed:  # noqa: ANN401 - of Delivery
    """The same as the notifier takes it."""
    return Failed(id_, delivery(**changes))


def standing(paused: DeliveryReason | None) -> PageStands:
    """An's page, found with the same answer to be paused, or to go on."""
    said = delivery().model_dump(
        include={"workspace", "desk", "conversation", "key", "page", "channel", "at"}
    )
    return PageStands(**said, paused=paused)
