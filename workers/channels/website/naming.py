"""Files that a visitor has sent before, and that a message of his names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from schemas.inbound import Attachment
from workers.files import rows
from workers.files.files import Files


async def named(
    pool: Any,  # noqa: ANN401 - asyncpg's
    files: Files | None,
    workspace: str,
    conversation: UUID,
    ids: Collection[str],
) -> list[Attachment] | None:
    """The files as they are kept; none: he may not name them. Raises what Postgres raises.

    Args:
        files: of visitors and agents; none: they send none.
    """
    if files is None or len(ids) > files.settings.message_files_max:
        return None
    found = await rows.read(pool, workspace, ids)
    wanted = [found[id_] for id_ in ids if id_ in found]
    keep_s = files.settings.unused_keep_s
    if len(wanted) < len(ids) or not all(one.may_be_named(conversation, keep_s) for one in wanted):
        return None
    if sum(one.size_bytes or 0 for one in wanted) > files.settings.message_bytes_max:
        return None
    return [Attachment(type=one.type or "file", name=one.name, file=one.id) for one in wanted]
