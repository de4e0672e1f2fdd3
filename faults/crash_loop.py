"""`python -m faults.crash_loop`: kills the only broker again and again, and asks it for its groups' offsets.

Four transactional producers commit offsets of a group each, as workers do. What the broker tells after each
crash must not be older than what it had acknowledged before; Kafka 4.2 gets that wrong when it takes long to
load a group's partition (docs/decisions/0023-small-segments-of-offsets.md).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from workers.local.crew.beside import beside
from workers.local.kafka import EmbeddedKafka

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GROUPS = ("one", "two", "three", "four")
TOPIC = NewTopic("read", num_partitions=6, replication_factor=1)
PARTS = [TopicPartition(TOPIC.name, number) for number in range(TOPIC.num_partitions)]
BETWEEN_S, DOWN_S, LOOKS_S, LOOK_S = 6.0, 2.0, 8.0, 0.05
ANSWER_S, AGAIN_S = 8.0, 0.2
COMPLAINT = "out of sync with the underlying log"


def main() -> int:
    """Kill it so often; 1 when it has told an offset that was too old."""
    parser = argparse.ArgumentParser(prog="python -m faults.crash_loop", description=__doc__)
    parser.add_argument("--crashes", type=int, default=16, help="default: %(default)s")
    parser.add_argument("--commits", type=int, default=36_000, help="before the first (default: %(default)s)")
    parser.add_argument(
        "--property", action="append", default=[], metavar="NAME=VALUE", help="of the broker, instead of ours"
    )
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="tongdai-crash-loop-") as folder:
        stale = asyncio.run(_run(Path(folder), options))
    sys.stdout.write(f"{stale} of {options.crashes} times it told offsets that were too old\n")
    return 1 if stale else 0


async def _run(folder: Path, options: argparse.Namespace) -> int:
    own = dict(one.split("=", 1) for one in options.property)
    commits: Counter[str] = Counter()
    stale = 0
    async with EmbeddedKafka(folder, overrides=own) as kafka, _committing(kafka.bootstrap_servers, commits):
        while commits.total() < options.commits:
            await asyncio.sleep(1)
        for number in range(1, options.crashes + 1):
            await asyncio.sleep(BETWEEN_S)
            before = dict(commits)
            await kafka.kill()
            await asyncio.sleep(DOWN_S)
            await kafka.start()
            older = await _older(kafka.bootstrap_servers, before)
            stale += bool(older)
            complaints = (folder / "kafka.log").read_text().count(COMPLAINT)
            total = sum(before.values())
            sys.stdout.write(
                f"crash {number}: {total} commits, too old by {older}, complaints {complaints}\n"
            )
            sys.stdout.flush()
    return stale


@asynccontextmanager
async def _committing(servers: str, commits: Counter[str]) -> AsyncIterator[None]:
    """Commit offsets of each group as fast as it goes; `commits` counts those that were acknowledged."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([TOPIC])
    await admin.close()
    async with beside(*(_commit(servers, group, commits) for group in GROUPS)):
        yield


async def _commit(servers: str, group: str, commits: Counter[str]) -> None:
    while True:
        name = f"{group}-{time.time_ns()}"
        producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=name)
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await producer.start()
            while True:
                offset = OffsetAndMetadata(commits[group] + 1, "")
                async with asyncio.timeout(ANSWER_S), producer.transaction():
                    await producer.send_offsets_to_transaction(dict.fromkeys(PARTS, offset), group)
                commits[group] += 1
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await producer.stop()
        await asyncio.sleep(AGAIN_S)


async def _older(servers: str, acknowledged: dict[str, int]) -> dict[str, int]:
    """The groups of which an older offset was told, and how many commits older at most."""
    found: dict[str, int] = {}
    admin, deadline = AIOKafkaAdminClient(bootstrap_servers=servers), time.monotonic() + LOOKS_S
    await admin.start()
    try:
        while time.monotonic() < deadline:
            for group, least in acknowledged.items():
                with suppress(KafkaError):
                    told = await admin.list_consumer_group_offsets(group)
                    oldest = min((each.offset for each in told.values()), default=least)
                    if oldest < least:
                        found[group] = max(least - oldest, found.get(group, 0))
            await asyncio.sleep(LOOK_S)
    finally:
        await admin.close()
    return found


if __name__ == "__main__":
    sys.exit(main())
