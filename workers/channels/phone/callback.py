"""What a provider posts: how one of ours fares, or an SMS that has come. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.base import NO_CONTROL_PATTERN, NO_NUL_PATTERN
from schemas.inbound import SentAtMs
from schemas.receipts import DURATION_MAX_S, DeliveryReason, OutreachState

REFERENCE = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.([0-9a-f]{32})")
Id = Annotated[str, Field(min_length=1, max_length=128, pattern=NO_CONTROL_PATTERN)]
Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]

Became = tuple[OutreachState, DeliveryReason | None]
"""How it stands by our words, and why it has failed."""

SMS_BECAME: dict[str, Became] = {
    "sent": ("sent", None),
    "delivered": ("delivered", None),
    "undelivered": ("failed", "sms_undelivered"),
    "rejected": ("failed", "phone_refused"),
}
CALL_BECAME: dict[str, Became] = {
    "ringing_agent": ("ringing", None),
    "ringing": ("ringing", None),
    "answered": ("answered", None),
    "ended": ("ended", None),
    "agent_no_answer": ("failed", "call_agent"),
    "no_answer": ("failed", "call_no_answer"),
    "busy": ("failed", "call_busy"),
    "failed": ("failed", "call_failed"),
}


class _Said(BaseModel):
    """What is not known is left alone: providers add to what they say."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Status(_Said):
    reference: Annotated[str, Field(pattern=rf"^{REFERENCE.pattern}$")]
    id: Id | None = None
    at_ms: SentAtMs | None = None

    @property
    def place(self) -> tuple[str, UUID]:
        """Of one of ours: its workspace, and its id."""
        workspace, _, message = self.reference.partition(".")
        return workspace, UUID(message)


class SmsStatus(_Status):
    """How an SMS of ours fares."""

    type: Literal["sms.status"]
    status: Literal["sent", "delivered", "undelivered", "rejected"]
    duration_s: None = None

    @property
    def became(self) -> Became:
        return SMS_BECAME[self.status]


class CallStatus(_Status):
    """How a call of ours fares."""

    type: Literal["call.status"]
    status: Literal[
        "ringing_agent", "ringing", "answered", "ended", "agent_no_answer", "no_answer", "busy", "failed"
    ]
    duration_s: Annotated[int, Field(ge=0, le=DURATION_MAX_S)] | None = None
    """Of one that has ended."""

    @property
    def became(self) -> Became:
        return CALL_BECAME[self.status]


class SmsReceived(_Said):
    """A customer has written to one of the numbers."""

    type: Literal["sms.received"]
    id: Id
    sender: Annotated[Number, Field(alias="from")]
    to: Number
    text: Annotated[str, Field(min_length=1, max_length=2_000, pattern=NO_NUL_PATTERN)]
    at_ms: SentAtMs | None = None


KINDS = frozenset(("sms.status", "call.status", "sms.received"))
Callback = SmsStatus | CallStatus | SmsReceived
CALLBACK: TypeAdapter[Callback] = TypeAdapter(Annotated[Callback, Field(discriminator="type")])
"""Reads one. Raises ValidationError."""
