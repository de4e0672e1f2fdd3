"""What a channel tells of a message before our own record says that it was sent: kept with it, applied then.

A receipt is not faster than the channel's answer, but the answer may have come to a worker that was killed or
that Postgres kept waiting: the echo tells later, on a longer way.
"""

from __future__ import annotations

HEARD_MAX = 8
"""Receipts kept with one message, the last ones: a conversation's watermarks follow one another."""
UNDER_WAY = "state IN ('queued', 'sending', 'unknown') AND attempted_at > now() - interval '1 day'"
"""Of a row: the channel may have the message, and we do not know it. Later nobody waits for it."""
KEPT = f"(array_append(heard, $5::jsonb))[greatest(1, cardinality(heard) + 2 - {HEARD_MAX}):]"


def heard_of(last_id: str) -> str:
    """SQL: how a message stands that has become `sent`, by what was heard; `last_id`: its last part's."""
    return f"""coalesce((
        SELECT max(said ->> 'state') FROM unnest(heard) AS said  -- `read` comes after `delivered`
        WHERE said -> 'ids' ? {last_id} OR attempted_at <= (said ->> 'until')::timestamptz), 'sent')"""  # noqa: S608
