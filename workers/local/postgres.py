"""An embedded PostgreSQL: a real server as a child process."""

from __future__ import annotations

import secrets
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import asyncpg

from workers.local.child import Child, Launch
from workers.local.errors import LocalServerError
from workers.local.ports import LOOPBACK, settle_port
from workers.local.postgres_home import PostgresHome, give_to, postgres_home
from workers.local.server import LocalServer

DATABASE = USER = "tongdai"
INITDB_TIMEOUT_S = 120.0

StopMode = Literal["fast", "immediate"]
_STOP_SIGNAL = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "192MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "fsync": "on",
    "autovacuum": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}


class EmbeddedPostgres(LocalServer):
    """One PostgreSQL server that keeps its data in a folder, with a UTF-8 database `tongdai`.

    Connections need the password that is made with the data (in the DSN): on a shared machine the port
    is open to every local user: the one of last time when it is free, else any free one.

    Args:
        data_dir: its folder; what was there is kept.
        overrides: server settings that win over the usual ones.
    """

    NAME = "PostgreSQL"
    ABORT = signal.SIGQUIT

    def __init__(self, data_dir: Path, *, overrides: Mapping[str, str] | None = None) -> None:
        super().__init__(data_dir, "postgres.log")
        self._overrides = dict(overrides or {})

    @property
    def dsn(self) -> str:
        """The address of the database `tongdai`, password included."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """The address of another database of this server."""
        return f"postgresql://{USER}:{self._password_file.read_text()}@{LOOPBACK}:{self.port}/{database}"

    async def stop(self, mode: StopMode = "fast", timeout_s: float = 30.0) -> None:
        """Shuts down.

        Args:
            mode: `fast` ends sessions and writes a checkpoint; `immediate` quits as in a crash, so that the
                next start recovers from the log.
            timeout_s: after it the server is killed.
        """
        await self._end(_STOP_SIGNAL[mode], timeout_s)

    async def restart(self, mode: StopMode = "fast") -> None:
        """Stops and starts again on the same port and data."""
        await self.stop(mode)
        await self.start()

    async def _prepare(self) -> Launch:
        home = postgres_home(self._dir.path)
        await self._make_data(home)
        self._port = settle_port(self._port, self._dir.path / "port")
        return self._launch(home)

    @property
    def _password_file(self) -> Path:
        return self._dir.path / "password"

    async def _make_data(self, home: PostgresHome) -> None:
        """Runs initdb beside the final folder, then renames: a folder that exists is complete."""
        if home.pgdata.exists() and not self._password_file.exists():
            raise LocalServerError(
                f"{self._password_file} is missing, without it nobody can log in to {home.pgdata}. "
                "Put it back, or delete both to start over without the data."
            )
        if home.pgdata.exists():
            return
        unfinished = home.pgdata.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        give_to(unfinished, home.run_as)
        password = secrets.token_urlsafe(24)
        _write_secret(self._password_file, password)
        await self._initdb(home, unfinished, password)
        unfinished.rename(home.pgdata)

    async def _initdb(self, home: PostgresHome, pgdata: Path, password: str) -> None:
        password_file = pgdata.with_name("password.new")
        _write_secret(password_file, password)
        if home.run_as is not None:
            shutil.chown(password_file, home.run_as.uid, home.run_as.gid)
        command = [
            str(home.bin_dir / "initdb"),
            f"--pgdata={pgdata}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--set=scram_iterations=1",  # the password is random: many rounds would only slow each connection
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        launch = Launch("PostgreSQL's initdb", command, self.log, signal.SIGKILL, home.run_as)
        try:
            await Child(launch).finished(INITDB_TIMEOUT_S)
        finally:
            password_file.unlink()

    def _launch(self, home: PostgresHome) -> Launch:
        settings = _SETTINGS | self._overrides | {"port": str(self._port)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(home.bin_dir / "postgres"), "-D", str(home.pgdata), *options]
        lock = (self._dir.lock_fd,)
        return Launch(self.NAME, command, self.log, signal.SIGINT, home.run_as, inherit=lock)

    async def _answers(self) -> bool:
        """Whether the server answers; its database is then there, made now if need be."""
        try:
            connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=5)
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()
        return True


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)
