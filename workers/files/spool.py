"""A file on its way in: its bytes go to a temporary file as they come, never all into memory."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from workers.files.kind import HEAD_BYTES
from workers.files.refusal import FileRefusedError
from workers.files.storage import Storage

WRITE_BYTES = 262_144
"""Gathered before a thread writes them."""


class Spooled(NamedTuple):
    """A file that is here whole, until the end of the block that holds it."""

    path: Path
    size_bytes: int
    head: bytes
    """Its beginning."""


@asynccontextmanager
async def spooled(chunks: AsyncIterable[bytes], bytes_max: int, timeout_s: float) -> AsyncIterator[Spooled]:
    """The file that `chunks` make.

    Raises FileRefusedError when it is empty, larger than `bytes_max` or not whole within `timeout_s`, and
    what `chunks` raises.
    """
    with tempfile.TemporaryDirectory(prefix="tongdai-file-") as folder:
        path = Path(folder) / "file"
        try:
            async with asyncio.timeout(timeout_s):
                size_bytes = await _write(path, chunks, bytes_max)
        except TimeoutError as error:
            raise FileRefusedError("too_slow", f"The file was not here within {timeout_s:g} s.") from error
        if not size_bytes:
            raise FileRefusedError("empty", "The file is empty.")
        yield Spooled(path, size_bytes, await asyncio.to_thread(_head, path))


@asynccontextmanager
async def copied(storage: Storage, key: str, timeout_s: float) -> AsyncIterator[Path | None]:
    """A copy of what has this key, until the end of the block; none: nothing has it.

    Raises StorageDownError, FileRefusedError, OSError.
    """
    stored = await storage.read(key)
    if stored is None:
        yield None
        return
    async with spooled(stored.chunks, stored.size_bytes, timeout_s) as here:
        yield here.path


async def _write(path: Path, chunks: AsyncIterable[bytes], bytes_max: int) -> int:
    """The size of what was written. Raises FileRefusedError at the first byte too many."""
    size_bytes, waiting = 0, bytearray()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        async for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > bytes_max:
                raise FileRefusedError("too_large", f"A file has at most {bytes_max} bytes.")
            waiting += chunk
            if len(waiting) >= WRITE_BYTES:
                await asyncio.to_thread(_write_all, descriptor, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(_write_all, descriptor, bytes(waiting))
    finally:
        os.close(descriptor)
    return size_bytes


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
