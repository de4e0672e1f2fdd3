"""Under which rules an answer claims, remembered for at most a second."""

from __future__ import annotations

import time
from collections.abc import Callable

from workers.routing.intake.freshness import Freshness
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
REPLY_CLAIMS = """
SELECT found.*
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (workspace_id, desk_id, rule_id)
CROSS JOIN LATERAL (
    SELECT workspace_id, desk_id, rule_id, active AND coalesce(definition->'reply_claims' = 'true', false)
    FROM desk_rule
    WHERE workspace_id = wanted.workspace_id AND desk_id = wanted.desk_id AND rule_id = wanted.rule_id
    LIMIT 1
) AS found
"""

RuleName = tuple[str, str, str]
"""Workspace, desk and id."""


class ReplyRules(dict[RuleName, bool]):
    """Whether an answer claims, by rule that was looked up."""

    def reply_claims(self, workspace: str, desk: str, rule: str | None) -> bool:
        """Whether an answer to what this rule offers is a claim."""
        return rule is not None and self.get((workspace, desk, rule), False)


class Rules:
    """A cache that is never older than a second; unknown rules are not remembered."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._freshness = Freshness(clock_s)
        self._known = ReplyRules()

    async def look_up(self, connection: Connection, rules: set[RuleName]) -> ReplyRules:
        """`rules`, as far as they exist, and perhaps others."""
        if self._freshness.is_over():
            self._known = ReplyRules()  # another batch that is in hand keeps what it was given
        known = self._known
        if missing := list(rules - known.keys()):
            columns = map(list, zip(*missing, strict=True))
            for workspace, desk, rule, claims in await connection.fetch(REPLY_CLAIMS, *columns):
                known[workspace, desk, rule] = claims
        return known
