"""The folder of a local server's data: used by one process at a time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

from workers.local.errors import LocalServerError

POLL_S = 0.05


class DataDir:
    """A server's data folder and its lock.

    The lock file is inherited by the server, so the folder stays locked until both the server and the
    process that started it have let go.

    Args:
        path: the folder; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: TextIO | None = None

    @property
    def lock_fd(self) -> int:
        """The descriptor of the held lock, for the server to inherit."""
        if self._lock is None:
            raise LocalServerError(f"{self.path} is not locked.")
        return self._lock.fileno()

    async def acquire(self, timeout_s: float = 5.0) -> None:
        """Takes the lock, waiting a little for a server whose starter has just died.

        Raises:
            LocalServerError: another live process uses the folder; names it.
        """
        if self._lock is not None:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        file = (self.path / "lock").open("a+")
        deadline = time.monotonic() + timeout_s
        while not _try_lock(file):
            if time.monotonic() > deadline:
                raise LocalServerError(_in_use(self.path, file))
            await asyncio.sleep(POLL_S)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def release(self) -> None:
        """Lets the folder go; harmless when it is not held."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_use(path: Path, file: TextIO) -> str:
    file.seek(0)
    owner = file.read().strip() or "unknown"
    file.close()
    return f"{path} is in use by another process (pid {owner}). Stop it, or use another data folder."
