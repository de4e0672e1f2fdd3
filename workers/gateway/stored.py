"""Outcomes that desk and intake have stored: kept for a day, whatever became of the gateway."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import orjson

from schemas.outcomes import Done, Refused
from workers.gateway.waiting import Outcome, Request
from workers.runtime.handler import Connection

READ = """
SELECT encode(request_sha256, 'hex'), outcome FROM desk_outcome
WHERE workspace_id = $1 AND desk_id = ANY ($2) AND actor = $3 AND idempotency_key = $4
    AND decided_at > now() - interval '1 day'
UNION ALL
SELECT encode(request_sha256, 'hex'), outcome FROM intake_outcome
WHERE workspace_id = $1 AND actor = $3 AND idempotency_key = $4 AND decided_at > now() - interval '1 day'
"""


class Stored(NamedTuple):
    """What is known of a key."""

    request_sha256: str
    outcome: Outcome | None
    """None: it is not decided yet."""

    def is_of(self, request: Request) -> bool:
        """Whether it was used for this request."""
        if self.outcome is None:
            return self.request_sha256 == request.sha256
        return request.is_answered_by(self.outcome)


async def read_stored(
    connection: Connection, workspace: str, desks: Collection[str], actor: str, key: str
) -> list[Stored]:
    """What the desks and intake have stored of a key: more than one only when it was used twice."""
    rows = await connection.fetch(READ, workspace, list(desks), actor, key)
    return [Stored(digest, _outcome(text)) for digest, text in rows]


def _outcome(text: str | None) -> Outcome | None:
    if text is None:
        return None
    fields = orjson.loads(text)
    return (Refused if fields["kind"] == "refused" else Done).model_validate(fields)
