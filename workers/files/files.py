"""The files of one worker: taken, examined, kept, and linked to."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from config.attachments import AttachmentsSettings
from config.kept_key import kept_key
from config.logging import get_logger
from config.problem import variable
from config.settings import Settings
from workers.files import rows
from workers.files.file import File, key_of, smaller_of, thumbnail_of
from workers.files.kind import kind_of, name_of, saved_only
from workers.files.link import Content, Links
from workers.files.pictures import Pictures
from workers.files.refusal import FileRefusedError
from workers.files.rows import Known
from workers.files.shrinking import needs_smaller
from workers.files.spool import Spooled, spooled
from workers.files.storage import Storage, StorageDownError, open_storage
from workers.files.streams import Streams
from workers.runtime.handler import Connection

LOCAL_KEY = Path(".tongdai/attachments.key")
OF_ONE_OWNER_MAX = 4
"""Files that one sender may be sending at once."""

KEEP_S = 300.0
"""So long examining and storing a file that somebody sends may take, behind the others."""
LEASE_S = KEEP_S + 30.0
"""So long its row stays, whatever becomes of it: when that is over, nothing puts bytes there any more."""

_log = get_logger(__name__)


class FilesBusyError(Exception):
    """More files come at once than are taken: send it again."""


class TooManyUnusedError(Exception):
    """The conversation has many files already that no message has named."""


class Files:
    """Args:
    settings: limits.
    storage: where the bytes are.
    links: signs for who may read them.
    """

    def __init__(self, settings: AttachmentsSettings, storage: Storage, links: Links) -> None:
        self.settings = settings
        self.storage = storage
        self.links = links
        self.streams = Streams()
        self._pictures = Pictures(settings.pixels_max)
        self._coming: Counter[str] = Counter()

    async def take(
        self,
        connection: Connection,
        workspace: str,
        conversation: UUID | None,
        owner: str,
        chunks: AsyncIterable[bytes],
        name: str | None,
        *,
        smaller: bool = False,
        id_: str | None = None,
    ) -> File:
        """Keep a file that somebody sends; `smaller`: with a smaller copy, when it is a large picture.

        `id_`: of one that may be sent again, by which it is known then; it is kept once.

        Raises FileRefusedError, FilesBusyError, TooManyUnusedError, StorageDownError, and what Postgres and
        `chunks` raise.
        """
        own = self.settings
        if id_ is not None and (before := await self._stored(connection, workspace, id_)) is not None:
            return before
        with self._coming_from(owner):
            async with spooled(chunks, own.file_bytes_max, own.upload_timeout_s) as here:
                id_ = secrets.token_hex(16) if id_ is None else id_
                unused_max = 2 * own.message_files_max
                begun = (workspace, id_, conversation, owner, unused_max, LEASE_S)
                if not await rows.begin(connection, *begun):
                    raise TooManyUnusedError
                known = await self._keep_in_time(workspace, id_, here, name, smaller=smaller)
        file = await rows.stored(connection, workspace, id_, known)
        file = file or await self._stored(connection, workspace, id_)  # somebody else has kept the same
        if file is None:
            await self.remove(workspace, id_)
            raise FileRefusedError("too_slow", "The file took so long that it was forgotten.")
        return file

    async def _stored(self, connection: Connection, workspace: str, id_: str) -> File | None:
        file = (await rows.read(connection, workspace, [id_])).get(id_)
        return file if file is not None and file.state == "stored" else None

    async def keep(
        self, workspace: str, id_: str, here: Spooled, name: str | None, *, smaller: bool = False
    ) -> Known:
        """Examine a file and put its bytes into the storage. Raises FileRefusedError, StorageDownError.

        Whoever waits for it ends it before others may take the bytes away.
        """
        kind = kind_of(here.head)
        if kind is None or kind.media_type not in self.settings.kinds:
            raise FileRefusedError("kind_not_taken", "Files of this kind are not taken.")
        key, picture = key_of(workspace, id_), None
        if kind.type == "image":
            picture = await self._pictures.open(here.path)
            if picture is None:
                kind = saved_only(kind)
            else:
                await self.storage.keep(thumbnail_of(key), picture.thumbnail)
                if smaller and needs_smaller(kind.media_type, here.size_bytes):
                    await self._keep_smaller(key, here.path)
        await self.storage.keep(key, here.path)
        known = Known(kind.type, kind.media_type, name_of(name, kind), here.size_bytes)
        if picture is None:
            return known
        return known._replace(width=picture.width, height=picture.height, has_thumbnail=True)

    async def _keep_in_time(
        self, workspace: str, id_: str, here: Spooled, name: str | None, *, smaller: bool
    ) -> Known:
        """Raises FileRefusedError, StorageDownError."""
        try:
            async with asyncio.timeout(KEEP_S):
                return await self.keep(workspace, id_, here, name, smaller=smaller)
        except TimeoutError as error:
            raise StorageDownError("TimeoutError") from error

    async def _keep_smaller(self, key: str, path: Path) -> None:
        """Raises StorageDownError."""
        copy = await self._pictures.smaller(path)
        if copy is not None:
            await self.storage.keep(smaller_of(key), copy)

    async def remove(self, workspace: str, id_: str) -> None:
        """Have its bytes no more. Raises StorageDownError."""
        key = key_of(workspace, id_)
        await self.storage.remove(thumbnail_of(key))
        await self.storage.remove(smaller_of(key))
        await self.storage.remove(key)

    def public_link(self, content: Content) -> str | None:
        """The address at which a platform may fetch it for a while; none: we have no public address."""
        return self.public_address(self.links.token(content))

    def public_address(self, token: str) -> str | None:
        """The same of a link whose token this is."""
        base = self.settings.public_url
        return None if base is None else f"{base.rstrip('/')}{PUBLIC_PATH}/{token}"

    @contextmanager
    def _coming_from(self, owner: str) -> Iterator[None]:
        """Raises FilesBusyError."""
        if self._coming.total() >= self.settings.parallel_max or self._coming[owner] >= OF_ONE_OWNER_MAX:
            raise FilesBusyError
        self._coming[owner] += 1
        try:
            yield
        finally:
            self._coming[owner] -= 1
            if not self._coming[owner]:
                del self._coming[owner]


PUBLIC_PATH = "/v1/files"
"""Where the ingress gives files away; a link's token follows."""


def open_files(settings: Settings) -> Files | None:
    """The files of these settings; none: no key is set, and none can be kept. Raises OSError."""
    own = settings.attachments
    keys = [key.get_secret_value() for key in own.keys]
    if not keys and settings.profile == "local":
        keys = _local()
    if not keys:
        return None
    return Files(own, open_storage(own), Links(keys, own.link_s))


def _local() -> list[str]:
    try:
        return [kept_key(LOCAL_KEY)]
    except OSError as error:
        name = variable("attachments", "keys")
        _log.warning("attachments_without_key", why=str(error), effect=f"no files are kept; set {name}")
        return []
