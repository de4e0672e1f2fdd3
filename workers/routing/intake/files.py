"""Files of messages: noted with the message that names them, or to be fetched from the channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from workers.files.named import file_of
from workers.files.rows import ERASED
from workers.runtime.handler import Connection

# Of its own conversation, or of the workspace; whoever names another's names nothing, or one that was erased.
NAME = f"""
UPDATE file SET message_id = named.message_id
FROM json_to_recordset($1::json) AS named (
    workspace_id text, file_id text, conversation_id uuid, message_id uuid)
WHERE file.workspace_id = named.workspace_id AND file.file_id = named.file_id AND file.message_id IS NULL
    AND (file.conversation_id IS NULL OR file.conversation_id = named.conversation_id)
    AND file.reason IS DISTINCT FROM '{ERASED}'
"""  # noqa: S608  a constant
WANT = """
INSERT INTO file (workspace_id, file_id, conversation_id, message_id, state, url, name, due_at)
SELECT workspace_id, file_id, conversation_id, message_id, 'wanted', url, name, now()
FROM json_to_recordset($1::json) AS wanted (
    workspace_id text, file_id text, conversation_id uuid, message_id uuid, url text, name text)
ON CONFLICT (workspace_id, file_id) DO NOTHING
"""


class FileOfMessage(NamedTuple):
    """A file that a message names, or whose address on its channel (`url`) it tells."""

    workspace_id: str
    file_id: str
    conversation_id: str
    message_id: str
    url: str | None
    name: str | None


def files_of(
    workspace: str,
    conversation: str,
    message: str,
    attachments: Sequence[dict[str, Any]],
    *,
    of_channel: bool,
) -> list[FileOfMessage]:
    """Those of one message; what an agent tells the address of is not fetched."""
    found = []
    for number, each in enumerate(attachments):
        id_ = file_of(message, number, each)
        if id_ is None or not (of_channel or "file" in each):
            continue
        url = None if "file" in each else each["url"]
        found.append(FileOfMessage(workspace, id_, conversation, message, url, each.get("name")))
    return found


async def store(connection: Connection, files: Sequence[FileOfMessage]) -> None:
    """Note which message names them, and have the others fetched."""
    named = [one._asdict() for one in files if one.url is None]
    wanted = [one._asdict() for one in files if one.url is not None]
    if named:
        await connection.execute(NAME, orjson.dumps(named).decode())
    if wanted:
        await connection.execute(WANT, orjson.dumps(wanted).decode())
