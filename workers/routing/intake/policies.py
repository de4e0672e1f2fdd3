"""What intake needs of each desk's policy, remembered for at most a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from schemas.definitions import Hours, Policy
from schemas.tickets import TicketField
from workers.routing.intake.freshness import Freshness
from workers.routing.intake.keywords import Keywords
from workers.runtime.handler import Connection

DESKS_MAX = 1_000
"""Remembered at once; more make all be asked anew."""

# A policy can be megabytes of keywords: it is fetched when it has changed.
CHANGED = """
SELECT found.*
FROM unnest($1::text[], $2::text[], $3::int[]) AS known (workspace_id, desk_id, version)
CROSS JOIN LATERAL (
    SELECT workspace_id, desk_id, version, definition FROM desk_policy
    WHERE workspace_id = known.workspace_id AND desk_id = known.desk_id AND version <> known.version
    LIMIT 1
) AS found
"""

Desk = tuple[str, str]
"""Workspace and id."""


class DeskPolicy(NamedTuple):
    """One version of it; without a row, a desk has nothing of this."""

    version: int = 0
    silent_after_ms: int | None = None
    keywords: Keywords = Keywords()
    hours: Hours | None = None
    """When business is open; none: always."""
    ticket_fields: tuple[TicketField, ...] = ()


NO_POLICY = DeskPolicy()


class DeskPolicies(dict[Desk, DeskPolicy]):
    """Of the desks that were looked up."""

    def of(self, workspace: str, desk: str) -> DeskPolicy:
        """The policy of a desk."""
        return self.get((workspace, desk), NO_POLICY)


class Policies:
    """A cache that is never older than a second."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._freshness = Freshness(clock_s)
        self._known = DeskPolicies()
        self._fresh: set[Desk] = set()

    async def look_up(self, connection: Connection, desks: set[Desk]) -> DeskPolicies:
        """The policies of `desks`, and perhaps of others."""
        if self._freshness.is_over():
            self._fresh = set()
        if len(self._known) > DESKS_MAX:
            # Another batch that is in hand keeps what it was given.
            self._known, self._fresh = DeskPolicies(), set()
        known, fresh = self._known, self._fresh
        if asked := list(desks - fresh):
            versions = [known.get(desk, NO_POLICY).version for desk in asked]
            workspaces, ids = map(list, zip(*asked, strict=True))
            for row in await connection.fetch(CHANGED, workspaces, ids, versions):
                known[row["workspace_id"], row["desk_id"]] = _policy(row["version"], row["definition"])
            fresh.update(asked)
        return known


def _policy(version: int, definition: str) -> DeskPolicy:
    policy = Policy.model_validate_json(definition)
    silent_after_ms = None if policy.silent_after_s is None else policy.silent_after_s * 1000
    keywords = Keywords(policy.keyword_lists)
    return DeskPolicy(version, silent_after_ms, keywords, policy.hours, policy.ticket_fields)
