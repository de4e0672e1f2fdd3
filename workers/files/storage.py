"""Where the bytes of files are: a folder, or a bucket of a store that speaks as Amazon's S3 does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from config.attachments import AttachmentsSettings

if TYPE_CHECKING:  # there are no such names when it runs
    from obstore.store import ClientConfig, S3Config

CHUNK_BYTES = 262_144
UPLOADS_AT_ONCE = 2
"""Parts of one file on their way to a bucket, of 5 MiB each."""
TIMEOUT_S = 60


class StorageDownError(Exception):
    """The store does not answer, or refuses us."""


class Range(NamedTuple):
    """Bytes from `start` up to and without `end`."""

    start: int
    end: int


class Stored(NamedTuple):
    """A file that is being read."""

    size_bytes: int
    """Of all of it."""
    range: Range
    """Of what is read."""
    chunks: AsyncIterator[bytes]


class Storage:
    """Files by their keys. A key begins with its workspace and is made by us, never by who sends a file."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def keep(self, key: str, path: Path) -> None:
        """Keep a copy of the file at `path`, in place of what had this key. Raises StorageDownError."""
        try:
            await obstore.put_async(self._store, key, path, max_concurrency=UPLOADS_AT_ONCE)
        except (BaseError, OSError) as error:
            raise StorageDownError(_why(error)) from error

    async def read(self, key: str, wanted: Range | None = None) -> Stored | None:
        """What has this key; none: nothing. `wanted` lies within it. Raises StorageDownError."""
        options: obstore.GetOptions = {} if wanted is None else {"range": tuple(wanted)}
        try:
            found = await obstore.get_async(self._store, key, options=options)
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise StorageDownError(_why(error)) from error
        return Stored(found.meta["size"], Range(*found.range), _chunks(found))

    async def size_bytes(self, key: str) -> int | None:
        """Of what has this key; none: nothing. Raises StorageDownError."""
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise StorageDownError(_why(error)) from error

    async def remove(self, key: str) -> None:
        """Have nothing under this key. Raises StorageDownError."""
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise StorageDownError(_why(error)) from error


def open_storage(settings: AttachmentsSettings) -> Storage:
    """The storage of these settings; a folder is made when it is missing. Raises OSError."""
    if settings.s3_bucket is None:
        settings.folder.mkdir(parents=True, exist_ok=True)
        return Storage(LocalStore(settings.folder.resolve(), automatic_cleanup=True))
    return Storage(_bucket(settings, settings.s3_bucket))


def _bucket(settings: AttachmentsSettings, name: str) -> S3Store:
    config: S3Config = {"bucket": name, "region": settings.s3_region}
    if settings.s3_access_key is not None and settings.s3_secret_key is not None:
        config["access_key_id"] = settings.s3_access_key.get_secret_value()
        config["secret_access_key"] = settings.s3_secret_key.get_secret_value()
    options: ClientConfig = {"timeout": f"{TIMEOUT_S}s"}
    if settings.s3_endpoint is not None:
        config["endpoint"] = settings.s3_endpoint
        config["virtual_hosted_style_request"] = False
        options["allow_http"] = settings.s3_endpoint.startswith("http://")
    return S3Store(config=config, client_options=options)


async def _chunks(found: obstore.GetResult) -> AsyncIterator[bytes]:
    """Raises StorageDownError."""
    try:
        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)
    except (BaseError, OSError) as error:
        raise StorageDownError(_why(error)) from error


def _why(error: Exception) -> str:
    """Its kind: the text names addresses and keys."""
    return type(error).__name__
