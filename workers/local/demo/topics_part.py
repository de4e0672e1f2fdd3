"""What a run has left on the topics."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import orjson
from aiokafka import ConsumerRecord

from config.settings import Settings
from config.topics import (
    ACTIONS,
    ASSIGNMENTS,
    COMMANDS,
    DEADLETTER,
    INBOUND,
    MESSAGES,
    NOTIFICATIONS,
    OUTCOMES,
    ROSTER,
    Topic,
)
from schemas.envelope import header, read_kind
from workers.channels.topic_reader import Offsets
from workers.local.demo.acts import Acts
from workers.local.demo.log import open_log
from workers.local.demo.rotation import Rotation

EVENTS = (MESSAGES, COMMANDS, ASSIGNMENTS, NOTIFICATIONS, ROSTER, OUTCOMES)
"""Every record on them is one event of ours and has an id of its own, but what agents repeat."""

COUNTED: tuple[Topic, ...] = (INBOUND, ACTIONS, DEADLETTER, *EVENTS)
_OF_AGENTS = b"agent:"
"""The id of an agent's command is its sender and idempotency key: who repeats it means the same."""


@dataclass
class TopicsPart:
    """Counted from records that a `read_committed` reader sees.

    Attributes:
        begin_ms: the append of the run's first inbound record; None when there is none.
        assigned: assignment events.
        notices: ids of distinct notices to agents.
        deadlettered: records on deadletter.
        repeated: events whose id has been on the same topic before.
    """

    begin_ms: int | None = None
    assigned: int = 0
    notices: set[str] = field(default_factory=set)
    deadlettered: int = 0
    repeated: int = 0
    rotation: Rotation = field(default_factory=Rotation)
    acts: Acts = field(default_factory=Acts)


async def count_topics(settings: Settings, begins: Offsets) -> TopicsPart:
    """Read everything since `begins`. Raises DependencyError when Kafka does not answer."""
    part = TopicsPart()
    seen: dict[str, set[bytes]] = defaultdict(set)
    async with open_log(settings, COUNTED) as log:
        async for topic, record in log.read(begins, await log.ends()):
            if topic == INBOUND.name:
                part.begin_ms = min(part.begin_ms or record.timestamp, record.timestamp)
            elif topic == DEADLETTER.name:
                part.deadlettered += 1
            else:
                _count_event(part, topic, record)
                if topic != ACTIONS.name:
                    part.repeated += _is_repeated(seen[topic], header(record.headers, "ce_id"))
    return part


def _count_event(part: TopicsPart, topic: str, record: ConsumerRecord) -> None:
    if topic == NOTIFICATIONS.name:
        if not record.key.startswith(b"audience:"):
            part.notices.add(orjson.loads(record.value)["notice"])
        return
    what, value = read_kind(record.headers, topic).what, orjson.loads(record.value)
    part.acts.see(topic, what, value)
    if topic == ASSIGNMENTS.name and what == "assigned":
        part.assigned += 1
        part.rotation.see(value)


def _is_repeated(seen: set[bytes], id_: bytes | None) -> bool:
    if id_ is not None and id_.startswith(_OF_AGENTS):
        return False
    if id_ is None or id_ in seen:
        return True
    seen.add(id_)
    return False
