"""A reader of tables in a run: again and again it says how some conversations stand, all at one moment."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import asyncpg

from faults.tail import Note

LAST, EARLIER = 50, 10
"""How many conversations a snapshot shows: who has written last, and some that were shown before."""
LINES = 10
"""Of so many, the last ones, it tells which message each is."""
PAUSE_S, PAUSE_MAX_S = 1.0, 5.0
PART = 0.04
"""At most this part of the time it looks: workers shall not feel it."""
ANSWER_S = 5.0
OUTAGE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

_CHOSEN = """
(SELECT conversation_id::text AS conversation, position, seq, epoch, holder FROM conversation
  WHERE workspace_id = $1 ORDER BY last_at DESC LIMIT $2)
UNION
SELECT conversation_id::text, position, seq, epoch, holder FROM conversation
 WHERE workspace_id = $1 AND conversation_id = ANY($3)
"""
_LINES = """
SELECT conversation_id::text, array_agg(position ORDER BY position) AS positions,
       array_agg(message_id::text ORDER BY position) AS messages
  FROM message WHERE workspace_id = $1 AND conversation_id = ANY($2) GROUP BY conversation_id
"""
_DESK = """
SELECT conversation_id::text, seq, last_event_id::text AS event, epoch, holder
  FROM desk_conversation WHERE workspace_id = $1 AND conversation_id = ANY($2)
"""


class Snapshots:
    """Looks about once a second, by a new connection after each outage.

    Args:
        dsn: of the database.
        workspace: whose conversations.
        seed: of which earlier ones it looks at.
        note: takes what each snapshot shows.
    """

    def __init__(self, dsn: str, workspace: str, seed: int, note: Note) -> None:
        self._dsn = dsn
        self._workspace = workspace
        self._random = random.Random(f"{seed} snapshots")
        self._note = note
        self._shown: list[str] = []
        """One of each snapshot: to these it comes back."""

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            with suppress(*OUTAGE):
                await self._connected()
            await asyncio.sleep(PAUSE_S)

    async def _connected(self) -> None:
        connection = await asyncpg.connect(self._dsn, timeout=ANSWER_S, command_timeout=ANSWER_S)
        try:
            while True:
                began = time.monotonic()
                await self.look(connection)
                took_s = time.monotonic() - began
                await asyncio.sleep(min(max(PAUSE_S, took_s / PART), PAUSE_MAX_S))
        finally:
            connection.terminate()

    async def look(self, connection: asyncpg.Connection) -> None:
        """Write down how some conversations stand now."""
        earlier = self._random.sample(self._shown, min(EARLIER, len(self._shown)))
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            chosen = await connection.fetch(_CHOSEN, self._workspace, LAST, earlier)
            ids = [row["conversation"] for row in chosen]
            lines = _by_conversation(await connection.fetch(_LINES, self._workspace, ids))
            desk = _by_conversation(await connection.fetch(_DESK, self._workspace, ids))
        conversations = [
            {**row, **_written(lines.get(id_)), "desk": desk.get(id_)}
            for id_, row in zip(ids, chosen, strict=True)
        ]
        self._note(type="snapshot", conversations=conversations)
        self._shown += self._random.sample(ids, min(1, len(ids)))


def _by_conversation(rows: Iterable[asyncpg.Record]) -> dict[str, dict[str, Any]]:
    """Without the id."""
    found = map(dict, rows)
    return {row.pop("conversation_id"): row for row in found}


def _written(lines: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Where all lines stand, and which messages the last ones are."""
    if lines is None:
        return {"positions": [], "messages": []}
    return {"positions": lines["positions"], "messages": lines["messages"][-LINES:]}
