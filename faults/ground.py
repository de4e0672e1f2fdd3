"""The servers of a run: its own Kafka and Postgres, prepared with topics, tables and the workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka.admin import AIOKafkaAdminClient

from config.settings import Settings
from config.topics import CATALOGUE
from config.topics_apply import apply_topics
from faults.catalogue import Need
from faults.fleet import Fleet
from faults.history import History
from faults.network import Network
from faults.older import prepare
from faults.servers import RunServers, servers_of_run
from faults.surroundings import Surroundings, clock_of
from faults.town import configure, register
from faults.watch import Ends, Watch, reached_by
from workers.local.kafka import EmbeddedKafka
from workers.local.ports import LOOPBACK, free_port
from workers.local.postgres import EmbeddedPostgres
from workers.migrations import migrate

PREFIX = "faults"
GATEWAYS = 2
STOPPING_S = 15.0
"""So long stopping everything may take."""
DUE = """
SELECT (SELECT count(*) FROM desk_timer WHERE due_at < now() + make_interval(secs => $1))
    + (SELECT count(*) FROM delivery WHERE NOT told)
"""
_STOPPED = "SELECT kind, id, stopped FROM lane WHERE stopped IS NOT NULL ORDER BY kind, id"
_PRESENT = "SELECT count(*) FROM desk_presence WHERE presence <> 'offline'"


@dataclass
class Ground:
    """Where a run takes place."""

    folder: Path
    brokers: Sequence[EmbeddedKafka]
    postgres: EmbeddedPostgres
    servers: str
    dsn: str
    partitions: dict[str, int]
    history: History
    fleet: Fleet
    network: Network
    surroundings: Surroundings
    watch: Watch
    gateways: dict[str, str] = field(default_factory=dict)
    """Their URLs by the names of their workers."""
    configurations: int = field(default=0)

    @property
    def kafka(self) -> EmbeddedKafka:
        """The broker, or the first of them."""
        return self.brokers[0]

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
        return await self.watch.lag(ends)

    async def reached(self) -> Ends:
        """Where each input ends now. Raises UnseenError."""
        return await reached_by(self.servers, PREFIX, self.partitions)

    async def configure(self) -> None:
        """Send the next configuration of the workspace."""
        await configure(self.servers, f"{PREFIX}.commands.v1", self.configurations)
        self.configurations += 1

    async def due(self) -> int:
        """What might be said by itself while everything stops: by timers of transfers and of gateways that
        are not heard of, and of answers that stand otherwise than was told."""
        return await self.value(DUE, STOPPING_S)

    async def present(self) -> int:
        """Agents who are here as far as their desk knows; of those who went it learns a while later."""
        return await self.value(_PRESENT)

    async def ends(self, topic: str) -> list[int]:
        """The offset behind the last record of each partition. Raises UnseenError."""
        return await self.watch.ends(topic)

    async def owners(self) -> dict[tuple[str, int], str | None]:
        """Who owns each lane."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch("SELECT kind, id, owner FROM lane")
        finally:
            await connection.close()
        return {(row["kind"], row["id"]): row["owner"] for row in rows}

    def set_clock(self, worker: str, offset_s: int) -> None:
        """Let this worker's clock, if it has one of its own, go so much before everybody's."""
        clock_of(self.folder, worker).write_text(f"{offset_s:+}")

    async def outside_settled(self) -> None:
        """Wait until those outside, if there are any, have said all. Raises TimeoutError."""
        if self.surroundings.outside is not None:
            await self.surroundings.outside.settled(self.dsn)

    def outside_said(self, ledger: Path) -> None:
        """Add what those outside may have had appended to inbound, to what the sender has sent."""
        if self.surroundings.outside is None:
            return
        with ledger.open("ab") as file:
            for op, (key, id_) in enumerate(self.surroundings.outside.messenger.echoes(), start=1):
                # Numbered apart from the sender's; nobody says what became of them.
                file.write(orjson.dumps({"type": "invoke", "op": -op, "key": key, "id": id_}) + b"\n")

    async def outside_checks(self) -> list[dict[str, Any]]:
        """What must hold of those to whom something is told; nothing when there are none."""
        outside, partitions = self.surroundings.outside, self.partitions["assignments"]
        if outside is None:
            return []
        return await outside.checks(self.dsn, self.servers, f"{PREFIX}.assignments.v1", partitions)

    async def stopped_lanes(self) -> list[str]:
        """Lanes that wait for an operator, and why."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch(_STOPPED)
        finally:
            await connection.close()
        return [f"{row['kind']} {row['id']}: {row['stopped']}" for row in rows]

    async def value(self, query: str, *arguments: object) -> int:
        """The one number that Postgres answers."""
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
    async with servers_of_run(folder / "servers", network, needs, quick=quick) as servers:
        surroundings = Surroundings(folder, network, needs, servers.bootstrap_servers, servers.dsn, PREFIX)
        await _prepare(servers, surroundings)
        await register(servers.dsn)
        await network.open(servers.dsn)
        with History(folder / "history.jsonl") as history:
            fleet = Fleet(folder, surroundings.of, history)
            partitions = await _partitions(servers.bootstrap_servers)
            watch = Watch(servers.bootstrap_servers, PREFIX, partitions)
            made = Ground(
                folder,
                servers.brokers,
                servers.postgres,
                servers.bootstrap_servers,
                servers.dsn,
                partitions,
                history,
                fleet,
                network,
                surroundings,
                watch,
            )
            try:
                async with _outside(surroundings, servers):
                    yield made
            finally:
                network.heal()
                await fleet.stop_all()
                await watch.close()
                await network.close()


@asynccontextmanager
async def _outside(surroundings: Surroundings, servers: RunServers) -> AsyncIterator[None]:
    """Let those be there to whom something is told."""
    if surroundings.outside is None:
        yield
        return
    async with surroundings.outside.at_work():
        await surroundings.outside.connect(_settings(servers))
        yield


async def _prepare(servers: RunServers, surroundings: Surroundings) -> None:
    """Make topics and tables: of this version, or of an older one that is at work first."""
    if surroundings.version is not None:
        await asyncio.to_thread(prepare, surroundings.version, surroundings.usual)
        return
    await asyncio.gather(apply_topics(_settings(servers)), asyncio.to_thread(migrate, servers.dsn))


def _settings(servers: RunServers) -> Settings:
    return Settings.model_validate({"kafka": {"topic_prefix": PREFIX, **servers.replicas}}).with_servers(
        bootstrap_servers=servers.bootstrap_servers, dsn=servers.dsn
    )


async def _partitions(servers: str) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = {topic.full_name(PREFIX): topic.name for topic in CATALOGUE}
        described = await admin.describe_topics(list(names))
    finally:
        await admin.close()
    return {names[topic["topic"]]: len(topic["partitions"]) for topic in described}
