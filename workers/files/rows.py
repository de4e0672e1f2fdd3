"""Rows of `file`: written by who takes a file, by intake (which message names it), by who fetches it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from workers.files.file import File
from workers.runtime.handler import Connection

_COLUMNS = (
    "workspace_id, file_id, conversation_id, message_id, state, reason, type, media_type, name, size_bytes, "
    "width, height, thumbnail, created_at"
)
READ = f"SELECT {_COLUMNS} FROM file WHERE workspace_id = $1 AND file_id = ANY($2::text[])"  # noqa: S608  own columns
# Not more than some of a conversation that no message has named. One that was not here whole comes again.
BEGIN = """
INSERT INTO file (workspace_id, file_id, conversation_id, owner, state, due_at)
SELECT $1, $2, $3, $4, 'arriving', now() + $6::interval
WHERE $3::uuid IS NULL OR $5 > (
    SELECT count(*) FROM file WHERE workspace_id = $1 AND conversation_id = $3 AND message_id IS NULL)
ON CONFLICT (workspace_id, file_id) DO UPDATE SET owner = excluded.owner, due_at = excluded.due_at
WHERE file.state = 'arriving'
"""
STORED = f"""
UPDATE file SET state = 'stored', reason = NULL, due_at = NULL, type = $3, media_type = $4, name = $5,
    size_bytes = $6, width = $7, height = $8, thumbnail = $9
WHERE workspace_id = $1 AND file_id = $2 AND attempts = $10 AND state IN ('arriving', 'wanted')
RETURNING {_COLUMNS}
"""  # noqa: S608  own columns
# Each claim is an attempt, whose number is the fence; who dies leaves it due again.
CLAIM = """
WITH due AS (
    SELECT workspace_id, file_id FROM file
    WHERE state = 'wanted' AND due_at <= now() ORDER BY due_at LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE file SET attempts = attempts + 1, due_at = now() + $2::interval
FROM due WHERE file.workspace_id = due.workspace_id AND file.file_id = due.file_id
RETURNING file.workspace_id, file.file_id, file.url, file.name, file.attempts, file.failures
"""
LATER = """
UPDATE file SET due_at = now() + $4::interval, reason = $5, failures = failures + 1
WHERE workspace_id = $1 AND file_id = $2 AND attempts = $3 AND state = 'wanted'
"""
FAILED = """
UPDATE file SET state = 'failed', due_at = NULL, reason = $4
WHERE workspace_id = $1 AND file_id = $2 AND attempts = $3 AND state = 'wanted'
"""
# Until then somebody may put its bytes into the storage, whatever became of the row meanwhile.
_NOBODY_BRINGS_IT = "(due_at IS NULL OR due_at <= now())"
# A quick reply keeps its own. The message that names a file may wait on the log while intake is behind: its
# time counts as far as intake has come in its conversation's lane, or anywhere before the first message.
UNUSED = f"""
SELECT workspace_id, file_id FROM file
WHERE message_id IS NULL AND created_at < now() - $1::interval AND {_NOBODY_BRINGS_IT}
    AND CASE WHEN conversation_id IS NOT NULL THEN
        created_at < to_timestamp(coalesce((
            SELECT at_ms FROM conversation c JOIN lane ON lane.kind = 'intake' AND lane.id = c.lane
            WHERE c.workspace_id = file.workspace_id AND c.conversation_id = file.conversation_id
        ), (SELECT max(at_ms) FROM lane WHERE kind = 'intake'), 0) / 1000.0) - $1::interval
    ELSE state = 'arriving' OR NOT EXISTS (
        SELECT FROM quick_reply WHERE quick_reply.workspace_id = file.workspace_id
            AND attachments @> jsonb_build_array(jsonb_build_object('file', file.file_id)))
    END
ORDER BY created_at LIMIT $2
"""  # noqa: S608  a condition of this module
ERASED = "erased"
"""Why a file is not here: its customer was erased. Its row goes when its bytes have gone."""
ERASED_ONES = f"""
SELECT workspace_id, file_id FROM file
WHERE message_id IS NULL AND reason = '{ERASED}' AND {_NOBODY_BRINGS_IT} LIMIT $1
"""  # noqa: S608  a constant
IS_ERASED = f"""
SELECT NOT EXISTS (
    SELECT FROM file WHERE workspace_id = $1 AND file_id = $2 AND reason IS DISTINCT FROM '{ERASED}')
"""  # noqa: S608  a constant
FORGET = "DELETE FROM file WHERE workspace_id = $1 AND file_id = $2 AND message_id IS NULL"


class Wanted(NamedTuple):
    """A file that is to be fetched, under this attempt's number."""

    workspace: str
    id: str
    url: str
    name: str | None
    attempt: int
    failures: int
    """Of its channel to give it, before this attempt."""


class Known(NamedTuple):
    """What is known of a file once its bytes are here."""

    type: str
    media_type: str
    name: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False


async def read(connection: Connection, workspace: str, ids: Collection[str]) -> dict[str, File]:
    """Those of a workspace, by their ids."""
    return {row["file_id"]: File(*row) for row in await connection.fetch(READ, workspace, list(ids))}


async def begin(
    connection: Connection,
    workspace: str,
    id_: str,
    conversation: UUID | None,
    owner: str,
    unused_max: int,
    lease_s: float,
) -> bool:
    """Note that a file comes within `lease_s`.

    False: the conversation has as many as it may that no message has named.
    """
    lease = timedelta(seconds=lease_s)
    status = await connection.execute(BEGIN, workspace, id_, conversation, owner, unused_max, lease)
    return bool(status == "INSERT 0 1")


async def stored(
    connection: Connection, workspace: str, id_: str, known: Known, attempt: int = 0
) -> File | None:
    """Its bytes are kept; none: somebody else knew better, and it is not changed."""
    row = await connection.fetchrow(STORED, workspace, id_, *known, attempt)
    return None if row is None else File(*row)


async def claim(connection: Connection, limit: int, lease_s: float) -> list[Wanted]:
    """Take files that are to be fetched now, for so long."""
    return [Wanted(*row) for row in await connection.fetch(CLAIM, limit, timedelta(seconds=lease_s))]


async def later(connection: Connection, wanted: Wanted, wait_s: float, reason: str) -> None:
    """It could not be fetched: it is tried again after so long."""
    wait = timedelta(seconds=wait_s)
    await connection.execute(LATER, wanted.workspace, wanted.id, wanted.attempt, wait, reason)


async def failed(connection: Connection, wanted: Wanted, reason: str) -> None:
    """It cannot be had."""
    await connection.execute(FAILED, wanted.workspace, wanted.id, wanted.attempt, reason)


async def unused(connection: Connection, age_s: float, limit: int) -> list[tuple[str, str]]:
    """Workspace and id of files that no message has named for so long, the oldest first.

    Of a conversation: up to where intake has come on the log.
    """
    return [tuple(row) for row in await connection.fetch(UNUSED, timedelta(seconds=age_s), limit)]


async def erased(connection: Connection, limit: int) -> list[tuple[str, str]]:
    """Workspace and id of files whose customers were erased, and that nobody brings any more."""
    return [tuple(row) for row in await connection.fetch(ERASED_ONES, limit)]


async def is_erased(connection: Connection, workspace: str, id_: str) -> bool:
    """Whether a file that was there is no more, or is about to go."""
    return bool(await connection.fetchval(IS_ERASED, workspace, id_))


async def forget(connection: Connection, workspace: str, id_: str) -> None:
    """Know nothing more of a file that nothing names."""
    await connection.execute(FORGET, workspace, id_)
