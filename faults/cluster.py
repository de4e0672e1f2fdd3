"""Three brokers, each a controller too: what one of them did another has to take over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from workers.local.kafka import EmbeddedKafka, new_cluster_id
from workers.local.ports import LOOPBACK, free_port

BROKERS = 3
IN_SYNC = 2
"""Copies that must have a record before it is acknowledged: one broker may be away."""
HEAP_MB = 384


def cluster(folder: Path, java_options: Sequence[str] | None) -> list[EmbeddedKafka]:
    """The brokers of one cluster, by their ids from 1; each has a folder of its own below `folder`."""
    controllers = {number: f"{LOOPBACK}:{free_port()}" for number in range(1, BROKERS + 1)}
    voters = ",".join(f"{number}@{address}" for number, address in controllers.items())
    cluster_id = new_cluster_id()
    return [
        EmbeddedKafka(
            folder / f"kafka-{number}",
            port=(port := free_port()),
            heap_mb=HEAP_MB,
            overrides=_properties(number, port, controller, voters),
            java_options=java_options,
            cluster_id=cluster_id,
        )
        for number, controller in controllers.items()
    ]


async def start(brokers: Sequence[EmbeddedKafka]) -> None:
    """Start all of them: none answers before most of them are there."""
    await asyncio.gather(*(broker.start() for broker in brokers))


async def stop(brokers: Sequence[EmbeddedKafka]) -> None:
    """Stop them all; those that wait for the others to say good-bye are killed soon."""
    await asyncio.gather(*(broker.stop(timeout_s=10) for broker in brokers))


def _properties(number: int, port: int, controller: str, voters: str) -> dict[str, str]:
    replicas, in_sync = str(BROKERS), str(IN_SYNC)
    return {
        "node.id": str(number),
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{controller}",
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
    }
