"""The ids of events: UUIDv5 of the place that they come from and of their number there."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from checker.record import Place

EVENTS = uuid.UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c03")
UNTOLD_MAX = 8
"""What a decision gives beside events of chains and of the roster: outcomes, and notes of its own."""


def ordinals(log_id: str, place: Place, ids: Collection[str]) -> dict[str, int]:
    """The number of each of these events among all that the desk made of the command at `place` of the log.

    An id that is not of this command is left out.
    """
    wanted = set(ids)
    found: dict[str, int] = {}
    for ordinal in range(len(wanted) + UNTOLD_MAX):
        id_ = str(uuid.uuid5(EVENTS, f"{log_id}/{place[0]}/{place[1]}/desk/{ordinal}"))
        if id_ in wanted:
            found[id_] = ordinal
            if len(found) == len(wanted):
                break
    return found
