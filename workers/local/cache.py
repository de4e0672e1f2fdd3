"""Where downloads and what is built from them are kept between runs: one folder per person."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/tongdai`, else `~/.cache/tongdai`; made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "tongdai"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def cache_lock() -> Iterator[None]:
    """Lets one process at a time write to the cache; the others wait."""
    with (cache_dir() / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
