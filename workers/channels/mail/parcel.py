"""The files of a mail: those that go within it, and links to those that are too large for that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from config.mail import MailSettings
from workers.channels.delivery.failures import PASSING_ERRORS
from workers.channels.mail.frame import Linked
from workers.channels.mail.outgoing import Enclosed
from workers.channels.outreach.result import NotGiven
from workers.channels.outreach.rows import Claimed
from workers.files import rows
from workers.files.file import File
from workers.files.files import Files
from workers.files.refusal import FileRefusedError
from workers.files.spool import copied
from workers.files.storage import StorageDownError
from workers.runtime.handler import Connection

PACK_S = 60.0
"""To have the files of one mail here."""
DAY_S = 86_400.0
_GONE = NotGiven("attachment_gone", again=False)
_AWAY = (StorageDownError, FileRefusedError, OSError, *PASSING_ERRORS)


class Parcel(NamedTuple):
    """What goes with a mail."""

    enclosed: Sequence[Enclosed] = ()
    linked: Sequence[Linked] = ()


class NotPackedError(Exception):
    """The files of a mail cannot be had: `result` says what follows."""

    def __init__(self, result: NotGiven) -> None:
        super().__init__(result.reason)
        self.result = result


class Packing:
    """Args:
    files: none: this worker has none.
    settings: how much goes within a mail, and how long links are good.
    """

    def __init__(self, files: Files | None, settings: MailSettings) -> None:
        self._files = files
        self._bytes_max = settings.files_bytes_max
        self._life_s = settings.link_days * DAY_S

    @asynccontextmanager
    async def packed(self, connection: Connection, claimed: Claimed) -> AsyncIterator[Parcel]:
        """The files of a mail, here for as long as the block lasts. Raises NotPackedError."""
        if not claimed.content.get("files"):
            yield Parcel()
            return
        if self._files is None:
            raise NotPackedError(_GONE)
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(PACK_S):
                    parcel = await self._pack(connection, self._files, claimed, stack)
            except _AWAY as error:
                away = NotGiven("channel_down", again=True, detail=f"files: {type(error).__name__}")
                raise NotPackedError(away) from error
            yield parcel

    async def _pack(
        self, connection: Connection, files: Files, claimed: Claimed, stack: AsyncExitStack
    ) -> Parcel:
        ids = claimed.content["files"]
        found = await rows.read(connection, claimed.workspace, ids)
        theirs = [found[id_] for id_ in ids if id_ in found and found[id_].is_for(claimed.conversation)]
        if len(theirs) < len(ids):
            raise NotPackedError(_GONE)
        within, beside = parted(theirs, self._bytes_max)
        linked = [self._linked(files, one, claimed.written_at) for one in beside]
        return Parcel([await _enclosed(files, one, stack) for one in within], linked)

    def _linked(self, files: Files, file: File, at: datetime) -> Linked:
        """Its link is counted from when the mail was written: it is the same at each attempt."""
        links = files.links.lasting(self._life_s)
        url = files.public_address(links.token(file.content, at.timestamp()))
        if url is None:
            raise NotPackedError(NotGiven("files_not_set", again=False))
        ends_at = datetime.fromtimestamp(links.ends_s(at.timestamp()), UTC)
        return Linked(file.name or "", file.size_bytes or 0, url, ends_at)


def parted(files: Sequence[File], bytes_max: int) -> tuple[list[File], list[File]]:
    """Those that go within a mail, the first ones that fit together into `bytes_max`; and the others."""
    within: list[File] = []
    beside: list[File] = []
    for file in files:
        if (file.size_bytes or 0) <= bytes_max:
            bytes_max -= file.size_bytes or 0
            within.append(file)
        else:
            beside.append(file)
    return within, beside


async def _enclosed(files: Files, file: File, stack: AsyncExitStack) -> Enclosed:
    """Raises NotPackedError, StorageDownError, FileRefusedError, OSError."""
    path = await stack.enter_async_context(copied(files.storage, file.key, files.settings.upload_timeout_s))
    if path is None:
        raise NotPackedError(_GONE)
    return Enclosed(file.name or "", file.media_type or "", path.stat().st_size, path)
