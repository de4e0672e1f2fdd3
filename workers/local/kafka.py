"""An embedded Apache Kafka: one real KRaft node as a child process."""

from __future__ import annotations

import asyncio
import base64
import signal
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from workers.local.child import Child, Launch
from workers.local.kafka_java import SERVER, STORAGE_TOOL, java_command, quick_start_options
from workers.local.kafka_properties import as_text, server_properties
from workers.local.ports import LOOPBACK, free_port, settle_port
from workers.local.server import LocalServer

FORMAT_TIMEOUT_S = 60


def new_cluster_id() -> str:
    """An id that no other cluster has."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


class EmbeddedKafka(LocalServer):
    """One Kafka node that keeps its data in a folder.

    Args:
        data_dir: its folder; what was there is kept.
        port: where clients connect; 0 takes the one of last time when it is free, else any free one.
        heap_mb: Java's largest heap, in MiB.
        overrides: server properties that win over the usual ones.
        java_options: instead of those that use the start-up cache.
        cluster_id: of the cluster that it belongs to; by default it is one by itself.
    """

    NAME = "Kafka"
    ABORT = signal.SIGKILL

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        heap_mb: int = 512,
        overrides: Mapping[str, str] | None = None,
        java_options: Sequence[str] | None = None,
        cluster_id: str | None = None,
    ) -> None:
        super().__init__(data_dir, "kafka.log", port)
        self._heap_mb = heap_mb
        self._overrides = dict(overrides or {})
        self._java_options = java_options
        self._cluster_id = cluster_id or new_cluster_id()

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self.port}"

    async def stop(self, timeout_s: float = 30.0) -> None:
        """Shuts down in order; kills it when that takes longer than the timeout."""
        await self._end(signal.SIGTERM, timeout_s)

    async def kill(self) -> None:
        """Ends the process at once (SIGKILL), as a crash would; the data folder stays as it is."""
        await self._end(signal.SIGKILL, 10.0)

    async def restart(self) -> None:
        """Stops in order and starts again on the same port and data."""
        await self.stop()
        await self.start()

    async def _prepare(self) -> Launch:
        properties = self._configure()
        await self._format(properties)
        command = java_command(SERVER, str(properties), heap_mb=self._heap_mb, options=self._java_options)
        return Launch(self.NAME, command, self.log, signal.SIGKILL, inherit=(self._dir.lock_fd,))

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
        # One argument: an id may begin with a dash.
        arguments = ("format", f"--cluster-id={self._cluster_id}", f"--config={properties}")
        command = java_command(STORAGE_TOOL, *arguments, heap_mb=128, options=quick_start_options())
        tool = Child(Launch("Kafka's storage tool", command, self.log, signal.SIGKILL))
        await tool.finished(FORMAT_TIMEOUT_S)

    async def _answers(self) -> bool:
        """Whether a client gets the cluster's metadata with a broker in it."""
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        writer.close()
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap_servers)
        try:
            await client.bootstrap()
            return bool(client.cluster.brokers())
        except KafkaError:
            return False
        finally:
            await client.close()
