"""The file of a part: found before it is given to its channel, and copied for a channel that wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from asyncpg import Pool

from schemas.messages import MessageAttachment
from workers.channels.delivery.parts import Part
from workers.channels.delivery.sender import Copying, Enclosed
from workers.files import rows
from workers.files.file import File
from workers.files.files import Files
from workers.files.spool import spooled
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
        return Enclosed(named, file, _copying(self._files, file))


def _copying(files: Files, file: File) -> Copying:
    @asynccontextmanager
    async def copying() -> AsyncIterator[Path]:
        """Raises StorageDownError and FileRefusedError."""
        stored = await files.storage.read(file.key)
        if stored is None:
            raise StorageDownError("it is not there")
        async with spooled(stored.chunks, stored.size_bytes, files.settings.upload_timeout_s) as here:
            yield here.path

    return copying
