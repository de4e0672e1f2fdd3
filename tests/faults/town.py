"""The workspace that the runs use: pages, agents, rules, and how they change while messages flow.

Ten agents have no limit; two have one that grows with each configuration, and a page of their own: so its
conversations queue up and are drained in one decision.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

WORKSPACE, DESK = "town", "main"
DESK_KEY = f"{WORKSPACE}:{DESK}"
AGENTS = tuple(f"agent-{number:02}" for number in range(1, 13))
LIMITED = AGENTS[10:]
FIRST_LIMIT, LIMIT_STEP, LIMIT_MAX = 5, 10, 1_000
PAGES = ("messenger:1001", "messenger:1002", "zalo:2001", "zalo:2002")
"""The last one has no rule: its conversations are offered to everybody."""
CROWDED = PAGES[2]
STRANGE_PAGE = "messenger:9999"
FOREIGN_WORKSPACE = "village"


def configuration(version: int) -> dict[str, object]:
    """The `configure` command of the `version`-th configuration, from 0."""
    limit = min(FIRST_LIMIT + version * LIMIT_STEP, LIMIT_MAX)
    # Every second version takes an agent out of the rules, the next one brings him back.
    listed = [agent for agent in AGENTS if version % 2 == 0 or agent != AGENTS[3]]
    return {
        "workspace": WORKSPACE,
        "desk": DESK,
        "actor": "cli:faults",
        "idempotency_key": f"configuration-{version}",
        "agents": [_agent(name, limit) for name in AGENTS],
        "departments": [{"id": "night", "name": "Ca đêm", "agents": listed[5:]}],
        "pages": [{"id": page, "name": page, "admins": [AGENTS[0]]} for page in PAGES],
        "rules": [
            _rule("shop", pages=PAGES[:1], agents=listed),
            _rule("evening", pages=PAGES[1:2], agents=listed[:3], departments=["night"]),
            _rule("crowded", pages=[CROWDED], agents=LIMITED),
        ],
    }


def _agent(name: str, limit: int) -> dict[str, object]:
    return {"id": name, "name": name, "capacity": limit if name in LIMITED else None}


def _rule(name: str, **fields: object) -> dict[str, object]:
    return {"id": name, "name": name, "owner": AGENTS[0], "method": "round_robin", **fields}


async def register(dsn: str) -> None:
    """Reserve the pages and agents, as `tongdai apply` does before its command goes out."""
    connection = await asyncpg.connect(dsn)
    try:
        # Long ago: everything that is sent finds its page known.
        await connection.executemany(
            "INSERT INTO page_registry VALUES ($1, $2, $3, now() - interval '1 day')",
            [(page, WORKSPACE, DESK) for page in PAGES],
        )
        await connection.executemany(
            "INSERT INTO agent_registry VALUES ($1, $2, $3)", [(WORKSPACE, agent, DESK) for agent in AGENTS]
        )
    finally:
        await connection.close()


async def configure(servers: str, topic: str, version: int) -> None:
    """Send one configuration and wait until Kafka has it."""
    value = orjson.dumps(configuration(version))
    headers = _headers(f"configuration-{version}-{time.time_ns()}")
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key=DESK_KEY.encode(), headers=list(headers.items()))
    finally:
        await producer.stop()


def _headers(id_: str) -> Mapping[str, bytes]:
    return {
        "ce_specversion": b"1.0",
        "ce_id": id_.encode(),
        "ce_source": b"tests/faults",
        "ce_type": b"tongdai.commands.configure.v1",
        "content-type": b"application/json",
    }
