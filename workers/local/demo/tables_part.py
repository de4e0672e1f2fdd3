"""What a run has left in the tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from config.settings import Settings
from schemas.envelope import moment
from workers.runtime.postgres import connected

Id = tuple[str, str]
"""A message: page and the channel's id of it."""

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

_STORED = """
SELECT m.page_id, m.channel_message_id, c.key
  FROM message m
  JOIN conversation c USING (workspace_id, conversation_id)
 WHERE m.kind <> 'log' AND m.sender = 'customer' AND m.stored_at >= $1
 ORDER BY c.key, m.position
"""

_ANSWERS = """
SELECT count(*) FROM message WHERE sender = 'agent' AND kind NOT IN ('log', 'note') AND stored_at >= $1
"""

_RINGS = """
SELECT r.workspace_id, r.desk_id, r.rule_id, a.agent_id
  FROM desk_rule r
 CROSS JOIN unnest(r.ring) AS listed(agent_id)
  JOIN desk_agent a USING (workspace_id, desk_id, agent_id)
 WHERE r.active AND a.active
"""


@dataclass(frozen=True)
class TablesPart:
    """Counted from rows.

    Attributes:
        times: how often each message is in a transcript.
        transcripts: ids of each conversation's messages, by its key, in the order of positions.
        rings: the agents of each rule, by workspace, desk and rule.
        answers: agents' messages to customers in transcripts.
    """

    times: Counter[Id]
    transcripts: dict[str, list[str]]
    rings: dict[tuple[str, str, str], list[str]]
    answers: int


async def count_tables(settings: Settings, posted: Iterable[Id], begin_ms: int | None) -> TablesPart:
    """Look for the posted messages among those stored since `begin_ms`.

    Raises DependencyError when Postgres does not answer.
    """
    wanted = set(posted)
    times: Counter[Id] = Counter()
    transcripts: dict[str, list[str]] = defaultdict(list)
    rings: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    async with connected(settings, "tongdai demo") as connection:
        # Without a record of the run there is nothing of it to be found.
        since = _NEVER if begin_ms is None else moment(begin_ms)
        async for page, id_, key in _rows(connection, _STORED, since):
            if (page, id_) in wanted:
                times[page, id_] += 1
                transcripts[key].append(id_)
        async for workspace, desk, rule, agent in _rows(connection, _RINGS):
            rings[workspace, desk, rule].append(agent)
        answers = await connection.fetchval(_ANSWERS, since)
    return TablesPart(times, dict(transcripts), dict(rings), answers)


async def _rows(connection: Any, query: str, *arguments: datetime) -> AsyncIterator[Any]:  # noqa: ANN401
    """The rows, a part at a time."""
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(query, *arguments, prefetch=1_000):
            yield row
