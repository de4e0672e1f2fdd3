"""The servers that workers on this machine use: those that the settings name, else embedded ones."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.errors import ConfigurationError, DependencyError
from config.problem import variable
from config.settings import Settings

DATA_DIR = Path(".tongdai")
"""In the current folder: where embedded servers keep their data."""

ADDRESSES = "env"
_SERVERS = variable("kafka", "bootstrap_servers")
_DSN = variable("postgres", "dsn")


@dataclass(frozen=True)
class Backing:
    """Servers that run.

    Attributes:
        settings: with their addresses.
        failure: waits until an embedded one ends by itself, and raises LocalServerError then.
    """

    settings: Settings
    failure: Callable[[], Coroutine[Any, Any, None]]


def uses_embedded(settings: Settings, *, local: bool) -> bool:
    """Whether embedded servers are to be used: when asked to (`local`), or when the settings name none.

    Raises ConfigurationError when only one of the two is named, or when embedded ones cannot serve.
    """
    kafka, postgres = settings.kafka.is_named, settings.postgres.is_named
    if not local and kafka != postgres:
        named, missing = (_SERVERS, _DSN) if kafka else (_DSN, _SERVERS)
        raise ConfigurationError(
            f"{named} is set and {missing} is not: set both to use your servers, or say --local to use "
            "embedded ones."
        )
    embedded = local or not kafka
    protocol = settings.kafka.security_protocol
    if embedded and protocol != "PLAINTEXT":
        raise ConfigurationError(
            f"{variable('kafka', 'security_protocol')} is {protocol}, which embedded servers do not speak: "
            f"unset it, or name your Kafka with {_SERVERS}."
        )
    return embedded


def fetch_servers() -> None:
    """Get from the network what embedded servers need, with progress for a person; nothing when it is there.

    Not for inside an event loop: Ctrl-C ends it at once. Raises DependencyError.
    """
    with _extra_installed():
        from workers.local.fetch import fetch  # noqa: PLC0415
        from workers.local.kafka_java import start_up_cache  # noqa: PLC0415
    if not start_up_cache().exists():
        asyncio.run(fetch())


@asynccontextmanager
async def backing_servers(
    settings: Settings, data_dir: Path, *, embedded: bool, quick: bool = False
) -> AsyncIterator[Backing]:
    """Yield the settings with the addresses of running servers; embedded ones are stopped at the end.

    With `quick` an embedded Kafka starts sooner, and bears less load.

    While embedded ones run, `data_dir`/env holds their addresses for other commands.

    Raises DependencyError (LocalServerError is one) when embedded servers cannot be had or started.
    """
    if not embedded:
        yield Backing(settings, _never)
        return
    with _extra_installed():
        from workers.local.kafka_java import quick_start_options  # noqa: PLC0415
        from workers.local.servers import local_servers  # noqa: PLC0415
    java_options = quick_start_options() if quick else None
    async with local_servers(data_dir, java_options=java_options) as servers:
        connected = settings.with_servers(bootstrap_servers=servers.bootstrap_servers, dsn=servers.dsn)
        with _addresses(data_dir / ADDRESSES, servers.bootstrap_servers, servers.dsn):
            yield Backing(connected, servers.failure)


async def _never() -> None:
    """Servers of others are watched by others: workers wait for them while they are away."""
    await asyncio.Event().wait()


@contextmanager
def _extra_installed() -> Iterator[None]:
    """Around imports that only an extra brings: say which when it is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"{error.name} is not installed, which embedded servers need: run make setup, "
            f"pip install 'tongdai[local]', or name your own with {_SERVERS} and {_DSN}."
        ) from error


@contextmanager
def _addresses(path: Path, bootstrap_servers: str, dsn: str) -> Iterator[None]:
    """A file for `set -a; . .tongdai/env`; the DSN has a password in it, so it is its owner's alone."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"{_SERVERS}={shlex.quote(bootstrap_servers)}\n{_DSN}={shlex.quote(dsn)}\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
