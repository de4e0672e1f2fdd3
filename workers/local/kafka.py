"""An embedded Apache Kafka: one real KRaft node as a child process."""

from __future__ import annotations

import asyncio
import base64
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from workers.local.child import Child, Launch
from workers.local.data_dir import DataDir
from workers.local.errors import LocalServerError
from workers.local.kafka_java import SERVER, STORAGE_TOOL, java_command
from workers.local.kafka_properties import as_text, server_properties
from workers.local.ports import LOOPBACK, free_port, settle_port

FORMAT_TIMEOUT_S = 60


class EmbeddedKafka:
    """One Kafka node that keeps its data in a folder.

    Args:
        data_dir: its folder; what was there is kept.
        port: where clients connect; 0 takes the one of last time when it is free, else any free one.
        heap_mb: Java's largest heap, in MiB.
        overrides: server properties that win over the usual ones.
        java_options: instead of those that use the start-up cache.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        heap_mb: int = 512,
        overrides: Mapping[str, str] | None = None,
        java_options: Sequence[str] | None = None,
    ) -> None:
        self._dir = DataDir(data_dir)
        self._port = port
        self._heap_mb = heap_mb
        self._overrides = dict(overrides or {})
        self._java_options = java_options
        self._child: Child | None = None
        self.log = self._dir.path / "kafka.log"

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for clients."""
        if not self._port:
            raise LocalServerError("Kafka has not been started: it has no address yet.")
        return f"{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of the running node."""
        if self._child is None:
            raise LocalServerError("Kafka is not running.")
        return self._child.pid

    async def start(self, timeout_s: float = 60.0) -> None:
        """Starts the node and waits until it answers; formats its storage the first time.

        Raises:
            LocalServerError: the folder is in use, the port is taken, or Kafka did not start.
        """
        if self._child is not None and self._child.alive:
            return
        await self._dir.acquire()
        try:
            properties = self._configure()
            await self._format(properties)
            command = java_command(SERVER, str(properties), heap_mb=self._heap_mb, options=self._java_options)
            self._child = Child(
                Launch("Kafka", command, self.log, signal.SIGKILL, inherit=(self._dir.lock_fd,))
            )
            await self._child.ready(lambda: _answers(self.bootstrap_servers), timeout_s)
        except BaseException:
            await self.kill()
            raise

    async def stop(self, timeout_s: float = 30.0) -> None:
        """Shuts down in order; kills it when that takes longer than the timeout."""
        await self._end(signal.SIGTERM, timeout_s)

    async def kill(self) -> None:
        """Ends the process at once (SIGKILL), as a crash would; the data folder stays as it is."""
        await self._end(signal.SIGKILL, 10.0)

    async def failure(self) -> None:
        """Waits until it ends by itself, and raises LocalServerError then."""
        if self._child is None:
            raise LocalServerError("Kafka is not running.")
        await self._child.failure()

    async def restart(self) -> None:
        """Stops in order and starts again on the same port and data."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _end(self, first: signal.Signals, timeout_s: float) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end(first, timeout_s)
        self._dir.release()

    def _configure(self) -> Path:
        """Chooses the port and writes server.properties."""
        self._port = settle_port(self._port, self._dir.path / "port")
        properties = server_properties(
            self._dir.path / "data", port=self._port, controller_port=free_port(), overrides=self._overrides
        )
        path = self._dir.path / "server.properties"
        path.write_text(as_text(properties))
        return path

    async def _format(self, properties: Path) -> None:
        if (self._dir.path / "data" / "meta.properties").exists():
            return
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # One argument: an id may begin with a dash.
        arguments = ("format", f"--cluster-id={cluster_id}", f"--config={properties}")
        command = java_command(STORAGE_TOOL, *arguments, heap_mb=128)
        tool = Child(Launch("Kafka's storage tool", command, self.log, signal.SIGKILL))
        await tool.finished(FORMAT_TIMEOUT_S)


async def _answers(bootstrap_servers: str) -> bool:
    """Whether a client gets the cluster's metadata with a broker in it."""
    host, port = bootstrap_servers.split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except KafkaError:
        return False
    finally:
        await client.close()
