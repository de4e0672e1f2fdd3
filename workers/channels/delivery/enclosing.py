"""The file of a part: found before it is given to its channel, and copied for a channel that wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from asyncpg import Pool

from schemas.messages import MessageAttachment
from workers.channels.delivery.parts import Part
from workers.channels.delivery.sender import Copying, Enclosed, NoCopyError
from workers.files import rows
from workers.files.file import smaller_of
from workers.files.files import Files
from workers.files.spool import copied
from workers.files.storage import StorageDownError


class Enclosing:
    """Of one worker.

    Args:
        pool: to read what is known of a file.
        files: none: this worker has none.
    """

    def __init__(self, pool: Pool, files: Files | None) -> None:
        self._pool = pool
        self._files = files

    async def find(self, workspace: str, conversation: UUID, part: Part) -> Enclosed | None:
        """What is given for an attachment; none: its file cannot be had. Raises what Postgres raises."""
        attachment = part.attachment
        assert attachment is not None  # noqa: S101 - whoever calls has looked
        if attachment.file is None:
            return Enclosed(attachment)
        file = None
        if self._files is not None:
            file = (await rows.read(self._pool, workspace, [attachment.file])).get(attachment.file)
        if self._files is None or file is None or not file.is_for(conversation):
            return None
        link = self._files.public_link(file.content)
        named = MessageAttachment(type=file.type or "file", url=link, name=file.name, file=file.id)
        smaller = _copying(self._files, smaller_of(file.key), NoCopyError) if file.needs_smaller else None
        return Enclosed(named, file, _copying(self._files, file.key, StorageDownError), smaller)


def _copying(files: Files, key: str, missing: type[Exception]) -> Copying:
    """`missing`: what is raised when there is none."""

    @asynccontextmanager
    async def copying() -> AsyncIterator[Path]:
        """Raises StorageDownError, FileRefusedError and `missing`."""
        async with copied(files.storage, key, files.settings.upload_timeout_s) as path:
            if path is None:
                raise missing("it is not there")
            yield path

    return copying
