"""What a desk notes of its gateways: an event for its tables alone, since the log has the signs of life."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from schemas.base import Moment

SILENT_AFTER = timedelta(seconds=30)
"""A gateway of which nothing was heard for so long, by the log's time, is lost."""


class GatewayHeard(BaseModel):
    """A gateway gave a sign of life, or is lost. It stands on no topic."""

    model_config = ConfigDict(frozen=True)

    gateway: str
    at: Moment
    lost: bool = False
