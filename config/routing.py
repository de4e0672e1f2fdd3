"""The rules of time that the routing worker keeps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.section import Section

DAY_S = 24 * 60 * 60.0


class RoutingSettings(Section):
    """Of routing workers: what a session is."""

    session_silence_s: Annotated[float, Field(ge=60, le=30 * DAY_S, allow_inf_nan=False)] = DAY_S
    """A customer's silence for so long ends the session."""
