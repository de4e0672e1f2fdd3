"""What inbound tells of customers beside their words: how often each thing may follow from it, at most."""

from __future__ import annotations

import uuid
from collections import Counter

from checker.record import Json, LogRecord

CONVERSATIONS = uuid.UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c01")
PHONE_DIGITS_MIN = 10
_TOLD = {"reaction": "marked", "edit": "marked", "profile": "customer_changed", "returned": "returned"}


class Gestures:
    """Sees the records that are not refused."""

    def __init__(self) -> None:
        self.told: Counter[tuple[str, ...]] = Counter()
        """By what may be told on messages, and the conversation's id."""

    def see(self, record: LogRecord, what: str, value: Json) -> None:
        """Count one record."""
        told = _TOLD.get(what) or ("customer_changed" if _introduces(value) else None)
        if told is not None:
            self.told[told, str(uuid.uuid5(CONVERSATIONS, (record.key or b"").decode()))] += 1


def _introduces(value: Json) -> bool:
    digits = sum(sign.isdecimal() for sign in value.get("text") or "")
    return digits >= PHONE_DIGITS_MIN or bool(value.get("customer_picture") or value.get("referral"))
