"""The servers of a run: its own Kafka and Postgres, prepared with topics, tables and the workspace."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from config.settings import Settings
from config.topics import CATALOGUE
from config.topics_apply import apply_topics
from faults.catalogue import Need
from faults.fleet import Fleet
from faults.history import History
from faults.network import Network
from faults.town import configure, register
from faults.watch import Ends, ends_of, lag_of, reached_by
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options
from workers.local.ports import LOOPBACK, free_port
from workers.local.postgres import EmbeddedPostgres
from workers.local.servers import local_servers
from workers.migrations import migrate

PREFIX = "faults"
INSIDE = Path(__file__).with_name("inside")
SESSION_S = 6.0
"""The consumers' session time-out: the shortest that Kafka takes."""
GATEWAYS = 2
STOPPING_S = 15.0
"""So long stopping everything may take."""
_TIMERS_DUE = "SELECT count(*) FROM desk_timer WHERE due_at < now() + make_interval(secs => $1)"
_PRESENT = "SELECT count(*) FROM desk_presence WHERE presence <> 'offline'"


@dataclass
class Ground:
    """Where a run takes place."""

    folder: Path
    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres
    servers: str
    dsn: str
    partitions: dict[str, int]
    history: History
    fleet: Fleet
    network: Network
    gateways: dict[str, str] = field(default_factory=dict)
    """Their URLs by the names of their workers."""
    configurations: int = field(default=0)

    def start_gateways(self) -> None:
        """Start them, each on a port that it keeps over its restarts."""
        for number in range(1, GATEWAYS + 1):
            port = free_port()
            worker = self.fleet.start("gateway", number, {"TONGDAI_GATEWAY_PORT": str(port)})
            self.gateways[worker.name] = f"http://{LOOPBACK}:{port}"

    async def stop_gateways(self) -> None:
        """Stop them in order."""
        await asyncio.gather(*map(self.fleet.stop, self.fleet.of("gateway")))

    async def lag(self, ends: Ends | None = None) -> dict[str, int]:
        """Each group's lag now, behind `ends` or what readers may see. Raises UnseenError."""
        return await lag_of(self.servers, PREFIX, self.partitions, ends)

    async def reached(self) -> Ends:
        """Where each input ends now. Raises UnseenError."""
        return await reached_by(self.servers, PREFIX, self.partitions)

    async def configure(self) -> None:
        """Send the next configuration of the workspace."""
        await configure(self.servers, f"{PREFIX}.commands.v1", self.configurations)
        self.configurations += 1

    async def timers(self) -> int:
        """Timers that might come due while everything stops: of transfers, and of gateways not heard of."""
        return await self._count(_TIMERS_DUE, STOPPING_S)

    async def present(self) -> int:
        """Agents who are here as far as their desk knows; of those who went it learns a while later."""
        return await self._count(_PRESENT)

    async def ends(self, topic: str) -> list[int]:
        """The offset behind the last record of each partition. Raises UnseenError."""
        return await ends_of(self.servers, PREFIX, self.partitions, topic)

    async def owners(self) -> dict[tuple[str, int], str | None]:
        """Who owns each lane."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT kind, id, owner FROM lane")
        finally:
            await connection.close()
        return {(row["kind"], row["id"]): row["owner"] for row in rows}

    async def _count(self, query: str, *arguments: object) -> int:
        connection = await asyncpg.connect(self.dsn)
        try:
            return int(await connection.fetchval(query, *arguments))
        finally:
            await connection.close()


@asynccontextmanager
async def ground(
    folder: Path,
    network: Network | None = None,
    needs: Collection[Need] = (),
    *,
    quick: bool = False,
) -> AsyncIterator[Ground]:
    """Start the servers, prepare them, and stop everything at the end.

    Workers reach them through `network`, when it has wires. With `quick` Kafka starts sooner, and bears less.
    """
    network = network or Network(())
    async with local_servers(
        folder / "servers",
        java_options=quick_start_options() if quick else None,
        kafka_port=network.kafka_port,
        kafka_properties=network.kafka_properties(),
    ) as servers:
        settings = Settings.model_validate({"kafka": {"topic_prefix": PREFIX}}).with_servers(
            bootstrap_servers=servers.bootstrap_servers, dsn=servers.dsn
        )
        await asyncio.gather(apply_topics(settings), asyncio.to_thread(migrate, servers.dsn))
        await register(servers.dsn)
        await network.open(servers.dsn)
        usual = _environment(servers.bootstrap_servers, servers.dsn)
        if Need.INSIDE in needs:
            usual |= {"PYTHONPATH": os.pathsep.join((str(INSIDE), os.environ.get("PYTHONPATH", "")))}
        with History(folder / "history.jsonl") as history:
            fleet = Fleet(folder, lambda name: usual | network.environment(name, servers.dsn), history)
            made = Ground(
                folder,
                servers.kafka,
                servers.postgres,
                servers.bootstrap_servers,
                servers.dsn,
                await _partitions(servers.bootstrap_servers),
                history,
                fleet,
                network,
            )
            try:
                yield made
            finally:
                network.heal()
                await fleet.stop_all()
                await network.close()


async def _partitions(servers: str) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = {topic.full_name(PREFIX): topic.name for topic in CATALOGUE}
        described = await admin.describe_topics(list(names))
    finally:
        await admin.close()
    return {names[topic["topic"]]: len(topic["partitions"]) for topic in described}


def _environment(servers: str, dsn: str) -> dict[str, str]:
    """The workers' environment: ours without what else is set for Tongdai."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TONGDAI_")}
    return bare | {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": servers,
        "TONGDAI_KAFKA_TOPIC_PREFIX": PREFIX,
        "TONGDAI_POSTGRES_DSN": dsn,
        "TONGDAI_RUNTIME_SESSION_TIMEOUT_MS": str(int(SESSION_S * 1000)),
        "TONGDAI_RUNTIME_HEARTBEAT_INTERVAL_MS": "1500",
        "TONGDAI_LOG_FORMAT": "json",
        "TONGDAI_GATEWAY_SIGNING_KEY": "of the town, which has many gateways",
        # So short that they end, and are renewed, within a run.
        "TONGDAI_GATEWAY_ACCESS_TOKEN_S": "60",
        "TONGDAI_GATEWAY_OFFLINE_GRACE_S": "1",
    }
