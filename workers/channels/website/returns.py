"""Who is back: told when nothing was known of him any more, and when he came while he was told to have left.

Telling that somebody has left takes its time. Whoever comes meanwhile is still known, and the last word would
be that he has left. So whoever tells it looks afterwards who is there; and so does, once that is written,
whoever takes in somebody who was away for long: one of the two sees the other's row. A repetition
tells nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from config.logging import get_logger
from workers.channels.glance import Place
from workers.channels.publisher import Publisher, UnpublishedError
from workers.channels.records import Webhook, outgoing
from workers.channels.website.records import CHANNEL, arrival

# Of whom nothing was known a moment ago: whoever has left is forgotten once that is told. The others were
# nowhere for so long that it may be being told.
CAME = """
SELECT workspace_id, conversation_id, seen.key, near_at IS NULL AS is_unknown
FROM unnest($1::text[], $2::uuid[], $3::text[]) AS seen (workspace_id, conversation_id, key)
CROSS JOIN LATERAL (
    SELECT max(coalesce(left_at, 'infinity')) AS near_at FROM visit
    WHERE visit.workspace_id = seen.workspace_id AND visit.conversation_id = seen.conversation_id) AS known
WHERE near_at IS NULL OR near_at < now() - $4::interval
"""
HERE = """
SELECT seen.key FROM unnest($1::text[], $2::uuid[], $3::text[]) AS seen (workspace_id, conversation_id, key)
WHERE EXISTS (
    SELECT FROM visit
    WHERE visit.workspace_id = seen.workspace_id AND visit.conversation_id = seen.conversation_id
        AND left_at IS NULL)
"""

_log = get_logger(__name__)


class Returns:
    """Those of one ingress.

    Args:
        pool: asyncpg's.
        publisher: of inbound.
        long: who has been nowhere for so long may be being told to have left.
    """

    def __init__(self, pool: Any, publisher: Publisher, long: timedelta) -> None:  # noqa: ANN401
        self._pool = pool
        self._publisher = publisher
        self._long = long
        self._unsure: dict[Place, str] = {}

    async def tell(self, here: Mapping[Place, str]) -> None:
        """Publish who may be back, before it is written that he is here; intake knows who had left.

        Raises UnpublishedError, and what Postgres raises.
        """
        if not here:
            return
        rows = await self._pool.fetch(CAME, *_columns(here), self._long)
        self.doubt({tuple(place): key for *place, key, is_unknown in rows if not is_unknown})
        await self._publish([key for *_, key, is_unknown in rows if is_unknown])

    def doubt(self, places: Mapping[Place, str]) -> None:
        """They may be here, and told to have left."""
        self._unsure |= places

    async def settle(self) -> None:
        """Publish who of those is here; what Kafka does not take is tried again.

        Raises what Postgres raises.
        """
        if not self._unsure:
            return
        rows = await self._pool.fetch(HERE, *_columns(self._unsure))
        try:
            await self._publish([row["key"] for row in rows])
        except UnpublishedError as error:
            _log.warning("returns_wait_for_kafka", error=error)
        else:
            self._unsure = {}

    async def _publish(self, keys: list[str]) -> None:
        webhook = Webhook(CHANNEL, b"", time.time_ns() // 1_000_000)
        await self._publisher.publish([outgoing(webhook, arrival(key)) for key in keys])


def _columns(places: Mapping[Place, str]) -> tuple[list[str], list[Any], list[str]]:
    return [place[0] for place in places], [place[1] for place in places], list(places.values())
