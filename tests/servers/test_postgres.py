"""The embedded PostgreSQL keeps what it has committed, whoever runs it and wherever its folder is."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import pytest

from workers.local import postgres_home
from workers.local.errors import LocalServerError
from workers.local.postgres import EmbeddedPostgres

pytestmark = pytest.mark.servers

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as another user")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _value(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_committed_rows_survive_an_immediate_and_an_orderly_restart(server_dir: Path) -> None:
    async with EmbeddedPostgres(server_dir / "postgres") as postgres:
        dsn, first_pid = postgres.dsn, postgres.pid
        await _execute(dsn, "CREATE TABLE kept AS SELECT 'trước' AS word")
        await postgres.restart("immediate")
        assert postgres.dsn == dsn
        assert postgres.pid != first_pid
        await _execute(dsn, "INSERT INTO kept VALUES ('sau')")
    async with EmbeddedPostgres(server_dir / "postgres") as again:
        assert again.dsn == dsn
        assert await _value(dsn, "SELECT string_agg(word, ' ' ORDER BY word DESC) FROM kept") == "trước sau"


async def test_it_is_as_durable_as_a_real_one_and_closed_to_others(server_dir: Path) -> None:
    async with EmbeddedPostgres(server_dir / "postgres") as postgres:
        durable = "SELECT concat_ws(' ', current_setting('synchronous_commit'), current_setting('fsync'))"
        assert await _value(postgres.dsn, durable) == "on on"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.dsn, password="guessed")


async def test_a_folder_that_is_not_its_data_is_refused_with_the_log(server_dir: Path) -> None:
    (server_dir / "postgres" / "pgdata").mkdir(parents=True)
    (server_dir / "postgres" / "password").write_text("secret")
    with pytest.raises(LocalServerError, match=r"(?s)PostgreSQL ended with code 2.*pgdata"):
        await EmbeddedPostgres(server_dir / "postgres").start()


async def test_data_without_its_password_is_refused(server_dir: Path) -> None:
    (server_dir / "postgres" / "pgdata").mkdir(parents=True)
    with pytest.raises(LocalServerError, match="password is missing"):
        await EmbeddedPostgres(server_dir / "postgres").start()


def _only_data_in(shared: Path) -> Path:
    (pgdata,) = shared.glob("data-*/pgdata")
    return pgdata


@only_root
async def test_root_keeps_what_others_cannot_reach_elsewhere(
    server_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_home, "SHARED", server_dir / "shared")
    closed = server_dir / "closed"
    closed.mkdir(mode=0o700)
    reach = postgres_home.others_reach
    install = postgres_home._install()
    monkeypatch.setattr(
        postgres_home, "others_reach", lambda path: not path.is_relative_to(install) and reach(path)
    )
    async with EmbeddedPostgres(closed / "postgres") as postgres:
        await _execute(postgres.dsn, "CREATE TABLE kept AS SELECT 1 AS number")
    async with EmbeddedPostgres(closed / "postgres") as again:
        assert await _value(again.dsn, "SELECT number FROM kept") == 1
        assert await _value(again.dsn, "SHOW data_directory") == str(_only_data_in(server_dir / "shared"))


@only_root
def test_deleting_the_folder_deletes_what_was_kept_elsewhere(
    server_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_home, "SHARED", server_dir / "shared")
    first, second = server_dir / "closed" / "first", server_dir / "closed" / "second"
    for folder in (first, second):
        folder.mkdir(parents=True)
    (server_dir / "closed").chmod(0o700)
    kept = postgres_home.postgres_home(first).pgdata
    kept.mkdir()
    assert postgres_home.postgres_home(first).pgdata.exists()
    (first / "pgdata-is-in").unlink()
    postgres_home.postgres_home(second)
    assert not kept.exists()
