"""Disasters: what no fault of a network or process does, and nobody's workers survive without an operator."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from config.settings import Settings
from config.topics_apply import apply_topics
from faults.ground import PREFIX, Ground
from faults.power_cut import cut_logs
from faults.watch import INPUTS
from workers.local.postgres_home import postgres_home

ALL = tuple(INPUTS)
GONE_POLL_S = 0.1


@dataclass(frozen=True)
class Ruin:
    """One disaster.

    Attributes:
        kinds: of the lanes that must stop.
        strike: does it, while messages flow.
        prepare: what must be done some time before; messages flow on meanwhile.
        loses: topics of which records are gone: the lanes go on behind them only when that is accepted.
        destroys: titles of the checks that cannot hold afterwards: what they compare is gone.
    """

    kinds: Sequence[str]
    strike: Callable[[Ground], Awaitable[None]]
    prepare: Callable[[Ground], Awaitable[None]] | None = None
    loses: Sequence[str] = ()
    destroys: Sequence[str] = ()


async def copy_postgres(ground: Ground) -> None:
    """Keep Postgres as it is now."""
    await ground.postgres.stop()
    await _copy(_pgdata(ground), _backup(ground))
    await ground.postgres.start()


async def restore_postgres(ground: Ground) -> None:
    """Put back what was kept."""
    await ground.postgres.stop("immediate")
    await asyncio.to_thread(shutil.rmtree, _pgdata(ground))
    await _copy(_backup(ground), _pgdata(ground))
    await ground.postgres.start()


async def reset_offsets(ground: Ground) -> None:
    """Set every group back to the beginning, as Kafka's own tool does with `--reset-offsets`."""
    await _without_workers(ground, lambda: _commit_zero(ground))


async def expire_offsets(ground: Ground) -> None:
    """Delete the groups, as Kafka does when nobody has been in them for `offsets.retention.minutes`."""
    await _without_workers(ground, lambda: _delete_groups(ground))


def make_again(*topics: str) -> Callable[[Ground], Awaitable[None]]:
    """Delete topics and make them again under their names, beneath running workers."""

    async def strike(ground: Ground) -> None:
        settings, admin = _settings(ground), AIOKafkaAdminClient(bootstrap_servers=ground.servers)
        names = {f"{PREFIX}.{topic}.v1" for topic in topics}
        await admin.start()
        try:
            await admin.delete_topics(list(names))
            while names & set(await admin.list_topics()):
                await asyncio.sleep(GONE_POLL_S)
        finally:
            await admin.close()
        await apply_topics(settings)

    return strike


async def lose_kafka(ground: Ground) -> None:
    """Kafka's disk is gone: it begins with nothing, and its operator makes the topics."""
    await ground.kafka.kill()
    await asyncio.to_thread(shutil.rmtree, ground.folder / "servers" / "kafka" / "data")
    await ground.kafka.start()
    await apply_topics(_settings(ground))


async def cut_power(ground: Ground) -> None:
    """The power goes. Postgres waits for its disk at each commit, Kafka does not: it loses its logs' ends."""
    await ground.kafka.kill()
    await asyncio.to_thread(cut_logs, ground.folder / "servers" / "kafka" / "data", PREFIX)
    await ground.kafka.start()


