"""The wires of a run: one for each worker to Kafka, and one to Postgres."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from faults.proxy import Wire
from faults.requests import KafkaRequests, PostgresRequests
from workers.local.ports import LOOPBACK, free_port

WIRED = ("routing-1", "routing-2", "notifier-1", "notifier-2", "gateway-1", "gateway-2")


class Network:
    """Between these workers and the servers. Everybody else goes straight to them.

    Kafka tells its clients where it is to be found: so each wire leads to a listener of its own, of which
    Kafka says that it is at the wire's other end.
    """

    def __init__(self, workers: Sequence[str], seed: int = 0) -> None:
        chance = random.Random(seed)
        self.kafka_port = free_port()
        self.kafka = {name: Wire(free_port(), KafkaRequests, chance) for name in workers}
        self.postgres = {name: Wire(0, PostgresRequests, chance) for name in workers}

    @property
    def wires(self) -> Iterator[Wire]:
        """All of them."""
        yield from (*self.kafka.values(), *self.postgres.values())

    def to(self, server: str) -> Mapping[str, Wire]:
        """Those that lead to `kafka`, or to `postgres`, by their workers."""
        return {"kafka": self.kafka, "postgres": self.postgres}[server]

    def kafka_properties(self) -> Mapping[str, str]:
        """What Kafka must be started with, on `kafka_port`, when there are wires."""
        if not self.kafka:
            return {}
        controller = f"{LOOPBACK}:{free_port()}"
        plain = f"PLAINTEXT://{LOOPBACK}:{self.kafka_port}"
        listened = [f"{_listener(name)}://{LOOPBACK}:{wire.upstream}" for name, wire in self.kafka.items()]
        advertised = [f"{_listener(name)}://{LOOPBACK}:{wire.port}" for name, wire in self.kafka.items()]
        names = ("PLAINTEXT", "CONTROLLER", *map(_listener, self.kafka))
        return {
            "listeners": ",".join((plain, *listened, f"CONTROLLER://{controller}")),
            "advertised.listeners": ",".join((plain, *advertised)),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
            "controller.quorum.voters": f"1@{controller}",
            "num.network.threads": "1",  # of each listener
        }

    async def open(self, dsn: str) -> None:
        """Lay the wires; Postgres is at `dsn`."""
        for wire in self.postgres.values():
            wire.upstream = urlsplit(dsn).port or 0
        await asyncio.gather(*(wire.open() for wire in self.wires))

    async def close(self) -> None:
        """Reset whatever is still connected."""
        await asyncio.gather(*(wire.close() for wire in self.wires))

    def environment(self, worker: str, dsn: str) -> dict[str, str]:
        """Where this worker finds the servers; nothing when it has no wires."""
        if worker not in self.kafka:
            return {}
        port = urlsplit(dsn).port
        return {
            "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{self.kafka[worker].port}",
            "TONGDAI_POSTGRES_DSN": dsn.replace(f":{port}/", f":{self.postgres[worker].port}/"),
        }

    def seen_by_postgres(self, ports: Collection[int]) -> set[int]:
        """The client ports that Postgres sees in place of these ones."""
        behind = {
            each.port_here: each.port_there for wire in self.postgres.values() for each in wire.connections
        }
        return {behind.get(port, port) for port in ports}

    def heal(self) -> None:
        """Make all wires good again."""
        for wire in self.wires:
            wire.heal()


def _listener(worker: str) -> str:
    """Kafka's name of the listener behind a worker's wire."""
    return worker.replace("-", "_").upper()
