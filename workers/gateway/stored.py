"""Outcomes that desk and intake have stored: kept for a day, whatever became of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from schemas.outcomes import read_outcome
from workers.gateway.waiting import Outcome, Request
from workers.runtime.handler import Connection

# A search in each index for each key, however many there are: OFFSET keeps it from becoming a join of tables.
READ = """
SELECT ask.number, encode(found.request_sha256, 'hex'), found.outcome
FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS ask (actor, idempotency_key, number),
    LATERAL (
        SELECT request_sha256, outcome FROM desk_outcome
        WHERE workspace_id = $1 AND desk_id = ANY ($2) AND desk_outcome.actor = ask.actor
            AND desk_outcome.idempotency_key = ask.idempotency_key
            AND decided_at > now() - interval '1 day'
        UNION ALL
        SELECT request_sha256, outcome FROM intake_outcome
        WHERE workspace_id = $1 AND intake_outcome.actor = ask.actor
            AND intake_outcome.idempotency_key = ask.idempotency_key
            AND decided_at > now() - interval '1 day'
        OFFSET 0
    ) AS found
"""


class Key(NamedTuple):
    """A sender's idempotency key, and the desks that may know it."""

    desks: frozenset[str]
    actor: str
    key: str


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


async def read_stored(connection: Connection, workspace: str, keys: Sequence[Key]) -> list[list[Stored]]:
    """What the desks and intake have stored of each key: more than one only when it was used twice."""
    desks = frozenset[str]().union(*(one.desks for one in keys))
    actors, names = [one.actor for one in keys], [one.key for one in keys]
    found: list[list[Stored]] = [[] for _ in keys]
    for number, digest, text in await connection.fetch(READ, workspace, list(desks), actors, names):
        outcome = None if text is None else read_outcome(text)
        found[number - 1].append(Stored(digest, outcome))
    return found
