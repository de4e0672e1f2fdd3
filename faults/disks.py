"""Small disks of their own for servers, so that they can be full: a tmpfs, and a file that fills it."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_MB = 1_536
BALLAST = "ballast"
LAST_BYTES, PAGE = 1_048_576, bytes(4_096)
"""Taken page by page: nobody knows exactly how much is left."""


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Let `folder` be a disk of `SIZE_MB`. Raises OSError when this user may not mount anything."""
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={SIZE_MB}m,mode=0755"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        raise OSError(f"a small disk at {folder} cannot be mounted, it takes root: {done.stderr.decode()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> int:
    """Take all that is free on this disk; returns how many bytes that was."""
    with (folder / BALLAST).open("ab", buffering=0) as ballast:
        before, disk = ballast.tell(), os.statvfs(folder)
        most = max(disk.f_bfree * disk.f_bsize - LAST_BYTES, 1)
        _fits(lambda: os.posix_fallocate(ballast.fileno(), before, most))
        while _fits(lambda: ballast.write(PAGE)):
            continue
        return ballast.seek(0, os.SEEK_END) - before


def _fits(take: Callable[[], object]) -> bool:
    try:
        take()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def empty(folder: Path) -> None:
    """Give it back."""
    (folder / BALLAST).unlink()
