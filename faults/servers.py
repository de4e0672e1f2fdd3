"""The servers of a run: a Postgres, and one broker or three."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.catalogue import Need
from faults.cluster import BROKERS, IN_SYNC, cluster, start, stop
from faults.disks import small_disk
from faults.network import Network
from workers.local.kafka import EmbeddedKafka
from workers.local.kafka_java import quick_start_options
from workers.local.postgres import EmbeddedPostgres
from workers.local.servers import local_servers


@dataclass(frozen=True)
class RunServers:
    """What runs, and where clients connect."""

    brokers: Sequence[EmbeddedKafka]
    postgres: EmbeddedPostgres
    dsn: str

    @property
    def bootstrap_servers(self) -> str:
        """All brokers."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    @property
    def replicas(self) -> dict[str, int]:
        """Settings of topics for so many brokers."""
        if len(self.brokers) == 1:
            return {}
        return {"replication_factor": BROKERS, "min_insync_replicas": IN_SYNC}


@asynccontextmanager
async def servers_of_run(
    folder: Path, network: Network, needs: Collection[Need], *, quick: bool
) -> AsyncIterator[RunServers]:
    """Start them with their data below `folder`, and stop them at the end."""
    options = quick_start_options() if quick else None
    async with AsyncExitStack() as stack:
        if Need.SMALL_DISKS in needs:
            for server in ("kafka", "postgres"):
                stack.enter_context(small_disk(folder / server))
        if Need.BROKERS in needs:
            brokers = cluster(folder, options)
            stack.push_async_callback(stop, brokers)
            await start(brokers)
            postgres = await stack.enter_async_context(EmbeddedPostgres(folder / "postgres"))
            yield RunServers(brokers, postgres, postgres.dsn)
            return
        both = await stack.enter_async_context(
            local_servers(
                folder,
                java_options=options,
                kafka_port=network.kafka_port,
                kafka_properties=network.kafka_properties(),
            )
        )
        yield RunServers([both.kafka], both.postgres, both.dsn)
