"""How many conversations each bucket and channel has: sums over the notifier's counters, no rows counted."""

from __future__ import annotations

from collections.abc import Iterable

from asyncpg import Connection
from pydantic import BaseModel

from schemas.ids import channel_of
from workers.gateway.queries.scope import BUCKETS, Scope
from workers.gateway.roster import Roster
from workers.notifier.places import HELD, UNHELD, Sum, Viewer, add_up, with_agent

SHOWN_MAX = 99

# Two descents: what concerns him anywhere, and the totals of his pages. An audience is named within a desk.
SUMS = """
SELECT place, page_id, sum(conversations)::int AS conversations, sum(unread)::int AS unread
FROM inbox_counter
WHERE workspace_id = $1 AND place = ANY ($2)
GROUP BY place, page_id
UNION ALL
SELECT place, page_id, sum(conversations)::int, sum(unread)::int
FROM inbox_counter
WHERE workspace_id = $1 AND place = ANY ($3) AND page_id = ANY ($4)
GROUP BY place, page_id
"""


class Count(BaseModel):
    """Conversations, and messages in them that their holder has not read."""

    conversations: int = 0
    unread: int = 0


class ChannelCount(Count):
    """Of one channel."""

    shown: str = "0"
    """Unread messages as a badge shows them: `99+` above 99."""


class Counts(BaseModel):
    """Exact, at the moment of asking."""

    all: Count
    """The sum of the buckets."""
    buckets: dict[str, Count]
    channels: dict[str, ChannelCount]
    """Over all buckets."""


async def read_counts(connection: Connection, scope: Scope, roster: Roster) -> Counts:
    """The counts of one who reads."""
    viewer = Viewer(scope.agent, scope.pages, scope.audiences)
    return _counts_of(await read_sums(connection, scope.workspace, viewer), viewer, scope, roster)


async def read_sums(connection: Connection, workspace: str, viewer: Viewer) -> list[Sum]:
    """What concerns `viewer`, over all lanes."""
    mine = [with_agent(viewer.agent), *sorted(viewer.audiences)] if viewer.agent else []
    rows = await connection.fetch(SUMS, workspace, mine, [HELD, UNHELD], sorted(viewer.pages))
    return [Sum(*row) for row in rows]


def _counts_of(sums: Iterable[Sum], viewer: Viewer, scope: Scope, roster: Roster) -> Counts:
    own = with_agent(scope.agent)
    by_channel: dict[str, list[Sum]] = {}
    for one in sums:
        if one.place in (own, HELD, UNHELD) or roster.desk_of_page.get(one.page) == scope.desk:
            by_channel.setdefault(channel_of(one.page), []).append(one)
    buckets = {name: Count() for name in BUCKETS}
    channels: dict[str, ChannelCount] = {}
    for channel, own_sums in by_channel.items():
        total = Count()
        for name, numbers in add_up(own_sums, viewer).items():
            buckets[name] = _plus(buckets[name], *numbers)
            total = _plus(total, *numbers)
        channels[channel] = ChannelCount(**total.model_dump(), shown=_shown(total.unread))
    everything = Count()
    for one_bucket in buckets.values():
        everything = _plus(everything, one_bucket.conversations, one_bucket.unread)
    return Counts(all=everything, buckets=dict(buckets), channels=channels)


def _plus(count: Count, conversations: int, unread: int) -> Count:
    return Count(conversations=count.conversations + conversations, unread=count.unread + unread)


def _shown(unread: int) -> str:
    return f"{SHOWN_MAX}+" if unread > SHOWN_MAX else str(unread)
