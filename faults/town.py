"""The workspace that the runs use: pages, agents, rules, and how they change while messages flow.

Ten agents have no limit; two have one that grows with each configuration, and a page of their own: so its
conversations queue up and are drained in one decision. Customers of another page are had by whoever is first;
those of the last one, which greets them, by who has least to do, until he stays away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from argon2 import PasswordHasher

from workers.gateway.accounts import ADD
from workers.local.simulator.agents.choice import Company

WORKSPACE, DESK = "town", "main"
DESK_KEY = f"{WORKSPACE}:{DESK}"
AGENTS = tuple(f"agent-{number:02}" for number in range(1, 13))
LIMITED = AGENTS[10:]
TRANSFER_S = 30
QUIET_S = 20
"""Nobody is asked for so long after somebody answered outside: all of that is over soon after a run's end."""
AWAY_S = 2
"""So long an agent of the greeting page may stay away when his customer writes: some come back later."""
FIRST_LIMIT, LIMIT_STEP, LIMIT_MAX = 5, 10, 1_000
PAGES = ("messenger:1001", "messenger:1002", "zalo:2001", "zalo:2002", "zalo:2003", "zalo:2004")
"""The fourth one has no rule: its conversations are offered to its admin."""
CROWDED, CONTESTED, GREETING = PAGES[2], PAGES[4], PAGES[5]
ADMIN = AGENTS[0]
PASSWORD = "mat khau cua pho"
COMPANY = Company(
    colleagues=AGENTS,
    admins=dict.fromkeys(PAGES, (ADMIN,)),
    departments=("night",),
    reasons=("gia-cao", "het-hang"),
)
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
        "pages": [_page(page) for page in PAGES],
        "rules": [
            _rule("shop", pages=PAGES[:1], agents=listed, after_refusal="pool"),
            _rule("evening", pages=PAGES[1:2], agents=listed[:3], departments=["night"]),
            _rule("crowded", pages=[CROWDED], agents=LIMITED),
            _rule("fastest", pages=[CONTESTED], agents=AGENTS, method="self_claim", reply_claims=True),
            _rule("calm", pages=[GREETING], agents=listed[3:8], method="least_busy", offline_grace_s=AWAY_S),
        ],
        "policy": {
            "reasons": [{"id": reason, "name": reason} for reason in COMPANY.reasons],
            "transfer_timeout_s": TRANSFER_S,
            "outside_quiet_s": QUIET_S,
        },
    }


def _agent(name: str, limit: int) -> dict[str, object]:
    return {"id": name, "name": name, "capacity": limit if name in LIMITED else None}


def _page(id_: str) -> dict[str, object]:
    greeting = {"vi": "Chào bạn, shop trả lời ngay đây ạ."} if id_ == GREETING else None
    return {"id": id_, "name": id_, "admins": [ADMIN], "greeting": greeting}


def _rule(name: str, **fields: object) -> dict[str, object]:
    return {"id": name, "name": name, "owner": ADMIN, "method": "round_robin", **fields}


async def register(dsn: str) -> None:
    """Reserve the pages and agents, as `tongdai apply` does before its command; let agents sign in."""
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
        # No secret: a hash that takes no time lets all of them come at once.
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        for agent in AGENTS:
            role = "page_admin" if agent == ADMIN else "agent"
            await connection.execute(ADD, WORKSPACE, agent, hashed, role, agent)
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
        "ce_source": b"faults",
        "ce_type": b"tongdai.commands.configure.v1",
        "content-type": b"application/json",
    }
