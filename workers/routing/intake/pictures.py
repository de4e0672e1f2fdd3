"""Pictures of customers: what a channel shows is fetched, as files of messages are; its address dies soon."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from schemas.ids import picture_file_id
from workers.files.rows import ERASED
from workers.runtime.handler import Connection

# No message names a picture: its conversation does. One that is let go is forgotten as what nothing names.
LET_GO = """
UPDATE file SET message_id = NULL
FROM json_to_recordset($1::json) AS former (workspace_id text, former_id text)
WHERE file.workspace_id = former.workspace_id AND file.file_id = former.former_id
"""
WANT = f"""
INSERT INTO file (workspace_id, file_id, conversation_id, message_id, state, url, due_at)
SELECT workspace_id, file_id, conversation_id, conversation_id, 'wanted', url, now()
FROM json_to_recordset($1::json) AS picture (
    workspace_id text, file_id text, conversation_id uuid, url text)
ON CONFLICT (workspace_id, file_id) DO UPDATE SET message_id = excluded.message_id
WHERE file.reason IS DISTINCT FROM '{ERASED}'
"""  # noqa: S608  a constant


class PictureChange(NamedTuple):
    """A customer has another picture than before."""

    workspace: str
    conversation: str
    former: str | None
    """Its address on the channel."""
    now: str


async def store(connection: Connection, changes: Iterable[PictureChange]) -> None:
    """Have the new ones fetched, and the former ones forgotten."""
    rows = [_row(change) for change in changes if change.now != change.former]
    if rows:
        said = orjson.dumps(rows).decode()
        await connection.execute(LET_GO, said)
        await connection.execute(WANT, said)


def _row(change: PictureChange) -> dict[str, Any]:
    return {
        "workspace_id": change.workspace,
        "conversation_id": change.conversation,
        "file_id": picture_file_id(change.conversation, change.now),
        "former_id": change.former and picture_file_id(change.conversation, change.former),
        "url": change.now,
    }
