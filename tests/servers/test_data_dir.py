"""A data folder is used by one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers.local.data_dir import DataDir
from workers.local.errors import LocalServerError


async def test_a_second_user_is_told_who_the_first_is(tmp_path: Path) -> None:
    first, second = DataDir(tmp_path / "data"), DataDir(tmp_path / "data")
    await first.acquire()
    with pytest.raises(LocalServerError, match=rf"data is in use by another process \(pid {os.getpid()}\)"):
        await second.acquire(timeout_s=0.1)
    first.release()
    await second.acquire(timeout_s=0.1)
    second.release()


async def test_the_server_that_inherited_the_lock_keeps_it(tmp_path: Path) -> None:
    starter, next_one = DataDir(tmp_path / "data"), DataDir(tmp_path / "data")
    await starter.acquire()
    inherited = os.dup(starter.lock_fd)
    starter.release()
    with pytest.raises(LocalServerError, match="in use"):
        await next_one.acquire(timeout_s=0.1)
    os.close(inherited)
    await next_one.acquire(timeout_s=0.1)
    next_one.release()