# What compares tables or later records with records that are gone. What recover tells again was followed by
# its readers before: it has no notice of its own on the new log.
_INBOUND = (
    "each acknowledged record is in inbound",
    "each unreadable or refused record is once in deadletter",
    "no readable record is in deadletter",
    "each message in the transcript was sent, by this customer and so worded",
    "the order of the transcript is the order of the lane",
)
_COMMANDS = (
    "each roster event was caused by a command of its desk",
    "each event of a chain was caused by a command that is on the log",
    "each return of a customer is told once on messages, and none that nobody has seen",
    "each event of a desk has the id of its number among those of its command",
    "nobody has a second turn before everybody eligible has had one",
    "counts of agents eligible throughout differ by at most one after any prefix",
    "each outcome is of something asked, names it, and goes to who asked",
    "nobody waits while an agent of the rule is eligible",
    "who waits is served by priority, then by age",
    "of a rule that asks the least busy, the least busy gets it",
    "nobody was automatically assigned above capacity or outside of the rule",
    "nobody outside of the desk was assigned, and what goes beyond limits says so",
    "the first rule that matches decides",
)
_ASSIGNMENTS = (
    "each chain counts 1, 2, 3, … and each event names the one before",
    "the epoch rises with each new holder and only then",
    "each event of a chain fits how things stood before it",
    "each event that has a log line has it once, and no line is of nothing",
    "every route is answered by an event",
    "each session is opened once on its chain, and closed once when it ended",
    "folding assignments gives the desk's conversations",
    "intake and notifier have applied everything to its end",
    "each customer message gives one notice to each who follows it at its chain number",
    "each assigned event gives one notice to the new holder",
    "a customer's return is told to all who follow him then, once each, and nobody else",
    "each offer is told once to its audience, and withdrawn once for all",
    "what watched lists are told last is how the conversation stands",
    "each list has what its agent holds and follows, with his unread messages",
    "counters equal what they count",
    "nobody has a second turn before everybody eligible has had one",
    "counts of agents eligible throughout differ by at most one after any prefix",
    "nobody waits while an agent of the rule is eligible",
    "who waits has the priority that his rule says, and keeps his age",
    "of a rule that asks the least busy, the least busy gets it",
    "each change is told once to each agent whom it concerns",
)
_KAFKA = (
    *_INBOUND,
    *_COMMANDS,
    *_ASSIGNMENTS,
    "on the messages topic each line follows the one before",
    "the messages topic says what the table says, line by line",
    "folding roster gives the desk's agents, departments, pages, rules, policy, presences",
    "the table of notices and the topic agree",
    "what is offered to a rule's agents calls somebody",
    "each message of an agent is once on outbound, each greeting too, and nothing else",
)
# Outcomes that were lost after their commands had been followed.
_POWER = (*_KAFKA, "each command and each action has exactly one outcome for its actor and key")
_CONVERSATIONS = ("assignments", "actions", "inbound", "messages", "outbound", "receipts")

RUINS: dict[str, Ruin] = {
    "restored_postgres": Ruin(ALL, restore_postgres, prepare=copy_postgres),
    "reset_offsets": Ruin(ALL, reset_offsets),
    "expired_offsets": Ruin(ALL, expire_offsets),
    "inbound_made_again": Ruin(("intake",), make_again("inbound"), loses=("inbound",), destroys=_INBOUND),
    "commands_made_again": Ruin(("desk",), make_again("commands"), loses=("commands",), destroys=_COMMANDS),
    "assignments_made_again": Ruin(
        ("intake", "notifier"), make_again("assignments"), loses=("assignments",), destroys=_ASSIGNMENTS
    ),
    "power_cut": Ruin(ALL, cut_power, loses=(*_CONVERSATIONS, "commands"), destroys=_POWER),
    "lost_kafka": Ruin(ALL, lose_kafka, loses=(*_CONVERSATIONS, "commands"), destroys=_KAFKA),
}


async def _without_workers(ground: Ground, work: Callable[[], Awaitable[None]]) -> None:
    """Kafka lets nobody change a group that has members."""
    workers = [*ground.fleet.of("routing"), *ground.fleet.of("notifier")]
    await asyncio.gather(*map(ground.fleet.stop, workers))
    await work()
    for worker in workers:
        worker.start()


async def _commit_zero(ground: Ground) -> None:
    for kind, topics in INPUTS.items():
        parts = [
            TopicPartition(f"{PREFIX}.{topic}.v1", number)
            for topic in topics
            for number in range(ground.partitions[topic])
        ]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=ground.servers, group_id=f"{PREFIX}.{kind}", enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign(parts)
            await consumer.commit(dict.fromkeys(parts, 0))
        finally:
            await consumer.stop()


async def _delete_groups(ground: Ground) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.servers)
    await admin.start()
    try:
        for kind in INPUTS:
            node = await admin.find_coordinator(f"{PREFIX}.{kind}")
            answer = await admin._send_request(DeleteGroupsRequest([f"{PREFIX}.{kind}"]), node)
            [(_, error)] = answer.results
            if error:
                raise RuntimeError(f"Kafka did not delete the group {kind}: error {error}")
    finally:
        await admin.close()


def _settings(ground: Ground) -> Settings:
    return Settings.model_validate({"kafka": {"topic_prefix": PREFIX}}).with_servers(
        bootstrap_servers=ground.servers, dsn=ground.dsn
    )


def _pgdata(ground: Ground) -> Path:
    return postgres_home(ground.folder / "servers" / "postgres").pgdata


def _backup(ground: Ground) -> Path:
    return _pgdata(ground).with_suffix(".backup")


async def _copy(source: Path, target: Path) -> None:
    """With owners and modes: Postgres may run as another user."""
    process = await asyncio.create_subprocess_exec("cp", "-a", str(source), str(target))
    if await process.wait():
        raise RuntimeError(f"{source} could not be copied")
